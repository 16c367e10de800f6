//! Recordings: what was shown comes back, secrets do not, and the records tell of each file.

use std::fs::File;
use std::path::{Path, PathBuf};

use cmdai_schema::record::{Half, Record};
use cmdai_testkit::Pty;
use serde_json::Value;

use crate::world::World;

const POLICY: &str = "version: \"1.0\"\norganization: acme\nsafety:\n  blocked_patterns:\n    - pattern: \"frobnicate ...\"\n      reason: \"Frobnicating is not done here\"\n";

fn recordings(world: &World) -> Vec<PathBuf> {
    let folder = world.home.state().join("recordings");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn lines(path: &Path) -> Vec<Value> {
    let bytes = zstd::decode_all(File::open(path).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn shown(path: &Path) -> String {
    lines(path)[1..]
        .iter()
        .filter(|event| event[1] == "o")
        .map(|event| event[2].as_str().unwrap())
        .collect()
}

/// What is told of recordings: state, SHA-256, length.
fn told(records: &[Record]) -> Vec<(String, Option<String>, Option<u64>)> {
    records
        .iter()
        .filter_map(|record| match &record.half {
            Half::Recording {
                state,
                sha256,
                bytes,
                ..
            } => Some((state.clone(), sha256.clone(), *bytes)),
            _ => None,
        })
        .collect()
}

/// A recorded bash at its prompt.
fn bash(world: &World) -> Pty {
    let rc = world.home.path().join("recorded.bash");
    std::fs::write(&rc, "PS1='PROMPT> '\n").unwrap();
    std::fs::write(world.home.path().join(".bashrc"), "PS1='PROMPT> '\n").unwrap();
    let mut shell = world.terminal(&["record", "--", "bash", "-i"]);
    shell.wait_for("PROMPT> ").unwrap();
    shell
}

#[test]
fn a_session_is_recorded_without_its_secrets_and_plays_again() {
    let world = World::new();
    let mut shell = bash(&world);
    assert!(shell.screen().contains("this session is recorded"));
    shell
        .run("echo in the open; tty >/dev/null && echo has a terminal")
        .unwrap();
    shell.run(": mysql -phunter2-Zq81x shop").unwrap();
    // What is typed and not shown is not there. The question does not stand so in the line that asks it:
    // an answer before it would still be shown.
    shell
        .send_line("read -rs -p as'ked: ' word; echo; echo length ${#word}")
        .unwrap();
    shell.wait_for("asked: ").unwrap();
    shell.send_line("unseen-Kw93v").unwrap();
    shell.wait_for("length 12").unwrap();
    shell.send_line("exit 7").unwrap();
    assert_eq!(shell.wait().unwrap(), 7, "the status of its program");

    let files = recordings(&world);
    assert_eq!(files.len(), 1);
    let all = lines(&files[0]);
    assert_eq!(
        (&all[0]["version"], &all[0]["width"], &all[0]["height"]),
        (&2.into(), &120.into(), &40.into())
    );
    let text = shown(&files[0]);
    assert!(
        text.contains("in the open") && text.contains("has a terminal"),
        "{text}"
    );
    for piece in ["hunter", "unter2", "-Zq81x", "unseen", "-Kw93v"] {
        assert!(!text.contains(piece), "{piece}: {text}");
    }
    assert!(text.contains(": mysql -p*"), "{text}");
    assert!(
        all[1..]
            .windows(2)
            .all(|pair| pair[0][0].as_f64() <= pair[1][0].as_f64())
    );

    let bytes = std::fs::read(&files[0]).unwrap();
    let sum = cmdai_schema::Hash::of(&[&bytes]).to_hex();
    let records = world.home.records().unwrap();
    assert_eq!(
        told(&records),
        [
            ("began".to_owned(), None, None),
            ("ended".to_owned(), Some(sum), Some(bytes.len() as u64)),
        ]
    );
    let file = files[0].display().to_string();
    let played = world.cmdai(&["replay", &file]);
    assert_eq!((played.code, played.stdout), (0, text));
    let mut terminal = world.terminal(&["replay", "--speed", "1000", &file]);
    terminal.wait_for("length 12").unwrap();
    assert_eq!(terminal.wait().unwrap(), 0);
}

#[test]
fn full_screen_programs_replay_as_they_were() {
    let world = World::new();
    std::fs::write(
        world.home.work().join("page"),
        (0..200).map(|n| format!("row {n}\n")).collect::<String>(),
    )
    .unwrap();
    // The alternate screen, the cursor placed, rows erased, colours, a letter outside of ASCII.
    let program = "printf '\\033[?1049h\\033[2J\\033[3;5H\\033[1;31mred\\033[0m\\033[10;1Hé☃\\033[K'; sleep 0.2; printf '\\033[3;5Hblue\\033[?1049l'; tput -T xterm cup 4 4 2>/dev/null; echo over";
    let mut shell = bash(&world);
    let live = shell.run(program).unwrap();
    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
    let text = shown(&recordings(&world)[0]);
    for part in [
        "\u{1b}[?1049h\u{1b}[2J\u{1b}[3;5H\u{1b}[1;31mred\u{1b}[0m\u{1b}[10;1Hé☃\u{1b}[K",
        "\u{1b}[3;5Hblue\u{1b}[?1049l",
    ] {
        assert!(text.contains(part), "{text:?}\n{live}");
    }
}

#[test]
fn a_program_goes_through_the_gate_and_a_policy_permits_recordings_or_there_are_none() {
    let world = World::governed(POLICY);
    let said = world.cmdai(&["record", "--", "echo", "hello"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("does not permit recordings"),
        "{}",
        said.stderr
    );
    assert!(recordings(&world).is_empty());

    let world = World::governed(&format!("{POLICY}privacy:\n  record_sessions: true\n"));
    let said = world.cmdai(&["record", "--", "echo", "hello"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("hello"));
    let said = world.cmdai(&["record", "--", "frobnicate", "--all"]);
    assert_eq!(said.code, 126, "{}", said.stdout);
    assert!(
        said.stdout.contains("Frobnicating is not done here"),
        "{}",
        said.stdout
    );
    assert!(!world.ran("frobnicate"));
    let spooled = world.home.spooled().unwrap();
    let states: Vec<String> = told(&spooled)
        .into_iter()
        .map(|(state, ..)| state)
        .collect();
    assert_eq!(states.iter().filter(|state| *state == "ended").count(), 2);
    assert_eq!(recordings(&world).len(), 2);
}

#[test]
fn private_mode_and_a_recording_do_not_go_together() {
    let world = World::new();
    assert_eq!(world.cmdai(&["private", "on"]).code, 0);
    let said = world.cmdai(&["record", "--", "true"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("private mode is on"),
        "{}",
        said.stderr
    );
    assert_eq!(world.cmdai(&["private", "off"]).code, 0);
    let inside = world.with("CMDAI_RECORDING", "1");
    assert!(
        inside
            .cmdai(&["private", "on"])
            .stderr
            .contains("is recorded")
    );
    assert!(
        inside
            .cmdai(&["record"])
            .stderr
            .contains("recorded already")
    );
}

#[test]
fn what_is_no_recording_is_said() {
    let world = World::new();
    let file = world.home.path().join("x.cast");
    let play = |text: &str| {
        std::fs::write(&file, text).unwrap();
        world.cmdai(&["replay", &file.display().to_string()])
    };
    for text in ["", "hello\n", "{\"version\":1}\n", "\u{28}"] {
        let said = play(text);
        assert_eq!(said.code, 1, "{text:?}");
        assert!(said.stderr.contains("is no recording"), "{}", said.stderr);
    }
    // What another tool wrote, without compression; and one that was cut off.
    let whole = "{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"one\"]\n[0.2,\"i\",\"typed\"]\n[0.3,\"o\",\"two\"]\n";
    let said = play(whole);
    assert_eq!((said.code, said.stdout.as_str()), (0, "onetwo"));
    let said = play(&whole[..whole.len() - 6]);
    assert_eq!((said.code, said.stdout.as_str()), (1, "one"));
}
