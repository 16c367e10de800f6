//! A machine in quarantine: nothing runs but what a person needs to look around and to get help.

use cmdai_schema::{Analysis, EffectKind, Span};

/// Programs that stay free where they change nothing.
const FREE: &[&str] = &[
    "ls",
    "cd",
    "pwd",
    "exit",
    "logout",
    "cmdai",
    "cmdai-enterprise",
    "echo",
    "printf",
    "true",
    "false",
    "clear",
    "help",
    "history",
    "whoami",
    "id",
    "hostname",
    "date",
    "uptime",
    "w",
    "who",
    "groups",
    "man",
    "less",
    "more",
    "cat",
    "head",
    "tail",
    "df",
    "free",
    "ps",
    "type",
    "which",
    "jobs",
    "fg",
    "bg",
    "export",
    "test",
    "[",
];

/// The span of the first call that a quarantine forbids.
pub(crate) fn forbids(analysis: &Analysis, text: &str) -> Option<Span> {
    let whole = Span::new(0, text.len());
    if analysis.unknown || !analysis.complete {
        return Some(whole);
    }
    if let Some(call) = analysis
        .invocations
        .iter()
        .find(|call| !FREE.contains(&call.program.as_str()) || call.chain.len() > 1)
    {
        return Some(call.span);
    }
    let calm = |kind: &EffectKind| matches!(kind, EffectKind::Read { .. });
    let own = |chain: &[String]| {
        chain
            .last()
            .is_some_and(|program| program.starts_with("cmdai"))
    };
    analysis
        .effects
        .iter()
        .find(|effect| !calm(&effect.kind) && !own(&effect.chain))
        .map(|effect| effect.span)
}
