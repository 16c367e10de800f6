//! AI agents: each harness asks before it runs a command, in its own dialect, and gets its answer
//! from one core.
//!
//! - Nothing here ever answers "allow": that would skip the harness's own question to the person.
//!   A command that may run gets no opinion.
//! - What cannot be understood, and every error inside, is a denial: exit status 2 and words on
//!   standard error, which every harness here takes as a block.
//! - A question for the person is put by the harness where it can ask one ([`Asking`]); elsewhere it
//!   is a denial. The record then says that the command was let go on, and has a second half only
//!   if the person said yes.
//! - A file that a tool writes is judged as the same file written by a shell ([`Deed`]).
//! - An answer comes before the harness's own time-out, because a hook that runs out of time is
//!   taken as consent.
//! - Denials carry our words and the rule's, never text of the command.

mod deed;
mod dialect;
mod harness;
mod respond;
mod say;
pub mod table;

use std::io::{Read, Write as _};
use std::time::Duration;

use cmdai_gate::Gate;
use cmdai_schema::exit_code;

pub use deed::{Change, Deed, FileChange};
pub use dialect::{CONTRACT, Call, CallError, Moment};
pub use harness::{Agent, Asking, Basis, HARNESSES, Harness, Words};
pub use respond::{Variable, answer, answer_with};

/// Longest input that is read.
const INPUT_LIMIT: u64 = 16 * 1024 * 1024;
/// The answer is due well within the ten seconds that our settings give the hook.
const WATCHDOG: Duration = Duration::from_secs(8);

/// What a hook process answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// For standard output; empty where there is nothing to say.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
    /// Exit status: 0 or 2.
    pub status: u8,
}

impl Answer {
    /// The denial of a harness's question that could not be answered.
    pub fn failure(why: &str) -> Self {
        Self {
            stdout: String::new(),
            stderr: format!(
                "cmdai: blocked, because the check failed: {}\n",
                cmdai_gate::escape(why)
            ),
            status: exit_code::HOOK_DENY,
        }
    }
}

/// The whole life of `cmdai hook AGENT`: reads standard input, answers, and gives the exit status.
/// `event` is the event's name where the harness does not say it in its input.
pub fn serve(agent: Agent, event: Option<&str>) -> u8 {
    std::thread::spawn(|| {
        std::thread::sleep(WATCHDOG);
        let _ = std::io::stderr().write_all(b"cmdai: blocked, because the check took too long\n");
        std::process::exit(i32::from(exit_code::HOOK_DENY));
    });
    let answer = std::panic::catch_unwind(|| {
        let mut input = Vec::new();
        match std::io::stdin()
            .lock()
            .take(INPUT_LIMIT)
            .read_to_end(&mut input)
        {
            Ok(_) => answer(agent, event, &input, &mut Gate::open()),
            Err(error) => Answer::failure(&error.to_string()),
        }
    })
    .unwrap_or_else(|_| Answer::failure("internal error; please report it"));
    let said = std::io::stdout()
        .write_all(answer.stdout.as_bytes())
        .and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(answer.stderr.as_bytes());
    if said.is_err() {
        exit_code::HOOK_DENY
    } else {
        answer.status
    }
}
