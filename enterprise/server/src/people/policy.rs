//! The organisation's policy: look, check, publish.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{
    PolicyCheck, PolicyDiagnostic, PolicyPublish, PolicyRelease, PolicySource, PolicyTestResult,
    PolicyView,
};
use cmdai_api::machine::Authority;
use cmdai_bundle::keys;
use cmdai_effects::{Context, NoSession};
use cmdai_languages::Grammars;
use cmdai_policy::{PolicyError, Severity};
use cmdai_schema::{Analysis, Dialect};
use cmdai_store::ReleaseRow;

use super::fleet::version_of;
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::secrets;
use crate::trail::{self, Entry};

/// The policy of a new organisation.
const FIRST: &str = include_str!("../first-policy.yaml");
/// Largest document, in bytes: what a release carries.
const MAX_SOURCE: usize = 1024 * 1024;

pub(super) async fn show(State(app): State<Arc<App>>) -> Answer<Json<PolicyView>> {
    view(&app).await.map(Json)
}

async fn view(app: &App) -> Answer<PolicyView> {
    let releases = app.store.releases().await?;
    let machines: Vec<_> = app
        .store
        .machines()
        .await?
        .into_iter()
        .filter(|row| !row.retired)
        .collect();
    let history = releases.iter().map(|release| PolicyRelease {
        version: release.version,
        published_by: release.published_by.clone(),
        published: clock::rfc3339(release.published_ms),
        note: release.note.clone(),
        sha256: release.sha256.clone(),
    });
    let history: Vec<PolicyRelease> = history.collect();
    let newest = releases.into_iter().next();
    let version = newest.as_ref().map_or(0, |release| release.version);
    Ok(PolicyView {
        version,
        machines_current: machines
            .iter()
            .filter(|row| version > 0 && version_of(row) == version)
            .count() as u64,
        machines: machines.len() as u64,
        published_by: newest
            .as_ref()
            .map(|release| release.published_by.clone())
            .unwrap_or_default(),
        published: newest
            .as_ref()
            .map(|release| clock::rfc3339(release.published_ms))
            .unwrap_or_default(),
        sha256: newest
            .as_ref()
            .map(|release| release.sha256.clone())
            .unwrap_or_default(),
        source: newest.map(|release| release.source).unwrap_or_default(),
        history,
    })
}

pub(super) async fn check(Body(body): Body<PolicySource>) -> Answer<Json<PolicyCheck>> {
    checked(body.source).await.map(Json)
}

async fn checked(source: String) -> Answer<PolicyCheck> {
    tokio::task::spawn_blocking(move || check_source(&source))
        .await
        .map_err(|error| Failure::internal(&error))
}

/// Lint and tests of a document.
pub(crate) fn check_source(source: &str) -> PolicyCheck {
    let mut check = PolicyCheck {
        valid: false,
        diagnostics: Vec::new(),
        tests: Vec::new(),
    };
    if source.len() > MAX_SOURCE {
        let message = format!("the document is longer than {MAX_SOURCE} bytes");
        check.diagnostics.push(PolicyDiagnostic {
            severity: "error".to_owned(),
            line: 1,
            column: 1,
            message,
            help: Some("split it".to_owned()),
        });
        return check;
    }
    let set = match cmdai_policy::parse(source, "policy.yaml") {
        Ok(set) => set,
        Err(errors) => {
            check.diagnostics = errors.0.into_iter().map(diagnostic).collect();
            return check;
        }
    };
    check.diagnostics = cmdai_policy::lint(&set, Some(&jiff::Timestamp::now().to_string()))
        .into_iter()
        .map(diagnostic)
        .collect();
    check.tests = cmdai_policy::run_tests(&set, &analyse)
        .into_iter()
        .map(|test| PolicyTestResult {
            command: test.command,
            expected: test.expected.as_str().to_owned(),
            found: test.found.as_str().to_owned(),
            passed: test.passed,
        })
        .collect();
    check.valid = check.tests.iter().all(|test| test.passed)
        && !check
            .diagnostics
            .iter()
            .any(|found| found.severity == "error");
    check
}

