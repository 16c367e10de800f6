//! Spans of secrets and personal data in command lines.

#![forbid(unsafe_code)]
