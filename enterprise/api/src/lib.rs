//! Wire types of the server: the only place that knows HTTP shapes.
//!
//! Two listeners. The **machine listener** speaks TLS with client certificates to sensors
//! ([`machine`]); only enrolment comes without one. The **console listener** speaks to people:
//! browsers with a session cookie, programs with a bearer token ([`console`]). Every endpoint
//! below `/api/v1` but `session` asks for a signed-in account with a fitting [`console::Role`].
//!
//! Times are RFC 3339 in UTC. Lists are paged by an opaque `cursor`. Errors are [`ApiError`].

#![forbid(unsafe_code)]

pub mod console;
pub mod machine;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    /// Stable code: `unauthenticated`, `forbidden`, `not_found`, `invalid`, `conflict`,
    /// `step_up_required`, `factor_required`, `too_many_requests`, `internal`.
    pub code: String,
    /// What is wrong and what to do, lower-case.
    pub message: String,
}
