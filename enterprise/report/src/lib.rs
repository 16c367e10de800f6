//! Control maps, evidence and reports.

#![forbid(unsafe_code)]
