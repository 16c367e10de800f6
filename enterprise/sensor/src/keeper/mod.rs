//! The part with rights: one thread that owns all state, fed by small threads that only read.

mod approvals;
mod calls;
mod child;
mod consent;
mod draft;
mod drops;
mod errands;
mod exceptions;
mod governor;
mod hashing;
mod keyed;
mod machine;
mod measure;
mod orders;
mod policy;
mod private;
mod renewal;
mod room;
mod running;
mod seal;
mod shares;
mod special;
mod tail;
mod turn;
mod watch;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Result;

pub(crate) use child::Child;
pub(crate) use draft::Draft;
pub use keyed::hashed;
pub use measure::measure_layer;

use crate::frames;
use crate::options::Options;
use crate::wire::{Answer, Ask};

/// What reaches the one thread.
pub(crate) enum Input {
    /// A person's process asks.
    Governor(governor::Call),
    /// The courier asks.
    Courier(Ask, SyncSender<Answer>),
    /// The courier is gone.
    CourierGone,
}

/// Runs keeper and courier until `shutdown` resolves, then stops in good order.
///
/// # Errors
/// Where the machine is not enrolled, another sensor runs, or state is damaged.
pub async fn run(options: Options, shutdown: impl Future<Output = ()>) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let (done, finished) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("keeper".to_owned())
        .spawn(move || {
            let _ = done.send(turn::Keeper::run(&options, &flag));
        })?;
    tokio::pin!(shutdown);
    tokio::pin!(finished);
    tokio::select! {
        result = &mut finished => result?,
        () = &mut shutdown => {
            stop.store(true, Ordering::Relaxed);
            finished.await?
        }
    }
}

/// Keeps a courier running; starts a new one when it ends, not faster than once a second at first
/// and once a minute at last.
pub(crate) struct Couriers {
    child: Option<Child>,
    next: Instant,
    failures: u32,
    started: Instant,
}

impl Couriers {
    pub(crate) fn new() -> Self {
        Self {
            child: None,
            next: Instant::now(),
            failures: 0,
            started: Instant::now(),
        }
    }

    /// Process id, where one runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// Starts one where none runs and its time has come.
    pub(crate) fn tend(&mut self, options: &Options, input: &Sender<Input>) -> Result<()> {
        if self.child.is_some() || Instant::now() < self.next {
            return Ok(());
        }
        self.later();
        let child = Child::start(&options.courier, &options.courier_account)?;
        let mut stream = child.stream.try_clone()?;
        let input = input.clone();
        std::thread::Builder::new()
            .name("courier".to_owned())
            .spawn(move || {
                while let Ok(Some(ask)) = frames::read::<Ask>(&mut stream, frames::MAX_FRAME) {
                    let (reply, answer) = sync_channel(1);
                    if input.send(Input::Courier(ask, reply)).is_err() {
                        return;
                    }
                    let Ok(answer) = answer.recv() else { break };
                    if frames::write(&mut stream, &answer, frames::MAX_FRAME).is_err() {
                        break;
                    }
                }
                let _ = input.send(Input::CourierGone);
            })?;
        self.started = Instant::now();
        self.child = Some(child);
        Ok(())
    }

    pub(crate) fn gone(&mut self) {
        self.child = None;
        if self.started.elapsed() > Duration::from_secs(60) {
            self.failures = 0;
        }
        self.later();
    }

    fn later(&mut self) {
        let wait = Duration::from_secs(1u64 << self.failures.min(6)).min(Duration::from_secs(60));
        self.failures = self.failures.saturating_add(1);
        self.next = Instant::now() + wait;
    }
}
