//! Plan and assembly.

use std::collections::BTreeMap;

use cmdai_api::console::{Alert, Completeness, ControlResult, EvidenceItem, Report};
use cmdai_schema::Hash;

use crate::evidence::{EvidenceQuery, EvidenceResult};
use crate::map::{self, Control, Entry, Map, ReportError, Source};

/// What has to be asked for a report.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Start of the period.
    pub from: String,
    /// End of the period.
    pub to: String,
    /// Organisation.
    pub organisation: String,
    /// Queries, each once.
    pub queries: Vec<EvidenceQuery>,
    map: Map,
    library: Vec<Entry>,
}

/// What the server knows besides the queries.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the report is made, RFC 3339.
    pub generated: String,
    /// By whom.
    pub generated_by: String,
    /// Events in the period.
    pub events: u64,
    /// Is everything there.
    pub completeness: Completeness,
    /// Commands within policy per 10,000 judged.
    pub compliance: u64,
    /// Alerts raised in the period.
    pub alerts: Vec<Alert>,
    /// Days that records are kept; none where they are never deleted.
    pub retention_days: Option<u32>,
    /// Time of the oldest record.
    pub oldest: Option<String>,
}

fn seed(organisation: &str, framework: &str, id: &str, from: &str, to: &str) -> String {
    let mut text = String::new();
    for part in [organisation, framework, id, from, to] {
        text.push_str(part);
        text.push('\n');
    }
    Hash::of(&[text.as_bytes()]).to_hex()
}

/// Says what to ask for a report.
///
/// # Errors
/// Where there is no map of that name.
pub fn plan(
    framework: &str,
    organisation: &str,
    from: &str,
    to: &str,
) -> Result<Plan, ReportError> {
    let map = map::map(framework)?;
    let mut library = map::library()?;
    library.retain(|entry| {
        map.controls
            .iter()
            .flat_map(|control| &control.evidence)
            .any(|family| entry.is_of(family))
    });
    let queries = library
        .iter()
        .filter(|entry| matches!(entry.source, Source::Query | Source::Alerts))
        .map(|entry| EvidenceQuery {
            id: entry.id.clone(),
            query: entry.query.clone(),
            seed: seed(organisation, &map.id, &entry.id, from, to),
        })
        .collect();
    Ok(Plan {
        from: from.to_owned(),
        to: to.to_owned(),
        organisation: organisation.to_owned(),
        queries,
        map,
        library,
    })
}

/// Puts the report together.
///
/// # Errors
/// Where the result of a query is missing: a report never leaves evidence out silently.
pub fn assemble(
    plan: Plan,
    results: Vec<EvidenceResult>,
    facts: Facts,
) -> Result<Report, ReportError> {
    let results: BTreeMap<String, EvidenceResult> = results
        .into_iter()
        .map(|result| (result.id.clone(), result))
        .collect();
    let seeds: BTreeMap<&str, &str> = plan
        .queries
        .iter()
        .map(|query| (query.id.as_str(), query.seed.as_str()))
        .collect();
    let mut controls = Vec::with_capacity(plan.map.controls.len());
    for control in &plan.map.controls {
        let mut evidence = Vec::new();
        for entry in control
            .evidence
            .iter()
            .flat_map(|family| plan.library.iter().filter(move |entry| entry.is_of(family)))
        {
            let seed = seeds.get(entry.id.as_str()).copied().unwrap_or_default();
            evidence.push(item(control, entry, seed, &results, &facts)?);
        }
        controls.push(ControlResult {
            id: control.id.clone(),
            title: control.title.clone(),
            asks: control.asks.clone(),
            evidence,
        });
    }
    Ok(Report {
        framework: plan.map.framework(),
        organisation: plan.organisation,
        from: plan.from,
        to: plan.to,
        generated: facts.generated,
        generated_by: facts.generated_by,
        events: facts.events,
        completeness: facts.completeness,
        compliance: facts.compliance,
        controls,
    })
}

