//! The stage for tests of the whole product: a server, sensors and governed shells as real
//! processes on loopback, each below a folder of its own, ended by process id.
//!
//! Everything is driven through the programs that ship, as an operator would.

#![forbid(unsafe_code)]

mod machine;
mod programs;
mod server;
mod shell;

pub use machine::Machine;
pub use programs::{Programs, Run, programs};
pub use server::{PASSWORD, Server};
pub use shell::Shell;

use std::time::{Duration, Instant};

/// Asks again and again until there is an answer.
///
/// # Errors
/// Where none came in time; the last complaint says what was seen.
pub fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) if begun.elapsed() > patience => {
                return Err(
                    error.context(format!("{what}: not within {} s", patience.as_secs_f32()))
                );
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
