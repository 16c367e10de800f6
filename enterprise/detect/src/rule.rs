//! Rules as data.

use serde::Deserialize;

use crate::duration;
use crate::grammar::{self, Condition};

/// Longest rule file that is read, in bytes.
const MAX_SOURCE: usize = 1024 * 1024;
/// The built-in rules.
const BUILTIN: &str = include_str!("../rules/builtin.yaml");
/// Cool-down where a rule names none, in milliseconds.
const COOLDOWN_MS: u64 = 900_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    #[serde(alias = "info", alias = "informational")]
    Low,
    /// To look at today.
    #[default]
    #[serde(alias = "warning")]
    Medium,
    /// To look at now.
    High,
    /// To act on now.
    Critical,
}

impl Severity {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == name)
    }
}

/// Whose events are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// Of one machine.
    #[default]
    Machine,
    /// Of one person, on all machines.
    User,
    /// Of one shell or agent session.
    Session,
    /// Of one agent name on one machine.
    Agent,
    /// Of everybody.
    All,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Stable id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Condition as written.
    pub condition: String,
    /// How bad.
    pub severity: Severity,
    /// Who is told besides the channels.
    pub notify: Vec<String>,
    /// Actions that the organisation allowed this rule.
    pub actions: Vec<String>,
    /// Milliseconds in which the same thing is one alert.
    pub cooldown_ms: u64,
    /// Whose events belong together.
    pub by: GroupBy,
    /// Sentence with `{placeholders}`.
    pub summary: String,
    /// It runs.
    pub enabled: bool,
    pub(crate) compiled: Condition,
}

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Larger than any rule file.
    #[error("the rules are longer than {MAX_SOURCE} bytes")]
    Size,
    /// Not the form.
    #[error("cannot read the rules: {0}")]
    Yaml(String),
    /// One rule is wrong.
    #[error("rule {rule:?}: {problem}")]
    Rule {
        /// Id or name.
        rule: String,
        /// What is wrong.
        problem: String,
    },
}

/// Rules, each id once.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(alias = "rules")]
    alerts: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Option<String>,
    name: String,
    condition: String,
    #[serde(default)]
    severity: Severity,
    #[serde(default)]
    notify: Vec<String>,
    #[serde(default)]
    actions: Vec<String>,
    cooldown: Option<String>,
    #[serde(default)]
    by: GroupBy,
    summary: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

impl Rules {
    /// The rules that are always there.
    ///
    /// # Errors
    /// Never in a build that passed its tests.
    pub fn builtin() -> Result<Self, RuleError> {
        Self::parse(BUILTIN)
    }

    /// Reads rules: `alerts:` with a list of `name`, `condition`, `severity`, `notify`, `actions`,
    /// `cooldown`, and optionally `id`, `by`, `summary`, `enabled`.
    ///
    /// # Errors
    /// With the rule's name and a sentence. Nothing is taken from a file with an error.
    pub fn parse(source: &str) -> Result<Self, RuleError> {
        if source.len() > MAX_SOURCE {
            return Err(RuleError::Size);
        }
        let file: File =
            serde_saphyr::from_str(source).map_err(|error| RuleError::Yaml(error.to_string()))?;
        let mut rules: Vec<Rule> = Vec::with_capacity(file.alerts.len());
        for written in file.alerts {
            let rule = written.compile()?;
            if rules.iter().any(|other| other.id == rule.id) {
                return Err(RuleError::Rule {
                    rule: rule.id,
                    problem: "stands twice; give one of them another id".to_owned(),
                });
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    /// These rules with others added; one with the same id takes the place.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        for rule in others.0 {
            match self.0.iter_mut().find(|mine| mine.id == rule.id) {
                Some(mine) => *mine = rule,
                None => self.0.push(rule),
            }
        }
        self
    }

    /// These rules with another limit for every rule about silence, in milliseconds: so that
    /// alerts and the list of machines mean the same by "silent".
    #[must_use]
    pub fn silent_after(mut self, limit_ms: u64) -> Self {
        for rule in &mut self.0 {
            if let Condition::Silent { for_ms } = &mut rule.compiled {
                *for_ms = limit_ms;
                rule.condition = format!("silent_for > {} seconds", limit_ms / 1_000);
            }
        }
        self
    }

    /// All rules.
    pub fn list(&self) -> &[Rule] {
        &self.0
    }

    pub(crate) fn into_vec(self) -> Vec<Rule> {
        self.0
    }
}

impl Written {
    fn compile(self) -> Result<Rule, RuleError> {
        let id = self.id.unwrap_or_else(|| slug(&self.name));
        let wrong = |problem: String| RuleError::Rule {
            rule: self.name.clone(),
            problem,
        };
        if id.is_empty() {
            return Err(wrong("the id is empty".to_owned()));
        }
        let cooldown_ms = match &self.cooldown {
            None => COOLDOWN_MS,
            Some(text) => duration::parse(text).ok_or_else(|| {
                wrong(format!(
                    "cooldown: `{text}` is not a time; write `30m`, `1 hour`"
                ))
            })?,
        };
        let compiled = grammar::parse(&self.condition)
            .map_err(|error| wrong(format!("condition: {error}")))?;
        Ok(Rule {
            id,
            title: self.name,
            condition: self.condition,
            severity: self.severity,
            notify: self.notify,
            actions: self.actions,
            cooldown_ms,
            by: self.by,
            summary: self
                .summary
                .unwrap_or_else(|| "{user} on {hostname}: {text}".to_owned()),
            enabled: self.enabled,
            compiled,
        })
    }
}

fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}
