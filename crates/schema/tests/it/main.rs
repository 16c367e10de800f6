//! The durable formats, pinned: what these tests print must never change within a version.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod chain;
mod dropped;
mod golden;
mod record;
