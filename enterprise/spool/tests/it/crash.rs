//! A writer that is killed at random points.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use cmdai_schema::{Hash, verify_chain};
use cmdai_spool::{Limits, Spool, SpoolKey};

use crate::batch;

const LIMITS: Limits = Limits {
    segment: 20_000,
    total: 1 << 30,
};

fn key() -> SpoolKey {
    SpoolKey::from_bytes([5; 32])
}

/// Not a test of its own: the process that is killed. It says a number once it is synced.
#[test]
#[ignore = "started by the test below"]
fn writer() {
    let Some(dir) = std::env::var_os("SPOOL_UNDER_TEST") else {
        return;
    };
    let mut spool = Spool::open_with(dir.as_ref(), &key(), LIMITS).unwrap();
    let mut turn = 0usize;
    loop {
        turn += 1;
        let events = batch(spool.head(), 1 + turn % 4, (turn * 131) % 900);
        let note = format!("{}", events.last().unwrap().envelope.seq);
        spool.append_with_note(&events, Some(&note)).unwrap();
        if turn.is_multiple_of(3) {
            spool.sync().unwrap();
            let mut out = std::io::stderr();
            writeln!(out, "synced {}", spool.head().0).unwrap();
        }
        // By what waits and not by turns: a writer that lives for a few turns acknowledges too, and what
        // is there to be checked stays short in any number of rounds.
        if spool.queued() > 150 {
            spool
                .ack(spool.synced().saturating_sub(15).max(spool.acked()))
                .unwrap();
        }
    }
}

/// How often the writer is killed: `CMDAI_CRASH_ROUNDS=10000` for the full run.
fn rounds() -> u64 {
    std::env::var("CMDAI_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(50)
}

#[test]
fn kills_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen_head = (0, Hash::default());
    let mut kept = 0;
    let mut random = u64::from(std::process::id()) | 1;
    for round in 0..rounds() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writer", "--ignored", "--nocapture"])
            .env("SPOOL_UNDER_TEST", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .filter_map(|line| {
                    line.strip_prefix("synced ")
                        .and_then(|rest| rest.parse::<u64>().ok())
                })
                .last()
        });
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(3_000 + random % 45_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let promised = reader.join().unwrap().unwrap_or(0);

        let spool = Spool::open_with(dir.path(), &key(), LIMITS).unwrap();
        let head = spool.head();
        assert!(
            head.0 >= promised,
            "round {round}: {promised} were promised, {} are there",
            head.0
        );
        assert!(head.0 >= seen_head.0, "round {round}: the chain shrank");
        // The note and the events went in together.
        assert_eq!(
            spool.note().map_or(0, |note| note.parse().unwrap()),
            head.0,
            "round {round}"
        );
        let events = spool.read_from(spool.acked() + 1, usize::MAX).unwrap();
        assert_eq!(events.len() as u64, spool.queued(), "round {round}");
        // The new part follows what an earlier round saw.
        let fresh: Vec<_> = events
            .iter()
            .filter(|event| event.envelope.seq > seen_head.0)
            .cloned()
            .collect();
        if fresh
            .first()
            .is_some_and(|event| event.envelope.seq == seen_head.0 + 1)
        {
            assert_eq!(
                verify_chain(seen_head, &fresh).unwrap(),
                head,
                "round {round}"
            );
            kept += fresh.len();
        } else if let Some(first) = fresh.first() {
            assert_eq!(
                verify_chain((first.envelope.seq - 1, first.envelope.prev_hash), &fresh).unwrap(),
                head,
                "round {round}"
            );
        }
        seen_head = head;
        if (round + 1) % 1_000 == 0 {
            println!("{} rounds, {} events", round + 1, head.0);
        }
    }
    assert!(
        seen_head.0 > 100,
        "the writer hardly wrote: {}",
        seen_head.0
    );
    assert!(kept > 0);
}
