use cmdai_schema::record::ScriptRun;
use cmdai_schema::{ApprovalInfo, CommandInfo};

use super::super::tests::{Home, NOBODY};
use super::*;

/// A script that a shell runs, as its hook writes it.
struct Script<'a> {
    session: &'a str,
    name: &'a str,
    pid: u32,
    seen: u64,
}

impl<'a> Script<'a> {
    /// In a process that lives.
    fn new(session: &'a str, name: &'a str) -> Self {
        Self {
            session,
            name,
            pid: std::process::id(),
            seen: 0,
        }
    }

    fn write(&self, home: &Home, half: Half) {
        let path = home.folder().join(format!("{}.c1", self.session));
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let record = Record {
            session_id: self.session.to_owned(),
            counter: written.lines().count() as u64 + 1,
            time_ms: crate::clock::now_ms(),
            mono_ns: 1,
            pid: self.pid,
            user: String::new(),
            script: Some(ScriptRun {
                name: self.name.to_owned(),
                seen: self.seen,
            }),
            half,
        };
        home.append(self.session, &record.to_line().unwrap());
    }

    fn begin(&mut self, home: &Home) {
        self.seen += 1;
        self.write(
            home,
            Half::SessionStart {
                shell: "bash 5.2".into(),
                origin: cmdai_schema::Origin::default(),
            },
        );
        self.seen -= 1;
    }

    fn start(&mut self, home: &Home, start: Start) {
        self.seen += 1;
        self.write(home, Half::Start(Box::new(start)));
    }

    fn end(&self, home: &Home, id: &str, exit_code: i32) {
        let half = Half::End {
            command_id: id.into(),
            exit_code,
            duration_us: 1_000,
        };
        self.write(home, half);
    }

    fn calm(&mut self, home: &Home, id: &str, text: &str) {
        self.start(home, calm(id, text));
        self.end(home, id, 0);
    }

    fn leave(&self, home: &Home) {
        self.write(home, Half::SessionEnd);
    }
}

fn calm(id: &str, text: &str) -> Start {
    Start {
        command_id: id.into(),
        text: text.into(),
        programs: vec![text.split(' ').next().unwrap().into()],
        effects: vec!["write".into()],
        allowed: true,
        ..Start::default()
    }
}

fn command(draft: &Draft) -> &CommandInfo {
    draft.payload.command.as_ref().unwrap()
}

fn detail<'a>(draft: &'a Draft, key: &str) -> &'a str {
    draft.payload.detail.get(key).map_or("", String::as_str)
}

/// Every record is read, and nothing was missed.
fn rest(home: &mut Home) -> Vec<Draft> {
    let mut drafts = home.round();
    for _ in 0..3 {
        drafts.extend(home.round());
    }
    assert!(drafts.iter().all(|draft| draft.kind != EventType::Gap));
    drafts
}

#[test]
fn a_script_of_481_commands_is_one_event_with_the_count() {
    let mut home = Home::new();
    let mut script = Script::new("s", "./shim");
    script.begin(&home);
    for number in 0..30 {
        let id = format!("c{number}");
        script.start(&home, calm(&id, &format!("mkdir d{number}")));
        script.end(&home, &id, i32::from(number == 7));
    }
    // The others ran in functions and loops.
    script.seen = 481;
    script.leave(&home);
    let drafts = rest(&mut home);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    let all = &drafts[0];
    assert_eq!(all.kind, EventType::CommandExecuted);
    assert_eq!(command(all).times, Some(481));
    assert!(command(all).text.starts_with("mkdir d0\nmkdir d1\n"));
    assert_eq!(command(all).programs, ["mkdir"]);
    for (key, value) in [
        ("script", "./shim"),
        ("commands", "481"),
        ("records", "30"),
        ("programs", "mkdir 30"),
        ("failed", "1"),
        ("counters", "2-62"),
        ("run", "ended"),
    ] {
        assert_eq!(detail(all, key), value, "{key}");
    }
    assert!(!detail(all, "last").is_empty());
}

#[test]
fn one_command_stays_the_event_that_it_was() {
    let mut home = Home::new();
    let mut script = Script::new("s", "bash -c");
    script.begin(&home);
    script.calm(&home, "c", "make all");
    script.leave(&home);
    let drafts = rest(&mut home);
    assert_eq!(drafts.len(), 1);
    assert_eq!(command(&drafts[0]).text, "make all");
    assert_eq!(command(&drafts[0]).times, None);
    let execution = drafts[0].payload.execution.as_ref().unwrap();
    assert_eq!(execution.exit_code, Some(0));
    assert_eq!(detail(&drafts[0], "script"), "bash -c");
}

