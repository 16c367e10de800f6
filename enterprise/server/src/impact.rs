//! What a change of policy would have changed: the documents compared, and the commands of the last
//! days judged under both, by the engine of `cmdai policy simulate`.
//!
//! The report goes into the release and is signed with it, so it holds counts and words of the
//! policy, no commands and no people's names. The commands are for who reviews the draft and stay on
//! the server. Rows, judging and words are bounded; what was left out is said.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cmdai_api::console::{Impact, ImpactChange, ImpactCommand, ImpactCount};
use cmdai_effects::script::NoLanguages;
use cmdai_effects::{Context, NoSession};
use cmdai_policy::{
    Change, Layers, PolicySet, Recorded, Simulation, SimulationReport, Snapshot, SnapshotMeta,
    compile, difference, parse,
};
use cmdai_schema::{Dialect, Facts, OriginKind, Subject};
use cmdai_store::{EventRecord, Search, query};

use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};

/// Value of [`Impact::format`].
const FORMAT: &str = "cmdai.impact/1";
/// Days and commands that are looked at, the newest first.
const DAYS: u32 = 30;
const MOST: usize = 20_000;
/// One row for each command that was typed: ends and administration are others.
const COMMANDS: &str = "type:command_executed,command_blocked,policy_violation";
const PAGE: u32 = 500;
/// Longest time that reading and judging takes.
const PATIENCE: Duration = Duration::from_secs(8);
/// Most lines of each list, and characters of each word.
const LINES: usize = 40;
const WORD: usize = 200;

/// The policies that are compared.
struct Sides {
    was: Snapshot,
    is: Snapshot,
    changes: Vec<Change>,
}

impl Sides {
    fn read(old: &str, new: &str) -> Answer<Self> {
        let read = |text: &str| -> Answer<PolicySet> {
            parse(text, "policy.yaml").map_err(|error| Failure::invalid(error.to_string()))
        };
        let (was, is) = (read(old)?, read(new)?);
        let snapshot = |set: &PolicySet| {
            Snapshot::open(&compile(set, &SnapshotMeta::default()))
                .map_err(|error| Failure::internal(&error))
        };
        Ok(Self {
            changes: difference(&was, &is),
            was: snapshot(&was)?,
            is: snapshot(&is)?,
        })
    }
}

/// The report about `new` against `old`, which is in force as version `against`, and the commands
/// that would be decided differently.
pub(crate) async fn of(
    app: &App,
    against: u64,
    old: &str,
    new: &str,
) -> Answer<(Impact, Vec<ImpactCommand>)> {
    let begun = Instant::now();
    let (old, new) = (old.to_owned(), new.to_owned());
    let sides = Arc::new(blocking(move || Sides::read(&old, &new)).await??);
    let labels: std::collections::HashMap<String, std::collections::BTreeMap<String, String>> = app
        .store
        .machines()
        .await?
        .into_iter()
        .map(|machine| (machine.machine_id, machine.labels))
        .collect();
    let labels = Arc::new(labels);
    let now = clock::now_ms();
    let search = Search {
        query: query::parse(COMMANDS),
        from_ms: Some(now.saturating_sub(i64::from(DAYS) * 24 * 3_600_000)),
        to_ms: None,
    };
    let (mut simulation, mut seen, mut after) = (Simulation::default(), 0, None);
    let bounded = loop {
        let page = app.store.search(&search, after, PAGE).await?;
        seen += page.rows.len();
        after = page.next;
        let (sides, labels) = (Arc::clone(&sides), Arc::clone(&labels));
        let in_time;
        (simulation, in_time) = blocking(move || {
            let (was, is) = (layers(&sides.was), layers(&sides.is));
            for row in page.rows.iter().filter(|row| row.decision.is_some()) {
                if begun.elapsed() > PATIENCE {
                    return (simulation, false);
                }
                add(&mut simulation, row, labels.get(&row.machine_id), &was, &is);
            }
            (simulation, begun.elapsed() <= PATIENCE)
        })
        .await?;
        if !in_time {
            // Cut by time: rows of this page or pages after it may be left.
            break true;
        }
        if after.is_none() || seen >= MOST {
            break after.is_some();
        }
    };
    // Every person counts; the lists are cut below.
    let report = simulation.report(MOST);
    let commands = report.changed.iter().take(LINES).map(|changed| {
        let rule = changed.rule.as_deref().map(shortened);
        ImpactCommand {
            text: shortened(&changed.command),
            old: changed.old.as_str().to_owned(),
            new: changed.new.as_str().to_owned(),
            count: changed.count,
            rule,
        }
    });
    let commands = commands.collect();
    let made = clock::rfc3339(now);
    let impact = written(&sides.changes, &report, against, made, bounded);
    Ok((impact, commands))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::internal(&error))
}

