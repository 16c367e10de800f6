//! The durable formats, pinned: what these tests print must never change within a version.

mod chain;
mod golden;
mod record;
