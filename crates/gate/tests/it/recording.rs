//! Records: both halves, counters, redaction, damage.

use cmdai_gate::{Recorder, SessionInfo, Verdict, history, short_id};
use cmdai_schema::record::{Half, Record};

use crate::support::{gate, govern, human, person, request};

fn session(id: &str) -> SessionInfo {
    SessionInfo {
        id: id.to_owned(),
        who: human(),
        ..SessionInfo::default()
    }
}

#[test]
fn both_halves_reach_spool_and_history_with_counters_and_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    let mut gate = gate(&person);
    let who = human();
    let mut recorder = Recorder::open(gate.installation(), &person, session("s/../1"));
    recorder.session_start("bash 5.2");
    let secret = "mysql -u root -pSup3rS3cret99 shop";
    let asked = request(secret, &who);
    let outcome = gate.judge(&asked);
    let start = recorder
        .start(
            &asked,
            &outcome,
            Verdict {
                allowed: true,
                ..Verdict::default()
            },
        )
        .clone();
    recorder.end(&start.command_id, 3, 1500);
    recorder.session_end();
    assert_eq!(recorder.problem(), None);

    let file = places.user_spool(person.uid).join("s----1.c1");
    let bytes = std::fs::read_to_string(&file).unwrap();
    assert!(!bytes.contains("Sup3rS"), "{bytes}");
    assert_eq!(
        bytes,
        std::fs::read_to_string(person.history_file()).unwrap()
    );
    let records: Vec<Record> = history::Reader::open(&file)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        records
            .iter()
            .map(|record| record.counter)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert!(matches!(&records[0].half, Half::SessionStart { shell, .. } if shell == "bash 5.2"));
    assert!(
        matches!(&records[1].half, Half::Start(found) if found.command_id == start.command_id && found.allowed)
    );
    assert!(matches!(records[3].half, Half::SessionEnd));

    let entry = history::find(&person, &short_id(&start.command_id)).unwrap();
    assert_eq!(entry.end, Some((3, 1500)));
    assert_eq!(history::find(&person, "ZZZZZ"), None);
}

#[test]
fn damage_is_told_and_the_line_in_progress_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let mut gate = gate(&person);
    let who = human();
    let mut recorder = Recorder::open(gate.installation(), &person, session("s"));
    for text in ["echo 1", "echo 2"] {
        let asked = request(text, &who);
        let outcome = gate.judge(&asked);
        recorder.start(
            &asked,
            &outcome,
            Verdict {
                allowed: true,
                ..Verdict::default()
            },
        );
    }
    let mut bytes = std::fs::read(person.history_file()).unwrap();
    let last = bytes.clone();
    bytes[40] ^= 1;
    bytes.extend(vec![b'x'; 600 * 1024]);
    bytes.push(b'\n');
    bytes.extend(&last[..last.len() - 5]);
    std::fs::write(person.history_file(), &bytes).unwrap();
    let (entries, damage) = history::entries(&person);
    assert_eq!(
        entries
            .iter()
            .map(|entry| entry.start.text.as_str())
            .collect::<Vec<_>>(),
        ["echo 2", "echo 1"]
    );
    assert_eq!(
        damage.iter().map(|found| found.line).collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn processes_share_the_counter_of_an_agents_session() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let gate = gate(&person);
    for _ in 0..3 {
        let mut recorder = Recorder::open(
            gate.installation(),
            &person,
            SessionInfo {
                shared: true,
                ..session("agent")
            },
        );
        recorder.session_start("claude-code");
    }
    let counters: Vec<u64> = history::Reader::open(&person.history_file())
        .unwrap()
        .map(|record| record.unwrap().counter)
        .collect();
    assert_eq!(counters, [1, 2, 3]);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_problem_and_not_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("state"),
        "a file where the folder should be",
    )
    .unwrap();
    let person = person(dir.path());
    let mut gate = gate(&person);
    let mut recorder = Recorder::open(gate.installation(), &person, session("s"));
    let who = human();
    let asked = request("echo 1", &who);
    let outcome = gate.judge(&asked);
    recorder.start(&asked, &outcome, Verdict::default());
    assert!(recorder.problem().is_some());
}

/// Reads nothing and answers nothing.
struct Nobody;

impl cmdai_gate::Voice for Nobody {
    fn say(&mut self, _: &str) {}
    fn confirm(&mut self) -> bool {
        false
    }
    fn view(&self) -> cmdai_gate::render::View<'static> {
        cmdai_gate::render::View {
            colour: false,
            width: 80,
            command_id: None,
            governed: false,
            can_answer: false,
            request_id: None,
        }
    }
}

#[test]
fn what_policy_keeps_private_is_not_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let mut gate = gate(&person);
    gate.use_policy(
        "version: \"1.0\"\nprivacy:\n  capture: metadata\n  never_record: [\"/srv/private\"]\n",
        "given.yaml",
    )
    .unwrap();
    let who = human();
    let mut recorder = Recorder::open(gate.installation(), &person, session("s"));
    for cwd in ["/srv/private/x", "/srv/open"] {
        let asked = cmdai_gate::Request {
            cwd,
            ..request("echo hello", &who)
        };
        let outcome = gate.judge(&asked);
        let settled = gate.settle(
            &asked,
            &outcome,
            &mut Nobody,
            &mut recorder,
            cmdai_gate::Manner::default(),
        );
        assert_eq!((settled.run, settled.recorded), (true, cwd == "/srv/open"));
    }
    let (entries, _) = history::entries(&person);
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (
            entries[0].start.text.as_str(),
            entries[0].start.programs.as_slice()
        ),
        ("", &["echo".to_owned()][..])
    );
}

#[test]
fn each_record_names_the_same_ancestors_and_those_of_another_only_where_they_were_given() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let mut gate = gate(&person);
    let who = human();
    let mut recorder = Recorder::open(gate.installation(), &person, session("s"));
    let own = recorder.parents().to_vec();
    let asked = request("echo 1", &who);
    let outcome = gate.judge(&asked);
    let given = vec![cmdai_schema::ProcessInfo {
        pid: 7,
        name: "make".to_owned(),
        exe: None,
    }];
    for parents in [
        None,
        None,
        Some(given.clone()),
        None,
        Some(Vec::new()),
        None,
    ] {
        let verdict = Verdict {
            parents: parents.clone(),
            ..Verdict::default()
        };
        let start = recorder.start(&asked, &outcome, verdict);
        assert_eq!(start.parents, parents.unwrap_or_else(|| own.clone()));
    }
    recorder = recorder.placed(given.clone(), None);
    let start = recorder.start(&asked, &outcome, Verdict::default());
    assert_eq!(start.parents, given);
}
