//! What a person types and what comes back, as transcripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod ask;
mod check;
mod discovery;
mod everyday;
mod exceptions;
mod explain;
mod fail_modes;
mod home;
mod inference;
mod mcp;
mod modes;
mod privacy;
mod private;
mod read_code;
mod readme;
mod record;
mod same;
mod why;
mod world;
