//! Rules that cannot fire, and lists that permit everything through one entry.

use super::Problems;
use crate::document::{Document, Rule, Target, ToolsMode, When};
use crate::error::Pos;
use crate::shape::Shape;
use crate::{glob, moment};

/// Programs that run whatever they are given, and how.
const RUNS_ANYTHING: &[(&str, &str)] = &[
    ("awk", "`system()` in its program"),
    ("bash", "`-c`"),
    ("busybox", "its shell"),
    ("dash", "`-c`"),
    ("docker", "a container with the host mounted"),
    ("ed", "`!`"),
    ("emacs", "`--eval`"),
    ("env", "the command after its options"),
    ("find", "`-exec`"),
    ("fish", "`-c`"),
    ("flock", "`-c`"),
    ("gdb", "`shell`"),
    ("ksh", "`-c`"),
    ("less", "`!`"),
    ("lua", "`-e`"),
    ("make", "recipes"),
    ("man", "its pager"),
    ("nice", "the command after its options"),
    ("node", "`-e`"),
    ("nohup", "the command after it"),
    ("npx", "any package"),
    ("nsenter", "the command after its options"),
    ("parallel", "its commands"),
    ("perl", "`-e`"),
    ("php", "`-r`"),
    ("pwsh", "`-Command`"),
    ("python", "`-c`"),
    ("python3", "`-c`"),
    ("ruby", "`-e`"),
    ("script", "`-c`"),
    ("sh", "`-c`"),
    ("ssh", "the command for the other host"),
    ("strace", "the command after its options"),
    ("sudo", "the command after its options"),
    ("tar", "`--checkpoint-action`"),
    ("time", "the command after it"),
    ("timeout", "the command after its options"),
    ("vim", "`:!`"),
    ("watch", "its command"),
    ("xargs", "the command after its options"),
    ("zsh", "`-c`"),
];

/// Effects that name a path.
const WITH_PATH: &[&str] = &[
    "delete",
    "overwrite",
    "write",
    "move",
    "read",
    "read-secret",
    "change-mode",
    "change-owner",
    "device-write",
    "format",
    "mount",
    "persistence",
    "tamper-log",
    "run-code",
    "upload",
    "download",
];

/// Complains about both. `now` is the moment of the lint (RFC 3339); without it nothing is
/// called expired.
pub(super) fn advise(document: &Document, now: Option<&str>, problems: &mut Problems) {
    for rule in &document.rules {
        if let Some(when) = &rule.when
            && let Some(why) = never(when)
        {
            dead(rule.at.0, &rule.id, &why, problems);
        }
        if let Some(list) = disjoint(&document.applies_to, &rule.applies_to) {
            let why = format!("its {list} are none of those that the document applies to");
            dead(rule.at.0, &rule.id, &why, problems);
        }
    }
    shadowed_by_program(document, problems);
    if document.tools_mode == ToolsMode::Allowlist {
        permits_everything(document, problems);
    }
    for exception in &document.exceptions {
        if now.is_some_and(|now| !moment::not_after(now, &exception.until)) {
            problems.warn(
                exception.at.0,
                "expired-exception",
                format!(
                    "the exception from {} ended {}",
                    exception.rule.join(", "),
                    exception.until
                ),
                Some("remove it, or ask for a new one".to_owned()),
            );
        }
    }
}

fn dead(at: Pos, id: &str, why: &str, problems: &mut Problems) {
    problems.warn(
        at,
        "never-fires",
        format!("rule `{id}` can never fire: {why}"),
        Some("remove it or mend its condition".to_owned()),
    );
}

