//! Generation, end to end: the table of requests, scripted servers, the pipeline, the configuration.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at a surprise"
)]

mod config;
mod execution;
mod intents;
mod openai;
mod permit;
mod pipeline;
mod server;
