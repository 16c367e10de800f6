//! Shell integrations and agent dialects.

#![forbid(unsafe_code)]
