//! Spool lines survive the way there and back, and damage is seen.

use cmdai_schema::record::{Half, Record, RecordError};
use proptest::prelude::*;

fn record(text: String, counter: u64) -> Record {
    Record {
        session_id: text,
        counter,
        time_ms: 1,
        mono_ns: 2,
        pid: 3,
        user: "ana".into(),
        script: None,
        half: Half::SessionEnd,
    }
}

proptest! {
    #[test]
    fn lines_round_trip(text in any::<String>(), counter in any::<u64>()) {
        let record = record(text, counter);
        let line = record.to_line().unwrap();
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(Record::from_line(&line).unwrap(), record);
    }

    #[test]
    fn a_changed_byte_is_seen(index in 0usize..200, byte in 0x20u8..0x7f) {
        let record = record("s1".into(), 1);
        let mut line = record.to_line().unwrap().into_bytes();
        let index = index % (line.len() - 1);
        prop_assume!(line[index] != byte);
        // Hex digits of the checksum may change case without changing the value.
        prop_assume!(!line[index].eq_ignore_ascii_case(&byte));
        line[index] = byte;
        let line = String::from_utf8(line).unwrap();
        prop_assert!(Record::from_line(&line).is_err());
    }
}

#[test]
fn other_lines_are_refused() {
    for line in ["", "C1", "C1 ", "C2 00000000 {}", "C1 zzzzzzzz {}", "{}"] {
        assert_eq!(Record::from_line(line), Err(RecordError::Format), "{line}");
    }
    assert_eq!(
        Record::from_line("C1 00000000 {}"),
        Err(RecordError::Checksum)
    );
}
