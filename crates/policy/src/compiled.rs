//! What a snapshot holds: rules ready to be compared, and an index by program and effect.

use std::collections::BTreeMap;

use cmdai_schema::{Decision, Mode, Risk};
use serde::{Deserialize, Serialize};

use crate::automaton;
use crate::category::Category;
use crate::document::{
    Approvals, At, Audit, BlockedPattern, Compliance, Document, FailMode, Inference, Privacy, Rule,
    Supervise, Target, TimeWindow, Tolerance, Tool, ToolsMode, When,
};
use crate::include::with_includes;
use crate::shape::Shape;
use crate::snapshot::SnapshotMeta;

/// Everything but the rules, which are decoded one by one when their program or effect turns up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) meta: SnapshotMeta,
    pub(crate) settings: Settings,
    /// Settings of built-in rules, sorted by id.
    pub(crate) overrides: Vec<Override>,
    pub(crate) exceptions: Vec<CompiledException>,
    /// Programs of rules that ask for surroundings, where the programs themselves do not tell
    /// which: all of them are looked at.
    pub(crate) surroundings: Vec<String>,
    /// Facts beyond those that built-in rules ask for, as bits of [`crate::asked`].
    pub(crate) asks: u32,
    /// Tools with constraints, sorted by name.
    pub(crate) tools: Vec<Tool>,
    /// Where each tool stands, in the same order.
    pub(crate) tool_sources: Vec<Source>,
    /// Where the lists of categories stand.
    pub(crate) approval_source: Source,
    pub(crate) manager_source: Source,
    /// Rule numbers by program name, sorted by name.
    pub(crate) by_program: Vec<(String, Vec<u32>)>,
    /// Rule numbers by effect name, sorted by name.
    pub(crate) by_effect: Vec<(String, Vec<u32>)>,
    /// Rules that any command may fit.
    pub(crate) always: Vec<u32>,
    /// Where each rule begins in the rule area; one more for the end.
    pub(crate) offsets: Vec<u32>,
}

/// Where in a document something stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Section, such as `rules`.
    pub(crate) section: String,
    /// Line, from 1; 0 where there is none.
    pub(crate) line: u32,
    /// Template it was taken from.
    pub(crate) template: Option<String>,
}

impl Source {
    fn of(section: &str, at: At) -> Self {
        Self {
            section: section.to_owned(),
            line: at.0.line,
            template: at.1.map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(template) = &self.template {
            write!(f, "template {template}, ")?;
        }
        f.write_str(&self.section)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        Ok(())
    }
}

/// The sections of the document that are not rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Organisation, as the document names it.
    pub organization: String,
    /// How much risk is borne before somebody is asked.
    pub risk_tolerance: Option<Tolerance>,
    /// Kinds of commands that another person must approve.
    pub require_approval_for: Vec<Category>,
    /// Branches whose history nobody may rewrite.
    pub protected_branches: Vec<String>,
    /// Where the document applies.
    pub applies_to: Target,
    /// What happens to tools that are not listed.
    pub tools_mode: ToolsMode,
    /// Which models may generate commands.
    pub inference: Inference,
    /// Who approves what.
    pub approvals: Approvals,
    /// What is recorded and where it goes.
    pub audit: Audit,
    /// Frameworks and duties.
    pub compliance: Compliance,
    /// What is kept out of the record.
    pub privacy: Privacy,
    /// What happens when judging itself fails.
    pub fail_mode: FailMode,
    /// Where supervised process trees may write and read.
    pub supervise: Supervise,
    /// Oldest engine that may apply it.
    pub min_engine: Option<String>,
}

/// The setting of a built-in rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Override {
    pub(crate) id: String,
    pub(crate) decision: Option<Decision>,
    pub(crate) risk: Option<Risk>,
    pub(crate) mode: Option<Mode>,
    pub(crate) reason: Option<String>,
    pub(crate) instead: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) controls: Vec<String>,
    pub(crate) target: Target,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CompiledException {
    pub(crate) source: Source,
    pub(crate) rules: Vec<String>,
    pub(crate) scope: Target,
    pub(crate) shape: Option<Shape>,
    pub(crate) until: String,
    pub(crate) reason: String,
}

