//! What happens on machines, before it is judged and sealed.

use std::sync::Arc;

use cmdai_schema::EventType;
use fastrand::Rng;

use crate::commands;
use crate::people::Person;

/// Something that happens at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) deed: Deed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A command is given.
    Command(Typed),
    /// The sensor says something of its own.
    Sensor {
        kind: EventType,
        detail: Vec<(&'static str, String)>,
    },
}

/// A command as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) session: Arc<str>,
    /// Number in the session, from 1.
    pub(crate) counter: u64,
    pub(crate) agent: Option<&'static str>,
    pub(crate) text: String,
    pub(crate) cwd: String,
    pub(crate) exit_code: i32,
    pub(crate) duration_ms: u64,
}

/// A shell or agent session in which commands are typed.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    id: Arc<str>,
    counter: u64,
    pub(crate) agent: Option<&'static str>,
    cwd: String,
}

impl Session {
    pub(crate) fn new(rng: &mut Rng, person: &Person, agent: Option<&'static str>) -> Self {
        let id = format!("s-{:016x}", rng.u64(..));
        let cwd = format!("{}/src/{}", person.home, commands::repository(rng));
        Self {
            id: id.into(),
            counter: 0,
            agent,
            cwd,
        }
    }

    /// Somebody's next session: their own, or one of their agents'.
    pub(crate) fn next(rng: &mut Rng, person: &Person) -> Self {
        let agent = (!person.agents.is_empty() && rng.u8(..) < 110)
            .then(|| rng.usize(..person.agents.len()));
        let agent = agent.and_then(|at| person.agents.get(at).copied());
        Self::new(rng, person, agent)
    }

    /// The command `text`.
    pub(crate) fn types(&mut self, rng: &mut Rng, text: String) -> Typed {
        self.counter += 1;
        // Most commands are quick, some take seconds; most succeed.
        let duration_ms = (6.0 * (rng.f64() * 6.0).exp()) as u64;
        let failing = if self.agent.is_some() { 28 } else { 15 };
        let exit_code = if rng.u8(..) < failing {
            [1, 1, 2, 101, 127, 130]
                .get(rng.usize(..6))
                .copied()
                .unwrap_or(1)
        } else {
            0
        };
        Typed {
            session: Arc::clone(&self.id),
            counter: self.counter,
            agent: self.agent,
            text,
            cwd: self.cwd.clone(),
            exit_code,
            duration_ms,
        }
    }

    /// A command that fits the person or their agent.
    pub(crate) fn command(&mut self, rng: &mut Rng, person: &Person) -> Typed {
        let text = commands::command(rng, person.role, self.agent.is_some());
        self.types(rng, text)
    }

    /// Commands so far.
    pub(crate) const fn len(&self) -> u64 {
        self.counter
    }
}
