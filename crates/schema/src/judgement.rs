//! The answer of `cmdai check`: one decision with every rule that fired.

use serde::{Deserialize, Serialize};

use crate::{Certainty, Decision, Effect, Mode, Risk, Span};

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// Stable identifier, such as `fs.delete-root`.
    pub id: String,
    /// Pack or layer it belongs to: a built-in pack's name, `organisation` or `user`.
    pub pack: String,
    /// What this rule asks for.
    pub decision: Decision,
    /// How bad it says the command is.
    pub risk: Risk,
    /// How it takes part; a hit in monitor mode is recorded but does not raise the decision.
    #[serde(default, skip_serializing_if = "is_enforce")]
    pub mode: Mode,
    /// Why, in a sentence without a full stop.
    pub reason: String,
    /// The part of the text it is about.
    pub span: Span,
    /// A safer command that was judged itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Who owns the rule, to be asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Control ids and technique ids, such as `SOC2:CC6.8` or `ATT&CK:T1485`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_enforce(mode: &Mode) -> bool {
    *mode == Mode::Enforce
}

/// Which policy decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyRef {
    /// `community`, or the organisation's name.
    pub id: String,
    /// Version of the organisation's release, or of the engine where there is none.
    pub version: String,
    /// Digest of the compiled snapshot's bytes, `sha256:…`; absent without a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The decision about one text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// Given by the caller in batch mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What happens.
    pub decision: Decision,
    /// How bad.
    pub risk: Risk,
    /// How sure.
    pub certainty: Certainty,
    /// Every rule that fired, strictest first.
    pub rules: Vec<RuleHit>,
    /// What the command would do.
    pub effects: Vec<Effect>,
    /// Programs called.
    pub programs: Vec<String>,
    /// Something that could run could not be resolved.
    pub unknown: bool,
    /// Semantic digest of the redacted tree.
    pub digest: String,
    /// Which policy decided.
    pub policy: PolicyRef,
    /// Microseconds from text to decision.
    pub micros: u64,
}

impl Judgement {
    /// What would have been decided if the rules in monitor mode took part, where that is stricter.
    pub fn monitored(&self) -> Option<Decision> {
        self.rules
            .iter()
            .filter(|hit| hit.mode == Mode::Monitor)
            .map(|hit| hit.decision)
            .max()
            .filter(|decision| *decision > self.decision)
    }

    /// The rule that decided: the strictest enforced hit.
    pub fn deciding_rule(&self) -> Option<&RuleHit> {
        self.rules
            .iter()
            .find(|hit| hit.mode == Mode::Enforce && hit.decision == self.decision)
            .or_else(|| self.rules.first())
    }
}
