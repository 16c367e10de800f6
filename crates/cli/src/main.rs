//! The command line of the Community edition.

fn main() {}
