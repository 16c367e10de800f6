//! `cmdai policy simulate`: recorded commands under the old and the new policy.
//!
//! One thread reads the history in batches; the others judge. Memory is bounded by the batches in
//! flight and by what a simulation keeps.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_gate::history::{self, Reader};
use cmdai_gate::{Gate, Person, escape};
use cmdai_languages::Grammars;
use cmdai_policy::{Layers, Named, Recorded, Simulation, SimulationReport, Snapshot, SnapshotMeta};
use cmdai_schema::record::{Half, Record};
use cmdai_schema::{Dialect, Facts, Subject};

use crate::arguments::{Format, Simulate};
use crate::failure::Failure;
use crate::screen;

/// Records handed over at once.
const BATCH: usize = 512;

/// Reads, judges, prints.
pub(super) fn simulate(arguments: &Simulate) -> Result<u8, Failure> {
    let new = snapshot(&arguments.policy)?;
    let old = arguments.old.as_deref().map(snapshot).transpose()?;
    let gate = Gate::open();
    let now = gate.policies().layers();
    let old = match &old {
        Some(snapshot) => with(snapshot, &now),
        None => now,
    };
    let new = with(&new, &now);
    let files = files(arguments)?;
    let since = arguments.since.map_or(0, |since| {
        let now = jiff::Timestamp::now().as_millisecond();
        u64::try_from(now.saturating_sub(since.as_millis() as i64)).unwrap_or(0)
    });

    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (hand_over, batches) = mpsc::sync_channel::<Vec<Record>>(workers * 4);
    let batches = Mutex::new(batches);
    let (simulation, damaged) = std::thread::scope(|scope| {
        let judging: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| judge(&batches, &old, &new)))
            .collect();
        let damaged = read(&files, since, &hand_over);
        drop(hand_over);
        let mut whole = Simulation::default();
        for worker in judging {
            match worker.join() {
                Ok(part) => whole.merge(part),
                Err(_) => {
                    return Err(Failure::failed(
                        "judging stopped in the middle".to_owned(),
                        "please report this",
                    ));
                }
            }
        }
        Ok((whole, damaged?))
    })?;
    let report = simulation.report(arguments.most);
    if arguments.format == Format::Json {
        anstream::println!("{}", serde_json::json!(report));
    } else {
        human(&report, damaged);
    }
    Ok(u8::from(
        arguments.fail_on_change && report.stricter + report.looser > 0,
    ))
}

fn snapshot(file: &Path) -> Result<Snapshot, Failure> {
    let (name, set) = super::parsed(Some(file))?;
    let meta = SnapshotMeta {
        policy_id: name.clone(),
        ..SnapshotMeta::default()
    };
    Snapshot::open(&cmdai_policy::compile(&set, &meta)).map_err(|error| {
        Failure::failed(
            format!("{name} does not compile: {error}"),
            "please report this",
        )
    })
}

/// The layers with one replaced: the organisation's on a governed machine, else the person's own.
fn with<'a>(snapshot: &'a Snapshot, installed: &Layers<'a>) -> Layers<'a> {
    if installed.organisation.is_some() {
        Layers {
            organisation: Some(snapshot),
            user: installed.user,
        }
    } else {
        Layers {
            organisation: None,
            user: Some(snapshot),
        }
    }
}

