//! A process beside a shell that cannot load a module: started once for a session, asked for each line.
//!
//! fish and PowerShell. The shell writes a request and reads the reply; the lines are described in
//! [`wire`]. The process judges, says what is to be shown, asks through the shell, and writes the
//! records, so that the shell's script only carries texts. It ends with its shell.
//!
//! ```text
//! Enter ── judge ──► need? ── known ──► judged ──► run | stop | ask ── answer ──► run | stop
//! line has ended ── end
//! line ran without having been judged ── ran
//! ```
//!
//! Where judging itself crashes, the first line is stopped; from the second time on lines are recorded
//! and run, unless policy says fail closed. A process that died counts as a crash of its session: the
//! script starts a new one and says how many there were. A request that takes too long ends the process,
//! so that no shell waits for ever.

mod detached;
mod known;
mod wire;

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cmdai_gate::render::View;
use cmdai_gate::{
    Attribution, Capture, Failing, Gate, Judged, Manner, Recorder, Request, SessionInfo, Verdict,
    Voice, fresh_id,
};
use cmdai_languages::Grammars;
use cmdai_schema::{Dialect, Layer, ProcessInfo, exit_code};

pub use detached::{Start, beside, start, stdio};
use known::Known;
use wire::{Asked, Line};

/// Times that the shell is asked for what it knows, for one line.
const ROUNDS: usize = 4;
/// Longest line of a request, in bytes.
const MAX_LINE: u64 = 4 * 1024 * 1024;
/// Longest message of a reply, in bytes: more than a screen, less than a pipe holds.
const MAX_MESSAGE: usize = 12 * 1024;
/// Longest time for a request, the person's own answers left out.
const TIME: Duration = Duration::from_secs(10);

/// The shell that is served, as it was when the process began.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its language.
    pub dialect: Dialect,
    /// Name and version, such as `fish 3.6.0`.
    pub version: String,
    /// Who acts in it.
    pub who: Attribution,
    /// A person sits at it.
    pub terminal: bool,
    /// Path of its terminal.
    pub tty: Option<String>,
    /// The shell itself and its ancestors.
    pub parents: Vec<ProcessInfo>,
    /// Processes of this session that died before this one.
    pub failed: u32,
}

/// A line that was let run and has not ended.
struct Running {
    command_id: String,
    since: Instant,
}

/// Serves one shell.
struct Server<R, W> {
    from: Incoming<R>,
    to: W,
    served: Served,
    gate: Gate,
    recorder: Recorder,
    running: Option<Running>,
    /// The line that runs names cmdai, which may switch private mode on.
    names_cmdai: bool,
    crashes: u32,
    told: bool,
    busy: Busy,
}

/// Serves until the shell is gone or says that it leaves.
pub fn serve<R: BufRead, W: Write>(from: R, to: W, served: Served) {
    let gate = Gate::open();
    let info = SessionInfo {
        id: fresh_id(),
        layer: Layer::Shell,
        who: served.who.clone(),
        shared: false,
    };
    let mut recorder = Recorder::open(gate.installation(), gate.person(), info)
        .placed(served.parents.clone(), served.tty.clone());
    recorder.session_start(&served.version);
    let mut server = Server {
        from: Incoming { from, kept: None },
        to,
        crashes: served.failed,
        served,
        gate,
        recorder,
        running: None,
        names_cmdai: false,
        told: false,
        busy: Busy::watched(),
    };
    if server.crashes > 1 {
        server.tell_crashes();
    }
    while let Some(line) = server.from.next() {
        server.busy.begin();
        let id = line.id.clone();
        let handled = catch_unwind(AssertUnwindSafe(|| server.handle(line)));
        server.busy.end();
        match handled {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => server.crashed(&id),
        }
    }
}

impl<R: BufRead, W: Write> Server<R, W> {
    /// Handles one request. False where the shell leaves.
    fn handle(&mut self, line: Line) -> bool {
        match line.asked {
            Asked::Judge { cwd, text, names } => {
                cmdai_gate::fault::point("hook");
                self.judge(&line.id, &cwd, &text, &names);
            }
            Asked::Ran { cwd, text } => self.ran(&cwd, &text),
            Asked::End { status } => self.ended(status),
            Asked::Leave { status } => {
                self.ended(status);
                if let Some(shell) = self.served.parents.first() {
                    self.gate.leave_private_mode(shell.pid, &mut self.recorder);
                }
                self.recorder.session_end();
                return false;
            }
            // What was asked for before the person went on to something else.
            Asked::Known(_) | Asked::Answer(_) | Asked::Unreadable => {}
        }
        true
    }

