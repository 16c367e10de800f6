//! `cmdai explain`: what a command would do, as a colleague would say it.

mod about;
mod doubt;
mod page;
mod phrase;
mod story;
mod structure;
mod tree;

use std::collections::BTreeSet;

use cmdai_gate::Outcome;
use cmdai_schema::{Analysis, Dialect, EffectKind, Risk, Span};
use serde::Serialize;

use crate::arguments::Explain;
use crate::failure::Failure;
use crate::scene::{Scene, line, quote};

/// What a program is for, as the rest of a sentence.
pub(crate) fn about(program: &str) -> Option<&'static str> {
    about::about(program, None)
}

/// Everything that is said about a command, ready to print.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    /// What happens, in order.
    pub(crate) steps: Vec<story::Step>,
    /// How many more steps there are.
    pub(crate) more_steps: usize,
    /// What cannot be told.
    pub(crate) doubts: Vec<String>,
    /// What it touches.
    pub(crate) touches: Touches,
    /// What is read and stands in no sentence.
    #[serde(skip)]
    pub(crate) also_reads: Vec<String>,
    /// Secrets or data would leave this machine.
    pub(crate) leaks: Vec<String>,
    /// What is lost cannot be brought back.
    pub(crate) irreversible: bool,
    /// Techniques of MITRE ATT&CK that the rules name.
    pub(crate) techniques: Vec<Technique>,
    /// Safer commands, each judged itself.
    pub(crate) safer: Vec<Safer>,
    /// How to go on.
    pub(crate) next: Option<String>,
}

/// What it touches, each once, in the order of the text.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Touches {
    /// Paths that are read.
    pub(crate) reads: Vec<String>,
    /// Paths that are written, changed, moved or deleted.
    pub(crate) changes: Vec<String>,
    /// Hosts and addresses.
    pub(crate) hosts: Vec<String>,
    /// Resources with their context.
    pub(crate) resources: Vec<String>,
}

/// A technique of MITRE ATT&CK.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Technique {
    /// `T1485`
    pub(crate) id: String,
    /// `Data Destruction`
    pub(crate) name: &'static str,
}

/// A safer command.
#[derive(Debug, Serialize)]
pub(crate) struct Safer {
    /// The rule that offers it.
    pub(crate) rule: String,
    /// The command.
    pub(crate) command: String,
    /// What it does instead.
    pub(crate) says: String,
}

/// Analyses, judges and says it.
pub(crate) fn explain(arguments: &Explain) -> Result<u8, Failure> {
    let mut scene = Scene::here()?;
    scene.terminal = true;
    scene.place(arguments.cwd.as_deref(), arguments.home.as_deref())?;
    let text = line(&arguments.command);
    if text.trim().is_empty() {
        return Err(Failure::usage(
            "there is no command to explain",
            "try: cmdai explain 'rm -rf build'",
        ));
    }
    let outcome = scene.judge(&text, arguments.shell);
    if arguments.tree {
        for line in tree::lines(&text, arguments.shell, &outcome.analysis, &scene.home) {
            anstream::println!("{line}");
        }
        return Ok(0);
    }
    let explanation = explanation(&mut scene, &text, arguments.shell, &outcome);
    if arguments.json {
        let json = serde_json::json!({
            "explanation": explanation,
            "analysis": outcome.analysis,
            "judgement": outcome.judgement,
        });
        anstream::println!("{json:#}");
    } else {
        page::print(&text, &outcome, &explanation);
    }
    Ok(0)
}

/// What a text would do, one sentence for each step that does something.
pub(crate) fn sentences(
    text: &str,
    analysis: &Analysis,
    dialect: Dialect,
    home: &str,
) -> Vec<String> {
    story::tell(text, analysis, dialect, home)
        .steps
        .into_iter()
        .filter(|step| step.acts)
        .map(|step| step.text)
        .collect()
}

/// Everything that is said about a judged command.
pub(crate) fn explanation(
    scene: &mut Scene,
    text: &str,
    dialect: Dialect,
    outcome: &Outcome,
) -> Explanation {
    let told = story::tell(text, &outcome.analysis, dialect, &scene.home);
    let paths = phrase::Paths { home: &scene.home };
    let judgement = &outcome.judgement;
    let techniques: BTreeSet<Technique> = judgement
        .rules
        .iter()
        .flat_map(|hit| &hit.controls)
        .filter_map(|control| {
            let id = control.strip_prefix("ATT&CK:")?;
            let name = cmdai_policy::technique(id)?;
            Some(Technique {
                id: id.to_owned(),
                name,
            })
        })
        .collect();
    let loses = |id: &str| {
        cmdai_policy::builtin_rules()
            .iter()
            .any(|rule| rule.id == id && rule.loses)
    };
    let irreversible = judgement
        .rules
        .iter()
        .any(|hit| hit.risk >= Risk::High && loses(&hit.id));
    let touches = touches(outcome);
    let said: String = told.steps.iter().map(|step| step.text.as_str()).collect();
    let also_reads = touches
        .reads
        .iter()
        .filter(|path| **path != scene.cwd && !path.starts_with("/dev/"))
        .map(|path| paths.short(path))
        .filter(|path| !said.contains(path.as_str()))
        .collect();
    Explanation {
        also_reads,
        doubts: doubt::doubts(text, &outcome.analysis, &told.functions),
        steps: told.steps,
        more_steps: told.more,
        touches,
        leaks: leaks(outcome, &paths),
        irreversible,
        techniques: techniques.into_iter().collect(),
        next: next(scene, text, outcome),
        safer: safer(scene, dialect, outcome),
    }
}

