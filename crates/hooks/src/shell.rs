//! A command judged by a process of its own: what `cmdai hook shell` does for shells that cannot
//! load a native module. Slow (a process each time) and said so by the scripts that call it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use cmdai_effects::NoSession;
use cmdai_gate::render::View;
use cmdai_gate::{
    Attribution, Failing, Gate, Manner, Recorder, Request, SessionInfo, Signals, Voice, origin,
};
use cmdai_languages::Grammars;
use cmdai_schema::{Dialect, Layer, exit_code};

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
///
/// Where this itself fails, the command does not run; from the second time in a session on commands
/// run and are recorded, unless policy says fail closed. The same holds in the native module.
pub fn judge(command: &ShellCommand<'_>) -> u8 {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| settle(command)))
        .unwrap_or_else(|_| crashed())
}

/// Counts the crashes of a session in a file of the person's, since each command has its own process.
fn crashed() -> u8 {
    let gate = Gate::open();
    let closed = gate.policies().failing() == Failing::Closed;
    let session: String = std::env::var("CMDAI_SESSION")
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(80)
        .collect();
    let folder = gate.person().state.join("sessions");
    let file = folder.join(format!("{session}.crashes"));
    let before = std::fs::metadata(&file).map_or(0, |meta| meta.len());
    let _ = std::fs::create_dir_all(&folder).and_then(|()| {
        let mut options = std::fs::OpenOptions::new();
        options
            .append(true)
            .create(true)
            .open(&file)?
            .write_all(b".")
    });
    let rest = match (before, closed) {
        (0, _) => return exit_code::BLOCKED,
        (_, true) => "policy says fail closed, so what cannot be judged does not run",
        (_, false) => "commands are recorded and no longer stopped",
    };
    if before == 1 {
        Terminal.say(&format!(
            "cmdai: failed twice in this shell; {rest}. Please report it.\n"
        ));
        let who = attribution(false, false);
        let info = SessionInfo {
            id: session,
            layer: Layer::Shell,
            who: who.clone(),
            shared: true,
        };
        let mut recorder = Recorder::open(gate.installation(), gate.person(), info);
        gate.hook_crashed(&who, &mut recorder, rest);
    }
    if closed { exit_code::BLOCKED } else { 0 }
}

fn attribution(terminal: bool, interactive: bool) -> Attribution {
    let parents = origin::ancestors();
    origin::attribute(&Signals {
        variable: &|name| std::env::var(name).ok(),
        terminal,
        interactive,
        parents: &parents,
    })
}

fn settle(command: &ShellCommand<'_>) -> u8 {
    cmdai_gate::fault::point("hook");
    let mut gate = Gate::open();
    let person = gate.person().clone();
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let who = attribution(terminal, command.interactive);
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
