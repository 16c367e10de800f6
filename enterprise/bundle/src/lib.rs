//! Signed policy releases (The Update Framework), grants and orders: make and verify.
//!
//! A release is three targets of a TUF repository: `policy.yaml` (the canonical document),
//! `authority.json` (keys that may sign grants and orders) and `release.json` (version, digest,
//! time). [`Publisher`] makes and refreshes it, [`Consumer`] verifies it on a machine, whatever
//! road it came by. Grants and orders are single statements, signed by [`sign_statement`].
//!
//! # Who holds which key
//!
//! [`Publisher::init`] writes one Ed25519 key for each role below `<dir>/keys`, mode 0600.
//!
//! | file | role | may | may be moved away |
//! |---|---|---|---|
//! | `offline/root.der` | root | name every other key | yes, at once after `init`: nothing opens it again until keys are rotated |
//! | `targets.der` | targets | say what the policy is | not while the server publishes |
//! | `snapshot.der` | snapshot | say which metadata belong together | not while the server publishes |
//! | `timestamp.der` | timestamp | say what is newest, for a week at a time | no: it signs daily |
//!
//! The server therefore holds the targets, snapshot and timestamp keys. Who steals all three can
//! publish a policy until the root key's holder names others; who steals the timestamp key alone
//! can at most withhold what is new.
//!
//! # Behaviour under attack
//!
//! | attack | answer |
//! |---|---|
//! | changed target or metadata | [`BundleError::Tampered`] |
//! | an older repository is shown again | [`BundleError::Rollback`] |
//! | metadata past its time | [`BundleError::Expired`]; what is installed stays |
//! | signed by other keys | [`BundleError::WrongKey`] |
//! | endless or huge files | [`BundleError::Oversize`] |
//! | the clock stepped back | accepted, reported as [`VerifiedRelease::clock_stepped_back`] |

#![forbid(unsafe_code)]

mod consumer;
mod error;
pub mod keys;
mod layout;
mod publisher;
mod statement;

pub use consumer::{Consumer, VerifiedRelease};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::BundleError;
pub use layout::{
    MAX_AUTHORITY, MAX_METADATA, MAX_POLICY, RepositoryFile, next_root, snapshot_file,
    target_files, targets_file,
};
pub use publisher::{Lifetimes, PublishError, Publisher, Release};
pub use statement::{StatementError, sign_statement, verify_statement};
