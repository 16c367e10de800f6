//! The command as a story: steps in their order, each in a sentence.

use std::collections::BTreeSet;

use cmdai_schema::{Analysis, CodeSource, Dialect, Effect, EffectKind, Invocation, Span};
use serde::Serialize;

use super::about::{about, has_subcommand};
use super::phrase::{Clause, Paths, clause, language, listed};
use super::structure::{Leaf, Own, Walker, short};

/// Most steps that are told.
const MOST: usize = 40;
/// From how many steps on those that change nothing are told together.
const CROWDED: usize = 12;
/// Wrappers that give other rights.
pub(super) const RIGHTS: &[&str] = &[
    "sudo", "doas", "pkexec", "su", "run0", "gosu", "su-exec", "runuser", "pdsudo",
];
/// Interpreters whose code is said by its language.
const INTERPRETERS: &[&str] = &[
    "python",
    "python2",
    "python3",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "php",
    "lua",
    "osascript",
    "deno",
    "bun",
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "awk",
    "gawk",
    "mawk",
    "mongosh",
];

/// One thing after the other.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    /// Line of the text, from 1.
    pub(crate) line: usize,
    /// The sentence.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) span: Span,
    /// Something is changed, sent, run or lost.
    pub(crate) acts: bool,
    /// Every program of it only looks.
    #[serde(skip)]
    pub(crate) looks: bool,
}

/// Everything a step is made from.
struct Teller<'a> {
    pub(crate) text: &'a str,
    pub(crate) analysis: &'a Analysis,
    pub(crate) paths: Paths<'a>,
    /// Functions that the text defines.
    pub(crate) functions: Vec<String>,
}

/// A text told.
pub(crate) struct Story {
    /// In order.
    pub(crate) steps: Vec<Step>,
    /// How many more there are.
    pub(crate) more: usize,
    /// Functions that the text defines.
    pub(crate) functions: Vec<String>,
}

/// Tells a text.
pub(crate) fn tell(text: &str, analysis: &Analysis, dialect: Dialect, home: &str) -> Story {
    let mut teller = Teller {
        text,
        analysis,
        paths: Paths { home },
        functions: Vec::new(),
    };
    let (steps, more) = teller.steps(dialect);
    Story {
        steps,
        more,
        functions: teller.functions,
    }
}

