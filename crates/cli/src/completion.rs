//! `cmdai completions SHELL`.

use clap::CommandFactory as _;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Prints the completions.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "cmdai",
        &mut std::io::stdout(),
    );
    Ok(0)
}
