//! People's keys: the ceremony, signing by several, rotation, revocation.

use std::path::Path;

use cmdai_api::machine::Authority;
use cmdai_bundle::rings::{Plan, Progress};
use cmdai_bundle::*;
use jiff::SignedDuration;

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);
const POLICY: &str = "version: \"1.0\"\norganization: acme-corp\n";

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn public(number: u8) -> PublicKey {
    PublicKey::of(&format!("person {number}"), &key(number).verifying_key())
}

fn holders(numbers: &[u8], threshold: u64) -> Holders {
    Holders {
        keys: numbers.iter().map(|number| public(*number)).collect(),
        threshold,
    }
}

pub(crate) fn authority() -> Authority {
    Authority {
        version: 1,
        ..Authority::default()
    }
}

/// Two of three root keys (1, 2, 3), two of three publishers (11, 12, 13).
pub(crate) fn ceremony(publisher: &Publisher, before: Option<&RootFile>) -> RootFile {
    RootFile::ceremony(
        "acme-corp",
        &publisher.online_keys().unwrap(),
        &holders(&[1, 2, 3], 2),
        &holders(&[11, 12, 13], 2),
        YEAR,
        before,
    )
    .unwrap()
}

pub(crate) fn content(version: u64, policy: &str) -> Content {
    Content {
        policy_yaml: policy.to_owned(),
        version,
        authority: authority(),
        note: "a change".to_owned(),
        by: "maya".to_owned(),
        ..Content::default()
    }
}

/// A server that never held people's keys, with release 1.
pub(crate) async fn governed(dir: &Path) -> Publisher {
    let publisher = Publisher::await_root(&dir.join("tuf")).unwrap();
    let mut root = ceremony(&publisher, None);
    root.sign(&key(1), None).unwrap();
    root.sign(&key(3), None).unwrap();
    assert_eq!(
        publisher.propose_root(&root.text().unwrap()).await.unwrap(),
        Proposed::WaitsForRelease
    );
    signed(&publisher, &content(1, POLICY), &[11, 12])
        .await
        .unwrap();
    publisher
}

pub(crate) async fn signed(
    publisher: &Publisher,
    content: &Content,
    keys: &[u8],
) -> Result<Release, PublishError> {
    let mut draft = publisher.draft(content)?;
    for number in keys {
        draft.sign(&key(*number)).map_err(PublishError::Draft)?;
    }
    publisher.release(draft).await
}

pub(crate) fn consumer(publisher: &Publisher, dir: &Path) -> Consumer {
    Consumer::new(publisher.root_json().unwrap(), dir.join("seen"))
}

#[tokio::test]
async fn nothing_goes_out_before_enough_people_have_signed() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    assert_eq!(publisher.signing(), Signing::People);
    assert!(!dir.path().join("tuf/keys/targets.der").exists());
    assert!(!dir.path().join("tuf/keys/offline").exists());
    let consumer = consumer(&publisher, dir.path());
    assert_eq!(
        consumer
            .verify(&publisher.repo_dir())
            .await
            .unwrap()
            .version,
        1
    );
    assert!(publisher.publish(POLICY, 2, &authority()).await.is_err());
    let mut draft = publisher.draft(&content(2, POLICY)).unwrap();
    assert!(draft.sign(&key(1)).unwrap_err().contains("not a publisher"));
    assert!(draft.sign(&key(11)).unwrap());
    assert!(!draft.sign(&key(11)).unwrap(), "once for each key");
    assert!(matches!(
        publisher.release(draft.clone()).await,
        Err(PublishError::Unsigned {
            have: 1,
            needed: 2,
            ..
        })
    ));
    // Signatures may come one by one, from different places.
    let mut elsewhere = Draft::parse(&serde_json::to_vec(&draft).unwrap()).unwrap();
    elsewhere.sign(&key(13)).unwrap();
    assert_eq!(draft.add(&elsewhere.signatures()).unwrap(), 1);
    let mut other = publisher.draft(&content(2, "version: \"1.0\"\n")).unwrap();
    other.sign(&key(12)).unwrap();
    assert!(draft.add(&other.signatures()).is_err(), "of another draft");
    publisher.release(draft).await.unwrap();
    let release = consumer.verify(&publisher.repo_dir()).await.unwrap();
    assert_eq!((release.version, release.root_version), (2, 1));
}

#[tokio::test]
async fn a_draft_that_means_something_else_is_not_signed() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    let good = publisher.draft(&content(2, POLICY)).unwrap();
    let mut changed = good.clone();
    changed
        .documents
        .insert("policy.yaml".into(), "version: \"1.0\"\n".into());
    assert!(
        changed
            .sign(&key(11))
            .unwrap_err()
            .contains("another policy.yaml")
    );
    let text = serde_json::to_string(&good).unwrap();
    for (from, to, said) in [
        (
            "\"paths\":[\"progress.json\"]",
            "\"paths\":[\"*\"]",
            "more than",
        ),
        ("\"terminating\":true", "\"terminating\":false", "more than"),
        ("cmdai.release-draft/1", "cmdai.release-draft/2", "format"),
    ] {
        assert!(text.contains(from), "{from}");
        let refused = Draft::parse(text.replace(from, to).as_bytes())
            .and_then(|mut draft| draft.sign(&key(11)).map(|_| ()));
        assert!(refused.unwrap_err().contains(said), "{to}");
    }
}

