//! How the process comes to stand beside its shell.
//!
//! fish has no way to keep a pipe open, but it can open `/proc/PID/fd/N`. So the process makes two
//! pipes, keeps both ends of each, and says their numbers; fish opens them for each line. Where the
//! process is gone the names are gone with it, and nothing waits: a named pipe would make a shell wait
//! for ever for a reader. The numbers are high, so that another process that came to have the
//! same identifier has no file under them.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::{Command, Stdio};

use cmdai_gate::{Attribution, Signals, origin};
use cmdai_schema::{AgentInfo, Dialect, Origin, ProcessInfo};
#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, poll};
#[cfg(target_os = "linux")]
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use super::{Served, serve};

/// The lowest number that a pipe gets.
#[cfg(target_os = "linux")]
const HIGH: i32 = 600;

/// How to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Start {
    /// The shell's language.
    pub dialect: String,
    /// Its name and version.
    pub version: String,
    /// Its process.
    pub shell: u32,
    /// Processes of this session that died before.
    pub failed: u32,
}

/// Everything that the detached process cannot see any more.
#[derive(Debug, Serialize, Deserialize)]
struct Handover {
    start: Start,
    origin: Origin,
    agent: Option<AgentInfo>,
    host_asks: bool,
    terminal: bool,
    tty: Option<String>,
    parents: Vec<ProcessInfo>,
}

impl Handover {
    fn of(start: Start) -> Self {
        let parents = origin::ancestors();
        // What reads the shell's own settings has them, and not the terminal, on its standard input.
        let tty = origin::terminal().or_else(|| {
            let link = std::fs::read_link(format!("/proc/{}/fd/0", start.shell)).ok()?;
            let name = link.into_os_string().into_string().ok()?;
            (name.starts_with("/dev/pts/") || name.starts_with("/dev/tty")).then_some(name)
        });
        let who = origin::attribute(&Signals {
            variable: &|name| std::env::var(name).ok(),
            terminal: tty.is_some(),
            interactive: true,
            parents: &parents,
        });
        Self {
            start,
            origin: who.origin,
            agent: who.agent,
            host_asks: who.host_asks,
            terminal: tty.is_some(),
            tty,
            parents,
        }
    }

    fn served(self) -> Served {
        Served {
            dialect: Dialect::from_name(&self.start.dialect).unwrap_or_default(),
            version: self.start.version,
            who: Attribution {
                origin: self.origin,
                agent: self.agent,
                host_asks: self.host_asks,
            },
            terminal: self.terminal,
            tty: self.tty,
            parents: self.parents,
            failed: self.start.failed,
        }
    }
}

/// Starts the process beside the shell that calls this, and gives `PID IN OUT`: the process and
/// the numbers of its pipes.
///
/// # Errors
/// Where it cannot be started.
pub fn start(start: Start) -> io::Result<String> {
    let handover = serde_json::to_vec(&Handover::of(start))?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve-shell", "--beside"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(&handover)?;
    }
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out.take(200)).read_line(&mut line)?;
    }
    if line.split_whitespace().count() == 3 {
        Ok(line)
    } else {
        Err(io::Error::other(
            "the process beside the shell ended at once",
        ))
    }
}

/// Only where there is `/proc`.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn beside() -> io::Result<()> {
    Err(io::Error::other("this needs /proc, as Linux has it"))
}

/// The process itself: takes over, says its pipes and serves until the shell is gone.
///
/// # Errors
/// Where there are no pipes to be had.
#[cfg(target_os = "linux")]
pub fn beside() -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().take(1024 * 1024).read_to_end(&mut bytes)?;
    let handover: Handover = serde_json::from_slice(&bytes)?;
    // Out of the terminal's reach: Ctrl-C and the end of the shell's jobs are not for this one.
    let _ = rustix::process::setsid();
    let shell = i32::try_from(handover.start.shell)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("no shell"))?;
    let shell = pidfd_open(shell, PidfdFlags::empty())?;
    let (requests, request_end) = io::pipe()?;
    let (reply_end, replies) = io::pipe()?;
    let high = |fd: OwnedFd| match rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), HIGH) {
        Ok(moved) => moved,
        Err(_) => fd,
    };
    let (request_end, reply_end) = (high(request_end.into()), high(reply_end.into()));
    let mut out = io::stdout();
    writeln!(
        out,
        "{} {} {}",
        std::process::id(),
        request_end.as_raw_fd(),
        reply_end.as_raw_fd()
    )?;
    out.flush()?;
    let from = BufReader::new(WhileShell {
        requests: File::from(OwnedFd::from(requests)),
        shell,
    });
    serve(from, replies, handover.served());
    Ok(())
}

/// Serves a shell that keeps this process's standard input and output.
pub fn stdio(start: Start) {
    let served = Handover::of(start).served();
    // A shell that has a terminal can ask, although this process has none.
    let served = Served {
        terminal: true,
        ..served
    };
    serve(BufReader::new(io::stdin()), io::stdout(), served);
}

/// Requests, as long as the shell lives: the pipe itself never ends, because its other end is ours too.
#[cfg(target_os = "linux")]
struct WhileShell {
    requests: File,
    shell: OwnedFd,
}

#[cfg(target_os = "linux")]
impl Read for WhileShell {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut watched = [
                PollFd::new(&self.requests, PollFlags::IN),
                PollFd::new(&self.shell, PollFlags::IN),
            ];
            match poll(&mut watched, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [requests, shell] = watched.map(|entry| entry.revents().contains(PollFlags::IN));
            if requests {
                return self.requests.read(buffer);
            }
            if shell {
                return Ok(0);
            }
        }
    }
}
