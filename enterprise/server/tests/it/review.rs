//! A release is looked at by somebody other than its author, with what it would have changed.

use cmdai_api::console::{
    ApproverKeys, DraftSignature, DraftSignatures, EventPage, PolicyDraft, PolicyImpact,
    PolicyPublish, PolicySource, PolicyView, ReleaseReview, Role, RolloutChange,
};
use cmdai_bundle::Draft;
use cmdai_bundle::assertion::ES256;
use cmdai_schema::Decision;
use reqwest::StatusCode;

use crate::factors::{coded, enrol};
use crate::rollout::{key, take_over};
use crate::security_keys::add;
use crate::support::{PASSWORD, Person, Plant, config, plant, read};

const PATH: &str = "policy/draft/review";
const REVIEWED: &str =
    "version: \"1.0\"\norganization: \"acme\"\napprovals:\n  review_releases: true\n";
const BARE: &str = "version: \"1.0\"\norganization: \"acme\"\n";

fn release(now: &PolicyView, source: &str) -> PolicyPublish {
    PolicyPublish {
        source: source.to_owned(),
        base_version: now.version,
        note: "a change".to_owned(),
        password: PASSWORD.to_owned(),
        rollout: None,
        managed_by: None,
    }
}

async fn publish_as(person: &Person, source: &str) -> PolicyView {
    let now: PolicyView = person.get_as("policy").await;
    person.post_as("policy", &release(&now, source)).await
}

/// Puts a release up that has to be looked at.
async fn waiting(person: &Person, source: &str) -> PolicyDraft {
    let draft = publish_as(person, source).await.draft.unwrap();
    assert!(draft.awaits_review && draft.reviewed_by.is_empty());
    draft
}

