//! Text of a shell line to a tree with spans. Never fails, never hangs.

#![forbid(unsafe_code)]
