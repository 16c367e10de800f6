//! The policy crate from the outside: documents in, decisions out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod databases;
mod difference;
mod documents;
mod effects;
mod facts;
mod failures;
mod generate;
mod ideas;
mod layers;
mod packs;
mod patterns;
mod powershell;
mod properties;
mod properties_hostile;
mod properties_lines;
mod rules_page;
mod samples;
mod schema;
mod simulate;
mod snapshots;
mod support;
mod tools;
mod why;
