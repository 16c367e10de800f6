//! A clock for a shell that has none: words sent to a socket, stamped by the kernel while they are sent.
//!
//! The socket is inherited by the shell, so that a builtin such as `echo b >&$CMDAI_BENCH_CLOCK` writes
//! to it: no process is started, and nothing is waited for. With `SO_TIMESTAMP` the kernel notes the time
//! of each word in the call of the sender, not when the reader wakes up; so it does not matter how late
//! the reader is, nor what else the machine does meanwhile.

use std::ffi::OsString;
use std::io::IoSliceMut;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// The word right before Enter.
pub(super) const BEGUN: &str = "b";
/// The word of a prompt.
pub(super) const PROMPT: &str = "e";
/// Names the descriptor in the shell's environment.
pub(super) const VARIABLE: &str = "CMDAI_BENCH_CLOCK";

/// The reader's end.
pub(super) struct Clock {
    socket: UnixDatagram,
    /// A path of a socket must be short, which the folder of a build need not be.
    folder: tempfile::TempDir,
}

/// A word and its time, in microseconds since 1970.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) word: String,
    pub(super) micros: i64,
}

impl Clock {
    /// Listens, and waits so long for a word.
    pub(super) fn start(patience: Duration) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("clock");
        let socket = UnixDatagram::bind(&path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        socket.set_read_timeout(Some(patience))?;
        setsockopt(&socket, sockopt::ReceiveTimestamp, &true)?;
        Ok(Self { socket, folder })
    }

    /// Where it listens.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// The next word.
    pub(super) fn stamp(&self) -> Result<Stamp> {
        let mut text = [0u8; 64];
        let mut room = nix::cmsg_space!(TimeVal);
        let mut parts = [IoSliceMut::new(&mut text)];
        let (length, time) = {
            let message = recvmsg::<()>(
                self.socket.as_raw_fd(),
                &mut parts,
                Some(&mut room),
                MsgFlags::empty(),
            )
            .context("the shell did not say when a line began or ended")?;
            let time = message.cmsgs().find_map(|part| match part {
                ControlMessageOwned::ScmTimestamp(time) => Some(time),
                _ => None,
            });
            (message.bytes, time)
        };
        let time = time.context("the kernel does not stamp what comes")?;
        let text = text.get(..length).unwrap_or_default();
        Ok(Stamp {
            word: String::from_utf8_lossy(text).trim_end().to_owned(),
            micros: time.num_microseconds(),
        })
    }

    /// Microseconds from one word to the other, which have to be the next two.
    pub(super) fn span(&self) -> Result<i64> {
        let (begun, prompt) = (self.stamp()?, self.stamp()?);
        if (begun.word.as_str(), prompt.word.as_str()) != (BEGUN, PROMPT) {
            bail!("a line was {begun:?}, {prompt:?}: not one beginning and one prompt");
        }
        Ok(prompt.micros - begun.micros)
    }

    /// No word has come that was not asked for.
    pub(super) fn is_quiet(&self) -> bool {
        let waiting = self
            .socket
            .set_nonblocking(true)
            .and_then(|()| self.socket.recv(&mut [0; 64]));
        self.socket.set_nonblocking(false).is_ok()
            && waiting.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// A program that is started with the clock's other end.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the clock listens
    socket: PathBuf,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required = true)]
    program: Vec<OsString>,
}

/// Connects, and becomes the program. A terminal's starter closes all descriptors but three, so this one is
/// opened behind it.
pub(crate) fn become_program(options: &Options) -> Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(&options.socket)?;
    fcntl(socket.as_raw_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
    let (name, arguments) = options.program.split_first().context("no program")?;
    let error = Command::new(name)
        .args(arguments)
        .env(VARIABLE, socket.as_raw_fd().to_string())
        .exec();
    Err(error).with_context(|| format!("cannot start {}", name.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    fn now() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_micros()).unwrap()
    }

    #[test]
    fn a_word_has_the_time_at_which_it_was_sent_however_late_it_is_read() {
        let clock = Clock::start(Duration::from_secs(30)).unwrap();
        let shell = UnixDatagram::unbound().unwrap();
        shell.connect(clock.path()).unwrap();
        assert!(clock.is_quiet());
        let before = now();
        shell.send(b"b\n").unwrap();
        let between = now();
        shell.send(b"e\n").unwrap();
        let after = now();
        // Whatever happens until they are read is not in it.
        while now() <= after + 2_000 {
            std::thread::yield_now();
        }
        assert!(!clock.is_quiet(), "which takes the first word away");
        let stamp = clock.stamp().unwrap();
        assert_eq!(stamp.word, PROMPT);
        assert!((between..=after + 1).contains(&stamp.micros), "{stamp:?}");
        shell.send(b"b\n").unwrap();
        shell.send(b"e\n").unwrap();
        let span = clock.span().unwrap();
        assert!((0..=now() - before).contains(&span), "{span}");
    }

    #[test]
    fn a_prompt_that_is_drawn_twice_or_a_key_that_was_lost_is_no_time() {
        let clock = Clock::start(Duration::from_millis(10)).unwrap();
        let shell = UnixDatagram::unbound().unwrap();
        shell.connect(clock.path()).unwrap();
        for wrong in [["e", "e"], ["b", "b"], ["e", "b"]] {
            for word in wrong {
                shell.send(word.as_bytes()).unwrap();
            }
            assert!(clock.span().is_err(), "{wrong:?}");
        }
        shell.send(b"b").unwrap();
        assert!(clock.span().is_err(), "the prompt never came");
    }
}
