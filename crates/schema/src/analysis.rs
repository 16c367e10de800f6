//! What the analysis of a text yields: program calls and effects, each with its place.

use serde::{Deserialize, Serialize};

use crate::Effect;

/// A half-open byte range of the analysed text. In JSON: `[start, end]`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets past `u32::MAX` saturate (inputs are capped far below).
    pub fn new(start: usize, end: usize) -> Self {
        let cap = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            start: cap(start),
            end: cap(end),
        }
    }

    /// The text it covers, or nothing where it does not fit the text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

impl From<(u32, u32)> for Span {
    fn from((start, end): (u32, u32)) -> Self {
        Self { start, end }
    }
}

impl From<Span> for (u32, u32) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
    }
}

/// One argument as the program would receive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arg {
    /// The value after expansion, or nothing where it cannot be told.
    pub value: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Arg {
    /// The value, or the empty string where it cannot be told.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or("")
    }
}

/// One program call, after resolving and unwrapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Invocation {
    /// Base name of the program, such as `rm`; empty where it cannot be told.
    pub program: String,
    /// The word as it was resolved, such as `/bin/rm`.
    pub word: String,
    /// Arguments after the program.
    pub args: Vec<Arg>,
    /// Programs from the outermost wrapper inwards, this one last.
    pub chain: Vec<String>,
    /// Number of the pipeline it stands in; a program inside a wrapper shares its wrapper's.
    pub pipeline: u32,
    /// Place in the pipeline, from 0. `curl u | sudo sh`: curl 0, sudo 1, sh 1.
    pub stage: u32,
    /// The whole call.
    pub span: Span,
    /// Assignments in front of it, such as `KUBECONFIG=prod`.
    pub assignments: Vec<(String, Option<String>)>,
    /// The command knowledge has an entry for it.
    pub known: bool,
    /// Named as something that the shell runs by itself, such as `cd`; a path names a program.
    #[serde(default)]
    pub builtin: bool,
    /// Folder it would run in, where the line changes it; empty where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables out of [`crate::CONTEXT_VARIABLES`] that the line sets before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<(String, Option<String>)>,
}

/// A complaint of the parser, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// What is wrong, lower-case.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Everything the analysis found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Analysis {
    /// Program calls in the order of the text.
    pub invocations: Vec<Invocation>,
    /// What they would do.
    pub effects: Vec<Effect>,
    /// A region that could run something could not be resolved. Unknown is never safe.
    pub unknown: bool,
    /// False where a shell would ask for another line (open quote, open `do`, here-document).
    pub complete: bool,
    /// Complaints of the parser.
    pub diagnostics: Vec<Diagnostic>,
    /// Semantic digest over the canonical tree: `v1:sha256:…`. Re-quoting and spacing keep it.
    pub digest: String,
}

impl Analysis {
    /// Names of all programs called, in order, each once.
    pub fn programs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for call in &self.invocations {
            if !call.program.is_empty() && !names.contains(&call.program) {
                names.push(call.program.clone());
            }
        }
        names
    }
}