/// A rule ready to be compared.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CompiledRule {
    pub(crate) id: String,
    pub(crate) decision: Option<Decision>,
    pub(crate) risk: Risk,
    pub(crate) mode: Mode,
    pub(crate) reason: String,
    pub(crate) instead: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) controls: Vec<String>,
    pub(crate) target: Target,
    pub(crate) when: Condition,
    /// What happens where a fact is not known; the default where absent.
    pub(crate) unknown: Option<Decision>,
    /// A dangerous path: the risk depends on what is done to it.
    pub(crate) dangerous_path: bool,
    pub(crate) source: Source,
}

/// [`When`] with its patterns read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) program: Vec<String>,
    /// A pattern whose program is any and whose words and flags must be there.
    pub(crate) args: Option<Shape>,
    pub(crate) shapes: Vec<Shape>,
    /// Automaton of a regular expression; empty where there is none.
    pub(crate) automaton: Vec<u8>,
    pub(crate) effect: Vec<String>,
    pub(crate) path: Vec<String>,
    pub(crate) not_path: Vec<String>,
    pub(crate) context: Vec<String>,
    pub(crate) name: Vec<String>,
    pub(crate) branch: Vec<String>,
    pub(crate) protected_branch: Option<bool>,
    pub(crate) account: Vec<String>,
    pub(crate) region: Vec<String>,
    pub(crate) namespace: Vec<String>,
    pub(crate) workspace: Vec<String>,
    pub(crate) remote: Vec<String>,
    pub(crate) terminal: Option<bool>,
    pub(crate) origin: Vec<cmdai_schema::OriginKind>,
    pub(crate) environment: Vec<String>,
    pub(crate) directory: Vec<String>,
    pub(crate) category: Vec<Category>,
    pub(crate) risk: Option<Risk>,
    pub(crate) unknown: Option<bool>,
    pub(crate) container: Option<bool>,
    pub(crate) ci: Option<bool>,
    pub(crate) time: Option<TimeWindow>,
}

/// Effects that lose or change what lies at a path.
pub(crate) const PATH_CHANGES: &[&str] = &[
    "delete",
    "overwrite",
    "move",
    "change-mode",
    "change-owner",
    "format",
    "device-write",
    "write",
];

/// A document with its rules compiled, before it is written.
pub(crate) struct Compiled {
    pub(crate) head: Head,
    pub(crate) rules: Vec<CompiledRule>,
}

