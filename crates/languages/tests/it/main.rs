//! What code of other languages is found to do, through the real grammars and the built-in packs.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails says so"
)]

mod hostile;
mod javascript;
mod lua;
mod perl;
mod php;
mod python;
mod ruby;
mod support;
