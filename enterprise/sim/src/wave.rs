//! A wave: many connected machines reach a new release, and how long it takes each of them.
//!
//! Machines hold a contact open like real ones, fetch the release when they are woken, and verify it
//! with a memory of their own on disk, like a real keeper. Of how many machines that is true says
//! [`Options::verify_every`]; the others read the number out of the file without verifying. What is
//! left out in all of them: compiling the policy, and sealing the event that says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use cmdai_api::machine::{Checkin, EnrolReply, EnrolRequest};
use cmdai_bundle::{Bundle, Choice, Consumer};
use cmdai_schema::MachineManifest;
use rcgen::{CertificateParams, KeyPair};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::net::{Server, Trouble};
use crate::release::{stamp, verified};
use crate::tls;

/// How to make a wave.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many machines.
    pub machines: u32,
    /// Address of the machine listener, `https://…`.
    pub server: String,
    /// Enrolment token with enough uses.
    pub token: String,
    /// Every so many-th machine verifies the release in full; 1: every one.
    pub verify_every: u32,
    /// Where machines keep their memory; best a file system in memory, the disk is not what is measured.
    pub folder: PathBuf,
}

/// A machine has a release.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// Which release.
    pub version: u64,
    /// When.
    pub at: Instant,
}

/// Machines that are connected.
pub struct Wave {
    machines: u32,
    reached: mpsc::UnboundedReceiver<Reached>,
    tasks: JoinSet<Result<()>>,
}

impl Wave {
    /// Enrols the machines and waits until each has the release that is published now.
    ///
    /// # Errors
    /// Where one cannot enrol.
    pub async fn gather(options: Options) -> Result<Self> {
        ensure!(options.verify_every > 0, "every 0th machine makes no sense");
        let provider = tls::provider();
        let door = Server::new(
            &options.server,
            tls::pinned(&provider, &options.token)?,
            Duration::from_secs(30),
        )?;
        let (tell, reached) = mpsc::unbounded_channel();
        let shared = Arc::new((options, provider, door, Semaphore::new(32), tell));
        let mut tasks = JoinSet::new();
        for number in 0..shared.0.machines {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                let (options, provider, door, turn, tell) = &*shared;
                let turn = turn.acquire().await?;
                let key = KeyPair::generate()?;
                let csr_pem = CertificateParams::default()
                    .serialize_request(&key)?
                    .pem()?;
                let manifest = MachineManifest {
                    hostname: format!("wave-{number}"),
                    platform: "linux-x86_64".to_owned(),
                    ..MachineManifest::default()
                };
                let request = EnrolRequest {
                    token: options.token.clone(),
                    csr_pem,
                    manifest: manifest.clone(),
                };
                let reply = door
                    .enrol(&request)
                    .await
                    .map_err(|trouble| anyhow!("machine {number} cannot enrol: {trouble}"))?;
                let tls = tls::mutual(
                    provider,
                    &reply.ca_pem,
                    &reply.certificate_pem,
                    &key.serialize_pem(),
                )?;
                let server = Server::new(&options.server, tls, Duration::from_secs(90))?;
                drop(turn);
                let folder = options.folder.join(number.to_string());
                std::fs::create_dir_all(&folder).context("no room for a machine")?;
                let machine = Member {
                    server,
                    consumer: Consumer::new(reply.tuf_root.as_bytes(), folder.join("seen")),
                    folder,
                    verifies: number % options.verify_every == 0,
                    tell: tell.clone(),
                };
                machine.live(manifest, reply).await
            });
        }
        let mut wave = Self {
            machines: shared.0.machines,
            reached,
            tasks,
        };
        wave.all(Duration::from_secs(600)).await?;
        Ok(wave)
    }

    /// When each machine reached what is published next.
    ///
    /// # Errors
    /// Where it takes longer than `limit` or a machine fails.
    pub async fn all(&mut self, limit: Duration) -> Result<Vec<Reached>> {
        let end = tokio::time::sleep(limit);
        tokio::pin!(end);
        let mut list = Vec::new();
        while list.len() < self.machines as usize {
            tokio::select! {
                Some(reached) = self.reached.recv() => list.push(reached),
                Some(ended) = self.tasks.join_next() => ended??,
                () = &mut end => anyhow::bail!("{} of {} machines after {limit:?}", list.len(), self.machines),
            }
        }
        Ok(list)
    }
}

struct Member {
    server: Server,
    consumer: Consumer,
    folder: PathBuf,
    verifies: bool,
    tell: mpsc::UnboundedSender<Reached>,
}

impl Member {
    async fn live(self, manifest: MachineManifest, reply: EnrolReply) -> Result<()> {
        let mut checkin = Checkin {
            manifest: MachineManifest {
                machine_id: reply.machine_id.clone(),
                labels: reply.labels.clone(),
                ..manifest
            },
            ..Checkin::default()
        };
        let mut wait = 0;
        loop {
            let answer = match self.server.wait(&checkin, wait).await {
                Ok(answer) => answer,
                Err(Trouble::Wait(time)) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    continue;
                }
            };
            wait = 30;
            if answer.release.is_empty() || answer.release == checkin.release {
                continue;
            }
            let bundle = self
                .server
                .bundle(self.consumer.root_version())
                .await
                .map_err(|trouble| anyhow!("{trouble}"))?
                .context("the server has no bundles")?;
            let bundle = Bundle::parse(&bundle).map_err(|error| anyhow!(error))?;
            let seen = stamp(&bundle.files).context("nothing is published")?;
            let installed = checkin.policy_version.parse().ok();
            let taken = if self.verifies {
                let release = verified(&self.consumer, &self.folder, &bundle.files).await?;
                match release.choose(&reply.machine_id, &reply.labels, installed) {
                    Choice::Newest => Some(release.version),
                    Choice::Previous => release.spread.map(|spread| spread.previous.version),
                    Choice::Stay => None,
                }
            } else {
                answer.policy_version.parse().ok()
            };
            checkin.release = seen;
            if let Some(version) = taken
                && installed != Some(version)
            {
                checkin.policy_version = version.to_string();
                let at = Instant::now();
                if self.tell.send(Reached { version, at }).is_err() {
                    return Ok(());
                }
            }
        }
    }
}
