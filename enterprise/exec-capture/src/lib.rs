//! Sees every program that starts on a Linux machine, and stops one where it is told to.
//!
//! | source | where | completeness |
//! |---|---|---|
//! | [`Ebpf`] | Linux with BTF and the right to load programs | every successful exec in every namespace; what the ring cannot take is counted by the program itself |
//! | [`Audit`] | Linux without either | every successful `execve` and `execveat`; the kernel counts what it lost |
//!
//! Both need root. [`open`] takes the first that works and says why not the other. A program that
//! is loaded by hand (`ld.so PROGRAM`), a script that an interpreter reads as data, and what a shell
//! does by itself (`echo > FILE`, `kill`) are no exec: no source here sees them.
//!
//! A new source implements [`Source`]. [`elsewhere`] names those of other systems, which are not
//! written yet.
//!
//! This crate decides nothing and writes nothing down. All that it hands out was chosen by
//! processes of other people: arguments and paths are bytes of any content, bounded in length.

#![forbid(unsafe_code)]

mod audit;
mod bpf;
pub mod elsewhere;
mod kill;
pub mod process;
mod record;

use std::time::Duration;

pub use audit::{Audit, Role};
pub use bpf::Ebpf;
pub use kill::{KillError, kill};
pub use record::{Ancestor, Device, Exec, MAX_ARGV, RecordError};

/// What a source counted since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Programs that the kernel saw start, where it counts them.
    pub seen: Option<u64>,
    /// Of these, lost before they could be read.
    pub lost: u64,
}

/// Why nothing is captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The kernel or this process's rights do not permit it.
    #[error("{source_name}: {why}")]
    NotHere {
        /// Which source.
        source_name: &'static str,
        /// In words.
        why: String,
    },
    /// It worked and does not any more.
    #[error("{0}")]
    Lost(String),
}

/// Where started programs are told of.
pub trait Source: Send {
    /// `ebpf`, `audit`, …
    fn name(&self) -> &'static str;

    /// How it is set up, and what that leaves out; each a sentence.
    fn notes(&self) -> &[String];

    /// Waits for at most `timeout`, then hands over what there is, at most `most` of them. What is
    /// not a record is skipped and counted as lost.
    ///
    /// # Errors
    /// Where nothing more will come.
    fn read(
        &mut self,
        timeout: Duration,
        most: usize,
        take: &mut dyn FnMut(Exec),
    ) -> Result<(), CaptureError>;

    /// What was counted.
    ///
    /// # Errors
    /// Where the kernel does not say.
    fn counters(&mut self) -> Result<Counters, CaptureError>;

    /// Whether each start wakes the reader at once, which costs more than reading now and then.
    fn set_prompt(&mut self, prompt: bool);
}

/// Which source to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// eBPF, else audit.
    #[default]
    Best,
    /// eBPF or nothing.
    Ebpf,
    /// Audit or nothing.
    Audit,
}

/// Opens a source.
///
/// # Errors
/// Where none works: why, for each that was tried.
pub fn open(choice: Choice) -> Result<Box<dyn Source>, CaptureError> {
    match choice {
        Choice::Ebpf => Ok(Box::new(Ebpf::open()?)),
        Choice::Audit => Ok(Box::new(Audit::open()?)),
        Choice::Best => match Ebpf::open() {
            Ok(source) => Ok(Box::new(source)),
            Err(first) => match Audit::open() {
                Ok(mut source) => {
                    source.note(format!("eBPF is not used: {first}"));
                    Ok(Box::new(source))
                }
                Err(second) => Err(CaptureError::NotHere {
                    source_name: "exec capture",
                    why: format!("{first}; {second}"),
                }),
            },
        },
    }
}
