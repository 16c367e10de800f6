//! Wall time as events write it.

use jiff::{SignedDuration, Timestamp};

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(now().as_millisecond()).unwrap_or(0)
}

/// Nanoseconds of the clock that stands still while the machine sleeps: the one in records.
pub(crate) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// A time that a record claims: believed within a week before and a minute after now.
pub(crate) fn believable(ms: u64) -> Option<Timestamp> {
    let time = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    let age = now().duration_since(time);
    (age < SignedDuration::from_hours(7 * 24) && age > -SignedDuration::from_secs(60))
        .then_some(time)
}

/// Seconds since a time; zero where the clock was put back.
pub(crate) fn age_s(time: &str) -> Option<u64> {
    let time: Timestamp = time.parse().ok()?;
    Some(u64::try_from(now().duration_since(time).as_secs()).unwrap_or(0))
}
