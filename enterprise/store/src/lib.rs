//! Storage traits and the embedded engine: control state and events.

#![forbid(unsafe_code)]
