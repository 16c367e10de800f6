//! Releases: good ones, and every way of cheating that has a name.

use std::path::{Path, PathBuf};
use std::process::Command;

use cmdai_api::machine::Authority;
use cmdai_bundle::{
    BundleError, Consumer, Lifetimes, PublishError, Publisher, RepositoryFile, VerifiedRelease,
};
use jiff::SignedDuration;

const POLICY: &str = "version: \"1.0\"\norganization: acme-corp\n";

struct Stage {
    dir: tempfile::TempDir,
    publisher: Publisher,
}

impl Stage {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let publisher = Publisher::init(&dir.path().join("tuf"), "acme-corp")
            .await
            .unwrap();
        Self { dir, publisher }
    }

    async fn published(version: u64) -> Self {
        let stage = Self::new().await;
        stage
            .publisher
            .publish(POLICY, version, &authority())
            .await
            .unwrap();
        stage
    }

    fn consumer(&self) -> Consumer {
        Consumer::new(
            self.publisher.root_json().unwrap(),
            self.dir.path().join("seen"),
        )
    }

    async fn verify(&self) -> Result<VerifiedRelease, BundleError> {
        self.consumer().verify(&self.publisher.repo_dir()).await
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(name);
        assert!(
            Command::new("cp")
                .arg("-r")
                .arg(self.publisher.repo_dir())
                .arg(&to)
                .status()
                .unwrap()
                .success()
        );
        to
    }

    fn file(&self, folder: &str, ending: &str) -> PathBuf {
        std::fs::read_dir(self.publisher.repo_dir().join(folder))
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .max()
            .unwrap()
    }
}

fn authority() -> Authority {
    Authority {
        version: 1,
        grant_keys: vec!["Z3JhbnQ=".into()],
        order_keys: vec!["b3JkZXI=".into()],
    }
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no {from}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[tokio::test]
async fn a_release_arrives_whole_and_moves_on() {
    let stage = Stage::new().await;
    assert!(matches!(stage.verify().await, Err(BundleError::Empty)));
    let made = stage
        .publisher
        .publish(POLICY, 7, &authority())
        .await
        .unwrap();
    let release = stage.verify().await.unwrap();
    assert_eq!(
        (
            release.version,
            release.policy_yaml.as_str(),
            &release.authority
        ),
        (7, POLICY, &authority())
    );
    assert_eq!(
        (release.sha256, release.published),
        (made.sha256.clone(), made.published.clone())
    );
    assert_eq!(release.organisation, "acme-corp");
    assert_eq!(stage.publisher.newest().unwrap(), Some(made));

    stage.publisher.refresh().await.unwrap();
    let refreshed = stage.verify().await.unwrap();
    assert_eq!(refreshed.version, 7);
    assert_eq!(refreshed.timestamp_version, release.timestamp_version + 1);

    assert!(matches!(
        stage.publisher.publish(POLICY, 7, &authority()).await,
        Err(PublishError::Version {
            given: 7,
            newest: 7
        })
    ));
    // Somebody else opens the same repository later, without the root key.
    std::fs::remove_dir_all(stage.dir.path().join("tuf/keys/offline")).unwrap();
    let again = Publisher::open(&stage.dir.path().join("tuf")).unwrap();
    again
        .publish("version: \"1.0\"\n", 8, &authority())
        .await
        .unwrap();
    assert_eq!(stage.verify().await.unwrap().version, 8);
}

#[tokio::test]
async fn init_never_replaces_a_repository() {
    let stage = Stage::published(1).await;
    assert!(matches!(
        Publisher::init(&stage.dir.path().join("tuf"), "x").await,
        Err(PublishError::Exists(_))
    ));
    assert!(matches!(
        Publisher::open(&stage.dir.path().join("none")),
        Err(PublishError::Missing(_))
    ));
    assert_eq!(
        Publisher::open_or_init(&stage.dir.path().join("tuf"), "x")
            .await
            .unwrap()
            .newest()
            .unwrap()
            .unwrap()
            .version,
        1
    );
}

#[tokio::test]
async fn a_tampered_target_is_refused() {
    let stage = Stage::published(1).await;
    replace(&stage.file("targets", "policy.yaml"), "acme", "evil");
    let error = stage.verify().await.unwrap_err();
    assert!(
        matches!(&error, BundleError::Tampered { what } if what.contains("policy.yaml")),
        "{error}"
    );
}

#[tokio::test]
async fn tampered_metadata_is_refused() {
    for (ending, from, to) in [
        ("timestamp.json", "\"version\": 2", "\"version\": 9"),
        ("snapshot.json", "\"version\": 2", "\"version\": 3"),
        ("targets.json", "\"length\"", "\"lenght\""),
    ] {
        let stage = Stage::published(1).await;
        replace(&stage.file("metadata", ending), from, to);
        let error = stage.verify().await.unwrap_err();
        assert!(
            matches!(error, BundleError::Tampered { .. }),
            "{ending}: {error}"
        );
    }
}

#[tokio::test]
async fn an_older_repository_is_a_rollback() {
    let stage = Stage::published(1).await;
    let old = stage.copy("old");
    stage
        .publisher
        .publish("version: \"1.0\"\n", 2, &authority())
        .await
        .unwrap();
    assert_eq!(stage.verify().await.unwrap().version, 2);
    let error = stage.consumer().verify(&old).await.unwrap_err();
    assert!(matches!(error, BundleError::Rollback { .. }), "{error}");
    // Also where only the newest timestamp is kept and the rest is old.
    std::fs::copy(
        stage.publisher.repo_dir().join("metadata/timestamp.json"),
        old.join("metadata/timestamp.json"),
    )
    .unwrap();
    assert!(stage.consumer().verify(&old).await.is_err());
    assert_eq!(stage.verify().await.unwrap().version, 2);
}

#[tokio::test]
async fn expired_metadata_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lifetimes = Lifetimes {
        freshness: SignedDuration::from_secs(-5),
        ..Lifetimes::default()
    };
    let publisher = Publisher::init_with(dir.path(), "acme-corp", lifetimes)
        .await
        .unwrap();
    publisher.publish(POLICY, 1, &authority()).await.unwrap();
    let consumer = Consumer::new(publisher.root_json().unwrap(), dir.path().join("seen"));
    let error = consumer.verify(&publisher.repo_dir()).await.unwrap_err();
    assert!(
        matches!(&error, BundleError::Expired { role } if role == "timestamp"),
        "{error}"
    );
    // The same repository, refreshed, is good again.
    Publisher::open(dir.path())
        .unwrap()
        .refresh()
        .await
        .unwrap();
    assert_eq!(
        consumer
            .verify(&publisher.repo_dir())
            .await
            .unwrap()
            .version,
        1
    );
}

