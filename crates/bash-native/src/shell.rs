//! The hooked bash: what happens at Enter, and how the second net is asked.

use cmdai_gate::Action;
use cmdai_native::{Asking, Crashes, Hook, Host, Manners, TEXT_LIMIT};
use cmdai_schema::Decision;

use crate::symbols::Symbols;

/// Part of our DEBUG trap by which it is recognised.
pub(crate) const TRAP_MARK: &str = "__cmdai debug";
/// How the integration sets its own trap, word by word: what begins alike may go on otherwise.
const OWN_TRAPS: [&str; 4] = [
    "trap -- '__cmdai debug \"$BASH_COMMAND\"' DEBUG",
    "trap -- '__cmdai debug \"$BASH_COMMAND\" \"$_\" || exit $?' DEBUG",
    "trap -- '__cmdai debug \"$BASH_COMMAND\" || exit $?' DEBUG",
    "trap -- '__cmdai debug \"$BASH_COMMAND\" && { [[ ${#FUNCNAME[@]} -gt 0 || $BASH_SUBSHELL -gt 0 ]] || { __cmdai status; eval \"$__cmdai_other_trap\"; }; :; }' DEBUG",
];

/// What to do with the line at Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnter {
    /// Hand it to bash.
    Pass,
    /// Bash gets an empty line instead.
    Drop,
    /// Bash is in the middle of a command: it is interrupted.
    Interrupt,
}

/// One hooked shell.
pub(crate) struct Shell {
    pub(crate) hook: Hook<Symbols>,
    /// Enter is bound: whole lines are judged before any part of them runs.
    pub(crate) whole_lines: bool,
    /// Physical lines of the command being typed.
    typed: String,
    /// A line was handed over unjudged, because it looked as if more of it would come.
    open: bool,
}

impl Shell {
    /// Hooks this shell. `version` is the shell's name and version.
    pub(crate) fn start(symbols: Symbols, version: &str, interactive: bool) -> Self {
        Self {
            hook: Hook::start(symbols, version, interactive),
            whole_lines: false,
            typed: String::new(),
            open: false,
        }
    }

    /// The running bash.
    pub(crate) fn symbols(&self) -> &Symbols {
        &self.hook.host
    }

    /// Enter was pressed on a physical line.
    pub(crate) fn enter(&mut self) -> AtEnter {
        cmdai_gate::fault::point("hook");
        // A line that runs has asked for an answer (`read -e`), which is none of our business.
        if self.symbols().runs_line() {
            return AtEnter::Pass;
        }
        let line = self.symbols().line();
        let first = self.symbols().lines_read() == 0;
        if first {
            self.typed.clear();
            // Should the prompt's hook have been lost, the line before ends here.
            if self.hook.in_line {
                self.line_ended(self.symbols().status());
            }
            if let Some(status) = self.hook.status_owed.take() {
                self.symbols().set_status(status);
            }
        } else {
            self.typed.push('\n');
        }
        let expanded = self.symbols().expand_history(&line);
        self.typed.push_str(expanded.as_deref().unwrap_or(&line));
        if self.typed.trim().is_empty() {
            return AtEnter::Pass;
        }
        let text = self.typed.clone();
        let (outcome, cwd) = self.hook.judge(&text);
        self.open = !outcome.analysis.complete && text.len() < TEXT_LIMIT;
        if self.open {
            return AtEnter::Pass;
        }
        let governed = self.hook.gate.installation().is_governed();
        let interrupts = matches!(
            outcome.action(self.hook.can_answer(), governed),
            Action::Ask | Action::Approve | Action::Block
        );
        if interrupts || outcome.judgement.decision == Decision::Warn {
            self.symbols().show_whole_line();
        }
        let manners = Manners {
            asking: Asking::InEditor,
            part: false,
        };
        let settled = self.hook.settle(&text, &cwd, &outcome, manners);
        if settled.run || !self.hook.enforces() {
            self.hook.line_begins(&outcome, &text, &settled);
            self.open = false;
            return AtEnter::Pass;
        }
        let status = i32::from(settled.status);
        if first {
            self.symbols().remember(&line);
            self.symbols().set_status(status);
            AtEnter::Drop
        } else {
            self.hook.status_owed = Some(status);
            AtEnter::Interrupt
        }
    }

    /// The DEBUG trap fired for a simple command. Zero where it may run, else the status of the
    /// block.
    pub(crate) fn before_simple(&mut self, text: &str) -> i32 {
        // Another tool's prompt command came before ours: the line has ended, and what it stopped goes on.
        if self.hook.in_line && self.symbols().between_lines() {
            self.line_ended(self.symbols().status());
        }
        let unjudged = !self.whole_lines
            || (self.open && self.symbols().variable("COMP_LINE").is_none())
            || self.symbols().runs_from_editor();
        let status = self.hook.before_simple(text, unjudged);
        if self.hook.in_line {
            self.open = false;
        }
        status
    }

    /// A prompt is about to be shown.
    pub(crate) fn line_ended(&mut self, status: i32) {
        self.hook.line_ended(status);
        self.open = false;
    }
}

impl Crashes for Shell {
    fn crashed(&mut self) -> bool {
        self.hook.crashed()
    }
}

/// Part of the integration itself.
pub(crate) fn is_own(text: &str) -> bool {
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
