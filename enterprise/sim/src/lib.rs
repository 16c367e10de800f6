//! The fleet simulator: demo, load, faults.

#![forbid(unsafe_code)]
