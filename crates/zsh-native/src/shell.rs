//! The hooked zsh: what happens at Enter, when a line begins, and how the second net is asked.

use std::ffi::c_int;

use cmdai_gate::{Action, Judged, Outcome, Settled};
use cmdai_native::{Asking, Crashes, Hook, Host, Manners, TEXT_LIMIT};

use crate::symbols::Symbols;

/// Answer of `enter` where `ask` has to settle it.
const TO_BE_ASKED: c_int = 3;

/// What becomes of a line that is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It runs, and the DEBUG trap could see nothing in it but what was judged with it.
    RunsAlone,
    /// It runs under the trap.
    Runs,
    /// The DEBUG trap will stop it before its first command.
    Stopped,
    /// There is no trap to do that: it is stopped as by Ctrl-C.
    Interrupted,
}

/// A line that was judged at Enter.
struct Typed {
    text: String,
    cwd: String,
    outcome: Judged,
    /// Somebody answered for it already.
    settled: Option<Settled>,
}

/// One hooked shell.
pub(crate) struct Shell {
    pub(crate) hook: Hook<Symbols>,
    interactive: bool,
    typed: Option<Typed>,
    /// Names of the functions that zsh calls before a prompt.
    at_prompt: String,
}

impl Shell {
    /// Hooks this shell. `version` is the shell's name and version.
    pub(crate) fn start(symbols: Symbols, version: &str, interactive: bool) -> Self {
        Self {
            hook: Hook::start(symbols, version, interactive),
            interactive,
            typed: None,
            at_prompt: String::new(),
        }
    }

    /// Enter was pressed: the whole command, as it was typed. Zero where zsh may have it.
    pub(crate) fn enter(&mut self, text: &str) -> c_int {
        cmdai_gate::fault::point("hook");
        self.typed = None;
        // Should the prompt's hook have been lost, the line before ends here.
        if self.hook.in_line {
            self.line_ended(self.hook.host.status());
        }
        if text.trim().is_empty() {
            return 0;
        }
        let (outcome, cwd) = self.hook.judge(text);
        if !outcome.analysis.complete && text.len() < TEXT_LIMIT {
            return 0;
        }
        let asks = self.interrupts(&outcome);
        self.typed = Some(Typed {
            text: text.to_owned(),
            cwd,
            outcome,
            settled: None,
        });
        if asks { TO_BE_ASKED } else { 0 }
    }

    /// Says why the line is interrupted, and asks where that can be answered. Zero where it may run.
    pub(crate) fn ask(&mut self) -> c_int {
        let Some(mut typed) = self.typed.take() else {
            return 0;
        };
        let manners = Manners {
            asking: Asking::Key,
            part: false,
        };
        let settled = self
            .hook
            .settle(&typed.text, &typed.cwd, &typed.outcome, manners);
        if !settled.run && self.hook.enforces() {
            return c_int::from(settled.status);
        }
        typed.settled = Some(settled);
        self.typed = Some(typed);
        0
    }

    /// zsh has read a line and is about to run it: as it was typed, with history expanded (empty where
    /// zsh does not know), and as zsh understood it.
    pub(crate) fn begin(&mut self, typed: &str, parsed: &str) -> Begun {
        cmdai_gate::fault::point("hook");
        self.at_prompt = self
            .hook
            .host
            .variable("precmd_functions")
            .unwrap_or_default();
        if self.hook.in_line {
            self.hook.line_ended(self.hook.host.status());
        }
        let text = if typed.is_empty() { parsed } else { typed };
        let known = self
            .typed
            .take()
            .filter(|known| typed.is_empty() || same_words(&known.text, typed));
        let (judged, answered) = match known {
            Some(known) => ((known.text, known.cwd, known.outcome), known.settled),
            None => {
                let (outcome, cwd) = self.hook.judge(text);
                ((text.to_owned(), cwd, outcome), None)
            }
        };
        let (text, cwd, outcome) = judged;
        let manners = Manners {
            asking: Asking::Line,
            part: false,
        };
        let settled = answered.unwrap_or_else(|| self.hook.settle(&text, &cwd, &outcome, manners));
        if !settled.run && self.hook.enforces() {
            return self.stop(settled.status);
        }
        self.hook.line_begins(&outcome, &text, &settled);
        // Aliases that stand anywhere in a line are known only to zsh.
        if self.hook.host.uses_other_aliases(&text) && self.hook.before_simple(parsed, false) != 0 {
            return self.stopping();
        }
        if self.hook.host.runs_only_what_stands_there(&text) {
            Begun::RunsAlone
        } else {
            Begun::Runs
        }
    }

    /// Our function still stands among those that zsh calls before a line.
    pub(crate) fn is_before_lines(&self) -> bool {
        let named = self.hook.host.variable("preexec_functions");
        named.is_some_and(|names| names.split(' ').any(|name| name == "__cmdai_preexec"))
    }

    fn stop(&mut self, status: u8) -> Begun {
        self.hook.line_is_stopped(c_int::from(status));
        self.stopping()
    }

    fn stopping(&self) -> Begun {
        if self.hook.host.traps_come_first() {
            Begun::Stopped
        } else {
            Begun::Interrupted
        }
    }

    /// The DEBUG trap fired for a command. Zero where it may run, else the status of the block.
    pub(crate) fn before_command(&mut self, text: &str) -> c_int {
        if self.interactive && self.is_at_prompt() {
            return 0;
        }
        let status = self.hook.before_simple(text, false);
        if status != 0 && !self.interactive {
            // A file that is sourced ends here, and with the next command so does who sourced it.
            self.hook.line_is_stopped(status);
        }
        status
    }

    /// What runs is the prompt's own business: the line has ended, only its end was not told yet.
    fn is_at_prompt(&self) -> bool {
        self.hook
            .host
            .outermost_function()
            .is_some_and(|outermost| {
                outermost == "precmd"
                    || outermost.starts_with("__cmdai_")
                    || self
                        .at_prompt
                        .split(' ')
                        .any(|function| function == outermost)
            })
    }

    /// A prompt is about to be shown.
    pub(crate) fn line_ended(&mut self, status: c_int) {
        self.typed = None;
        self.hook.line_ended(status);
    }

    /// Keeps the text of a DEBUG trap that somebody else set. Zero where there is one.
    pub(crate) fn keep_other_trap(&mut self) -> c_int {
        match self.hook.host.other_trap() {
            Some(trap) => {
                self.hook.host.set_variable(c"__cmdai_other_trap", &trap);
                0
            }
            None => 1,
        }
    }

    fn interrupts(&self, outcome: &Outcome) -> bool {
        let governed = self.hook.gate.installation().is_governed();
        matches!(
            outcome.action(self.hook.can_answer(), governed),
            Action::Ask | Action::Approve | Action::Block
        )
    }
}

impl Crashes for Shell {
    fn crashed(&mut self) -> bool {
        self.hook.crashed()
    }
}

/// Two texts are the same command: history may keep a line with its blanks squeezed.
fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
