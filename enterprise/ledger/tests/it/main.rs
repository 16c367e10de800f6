//! Tests of the ledger through its public face.

mod oracle;
mod tampering;