#[tokio::test]
async fn the_server_hands_its_keys_over_and_machines_follow() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::init(&dir.path().join("tuf"), "acme-corp")
        .await
        .unwrap();
    publisher.publish(POLICY, 1, &authority()).await.unwrap();
    assert_eq!(publisher.signing(), Signing::Server);
    let consumer = consumer(&publisher, dir.path());
    consumer.verify(&publisher.repo_dir()).await.unwrap();

    let before = RootFile::parse(&publisher.root_json().unwrap()).unwrap();
    let mut root = ceremony(&publisher, Some(&before));
    root.sign(&key(1), Some(&before)).unwrap();
    let text = root.text().unwrap();
    assert!(
        publisher
            .propose_root(&text)
            .await
            .unwrap_err()
            .to_string()
            .contains("1 of 2 root keys of this version")
    );
    let mut second = RootFile::parse(&text).unwrap();
    second.sign(&key(2), Some(&before)).unwrap();
    root.join(&second).unwrap();
    assert_eq!(
        publisher.propose_root(&root.text().unwrap()).await.unwrap(),
        Proposed::WaitsForRelease
    );
    // Until people have signed a release, machines see what they saw.
    assert_eq!(publisher.signing(), Signing::People);
    assert_eq!(
        consumer
            .verify(&publisher.repo_dir())
            .await
            .unwrap()
            .root_version,
        1
    );
    signed(&publisher, &content(2, POLICY), &[12, 13])
        .await
        .unwrap();
    let release = consumer.verify(&publisher.repo_dir()).await.unwrap();
    assert_eq!((release.version, release.root_version), (2, 2));
    assert_eq!(consumer.root_version(), 2);
    assert!(!dir.path().join("tuf/keys/targets.der").exists());
    assert!(!dir.path().join("tuf/keys/offline/root.der").exists());
}

#[tokio::test]
async fn keys_are_added_rotated_and_revoked_by_new_roots() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    let consumer = consumer(&publisher, dir.path());
    consumer.verify(&publisher.repo_dir()).await.unwrap();
    let now = || RootFile::parse(&publisher.root_json().unwrap()).unwrap();
    let next = async |change: &Change, keys: &[u8]| {
        let before = now();
        let mut root = before.next(change, YEAR).unwrap();
        for number in keys {
            root.sign(&key(*number), Some(&before)).unwrap();
        }
        publisher.propose_root(&root.text().unwrap()).await
    };
    // Another publisher: what is published stays valid, so it counts at once.
    let add = Change::Add(HumanRole::Publisher, public(14));
    assert!(next(&add, &[1]).await.is_err(), "two root keys are needed");
    assert_eq!(next(&add, &[1, 2]).await.unwrap(), Proposed::InForce);
    assert_eq!(
        consumer
            .verify(&publisher.repo_dir())
            .await
            .unwrap()
            .root_version,
        2
    );
    signed(&publisher, &content(2, POLICY), &[11, 14])
        .await
        .unwrap();

    // A publisher's key is revoked: the release in force counts on it, so a new one must be signed.
    assert_eq!(
        next(&Change::Revoke("person 11".into()), &[1, 2])
            .await
            .unwrap(),
        Proposed::WaitsForRelease
    );
    let refused = publisher.draft(&content(3, POLICY)).unwrap().sign(&key(11));
    assert!(refused.unwrap_err().contains("not a publisher"));
    signed(&publisher, &content(3, POLICY), &[12, 14])
        .await
        .unwrap();
    let release = consumer.verify(&publisher.repo_dir()).await.unwrap();
    assert_eq!((release.version, release.root_version), (3, 3));

    // A root key is replaced: the old and the new holders sign.
    let rotate = Change::Rotate {
        old: "person 3".into(),
        new: public(4),
    };
    assert!(
        next(&rotate, &[4, 1]).await.is_err(),
        "one of the version before"
    );
    assert_eq!(next(&rotate, &[1, 2, 4]).await.unwrap(), Proposed::InForce);
    assert_eq!(
        consumer
            .verify(&publisher.repo_dir())
            .await
            .unwrap()
            .root_version,
        4
    );
    assert!(now().lines().iter().any(|line| line.name == "person 4"));
    assert!(now().lines().iter().all(|line| line.name != "person 3"));

    // Nobody can be left without a quorum.
    let root = now();
    let one = root.next(&Change::Revoke("person 4".into()), YEAR).unwrap();
    assert!(one.next(&Change::Revoke("person 2".into()), YEAR).is_err());
    assert!(
        root.next(&Change::Threshold(HumanRole::Root, 4), YEAR)
            .is_err()
    );
    assert!(
        root.next(
            &Change::Add(HumanRole::Root, publisher.online_keys().unwrap().timestamp),
            YEAR
        )
        .is_err(),
        "the server's key may not be a person's"
    );

    // Who was away through all of it follows the whole chain.
    let late = Consumer::new(
        std::fs::read(publisher.repo_dir().join("metadata/1.root.json")).unwrap(),
        dir.path().join("late"),
    );
    assert_eq!(
        late.verify(&publisher.repo_dir())
            .await
            .unwrap()
            .root_version,
        4
    );
}