impl Teller<'_> {
    /// The steps, and how many more there are.
    fn steps(&mut self, dialect: Dialect) -> (Vec<Step>, usize) {
        let spans: Vec<Span> = self
            .analysis
            .effects
            .iter()
            .map(|effect| effect.span)
            .chain(self.analysis.invocations.iter().map(|call| call.span))
            .collect();
        let happens = |span: Span| spans.iter().any(|inner| holds(span, *inner));
        let tree = cmdai_shell::parse(self.text, dialect);
        let mut walker = Walker::new(self.text, &happens);
        walker.list(&tree.body);
        let Walker {
            mut leaves,
            functions,
            ..
        } = walker;
        self.functions = functions;
        leaves.sort_by_key(|leaf| leaf.span);
        if leaves.is_empty() {
            leaves.push(Leaf {
                span: Span::new(0, self.text.len()),
                when: Vec::new(),
                own: Own::Nothing,
            });
        }
        let home = |span: Span| {
            leaves
                .iter()
                .enumerate()
                .filter(|(_, leaf)| holds(leaf.span, span))
                .min_by_key(|(_, leaf)| leaf.span.end - leaf.span.start)
                .map(|(at, _)| at)
                .or_else(|| {
                    leaves
                        .iter()
                        .rposition(|leaf| leaf.span.start <= span.start)
                })
                .unwrap_or(0)
        };
        let effects: Vec<usize> = self
            .analysis
            .effects
            .iter()
            .map(|effect| home(effect.span))
            .collect();
        let calls: Vec<usize> = self
            .analysis
            .invocations
            .iter()
            .map(|call| home(call.span))
            .collect();
        let mut steps: Vec<Step> = Vec::new();
        for (at, leaf) in leaves.iter().enumerate() {
            let pick = |homes: &[usize]| -> Vec<usize> {
                homes
                    .iter()
                    .enumerate()
                    .filter(|(_, home)| **home == at)
                    .map(|(i, _)| i)
                    .collect()
            };
            let own: Vec<&Effect> = pick(&effects)
                .into_iter()
                .filter_map(|i| self.analysis.effects.get(i))
                .collect();
            let run: Vec<&Invocation> = pick(&calls)
                .into_iter()
                .filter_map(|i| self.analysis.invocations.get(i))
                .collect();
            let Some((said, acts)) = self.leaf(leaf, &own, &run) else {
                continue;
            };
            let mut when = leaf.when.clone();
            when.dedup();
            // "if that works" says nothing at the very start.
            let sentence = match when.as_slice() {
                [] => said,
                when => format!("{}: {said}", when.join(", ")),
            };
            let sentence = full(&sentence);
            let before = self
                .text
                .get(..leaf.span.start as usize)
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            // The same sentence about another line is said once.
            if steps.last().is_some_and(|last| last.text == sentence) {
                continue;
            }
            steps.push(Step {
                line,
                text: sentence,
                span: leaf.span,
                acts,
                looks: run.iter().all(|call| looks(call)),
            });
        }
        if steps.len() > CROWDED {
            steps = gathered(steps);
        }
        let more = steps.len().saturating_sub(MOST);
        steps.truncate(MOST);
        (steps, more)
    }

    fn leaf(
        &self,
        leaf: &Leaf,
        effects: &[&Effect],
        calls: &[&Invocation],
    ) -> Option<(String, bool)> {
        let clauses = self.clauses(effects);
        if !clauses.is_empty() {
            return Some((sentence(clauses), true));
        }
        match &leaf.own {
            Own::Check => return None,
            Own::Sets(names) if calls.is_empty() => {
                let plural = if names.len() == 1 {
                    "variable"
                } else {
                    "variables"
                };
                return Some((format!("sets the {plural} {}", listed(names)), false));
            }
            Own::Defines(name) => {
                return Some((
                    format!("defines the function {name}, which is not called here"),
                    false,
                ));
            }
            _ => {}
        }
        if calls.is_empty() {
            return None;
        }
        let said = self.programs(calls, effects);
        (!said.is_empty()).then_some((said, false))
    }

    /// What is done, merged where only the object differs.
    fn clauses(&self, effects: &[&Effect]) -> Vec<Clause> {
        let mut clauses: Vec<(Clause, Vec<String>)> = Vec::new();
        let copies = copies(effects);
        for effect in effects {
            if self.is_told(effect, effects)
                || copies.contains(&effect.span) && is_copy_part(effect)
            {
                continue;
            }
            let mut clause = clause(effect, &self.paths);
            if let EffectKind::Escalate { to } = &effect.kind {
                clause.object = format!("{to} and works on as {to}");
            }
            clause.who = self.who(effect);
            self.join(&mut clauses, clause);
        }
        for span in copies {
            let of = |wanted: fn(&EffectKind) -> Option<&String>| -> Vec<String> {
                effects
                    .iter()
                    .filter(|effect| effect.span == span || holds(span, effect.span))
                    .filter_map(|effect| wanted(&effect.kind))
                    .map(|path| self.paths.short(path))
                    .collect()
            };
            let from = of(|kind| match kind {
                EffectKind::Read { path } => Some(path),
                _ => None,
            });
            let to = of(|kind| match kind {
                EffectKind::Overwrite { path } | EffectKind::Write { path } => Some(path),
                _ => None,
            });
            let who = effects
                .iter()
                .find(|effect| effect.span == span)
                .map(|effect| self.who(effect))
                .unwrap_or_default();
            if let Some(to) = to.first() {
                clauses.push((
                    Clause {
                        who,
                        verb: "copies".to_owned(),
                        object: String::new(),
                        tail: format!(" to {to}, replacing what was there"),
                    },
                    from,
                ));
            }
        }
        clauses
            .into_iter()
            .map(|(mut clause, objects)| {
                clause.object = listed(&objects);
                clause
            })
            .collect()
    }

    fn join(&self, clauses: &mut Vec<(Clause, Vec<String>)>, clause: Clause) {
        let same = |known: &Clause| {
            known.who == clause.who && known.verb == clause.verb && known.tail == clause.tail
        };
        match clauses.iter_mut().find(|(known, _)| same(known)) {
            Some((_, objects)) => {
                if !objects.contains(&clause.object) {
                    objects.push(clause.object);
                }
            }
            None => {
                let object = clause.object.clone();
                clauses.push((
                    clause,
                    if object.is_empty() {
                        Vec::new()
                    } else {
                        vec![object]
                    },
                ));
            }
        }
    }

    /// True where another effect of the step says the same or more.
    fn is_told(&self, effect: &Effect, all: &[&Effect]) -> bool {
        let others = || all.iter().filter(|other| !std::ptr::eq(**other, effect));
        let acts = |other: &&&Effect| {
            !matches!(
                other.kind,
                EffectKind::Read { .. } | EffectKind::Escalate { .. }
            )
        };
        let begins = |other: &&&Effect| {
            other.chain.len() > effect.chain.len()
                && other.chain.starts_with(&effect.chain)
                && holds(effect.span, other.span)
        };
        let inner_call = || {
            self.analysis.invocations.iter().any(|call| {
                call.chain.len() > effect.chain.len()
                    && call.chain.starts_with(&effect.chain)
                    && holds(effect.span, call.span)
            })
        };
        match &effect.kind {
            // Reading is told where nothing more happens, by the programs' sentence.
            EffectKind::Read { .. } => true,
            EffectKind::Escalate { .. } => inner_call() || others().any(|other| begins(&other)),
            EffectKind::Connect { .. } if effect.chain.last().is_some_and(|last| last == "ssh") => {
                inner_call() || others().any(|other| begins(&other))
            }
            EffectKind::Connect { address } => others().any(|other| match &other.kind {
                EffectKind::Upload { destination, .. } => destination.contains(address.as_str()),
                EffectKind::Download { url, .. } => url.contains(address.as_str()),
                EffectKind::RunCode { source: CodeSource::Remote(url), .. } => url.contains(address.as_str()),
                _ => false,
            }),
            EffectKind::RunCode { source: CodeSource::Literal, language } => {
                let shell = matches!(language.as_str(), "shell" | "bash" | "sh");
                (shell && (inner_call() || others().any(|other| acts(&other))))
                    || others().any(|other| acts(&other) && other.chain == effect.chain)
                    || others().any(|other| begins(&other))
            }
            EffectKind::Download { url, to: None } => others().any(|other| {
                matches!(&other.kind, EffectKind::RunCode { source: CodeSource::Remote(run), .. } if run == url)
            }),
            EffectKind::Write { path } | EffectKind::Overwrite { path } | EffectKind::Delete { path, .. } => {
                let deletes = matches!(effect.kind, EffectKind::Delete { .. });
                others().any(|other| match &other.kind {
                    EffectKind::TamperLog { path: log } => log == path,
                    EffectKind::Persistence { path: Some(at), .. } => !deletes && (at == path || at.starts_with(&format!("{path}/"))),
                    EffectKind::ChangeCredential { subject } => !deletes && subject == path,
                    EffectKind::Move { to, .. } => !deletes && (to == path || path.starts_with(to.as_str())),
                    EffectKind::Download { to: Some(to), .. } => !deletes && to == path,
                    _ => false,
                })
            }
            _ => false,
        }
    }

    /// `as root, through sudo and xargs, `.
    fn who(&self, effect: &Effect) -> String {
        let (_, wrappers) = effect.chain.split_last().unwrap_or((&NOBODY, &[]));
        let mut parts = self.rights_and_place(wrappers, effect.span);
        if let Some(code) = self.code_of(effect) {
            parts.push(format!("in {code} code"));
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!("{}, ", parts.join(", "))
        }
    }

    fn rights_and_place(&self, wrappers: &[String], span: Span) -> Vec<String> {
        let mut parts = Vec::new();
        if let Some(at) = wrappers
            .iter()
            .rposition(|name| RIGHTS.contains(&name.as_str()))
        {
            let to = self
                .analysis
                .effects
                .iter()
                .find_map(|other| match &other.kind {
                    EffectKind::Escalate { to }
                        if wrappers.get(..=at) == Some(&other.chain[..])
                            && touches(other.span, span) =>
                    {
                        Some(to.as_str())
                    }
                    _ => None,
                });
            parts.push(format!(
                "as {}",
                to.filter(|to| !to.is_empty()).unwrap_or("another user")
            ));
        }
        let mut through: Vec<String> = Vec::new();
        for (at, name) in wrappers.iter().enumerate() {
            match name.as_str() {
                "ssh" | "autossh" | "mosh" => {
                    let mut hosts: Vec<String> = Vec::new();
                    for other in &self.analysis.effects {
                        if let EffectKind::Connect { address } = &other.kind
                            && wrappers.get(..=at) == Some(&other.chain[..])
                            && touches(other.span, span)
                            && !hosts.contains(address)
                        {
                            hosts.push(address.clone());
                        }
                    }
                    if hosts.is_empty() {
                        hosts.push("another machine".to_owned());
                    }
                    parts.push(format!("on {}", listed(&hosts)));
                }
                "docker" | "podman" | "nerdctl" | "docker-compose" | "lxc" | "crictl" => {
                    parts.push("in a container".to_owned())
                }
                "kubectl" | "oc" => parts.push("in a pod".to_owned()),
                "vagrant" => parts.push("in a virtual machine".to_owned()),
                other if self.functions.iter().any(|name| name == other) => {}
                other if !through.iter().any(|known| known == other) => {
                    through.push(other.to_owned())
                }
                _ => {}
            }
        }
        if !through.is_empty() {
            parts.push(format!("through {}", listed(&through)));
        }
        parts
    }

    /// The language whose code does it, where an interpreter runs code of the line.
    fn code_of(&self, effect: &Effect) -> Option<String> {
        if matches!(
            effect.kind,
            EffectKind::RunCode { .. } | EffectKind::Connect { .. }
        ) {
            return None;
        }
        let last = effect.chain.last()?;
        INTERPRETERS.contains(&last.as_str()).then_some(())?;
        self.analysis
            .effects
            .iter()
            .find_map(|other| match &other.kind {
                EffectKind::RunCode {
                    source: CodeSource::Literal,
                    language: name,
                } if other.chain == effect.chain
                    && touches(other.span, effect.span)
                    && name != "shell" =>
                {
                    Some(language(name).to_owned())
                }
                _ => None,
            })
    }

    /// What the programs of a harmless step are for.
    fn programs(&self, calls: &[&Invocation], effects: &[&Effect]) -> String {
        const SHOWN: usize = 5;
        let mut said: Vec<String> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut more = 0_usize;
        for call in calls {
            // A wrapper is told with what it runs.
            let wraps = calls.iter().any(|other| {
                other.chain.len() > call.chain.len()
                    && other.chain.starts_with(&call.chain)
                    && holds(call.span, other.span)
            });
            if wraps || call.program == "[" || self.functions.contains(&call.program) {
                continue;
            }
            let reads: Vec<String> = effects
                .iter()
                .filter(|effect| effect.chain == call.chain && holds(call.span, effect.span))
                .filter_map(|effect| match &effect.kind {
                    EffectKind::Read { path } if path != "/dev/stdin" => {
                        Some(self.paths.short(path))
                    }
                    _ => None,
                })
                .collect();
            let one = self.program(call, &reads);
            if !seen.insert(one.clone()) {
                continue;
            }
            if said.len() == SHOWN {
                more += 1;
            } else {
                said.push(one);
            }
        }
        let mut out = said.join(", then ");
        if more > 0 {
            out.push_str(&format!(", and runs {more} more programs"));
        }
        out
    }

    fn program(&self, call: &Invocation, reads: &[String]) -> String {
        let wrappers = call
            .chain
            .split_last()
            .map_or(&[][..], |(_, wrappers)| wrappers);
        let parts = self.rights_and_place(wrappers, call.span);
        let lead = if parts.is_empty() {
            String::new()
        } else {
            format!("{}, ", parts.join(", "))
        };
        if call.program.is_empty() {
            return format!(
                "{lead}runs {}, a program that the line does not name",
                short(call.span.of(self.text))
            );
        }
        let name = format!("`{}`", call.program);
        let asks = call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "--help" | "--version"));
        if asks {
            return format!("{lead}{name} only tells how it is used or which version it is");
        }
        let sub = call
            .args
            .iter()
            .map(|arg| arg.text())
            .find(|text| !text.starts_with('-') && !text.is_empty());
        if let Some(phrase) = about(&call.program, sub) {
            let shown = match sub {
                Some(sub) if has_subcommand(&call.program, sub) => {
                    format!("`{} {sub}`", call.program)
                }
                _ => name,
            };
            let here = if reads.is_empty() {
                String::new()
            } else {
                format!(", here {}", listed(reads))
            };
            return format!("{lead}{shown} {phrase}{here}");
        }
        if super::about::understood(call) {
            return format!("{lead}runs {name}");
        }
        if !call.known && !call.word.contains('/') {
            return format!("{lead}runs {name}, a program that cmdai does not know");
        }
        let word = if call.word.contains('/') {
            call.word.as_str()
        } else {
            call.program.as_str()
        };
        if call.known {
            format!("{lead}runs `{word}`")
        } else {
            format!("{lead}runs `{word}`, a program that cmdai has not read")
        }
    }
}

