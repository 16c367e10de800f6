//! Runs a program with its whole process tree under the gate, without root: `cmdai run -- PROGRAM…`.
//!
//! ```text
//! launch ─► front ─ keeper ─ root ─► the program and all that it starts
//!                     │ a start waits
//!                     ▼
//!            read: words, file, folder, environment, ancestors
//!                     ▼
//!            Warden::exec ──► Gate::judge, Gate::settle ──► begins | "operation not permitted"
//!                     ▼
//!            read again once it has begun; killed where it is not what was judged
//! ```
//!
//! What it can and cannot do:
//! - It sees every `execve` and `execveat` below the program, also from statically linked programs and
//!   from shells that somebody types into. What a program does by itself (a shell's builtin, a
//!   redirection, `unlink` in Python) is no start; `sh -c` and the like are judged with their code.
//! - Programs that other services start for it (a container engine, `at`, `systemd-run`, `ssh`) are
//!   outside the tree. The command that asks for it is judged.
//! - A tree has no new rights: `sudo` and other set-user-id programs cannot work in it.
//! - A start that was let through is looked at again after it began, so that another thread cannot
//!   swap the words in between. Its environment and the content of a script are not.
//! - If the supervisor is killed, nothing more can be started in the tree.
//!
//! This crate touches the kernel. All `unsafe` is in `linux/kernel.rs`, each block with its argument.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod exec;
mod files;
mod line;
#[cfg(target_os = "linux")]
mod linux;
mod roll;
#[cfg(unix)]
mod terminal;
mod tree;
mod warden;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

use std::ffi::OsString;

pub use exec::{Answer, Exec, Swapped, Variables, Warden};
pub use files::{FileRules, Ruleset};
pub use tree::{Accepted, Lineage, Mark};
pub use warden::{Caller, GateWarden, RULE_SWAPPED};

/// What to run.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program and its arguments.
    pub program: &'a [String],
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// File rules, each taken on besides the others.
    pub files: Vec<Ruleset>,
    /// Who acts, and what was answered for.
    pub mark: Mark,
}

/// How a tree's program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// By itself, after its supervisor had died.
    Unsupervised(i32),
}

/// Why there was no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The program could not be started: error number.
    #[error("{}", reason(*.0))]
    Program(i32),
    /// The kernel takes no filter.
    #[error("the kernel takes no filter: {}", reason(*.0))]
    Filter(i32),
    /// The kernel takes no file rules.
    #[error("the kernel takes no file rules: {}", reason(*.0))]
    Files(i32),
    /// No process could be made or watched.
    #[error("no process can be made: {}", reason(*.0))]
    Process(i32),
    /// Called from a process with several threads.
    #[error("the supervisor has to be started from a process with one thread")]
    Threads,
    /// Not on this system.
    #[error("supervised trees need Linux")]
    Unsupported,
}

impl Failed {
    /// Somebody supervises this process already: a tree cannot have two supervisors.
    pub fn is_supervised_already(self) -> bool {
        #[cfg(target_os = "linux")]
        return self == Self::Filter(libc::EBUSY);
        #[cfg(not(target_os = "linux"))]
        false
    }
}

fn reason(number: i32) -> String {
    std::io::Error::from_raw_os_error(number).to_string()
}

/// Why no tree can be supervised on this machine; nothing where one can.
pub fn obstacle() -> Option<String> {
    system::obstacle()
}

/// Makes a tree and waits until its program has ended. Only from a process with one thread: the
/// warden is made in another process, which goes on as long as anything of the tree lives.
///
/// # Errors
/// Where there is no tree, or its program could not be started.
pub fn launch<'w>(
    order: Launch<'_>,
    warden: impl FnOnce() -> Box<dyn Warden + 'w>,
) -> Result<Ended, Failed> {
    system::launch(order, warden)
}

/// Ends this process by the signal that ended the tree's program.
pub fn end_by(signal: i32) -> ! {
    system::end_by(signal)
}
