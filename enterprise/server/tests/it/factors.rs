//! Second factors, passwords and tokens: enrolment, use, and what they do not let through.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cmdai_api::ApiError;
use cmdai_api::console::{
    Approval, Challenge, Confirmation, FactorList, Me, NewEnrolmentToken, NewToken, NewTotp,
    NewUser, PasswordChange, PolicyPublish, PolicyView, RecoveryCodes, Role, SignIn, TokenList,
    TokenMade, TotpCode, TotpMade, User, UserChange,
};
use cmdai_api::machine::{ApprovalOpened, Grant};
use cmdai_bundle::assertion::EDDSA;
use cmdai_bundle::verify_statement;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use totp_rs::{Builder, Secret, Totp};

use crate::approvals::{checkin, decision, open};
use crate::machine::authority;
use crate::security_keys::{add, origin};
use crate::support::{PASSWORD, Person, Plant, config, plant, read};

const MFA: &str = "version: \"1.0\"\norganization: \"acme\"\ncompliance:\n  require_mfa: true\n";

pub(crate) async fn publish(plant: &Plant, source: &str) -> Response {
    let now: PolicyView = plant.admin.get_as("policy").await;
    let body = PolicyPublish {
        source: source.to_owned(),
        base_version: now.version,
        note: "test".to_owned(),
        password: PASSWORD.to_owned(),
        rollout: None,
        managed_by: None,
    };
    plant.admin.post("policy", &body).await
}

/// Posts with a code.
pub(crate) async fn coded<B: Serialize>(
    person: &Person,
    path: &str,
    body: &B,
    code: &str,
) -> Response {
    person
        .request(Method::POST, path)
        .header("x-cmdai", "1")
        .header("x-cmdai-code", code)
        .json(body)
        .send()
        .await
        .unwrap()
}

pub(crate) async fn code_of(answer: Response) -> (StatusCode, String) {
    let status = answer.status();
    let error: ApiError = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (status, error.code)
}

fn app(secret: &str) -> Totp {
    Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap()
}

fn seconds() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap()
}

