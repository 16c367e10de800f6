//! A program in a pseudo-terminal, driven as a person would.

use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running session. Ends with its program when dropped.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    _master: Box<dyn MasterPty + Send>,
    output: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    screen: String,
    mark: usize,
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty")
            .field("screen", &self.screen)
            .finish_non_exhaustive()
    }
}

impl Pty {
    /// Starts a program with exactly this environment.
    ///
    /// # Errors
    /// Where there is no pseudo-terminal or the program cannot be started.
    pub fn spawn(program: &[&str], cwd: &Path, environment: &[(String, String)]) -> Result<Self> {
        let (name, arguments) = program.split_first().context("a program is needed")?;
        let size = PtySize {
            rows: 40,
            cols: 120,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(name);
        command.args(arguments);
        command.cwd(cwd);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let Some(bytes) = buffer.get(..count) else {
                    break;
                };
                if sender.send(bytes.to_vec()).is_err() {
                    break;
                }
            }
        });
        let writer = pair.master.take_writer()?;
        Ok(Self {
            child,
            writer,
            _master: pair.master,
            output,
            raw: Vec::new(),
            screen: String::new(),
            mark: 0,
        })
    }

    /// Starts an interactive bash that reads `rcfile` and shows the prompt `PROMPT> `.
    ///
    /// # Errors
    /// Where it cannot be started or shows no prompt in time.
    pub fn bash(rcfile: &Path, cwd: &Path, environment: &[(String, String)]) -> Result<Self> {
        let mut environment = environment.to_vec();
        environment.push(("PS1".to_owned(), "PROMPT> ".to_owned()));
        let rcfile = rcfile.to_str().context("the path is UTF-8")?;
        let mut session = Self::spawn(
            &["bash", "--noprofile", "--rcfile", rcfile, "-i"],
            cwd,
            &environment,
        )?;
        session.wait_for("PROMPT> ")?;
        Ok(session)
    }

    /// Starts an interactive zsh that reads `~/.zshenv` and `~/.zshrc` alone and shows the prompt
    /// `PROMPT> `.
    ///
    /// # Errors
    /// Where it cannot be started or shows no prompt in time.
    pub fn zsh(cwd: &Path, environment: &[(String, String)]) -> Result<Self> {
        let mut session = Self::spawn(&["zsh", "-d", "-i"], cwd, environment)?;
        session.wait_for("PROMPT> ")?;
        Ok(session)
    }

    /// Types text without Enter.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn type_text(&mut self, text: &str) -> Result<()> {
        self.mark = self.screen.len();
        self.writer.write_all(text.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    /// Types a line and Enter.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn send_line(&mut self, line: &str) -> Result<()> {
        self.type_text(&format!("{line}\r"))
    }

    /// Types a line and waits for the next prompt. Gives what was shown in between.
    ///
    /// # Errors
    /// Where the prompt does not come in time; the error shows the screen.
    pub fn run(&mut self, line: &str) -> Result<String> {
        self.send_line(line)?;
        self.wait_for("PROMPT> ")
    }

    /// Waits for text in what was shown since the last input, and gives everything up to its end.
    ///
    /// # Errors
    /// Where it does not come in time, or the program ends; the error shows the screen.
    pub fn wait_for(&mut self, text: &str) -> Result<String> {
        self.wait_for_any(&[text], PATIENCE)
    }

    /// Waits for whichever of the texts comes first.
    ///
    /// # Errors
    /// Where none comes in time, or the program ends; the error shows the screen.
    pub fn wait_for_any(&mut self, texts: &[&str], patience: Duration) -> Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            let shown = self.screen.get(self.mark..).unwrap_or_default();
            if let Some(end) = texts
                .iter()
                .filter_map(|text| shown.find(text).map(|at| at + text.len()))
                .min()
            {
                let found = shown.get(..end).unwrap_or_default().to_owned();
                self.mark += end;
                return Ok(found);
            }
            match self
                .output
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => {
                    self.raw.extend(bytes);
                    self.screen = plain(&self.raw);
                }
                Err(RecvTimeoutError::Timeout) => bail!(
                    "{texts:?} did not come in time; the screen:\n{}",
                    self.screen
                ),
                Err(RecvTimeoutError::Disconnected) => bail!(
                    "the program ended before {texts:?}; the screen:\n{}",
                    self.screen
                ),
            }
        }
    }

    /// Forgets what was shown, which would slow long sessions down.
    pub fn forget(&mut self) {
        self.raw.clear();
        self.screen.clear();
        self.mark = 0;
    }

    /// Everything shown so far, without carriage returns and the marks of bracketed paste.
    pub fn screen(&self) -> &str {
        &self.screen
    }

    /// Waits for the program's end and gives its exit status.
    ///
    /// # Errors
    /// Where it does not end in time.
    pub fn wait(&mut self) -> Result<u32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.exit_code());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!(
            "the program did not end in time; the screen:\n{}",
            self.screen
        )
    }
}

/// What a person sees, as far as tests care: without carriage returns and without the marks that
/// switch bracketed paste.
fn plain(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw)
        .replace("\u{1b}[?2004h", "")
        .replace("\u{1b}[?2004l", "")
        .replace('\r', "")
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
