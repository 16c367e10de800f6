//! Who counts: groups, different people, managers, floods, exceptions, emergencies, the chat.

use std::time::Duration;

use cmdai_api::console::{
    AlertList, Approval, Channel, EmergencyList, ExceptionList, NewUser, Review, Revocation, Role,
    UserChange,
};
use cmdai_api::machine::{ApprovalOpen, ApprovalOpened, Checkin, CheckinReply, Grant, Order};
use cmdai_bundle::verify_statement;
use cmdai_schema::governor::ExceptionRequest;
use cmdai_schema::{Decision, Hash, canonical_bytes};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, StatusCode};
use sha2::Sha256;

use crate::approvals::{checkin, decision, open};
use crate::factors::publish;
use crate::machine::authority;
use crate::support::{Machine, PASSWORD, Person, Plant, eventually, plant, read};

async fn member(plant: &Plant, login: &str, person: &str, groups: &[&str]) -> Person {
    let body = NewUser {
        login: login.to_owned(),
        role: Role::Viewer,
        person: person.to_owned(),
        password: PASSWORD.to_owned(),
        groups: Some(groups.iter().map(|&group| group.to_owned()).collect()),
        your_password: Some(PASSWORD.to_owned()),
    };
    let made = plant.admin.post("users", &body).await;
    assert_eq!(made.status(), StatusCode::OK);
    Person::sign_in(plant.running.console_url(), login, PASSWORD).await
}

async fn ask(machine: &Machine, open: &ApprovalOpen) {
    let _: ApprovalOpened = read(machine.post("/v1/approvals", open).await).await;
}

fn sealed(mut open: ApprovalOpen) -> ApprovalOpen {
    open.binding_hash = Hash::of(&[&canonical_bytes(&open.request).unwrap()]).to_hex();
    open
}

