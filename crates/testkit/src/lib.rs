//! Pseudo-terminals, throw-away servers and scripted models for tests. Never ships.

#![forbid(unsafe_code)]
