//! Rollouts on paper: each script holds what follows from each of its lines.

use std::fmt::Write as _;

use cmdai_bundle::rings::{Gate, Plan, Progress, Ring, Rings, WHOLE};
use cmdai_bundle::simulate::Simulation;

/// Plays a script and writes what follows behind each line, as `  = …`.
fn played(script: &str) -> String {
    let mut simulation = Simulation::default();
    let mut text = String::new();
    for line in script.lines().filter(|line| !line.starts_with("  = ")) {
        writeln!(text, "{line}").unwrap();
        let said = if line.starts_with('#') {
            Ok(Vec::new())
        } else {
            simulation.play(line)
        };
        match said {
            Ok(changes) => {
                for change in changes {
                    writeln!(text, "  = {change}").unwrap();
                }
            }
            Err(refusal) => writeln!(text, "  = refused: {refusal}").unwrap(),
        }
    }
    text
}

#[test]
fn every_script_goes_as_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rollout");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let script = std::fs::read_to_string(entry.path()).unwrap();
        let now = played(&script);
        if std::env::var_os("CMDAI_WRITE_DOCS").is_some() {
            std::fs::write(entry.path(), &now).unwrap();
        } else {
            assert_eq!(now, script, "{}", entry.path().display());
        }
        count += 1;
    }
    assert!(count >= 6);
}

fn rings() -> Rings {
    let ring = |name: &str, share: u64| Ring {
        name: name.to_owned(),
        labels: std::collections::BTreeMap::new(),
        share,
        wait_s: 0,
    };
    Rings {
        version: 1,
        release: 7,
        salt: "s".to_owned(),
        rings: vec![ring("canary", WHOLE / 20), ring("everybody", WHOLE)],
        max_in_flight: 0,
        gate: Gate::default(),
    }
}

#[test]
fn the_share_of_a_ring_is_kept_and_changes_with_each_release() {
    let first = rings();
    let second = Rings {
        salt: "other".to_owned(),
        ..rings()
    };
    let labels = std::collections::BTreeMap::new();
    let canaries = |rings: &Rings| -> Vec<u32> {
        (0..10_000)
            .filter(|n| rings.seat(&format!("m-{n}"), &labels).ring == 0)
            .collect()
    };
    let (one, two) = (canaries(&first), canaries(&second));
    for list in [&one, &two] {
        assert!((400..600).contains(&list.len()), "{}", list.len());
    }
    let both = one.iter().filter(|n| two.contains(n)).count();
    assert!(both < 60, "{both} machines are canaries of both");
}

#[test]
fn opening_only_grows_and_halting_closes() {
    let rings = rings();
    let labels = std::collections::BTreeMap::new();
    let open = |progress: &Progress| -> Vec<bool> {
        (0..2_000)
            .map(|n| rings.open_for(Some(progress), &format!("m-{n}"), &labels))
            .collect()
    };
    let mut progress = Progress::closed(7);
    let mut before = open(&progress);
    assert!(before.iter().all(|on| !on));
    for (ring, upto) in [(0, WHOLE / 2), (0, WHOLE), (1, 0), (1, WHOLE / 3), (2, 0)] {
        progress.ring = ring;
        progress.upto = upto;
        let now = open(&progress);
        assert!(before.iter().zip(&now).all(|(was, is)| !was || *is));
        before = now;
    }
    assert!(before.iter().all(|on| *on));
    progress.halted = true;
    assert!(open(&progress).iter().all(|on| !on));
    progress.halted = false;
    progress.release = 8;
    assert!(
        open(&progress).iter().all(|on| !on),
        "progress of another release opens nothing"
    );
}

#[test]
fn plans_that_leave_somebody_out_are_refused() {
    let refused = |yaml: &str| {
        let plan: Plan = serde_json::from_str(yaml).unwrap();
        plan.resolve(1, "s", &[]).unwrap_err()
    };
    assert!(refused(r#"{"rings":[{"name":"a","percent":50}]}"#).contains("last ring"));
    assert!(refused(r#"{"rings":[]}"#).contains("1 to 16"));
    assert!(
        refused(r#"{"rings":[{"name":"a","percent":5,"count":1},{"name":"b"}]}"#)
            .contains("not both")
    );
    assert!(
        refused(r#"{"rings":[{"name":"a","wait":"soon"},{"name":"b"}]}"#).contains("not a time")
    );
    assert!(
        refused(r#"{"rings":[{"name":"b"}],"max_in_flight":"half"}"#).contains("max_in_flight")
    );
}
