//! API, roles, approvals, jobs and the embedded console.
//!
//! Two listeners. The **console** listener answers people and programs ([`endpoints`] is the one
//! table of what there is and who may); the **machine** listener answers sensors over mutual TLS.
//! [`start`] opens the data folder, makes keys and the first policy where there are none, and starts
//! listeners and jobs. One flow through it all: an upload is checked and stored
//! (`machines/upload.rs`), the detection job reads what was stored (`jobs.rs`), an alert is raised,
//! told and shown (`people/live.rs`), and the ledger signs the new state (`ledger.rs`).

#![forbid(unsafe_code)]

mod app;
mod approver_keys;
mod authority;
mod body;
mod challenges;
mod clock;
mod config;
pub mod endpoints;
mod failure;
mod feed;
mod guard;
mod impact;
mod jobs;
mod ledger;
mod limiter;
mod machines;
pub mod openapi;
mod patience;
mod people;
mod rollout;
mod roster;
mod secrets;
mod site;
mod start;
mod tls;
mod trail;
mod vault;

pub use config::{Config, Patience};
pub use start::{Running, run, start};
