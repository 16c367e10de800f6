//! Control maps, evidence and reports. Pure.
//!
//! A report is made in two steps. [`plan`] says which queries a framework needs; the caller runs
//! each over the period and streams the rows through [`EvidenceQuery::population`]; [`assemble`]
//! puts the [`Report`] together, which [`html`] and [`json`] write out.
//!
//! A report says what was tested and what was found. It does not judge: an auditor does.
//!
//! The sample of a population is not drawn by a generator that one would have to trust: it is
//! those rows whose `SHA-256(seed || event hash)` is smallest, so anybody with the rows gets the
//! same sample whatever their order.
//!
//! [`Report`]: cmdai_api::console::Report

#![forbid(unsafe_code)]

mod evidence;
mod foreign;
mod html;
mod map;
mod report;

pub use evidence::{EvidenceQuery, EvidenceResult, Population, SAMPLE};
pub use foreign::{Foreign, ForeignError, line};
pub use html::{html, style_hash};
pub use map::{ReportError, frameworks};
pub use report::{Facts, Plan, assemble, json, plan};
