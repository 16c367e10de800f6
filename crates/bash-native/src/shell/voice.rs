//! How the gate speaks in this shell.

use cmdai_gate::Voice;
use cmdai_gate::render::View;

use crate::terminal;

/// Messages on standard error, and questions at the keyboard.
pub(super) struct TerminalVoice {
    /// Inside readline: the cursor stands at the end of the typed line, and readline itself will
    /// end the last line of the message.
    pub(super) raw: bool,
}

impl Voice for TerminalVoice {
    fn say(&mut self, message: &str) {
        if message.is_empty() {
            return;
        }
        if self.raw {
            // Readline ends the last line of what stands on the screen when it hands the line over.
            terminal::say("\n");
            terminal::say(message.trim_end_matches('\n'));
        } else {
            terminal::say(message);
        }
    }

    fn confirm(&mut self) -> bool {
        if self.raw {
            terminal::say("\n");
        }
        terminal::ask(self.raw)
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}
