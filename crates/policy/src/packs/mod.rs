//! The built-in packs: effects to risk, with a reason in plain words and a safer command.
//!
//! A pack judges by place: temporary and build folders are calm, a file of the project is moderate,
//! a folder that no build makes again is high, home and system are critical. Risk says how bad;
//! what follows from it is the tolerance's business, so no pack names a decision.

mod agents;
mod bulk;
mod code;
mod containers;
mod databases;
mod exposing;
mod fetched;
mod files;
mod git;
mod instead;
mod outgoing;
mod providers;
mod resources;
mod rights;
mod secrets;
mod self_protection;
mod spying;
mod system;
mod table;

use cmdai_schema::{Certainty, Effect, Invocation, Risk, Span};

use crate::condition::{Request, causes};
use crate::hit::Hit;
use crate::place::Places;

/// A built-in rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Stable identifier, such as `fs.delete-root`.
    pub id: &'static str,
    /// The pack it belongs to.
    pub pack: &'static str,
    /// Its risk at its worst; a hit may be calmer by place.
    pub risk: Risk,
    /// Why, in a sentence without a full stop.
    pub reason: &'static str,
    /// Techniques and controls.
    pub controls: &'static [&'static str],
    /// Cannot be switched off, weakened or excepted.
    pub floor: bool,
    /// What it speaks of is lost for good.
    pub loses: bool,
}

/// Every built-in rule, sorted by id.
pub(crate) fn catalogue() -> &'static [BuiltIn] {
    table::RULES
}

/// The built-in rule with this id.
pub(crate) fn find(id: &str) -> Option<&'static BuiltIn> {
    let at = table::RULES.binary_search_by(|rule| rule.id.cmp(id)).ok()?;
    table::RULES.get(at)
}

/// Looks at the effects of one command.
pub(crate) struct Judge<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) places: Places<'a>,
    pub(crate) hits: Vec<Hit<'a>>,
}

impl<'a> Judge<'a> {
    /// Adds a hit of the rule; `None` for an unknown id, which the tests rule out.
    fn hit(
        &mut self,
        id: &'static str,
        risk: Risk,
        effect: &Effect,
        reason: impl Into<std::borrow::Cow<'a, str>>,
        instead: Option<String>,
    ) {
        self.hit_at(id, risk, effect.span, effect.certainty, reason, instead);
    }

    fn hit_at(
        &mut self,
        id: &'static str,
        risk: Risk,
        span: Span,
        certainty: Certainty,
        reason: impl Into<std::borrow::Cow<'a, str>>,
        instead: Option<String>,
    ) {
        if risk == Risk::Safe {
            return;
        }
        let Some(rule) = find(id) else { return };
        // The same rule on the same words is said once, at its worst.
        if let Some(known) = self
            .hits
            .iter_mut()
            .find(|hit| hit.id == id && hit.span == span)
        {
            if known.risk >= risk {
                return;
            }
            known.risk = risk;
            known.reason = reason.into();
            known.instead = instead;
            known.certainty = certainty;
            known.loses = rule.loses && risk >= Risk::High;
            return;
        }
        let mut hit = Hit::built_in(rule, risk, span, reason);
        hit.certainty = certainty;
        hit.instead = instead;
        self.hits.push(hit);
    }

    /// The call that causes an effect.
    fn call(&self, effect: &Effect) -> Option<&'a Invocation> {
        self.request
            .analysis
            .invocations
            .iter()
            .find(|call| causes(call, effect))
    }

    /// The text of the call that causes an effect, such as `kubectl delete ns x`.
    fn call_text(&self, effect: &Effect) -> Option<&'a str> {
        let text = self.call(effect)?.span.of(self.request.text).trim();
        (!text.is_empty() && !text.contains(['\n', '`']) && text.len() < 400).then_some(text)
    }

    /// The call with a flag more.
    fn with_flag(&self, effect: &Effect, flag: &str) -> Option<String> {
        self.call_text(effect)
            .filter(|text| !text.contains("--dry-run"))
            .map(|text| format!("{text} {flag}"))
    }

    /// One of these flags stands in the call, before `--`.
    fn has_flag(&self, effect: &Effect, flags: &[&str]) -> bool {
        self.call(effect).is_some_and(|call| {
            call.args
                .iter()
                .map(|arg| arg.text())
                .take_while(|text| *text != "--")
                .any(|text| flags.contains(&text))
        })
    }

    fn is_agent(&self) -> bool {
        self.request.subject.origin == cmdai_schema::OriginKind::Agent
    }

    /// Runs with other rights through one of the wrappers.
    fn is_privileged(effect: &Effect) -> bool {
        effect
            .chain
            .iter()
            .any(|program| matches!(program.as_str(), "sudo" | "doas" | "su" | "pkexec" | "run0"))
    }
}

