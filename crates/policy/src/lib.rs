//! Policy documents to a compiled snapshot, and the decision about an analysed command.
//!
//! ```text
//! YAML ── parse ──► PolicySet ── compile ──► bytes ── Snapshot::open ──► Layers
//!                       │ lint, run_tests                                  │
//!                                     Analysis, Facts, Subject ── decide ──► Judgement
//! ```
//!
//! Everything here is a pure function: no file, clock or network is touched. What the machine
//! knows arrives in [`cmdai_schema::Facts`], including the moment of the decision.
//!
//! - Built-in packs turn effects into risks, judged by place ([`builtin_rules`]).
//! - The organisation's layer may set built-in rules, except the floor; a person's own layer can
//!   only tighten; the decision is the strictest of what is enforced ([`decide`]).
//! - A document with an error is refused as a whole, with every error and its place ([`parse`]).
//! - An empty document is an error, never permission.

#![forbid(unsafe_code)]

mod answers;
mod asked;
mod attack;
mod automaton;
mod category;
mod compiled;
mod condition;
mod decide;
mod difference;
mod discovery;
mod document;
mod drive;
mod effective;
mod error;
mod glob;
mod hit;
mod include;
mod known;
mod lift;
mod lint;
mod moment;
mod packs;
mod place;
mod quarantine;
mod reach;
mod read;
mod schema;
mod shape;
mod simulate;
mod snapshot;
mod target;
mod templates;
mod tools;
mod trial;
mod version;
mod why;
mod yaml;

pub use asked::{Asked, asked};
pub use attack::technique;
pub use category::Category;
pub use compiled::Settings;
pub use decide::{Layer, Layers, decide, verify_instead};
pub use difference::{Change, Direction, difference};
pub use document::{
    Approvals, Audit, BlockedPattern, Buffer, Capture, Compliance, Document, Exception,
    ExecCapture, Factor, FailMode, HashedField, Inference, Privacy, Rule, RuleApproval, Safety,
    Supervise, Target, TimeWindow, Tolerance, Tool, ToolsMode, Trial, When, WhenFull,
};
pub use effective::{EffectiveRule, effective};
pub use error::{PolicyError, PolicyErrors, Severity};
pub use lift::Lift;
pub use lint::lint;
pub use packs::BuiltIn;
pub use read::parse;
pub use simulate::{Changed, Named, Pair, Recorded, Simulation, SimulationReport};
pub use snapshot::{
    ENGINE_LEVEL, FORMAT_VERSION, MAGIC, MAX_SNAPSHOT, Snapshot, SnapshotError, SnapshotMeta,
    compile,
};
pub use templates::{Template, all as templates};
pub use trial::{TestResult, run_tests};
pub use version::is_older;
pub use why::{FactUsed, Looked, Verdict, Why, why};

/// A validated document, of an organisation or of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicySet {
    pub(crate) document: Document,
    pub(crate) file: String,
    /// What was noticed while the text was read; [`lint`] gives it back.
    pub(crate) warnings: Vec<PolicyError>,
}

impl PolicySet {
    /// What the document says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Name of the organisation, if the document gives one.
    pub fn organization(&self) -> Option<&str> {
        self.document.organization.as_deref()
    }

    /// SHA-256 of the canonical JSON of the document: the same for two texts that say the same.
    pub fn digest(&self) -> cmdai_schema::Hash {
        let bytes = cmdai_schema::canonical_bytes(&self.document).unwrap_or_default();
        cmdai_schema::Hash::of(&[&bytes])
    }
}

/// The catalogue of built-in rules, sorted by id.
pub fn builtin_rules() -> &'static [BuiltIn] {
    packs::catalogue()
}

/// The JSON Schema of the document (draft 2020-12), for editors and pipelines.
pub fn json_schema() -> serde_json::Value {
    schema::schema()
}
