use std::io::Write as _;
use std::path::PathBuf;

use cmdai_schema::record::Start;

use super::*;

pub(super) struct Home {
    dir: tempfile::TempDir,
    pub(super) note: Note,
    pub(super) tail: Tail,
}

impl Home {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tail = Tail::new(dir.path());
        let home = Self {
            dir,
            note: Note::default(),
            tail,
        };
        std::fs::create_dir(home.folder()).unwrap();
        home
    }

    pub(super) fn folder(&self) -> PathBuf {
        let uid = rustix::process::getuid().as_raw();
        self.dir.path().join(uid.to_string())
    }

    /// The sensor ends and begins.
    pub(super) fn restart(&mut self) {
        self.tail = Tail::new(self.dir.path());
    }

    pub(super) fn append(&self, session: &str, text: &str) {
        let path = self.folder().join(format!("{session}.c1"));
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn round(&mut self) -> Vec<Draft> {
        self.tail.listed = None;
        self.tail.round(&mut self.note, &|uid| UserRef {
            uid: Some(uid),
            ..UserRef::default()
        })
    }
}

fn line(counter: u64, half: Half) -> String {
    let record = Record {
        session_id: "s".into(),
        counter,
        time_ms: 1_000,
        mono_ns: 1,
        pid: 1,
        user: String::new(),
        script: None,
        half,
    };
    record.to_line().unwrap()
}

fn start(counter: u64, id: &str, allowed: bool) -> String {
    let start = Start {
        command_id: id.into(),
        allowed,
        ..Start::default()
    };
    line(counter, Half::Start(Box::new(start)))
}

fn causes(drafts: &[Draft], key: &str, wanted: &str) -> usize {
    drafts
        .iter()
        .filter(|draft| {
            draft
                .payload
                .detail
                .get(key)
                .is_some_and(|text| text.contains(wanted))
        })
        .count()
}

#[test]
fn the_last_counter_of_all_is_no_end_of_the_sensor() {
    let mut home = Home::new();
    home.append("s", &start(u64::MAX, "c", false));
    home.round();
    home.append("s", &"x".repeat(MAX_LINE + 1));
    assert_eq!(causes(&home.round(), "cause", "longer than any record"), 1);
    home.append("s", &start(u64::MAX, "d", false));
    home.round();
}

#[test]
fn a_thousand_starts_for_one_end_leave_a_small_note() {
    let mut home = Home::new();
    let mut text: String = (1..=1_000)
        .map(|counter| start(counter, "same", true))
        .collect();
    let end = Half::End {
        command_id: "same".into(),
        exit_code: 0,
        duration_us: 1,
    };
    text.push_str(&line(1_001, end));
    home.append("s", &text);
    let file = format!("{}/s.c1", rustix::process::getuid().as_raw());
    for _ in 0..5 {
        home.round();
        assert!(home.note.files[&file].joined.len() <= MAX_JOINED);
    }
    let long = "i".repeat(MAX_COMMAND_ID + 1);
    let end = Half::End {
        command_id: long.clone(),
        exit_code: 0,
        duration_us: 1,
    };
    home.append("t", &(start(1, &long, true) + &line(2, end)));
    home.round();
    let file = format!("{}/t.c1", rustix::process::getuid().as_raw());
    assert!(home.note.files[&file].joined.is_empty());
}

#[test]
fn a_session_that_floods_does_not_silence_another() {
    let mut home = Home::new();
    let flood: String = (1..=3_000)
        .map(|counter| start(counter, &format!("f{counter}"), false))
        .collect();
    home.append("a", &flood);
    home.append("b", &start(1, "quiet", false));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let drafts = home.round();
        assert!(drafts.len() <= ROUND_OF_ONE, "{}", drafts.len());
        seen.extend(drafts);
    }
    let quiet = seen
        .iter()
        .filter_map(|draft| draft.payload.command.as_ref());
    assert_eq!(
        quiet
            .filter(|command| command.command_id == "quiet")
            .count(),
        1
    );
}

