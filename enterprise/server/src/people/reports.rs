//! Reports: what was tested and found in a period.

use std::collections::BTreeMap;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{Alert, Completeness, FrameworkList, Report};
use cmdai_report::{Facts, ReportError};
use cmdai_schema::{Absent, ChainWalk, Dropped, Event, EventType};
use cmdai_store::{Cursor, Dimension, Search, query};

use super::convert::{alert_wire, event_row};
use super::overview::Judged;
use crate::app::App;
use crate::body::Parameters;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::trail::{self, Entry};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const HOUR_MS: i64 = 3_600_000;
/// Period where none is asked for.
const PERIOD_MS: i64 = 90 * DAY_MS;
/// Rows read at once.
const PAGE: u32 = 2_000;

fn failed(error: ReportError) -> Failure {
    match error {
        ReportError::Framework { .. } => Failure::not_found("framework"),
        other => Failure::internal(&other),
    }
}

pub(super) async fn frameworks() -> Answer<Json<FrameworkList>> {
    let frameworks = cmdai_report::frameworks().map_err(failed)?;
    Ok(Json(FrameworkList { frameworks }))
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(framework): Path<String>,
    parameters: Parameters,
) -> Answer<Json<Report>> {
    make(&app, &caller, &framework, &parameters).await.map(Json)
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(framework): Path<String>,
    parameters: Parameters,
) -> Answer<Response> {
    let report = make(&app, &caller, &framework, &parameters).await?;
    let page = cmdai_report::html(&report);
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; frame-ancestors 'none'; base-uri 'none'",
        cmdai_report::style_hash()
    );
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    let policy = HeaderValue::from_str(&policy).map_err(|error| Failure::internal(&error))?;
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

async fn make(
    app: &App,
    caller: &Caller,
    framework: &str,
    parameters: &Parameters,
) -> Answer<Report> {
    let now_ms = clock::now_ms();
    let to_ms = parameters.moment("to")?.unwrap_or(now_ms).min(now_ms);
    let from_ms = parameters
        .moment("from")?
        .unwrap_or_else(|| to_ms.saturating_sub(PERIOD_MS));
    if from_ms >= to_ms {
        return Err(Failure::invalid("`from` lies after `to`"));
    }
    let (from, to) = (clock::rfc3339(from_ms), clock::rfc3339(to_ms));
    let plan =
        cmdai_report::plan(framework, &app.config.organisation, &from, &to).map_err(failed)?;
    let mut results = Vec::new();
    for wanted in &plan.queries {
        let search = Search {
            query: query::parse(&wanted.query),
            from_ms: Some(from_ms),
            to_ms: Some(to_ms),
        };
        if let Some(problem) = search.query.problems.first() {
            return Err(Failure::internal(&format!(
                "evidence {}: {problem}",
                wanted.id
            )));
        }
        let mut population = wanted.population();
        let mut after: Option<Cursor> = None;
        loop {
            let rows = app.store.scan(&search, after, PAGE).await?;
            let full = rows.len() >= PAGE as usize;
            after = rows.last().map(|(row, _)| Cursor {
                time_ms: row.time_ms,
                row: row.row,
            });
            for (row, hash) in rows {
                let hostname = row.hostname.clone();
                population.add(&hash, &hostname, || event_row(row));
            }
            if !full {
                break;
            }
        }
        results.push(population.finish());
    }
    let facts = facts(app, caller, from_ms, to_ms).await?;
    let report = cmdai_report::assemble(plan, results, facts).map_err(failed)?;
    let entry = Entry::action(
        "report.make",
        format!(
            "{} made the report {framework} for {from} to {to}",
            caller.login
        ),
    )
    .with("framework", framework);
    trail::record(app, caller, entry).await?;
    Ok(report)
}

