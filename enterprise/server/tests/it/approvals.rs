//! Requests for approval: asked, decided by somebody else, signed, used once.

use std::collections::BTreeMap;

use cmdai_api::console::{Approval, ApprovalDecision, ApprovalList, EventPage, Role};
use cmdai_api::machine::{
    ApprovalOpen, ApprovalOpened, BoundRequest, Checkin, CheckinReply, Grant,
};
use cmdai_bundle::verify_statement;
use cmdai_schema::governor::Binding;
use cmdai_schema::{ApprovalInfo, EventType, Hash, Payload, canonical_bytes};
use reqwest::StatusCode;

use crate::machine::authority;
use crate::support::{Machine, PASSWORD, eventually, plant, read};

const TEXT: &str = "kubectl delete deployment web";

pub(crate) fn digest(text: &str) -> String {
    let context = cmdai_effects::Context {
        dialect: cmdai_schema::Dialect::Bash,
        cwd: "/home/alice",
        home: "/home/alice",
        user: "alice",
        session: &cmdai_effects::NoSession,
        languages: &cmdai_languages::Grammars,
    };
    cmdai_effects::analyse(text, &context).digest
}

pub(crate) fn open(id: &str, user: &str, seconds: i64) -> ApprovalOpen {
    let request = BoundRequest {
        binding: Binding {
            text: TEXT.to_owned(),
            digest: digest(TEXT),
            shell: "bash".to_owned(),
            rules: vec!["production.destroy".to_owned()],
            reason: "destroys something in production".to_owned(),
            risk: "critical".to_owned(),
            origin: "human".to_owned(),
            ..Binding::default()
        },
        user: user.to_owned(),
        exception: None,
        uid: 1000,
        files: BTreeMap::from([("/usr/bin/kubectl".to_owned(), "00".repeat(32))]),
    };
    let binding_hash = Hash::of(&[&canonical_bytes(&request).unwrap()]).to_hex();
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    ApprovalOpen {
        request_id: id.to_owned(),
        kind: "command".to_owned(),
        request,
        binding_hash,
        reason: Some("rollout".to_owned()),
        session_id: "s-1".to_owned(),
        expires: expires.to_string(),
    }
}

pub(crate) fn decision(approve: bool, password: &str) -> ApprovalDecision {
    ApprovalDecision {
        approve,
        reason: "looked at it".to_owned(),
        password: password.to_owned(),
        binding_hash: None,
    }
}

