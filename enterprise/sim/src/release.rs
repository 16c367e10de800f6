//! Releases of the server: fetched once for each state, verified like on a machine, and chosen from
//! by each machine for itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, anyhow};
use cmdai_bundle::{
    Bundle, CarriedFile, Choice, Consumer, RepositoryFile, VerifiedRelease, unpack,
};
use cmdai_schema::Hash;

use crate::judge::Judge;
use crate::net::Server;

/// What is published, shared by all machines.
pub(crate) struct Release {
    now: RwLock<Arc<Now>>,
    organisation: String,
    consumer: Consumer,
    folder: tempfile::TempDir,
    fetching: tokio::sync::Mutex<()>,
}

struct Now {
    stamp: String,
    newest: Arc<Judge>,
    /// The verified release, with the one before where it spreads by rings.
    release: Option<(VerifiedRelease, Option<Arc<Judge>>)>,
}

impl Release {
    /// The server's newest release, or `fallback` where there is none yet.
    pub(crate) async fn first(
        server: &Server,
        root: &str,
        organisation: &str,
        fallback: &str,
    ) -> Result<Self> {
        let folder = tempfile::tempdir().context("no room for the policy")?;
        let consumer = Consumer::new(root.as_bytes(), folder.path().join("seen"));
        let found = fetch(server, &consumer, folder.path(), organisation).await;
        let now = match found.context("the policy of the server cannot be used")? {
            Some(now) => now,
            None if !fallback.is_empty() => Now {
                stamp: String::new(),
                newest: Arc::new(Judge::new(fallback, organisation, "")?),
                release: None,
            },
            None => {
                return Err(anyhow!(
                    "the server has no policy and none was given: publish one first"
                ));
            }
        };
        Ok(Self {
            now: RwLock::new(Arc::new(now)),
            organisation: organisation.to_owned(),
            consumer,
            folder,
            fetching: tokio::sync::Mutex::default(),
        })
    }

    fn now(&self) -> Arc<Now> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy that a machine takes, by its own id and labels; nothing where it keeps its own.
    pub(crate) fn choose(
        &self,
        machine_id: &str,
        labels: &BTreeMap<String, String>,
        installed: Option<u64>,
    ) -> Option<Arc<Judge>> {
        let now = self.now();
        let Some((release, previous)) = &now.release else {
            return Some(Arc::clone(&now.newest));
        };
        match release.choose(machine_id, labels, installed) {
            Choice::Newest => Some(Arc::clone(&now.newest)),
            Choice::Previous => previous.clone(),
            Choice::Stay => None,
        }
    }

    /// Stamp of the state that is known.
    pub(crate) fn stamp(&self) -> String {
        self.now().stamp.clone()
    }

    /// Makes sure that the state of this stamp, or a newer one, is known.
    pub(crate) async fn follow(&self, server: &Server, stamp: &str) -> Result<()> {
        let _one = self.fetching.lock().await;
        if self.stamp() == stamp {
            return Ok(());
        }
        let found = fetch(
            server,
            &self.consumer,
            self.folder.path(),
            &self.organisation,
        )
        .await?;
        let fresh = found.context("the server speaks of a policy but has none")?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }
}

/// Carries the newest state here and verifies it. Nothing where nothing was published.
async fn fetch(
    server: &Server,
    consumer: &Consumer,
    folder: &Path,
    organisation: &str,
) -> Result<Option<Now>> {
    let trouble = |error: crate::net::Trouble| anyhow!("release: {error}");
    let root = consumer.root_version();
    let files = match server.bundle(root).await.map_err(trouble)? {
        Some(bytes) => Bundle::parse(&bytes).map_err(|error| anyhow!(error))?.files,
        None => piece_by_piece(server, root).await?,
    };
    let Some(stamp) = stamp(&files) else {
        return Ok(None);
    };
    match verified(consumer, folder, &files).await {
        Ok(release) => {
            let judge = |policy: &str, version: u64| {
                Judge::new(policy, organisation, &version.to_string()).map(Arc::new)
            };
            let newest = judge(&release.policy_yaml, release.version)?;
            let previous = release
                .spread
                .as_ref()
                .map(|spread| judge(&spread.previous_policy, spread.previous.version))
                .transpose()?;
            Ok(Some(Now {
                stamp,
                newest,
                release: Some((release, previous)),
            }))
        }
        Err(error) if matches!(error.downcast_ref(), Some(cmdai_bundle::BundleError::Empty)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Identifies a state.
pub(crate) fn stamp(files: &[CarriedFile]) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let timestamp = files.iter().find(|file| file.name == "timestamp.json")?;
    let bytes = STANDARD.decode(&timestamp.content).ok()?;
    Some(Hash::of(&[&bytes]).to_hex())
}

/// Verifies carried files as a machine does.
pub(crate) async fn verified(
    consumer: &Consumer,
    folder: &Path,
    files: &[CarriedFile],
) -> Result<VerifiedRelease> {
    let staging = folder.join("staging");
    let _ = std::fs::remove_dir_all(&staging);
    for part in ["metadata", "targets"] {
        std::fs::create_dir_all(staging.join(part))?;
    }
    unpack(&staging, files).map_err(|error| anyhow!(error))?;
    Ok(consumer.verify(&staging).await?)
}

/// From a server that has no bundles.
async fn piece_by_piece(server: &Server, root: u64) -> Result<Vec<CarriedFile>> {
    let mut files = Vec::new();
    let mut get = async |file: RepositoryFile| -> Result<Option<Vec<u8>>> {
        let path = file.path();
        let bytes = server
            .file(&path)
            .await
            .map_err(|error| anyhow!("{path}: {error}"))?;
        if let Some(bytes) = &bytes {
            files.push(CarriedFile::of(file.folder, &file.name, bytes));
        }
        Ok(bytes)
    };
    let mut version = root;
    while get(cmdai_bundle::next_root(version)).await?.is_some() {
        version += 1;
    }
    if let Some(timestamp) = get(RepositoryFile::timestamp()).await?
        && let Some(file) = cmdai_bundle::snapshot_file(&timestamp)
        && let Some(snapshot) = get(file).await?
    {
        for file in [
            cmdai_bundle::targets_file(&snapshot),
            cmdai_bundle::progress_file(&snapshot),
        ]
        .into_iter()
        .flatten()
        {
            if let Some(metadata) = get(file).await? {
                for target in cmdai_bundle::target_files(&metadata) {
                    get(target).await?;
                }
            }
        }
    }
    Ok(files)
}
