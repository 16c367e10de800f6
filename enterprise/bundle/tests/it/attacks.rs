//! One test for each attack that the design of releases is to withstand.
//!
//! | attack | test | answer |
//! |---|---|---|
//! | arbitrary package | [`arbitrary_package`] | tampered |
//! | rollback | [`rollback`] | rollback |
//! | indefinite freeze | [`freeze`] | expired; nothing is unloaded |
//! | expired metadata | [`expired_release`] | expired |
//! | mix and match | [`mix_and_match`] | tampered |
//! | endless data | [`endless_data`] | oversize, by bounds on each file |
//! | slow retrieval | `sensor/tests/it/roads.rs` | given up after a bounded time |
//! | wrong keys | [`wrong_keys`] | wrong key |
//! | wrong threshold | [`wrong_threshold`] | refused |
//! | revoked key | [`revoked_key`] | refused, also by who missed the revocation's release |
//! | fast-forward | [`fast_forward`] | new online keys bring machines back |
//! | progress key signs what it may not | [`progress_beyond_its_duty`] | overreach, or not looked at |

use std::path::{Path, PathBuf};

use cmdai_bundle::rings::Progress;
use cmdai_bundle::*;
use ed25519_dalek::Signer as _;
use jiff::SignedDuration;
use serde_json::Value;
use tough::schema::{Signed, Snapshot, Targets, Timestamp};

use crate::people::{consumer, content, governed, key, signed};

const POLICY: &str = "version: \"1.0\"\norganization: acme-corp\n";
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

struct Stage {
    dir: tempfile::TempDir,
    publisher: Publisher,
    consumer: Consumer,
}

/// A governed organisation; the machine has seen release 1.
async fn stage() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    let consumer = consumer(&publisher, dir.path());
    consumer.verify(&publisher.repo_dir()).await.unwrap();
    Stage {
        dir,
        publisher,
        consumer,
    }
}

impl Stage {
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(name);
        copy(&self.publisher.repo_dir(), &to);
        to
    }

    fn online(&self, name: &str) -> SigningKey {
        keys::load(&self.dir.path().join(format!("tuf/keys/{name}.der"))).unwrap()
    }

    async fn refusal(&self, repo: &Path) -> BundleError {
        let refused = self.consumer.verify(repo).await.unwrap_err();
        // Whatever is shown, the truth is believed afterwards.
        let good = self.consumer.verify(&self.publisher.repo_dir()).await;
        assert!(good.is_ok(), "{good:?} after {refused}");
        refused
    }
}

fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp")
        .arg("-r")
        .args([from, to])
        .status();
    assert!(done.unwrap().success());
}

