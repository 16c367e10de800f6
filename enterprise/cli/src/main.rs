//! The command line of the Enterprise edition.

fn main() {}
