//! The state of one hooked shell, and what happens at Enter and when a command line has ended.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use cmdai_gate::{
    Action, Attribution, CodeReader, Gate, Manner, Outcome, Recorder, Request, SessionInfo,
    Settled, Signals, fresh_id, origin,
};
use cmdai_schema::{Decision, Dialect, Layer};

use crate::session::{LiveLanguages, LiveSession};
use crate::symbols::{self, Symbols};
use crate::terminal;

mod net;
mod voice;

use net::is_literal;
use voice::TerminalVoice;

/// Part of our DEBUG trap by which it is recognised.
pub(crate) const TRAP_MARK: &str = "__cmdai debug";
/// Longest text that is judged in one piece; more is blocked unseen.
const TEXT_LIMIT: usize = 1024 * 1024;

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

/// A line that was let run.
#[derive(Debug)]
struct Running {
    command_id: String,
    since: Instant,
}

/// One hooked shell.
pub(crate) struct Shell {
    pub(crate) symbols: Symbols,
    gate: Gate,
    /// Reads code of other languages.
    reader: CodeReader,
    /// Opened when there is something to record; a script that does nothing leaves no file.
    recorder: Option<Recorder>,
    session_id: String,
    version: String,
    interactive: bool,
    who: Attribution,
    pid: u32,
    /// Enter is bound: whole lines are judged before any part of them runs.
    pub(crate) whole_lines: bool,
    /// Physical lines of the command being typed.
    typed: String,
    running: Option<Running>,
    /// A part of the running line was denied: nothing of it runs any more.
    stopped: Option<StoppedLine>,
    /// Texts of the running line's literal calls, judged with it.
    judged: Vec<String>,
    /// Rules that the person or a grant answered for, for this line.
    accepted: Vec<String>,
    remembered: HashMap<String, Decision>,
    remembered_for: String,
    /// Between accepting a line and the next prompt.
    in_line: bool,
    /// A line was handed over unjudged, because it looked as if more of it would come.
    open: bool,
    /// The first prompt was shown: start-up files are done.
    prompted: bool,
    /// `$?` to show for a line that was blocked after bash had taken it.
    status_owed: Option<i32>,
    told: bool,
    crashes: u32,
    /// `$?` when the DEBUG trap fired last.
    pub(crate) seen_status: i32,
    /// Texts of a script that have a record already.
    recorded: HashSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StoppedLine {
    number: Option<i32>,
    status: i32,
}

impl Shell {
    /// Hooks this shell. `version` is the shell's name and version.
    pub(crate) fn start(symbols: Symbols, version: &str, interactive: bool) -> Self {
        let gate = Gate::open();
        let parents = origin::ancestors();
        let who = origin::attribute(&Signals {
            variable: &|name| std::env::var(name).ok(),
            terminal: terminal::is_terminal(),
            interactive,
            parents: &parents,
        });
        // Scripts that are started by one another write to one session.
        let inherited = symbols
            .variable("CMDAI_SESSION")
            .filter(|id| !interactive && !id.is_empty());
        let session_id = inherited.unwrap_or_else(fresh_id);
        if !interactive {
            symbols.set_variable(c"CMDAI_SESSION", &session_id);
        }
        let mut shell = Self {
            symbols,
            gate,
            reader: CodeReader::beside(&symbols::own_path()),
            recorder: None,
            session_id,
            version: version.to_owned(),
            interactive,
            who,
            pid: std::process::id(),
            whole_lines: false,
            typed: String::new(),
            running: None,
            stopped: None,
            judged: Vec::new(),
            accepted: Vec::new(),
            remembered: HashMap::new(),
            remembered_for: String::new(),
            in_line: false,
            open: false,
            prompted: false,
            status_owed: None,
            told: false,
            crashes: 0,
            seen_status: 0,
            recorded: HashSet::new(),
        };
        if interactive {
            let recorder = shell.take_recorder();
            shell.recorder = Some(recorder);
        }
        shell
    }

