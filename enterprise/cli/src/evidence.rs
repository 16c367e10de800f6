//! Searching, reports, exports, and the offline proof.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use cmdai_api::console::{EventPage, ExportLine};
use cmdai_report::Foreign;
use cmdai_schema::Event;

use crate::account::client;
use crate::arguments::{AuditExport, Export, ExportFormat, Format, Query, ReportFormat, Verify};
use crate::client::Client;

/// Searches the recorded commands, newest first.
pub(crate) async fn query(arguments: Query) -> Result<()> {
    let client = client(&arguments.at)?;
    let mut words = arguments.query.clone();
    if let Some(user) = &arguments.user {
        words.push(format!("user:{}", quoted(user)));
    }
    if let Some(text) = &arguments.command_contains {
        words.push(quoted(text));
    }
    if let Some(range) = &arguments.time_range {
        words.push(format!("since:{}", since(range)?));
    }
    let mut left = arguments.limit;
    let mut cursor = String::new();
    while left > 0 {
        let page: EventPage = client
            .get(
                "events",
                &[
                    ("q", words.join(" ")),
                    ("limit", left.min(200).to_string()),
                    ("cursor", cursor.clone()),
                ],
            )
            .await?;
        for problem in &page.problems {
            anstream::eprintln!("cmdai-enterprise: {problem}");
        }
        for row in &page.rows {
            match arguments.format {
                Format::Json => anstream::println!("{}", serde_json::to_string(row)?),
                Format::Human => anstream::println!(
                    "{}  {:<16} {:<14} {:<16} {}",
                    row.time,
                    cmdai_gate::escape(&row.hostname),
                    cmdai_gate::escape(&row.user),
                    row.decision.as_deref().unwrap_or(&row.event_type),
                    cmdai_gate::escape(&row.text)
                ),
            }
        }
        left = left.saturating_sub(u32::try_from(page.rows.len()).unwrap_or(u32::MAX));
        match page.cursor {
            Some(next) if !page.rows.is_empty() => cursor = next,
            _ => break,
        }
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', ""))
}

/// `last 90 days` to `90d`; `90d` stays.
fn since(range: &str) -> Result<String> {
    let words: Vec<&str> = range
        .split_whitespace()
        .filter(|word| *word != "last")
        .collect();
    match words.as_slice() {
        [short] => Ok((*short).to_owned()),
        [number, unit] if number.parse::<u32>().is_ok() => match unit.trim_end_matches('s') {
            "minute" | "min" => Ok(format!("{number}m")),
            "hour" => Ok(format!("{number}h")),
            "day" => Ok(format!("{number}d")),
            "week" => Ok(format!("{number}w")),
            _ => bail!("`{unit}` is not a unit of time: use minutes, hours, days or weeks"),
        },
        _ => bail!("`{range}` is not a time range: write \"last 90 days\" or 90d"),
    }
}

/// Writes a report, and its evidence where asked for.
pub(crate) async fn audit_export(arguments: AuditExport) -> Result<()> {
    let client = client(&arguments.at)?;
    let period = [
        ("from", day(&arguments.start_date, false)?),
        ("to", day(&arguments.end_date, true)?),
    ];
    let framework = &arguments.compliance_framework;
    let path = match arguments.format {
        ReportFormat::Html => format!("reports/{framework}/html"),
        ReportFormat::Json => format!("reports/{framework}"),
    };
    save(&client, &path, &period, &arguments.output).await?;
    anstream::println!("wrote {}", arguments.output.display());
    if arguments.include_evidence {
        let evidence = arguments.output.with_extension("evidence.jsonl");
        save(&client, "export", &period, &evidence).await?;
        anstream::println!(
            "wrote {}; check it with: cmdai-enterprise verify {}",
            evidence.display(),
            evidence.display()
        );
    }
    Ok(())
}

/// A day as the first or last moment of it; a full time stays.
fn day(text: &str, end: bool) -> Result<String> {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    text.parse::<jiff::civil::Date>()
        .with_context(|| format!("`{text}` is not a day: write it as 2026-01-31"))?;
    Ok(format!(
        "{text}T{}Z",
        if end { "23:59:59.999" } else { "00:00:00.000" }
    ))
}

/// Writes the events of a period with their proofs.
pub(crate) async fn export(arguments: Export) -> Result<()> {
    let client = client(&arguments.at)?;
    let query = [
        ("from", arguments.from.unwrap_or_default()),
        ("to", arguments.to.unwrap_or_default()),
    ];
    let foreign = match arguments.format {
        ExportFormat::Cmdai => {
            save(&client, "export", &query, &arguments.output).await?;
            anstream::println!("wrote {}", arguments.output.display());
            return Ok(());
        }
        ExportFormat::Ocsf => Foreign::Ocsf,
        ExportFormat::Ecs => Foreign::Ecs,
        ExportFormat::Cef => Foreign::Cef,
        ExportFormat::Syslog => Foreign::Syslog,
        ExportFormat::Otlp => Foreign::Otlp,
    };
    let proven = tempfile::NamedTempFile::new().context("no temporary file can be made")?;
    save(&client, "export", &query, proven.path()).await?;
    let written = translate(proven.path(), foreign, &arguments.output)?;
    anstream::println!(
        "wrote {written} events as {} to {}; the proofs stay behind: --format cmdai keeps them",
        foreign.as_str(),
        arguments.output.display()
    );
    Ok(())
}

/// Proves an export and writes its events in another format. Gives their number.
fn translate(export: &Path, foreign: Foreign, output: &Path) -> Result<u64> {
    let open = || File::open(export).map(BufReader::new);
    cmdai_ledger::verify_export(open()?, None)
        .context("what the server sent does not prove itself, so nothing is written")?;
    replacing(output, |file| {
        let mut out = BufWriter::new(file);
        let mut written = 0;
        // Verified above: each line is bounded and is a line of an export.
        for line in open()?.lines() {
            let line: ExportLine = serde_json::from_str(&line?)?;
            let Some(exported) = line.event else { continue };
            let event: Event = serde_json::from_value(exported.event)?;
            writeln!(out, "{}", cmdai_report::line(foreign, &event)?)?;
            written += 1;
        }
        out.flush()?;
        Ok(written)
    })
}

/// Streams an answer into a file that appears only when it is whole.
pub(crate) async fn save(
    client: &Client,
    path: &str,
    query: &[(&str, String)],
    output: &Path,
) -> Result<()> {
    let query: Vec<(&str, String)> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .cloned()
        .collect();
    let mut response = client.stream(path, &query).await?;
    let mut file = beside(output)?;
    while let Some(piece) = response
        .chunk()
        .await
        .context("the server stopped in the middle of the answer")?
    {
        file.write_all(&piece)
            .with_context(|| format!("cannot write {}", output.display()))?;
    }
    keep(file, output)
}

/// Writes a file that appears only when it is whole.
fn replacing<T>(output: &Path, write: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let mut file = beside(output)?;
    let written =
        write(file.as_file_mut()).with_context(|| format!("cannot write {}", output.display()))?;
    keep(file, output)?;
    Ok(written)
}

fn beside(output: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))
}

fn keep(file: tempfile::NamedTempFile, output: &Path) -> Result<()> {
    file.as_file().sync_all()?;
    file.persist(output)
        .with_context(|| format!("cannot write {}", output.display()))?;
    Ok(())
}

/// Proves an export, without the server.
pub(crate) fn verify(arguments: &Verify) -> Result<()> {
    let file = File::open(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let report =
        cmdai_ledger::verify_export(BufReader::new(file), arguments.public_key.as_deref())?;
    anstream::println!("{report}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ranges() {
        assert_eq!(since("last 90 days").unwrap(), "90d");
        assert_eq!(since("12h").unwrap(), "12h");
        assert!(since("last few days").is_err());
    }

    #[test]
    fn days() {
        assert_eq!(day("2026-01-31", true).unwrap(), "2026-01-31T23:59:59.999Z");
        assert!(day("31.1.2026", false).is_err());
    }
}
