//! The state of one hooked shell, and what happens when a line begins and when it has ended.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cmdai_gate::{
    Attribution, CodeReader, Gate, Judged, Manner, Moment, Recorder, Request, SessionInfo, Settled,
    Signals, fresh_id, origin,
};
use cmdai_schema::{Decision, Layer};

use crate::host::{Host, LiveLanguages, LiveSession};
use crate::library;
use crate::net::same_command;
use crate::slot::Crashes;
use crate::terminal::{self, Asking};
use crate::voice::TerminalVoice;

/// Longest text that is judged in one piece; more is blocked unseen.
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// How a judged text is settled.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How a question is asked.
    pub asking: Asking,
    /// A part of a line that has its record already.
    pub part: bool,
}

/// A line that was let run.
#[derive(Debug)]
pub(crate) struct Running {
    command_id: String,
    since: Instant,
    /// Its text without indentation, where its parts will be seen again.
    pub(crate) text: String,
}

/// A line that has ended, whose second half is still to be written.
#[derive(Debug)]
struct Ended {
    command_id: String,
    status: i32,
    micros: u64,
    at: Moment,
    seen: u64,
}

/// A line of which a part was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoppedLine {
    pub(crate) number: Option<i32>,
    pub(crate) status: i32,
}

/// One hooked shell.
#[derive(Debug)]
pub struct Hook<H> {
    /// The shell itself.
    pub host: H,
    /// Judges and settles.
    pub gate: Gate,
    /// Whose shell it is.
    person: Arc<cmdai_gate::Person>,
    /// Reads code of other languages.
    reader: CodeReader,
    /// Opened when there is something to record; a script that does nothing leaves no file.
    recorder: Option<Recorder>,
    session_id: String,
    version: String,
    pub(crate) interactive: bool,
    who: Attribution,
    pub(crate) running: Option<Running>,
    ended: Option<Ended>,
    /// The shell calls [`Hook::idle`] once a prompt is shown: what a person need not wait for is done then.
    pub tells_when_idle: bool,
    /// A part of the running line was denied: nothing of it runs any more.
    pub(crate) stopped: Option<StoppedLine>,
    /// The running line and what was judged with it.
    judged: Option<(Judged, String)>,
    /// Rules that the person or a grant answered for, for this line.
    pub(crate) accepted: Vec<String>,
    pub(crate) remembered: HashMap<String, Decision>,
    /// Which policies and which working directory that is for.
    pub(crate) remembered_for: (u64, PathBuf),
    /// Between accepting a line and the next prompt.
    pub in_line: bool,
    /// The first prompt was shown: start-up files are done.
    pub(crate) prompted: bool,
    /// `$?` to show for a line that was blocked after the shell had taken it.
    pub status_owed: Option<i32>,
    told: bool,
    /// The keyboard and standard error were terminals when that mattered last.
    at_terminal: bool,
    crashes: u32,
    /// `$?` when the second net was asked last.
    pub seen_status: i32,
    /// Texts of a script that have a record already.
    pub(crate) recorded: HashSet<String>,
    /// The running line names cmdai, which may switch private mode on.
    names_cmdai: bool,
    /// The script that runs, and how many of its simple commands have begun, in this process and its forks.
    script: Option<(String, Option<&'static AtomicU64>)>,
}

impl<H: Host> Hook<H> {
    /// Hooks this shell. `version` is the shell's name and version.
    pub fn start(host: H, version: &str, interactive: bool) -> Self {
        library::watch_forks();
        let gate = Gate::open();
        let parents = origin::ancestors();
        let who = origin::attribute(&Signals {
            variable: &|name| std::env::var(name).ok(),
            terminal: terminal::is_terminal(host.keyboard()),
            interactive,
            parents: &parents,
        });
        // Scripts that are started by one another write to one session.
        let inherited = host
            .variable("CMDAI_SESSION")
            .filter(|id| !interactive && !id.is_empty());
        let session_id = inherited.unwrap_or_else(fresh_id);
        if !interactive {
            host.set_variable(c"CMDAI_SESSION", &session_id);
        }
        let person = Arc::new(gate.person().clone());
        let mut hook = Self {
            host,
            gate,
            person,
            reader: CodeReader::beside(&library::own_path()),
            recorder: None,
            session_id,
            version: version.to_owned(),
            interactive,
            who,
            running: None,
            ended: None,
            tells_when_idle: false,
            stopped: None,
            judged: None,
            accepted: Vec::new(),
            remembered: HashMap::new(),
            remembered_for: (0, PathBuf::new()),
            in_line: false,
            prompted: false,
            status_owed: None,
            told: false,
            at_terminal: true,
            crashes: 0,
            seen_status: 0,
            recorded: HashSet::new(),
            names_cmdai: false,
            script: None,
        };
        if interactive {
            let recorder = hook.take_recorder();
            hook.recorder = Some(recorder);
        }
        hook
    }