/// The files of history: what was named, folders looked through, or the person's own.
fn files(arguments: &Simulate) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in &arguments.history {
        let meta = std::fs::metadata(path).map_err(|error| Failure::file("read", path, &error))?;
        if meta.is_dir() {
            below(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if arguments.history.is_empty() {
        found = history::files(&Person::current());
    }
    if found.is_empty() {
        return Err(Failure::failed(
            "there are no recorded commands to judge".to_owned(),
            "name files or folders of records (.c1) with --history",
        ));
    }
    found.sort();
    Ok(found)
}

fn below(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let list = std::fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
    for entry in list.flatten() {
        let path = entry.path();
        // A link could lead out of what was named.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < 8 => below(&path, depth + 1, found)?,
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "c1") => {
                found.push(path);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Hands over every judged command in the files; returns how many lines were damaged.
fn read(
    files: &[PathBuf],
    since: u64,
    hand_over: &mpsc::SyncSender<Vec<Record>>,
) -> Result<u64, Failure> {
    let mut damaged = 0;
    let mut batch = Vec::with_capacity(BATCH);
    for file in files {
        let reader = Reader::open(file).map_err(|error| Failure::file("read", file, &error))?;
        for record in reader {
            match record {
                Ok(record) if record.time_ms >= since && matches!(record.half, Half::Start(_)) => {
                    batch.push(record);
                }
                Ok(_) => {}
                Err(_) => damaged += 1,
            }
            if batch.len() == BATCH
                && hand_over
                    .send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))
                    .is_err()
            {
                return Ok(damaged); // the judges are gone; that is told by them
            }
        }
    }
    let _ = hand_over.send(batch);
    Ok(damaged)
}

fn judge(
    batches: &Mutex<mpsc::Receiver<Vec<Record>>>,
    old: &Layers<'_>,
    new: &Layers<'_>,
) -> Simulation {
    let mut simulation = Simulation::default();
    loop {
        let next = match batches.lock() {
            Ok(receiver) => receiver.recv(),
            Err(_) => return simulation,
        };
        let Ok(batch) = next else { return simulation };
        for record in &batch {
            add(&mut simulation, record, old, new);
        }
    }
}

fn add(simulation: &mut Simulation, record: &Record, old: &Layers<'_>, new: &Layers<'_>) {
    let Half::Start(start) = &record.half else {
        return;
    };
    let home = if record.user == "root" {
        "/root".to_owned()
    } else {
        format!("/home/{}", record.user)
    };
    let analysis = analyse(
        &start.text,
        &Context {
            dialect: Dialect::from_name(&start.shell).unwrap_or(Dialect::Bash),
            cwd: &start.cwd,
            home: &home,
            user: &record.user,
            session: &NoSession,
            languages: &Grammars,
        },
    );
    let facts = Facts {
        cwd: Some(start.cwd.clone()),
        home: Some(home),
        now: i64::try_from(record.time_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map(|moment| moment.to_string()),
        ..Facts::default()
    };
    let subject = Subject {
        origin: start.origin.kind,
        user: record.user.clone(),
        agent: start.agent.as_ref().map(|agent| agent.name.clone()),
        ..Subject::default()
    };
    let recorded = Recorded {
        text: &start.text,
        analysis: &analysis,
        facts: &facts,
        subject: &subject,
        machine: None,
    };
    simulation.add(&recorded, old, new);
}

fn human(report: &SimulationReport, damaged: u64) {
    anstream::println!(
        "{} commands: {} decided more strictly, {} less",
        report.commands,
        report.stricter,
        report.looser
    );
    anstream::println!("\n{:<18}{:>10}{:>10}", "decision", "old", "new");
    for (decision, pair) in &report.decisions {
        anstream::println!(
            "{:<18}{:>10}{:>10}",
            decision.to_string(),
            pair.old,
            pair.new
        );
    }
    table("rule fired", &report.rules, true);
    table("person interrupted", &report.people, false);
    table("team interrupted", &report.teams, false);
    table("machine", &report.machines, false);
    if !report.changed.is_empty() {
        anstream::println!("\ncommands that are decided differently, worst first");
    }
    for change in &report.changed {
        let by = change
            .rule
            .as_deref()
            .map_or_else(String::new, |rule| format!("  {}", screen::dim(rule)));
        anstream::println!(
            "{:>7}×  {} → {}  {}{by}",
            change.count,
            change.old,
            change.new,
            escape(&change.command)
        );
    }
    let more = report
        .changed_distinct
        .saturating_sub(report.changed.len() as u64);
    if more > 0 {
        anstream::println!("         … and {more} more; see --most");
    }
    if damaged > 0 {
        anstream::eprintln!("cmdai: {damaged} damaged lines were left out");
    }
}

fn table(title: &str, list: &[Named], only_changed: bool) {
    let shown: Vec<&Named> = list
        .iter()
        .filter(|named| !only_changed || named.interrupted.old != named.interrupted.new)
        .collect();
    if shown.is_empty() {
        return;
    }
    anstream::println!("\n{title:<40}{:>10}{:>10}", "old", "new");
    for named in shown {
        anstream::println!(
            "{:<40}{:>10}{:>10}",
            escape(&named.name),
            named.interrupted.old,
            named.interrupted.new
        );
    }
}
