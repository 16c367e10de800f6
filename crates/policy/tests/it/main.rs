//! The policy crate from the outside: documents in, decisions out.

mod documents;
mod effects;
mod layers;
mod packs;
mod patterns;
mod properties;
mod snapshots;
mod support;
mod tools;
