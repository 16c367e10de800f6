//! The machine layer: every program that starts, whoever starts it.
//!
//! ```text
//! kernel ─► exec-capture ─► worker ─► judge (a process without rights)
//!                             │  ▲ what shells and agents reported (tail)
//!                             ▼  │
//!                 units, findings, kills ─► drafts ─► the keeper's thread ─► sealed
//! ```
//!
//! One thread of the keeper reads and keeps books ([`worker`]); arguments of other people's processes
//! are parsed, judged and redacted in a process of an unprivileged account ([`judge`]). What belongs
//! together becomes one event with a count ([`units`]), joined to the record of the shell or agent
//! that caused it ([`reports`]). What should have a record and has none is a finding within ten
//! seconds; so is a record of what cannot have been ([`claims`], [`authors`]). All books are bounded;
//! what does not fit is counted and told as a gap.

mod authors;
mod claims;
mod hashes;
mod judge;
mod never;
mod origin;
mod processes;
mod reports;
mod units;
mod worker;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use cmdai_exec_capture::Choice;
use cmdai_policy::ExecCapture;
use cmdai_schema::Subject;
use cmdai_schema::governor::LayerStatus;

pub use judge::judge_main;
pub(crate) use reports::Sighting;

use crate::keeper::Draft;
use crate::options::CourierProgram;

/// Batches of drafts that wait for the keeper's thread.
const WAITING: usize = 32;
/// Orders that wait for the worker.
const ORDERS: usize = 256;

/// What the worker is told.
pub(crate) enum Order {
    /// Reported by shells and agents.
    Sightings(Vec<Sighting>),
    /// The policy as compiled, and as whom this machine is judged.
    Policy(Vec<u8>, Box<Subject>),
    /// What to do with what is seen.
    Mode(ExecCapture),
    /// A grant or an emergency was used by this process: its children are not ended.
    Permitted { uid: u32, pid: u32 },
    /// Say what is still unsaid and end.
    Stop,
}

/// What does not change while it runs.
pub(crate) struct Setup {
    pub(crate) choice: Choice,
    pub(crate) judge: CourierProgram,
    pub(crate) account: String,
    /// This sensor's processes, never ended; the courier's is added as it starts.
    pub(crate) own: Vec<u32>,
}

/// The worker, from outside.
pub(crate) struct Machine {
    orders: SyncSender<Order>,
    drafts: Receiver<Vec<Draft>>,
    state: Arc<Mutex<LayerStatus>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Orders that did not fit.
    pub(crate) missed: u64,
    mode: ExecCapture,
}

impl Machine {
    /// Starts it.
    pub(crate) fn start(setup: Setup, mode: ExecCapture) -> std::io::Result<Self> {
        let (orders, inbox) = sync_channel(ORDERS);
        let (outbox, drafts) = sync_channel(WAITING);
        let state = Arc::new(Mutex::new(LayerStatus {
            name: "exec".to_owned(),
            state: "starting".to_owned(),
            ..LayerStatus::default()
        }));
        let shown = state.clone();
        let thread = std::thread::Builder::new()
            .name("machine".to_owned())
            .spawn(move || worker::Worker::run(&setup, mode, &inbox, &outbox, &shown))?;
        Ok(Self {
            orders,
            drafts,
            state,
            thread: Some(thread),
            missed: 0,
            mode,
        })
    }

    pub(crate) fn mode(&self) -> ExecCapture {
        self.mode
    }

    pub(crate) fn set_mode(&mut self, mode: ExecCapture) {
        self.mode = mode;
        self.order(Order::Mode(mode));
    }

    /// Never waits: the keeper's thread serves people.
    pub(crate) fn order(&mut self, order: Order) {
        if let Err(TrySendError::Full(_)) = self.orders.try_send(order) {
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// What there is to seal.
    pub(crate) fn drafts(&self) -> Option<Vec<Draft>> {
        self.drafts.try_recv().ok()
    }

    /// How it is.
    pub(crate) fn status(&self) -> LayerStatus {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if self
            .thread
            .as_ref()
            .is_some_and(std::thread::JoinHandle::is_finished)
        {
            state.on = false;
        }
        state
    }

    /// Ends it and gives what it still had to say.
    pub(crate) fn stop(mut self) -> Vec<Draft> {
        let _ = self.orders.send(Order::Stop);
        let mut last: Vec<Draft> = Vec::new();
        while let Ok(mut drafts) = self.drafts.recv() {
            last.append(&mut drafts);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        last
    }
}
