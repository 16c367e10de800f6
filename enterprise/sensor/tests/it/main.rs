//! Keeper and courier, as the processes they are, against a server of the tests' own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod approvals;
mod clock;
mod crash;
mod disk;
mod drops;
mod faults;
mod flow;
mod machine;
mod policy;
mod renewal;
mod roads;
mod scripts;
mod server;
mod shares;
mod special;
mod world;