#[test]
fn more_files_than_are_read_are_told_and_hide_nothing_known() {
    let mut home = Home::new();
    home.append("zz", &start(1, "first", false));
    assert_eq!(home.round().len(), 1);
    for number in 0..=MAX_FILES {
        home.append(&format!("a{number}"), "");
    }
    assert_eq!(causes(&home.round(), "what", "the others are not read"), 1);
    home.append("zz", &start(2, "second", false));
    let mut drafts = Vec::new();
    // Each round begins at another file; all are empty but one.
    drafts.extend(home.round());
    assert_eq!(causes(&drafts, "what", "removed"), 0);
    let ids = drafts
        .iter()
        .filter_map(|draft| draft.payload.command.as_ref());
    assert_eq!(
        ids.filter(|command| command.command_id == "second").count(),
        1
    );
    assert_eq!(
        causes(&home.round(), "what", "the others are not read"),
        0,
        "told once"
    );
}

#[test]
fn a_round_that_cannot_be_sealed_is_tried_in_smaller_ones() {
    let mut home = Home::new();
    let text: String = (1..=300)
        .map(|counter| start(counter, &format!("c{counter}"), false))
        .collect();
    home.append("a", &text);
    let note = home.note.clone();
    let mut made = home.round().len();
    for _ in 0..10 {
        home.tail.sealed(false);
        home.note = note.clone();
        let fewer = home.round().len();
        assert!(fewer <= made);
        made = fewer;
    }
    assert_eq!(made, 1);
    for _ in 0..20 {
        home.tail.sealed(true);
        made += home.round().len();
    }
    assert_eq!(made, 300, "nothing is lost or doubled");
}

#[test]
fn who_is_held_back_is_told_of_once_and_read_again_later() {
    let mut home = Home::new();
    let uid = rustix::process::getuid().as_raw();
    home.append("s", &start(1, "c1", false));
    let user = |uid| UserRef {
        uid: Some(uid),
        ..UserRef::default()
    };
    // Somebody else's share is theirs alone.
    home.tail.hold_back(&BTreeSet::from([uid + 1]), &user);
    let back = BTreeSet::from([uid]);
    let told = home.tail.hold_back(&back, &user);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].payload.user.uid, Some(uid));
    // What could not be sealed is told again.
    home.tail.sealed(false);
    assert_eq!(home.tail.hold_back(&back, &user).len(), 1);
    home.tail.sealed(true);
    assert!(home.tail.hold_back(&back, &user).is_empty());
    assert!(home.round().is_empty());
    assert!(home.tail.hold_back(&BTreeSet::new(), &user).is_empty());
    let drafts = home.round();
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].kind, EventType::CommandBlocked);
}

/// The session's file said nothing for so long.
fn age(home: &Home, session: &str, seconds: u64) {
    let path = home.folder().join(format!("{session}.c1"));
    let file = File::options().append(true).open(path).unwrap();
    let then = std::time::SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(then).unwrap();
}

/// A number that no process has.
pub(super) const NOBODY: u32 = 0x3fff_fffe;

fn of(pid: u32, counter: u64, half: Half) -> String {
    let record = Record {
        session_id: "s".into(),
        counter,
        time_ms: 1_000,
        mono_ns: 1,
        pid,
        user: String::new(),
        script: None,
        half,
    };
    record.to_line().unwrap()
}

fn begun() -> Half {
    Half::SessionStart {
        shell: "bash 5.2".into(),
        origin: cmdai_schema::Origin::default(),
    }
}

#[test]
fn an_ended_session_s_file_goes_once_nobody_can_write_to_it() {
    let mut home = Home::new();
    let path = home.folder().join("s.c1");
    home.append("s", &of(NOBODY, 1, begun()));
    // A script inside ends; the one outside goes on, and holds the file.
    home.append("s", &of(NOBODY - 1, 2, begun()));
    home.append("s", &of(NOBODY - 1, 3, Half::SessionEnd));
    let outside = File::options().append(true).open(&path).unwrap();
    flock(&outside, FlockOperation::LockShared).unwrap();
    home.round();
    age(&home, "s", 3_000);
    home.round();
    assert!(path.exists(), "somebody holds it");
    home.append("s", &start(4, "later", false));
    assert_eq!(home.round().len(), 1, "what comes later is read");
    home.append("s", &of(NOBODY, 5, Half::SessionEnd));
    home.round();
    drop(outside);
    age(&home, "s", 30);
    home.round();
    assert!(path.exists(), "not yet");
    age(&home, "s", 61);
    home.round();
    assert!(!path.exists());
    assert!(home.round().is_empty(), "that is no tampering");
    assert!(home.note.files.is_empty());
    // It comes back: several wrote to it, so its numbers go on.
    home.append("s", &start(6, "again", false));
    let drafts = home.round();
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert!(home.note.past.is_empty());
}

