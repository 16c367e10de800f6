//! How much a machine may send: a bucket that refills, so that one machine cannot crowd out others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bounds of one machine.
#[derive(Debug)]
pub struct Quota {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at_ms: i64,
}

impl Quota {
    /// So many events a second on the long run, so many at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            burst: f64::from(burst.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Takes `events` out of the machine's bucket, or says how many seconds to wait.
    pub(crate) fn take(&self, machine_id: &str, events: usize, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > 50_000 {
            // A bucket that has had a minute is as good as full for every sensible setting.
            buckets.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < 60_000);
        }
        let bucket = buckets.entry(machine_id.to_owned()).or_insert(Bucket {
            left: self.burst,
            at_ms: now_ms,
        });
        let passed = i32::try_from(now_ms.saturating_sub(bucket.at_ms).max(0)).unwrap_or(i32::MAX);
        bucket.left = (bucket.left + f64::from(passed) / 1_000.0 * self.per_second).min(self.burst);
        bucket.at_ms = now_ms;
        let wanted = f64::from(u32::try_from(events).unwrap_or(u32::MAX)).min(self.burst);
        if bucket.left >= wanted {
            bucket.left -= wanted;
            return Ok(());
        }
        let mut seconds = 1;
        let mut filled = bucket.left + self.per_second;
        while filled < wanted && seconds < 300 {
            filled += self.per_second;
            seconds += 1;
        }
        Err(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refills_with_time_and_is_kept_for_each_machine() {
        let quota = Quota::new(100, 1_000);
        assert_eq!(quota.take("m-1", 1_000, 0), Ok(()));
        assert_eq!(quota.take("m-1", 500, 0), Err(5));
        assert_eq!(quota.take("m-2", 500, 0), Ok(()));
        assert_eq!(quota.take("m-1", 500, 5_000), Ok(()));
        assert_eq!(quota.take("m-1", 1, 4_000), Err(1));
    }
}
