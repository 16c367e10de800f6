//! The place of the one hooked shell of a process, and the walls around it.

use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::{Mutex, TryLockError};

use crate::{library, terminal};

/// Counts its own crashes.
pub trait Crashes {
    /// Counts one more. True once there were so many that it only records.
    fn crashed(&mut self) -> bool;
}

/// The hooked shell of this process, where there is one.
#[derive(Debug)]
pub struct Slot<S>(Mutex<Option<S>>);

impl<S: Crashes> Slot<S> {
    /// Nothing is hooked yet.
    pub const fn empty() -> Self {
        Self(Mutex::new(None))
    }

    /// Runs `work` on the hooked shell. A panic is counted and becomes `failed`; so does a call from
    /// inside another call, which does not happen in a shell that is whole.
    pub fn guarded<T>(&self, absent: T, failed: T, work: impl FnOnce(&mut S) -> T) -> T {
        let mut slot = match self.0.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => {
                self.0.clear_poison();
                poisoned.into_inner()
            }
            Err(TryLockError::WouldBlock) => return failed,
        };
        let Some(shell) = slot.as_mut() else {
            return absent;
        };
        match catch_unwind(AssertUnwindSafe(|| work(shell))) {
            Ok(answer) => answer,
            Err(_) => {
                // From the second crash on the shell only records, unless policy says fail closed.
                if shell.crashed() { absent } else { failed }
            }
        }
    }

    /// Hooks the shell, once; `leave` is called when the process ends. False where it failed.
    pub fn begin(&self, start: impl FnOnce() -> S + UnwindSafe, leave: extern "C" fn()) -> bool {
        let Ok(mut slot) = self.0.lock() else {
            return false;
        };
        if slot.is_some() {
            return true;
        }
        std::panic::set_hook(Box::new(|info| {
            let place = info
                .location()
                .map(|place| format!(" at {}:{}", place.file(), place.line()))
                .unwrap_or_default();
            terminal::say(&format!("cmdai: internal error{place}; please report it\n"));
        }));
        library::stay_loaded();
        let Ok(shell) = catch_unwind(start) else {
            return false;
        };
        *slot = Some(shell);
        library::at_exit(leave);
        true
    }
}
