//! Second factors: authenticator apps (RFC 6238) and recovery codes.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cmdai_api::console::{
    Confirmation, Factor, FactorList, NewTotp, RecoveryCodes, TotpCode, TotpMade,
};
use cmdai_policy::Factor as Proof;
use cmdai_store::FactorRow;
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;

use super::security_keys;
use super::terms::policy;
use crate::app::App;
use crate::approver_keys;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::secrets;
use crate::trail::{self, Entry};

/// Recovery codes of an account.
const CODES: usize = 8;
/// Most factors of an account.
const MOST: usize = 10;

fn totp(secret_hex: &str) -> Answer<Totp> {
    let bytes = secrets::unhex(secret_hex)
        .ok_or_else(|| Failure::internal(&"a shared secret is damaged"))?;
    // A step to either side, so that clocks may differ by half a minute.
    Builder::new()
        .with_secret(bytes)
        .with_skew(1)
        .build()
        .map_err(|error| Failure::internal(&error))
}

/// The shared secret of an authenticator app, hex.
fn secret_of(app: &App, factor: &FactorRow) -> Answer<String> {
    let bytes = app
        .vault
        .open(&factor.id, &factor.secret)
        .map_err(|error| Failure::internal(&error))?;
    String::from_utf8(bytes).map_err(|error| Failure::internal(&error))
}

/// The step that a code belongs to, where it is one of this secret now.
fn step(secret_hex: &str, code: &str, now_ms: i64) -> Answer<Option<i64>> {
    let seconds = u64::try_from(now_ms / 1_000).unwrap_or(0);
    let plain: String = code
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    if plain.len() != 6 || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let step = totp(secret_hex)?.check(&plain, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// A recovery code as it is kept: its hash, whatever its dashes and capitals.
fn recovery_hash(login: &str, code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    secrets::sha256(format!("cmdai recovery code\0{login}\0{plain}").as_bytes())
}

/// What an account has to add to its password, and has added.
///
/// # Errors
/// Where a code is missing, wrong or used, or the policy asks for a factor that the account has not.
pub(crate) async fn prove(app: &App, login: &str, code: Option<&str>) -> Answer<&'static str> {
    let factors = app.store.factors(login).await?;
    let confirmed: Vec<&FactorRow> = factors.iter().filter(|factor| factor.confirmed).collect();
    let required = policy(app).await?.needed_factor() > Proof::Password;
    if confirmed.is_empty() {
        return if required {
            Err(Failure::factor_required(NONE))
        } else {
            Ok(Proof::Password.as_str())
        };
    }
    prove_by(app, login, &confirmed, code).await
}

/// At sign-in: an account that has a second factor uses it. One that has none may look, see
/// [`may_act`].
///
/// # Errors
/// Where a code is missing, wrong or used.
pub(super) async fn sign_in(app: &App, login: &str, code: Option<&str>) -> Answer<()> {
    let factors = app.store.factors(login).await?;
    let confirmed: Vec<&FactorRow> = factors.iter().filter(|factor| factor.confirmed).collect();
    if !confirmed.is_empty() {
        prove_by(app, login, &confirmed, code).await?;
    }
    Ok(())
}

/// Where the policy asks for a second factor, an account without one changes nothing.
///
/// # Errors
/// Where it is so.
pub(crate) async fn may_act(app: &App, login: &str) -> Answer<()> {
    if state(app, login).await?.missing {
        return Err(Failure::factor_required(NONE));
    }
    Ok(())
}

const NONE: &str = "the policy asks for a second factor and you have none: set one up under Settings, or with `cmdai-enterprise account totp`";

async fn prove_by(
    app: &App,
    login: &str,
    confirmed: &[&FactorRow],
    code: Option<&str>,
) -> Answer<&'static str> {
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
        let has_app = confirmed.iter().any(|factor| factor.kind == "totp");
        return Err(Failure::factor_required(if has_app {
            "type the code of your authenticator app too, or a recovery code"
        } else {
            "use your security key, or type a recovery code too"
        }));
    };
    let now_ms = clock::now_ms();
    for factor in confirmed.iter().filter(|factor| factor.kind == "totp") {
        if let Some(step) = step(&secret_of(app, factor)?, code, now_ms)? {
            if app.store.use_factor(&factor.id, step, now_ms).await? {
                return Ok(Proof::Totp.as_str());
            }
            return Err(Failure::factor_required(
                "this code was used already; wait for the next one",
            ));
        }
    }
    if app
        .store
        .use_recovery_code(login, recovery_hash(login, code))
        .await?
    {
        let left = app.store.recovery_codes(login).await?;
        let text = format!("{login} used a recovery code; {left} are left");
        trail::record_own(
            app,
            Entry::action("factor.recovery", text).with("login", login),
        )
        .await?;
        return Ok(Proof::Totp.as_str());
    }
    Err(Failure::factor_required("the code is wrong or too old"))
}

/// What `GET session` says of an account's factors.
pub(super) struct Has {
    /// It has a second factor.
    pub(super) any: bool,
    /// It has a security key.
    pub(super) key: bool,
    /// It lacks one that the policy asks for.
    pub(super) missing: bool,
}

pub(super) async fn state(app: &App, login: &str) -> Answer<Has> {
    let factors = app.store.factors(login).await?;
    let confirmed = || factors.iter().filter(|factor| factor.confirmed);
    let any = confirmed().next().is_some();
    let required = policy(app).await?.needed_factor() > Proof::Password;
    Ok(Has {
        any,
        key: confirmed().any(|factor| factor.kind == security_keys::KIND),
        missing: required && !any,
    })
}

