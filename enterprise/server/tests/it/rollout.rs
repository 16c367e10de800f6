//! Rings, the health gate, people's signatures: over the wire, and through a restart.

use std::time::Duration;

use cmdai_api::console::{
    AlertList, DraftSignature, DraftSignatures, NewRoot, PolicyKeys, PolicyPublish, PolicyView,
    Role, RolloutChange,
};
use cmdai_api::machine::{Checkin, CheckinReply};
use cmdai_bundle::{
    Bundle, Choice, Consumer, Draft, Holders, OnlineKeys, PublicKey, RootFile, SigningKey, unpack,
};
use reqwest::StatusCode;

use crate::support::{Machine, PASSWORD, Person, Plant, eventually, plant_with, read};

const PLAN: &str = "rings:\n  - name: canary\n    labels: {env: test}\n    count: 1\n    wait: 1s\n  - name: everybody\nmax_in_flight: 2\ngate: {problems: 0, silent: 0}\n";

fn publish(view: &PolicyView, mark: &str, rollout: Option<&str>) -> PolicyPublish {
    PolicyPublish {
        source: format!("{}\n# {mark}\n", view.source),
        base_version: view.version,
        note: mark.to_owned(),
        password: PASSWORD.to_owned(),
        rollout: rollout.map(str::to_owned),
        managed_by: None,
    }
}

