//! The organisation's policy: look, check, publish.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{
    PolicyCheck, PolicyDiagnostic, PolicyImpact, PolicyPublish, PolicyRelease, PolicySource,
    PolicyTestResult, PolicyView,
};
use cmdai_api::machine::Authority;
use cmdai_bundle::rings::{Plan, Rings};
use cmdai_bundle::{Content, PublishError, Release, Signing, keys};
use cmdai_effects::{Context, NoSession};
use cmdai_languages::Grammars;
use cmdai_policy::{PolicyError, Severity};
use cmdai_schema::{Analysis, Dialect};

use super::fleet::{is_behind, version_of};
use super::{release, review};
use crate::app::App;
use crate::approver_keys;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::impact;
use crate::rollout;
use crate::secrets;
use crate::trail::{self, Entry};

/// The policy of a new organisation.
const FIRST: &str = include_str!("../first-policy.yaml");
/// Releases that are listed with what they changed.
const IMPACTS: usize = 20;
/// Machines that a warning names.
const BEHIND: usize = 5;
/// Largest document, in bytes: what a release carries.
const MAX_SOURCE: usize = 1024 * 1024;

pub(super) async fn show(State(app): State<Arc<App>>) -> Answer<Json<PolicyView>> {
    view(&app).await.map(Json)
}

pub(super) async fn view(app: &App) -> Answer<PolicyView> {
    let releases = app.store.releases().await?;
    let machines: Vec<_> = app
        .store
        .machines()
        .await?
        .into_iter()
        .filter(|row| !row.retired)
        .collect();
    let published = app.bells.published();
    let history = releases
        .iter()
        .enumerate()
        .map(|(index, release)| PolicyRelease {
            version: release.version,
            published_by: release.published_by.clone(),
            published: clock::rfc3339(release.published_ms),
            note: release.note.clone(),
            sha256: release.sha256.clone(),
            reviewed_by: release.reviewed_by.clone(),
            impact_sha256: (release.impact.as_deref()).map_or_else(String::new, |text| {
                secrets::hex(&secrets::sha256(text.as_bytes()))
            }),
            impact: (release.impact.as_deref())
                .filter(|_| index < IMPACTS)
                .and_then(|text| serde_json::from_str(text).ok()),
        });
    let history: Vec<PolicyRelease> = history.collect();
    let newest = releases.into_iter().next();
    let version = newest.as_ref().map_or(0, |release| release.version);
    Ok(PolicyView {
        version,
        machines_current: machines
            .iter()
            .filter(|row| published.version > 0 && version_of(row) == published.version)
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
        signing: release::signing_word(app).to_owned(),
        root_waits: app.publisher.root_waits(),
        rollout: release::rollout_view(app).await?,
        draft: release::draft_view(app).await?,
        plan: app.store.setting(rollout::PLAN).await?.unwrap_or_default(),
        managed_by: release::managed_by(app).await?,
    })
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    Body(body): Body<PolicySource>,
) -> Answer<Json<PolicyCheck>> {
    let mut check = checked(body.source.clone()).await?;
    if check.valid {
        check
            .diagnostics
            .extend(stays_behind(&app, &body.source).await?);
    }
    Ok(Json(check))
}

/// What a document would change; one at a time, and none beside a release that is put together.
pub(super) async fn simulate(
    State(app): State<Arc<App>>,
    Body(body): Body<PolicySource>,
) -> Answer<Json<PolicyImpact>> {
    if body.source.len() > MAX_SOURCE {
        return Err(Failure::invalid(format!(
            "the document is longer than {MAX_SOURCE} bytes"
        )));
    }
    let Ok(_alone) = app.publishing.try_lock() else {
        return Err(Failure::conflict(
            "a release or another simulation is being put together; try again in a few seconds",
        ));
    };
    let releases = app.store.releases().await?;
    let old = releases
        .first()
        .ok_or_else(|| Failure::conflict("nothing is in force to compare it with"))?;
    let (impact, commands) = impact::of(&app, old.version, &old.source, &body.source).await?;
    Ok(Json(PolicyImpact { impact, commands }))
}

