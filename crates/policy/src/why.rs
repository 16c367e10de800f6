//! Why a command is judged as it is: each rule that looked at it, which fired, which nearly did and
//! what kept them, and the facts that took part with where they were found. For screens; the hot
//! path does not come here.

use cmdai_schema::{Analysis, Decision, Facts, Invocation, Judgement, Mode, Subject};
use serde::Serialize;

use crate::condition::{self, Request};
use crate::decide::{self, Layer, Layers};
use crate::document::Target;
use crate::known::{self, From, Kind, Seen};
use crate::snapshot::{Loaded, Snapshot};
use crate::{asked, moment, packs};

/// What became of a rule that looked at a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It takes part in the decision.
    Fired,
    /// It fired and is recorded only: mode, exception or automatic approval.
    RecordedOnly,
    /// One thing kept it from firing.
    Nearly,
}

/// A rule that looked at a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Identifier of the rule.
    pub id: String,
    /// `built-in`, `organisation` or `user`.
    pub layer: &'static str,
    /// Where it stands: section and line of the layer's document, a template, a pack.
    pub from: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What it says, or would have said.
    pub decision: Decision,
    /// Its reason.
    pub reason: String,
    /// What kept it, or changed what it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A fact that a call was judged with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactUsed {
    /// The program; empty for what is the same for all.
    pub program: String,
    /// Name of the fact.
    pub name: &'static str,
    /// Its value; nothing where it is not known.
    pub value: Option<String>,
    /// Where it was found.
    pub from: String,
}

/// Why a command is judged as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The judgement.
    pub judgement: Judgement,
    /// Rules that fired, strictest first, then those that nearly did.
    pub rules: Vec<Looked>,
    /// Rules of documents that looked at it and had nothing to say.
    pub silent: usize,
    /// Facts that took part.
    pub facts: Vec<FactUsed>,
}

/// Explains a judgement, by the same rules that [`crate::decide`] goes through.
pub fn why(
    analysis: &Analysis,
    text: &str,
    layers: &Layers<'_>,
    facts: &Facts,
    subject: &Subject,
) -> Why {
    let judgement = decide::decide(analysis, text, layers, facts, subject);
    let protected = decide::with_protected(layers, analysis, facts);
    let request = Request {
        analysis,
        text,
        facts: protected.as_ref().unwrap_or(facts),
        subject,
    };
    let mut whole = Why {
        rules: fired(&judgement, layers, &request),
        facts: used(&request, layers),
        silent: 0,
        judgement,
    };
    switched_off(layers, &request, &mut whole);
    for (layer, snapshot) in [
        (Layer::Organisation, layers.organisation),
        (Layer::User, layers.user),
    ] {
        let Some(snapshot) = snapshot else { continue };
        let covers = snapshot
            .settings()
            .applies_to
            .covers(request.facts, subject);
        for number in decide::candidates(snapshot, analysis) {
            let Some(loaded) = snapshot.rule(number as usize) else {
                continue;
            };
            let known = whole
                .rules
                .iter()
                .any(|looked| looked.id == loaded.rule.id && looked.layer == layer.as_str());
            if known {
                continue;
            }
            match nearly(loaded, covers, snapshot, &request) {
                Some(note) => whole.rules.push(Looked {
                    id: loaded.rule.id.clone(),
                    layer: layer.as_str(),
                    from: loaded.rule.source.to_string(),
                    verdict: Verdict::Nearly,
                    decision: loaded.rule.decision.unwrap_or_default(),
                    reason: loaded.rule.reason.clone(),
                    notes: vec![note],
                }),
                None => whole.silent += 1,
            }
        }
    }
    whole
}

/// The rules of the judgement with their places.
fn fired(judgement: &Judgement, layers: &Layers<'_>, request: &Request<'_>) -> Vec<Looked> {
    let list = judgement.rules.iter().map(|hit| {
        let (layer, from) = place(&hit.id, &hit.pack, hit.span, layers, request);
        let mut notes = Vec::new();
        match hit.mode {
            Mode::Warn => notes.push("mode is warn: it says so and stops nothing".to_owned()),
            Mode::Monitor
                if !hit.reason.contains("(excepted") && !hit.reason.contains("(approved") =>
            {
                notes.push("mode is monitor: it is recorded and does nothing".to_owned());
            }
            _ => {}
        }
        if hit.mode == Mode::Enforce {
            notes.extend(not_excepted(&hit.id, layers, request));
        }
        Looked {
            id: hit.id.clone(),
            layer,
            from,
            verdict: match hit.mode {
                Mode::Enforce | Mode::Warn => Verdict::Fired,
                Mode::Monitor | Mode::Off => Verdict::RecordedOnly,
            },
            decision: hit.decision,
            reason: hit.reason.clone(),
            notes,
        }
    });
    list.collect()
}

