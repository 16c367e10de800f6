//! Shells through real pseudo-terminals, agents' dialects, edits to settings.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test is a panic"
)]

mod again;
mod agents;
mod bash;
mod bash_beside;
mod bash_code;
mod bash_scripts;
mod companions;
mod fish;
mod integrate;
mod museum;
mod powershell;
mod real;
mod support;
mod zsh;
mod zsh_layout;
mod zsh_plugins;
mod zsh_scripts;
