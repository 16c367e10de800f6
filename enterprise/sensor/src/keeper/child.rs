//! Starting the courier without root's rights.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::accounts;
use crate::options::CourierProgram;

/// A courier and our end of the socket pair. Dropping it ends the courier.
pub(crate) struct Child {
    pub(crate) stream: UnixStream,
    process: std::process::Child,
}

impl Child {
    /// Starts the program. Where we are root it gets the account's uid and gid and no other group,
    /// before its first instruction.
    pub(crate) fn start((program, arguments): &CourierProgram, account: &str) -> Result<Self> {
        let (ours, theirs) = UnixStream::pair().context("cannot make a socket pair")?;
        // A courier that stops reading must not stop us.
        ours.set_write_timeout(Some(Duration::from_secs(10)))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        if rustix::process::geteuid().is_root() {
            let account = accounts::all()
                .into_iter()
                .find(|known| known.login == account)
                .with_context(|| format!("there is no account {account} to run the courier as"))?;
            command
                .uid(account.uid)
                .gid(account.gid)
                .env("CMDAI_COURIER_UNPRIVILEGED", "1");
        }
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            stream: ours,
            process,
        })
    }
}

impl Child {
    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
