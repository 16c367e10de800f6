//! The server as others meet it: over real sockets, with real certificates.

mod approvals;
mod evidence;
mod guard;
mod ingest;
mod machine;
mod openapi;
mod policy;
mod start;
mod support;
