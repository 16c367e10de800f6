//! Words to a command: tiers, backends, one pipeline.

#![forbid(unsafe_code)]
