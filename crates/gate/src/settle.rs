//! From a decision to what happens: say, ask, get a grant, write it down.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;

use cmdai_effects::NoSession;
use cmdai_effects::script::NoLanguages;
use cmdai_policy::Capture;
use cmdai_schema::{
    ApprovalInfo, CommandSource, Decision, Dialect, Judgement, Mode, OriginKind, ProcessInfo, Risk,
    RuleHit, Span, exit_code,
};

use crate::approval::{Approval, BREAK_GLASS};
use crate::gate::{Action, Gate, Outcome, RULE_HOOK_CRASHED, Request};
use crate::memo::Judged;
use crate::origin::Attribution;
use crate::policies::Failing;
use crate::recorder::{Recorder, Verdict};
use crate::render::{self, View};
use crate::{files, ids};

/// Somebody who reads messages and may answer.
pub trait Voice {
    /// Shows a message of whole lines.
    fn say(&mut self, message: &str);
    /// Asks whether to run it. Only called where the request says that somebody can answer.
    fn confirm(&mut self) -> bool;
    /// How to write messages.
    fn view(&self) -> View<'static>;
}

/// What happens to a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// It may run.
    pub run: bool,
    /// Exit status where it may not: 126, or 75 while it waits for an approval.
    pub status: u8,
    /// Identifier that joins its records.
    pub command_id: String,
    /// Rules that were answered for by a person or a grant.
    pub accepted: Vec<String>,
    /// The approval that took part.
    pub approval: Option<ApprovalInfo>,
    /// A first half was written, so a second one belongs to it.
    pub recorded: bool,
    /// It was stopped because it could not be recorded.
    pub unrecorded: bool,
}

/// What to do besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner<'a> {
    /// Reason the person gave with the request for approval.
    pub reason: Option<&'a str>,
    /// The person insists (`--allow-dangerous`): lets a denied command run where nobody governs
    /// and no agent acts.
    pub insist: bool,
    /// It cannot wait: permission of one's own in place of an approval, where policy lets it.
    /// Needs `reason`.
    pub break_glass: bool,
    /// Where the command came from, where that is not who acts.
    pub source: Option<CommandSource>,
    /// Identifier to use.
    pub command_id: Option<&'a str>,
    /// Do not write a record where the command runs: it is part of one that has a record.
    pub part: bool,
    /// Its rules were answered for when the command that it is part of was asked about.
    pub answered: bool,
    /// What started it, nearest first, where that is not what started this process.
    pub parents: Option<&'a [ProcessInfo]>,
    /// It stands for so many starts of the same program.
    pub times: Option<u64>,
    /// What is known of it, where it was judged by [`Gate::judge_known`].
    pub judged: Option<&'a Judged>,
}

