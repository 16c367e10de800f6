//! From what belongs together to events, and from counters to gaps.

use std::rc::Rc;
use std::sync::PoisonError;
use std::sync::mpsc::TrySendError;

use cmdai_exec_capture::{Exec, process};
use cmdai_policy::ExecCapture;
use cmdai_schema::governor::LayerStatus;
use cmdai_schema::{
    AssertedBy, CommandInfo, CommandSource, Context, EventType, Execution, Layer, OriginKind,
    ProcessInfo,
};

use super::{BATCH, MAX_WAITING, Worker};
use crate::keeper::Draft;
use crate::machine::judge::Judged;
use crate::machine::origin::{self, Signals};
use crate::machine::processes::{Process, text};
use crate::machine::reports::Join;
use crate::machine::units::{Anchor, Unit};

impl Worker<'_> {
    pub(super) fn join(&self, unit: &Unit) -> Option<Join> {
        let mut line = vec![(unit.process.pid, unit.process.uid, unit.process.start_ns)];
        line.extend(
            unit.first
                .ancestors
                .iter()
                .map(|ancestor| (ancestor.pid, ancestor.uid, ancestor.start_ns)),
        );
        self.reports.join(&line, unit.first.time_ns)
    }

    pub(super) fn contained(&self, exec: &Exec) -> bool {
        exec.pid_ns != 0 && exec.pid_ns != self.own_namespaces.0
    }

    pub(super) fn hash(&self, process: &Process) -> Option<String> {
        self.hashes.as_ref()?.get(process)
    }

    /// `PID PATH HASH`, nearest first, a line each.
    pub(super) fn ancestry(&self, line: &[Rc<Process>]) -> String {
        line.iter()
            .map(|process| {
                let hash = self.hash(process).unwrap_or_else(|| "-".to_owned());
                format!("{} {} {hash}", process.pid, process.executable)
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// One event for everything in a unit.
    pub(super) fn tell(&mut self, unit: &Unit) {
        let strictest = unit.worst.as_ref().or(unit.judged.as_ref());
        if let Some(judged) = strictest {
            let nothing = judged.policy.violated_rules.is_empty();
            if !judged.recorded || (judged.findings_only && nothing) {
                return;
            }
        }
        let join = self.join(unit);
        let reported = join.as_ref().is_some_and(|join| join.command.is_some());
        // What a shell or agent should have told of and did not is a command of its own.
        let missing = match &unit.anchor {
            Anchor::Shell(shell) => !self.reports.shell(shell.pid, shell.uid, shell.start_ns),
            Anchor::Agent(_) => true,
            Anchor::None => false,
        };
        let kind = if missing && !reported && unit.part == 0 {
            EventType::CommandExecuted
        } else {
            EventType::ExecObserved
        };
        let draft = self.draft(unit, kind, join.as_ref(), strictest);
        self.push(draft);
    }

    pub(super) fn draft(
        &mut self,
        unit: &Unit,
        kind: EventType,
        join: Option<&Join>,
        strictest: Option<&Judged>,
    ) -> Draft {
        let exec = &unit.first;
        // An agent that starts is one itself.
        let ancestors: Vec<(&'static str, String, Option<String>)> = std::iter::once(&unit.process)
            .chain(&unit.line)
            .filter_map(|process| {
                let file = process.script.as_ref().unwrap_or(&process.executable);
                Some((process.agent?, file.clone(), self.hash(process)))
            })
            .collect();
        let none = Vec::new();
        let interactive = matches!(unit.anchor, Anchor::Shell(_));
        let (origin, agent, disagrees) = origin::weigh(&Signals {
            hook: join.and_then(|join| join.hook.as_deref()),
            ancestors,
            variables: unit.variables.as_ref().unwrap_or(&none),
            looked: unit.variables.is_some(),
            terminal: exec.tty.is_some(),
            interactive,
            shell: unit.process.shell,
            cadence: unit.cadence,
        });
        let source = match origin.kind {
            OriginKind::Human => CommandSource::Manual,
            OriginKind::Script => CommandSource::Script,
            OriginKind::Agent => CommandSource::Agent,
        };
        let user = self.user(unit.process.uid);
        if disagrees {
            self.forged_marks(unit, &origin.evidence, &user);
        }
        let judged = unit.judged.as_ref();
        let command_id = join
            .and_then(|join| join.command.clone())
            .unwrap_or_else(|| format!("exec-{}-{}", unit.head.1, unit.head.0));
        let mut draft = Draft::sensor(kind, &[]);
        // How long ago it was, by a clock that does not step.
        let ago = process::now_ns().saturating_sub(exec.time_ns) / 1_000_000;
        draft.time_ms = Some(crate::clock::now_ms().saturating_sub(ago));
        let payload = &mut draft.payload;
        payload.asserted_by = AssertedBy::Kernel;
        payload.user = user;
        payload.command = Some(CommandInfo {
            command_id,
            text: judged.map(|judged| judged.text.clone()).unwrap_or_default(),
            digest: judged
                .map(|judged| judged.digest.clone())
                .unwrap_or_default(),
            source,
            working_directory: if judged.is_some_and(|judged| !judged.text.is_empty()) {
                exec.cwd
                    .as_ref()
                    .map(|cwd| cmdai_redact::redact(&text(cwd, 1024)).into_owned())
                    .unwrap_or_default()
            } else {
                String::new()
            },
            shell: "exec".to_owned(),
            programs: judged.map_or_else(
                || vec![unit.process.name().to_owned()],
                |judged| judged.programs.clone(),
            ),
            effects: judged
                .map(|judged| judged.effects.clone())
                .unwrap_or_default(),
            // A unit counts what it stands for program by program, in its own payload.
            times: None,
            private: false,
        });
        payload.policy_evaluation = strictest.map(|judged| judged.policy.clone());
        payload.execution = Some(Execution {
            allowed: true,
            ..Execution::default()
        });
        payload.context = Context {
            session_id: join.map(|join| join.session.clone()).unwrap_or_default(),
            layer: Layer::Exec,
            tty: exec.tty.map(|tty| tty.path()),
            parent_process: parents(&unit.line),
            origin,
            agent,
            ..Context::default()
        };
        let mut detail = vec![
            ("execs", unit.count.to_string()),
            ("programs", counts(unit)),
            ("pid", exec.pid.to_string()),
            ("executable", unit.process.executable.clone()),
            ("cgroup", exec.cgroup.to_string()),
            ("mnt_ns", exec.mnt_ns.to_string()),
            ("pid_ns", exec.pid_ns.to_string()),
            ("ancestry", self.ancestry(&unit.line)),
            (
                "joined",
                match join {
                    Some(Join {
                        command: Some(_), ..
                    }) => "command",
                    Some(_) => "session",
                    None => "none",
                }
                .to_owned(),
            ),
        ];
        if let Some(hash) = self.hash(&unit.process) {
            detail.push(("sha256", hash));
        }
        if self.contained(exec) {
            detail.push(("container", "true".to_owned()));
        }
        if unit.part > 0 {
            detail.push(("part", (unit.part + 1).to_string()));
        }
        if judged.is_none() {
            detail.push(("judged", "no".to_owned()));
        }
        if let Some(worst) = unit.worst.as_ref().filter(|worst| !worst.text.is_empty()) {
            detail.push(("strictest", worst.text.clone()));
        }
        payload.detail = detail
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        draft
    }

    pub(super) fn finding(&self, cause: &str, detail: &[(&str, String)]) -> Draft {
        let mut draft = Draft::sensor(EventType::Gap, detail);
        draft.payload.asserted_by = AssertedBy::Kernel;
        draft.payload.context.layer = Layer::Exec;
        draft
            .payload
            .detail
            .insert("cause".to_owned(), cause.to_owned());
        draft.payload.detail.retain(|_, value| !value.is_empty());
        draft
    }

    pub(super) fn gap(&mut self, cause: &str, detail: &[(&str, String)]) {
        let mut draft = self.finding(cause, detail);
        draft.payload.asserted_by = AssertedBy::Sensor;
        self.push(draft);
    }

    /// What was lost on the way here is told with its number.
    pub(super) fn count(&mut self) {
        if let Some(source) = &mut self.source {
            match source.counters() {
                Ok(counters) => {
                    let lost = counters.lost.saturating_sub(self.lost_told);
                    if lost > 0 {
                        self.lost_told = counters.lost;
                        self.lost = self.lost.saturating_add(lost);
                        self.claims.blind(process::now_ns());
                        let mut detail = vec![
                            ("finding", "exec-lost".to_owned()),
                            ("lost", lost.to_string()),
                        ];
                        if let Some(seen) = counters.seen {
                            detail.push(("seen", seen.to_string()));
                        }
                        self.gap("programs started that could not be recorded", &detail);
                    }
                }
                Err(error) => {
                    self.source = None;
                    self.trouble = Some(error.to_string());
                    self.gap(
                        "the capture of programs ended",
                        &[
                            ("why", error.to_string()),
                            ("finding", "exec-capture-off".into()),
                        ],
                    );
                }
            }
        }
        let unjudged = self.judge.unjudged.saturating_sub(self.unjudged_told);
        if unjudged > 0 {
            self.unjudged_told = self.judge.unjudged;
            let why = self.judge.problem.clone().unwrap_or_default();
            self.gap(
                "programs started that nobody judged",
                &[
                    ("finding", "exec-unjudged".to_owned()),
                    ("lost", unjudged.to_string()),
                    ("why", why),
                ],
            );
        }
        let spilled = self.spilled.saturating_sub(self.spilled_told);
        if spilled > 0 && self.waiting.len() < MAX_WAITING {
            self.spilled_told = self.spilled;
            self.gap(
                "events about programs did not fit",
                &[
                    ("finding", "exec-lost".to_owned()),
                    ("lost", spilled.to_string()),
                ],
            );
        }
    }

    pub(super) fn push(&mut self, draft: Draft) {
        if self.waiting.len() >= MAX_WAITING {
            self.spilled = self.spilled.saturating_add(1);
            return;
        }
        self.waiting.push_back(draft);
    }

    pub(super) fn send(&mut self) {
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(BATCH);
            let batch: Vec<Draft> = self.waiting.drain(..count).collect();
            match self.outbox.try_send(batch) {
                Ok(()) => {}
                Err(TrySendError::Full(batch)) => {
                    for draft in batch.into_iter().rev() {
                        self.waiting.push_front(draft);
                    }
                    return;
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }

    pub(super) fn last_words(&mut self) {
        self.count();
        self.read();
        for unit in self.units.all() {
            self.tell(&unit);
        }
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(BATCH);
            let batch: Vec<Draft> = self.waiting.drain(..count).collect();
            if self.outbox.send(batch).is_err() {
                return;
            }
        }
    }

    pub(super) fn show(&self) {
        let now = process::now_ns();
        let age = |at: u64| (at != 0).then(|| now.saturating_sub(at) / 1_000_000_000);
        let mut notes: Vec<String> = self
            .source
            .as_ref()
            .map(|source| source.notes().to_vec())
            .unwrap_or_default();
        notes.extend(self.judge.problem.clone());
        if self.killed > 0 {
            notes.push(format!("{} processes were ended", self.killed));
        }
        notes.push(format!(
            "shells reported {} times, last {}; agents' hooks {} times, last {}",
            self.reports.shell_records,
            age(self.reports.last_shell_ns)
                .map_or_else(|| "never".to_owned(), |age| format!("{age} s ago")),
            self.reports.hook_records,
            age(self.reports.last_hook_ns)
                .map_or_else(|| "never".to_owned(), |age| format!("{age} s ago")),
        ));
        notes.push(format!(
            "records of {} programs are borne out by what started",
            self.claims.borne_out
        ));
        let state = match (&self.source, &self.trouble) {
            (Some(source), _) => source.name().to_owned(),
            (None, Some(trouble)) => format!("off: {trouble}"),
            (None, None) => "starting".to_owned(),
        };
        let mode = match self.mode {
            ExecCapture::Enforce => "enforce",
            _ => "record",
        };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = LayerStatus {
            name: "exec".to_owned(),
            on: self.source.is_some(),
            state: format!("{state}, {mode}"),
            seen: self.seen,
            lost: self.lost.saturating_add(self.spilled),
            last_s: age(self.last_ns),
            notes,
        };
    }
}

pub(super) fn parents(line: &[Rc<Process>]) -> Vec<ProcessInfo> {
    line.iter()
        .take(16)
        .map(|process| ProcessInfo {
            pid: process.pid,
            name: process.name().to_owned(),
            exe: process
                .executable
                .starts_with('/')
                .then(|| cmdai_redact::redact(&process.executable).into_owned()),
        })
        .collect()
}

/// `gcc 12, sh 3`, most often first.
pub(super) fn counts(unit: &Unit) -> String {
    let mut all: Vec<(&String, &u64)> = unit.programs.iter().collect();
    all.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    let mut text = all
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ");
    if unit.others > 0 {
        text.push_str(&format!(", others {}", unit.others));
    }
    text
}
