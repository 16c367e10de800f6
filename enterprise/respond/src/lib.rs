//! Notification channels and actions.

#![forbid(unsafe_code)]