const TWO: &str = "version: \"1.0\"\norganization: \"acme\"\napprovals:\n  approvers: [sre, sec]\n  quorum: 2\n  max_uses: 3\n  timeout_minutes: 5\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_different_people_of_the_groups_that_the_policy_names() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    assert!(publish(&plant, TWO).await.status().is_success());
    let bob = member(&plant, "bob", "bob", &["sre", "sec"]).await;
    let bob2 = member(&plant, "bob2", "Bob@example.org", &["sec"]).await;
    let cleo = member(&plant, "cleo", "cleo", &["sec"]).await;
    let nobody = member(&plant, "stranger", "stranger", &["other"]).await;
    let alice = member(&plant, "alice", "alice", &["sre"]).await;
    let ghost = member(&plant, "ghost", "unknown", &["sre"]).await;
    ask(&machine, &open("QUORUM01", "alice", 6_000)).await;
    let path = "approvals/QUORUM01";
    let yes = decision(true, PASSWORD);
    for (person, who) in [
        (&nobody, "none of the groups"),
        (&plant.admin, "an administrator in none of the groups"),
        (&alice, "whoever asks"),
        (&ghost, "nobody knows who"),
    ] {
        assert_eq!(
            person.post(path, &yes).await.status(),
            StatusCode::FORBIDDEN,
            "{who}"
        );
    }
    let other = cmdai_api::console::ApprovalDecision {
        binding_hash: Some("00".repeat(32)),
        ..yes.clone()
    };
    assert_eq!(bob.post(path, &other).await.status(), StatusCode::CONFLICT);
    let one: Approval = bob.post_as(path, &yes).await;
    assert_eq!(
        (one.status.as_str(), one.given, one.needed),
        ("pending", 1, 2)
    );
    assert_eq!(bob.post(path, &yes).await.status(), StatusCode::CONFLICT);
    assert_eq!(
        bob2.post(path, &yes).await.status(),
        StatusCode::CONFLICT,
        "the same person"
    );
    assert!(checkin(&machine, "QUORUM01").await.grants.is_empty());
    // Who is not entitled any more does not count: bob leaves the groups before the second yes.
    let left = UserChange {
        role: None,
        groups: Some(Vec::new()),
        chat: None,
        reset_factors: None,
        password: PASSWORD.to_owned(),
    };
    let _: cmdai_api::console::User = plant.admin.post_as("users/bob", &left).await;
    let still: Approval = cleo.post_as(path, &yes).await;
    assert_eq!((still.status.as_str(), still.given), ("pending", 1));
    let dan = member(&plant, "dan", "dan", &["sre"]).await;
    let done: Approval = dan.post_as(path, &yes).await;
    assert_eq!((done.status.as_str(), done.given), ("granted", 2));
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let reply = checkin(&machine, "QUORUM01").await;
    let grant: Grant = verify_statement(&reply.grants[0], &authority.grant_keys).unwrap();
    let people: Vec<&str> = grant
        .approvers
        .iter()
        .map(|one| one.person.as_str())
        .collect();
    assert_eq!((people, grant.uses), (vec!["cleo", "dan"], 3));
    // A no ends it, whoever said yes before.
    ask(&machine, &open("QUORUM02", "alice", 6_000)).await;
    let waits: Approval = dan.post_as("approvals/QUORUM02", &yes).await;
    let lapses: jiff::Timestamp = waits.expires.parse().unwrap();
    let left = lapses.duration_since(jiff::Timestamp::now());
    assert!(
        left < jiff::SignedDuration::from_mins(6),
        "the policy's time-out: {left}"
    );
    let no: Approval = cleo
        .post_as("approvals/QUORUM02", &decision(false, PASSWORD))
        .await;
    assert_eq!(no.status, "denied");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_manager_must_approve_a_manager_approves() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let security = plant.person("sami", Role::Security, "sami").await;
    let boss = member(&plant, "boss", "boss", &["managers"]).await;
    let mut request = open("MANAGER1", "alice", 600);
    request.request.binding.rules = vec!["approval.manager.high_risk_commands".to_owned()];
    ask(&machine, &sealed(request)).await;
    let yes = decision(true, PASSWORD);
    let first: Approval = security.post_as("approvals/MANAGER1", &yes).await;
    assert_eq!(
        (first.status.as_str(), first.managers.len()),
        ("pending", 1)
    );
    let done: Approval = boss.post_as("approvals/MANAGER1", &yes).await;
    assert_eq!(done.status, "granted");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_that_is_shown_is_the_text_that_is_bound() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let mut disguised = open("DISGUISE", "alice", 600);
    disguised.request.binding.text = "ls -la".to_owned();
    let refused = machine.post("/v1/approvals", &sealed(disguised)).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("digest"));
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_flood_is_damped_and_a_weary_inbox_denies() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let by_agent = |id: &str| {
        let mut request = open(id, "alice", 600);
        request.request.binding.origin = "agent".to_owned();
        sealed(request)
    };
    let mut statuses = Vec::new();
    for n in 0..9 {
        let request = by_agent(&format!("AGENT{n:03}"));
        statuses.push(machine.post("/v1/approvals", &request).await.status());
    }
    assert!(statuses[..8].iter().all(StatusCode::is_success));
    assert_eq!(statuses[8], StatusCode::TOO_MANY_REQUESTS);
    // Each is denied, and it goes on: after forty nobody is asked any more.
    for n in 0..8 {
        let path = format!("approvals/AGENT{n:03}");
        let _: Approval = sami.post_as(&path, &decision(false, PASSWORD)).await;
    }
    for n in 8..42 {
        let id = format!("AGENT{n:03}");
        ask(&machine, &by_agent(&id)).await;
        let state: Approval = sami.get_as(&format!("approvals/{id}")).await;
        if n < 40 {
            assert_eq!(state.status, "pending", "{n}");
            let path = format!("approvals/{id}");
            let _: Approval = sami.post_as(&path, &decision(false, PASSWORD)).await;
        } else {
            assert_eq!(
                (state.status.as_str(), state.approver.as_deref()),
                ("denied", Some("server"))
            );
        }
    }
    assert_eq!(
        checkin(&machine, "AGENT041").await.grants.len(),
        1,
        "a signed denial"
    );
    let alerts: AlertList = sami.get_as("alerts").await;
    let floods = alerts
        .alerts
        .iter()
        .filter(|alert| alert.detection == "approval-flood");
    assert_eq!(floods.count(), 1, "told once");
    plant.running.stop().await.unwrap();
}

