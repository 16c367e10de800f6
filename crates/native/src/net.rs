//! The second net: each simple command, as a shell's DEBUG trap shows it.

use cmdai_gate::{Outcome, RULE_INTERNAL_ERROR};
use cmdai_schema::{Decision, EffectKind, Mode, RuleHit};

use crate::hook::{Hook, Manners, without_indentation};
use crate::host::Host;
use crate::terminal::Asking;

/// Most remembered decisions about simple commands.
const REMEMBERED: usize = 4096;

impl<H: Host> Hook<H> {
    /// A simple command is about to run. Zero where it may, else the status of the block.
    /// `line_unjudged` says that it may be the first of a line of the person that was not judged as
    /// a whole.
    pub fn before_simple(&mut self, text: &str, line_unjudged: bool) -> i32 {
        self.seen_status = self.host.status();
        if self.host.is_own(text) {
            return 0;
        }
        self.count_simple();
        if let Some(stopped) = self.stopped
            && !self.host.is_leaving()
        {
            // Another number is another line, even where the prompt's hook was lost.
            if stopped.number == self.host.line_number() && self.enforces() {
                return stopped.status;
            }
            self.stopped = None;
        }
        let literal = is_literal::<H>(text);
        if literal && self.judged.iter().any(|judged| judged == text) {
            return 0;
        }
        let has_record = self.has_record(text, line_unjudged);
        if literal && !has_record && self.remembered_decision(text) == Some(Decision::Allow) {
            return 0;
        }
        let (outcome, cwd) = self.judge(text);
        let decision = outcome.judgement.decision;
        if literal {
            self.remember_decision(text, decision);
        }
        // Start-up files, prompts and completions are not lines of a person: nobody is asked, and
        // only what is denied does not run.
        let own_time = self.interactive && !self.in_line && !has_record;
        // Another tool puts its trap in place; at the next prompt ours comes back in front. And where
        // nothing can be judged, the person's lines stop, and not the start of their shell.
        if own_time && (only_traps(&outcome) || was_not_judged(&outcome)) {
            return 0;
        }
        let passes = if own_time {
            Decision::RequireApproval
        } else {
            Decision::Warn
        };
        if !has_record && (decision <= passes || self.answered_for(&outcome)) {
            return 0;
        }
        if !self.interactive {
            self.end_running(self.seen_status);
            if self.recorded.len() < REMEMBERED {
                self.recorded.insert(text.to_owned());
            }
        }
        let manners = Manners {
            asking: Asking::Line,
            part: !has_record,
        };
        let settled = self.settle(text, &cwd, &outcome, manners);
        if settled.run || !self.enforces() {
            if has_record {
                self.line_begins(&outcome, text, &settled);
            } else {
                self.accepted.extend(settled.accepted);
            }
            return 0;
        }
        let status = i32::from(settled.status);
        if self.interactive && (self.in_line || has_record) {
            self.line_is_stopped(status);
            self.status_owed = Some(status);
        }
        status
    }

    /// Where whole lines are not seen, the first simple command of a line stands for the line. In a
    /// script each new one at the first level has a record, unless a compound command that it is part
    /// of has one.
    fn has_record(&self, text: &str, line_unjudged: bool) -> bool {
        if self.interactive {
            return self.prompted && !self.in_line && !self.is_child() && line_unjudged;
        }
        let part = || {
            H::SEES_COMPOUNDS
                && self
                    .running
                    .as_ref()
                    .is_some_and(|running| running.text.contains(&without_indentation(text)))
        };
        // What takes the shell's place is its last word, wherever it stands.
        let first_level = !self.host.inside_function() || text.starts_with("exec ");
        first_level && !self.is_child() && !self.recorded.contains(text) && !part()
    }

    /// Every rule that interrupts was answered for when the line was asked about.
    pub fn answered_for(&self, outcome: &Outcome) -> bool {
        let mut interrupting = outcome
            .judgement
            .rules
            .iter()
            .filter(|hit| hit.mode == Mode::Enforce && hit.decision.interrupts());
        outcome.judgement.decision < Decision::Deny
            && interrupting.all(|hit| self.accepted.contains(&hit.id))
    }

    fn remembered_decision(&self, text: &str) -> Option<Decision> {
        (self.remembered_for == self.key()).then(|| self.remembered.get(text).copied())?
    }

    fn remember_decision(&mut self, text: &str, decision: Decision) {
        let key = self.key();
        if self.remembered_for != key || self.remembered.len() >= REMEMBERED {
            self.remembered.clear();
            self.remembered_for = key;
        }
        self.remembered.insert(text.to_owned(), decision);
    }

    /// A decision is remembered for one policy and one working directory.
    fn key(&self) -> String {
        let cwd = std::env::current_dir().unwrap_or_default();
        format!("{} {}", self.gate.policies().generation(), cwd.display())
    }
}

/// The gate failed, so that the decision says nothing about the command.
fn was_not_judged(outcome: &Outcome) -> bool {
    let mut rules = outcome.judgement.rules.iter().peekable();
    rules.peek().is_some() && rules.all(|hit| hit.id == RULE_INTERNAL_ERROR)
}

/// The worst it does is to the traps of this shell, which mend themselves; other tools have it done by
/// their prompt command.
fn only_traps(outcome: &Outcome) -> bool {
    let traps = |hit: &RuleHit| hit.id == "self.protect" || hit.decision < Decision::Deny;
    outcome.judgement.rules.iter().all(traps)
        && outcome.analysis.effects.iter().all(|effect| {
            matches!(
                effect.kind,
                EffectKind::DisableSecurity { .. } | EffectKind::Persistence { path: None, .. }
            )
        })
}

/// Nothing in it depends on the state of the shell.
pub(crate) fn is_literal<H: Host>(text: &str) -> bool {
    !text.contains(['$', '`', '*', '?', '[', '{', '~', '!']) && !text.contains(H::ALSO_EXPANDED)
}
