//! Tampered and rolled-back policy, tampered evidence: each refused, each shown.

use std::path::Path;
use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, Shell, eventually};

fn policy(reason: &str) -> String {
    format!(
        "version: \"1.0\"\norganization: \"acme\"\nsafety:\n  blocked_patterns:\n    - pattern: \"forbidden-tool .*\"\n      reason: \"{reason}\"\n"
    )
}

fn problem_shown(server: &Server, machine: &Machine) {
    eventually(
        "the refusal on the machine and on the server",
        Duration::from_secs(15),
        || {
            let status = machine.status()?;
            anyhow::ensure!(
                status["problems"]
                    .as_array()
                    .is_some_and(|problems| !problems.is_empty()),
                "{status}"
            );
            anyhow::ensure!(
                !server.query("type:policy_refused")?.is_empty(),
                "no policy_refused event"
            );
            Ok(())
        },
    )
    .unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The folder of the signed repository in the server's data.
fn repository(server: &Server) -> std::path::PathBuf {
    fn find(folder: &Path) -> Option<std::path::PathBuf> {
        if folder.join("metadata").is_dir() && folder.join("targets").is_dir() {
            return Some(folder.to_owned());
        }
        std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .find_map(|entry| find(&entry.path()))
    }
    find(&server.data()).expect("a signed repository in the server's data")
}

#[test]
fn a_tampered_policy_is_refused_and_the_old_one_stays() {
    let server = Server::start().unwrap();
    server.publish(&policy("first")).unwrap();
    let machine = Machine::join(&server).unwrap();
    let before = machine.status().unwrap()["policy_digest"].clone();

    // Published, then changed on the server's disk before the machine fetched it.
    let mut machine = machine;
    machine.stop_sensor().unwrap();
    server.publish(&policy("second")).unwrap();
    let targets = repository(&server).join("targets");
    for entry in std::fs::read_dir(targets).unwrap().flatten() {
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            std::fs::write(entry.path(), text.replace("second", "anyone")).unwrap();
        }
    }
    machine.start_sensor().unwrap();
    problem_shown(&server, &machine);
    assert_eq!(machine.status().unwrap()["policy_digest"], before);
    let check = Run::of(machine.cmdai().args(["check", "--", "forbidden-tool x"])).unwrap();
    assert_eq!(check.code, 30, "{}", check.stdout);
    assert!(check.stdout.contains("first"), "{}", check.stdout);
}

#[test]
fn a_rolled_back_policy_is_refused() {
    let server = Server::start().unwrap();
    server.publish(&policy("first")).unwrap();
    let repository = repository(&server);
    let old = tempfile::tempdir().unwrap();
    copy(&repository, old.path());
    server.publish(&policy("second")).unwrap();
    let mut machine = Machine::join(&server).unwrap();
    eventually("the second policy", Duration::from_secs(10), || {
        let check = Run::of(machine.cmdai().args(["check", "--", "forbidden-tool x"]))?;
        anyhow::ensure!(check.stdout.contains("second"), "{}", check.stdout);
        Ok(())
    })
    .unwrap();
    machine.stop_sensor().unwrap();
    std::fs::remove_dir_all(&repository).unwrap();
    copy(old.path(), &repository);
    machine.start_sensor().unwrap();
    problem_shown(&server, &machine);
    let check = Run::of(machine.cmdai().args(["check", "--", "forbidden-tool x"])).unwrap();
    assert!(
        check.stdout.contains("second"),
        "the older policy must not come back: {}",
        check.stdout
    );
}

#[test]
fn a_tampered_event_is_found_by_anyone_who_verifies() {
    let server = Server::start().unwrap();
    let machine = Machine::join(&server).unwrap();
    Run::of(machine.cmdai().args(["run", "-c", "true innocent-marker"]))
        .unwrap()
        .good()
        .unwrap();
    let export = machine.home().join("export.jsonl");
    eventually("an export with the event", Duration::from_secs(10), || {
        server.admin(&["export", "--output", &export.to_string_lossy()])?;
        anyhow::ensure!(
            std::fs::read_to_string(&export)?.contains("innocent-marker"),
            "not yet"
        );
        server.admin(&["verify", &export.to_string_lossy()])
    })
    .unwrap();
    // The same in the words of others: proven first, a line for each event.
    let lines = std::fs::read_to_string(&export).unwrap().lines().count() - 2;
    for format in ["ocsf", "ecs", "cef", "syslog", "otlp"] {
        let other = machine.home().join(format);
        let other = other.to_string_lossy();
        let said = server
            .admin(&["export", "--format", format, "--output", &other])
            .unwrap();
        let written = std::fs::read_to_string(&*other).unwrap();
        assert!(written.contains("innocent-marker"), "{format}: {written}");
        assert!(written.lines().count() >= lines, "{format}: {said:?}");
    }
    let changed =
        std::fs::read_to_string(&export)
            .unwrap()
            .replacen("innocent-marker", "guilty---marker", 1);
    std::fs::write(&export, changed).unwrap();
    let verified = Run::of(
        server
            .operator("auditor")
            .args(["verify", &export.to_string_lossy()]),
    )
    .unwrap();
    assert_ne!(verified.code, 0, "{}", verified.stdout);
    assert!(verified.stderr.contains("changed"), "{}", verified.stderr);
}

/// Files of the sessions on a machine.
fn spools(machine: &Machine) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(machine.state().join("spool")).unwrap();
    folders
        .flatten()
        .flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten())
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "c1"))
        .collect()
}

#[test]
fn a_spool_that_is_taken_away_below_a_shell_hides_nothing_of_it() {
    let server = Server::start().unwrap();
    let mut machine = Machine::join(&server).unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    let mut line = |text: &str| {
        shell.line(text).unwrap();
        shell.wait_for("PROMPT> ").unwrap();
    };
    let arrives = |word: &str, machine: &Machine| {
        eventually(word, Duration::from_secs(30), || {
            let log = machine.log();
            anyhow::ensure!(!server.query(word)?.is_empty(), "{log}");
            Ok(())
        })
        .unwrap();
    };
    let tells = |what: &str| {
        eventually(what, Duration::from_secs(30), || {
            let events = server.query("type:tamper")?;
            let said = serde_json::to_string(&events)?;
            anyhow::ensure!(said.contains(what), "{said}");
            Ok(())
        })
        .unwrap();
    };
    line("true mark-before");
    arrives("mark-before", &machine);
    let files = spools(&machine);
    assert_eq!(files.len(), 1, "{files:?}");
    // A copy in its place: the shell goes on writing to the file that was there.
    let aside = machine.home().join("aside");
    std::fs::copy(&files[0], &aside).unwrap();
    std::fs::rename(&aside, &files[0]).unwrap();
    line("true mark-swapped");
    arrives("mark-swapped", &machine);
    tells("replaced by another file: what its session writes is read on");
    std::fs::remove_file(&files[0]).unwrap();
    line("true mark-removed");
    arrives("mark-removed", &machine);
    // The sensor finds the file again with the shell.
    machine.stop_sensor().unwrap();
    line("true mark-away");
    machine.start_sensor().unwrap();
    line("true mark-restarted");
    arrives("mark-away", &machine);
    arrives("mark-restarted", &machine);
    // Another shell, whose file goes while nobody looks.
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("true mark-second").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    arrives("mark-second", &machine);
    machine.stop_sensor().unwrap();
    for file in spools(&machine) {
        std::fs::remove_file(file).unwrap();
    }
    shell.line("true mark-unseen").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    machine.start_sensor().unwrap();
    arrives("mark-unseen", &machine);
    tells("while the sensor did not run: what its session writes is read on");
}
