//! A pseudo-terminal between the person's terminal and the program that is recorded.
//!
//! Bytes go through at once and unchanged in both directions; the recording gets a copy of what comes from the
//! program. The program leads a session of its own on the inner terminal: this program starts itself
//! again to arrange that (`cmdai record-inside`), and becomes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::cast::Size;

/// How often the terminal's size and the program are looked at.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// End of input, as a terminal's keyboard gives it.
const END: u8 = 4;

/// Who hears what the program shows.
pub(crate) trait Listener {
    /// It showed this, so many seconds after the beginning.
    fn shown(&mut self, time: f64, bytes: &[u8]);
    /// The terminal has this size now.
    fn resized(&mut self, time: f64, size: Size);
    /// Time goes by.
    fn idle(&mut self, time: f64);
}

/// The terminal's size; that of an old one where there is no terminal.
pub(crate) fn size() -> Size {
    winsize().map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

fn winsize() -> Option<Winsize> {
    let of = |size: Winsize| (size.ws_col > 0 && size.ws_row > 0).then_some(size);
    tcgetwinsize(io::stdout())
        .ok()
        .and_then(of)
        .or_else(|| tcgetwinsize(io::stdin()).ok().and_then(of))
}

/// The person's terminal hands every key on, until this is dropped.
struct Raw(Option<Termios>);

impl Raw {
    fn set() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(modes) = &before {
            let mut raw = modes.clone();
            raw.make_raw();
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &raw);
        }
        Self(before)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
        }
    }
}

/// Runs these words in a terminal of their own until they end.
///
/// # Errors
/// Where there is no pseudo-terminal, or the program cannot be started.
pub(crate) fn run(words: &[String], listener: &mut dyn Listener) -> io::Result<ExitStatus> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(std::ffi::OsStr::from_bytes(name.as_bytes()))?;
    if let Ok(modes) = tcgetattr(io::stdin()) {
        tcsetattr(&slave, OptionalActions::Now, &modes)?;
    }
    let (columns, rows) = size();
    let inner = |size: Size| Winsize {
        ws_col: size.0,
        ws_row: size.1,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, inner((columns, rows)))?;
    let child = Command::new(std::env::current_exe()?)
        .args(["record-inside", "--"])
        .args(words)
        .env(super::INSIDE, std::process::id().to_string())
        .stdin(slave.try_clone()?)
        .stdout(slave.try_clone()?)
        .stderr(slave)
        .spawn()?;
    let raw = Raw::set();
    let ended = carry(File::from(master), child, (columns, rows), listener, &inner);
    drop(raw);
    ended
}

fn carry(
    mut master: File,
    mut child: Child,
    mut known: Size,
    listener: &mut dyn Listener,
    inner: &dyn Fn(Size) -> Winsize,
) -> io::Result<ExitStatus> {
    let begun = Instant::now();
    let mut typed: Vec<u8> = Vec::new();
    let mut reads = true;
    let mut ended: Option<ExitStatus> = None;
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        // What was typed waits until the program takes it; nothing else waits for that.
        let (from_keys, to_program, from_program) = {
            let keys = io::stdin();
            let more = if typed.is_empty() {
                PollFlags::empty()
            } else {
                PollFlags::OUT
            };
            let mut all = vec![PollFd::from_borrowed_fd(
                master.as_fd(),
                PollFlags::IN | more,
            )];
            if reads && typed.is_empty() {
                all.push(PollFd::from_borrowed_fd(keys.as_fd(), PollFlags::IN));
            }
            match poll(&mut all, Some(&TICK)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let of = |place: usize| all.get(place).map_or(PollFlags::empty(), PollFd::revents);
            let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
            (
                of(1).intersects(readable),
                of(0).contains(PollFlags::OUT),
                of(0).intersects(readable),
            )
        };
        let now = begun.elapsed().as_secs_f64();
        if from_program {
            match master.read(&mut buffer) {
                // The last process that had the inner terminal open is gone.
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    let mut out = io::stdout().lock();
                    out.write_all(bytes)?;
                    out.flush()?;
                    listener.shown(now, bytes);
                }
            }
        } else if ended.is_some() {
            // It has ended, and all that it showed was read; what it left in the background goes on alone.
            break;
        }
        if to_program {
            let some = typed.len().min(512);
            let count = master.write(typed.get(..some).unwrap_or_default())?;
            typed.drain(..count);
        }
        if from_keys {
            let count = io::stdin()
                .lock()
                .read(buffer.get_mut(..512).unwrap_or_default())?;
            typed.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if count == 0 {
                reads = false;
                typed.push(END);
            }
        }
        if !from_program {
            if let Some(there) = winsize().map(|size| (size.ws_col, size.ws_row))
                && there != known
            {
                known = there;
                let _ = tcsetwinsize(&master, inner(there));
                listener.resized(now, there);
            }
            listener.idle(now);
        }
        if ended.is_none() {
            ended = child.try_wait()?;
        }
    }
    match ended {
        Some(status) => Ok(status),
        None => child.wait(),
    }
}

/// The exit status as a shell says it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    let signal = || status.signal().map(|signal| 128 + signal);
    let code = status.code().or_else(signal).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// Inside: takes the terminal on standard input as its own and becomes the program.
pub(crate) fn inside(words: &[String]) -> io::Error {
    let Some((program, arguments)) = words.split_first() else {
        return io::Error::other("there is no program");
    };
    let taken =
        rustix::process::setsid().and_then(|_| rustix::process::ioctl_tiocsctty(io::stdin()));
    match taken {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error.into(),
    }
}