/// Makes a calm command one that is told by itself.
type Change = fn(&mut Start);

#[test]
fn whatever_a_rule_noticed_keeps_its_own_event() {
    let noticed: &[(&str, Change)] = &[
        ("denied", |start| start.allowed = false),
        ("warned", |start| start.policy.decision = Decision::Warn),
        ("approved", |start| {
            start.approval = Some(ApprovalInfo::default())
        }),
        ("risky", |start| start.policy.risk_level = Risk::Moderate),
        ("ruled", |start| {
            start.policy.violated_rules = vec!["r".into()]
        }),
        ("monitored", |start| {
            start.policy.monitored = Some(Decision::Deny)
        }),
        ("sends", |start| start.effects.push("upload".into())),
        ("secret", |start| start.effects.push("read-secret".into())),
        ("wide", |start| start.cwd = "/x".repeat(3_000)),
        ("long", |start| start.text = "x".repeat(MAX_TEXT + 1)),
    ];
    for (name, change) in noticed {
        let mut home = Home::new();
        let mut script = Script::new("s", "x.sh");
        script.begin(&home);
        script.calm(&home, "c1", "mkdir a");
        script.calm(&home, "c2", "mkdir b");
        let mut own = calm("own", "dangerous line");
        change(&mut own);
        script.start(&home, own);
        if *name != "denied" {
            script.end(&home, "own", 0);
        }
        script.calm(&home, "c3", "mkdir c");
        script.leave(&home);
        let drafts = rest(&mut home);
        assert_eq!(drafts.len(), 2, "{name}: {drafts:?}");
        assert_eq!(command(&drafts[0]).command_id, "own", "{name}");
        assert_eq!(command(&drafts[0]).times, None);
        assert_eq!(detail(&drafts[1], "commands"), "3", "{name}");
        // What it does not cover are the session's beginning and the event above.
        let expected = if *name == "denied" {
            "2-5,7-9"
        } else {
            "2-5,8-10"
        };
        assert_eq!(detail(&drafts[1], "counters"), expected, "{name}");
    }
}

#[test]
fn scripts_that_call_or_run_beside_each_other_are_told_one_by_one() {
    let mut home = Home::new();
    let mut outer = Script::new("s", "outer.sh");
    outer.begin(&home);
    outer.start(&home, calm("o1", "./inner.sh"));
    let mut inner = Script::new("s", "inner.sh");
    inner.pid = 1;
    inner.begin(&home);
    let mut other = Script::new("t", "other.sh");
    other.begin(&home);
    for number in 0..5 {
        inner.calm(&home, &format!("i{number}"), "touch x");
        other.calm(&home, &format!("p{number}"), "touch y");
    }
    inner.leave(&home);
    outer.end(&home, "o1", 0);
    outer.calm(&home, "o2", "rm -rf build");
    outer.leave(&home);
    other.leave(&home);
    let mut drafts = rest(&mut home);
    drafts.sort_by_key(|draft| detail(draft, "script").to_owned());
    let told: Vec<_> = drafts
        .iter()
        .map(|draft| {
            (
                detail(draft, "script"),
                command(draft).times,
                detail(draft, "counters"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("inner.sh", Some(5), "4-14"),
            ("other.sh", Some(5), "2-12"),
            ("outer.sh", Some(2), "2,15-18"),
        ]
    );
}

#[test]
fn a_killed_script_loses_nothing_that_was_written() {
    let mut home = Home::new();
    let mut script = Script::new("s", "x.sh");
    script.pid = NOBODY;
    script.begin(&home);
    script.calm(&home, "c1", "mkdir a");
    script.start(&home, calm("c2", "sleep 100"));
    assert!(rest(&mut home).is_empty(), "not at once");
    let file = home.note.files.values_mut().next().unwrap();
    file.rolls[0].news_ms -= GONE_MS;
    let drafts = rest(&mut home);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert_eq!(detail(&drafts[0], "run"), "killed or replaced");
    assert_eq!(detail(&drafts[0], "counters"), "2-4");
    assert!(home.note.files.values().all(|file| file.rolls.is_empty()));
}

#[test]
fn a_long_run_is_told_in_parts_and_a_long_command_has_its_end() {
    let mut home = Home::new();
    let mut script = Script::new("s", "x.sh");
    script.begin(&home);
    script.calm(&home, "c1", "mkdir a");
    script.start(&home, calm("c2", "make world"));
    assert!(rest(&mut home).is_empty());
    let age = |home: &mut Home| {
        let file = home.note.files.values_mut().next().unwrap();
        file.rolls[0].opened_ms -= PART_MS;
    };
    age(&mut home);
    let first = rest(&mut home);
    assert_eq!(first.len(), 1);
    assert_eq!(
        (detail(&first[0], "run"), detail(&first[0], "counters")),
        ("goes on", "2-4")
    );
    script.end(&home, "c2", 2);
    let ended = rest(&mut home);
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0].kind, EventType::CommandCompleted);
    assert_eq!(command(&ended[0]).text, "make world");
    assert_eq!(
        ended[0].payload.execution.as_ref().unwrap().exit_code,
        Some(2)
    );
    // What ran in functions since is in the last part, though no command of it has a record.
    script.seen = 100;
    script.leave(&home);
    let last = rest(&mut home);
    assert_eq!(last.len(), 1, "{last:?}");
    assert_eq!(
        (detail(&last[0], "part"), detail(&last[0], "commands")),
        ("2", "98")
    );
    assert_eq!(
        (detail(&last[0], "records"), detail(&last[0], "counters")),
        ("0", "6")
    );
}

