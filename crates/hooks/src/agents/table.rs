//! `docs/agents.md`, made from the table of harnesses and from the answers themselves.

use std::fmt::Write as _;

use super::harness::{Asking, Basis, HARNESSES, Harness};
use super::{Answer, say};

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    let _ = writeln!(
        out,
        "| agent | `cmdai hook` | checked with | before | after | session | commands | files |\n|---|---|---|---|---|---|---|---|"
    );
    for row in HARNESSES {
        let [before, after, start, end] = row.events;
        let how = match row.basis {
            Basis::Measured => row.tested.to_owned(),
            Basis::Documented => format!("{} (its documents)", row.tested),
        };
        let session = [start, end]
            .into_iter()
            .filter(|event| !event.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        let [commands, files] = row.tools.map(|tools| tools.replace('|', ", "));
        let session = if session.is_empty() { "none" } else { &session };
        let _ = writeln!(
            out,
            "| {} | {} | {how} | {before} | {after} | {session} | {commands} | {files} |",
            row.title, row.name
        );
    }
    out.push_str(OUTCOMES);
    let _ = writeln!(
        out,
        "| agent | allow | warn | confirm | require_approval, open | require_approval, granted | deny | error inside |\n|---|---|---|---|---|---|---|---|"
    );
    for row in HARNESSES {
        let deny = told(&say::deny(row.agent, "r"));
        let confirm = match (row.asking, say::ask(row.agent, "r")) {
            (Asking::Asks, Some(answer)) => told(&answer),
            (Asking::AsksAttended, Some(answer)) => {
                format!("{} where a person attends, else {deny}", told(&answer))
            }
            _ => deny.clone(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {confirm} | {deny}, with the request's id | {} | {deny} | {} |",
            row.title,
            told(&Answer::default()),
            told(&say::warn(row.agent, "r")),
            told(&Answer::default()),
            told(&Answer::failure("r")),
        );
    }
    out.push_str(FAILURES);
    let _ = writeln!(
        out,
        "| agent | crash, exit 1, missing program | out of time | nonsense, exit 0 |\n|---|---|---|---|"
    );
    for row in HARNESSES {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.title,
            crash(row),
            late(row),
            nonsense(row)
        );
    }
    out.push_str(TAIL);
    out
}

/// What an answer says, in short.
fn told(answer: &Answer) -> String {
    let body = serde_json::from_str::<serde_json::Value>(&answer.stdout).unwrap_or_default();
    let inner = body.get("hookSpecificOutput").unwrap_or(&body);
    let decision = ["permissionDecision", "decision", "permission"]
        .iter()
        .find_map(|key| inner.get(key)?.as_str());
    let words = match decision {
        Some(decision) => format!("`{decision}`"),
        None if body.get("systemMessage").is_some() => "message to the person".to_owned(),
        None if answer.status == 0 => "silent".to_owned(),
        None => "reason".to_owned(),
    };
    match answer.status {
        0 => words,
        status => format!("{words}, exit {status}"),
    }
}

fn crash(row: &Harness) -> &'static str {
    match (row.agent, row.blocks) {
        (super::Agent::Opencode, _) => "blocked: our plugin throws",
        (_, [true, ..]) => "blocked by the agent, and by the hook's own line",
        _ => "blocked by the hook's own line",
    }
}

fn late(row: &Harness) -> &'static str {
    match (row.agent, row.blocks) {
        (super::Agent::Opencode, _) => "blocked: our plugin throws; cmdai answers before",
        (_, [_, true, _]) => "blocked by the agent; cmdai answers before",
        _ => "**would run**: cmdai answers 2 s before the agent stops waiting",
    }
}

fn nonsense(row: &Harness) -> &'static str {
    match row.blocks {
        [.., true] => "blocked: our plugin throws",
        _ => "**would run**: cmdai writes its own words or nothing",
    }
}

const HEAD: &str = "\
# AI agents

`cmdai integrate AGENT` puts a hook into an agent's settings, `cmdai hook AGENT` answers it. This page
is made from the code (`crates/hooks/src/agents/harness.rs`); a test fails where it is out of date.

The hook never says *allow*: that would skip the agent's own question to its person. A command that
may run gets no opinion, and the agent's own permissions go on as if cmdai were not there.

## What is hooked

A tool that writes files is judged as the same file written by a shell: a start-up file, an
`authorized_keys`, a git hook, an agent's own settings. What is put into a file counts where
something will run it later. A tool that is not listed and takes a `command` is judged as a shell.
Text typed into a shell that runs already (`write_bash`, `write_stdin`) is judged where the agent
tells its hooks of it.

";

const OUTCOMES: &str = "
## What an agent is told

Per decision of the policy, before a command runs or a file is written. After it and around a session
the hook only records. `silent` is exit 0 with nothing on standard output.

";

const FAILURES: &str = "
## When the hook fails

What happens to the command if the hook process itself goes wrong, with the settings that `cmdai
integrate` writes: the line there turns whatever is not success into exit 2 with words (Gemini CLI takes
exit 2 without words for consent). Inside cmdai a watchdog answers after 8 s, a panic is a denial, and input that is
not understood is a denial.

";

const TAIL: &str = include_str!("tail.md");