#[tokio::test]
async fn rings_open_for_whom_people_said_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    let consumer = consumer(&publisher, dir.path());
    let first = publisher.newest().unwrap().unwrap();
    let plan: Plan = serde_json::from_str(
        r#"{"rings":[{"name":"canary","labels":{"env":["test","dev"]}},{"name":"everybody"}]}"#,
    )
    .unwrap();
    let policy = "version: \"1.0\"\norganization: acme-corp\n# two\n";
    let salt = cmdai_schema::Hash::of(&[policy.as_bytes()]).to_hex();
    let rings = plan.resolve(2, &salt, &[]).unwrap();
    let content = Content {
        rings: Some((rings.clone(), first, POLICY.to_owned())),
        ..content(2, policy)
    };
    signed(&publisher, &content, &[11, 13]).await.unwrap();
    let label = |value: &str| [("env".to_owned(), value.to_owned())].into();
    let (test, prod) = (label("test"), label("prod"));
    let choice = async |labels, installed| {
        let release = consumer.verify(&publisher.repo_dir()).await.unwrap();
        release.choose("m-1", labels, installed)
    };
    assert_eq!(choice(&test, Some(1)).await, Choice::Stay);
    assert_eq!(choice(&prod, None).await, Choice::Previous);
    publisher
        .set_progress(&Progress {
            upto: 1 << 32,
            ..Progress::closed(2)
        })
        .await
        .unwrap();
    assert_eq!(choice(&test, Some(1)).await, Choice::Newest);
    assert_eq!(choice(&prod, Some(1)).await, Choice::Stay);
    publisher
        .set_progress(&Progress {
            ring: 1,
            halted: true,
            ..Progress::closed(2)
        })
        .await
        .unwrap();
    assert_eq!(choice(&test, Some(1)).await, Choice::Stay, "halted");
    assert_eq!(
        choice(&test, Some(2)).await,
        Choice::Newest,
        "who has it keeps it"
    );
    publisher
        .set_progress(&Progress {
            ring: 2,
            ..Progress::closed(2)
        })
        .await
        .unwrap();
    assert_eq!(choice(&prod, Some(1)).await, Choice::Newest);
    let release = consumer.verify(&publisher.repo_dir()).await.unwrap();
    assert_eq!(release.spread.unwrap().rings, rings);
}

#[tokio::test]
async fn a_bundle_carries_all_that_a_machine_needs() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = governed(dir.path()).await;
    let consumer = consumer(&publisher, dir.path());
    let bytes = publisher.bundle(1).await.unwrap();
    let bundle = Bundle::parse(&bytes).unwrap();
    let staging = dir.path().join("staging");
    for folder in ["metadata", "targets"] {
        std::fs::create_dir_all(staging.join(folder)).unwrap();
    }
    unpack(&staging, &bundle.files).unwrap();
    assert_eq!(consumer.verify(&staging).await.unwrap().version, 1);
    for (folder, name) in [
        ("metadata", "../x"),
        ("keys", "x"),
        ("targets", ".x"),
        ("targets", "a/b"),
    ] {
        assert!(unpack(&staging, &[CarriedFile::of(folder, name, b"x")]).is_err());
    }
    let stamp = publisher.stamp().unwrap();
    publisher.refresh().await.unwrap();
    assert_ne!(publisher.stamp().unwrap(), stamp);
    assert_ne!(publisher.bundle(1).await.unwrap(), bytes);
}

#[test]
fn key_files_of_people_are_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maya.key");
    assert!(matches!(
        create_sealed(&path, "short"),
        Err(SealedKeyError::Short)
    ));
    let made = create_sealed(&path, "correct horse battery").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert_eq!(
        open_sealed(&path, "correct horse battery")
            .unwrap()
            .to_bytes(),
        made.to_bytes()
    );
    assert!(matches!(
        open_sealed(&path, "correct horse batterie"),
        Err(SealedKeyError::Passphrase { .. })
    ));
    assert!(matches!(
        create_sealed(&path, "correct horse battery"),
        Err(SealedKeyError::File { .. })
    ));
    std::fs::write(&path, "nothing").unwrap();
    assert!(matches!(
        open_sealed(&path, "x"),
        Err(SealedKeyError::Format { .. })
    ));
}
