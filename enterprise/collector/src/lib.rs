//! Ingest: authenticate, check the chain, store once, acknowledge.

#![forbid(unsafe_code)]