/// Why a condition can hold for no command at all.
fn never(when: &When) -> Option<String> {
    let pathless = |effect: &String| !WITH_PATH.contains(&effect.as_str());
    if !when.path.is_empty() && !when.effect.is_empty() && when.effect.iter().all(pathless) {
        return Some(format!(
            "{} acts on no path, and `path` is given",
            when.effect.join(", ")
        ));
    }
    let covered = |path: &String| {
        let everything = ["/**", "**"];
        when.not_path
            .iter()
            .any(|not| not == path || everything.contains(&not.as_str()))
    };
    if !when.path.is_empty() && when.path.iter().all(covered) {
        return Some("`not_path` takes away every `path`".to_owned());
    }
    if let (false, Some(program)) = (when.program.is_empty(), only_program(&when.pattern))
        && !glob::any_word(&when.program, &program)
    {
        return Some(format!(
            "its pattern is about `{program}`, its `program` is {}",
            when.program.join(", ")
        ));
    }
    None
}

/// The one program that every pattern is about.
fn only_program(patterns: &[String]) -> Option<String> {
    let mut programs = patterns.iter().map(|pattern| {
        let shape = Shape::parse(pattern).ok()?;
        shape.key_program().map(str::to_owned)
    });
    let first = programs.next()??;
    programs
        .all(|program| program.as_deref() == Some(first.as_str()))
        .then_some(first)
}

/// The first list of the rule that has nothing in common with the document's.
fn disjoint(document: &Target, rule: &Target) -> Option<&'static str> {
    fn apart<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        !a.is_empty() && !b.is_empty() && !a.iter().any(|entry| b.contains(entry))
    }
    let exact = |list: &[String]| !list.iter().any(|entry| entry.contains(['*', '?', '[']));
    let names = [
        ("teams", &document.teams, &rule.teams),
        ("departments", &document.departments, &rule.departments),
        ("environments", &document.environments, &rule.environments),
        ("zones", &document.zones, &rule.zones),
        ("machines", &document.machines, &rule.machines),
        ("users", &document.users, &rule.users),
        ("agents", &document.agents, &rule.agents),
    ];
    for (name, a, b) in names {
        // A person may be in several teams: only lists of which one thing is true can be apart.
        if name != "teams" && exact(a) && exact(b) && apart(a, b) {
            return Some(name);
        }
    }
    apart(&document.origins, &rule.origins).then_some("origins")
}

/// A rule about a pattern of a program that another rule already stops as a whole.
fn shadowed_by_program(document: &Document, problems: &mut Problems) {
    let whole = |rule: &&Rule| {
        rule.applies_to.is_everywhere()
            && rule
                .mode
                .is_none_or(|mode| mode == cmdai_schema::Mode::Enforce)
            && rule.when.as_ref().is_some_and(|when| {
                !when.program.is_empty()
                    && *when
                        == When {
                            program: when.program.clone(),
                            ..When::default()
                        }
            })
    };
    for stopper in document.rules.iter().filter(whole) {
        let Some(stop) = &stopper.when else { continue };
        for rule in document
            .rules
            .iter()
            .filter(|rule| !std::ptr::eq(*rule, stopper))
        {
            let Some(when) = &rule.when else { continue };
            let program = match when.program.as_slice() {
                [] => only_program(&when.pattern),
                [one] => Some(one.clone()),
                _ => None,
            };
            let Some(program) = program else { continue };
            let narrower = when != stop && stop.program.contains(&program);
            if narrower && stopper.decision.unwrap_or_default() >= rule.decision.unwrap_or_default()
            {
                let message = format!(
                    "rule `{}` is about `{program}`, which rule `{}` stops as a whole",
                    rule.id, stopper.id
                );
                problems.warn(
                    rule.at.0,
                    "shadowed-rule",
                    message,
                    Some("remove one".to_owned()),
                );
            }
        }
    }
}

fn permits_everything(document: &Document, problems: &mut Problems) {
    for tool in &document.allowed_tools {
        let Some((_, how)) = RUNS_ANYTHING.iter().find(|(name, _)| *name == tool.name) else {
            continue;
        };
        let message = format!(
            "the allow-list holds `{}`, which runs any program by {how}",
            tool.name
        );
        problems.warn(
            tool.at.0,
            "permits-everything",
            message,
            Some(
                "what it runs is judged too, yet whatever cannot be read from the command is not: allow it only where it is needed"
                    .to_owned(),
            ),
        );
    }
}