fn review(draft: &PolicyDraft, approve: bool) -> ReleaseReview {
    ReleaseReview {
        digest: draft.digest.clone(),
        approve,
        note: "looked at it".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

async fn refused(person: &Person, body: &ReleaseReview, status: StatusCode, words: &str) {
    let answer = person.post(PATH, body).await;
    let found = answer.status();
    let text = answer.text().await.unwrap();
    assert!(found == status && text.contains(words), "{found}: {text}");
}

fn wipe() -> String {
    format!(
        "{REVIEWED}rules:\n  - id: acme.wipe\n    when: {{pattern: [\"acme-wipe ...\"]}}\n    decision: deny\n    reason: \"Nobody wipes\"\n"
    )
}

async fn trail_of(plant: &Plant, what: &str) -> serde_json::Value {
    let page: EventPage = plant
        .admin
        .get_as(&format!("events?q={what}%20type:admin_action&limit=1"))
        .await;
    let id = &page.rows[0].event_id;
    plant.admin.get_as(&format!("events/{id}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_looked_at_by_somebody_else_with_what_it_changes() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let events: Vec<_> = ["git status", "acme-wipe --all"]
        .map(|text| machine.command(text, Decision::Allow))
        .into();
    machine.upload(&events).await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let twin = plant
        .person("sami2", Role::Administrator, "Sami@example.org")
        .await;
    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let now = publish_as(&sami, REVIEWED).await;
    assert!(now.draft.is_none(), "nothing asked for a review before");
    // Its author sees beforehand what a reviewer will.
    let body = PolicySource { source: wipe() };
    let ahead: PolicyImpact = sami.post_as("policy/impact", &body).await;
    assert_eq!((ahead.impact.stricter, ahead.commands.len()), (1, 1));
    let looking = vera.post("policy/impact", &body).await;
    assert_eq!(looking.status(), StatusCode::FORBIDDEN);
    let body = PolicySource {
        source: "safty: 1".to_owned(),
    };
    let broken = sami.post("policy/impact", &body).await;
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    let draft = waiting(&sami, &wipe()).await;
    let after: PolicyView = sami.get_as("policy").await;
    assert_eq!(after.version, now.version, "it is not out");
    let impact = draft.impact.clone().unwrap();
    assert_eq!((impact.against, impact.commands), (now.version, 2));
    assert_eq!((impact.stricter, impact.looser), (1, 0));
    assert_eq!((impact.people_more, impact.bounded), (1, false));
    assert!(
        impact
            .changes
            .iter()
            .any(|change| change.subject == "rule acme.wipe" && change.direction == "stricter")
    );
    assert_eq!(draft.commands.len(), 1);
    assert_eq!(
        (
            draft.commands[0].text.as_str(),
            draft.commands[0].new.as_str()
        ),
        ("acme-wipe --all", "deny")
    );
    let yes = review(&draft, true);
    for own in [&sami, &twin] {
        refused(own, &yes, StatusCode::FORBIDDEN, "their own release").await;
    }
    refused(&vera, &yes, StatusCode::FORBIDDEN, "role").await;
    let mut wrong = review(&draft, true);
    wrong.password = "guessed".to_owned();
    refused(&rita, &wrong, StatusCode::FORBIDDEN, "password is wrong").await;
    let mut silent = review(&draft, true);
    silent.note = " ".to_owned();
    refused(&rita, &silent, StatusCode::BAD_REQUEST, "what you found").await;
    let out: PolicyView = rita.post_as(PATH, &yes).await;
    assert_eq!((out.version, out.draft.is_none()), (draft.release, true));
    assert_eq!(out.history[0].published_by, "sami");
    assert_eq!(out.history[0].reviewed_by, "rita");
    assert_eq!(out.history[0].impact.as_ref().unwrap(), &impact);
    // The agreement names what was agreed to.
    let event = trail_of(&plant, "reviewed").await.to_string();
    for part in [
        "policy.review",
        "rita",
        draft.digest.as_str(),
        draft.impact_sha256.as_str(),
    ] {
        assert!(!part.is_empty() && event.contains(part), "{part}: {event}");
    }
    refused(&rita, &yes, StatusCode::NOT_FOUND, "").await;
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_draft_takes_another_look() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    publish_as(&sami, REVIEWED).await;
    let first = waiting(&sami, &wipe()).await;
    let second = waiting(&sami, &format!("{REVIEWED}# nothing\n")).await;
    assert_eq!(first.release, second.release, "the same number");
    let old = review(&first, true);
    refused(&rita, &old, StatusCode::CONFLICT, "look again").await;
    refused(
        &rita,
        &review(&first, false),
        StatusCode::CONFLICT,
        "look again",
    )
    .await;
    // Taking the line out takes a review too, and may be sent back.
    let bare = waiting(&rita, BARE).await;
    assert!(
        bare.impact
            .as_ref()
            .unwrap()
            .changes
            .iter()
            .any(|change| change.subject == "approvals.review_releases"
                && change.direction == "looser")
    );
    refused(&rita, &review(&bare, true), StatusCode::FORBIDDEN, "own").await;
    let back: PolicyView = sami.post_as(PATH, &review(&bare, false)).await;
    assert!(back.draft.is_none());
    assert!(back.source.contains("review_releases"));
    // So does bringing back a release that asked for none; its author is who does it.
    let undo = RolloutChange {
        action: "rollback".to_owned(),
        reason: "alone".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let view: PolicyView = sami.post_as("policy/rollout", &undo).await;
    let undone = view.draft.unwrap();
    assert!(undone.awaits_review && undone.rollback);
    refused(&sami, &review(&undone, true), StatusCode::FORBIDDEN, "own").await;
    // Who applies a repository is the author of what it says.
    rita.post(PATH, &review(&undone, false)).await;
    let now: PolicyView = sami.get_as("policy").await;
    let applied = PolicyPublish {
        managed_by: Some("git@example.org:policy@abc".to_owned()),
        ..release(&now, &wipe())
    };
    let view: PolicyView = sami.post_as("policy", &applied).await;
    let applied = view.draft.unwrap();
    assert!(applied.awaits_review);
    refused(&sami, &review(&applied, true), StatusCode::FORBIDDEN, "own").await;
    let out: PolicyView = rita.post_as(PATH, &review(&applied, true)).await;
    assert_eq!(out.version, applied.release);
    // With reviews on both sides, what was in force comes back at once.
    let view: PolicyView = sami.post_as("policy/rollout", &undo).await;
    assert_eq!(
        (view.draft.is_none(), view.version),
        (true, out.version + 1)
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_factor_and_a_nameless_author_do_not_count() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let ghost = plant.person("pipeline", Role::Security, "unknown").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let now = publish_as(&sami, REVIEWED).await;
    let nameless = ghost.post("policy", &release(&now, &wipe())).await;
    assert_eq!(nameless.status(), StatusCode::FORBIDDEN);
    let text = nameless.text().await.unwrap();
    assert!(text.contains("who you are"), "{text}");
    let draft = waiting(&sami, &format!("{REVIEWED}  factor: webauthn\n")).await;
    let yes = review(&draft, true);
    refused(&ghost, &yes, StatusCode::FORBIDDEN, "who you are").await;
    let now: PolicyView = rita.post_as(PATH, &yes).await;
    // From here on a review takes what an approval takes.
    let (_, of_sami) = enrol(&sami).await;
    let (_, of_rita) = enrol(&rita).await;
    let wipe = release(&now, &wipe());
    let view: PolicyView = read(coded(&sami, "policy", &wipe, &of_sami[0]).await).await;
    let draft = view.draft.unwrap();
    let weak = coded(&rita, PATH, &review(&draft, true), &of_rita[0]).await;
    assert_eq!(weak.status(), StatusCode::FORBIDDEN);
    let text = weak.text().await.unwrap();
    assert!(text.contains("takes the factor webauthn"), "{text}");
    // Dropping loosens nothing.
    let back = coded(&rita, PATH, &review(&draft, false), &of_rita[1]).await;
    let back: PolicyView = read(back).await;
    assert!(back.draft.is_none() && back.version == now.version);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_sign_the_review_comes_before_signatures() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    publish_as(&sami, REVIEWED).await;
    let draft = waiting(&sami, &wipe()).await;
    // A new root makes the draft anew; it stays its author's, and waits as before.
    take_over(&plant.admin).await;
    let view: PolicyView = rita.get_as("policy").await;
    assert_eq!(view.signing, "people");
    let again = view.draft.unwrap();
    assert!(again.awaits_review && again.by == "sami");
    assert_ne!(again.digest, draft.digest);
    refused(&sami, &review(&again, true), StatusCode::FORBIDDEN, "own").await;
    let mut signed = Draft::parse(&rita.get("policy/draft").await.bytes().await.unwrap()).unwrap();
    assert_eq!(signed.digest().unwrap(), again.digest);
    let mut hand = Vec::new();
    for number in [11, 12] {
        signed.sign(&key(number)).unwrap();
    }
    for signature in signed.signatures() {
        hand.push(DraftSignature {
            key_id: signature.key_id,
            signature: signature.signature,
        });
    }
    let hand = DraftSignatures { signatures: hand };
    let early = rita.post("policy/draft", &hand).await;
    assert_eq!(early.status(), StatusCode::CONFLICT);
    assert!(
        early
            .text()
            .await
            .unwrap()
            .contains("other than its author")
    );
    let looked: PolicyView = rita.post_as(PATH, &review(&again, true)).await;
    let looked = looked.draft.unwrap();
    assert!(!looked.awaits_review && looked.reviewed_by == "rita");
    let twice = review(&looked, true);
    refused(&rita, &twice, StatusCode::CONFLICT, "no review").await;
    let out: PolicyView = sami.post_as("policy/draft", &hand).await;
    assert_eq!(out.version, again.release);
    assert_eq!(out.history[0].reviewed_by, "rita");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_approvers_that_go_out_meanwhile_leave_it_waiting() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let vera = plant.person("vera", Role::Security, "vera").await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let now = publish_as(&sami, REVIEWED).await;
    let ringed = PolicyPublish {
        rollout: Some("rings: [{name: canary, percent: 10}, {name: everybody}]".to_owned()),
        ..release(&now, &wipe())
    };
    let view: PolicyView = sami.post_as("policy", &ringed).await;
    let draft = view.draft.unwrap();
    assert_eq!(draft.rings, ["canary", "everybody"]);
    add(&plant, &vera, ES256).await;
    // What waits is put together again, with those keys: another draft, by the same author.
    let view: PolicyView = rita.get_as("policy").await;
    let again = view.draft.unwrap();
    assert!(again.awaits_review && again.by == "sami" && again.release == draft.release);
    assert_eq!((&again.impact, &again.rings), (&draft.impact, &draft.rings));
    let old = review(&draft, true);
    refused(&rita, &old, StatusCode::CONFLICT, "look again").await;
    refused(&sami, &review(&again, true), StatusCode::FORBIDDEN, "own").await;
    let out: PolicyView = rita.post_as(PATH, &review(&again, true)).await;
    assert_eq!(out.version, draft.release);
    let keys: ApproverKeys = rita.get_as("policy/approvers").await;
    assert!(keys.current && keys.keys.len() == 1);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_what_waits() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    plant.person("rita", Role::Security, "rita").await;
    publish_as(&sami, REVIEWED).await;
    let draft = waiting(&sami, &wipe()).await;
    let Plant {
        running, folder, ..
    } = plant;
    running.stop().await.unwrap();
    let running = cmdai_server::start(config(folder.path())).await.unwrap();
    let sami = Person::sign_in(running.console_url(), "sami", PASSWORD).await;
    let rita = Person::sign_in(running.console_url(), "rita", PASSWORD).await;
    let view: PolicyView = rita.get_as("policy").await;
    assert_eq!(view.draft.as_ref(), Some(&draft));
    refused(&sami, &review(&draft, true), StatusCode::FORBIDDEN, "own").await;
    let out: PolicyView = rita.post_as(PATH, &review(&draft, true)).await;
    assert_eq!(out.version, draft.release);
    running.stop().await.unwrap();
}
