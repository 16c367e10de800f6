//! No secret, nor six characters in a row of one, in any byte that shell, sensor or server wrote: spool,
//! sealed files, database, indexes, ledger, alerts, notes and logs.
//!
//! Secrets of every shape are typed in a governed shell, handed over by an AI agent's hook and given to
//! `cmdai run`, each behind a command that the policy denies: nothing of them runs.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, Shell, eventually};
use cmdai_redact::catalogue::{Dice, Group, PIECE, Sample, shapes};

const POLICY: &str = r#"
version: "1.0"
organization: "acme"
safety:
  blocked_patterns:
    - pattern: "forbidden-tool"
      reason: "Nothing runs here"
"#;

/// A line of which nothing runs.
fn denied(line: &str) -> String {
    format!("forbidden-tool; {line}")
}

/// Typed lines; each costs a round in a terminal.
const TYPED: usize = 60;
/// Commands of an agent; each costs a process.
const BY_AGENT: usize = 60;

#[test]
fn no_piece_of_a_secret_in_any_byte() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let mut dice = Dice::new(u64::from(std::process::id()));
    let samples: Vec<(Group, Sample)> = shapes()
        .iter()
        .map(|shape| (shape.group, shape.sample(&mut dice)))
        .collect();
    // `!` calls up the history before anybody sees the line.
    let typed: Vec<&Sample> = spread(&samples, TYPED, |sample| {
        !sample.text.contains(['\n', '!']) && sample.text.len() < 100
    });
    let by_agent = spread(&samples, BY_AGENT, |_| true);
    let mut secrets: Vec<&str> = typed
        .iter()
        .chain(&by_agent)
        .map(|sample| sample.secret.as_str())
        .collect();

    let mut shell = Shell::open(&machine).unwrap();
    for sample in &typed {
        shell.line(&denied(&sample.text)).unwrap();
        shell.wait_for("Nothing runs here").unwrap();
        shell.wait_for("PROMPT> ").unwrap();
    }
    for sample in &by_agent {
        agent(&machine, &denied(&sample.text));
    }
    let run = Run::of(
        machine
            .cmdai()
            .args(["run", "-c", "forbidden-tool; true last-marker"]),
    )
    .unwrap();
    assert_ne!(run.code, 0, "the policy denies it");

    // What people write to each other, and what they search for.
    let reason = "Xk7qPz2mWv9tRb4c";
    secrets.push(reason);
    let _ = Run::of(machine.cmdai().args([
        "request",
        "--rule",
        "net.pipe-shell",
        "--for",
        "1d",
        "--reason",
        &format!("the job uses password={reason}"),
    ]));
    let searched = "Lm3vQy8nHd5sKf6j";
    secrets.push(searched);
    server.query(&format!("\"password={searched}\"")).unwrap();

    let count = typed.len() + by_agent.len();
    eventually("everything on the server", Duration::from_secs(60), || {
        anyhow::ensure!(!server.query("last-marker")?.is_empty(), "no marker yet");
        let seen = server
            .admin(&["query", "--limit", "1000", "--format", "json", "redacted"])?
            .lines()
            .count();
        // A few shapes read alike and are damped to one record.
        anyhow::ensure!(seen * 10 >= count * 8, "{seen} of {count}");
        Ok(())
    })
    .unwrap();

    let mut files = Vec::new();
    for folder in [server.folder().to_owned(), machine.folder().to_owned()] {
        list(&folder, &mut files);
    }
    let pieces = pieces(
        &secrets,
        typed
            .iter()
            .chain(&by_agent)
            .map(|sample| sample.around.as_str()),
    );
    assert!(pieces.len() > 300, "{}", pieces.len());
    let mut found = Vec::new();
    let (mut bytes, mut marker) = (0, false);
    for path in &files {
        let content = std::fs::read(path).unwrap_or_default();
        bytes += content.len();
        marker |= content.windows(11).any(|window| window == b"last-marker");
        if let Some(piece) = content
            .windows(PIECE)
            .find(|window| pieces.contains(*window))
        {
            found.push((path, String::from_utf8_lossy(piece).into_owned()));
        }
    }
    assert!(marker, "the search does not see what was recorded");
    assert!(
        found.is_empty(),
        "in {} files of {bytes} bytes: {found:?}",
        files.len()
    );
    println!(
        "{} pieces of {} secrets looked for in {} files, {bytes} bytes",
        pieces.len(),
        secrets.len(),
        files.len()
    );
}

/// So many samples, spread over all shapes.
fn spread(
    samples: &[(Group, Sample)],
    count: usize,
    fits: impl Fn(&Sample) -> bool,
) -> Vec<&Sample> {
    let fitting: Vec<&Sample> = samples
        .iter()
        .map(|(_, sample)| sample)
        .filter(|sample| fits(sample))
        .collect();
    let step = (fitting.len() / count).max(1);
    fitting.into_iter().step_by(step).take(count).collect()
}

/// An agent asks whether it may.
fn agent(machine: &Machine, line: &str) {
    let mut child = machine
        .cmdai()
        .args(["hook", "claude-code"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let call = serde_json::json!({
        "session_id": "s1", "transcript_path": "/tmp/t", "hook_event_name": "PreToolUse",
        "cwd": machine.home().join("project"), "tool_name": "Bash", "tool_input": {"command": line},
    });
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(call.to_string().as_bytes());
    child.wait().unwrap();
}

/// Every file below a folder but the person's own: bash's history is theirs.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else if path.is_file() && !path.ends_with(".bash_history") {
            files.push(path);
        }
    }
}

/// The pieces that cannot stand somewhere by chance: no plain words, no numbers, nothing of a digest, and
/// nothing of the lines themselves.
fn pieces<'a>(secrets: &[&str], around: impl Iterator<Item = &'a str>) -> HashSet<Vec<u8>> {
    let around: String = around.collect::<Vec<_>>().join("\n");
    let mut out = HashSet::new();
    for secret in secrets {
        for piece in secret.as_bytes().windows(PIECE) {
            let has = |test: fn(&u8) -> bool| piece.iter().any(test);
            let far = has(|byte| !byte.is_ascii_hexdigit());
            let mixed = has(u8::is_ascii_digit)
                && has(u8::is_ascii_uppercase)
                && has(u8::is_ascii_lowercase);
            let text = String::from_utf8_lossy(piece);
            if far && mixed && !around.contains(&*text) {
                out.insert(piece.to_vec());
            }
        }
    }
    out
}
