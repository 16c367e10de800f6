//! The second net: each simple command, as a shell's DEBUG trap shows it.

use std::path::PathBuf;

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
        if literal && self.was_judged(text) {
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
        let decision = self.remembered.get(text).copied()?;
        (self.remembered_for == self.key()).then_some(decision)
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
    fn key(&self) -> (u64, PathBuf) {
        let cwd = std::env::current_dir().unwrap_or_default();
        (self.gate.policies().generation(), cwd)
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

/// Nothing in it depends on the state of the shell. The command `[` is a word of its own: a blank ends
/// what would be a pattern.
fn is_literal<H: Host>(text: &str) -> bool {
    let text = text.strip_prefix("[ ").unwrap_or(text);
    !text.contains(['$', '`', '*', '?', '[', '{', '~', '!']) && !text.contains(H::ALSO_EXPANDED)
}

/// One command in two writings: a shell that shows a command puts a blank behind each redirection's
/// sign, whether one was typed or not.
pub(crate) fn same_command(typed: &str, shown: &str) -> bool {
    typed == shown || Unspaced::of(typed).eq(Unspaced::of(shown))
}

/// The bytes of a command without blanks behind the signs of its redirections.
struct Unspaced<'a> {
    rest: std::slice::Iter<'a, u8>,
    quote: Option<u8>,
    escaped: bool,
    behind_sign: bool,
}

impl<'a> Unspaced<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes().iter(),
            quote: None,
            escaped: false,
            behind_sign: false,
        }
    }
}

impl Iterator for Unspaced<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.rest.next()?;
            if byte == b' ' && self.behind_sign {
                continue;
            }
            self.behind_sign = false;
            if self.escaped {
                self.escaped = false;
            } else {
                match (self.quote, byte) {
                    (None | Some(b'"'), b'\\') => self.escaped = true,
                    (Some(open), close) if open == close => self.quote = None,
                    (None, b'\'' | b'"') => self.quote = Some(byte),
                    (None, b'<' | b'>') => self.behind_sign = true,
                    _ => {}
                }
            }
            return Some(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_behind_redirections_make_no_other_command() {
        for (typed, shown, same) in [
            ("echo a >/dev/null", "echo a > /dev/null", true),
            ("echo a >>x 2>y", "echo a >> x 2> y", true),
            ("cat <in", "cat < in", true),
            ("printf '%s' b >x", "printf '%s' b > x", true),
            ("echo a", "echo a", true),
            // A number before the sign is part of it, or a word.
            ("echo 2>x", "echo 2 >x", false),
            ("rm -r /a b", "rm -r /ab", false),
            ("rm -r / a", "rm -r /a", false),
            ("sh -c 'a > b'", "sh -c 'a >b'", false),
            ("sh -c \"a > b\"", "sh -c \"a >b\"", false),
            ("echo \\> b", "echo \\>b", false),
            ("echo \"\\\"\" > b", "echo \"\\\"\" >b", true),
            ("echo a", "echo a b", false),
        ] {
            assert_eq!(same_command(typed, shown), same, "{typed} | {shown}");
        }
    }
}
