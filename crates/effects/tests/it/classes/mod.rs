//! The fifteen ways around tools of this kind, each in ways that must be seen through, and
//! beside them look-alikes that must stay calm.

mod control_flow;
mod descriptors;
mod eval_source;
mod exfiltration;
mod inline_code;
mod nested;
mod overwriting;
mod path_aliases;
mod shadowing;
mod sinks;
mod splitting;
mod tool_hooks;
mod variables;
mod wrappers;
mod written_first;

use crate::support::lines;

/// A text and the effect it must have.
type Case = (&'static str, &'static str);

/// Effects that a harmless line may have.
fn is_quiet(line: &str) -> bool {
    const QUIET: &[&str] = &[
        "read ",
        "write ",
        "overwrite ",
        "move ",
        "connect ",
        "download ",
        "run-code literal ",
        "run-code file ",
        "package-install ",
        "change-mode ",
    ];
    QUIET.iter().any(|start| line.starts_with(start))
        || line.starts_with("delete /tmp/")
        || line.starts_with("delete /home/user/project/build")
        || line.starts_with("delete /home/user/project/dist")
}

#[track_caller]
fn check(seen: &[Case], calm: &[&str]) {
    assert!(seen.len() >= 12 && calm.len() >= 12);
    let missed: Vec<_> = seen
        .iter()
        .map(|(text, effect)| (*text, *effect, lines(text)))
        .filter(|(_, effect, found)| !found.iter().any(|line| line == effect))
        .collect();
    let loud: Vec<_> = calm
        .iter()
        .map(|text| (*text, lines(text)))
        .filter(|(_, found)| !found.iter().all(|line| is_quiet(line)))
        .collect();
    assert!(
        missed.is_empty() && loud.is_empty(),
        "not seen: {missed:#?}\nnot calm: {loud:#?}"
    );
}
