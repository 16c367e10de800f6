//! The second net: each simple command, as the DEBUG trap shows it.

use cmdai_gate::{Outcome, RULE_INTERNAL_ERROR};
use cmdai_schema::{Decision, EffectKind, Mode, RuleHit};

use super::{Shell, StoppedLine};

/// How the integration sets its own trap, word by word: what begins alike may go on otherwise.
const OWN_TRAPS: [&str; 3] = [
    "trap -- '__cmdai debug \"$BASH_COMMAND\"' DEBUG",
    "trap -- '__cmdai debug \"$BASH_COMMAND\" || exit $?' DEBUG",
    "trap -- '__cmdai debug \"$BASH_COMMAND\" && { [[ ${#FUNCNAME[@]} -gt 0 || $BASH_SUBSHELL -gt 0 ]] || { __cmdai status; eval \"$__cmdai_other_trap\"; }; :; }' DEBUG",
];
/// Most remembered decisions about simple commands.
const REMEMBERED: usize = 4096;

impl Shell {
    /// The DEBUG trap fired for a simple command. Zero where it may run, else the status of the
    /// block.
    pub(crate) fn before_simple(&mut self, text: &str) -> i32 {
        self.seen_status = self.symbols.status();
        if is_own(text) {
            return 0;
        }
        if let Some(stopped) = self.stopped {
            // Another command number is another line, even where the prompt's hook was lost.
            if stopped.number == self.symbols.command_number() && self.enforces() {
                return stopped.status;
            }
            self.stopped = None;
        }
        let literal = is_literal(text);
        if literal && self.judged.iter().any(|judged| judged == text) {
            return 0;
        }
        let child = std::process::id() != self.pid;
        // Without Enter, the first simple command of a line stands for the line. In a script each
        // new one at the first level has a record.
        let has_record = if self.interactive {
            let fresh = self.prompted && !self.in_line && !child;
            let unjudged = !self.whole_lines
                || (self.open && self.symbols.variable("COMP_LINE").is_none())
                || self.symbols.runs_from_editor();
            fresh && unjudged
        } else {
            let inside = self
                .symbols
                .variable("FUNCNAME")
                .is_some_and(|name| !name.is_empty());
            !inside && !child && !self.recorded.contains(text)
        };
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
        let settled = self.settle(text, &cwd, &outcome, false, !has_record);
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
            self.in_line = true;
            self.stopped = Some(StoppedLine {
                number: self.symbols.command_number(),
                status,
            });
            self.status_owed = Some(status);
        }
        status
    }

    /// Every rule that interrupts was answered for when the line was asked about.
    fn answered_for(&self, outcome: &Outcome) -> bool {
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

/// Part of the integration itself.
fn is_own(text: &str) -> bool {
    // A call of the builtin that does nothing else: no redirection, nothing expanded by running it.
    let call = |text: &str| {
        text.starts_with("__cmdai ")
            && !text.contains(['<', '>', '`', '\n', ';', '|', '&'])
            && !["$(", "${", "$["].iter().any(|begin| text.contains(begin))
    };
    matches!(
        text,
        "shopt -s extdebug"
            | "set -o functrace"
            | "[[ -n $__cmdai_other_trap ]]"
            | "unset __cmdai_prompt __cmdai_why"
    ) || OWN_TRAPS.contains(&text)
        || call(text)
}

/// The gate failed, so that the decision says nothing about the command.
fn was_not_judged(outcome: &Outcome) -> bool {
    let mut rules = outcome.judgement.rules.iter().peekable();
    rules.peek().is_some() && rules.all(|hit| hit.id == RULE_INTERNAL_ERROR)
}

/// The worst it does is to the traps of this shell, which mend themselves.
fn only_traps(outcome: &Outcome) -> bool {
    let traps = |hit: &RuleHit| hit.id == "self.protect" || hit.decision < Decision::Deny;
    outcome.judgement.rules.iter().all(traps)
        && outcome
            .analysis
            .effects
            .iter()
            .all(|effect| matches!(effect.kind, EffectKind::DisableSecurity { .. }))
}

/// Nothing in it depends on the state of the shell.
pub(super) fn is_literal(text: &str) -> bool {
    !text.contains(['$', '`', '*', '?', '[', '{', '~', '!'])
}
