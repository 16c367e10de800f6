//! The state of an analysis: what was found so far, and the bounds.

use std::rc::Rc;

use cmdai_schema::{
    Analysis, Certainty, CodeSource, Dialect, Effect, EffectKind, Invocation, Span,
};

use crate::{
    Context, digest,
    state::{Env, Function, Value},
    value::{Map, Stream, Text},
};

/// Deepest nesting of texts, wrappers and functions.
const MAX_DEPTH: u32 = 20;
/// Most simple commands that are looked at, loops included.
const MAX_STEPS: u32 = 4_000;
/// Most effects and most invocations that are kept.
const MAX_FOUND: usize = 1_024;
/// Functions that shells call by themselves.
const SHELL_CALLS: &[&str] = &[
    "command_not_found_handle",
    "command_not_found_handler",
    "fish_command_not_found",
    "fish_greeting",
    "fish_postexec",
    "fish_preexec",
    "fish_prompt",
    "fish_right_prompt",
    "chpwd",
    "periodic",
    "precmd",
    "preexec",
    "zshaddhistory",
    "zshexit",
];
/// Variables that name functions which shells call by themselves.
const HOOK_ARRAYS: &[&str] = &[
    "PROMPT_COMMAND",
    "chpwd_functions",
    "periodic_functions",
    "precmd_functions",
    "preexec_functions",
    "zshexit_functions",
];

/// What is known about how a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Status {
    /// Nothing.
    #[default]
    Unknown,
    /// It follows from the values in the text.
    Seen(bool),
    /// The text says so in so many words: `true`, `false`.
    Said(bool),
}

impl Status {
    pub(crate) fn known(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Seen(success) | Self::Said(success) => Some(success),
        }
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Seen(success) => Self::Seen(!success),
            Self::Said(success) => Self::Said(!success),
        }
    }
}