pub(super) fn wire(row: FactorRow) -> Factor {
    Factor {
        id: row.id,
        kind: row.kind,
        name: row.name,
        confirmed: row.confirmed,
        created: clock::rfc3339(row.created_ms),
        last_used: clock::rfc3339_of(row.last_used_ms),
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<FactorList>> {
    Ok(Json(FactorList {
        factors: app
            .store
            .factors(&caller.login)
            .await?
            .into_iter()
            .map(wire)
            .collect(),
        recovery_codes: app.store.recovery_codes(&caller.login).await?,
        required: policy(&app).await?.needed_factor() > Proof::Password,
    }))
}

pub(super) async fn add_totp(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewTotp>,
) -> Answer<Json<TotpMade>> {
    let name = body.name.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Failure::invalid("name it, in at most 100 letters"));
    }
    let factors = app.store.factors(&caller.login).await?;
    // A token that leaked must not bind its account to a stranger's telephone.
    caller.must_be_person()?;
    // The first one takes the password alone; each further one takes a factor that is there.
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
    let secret = secrets::random::<20>().map_err(|error| Failure::internal(&error))?;
    let id = Uuid::now_v7().to_string();
    let sealed = app
        .vault
        .seal(&id, secrets::hex(&secret).as_bytes())
        .map_err(|error| Failure::internal(&error))?;
    let row = FactorRow {
        id,
        login: caller.login.clone(),
        kind: "totp".to_owned(),
        name: name.to_owned(),
        secret: sealed,
        confirmed: false,
        counter: 0,
        created_ms: clock::now_ms(),
        last_used_ms: None,
    };
    app.store.add_factor(&row).await?;
    let shown = Secret::new(secret.to_vec().into_boxed_slice()).to_base32();
    let label = |text: &str| -> String {
        text.chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') {
                    letter
                } else {
                    '-'
                }
            })
            .collect()
    };
    let organisation = label(&app.config.organisation);
    let uri = format!(
        "otpauth://totp/cmdai%20{organisation}:{}?secret={shown}&issuer=cmdai%20{organisation}",
        label(&caller.login)
    );
    Ok(Json(TotpMade {
        id: row.id,
        secret: shown,
        uri,
    }))
}

pub(super) async fn confirm_totp(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<TotpCode>,
) -> Answer<Json<RecoveryCodes>> {
    caller.must_be_person()?;
    let now_ms = clock::now_ms();
    if !app.sign_ins.take(&format!("totp {}", caller.login), now_ms) {
        return Err(Failure::too_many("too many wrong codes; wait a minute", 60));
    }
    let factors = app.store.factors(&caller.login).await?;
    let factor = factors
        .iter()
        .find(|factor| factor.id == id && factor.kind == "totp" && !factor.confirmed)
        .ok_or_else(|| Failure::not_found("authenticator app that waits for its first code"))?;
    let fits = match step(&secret_of(&app, factor)?, &body.code, now_ms)? {
        Some(step) => app.store.use_factor(&id, step, now_ms).await?,
        None => false,
    };
    if !fits {
        return Err(Failure::factor_required(
            "the code does not fit; is the clock of the telephone right?",
        ));
    }
    let codes = new_codes(&app, &caller.login).await?;
    let text = format!("{} added the second factor {:?}", caller.login, factor.name);
    trail::record(&app, &caller, Entry::action("factor.add", text)).await?;
    Ok(Json(RecoveryCodes { codes }))
}

/// New recovery codes instead of those that are left.
pub(super) async fn new_codes(app: &App, login: &str) -> Answer<Vec<String>> {
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        codes.push(secrets::password().map_err(|error| Failure::internal(&error))?);
    }
    let hashes: Vec<[u8; 32]> = codes
        .iter()
        .map(|code| recovery_hash(login, code))
        .collect();
    app.store.set_recovery_codes(login, &hashes).await?;
    Ok(codes)
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<Confirmation>,
) -> Answer<StatusCode> {
    caller.must_be_person()?;
    let factors = app.store.factors(&caller.login).await?;
    let factor = factors
        .iter()
        .find(|factor| factor.id == id)
        .ok_or_else(|| Failure::not_found("second factor"))?;
    if factor.confirmed {
        caller.step_up(&app, body.password).await?;
    } else {
        caller.password(&app, body.password).await?;
    }
    app.store.delete_factor(&caller.login, &id).await?;
    let text = format!(
        "{} removed the second factor {:?}",
        caller.login, factor.name
    );
    trail::record(&app, &caller, Entry::action("factor.remove", text)).await?;
    if factor.kind == security_keys::KIND {
        let note = format!("key {} removed", factor.name);
        approver_keys::follow_quietly(&app, &caller.login, &note).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1, the last six digits.
        let secret = secrets::hex(b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000_i64, "353130"),
        ] {
            let found = step(&secret, code, seconds * 1_000).unwrap();
            assert_eq!(found, Some(seconds / 30), "{code}");
            assert_eq!(
                step(&secret, code, (seconds + 90) * 1_000).unwrap(),
                None,
                "too old"
            );
        }
        for wrong in ["", "000000", "28708", "2870822", "28708a", "٢٨٧٠٨٢"] {
            assert_eq!(step(&secret, wrong, 59_000).unwrap(), None, "{wrong:?}");
        }
    }

    #[test]
    fn recovery_codes_are_read_as_people_type_them() {
        assert_eq!(
            recovery_hash("a", "ABCDE-FGHJK"),
            recovery_hash("a", " abcde fghjk")
        );
        assert_ne!(recovery_hash("a", "ABCDE"), recovery_hash("b", "ABCDE"));
    }
}
