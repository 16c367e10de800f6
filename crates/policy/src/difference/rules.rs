//! Rules, settings of built-in rules, blocked patterns, tools and exceptions.

use cmdai_schema::{Decision, Mode, Risk};

use super::reach::{self, Reach};
use super::{Changes, Direction, tolerance};
use crate::compiled::pattern_id;
use crate::document::{
    BlockedPattern, Document, Exception, Rule, Target, Tolerance, Tool, ToolsMode,
};
use crate::packs;

/// What follows when a rule fires.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Force {
    decision: Decision,
    mode: Mode,
    risk: Risk,
}

impl Force {
    /// What a hit adds to the decision.
    fn effective(self) -> Decision {
        match self.mode {
            Mode::Enforce => self.decision,
            Mode::Warn => self.decision.min(Decision::Warn),
            Mode::Monitor | Mode::Off => Decision::Allow,
        }
    }

    /// Strictness first, then whether it is at least recorded, then how bad it is called.
    fn key(self) -> (Decision, bool, Risk) {
        (self.effective(), self.mode != Mode::Off, self.risk)
    }

    fn words(self) -> String {
        match self.mode {
            Mode::Enforce => format!("{}, {} risk", self.decision, self.risk),
            Mode::Off => "off".to_owned(),
            mode => format!("{} in mode {}", self.decision, mode_word(mode)),
        }
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Monitor => "monitor",
        Mode::Warn => "warn",
        Mode::Enforce => "enforce",
    }
}

/// Compares everything that fires.
pub(super) fn compare(was: &Document, is: &Document, changes: &mut Changes) {
    own_rules(was, is, changes);
    built_in(was, is, changes);
    patterns(was, is, changes);
    tools(was, is, changes);
    exceptions(&was.exceptions, &is.exceptions, changes);
}

fn own_rules(was: &Document, is: &Document, changes: &mut Changes) {
    fn own(document: &Document) -> impl Iterator<Item = &Rule> {
        document.rules.iter().filter(|rule| rule.when.is_some())
    }
    for new in own(is) {
        let subject = format!("rule {}", new.id);
        let now = force(new, tolerance(is));
        let line = Some(new.at.0.line);
        let Some(old) = own(was).find(|old| old.id == new.id) else {
            let direction = if now.effective() > Decision::Allow {
                Direction::Stricter
            } else {
                Direction::Wording
            };
            changes.push(direction, subject, None, Some(now.words()), line);
            continue;
        };
        // Who approves is compared as a setting.
        let the_same = Rule {
            approval: old.approval,
            ..new.clone()
        };
        if *old == the_same {
            continue;
        }
        // Tolerance is compared as a setting; here both are read with the new one.
        let before = force(old, tolerance(is));
        let fires = match (&old.when, &new.when) {
            (Some(old), Some(new)) => reach::of_condition(old, new),
            _ => Reach::Same,
        };
        let reach = reach::both(fires, reach::of_target(&old.applies_to, &new.applies_to));
        let unknown = Direction::of(&unknown_of(old), &unknown_of(new));
        let idle = before.effective() == Decision::Allow && now.effective() == Decision::Allow;
        let direction = if idle && before.mode == now.mode {
            Direction::Wording
        } else {
            Direction::of(&before.key(), &now.key())
                .and(reach.direction())
                .and(unknown)
        };
        changes.push(
            direction,
            subject,
            Some(before.words()),
            Some(with_reach(now.words(), reach)),
            line,
        );
    }
    for old in own(was).filter(|old| !own(is).any(|new| new.id == old.id)) {
        let before = force(old, tolerance(was));
        let direction = if before.effective() > Decision::Allow {
            Direction::Looser
        } else {
            Direction::Wording
        };
        changes.push(
            direction,
            format!("rule {}", old.id),
            Some(before.words()),
            None,
            Some(old.at.0.line),
        );
    }
}

/// What happens where a fact is not known.
fn unknown_of(rule: &Rule) -> Decision {
    let decision = rule.decision.unwrap_or(Decision::Confirm);
    rule.unknown.unwrap_or(crate::decide::unsure(decision))
}

fn with_reach(words: String, reach: Reach) -> String {
    match reach {
        Reach::Same => words,
        Reach::Wider => format!("{words}; fires in more cases"),
        Reach::Narrower => format!("{words}; fires in fewer cases"),
        Reach::Mixed => format!("{words}; fires in other cases"),
    }
}

