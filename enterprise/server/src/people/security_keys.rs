//! Security keys and passkeys (WebAuthn): adding them, asking them, believing them.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cmdai_api::console::{
    Challenge, NewChallenge, NewSecurityKey, SecurityKeyAdded, SecurityKeyCreation, SecurityKeyMade,
};
use cmdai_api::machine::{ApproverKey, CONSENT_FORMAT, Consent, Proof};
use cmdai_bundle::assertion::{challenge_of, client_data, part, verify_assertion};
use cmdai_schema::canonical_bytes;
use cmdai_store::{Account, FactorRow};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::terms::short;
use super::{approvals, attestation, second};
use crate::app::App;
use crate::approver_keys;
use crate::body::Body;
use crate::challenges::{Asked, LIFETIME_MS};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::machines::GRANT_MS;
use crate::secrets;
use crate::trail::{self, Entry};

/// Kind of these factors in the store.
pub(crate) const KIND: &str = "webauthn";
/// Most of one account.
const MOST: usize = 10;
/// Longest assertion in its header, in letters.
const MAX_ASSERTION: usize = 48 * 1024;
/// Longest act that is named, in letters.
const MAX_ACT: usize = 300;
/// ES256, EdDSA.
const ALGORITHMS: [i32; 2] = [-7, -8];
const TIMEOUT_MS: u32 = 120_000;

/// A key as it is kept in the factor's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) credential_id: String,
    pub(crate) algorithm: String,
    pub(crate) public_key: String,
    pub(crate) backed_up: bool,
}

impl Kept {
    /// Of a factor; nothing where it is of another kind.
    pub(crate) fn of(row: &FactorRow) -> Option<Self> {
        (row.kind == KIND).then(|| serde_json::from_str(&row.secret).ok())?
    }

    /// As machines know it.
    pub(crate) fn approver(self, account: &Account, security: bool) -> ApproverKey {
        let mut groups = account.groups.clone();
        groups.sort();
        ApproverKey {
            credential_id: self.credential_id,
            algorithm: self.algorithm,
            public_key: self.public_key,
            login: account.login.clone(),
            person: short(&account.person),
            groups,
            security,
        }
    }
}

/// What a key signs for an act that is no approval.
#[derive(Serialize)]
struct Act<'a> {
    format: &'a str,
    organisation: &'a str,
    login: &'a str,
    act: &'a str,
    nonce: String,
}

fn site(app: &App) -> Answer<(&str, Vec<String>)> {
    match &app.site.rp_id {
        Some(rp_id) => Ok((rp_id, app.site.origins())),
        None => Err(Failure::conflict(
            "security keys are bound to a name and this console has only an address; start the server with --console-url https://NAME",
        )),
    }
}

fn nonce() -> Answer<String> {
    let bytes = secrets::random::<16>().map_err(|error| Failure::internal(&error))?;
    Ok(secrets::hex(&bytes))
}

fn text_of<T: Serialize>(value: &T) -> Answer<String> {
    let bytes = canonical_bytes(value).map_err(|error| Failure::internal(&error))?;
    String::from_utf8(bytes).map_err(|error| Failure::internal(&error))
}

/// Keeps a statement to be signed; gives its challenge.
fn ask(app: &App, login: &str, act: String, statement: String) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(challenge_of(&statement));
    let now_ms = clock::now_ms();
    let asked = Asked {
        login: login.to_owned(),
        act,
        statement,
        until_ms: now_ms.saturating_add(LIFETIME_MS),
    };
    app.challenges.ask(challenge.clone(), asked, now_ms);
    challenge
}

fn act_text(app: &App, login: &str, act: &str) -> Answer<String> {
    text_of(&Act {
        format: "cmdai.act/1",
        organisation: &app.config.organisation,
        login,
        act,
        nonce: nonce()?,
    })
}

async fn keys(app: &App, login: &str) -> Answer<Vec<(FactorRow, Kept)>> {
    let rows = app.store.factors(login).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.confirmed)
        .filter_map(|row| {
            let kept = Kept::of(&row)?;
            Some((row, kept))
        })
        .collect())
}