fn item(
    control: &Control,
    entry: &Entry,
    seed: &str,
    results: &BTreeMap<String, EvidenceResult>,
    facts: &Facts,
) -> Result<EvidenceItem, ReportError> {
    let mut item = EvidenceItem {
        id: entry.id.clone(),
        title: entry.title.clone(),
        query: entry.query.clone(),
        rows: 0,
        sha256: String::new(),
        seed: seed.to_owned(),
        sample: Vec::new(),
        exceptions: Vec::new(),
    };
    match entry.source {
        Source::Query | Source::Alerts => {
            let result = results
                .get(&entry.id)
                .ok_or_else(|| ReportError::Missing(entry.id.clone()))?;
            item.rows = result.rows;
            item.sha256 = result.sha256.to_hex();
            item.sample.clone_from(&result.sample);
            if let Some(sentence) = entry.exception.as_ref().filter(|_| result.rows > 0) {
                item.exceptions.push(
                    sentence
                        .replace("{rows}", &result.rows.to_string())
                        .replace("{where}", &places(&result.places)),
                );
            }
            if entry.source == Source::Alerts {
                item.exceptions.extend(alerts(&facts.alerts));
            }
        }
        Source::Ledger => {
            let found = &facts.completeness;
            item.rows = found.tree_size;
            item.sha256.clone_from(&found.root);
            if !found.verified {
                item.exceptions.push("Chains and tree were not verified, or do not fit; do not rely on the records before that is explained.".to_owned());
            }
            if found.gaps > 0 {
                item.exceptions.push(format!(
                    "{} gaps are recorded in the period; {} records are missing in them.",
                    found.gaps, found.missing
                ));
            }
        }
        Source::Retention => {
            item.rows = facts.events;
            let kept = facts.retention_days.map_or_else(
                || "never deleted".to_owned(),
                |days| format!("kept for {days} days"),
            );
            let oldest = facts.oldest.as_deref().unwrap_or("none yet");
            item.query = format!("records are {kept}; oldest record: {oldest}");
            if let (Some(needed), Some(days)) = (control.retention_days, facts.retention_days)
                && days < needed
            {
                item.exceptions.push(format!(
                    "Records are kept for {days} days; this control asks for {needed}."
                ));
            }
        }
        Source::Elsewhere => {
            item.exceptions
                .push("This has to be shown by evidence from elsewhere.".to_owned());
        }
    }
    Ok(item)
}

/// The three places with most rows, and how many more there are.
fn places(all: &[(String, u64)]) -> String {
    let mut words: Vec<String> = all
        .iter()
        .take(3)
        .map(|(name, count)| format!("{name}: {count}"))
        .collect();
    if all.len() > 3 {
        words.push(format!("{} more machines", all.len() - 3));
    }
    words.join(", ")
}

fn alerts(all: &[Alert]) -> Vec<String> {
    let mut out = Vec::new();
    let open = all.iter().filter(|alert| alert.status == "open").count();
    if open > 0 {
        let worst = all
            .iter()
            .filter(|alert| alert.status == "open" && alert.severity == "critical")
            .count();
        out.push(format!(
            "{open} of {} alerts raised in the period are still open, {worst} of them critical.",
            all.len()
        ));
    }
    let untold = all.iter().filter(|alert| alert.notified.is_none()).count();
    if untold > 0 {
        out.push(format!(
            "No channel took {untold} of {} alerts: nobody was notified of them.",
            all.len()
        ));
    }
    let mute = all
        .iter()
        .filter(|alert| alert.status == "closed" && alert.disposition.is_none())
        .count();
    if mute > 0 {
        out.push(format!(
            "{mute} alerts were closed without saying how they ended."
        ));
    }
    out
}

/// The report as JSON, indented.
///
/// # Errors
/// Never for a report made by [`assemble`].
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report)
}