#[test]
fn a_new_start_of_the_sensor_in_the_middle_tells_everything_once() {
    let mut home = Home::new();
    let mut script = Script::new("s", "x.sh");
    script.begin(&home);
    for number in 0..10 {
        script.calm(&home, &format!("a{number}"), "mkdir a");
    }
    home.round();
    // Sealed with some other event: the note as it stands on the disk.
    let sealed = serde_json::to_string(&home.note).unwrap();
    for number in 0..10 {
        script.calm(&home, &format!("b{number}"), "mkdir b");
    }
    home.round();
    // A crash: what was only in memory is gone.
    home.note = serde_json::from_str(&sealed).unwrap();
    home.tail = super::super::Tail::new(home.folder().parent().unwrap());
    script.leave(&home);
    let drafts = rest(&mut home);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert_eq!(detail(&drafts[0], "commands"), "20");
    assert_eq!(detail(&drafts[0], "counters"), "2-42");
}

#[test]
fn a_script_that_replaces_itself_is_two_runs() {
    let mut home = Home::new();
    let mut shim = Script::new("s", "shim");
    shim.begin(&home);
    shim.calm(&home, "c1", "mkdir a");
    shim.start(&home, calm("c2", "exec ./real"));
    let mut real = Script::new("s", "real");
    real.begin(&home);
    real.calm(&home, "c3", "mkdir b");
    real.calm(&home, "c4", "mkdir c");
    real.leave(&home);
    let drafts = rest(&mut home);
    let told: Vec<_> = drafts
        .iter()
        .map(|draft| {
            (
                detail(draft, "script"),
                detail(draft, "run"),
                command(draft).times,
            )
        })
        .collect();
    assert_eq!(
        told,
        [("shim", "replaced", Some(2)), ("real", "ended", Some(2))]
    );
}

#[test]
fn books_are_bounded_and_a_removed_file_takes_nothing_along() {
    let mut home = Home::new();
    for number in 0..MAX_RUNS + 40 {
        let session = format!("s{}", number / RUNS);
        let name = format!("x{number}.sh");
        let mut script = Script::new(&session, &name);
        script.pid = 1_000_000 + u32::try_from(number).unwrap();
        script.begin(&home);
        for one in 0..3 {
            script.calm(
                &home,
                &format!("c{number}-{one}"),
                &format!("p{one} {}", "y".repeat(1_000)),
            );
        }
    }
    let mut drafts = Vec::new();
    for _ in 0..12 {
        drafts.extend(home.round());
    }
    let open: usize = home.note.files.values().map(|file| file.rolls.len()).sum();
    assert!(open <= MAX_RUNS, "{open}");
    let note = serde_json::to_string(&home.note).unwrap().len();
    assert!(note < MAX_RUNS * 6_000, "{note}");
    for file in std::fs::read_dir(home.folder()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    for _ in 0..12 {
        drafts.extend(home.round());
    }
    let commands: u64 = drafts
        .iter()
        .filter_map(|draft| draft.payload.command.as_ref())
        .map(|command| command.times.unwrap_or(1))
        .sum();
    // Those beyond the bound have an event each and, held back for their end, none here twice.
    assert_eq!(commands, 3 * (MAX_RUNS as u64 + 40));
}
