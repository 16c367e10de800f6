//! `cmdai privacy`: all that is collected about the person on this machine, where it goes, and who sees it.
//!
//! Everything comes from what is in force and what is there: the policy, the person's own files, the sensor's
//! answer. Nothing is said that is not so: what the policy only asks for (a time of keeping) is named as that.

use std::path::Path;
use std::time::Duration;

use cmdai_gate::{Gate, history};
use cmdai_policy::{Capture, Settings};
use serde_json::json;

use crate::arguments::{Format, Privacy};
use crate::failure::Failure;
use crate::screen;

/// How long the governor may take to answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Never recorded, whatever the policy says.
const NEVER: &str = "what commands print, keystrokes, files, values of the environment; secrets are taken out before anything is written (docs/redaction.md)";

/// What of a command is recorded.
fn collected(capture: Capture) -> &'static str {
    match capture {
        Capture::Findings => {
            "commands on which a rule fired: text without secrets, folder, time, how it ended, who or what typed it"
        }
        Capture::Metadata => {
            "every command: programs, effects, decision, folder, time, how it ended, who or what typed it; not its text"
        }
        Capture::Full => {
            "every command: text without secrets, programs, effects, decision, folder, time, how it ended, who or what typed it"
        }
    }
}

/// Bytes of a file; 0 where there is none.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Prints it.
pub(crate) fn privacy(arguments: &Privacy) -> Result<u8, Failure> {
    let gate = Gate::open();
    let person = gate.person();
    let policies = gate.policies();
    let own = Settings::default();
    let settings = policies
        .organisation()
        .or(policies.user())
        .map_or(&own, |snapshot| snapshot.settings());
    let here = std::env::current_dir().map_or_else(
        |_| String::new(),
        |folder| folder.to_string_lossy().into_owned(),
    );
    let home = person.home.to_string_lossy();
    let now = policies.capture(&here, &home);
    let mode = gate.private_mode();
    let private = crate::private::holding(person, mode);
    let recorded = history::entries(person).0.len();
    let file = person.history_file();
    let older = file.with_file_name("history.1.c1");
    let kept = size(&file) + size(&older);
    let governed = gate.installation().governed();
    let sensor = governed.map(|_| {
        gate.governor(PATIENCE)
            .and_then(|mut governor| governor.status())
    });
    let waiting = governed.map(|governed| {
        let folder = governed.places.user_spool(person.uid);
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let bytes: u64 = files.map(|entry| size(&entry.path())).sum();
        (folder, bytes)
    });
    let organisation = governed.map(|governed| governed.mark.organisation.clone());
    let forwarded = settings
        .audit
        .send_to_siem
        .unwrap_or(false)
        .then(|| settings.audit.siem_endpoint.clone().unwrap_or_default());

    if arguments.format == Format::Json {
        let sent = sensor.as_ref().and_then(|status| status.as_ref().ok());
        let state = json!({
            "governed_by": organisation,
            "login": person.login,
            "capture": settings.privacy.capture,
            "collected": collected(settings.privacy.capture),
            "never_collected": NEVER,
            "never_record": settings.privacy.never_record,
            "hashed": settings.privacy.hash,
            "here": {"folder": here, "capture": now},
            "private_mode": {"on": private.is_some(), "permitted": mode != cmdai_gate::PrivateMode::Forbidden},
            "own_history": {"file": file, "commands": recorded, "bytes": kept},
            "waiting": waiting.as_ref().map(|(folder, bytes)| json!({"folder": folder, "bytes": bytes})),
            "machine": sent.map(|status| json!({
                "server": status.server, "sent": status.acked_seq, "not_sent": status.queued,
            })),
            "retention_days_asked_for": settings.audit.log_retention_days,
            "forwarded_to": forwarded,
        });
        anstream::println!("{state:#}");
        return Ok(0);
    }

    let row = |name: &str, value: &str| {
        anstream::println!("{}  {value}", screen::dim(&format!("{name:<10}")));
    };
    match &organisation {
        Some(organisation) => row(
            "for",
            &format!("{}, on a machine of {organisation}", person.login),
        ),
        None => row(
            "for",
            &format!(
                "{}; nobody governs this machine, and nothing leaves it",
                person.login
            ),
        ),
    }
    row("collected", collected(settings.privacy.capture));
    row("never", NEVER);
    if !settings.privacy.never_record.is_empty() {
        row(
            "not in",
            &format!(
                "{}: nothing is recorded there; rules hold there as well",
                settings.privacy.never_record.join(", ")
            ),
        );
    }
    if organisation.is_some() && !settings.privacy.hash.is_empty() {
        let fields = settings.privacy.hash.iter().map(|field| field.as_str());
        row(
            "hashed",
            &format!(
                "{}: replaced by a keyed hash before it leaves this machine",
                fields.collect::<Vec<_>>().join(", ")
            ),
        );
    }
    let state = match now {
        None => "commands are not recorded in this folder".to_owned(),
        Some(Capture::Findings) => "commands on which a rule fires are recorded".to_owned(),
        Some(Capture::Metadata) => "commands are recorded without their text".to_owned(),
        Some(Capture::Full) => "commands are recorded".to_owned(),
    };
    row("here", &state);
    row(
        "private",
        &match private {
            Some(_) => "mode is on in this shell: only that something runs, when, and the decision are recorded".to_owned(),
            None => format!("mode is off; {}", crate::private::permission(mode)),
        },
    );
    row(
        "yours",
        &format!(
            "{recorded} commands in {}, {} KiB, at most 32 MiB; cmdai log shows them, and they are yours to delete",
            file.display(),
            kept / 1024
        ),
    );
    let recordings = person.state.join("recordings");
    let files = std::fs::read_dir(&recordings)
        .into_iter()
        .flatten()
        .flatten();
    let bytes: Vec<u64> = files.map(|entry| size(&entry.path())).collect();
    if !bytes.is_empty() {
        row(
            "recorded",
            &format!(
                "{} files, {} KiB, in {}: what sessions showed that you recorded; they stay here and are yours to delete",
                bytes.len(),
                bytes.iter().sum::<u64>().div_ceil(1024),
                recordings.display()
            ),
        );
    }
    if let Some((folder, bytes)) = &waiting {
        row(
            "waiting",
            &format!(
                "{} KiB in {}, readable by you",
                bytes / 1024,
                folder.display()
            ),
        );
    }
    match &sensor {
        None => {}
        Some(Err(error)) => row(
            "sent",
            &format!("unknown: the sensor does not answer ({error})"),
        ),
        Some(Ok(status)) => row(
            "sent",
            &format!(
                "{} events of this machine, of everybody on it, to {}; {} more are sealed here and not sent",
                status.acked_seq, status.server, status.queued
            ),
        ),
    }
    if let Some(organisation) = &organisation {
        row(
            "seen by",
            &format!(
                "people of {organisation} with an account at that server; what they search and open is recorded there"
            ),
        );
        match settings.audit.log_retention_days {
            Some(days) => row(
                "kept",
                &format!("there, for {days} days as the policy asks"),
            ),
            None => row("kept", "there, for as long as the organisation keeps it"),
        }
    }
    if let Some(target) = &forwarded {
        row("forwarded", &format!("to {target}, as the policy asks"));
    }
    Ok(0)
}
