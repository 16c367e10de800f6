//! Tests of detection through its public face: events in, findings out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test by panicking"
)]

mod builtin;
mod engine;

use cmdai_schema::{
    AgentInfo, CommandInfo, Decision, Event, EventType, Execution, Hash, OriginKind, Payload,
    PolicyEvaluation, Risk,
};

/// The moment at which the tests begin, milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// Builds events one field at a time.
#[derive(Clone)]
pub(crate) struct Build {
    pub(crate) kind: EventType,
    pub(crate) machine: &'static str,
    pub(crate) payload: Payload,
}

impl Build {
    pub(crate) fn new(kind: EventType) -> Self {
        let mut payload = Payload::default();
        payload.user.user_id = "alice".to_owned();
        payload.machine.hostname = "laptop-1".to_owned();
        payload.context.session_id = "s1".to_owned();
        Self {
            kind,
            machine: "m-0000000000000001",
            payload,
        }
    }

    pub(crate) fn command(text: &str) -> Self {
        let mut build = Self::new(EventType::CommandExecuted);
        let programs = text.split_whitespace().take(1).map(str::to_owned).collect();
        build.payload.command = Some(CommandInfo {
            text: text.to_owned(),
            programs,
            ..CommandInfo::default()
        });
        build.payload.execution = Some(Execution {
            allowed: true,
            exit_code: Some(0),
            duration_ms: Some(3),
        });
        build
    }

    pub(crate) fn blocked(text: &str, risk: Risk) -> Self {
        let mut build = Self::command(text);
        build.kind = EventType::CommandBlocked;
        build.payload.policy_evaluation = Some(PolicyEvaluation {
            decision: Decision::Deny,
            risk_level: risk,
            violated_rules: vec!["fs.delete-root".to_owned()],
            ..PolicyEvaluation::default()
        });
        build
    }

    pub(crate) fn agent(mut self, name: &str) -> Self {
        self.payload.context.origin.kind = OriginKind::Agent;
        self.payload.context.agent = Some(AgentInfo {
            name: name.to_owned(),
            ..AgentInfo::default()
        });
        self
    }

    pub(crate) fn effects(mut self, effects: &[&str]) -> Self {
        let command = self.payload.command.get_or_insert_default();
        command.effects = effects.iter().map(|&effect| effect.to_owned()).collect();
        self
    }

    pub(crate) fn exit(mut self, code: i32) -> Self {
        self.payload.execution.get_or_insert_default().exit_code = Some(code);
        self
    }

    pub(crate) fn on(mut self, machine: &'static str) -> Self {
        self.machine = machine;
        self
    }

    pub(crate) fn session(mut self, session: &str) -> Self {
        self.payload.context.session_id = session.to_owned();
        self
    }

    pub(crate) fn detail(mut self, key: &str, value: &str) -> Self {
        self.payload.detail.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The event at `ms` after the start.
    pub(crate) fn at(&self, ms: u64) -> Event {
        let time = jiff::Timestamp::from_millisecond(i64::try_from(START + ms).unwrap()).unwrap();
        Event::seal(
            format!("0198f000-0000-7000-8000-{ms:012}"),
            1,
            Hash::default(),
            format!("{time:.3}"),
            self.kind,
            self.machine.to_owned(),
            [0; 16],
            self.payload.clone(),
        )
        .unwrap()
    }
}
