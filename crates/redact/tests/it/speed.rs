//! The time of the usual line. A loose bound that only a change of complexity breaks; the figures
//! come from the benchmarks.

use std::time::Instant;

use cmdai_redact::find;

/// Seconds of processor that this thread has had, where the system tells: a busy machine must not fail a test.
fn used(begun: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(|| begun.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

#[test]
fn time_grows_with_the_text() {
    let begun = Instant::now();
    let line = "docker exec -it db mysql -uroot -psecret1 shop; export A_TOKEN=abc12345 ; ";
    // Long enough for a clock that moves on with the scheduler's ticks.
    let time = |count: usize, times: u32| {
        let text = line.repeat(count);
        let start = used(begun);
        for _ in 0..times {
            assert!(!find(&text).is_empty());
        }
        (used(begun) - start) / f64::from(times)
    };
    let (short, long) = (time(100, 40), time(1000, 4));
    assert!(
        long < short * 40.0,
        "ten times the text took {} times",
        long / short
    );
}