/// Compiles a validated document. Deterministic: the same document gives the same result.
pub(crate) fn compile(document: &Document, meta: &SnapshotMeta) -> Compiled {
    let document = with_includes(document);
    let mut rules: Vec<CompiledRule> = Vec::new();
    let mut overrides: Vec<Override> = Vec::new();
    for rule in &document.rules {
        match &rule.when {
            Some(when) => rules.push(own_rule(rule, when)),
            None => overrides.push(setting(rule)),
        }
    }
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for pattern in &document.safety.blocked_patterns {
        rules.push(blocked(pattern, &mut taken));
    }
    if !document.safety.additional_dangerous_paths.is_empty() {
        rules.push(CompiledRule {
            id: "path.dangerous".to_owned(),
            risk: Risk::Critical,
            reason: "touches a path that the policy names as dangerous".to_owned(),
            when: Condition {
                effect: PATH_CHANGES.iter().map(|name| (*name).to_owned()).collect(),
                path: document.safety.additional_dangerous_paths.clone(),
                ..Condition::default()
            },
            dangerous_path: true,
            source: Source::of(
                "safety.additional_dangerous_paths",
                document.safety.at_paths,
            ),
            ..CompiledRule::default()
        });
    }
    overrides.sort_by(|a, b| a.id.cmp(&b.id));
    let mut tools = document.allowed_tools.clone();
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    let exceptions = document
        .exceptions
        .iter()
        .map(|exception| CompiledException {
            source: Source::of("exceptions", exception.at),
            rules: exception.rule.clone(),
            scope: exception.scope.clone(),
            shape: exception
                .pattern
                .as_deref()
                .and_then(|pattern| Shape::parse(pattern).ok()),
            until: exception.until.clone(),
            reason: exception.reason.clone().unwrap_or_default(),
        })
        .collect();
    let mut head = Head {
        meta: meta.clone(),
        settings: settings(&document),
        overrides,
        exceptions,
        tool_sources: tools
            .iter()
            .map(|tool| Source::of("allowed_tools", tool.at))
            .collect(),
        approval_source: Source::of("safety.require_approval_for", document.safety.at_approval),
        manager_source: Source::of(
            "approvals.require_manager_approval",
            document.approvals.at_manager,
        ),
        tools,
        ..Head::default()
    };
    index(&rules, &mut head);
    head.asks |= crate::asked::TIME_TOLD | crate::asked::PLACE_TOLD;
    for rule in &rules {
        let when = &rule.when;
        head.asks |= crate::asked::bits(when);
        if !when.context.is_empty() || !when.account.is_empty() {
            for name in &when.program {
                if crate::known::kind(name) == crate::known::Kind::Other
                    && !head.surroundings.contains(name)
                {
                    head.surroundings.push(name.clone());
                }
            }
        }
    }
    Compiled { head, rules }
}

fn settings(document: &Document) -> Settings {
    Settings {
        organization: document.organization.clone().unwrap_or_default(),
        risk_tolerance: document.safety.risk_tolerance,
        require_approval_for: document.safety.require_approval_for.clone(),
        protected_branches: document.safety.protected_branches.clone(),
        applies_to: document.applies_to.clone(),
        tools_mode: document.tools_mode,
        inference: document.inference.clone(),
        approvals: document.approvals.clone(),
        audit: document.audit.clone(),
        compliance: document.compliance.clone(),
        privacy: document.privacy.clone(),
        fail_mode: document.fail_mode,
        supervise: document.supervise.clone(),
        min_engine: document.min_engine.clone(),
    }
}

fn setting(rule: &Rule) -> Override {
    Override {
        id: rule.id.clone(),
        decision: rule.decision,
        risk: rule.risk,
        mode: rule.mode,
        reason: rule.reason.clone(),
        instead: rule.instead.clone(),
        owner: rule.owner.clone(),
        controls: rule.controls.clone(),
        target: rule.applies_to.clone(),
        source: Source::of("rules", rule.at),
    }
}

fn own_rule(rule: &Rule, when: &When) -> CompiledRule {
    let shapes = when
        .pattern
        .iter()
        .filter_map(|pattern| Shape::parse(pattern).ok())
        .collect();
    let automaton = when
        .regex
        .as_deref()
        .and_then(|regex| automaton::compile(regex).ok())
        .unwrap_or_default();
    let args = (!when.args.is_empty()).then(|| Shape::of_args(&when.args));
    CompiledRule {
        id: rule.id.clone(),
        decision: rule.decision,
        risk: rule
            .risk
            .unwrap_or_else(|| risk_of(rule.decision.unwrap_or(Decision::Deny))),
        mode: rule.mode.unwrap_or_default(),
        reason: rule
            .reason
            .clone()
            .unwrap_or_else(|| format!("rule {} applies", rule.id)),
        instead: rule.instead.clone(),
        owner: rule.owner.clone(),
        controls: rule.controls.clone(),
        target: rule.applies_to.clone(),
        when: Condition {
            program: when.program.clone(),
            args,
            shapes,
            automaton,
            effect: when.effect.clone(),
            path: when.path.clone(),
            not_path: when.not_path.clone(),
            context: when.context.clone(),
            name: when.target.clone(),
            branch: when.branch.clone(),
            protected_branch: when.protected_branch,
            account: when.account.clone(),
            region: when.region.clone(),
            namespace: when.namespace.clone(),
            workspace: when.workspace.clone(),
            remote: when.remote.clone(),
            terminal: when.terminal,
            origin: when.origin.clone(),
            environment: when.environment.clone(),
            directory: when.directory.clone(),
            category: when.category.clone(),
            risk: when.risk,
            unknown: when.unknown,
            container: when.container,
            ci: when.ci,
            time: when.time.clone(),
        },
        unknown: rule.unknown,
        dangerous_path: false,
        source: Source::of("rules", rule.at),
    }
}

