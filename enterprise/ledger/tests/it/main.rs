//! Tests of the ledger through its public face.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test by panicking"
)]

mod oracle;
mod tampering;
