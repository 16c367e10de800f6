//! Releases and statements, good and attacked.

mod release;
mod statement;
