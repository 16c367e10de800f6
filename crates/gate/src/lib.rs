//! The one place where everything about a command meets: the analysis, the facts about the
//! machine, the policies that apply, the decision, the record of it, and whoever governs.
//!
//! ```text
//! Request ── Gate::judge ──► Outcome ── Outcome::action ──► Run | Warn | Ask | Approve | Block
//!                                │                                          │
//!                                ▼                                          ▼
//!                        Recorder::start / end                        Gate::approve
//! ```
//!
//! No async, no threads: this runs inside a person's shell. One process may be started, by
//! [`CodeReader`], for a line that holds code of another language.

#![forbid(unsafe_code)]

mod approval;
pub mod batch;
mod escape;
mod extensions;
mod facts;
pub mod fault;
mod files;
mod gate;
pub mod governor;
pub mod history;
mod ids;
mod installation;
mod memo;
pub mod origin;
mod person;
mod policies;
pub mod private;
mod reader;
mod recorder;
mod redaction;
pub mod render;
mod settle;
mod versions;

pub use cmdai_policy::Capture;

pub use approval::{Approval, binding};
pub use escape::escape;
pub use extensions::{
    AfterGeneration, BeforeGeneration, EventSink, ExecutionGate, Extensions, Refusal, ToolDiscovery,
};
pub use gate::{
    Action, Gate, Outcome, RULE_HOOK_CRASHED, RULE_INTERNAL_ERROR, RULE_NO_POLICY, Request,
};
pub use ids::{Moment, fresh_id, names_command, short_id};
pub use installation::{Governed, Installation, state_override};
pub use memo::{Judged, Known};
pub use origin::{Attribution, Signals};
pub use person::Person;
pub use policies::{Failing, Policies, capture_of};
pub use private::{Private, PrivateMode};
pub use reader::CodeReader;
pub use recorder::{Recorder, SessionInfo, Verdict};
pub use redaction::Redacted;
pub use settle::{Manner, Settled, Voice};
pub use versions::{find_program, measure as measure_versions};
