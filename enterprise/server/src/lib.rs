//! API, roles, approvals, jobs and the embedded console.

#![forbid(unsafe_code)]

pub mod endpoints;
pub mod openapi;
