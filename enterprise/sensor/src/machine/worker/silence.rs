//! Shells and agents that should have reported and did not.

use cmdai_exec_capture::process;
use cmdai_schema::{EventType, UserRef};

use super::telling::parents;
use super::{AGAIN_NS, Call, Expected, GRACE_NS, LOOKS, MAX_PENDING, Silent, Worker};
use crate::machine::units::{Anchor, Unit};

impl Worker<'_> {
    /// Units that are due, shells and agents that did not report.
    pub(super) fn look(&mut self) {
        let now = process::now_ns();
        self.looks = LOOKS;
        for unit in self.units.due(now) {
            self.tell(&unit);
        }
        while let Some(first) = self.expected.front() {
            if now.saturating_sub(first.since_ns) < GRACE_NS {
                break;
            }
            let Some(expected) = self.expected.pop_front() else {
                break;
            };
            let process = &expected.process;
            if !self
                .reports
                .shell(process.pid, process.uid, process.start_ns)
            {
                self.unhooked(&expected);
            }
        }
        while let Some(first) = self.calls.front() {
            if now.saturating_sub(first.at_ns) < GRACE_NS {
                break;
            }
            let Some(call) = self.calls.pop_front() else {
                break;
            };
            if !self.reports.agent_covers(call.agent.pid, call.at_ns) {
                self.unreported(&call, now);
            }
        }
        if self.silent.len() > MAX_PENDING {
            self.silent.clear();
        }
        if self.forged.len() > MAX_PENDING {
            self.forged.clear();
        }
        self.look_at_records(now);
        self.show();
    }

    /// An interactive shell without hooks.
    pub(super) fn unhooked(&mut self, expected: &Expected) {
        let process = &expected.process;
        self.silent.insert(
            (process.pid, process.start_ns),
            Silent {
                calls: 0,
                last_told_ns: expected.since_ns,
            },
        );
        let agent = expected.line.iter().find_map(|parent| parent.agent);
        let detail = [
            ("finding", "shell-without-hooks".to_owned()),
            ("shell", process.executable.clone()),
            ("pid", process.pid.to_string()),
            (
                "since",
                if process.before {
                    "before the sensor"
                } else {
                    "now"
                }
                .to_owned(),
            ),
            ("agent", agent.unwrap_or_default().to_owned()),
            ("container", self.contained(&expected.exec).to_string()),
        ];
        let user = self.user(process.uid);
        let ancestry = self.ancestry(&expected.line);
        let mut draft = self.finding(
            "an interactive shell runs without hooks: what is typed there is seen only as the programs that it starts",
            &detail,
        );
        draft.payload.user = user;
        draft.payload.context.tty = process.tty.map(|tty| tty.path());
        draft.payload.context.parent_process = parents(&expected.line);
        draft.payload.detail.insert("ancestry".to_owned(), ancestry);
        self.push(draft);
    }

    /// An agent's command without its hook's word.
    pub(super) fn unreported(&mut self, call: &Call, now: u64) {
        let name = (call.agent.pid, call.agent.start_ns);
        let silent = self.silent.entry(name).or_default();
        silent.calls = silent.calls.saturating_add(1);
        if silent.last_told_ns != 0 && now.saturating_sub(silent.last_told_ns) < AGAIN_NS {
            return;
        }
        silent.last_told_ns = now;
        let calls = std::mem::take(&mut silent.calls);
        let spoke = self.reports.agent(call.agent.pid, call.agent.start_ns);
        let detail = [
            ("finding", "agent-without-hook".to_owned()),
            ("agent", call.agent.agent.unwrap_or("unknown").to_owned()),
            ("executable", call.agent.executable.clone()),
            ("sha256", self.hash(&call.agent).unwrap_or_default()),
            ("pid", call.agent.pid.to_string()),
            ("commands", calls.to_string()),
            (
                "hook",
                if spoke.is_some() {
                    "spoke of others"
                } else {
                    "never spoke"
                }
                .to_owned(),
            ),
            ("text", call.text.clone().unwrap_or_default()),
            ("container", self.contained(&call.exec).to_string()),
        ];
        let user = self.user(call.agent.uid);
        let ancestry = self.ancestry(&call.line);
        let mut draft = self.finding(
            "an AI agent ran a command that its hook did not report",
            &detail,
        );
        draft.payload.user = user;
        draft.payload.context.parent_process = parents(&call.line);
        draft.payload.detail.insert("ancestry".to_owned(), ancestry);
        self.push(draft);
    }

    /// Variables of an agent, and no agent anywhere above.
    pub(super) fn forged_marks(&mut self, unit: &Unit, evidence: &[String], user: &UserRef) {
        let above = match &unit.anchor {
            Anchor::Shell(process) | Anchor::Agent(process) => (process.pid, process.start_ns),
            Anchor::None => unit.head,
        };
        let now = unit.first.time_ns;
        let told = self.forged.get(&above).copied();
        if told.is_some_and(|told| now.saturating_sub(told) < AGAIN_NS * 60) {
            return;
        }
        self.forged.insert(above, now);
        let mut draft = self.finding(
            "a process carries the marks of an AI agent and none is above it",
            &[
                ("finding", "attribution-disagrees".to_owned()),
                ("evidence", evidence.join(" ")),
                ("executable", unit.process.executable.clone()),
                ("pid", unit.process.pid.to_string()),
            ],
        );
        draft.kind = EventType::AgentActivity;
        draft.payload.user = user.clone();
        draft.payload.context.parent_process = parents(&unit.line);
        self.push(draft);
    }
}
