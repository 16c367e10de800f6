//! The time of the usual line. A loose bound that only a change of complexity breaks; the figures
//! come from the benchmarks.

use std::time::Instant;

use cmdai_redact::find;

#[test]
fn time_grows_with_the_text() {
    let line = "docker exec -it db mysql -uroot -psecret1 shop; export A_TOKEN=abc12345 ; ";
    let time = |count: usize| {
        let text = line.repeat(count);
        let start = Instant::now();
        assert!(!find(&text).is_empty());
        start.elapsed().as_secs_f64()
    };
    time(100);
    let (short, long) = (
        (0..5).map(|_| time(100)).fold(f64::MAX, f64::min),
        (0..3).map(|_| time(1000)).fold(f64::MAX, f64::min),
    );
    assert!(
        long < short * 100.0,
        "ten times the text took {} times",
        long / short
    );
}