    /// This shell runs a script: `name` is how it was started.
    pub fn runs_script(&mut self, name: &str) {
        self.script = Some((name.to_owned(), library::shared_number()));
    }

    /// One more simple command of the script begins.
    pub(crate) fn count_simple(&self) {
        if let Some((_, Some(seen))) = &self.script {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn seen(&self) -> u64 {
        let seen = self.script.as_ref().and_then(|(_, seen)| *seen);
        seen.map_or(0, |seen| seen.load(Ordering::Relaxed))
    }

    /// A process that was forked from the hooked one.
    pub(crate) fn is_child(&self) -> bool {
        library::is_forked()
    }

    /// The recorder of this process. A forked child has one of its own: the parent goes on
    /// counting in its own session.
    fn take_recorder(&mut self) -> Recorder {
        self.write_end();
        if let Some(recorder) = self
            .recorder
            .take_if(|recorder| recorder.is_of_this_process())
        {
            return recorder.counting(self.seen());
        }
        let id = if self.is_child() && self.interactive {
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
        if let Some((name, _)) = &self.script {
            recorder = recorder.of_script(name).counting(self.seen());
        }
        recorder.session_start(&self.version);
        recorder
    }

    /// The session's identifier.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Judges rows as `cmdai check --batch` does, by the engine in this shell and its reader of other
    /// languages, and prints the judgements; false where the file cannot be read. For tests that
    /// compare the two.
    pub fn judge_rows(&self, file: &str) -> bool {
        let Ok(rows) = std::fs::read_to_string(file) else {
            return false;
        };
        let mut gate = cmdai_gate::batch::gate();
        for row in rows.lines() {
            match cmdai_gate::batch::judge(&mut gate, row, &LiveLanguages(&self.reader)) {
                Ok(judgement) => println!("{judgement}"),
                Err(error) => println!("{error}"),
            }
        }
        true
    }

    /// False once the hook has failed twice, unless policy says fail closed.
    pub fn enforces(&self) -> bool {
        self.crashes < 2 || self.gate.policies().failing() == cmdai_gate::Failing::Closed
    }

    /// A judged and settled line starts to run.
    pub fn line_begins(&mut self, judged: &Judged, text: &str, settled: &Settled) {
        self.running = settled.recorded.then(|| Running {
            command_id: settled.command_id.clone(),
            since: Instant::now(),
            text: if H::SEES_COMPOUNDS && !self.interactive {
                without_indentation(text)
            } else {
                String::new()
            },
        });
        self.names_cmdai = judged.judgement.programs.iter().any(|name| name == "cmdai");
        self.stopped = None;
        self.in_line = true;
        self.accepted.clone_from(&settled.accepted);
        self.judged = Some((judged.clone(), text.to_owned()));
    }

    /// This literal command was judged with the running line: it is one of its calls, or all of it.
    pub(crate) fn was_judged(&self, command: &str) -> bool {
        self.judged.as_ref().is_some_and(|(judged, text)| {
            let calls = judged.analysis.invocations.iter();
            same_command(text.trim(), command)
                || calls
                    .map(|call| call.span.of(text).trim())
                    .any(|call| same_command(call, command))
        })
    }

    /// The line that was about to begin is stopped before any part of it runs.
    pub fn line_is_stopped(&mut self, status: i32) {
        self.in_line = true;
        self.stopped = Some(StoppedLine {
            number: self.host.line_number(),
            status,
        });
    }

    /// A prompt is about to be shown: the line has ended with this status. Gives the status that a
    /// stopped line has instead.
    pub fn line_ended(&mut self, status: i32) -> i32 {
        if self.is_child() {
            return status;
        }
        self.prompted = true;
        if std::mem::take(&mut self.names_cmdai) {
            self.gate.look_for_private_mode();
        }
        let status = self.stopped.map_or(status, |stopped| stopped.status);
        self.close(status);
        if !self.tells_when_idle {
            self.write_end();
        }
        self.stopped = None;
        self.in_line = false;
        self.judged = None;
        self.accepted.clear();
        self.tell_problems();
        status
    }

    /// A prompt is shown, and the shell waits for a key.
    pub fn idle(&mut self) {
        self.write_end();
    }

    pub(crate) fn end_running(&mut self, status: i32) {
        self.close(status);
        self.write_end();
    }

    /// The running line has ended now.
    fn close(&mut self, status: i32) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.write_end();
        self.ended = Some(Ended {
            command_id: running.command_id,
            status,
            micros: u64::try_from(running.since.elapsed().as_micros()).unwrap_or(u64::MAX),
            at: Moment::now(),
            seen: self.seen(),
        });
    }

    /// Writes the second half of a line that has ended, where that was not done yet.
    fn write_end(&mut self) {
        if let Some(ended) = self.ended.take()
            && let Some(recorder) = &mut self.recorder
        {
            recorder.count(ended.seen);
            recorder.ended(&ended.command_id, ended.status, ended.micros, ended.at);
        }
    }

    /// The shell leaves.
    pub fn leave(&mut self) {
        if !self.is_child() {
            self.end_running(self.host.exit_status());
            let seen = self.seen();
            if let Some(recorder) = &mut self.recorder {
                self.gate.leave_private_mode(std::process::id(), recorder);
                recorder.count(seen);
                recorder.session_end();
            }
        }
    }

    /// Says once in a session what is degraded.
    pub fn tell_problems(&mut self) {
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

    /// A person sits at the keyboard of this very shell, as it was when the last text was judged.
    pub fn can_answer(&self) -> bool {
        self.who.agent.is_none() && !self.is_child() && self.at_terminal
    }

    /// Judges a text where the shell stands. Gives the working directory too.
    pub fn judge(&mut self, text: &str) -> (Judged, String) {
        let cwd = std::env::current_dir()
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok())
            .unwrap_or_else(|| "/".to_owned());
        let judged = self.judge_at(text, &cwd);
        // Whether somebody sits there is asked only where it matters: two calls of the system for each line.
        let matters = judged.judgement.decision != Decision::Allow
            || !judged.judgement.rules.is_empty()
            || self.gate.policies().layers().ask_terminal();
        let before = self.at_terminal;
        if matters {
            self.at_terminal = terminal::is_terminal(self.host.keyboard());
        }
        if self.at_terminal == before {
            return (judged, cwd);
        }
        (self.judge_at(text, &cwd), cwd)
    }

    fn judge_at(&mut self, text: &str, cwd: &str) -> Judged {
        let person = Arc::clone(&self.person);
        self.gate.judge_known(&Request {
            text,
            dialect: H::DIALECT,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: &LiveSession(&self.host),
            languages: &LiveLanguages(&self.reader),
            who: &self.who,
            terminal: self.who.agent.is_none() && self.at_terminal,
            facts: None,
        })
    }

    /// Does what the judgement asks for: says, asks, records.
    pub fn settle(&mut self, text: &str, cwd: &str, judged: &Judged, manners: Manners) -> Settled {
        let mut recorder = self.take_recorder();
        let person = Arc::clone(&self.person);
        let request = Request {
            text,
            dialect: H::DIALECT,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: &LiveSession(&self.host),
            languages: &LiveLanguages(&self.reader),
            who: &self.who,
            terminal: self.can_answer(),
            facts: None,
        };
        let mut voice = TerminalVoice {
            keyboard: self.host.keyboard(),
            asking: manners.asking,
        };
        let manner = Manner {
            part: manners.part,
            judged: Some(judged),
            ..Manner::default()
        };
        let settled = self
            .gate
            .settle(&request, judged, &mut voice, &mut recorder, manner);
        self.recorder = Some(recorder);
        settled
    }
}

impl<H: Host> Crashes for Hook<H> {
    fn crashed(&mut self) -> bool {
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
}

/// A text whose lines begin where their words do: a part of it is shown with another indentation.
pub(crate) fn without_indentation(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}
