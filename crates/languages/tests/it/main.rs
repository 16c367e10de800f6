//! What code of other languages is found to do, through the real grammars and the built-in packs.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails says so"
)]

mod python;
mod support;
