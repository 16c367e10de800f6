//! Counting by key within a sliding window: sign-ins that failed, reads already recorded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Most keys that are remembered; beyond it, those that have lapsed are dropped first, then those
/// that have not reached their bound, then all.
const MAX_KEYS: usize = 10_000;

/// Counts events by key within a window.
#[derive(Debug)]
pub(crate) struct Limiter {
    window_ms: i64,
    most: usize,
    seen: Mutex<HashMap<String, Vec<i64>>>,
}

impl Limiter {
    /// At most so many for each key within the window.
    pub(crate) fn new(most: usize, window_ms: i64) -> Self {
        Self {
            window_ms,
            most,
            seen: Mutex::default(),
        }
    }

    /// Takes one down; false where the key has reached its bound.
    pub(crate) fn take(&self, key: &str, now_ms: i64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_KEYS {
            let since = now_ms.saturating_sub(self.window_ms);
            seen.retain(|_, times| times.last().is_some_and(|time| *time > since));
            // Not by new names does somebody win further tries for an old one.
            if seen.len() >= MAX_KEYS {
                seen.retain(|_, times| times.len() >= self.most);
            }
            if seen.len() >= MAX_KEYS {
                seen.clear();
            }
        }
        let times = seen.entry(key.to_owned()).or_default();
        let since = now_ms.saturating_sub(self.window_ms);
        times.retain(|time| *time > since);
        if times.len() >= self.most {
            return false;
        }
        times.push(now_ms);
        true
    }

    /// Forgets a key.
    pub(crate) fn forget(&self, key: &str) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bounded_within_its_window_only() {
        let limiter = Limiter::new(2, 1_000);
        assert!(limiter.take("a", 0));
        assert!(limiter.take("a", 10));
        assert!(!limiter.take("a", 20));
        assert!(limiter.take("b", 20));
        assert!(limiter.take("a", 1_005));
        limiter.forget("a");
        assert!(limiter.take("a", 1_006));
    }

    #[test]
    fn many_keys_do_not_free_one_that_is_bounded() {
        let limiter = Limiter::new(2, 1_000);
        assert!(limiter.take("a", 0) && limiter.take("a", 0));
        for number in 0..=MAX_KEYS {
            limiter.take(&format!("n{number}"), 1);
        }
        assert!(!limiter.take("a", 2));
        assert!(limiter.seen.lock().unwrap().len() <= MAX_KEYS);
    }
}
