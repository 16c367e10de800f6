//! `cmdai log`: what was judged and run, from the local history.

use cmdai_gate::history::{self, Entry};
use cmdai_gate::{Person, escape};

use crate::arguments::{Format, Log};
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
                    match entry.start.private {
                        true => screen::dim("(private)"),
                        false => escape(&entry.start.text),
                    }
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

/// A record as JSON.
pub(crate) fn row(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "id": entry.short_id(),
        "session_id": entry.session_id,
        "time_ms": entry.time_ms,
        "start": entry.start,
        "exit_code": entry.end.map(|(code, _)| code),
        "duration_us": entry.end.map(|(_, micros)| micros),
    })
}

/// A moment in this machine's time.
pub(crate) fn time(time_ms: u64) -> String {
    let millis = i64::try_from(time_ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map(|at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}
