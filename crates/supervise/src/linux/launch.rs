//! Three processes make a tree.
//!
//! ```text
//! front       what the person's shell sees: waits, hands signals on, ends as the program ends
//!  └ keeper   the supervisor: serves the listener, adopts orphans, lives as long as the tree
//!     └ root  gives up rights, takes on file rules and the filter, becomes the program
//! ```
//!
//! The keeper is above everything in the tree, so the kernel lets it read there also where only
//! ancestors may (Yama), and a daemon that the program leaves behind goes on under supervision after
//! the front has ended. If the keeper dies, every further start in the tree fails with "function not
//! implemented": there is no way on without it.

use std::ffi::{CString, OsString};
use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Pid, getpgrp, setpgid};

use super::kernel::{self, Change, Forked, Signals};
use super::serve::Server;
use super::{front, procfs};
use crate::exec::Warden;
use crate::files::Ruleset;
use crate::tree::{Lineage, Mark};
use crate::{Ended, Failed, Launch};

/// The warden is called at least this often while there is a tree.
const TICK: Duration = Duration::from_secs(5);

/// What a process of the three tells the one above it: a kind and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The root's process id.
    Root(i32),
    /// The root took on its filter; 0 where the kernel cannot keep other signals away meanwhile.
    Ready(i32),
    /// No process could be made: error number.
    NoProcess(i32),
    /// The kernel takes no filter, or somebody else supervises already.
    NoFilter(i32),
    /// The kernel takes no file rules.
    NoFiles(i32),
    /// The program could not be started.
    NoProgram(i32),
    /// The root stopped.
    Stopped(i32),
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
}

impl Word {
    fn bytes(self) -> [u8; 5] {
        let (kind, number) = match self {
            Self::Root(n) => (0, n),
            Self::Ready(n) => (1, n),
            Self::NoProcess(n) => (2, n),
            Self::NoFilter(n) => (3, n),
            Self::NoFiles(n) => (4, n),
            Self::NoProgram(n) => (5, n),
            Self::Stopped(n) => (6, n),
            Self::Exited(n) => (7, n),
            Self::Signalled(n) => (8, n),
        };
        let [a, b, c, d] = i32::to_ne_bytes(number);
        [kind, a, b, c, d]
    }

    fn read(bytes: [u8; 5]) -> Option<Self> {
        let [kind, rest @ ..] = bytes;
        let number = i32::from_ne_bytes(rest);
        Some(match kind {
            0 => Self::Root(number),
            1 => Self::Ready(number),
            2 => Self::NoProcess(number),
            3 => Self::NoFilter(number),
            4 => Self::NoFiles(number),
            5 => Self::NoProgram(number),
            6 => Self::Stopped(number),
            7 => Self::Exited(number),
            8 => Self::Signalled(number),
            _ => return None,
        })
    }
}

/// Says a word; nobody may listen any more.
fn say(to: &mut UnixStream, word: Word) {
    let _ = to.write_all(&word.bytes());
}

/// Waits for a word. Nothing where the other side is gone.
pub(super) fn hear(from: &mut UnixStream) -> Option<Word> {
    let mut bytes = [0; 5];
    from.read_exact(&mut bytes).ok()?;
    Word::read(bytes)
}

fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Makes the tree and waits until its program has ended.
pub(crate) fn launch<'w>(
    launch: Launch<'_>,
    warden: impl FnOnce() -> Box<dyn Warden + 'w>,
) -> Result<Ended, Failed> {
    if std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) != 1 {
        return Err(Failed::Threads);
    }
    let words = texts(launch.program.iter().map(|word| word.clone().into()))
        .ok_or(Failed::Program(libc::EINVAL))?;
    let environment = texts(launch.environment.iter().map(|(name, value)| {
        let mut text = name.clone();
        text.push("=");
        text.push(value);
        text
    }))
    .ok_or(Failed::Program(libc::EINVAL))?;
    let (mut ours, theirs) = UnixStream::pair().map_err(|error| Failed::Process(number(&error)))?;
    // Where the keeper dies, its children become ours.
    let _ = kernel::adopt_orphans();
    let before = Signals::blockable().block();
    let keeper = match kernel::fork() {
        Ok(Forked::Parent(pid)) => pid,
        Ok(Forked::Child) => {
            drop(ours);
            let keep = || {
                keep(
                    theirs,
                    &words,
                    &environment,
                    launch.files,
                    launch.mark,
                    before,
                    warden,
                );
            };
            // Whatever happens here must not run on into what the front does.
            let kept = catch_unwind(AssertUnwindSafe(keep));
            kernel::leave(i32::from(kept.is_err()));
        }
        Err(error) => {
            before.block();
            return Err(Failed::Process(number(&error)));
        }
    };
    drop(theirs);
    let ended = front::wait(&mut ours, keeper);
    before.block();
    ended
}

fn texts(given: impl Iterator<Item = OsString>) -> Option<Vec<CString>> {
    given
        .map(|text| CString::new(text.into_vec()).ok())
        .collect()
}

/// The keeper's whole life.
fn keep<'w>(
    mut front: UnixStream,
    words: &[CString],
    environment: &[CString],
    files: Vec<Ruleset>,
    mark: Mark,
    signals: Signals,
    warden: impl FnOnce() -> Box<dyn Warden + 'w>,
) {
    let _ = kernel::adopt_orphans();
    let group = getpgrp();
    let (mut ours, theirs) = match UnixStream::pair() {
        Ok(pair) => pair,
        Err(error) => return say(&mut front, Word::NoProcess(number(&error))),
    };
    let root = match kernel::fork() {
        Ok(Forked::Parent(pid)) => pid,
        Ok(Forked::Child) => {
            drop((ours, front));
            let ready = || become_root(theirs, words, environment, files, signals, group);
            let _ = catch_unwind(AssertUnwindSafe(ready));
            kernel::leave(127);
        }
        Err(error) => return say(&mut front, Word::NoProcess(number(&error))),
    };
    drop(theirs);
    let _ = kernel::not_traceable();
    // Keys that end or stop the program must not reach the keeper.
    let _ = setpgid(None, None);
    say(&mut front, Word::Root(root));
    let Some(listener) = hand_over(&ours, &mut front) else {
        let _ = kernel::child_change(Some(root), true);
        return;
    };
    let pid = root.unsigned_abs();
    let start = procfs::stat(pid).map_or(0, |stat| stat.start);
    let executable = procfs::executable(pid).unwrap_or_default();
    let lineage = Lineage::root(pid, start, executable.to_string_lossy().into_owned(), mark);
    let directory = std::env::current_dir().unwrap_or_default();
    without_streams(true);
    let mut warden = warden();
    let mut server = Server::new(
        listener,
        lineage,
        directory.to_string_lossy().into_owned(),
        warden.as_mut(),
    );
    run(&mut server, &mut ours, &mut front, root);
    server.warden().ended();
}

