//! Events in the formats of others, held to what those formats publish.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not there"
)]

mod cef;
mod ecs;
mod events;
mod ocsf;
mod otlp;
mod syslog;
