//! The endpoint daemon: enrol, policy, snapshot, seal, upload, grants, tamper watch.

#![forbid(unsafe_code)]
