//! What the demo showed, in numbers, and what of it is not as it should be.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;

use super::people::People;
use super::sandbox::Session;
use super::telephone::Telephone;

/// Detections that the story must raise.
const MUST: &[&str] = &["blocked-critical", "many-violations", "sensor-silent"];

/// The summary.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    machines: usize,
    produced: u64,
    stored: u64,
    decisions: BTreeMap<String, u64>,
    alerts: BTreeMap<String, u64>,
    /// Milliseconds from the command to the notification, sorted.
    alert_ms: Vec<i64>,
    verified: std::result::Result<String, String>,
    lines_typed: u32,
    wrong: Vec<String>,
}

impl Summary {
    /// Gathers it from the server, the fleet, the session and the export.
    pub(crate) async fn of(
        people: &People,
        fleet: &cmdai_sim::Summary,
        session: &Session,
        telephone: &Telephone,
        export: &Path,
    ) -> Result<Self> {
        let machines = people.machines().await?;
        let file = std::fs::File::open(export).context("the export was not written")?;
        let proof = cmdai_ledger::verify_export(std::io::BufReader::new(file), None);
        let stored = proof
            .as_ref()
            .map(|report| {
                report
                    .machines
                    .iter()
                    .filter(|(machine, _)| *machine != "server")
                    .map(|(_, count)| count)
                    .sum()
            })
            .unwrap_or_default();

        let mut alerts = BTreeMap::new();
        let mut alert_ms = Vec::new();
        for alert in people.alerts().await? {
            *alerts.entry(alert.detection.clone()).or_insert(0) += 1;
            let occurred: Option<Timestamp> = alert.occurred.parse().ok();
            // Silence takes its time by definition; what counts here is a command.
            let of_the_shell = alert.hostname.as_deref() == Some("demo-laptop")
                && alert.detection != "sensor-silent";
            if let (Some(heard), Some(occurred), true) =
                (telephone.heard(&alert.id), occurred, of_the_shell)
            {
                alert_ms.push(heard.as_millisecond() - occurred.as_millisecond());
            }
        }
        alert_ms.sort_unstable();
        let overview = people.overview().await?;
        let mut decisions = BTreeMap::new();
        for bucket in &overview.hours {
            for (name, count) in &bucket.counts {
                *decisions.entry(name.clone()).or_insert(0) += count;
            }
        }
        Ok(Self {
            machines: machines.machines.len(),
            produced: fleet.events_produced + session.sealed,
            stored,
            decisions,
            alerts,
            alert_ms,
            verified: proof
                .map(|report| report.to_string())
                .map_err(|error| error.to_string()),
            lines_typed: session.typed,
            wrong: session.wrong.clone(),
        })
    }

    /// What is not as it should be. By hand only the proof and the counts must hold.
    pub(crate) fn wrong(&self, scripted: bool) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        if self.stored != self.produced {
            wrong.push(format!(
                "{} events were produced, {} are stored",
                self.produced, self.stored
            ));
        }
        if let Err(error) = &self.verified {
            wrong.push(format!("verify: {error}"));
        }
        if scripted {
            wrong.extend(
                MUST.iter()
                    .filter(|id| !self.alerts.contains_key(**id))
                    .map(|id| format!("no alert `{id}` was raised")),
            );
            if self.alert_ms.is_empty() {
                wrong.push("no alert about the governed shell reached the webhook".to_owned());
            }
        }
        wrong
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<String, u64>| {
            counts
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        writeln!(f, "machines       {}", self.machines)?;
        writeln!(
            f,
            "events         produced {}, stored {}",
            self.produced, self.stored
        )?;
        writeln!(f, "decisions      {}", list(&self.decisions))?;
        writeln!(f, "alerts         {}", list(&self.alerts))?;
        if let (Some(fastest), Some(slowest)) = (self.alert_ms.first(), self.alert_ms.last()) {
            writeln!(
                f,
                "time to alert  {fastest} to {slowest} ms from the command to the webhook, {} alerts of the governed shell",
                self.alert_ms.len()
            )?;
        }
        match &self.verified {
            Ok(report) => writeln!(
                f,
                "verify         {}",
                report.replace('\n', "\n               ")
            ),
            Err(error) => writeln!(f, "verify         FAILED: {error}"),
        }
    }
}
