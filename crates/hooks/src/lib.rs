//! How cmdai gets between a person, script or agent and the command: shell integrations, agent
//! dialects, and the edits to other programs' settings that install them.
//!
//! Nothing here decides. Everything asks [`cmdai_gate`].

#![forbid(unsafe_code)]

pub mod agents;
pub mod bash;
pub mod fish;
pub mod integrate;
mod places;
pub mod powershell;
pub mod serve;
pub mod shell;
pub mod zsh;

pub use places::Paths;
