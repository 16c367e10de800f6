//! How the gate speaks in a shell.

use std::ffi::c_int;

use cmdai_gate::Voice;
use cmdai_gate::render::View;

use crate::terminal::{self, Asking};

/// Messages on standard error, and questions at the keyboard.
pub(crate) struct TerminalVoice {
    pub(crate) keyboard: c_int,
    pub(crate) asking: Asking,
}

impl Voice for TerminalVoice {
    fn say(&mut self, message: &str) {
        if message.is_empty() {
            return;
        }
        if self.asking == Asking::InEditor {
            // The editor ends the last line of what stands on the screen when it hands the line over.
            terminal::say("\n");
            terminal::say(message.trim_end_matches('\n'));
        } else {
            terminal::say(message);
        }
    }

    fn confirm(&mut self) -> bool {
        if self.asking == Asking::InEditor {
            terminal::say("\n");
        }
        terminal::ask(self.keyboard, self.asking)
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}
