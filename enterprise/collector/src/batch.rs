//! The upload's form: zstd of lines, a header and one event a line. Everything is bounded.

use std::io::Read as _;

use cmdai_api::machine::BatchHeader;
use cmdai_schema::{Absent, AssertedBy, EVENT_SCHEMA, Event, EventType};

use crate::Refusal;

/// Largest upload as sent, in bytes.
pub const MAX_PACKED: usize = 4 * 1024 * 1024;
/// Largest upload unpacked, in bytes.
pub const MAX_UNPACKED: u64 = 8 * 1024 * 1024;
/// Most events in an upload.
pub const MAX_EVENTS: u32 = 1_000;

/// An upload as it is understood.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) events: Vec<Event>,
    /// Numbers in front of the first one that the machine dropped.
    pub(crate) dropped: Option<Absent>,
}

pub(crate) fn read(packed: &[u8], machine_id: &str) -> Result<Upload, Refusal> {
    if packed.len() > MAX_PACKED {
        return Err(Refusal::TooLarge(format!(
            "the upload is larger than {MAX_PACKED} bytes; send fewer events at once"
        )));
    }
    let text = unpack(packed)?;
    let mut lines = text.lines();
    let malformed = |what: String| Refusal::Malformed(what);
    let header: BatchHeader = serde_json::from_str(lines.next().unwrap_or(""))
        .map_err(|error| malformed(format!("the first line is not a header: {error}")))?;
    if header.version != 1 {
        return Err(malformed(format!(
            "version {} of the upload is not known here; this server speaks version 1",
            header.version
        )));
    }
    if header.machine_id != machine_id {
        return Err(malformed(
            "the header names another machine than the certificate".to_owned(),
        ));
    }
    if header.count > MAX_EVENTS {
        return Err(Refusal::TooLarge(format!(
            "{} events at once; send at most {MAX_EVENTS}",
            header.count
        )));
    }
    let mut events: Vec<Event> = Vec::with_capacity(header.count as usize);
    for line in lines {
        if events.len() >= header.count as usize {
            return Err(malformed(format!(
                "more events than the {} of the header",
                header.count
            )));
        }
        let place = events.len() + 1;
        let event: Event = serde_json::from_str(line)
            .map_err(|error| malformed(format!("event {place} cannot be read: {error}")))?;
        check(&event, machine_id)
            .map_err(|problem| malformed(format!("event {place}: {problem}")))?;
        events.push(event);
    }
    if events.len() != header.count as usize {
        return Err(malformed(format!(
            "{} events, but the header says {}",
            events.len(),
            header.count
        )));
    }
    match events.first() {
        Some(first) if first.envelope.seq != header.first_seq => Err(malformed(format!(
            "the first event is number {}, but the header says {}",
            first.envelope.seq, header.first_seq
        ))),
        _ => Ok(Upload {
            events,
            dropped: header.dropped,
        }),
    }
}

fn unpack(packed: &[u8]) -> Result<String, Refusal> {
    let malformed =
        |error: std::io::Error| Refusal::Malformed(format!("the upload is not zstd: {error}"));
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(malformed)?;
    decoder.window_log_max(27).map_err(malformed)?;
    let mut bytes = Vec::new();
    decoder
        .take(MAX_UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(malformed)?;
    if bytes.len() as u64 > MAX_UNPACKED {
        return Err(Refusal::TooLarge(format!(
            "the upload unpacks to more than {MAX_UNPACKED} bytes; send fewer events at once"
        )));
    }
    String::from_utf8(bytes).map_err(|_| Refusal::Malformed("the upload is not UTF-8".to_owned()))
}

fn check(event: &Event, machine_id: &str) -> Result<(), String> {
    let envelope = &event.envelope;
    if envelope.schema != EVENT_SCHEMA {
        return Err(format!("schema {:?} is not known here", envelope.schema));
    }
    if envelope.machine_id != machine_id {
        return Err("it is of another machine than the certificate".to_owned());
    }
    if envelope.event_id.is_empty() || envelope.event_id.len() > 64 {
        return Err("the event_id is not an identifier".to_owned());
    }
    // What the server says of itself and of approvals is said by the server alone.
    let of_server = matches!(
        envelope.event_type,
        EventType::AdminAction | EventType::ApprovalGranted
    );
    if of_server || event.payload.asserted_by == AssertedBy::Server {
        return Err("only the server makes events of this kind".to_owned());
    }
    if cmdai_store::time_ms(event).is_none() {
        return Err("the time is not RFC 3339".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused_without_unpacking_it() {
        let zeros = vec![b' '; 64 * 1024 * 1024];
        let packed = zstd::encode_all(zeros.as_slice(), 3).unwrap();
        assert!(packed.len() < MAX_PACKED);
        assert!(matches!(read(&packed, "m-1"), Err(Refusal::TooLarge(_))));
    }

    #[test]
    fn a_machine_does_not_speak_for_the_server() {
        let seal = |kind: EventType, asserted_by: AssertedBy| {
            let payload = cmdai_schema::Payload {
                asserted_by,
                ..cmdai_schema::Payload::default()
            };
            let time = "2026-01-01T00:00:00Z".to_owned();
            let head = cmdai_schema::Hash::default();
            let id = "e-1".to_owned();
            Event::seal(id, 1, head, time, kind, "m-1".to_owned(), [0; 16], payload).unwrap()
        };
        let good = seal(EventType::CommandExecuted, AssertedBy::Sensor);
        assert_eq!(check(&good, "m-1"), Ok(()));
        for (kind, by) in [
            (EventType::AdminAction, AssertedBy::Sensor),
            (EventType::ApprovalGranted, AssertedBy::UserHook),
            (EventType::CommandExecuted, AssertedBy::Server),
        ] {
            assert!(check(&seal(kind, by), "m-1").is_err(), "{kind:?} {by:?}");
        }
    }

    #[test]
    fn header_and_lines_must_agree() {
        let pack = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
        let header = |count: u32| {
            format!("{{\"version\":1,\"machine_id\":\"m-1\",\"first_seq\":1,\"count\":{count}}}\n")
        };
        assert!(read(&pack(&header(0)), "m-1").unwrap().events.is_empty());
        assert!(matches!(
            read(&pack(&header(2)), "m-1"),
            Err(Refusal::Malformed(_))
        ));
        assert!(matches!(
            read(&pack(&header(0)), "m-2"),
            Err(Refusal::Malformed(_))
        ));
        assert!(matches!(
            read(&pack(&header(5_000)), "m-1"),
            Err(Refusal::TooLarge(_))
        ));
        assert!(matches!(read(b"plain", "m-1"), Err(Refusal::Malformed(_))));
    }
}
