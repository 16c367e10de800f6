//! Merkle log over events: checkpoints, proofs, the offline verifier.

#![forbid(unsafe_code)]
