//! The server as others meet it: over real sockets, with real certificates.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod approvals;
mod dropped;
mod evidence;
mod factors;
mod guard;
mod ingest;
mod lives;
mod machine;
mod openapi;
mod policy;
mod quorum;
mod review;
mod rollout;
mod security_keys;
mod start;
mod support;
