//! Which program starts get a record of their own, and which are counted.
//!
//! A build starts the same few programs thousands of times. The first [`EACH`] starts of a program in
//! [`WINDOW`] have a record each; further ones that no rule speaks about are counted, and one record
//! with the count and the last command is written when the window closes. What a rule speaks about
//! always has a record of its own.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Starts of one program in a window that have a record of their own.
pub(crate) const EACH: u64 = 20;
/// How long a window is.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// Most programs that are counted at the same time.
const MAX_PROGRAMS: usize = 1_024;

struct Window<T> {
    begun: Instant,
    seen: u64,
    last: Option<T>,
}

/// Counts starts by program. `T` is what is kept of the last one.
pub(crate) struct Roll<T> {
    windows: HashMap<String, Window<T>>,
}

impl<T> Roll<T> {
    pub(crate) fn new() -> Self {
        Self {
            windows: HashMap::new(),
        }
    }

    /// A program was started. True where it gets a record of its own; else `last` is kept.
    pub(crate) fn start(&mut self, program: &str, now: Instant, last: impl FnOnce() -> T) -> bool {
        if self.windows.len() >= MAX_PROGRAMS && !self.windows.contains_key(program) {
            return true;
        }
        let window = self
            .windows
            .entry(program.to_owned())
            .or_insert_with(|| Window {
                begun: now,
                seen: 0,
                last: None,
            });
        window.seen += 1;
        if window.seen <= EACH {
            return true;
        }
        window.last = Some(last());
        false
    }

    /// Closes windows that are over (or all): what was counted, how often.
    pub(crate) fn close(&mut self, now: Instant, all: bool) -> Vec<(T, u64)> {
        let over = |window: &Window<T>| all || now.duration_since(window.begun) >= WINDOW;
        let closed = self.windows.extract_if(|_, window| over(window));
        closed
            .filter_map(|(_, window)| Some((window.last?, window.seen.saturating_sub(EACH))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_have_records_and_many_are_counted_without_loss() {
        let mut roll = Roll::new();
        let now = Instant::now();
        let mut own = 0;
        for number in 0..1_000_u64 {
            own += u64::from(roll.start("gcc", now, || number));
            own += u64::from(number < 5 && roll.start("ld", now, || number));
        }
        assert_eq!(own, EACH + 5);
        assert!(roll.close(now, false).is_empty());
        assert_eq!(roll.close(now + WINDOW, false), [(999, 1_000 - EACH)]);
        assert!(roll.start("gcc", now, || 0));
        assert!(roll.close(now, true).is_empty());
    }
}
