//! The whole product with real processes: server, sensor, governed bash, console in Chromium.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod approval;
mod bad_input;
mod console;
mod crash;
mod disk;
mod evidence;
mod governed_shell;
mod quarantine;
mod secrets;
mod tamper;