/// Standard input and output belong to the program alone; standard error as long as it runs.
fn without_streams(error_stays: bool) {
    let Ok(nothing) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
    else {
        return;
    };
    if error_stays {
        let _ = rustix::stdio::dup2_stdin(&nothing);
        let _ = rustix::stdio::dup2_stdout(&nothing);
    } else {
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
}

/// Serves until nothing is left of the tree.
fn run(server: &mut Server<'_>, ours: &mut UnixStream, front: &mut UnixStream, root: i32) {
    let Ok(ended) = Signals::only(libc::SIGCHLD).descriptor() else {
        return;
    };
    let mut starting = true;
    loop {
        let wait = server.until_next().unwrap_or(TICK).min(TICK);
        let wait = Timespec::try_from(wait).ok();
        let (asked, started) = {
            let mut all = vec![
                PollFd::from_borrowed_fd(server.listener(), PollFlags::IN),
                PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN),
            ];
            if starting {
                all.push(PollFd::from_borrowed_fd(ours.as_fd(), PollFlags::IN));
            }
            let _ = poll(&mut all, wait.as_ref());
            let ready = |index: usize, flags| {
                all.get(index)
                    .is_some_and(|one: &PollFd<'_>| one.revents().intersects(flags))
            };
            (
                ready(0, PollFlags::IN),
                ready(2, PollFlags::IN | PollFlags::HUP),
            )
        };
        if asked {
            server.serve();
        }
        if started {
            starting = false;
            // The end of the stream means that the root has become its program.
            if let Some(word) = hear(ours) {
                say(front, word);
            }
        }
        server.look_again();
        server.warden().tick();
        while kernel::next_signal(ended.as_fd()).is_some() {}
        loop {
            let (pid, change) = kernel::child_change(None, false);
            match change {
                Change::Nothing => break,
                Change::Childless => return,
                _ if pid != root => {}
                // Its last word about itself comes first.
                Change::Exited(_) | Change::Signalled(_) if std::mem::take(&mut starting) => {
                    if let Some(word) = hear(ours) {
                        say(front, word);
                    }
                    tell_end(server, front, change);
                }
                Change::Stopped(signal) => say(front, Word::Stopped(signal)),
                Change::Exited(_) | Change::Signalled(_) => tell_end(server, front, change),
            }
        }
    }
}

/// The tree's program has ended. What it left behind goes on without a terminal.
fn tell_end(server: &mut Server<'_>, front: &mut UnixStream, change: Change) {
    server.warden().root_ended();
    match change {
        Change::Exited(status) => say(front, Word::Exited(status)),
        Change::Signalled(signal) => say(front, Word::Signalled(signal)),
        _ => {}
    }
    without_streams(false);
}

/// Takes the listener from the root, or hands its trouble on.
fn hand_over(ours: &UnixStream, front: &mut UnixStream) -> Option<OwnedFd> {
    let mut bytes = [0; 5];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        ours,
        &mut [io::IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    );
    let word = match got {
        Ok(message) if message.bytes == bytes.len() => Word::read(bytes),
        _ => None,
    };
    let listener = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    say(front, word.unwrap_or(Word::NoProcess(libc::EIO)));
    listener
}

/// The root's way to its program. Only returns where that fails.
fn become_root(
    mut keeper: UnixStream,
    words: &[CString],
    environment: &[CString],
    files: Vec<Ruleset>,
    signals: Signals,
    group: Pid,
) {
    let _ = setpgid(None, Some(group));
    let made = kernel::no_new_privileges();
    if let Err(error) = made {
        return say(&mut keeper, Word::NoFilter(number(&error)));
    }
    for rules in files {
        if let Err(error) = rules.take_on() {
            return say(&mut keeper, Word::NoFiles(number(&error)));
        }
    }
    let (listener, killable) = match kernel::install_filter() {
        Ok(made) => made,
        Err(error) => return say(&mut keeper, Word::NoFilter(number(&error))),
    };
    if let Err(error) = hand(&keeper, listener.as_fd(), killable) {
        return say(&mut keeper, Word::NoFilter(number(&error)));
    }
    drop(listener);
    // The standard library ignores this one; programs are not used to that.
    kernel::default_action(libc::SIGPIPE);
    signals.block();
    let error = kernel::become_program(words, environment);
    say(&mut keeper, Word::NoProgram(number(&error)));
}

fn hand(keeper: &UnixStream, listener: BorrowedFd<'_>, killable: bool) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let listeners = [listener];
    if !control.push(SendAncillaryMessage::ScmRights(&listeners)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let bytes = Word::Ready(i32::from(killable)).bytes();
    sendmsg(
        keeper,
        &[io::IoSlice::new(&bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}
