//! The process that the person's shell sees: it hands signals on, stops when the program stops and
//! knows how it ended.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};

use super::kernel::{self, Change, Signals};
use super::launch::{Word, hear};
use crate::{Ended, Failed};

/// Waits for the tree's program. All signals are blocked here and read one by one.
pub(super) fn wait(keeper: &mut UnixStream, keeper_pid: i32) -> Result<Ended, Failed> {
    let mut root = None;
    let signals = Signals::blockable().descriptor();
    let signals = signals.map_err(|error| Failed::Process(error.raw_os_error().unwrap_or(0)))?;
    loop {
        let ready = {
            let mut both = [
                PollFd::from_borrowed_fd(keeper.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            ];
            let _ = poll(&mut both, None);
            both.first().is_some_and(|one| !one.revents().is_empty())
        };
        while let Some((signal, sent)) = kernel::next_signal(signals.as_fd()) {
            // What a terminal raises reaches the whole foreground group, so the program has it already.
            if let (true, Some(root)) = (sent && signal != libc::SIGCHLD, root) {
                kernel::signal(root, signal);
            }
        }
        if !ready {
            continue;
        }
        let Some(word) = hear(keeper) else {
            return alone(root, keeper_pid);
        };
        match word {
            Word::Root(pid) => root = Some(pid),
            Word::Ready(_) => {}
            Word::NoProcess(error) => return Err(Failed::Process(error)),
            Word::NoFilter(error) => return Err(Failed::Filter(error)),
            Word::NoFiles(error) => return Err(Failed::Files(error)),
            Word::NoProgram(error) => return Err(Failed::Program(error)),
            Word::Exited(status) => return Ok(Ended::Exited(status)),
            Word::Signalled(signal) => return Ok(Ended::Signalled(signal)),
            Word::Stopped(_) => {
                // The shell that waits for us has to see that the job stopped. It goes on with us.
                kernel::signal(std::process::id().cast_signed(), libc::SIGSTOP);
                if let Some(root) = root {
                    kernel::signal(root, libc::SIGCONT);
                }
            }
        }
    }
}

/// The keeper is gone. The program goes on and can start nothing more; it is ours to wait for now.
fn alone(root: Option<i32>, keeper: i32) -> Result<Ended, Failed> {
    let _ = kernel::child_change(Some(keeper), true);
    let Some(root) = root else {
        return Err(Failed::Process(libc::ECHILD));
    };
    match kernel::child_change(Some(root), true) {
        (_, Change::Exited(status)) => Ok(Ended::Unsupervised(status)),
        (_, Change::Signalled(signal)) => Ok(Ended::Signalled(signal)),
        _ => Err(Failed::Process(libc::ECHILD)),
    }
}

/// Ends this process as the program ended.
pub(crate) fn end_by(signal: i32) -> ! {
    kernel::no_core();
    kernel::default_action(signal);
    kernel::signal(std::process::id().cast_signed(), signal);
    Signals::only(signal).unblock();
    // A signal that ends nobody by itself.
    std::process::exit(128 + signal);
}