const ADDING: &str = "add a security key: ";

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewSecurityKey>,
) -> Answer<Json<SecurityKeyCreation>> {
    let name = body.name.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Failure::invalid("name it, in at most 100 letters"));
    }
    caller.must_be_person()?;
    let (rp_id, _) = site(&app)?;
    let factors = app.store.factors(&caller.login).await?;
    if factors.iter().any(|factor| factor.confirmed) {
        caller.step_up(&app, body.password).await?;
    } else {
        caller.password(&app, body.password).await?;
    }
    if factors.len() >= MOST {
        return Err(Failure::conflict(
            "you have too many factors; remove one first",
        ));
    }
    let act = format!("{ADDING}{name}");
    let statement = act_text(&app, &caller.login, &act)?;
    let user = format!("{}\0{}", app.config.organisation, caller.login);
    Ok(Json(SecurityKeyCreation {
        challenge: ask(&app, &caller.login, act, statement),
        rp_id: rp_id.to_owned(),
        rp_name: format!("cmdai {}", app.config.organisation),
        user_id: URL_SAFE_NO_PAD.encode(secrets::sha256(user.as_bytes())),
        user_name: caller.login.clone(),
        algorithms: ALGORITHMS.to_vec(),
        exclude: keys(&app, &caller.login)
            .await?
            .into_iter()
            .map(|(_, kept)| kept.credential_id)
            .collect(),
        timeout_ms: TIMEOUT_MS,
    }))
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<SecurityKeyMade>,
) -> Answer<Json<SecurityKeyAdded>> {
    caller.must_be_person()?;
    let (rp_id, origins) = site(&app)?;
    let now_ms = clock::now_ms();
    let lapsed = || Failure::conflict("this took too long or was answered already; begin again");
    let asked = app
        .challenges
        .take(&body.challenge, now_ms)
        .ok_or_else(lapsed)?;
    let name = asked
        .act
        .strip_prefix(ADDING)
        .filter(|_| asked.login == caller.login)
        .ok_or_else(lapsed)?;
    let refused = |error: &dyn std::fmt::Display| {
        Failure::factor_required(format!("the security key is not taken in: {error}"))
    };
    client_data(
        &body.client_data_json,
        "webauthn.create",
        &challenge_of(&asked.statement),
        &origins,
    )
    .map_err(|error| refused(&error))?;
    if body.attestation_object.len() > MAX_ASSERTION {
        return Err(Failure::invalid("the attestation object is too long"));
    }
    let object = URL_SAFE_NO_PAD
        .decode(&body.attestation_object)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    let made = attestation::read(&object, rp_id).map_err(|error| refused(&error))?;
    let kept = Kept {
        credential_id: URL_SAFE_NO_PAD.encode(&made.credential_id),
        algorithm: made.algorithm.to_owned(),
        public_key: made.public_key,
        backed_up: made.backed_up,
    };
    if part("id", &body.credential_id).ok().as_ref() != Some(&made.credential_id) {
        return Err(refused(&"its id is not the one that it names"));
    }
    let all = app.store.factors_of_kind(KIND).await?;
    let taken = all
        .iter()
        .filter_map(Kept::of)
        .any(|there| there.credential_id == kept.credential_id);
    if taken {
        return Err(Failure::conflict("this security key is registered already"));
    }
    let row = FactorRow {
        id: Uuid::now_v7().to_string(),
        login: caller.login.clone(),
        kind: KIND.to_owned(),
        name: name.to_owned(),
        secret: text_of(&kept)?,
        confirmed: true,
        counter: i64::from(made.counter),
        created_ms: now_ms,
        last_used_ms: None,
    };
    app.store.add_factor(&row).await?;
    let recovery_codes = if app.store.recovery_codes(&caller.login).await? == 0 {
        second::new_codes(&app, &caller.login).await?
    } else {
        Vec::new()
    };
    let text = format!("{} added the security key {name:?}", caller.login);
    let entry = Entry::action("factor.add", text).with("credential", &kept.credential_id);
    trail::record(&app, &caller, entry).await?;
    approver_keys::follow_quietly(&app, &caller.login, &format!("key {name} added")).await;
    Ok(Json(SecurityKeyAdded {
        on_machines: approver_keys::in_force(&app, &kept.credential_id)?,
        factor: second::wire(row),
        recovery_codes,
    }))
}

/// A challenge for one act. Of a request for approval the statement is the consent itself.
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewChallenge>,
) -> Answer<Json<Challenge>> {
    if body.act.len() > MAX_ACT || body.act.chars().any(char::is_control) {
        return Err(Failure::invalid("an act is a method and a path"));
    }
    let request = body.act.strip_prefix("POST /api/v1/approvals/");
    let statement = match request {
        Some(id) => consent(&app, &caller, id).await?,
        None => act_text(&app, &caller.login, &body.act)?,
    };
    asked(&app, &caller.login, body.act, statement)
        .await
        .map(Json)
}

/// A challenge for an act of an account that is no approval.
pub(super) async fn ask_for(app: &App, login: &str, act: String) -> Answer<Challenge> {
    let statement = act_text(app, login, &act)?;
    asked(app, login, act, statement).await
}

