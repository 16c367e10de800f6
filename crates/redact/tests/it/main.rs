//! Redaction, end to end: every shape, harmless lines, and properties over generated lines.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may stop at a surprise"
)]

mod harmless;
mod page;
mod properties;
mod shapes;
mod speed;
