use std::io::Write as _;

use cmdai_schema::record::Start;

use super::super::tests::Home;
use super::*;

/// A hook that holds its file.
struct Hook {
    file: File,
    session: &'static str,
    counter: u64,
}

impl Hook {
    fn of(home: &Home, session: &'static str) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(home.folder().join(format!("{session}.c1")))
            .unwrap();
        flock(&file, FlockOperation::NonBlockingLockShared).unwrap();
        Self {
            file,
            session,
            counter: 0,
        }
    }

    fn write(&mut self, half: Half) {
        self.counter += 1;
        let record = Record {
            session_id: self.session.into(),
            counter: self.counter,
            time_ms: crate::clock::now_ms(),
            mono_ns: 1,
            pid: std::process::id(),
            user: String::new(),
            script: None,
            half,
        };
        let line = record.to_line().unwrap();
        self.file.write_all(line.as_bytes()).unwrap();
    }

    /// A blocked command: it is told of at once.
    fn command(&mut self, id: &str) {
        let start = Start {
            command_id: id.into(),
            ..Start::default()
        };
        self.write(Half::Start(Box::new(start)));
    }
}

/// Commands, what is wrong, and causes of gaps.
fn told(drafts: &[Draft]) -> Vec<String> {
    let detail = |draft: &Draft, key: &str| draft.payload.detail.get(key).cloned();
    drafts
        .iter()
        .filter_map(|draft| match draft.kind {
            EventType::Tamper => detail(draft, "what"),
            EventType::Gap => detail(draft, "cause"),
            _ => Some(draft.payload.command.as_ref()?.command_id.clone()),
        })
        .collect()
}

const READ_ON: &str = "a hook's spool was removed: what its session writes is read on";
const SWAPPED: &str =
    "a hook's spool was replaced by another file: what its session writes is read on";
const UNSAID: &str = "the session's spool was removed: its last records may be missing";

#[test]
fn what_a_session_writes_after_its_file_was_removed_is_read() {
    let mut home = Home::new();
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    assert_eq!(told(&home.round()), ["c1"]);
    hook.command("c2");
    std::fs::remove_file(home.folder().join("s.c1")).unwrap();
    hook.command("c3");
    assert_eq!(told(&home.round()), ["c2", "c3", READ_ON]);
    hook.command("c4");
    assert_eq!(told(&home.round()), ["c4"], "told once, and read");
    hook.write(Half::SessionEnd);
    drop(hook);
    home.round();
    assert_eq!(told(&home.round()), [""; 0]);
    assert!(home.note.files.is_empty() && home.tail.open.is_empty());

    // Without a word that it ended, something may be missing.
    let mut hook = Hook::of(&home, "t");
    hook.command("d1");
    home.round();
    std::fs::remove_file(home.folder().join("t.c1")).unwrap();
    assert_eq!(told(&home.round()), [READ_ON]);
    drop(hook);
    assert_eq!(told(&home.round()), [UNSAID]);
    assert!(home.note.files.is_empty() && home.tail.open.is_empty());
}

#[test]
fn a_file_that_stands_in_for_another_hides_nothing_of_it() {
    let mut home = Home::new();
    let path = home.folder().join("s.c1");
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    home.round();
    std::fs::write(home.folder().join("fake"), "").unwrap();
    std::fs::rename(home.folder().join("fake"), &path).unwrap();
    hook.command("c2");
    assert_eq!(told(&home.round()), ["c2", SWAPPED]);
    // What is in the other one is read too, and its numbers go on.
    let mut other = Hook::of(&home, "s");
    other.counter = 2;
    other.command("c3");
    hook.command("c4");
    let mut seen = told(&home.round());
    seen.sort();
    assert_eq!(seen, ["c3", "c4"]);
}

#[test]
fn under_another_name_it_is_not_read_twice() {
    let mut home = Home::new();
    let path = home.folder().join("s.c1");
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    home.round();
    std::fs::hard_link(&path, home.folder().join("t.c1")).unwrap();
    hook.command("c2");
    let seen = told(&home.round());
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen[0].contains("read already") && seen[1] == "c2",
        "{seen:?}"
    );
    // Taken away and brought back.
    std::fs::remove_file(home.folder().join("t.c1")).unwrap();
    std::fs::rename(&path, home.folder().join("aside")).unwrap();
    assert_eq!(told(&home.round()), [READ_ON]);
    std::fs::rename(home.folder().join("aside"), &path).unwrap();
    hook.command("c3");
    assert_eq!(told(&home.round()), ["c3"]);
    drop(hook);
    assert_eq!(told(&home.round()), [UNSAID]);
    for _ in 0..3 {
        assert_eq!(told(&home.round()), [""; 0]);
    }
}

#[test]
fn a_removal_that_could_not_be_sealed_is_told_again_and_nothing_is_read_twice() {
    let mut home = Home::new();
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    home.round();
    std::fs::remove_file(home.folder().join("s.c1")).unwrap();
    hook.command("c2");
    let note = home.note.clone();
    assert_eq!(told(&home.round()), ["c2", READ_ON]);
    home.note = note;
    hook.command("c3");
    assert_eq!(told(&home.round()), [READ_ON, "c2", "c3"]);
    assert_eq!(told(&home.round()), [""; 0]);
}

#[test]
fn after_a_restart_the_handle_is_found_with_the_process_that_wrote() {
    let mut home = Home::new();
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    home.round();
    std::fs::remove_file(home.folder().join("s.c1")).unwrap();
    home.restart();
    hook.command("c2");
    let seen = told(&home.round());
    assert!(seen[0].contains("while the sensor did not run: what its session writes"));
    assert_eq!(seen[1..], ["c2"]);
    home.restart();
    hook.command("c3");
    assert_eq!(told(&home.round()), ["c3"]);
    // Nobody holds it: what came after is a gap.
    home.restart();
    drop(hook);
    assert_eq!(told(&home.round()), [UNSAID]);
    assert!(home.note.files.is_empty());
}

#[test]
fn what_was_cut_off_is_told_and_what_comes_after_is_read() {
    let mut home = Home::new();
    let mut hook = Hook::of(&home, "s");
    hook.command("c1");
    hook.command("c2");
    home.round();
    // Cut before it could be read.
    hook.command("c3");
    hook.file.set_len(0).unwrap();
    assert_eq!(told(&home.round()), ["a hook's spool was cut"]);
    hook.command("c4");
    assert_eq!(told(&home.round()), ["records are missing", "c4"]);
    // Cut, and grown past what was read before anybody looked.
    hook.command("c5");
    hook.file.set_len(0).unwrap();
    for number in 6..40 {
        hook.command(&format!("c{number}"));
    }
    let seen = told(&home.round());
    assert!(seen.iter().any(|said| said.contains("missing")), "{seen:?}");
    assert_eq!(seen.last().unwrap(), "c39", "{seen:?}");
}