#[tokio::test]
async fn another_root_is_refused() {
    let ours = Stage::published(1).await;
    let theirs = Stage::published(1).await;
    let consumer = Consumer::new(
        ours.publisher.root_json().unwrap(),
        ours.dir.path().join("seen"),
    );
    let error = consumer
        .verify(&theirs.publisher.repo_dir())
        .await
        .unwrap_err();
    assert!(matches!(error, BundleError::WrongKey { .. }), "{error}");
    let error = Consumer::new("{}", ours.dir.path().join("other"))
        .verify(&ours.publisher.repo_dir())
        .await
        .unwrap_err();
    assert!(matches!(error, BundleError::Root { .. }), "{error}");
}

#[tokio::test]
async fn oversize_is_refused_on_both_sides() {
    let stage = Stage::published(1).await;
    let long = "#".repeat(usize::try_from(cmdai_bundle::MAX_POLICY).unwrap() + 1);
    assert!(matches!(
        stage.publisher.publish(&long, 2, &authority()).await,
        Err(PublishError::Oversize { .. })
    ));
    let policy = stage.file("targets", "policy.yaml");
    std::fs::write(&policy, POLICY.repeat(3)).unwrap();
    let error = stage.verify().await.unwrap_err();
    assert!(
        matches!(
            error,
            BundleError::Oversize { .. } | BundleError::Tampered { .. }
        ),
        "{error}"
    );
    std::fs::write(
        stage.publisher.repo_dir().join("metadata/timestamp.json"),
        " ".repeat(1 << 20),
    )
    .unwrap();
    assert!(matches!(
        stage.verify().await,
        Err(BundleError::Oversize { .. })
    ));
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let stage = Stage::published(1).await;
    std::fs::remove_file(stage.file("targets", "policy.yaml")).unwrap();
    let error = stage.verify().await.unwrap_err();
    assert!(
        matches!(&error, BundleError::Incomplete { what } if what.contains("policy.yaml")),
        "{error}"
    );
}

#[tokio::test]
async fn a_clock_that_stepped_back_does_not_lock_out() {
    let stage = Stage::published(1).await;
    stage.verify().await.unwrap();
    std::fs::write(
        stage.dir.path().join("seen/latest_known_time.json"),
        "\"2199-01-01T00:00:00Z\"",
    )
    .unwrap();
    let release = stage.verify().await.unwrap();
    assert!(release.clock_stepped_back);
    assert!(!stage.verify().await.unwrap().clock_stepped_back);
}

#[tokio::test]
async fn a_carrier_finds_every_file_without_trust() {
    let stage = Stage::published(3).await;
    let repo = stage.publisher.repo_dir();
    let staging = stage.dir.path().join("staging");
    let fetch = |file: &RepositoryFile| {
        let bytes = std::fs::read(repo.join(file.path())).ok()?;
        std::fs::create_dir_all(staging.join(file.folder)).unwrap();
        std::fs::write(staging.join(file.path()), &bytes).unwrap();
        Some(bytes)
    };
    assert_eq!(fetch(&cmdai_bundle::next_root(1)), None);
    let timestamp = fetch(&RepositoryFile::timestamp()).unwrap();
    let snapshot = fetch(&cmdai_bundle::snapshot_file(&timestamp).unwrap()).unwrap();
    let targets = fetch(&cmdai_bundle::targets_file(&snapshot).unwrap()).unwrap();
    let files = cmdai_bundle::target_files(&targets);
    assert_eq!(files.len(), 4);
    let progress = fetch(&cmdai_bundle::progress_file(&snapshot).unwrap()).unwrap();
    for file in files.iter().chain(&cmdai_bundle::target_files(&progress)) {
        fetch(file).unwrap();
    }
    assert_eq!(stage.consumer().verify(&staging).await.unwrap().version, 3);
    assert_eq!(cmdai_bundle::snapshot_file(b"nonsense"), None);
    assert!(
        cmdai_bundle::target_files(
            br#"{"signed":{"targets":{"policy.yaml":{"hashes":{"sha256":"../x"}}}}}"#
        )
        .is_empty()
    );
}