/// Machines whose engine is older than a document asks for, in one warning.
async fn stays_behind(app: &App, source: &str) -> Answer<Option<PolicyDiagnostic>> {
    let wanted = cmdai_policy::parse(source, "policy.yaml")
        .ok()
        .and_then(|set| set.document().min_engine.clone());
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let mut hosts: Vec<String> = app
        .store
        .machines()
        .await?
        .into_iter()
        .filter(|row| !row.retired && is_behind(row, &wanted))
        .map(|row| row.manifest.hostname)
        .collect();
    if hosts.is_empty() {
        return Ok(None);
    }
    let count = hosts.len();
    hosts.sort();
    hosts.truncate(BEHIND);
    let more = if count > BEHIND { ", …" } else { "" };
    let line = source
        .lines()
        .position(|line| line.starts_with("min_engine"))
        .map_or(1, |index| index + 1);
    Ok(Some(PolicyDiagnostic {
        severity: "warning".to_owned(),
        line: u32::try_from(line).unwrap_or(1),
        column: 1,
        message: format!(
            "engines older than {wanted} keep the policy that they have; machines: {count} ({}{more})",
            hosts.join(", ")
        ),
        help: Some("update cmdai there first".to_owned()),
    }))
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
    let managed = release::managed_by(&app).await?;
    if let (Some(place), None) = (&managed, &body.managed_by) {
        return Err(Failure::conflict(format!(
            "the policy is managed by {place}: change it there, or let it go first (policy rollout unmanage)"
        )));
    }
    caller.step_up(&app, body.password).await?;
    let check = checked(body.source.clone()).await?;
    if !check.valid {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(check)).into_response());
    }
    let made = make(
        &app,
        Wanted {
            source: body.source,
            base: Some(body.base_version),
            by: caller.login.clone(),
            note: body.note.clone(),
            plan: body.rollout,
            rollback: false,
        },
    )
    .await?;
    if let Some(place) = &body.managed_by {
        let plain = !place.is_empty() && place.len() <= 300 && !place.chars().any(char::is_control);
        if !plain {
            return Err(Failure::invalid("the managing place is a short text"));
        }
        app.store.set_setting(rollout::MANAGED, place).await?;
    }
    made.record(&app, &caller, &body.note).await?;
    Ok(Json(view(&app).await?).into_response())
}

/// What is to be released.
pub(super) struct Wanted {
    pub(super) source: String,
    /// The version it was made from.
    pub(super) base: Option<u64>,
    pub(super) by: String,
    pub(super) note: String,
    /// Plan in YAML; nothing: the standing one; empty: at once.
    pub(super) plan: Option<String>,
    pub(super) rollback: bool,
}

/// What became of it.
pub(super) enum Made {
    /// It is out.
    Published(u64),
    /// It waits for people's signatures.
    Drafted(u64),
}

impl Made {
    pub(super) async fn record(&self, app: &App, caller: &Caller, note: &str) -> Answer<()> {
        let (action, version, text) = match self {
            Self::Published(version) => (
                "policy.publish",
                version,
                format!("{} published policy {version}: {note}", caller.login),
            ),
            Self::Drafted(version) => (
                "policy.draft",
                version,
                format!(
                    "{} put policy {version} up for review or signing: {note}",
                    caller.login
                ),
            ),
        };
        let entry = Entry::action(action, text);
        trail::record(app, caller, entry.with("version", version.to_string())).await
    }
}

/// Puts a release together; publishes it where the server signs.
pub(super) async fn make(app: &App, wanted: Wanted) -> Answer<Made> {
    let _alone = app.publishing.lock().await;
    make_alone(app, wanted).await
}