    /// The recorder of this process. A forked child has one of its own: the parent goes on
    /// counting in its own session.
    fn take_recorder(&mut self) -> Recorder {
        if let Some(recorder) = self
            .recorder
            .take_if(|recorder| recorder.is_of_this_process())
        {
            return recorder;
        }
        let child = std::process::id() != self.pid;
        let id = if child && self.interactive {
            format!("{}-{}", self.session_id, std::process::id())
        } else {
            self.session_id.clone()
        };
        let session = SessionInfo {
            id,
            layer: Layer::Shell,
            who: self.who.clone(),
            shared: !self.interactive,
        };
        let mut recorder = Recorder::open(self.gate.installation(), self.gate.person(), session);
        recorder.session_start(&self.version);
        recorder
    }

    /// The session's identifier.
    pub(crate) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Counts a crash of the hook. True once there were so many that it only records.
    pub(crate) fn crashed(&mut self) -> bool {
        self.crashes += 1;
        if self.crashes == 2 {
            let closed = self.enforces();
            let rest = if closed {
                "policy says fail closed, so what cannot be judged does not run"
            } else {
                "commands are recorded and no longer stopped"
            };
            terminal::say(&format!(
                "cmdai: failed twice in this shell; {rest}. Please report it.\n"
            ));
            // Somebody who makes the hook fail has found a way around it: it is told at once.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let mut recorder = self.take_recorder();
                self.gate.hook_crashed(&self.who, &mut recorder, rest);
                self.recorder = Some(recorder);
            }));
        }
        !self.enforces()
    }

    /// Judges rows as `cmdai check --batch` does, by the engine in this shell and its reader of other
    /// languages, and prints the judgements. For tests that compare the two.
    pub(crate) fn judge_rows(&mut self, file: &str) -> i32 {
        let Ok(rows) = std::fs::read_to_string(file) else {
            return 1;
        };
        let mut gate = cmdai_gate::batch::gate();
        for row in rows.lines() {
            match cmdai_gate::batch::judge(&mut gate, row, &LiveLanguages(&self.reader)) {
                Ok(judgement) => println!("{judgement}"),
                Err(error) => println!("{error}"),
            }
        }
        0
    }

    fn enforces(&self) -> bool {
        self.crashes < 2 || self.gate.policies().failing() == cmdai_gate::Failing::Closed
    }

    /// Enter was pressed on a physical line.
    pub(crate) fn enter(&mut self) -> AtEnter {
        cmdai_gate::fault::point("hook");
        let line = self.symbols.line();
        let first = self.symbols.lines_read() == 0;
        if first {
            self.typed.clear();
            // Should the prompt's hook have been lost, the line before ends here.
            if self.in_line {
                self.line_ended(self.symbols.status());
            }
            if let Some(status) = self.status_owed.take() {
                self.symbols.set_status(status);
            }
        } else {
            self.typed.push('\n');
        }
        let expanded = self.symbols.expand_history(&line);
        self.typed.push_str(expanded.as_deref().unwrap_or(&line));
        if self.typed.trim().is_empty() {
            return AtEnter::Pass;
        }
        let text = self.typed.clone();
        let (outcome, cwd) = self.judge(&text);
        self.open = !outcome.analysis.complete && text.len() < TEXT_LIMIT;
        if self.open {
            return AtEnter::Pass;
        }
        let interrupts = matches!(
            outcome.action(self.can_answer(), self.gate.installation().is_governed()),
            Action::Ask | Action::Approve | Action::Block
        );
        if interrupts || outcome.judgement.decision == Decision::Warn {
            self.symbols.show_whole_line();
        }
        let settled = self.settle(&text, &cwd, &outcome, true, false);
        if settled.run || !self.enforces() {
            self.line_begins(&outcome, &text, &settled);
            return AtEnter::Pass;
        }
        if first {
            self.symbols.remember(&line);
            self.symbols.set_status(i32::from(settled.status));
            AtEnter::Drop
        } else {
            self.status_owed = Some(i32::from(settled.status));
            AtEnter::Interrupt
        }
    }

    fn line_begins(&mut self, outcome: &Outcome, text: &str, settled: &Settled) {
        self.running = settled.recorded.then(|| Running {
            command_id: settled.command_id.clone(),
            since: Instant::now(),
        });
        self.stopped = None;
        self.open = false;
        self.in_line = true;
        self.accepted.clone_from(&settled.accepted);
        self.judged = outcome
            .analysis
            .invocations
            .iter()
            .map(|call| call.span.of(text).trim())
            .filter(|call| is_literal(call))
            .map(str::to_owned)
            .collect();
    }

    /// A prompt is about to be shown: the line has ended with this status.
    pub(crate) fn line_ended(&mut self, status: i32) {
        if std::process::id() != self.pid {
            return;
        }
        self.prompted = true;
        let status = self.stopped.map_or(status, |stopped| stopped.status);
        self.end_running(status);
        self.stopped = None;
        self.open = false;
        self.in_line = false;
        self.judged.clear();
        self.accepted.clear();
        self.tell_problems();
    }

    fn end_running(&mut self, status: i32) {
        if let Some(running) = self.running.take()
            && let Some(recorder) = &mut self.recorder
        {
            let micros = u64::try_from(running.since.elapsed().as_micros()).unwrap_or(u64::MAX);
            recorder.end(&running.command_id, status, micros);
        }
    }

    /// The shell leaves.
    pub(crate) fn leave(&mut self) {
        if std::process::id() == self.pid {
            self.end_running(self.symbols.status());
            if let Some(recorder) = &mut self.recorder {
                recorder.session_end();
            }
        }
    }

    /// Says once in a session what is degraded.
    pub(crate) fn tell_problems(&mut self) {
        if self.told {
            return;
        }
        let problems: Vec<String> = self
            .gate
            .problems()
            .into_iter()
            .chain(
                self.recorder
                    .iter()
                    .filter_map(Recorder::problem)
                    .map(str::to_owned),
            )
            .collect();
        for problem in problems.iter().take(4) {
            terminal::say(&format!("cmdai: {}\n", cmdai_gate::escape(problem)));
            self.told = true;
        }
    }

    fn can_answer(&self) -> bool {
        self.who.agent.is_none() && std::process::id() == self.pid && terminal::is_terminal()
    }

    fn judge(&mut self, text: &str) -> (Outcome, String) {
        let cwd = std::env::current_dir()
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok())
            .unwrap_or_else(|| "/".to_owned());
        let person = self.gate.person().clone();
        let outcome = self.gate.judge(&Request {
            text,
            dialect: Dialect::Bash,
            cwd: &cwd,
            home: person.home_text(),
            user: &person.login,
            session: &LiveSession(&self.symbols),
            languages: &LiveLanguages(&self.reader),
            who: &self.who,
            terminal: self.who.agent.is_none() && terminal::is_terminal(),
            facts: None,
        });
        (outcome, cwd)
    }

    fn settle(
        &mut self,
        text: &str,
        cwd: &str,
        outcome: &Outcome,
        raw: bool,
        part: bool,
    ) -> Settled {
        let mut recorder = self.take_recorder();
        let person = self.gate.person().clone();
        let request = Request {
            text,
            dialect: Dialect::Bash,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: &LiveSession(&self.symbols),
            languages: &LiveLanguages(&self.reader),
            who: &self.who,
            terminal: self.can_answer(),
            facts: None,
        };
        let mut voice = TerminalVoice { raw };
        let manner = Manner {
            part,
            ..Manner::default()
        };
        let settled = self
            .gate
            .settle(&request, outcome, &mut voice, &mut recorder, manner);
        self.recorder = Some(recorder);
        settled
    }
}
