//! Security keys: adding one, acting with it, approving with it, and what is not believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cmdai_api::console::{
    AlertList, Approval, ApproverKeys, Challenge, Confirmation, FactorList, NewChallenge,
    NewSecurityKey, PolicyPublish, PolicyView, Role, SecurityKeyAdded, SecurityKeyCreation,
    SecurityKeyMade,
};
use cmdai_api::machine::{ApprovalOpened, Approvers, Consent, Grant, Proof};
use cmdai_bundle::assertion::{EDDSA, ES256, verify_consent};
use cmdai_bundle::soft_key::SoftKey;
use cmdai_bundle::verify_statement;
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;

use crate::approvals::{checkin, decision, open};
use crate::factors::code_of;
use crate::machine::release;
use crate::support::{PASSWORD, Person, Plant, plant, read};

const KEYS: &str = "version: \"1.0\"\norganization: \"acme\"\napprovals:\n  factor: webauthn\n";

/// What browsers name: loopback by its name.
pub(crate) fn origin(plant: &Plant) -> String {
    plant
        .running
        .console_url()
        .replace("127.0.0.1", "localhost")
}

pub(crate) async fn add(plant: &Plant, person: &Person, algorithm: &str) -> SoftKey {
    let key = SoftKey::new("localhost", algorithm).unwrap();
    let added = register(plant, person, &key).await;
    assert!(added.factor.confirmed && added.factor.kind == "webauthn");
    key
}

async fn made(plant: &Plant, person: &Person, key: &SoftKey) -> SecurityKeyMade {
    let new = NewSecurityKey {
        name: "blue key".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let options: SecurityKeyCreation = person.post_as("factors/webauthn", &new).await;
    assert_eq!(options.rp_id, "localhost");
    let registered = key.register(&options.challenge, &origin(plant));
    SecurityKeyMade {
        challenge: options.challenge,
        credential_id: registered.credential_id,
        client_data_json: registered.client_data_json,
        attestation_object: registered.attestation_object,
    }
}

async fn register(plant: &Plant, person: &Person, key: &SoftKey) -> SecurityKeyAdded {
    let made = made(plant, person, key).await;
    person.post_as("factors/webauthn/confirm", &made).await
}

pub(crate) async fn challenge(person: &Person, act: &str) -> Challenge {
    let new = NewChallenge {
        act: act.to_owned(),
    };
    person.post_as("challenges", &new).await
}

/// Touches a key for an act.
pub(crate) async fn touch(plant: &Plant, person: &Person, key: &mut SoftKey, act: &str) -> Proof {
    let asked = challenge(person, act).await;
    assert!(asked.credentials.contains(&key.id()));
    key.assert(&asked.statement, &origin(plant)).unwrap()
}

pub(crate) async fn with<B: Serialize>(
    person: &Person,
    path: &str,
    body: &B,
    proof: &Proof,
) -> Response {
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(proof).unwrap());
    person
        .request(Method::POST, path)
        .header("x-cmdai", "1")
        .header("x-cmdai-assertion", header)
        .json(body)
        .send()
        .await
        .unwrap()
}

