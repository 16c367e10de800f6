//! A governed bash in a pseudo-terminal.

use std::time::Duration;

use anyhow::{Context, Result};
use cmdai_testkit::Pty;

use crate::Machine;

/// An interactive bash with cmdai's hooks, on a machine.
pub struct Shell {
    terminal: Pty,
}

impl Shell {
    /// Opens one in the person's project folder.
    ///
    /// # Errors
    /// Where bash or its hooks do not start.
    pub fn open(machine: &Machine) -> Result<Self> {
        let start_file = machine.home().join(".bashrc");
        std::fs::write(&start_file, "PS1='PROMPT> '\neval \"$(cmdai init bash)\"\n")?;
        let terminal = Pty::bash(
            &start_file,
            &machine.home().join("project"),
            &machine.environment(),
        )
        .context("a governed bash")?;
        Ok(Self { terminal })
    }

    /// Types a line and Enter.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn line(&mut self, text: &str) -> Result<()> {
        self.terminal.send_line(text)
    }

    /// Waits for a text.
    ///
    /// # Errors
    /// Where it does not come.
    pub fn wait_for(&mut self, text: &str) -> Result<String> {
        self.terminal.wait_for(text)
    }

    /// Waits for whichever comes first.
    ///
    /// # Errors
    /// Where none comes in time.
    pub fn wait_for_any(&mut self, texts: &[&str], patience: Duration) -> Result<String> {
        self.terminal.wait_for_any(texts, patience)
    }
}
