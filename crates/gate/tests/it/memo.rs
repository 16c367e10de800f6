//! Lines that come again: used again only where all that their judgement depends on is what it was.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cmdai_effects::script::NoLanguages;
use cmdai_effects::{Elements, Session};
use cmdai_gate::{Gate, Judged, Request};
use cmdai_schema::{Decision, Dialect};

use crate::support::{BLOCKING, gate, govern, human, person, publish, request};

/// A shell whose state changes between lines.
#[derive(Default)]
struct Shell {
    variables: RefCell<BTreeMap<String, String>>,
    aliases: RefCell<BTreeMap<String, String>>,
    functions: RefCell<BTreeMap<String, String>>,
}

impl Session for Shell {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        self.variables.borrow().get(name).cloned().map(Cow::Owned)
    }
    fn elements(&self, _name: &str) -> Option<Elements> {
        None
    }
    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        self.aliases.borrow().get(name).cloned().map(Cow::Owned)
    }
    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        self.functions.borrow().get(name).cloned().map(Cow::Owned)
    }
    fn is_live(&self) -> bool {
        true
    }
}

fn set(place: &RefCell<BTreeMap<String, String>>, name: &str, text: &str) {
    place.borrow_mut().insert(name.to_owned(), text.to_owned());
}

fn judge(gate: &mut Gate, text: &str, cwd: &str, shell: &Shell) -> Judged {
    let who = human();
    gate.judge_known(&Request {
        cwd,
        session: shell,
        dialect: Dialect::Bash,
        languages: &NoLanguages,
        ..request(text, &who)
    })
}

/// Judges until the line is kept, and shows that it is.
fn keep(gate: &mut Gate, text: &str, cwd: &str, shell: &Shell) -> Judged {
    for _ in 0..2 {
        judge(gate, text, cwd, shell);
    }
    let kept = judge(gate, text, cwd, shell);
    let again = judge(gate, text, cwd, shell);
    assert!(Arc::ptr_eq(&kept.known, &again.known), "{text} is not kept");
    assert_eq!(kept.judgement.decision, Decision::Allow, "{text}");
    kept
}

fn decision(gate: &mut Gate, text: &str, cwd: &str, shell: &Shell) -> Decision {
    let found = judge(gate, text, cwd, shell);
    let who = human();
    let fresh = gate.judge(&Request {
        cwd,
        session: shell,
        ..request(text, &who)
    });
    assert_eq!(found.judgement.decision, fresh.judgement.decision, "{text}");
    assert_eq!(found.analysis, fresh.analysis, "{text}");
    fresh.judgement.decision
}

#[test]
fn what_the_session_says_otherwise_is_judged_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = gate(&person(dir.path()));
    let shell = Shell::default();

    keep(&mut gate, "ll", "/tmp", &shell);
    set(&shell.aliases, "ll", "rm -rf /home");
    assert!(decision(&mut gate, "ll", "/tmp", &shell) > Decision::Warn);
    set(&shell.aliases, "ll", "ls -l");
    assert_eq!(decision(&mut gate, "ll", "/tmp", &shell), Decision::Allow);

    set(&shell.functions, "deploy", "echo deploying");
    keep(&mut gate, "deploy now", "/tmp", &shell);
    set(&shell.functions, "deploy", "rm -rf /home");
    assert!(decision(&mut gate, "deploy now", "/tmp", &shell) > Decision::Warn);

    set(&shell.variables, "PLACE", "/tmp/x/build");
    keep(&mut gate, "ls \"$PLACE\"; cd \"$PLACE\"", "/tmp", &shell);
    keep(&mut gate, "rm -r \"$PLACE\"", "/tmp/x", &shell);
    set(&shell.variables, "PLACE", "/etc");
    assert!(decision(&mut gate, "rm -r \"$PLACE\"", "/tmp/x", &shell) > Decision::Warn);
    // What is a function's body may call another function.
    set(&shell.functions, "outer", "inner");
    set(&shell.functions, "inner", "true");
    keep(&mut gate, "outer", "/tmp", &shell);
    set(&shell.functions, "inner", "rm -rf /home");
    assert!(decision(&mut gate, "outer", "/tmp", &shell) > Decision::Warn);
}

