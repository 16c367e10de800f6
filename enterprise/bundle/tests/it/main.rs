//! Releases and statements, good and attacked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod attacks;
mod people;
mod release;
mod rollout;
mod statement;
