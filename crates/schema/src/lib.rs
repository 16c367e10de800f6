//! The vocabulary that every part of cmdai shares.
//!
//! Types only: decisions, effects, judgements, events, records, frames and the manifest of a
//! machine. Nothing here does I/O, reads a clock or draws random numbers; identifiers and times
//! are given by the caller. The durable forms are described in `docs/formats/` and pinned by the
//! golden files in `tests/golden/`.

#![forbid(unsafe_code)]

mod analysis;
mod canonical;
mod decision;
mod dropped;
mod effect;
mod event;
mod facts;
pub mod governor;
mod judgement;
mod line;
mod machine;
pub mod paths;
pub mod record;

pub use analysis::{Analysis, Arg, Diagnostic, Invocation, Span};
pub use canonical::{CanonicalError, Hash, canonical_bytes};
pub use decision::{Certainty, Decision, Dialect, Mode, OriginKind, Risk, exit_code};
pub use dropped::{Absent, ChainWalk, DropCause, Dropped, Jump, MOVED_FROM, Step};
pub use effect::{CodeSource, Effect, EffectKind};
pub use event::{
    AgentInfo, ApprovalInfo, AssertedBy, ChainError, CommandInfo, CommandSource, Context,
    EVENT_SCHEMA, Envelope, Event, EventType, Execution, Layer, MachineRef, Origin, Payload,
    PolicyEvaluation, ProcessInfo, UserRef, verify_chain,
};
pub use facts::{
    AwsProfile, CONTEXT_VARIABLES, Facts, FolderFacts, GcloudConfiguration, KubeConfig, Subject,
};
pub use judgement::{Judgement, PolicyRef, RuleHit};
pub use machine::MachineManifest;

/// Version of the engine that judged a command: events and snapshots name it, because the same
/// engine version, snapshot bytes, facts and command give the same decision everywhere.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");