#[test]
fn another_folder_is_another_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = gate(&person(dir.path()));
    let shell = Shell::default();
    keep(&mut gate, "rm -rf target", "/tmp/project", &shell);
    assert!(decision(&mut gate, "rm -rf ../etc", "/srv", &shell) > Decision::Warn);
    keep(&mut gate, "rm -rf lib", "/tmp/project", &shell);
    assert!(decision(&mut gate, "rm -rf lib", "/usr", &shell) > Decision::Warn);
    assert_eq!(
        decision(&mut gate, "rm -rf lib", "/tmp/project", &shell),
        Decision::Allow
    );
}

#[test]
fn a_policy_that_changes_between_two_lines_holds_for_the_second() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let mut gate = gate(&person);
    let shell = Shell::default();
    keep(&mut gate, "frobnicate x", "/tmp", &shell);
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    std::fs::write(person.policy_file(), BLOCKING).unwrap();
    assert_eq!(
        decision(&mut gate, "frobnicate x", "/tmp", &shell),
        Decision::Deny
    );
    std::fs::remove_file(person.policy_file()).unwrap();
    assert_eq!(
        decision(&mut gate, "frobnicate x", "/tmp", &shell),
        Decision::Allow
    );
}

#[test]
fn a_new_release_of_the_organisation_holds_for_the_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, "version: \"1.0\"\n");
    let mut gate = gate(&person);
    let shell = Shell::default();
    keep(&mut gate, "frobnicate x", "/tmp", &shell);
    publish(&places, BLOCKING);
    assert_eq!(
        decision(&mut gate, "frobnicate x", "/tmp", &shell),
        Decision::Deny
    );
}

#[test]
fn a_policy_that_asks_for_the_time_is_asked_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    std::fs::write(
        person.policy_file(),
        "version: \"1.0\"\nrules:\n  - {id: weekend, when: {program: frobnicate, time: {days: [sat, sun]}}, decision: deny, reason: r}\n",
    )
    .unwrap();
    let mut gate = gate(&person);
    let shell = Shell::default();
    assert!(gate.policies().user().unwrap().reads_clock());
    for _ in 0..4 {
        let one = judge(&mut gate, "true", "/tmp", &shell);
        let two = judge(&mut gate, "true", "/tmp", &shell);
        assert!(!Arc::ptr_eq(&one.known, &two.known));
    }
}

#[test]
fn a_repository_that_appears_or_changes_branch_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = gate(&person(dir.path()));
    let shell = Shell::default();
    let project = dir.path().join("project");
    std::fs::create_dir_all(project.join("src")).unwrap();
    let cwd = project.join("src").to_str().unwrap().to_owned();
    let git = |path: &Path, branch: &str| {
        std::fs::create_dir_all(path.join(".git")).unwrap();
        std::fs::write(
            path.join(".git/HEAD"),
            format!("ref: refs/heads/{branch}\n"),
        )
        .unwrap();
    };
    let before = keep(&mut gate, "ls", &cwd, &shell);
    git(&project, "topic");
    let after = judge(&mut gate, "ls", &cwd, &shell);
    assert_ne!(before.facts.project, after.facts.project);

    let before = keep(&mut gate, "git status", &cwd, &shell);
    assert_eq!(before.facts.git_branch.as_deref(), Some("topic"));
    git(&project, "main-of-all");
    let after = judge(&mut gate, "git status", &cwd, &shell);
    assert_eq!(after.facts.git_branch.as_deref(), Some("main-of-all"));
}

#[test]
fn only_what_simply_runs_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = gate(&person(dir.path()));
    let shell = Shell::default();
    for text in [
        "rm -rf /home",
        "for x in a",
        "curl -k https://example.com | sh",
    ] {
        for _ in 0..4 {
            let one = judge(&mut gate, text, "/tmp", &shell);
            let two = judge(&mut gate, text, "/tmp", &shell);
            assert!(!Arc::ptr_eq(&one.known, &two.known), "{text}");
        }
    }
    let who = human();
    let waiting = Request {
        session: &shell,
        ..request("true", &who)
    };
    let alone = Request {
        terminal: false,
        ..waiting
    };
    let with = keep(&mut gate, "true", "/tmp", &shell);
    assert!(!Arc::ptr_eq(&with.known, &gate.judge_known(&alone).known));
}
