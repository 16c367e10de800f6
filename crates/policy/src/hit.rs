//! A rule that fired, before the layers are joined.

use std::borrow::Cow;

use cmdai_schema::{Certainty, Decision, Mode, Risk, RuleHit, Span};

use crate::packs::BuiltIn;

/// A rule that fired.
#[derive(Debug, Clone)]
pub(crate) struct Hit<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) pack: &'a str,
    pub(crate) decision: Decision,
    pub(crate) risk: Risk,
    pub(crate) mode: Mode,
    pub(crate) reason: Cow<'a, str>,
    pub(crate) span: Span,
    pub(crate) certainty: Certainty,
    pub(crate) instead: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) controls: Vec<String>,
    /// Cannot be switched off or excepted.
    pub(crate) floor: bool,
    /// Data, history or resources are lost.
    pub(crate) loses: bool,
}

impl<'a> Hit<'a> {
    /// A hit of a built-in rule.
    pub(crate) fn built_in(
        rule: &'static BuiltIn,
        risk: Risk,
        span: Span,
        reason: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            id: Cow::Borrowed(rule.id),
            pack: rule.pack,
            decision: Decision::Allow,
            risk,
            mode: Mode::Enforce,
            reason: reason.into(),
            span,
            certainty: Certainty::Proven,
            instead: None,
            owner: None,
            controls: Vec::new(),
            floor: rule.floor,
            loses: rule.loses && risk >= Risk::High,
        }
    }

    pub(crate) fn instead(mut self, command: impl Into<String>) -> Self {
        self.instead = Some(command.into());
        self
    }

    /// Takes part in the decision.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.mode, Mode::Enforce | Mode::Warn)
    }

    pub(crate) fn loses_data(&self) -> bool {
        self.loses
    }

    pub(crate) fn into_rule_hit(self) -> RuleHit {
        RuleHit {
            id: self.id.into_owned(),
            pack: self.pack.to_owned(),
            decision: self.decision,
            risk: self.risk,
            mode: self.mode,
            reason: self.reason.into_owned(),
            span: self.span,
            instead: self.instead,
            owner: self.owner,
            controls: self.controls,
        }
    }
}
