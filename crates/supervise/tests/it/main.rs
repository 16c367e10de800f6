//! Real programs in real trees. Everything runs as `cmdai run -- …`, in a home of its own; what is
//! forbidden in these tests is touching a file of a certain name.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod attacks;
mod files;
mod judged;
mod life;
mod runtimes;
mod support;