async fn publish(plant: &Plant, source: &str, proof: Option<&Proof>) -> Response {
    let now: PolicyView = plant.admin.get_as("policy").await;
    let mut body = PolicyPublish {
        source: source.to_owned(),
        base_version: now.version,
        note: "test".to_owned(),
        password: PASSWORD.to_owned(),
        rollout: None,
        managed_by: None,
    };
    match proof {
        None => plant.admin.post("policy", &body).await,
        Some(proof) => {
            body.password = String::new();
            with(&plant.admin, "policy", &body, proof).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_signs_the_grant_and_the_machine_can_tell() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let (sami, rita) = (
        plant.person("sami", Role::Security, "sami").await,
        plant.person("rita", Role::Security, "rita").await,
    );
    assert!(publish(&plant, KEYS, None).await.status().is_success());
    for (login, sami, algorithm) in [("sami", sami, ES256), ("rita", rita, EDDSA)] {
        let mut key = add(&plant, &sami, algorithm).await;
        let id = if algorithm == ES256 {
            "KEYKEYAA"
        } else {
            "KEYKEYBB"
        };
        let asked = open(id, "alice", 600);
        let _: ApprovalOpened = read(machine.post("/v1/approvals", &asked).await).await;
        let path = format!("approvals/{id}");
        let yes = decision(true, PASSWORD);
        // The password alone, and a code, are not enough.
        let without = code_of(sami.post(&path, &yes).await).await;
        assert_eq!(without.1, "factor_required");
        let act = format!("POST /api/v1/{path}");
        let proof = touch(&plant, &sami, &mut key, &act).await;
        let granted: Approval = read(with(&sami, &path, &decision(true, ""), &proof).await).await;
        assert_eq!(
            (granted.status.as_str(), granted.votes[0].factor.as_str()),
            ("granted", "webauthn")
        );
        let folder = tempfile::tempdir().unwrap();
        let release = release(&machine, folder.path()).await;
        assert_eq!(release.publishers, ["server"]);
        let reply = checkin(&machine, id).await;
        let grant: Grant =
            verify_statement(&reply.grants[0], &release.authority.grant_keys).unwrap();
        assert_eq!(grant.factor, "webauthn");
        let shown = grant.approvers[0].proof.as_ref().unwrap();
        let (consent, signer, said): (Consent, _, _) =
            verify_consent(shown, &release.approvers).unwrap();
        assert_eq!(
            (consent.request_id.as_str(), consent.machine_id.as_str()),
            (id, machine.id.as_str())
        );
        assert_eq!(consent.binding_hash, asked.binding_hash);
        assert_eq!((signer.login.as_str(), said.counter), (login, 1));
        assert!(grant.expires <= consent.expires, "{grant:?} {consent:?}");
    }
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_signed_is_good_once_for_one_act_of_its_owner() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let mut key = add(&plant, &sami, ES256).await;
    let mut hers = add(&plant, &rita, ES256).await;
    let act = "POST /api/v1/policy/approvers";
    let body = Confirmation {
        password: String::new(),
    };
    let path = "policy/approvers";
    let good = touch(&plant, &sami, &mut key, act).await;
    let wrong_person = code_of(with(&rita, path, &body, &good).await).await;
    assert_eq!(wrong_person.1, "factor_required");
    // Taken out with the try, whoever tried.
    let again = code_of(with(&sami, path, &body, &good).await).await;
    assert_eq!(again.1, "factor_required");
    let good = touch(&plant, &sami, &mut key, act).await;
    let other = code_of(
        with(
            &sami,
            "factors/0/remove",
            &body,
            &touch(&plant, &sami, &mut key, act).await,
        )
        .await,
    )
    .await;
    // Another path; the factor is not there either.
    assert!(["factor_required", "not_found"].contains(&other.1.as_str()));
    let done = with(&sami, path, &body, &good).await;
    assert_eq!(done.status(), StatusCode::OK);
    // Somebody else's key under one's own challenge.
    let asked = challenge(&sami, act).await;
    let foreign = hers.assert(&asked.statement, &origin(&plant)).unwrap();
    let refused = code_of(with(&sami, path, &body, &foreign).await).await;
    assert_eq!(refused.1, "factor_required");
    // Another site.
    let asked = challenge(&sami, act).await;
    let phished = key
        .assert(&asked.statement, "https://evil.example")
        .unwrap();
    let refused = code_of(with(&sami, path, &body, &phished).await).await;
    assert_eq!(refused.1, "factor_required");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_taken_in_once_and_only_as_asked_for() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let key = SoftKey::new("localhost", ES256).unwrap();
    let elsewhere = SoftKey::new("example.com", ES256).unwrap();
    let path = "factors/webauthn/confirm";
    let wrong_site = made(&plant, &sami, &elsewhere).await;
    let refused = code_of(sami.post(path, &wrong_site).await).await;
    assert_eq!(refused.1, "factor_required");
    let asked = made(&plant, &sami, &key).await;
    assert_eq!(
        rita.post(path, &asked).await.status(),
        StatusCode::CONFLICT,
        "somebody else's"
    );
    assert_eq!(sami.post(path, &asked).await.status(), StatusCode::CONFLICT);
    let mut unverified = SoftKey::new("localhost", ES256).unwrap();
    unverified.flags = 0x01;
    let asked = made(&plant, &sami, &unverified).await;
    let refused = code_of(sami.post(path, &asked).await).await;
    assert_eq!(refused.1, "factor_required");
    let added = register(&plant, &sami, &key).await;
    assert!(added.on_machines);
    assert_eq!(added.recovery_codes.len(), 8);
    // A further one takes the first, and the same key does not count for somebody else.
    let new = NewSecurityKey {
        name: "second".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let without = code_of(sami.post("factors/webauthn", &new).await).await;
    assert_eq!(without.1, "factor_required");
    let asked = made(&plant, &rita, &key).await;
    let taken = rita.post(path, &asked).await;
    assert_eq!(taken.status(), StatusCode::CONFLICT);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_reach_machines_without_a_new_policy_and_leave_again() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let before: PolicyView = plant.admin.get_as("policy").await;
    let mut key = add(&plant, &sami, ES256).await;
    add(&plant, &vera, ES256).await;
    let after: PolicyView = plant.admin.get_as("policy").await;
    assert_eq!(before.version, after.version);
    let known = || async {
        let folder = tempfile::tempdir().unwrap();
        release(&machine, folder.path()).await
    };
    let there = known().await;
    assert_eq!(there.version, before.version);
    let logins = |approvers: &Approvers| -> Vec<String> {
        approvers.keys.iter().map(|key| key.login.clone()).collect()
    };
    // A viewer in no group could never approve.
    assert_eq!(logins(&there.approvers), ["sami"]);
    let view: ApproverKeys = vera.get_as("policy/approvers").await;
    assert!(view.current && view.signing == "server");
    let list: FactorList = sami.get_as("factors").await;
    let path = format!("factors/{}/remove", list.factors[0].id);
    let act = format!("POST /api/v1/{path}");
    let proof = touch(&plant, &sami, &mut key, &act).await;
    let body = Confirmation {
        password: String::new(),
    };
    let gone = with(&sami, &path, &body, &proof).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let there = known().await;
    assert!(there.approvers.keys.is_empty());
    assert_eq!(there.version, before.version);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_publishes_and_one_that_counts_back_is_refused_and_told() {
    let plant = plant().await;
    let mut key = add(&plant, &plant.admin, EDDSA).await;
    let act = "POST /api/v1/policy";
    let without = code_of(publish(&plant, KEYS, None).await).await;
    assert_eq!(without.1, "factor_required");
    key.counter = 6;
    let proof = touch(&plant, &plant.admin, &mut key, act).await;
    let done = publish(&plant, KEYS, Some(&proof)).await;
    assert!(done.status().is_success(), "{}", done.text().await.unwrap());
    key.counter = 2;
    let proof = touch(&plant, &plant.admin, &mut key, act).await;
    let refused = code_of(publish(&plant, KEYS, Some(&proof)).await).await;
    assert_eq!(refused.1, "factor_required");
    let alerts: AlertList = plant.admin.get_as("alerts").await;
    assert!(
        alerts
            .alerts
            .iter()
            .any(|alert| alert.detection == "security-key-copied")
    );
    plant.running.stop().await.unwrap();
}
