//! What texts are found to do.

mod bypasses;
mod calm;
mod differential;
mod digests;
mod knowledge;
mod places;
mod properties;
mod state;
mod support;
