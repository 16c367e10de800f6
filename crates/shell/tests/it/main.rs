//! Texts to trees.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails says so"
)]

mod builtins;
mod fish;
mod oracle;
mod outline;
mod powershell;
mod properties;
mod shapes;
