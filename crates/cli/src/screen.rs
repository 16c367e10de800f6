//! Small pieces of output: colour where it is wanted, tables, ages.

use cmdai_schema::{Decision, Risk};

const PLAIN: &str = "\u{1b}[0m";

/// A decision's word, coloured; `anstream` takes the colour out where it is not wanted.
pub(crate) fn decision(decision: Decision) -> String {
    let code = match decision {
        Decision::Allow => "\u{1b}[32m",
        Decision::Warn => "\u{1b}[33m",
        Decision::Confirm | Decision::RequireApproval => "\u{1b}[1;33m",
        Decision::Deny => "\u{1b}[1;31m",
    };
    format!("{code}{decision}{PLAIN}")
}

/// A risk's word, coloured.
pub(crate) fn risk(risk: Risk) -> String {
    let code = match risk {
        Risk::Safe => "\u{1b}[32m",
        Risk::Moderate => "\u{1b}[33m",
        Risk::High => "\u{1b}[31m",
        Risk::Critical => "\u{1b}[1;31m",
    };
    format!("{code}{risk}{PLAIN}")
}

/// Text of less weight.
pub(crate) fn dim(text: &str) -> String {
    format!("\u{1b}[2m{text}{PLAIN}")
}

/// Text that is pointed at.
pub(crate) fn red(text: &str) -> String {
    format!("\u{1b}[31m{text}{PLAIN}")
}

/// Text of more weight.
pub(crate) fn bold(text: &str) -> String {
    format!("\u{1b}[1m{text}{PLAIN}")
}

/// `5 s`, `3 min`, `2 h`, `4 d`.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