async fn facts(app: &App, caller: &Caller, from_ms: i64, to_ms: i64) -> Answer<Facts> {
    let all = Search {
        query: query::Query::default(),
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
    };
    let events = u64::from(u32::MAX).min(app.store.count(&all, u32::MAX - 1).await?.total);
    let rolled = app
        .store
        .rolled(
            Dimension::Judged,
            from_ms.div_euclid(HOUR_MS),
            (to_ms + HOUR_MS - 1).div_euclid(HOUR_MS),
        )
        .await?;
    let alerts: Vec<Alert> = app
        .store
        .alerts(None, 100_000)
        .await?
        .into_iter()
        .filter(|alert| (from_ms..to_ms).contains(&alert.created_ms))
        .map(alert_wire)
        .collect();
    let retention_days = match app.store.releases().await?.first() {
        Some(release) => cmdai_policy::parse(&release.source, "policy.yaml")
            .ok()
            .and_then(|set| set.document().audit.log_retention_days),
        None => None,
    };
    let oldest = app
        .store
        .rows_after(0, 1)
        .await?
        .first()
        .map(|row| clock::rfc3339(row.time_ms));
    Ok(Facts {
        generated: clock::rfc3339(clock::now_ms()),
        generated_by: caller.login.clone(),
        events,
        completeness: completeness(app, from_ms, to_ms).await?,
        compliance: Judged::of(rolled.iter()).compliance(),
        alerts,
        retention_days,
        oldest,
    })
}

/// Reads all events of the period again, checks chains and payloads, and that the tree over them is
/// the signed one.
async fn completeness(app: &App, from_ms: i64, to_ms: i64) -> Answer<Completeness> {
    let range = app.store.row_range(Some(from_ms), Some(to_ms)).await?;
    let (first, last) = range.unwrap_or((1, 0));
    let mut walks: BTreeMap<String, ChainWalk> = (app.store.heads_before(first).await?)
        .into_iter()
        .map(|(machine, head)| (machine, ChainWalk::new((head.seq, head.hash), Vec::new())))
        .collect();
    let mut edge = app
        .ledger
        .edge_at(&*app.store, first - 1)
        .await
        .map_err(|error| Failure::internal(&error))?;
    let mut machines = std::collections::BTreeSet::new();
    let (mut gaps, mut missing, mut verified) = (0u64, 0u64, true);
    let mut row = first;
    while row <= last {
        let wanted = u32::try_from((last - row + 1).min(u64::from(PAGE))).unwrap_or(PAGE);
        let page = app.store.read_from(row, wanted).await?;
        if page.is_empty() {
            verified = false;
            break;
        }
        for (at, hash, json) in page {
            row = at + 1;
            edge.push(hash);
            let Ok(event) = serde_json::from_str::<Event>(&json) else {
                verified = false;
                continue;
            };
            let walk = walks.entry(event.envelope.machine_id.clone()).or_default();
            let (seq, next) = (event.envelope.seq, walk.head().0.saturating_add(1));
            let absent = (seq > next).then(|| Absent {
                from: next,
                to: seq - 1,
                told: None,
            });
            match walk.follow(&event, absent) {
                Ok(step) if walk.head().1 == hash => missing += step.absent,
                _ => {
                    verified = false;
                    *walk = ChainWalk::new((seq, hash), walk.open().to_vec());
                }
            }
            if event.envelope.event_type == EventType::Gap {
                gaps += 1;
                // What was dropped is counted where it is absent.
                if Dropped::of(&event).is_none() {
                    missing += missing_in(&event);
                }
            }
            machines.insert(event.envelope.machine_id);
        }
    }
    // A jump whose gap event came after the period is accounted for too.
    for (machine, walk) in walks.iter().filter(|(_, walk)| !walk.open().is_empty()) {
        let open = app.store.jumps(machine).await?;
        verified &= (walk.open().iter()).all(|jump| open.iter().all(|other| other.to != jump.to));
    }
    if let Some(checkpoint) = app.store.checkpoint().await? {
        let signed = crate::ledger::wire(&checkpoint, &app.config.organisation);
        verified &= cmdai_ledger::open_checkpoint(&signed, &app.ledger.public_key()).is_ok();
        if checkpoint.tree_size == edge.size() {
            verified &= checkpoint.root == edge.root();
        }
    }
    Ok(Completeness {
        machines: machines.len() as u64,
        gaps,
        missing,
        tree_size: edge.size(),
        root: edge.root().to_hex(),
        verified,
    })
}

fn missing_in(event: &Event) -> u64 {
    let number = |name: &str| {
        event
            .payload
            .detail
            .get(name)
            .and_then(|text| text.parse::<u64>().ok())
    };
    match (number("from"), number("to")) {
        (Some(from), Some(to)) if to >= from => to - from + 1,
        _ => 0,
    }
}
