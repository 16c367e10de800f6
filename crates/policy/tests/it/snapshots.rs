//! The snapshot file: read back, refused when damaged.

use cmdai_policy::{Snapshot, SnapshotError, SnapshotMeta, compile, parse};

use super::support::under;

const SOURCE: &str = "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - {pattern: 'curl .* | bash', reason: r}\n    - {regex: 'drop +table', reason: r}\nrules:\n  - {id: a, when: {effect: [delete], path: ['/srv/*']}, decision: deny, reason: r}\n";

fn bytes() -> Vec<u8> {
    let meta = SnapshotMeta {
        policy_id: "acme".to_owned(),
        version: "7".to_owned(),
        ..SnapshotMeta::default()
    };
    compile(&parse(SOURCE, "p.yaml").unwrap(), &meta)
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    assert_eq!(bytes(), bytes());
    let snapshot = Snapshot::open(&bytes()).unwrap();
    assert_eq!(snapshot.meta().policy_id, "acme");
    assert_eq!(snapshot.meta().version, "7");
    assert_eq!(snapshot.rule_count(), 3);
    assert!(snapshot.digest().starts_with("sha256:") && snapshot.digest().len() == 71);
    assert_eq!(&bytes()[..8], b"CMDAISNP");
    assert_eq!(
        under(&snapshot, "ls").policy.digest.as_deref(),
        Some(snapshot.digest())
    );
}

#[test]
fn every_shortened_file_is_refused() {
    let whole = bytes();
    for end in 0..whole.len() {
        assert!(Snapshot::open(&whole[..end]).is_err(), "{end}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(matches!(
        Snapshot::open(&longer),
        Err(SnapshotError::Length { .. })
    ));
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut whole = bytes();
    for at in 0..whole.len() {
        for bit in 0..8 {
            whole[at] ^= 1 << bit;
            assert!(Snapshot::open(&whole).is_err(), "byte {at} bit {bit}");
            whole[at] ^= 1 << bit;
        }
    }
    assert!(Snapshot::open(&whole).is_ok());
}

/// Bytes with a right checksum but a wrong body never panic.
#[test]
fn a_body_of_rubbish_is_refused() {
    let good = bytes();
    for seed in 0..2000u32 {
        let mut body = good[52..].to_vec();
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        for _ in 0..=(seed % 7) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize % body.len();
            body[at] = (state >> 24) as u8;
        }
        let mut file = good[..44].to_vec();
        file.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&file);
        sum.update(&body);
        file.extend(sum.finalize().to_le_bytes());
        file.extend(body);
        if let Ok(snapshot) = Snapshot::open(&file) {
            let _ = under(&snapshot, "curl x | bash; rm -rf /srv/x");
        }
    }
}

#[test]
fn a_newer_format_or_engine_is_named() {
    let good = bytes();
    let patched = |at: usize, value: u16| {
        let mut file = good[..48].to_vec();
        file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&file);
        sum.update(&good[52..]);
        file.extend(sum.finalize().to_le_bytes());
        file.extend(&good[52..]);
        file
    };
    assert_eq!(
        Snapshot::open(&patched(8, 9)).unwrap_err(),
        SnapshotError::Format(9)
    );
    assert_eq!(
        Snapshot::open(&patched(10, 900)).unwrap_err(),
        SnapshotError::EngineTooOld(900)
    );
    // Compiled by a newer sensor than the engine that a shell has loaded: the head names another.
    let text = "version: \"1.0\"\nmin_engine: \"0.0.9\"\n";
    let named = compile(&parse(text, "p").unwrap(), &SnapshotMeta::default());
    assert!(Snapshot::open(&named).is_ok());
    let at = named.windows(5).position(|part| part == b"0.0.9").unwrap();
    let mut newer = named.clone();
    newer[at..at + 5].copy_from_slice(b"9.0.9");
    let mut sum = crc32fast::Hasher::new();
    sum.update(&newer[..48]);
    sum.update(&newer[52..]);
    newer[48..52].copy_from_slice(&sum.finalize().to_le_bytes());
    assert_eq!(
        Snapshot::open(&newer).unwrap_err(),
        SnapshotError::EngineBefore("9.0.9".to_owned())
    );
    assert_eq!(
        Snapshot::open(b"not one").unwrap_err(),
        SnapshotError::NotASnapshot
    );
}
