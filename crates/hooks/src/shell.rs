//! A command judged by a process of its own: what `cmdai hook shell` does for shells that cannot
//! load a native module. Slow (a process each time) and said so by the scripts that call it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use cmdai_effects::NoSession;
use cmdai_gate::render::View;
use cmdai_gate::{Gate, Manner, Recorder, Request, SessionInfo, Signals, Voice, origin};
use cmdai_languages::Grammars;
use cmdai_schema::{Dialect, Layer};

/// What to judge.
#[derive(Debug, Clone)]
pub struct ShellCommand<'a> {
    /// Text as the shell gives it.
    pub text: &'a str,
    /// Language.
    pub dialect: Dialect,
    /// The shell reads lines from a person.
    pub interactive: bool,
}

/// Judges, asks, records. Gives 0 where it may run, else 126, or 75 where it waits for an approval.
pub fn judge(command: &ShellCommand<'_>) -> u8 {
    let mut gate = Gate::open();
    let person = gate.person().clone();
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let parents = origin::ancestors();
    let who = origin::attribute(&Signals {
        variable: &|name| std::env::var(name).ok(),
        terminal,
        interactive: command.interactive,
        parents: &parents,
    });
    let session = SessionInfo {
        id: std::env::var("CMDAI_SESSION").unwrap_or_default(),
        layer: Layer::Shell,
        who: who.clone(),
        shared: true,
    };
    let cwd = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let request = Request {
        text: command.text,
        dialect: command.dialect,
        cwd: cwd.to_str().unwrap_or("/"),
        home: person.home_text(),
        user: &person.login,
        session: &NoSession,
        languages: &Grammars,
        who: &who,
        terminal: terminal && who.agent.is_none(),
        facts: None,
    };
    let outcome = gate.judge(&request);
    let mut recorder = Recorder::open(gate.installation(), &person, session);
    gate.settle(
        &request,
        &outcome,
        &mut Terminal,
        &mut recorder,
        Manner::default(),
    )
    .status
}

/// Messages on standard error, questions on standard input.
#[derive(Debug, Default)]
pub struct Terminal;

impl Voice for Terminal {
    fn say(&mut self, message: &str) {
        let _ = std::io::stderr().write_all(message.as_bytes());
    }

    fn confirm(&mut self) -> bool {
        self.say("run it? [y/N] ");
        let mut answer = String::new();
        let read = std::io::Read::take(std::io::stdin().lock(), 1024).read_line(&mut answer);
        read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}