/// True for a program that is there to look, print or compute.
fn looks(call: &Invocation) -> bool {
    const VERBS: &[&str] = &[
        "lists",
        "shows",
        "looks",
        "counts",
        "prints",
        "tells",
        "names",
        "compares",
        "sorts",
        "drops",
        "takes",
        "picks",
        "adds",
        "works",
        "says",
        "computes",
        "describes",
        "finds",
        "numbers",
        "explains",
        "replaces",
        "turns",
        "joins",
        "checks",
        "waits",
        "does",
        "measures",
        "encodes",
        "lines",
        "breaks",
        "reflows",
        "shuffles",
        "converts",
        "goes",
        "sets",
        "changes",
        "makes",
    ];
    let sub = call
        .args
        .iter()
        .map(|arg| arg.text())
        .find(|text| !text.starts_with('-') && !text.is_empty());
    call.args
        .iter()
        .any(|arg| matches!(arg.text(), "--help" | "--version"))
        || call.program == "["
        || about(&call.program, sub)
            .and_then(|phrase| phrase.split(' ').next())
            .is_some_and(|verb| {
                VERBS.contains(&verb)
                    && (super::about::understood(call)
                        || !matches!(
                            verb,
                            "sets" | "changes" | "makes" | "takes" | "joins" | "adds" | "works"
                        ))
            })
}