pub(crate) async fn checkin(machine: &Machine, pending: &str) -> CheckinReply {
    let state = Checkin {
        policy_version: "1".to_owned(),
        pending_requests: vec![pending.to_owned()],
        ..Checkin::default()
    };
    read(machine.post("/v1/checkin", &state).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_grants_and_the_machine_can_prove_it() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let own = plant
        .person("alice.admin", Role::Administrator, "alice")
        .await;
    let other = plant.person("sami", Role::Security, "sami").await;
    let request = open("7F3KQ2MA", "alice", 600);
    let opened: ApprovalOpened = read(machine.post("/v1/approvals", &request).await).await;
    assert_eq!(opened.request_id, "7F3KQ2MA");
    // Sent again after a lost answer, it is the same request.
    let _: ApprovalOpened = read(machine.post("/v1/approvals", &request).await).await;
    let list: ApprovalList = other.get_as("approvals?status=pending").await;
    assert_eq!(
        (list.approvals.len(), list.approvals[0].risk.as_str()),
        (1, "critical")
    );

    let path = "approvals/7F3KQ2MA";
    let selfish = own.post(path, &decision(true, PASSWORD)).await;
    assert_eq!(selfish.status(), StatusCode::FORBIDDEN);
    assert!(selfish.text().await.unwrap().contains("their own request"));
    assert_eq!(
        other
            .post(path, &decision(true, "wrong password"))
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    assert!(checkin(&machine, "7F3KQ2MA").await.grants.is_empty());

    let granted: Approval = other.post_as(path, &decision(true, PASSWORD)).await;
    assert_eq!(
        (granted.status.as_str(), granted.approver.as_deref()),
        ("granted", Some("sami"))
    );
    assert_eq!(
        other.post(path, &decision(false, PASSWORD)).await.status(),
        StatusCode::CONFLICT
    );

    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let reply = checkin(&machine, "7F3KQ2MA").await;
    let grant: Grant = verify_statement(&reply.grants[0], &authority.grant_keys).unwrap();
    assert!(grant.granted);
    assert_eq!(
        (grant.machine_id.as_str(), grant.user.as_str(), grant.uses),
        (machine.id.as_str(), "alice", 1)
    );
    assert_eq!(
        (grant.binding_hash, grant.factor.as_str()),
        (request.binding_hash, "password")
    );
    assert!(
        verify_statement::<Grant>(&reply.grants[0], &authority.order_keys).is_err(),
        "another key's word is nothing"
    );

    let approval = Some(ApprovalInfo {
        request_id: "7F3KQ2MA".to_owned(),
        status: "consumed".to_owned(),
        ..ApprovalInfo::default()
    });
    let used = machine.seal(
        EventType::GrantConsumed,
        Payload {
            approval,
            ..Payload::default()
        },
    );
    machine.upload(&[used]).await;
    eventually("the grant is used up", || async {
        let list: ApprovalList = other.get_as("approvals?status=consumed").await;
        (list.approvals.len() == 1).then_some(())
    })
    .await;
    let trail: EventPage = other
        .get_as("events?q=type:approval_granted%20user:sami")
        .await;
    assert_eq!(trail.total, 1);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_is_a_signed_denial() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let _: ApprovalOpened = read(
        machine
            .post("/v1/approvals", &open("AAAABBBB", "alice", 1))
            .await,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let signed = eventually("the denial", || async {
        checkin(&machine, "AAAABBBB")
            .await
            .grants
            .into_iter()
            .next()
    })
    .await;
    let grant: Grant = verify_statement(&signed, &authority.grant_keys).unwrap();
    assert!(!grant.granted);
    let late = plant
        .admin
        .post("approvals/AAAABBBB", &decision(true, PASSWORD))
        .await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_approved_is_refused() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let other = plant.machine("bob").await;
    let (machine, other) = (&machine, &other);
    let status =
        |open: ApprovalOpen| async move { machine.post("/v1/approvals", &open).await.status() };
    let mut unknown = open("CCCCDDDD", "alice", 60);
    unknown.request.binding.unknown = true;
    assert_eq!(status(unknown).await, StatusCode::BAD_REQUEST);
    let mut loose = open("CCCCDDDD", "alice", 60);
    loose.request.binding.cwd = "/elsewhere".to_owned();
    assert_eq!(status(loose).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        status(open("CCCCDDDD", "alice", -5)).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        status(open("../../etc", "alice", 60)).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(status(open("CCCCDDDD", "alice", 60)).await, StatusCode::OK);
    assert_eq!(
        other
            .post("/v1/approvals", &open("CCCCDDDD", "bob", 60))
            .await
            .status(),
        StatusCode::CONFLICT
    );
    // Another machine does not get a decision that is not its own.
    let sami = plant.person("sami", Role::Security, "sami").await;
    let _: Approval = sami
        .post_as("approvals/CCCCDDDD", &decision(false, PASSWORD))
        .await;
    assert!(checkin(other, "CCCCDDDD").await.grants.is_empty());
    assert_eq!(checkin(machine, "CCCCDDDD").await.grants.len(), 1);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_is_damped_for_its_sender_only() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let mut statuses = Vec::new();
    for n in 0..22 {
        statuses.push(
            machine
                .post("/v1/approvals", &open(&format!("FLOOD{n:03}"), "alice", 60))
                .await
                .status(),
        );
    }
    assert!(statuses[..20].iter().all(StatusCode::is_success));
    assert!(
        statuses[20..]
            .iter()
            .all(|status| *status == StatusCode::TOO_MANY_REQUESTS)
    );
    assert_eq!(
        machine
            .post("/v1/approvals", &open("OTHERUSR", "root", 60))
            .await
            .status(),
        StatusCode::OK
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_under_many_names_is_damped_too() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let mut refused = 0;
    for n in 0..102 {
        let request = open(&format!("NAMES{n:03}"), &format!("user{n}"), 60);
        let status = machine.post("/v1/approvals", &request).await.status();
        refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 2);
    let other = plant.machine("bob").await;
    let status = other
        .post("/v1/approvals", &open("OTHERBOB", "bob", 60))
        .await
        .status();
    assert_eq!(status, StatusCode::OK);
    let long = open("LONGNAME", &"x".repeat(200), 60);
    assert_eq!(
        other.post("/v1/approvals", &long).await.status(),
        StatusCode::BAD_REQUEST
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_for_themselves_by_another_spelling_or_as_root() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let alice = plant
        .person("alice.sec", Role::Security, "Alice@example.org")
        .await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let mut as_root = open("ROOTROOT", "root", 600);
    as_root.request.uid = 0;
    as_root.binding_hash = Hash::of(&[&canonical_bytes(&as_root.request).unwrap()]).to_hex();
    for (id, request) in [
        ("SPELLING", open("SPELLING", "alice", 600)),
        ("ROOTROOT", as_root),
        ("NAMELESS", open("NAMELESS", "10234", 600)),
    ] {
        let _: ApprovalOpened = read(machine.post("/v1/approvals", &request).await).await;
        let path = format!("approvals/{id}");
        let own = alice.post(&path, &decision(true, PASSWORD)).await;
        assert_eq!(own.status(), StatusCode::FORBIDDEN, "{id}");
        let _: Approval = sami.post_as(&path, &decision(true, PASSWORD)).await;
    }
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_wait_keep_none_from_its_decision() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let request = open("LASTLAST", "alice", 600);
    let _: ApprovalOpened = read(machine.post("/v1/approvals", &request).await).await;
    let _: Approval = sami
        .post_as("approvals/LASTLAST", &decision(true, PASSWORD))
        .await;
    let mut pending: Vec<String> = (0..200).map(|n| format!("WAIT{n:04}")).collect();
    pending.push("LASTLAST".to_owned());
    let state = Checkin {
        policy_version: "1".to_owned(),
        pending_requests: pending,
        ..Checkin::default()
    };
    let reply: CheckinReply = read(machine.post("/v1/checkin", &state).await).await;
    assert_eq!(reply.grants.len(), 1);
    plant.running.stop().await.unwrap();
}
