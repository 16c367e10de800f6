//! What texts are found to do.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails says so"
)]

mod bypasses;
mod calm;
mod classes;
mod differential;
mod digests;
mod fish;
mod hostile;
mod knowledge;
mod places;
mod properties;
mod resolve;
mod state;
mod support;
mod zsh;