fn exception(id: &str, seconds: u64) -> ApprovalOpen {
    let mut request = open(id, "alice", 600);
    request.kind = "exception".to_owned();
    request.request.exception = Some(ExceptionRequest {
        rules: vec!["acme.deploy".to_owned()],
        duration_s: seconds,
        reason: "migration".to_owned(),
        origin: "human".to_owned(),
        ..ExceptionRequest::default()
    });
    sealed(request)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_voted_on_listed_with_its_last_use_and_taken_back() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let short = "version: \"1.0\"\norganization: \"acme\"\napprovals:\n  exception_days: 7\n";
    assert!(publish(&plant, short).await.status().is_success());
    let long = machine
        .post("/v1/approvals", &exception("TOOLONG1", 8 * 86_400))
        .await;
    assert_eq!(long.status(), StatusCode::BAD_REQUEST);
    ask(&machine, &exception("EXCEPT01", 7 * 86_400)).await;
    let done: Approval = sami
        .post_as("approvals/EXCEPT01", &decision(true, PASSWORD))
        .await;
    assert_eq!(
        (done.status.as_str(), done.kind.as_str()),
        ("granted", "exception")
    );

    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let reply = checkin(&machine, "EXCEPT01").await;
    let grant: Grant = verify_statement(&reply.grants[0], &authority.grant_keys).unwrap();
    let until: jiff::Timestamp = grant.until.unwrap().parse().unwrap();
    let days = until.duration_since(jiff::Timestamp::now()).as_hours() / 24;
    assert_eq!((days, grant.uses), (6, 1));

    tokio::time::sleep(Duration::from_millis(10)).await;
    let mut payload = machine.payload("./deploy blue", Decision::Allow);
    if let Some(policy) = &mut payload.policy_evaluation {
        policy.violated_rules = vec!["acme.deploy".to_owned()];
    }
    let used = machine.seal(cmdai_schema::EventType::PolicyViolation, payload);
    machine.upload(&[used]).await;
    let list: ExceptionList = sami.get_as("exceptions").await;
    let one = &list.exceptions[0];
    assert_eq!(
        (one.status.as_str(), one.uses, one.approvers.len()),
        ("active", 1, 1)
    );
    assert!(one.last_used.is_some());

    let body = Revocation {
        reason: "over".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let refused = vera.post("exceptions/EXCEPT01/revoke", &body).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let back: cmdai_api::console::ExceptionView =
        sami.post_as("exceptions/EXCEPT01/revoke", &body).await;
    assert_eq!(back.status, "revoked");
    assert_eq!(
        sami.post("exceptions/EXCEPT01/revoke", &body)
            .await
            .status(),
        StatusCode::CONFLICT
    );
    let reply: CheckinReply = read(machine.post("/v1/checkin", &Checkin::default()).await).await;
    let order: Order = verify_statement(&reply.orders[0], &authority.order_keys).unwrap();
    assert_eq!(
        (order.kind.as_str(), order.subject.as_deref()),
        ("revoke-exception", Some("EXCEPT01"))
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_alerts_at_once_and_is_reviewed_by_somebody_else() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let own = plant.person("alice.sec", Role::Security, "alice").await;
    let at_once = "version: \"1.0\"\norganization: \"acme\"\napprovals:\n  break_glass: true\n  review_hours: 0\n";
    assert!(publish(&plant, at_once).await.status().is_success());
    let mut request = open("GLASS001", "alice", 600);
    request.kind = "break_glass".to_owned();
    let mut silent = request.clone();
    silent.reason = None;
    let refused = machine.post("/v1/approvals", &silent).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    ask(&machine, &request).await;
    let alerts: AlertList = sami.get_as("alerts").await;
    assert!(
        alerts
            .alerts
            .iter()
            .any(|alert| alert.detection == "break-glass")
    );
    eventually("that the review is late is told", || async {
        let alerts: AlertList = sami.get_as("alerts").await;
        alerts
            .alerts
            .iter()
            .any(|alert| alert.detection == "break-glass-late")
            .then_some(())
    })
    .await;
    let list: EmergencyList = sami.get_as("emergencies").await;
    assert_eq!(
        (list.emergencies.len(), list.emergencies[0].status.as_str()),
        (1, "late")
    );
    // It is no request: nobody can grant it.
    let granted = sami
        .post("approvals/GLASS001", &decision(true, PASSWORD))
        .await;
    assert_eq!(granted.status(), StatusCode::CONFLICT);
    let review = Review {
        verdict: "justified".to_owned(),
        note: "the site was down".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let path = "emergencies/GLASS001/review";
    assert_eq!(
        own.post(path, &review).await.status(),
        StatusCode::FORBIDDEN
    );
    let done: cmdai_api::console::Emergency = sami.post_as(path, &review).await;
    assert_eq!(
        (done.status.as_str(), done.reviewed_by.as_deref()),
        ("reviewed", Some("sami"))
    );
    assert_eq!(
        sami.post(path, &review).await.status(),
        StatusCode::CONFLICT
    );
    plant.running.stop().await.unwrap();
}

/// Presses a button as Slack would send it.
async fn press(
    plant: &Plant,
    user: &str,
    action: &str,
    value: &str,
    at: i64,
    secret: &str,
) -> reqwest::Response {
    let payload = serde_json::json!({
        "type": "block_actions",
        "user": { "id": user },
        "actions": [{ "action_id": action, "value": value }],
    });
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Client::new()
        .post(format!("{}/api/v1/chat/slack", plant.running.console_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", at)
        .header("x-slack-signature", format!("v0={hex}"))
        .body(body)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_shows_denies_and_links_and_never_approves() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, mut messages) = tokio::sync::mpsc::unbounded_channel::<serde_json::Value>();
    let router = axum::Router::new().route(
        "/hook",
        axum::routing::post(move |body: String| async move {
            sender.send(serde_json::from_str(&body).unwrap()).unwrap();
            "ok"
        }),
    );
    let scripted = tokio::spawn(async move { axum::serve(listener, router).await });
    let channel = Channel {
        id: "chat".to_owned(),
        kind: "slack".to_owned(),
        url,
        min_severity: "low".to_owned(),
        secret: Some("signing-secret".to_owned()),
        enabled: true,
    };
    let put = plant
        .admin
        .request(reqwest::Method::PUT, "channels/chat")
        .header("x-cmdai", "1")
        .json(&channel)
        .send()
        .await
        .unwrap();
    assert!(put.status().is_success());
    ask(&machine, &open("CHATCHAT", "alice", 600)).await;
    let shown = tokio::time::timeout(Duration::from_secs(10), messages.recv())
        .await
        .unwrap()
        .unwrap();
    let buttons = shown["blocks"][2]["elements"].as_array().unwrap();
    let actions: Vec<&str> = buttons
        .iter()
        .map(|button| button["action_id"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["cmdai-deny", "cmdai-open"], "no button approves");
    assert!(
        buttons[1]["url"]
            .as_str()
            .unwrap()
            .contains("/approvals?id=CHATCHAT")
    );

    let secret = "signing-secret";
    let now = jiff::Timestamp::now().as_second();
    let status = |id: &'static str| {
        let sami = &sami;
        async move {
            let state: Approval = sami.get_as(&format!("approvals/{id}")).await;
            state.status
        }
    };
    for (user, action, at, with) in [
        ("U1", "cmdai-deny", now - 301, secret),
        ("U1", "cmdai-deny", now + 900, secret),
        ("U1", "cmdai-deny", now, "another secret"),
        ("U1", "cmdai-deny", now, ""),
    ] {
        let refused = press(&plant, user, action, "CHATCHAT", at, with).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{at} {with}");
    }
    for (user, action) in [
        ("U1", "cmdai-deny"),
        ("U1", "cmdai-approve"),
        ("U1", "approve"),
    ] {
        let said = press(&plant, user, action, "CHATCHAT", now, secret).await;
        assert!(said.status().is_success());
        assert_eq!(
            status("CHATCHAT").await,
            "pending",
            "{action} by nobody who is known"
        );
    }
    let link = |chat: &str| UserChange {
        role: None,
        groups: None,
        chat: Some(chat.to_owned()),
        reset_factors: None,
        password: PASSWORD.to_owned(),
    };
    let _: cmdai_api::console::User = plant.admin.post_as("users/sami", &link("U7")).await;
    let approve = press(&plant, "U7", "cmdai-approve", "CHATCHAT", now, secret).await;
    assert!(approve.text().await.unwrap().contains("console"));
    assert_eq!(status("CHATCHAT").await, "pending");
    let denied = press(&plant, "U7", "cmdai-deny", "CHATCHAT", now, secret).await;
    assert!(denied.text().await.unwrap().contains("Denied"));
    assert_eq!(status("CHATCHAT").await, "denied");
    let again = press(&plant, "U7", "cmdai-deny", "CHATCHAT", now, secret).await;
    assert_eq!(again.status(), StatusCode::CONFLICT, "the very same again");
    scripted.abort();
    plant.running.stop().await.unwrap();
}