/// Secrets on their way out.
fn leaks(outcome: &Outcome, paths: &phrase::Paths<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for hit in &outcome.judgement.rules {
        if hit.id != "net.upload-secret" {
            continue;
        }
        let what = hit
            .reason
            .strip_prefix("sends the secret ")
            .and_then(|rest| rest.split(" to ").next())
            .map_or_else(|| "What is sent".to_owned(), |path| paths.short(path));
        let sentence = format!("{what} holds secrets, and they would leave this machine.");
        if !out.contains(&sentence) {
            out.push(sentence);
        }
    }
    out
}

fn touches(outcome: &Outcome) -> Touches {
    let mut all = Touches::default();
    let add = |list: &mut Vec<String>, value: &str| {
        if !value.is_empty() && !list.iter().any(|known| known == value) {
            list.push(value.to_owned());
        }
    };
    for effect in &outcome.analysis.effects {
        match &effect.kind {
            EffectKind::Read { path } | EffectKind::ReadSecret { path } => {
                add(&mut all.reads, path)
            }
            EffectKind::Move { from, to } => {
                add(&mut all.changes, from);
                add(&mut all.changes, to);
            }
            EffectKind::Download { url, to } => {
                add(&mut all.hosts, url);
                add(&mut all.changes, to.as_deref().unwrap_or_default());
            }
            EffectKind::Upload {
                source,
                destination,
            } => {
                if source.starts_with('/') {
                    add(&mut all.reads, source);
                }
                add(&mut all.hosts, destination);
            }
            EffectKind::Connect { address } | EffectKind::Listen { address } => {
                add(&mut all.hosts, address)
            }
            EffectKind::ResourceDestroy {
                resource,
                name,
                provider,
                context,
            }
            | EffectKind::ResourceChange {
                resource,
                name,
                provider,
                context,
            } => {
                let context = context
                    .as_ref()
                    .map(|context| format!(" in {context}"))
                    .unwrap_or_default();
                add(
                    &mut all.resources,
                    format!("{provider} {resource} {name}{context}").trim(),
                );
            }
            EffectKind::ForcePush { remote, branch } => {
                add(&mut all.resources, format!("{remote} {branch}").trim())
            }
            EffectKind::RunCode { .. } => {}
            kind => add(&mut all.changes, kind.path().unwrap_or_default()),
        }
    }
    all
}

fn safer(scene: &mut Scene, dialect: Dialect, outcome: &Outcome) -> Vec<Safer> {
    const MOST: usize = 3;
    let mut out: Vec<Safer> = Vec::new();
    for hit in &outcome.judgement.rules {
        let Some(command) = hit.instead.as_ref() else {
            continue;
        };
        if out.len() == MOST || out.iter().any(|known| known.command == *command) {
            continue;
        }
        let again = scene.judge(command, dialect);
        let steps = story::tell(command, &again.analysis, dialect, &scene.home).steps;
        let acts = steps.iter().any(|step| step.acts);
        let mut says: Vec<String> = steps.into_iter().map(|step| step.text).collect();
        if !acts
            && again
                .analysis
                .invocations
                .iter()
                .all(|call| call.known || about::understood(call))
        {
            says.push("Nothing is lost.".to_owned());
        }
        out.push(Safer {
            rule: hit.id.clone(),
            command: command.clone(),
            says: says.join(" "),
        });
    }
    out
}

/// How to go on where the command does not simply run.
fn next(scene: &Scene, text: &str, outcome: &Outcome) -> Option<String> {
    use cmdai_schema::{Decision, OriginKind};
    let again = quote(text);
    let again = if again.len() > 200 || again.contains('\n') {
        "…".to_owned()
    } else {
        again
    };
    let floor = outcome.judgement.deciding_rule().is_some_and(|hit| {
        cmdai_policy::builtin_rules()
            .iter()
            .any(|rule| rule.id == hit.id && rule.floor)
    });
    let agent = scene.who.origin.kind == OriginKind::Agent;
    Some(match outcome.judgement.decision {
        Decision::Allow | Decision::Warn => return None,
        _ if agent => "An AI agent cannot go on with this. Show it to a person, who can run it in a terminal.".to_owned(),
        Decision::Confirm => format!("If you are sure: cmdai run -c {again} asks you for a yes and runs it."),
        Decision::RequireApproval => {
            format!("Ask for an approval: cmdai run --reason 'WHY' -c {again} opens the request and says how to go on once somebody has said yes.")
        }
        Decision::Deny if scene.governed() => {
            "Your organisation's policy decides here. Ask the owner of the rule for an exception; cmdai status names who governs this machine.".to_owned()
        }
        Decision::Deny if floor => {
            "This rule is never switched off. If you mean something smaller, name it: a folder, a file.".to_owned()
        }
        Decision::Deny => format!(
            "A person can insist: cmdai run --allow-dangerous -c {again} has you type the command out, and logs it. An AI agent cannot."
        ),
    })
}

/// The part of the text that decided.
pub(crate) fn deciding_span(outcome: &Outcome) -> Option<Span> {
    outcome.judgement.deciding_rule().map(|hit| hit.span)
}
