//! Pseudo-terminals, throw-away homes and scripted servers for tests. Never ships.
//!
//! Everything waits with a deadline and ends what it started, by its own process id.

#![forbid(unsafe_code)]

mod build;
pub mod clients;
pub mod companions;
pub mod disk;
mod governor;
mod home;
mod model;
mod proxy;
mod pty;
mod records;

pub use build::{bash_module, program, target_folder, zsh_module};
pub use governor::FakeGovernor;
pub use home::Home;
pub use model::{ModelServer, Seen, Turn};
pub use proxy::{Fault, Proxy};
pub use pty::Pty;
pub use records::{starts, texts};