/// As the policy's own tests say: a project folder of a person called `user`.
fn analyse(text: &str) -> Analysis {
    let context = Context {
        dialect: Dialect::Bash,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &NoSession,
        languages: &Grammars,
    };
    cmdai_effects::analyse(text, &context)
}

/// Semantic digest of a text.
pub(crate) fn digest_of(text: &str, dialect: Dialect) -> String {
    let context = Context {
        dialect,
        cwd: "/",
        home: "/",
        user: "",
        session: &NoSession,
        languages: &Grammars,
    };
    cmdai_effects::analyse(text, &context).digest
}

fn diagnostic(error: PolicyError) -> PolicyDiagnostic {
    let severity = match error.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    PolicyDiagnostic {
        severity: severity.to_owned(),
        line: error.line.max(1),
        column: error.column.max(1),
        message: error.message,
        help: error.help,
    }
}

pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<PolicyPublish>,
) -> Answer<Response> {
    if body.note.trim().is_empty() || body.note.len() > 2_000 {
        return Err(Failure::invalid(
            "say what changed and why, in at most 2,000 bytes",
        ));
    }
    caller.step_up(&app, body.password).await?;
    let check = checked(body.source.clone()).await?;
    if !check.valid {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(check)).into_response());
    }
    let version = release(
        &app,
        body.source,
        Some(body.base_version),
        &caller.login,
        &body.note,
    )
    .await?;
    let entry = Entry::action(
        "policy.publish",
        format!("{} published policy {version}: {}", caller.login, body.note),
    );
    trail::record(&app, &caller, entry.with("version", version.to_string())).await?;
    Ok(Json(view(&app).await?).into_response())
}

/// Signs and stores a release. `base` is the version it was made from.
async fn release(
    app: &App,
    source: String,
    base: Option<u64>,
    by: &str,
    note: &str,
) -> Answer<u64> {
    let _alone = app.publishing.lock().await;
    let newest = app
        .store
        .releases()
        .await?
        .first()
        .map_or(0, |release| release.version);
    if base.is_some_and(|base| base != newest) {
        return Err(Failure::conflict(format!(
            "version {newest} is in force; look at what changed and publish again"
        )));
    }
    // A release that was signed but not stored (a start that was cut off) keeps its number.
    let signed = app
        .publisher
        .newest()
        .map_err(|error| Failure::internal(&error))?
        .map_or(0, |release| release.version);
    let version = newest.max(signed) + 1;
    let authority = Authority {
        version: 1,
        grant_keys: vec![keys::public_base64(&app.grant_key)],
        order_keys: vec![keys::public_base64(&app.order_key)],
        ..Authority::default()
    };
    app.publisher
        .publish(&source, version, &authority)
        .await
        .map_err(|error| Failure::internal(&error))?;
    let row = ReleaseRow {
        version,
        sha256: secrets::hex(&secrets::sha256(source.as_bytes())),
        source,
        published_by: by.to_owned(),
        published_ms: clock::now_ms(),
        note: note.to_owned(),
    };
    app.store.add_release(&row).await?;
    app.bells.ring_all(version);
    Ok(version)
}

/// Publishes the first policy of a new organisation.
pub(crate) async fn publish_first(app: &App) -> anyhow::Result<()> {
    if !app.store.releases().await?.is_empty() {
        return Ok(());
    }
    let source = FIRST.replace(
        "ORGANISATION",
        &app.config.organisation.replace(['"', '\\'], "-"),
    );
    let check = check_source(&source);
    anyhow::ensure!(
        check.valid,
        "the first policy is not valid: {:?} {:?}",
        check.diagnostics,
        check.tests
    );
    let version = release(
        app,
        source,
        None,
        trail::SERVER,
        "the first policy, to start from",
    )
    .await
    .map_err(|failure| anyhow::anyhow!("cannot publish the first policy: {failure:?}"))?;
    let entry = Entry::action(
        "policy.publish",
        format!("the first policy was published as version {version}"),
    );
    trail::record_own(app, entry.with("version", version.to_string()))
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))
}
