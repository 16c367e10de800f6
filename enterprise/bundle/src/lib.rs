//! Signed policy releases (The Update Framework), grants and orders: make and verify.
//!
//! A release is a set of targets of a TUF repository: `policy.yaml` (the canonical document),
//! `authority.json` (keys that may sign grants and orders), `approvers.json` (security keys of the
//! people who may approve, [`assertion`]), `release.json` (version, digest, time),
//! `impact.json` (what it would have changed, in counts), and, where it spreads by rings,
//! `rings.json` with `previous.json` and `previous-policy.yaml`.
//! [`Publisher`] makes and refreshes it, [`Consumer`] verifies it on a machine, whatever road it came
//! by. Grants and orders are single statements, signed by [`sign_statement`].
//!
//! # Who holds which key
//!
//! | role | may | people hold the keys | the server holds the keys |
//! |---|---|---|---|
//! | root | name every other key | several people, offline, a threshold | `keys/offline/root.der` |
//! | targets | say what the policy, the rings and the authority are | publishers, a threshold | `keys/targets.der` |
//! | snapshot | say which metadata belong together | server: `keys/snapshot.der` | the same |
//! | timestamp | say what is newest, for a week at a time | server: `keys/timestamp.der` | the same |
//! | progress | open the rings that people signed, halt, go on: `progress.json` and nothing else | server: `keys/progress.der` | the same |
//!
//! Where people hold the keys ([`Signing::People`]), who takes over the server can withhold what is
//! new and open or halt what people signed, and can sign no policy. A fresh server holds every key
//! ([`Signing::Server`]) until people make a root ([`RootFile::ceremony`]) and it is handed in
//! ([`Publisher::propose_root`]).
//!
//! # Behaviour under attack
//!
//! `tests/it/attacks.rs` has one test for each attack.
//!
//! | attack | answer |
//! |---|---|
//! | changed target or metadata, parts of different releases | [`BundleError::Tampered`] |
//! | an older repository is shown again | [`BundleError::Rollback`] |
//! | metadata past its time | [`BundleError::Expired`]; what is installed stays |
//! | signed by other, too few or revoked keys | [`BundleError::WrongKey`], [`BundleError::Tampered`] |
//! | the progress key signs something else | [`BundleError::Overreach`] |
//! | endless or huge files | [`BundleError::Oversize`] |
//! | numbers run ahead with stolen online keys | a root with new online keys brings machines back |
//! | the clock stepped back | accepted, reported as [`VerifiedRelease::clock_stepped_back`] |

#![forbid(unsafe_code)]

pub mod assertion;
mod carried;
mod consumer;
mod draft;
mod error;
pub mod keys;
mod layout;
mod metadata;
mod publisher;
pub mod rings;
pub mod rollout;
mod root;
mod sealed;
pub mod simulate;
pub mod soft_key;
mod statement;

pub use carried::{BUNDLE_FORMAT, Bundle, CarriedFile, MAX_BUNDLE, MAX_FILES, unpack};
pub use consumer::{Choice, Consumer, Spread, VerifiedRelease};
pub use draft::{Content, DRAFT_FORMAT, Draft, DraftSignature, Reviewed};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::BundleError;
pub use layout::{
    MAX_APPROVERS, MAX_AUTHORITY, MAX_METADATA, MAX_POLICY, RepositoryFile, next_root,
    progress_file, snapshot_file, target_files, targets_file,
};
pub use publisher::{Lifetimes, Proposed, PublishError, Publisher, Release, Signing};
pub use root::{Change, Holders, HumanRole, KeyLine, OnlineKeys, PublicKey, RootError, RootFile};
pub use sealed::{MIN_PASSPHRASE, SealedKeyError, create_sealed, open_sealed};
pub use statement::{StatementError, sign_statement, verify_statement};