/// Every built-in hit of a command, without decisions.
pub(crate) fn judge<'a>(request: &'a Request<'a>) -> Vec<Hit<'a>> {
    let places = Places::new(request.facts);
    let mut judge = Judge {
        request,
        places,
        hits: Vec::new(),
    };
    for effect in &request.analysis.effects {
        files::judge(&mut judge, effect);
        code::judge(&mut judge, effect);
        git::judge(&mut judge, effect);
        resources::judge(&mut judge, effect);
        secrets::judge(&mut judge, effect);
        system::judge(&mut judge, effect);
        self_protection::judge(&mut judge, effect);
        agents::judge(&mut judge, effect);
        rights::judge(&mut judge, effect);
        exposing::judge(&mut judge, effect);
        fetched::judge(&mut judge, effect);
    }
    code::judge_whole(&mut judge);
    containers::judge_calls(&mut judge);
    system::judge_calls(&mut judge);
    self_protection::judge_calls(&mut judge);
    agents::judge_calls(&mut judge);
    bulk::judge_calls(&mut judge);
    rights::judge_calls(&mut judge);
    exposing::judge_calls(&mut judge);
    outgoing::judge_calls(&mut judge);
    outgoing::packed_secret(&mut judge);
    spying::judge_calls(&mut judge);
    spying::judge_load(&mut judge);
    fetched::judge_whole(&mut judge);
    code::lasting_code(&mut judge);
    instead::offer(&mut judge);
    judge.hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_is_sorted_and_complete() {
        assert!(catalogue().windows(2).all(|pair| pair[0].id < pair[1].id));
        for rule in catalogue() {
            assert!(!rule.reason.ends_with('.'), "{}", rule.id);
            assert_eq!(find(rule.id), Some(rule));
        }
    }

    /// Every id that a pack names is in the catalogue, and every rule of the catalogue is used.
    #[test]
    fn packs_name_known_rules() {
        let sources = [
            include_str!("files.rs"),
            include_str!("agents.rs"),
            include_str!("bulk.rs"),
            include_str!("exposing.rs"),
            include_str!("fetched.rs"),
            include_str!("outgoing.rs"),
            include_str!("rights.rs"),
            include_str!("spying.rs"),
            include_str!("code.rs"),
            include_str!("git.rs"),
            include_str!("instead/mod.rs"),
            include_str!("resources.rs"),
            include_str!("providers.rs"),
            include_str!("containers.rs"),
            include_str!("databases.rs"),
            include_str!("secrets.rs"),
            include_str!("system.rs"),
            include_str!("self_protection.rs"),
            include_str!("agents.rs"),
        ];
        let whole = sources.concat();
        for rule in catalogue() {
            assert!(
                rule.id == "org.quarantine" || whole.contains(&format!("\"{}\"", rule.id)),
                "{} is never used",
                rule.id
            );
        }
        for piece in whole.split('"').skip(1).step_by(2) {
            let looks = piece.split_once('.').is_some_and(|(pack, name)| {
                [
                    "fs", "disk", "net", "exec", "priv", "acct", "persist", "k8s", "iac", "db",
                    "pkg", "svc", "proc", "backup", "host",
                ]
                .contains(&pack)
                    && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            });
            assert!(
                !looks || find(piece).is_some(),
                "{piece} is not in the catalogue"
            );
        }
    }
}
