//! A governed machine below a folder: sensor, governed shells, records.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Programs, Run, Server, eventually, programs};

/// A machine; its sensor is ended when dropped.
pub struct Machine {
    programs: Programs,
    folder: TempDir,
    sensor: Option<Child>,
}

impl Machine {
    /// Enrols and starts the sensor; returns when a policy is installed.
    ///
    /// # Errors
    /// Where one of the steps fails.
    pub fn join(server: &Server) -> Result<Self> {
        let mut machine = Self::bare()?;
        machine.enrol(&server.machines, &server.token("ana")?)?;
        machine.start_sensor()?;
        eventually("the first policy", Duration::from_secs(15), || {
            let status = machine.status()?;
            match status.get("policy_version").and_then(Value::as_str) {
                Some("") | None => bail!("no policy yet: {status}"),
                Some(_) => Ok(()),
            }
        })
        .with_context(|| machine.log())?;
        Ok(machine)
    }

    /// A machine that nobody governs yet.
    ///
    /// # Errors
    /// Where there is no room.
    pub fn bare() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("cmdai-m-").tempdir()?;
        std::fs::create_dir_all(folder.path().join("home/project"))?;
        Ok(Self {
            programs: programs()?,
            folder,
            sensor: None,
        })
    }

    /// Enrols.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn enrol(&self, server: &str, token: &str) -> Result<()> {
        Run::of(
            self.enterprise()
                .args(["enrol", "--server", server, "--token", token])
                .arg("--state-dir")
                .arg(self.state()),
        )?
        .good()?;
        Ok(())
    }

    /// Starts the sensor.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start_sensor(&mut self) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let child = self
            .enterprise()
            .arg("sensor")
            .arg("--state-dir")
            .arg(self.state())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.sensor = Some(child);
        eventually("the sensor's socket", Duration::from_secs(10), || {
            self.status().map(drop)
        })
        .with_context(|| self.log())
    }

    /// Ends the sensor as a crash would.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn kill_sensor(&mut self) -> Result<()> {
        let mut child = self.sensor.take().context("no sensor runs")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends the sensor in good order.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn stop_sensor(&mut self) -> Result<()> {
        let mut child = self.sensor.take().context("no sensor runs")?;
        terminate(&child);
        child.wait()?;
        Ok(())
    }

    /// Everything below: installation, log, the person's home.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the installation lies.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Home of the person.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What the sensor said on standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Folder with the programs.
    pub fn programs(&self) -> &Path {
        &self.programs.folder
    }

    /// `cmdai` as the person.
    pub fn cmdai(&self) -> Command {
        let mut command = self.programs.cmdai();
        self.dress(&mut command);
        command
    }

    /// `cmdai-enterprise` as the person.
    pub fn enterprise(&self) -> Command {
        let mut command = self.programs.enterprise();
        self.dress(&mut command);
        command
    }

    fn dress(&self, command: &mut Command) {
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command.current_dir(self.home().join("project"));
    }

    /// The person's environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        vec![
            ("HOME".to_owned(), text(self.home())),
            ("CMDAI_STATE_DIR".to_owned(), text(self.state())),
            (
                "PATH".to_owned(),
                format!("{}:{path}", self.programs.folder.display()),
            ),
            ("TERM".to_owned(), "dumb".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]
    }

    /// The sensor's state.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn status(&self) -> Result<Value> {
        let run = Run::of(
            self.enterprise()
                .args(["status", "--format", "json"])
                .arg("--state-dir")
                .arg(self.state()),
        )?;
        Ok(serde_json::from_str(&run.good()?)?)
    }

    /// This machine's identifier.
    ///
    /// # Errors
    /// Where the sensor does not answer.
    pub fn id(&self) -> Result<String> {
        Ok(self
            .status()?
            .get("machine_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned())
    }
}

fn terminate(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut child) = self.sensor.take() {
            terminate(&child);
            std::thread::sleep(Duration::from_millis(200));
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