fn newest(folder: &Path, ending: &str) -> PathBuf {
    let number = |path: &PathBuf| -> u64 {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.split('.').next().unwrap().parse().unwrap_or(0)
    };
    std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .max_by_key(number)
        .unwrap()
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Signs metadata anew with stolen keys.
fn forge<R: tough::schema::Role + serde::Serialize>(role: &mut Signed<R>, keys: &[&SigningKey]) {
    role.signatures.clear();
    let form = role.signed.canonical_form().unwrap();
    for key in keys {
        let id = PublicId::of(key);
        role.signatures.push(tough::schema::Signature {
            keyid: id.0.parse().unwrap(),
            sig: key.sign(&form).to_bytes().to_vec().into(),
        });
    }
}

struct PublicId(String);

impl PublicId {
    fn of(key: &SigningKey) -> Self {
        let public: String = key
            .verifying_key()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let key: tough::schema::key::Key = serde_json::from_value(serde_json::json!({
            "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}
        }))
        .unwrap();
        Self(
            serde_json::to_value(key.key_id().unwrap())
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned(),
        )
    }
}

/// With stolen snapshot and timestamp keys: makes files of `repo` count, whatever they are.
fn make_count(stage: &Stage, repo: &Path, name: &str, file: &Path, ahead: u64) {
    let metadata = repo.join("metadata");
    let bytes = std::fs::read(file).unwrap();
    let version = read::<Value>(file)["signed"]["version"].as_u64().unwrap();
    let meta = |bytes: &[u8], version: u64| {
        serde_json::from_value(serde_json::json!({
            "length": bytes.len(), "version": version,
            "hashes": {"sha256": cmdai_schema::Hash::of(&[bytes]).to_hex()}
        }))
        .unwrap()
    };
    let mut snapshot: Signed<Snapshot> = read(&newest(&metadata, "snapshot.json"));
    snapshot
        .signed
        .meta
        .insert(name.to_owned(), meta(&bytes, version));
    let number = snapshot.signed.version.get() + ahead;
    snapshot.signed.version = number.try_into().unwrap();
    forge(&mut snapshot, &[&stage.online("snapshot")]);
    let bytes = serde_json::to_vec(&snapshot).unwrap();
    std::fs::write(metadata.join(format!("{number}.snapshot.json")), &bytes).unwrap();
    let mut timestamp: Signed<Timestamp> = read(&metadata.join("timestamp.json"));
    let next = timestamp.signed.version.get() + ahead;
    timestamp.signed.version = next.try_into().unwrap();
    timestamp
        .signed
        .meta
        .insert("snapshot.json".to_owned(), meta(&bytes, number));
    forge(&mut timestamp, &[&stage.online("timestamp")]);
    std::fs::write(
        metadata.join("timestamp.json"),
        serde_json::to_vec(&timestamp).unwrap(),
    )
    .unwrap();
}

#[tokio::test]
async fn arbitrary_package() {
    let stage = stage().await;
    let bad = stage.copy("bad");
    let policy = newest(&bad.join("targets"), ".policy.yaml");
    std::fs::write(&policy, POLICY.replace("acme", "evil")).unwrap();
    let refused = stage.refusal(&bad).await;
    assert!(matches!(refused, BundleError::Tampered { .. }), "{refused}");
}

#[tokio::test]
async fn rollback() {
    let stage = stage().await;
    let old = stage.copy("old");
    signed(&stage.publisher, &content(2, POLICY), &[11, 12])
        .await
        .unwrap();
    assert_eq!(
        stage
            .consumer
            .verify(&stage.publisher.repo_dir())
            .await
            .unwrap()
            .version,
        2
    );
    let refused = stage.refusal(&old).await;
    assert!(matches!(refused, BundleError::Rollback { .. }), "{refused}");
    // With stolen online keys the old targets are shown under fresh numbers.
    let targets = newest(&old.join("metadata"), ".targets.json");
    make_count(&stage, &old, "targets.json", &targets, 5);
    let refused = stage.refusal(&old).await;
    assert!(matches!(refused, BundleError::Rollback { .. }), "{refused}");
    // So with how far the rings are open.
    stage
        .publisher
        .set_progress(&Progress::closed(2))
        .await
        .unwrap();
    stage
        .consumer
        .verify(&stage.publisher.repo_dir())
        .await
        .unwrap();
    let again = stage.copy("again");
    let progress = again.join("metadata/1.progress.json");
    make_count(&stage, &again, "progress.json", &progress, 5);
    let refused = stage.refusal(&again).await;
    assert!(matches!(refused, BundleError::Rollback { .. }), "{refused}");
}

#[tokio::test]
async fn freeze() {
    let stage = stage().await;
    // The server is kept from machines; what they are shown runs out.
    let frozen = stage.copy("frozen");
    let mut timestamp: Signed<Timestamp> = read(&frozen.join("metadata/timestamp.json"));
    timestamp.signed.expires = "2020-01-01T00:00:00Z".parse().unwrap();
    forge(&mut timestamp, &[&stage.online("timestamp")]);
    std::fs::write(
        frozen.join("metadata/timestamp.json"),
        serde_json::to_vec(&timestamp).unwrap(),
    )
    .unwrap();
    let refused = stage.refusal(&frozen).await;
    assert!(
        matches!(&refused, BundleError::Expired { role } if role == "timestamp"),
        "{refused}"
    );
}

#[tokio::test]
async fn expired_release() {
    let stage = stage().await;
    // People's signature over a release ends too: stolen online keys cannot keep it alive for ever.
    let old = stage.copy("old");
    let path = newest(&old.join("metadata"), ".targets.json");
    let mut targets: Signed<Targets> = read(&path);
    targets.signed.expires = "2020-01-01T00:00:00Z".parse().unwrap();
    forge(&mut targets, &[&key(11), &key(12)]);
    std::fs::write(&path, serde_json::to_vec(&targets).unwrap()).unwrap();
    make_count(&stage, &old, "targets.json", &path, 1);
    let refused = stage.consumer.verify(&old).await.unwrap_err();
    assert!(
        matches!(&refused, BundleError::Expired { role } if role == "targets"),
        "{refused}"
    );
}

#[tokio::test]
async fn mix_and_match() {
    let stage = stage().await;
    let first = stage.copy("first");
    signed(&stage.publisher, &content(2, POLICY), &[11, 12])
        .await
        .unwrap();
    // The newest list, and under the new name the old release's metadata.
    let mixed = stage.copy("mixed");
    let (old, new) = (
        newest(&first.join("metadata"), ".targets.json"),
        newest(&mixed.join("metadata"), ".targets.json"),
    );
    std::fs::copy(old, new).unwrap();
    let refused = stage.refusal(&mixed).await;
    assert!(matches!(refused, BundleError::Tampered { .. }), "{refused}");
}

#[tokio::test]
async fn endless_data() {
    let stage = stage().await;
    for (folder, ending) in [
        ("metadata", "timestamp.json"),
        ("metadata", ".snapshot.json"),
        ("metadata", ".targets.json"),
        ("targets", ".policy.yaml"),
    ] {
        let bad = stage.copy(&format!("endless{ending}"));
        let path = newest(&bad.join(folder), ending);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.resize(64 << 20, b' ');
        std::fs::write(&path, bytes).unwrap();
        let refused = stage.refusal(&bad).await;
        assert!(
            matches!(
                refused,
                BundleError::Oversize { .. } | BundleError::Tampered { .. }
            ),
            "{ending}: {refused}"
        );
    }
    // A chain of roots without end is followed for a while only.
    assert!(
        Bundle::parse(&vec![b' '; 9 << 20])
            .unwrap_err()
            .contains("longer than")
    );
    let many = vec![CarriedFile::of("metadata", "x", b""); MAX_FILES + 1];
    assert!(unpack(stage.dir.path(), &many).is_err());
}

#[tokio::test]
async fn wrong_keys() {
    let stage = stage().await;
    for (ending, wrong) in [(".targets.json", 99), ("timestamp.json", 98)] {
        let bad = stage.copy(&format!("wrong{wrong}"));
        let path = newest(&bad.join("metadata"), ending);
        if ending == ".targets.json" {
            let mut role: Signed<Targets> = read(&path);
            forge(&mut role, &[&key(wrong), &key(wrong - 1)]);
            std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
            make_count(&stage, &bad, "targets.json", &path, 1);
        } else {
            let mut role: Signed<Timestamp> = read(&path);
            forge(&mut role, &[&key(wrong)]);
            std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
        }
        let refused = stage.consumer.verify(&bad).await.unwrap_err();
        assert!(
            matches!(refused, BundleError::WrongKey { .. }),
            "{ending}: {refused}"
        );
    }
}

#[tokio::test]
async fn wrong_threshold() {
    let stage = stage().await;
    for (name, signers) in [("one", vec![11]), ("twice", vec![11, 11])] {
        let bad = stage.copy(name);
        let path = newest(&bad.join("metadata"), ".targets.json");
        let mut role: Signed<Targets> = read(&path);
        let signers: Vec<SigningKey> = signers.into_iter().map(key).collect();
        forge(&mut role, &signers.iter().collect::<Vec<_>>());
        std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
        make_count(&stage, &bad, "targets.json", &path, 1);
        let refused = stage.consumer.verify(&bad).await.unwrap_err();
        assert!(
            matches!(
                refused,
                BundleError::Tampered { .. } | BundleError::WrongKey { .. }
            ),
            "{name}: {refused}"
        );
    }
}

#[tokio::test]
async fn revoked_key() {
    let stage = stage().await;
    let before = RootFile::parse(&stage.publisher.root_json().unwrap()).unwrap();
    let mut root = before
        .next(&Change::Revoke("person 11".into()), YEAR)
        .unwrap();
    root.sign(&key(1), Some(&before)).unwrap();
    root.sign(&key(2), Some(&before)).unwrap();
    stage
        .publisher
        .propose_root(&root.text().unwrap())
        .await
        .unwrap();
    // Whoever stole key 11, and the online ones, signs a release with it and another stolen key.
    let bad = stage.copy("bad");
    std::fs::write(bad.join("metadata/2.root.json"), root.text().unwrap()).unwrap();
    let path = newest(&bad.join("metadata"), ".targets.json");
    let mut role: Signed<Targets> = read(&path);
    role.signed.version = 9.try_into().unwrap();
    forge(&mut role, &[&key(11), &key(12)]);
    let fresh = bad.join("metadata/9.targets.json");
    std::fs::write(&fresh, serde_json::to_vec(&role).unwrap()).unwrap();
    make_count(&stage, &bad, "targets.json", &fresh, 1);
    assert!(stage.consumer.verify(&bad).await.is_err());
    // The machine has seen the revocation: it holds although the release was refused and nobody
    // shows the new root any more.
    assert_eq!(stage.consumer.root_version(), 2);
    std::fs::remove_file(bad.join("metadata/2.root.json")).unwrap();
    assert!(stage.consumer.verify(&bad).await.is_err());
    signed(&stage.publisher, &content(2, POLICY), &[12, 13])
        .await
        .unwrap();
    assert_eq!(
        stage
            .consumer
            .verify(&stage.publisher.repo_dir())
            .await
            .unwrap()
            .version,
        2
    );
}

#[tokio::test]
async fn fast_forward() {
    let stage = stage().await;
    // Stolen online keys push the numbers as far as they go.
    let far = stage.copy("far");
    let targets = newest(&far.join("metadata"), ".targets.json");
    make_count(&stage, &far, "targets.json", &targets, 1 << 50);
    stage.consumer.verify(&far).await.unwrap();
    let stuck = stage
        .consumer
        .verify(&stage.publisher.repo_dir())
        .await
        .unwrap_err();
    assert!(matches!(stuck, BundleError::Rollback { .. }), "{stuck}");
    // The server gets new keys, people name them, machines come back.
    for name in ["snapshot", "timestamp"] {
        std::fs::remove_file(stage.dir.path().join(format!("tuf/keys/{name}.der"))).unwrap();
    }
    let before = RootFile::parse(&stage.publisher.root_json().unwrap()).unwrap();
    let online = stage.publisher.online_keys().unwrap();
    let mut root = before.next(&Change::Online(online), YEAR).unwrap();
    root.sign(&key(2), Some(&before)).unwrap();
    root.sign(&key(3), Some(&before)).unwrap();
    assert_eq!(
        stage
            .publisher
            .propose_root(&root.text().unwrap())
            .await
            .unwrap(),
        Proposed::InForce
    );
    let release = stage
        .consumer
        .verify(&stage.publisher.repo_dir())
        .await
        .unwrap();
    assert_eq!((release.version, release.root_version), (1, 2));
    assert!(
        stage.consumer.verify(&far).await.is_err(),
        "the old keys are dead"
    );
    // And it is remembered: older numbers of the new keys are a rollback again.
    let old = stage.copy("old");
    stage.publisher.refresh().await.unwrap();
    stage
        .consumer
        .verify(&stage.publisher.repo_dir())
        .await
        .unwrap();
    assert!(matches!(
        stage.consumer.verify(&old).await,
        Err(BundleError::Rollback { .. })
    ));
}

#[tokio::test]
async fn progress_beyond_its_duty() {
    let stage = stage().await;
    let evil = "version: \"1.0\"\norganization: evil\n";
    // A policy of its own, under the policy's name or another one.
    for name in ["policy.yaml", "rings.json", "other.json"] {
        let bad = stage.copy(&format!("beyond-{name}"));
        let path = newest(&bad.join("metadata"), ".progress.json");
        let mut role: Signed<Targets> = read(&path);
        let digest = cmdai_schema::Hash::of(&[evil.as_bytes()]).to_hex();
        std::fs::write(bad.join(format!("targets/{digest}.{name}")), evil).unwrap();
        let entry = serde_json::json!({"length": evil.len(), "hashes": {"sha256": digest}});
        role.signed.targets.insert(
            tough::TargetName::new(name).unwrap(),
            serde_json::from_value(entry).unwrap(),
        );
        forge(&mut role, &[&stage.online("progress")]);
        std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
        make_count(&stage, &bad, "progress.json", &path, 1);
        let refused = stage.consumer.verify(&bad).await.unwrap_err();
        assert!(
            matches!(
                refused,
                BundleError::Overreach { .. } | BundleError::Tampered { .. }
            ),
            "{name}: {refused}"
        );
    }
    // A release signed with the progress key alone.
    let bad = stage.copy("as-publisher");
    let path = newest(&bad.join("metadata"), ".targets.json");
    let mut role: Signed<Targets> = read(&path);
    forge(&mut role, &[&stage.online("progress")]);
    std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
    make_count(&stage, &bad, "targets.json", &path, 1);
    assert!(matches!(
        stage.consumer.verify(&bad).await,
        Err(BundleError::WrongKey { .. })
    ));
    // Somebody else's progress.
    let bad = stage.copy("stranger");
    let path = newest(&bad.join("metadata"), ".progress.json");
    let mut role: Signed<Targets> = read(&path);
    forge(&mut role, &[&stage.online("timestamp")]);
    std::fs::write(&path, serde_json::to_vec(&role).unwrap()).unwrap();
    make_count(&stage, &bad, "progress.json", &path, 1);
    assert!(stage.consumer.verify(&bad).await.is_err());
}