fn layers(snapshot: &Snapshot) -> Layers<'_> {
    Layers {
        organisation: Some(snapshot),
        user: None,
    }
}

fn written(
    changes: &[Change],
    report: &SimulationReport,
    against: u64,
    made: String,
    bounded: bool,
) -> Impact {
    let people = |more: bool| {
        let grows = report.people.iter().filter(|person| {
            let growth = person.interrupted.growth();
            if more { growth > 0 } else { growth < 0 }
        });
        grows.count() as u64
    };
    Impact {
        format: FORMAT.to_owned(),
        against,
        made,
        days: DAYS,
        commands: report.commands,
        bounded,
        stricter: report.stricter,
        looser: report.looser,
        people_more: people(true),
        people_less: people(false),
        decisions: report
            .decisions
            .iter()
            .map(|(decision, pair)| count(decision.as_str(), pair.old, pair.new))
            .collect(),
        rules: report
            .rules
            .iter()
            .filter(|rule| rule.interrupted.growth() != 0)
            .take(LINES)
            .map(|rule| count(&rule.name, rule.interrupted.old, rule.interrupted.new))
            .collect(),
        changes: changes
            .iter()
            .take(LINES)
            .map(|change| ImpactChange {
                direction: change.direction.as_str().to_owned(),
                subject: shortened(&change.subject),
                was: change.was.as_deref().map(shortened),
                is: change.is.as_deref().map(shortened),
            })
            .collect(),
        more_changes: changes.len().saturating_sub(LINES) as u64,
    }
}

fn count(name: &str, old: u64, new: u64) -> ImpactCount {
    ImpactCount {
        name: shortened(name),
        old,
        new,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(WORD).collect()
}

/// The store lists no folder and no facts of a command: each is judged as in a project folder of its
/// person, as the policy's own tests are, with the labels that its machine has today. Code of other
/// languages stays unread, under both policies alike: anybody wrote these texts, and grammars are C code,
/// a mistake in which must not take the server along.
fn add(
    simulation: &mut Simulation,
    row: &EventRecord,
    labels: Option<&std::collections::BTreeMap<String, String>>,
    was: &Layers<'_>,
    is: &Layers<'_>,
) {
    let home = format!("/home/{}", row.user);
    let cwd = format!("{home}/project");
    let context = Context {
        dialect: Dialect::Bash,
        cwd: &cwd,
        home: &home,
        user: &row.user,
        session: &NoSession,
        languages: &NoLanguages,
    };
    let analysis = cmdai_effects::analyse(&row.text, &context);
    let facts = Facts {
        cwd: Some(cwd.clone()),
        home: Some(home.clone()),
        now: Some(clock::rfc3339(row.time_ms)),
        ..Facts::default()
    };
    let subject = Subject {
        origin: match row.origin.as_str() {
            "human" => OriginKind::Human,
            "script" => OriginKind::Script,
            _ => OriginKind::Agent,
        },
        user: row.user.clone(),
        agent: row.agent.clone(),
        teams: row.team.clone().into_iter().collect(),
        labels: labels.cloned().unwrap_or_default(),
        machine_id: Some(row.machine_id.clone()),
        ..Subject::default()
    };
    let recorded = Recorded {
        text: &row.text,
        analysis: &analysis,
        facts: &facts,
        subject: &subject,
        machine: None,
    };
    simulation.add(&recorded, was, is);
}