/// [`make`] for who holds `app.publishing` already.
pub(super) async fn make_alone(app: &App, wanted: Wanted) -> Answer<Made> {
    let releases = app.store.releases().await?;
    let newest = releases.first().map_or(0, |release| release.version);
    if wanted.base.is_some_and(|base| base != newest) {
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
    let standing = app.store.setting(rollout::PLAN).await?;
    let plan = wanted.plan.clone().or(standing).unwrap_or_default();
    let stable = rollout::standing(app)
        .await?
        .map_or(0, |standing| standing.stable);
    let rings = match releases.iter().find(|release| release.version == stable) {
        // The first release has nobody who could wait for it.
        Some(previous) if !plan.trim().is_empty() && !wanted.rollback => {
            let rings = resolve(app, &plan, version, &wanted.source).await?;
            let info = Release {
                version: previous.version,
                sha256: previous.sha256.clone(),
                published: clock::rfc3339(previous.published_ms),
            };
            Some((rings, info, previous.source.clone()))
        }
        _ => None,
    };
    let author = review::author(app, &wanted).await?;
    let (impact, commands) = match releases.first() {
        Some(old) => {
            let (impact, commands) = impact::of(app, newest, &old.source, &wanted.source).await?;
            let text = serde_json::to_string_pretty(&impact);
            (
                Some(text.map_err(|error| Failure::internal(&error))?),
                commands,
            )
        }
        None => (None, Vec::new()),
    };
    let content = Content {
        policy_yaml: wanted.source,
        version,
        authority: Authority {
            version: 1,
            grant_keys: vec![keys::public_base64(&app.grant_key)],
            order_keys: vec![keys::public_base64(&app.order_key)],
        },
        approvers: approver_keys::wanted(app).await?,
        impact,
        rings,
        note: wanted.note,
        by: wanted.by,
        rollback: wanted.rollback,
    };
    let draft = app.publisher.draft(&content).map_err(|error| match error {
        PublishError::File { .. } => Failure::conflict(
            "this organisation has no root of trust yet: `cmdai-enterprise policy keys init`",
        ),
        other => Failure::internal(&other),
    })?;
    if let Some(plan) = wanted.plan {
        app.store.set_setting(rollout::PLAN, plan.trim()).await?;
    }
    if let Some(person) = author {
        review::ask(app, &draft, person, commands).await?;
        rollout::keep_draft(app, Some(&draft)).await?;
        return Ok(Made::Drafted(version));
    }
    // Kept before it is published: what is cut off in between is known by its draft.
    if app.publisher.signing() == Signing::Server {
        let draft = app
            .publisher
            .sign_own(draft)
            .map_err(|error| Failure::internal(&error))?;
        rollout::keep_draft(app, Some(&draft)).await?;
        rollout::go_out(app, draft).await.map(Made::Published)
    } else {
        rollout::keep_draft(app, Some(&draft)).await?;
        Ok(Made::Drafted(version))
    }
}

async fn resolve(app: &App, plan: &str, version: u64, source: &str) -> Answer<Rings> {
    let wrong = |what: String| Failure::invalid(format!("the rollout cannot be used: {what}"));
    if plan.len() > 16 * 1024 {
        return Err(wrong("it is longer than 16 KiB".to_owned()));
    }
    let plan: Plan = serde_saphyr::from_str(plan).map_err(|error| wrong(error.to_string()))?;
    let fleet: Vec<(String, BTreeMap<String, String>)> = app
        .store
        .machines()
        .await?
        .into_iter()
        .filter(|row| !row.retired)
        .map(|row| (row.machine_id, row.labels))
        .collect();
    let salt = secrets::hex(&secrets::sha256(source.as_bytes()));
    plan.resolve(version, &salt, &fleet).map_err(wrong)
}

/// Publishes the first policy of a new organisation, or puts it up for signing.
pub(crate) async fn publish_first(app: &App) -> anyhow::Result<()> {
    let words = |failure: Failure| anyhow::anyhow!("{failure:?}");
    let waits = rollout::draft(app).await.map_err(words)?.is_some();
    if waits || !app.store.releases().await?.is_empty() || app.publisher.next_root_json().is_err() {
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
    let made = make(
        app,
        Wanted {
            source,
            base: None,
            by: trail::SERVER.to_owned(),
            note: "the first policy, to start from".to_owned(),
            plan: None,
            rollback: false,
        },
    )
    .await
    .map_err(|failure| anyhow::anyhow!("cannot publish the first policy: {failure:?}"))?;
    let (version, text) = match made {
        Made::Published(version) => (version, "was published as version"),
        Made::Drafted(version) => (version, "waits for signatures as version"),
    };
    let entry = Entry::action(
        "policy.publish",
        format!("the first policy {text} {version}"),
    );
    trail::record_own(app, entry.with("version", version.to_string()))
        .await
        .map_err(words)
}