/// Layer and place of a rule that fired.
fn place(
    id: &str,
    pack: &str,
    span: cmdai_schema::Span,
    layers: &Layers<'_>,
    request: &Request<'_>,
) -> (&'static str, String) {
    if let Some(rule) = packs::find(id) {
        let mut from = format!("built-in pack {}", rule.pack);
        for (layer, snapshot) in named(layers) {
            if let Some(setting) = decide::setting(Some(snapshot), id, request) {
                from.push_str(&format!(
                    ", set by the {} in {}",
                    layer.as_str(),
                    setting.source
                ));
            }
        }
        return ("built-in", from);
    }
    let Some((layer, snapshot)) = named(layers).find(|(layer, _)| layer.as_str() == pack) else {
        return ("built-in", format!("pack {pack}"));
    };
    let head = snapshot.head();
    let from = if id.starts_with("approval.manager.") {
        head.manager_source.to_string()
    } else if id.starts_with("approval.") {
        head.approval_source.to_string()
    } else if id == "tool.not-listed" {
        "tools_mode: allowlist".to_owned()
    } else if id.starts_with("tool.") {
        let call = request
            .analysis
            .invocations
            .iter()
            .find(|call| call.span == span);
        let listed = call.and_then(|call| {
            let at = head
                .tools
                .iter()
                .position(|tool| tool.name == call.program)?;
            head.tool_sources.get(at)
        });
        listed.map_or_else(|| "allowed_tools".to_owned(), ToString::to_string)
    } else {
        (0..snapshot.rule_count())
            .filter_map(|number| snapshot.rule(number))
            .find(|loaded| loaded.rule.id == id)
            .map_or_else(String::new, |loaded| loaded.rule.source.to_string())
    };
    (layer.as_str(), from)
}