async fn asked(app: &App, login: &str, act: String, statement: String) -> Answer<Challenge> {
    let (rp_id, _) = site(app)?;
    let keys = keys(app, login).await?;
    if keys.is_empty() {
        return Err(Failure::conflict(
            "you have no security key; add one under Settings",
        ));
    }
    Ok(Challenge {
        challenge: ask(app, login, act, statement.clone()),
        statement,
        rp_id: rp_id.to_owned(),
        credentials: keys
            .into_iter()
            .map(|(_, kept)| kept.credential_id)
            .collect(),
        timeout_ms: TIMEOUT_MS,
    })
}

/// What an approver signs about a request.
async fn consent(app: &App, caller: &Caller, id: &str) -> Answer<String> {
    let row = app
        .store
        .approval(id)
        .await?
        .ok_or_else(|| Failure::not_found("request"))?;
    let account = caller.account(app).await?;
    approvals::may_answer(app, &row, &account).await?;
    let later = |ms: i64| clock::rfc3339(row.expires_ms.saturating_add(ms));
    let exception = row.request.exception.as_ref();
    text_of(&Consent {
        format: CONSENT_FORMAT.to_owned(),
        organisation: app.config.organisation.clone(),
        request_id: row.id.clone(),
        machine_id: row.machine_id.clone(),
        user: row.request.user.clone(),
        binding_hash: row.binding_hash.clone(),
        rules: exception.map_or_else(
            || row.request.binding.rules.clone(),
            |asked| asked.rules.clone(),
        ),
        login: account.login.clone(),
        person: short(&account.person),
        uses: row.terms.uses.max(1),
        // A quorum may be complete at the last moment only.
        expires: later(GRANT_MS),
        until: exception.map(|asked| {
            let lasts = i64::try_from(asked.duration_s).unwrap_or(0);
            later(lasts.saturating_mul(1_000))
        }),
        nonce: nonce()?,
    })
}

/// The assertion in a header, read.
pub(crate) fn from_header(text: &str) -> Answer<Proof> {
    let wrong = || {
        Failure::invalid(
            "`x-cmdai-assertion` is base64url of the JSON that the security key's answer makes",
        )
    };
    if text.len() > MAX_ASSERTION {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map_err(|_| wrong())
}

/// Believes an assertion for an act of an account, or says why not.
///
/// # Errors
/// Where it answers no challenge that waits for this act, or does not fit a key of the account.
pub(crate) async fn prove(app: &App, login: &str, act: &str, proof: &Proof) -> Answer<()> {
    let (rp_id, origins) = site(app)?;
    let now_ms = clock::now_ms();
    let challenge = URL_SAFE_NO_PAD.encode(challenge_of(&proof.statement));
    let asked = app
        .challenges
        .take(&challenge, now_ms)
        .filter(|asked| asked.login == login && asked.act == act)
        .ok_or_else(|| {
            Failure::factor_required(
                "this answers no challenge for this act; it took too long, or was used already",
            )
        })?;
    debug_assert_eq!(asked.statement, proof.statement);
    let keys = keys(app, login).await?;
    let (row, kept) = keys
        .into_iter()
        .find(|(_, kept)| kept.credential_id == proof.credential_id)
        .ok_or_else(|| Failure::factor_required("this security key is not one of yours"))?;
    let key = ApproverKey {
        credential_id: kept.credential_id,
        algorithm: kept.algorithm,
        public_key: kept.public_key,
        login: String::new(),
        person: String::new(),
        groups: Vec::new(),
        security: false,
    };
    let said = verify_assertion(proof, &key, rp_id, &origins).map_err(|error| {
        Failure::factor_required(format!("the security key is not believed: {error}"))
    })?;
    let counter = i64::from(said.counter);
    if counter == 0 && row.counter == 0 {
        app.store.touch_factor(&row.id, now_ms).await?;
    } else if !app.store.use_factor(&row.id, counter, now_ms).await? {
        return Err(copied(app, &row, counter).await?);
    }
    Ok(())
}

/// A key that counts back was copied, or two answers overtook one another.
async fn copied(app: &App, row: &FactorRow, counter: i64) -> Answer<Failure> {
    let text = format!(
        "the security key {:?} of {} counts {counter} signatures after {}: it may have been copied",
        row.name, row.login, row.counter
    );
    let entry = Entry::action("factor.counter", text.clone()).with("login", &row.login);
    trail::record_own(app, entry).await?;
    let alert = crate::jobs::own_alert(
        "security-key-copied",
        format!("factor {}", row.id),
        "high",
        format!("A security key of {} may have been copied", row.login),
        text,
    );
    crate::jobs::announce(app, alert)
        .await
        .map_err(|error| Failure::internal(&error))?;
    Ok(Failure::factor_required(
        "the security key counts fewer signatures than before; try again, and replace it where this comes again",
    ))
}
