//! Detection rules over events: thresholds, silence, severity. Pure.

#![forbid(unsafe_code)]
