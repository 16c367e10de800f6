//! API, roles, approvals, jobs and the embedded console.

#![forbid(unsafe_code)]