    fn judge(&mut self, id: &str, cwd: &str, text: &str, names: &[String]) {
        let mut known = Known::of(names);
        let mut judged = self.judged(text, cwd, &known);
        for _ in 0..ROUNDS {
            let missing = known.missing();
            if missing.is_empty() {
                break;
            }
            self.reply(&format!("{id} need {missing}"));
            let Some(told) = self.told(id) else { return };
            if told.is_empty() {
                break;
            }
            known.learn(told);
            judged = self.judged(text, cwd, &known);
        }
        if !known.missing().is_empty() {
            // Too much to ask for, or no answer: what is not known may be anything.
            known.give_up();
            judged = self.judged(text, cwd, &known);
        }
        let mut voice = PipeVoice {
            id,
            from: &mut self.from,
            to: &mut self.to,
            busy: &self.busy,
            message: String::new(),
        };
        let person = self.gate.person().clone();
        let request = Request {
            text,
            dialect: self.served.dialect,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: &known,
            languages: &Grammars,
            who: &self.served.who,
            terminal: self.served.terminal && self.served.who.agent.is_none(),
            facts: None,
        };
        let settled = self.gate.settle(
            &request,
            &judged,
            &mut voice,
            &mut self.recorder,
            Manner {
                judged: Some(&judged),
                ..Manner::default()
            },
        );
        let mut message = voice.message;
        let run = settled.run || !self.enforces();
        self.names_cmdai = judged.judgement.programs.iter().any(|name| name == "cmdai");
        self.running = (run && settled.recorded).then(|| Running {
            command_id: settled.command_id,
            since: Instant::now(),
        });
        self.problems(&mut message);
        let closed = self.gate.policies().failing() == Failing::Closed;
        let (verdict, number) = match run {
            true => ("run", u8::from(closed)),
            false => ("stop", settled.status),
        };
        let message = wire::escape(shortened(&message));
        self.reply(&format!("{id} {verdict} {number} {message}"));
    }

    fn judged(&mut self, text: &str, cwd: &str, known: &Known) -> Judged {
        let person = self.gate.person().clone();
        self.gate.judge_known(&Request {
            text,
            dialect: self.served.dialect,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: known,
            languages: &Grammars,
            who: &self.served.who,
            terminal: self.served.terminal && self.served.who.agent.is_none(),
            facts: None,
        })
    }

    /// The shell's answer to `need`; nothing where it went on to something else.
    fn told(&mut self, id: &str) -> Option<Vec<wire::Fact>> {
        let line = self.from.next()?;
        match line.asked {
            Asked::Known(facts) if line.id == id => Some(facts),
            Asked::Unreadable => Some(Vec::new()),
            _ => {
                self.from.kept = Some(line);
                None
            }
        }
    }

    /// A line runs that nobody asked about: it is recorded as what it is.
    fn ran(&mut self, cwd: &str, text: &str) {
        let mut known = Known::of(&[]);
        known.give_up();
        let outcome = self.judged(text, cwd, &known);
        let person = self.gate.person().clone();
        let request = Request {
            text,
            dialect: self.served.dialect,
            cwd,
            home: person.home_text(),
            user: &person.login,
            session: &known,
            languages: &Grammars,
            who: &self.served.who,
            terminal: false,
            facts: None,
        };
        let capture = self.gate.policies().capture(cwd, request.home);
        self.running = None;
        let wanted = match capture {
            None => false,
            Some(Capture::Findings) => !outcome.judgement.rules.is_empty(),
            Some(Capture::Metadata | Capture::Full) => true,
        };
        if wanted {
            let private =
                self.served.who.agent.is_none() && self.gate.is_private(&mut self.recorder);
            let verdict = Verdict {
                allowed: true,
                private,
                without_text: capture == Some(Capture::Metadata),
                ..Verdict::default()
            };
            let start = self.recorder.start(&request, &outcome, verdict);
            let command_id = start.command_id.clone();
            self.running = Some(Running {
                command_id,
                since: Instant::now(),
            });
        }
    }

