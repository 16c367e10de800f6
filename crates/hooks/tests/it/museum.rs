//! `docs/bypasses.md`: ways around that nothing sees, as they are, and that every row's test is there.

use std::path::{Path, PathBuf};

use cmdai_schema::record::{Half, Record};
use cmdai_testkit::Home;

use crate::support::{POLICY, bash, home};

fn texts(home: &Home) -> Vec<String> {
    let records = home.records().unwrap().into_iter();
    records
        .filter_map(|record| match record.half {
            Half::Start(start) => Some(start.text),
            _ => None,
        })
        .collect()
}

#[test]
fn a_shell_without_hooks_writes_unseen() {
    let home = home("", "");
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    shell.send_line("PS1='BARE> ' bash --norc").unwrap();
    shell.wait_for("BARE> ").unwrap();
    shell.wait_for("BARE> ").unwrap();
    shell.send_line("echo unseen > ~/written").unwrap();
    shell.wait_for("BARE> ").unwrap();
    shell.send_line("exit").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(home.path().join("written").exists());
    let texts = texts(&home);
    assert!(
        texts.iter().any(|text| text.contains("bash --norc")),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.contains("unseen")),
        "{texts:?}"
    );
}

#[test]
fn what_a_program_does_by_itself_is_unseen() {
    let home = home("", "");
    home.policy(POLICY).unwrap();
    std::fs::write(home.path().join("kept"), "").unwrap();
    // Perl is there wherever Debian is.
    let script = "unlink \"$ENV{HOME}/kept\" or die; print \"done\\n\";";
    std::fs::write(home.path().join("work.pl"), script).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("perl ~/work.pl").unwrap();
    assert!(shown.contains("done"), "{shown}");
    assert!(!home.path().join("kept").exists());
    let records = home.records().unwrap();
    let start = records.iter().find_map(|record| match &record.half {
        Half::Start(start) if start.text.contains("work.pl") => Some(start),
        _ => None,
    });
    let start = start.unwrap();
    assert!(start.allowed && !start.effects.iter().any(|effect| effect == "delete"));
}

#[test]
fn a_record_of_what_never_ran_is_taken_for_one() {
    let home = home("", "");
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    shell.run("true").unwrap();
    let records = home.records().unwrap();
    let seen = records.iter().find_map(|record| match &record.half {
        Half::Start(start) if start.text == "true" => Some((record, start)),
        _ => None,
    });
    let (record, start) = seen.unwrap();
    let mut start = start.clone();
    start.text = "never ran".to_owned();
    let forged = Record {
        counter: record.counter + 2,
        half: Half::Start(start),
        ..record.clone()
    };
    let history = home.state().join("history.c1");
    let mut text = std::fs::read_to_string(&history).unwrap();
    text.push_str(&forged.to_line().unwrap());
    std::fs::write(&history, text).unwrap();
    assert!(texts(&home).contains(&"never ran".to_owned()));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Tests that the page names: package, module, function.
fn named(page: &str) -> Vec<[String; 3]> {
    page.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| {
            let parts: Vec<&str> = code.split("::").collect();
            let [package, module, name] = parts.as_slice() else {
                return None;
            };
            Some([*package, *module, *name].map(str::to_owned))
        })
        .collect()
}

#[test]
fn every_row_has_its_test() {
    let page = std::fs::read_to_string(root().join("docs/bypasses.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    for row in rows.filter(|row| !row.starts_with("| way")) {
        assert!(!named(row).is_empty(), "no test: {row}");
    }
    for [package, module, name] in named(&page) {
        let file =
            |workspace: &str| root().join(format!("{workspace}/{package}/tests/it/{module}.rs"));
        let text = std::fs::read_to_string(file("crates"))
            .or_else(|_| std::fs::read_to_string(file("enterprise")));
        match text {
            Ok(text) => assert!(
                text.contains(&format!("#[test]\nfn {name}()"))
                    || text.contains(&format!("async fn {name}()")),
                "{package}::{module}::{name} is no test"
            ),
            // Community stands alone, too.
            Err(_) => assert!(
                !root().join("enterprise").exists(),
                "{package}::{module} is no file of tests"
            ),
        }
    }
}