fn named<'a>(layers: &Layers<'a>) -> impl Iterator<Item = (Layer, &'a Snapshot)> + use<'a> {
    [
        (Layer::Organisation, layers.organisation),
        (Layer::User, layers.user),
    ]
    .into_iter()
    .filter_map(|(layer, snapshot)| Some((layer, snapshot?)))
}

/// Exceptions that list a rule and did not lift it, with what kept them.
fn not_excepted(id: &str, layers: &Layers<'_>, request: &Request<'_>) -> Vec<String> {
    let Some(organisation) = layers.organisation else {
        return Vec::new();
    };
    let list = organisation.head().exceptions.iter();
    list.filter(|exception| exception.rules.iter().any(|rule| rule == id))
        .map(|exception| {
            let why = match request.facts.now.as_deref() {
                None => "the moment is not known".to_owned(),
                Some(now) if !moment::not_after(now, &exception.until) => {
                    format!("it ended on {}", exception.until)
                }
                Some(_) if !exception.scope.covers(request.facts, request.subject) => {
                    format!("its scope is {}", target_words(&exception.scope))
                }
                Some(_) => "its pattern does not fit".to_owned(),
            };
            format!("an exception ({}) does not apply: {why}", exception.source)
        })
        .collect()
}

/// Built-in rules that hold and that the organisation switched off.
fn switched_off(layers: &Layers<'_>, request: &Request<'_>, whole: &mut Why) {
    let mut seen: Vec<String> = Vec::new();
    for hit in packs::judge(request) {
        if seen.iter().any(|id| *id == hit.id)
            || whole.judgement.rules.iter().any(|known| known.id == hit.id)
        {
            continue;
        }
        seen.push(hit.id.to_string());
        let setting = decide::setting(layers.organisation, &hit.id, request);
        if let Some(setting) = setting.filter(|setting| setting.mode == Some(Mode::Off)) {
            whole.rules.push(Looked {
                id: hit.id.to_string(),
                layer: "built-in",
                from: format!("built-in pack {}", hit.pack),
                verdict: Verdict::Nearly,
                decision: Decision::Allow,
                reason: hit.reason.to_string(),
                notes: vec![format!(
                    "switched off by the organisation in {}",
                    setting.source
                )],
            });
        }
    }
}

/// What alone kept a rule from firing.
fn nearly(
    loaded: &Loaded,
    covers: bool,
    snapshot: &Snapshot,
    request: &Request<'_>,
) -> Option<String> {
    let rule = &loaded.rule;
    let holds = |when: &crate::compiled::Condition| {
        let matcher = loaded
            .matcher
            .as_ref()
            .filter(|_| !when.automaton.is_empty());
        condition::holds(when, matcher, request, &packs::judge(request))
    };
    if let Some(held) = holds(&rule.when) {
        if !covers {
            let whom = target_words(&snapshot.settings().applies_to);
            return Some(format!("the document applies to {whom}"));
        }
        if rule.mode == Mode::Off {
            return Some("its mode is off".to_owned());
        }
        if !rule.target.covers(request.facts, request.subject) {
            return Some(format!("it applies to {}", target_words(&rule.target)));
        }
        if !held.missing.is_empty() {
            let what = held.missing.join(" and the ");
            return Some(format!(
                "the {what} is not known, and the rule lets that pass"
            ));
        }
        return None;
    }
    // Which single condition, taken away, would make it fire?
    let mut kept = KEYS.iter().filter_map(|(key, clear)| {
        let mut when = rule.when.clone();
        clear(&mut when).then_some(())?;
        (!is_empty(&when) && holds(&when).is_some_and(|held| held.missing.is_empty()))
            .then_some(*key)
    });
    let key = kept.next()?;
    let is = value_of(key, request);
    Some(match is {
        Some(is) => format!("`{key}` does not fit: it is {is}"),
        None => format!("`{key}` does not fit"),
    })
}

/// Takes a key out of a condition; false where it was not given.
type Clear = fn(&mut crate::compiled::Condition) -> bool;

macro_rules! list {
    ($key:ident) => {
        |when| !std::mem::take(&mut when.$key).is_empty()
    };
}
macro_rules! choice {
    ($key:ident) => {
        |when| when.$key.take().is_some()
    };
}

const KEYS: &[(&str, Clear)] = &[
    ("context", list!(context)),
    ("account", list!(account)),
    ("region", list!(region)),
    ("namespace", list!(namespace)),
    ("workspace", list!(workspace)),
    ("remote", list!(remote)),
    ("branch", list!(branch)),
    ("protected_branch", choice!(protected_branch)),
    ("origin", list!(origin)),
    ("environment", list!(environment)),
    ("directory", list!(directory)),
    ("container", choice!(container)),
    ("ci", choice!(ci)),
    ("terminal", choice!(terminal)),
    ("time", choice!(time)),
    ("category", list!(category)),
    ("risk", choice!(risk)),
    ("unknown", choice!(unknown)),
    ("path", list!(path)),
    ("not_path", list!(not_path)),
    ("target", list!(name)),
    ("effect", list!(effect)),
    ("args", choice!(args)),
    ("pattern", list!(shapes)),
];

/// Nothing is left that a command could fail to meet.
fn is_empty(when: &crate::compiled::Condition) -> bool {
    let mut rest = when.clone();
    let any = KEYS.iter().any(|(_, clear)| clear(&mut rest));
    !any && when.program.is_empty() && when.automaton.is_empty()
}

/// The value that a key was compared with.
fn value_of(key: &str, request: &Request<'_>) -> Option<String> {
    let (analysis, facts) = (request.analysis, request.facts);
    let of_calls = |name: Name| {
        let mut found: Vec<String> = Vec::new();
        for call in &analysis.invocations {
            for text in known_in(call, name, analysis, facts).texts() {
                if !found.iter().any(|known| known == text) {
                    found.push(text.to_owned());
                }
            }
        }
        (!found.is_empty()).then(|| found.join(", "))
    };
    let say = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    match key {
        "context" => of_calls(Name::Context),
        "account" => of_calls(Name::Account),
        "region" => of_calls(Name::Region),
        "namespace" => of_calls(Name::Namespace),
        "workspace" => of_calls(Name::Workspace),
        "remote" => of_calls(Name::Remote),
        "branch" | "protected_branch" => of_calls(Name::Branch),
        "origin" => Some(request.subject.origin.as_str().to_owned()),
        "environment" => crate::target::environment(facts, request.subject).map(str::to_owned),
        "directory" => facts.cwd.clone(),
        "container" => say(facts.container),
        "ci" => say(facts.ci),
        "terminal" => say(facts.terminal),
        "time" => facts.now.clone(),
        _ => None,
    }
}

/// Facts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Context,
    Profile,
    Account,
    Region,
    Namespace,
    Workspace,
    Branch,
    Remote,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Profile => "profile",
            Self::Account => "account",
            Self::Region => "region",
            Self::Namespace => "namespace",
            Self::Workspace => "workspace",
            Self::Branch => "branch",
            Self::Remote => "remote",
        }
    }
}

