//! `cmdai status`: who governs this machine and how things stand, on one screen.

use std::time::Duration;

use cmdai_gate::{Gate, history};
use serde_json::json;

use crate::arguments::{Format, Status};
use crate::failure::Failure;
use crate::screen;

/// How long the governor may take to answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Prints the state.
pub(crate) fn status(arguments: &Status) -> Result<u8, Failure> {
    let gate = Gate::open();
    let reference = gate.policies().reference();
    let governor = gate.installation().governed().map(|_| {
        gate.governor(PATIENCE)
            .and_then(|mut governor| governor.status())
    });
    let recorded = history::entries(gate.person()).0.len();
    let problems = gate.problems();
    if arguments.format == Format::Json {
        let (sensor, error) = match &governor {
            Some(Ok(status)) => (Some(status), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let state = json!({
            "governed": gate.installation().is_governed(),
            "policy": reference,
            "sensor": sensor,
            "sensor_error": error,
            "recorded": recorded,
            "problems": problems,
        });
        anstream::println!("{state:#}");
        return Ok(0);
    }
    let row = |name: &str, value: String| {
        anstream::println!("{}  {value}", screen::dim(&format!("{name:<9}")))
    };
    match gate.installation().governed() {
        None => row(
            "governed",
            "no: built-in rules and your own policy decide".to_owned(),
        ),
        Some(governed) => row(
            "governed",
            format!(
                "by {} as {}",
                governed.mark.organisation, governed.mark.machine_id
            ),
        ),
    }
    row("policy", format!("{} {}", reference.id, reference.version));
    if !gate.installation().is_governed() {
        let file = gate.person().policy_file();
        let state = if file.exists() {
            file.display().to_string()
        } else {
            format!("none yet (cmdai policy init writes {})", file.display())
        };
        row("your own", state);
    }
    match &governor {
        None => {}
        Some(Err(error)) => row(
            "sensor",
            format!("does not answer: {error}. Rules still hold; approvals are not available"),
        ),
        Some(Ok(status)) => {
            let seen = status.contact_age_s.map_or_else(
                || "never".to_owned(),
                |age| format!("{} ago", screen::age(age)),
            );
            row(
                "sensor",
                format!("running, server {} seen {seen}", status.server),
            );
            if !status.policy_source.is_empty() {
                let fresh = status.policy_age_s.map_or_else(
                    || "never proven fresh".to_owned(),
                    |age| format!("proven fresh {} ago", screen::age(age)),
                );
                row(
                    "release",
                    format!(
                        "{} by {}, {fresh}, holds until {}",
                        status.policy_version, status.policy_source, status.policy_expires
                    ),
                );
            }
            if !status.policy_ring.is_empty() {
                row("ring", status.policy_ring.clone());
            }
            let oldest = status
                .oldest_s
                .map(|age| format!(", oldest {}", screen::age(age)))
                .unwrap_or_default();
            row(
                "buffer",
                format!(
                    "{} events{oldest}; {} sent",
                    status.queued, status.acked_seq
                ),
            );
            if let Some(reason) = &status.quarantine {
                row("quarantine", reason.clone());
            }
            for problem in &status.problems {
                row("problem", problem.clone());
            }
        }
    }
    row("recorded", format!("{recorded} commands (cmdai log)"));
    for problem in &problems {
        row("problem", problem.clone());
    }
    Ok(0)
}
