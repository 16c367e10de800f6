//! The organisation's policy, fetched and verified once for the whole fleet.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, anyhow};
use cmdai_bundle::{Consumer, RepositoryFile};

use crate::judge::Judge;
use crate::net::Server;

/// The policy in force, shared by all machines.
pub(crate) struct Release {
    judge: RwLock<Arc<Judge>>,
    organisation: String,
    consumer: Consumer,
    folder: tempfile::TempDir,
    fetching: tokio::sync::Mutex<()>,
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
        let judge = match fetch(server, &consumer, folder.path(), organisation).await {
            Ok(Some(judge)) => judge,
            Ok(None) if !fallback.is_empty() => Judge::new(fallback, organisation, "")?,
            Ok(None) => {
                return Err(anyhow!(
                    "the server has no policy and none was given: publish one first"
                ));
            }
            Err(error) => return Err(error.context("the policy of the server cannot be used")),
        };
        Ok(Self {
            judge: RwLock::new(Arc::new(judge)),
            organisation: organisation.to_owned(),
            consumer,
            folder,
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// The policy in force.
    pub(crate) fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.judge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes sure that `version` or a newer one is in force.
    pub(crate) async fn follow(&self, server: &Server, version: &str) -> Result<Arc<Judge>> {
        let _one = self.fetching.lock().await;
        let now = self.judge();
        if now.version == version {
            return Ok(now);
        }
        let fresh = fetch(
            server,
            &self.consumer,
            self.folder.path(),
            &self.organisation,
        )
        .await?;
        let fresh = Arc::new(
            fresh.with_context(|| format!("the server speaks of policy {version} but has none"))?,
        );
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }
}

/// Carries the files of the newest release and verifies it. Nothing where there is none.
async fn fetch(
    server: &Server,
    consumer: &Consumer,
    folder: &std::path::Path,
    organisation: &str,
) -> Result<Option<Judge>> {
    let repository = folder.join("repository");
    let get = async |file: &RepositoryFile| -> Result<Option<Vec<u8>>> {
        let path = file.path();
        let Some(bytes) = server
            .file(&path)
            .await
            .map_err(|error| anyhow!("{path}: {error}"))?
        else {
            return Ok(None);
        };
        let place = repository.join(&path);
        std::fs::create_dir_all(place.parent().unwrap_or(&repository))?;
        std::fs::write(place, &bytes)?;
        Ok(Some(bytes))
    };
    std::fs::create_dir_all(repository.join("targets"))?;
    let Some(timestamp) = get(&RepositoryFile::timestamp()).await? else {
        return Ok(None);
    };
    let mut root = 1;
    while get(&cmdai_bundle::next_root(root)).await?.is_some() {
        root += 1;
    }
    let mut missing = "snapshot";
    let mut targets = None;
    if let Some(file) = cmdai_bundle::snapshot_file(&timestamp)
        && let Some(snapshot) = get(&file).await?
    {
        missing = "targets";
        if let Some(file) = cmdai_bundle::targets_file(&snapshot) {
            targets = get(&file).await?;
        }
    }
    let files = cmdai_bundle::target_files(
        &targets.with_context(|| format!("the release's {missing} cannot be fetched"))?,
    );
    if files.is_empty() {
        return Ok(None);
    }
    for file in &files {
        get(file)
            .await?
            .with_context(|| format!("{} is missing on the server", file.path()))?;
    }
    let release = consumer.verify(&repository).await?;
    Ok(Some(Judge::new(
        &release.policy_yaml,
        organisation,
        &release.version.to_string(),
    )?))
}
