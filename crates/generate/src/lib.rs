//! Words to a command: tiers, backends, one pipeline.
//!
//! A [`Request`] goes through a [`Chain`] of [`Generator`]s in the order of the configuration. Each
//! answers with candidates, with a question, or with the reason why it makes no guess. Whatever is
//! suggested passes [`pipeline`] first: it is one line, it parses, its programs are looked up, and
//! it carries the judgement of the caller. Nothing here runs a command or reads a file.
//!
//! - [`Intents`]: tier 0, offline, in well under a millisecond.
//! - [`OpenAi`]: any server that speaks `/v1/chat/completions`.

#![forbid(unsafe_code)]

mod chain;
mod config;
mod extract;
mod intents;
mod openai;
mod permit;
mod pipeline;
mod prompt;
mod request;
mod stream;
mod words;

pub use chain::{Attempt, Chain, GenerateError, Generator};
pub use config::{Backend, BackendKind, Config, ConfigError};
pub use extract::{Extracted, extract};
pub use intents::{Intents, answer};
pub use openai::{Health, OpenAi, Redactor};
pub use permit::Permit;
pub use pipeline::{
    Answer, Before, Checks, Dropped, Forbidden, Parsed, Suggestion, Verdict, pipeline,
};
pub use request::{Candidate, Failed, Os, Outcome, Request, Tier, Turn};
