//! A server process and an operator at its command line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Programs, Run, eventually, programs};

/// Password of everybody in tests.
pub const PASSWORD: &str = "correct-horse-battery";

/// A running server; ended when dropped.
pub struct Server {
    programs: Programs,
    folder: TempDir,
    child: Child,
    ports: (u16, u16),
    /// Console address.
    pub console: String,
    /// Machine address.
    pub machines: String,
}

impl Server {
    /// A fresh server, with `admin` signed in and `riya` (security) beside.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("cmdai-e2e-").tempdir()?;
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        let child = spawn(&programs, folder.path(), (0, 0))?;
        let mut server = Self {
            programs,
            folder,
            child,
            ports: (0, 0),
            console: String::new(),
            machines: String::new(),
        };
        server.ready()?;
        let signed_in =
            Run::of(
                server
                    .operator("admin")
                    .args(["login", "--server", &server.console]),
            )?;
        signed_in.good().context("signing in")?;
        Ok(server)
    }

    fn ready(&mut self) -> Result<()> {
        let note = self.data().join("running.json");
        let pid = self.child.id();
        let state: Value = eventually("the server's start", Duration::from_secs(30), || {
            let state: Value = serde_json::from_slice(&std::fs::read(&note)?)?;
            if state.get("pid").and_then(Value::as_u64) != Some(u64::from(pid)) {
                bail!("an older note");
            }
            Ok(state)
        })
        .with_context(|| self.log())?;
        let text = |key: &str| {
            state
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.console = text("console_url");
        self.machines = text("machine_url");
        let port = |url: &str| {
            url.rsplit(':')
                .next()
                .and_then(|port| port.trim_end_matches('/').parse().ok())
                .unwrap_or(0)
        };
        self.ports = (port(&self.console), port(&self.machines));
        Ok(())
    }

    /// Everything the server keeps.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything below: data, log, the operators' homes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server said on standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// `cmdai-enterprise` as somebody with a home of their own.
    pub fn operator(&self, who: &str) -> Command {
        let home = self.folder.path().join("home").join(who);
        let _ = std::fs::create_dir_all(&home);
        let mut command = self.programs.enterprise();
        command.env("HOME", home).env("CMDAI_PASSWORD", PASSWORD);
        command
    }

    /// Runs an operator's command.
    ///
    /// # Errors
    /// Where it fails.
    pub fn admin(&self, arguments: &[&str]) -> Result<String> {
        Run::of(self.operator("admin").args(arguments))?.good()
    }

    /// Rows of a search, newest first.
    ///
    /// # Errors
    /// Where the search fails.
    pub fn query(&self, query: &str) -> Result<Vec<Value>> {
        let printed = self.admin(&["query", "--format", "json", "--limit", "5000", query])?;
        printed
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// An answer of the API.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.admin(&["api", path])?)?)
    }

    /// The request that waits for an approval, once it is there.
    ///
    /// # Errors
    /// Where none comes in time.
    pub fn waiting(&self) -> Result<Value> {
        eventually("a request that waits", Duration::from_secs(5), || {
            let list = self.get("approvals?status=pending")?;
            let first = list
                .get("approvals")
                .and_then(Value::as_array)
                .and_then(|list| list.first());
            first.cloned().context("nobody waits yet")
        })
    }

    /// A token for one machine.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn token(&self, person: &str) -> Result<String> {
        let printed = self.admin(&["fleet", "token", "--person", person, "--team", "platform"])?;
        let token = printed
            .split_whitespace()
            .find(|word| word.starts_with("cmdai1."))
            .context("no token printed")?;
        Ok(token.to_owned())
    }

    /// Publishes a policy.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn publish(&self, source: &str) -> Result<()> {
        let file = self.folder.path().join("policy.yaml");
        std::fs::write(&file, source)?;
        self.admin(&[
            "policy",
            "publish",
            &file.to_string_lossy(),
            "--note",
            "test",
        ])
        .map(drop)
    }

    /// Ends the server as a crash would.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same ports and data.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.child = spawn(&self.programs, self.folder.path(), self.ports)?;
        self.ready()
    }
}

fn spawn(programs: &Programs, folder: &Path, ports: (u16, u16)) -> Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let child = programs
        .enterprise()
        .args(["server", "--organisation", "acme", "--silent-after", "20"])
        .args([
            "--listen",
            &format!("127.0.0.1:{}", ports.0),
            "--machines",
            &format!("127.0.0.1:{}", ports.1),
        ])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--admin-password-file")
        .arg(folder.join("password"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?;
    Ok(child)
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        std::thread::sleep(Duration::from_millis(200));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
