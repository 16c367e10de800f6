//! Policy: checked, signed, never overwritten by somebody who has not seen the newest.

use cmdai_api::console::{PolicyCheck, PolicyPublish, PolicySource, PolicyView};
use cmdai_api::machine::{Checkin, CheckinReply};
use reqwest::StatusCode;

use crate::support::{PASSWORD, plant, read};

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
