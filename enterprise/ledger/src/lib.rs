//! Merkle log over events: checkpoints, proofs, the offline verifier.
//!
//! The tree is RFC 6962's: a leaf is `SHA-256(0x00 || event hash)`, a node
//! `SHA-256(0x01 || left || right)`. What the server keeps between events is a [`Frontier`], a few
//! dozen hashes however long the log is. A [`Signer`] signs states of it as C2SP checkpoints. An
//! export can be checked without the server by [`verify_export`].
//!
//! ```
//! use cmdai_ledger::{Frontier, Signer, open_checkpoint, origin_of};
//! use cmdai_schema::Hash;
//!
//! let mut frontier = Frontier::default();
//! frontier.push(Hash::of(&[b"an event"]));
//! let signer = Signer::new(origin_of("acme"), &[7; 32]);
//! let checkpoint = signer.checkpoint(&frontier, "2026-01-01T00:00:00Z");
//! let opened = open_checkpoint(&checkpoint, &signer.public_key())?;
//! assert_eq!(opened.root, frontier.root());
//! # Ok::<(), cmdai_ledger::NoteError>(())
//! ```

#![forbid(unsafe_code)]

mod export;
mod frontier;
mod note;
mod proof;

pub use export::{EXPORT_FORMAT, MAX_LINE, VerifyError, VerifyReport, verify_export};
pub use frontier::{Frontier, FrontierError, empty_root, leaf_hash, node_hash};
pub use note::{NoteError, SignedState, Signer, open_checkpoint, origin_of};
pub use proof::{
    ProofError, consistency_proof, inclusion_proof, root_of, verify_consistency, verify_inclusion,
};