fn force(rule: &Rule, tolerance: Tolerance) -> Force {
    let risk = rule.risk.unwrap_or(match rule.decision {
        Some(Decision::Allow) => Risk::Safe,
        Some(Decision::Warn) => Risk::Moderate,
        _ => Risk::High,
    });
    Force {
        decision: rule.decision.unwrap_or_else(|| tolerance.decision(risk)),
        mode: rule.mode.unwrap_or_default(),
        risk,
    }
}

/// Settings of built-in rules, each by id and by whom it is for.
fn built_in(was: &Document, is: &Document, changes: &mut Changes) {
    fn settings(document: &Document) -> impl Iterator<Item = &Rule> {
        document.rules.iter().filter(|rule| rule.when.is_none())
    }
    // The first setting of an id and target wins, as in the snapshot.
    let find = |document: &Document, id: &str, target: &Target| -> Option<Force> {
        let rule = packs::find(id)?;
        let base = tolerance(is);
        let setting =
            settings(document).find(|other| other.id == id && other.applies_to == *target);
        let risk = setting
            .and_then(|setting| setting.risk)
            .unwrap_or(rule.risk);
        let decision = setting
            .and_then(|setting| setting.decision)
            .unwrap_or_else(|| base.decision(risk));
        let mode = setting.and_then(|setting| setting.mode).unwrap_or_default();
        let floor = rule.floor.then_some(Force {
            decision: decision.max(Decision::Deny),
            mode: Mode::Enforce,
            risk: risk.max(rule.risk),
        });
        Some(floor.unwrap_or(Force {
            decision,
            mode,
            risk,
        }))
    };
    let mut seen: Vec<(&str, &Target)> = Vec::new();
    for setting in settings(is).chain(settings(was)) {
        let key = (setting.id.as_str(), &setting.applies_to);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let (Some(before), Some(now)) = (find(was, key.0, key.1), find(is, key.0, key.1)) else {
            continue;
        };
        if before == now {
            continue;
        }
        let whom = if key.1.is_everywhere() {
            ""
        } else {
            " for some"
        };
        let here = settings(is).any(|other| (other.id.as_str(), &other.applies_to) == key);
        changes.push(
            Direction::of(&before.key(), &now.key()),
            format!("rule {}{whom}", key.0),
            Some(before.words()),
            Some(now.words()),
            here.then_some(setting.at.0.line),
        );
    }
}

fn patterns(was: &Document, is: &Document, changes: &mut Changes) {
    let force = |pattern: &BlockedPattern| Force {
        decision: pattern.decision.unwrap_or(Decision::Deny),
        mode: pattern.mode.unwrap_or_default(),
        risk: pattern.risk.unwrap_or(Risk::High),
    };
    let (old, new) = (&was.safety.blocked_patterns, &is.safety.blocked_patterns);
    let text = |pattern: &BlockedPattern| {
        let text = pattern.pattern.as_deref().or(pattern.regex.as_deref());
        text.unwrap_or("").to_owned()
    };
    let same = |a: &BlockedPattern, b: &BlockedPattern| pattern_id(a) == pattern_id(b);
    for pattern in new {
        let subject = format!("blocked pattern `{}`", text(pattern));
        let line = Some(pattern.at.0.line);
        let now = force(pattern);
        match old.iter().find(|other| same(other, pattern)) {
            None => changes.push(
                Direction::of(&Decision::Allow, &now.effective()),
                subject,
                None,
                Some(now.words()),
                line,
            ),
            Some(before) if before == pattern => {}
            Some(before) => {
                let moved =
                    if (&before.pattern, &before.regex) == (&pattern.pattern, &pattern.regex) {
                        Direction::Wording
                    } else {
                        Direction::Unclear
                    };
                changes.push(
                    Direction::of(&force(before).key(), &now.key()).and(moved),
                    subject,
                    Some(format!("`{}`: {}", text(before), force(before).words())),
                    Some(now.words()),
                    line,
                );
            }
        }
    }
    for pattern in old
        .iter()
        .filter(|pattern| !new.iter().any(|other| same(other, pattern)))
    {
        changes.push(
            Direction::of(&force(pattern).effective(), &Decision::Allow),
            format!("blocked pattern `{}`", text(pattern)),
            Some(force(pattern).words()),
            None,
            Some(pattern.at.0.line),
        );
    }
}

