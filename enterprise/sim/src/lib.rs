//! The fleet simulator: demo, load, faults.
//!
//! Virtual machines that are real towards the server: each enrols with a key and certificate of
//! its own, speaks mutual TLS, checks in, obeys orders, asks for approvals, and uploads sealed
//! events in one chain. What is simulated is what people and agents type; every command is judged
//! by the analysis and the policy that machines use, and redacted like on a machine.
//!
//! Releases are fetched and verified for real, once for each state and not once for each machine;
//! each machine then chooses by its own id and labels, as the rings say. ([`wave`] measures with
//! machines that verify each for itself.)
//!
//! What is typed follows from the seed; keys, machine ids and the moment of the run do not. Three
//! things a sensor does are left out: commands never run (exit status and duration are made up),
//! signatures of orders and grants are not checked, because nothing here could be harmed, and
//! machines have no memory of releases of their own.
//!
//! ```no_run
//! # async fn demo() -> anyhow::Result<()> {
//! let (stop, stopped) = tokio::sync::watch::channel(false);
//! let options = cmdai_sim::Options {
//!     server: "https://127.0.0.1:8441".to_owned(),
//!     token: "cmdai1.…".to_owned(),
//!     ..cmdai_sim::Options::default()
//! };
//! let fleet = tokio::spawn(cmdai_sim::run(options, stopped));
//! stop.send(true)?;
//! println!("{:?}", fleet.await??);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod actor;
mod commands;
mod fleet;
mod history;
mod judge;
mod machine;
mod net;
mod people;
mod release;
mod story;
#[cfg(test)]
mod tests;
mod tls;
pub mod wave;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

pub use fleet::run;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many machines. Each uses the token once.
    pub machines: u32,
    /// Address of the machine listener, `https://…`.
    pub server: String,
    /// Enrolment token with enough uses.
    pub token: String,
    /// Policy to judge by where the server has not published any; may be empty.
    pub policy: String,
    /// The same seed gives the same people, sessions and commands.
    pub seed: u64,
    /// Live commands a second, of the whole fleet.
    pub rate: f64,
    /// How far back the past goes.
    pub history: Duration,
    /// Commands of one machine on a working day of the past.
    pub commands_per_day: u32,
    /// Time between two contacts of a machine, plus or minus a quarter.
    pub checkin: Duration,
    /// Time over which the machines arrive.
    pub arrive: Duration,
    /// Incidents happen, in the past and live.
    pub story: bool,
    /// Most requests at the same time.
    pub parallel: usize,
    /// What goes wrong on the way.
    pub faults: Faults,
}

/// What goes wrong on the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Every upload is sent twice.
    pub duplicate: bool,
    /// Every upload with two events or more is first sent in the wrong order.
    pub reorder: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            machines: 200,
            server: String::new(),
            token: String::new(),
            policy: String::new(),
            seed: 1,
            rate: 20.0,
            history: Duration::from_secs(36 * 3600),
            commands_per_day: 60,
            checkin: Duration::from_secs(8),
            arrive: Duration::from_secs(3),
            story: true,
            parallel: 24,
            faults: Faults::default(),
        }
    }
}

/// What the fleet did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Machines enrolled.
    pub machines: u64,
    /// Events sealed.
    pub events_produced: u64,
    /// Events that the server said are durable.
    pub acked: u64,
    /// Commands by decision.
    pub decisions: BTreeMap<String, u64>,
    /// Uploads that were stored.
    pub uploads: u64,
    /// Contacts.
    pub checkins: u64,
    /// Approvals asked for.
    pub approvals: u64,
    /// Uploads that the server refused, as a fault was meant to bring about.
    pub refused: u64,
    /// Troubles by their words. Empty where all went well.
    pub errors: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.machines += other.machines;
        self.events_produced += other.events_produced;
        self.acked += other.acked;
        self.uploads += other.uploads;
        self.checkins += other.checkins;
        self.approvals += other.approvals;
        self.refused += other.refused;
        for (from, to) in [
            (&other.decisions, &mut self.decisions),
            (&other.errors, &mut self.errors),
        ] {
            for (name, count) in from {
                *to.entry(name.clone()).or_default() += count;
            }
        }
    }
}