fn known_in<'a>(
    call: &'a Invocation,
    name: Name,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    let effect = || {
        analysis
            .effects
            .iter()
            .find(|effect| condition::causes(call, effect))
    };
    match name {
        Name::Context => known::contexts(call, analysis, facts),
        Name::Profile => known::profile(call, facts),
        Name::Account => known::account(call, analysis, facts),
        Name::Region => known::region(call, facts),
        Name::Namespace => known::namespace(call, analysis, facts),
        Name::Workspace => known::workspace(call, analysis, facts),
        Name::Branch => known::branch(call, effect(), analysis, facts),
        Name::Remote => known::remote(call, effect(), facts),
    }
}

/// The facts that calls were judged with, and what is the same for all of them.
fn used(request: &Request<'_>, layers: &Layers<'_>) -> Vec<FactUsed> {
    let (analysis, facts) = (request.analysis, request.facts);
    let asked = asked::asked(analysis, layers, facts.cwd.as_deref().unwrap_or("/"));
    let mut out = Vec::new();
    for call in &analysis.invocations {
        let names: &[Name] = match known::kind(&call.program) {
            Kind::Cluster => &[Name::Context, Name::Namespace],
            Kind::Aws if asked.aws_accounts => &[Name::Profile, Name::Account, Name::Region],
            Kind::Aws => &[Name::Profile],
            Kind::Gcloud => &[Name::Account, Name::Region],
            Kind::Azure => &[Name::Account],
            Kind::Infrastructure if asked.aws_accounts => &[Name::Workspace, Name::Account],
            Kind::Infrastructure => &[Name::Workspace],
            Kind::Several => &[Name::Context],
            Kind::Git if asked.remotes => &[Name::Branch, Name::Remote],
            Kind::Git => &[Name::Branch],
            Kind::Other => &[],
        };
        for name in names {
            let seen = known_in(call, *name, analysis, facts);
            let mut add = |value: Option<String>, from: String| {
                let used = FactUsed {
                    program: call.program.clone(),
                    name: name.as_str(),
                    value,
                    from,
                };
                if !out.contains(&used) {
                    out.push(used);
                }
            };
            for (value, from) in &seen.values {
                add(Some(value.to_string()), from_words(*from, facts));
            }
            if seen.unknown {
                add(None, unknown_words(call).to_owned());
            }
        }
        if asked.versions.contains(&call.program) {
            let version = facts.versions.get(&call.program).cloned();
            let from = if version.is_some() {
                "measured"
            } else {
                "not measured yet"
            };
            out.push(FactUsed {
                program: call.program.clone(),
                name: "version",
                value: version,
                from: from.to_owned(),
            });
        }
    }
    let say = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let subject = request.subject;
    for (name, key, value) in [
        ("origin", "", Some(subject.origin.as_str().to_owned())),
        ("agent", "", subject.agent.clone()),
        ("environment", "environment", facts.environment.clone()),
        ("container", "container", say(facts.container)),
        ("ci", "ci", say(facts.ci)),
        ("terminal", "terminal", say(facts.terminal)),
    ] {
        if let Some(value) = value {
            let from = facts
                .sources
                .get(key)
                .map_or("this session", String::as_str);
            out.push(FactUsed {
                program: String::new(),
                name,
                value: Some(value),
                from: from.to_owned(),
            });
        }
    }
    out
}

fn from_words(from: From, facts: &Facts) -> String {
    match from {
        From::Flag => "the command itself".to_owned(),
        From::Variable(name) => format!("{name}, set in the line"),
        From::Earlier => "an earlier command of the line".to_owned(),
        From::Fact(name) => facts
            .sources
            .get(name)
            .cloned()
            .unwrap_or_else(|| "this machine".to_owned()),
    }
}

fn unknown_words(call: &Invocation) -> &'static str {
    if known::elsewhere(call) {
        "not known: it runs elsewhere"
    } else {
        "not known"
    }
}

/// A target in words.
fn target_words(target: &Target) -> String {
    let origins: Vec<String> = target
        .origins
        .iter()
        .map(|origin| origin.as_str().to_owned())
        .collect();
    let lists: [(&str, &[String]); 9] = [
        ("teams", &target.teams),
        ("departments", &target.departments),
        ("environments", &target.environments),
        ("zones", &target.zones),
        ("machines", &target.machines),
        ("users", &target.users),
        ("origins", &origins),
        ("agents", &target.agents),
        ("directories", &target.directories),
    ];
    let given: Vec<String> = lists
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| format!("{name} {}", list.join(", ")))
        .collect();
    given.join(" and ")
}