fn change(action: &str) -> RolloutChange {
    RolloutChange {
        action: action.to_owned(),
        reason: "a test".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// A machine that does what a sensor does with releases.
struct Sensor {
    machine: Machine,
    consumer: Consumer,
    folder: tempfile::TempDir,
    installed: Option<u64>,
    problem: Option<String>,
}

impl Sensor {
    async fn of(plant: &Plant, person: &str) -> Self {
        let machine = plant.machine(person).await;
        let folder = tempfile::tempdir().unwrap();
        Self {
            consumer: Consumer::new(
                machine.reply.tuf_root.as_bytes(),
                folder.path().join("seen"),
            ),
            machine,
            folder,
            installed: None,
            problem: None,
        }
    }

    /// One contact, without waiting; takes what its ring is open for.
    async fn turn(&mut self) -> Option<u64> {
        self.say().await;
        let url = self.machine.url("/v1/release?root=1");
        let bytes = self.machine.http.get(url).send().await.unwrap();
        let bundle = Bundle::parse(&bytes.bytes().await.unwrap()).unwrap();
        let staging = self.folder.path().join("staging");
        let _ = std::fs::remove_dir_all(&staging);
        for part in ["metadata", "targets"] {
            std::fs::create_dir_all(staging.join(part)).unwrap();
        }
        unpack(&staging, &bundle.files).unwrap();
        let release = self.consumer.verify(&staging).await.unwrap();
        let reply = &self.machine.reply;
        let choice = release.choose(&reply.machine_id, &reply.labels, self.installed);
        match choice {
            _ if self.problem.is_some() => {}
            Choice::Newest => self.installed = Some(release.version),
            Choice::Previous => {
                self.installed = release.spread.map(|spread| spread.previous.version);
            }
            Choice::Stay => {}
        }
        self.say().await;
        self.installed
    }

    async fn say(&self) -> CheckinReply {
        let checkin = Checkin {
            policy_version: self.installed.map(|v| v.to_string()).unwrap_or_default(),
            policy_problem: self.problem.clone(),
            ..Checkin::default()
        };
        read(self.machine.post("/v1/checkin?wait=0", &checkin).await).await
    }
}

async fn until(plant: &Plant, what: &str, wanted: impl Fn(&PolicyView) -> bool) -> PolicyView {
    eventually(what, || async {
        let view: PolicyView = plant.admin.get_as("policy").await;
        wanted(&view).then_some(view)
    })
    .await
}

fn phase(view: &PolicyView) -> &str {
    view.rollout
        .as_ref()
        .map_or("", |rollout| rollout.phase.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn rings_open_one_after_the_other_and_the_gate_halts() {
    let plant = plant_with(|config| config.silent_after = Duration::from_secs(60)).await;
    let mut sensors = Vec::new();
    for number in 0..5 {
        sensors.push(Sensor::of(&plant, &format!("p{number}")).await);
    }
    for sensor in &mut sensors {
        assert_eq!(sensor.turn().await, Some(1));
    }
    let view: PolicyView = plant.admin.get_as("policy").await;
    assert_eq!((phase(&view), view.signing.as_str()), ("done", "server"));
    let wrong = publish(&view, "two", Some("rings: [{name: a, percent: 5}]"));
    assert_eq!(
        plant.admin.post("policy", &wrong).await.status(),
        StatusCode::BAD_REQUEST
    );
    let view: PolicyView = plant
        .admin
        .post_as("policy", &publish(&view, "two", Some(PLAN)))
        .await;
    assert_eq!((view.version, phase(&view)), (2, "spreading"));
    let rings = &view.rollout.as_ref().unwrap().rings;
    assert_eq!((rings[0].members, rings[1].members), (1, 4));
    // The canary takes it; nobody else may, however often they ask.
    let mut took = 0;
    for sensor in &mut sensors {
        took += u32::from(sensor.turn().await == Some(2));
    }
    assert_eq!(took, 1);
    let view = until(&plant, "the second ring opens", |view| {
        view.rollout.as_ref().unwrap().rings[1].offered == 2
    })
    .await;
    assert_eq!(view.rollout.unwrap().rings[0].state, "open");
    // One of the next cannot install it: the gate halts by itself, and says so.
    let mut broken = None;
    for _ in 0..100 {
        for (number, sensor) in sensors.iter_mut().enumerate() {
            let offered = sensor.installed == Some(1) && sensor.say().await.policy_version == "2";
            if offered && broken.is_none() {
                sensor.problem = Some("the policy cannot be used".to_owned());
                sensor.say().await;
                broken = Some(number);
            }
        }
        if broken.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let view = until(&plant, "the gate halts", |view| phase(view) == "halted").await;
    let rollout = view.rollout.clone().unwrap();
    assert!(
        rollout.reason.contains("could not install"),
        "{}",
        rollout.reason
    );
    eventually("an alert", || async {
        let alerts: AlertList = plant.admin.get_as("alerts").await;
        alerts
            .alerts
            .iter()
            .any(|alert| alert.detection == "policy-rollout-halted")
            .then_some(())
    })
    .await;
    // Halted is halted, also for machines that were offered it.
    let mut seen = Vec::new();
    for sensor in &mut sensors {
        seen.push(sensor.turn().await);
    }
    assert_eq!(
        seen.iter().filter(|version| **version == Some(2)).count(),
        1
    );
    // A person goes on, having seen the figures; machines come along.
    let second = plant.person("sam", Role::Security, "sam").await;
    let view: PolicyView = second.post_as("policy/rollout", &change("continue")).await;
    assert_eq!(phase(&view), "spreading");
    sensors[broken.unwrap()].problem = None;
    for _ in 0..60 {
        for sensor in &mut sensors {
            sensor.turn().await;
        }
        let view: PolicyView = plant.admin.get_as("policy").await;
        if phase(&view) == "done" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let view: PolicyView = plant.admin.get_as("policy").await;
    assert_eq!(phase(&view), "done", "{:?}", view.rollout);
    assert!(sensors.iter().all(|sensor| sensor.installed == Some(2)));

    // One step back: a new, higher version with the old content, for everybody at once.
    let view: PolicyView = second.post_as("policy/rollout", &change("rollback")).await;
    assert_eq!((view.version, phase(&view)), (3, "done"));
    assert!(!view.source.contains("# two"));
    for sensor in &mut sensors {
        assert_eq!(sensor.turn().await, Some(3));
    }
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_was() {
    let plant = plant_with(|_| {}).await;
    let mut sensor = Sensor::of(&plant, "alice").await;
    sensor.turn().await;
    let view: PolicyView = plant.admin.get_as("policy").await;
    // A canary that waits for a day.
    let plan = PLAN.replace("wait: 1s", "wait: 1d");
    let view: PolicyView = plant
        .admin
        .post_as("policy", &publish(&view, "two", Some(&plan)))
        .await;
    assert_eq!(phase(&view), "spreading");
    let halted: PolicyView = plant.admin.post_as("policy/rollout", &change("halt")).await;
    assert_eq!(phase(&halted), "halted");
    let Plant {
        running, folder, ..
    } = plant;
    running.stop().await.unwrap();
    let running = cmdai_server::start(crate::support::config(folder.path()))
        .await
        .unwrap();
    let admin = Person::sign_in(running.console_url(), "admin", PASSWORD).await;
    let view: PolicyView = admin.get_as("policy").await;
    let rollout = view.rollout.unwrap();
    assert_eq!((rollout.phase.as_str(), rollout.release), ("halted", 2));
    assert_eq!(rollout.may, ["continue", "rollback"]);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_a_repository_manages_is_not_edited_in_silence() {
    let plant = plant_with(|_| {}).await;
    let view: PolicyView = plant.admin.get_as("policy").await;
    let applied = PolicyPublish {
        managed_by: Some("https://git.example/policy@0123456789ab".to_owned()),
        ..publish(&view, "from git", Some(""))
    };
    let view: PolicyView = plant.admin.post_as("policy", &applied).await;
    assert_eq!(view.managed_by, applied.managed_by);
    let refused = plant
        .admin
        .post("policy", &publish(&view, "by hand", None))
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("git.example/policy@0123456789ab")
    );
    let view: PolicyView = plant
        .admin
        .post_as("policy/rollout", &change("unmanage"))
        .await;
    assert_eq!(view.managed_by, None);
    let view: PolicyView = plant
        .admin
        .post_as("policy", &publish(&view, "by hand", None))
        .await;
    assert_eq!(view.version, 3);
    plant.running.stop().await.unwrap();
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn holders(numbers: &[u8]) -> Holders {
    let keys = numbers
        .iter()
        .map(|number| PublicKey::of(&format!("person {number}"), &key(*number).verifying_key()))
        .collect();
    Holders { keys, threshold: 2 }
}

fn root(keys: &PolicyKeys) -> RootFile {
    let before = (!keys.root.is_empty()).then(|| RootFile::parse(&keys.root).unwrap());
    let online: OnlineKeys = serde_json::from_str(&keys.online).unwrap();
    let mut root = RootFile::ceremony(
        "acme",
        &online,
        &holders(&[1, 2]),
        &holders(&[11, 12, 13]),
        jiff::SignedDuration::from_hours(24),
        before.as_ref(),
    )
    .unwrap();
    for number in [1, 2] {
        root.sign(&key(number), before.as_ref()).unwrap();
    }
    root
}

/// People take the keys of releases over; the keys 11, 12 and 13 are publishers', two sign.
pub(crate) async fn take_over(admin: &Person) -> PolicyKeys {
    let keys: PolicyKeys = admin.get_as("policy/keys").await;
    let body = NewRoot {
        root: root(&keys).text().unwrap(),
        password: PASSWORD.to_owned(),
    };
    admin.post_as("policy/root", &body).await
}

async fn hand_in(person: &Person, number: u8) -> PolicyView {
    let text = person.get("policy/draft").await.text().await.unwrap();
    let mut draft = Draft::parse(text.as_bytes()).unwrap();
    draft.sign(&key(number)).unwrap();
    let signatures = draft
        .signatures()
        .into_iter()
        .map(|signature| DraftSignature {
            key_id: signature.key_id,
            signature: signature.signature,
        })
        .collect();
    person
        .post_as("policy/draft", &DraftSignatures { signatures })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_take_the_keys_over_and_the_server_can_publish_no_more() {
    let plant = plant_with(|_| {}).await;
    let mut sensor = Sensor::of(&plant, "alice").await;
    assert_eq!(sensor.turn().await, Some(1));
    let keys: PolicyKeys = plant.admin.get_as("policy/keys").await;
    assert_eq!(keys.signing, "server");
    let keys = take_over(&plant.admin).await;
    assert_eq!(keys.signing, "people");
    assert!(keys.next_root.is_some());
    // The same policy waits to be signed by its new publishers.
    let view = hand_in(&plant.admin, 11).await;
    let draft = view.draft.unwrap();
    assert_eq!(
        (draft.signed_by.len(), draft.needed, view.version),
        (1, 2, 1)
    );
    assert_eq!(sensor.turn().await, Some(1));
    let view = hand_in(&plant.admin, 12).await;
    assert_eq!(
        (view.version, view.draft.is_none(), view.root_waits),
        (2, true, false)
    );
    assert_eq!(sensor.turn().await, Some(2));
    assert_eq!(sensor.consumer.root_version(), 2);
    let releases = plant.folder.path().join("releases/keys");
    assert!(!releases.join("targets.der").exists() && !releases.join("offline/root.der").exists());
    // Publishing makes a draft; signatures that do not fit are refused; a restart keeps it.
    let view: PolicyView = plant
        .admin
        .post_as("policy", &publish(&view, "three", Some(PLAN)))
        .await;
    assert_eq!((view.version, view.draft.as_ref().unwrap().release), (2, 3));
    let forged = DraftSignatures {
        signatures: vec![DraftSignature {
            key_id: "00".repeat(32),
            signature: "00".repeat(64),
        }],
    };
    assert_eq!(
        plant.admin.post("policy/draft", &forged).await.status(),
        StatusCode::BAD_REQUEST
    );
    hand_in(&plant.admin, 13).await;
    let Plant {
        running, folder, ..
    } = plant;
    running.stop().await.unwrap();
    let running = cmdai_server::start(crate::support::config(folder.path()))
        .await
        .unwrap();
    let admin = Person::sign_in(running.console_url(), "admin", PASSWORD).await;
    let view = hand_in(&admin, 11).await;
    assert_eq!((view.version, phase(&view)), (3, "spreading"));
    // Back is a draft too: halted at once, the rest is people's.
    let view: PolicyView = admin.post_as("policy/rollout", &change("rollback")).await;
    assert_eq!((view.version, phase(&view)), (3, "halted"));
    assert!(view.draft.unwrap().rollback);
    hand_in(&admin, 11).await;
    let view = hand_in(&admin, 13).await;
    assert_eq!((view.version, phase(&view)), (4, "done"));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_held_peoples_keys() {
    let plant = plant_with(|config| config.people_sign = true).await;
    let view: PolicyView = plant.admin.get_as("policy").await;
    assert_eq!((view.version, view.signing.as_str()), (0, "people"));
    let token = plant.token("alice", 1).await;
    let refused = Machine::enrol(plant.running.machine_url(), &token, "alice").await;
    assert!(refused.is_err_and(
        |(status, text)| status == StatusCode::CONFLICT && text.contains("no root of trust")
    ));
    let keys: PolicyKeys = plant.admin.get_as("policy/keys").await;
    let body = NewRoot {
        root: root(&keys).text().unwrap(),
        password: PASSWORD.to_owned(),
    };
    plant
        .admin
        .post_as::<_, PolicyKeys>("policy/root", &body)
        .await;
    hand_in(&plant.admin, 12).await;
    let view = hand_in(&plant.admin, 13).await;
    assert_eq!(view.version, 1);
    let mut sensor = Sensor::of(&plant, "alice").await;
    assert_eq!(sensor.turn().await, Some(1));
    plant.running.stop().await.unwrap();
}
