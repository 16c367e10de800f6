//! Enrolment, contacts, quarantine, silence.

use std::time::{Duration, Instant};

use cmdai_api::console::{AlertList, Machine as MachineView, QuarantineChange, Role};
use cmdai_api::machine::{Authority, Checkin, CheckinReply, Order};
use cmdai_bundle::{Consumer, verify_statement};
use reqwest::StatusCode;

use crate::support::{Machine, PASSWORD, eventually, plant, plant_with, read};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_enrols_once_and_only_here() {
    let plant = plant().await;
    let url = plant.running.machine_url().to_owned();
    let token = plant.token("alice", 1).await;
    let machine = Machine::enrol(&url, &token, "mallory").await.unwrap();
    assert!(machine.id.starts_with("m-") && machine.id.len() == 18);
    assert_eq!(machine.reply.teams, ["platform"]);
    assert_eq!(machine.reply.labels["env"], "test");
    let view: MachineView = plant
        .admin
        .get_as(&format!("machines/{}", machine.id))
        .await;
    assert_eq!(
        view.person, "alice",
        "the token says whose machine it is, not the machine"
    );
    assert_eq!(
        Machine::enrol(&url, &token, "alice").await.err().unwrap().0,
        StatusCode::FORBIDDEN
    );
    let other = plant.token("bob", 1).await;
    let wrong = other.replace(other.split('.').nth(2).unwrap(), &"0".repeat(64));
    assert_eq!(
        Machine::enrol(&url, &wrong, "bob").await.err().unwrap().0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        Machine::enrol(&url, "cmdai1.a.b.c", "bob")
            .await
            .err()
            .unwrap()
            .0,
        StatusCode::BAD_REQUEST
    );
    assert!(
        Machine::enrol(&url, &other, "bob").await.is_ok(),
        "a wrong try does not use a token up"
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantine_reaches_a_waiting_machine_at_once() {
    let plant = plant().await;
    let security = plant.person("sami", Role::Security, "sami").await;
    let machine = plant.machine("alice").await;
    let hello: CheckinReply = read(machine.post("/v1/checkin", &Checkin::default()).await).await;
    assert_eq!(hello.policy_version, "1");
    let waiting = {
        let (http, url) = (machine.http.clone(), machine.url("/v1/checkin?wait=20"));
        let state = Checkin {
            policy_version: "1".to_owned(),
            ..Checkin::default()
        };
        tokio::spawn(async move { http.post(url).json(&state).send().await.unwrap() })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("machines/{}/quarantine", machine.id);
    let wrong = QuarantineChange {
        on: true,
        reason: "stolen laptop".to_owned(),
        password: "not mine".to_owned(),
    };
    let refused = security.post(&path, &wrong).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.text().await.unwrap().contains("step_up_required"));
    let asked = Instant::now();
    let right = QuarantineChange {
        password: PASSWORD.to_owned(),
        ..wrong
    };
    let view: MachineView = security.post_as(&path, &right).await;
    assert_eq!(
        (view.state.as_str(), view.order_done),
        ("quarantined", false)
    );
    let reply: CheckinReply = read(waiting.await.unwrap()).await;
    assert!(asked.elapsed() < Duration::from_secs(5));

    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let order: Order = verify_statement(&reply.orders[0], &authority.order_keys).unwrap();
    assert_eq!(
        (order.kind.as_str(), order.serial, order.machine_id.as_str()),
        ("quarantine", 1, machine.id.as_str())
    );
    let done = Checkin {
        policy_version: "1".to_owned(),
        order_serial: 1,
        ..Checkin::default()
    };
    let after: CheckinReply = read(machine.post("/v1/checkin", &done).await).await;
    assert!(after.orders.is_empty());
    eventually("the order is done", || async {
        let view: MachineView = plant
            .admin
            .get_as(&format!("machines/{}", machine.id))
            .await;
        view.order_done.then_some(())
    })
    .await;
    plant.running.stop().await.unwrap();
}

/// The release as a machine takes it: fetched file by file and verified from the root it was given.
pub(crate) async fn authority(machine: &Machine, folder: &std::path::Path) -> Authority {
    release(machine, folder).await.authority
}

/// The whole release, likewise.
pub(crate) async fn release(
    machine: &Machine,
    folder: &std::path::Path,
) -> cmdai_bundle::VerifiedRelease {
    let mut files = vec![cmdai_bundle::RepositoryFile::timestamp()];
    let mut at = 0;
    while let Some(file) = files.get(at).cloned() {
        at += 1;
        let answer = machine
            .http
            .get(machine.url(&format!("/v1/tuf/{}", file.path())))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", file.path());
        let bytes = answer.bytes().await.unwrap();
        let place = folder.join(file.path());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &bytes).unwrap();
        if file.name == "timestamp.json" {
            files.extend(cmdai_bundle::snapshot_file(&bytes));
        } else if file.name.ends_with(".snapshot.json") {
            files.extend(cmdai_bundle::targets_file(&bytes));
            files.extend(cmdai_bundle::progress_file(&bytes));
        } else if file.name.ends_with(".targets.json") || file.name.ends_with(".progress.json") {
            files.extend(cmdai_bundle::target_files(&bytes));
        }
    }
    // The first release has nothing that it could be compared with.
    let compared = files.iter().any(|file| file.name.ends_with(".impact.json"));
    assert_eq!(files.len(), 9 + usize::from(compared));
    let state = tempfile::tempdir().unwrap();
    let consumer = Consumer::new(machine.reply.tuf_root.clone(), state.path().to_owned());
    consumer.verify(folder).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_not_heard_of_is_silent() {
    let plant = plant_with(|config| config.silent_after = Duration::from_millis(700)).await;
    let machine = plant.machine("alice").await;
    let state = || async {
        let view: MachineView = plant
            .admin
            .get_as(&format!("machines/{}", machine.id))
            .await;
        view.state
    };
    eventually("silence", || async {
        (state().await == "silent").then_some(())
    })
    .await;
    eventually("an alert", || async {
        let list: AlertList = plant.admin.get_as("alerts").await;
        let found = list
            .alerts
            .into_iter()
            .find(|alert| alert.detection == "sensor-silent");
        found.filter(|alert| alert.machine_id.as_deref() == Some(machine.id.as_str()))
    })
    .await;
    let _: CheckinReply = read(
        machine
            .post(
                "/v1/checkin",
                &Checkin {
                    policy_version: "1".to_owned(),
                    ..Checkin::default()
                },
            )
            .await,
    )
    .await;
    eventually("a sign of life", || async {
        (state().await == "active").then_some(())
    })
    .await;
    plant.running.stop().await.unwrap();
}