impl Gate {
    /// Carries a decision out: warns, asks, redeems or opens an approval, and records the first
    /// half. The second half is the caller's, who knows when the command has ended.
    pub fn settle(
        &mut self,
        request: &Request<'_>,
        outcome: &Outcome,
        voice: &mut dyn Voice,
        recorder: &mut Recorder,
        manner: Manner<'_>,
    ) -> Settled {
        let governed = self.installation().is_governed();
        let command_id = manner.command_id.map_or_else(ids::fresh_id, str::to_owned);
        let judgement = &outcome.judgement;
        // Only where there is something to say: what simply runs is not kept waiting for the terminal.
        let view = |voice: &dyn Voice| View {
            command_id: Some(&command_id),
            governed,
            can_answer: request.terminal,
            ..voice.view()
        };
        let mut settled = Settled {
            command_id: command_id.clone(),
            status: exit_code::BLOCKED,
            ..Settled::default()
        };
        let agent = request.who.agent.is_some() || request.who.origin.kind == OriginKind::Agent;
        let private = !agent && self.is_private(recorder);
        let action = match manner.answered {
            true => Action::Run,
            false => outcome.action(request.terminal, governed),
        };
        match action {
            Action::Run => settled.run = true,
            Action::Warn => {
                // What was warned of is written down, so not here.
                if private || self.warned.first_today(judgement) {
                    voice.say(&render::message(request.text, judgement, &view(&*voice)));
                }
                settled.run = true;
            }
            Action::Ask => {
                voice.say(&render::message(request.text, judgement, &view(&*voice)));
                settled.run = voice.confirm();
            }
            Action::Approve => {
                let session_id = recorder.session_id();
                let emergency = manner.reason.filter(|_| manner.break_glass && !agent);
                let approval = match emergency {
                    Some(reason) => self.break_glass(request, outcome, session_id, reason),
                    None => {
                        let reason = manner.reason.map(str::to_owned);
                        self.approve(request, outcome, session_id, reason)
                    }
                };
                settled.approval = approval.info().cloned();
                match &approval {
                    Approval::Granted(info) if info.status == BREAK_GLASS => {
                        voice.say(&format!(
                            "cmdai: break-glass: this runs without an approval, is reported now and will be reviewed (request {})\n",
                            crate::escape(&info.request_id)
                        ));
                        settled.run = true;
                    }
                    Approval::Granted(_) => settled.run = true,
                    Approval::Pending(info) => {
                        settled.status = exit_code::WAITING;
                        voice.say(&render::message(
                            request.text,
                            judgement,
                            &View {
                                request_id: Some(&info.request_id),
                                ..view(&*voice)
                            },
                        ));
                    }
                    Approval::Refused(info) => {
                        voice.say(&render::message(request.text, judgement, &view(&*voice)));
                        voice.say(&format!(
                            "  refused {}\n",
                            crate::escape(info.reason.as_deref().unwrap_or("no reason given"))
                        ));
                    }
                    Approval::Unreachable(error) => {
                        voice.say(&render::message(request.text, judgement, &view(&*voice)));
                        voice.say(&format!("  no approval can be asked for: {error}\n"));
                    }
                }
            }
            Action::Block if manner.insist && !governed && !agent => settled.run = true,
            Action::Block => {
                voice.say(&render::message(request.text, judgement, &view(&*voice)));
                if manner.break_glass && agent {
                    voice.say("  break-glass is for people; an AI agent has none\n");
                } else if manner.break_glass {
                    voice.say("  break-glass stands in for an approval, never for a denial\n");
                }
            }
        }
        if settled.run {
            settled.status = 0;
            settled.accepted = judgement
                .rules
                .iter()
                .filter(|hit| hit.mode == Mode::Enforce && hit.decision.interrupts())
                .map(|hit| hit.id.clone())
                .collect();
        }
        let capture = self.policies().capture(request.cwd, request.home);
        let wanted = match capture {
            None => false,
            Some(Capture::Findings) => !outcome.judgement.rules.is_empty(),
            Some(Capture::Metadata | Capture::Full) => true,
        };
        let is_part = manner.part && settled.run && settled.approval.is_none();
        if wanted && !is_part {
            let verdict = Verdict {
                allowed: settled.run,
                approval: settled.approval.clone(),
                source: manner.source,
                command_id: Some(command_id),
                without_text: capture == Some(Capture::Metadata),
                parents: manner.parents.map(<[ProcessInfo]>::to_vec),
                times: manner.times,
                private,
                clean: manner.judged.and_then(|judged| judged.known.clean.clone()),
                micros: manner.judged.map(|judged| judged.micros),
            };
            recorder.start(request, outcome, verdict);
            settled.recorded = true;
            // What nobody will see: an agent waits until it can be seen again. So does, where policy
            // says fail closed, what a rule speaks about. A person goes on with the rest.
            let closed = self.policies().failing() == Failing::Closed
                && outcome.judgement.decision > Decision::Allow;
            if governed && settled.run && recorder.lost() && (agent || closed) {
                settled.run = false;
                settled.status = exit_code::BLOCKED;
                settled.accepted.clear();
                settled.unrecorded = true;
                voice.say(&format!(
                    "cmdai: blocked, because it cannot be recorded: {}\n",
                    crate::escape(recorder.problem().unwrap_or("free some space"))
                ));
            }
            // What has no place in the spool may still have one with the governor.
            if governed && (!settled.run || settled.approval.is_some() || recorder.lost()) {
                let mut start = recorder.last().clone();
                start.allowed = settled.run;
                self.report(start, recorder.session_id());
            }
        }
        settled
    }
}