fn tools(was: &Document, is: &Document, changes: &mut Changes) {
    let listed = match is.tools_mode {
        // Under an allow-list, to be listed is to be permitted.
        ToolsMode::Allowlist => Direction::Looser,
        ToolsMode::Listed => Direction::Stricter,
    };
    for tool in &is.allowed_tools {
        let subject = format!("tool {}", tool.name);
        let line = Some(tool.at.0.line);
        let Some(before) = was
            .allowed_tools
            .iter()
            .find(|other| other.name == tool.name)
        else {
            changes.push(listed, subject, None, Some("listed".to_owned()), line);
            continue;
        };
        if before == tool {
            continue;
        }
        let conditions = [
            required(&before.versions, &tool.versions),
            permitted(&before.approved_contexts, &tool.approved_contexts),
            required(&before.blocked_contexts, &tool.blocked_contexts),
            permitted(&before.approved_profiles, &tool.approved_profiles),
            required(&before.required_flags, &tool.required_flags),
            Direction::of(
                &before.unknown.unwrap_or(Decision::Warn),
                &tool.unknown.unwrap_or(Decision::Warn),
            ),
            Direction::of(
                &before.decision.unwrap_or(Decision::Deny),
                &tool.decision.unwrap_or(Decision::Deny),
            ),
        ];
        let direction = conditions
            .into_iter()
            .fold(Direction::Wording, Direction::and);
        changes.push(
            direction,
            subject,
            Some(tool_words(before)),
            Some(tool_words(tool)),
            line,
        );
    }
    for tool in was
        .allowed_tools
        .iter()
        .filter(|tool| !is.allowed_tools.iter().any(|other| other.name == tool.name))
    {
        changes.push(
            super::opposite(listed),
            format!("tool {}", tool.name),
            Some(tool_words(tool)),
            None,
            Some(tool.at.0.line),
        );
    }
}

/// Conditions that must all hold: one more is stricter.
fn required(was: &[String], is: &[String]) -> Direction {
    let added = is.iter().any(|name| !was.contains(name));
    let removed = was.iter().any(|name| !is.contains(name));
    match (added, removed) {
        (false, false) => Direction::Wording,
        (true, false) => Direction::Stricter,
        (false, true) => Direction::Looser,
        (true, true) => Direction::Unclear,
    }
}

/// What is permitted; an empty list permits everything.
fn permitted(was: &[String], is: &[String]) -> Direction {
    match (was.is_empty(), is.is_empty()) {
        (true, false) => Direction::Stricter,
        (false, true) => Direction::Looser,
        _ => super::opposite(required(was, is)),
    }
}

fn tool_words(tool: &Tool) -> String {
    let mut words = Vec::new();
    for (name, list) in [
        ("versions", &tool.versions),
        ("approved contexts", &tool.approved_contexts),
        ("blocked contexts", &tool.blocked_contexts),
        ("approved profiles", &tool.approved_profiles),
        ("required flags", &tool.required_flags),
    ] {
        if !list.is_empty() {
            words.push(format!("{name} {}", list.join(" ")));
        }
    }
    if words.is_empty() {
        "listed".to_owned()
    } else {
        words.join(", ")
    }
}

fn exceptions(was: &[Exception], is: &[Exception], changes: &mut Changes) {
    let same = |a: &Exception, b: &Exception| {
        a.rule == b.rule && a.scope == b.scope && a.pattern == b.pattern
    };
    let subject = |exception: &Exception| format!("exception from {}", exception.rule.join(", "));
    let words = |exception: &Exception| format!("until {}", exception.until);
    for exception in is {
        let line = Some(exception.at.0.line);
        match was.iter().find(|other| same(other, exception)) {
            None => changes.push(
                Direction::Looser,
                subject(exception),
                None,
                Some(words(exception)),
                line,
            ),
            Some(before) if before == exception => {}
            Some(before) => changes.push(
                super::opposite(Direction::of(&before.until, &exception.until)),
                subject(exception),
                Some(words(before)),
                Some(words(exception)),
                line,
            ),
        }
    }
    for exception in was
        .iter()
        .filter(|exception| !is.iter().any(|other| same(other, exception)))
    {
        changes.push(
            Direction::Stricter,
            subject(exception),
            Some(words(exception)),
            None,
            Some(exception.at.0.line),
        );
    }
}
