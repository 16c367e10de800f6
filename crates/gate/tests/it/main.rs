//! The gate from outside: judging, recording, approvals, degraded states.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test is a panic"
)]

mod approval;
mod emptiness;
mod failures;
mod judging;
mod memo;
mod recording;
mod support;
