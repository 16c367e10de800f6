//! Real kernels, as root; where that is not permitted each test says so and ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod built;
mod capture;
mod kill;
