//! `cmdai log` and `cmdai why`: what was judged and run, from the local history.

use cmdai_gate::history::{self, Entry};
use cmdai_gate::{Person, escape};

use crate::arguments::{Format, Log, Why};
use crate::failure::Failure;
use crate::screen;

/// Prints the newest commands, newest last.
pub(crate) fn log(arguments: &Log) -> Result<u8, Failure> {
    let person = Person::current();
    let (entries, damage) = history::entries(&person);
    let wanted: Vec<&Entry> = entries
        .iter()
        .filter(|entry| !arguments.stopped || !entry.start.allowed)
        .collect();
    let shown = wanted
        .iter()
        .skip(wanted.len().saturating_sub(arguments.number));
    if wanted.is_empty() && arguments.format == Format::Human {
        anstream::println!("nothing recorded yet. Start with: eval \"$(cmdai init bash)\"");
    }
    for entry in shown {
        match arguments.format {
            Format::Json => anstream::println!("{}", row(entry)),
            Format::Human => {
                let outcome = match (entry.start.allowed, entry.end) {
                    (false, _) => "stopped".to_owned(),
                    (true, Some((code, _))) => format!("exit {code}"),
                    (true, None) => "no end".to_owned(),
                };
                anstream::println!(
                    "{}  {}  {:<22} {:<8} {}",
                    screen::dim(&time(entry.time_ms)),
                    screen::bold(&entry.short_id()),
                    screen::decision(entry.start.policy.decision),
                    outcome,
                    escape(&entry.start.text)
                );
            }
        }
    }
    if !damage.is_empty() {
        anstream::eprintln!(
            "cmdai: {} damaged lines in the history were left out",
            damage.len()
        );
    }
    Ok(0)
}

/// Prints everything that is known about one command.
pub(crate) fn why(arguments: &Why) -> Result<u8, Failure> {
    let person = Person::current();
    let Some(entry) = history::find(&person, &arguments.id) else {
        return Err(Failure::failed(
            format!("no command `{}` in the history", arguments.id),
            "see `cmdai log` for what there is",
        ));
    };
    if arguments.format == Format::Json {
        anstream::println!("{}", row(&entry));
        return Ok(0);
    }
    let policy = &entry.start.policy;
    anstream::println!("{}", screen::bold(&escape(&entry.start.text)));
    let mut lines = vec![
        ("when", time(entry.time_ms)),
        ("where", escape(&entry.start.cwd)),
        (
            "decision",
            format!(
                "{}, {} risk",
                screen::decision(policy.decision),
                screen::risk(policy.risk_level)
            ),
        ),
        ("because", escape(&policy.reason)),
        ("rules", policy.violated_rules.join(", ")),
        ("would do", entry.start.effects.join(", ")),
        ("programs", entry.start.programs.join(", ")),
        (
            "policy",
            format!("{} {}", policy.policy_id, policy.policy_version),
        ),
        (
            "by",
            format!(
                "{} ({})",
                entry.start.origin.kind.as_str(),
                entry.start.origin.evidence.join(", ")
            ),
        ),
    ];
    if let Some(approval) = &entry.start.approval {
        let by = approval
            .approver
            .as_deref()
            .map(|who| format!(" by {who}"))
            .unwrap_or_default();
        lines.push((
            "approval",
            format!("{} {}{by}", approval.request_id, approval.status),
        ));
    }
    if let Some((code, micros)) = entry.end {
        lines.push((
            "ended",
            format!("exit status {code} after {} ms", micros / 1000),
        ));
    }
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        anstream::println!("  {}  {value}", screen::dim(&format!("{name:<9}")));
    }
    for id in &policy.violated_rules {
        if let Some(rule) = cmdai_policy::builtin_rules()
            .iter()
            .find(|rule| rule.id == *id)
        {
            anstream::println!("\n  {}: {}", screen::bold(id), rule.reason);
        }
    }
    Ok(0)
}

fn row(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "id": entry.short_id(),
        "session_id": entry.session_id,
        "time_ms": entry.time_ms,
        "start": entry.start,
        "exit_code": entry.end.map(|(code, _)| code),
        "duration_us": entry.end.map(|(_, micros)| micros),
    })
}

fn time(time_ms: u64) -> String {
    let millis = i64::try_from(time_ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map(|at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}
