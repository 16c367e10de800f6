//! Encrypted at-least-once buffer of sealed events.
//!
//! A spool is a folder of segment files, written by one process (a lock file says which). Events
//! leave it only when they are acknowledged, and only as whole segments.
//!
//! # Format
//!
//! All numbers are little-endian. A segment file is named `<first sequence number, 16 hex
//! digits>.seg` and begins with a header:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CMDAISPL` |
//! | 4 | format version, 1 |
//! | 16 | segment id, random |
//! | 8 | sequence number of its first event |
//! | 32 | hash of the event before it (zeros before the first of all) |
//! | 24 | nonce |
//! | 16 | tag: XChaCha20-Poly1305 of nothing, with everything before the nonce as associated data |
//!
//! Then frames, one for each append:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the sealed part |
//! | 8 | sequence number of its first event |
//! | 4 | how many events |
//! | 24 | nonce, random |
//! | length | XChaCha20-Poly1305 of the JSON `{"events": […], "note": "…"}`, tag included |
//!
//! The associated data of a frame are the segment id and the frame's first three fields, so a
//! frame cannot be moved, doubled or renumbered unnoticed. A frame is there whole or not at all:
//! this is what lets a caller store, in the *note*, how far it had read its sources when it made
//! these events, and so make each of them exactly once across crashes.
//!
//! # Promises
//!
//! - What [`Spool::sync`] returned for is there after `kill -9` and after a loss of power.
//! - Only synced events are read out, so that nothing is ever shown to a server that a loss of
//!   power could take back and replace.
//! - A torn tail (an unfinished last append) is cut off at opening. Damage before the tail is an
//!   error, never skipped.
//! - Full ([`SpoolError::Full`]) and disk full ([`SpoolError::Write`]) refuse the append as a whole
//!   and lose nothing; the caller keeps its source and tries again after an [`Spool::ack`]. A spool that
//!   fills the disk by itself gives its place free when all is acknowledged: the file `reserve` keeps room
//!   for the segment that has to be begun for that.
//!
//! # Dropping
//!
//! A caller whose policy says so may have the oldest whole segment removed although it is not
//! acknowledged ([`Spool::drop_oldest`]). The file `gaps.json` holds what was removed until the server
//! has acknowledged the event that says so:
//!
//! | field | what |
//! |---|---|
//! | `version` | 1 |
//! | `removing` | a range whose segment is about to be removed: written and synced before that |
//! | `gaps` | ranges that were removed, in order; `told` is the number of the gap event that was sealed for it, `was` the number of one that was dropped itself: then it is sealed anew, unless the server turns out to have it |
//! | `total`, `last` | events dropped in all since this file exists, and the last range, for people |
//!
//! Order: `removing` is synced, the segment is removed and the folder synced, then the caller seals the
//! gap events of [`Spool::owed`] with its next append, which writes their numbers into the file first. At
//! opening, `removing` counts where its segment is gone and is forgotten where it is there; a number counts
//! where the gap event stands at it. So each removed event is named by exactly one gap event that is held or
//! acknowledged, or owed.

#![forbid(unsafe_code)]

mod drops;
mod error;
mod gaps;
mod key;
mod segment;
mod spool;

pub use drops::Span;
pub use error::SpoolError;
pub use key::SpoolKey;
pub use spool::{Limits, Spool};
