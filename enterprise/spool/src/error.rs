//! What can go wrong.

use std::io;
use std::path::PathBuf;

/// Why a spool cannot be used, or an append was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The bound is reached; nothing was written.
    #[error(
        "the spool holds {bytes} of at most {limit} bytes: it takes more when the server has acknowledged some"
    )]
    Full {
        /// What it holds.
        bytes: u64,
        /// What was to be added.
        needed: u64,
        /// The bound.
        limit: u64,
    },
    /// Writing failed, such as on a full disk; nothing of this append is kept.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An earlier failure left it unknown what is on disk.
    #[error("the spool failed before and must be opened anew")]
    Failed,
    /// Another process writes it.
    #[error("{0} is in use by another process")]
    Busy(PathBuf),
    /// Damage that is not a torn tail.
    #[error(
        "segment {path} is damaged at byte {offset}: move the folder aside and start anew; the server will see where the chain broke"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// Sealed with another key.
    #[error("segment {path} was sealed with another key")]
    WrongKey {
        /// Which file.
        path: PathBuf,
    },
    /// The key file cannot be used.
    #[error("cannot use key file {path}: {what}")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The events do not follow the head.
    #[error("event {found} does not follow the spool's head {head}")]
    Chain {
        /// Last sequence number in the spool.
        head: u64,
        /// The one that was given.
        found: u64,
    },
    /// Acknowledged what was never sealed.
    #[error("cannot acknowledge {given}: only {synced} events are sealed")]
    Ack {
        /// What was acknowledged.
        given: u64,
        /// Last synced.
        synced: u64,
    },
    /// Too many ranges were dropped that the server has not read of.
    #[error(
        "{limit} ranges of dropped events wait for the server: nothing more is dropped until it has read of some"
    )]
    Gaps {
        /// The bound.
        limit: usize,
    },
    /// A frame that is too long.
    #[error("one append may hold at most {limit} bytes, this one has {length}")]
    Oversize {
        /// Its length.
        length: usize,
        /// The bound.
        limit: usize,
    },
    /// It cannot be written as JSON.
    #[error("cannot write the events: {0}")]
    Content(String),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}