/// Sets an authenticator app up. The code of the step before confirms it, so that this step's and
/// the next one's are left.
pub(crate) async fn enrol(person: &Person) -> (Totp, Vec<String>) {
    let new = NewTotp {
        name: "telephone".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let made: TotpMade = person.post_as("factors/totp", &new).await;
    assert!(made.uri.contains(&made.secret) && made.uri.starts_with("otpauth://totp/"));
    let app = app(&made.secret);
    let path = format!("factors/totp/{}", made.id);
    let wrong = TotpCode {
        code: "000000".to_owned(),
    };
    assert_eq!(
        person.post(&path, &wrong).await.status(),
        StatusCode::FORBIDDEN
    );
    let code = TotpCode {
        code: app.generate(seconds() - 30).to_string(),
    };
    let codes: RecoveryCodes = person.post_as(&path, &code).await;
    assert_eq!(codes.codes.len(), 8);
    (app, codes.codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_policy_asks_for_it_a_password_alone_approves_nothing() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    assert!(publish(&plant, MFA).await.status().is_success());
    let _: ApprovalOpened = read(
        machine
            .post("/v1/approvals", &open("MFAMFAMF", "alice", 600))
            .await,
    )
    .await;
    let path = "approvals/MFAMFAMF";
    let yes = decision(true, PASSWORD);
    let me: Me = sami.get_as("session").await;
    assert!(me.factor_missing && !me.second_factor);
    let without = code_of(sami.post(path, &yes).await).await;
    assert_eq!(without, (StatusCode::FORBIDDEN, "factor_required".into()));
    // The administrator cannot go on without one either.
    let blocked = code_of(publish(&plant, MFA).await).await;
    assert_eq!(blocked.1, "factor_required");

    let (app, recovery) = enrol(&sami).await;
    let list: FactorList = sami.get_as("factors").await;
    assert!(list.required && list.factors[0].confirmed && list.recovery_codes == 8);
    for wrong in ["", "12345", "000000x", "-", "AAAAA-BBBBB-CCCCC-DDDDD"] {
        let refused = code_of(coded(&sami, path, &yes, wrong).await).await;
        assert_eq!(refused.1, "factor_required", "{wrong:?}");
    }
    let wrong_password = decision(true, "wrong password");
    let good = app.generate(seconds()).to_string();
    // Tries are bounded, whichever of the two is wrong.
    let refused = code_of(coded(&sami, path, &wrong_password, &good).await).await;
    assert_eq!(refused.0, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    drop(recovery);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_once_and_the_grant_says_what_proved_it() {
    let plant = plant().await;
    let machine = plant.machine("alice").await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let (app, recovery) = enrol(&sami).await;
    for id in ["CODE0001", "CODE0002", "CODE0003"] {
        let _: ApprovalOpened =
            read(machine.post("/v1/approvals", &open(id, "alice", 600)).await).await;
    }
    let yes = decision(true, PASSWORD);
    let code = app.generate(seconds()).to_string();
    // An account that has a factor uses it, also where the policy does not ask.
    let without = code_of(sami.post("approvals/CODE0001", &yes).await).await;
    assert_eq!(without.1, "factor_required");
    let granted: Approval = read(coded(&sami, "approvals/CODE0001", &yes, &code).await).await;
    assert_eq!(granted.votes[0].factor, "totp");
    let again = code_of(coded(&sami, "approvals/CODE0002", &yes, &code).await).await;
    assert_eq!(again.1, "factor_required", "the same code a second time");
    let lower = recovery[0].to_lowercase();
    let granted: Approval = read(coded(&sami, "approvals/CODE0002", &yes, &lower).await).await;
    assert_eq!(granted.status, "granted");
    let again = code_of(coded(&sami, "approvals/CODE0003", &yes, &lower).await).await;
    assert_eq!(again.1, "factor_required", "a recovery code a second time");

    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&machine, folder.path()).await;
    let reply = checkin(&machine, "CODE0001").await;
    let grant: Grant = verify_statement(&reply.grants[0], &authority.grant_keys).unwrap();
    assert_eq!(
        (grant.factor.as_str(), grant.approvers[0].person.as_str()),
        ("totp", "sami")
    );
    // Another administrator takes a lost factor away; nobody their own so.
    let change = UserChange {
        role: None,
        groups: None,
        chat: None,
        reset_factors: Some(true),
        password: PASSWORD.to_owned(),
    };
    let own = plant.admin.post("users/admin", &change).await;
    assert_eq!(own.status(), StatusCode::CONFLICT);
    let user: User = plant.admin.post_as("users/sami", &change).await;
    assert!(!user.second_factor);
    let list: FactorList = sami.get_as("factors").await;
    assert!(list.factors.is_empty() && list.recovery_codes == 0);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_factor_takes_the_factor() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let (_, recovery) = enrol(&sami).await;
    let list: FactorList = sami.get_as("factors").await;
    let path = format!("factors/{}/remove", list.factors[0].id);
    let body = Confirmation {
        password: PASSWORD.to_owned(),
    };
    let without = code_of(sami.post(&path, &body).await).await;
    assert_eq!(without.1, "factor_required");
    let second = NewTotp {
        name: "other telephone".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let without = code_of(sami.post("factors/totp", &second).await).await;
    assert_eq!(
        without.1, "factor_required",
        "a further one needs the first"
    );
    let done = coded(&sami, &path, &body, &recovery[3]).await;
    assert_eq!(done.status(), StatusCode::NO_CONTENT);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_everything_else() {
    let plant = plant().await;
    let base = plant.running.console_url().to_owned();
    let sami = plant.person("sami", Role::Security, "sami").await;
    let other = Person::sign_in(&base, "sami", PASSWORD).await;
    let token: TokenMade = sami
        .post_as(
            "tokens",
            &NewToken {
                name: "ci".to_owned(),
                days: 1,
            },
        )
        .await;
    let change = |password: &str, new_password: &str| PasswordChange {
        password: password.to_owned(),
        new_password: new_password.to_owned(),
    };
    let new = "another password for tests";
    for (bad, status) in [
        (change("wrong password", new), StatusCode::FORBIDDEN),
        (change(PASSWORD, "short"), StatusCode::BAD_REQUEST),
        (change(PASSWORD, PASSWORD), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(sami.post("password", &bad).await.status(), status);
    }
    let by_token = Client::new()
        .post(format!("{base}/api/v1/password"))
        .bearer_auth(&token.token)
        .json(&change(PASSWORD, new))
        .send()
        .await
        .unwrap();
    assert_eq!(by_token.status(), StatusCode::FORBIDDEN);
    let done = sami.post("password", &change(PASSWORD, new)).await;
    assert_eq!(done.status(), StatusCode::NO_CONTENT);
    assert!(sami.get("session").await.status().is_success());
    assert_eq!(
        other.get("session").await.status(),
        StatusCode::UNAUTHORIZED
    );
    let by_token = Client::new()
        .get(format!("{base}/api/v1/session"))
        .bearer_auth(&token.token)
        .send()
        .await
        .unwrap();
    assert_eq!(by_token.status(), StatusCode::UNAUTHORIZED);
    Person::sign_in(&base, "sami", new).await;
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_and_ended_by_whom_they_belong_to() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let new = NewToken {
        name: "ci".to_owned(),
        days: 1,
    };
    let made: TokenMade = sami.post_as("tokens", &new).await;
    let list: TokenList = sami.get_as("tokens").await;
    assert_eq!((list.tokens.len(), list.tokens[0].name.as_str()), (1, "ci"));
    assert!(!made.token.starts_with(&list.tokens[0].id));
    let none: TokenList = vera.get_as("tokens").await;
    assert!(none.tokens.is_empty());
    let path = format!("tokens/{}", list.tokens[0].id);
    let end = |person: &Person| {
        person
            .request(Method::DELETE, &path)
            .header("x-cmdai", "1")
            .send()
    };
    assert_eq!(end(&vera).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(
        end(&plant.admin).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let url = format!("{}/api/v1/session", plant.running.console_url());
    let gone = Client::new().get(url).bearer_auth(made.token).send().await;
    assert_eq!(gone.unwrap().status(), StatusCode::UNAUTHORIZED);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_enrolment_tokens_take_the_password_again() {
    let plant = plant().await;
    let user = |your_password: Option<&str>| NewUser {
        login: "eve".to_owned(),
        role: Role::Administrator,
        person: "eve".to_owned(),
        password: PASSWORD.to_owned(),
        groups: None,
        your_password: your_password.map(str::to_owned),
    };
    let token = |password: Option<&str>| NewEnrolmentToken {
        person: "eve".to_owned(),
        teams: Vec::new(),
        labels: Default::default(),
        hours: 1,
        uses: 1,
        password: password.map(str::to_owned),
    };
    for wrong in [None, Some("wrong password")] {
        let refused = code_of(plant.admin.post("users", &user(wrong)).await).await;
        assert_eq!(refused.1, "step_up_required");
        let refused = code_of(plant.admin.post("enrolment-tokens", &token(wrong)).await).await;
        assert_eq!(refused.1, "step_up_required");
    }
    let change = UserChange {
        role: Some(Role::Viewer),
        groups: Some(vec!["sre".to_owned()]),
        chat: Some("U1".to_owned()),
        reset_factors: None,
        password: PASSWORD.to_owned(),
    };
    let last = plant.admin.post("users/admin", &change).await;
    assert_eq!(
        last.status(),
        StatusCode::CONFLICT,
        "the last administrator"
    );
    let made = plant.admin.post("users", &user(Some(PASSWORD))).await;
    assert_eq!(made.status(), StatusCode::OK);
    let eve: User = plant.admin.post_as("users/eve", &change).await;
    assert_eq!((eve.role, eve.groups.len()), (Role::Viewer, 1));
    plant.running.stop().await.unwrap();
}

/// Tries to sign in with a header more.
async fn sign_in(plant: &Plant, login: &str, header: Option<(&str, &str)>) -> Response {
    let body = SignIn {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let url = format!("{}/api/v1/session", plant.running.console_url());
    let mut request = Client::new().post(url).json(&body);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_second_factor_signs_in_with_it() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let (app, recovery) = enrol(&sami).await;
    let without = code_of(sign_in(&plant, "sami", None).await).await;
    assert_eq!(without, (StatusCode::FORBIDDEN, "factor_required".into()));
    let wrong = sign_in(&plant, "sami", Some(("x-cmdai-code", "000000"))).await;
    assert_eq!(code_of(wrong).await.1, "factor_required");
    let code = app.generate(seconds()).to_string();
    let good = sign_in(&plant, "sami", Some(("x-cmdai-code", &code))).await;
    assert_eq!(good.status(), StatusCode::OK);
    let again = sign_in(&plant, "sami", Some(("x-cmdai-code", &code))).await;
    assert_eq!(code_of(again).await.1, "factor_required", "a code twice");
    let good = sign_in(&plant, "sami", Some(("x-cmdai-code", &recovery[0]))).await;
    assert_eq!(good.status(), StatusCode::OK);
    // Guessing is bounded also for who knows the password.
    let mut last = StatusCode::OK;
    for _ in 0..6 {
        last = sign_in(&plant, "sami", Some(("x-cmdai-code", "111111")))
            .await
            .status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_key_signs_in() {
    let plant = plant().await;
    let rita = plant.person("rita", Role::Security, "rita").await;
    let mut key = add(&plant, &rita, EDDSA).await;
    let url = format!("{}/api/v1/session/challenge", plant.running.console_url());
    let ask = async |password: &str| {
        let body = SignIn {
            login: "rita".to_owned(),
            password: password.to_owned(),
        };
        Client::new().post(&url).json(&body).send().await.unwrap()
    };
    assert_eq!(ask("wrong").await.status(), StatusCode::UNAUTHORIZED);
    let asked: Challenge = read(ask(PASSWORD).await).await;
    let proof = key.assert(&asked.statement, &origin(&plant)).unwrap();
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&proof).unwrap());
    let good = sign_in(&plant, "rita", Some(("x-cmdai-assertion", &header))).await;
    assert_eq!(good.status(), StatusCode::OK);
    let again = sign_in(&plant, "rita", Some(("x-cmdai-assertion", &header))).await;
    assert_eq!(code_of(again).await.1, "factor_required");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_policy_asks_who_has_none_looks_and_changes_nothing() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    assert!(publish(&plant, MFA).await.status().is_success());
    let looked = plant.admin.get("channels").await;
    assert_eq!(looked.status(), StatusCode::OK);
    let gone = plant
        .admin
        .request(Method::DELETE, "channels/none")
        .header("x-cmdai", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(code_of(gone).await.1, "factor_required");
    enrol(&sami).await;
    // With one, on to what is wrong with the act itself.
    let change = serde_json::json!({});
    let act = sami.post("alerts/none", &change).await;
    assert_ne!(code_of(act).await.1, "factor_required");
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_database_gives_nobody_a_code() {
    let plant = plant().await;
    let sami = plant.person("sami", Role::Security, "sami").await;
    let new = NewTotp {
        name: "telephone".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let made: TotpMade = sami.post_as("factors/totp", &new).await;
    let plain = Secret::try_from_base32(&made.secret).unwrap();
    let hex: String = plain
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    plant.running.stop().await.unwrap();
    let folder = plant.folder.path();
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        if file.file_type().unwrap().is_file() {
            let bytes = std::fs::read(file.path()).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&hex) && !text.contains(&made.secret));
        }
    }
    // Another key, or none, is told at the start and not at the next code.
    let key = folder.join("keys/master.key");
    let good = std::fs::read(&key).unwrap();
    let refused = async || {
        let error = cmdai_server::start(config(folder)).await.err().unwrap();
        format!("{error:#}")
    };
    std::fs::write(&key, "00".repeat(32)).unwrap();
    assert!(refused().await.contains("another master key"));
    std::fs::remove_file(&key).unwrap();
    assert!(refused().await.contains("put it back"));
    std::fs::write(&key, good).unwrap();
    let again = cmdai_server::start(config(folder)).await.unwrap();
    again.stop().await.unwrap();
}