    fn ended(&mut self, status: i32) {
        if std::mem::take(&mut self.names_cmdai) {
            self.gate.look_for_private_mode();
        }
        if let Some(running) = self.running.take() {
            let micros = u64::try_from(running.since.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.recorder.end(&running.command_id, status, micros);
        }
    }

    fn enforces(&self) -> bool {
        self.crashes < 2 || self.gate.policies().failing() == Failing::Closed
    }

    fn crashed(&mut self, id: &str) {
        self.crashes += 1;
        let message = match self.crashes {
            1 => "cmdai: internal error, so this line was stopped; please report it\n".to_owned(),
            2 => self.tell_crashes(),
            _ => String::new(),
        };
        let verdict = if self.enforces() { "stop" } else { "run" };
        self.reply(&format!(
            "{id} {verdict} {} {}",
            exit_code::BLOCKED,
            wire::escape(&message)
        ));
    }

    /// Records that the hook failed twice, and gives what is to be said.
    fn tell_crashes(&mut self) -> String {
        let rest = if self.enforces() {
            "policy says fail closed, so what cannot be judged does not run"
        } else {
            "commands are recorded and no longer stopped"
        };
        self.gate
            .hook_crashed(&self.served.who, &mut self.recorder, rest);
        format!("cmdai: failed twice in this shell; {rest}. Please report it.\n")
    }

    /// Says once in a session what is degraded.
    fn problems(&mut self, message: &mut String) {
        if self.told {
            return;
        }
        let recorder = self.recorder.problem().map(str::to_owned);
        for problem in self.gate.problems().into_iter().chain(recorder).take(4) {
            message.push_str(&format!("cmdai: {}\n", cmdai_gate::escape(&problem)));
            self.told = true;
        }
    }

    /// A shell that is gone is found out at the next read.
    fn reply(&mut self, line: &str) {
        let _ = writeln!(self.to, "{line}").and_then(|()| self.to.flush());
    }
}

fn shortened(message: &str) -> &str {
    message
        .get(..message.floor_char_boundary(MAX_MESSAGE))
        .unwrap_or(message)
}

/// Requests, with one that was read too early.
struct Incoming<R> {
    from: R,
    kept: Option<Line>,
}

impl<R: BufRead> Incoming<R> {
    /// The next request; nothing where the shell is gone.
    fn next(&mut self) -> Option<Line> {
        if let Some(kept) = self.kept.take() {
            return Some(kept);
        }
        let unreadable = Line {
            id: String::new(),
            asked: Asked::Unreadable,
        };
        let mut words = String::new();
        let mut left = MAX_LINE;
        loop {
            let mut bytes = Vec::new();
            let mut bounded = std::io::Read::take(&mut self.from, left);
            let read = bounded.read_until(b'\n', &mut bytes).ok()?;
            if read == 0 || bytes.last() != Some(&b'\n') {
                return None;
            }
            left -= u64::try_from(read).unwrap_or(left).min(left);
            let text = String::from_utf8_lossy(&bytes);
            let line = text.trim_end_matches(['\n', '\r']);
            if line.contains(' ') {
                // What was begun in several lines and not ended is no request any more.
                return Some(Line::read(line).unwrap_or(unreadable));
            }
            match (line.is_empty(), words.is_empty()) {
                (true, true) => left = MAX_LINE,
                (true, false) => return Some(Line::read(&words).unwrap_or(unreadable)),
                (false, begun) => {
                    if !begun {
                        words.push(' ');
                    }
                    words.push_str(line);
                }
            }
        }
    }
}

/// Messages are kept for the reply; questions go through the shell, which has the terminal.
struct PipeVoice<'a, R, W> {
    id: &'a str,
    from: &'a mut Incoming<R>,
    to: &'a mut W,
    busy: &'a Busy,
    message: String,
}

impl<R: BufRead, W: Write> Voice for PipeVoice<'_, R, W> {
    fn say(&mut self, message: &str) {
        self.message.push_str(message);
    }

    fn confirm(&mut self) -> bool {
        let message = wire::escape(shortened(&std::mem::take(&mut self.message)));
        if writeln!(self.to, "{} ask 0 {message}", self.id)
            .and_then(|()| self.to.flush())
            .is_err()
        {
            return false;
        }
        self.busy.end();
        let next = self.from.next();
        self.busy.begin();
        match next {
            Some(line) if line.id == self.id && line.asked == Asked::Answer(true) => true,
            Some(line) => {
                // Another request: the question was left without an answer, which is a no.
                if !matches!(line.asked, Asked::Answer(_) | Asked::Unreadable) {
                    self.from.kept = Some(line);
                }
                false
            }
            None => false,
        }
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}

/// Since when a request is being worked on, in milliseconds of the process; zero where none is.
struct Busy {
    since: Arc<AtomicU64>,
    start: Instant,
}

impl Busy {
    /// Ends the process where a request takes too long: the shell sees the end and goes on.
    fn watched() -> Self {
        let busy = Self {
            since: Arc::new(AtomicU64::new(0)),
            start: Instant::now(),
        };
        let (since, start) = (Arc::clone(&busy.since), busy.start);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TIME / 4);
                let begun = since.load(Ordering::Relaxed);
                let now = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                let limit = u64::try_from(TIME.as_millis()).unwrap_or(u64::MAX);
                if begun > 0 && now.saturating_sub(begun) > limit {
                    std::process::exit(i32::from(exit_code::BLOCKED));
                }
            }
        });
        busy
    }

    fn begin(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since.store(now.max(1), Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_one_line_and_in_several_are_the_same() {
        let judge = |id: &str, names: &[&str]| Line {
            id: id.to_owned(),
            asked: Asked::Judge {
                cwd: "/home/a b".to_owned(),
                text: "ls".to_owned(),
                names: names.iter().map(|&name| name.to_owned()).collect(),
            },
        };
        let end = Line {
            id: "x".to_owned(),
            asked: Asked::End { status: 0 },
        };
        let mut incoming = Incoming {
            from: "judge a /home/a%20b ls\n\njudge\nb\n/home/a%20b\nls\ngs\n\nend x 0\n\
                   \njudge\nc\n/home\n\njudge\nd\n/home/a%20b\nls\n\n\njudge\ne\nend x 0\n"
                .as_bytes(),
            kept: None,
        };
        let mut read = Vec::new();
        while let Some(line) = incoming.next() {
            read.push(line);
        }
        let unreadable = Line {
            id: String::new(),
            asked: Asked::Unreadable,
        };
        assert_eq!(
            read,
            [
                judge("a", &[]),
                judge("b", &["gs"]),
                end.clone(),
                unreadable,
                judge("d", &[]),
                // One that was begun and given up does not spoil the next.
                end,
            ]
        );
    }
}
