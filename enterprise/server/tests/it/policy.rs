//! Policy: checked, signed, never overwritten by somebody who has not seen the newest.

use cmdai_api::console::{MachineList, PolicyCheck, PolicyPublish, PolicySource, PolicyView};
use cmdai_api::machine::{Checkin, CheckinReply};
use reqwest::StatusCode;

use crate::support::{PASSWORD, eventually, plant, read};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_policy_is_there_and_the_next_is_signed() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let first: PolicyView = plant.admin.get_as("policy").await;
    assert_eq!(
        (
            first.version,
            first.published_by.as_str(),
            first.history.len()
        ),
        (1, "server", 1)
    );
    let check: PolicyCheck = plant
        .admin
        .post_as(
            "policy/check",
            &PolicySource {
                source: first.source.clone(),
            },
        )
        .await;
    assert!(
        check.valid && check.tests.iter().all(|test| test.passed) && !check.tests.is_empty(),
        "{check:?}"
    );

    let broken = PolicySource {
        source: "version: \"1.0\"\nsafty: {}\n".to_owned(),
    };
    let check: PolicyCheck = plant.admin.post_as("policy/check", &broken).await;
    assert!(!check.valid && check.diagnostics[0].line == 2, "{check:?}");

    let next = PolicyPublish {
        source: format!("{}\n# changed\n", first.source),
        base_version: 1,
        note: "a comment".to_owned(),
        password: PASSWORD.to_owned(),
        rollout: None,
        managed_by: None,
    };
    let invalid = PolicyPublish {
        source: broken.source,
        ..next.clone()
    };
    assert_eq!(
        plant.admin.post("policy", &invalid).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let unproven = PolicyPublish {
        password: "wrong".to_owned(),
        ..next.clone()
    };
    assert_eq!(
        plant.admin.post("policy", &unproven).await.status(),
        StatusCode::FORBIDDEN
    );
    let view: PolicyView = plant.admin.post_as("policy", &next).await;
    assert_eq!(
        (
            view.version,
            view.published_by.as_str(),
            view.history[0].note.as_str()
        ),
        (2, "admin", "a comment")
    );
    assert_eq!(
        plant.admin.post("policy", &next).await.status(),
        StatusCode::CONFLICT
    );

    let reply: CheckinReply = read(
        machine
            .post(
                "/v1/checkin?wait=20",
                &Checkin {
                    policy_version: "1".to_owned(),
                    ..Checkin::default()
                },
            )
            .await,
    )
    .await;
    assert_eq!(reply.policy_version, "2");
    let folder = tempfile::tempdir().unwrap();
    let _verified = crate::machine::authority(&machine, folder.path()).await;
    let outside = machine
        .http
        .get(machine.url("/v1/tuf/metadata/..%2f..%2fkeys%2ftargets.der"))
        .send()
        .await
        .unwrap();
    assert_eq!(outside.status(), StatusCode::NOT_FOUND);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_with_an_older_engine_are_named_before_and_after() {
    let plant = plant().await;
    let old = plant.machine("alice").await;
    let new = plant.machine("bob").await;
    for (machine, engine) in [(&old, "0.0.9"), (&new, "0.1.0")] {
        let mut checkin = Checkin::default();
        checkin.manifest.hostname = format!("host-{engine}");
        let engine = ("engine".to_owned(), engine.to_owned());
        checkin.manifest.versions.extend([engine]);
        let _: CheckinReply = read(machine.post("/v1/checkin?wait=0", &checkin).await).await;
    }
    eventually("what machines say of themselves is stored", || async {
        let list: MachineList = plant.admin.get_as("machines").await;
        let said = |one: &cmdai_api::console::Machine| one.versions.contains_key("engine");
        list.machines.iter().all(said).then_some(())
    })
    .await;
    let now: PolicyView = plant.admin.get_as("policy").await;
    let source = format!("{}\nmin_engine: \"0.1.0\"\n", now.source);
    let body = PolicySource {
        source: source.clone(),
    };
    let check: PolicyCheck = plant.admin.post_as("policy/check", &body).await;
    let told: Vec<_> = (check.diagnostics.iter())
        .filter(|found| found.message.contains("older than 0.1.0"))
        .collect();
    assert!(check.valid && told.len() == 1, "{check:?}");
    assert_eq!(told[0].severity, "warning");
    assert!(
        told[0].message.ends_with("machines: 1 (host-0.0.9)"),
        "{told:?}"
    );
    let line = source.lines().nth(told[0].line as usize - 1).unwrap();
    assert!(line.starts_with("min_engine"));
    let fleet = || async {
        let list: MachineList = plant.admin.get_as("machines").await;
        let behind = list.machines.into_iter().filter(|one| one.engine_too_old);
        behind.map(|one| one.hostname).collect::<Vec<_>>()
    };
    assert!(fleet().await.is_empty(), "nothing in force asks for it");
    let publish = PolicyPublish {
        source: source.clone(),
        base_version: now.version,
        note: "newer engines only".to_owned(),
        password: PASSWORD.to_owned(),
        rollout: None,
        managed_by: None,
    };
    let _: PolicyView = plant.admin.post_as("policy", &publish).await;
    assert_eq!(fleet().await, ["host-0.0.9"]);
    // What is newer than the server, the server cannot check.
    let body = PolicySource {
        source: source.replace("\"0.1.0\"", "\"99.0\""),
    };
    let check: PolicyCheck = plant.admin.post_as("policy/check", &body).await;
    assert!(
        !check.valid && check.diagnostics[0].message.contains("99.0"),
        "{check:?}"
    );
    plant.running.stop().await.unwrap();
}
