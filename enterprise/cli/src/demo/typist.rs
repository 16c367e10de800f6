//! Types into a shell through a pseudo-terminal and reads what comes back.

use std::io::{Read as _, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

/// A shell and the one who types into it.
pub(crate) struct Typist {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    screen: Arc<Mutex<String>>,
    read: usize,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Typist {
    /// Starts a program on a terminal of its own.
    pub(crate) fn start(command: CommandBuilder) -> Result<Self> {
        let pair = native_pty_system()
            .openpty(PtySize {
                rows: 40,
                cols: 120,
                pixel_width: 0,
                pixel_height: 0,
            })
            .context("no pseudo-terminal")?;
        let child = pair
            .slave
            .spawn_command(command)
            .context("the shell cannot be started")?;
        let writer = pair.master.take_writer()?;
        let mut reader = pair.master.try_clone_reader()?;
        let screen: Arc<Mutex<String>> = Arc::default();
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(read @ 1..) = reader.read(&mut piece) {
                let text =
                    String::from_utf8_lossy(piece.get(..read).unwrap_or_default()).into_owned();
                if let Ok(mut shown) = shown.lock() {
                    shown.push_str(&text);
                }
            }
        });
        Ok(Self {
            child,
            writer,
            screen,
            read: 0,
            _master: pair.master,
        })
    }

    /// Types a line and Enter.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.read = self.screen().len();
        self.writer.write_all(format!("{text}\r").as_bytes())?;
        self.writer.flush()?;
        Ok(())
    }

    /// Waits until one of the texts stands in what came since the last line; returns what came.
    pub(crate) fn wait_for(&mut self, texts: &[&str], patience: Duration) -> Result<String> {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            let new = screen.get(self.read..).unwrap_or_default();
            if texts.iter().any(|text| new.contains(text)) {
                return Ok(new.to_owned());
            }
            if begun.elapsed() > patience {
                bail!(
                    "waited {} s for {texts:?}; the terminal shows:\n{new}",
                    patience.as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything shown so far.
    pub(crate) fn screen(&self) -> String {
        self.screen
            .lock()
            .map(|screen| screen.clone())
            .unwrap_or_default()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Result<String> {
        self.child.wait()?;
        std::thread::sleep(Duration::from_millis(100));
        Ok(self.screen())
    }
}
