//! Faults that tests inject, to see what happens when the gate itself fails. They are compiled into
//! debug builds alone: in a release build [`point`] is empty, and the variable means nothing.

/// The variable that names the fault.
#[cfg(debug_assertions)]
const VARIABLE: &str = "CMDAI_TEST_FAULT";

/// A place where a test may let the gate fail: `evaluator` while it judges, `hook` around it.
#[cfg_attr(
    debug_assertions,
    expect(clippy::panic, reason = "the fault that is injected is a panic")
)]
pub fn point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var(VARIABLE).is_ok_and(|wanted| wanted.split(',').any(|one| one == name)) {
        panic!("fault injected at {name}");
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