/// What leaves a list before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flow {
    /// Nothing.
    #[default]
    On,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`
    Return,
    /// `exit`
    Exit,
}

/// Which values of variables with several are looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picks {
    /// Number of the combination.
    pub(crate) choice: usize,
    /// The variables that were met, with how many values they have.
    pub(crate) met: Vec<(String, usize)>,
    /// A substitution inside a command: it takes the command's combination.
    pub(crate) inner: bool,
}

/// Most combinations that are looked at for one command.
pub(crate) const MAX_CHOICES: usize = 16;

impl Picks {
    /// Number of combinations met so far.
    pub(crate) fn total(&self) -> usize {
        let mut total = 1;
        let mut most = 1;
        for (_, radix) in &self.met {
            total = if total * radix <= MAX_CHOICES {
                total * radix
            } else {
                total
            };
            most = most.max(*radix);
        }
        total.max(most).min(MAX_CHOICES)
    }

    /// The value that is looked at.
    pub(crate) fn digit(&mut self, name: &str, radix: usize) -> usize {
        let mut weight = 1;
        for (known, other) in &self.met {
            if known == name && *other == radix {
                return self.choice / weight % radix;
            }
            if weight * other <= MAX_CHOICES {
                weight *= other;
            }
        }
        self.met.push((name.to_owned(), radix));
        if weight * radix > MAX_CHOICES {
            weight = 1;
        }
        self.choice / weight % radix
    }
}

/// What a declaration says about its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Declaring {
    /// `-A`
    pub(crate) named: bool,
    /// Inside a function its variables end with it.
    pub(crate) local: bool,
}

pub(crate) struct Analyser<'c> {
    pub(crate) context: &'c Context<'c>,
    pub(crate) env: Env,
    pub(crate) map: Map,
    pub(crate) dialect: Dialect,
    pub(crate) invocations: Vec<Invocation>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) unknown: bool,
    /// Programs from the outermost wrapper inwards.
    pub(crate) chain: Vec<String>,
    pub(crate) pipelines: u32,
    /// The stage that a single command in a nested list belongs to.
    pub(crate) place: Option<(u32, u32)>,
    /// Which values of variables with several are looked at.
    pub(crate) picks: Picks,
    /// What is known about how the last command ended.
    pub(crate) status: Status,
    /// What leaves the present list.
    pub(crate) flow: Flow,
    /// Inputs of compound commands that `read` takes lines from: where the input lies, its length and
    /// how much was taken.
    pub(crate) cursors: Vec<(usize, usize, usize)>,
    /// Variables of the functions being called, with what they were outside.
    pub(crate) locals: Vec<Vec<(String, Option<Value>)>>,
    /// Loops and sourced texts that are being gone through.
    pub(crate) loops: u32,
    pub(crate) sourced: u32,
    /// Code that runs where the shell ends, with the chain that set it.
    pub(crate) at_exit: Vec<(Text, Vec<String>)>,
    /// A declaration whose words are being expanded.
    pub(crate) declaring: Option<Declaring>,
    /// Functions being called: names and bodies.
    pub(crate) calls: Vec<(String, String)>,
    /// Inside a pipeline of several stages, or in the background.
    pub(crate) beside: bool,
    /// Functions of the text that were called.
    pub(crate) called: Vec<String>,
    /// Something answers the questions of the call that is looked at.
    pub(crate) fed: bool,
    /// How sure everything found now is at best.
    pub(crate) ceiling: Certainty,
    /// Aliases being expanded.
    pub(crate) expanding: Vec<String>,
    /// The text is cmd.exe's.
    pub(crate) in_cmd: bool,
    pub(crate) depth: u32,
    pub(crate) steps: u32,
    /// There were more calls than are kept.
    crowded: bool,
    /// Bytes of nested texts that were read.
    pub(crate) read: usize,
    /// Depth and size of what was looked at in code of other languages.
    pub(crate) script_depth: u32,
    pub(crate) script_steps: u32,
    pub(crate) script_full: bool,
}

impl<'c> Analyser<'c> {
    pub(crate) fn new(context: &'c Context<'c>) -> Self {
        let cwd = if context.cwd.starts_with('/') {
            context.cwd
        } else {
            "/"
        };
        Self {
            context,
            env: Env {
                cwd: cwd.to_owned(),
                cwd_known: true,
                ..Env::default()
            },
            map: Map::Offset(0),
            dialect: context.dialect,
            invocations: Vec::with_capacity(4),
            effects: Vec::with_capacity(8),
            unknown: false,
            chain: Vec::new(),
            pipelines: 0,
            place: None,
            picks: Picks::default(),
            status: Status::Unknown,
            flow: Flow::On,
            cursors: Vec::new(),
            locals: Vec::new(),
            loops: 0,
            sourced: 0,
            at_exit: Vec::new(),
            declaring: None,
            calls: Vec::new(),
            beside: false,
            called: Vec::new(),
            fed: false,
            ceiling: Certainty::Proven,
            expanding: Vec::new(),
            in_cmd: false,
            depth: 0,
            steps: 0,
            crowded: false,
            read: 0,
            script_depth: 0,
            script_steps: 0,
            script_full: false,
        }
    }

    pub(crate) fn run(mut self, text: &str) -> Analysis {
        let mut tree = cmdai_shell::parse(text, self.dialect);
        if crate::powershell::is_pasted(&tree, self.dialect) {
            // People paste lines of PowerShell into other shells.
            self.dialect = Dialect::Powershell;
            tree = cmdai_shell::parse(text, self.dialect);
        }
        self.list(&tree, &tree.body, &Stream::Empty);
        self.flow = Flow::On;
        self.leave_shell(0);
        self.shell_called_functions();
        if text.trim_start().starts_with("db.") {
            self.bare_mongo(text);
        }
        for &region in &tree.unknown {
            self.unknown_region(region, "part of the text could not be read");
        }
        let digest = digest::of(&tree, self.dialect);
        Analysis {
            invocations: self.invocations,
            effects: self.effects,
            unknown: self.unknown,
            complete: tree.complete,
            diagnostics: tree.diagnostics,
            digest,
        }
    }

    /// Runs what was put off until the shell ends.
    pub(crate) fn leave_shell(&mut self, from: usize) {
        for (code, chain) in self.at_exit.split_off(from.min(self.at_exit.len())) {
            let outer = std::mem::replace(&mut self.chain, chain);
            let dialect = self.dialect;
            self.shell_code(&code, dialect, &Stream::Empty, true);
            self.chain = outer;
        }
    }

    /// Functions that the shell itself calls at its own times: before a prompt, when leaving, when a
    /// program is not found, and those that hide a program which people call. Any other definition does
    /// nothing until somebody calls it.
    fn shell_called_functions(&mut self) {
        let hooked: Vec<String> = HOOK_ARRAYS
            .iter()
            .filter_map(|name| self.env.get(name))
            .flat_map(|value| {
                let elements = value.array.iter().flat_map(|array| &array.items);
                elements
                    .map(|(_, text)| text)
                    .chain(&value.alternatives)
                    .map(|text| text.text.clone())
            })
            .collect();
        let functions: Vec<(String, Rc<Function>)> = self
            .env
            .functions
            .iter()
            .filter_map(|(name, function)| Some((name.clone(), function.clone()?)))
            .filter(|(name, _)| !self.called.contains(name))
            .collect();
        for (name, function) in functions {
            let by_shell = SHELL_CALLS.contains(&name.as_str())
                || name.starts_with("TRAP")
                || hooked.contains(&name);
            if by_shell {
                let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
                // Named by an array, it is a hook under any name.
                self.chain.push(if SHELL_CALLS.contains(&name.as_str()) {
                    name.clone()
                } else {
                    "preexec".to_owned()
                });
                self.call_function(&name, &function, Vec::new(), &Stream::Empty);
                self.chain.pop();
                self.ceiling = ceiling;
            } else {
                self.hidden_by_function(&name, &function);
            }
        }
    }

    /// Takes one step; false where too many were taken, which is unknown then.
    pub(crate) fn step(&mut self, span: Span) -> bool {
        self.steps += 1;
        if self.steps == MAX_STEPS {
            self.unknown_region(span, "too much to look at");
        }
        self.steps < MAX_STEPS
    }

    /// Does something one level deeper; nothing where that is too deep, which is unknown then.
    pub(crate) fn deeper<T>(&mut self, span: Span, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            // Loops around it end by their steps.
            self.steps = self.steps.saturating_add(1);
            self.unknown_region(span, "nested too deeply");
            return None;
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        Some(result)
    }

    pub(crate) fn unknown_region(&mut self, span: Span, why: &str) {
        self.unknown = true;
        self.emit(
            EffectKind::Unknown {
                why: why.to_owned(),
            },
            span,
            Certainty::Unknown,
        );
    }

    /// Notes an effect.
    pub(crate) fn emit(&mut self, kind: EffectKind, span: Span, certainty: Certainty) {
        let certainty = certainty.min(self.ceiling);
        if let Some(known) = self
            .effects
            .iter_mut()
            .find(|known| known.span == span && known.kind == kind)
        {
            known.certainty = known.certainty.max(certainty);
            return;
        }
        if self.effects.len() + 1 < MAX_FOUND {
            self.effects.push(Effect {
                kind,
                span,
                chain: self.chain.clone(),
                certainty,
            });
        } else {
            self.full(span);
        }
    }

    /// There is no room for more: what is left out is unknown, and that is said once.
    fn full(&mut self, span: Span) {
        self.unknown = true;
        if self.effects.len() < MAX_FOUND {
            self.effects.push(Effect {
                kind: EffectKind::Unknown {
                    why: "too much to look at".to_owned(),
                },
                span,
                chain: self.chain.clone(),
                certainty: Certainty::Unknown,
            });
        }
    }

    /// Notes that code of another place runs.
    pub(crate) fn emit_code(&mut self, source: CodeSource, language: &str, span: Span) {
        let certainty = if source == CodeSource::Unknown {
            Certainty::Unknown
        } else {
            Certainty::Proven
        };
        self.emit(
            EffectKind::RunCode {
                source,
                language: language.to_owned(),
            },
            span,
            certainty,
        );
    }

    pub(crate) fn invoke(&mut self, invocation: Invocation) {
        if self.invocations.len() >= MAX_FOUND {
            if !self.crowded {
                self.crowded = true;
                self.full(invocation.span);
            }
        } else if !self.invocations.iter().rev().take(16).any(|known| {
            known.span == invocation.span
                && known.chain == invocation.chain
                && known.args == invocation.args
        }) {
            self.invocations.push(invocation);
        }
    }
}