const NOBODY: String = String::new();

/// Spans of `cp` and its like that read something and write something.
fn copies(effects: &[&Effect]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for effect in effects {
        let copier = effect
            .chain
            .last()
            .is_some_and(|name| matches!(name.as_str(), "cp" | "gcp" | "install"));
        let writes = matches!(effect.kind, EffectKind::Overwrite { .. });
        let reads = effects.iter().any(|other| {
            matches!(other.kind, EffectKind::Read { .. })
                && other.chain == effect.chain
                && holds(effect.span, other.span)
        });
        if copier && writes && reads && !found.contains(&effect.span) {
            found.push(effect.span);
        }
    }
    found
}

fn is_copy_part(effect: &Effect) -> bool {
    matches!(
        effect.kind,
        EffectKind::Overwrite { .. } | EffectKind::Read { .. } | EffectKind::Write { .. }
    )
}

pub(super) fn holds(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn touches(a: Span, b: Span) -> bool {
    holds(a, b) || holds(b, a)
}

/// Steps one after the other that change nothing, told as one.
fn gathered(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    let mut quiet: Vec<Step> = Vec::new();
    let flush = |quiet: &mut Vec<Step>, out: &mut Vec<Step>| {
        if let (Some(first), Some(last)) = (quiet.first(), quiet.last())
            && quiet.len() > 2
        {
            let lines = if first.line == last.line {
                String::new()
            } else {
                format!(" up to line {}", last.line)
            };
            out.push(Step {
                line: first.line,
                text: format!("{} steps{lines} that change nothing.", quiet.len()),
                span: first.span,
                acts: false,
                looks: quiet.iter().all(|step| step.looks),
            });
            quiet.clear();
        } else {
            out.append(quiet);
        }
    };
    for step in steps {
        if step.acts {
            flush(&mut quiet, &mut out);
            out.push(step);
        } else {
            quiet.push(step);
        }
    }
    flush(&mut quiet, &mut out);
    out
}

/// Clauses joined: those of the same doer share the lead.
fn sentence(clauses: Vec<Clause>) -> String {
    let mut out = String::new();
    let mut last: Option<String> = None;
    for clause in clauses {
        let gap = if clause.object.is_empty() { "" } else { " " };
        let body = format!("{}{gap}{}{}", clause.verb, clause.object, clause.tail);
        match &last {
            None => out.push_str(&format!("{}{body}", clause.who)),
            Some(who) if *who == clause.who => out.push_str(&format!("; {body}")),
            Some(_) => out.push_str(&format!("; {}{body}", clause.who)),
        }
        last = Some(clause.who);
    }
    out
}

/// With a capital and a full stop.
pub(crate) fn full(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let end = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), chars.as_str())
}