#[test]
fn a_session_that_was_killed_is_told_of_and_its_file_goes() {
    let mut home = Home::new();
    let path = home.folder().join("s.c1");
    home.append("s", &of(NOBODY, 1, begun()));
    let start = Start {
        command_id: "c".into(),
        ..Start::default()
    };
    home.append("s", &of(NOBODY, 2, Half::Start(Box::new(start))));
    assert_eq!(home.round().len(), 1);
    age(&home, "s", 3_000);
    assert!(home.round().is_empty());
    age(&home, "s", 3_700);
    let drafts = home.round();
    assert_eq!(causes(&drafts, "cause", "ended without saying so"), 1);
    assert!(path.exists(), "not before that is sealed");
    assert!(home.round().is_empty());
    assert!(!path.exists());
    assert!(home.round().is_empty());
    // One that lives stays, however quiet it is.
    home.append("t", &of(std::process::id(), 1, begun()));
    home.round();
    age(&home, "t", 90_000);
    assert!(home.round().is_empty());
    assert!(home.folder().join("t.c1").exists());
}

#[test]
fn more_runs_than_files_are_read_take_no_place_from_new_ones() {
    let mut home = Home::new();
    for number in 0..MAX_FILES + 200 {
        let session = format!("run-{number:05}");
        let start = Start {
            command_id: format!("c{number}"),
            allowed: false,
            ..Start::default()
        };
        home.append(&session, &of(NOBODY, 1, Half::Start(Box::new(start))));
        home.append(&session, &of(NOBODY, 2, Half::SessionEnd));
        age(&home, &session, 61);
    }
    let mut drafts = Vec::new();
    for _ in 0..40 {
        drafts.extend(home.round());
    }
    let commands = drafts
        .iter()
        .filter(|draft| draft.kind == EventType::CommandBlocked)
        .count();
    assert_eq!(commands, MAX_FILES + 200);
    assert_eq!(std::fs::read_dir(home.folder()).unwrap().count(), 0);
}

#[test]
fn a_whole_record_behind_a_cut_one_is_read() {
    let mut home = Home::new();
    home.append("s", &start(1, "c1", false));
    let cut = start(2, "c2", false);
    home.append("s", &cut[..cut.len() / 2]);
    home.append("s", &start(3, "c3", false));
    home.append("s", &start(4, "c4", false));
    let drafts = home.round();
    let kinds: Vec<EventType> = drafts.iter().map(|draft| draft.kind).collect();
    let blocked = EventType::CommandBlocked;
    assert_eq!(kinds, [blocked, EventType::Gap, blocked, blocked]);
    let gap = &drafts[1].payload.detail;
    assert_eq!((gap["from"].as_str(), gap["to"].as_str()), ("2", "2"));
    // What was cut last of all is told when nobody will write its rest.
    home.append("t", &of(NOBODY, 1, begun()));
    home.append("t", "C1 0000");
    assert!(home.round().is_empty());
    age(&home, "t", 3_700);
    assert_eq!(causes(&home.round(), "cause", "was cut"), 1);
    age(&home, "t", 3_700);
    assert_eq!(causes(&home.round(), "cause", "without saying so"), 1);
    // It comes back: its numbers go on.
    home.round();
    home.append("t", &start(3, "back", false));
    assert_eq!(home.round().len(), 1);
    // A line of nothing but beginnings is one gap, soon found.
    home.append("s", &format!("{}\n", "C1 ".repeat(80_000)));
    assert_eq!(home.round().len(), 1);
}
