//! Encrypted at-least-once buffer of sealed events.

#![forbid(unsafe_code)]
