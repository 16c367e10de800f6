//! The one function from text to decision to event, with facts, governor and extensions.

#![forbid(unsafe_code)]