/// The risk that a decision speaks of where none is given.
fn risk_of(decision: Decision) -> Risk {
    match decision {
        Decision::Allow => Risk::Safe,
        Decision::Warn => Risk::Moderate,
        Decision::Confirm | Decision::RequireApproval | Decision::Deny => Risk::High,
    }
}

/// The id of a blocked pattern: its own, or one made from its words.
pub(crate) fn pattern_id(pattern: &BlockedPattern) -> String {
    let text = pattern
        .pattern
        .as_deref()
        .or(pattern.regex.as_deref())
        .unwrap_or("");
    pattern
        .id
        .clone()
        .unwrap_or_else(|| format!("blocked.{}", Shape::slug(text)))
}

fn blocked(pattern: &BlockedPattern, taken: &mut BTreeMap<String, u32>) -> CompiledRule {
    let mut id = pattern_id(pattern);
    let count = taken.entry(id.clone()).or_insert(0);
    *count += 1;
    if *count > 1 {
        id = format!("{id}-{count}");
    }
    let text = pattern
        .pattern
        .as_deref()
        .or(pattern.regex.as_deref())
        .unwrap_or("");
    CompiledRule {
        id,
        decision: Some(pattern.decision.unwrap_or(Decision::Deny)),
        risk: pattern
            .risk
            .unwrap_or_else(|| risk_of(pattern.decision.unwrap_or(Decision::Deny))),
        mode: pattern.mode.unwrap_or_default(),
        reason: pattern
            .reason
            .clone()
            .unwrap_or_else(|| format!("fits the blocked pattern `{text}`")),
        instead: pattern.instead.clone(),
        owner: pattern.owner.clone(),
        controls: pattern.controls.clone(),
        source: Source::of("safety.blocked_patterns", pattern.at),
        when: Condition {
            shapes: pattern
                .pattern
                .as_deref()
                .and_then(|pattern| Shape::parse(pattern).ok())
                .into_iter()
                .collect(),
            automaton: pattern
                .regex
                .as_deref()
                .and_then(|regex| automaton::compile(regex).ok())
                .unwrap_or_default(),
            ..Condition::default()
        },
        ..CompiledRule::default()
    }
}

/// Files each rule under what must be there for it to fire.
fn index(rules: &[CompiledRule], head: &mut Head) {
    let mut by_program: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut by_effect: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (number, rule) in rules.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let when = &rule.when;
        let exact = |name: &String| !name.contains(['*', '?', '/']);
        let shape_keys: Vec<Option<&str>> = when.shapes.iter().map(Shape::key_program).collect();
        if !when.program.is_empty() && when.program.iter().all(exact) {
            for name in &when.program {
                by_program.entry(name.clone()).or_default().push(number);
            }
        } else if !shape_keys.is_empty() && shape_keys.iter().all(Option::is_some) {
            for name in shape_keys.into_iter().flatten() {
                let list = by_program.entry(name.to_owned()).or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        } else if !when.effect.is_empty() {
            for name in &when.effect {
                by_effect.entry(name.clone()).or_default().push(number);
            }
        } else {
            head.always.push(number);
        }
    }
    head.by_program = by_program.into_iter().collect();
    head.by_effect = by_effect.into_iter().collect();
}
