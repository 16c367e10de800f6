//! Hook, sensor and server killed with SIGKILL at random points: everything acknowledged is stored, once, and
//! nothing is missing without an event that says so.

use std::collections::BTreeMap;
use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, eventually};

/// Rounds; in each one of the three is killed. `CMDAI_CRASH_ROUNDS=1000` for a long run, and
/// `cargo xtask crash` for all layers.
fn rounds() -> u64 {
    std::env::var("CMDAI_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(6)
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn nothing_recorded_is_lost_or_doubled() {
    let mut server = Server::start().unwrap();
    let mut machine = Machine::join(&server).unwrap();
    let mut random = Random(u64::from(std::process::id()) | 1);
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let mut number = 0;
    for round in 0..rounds() {
        let killed = random.below(3);
        for step in 0..4 {
            number += 1;
            let marker = format!("crash-marker-{number}-end");
            let mut command = machine.cmdai();
            command.args(["run", "-c", &format!("true {marker}")]);
            if step == 1 && killed == 0 {
                // The hook: its record is there or not, and is never there twice.
                let mut child = command
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .unwrap();
                std::thread::sleep(Duration::from_micros(random.below(60_000)));
                child.kill().unwrap();
                child.wait().unwrap();
                cut.push(marker);
                continue;
            }
            let run = Run::of(&mut command).unwrap();
            assert_eq!(run.code, 0, "round {round}: {}", run.stderr);
            whole.push(marker);
            if step == 1 {
                std::thread::sleep(Duration::from_micros(random.below(150_000)));
                match killed {
                    1 => machine.kill_sensor().unwrap(),
                    2 => server.kill().unwrap(),
                    _ => {}
                }
            }
            if step == 2 {
                match killed {
                    1 => machine.start_sensor().unwrap(),
                    2 => server.restart().unwrap(),
                    _ => {}
                }
            }
        }
    }
    let rows = eventually(
        "every command on the server",
        Duration::from_secs(60 + rounds() / 4),
        || {
            let mut stored: BTreeMap<String, usize> = BTreeMap::new();
            for row in server.query("type:command_executed crash-marker")? {
                let text = row["text"].as_str().unwrap_or_default();
                *stored.entry(text.to_owned()).or_default() += 1;
            }
            let there = whole
                .iter()
                .filter(|marker| stored.contains_key(&format!("true {marker}")))
                .count();
            anyhow::ensure!(there == whole.len(), "{there} of {}", whole.len());
            Ok(stored)
        },
    )
    .unwrap();
    for (text, times) in &rows {
        assert_eq!(*times, 1, "{text} is stored {times} times");
    }
    let half = cut
        .iter()
        .filter(|marker| rows.contains_key(&format!("true {marker}")))
        .count();
    println!(
        "{} rounds: {} commands whole, {} hooks killed ({half} of them had recorded)",
        rounds(),
        whole.len(),
        cut.len()
    );

    let export = machine.home().join("export.jsonl");
    let written = eventually(
        "a checkpoint over everything",
        Duration::from_secs(20),
        || {
            server.admin(&["export", "--output", &export.to_string_lossy()])?;
            server.admin(&["verify", &export.to_string_lossy()])
        },
    );
    written.unwrap();
}
