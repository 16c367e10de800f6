//! The last 24 hours beside the 24 before them, out of the roll-up tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cmdai_api::console::{Change, Count, HistogramBucket, Overview, Trend};
use cmdai_store::{Dimension, Rolled};

use super::fleet::{state_of, version_of};
use crate::app::App;
use crate::clock;
use crate::failure::Answer;

const HOUR_MS: i64 = 3_600_000;
/// Target of the compliance rate, per 10,000: more than 99 %.
const TARGET: u64 = 9_900;
/// Rules that are named.
const TOP: usize = 8;

/// Judged commands of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) all: u64,
    pub(super) blocked: u64,
    pub(super) violations: u64,
}

impl Judged {
    pub(super) fn of<'a>(rolled: impl Iterator<Item = &'a Rolled>) -> Self {
        let mut sum = Self::default();
        for rolled in rolled {
            sum.all += rolled.count;
            match rolled.key.as_str() {
                "blocked" => sum.blocked += rolled.count,
                "violation" => sum.violations += rolled.count,
                _ => {}
            }
        }
        sum
    }

    /// Commands within policy per 10,000 judged; all of them where there are none.
    pub(super) fn compliance(self) -> u64 {
        let within = self.all.saturating_sub(self.blocked + self.violations);
        (within * 10_000).checked_div(self.all).unwrap_or(10_000)
    }
}

pub(super) async fn overview(State(app): State<Arc<App>>) -> Answer<Json<Overview>> {
    let now_ms = clock::now_ms();
    let end = now_ms / HOUR_MS + 1;
    let (today, yesterday) = (end - 24, end - 48);
    let judged = app.store.rolled(Dimension::Judged, yesterday, end).await?;
    let now = Judged::of(judged.iter().filter(|rolled| rolled.hour >= today));
    let before = Judged::of(judged.iter().filter(|rolled| rolled.hour < today));
    let agents: BTreeSet<String> = app
        .store
        .rolled(Dimension::Agent, today, end)
        .await?
        .into_iter()
        .map(|rolled| rolled.key)
        .collect();
    let machines = app.store.machines().await?;
    let states: Vec<&str> = machines
        .iter()
        .map(|row| state_of(&app, row, now_ms))
        .collect();
    let in_state = |wanted: &str| states.iter().filter(|state| **state == wanted).count() as u64;
    let newest = app.bells.policy_version();
    let current = machines
        .iter()
        .filter(|row| !row.retired && newest > 0 && version_of(row) == newest)
        .count() as u64;
    let waiting = app.store.approvals(Some("pending"), 10_000).await?.len() as u64;
    let open_alerts = app.store.open_alerts().await?;
    let mut changes = changes(&app, now_ms - 24 * HOUR_MS).await?;
    if now.blocked != before.blocked {
        let text = format!(
            "{} commands blocked, {} the day before",
            now.blocked, before.blocked
        );
        changes.push(Change {
            text,
            link: "/search?q=type:command_blocked%20since:24h".to_owned(),
        });
    }
    Ok(Json(Overview {
        commands: Trend {
            now: now.all,
            before: before.all,
        },
        blocked: Trend {
            now: now.blocked,
            before: before.blocked,
        },
        waiting,
        machines: states.len() as u64 - in_state("retired"),
        silent: in_state("silent"),
        quarantined: in_state("quarantined"),
        agents: agents.len() as u64,
        open_alerts,
        compliance: Trend {
            now: now.compliance(),
            before: before.compliance(),
        },
        compliance_target: TARGET,
        policy_version: newest.to_string(),
        machines_current: current,
        hours: hours(&app, today, end).await?,
        top_rules: top_rules(&app, today, end).await?,
        changes,
    }))
}

async fn hours(app: &App, from: i64, to: i64) -> Answer<Vec<HistogramBucket>> {
    let mut list: Vec<HistogramBucket> = (from..to)
        .map(|hour| HistogramBucket {
            from: clock::rfc3339(hour * HOUR_MS),
            counts: BTreeMap::new(),
        })
        .collect();
    for rolled in app.store.rolled(Dimension::All, from, to).await? {
        let place = usize::try_from(rolled.hour - from).ok();
        if let Some(bucket) = place.and_then(|place| list.get_mut(place)) {
            *bucket
                .counts
                .entry(rolled.decision.unwrap_or("none").to_owned())
                .or_insert(0) += rolled.count;
        }
    }
    Ok(list)
}

async fn top_rules(app: &App, from: i64, to: i64) -> Answer<Vec<Count>> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for rolled in app.store.rolled(Dimension::Rule, from, to).await? {
        *sums.entry(rolled.key).or_insert(0) += rolled.count;
    }
    let mut list: Vec<Count> = sums
        .into_iter()
        .map(|(name, count)| Count { name, count })
        .collect();
    list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    list.truncate(TOP);
    Ok(list)
}

/// What is new since yesterday, with where to look.
async fn changes(app: &App, since_ms: i64) -> Answer<Vec<Change>> {
    let mut list = Vec::new();
    for release in app
        .store
        .releases()
        .await?
        .into_iter()
        .take_while(|release| release.published_ms >= since_ms)
        .take(3)
    {
        let text = format!(
            "{} published policy {}: {}",
            release.published_by, release.version, release.note
        );
        list.push(Change {
            text,
            link: "/policy".to_owned(),
        });
    }
    let new = app
        .store
        .machines()
        .await?
        .iter()
        .filter(|row| row.enrolled_ms >= since_ms)
        .count();
    if new > 0 {
        list.push(Change {
            text: format!("{new} machine(s) enrolled"),
            link: "/fleet".to_owned(),
        });
    }
    let alerts = app.store.alerts(None, 500).await?;
    let alerts = alerts
        .iter()
        .filter(|alert| alert.created_ms >= since_ms)
        .count();
    if alerts > 0 {
        list.push(Change {
            text: format!("{alerts} alert(s) raised"),
            link: "/alerts".to_owned(),
        });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitored_violations_count_against_compliance() {
        let rolled = |key: &str, count| Rolled {
            hour: 0,
            key: key.to_owned(),
            decision: None,
            count,
        };
        let judged = Judged::of(
            [
                rolled("executed", 97),
                rolled("blocked", 1),
                rolled("violation", 2),
            ]
            .iter(),
        );
        assert_eq!(judged.compliance(), 9_700);
        assert_eq!(Judged::default().compliance(), 10_000);
    }
}