impl Gate {
    /// Records that a shell's hook failed twice, and tells the governor: whoever makes it fail has
    /// found a way around it.
    pub fn hook_crashed(&self, who: &Attribution, recorder: &mut Recorder, what: &str) {
        let outcome = Outcome {
            judgement: Judgement {
                decision: Decision::Warn,
                risk: Risk::High,
                rules: vec![RuleHit {
                    id: RULE_HOOK_CRASHED.to_owned(),
                    pack: "core".to_owned(),
                    decision: Decision::Warn,
                    risk: Risk::High,
                    mode: Mode::Enforce,
                    reason: format!("the shell's hook failed twice in this session; {what}"),
                    span: Span::default(),
                    instead: None,
                    owner: None,
                    controls: Vec::new(),
                }],
                policy: self.policies().reference(),
                ..Judgement::default()
            },
            ..Outcome::default()
        };
        let request = Request {
            text: "",
            dialect: Dialect::Bash,
            cwd: "/",
            home: self.person().home_text(),
            user: &self.person().login,
            session: &NoSession,
            languages: &NoLanguages,
            who,
            terminal: false,
            facts: None,
        };
        let verdict = Verdict {
            allowed: true,
            ..Verdict::default()
        };
        let start = recorder.start(&request, &outcome, verdict).clone();
        if self.installation().is_governed() {
            self.report(start, recorder.session_id());
        }
    }
}

/// Remembers what was warned of today, so that one kind of command is warned of once a day.
#[derive(Debug, Default)]
pub(crate) struct WarnMemory {
    file: Option<PathBuf>,
    day: u64,
    known: Option<HashSet<String>>,
}

impl WarnMemory {
    pub(crate) fn below(state: &std::path::Path) -> Self {
        Self {
            file: Some(state.join("warned")),
            ..Self::default()
        }
    }

    /// True for the first warning of this shape (rules and programs) since midnight UTC.
    fn first_today(&mut self, judgement: &Judgement) -> bool {
        let today = ids::wall_ms() / 86_400_000;
        let mut rules: Vec<&str> = judgement
            .rules
            .iter()
            .filter(|hit| hit.decision >= Decision::Warn)
            .map(|hit| hit.id.as_str())
            .collect();
        rules.sort_unstable();
        let shape = format!(
            "{today} {} {}",
            rules.join(","),
            judgement.programs.join(",").replace(['\n', ' '], "_")
        );
        if self.day != today {
            (self.day, self.known) = (today, None);
        }
        let file = self.file.clone();
        let known = self.known.get_or_insert_with(|| {
            let bytes = file
                .as_ref()
                .and_then(|file| files::read_bounded(file, 1024 * 1024).ok())
                .unwrap_or_default();
            String::from_utf8_lossy(&bytes)
                .lines()
                .filter(|line| line.starts_with(&format!("{today} ")))
                .map(str::to_owned)
                .collect()
        });
        let empty = known.is_empty();
        if !known.insert(shape.clone()) {
            return false;
        }
        if let Some(file) = &self.file {
            let _ = if empty {
                files::replace_private(file, format!("{shape}\n").as_bytes())
            } else {
                std::fs::OpenOptions::new()
                    .append(true)
                    .open(file)
                    .and_then(|mut file| file.write_all(format!("{shape}\n").as_bytes()))
            };
        }
        true
    }
}
