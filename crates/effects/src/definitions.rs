//! Definitions that hide a program which people call without thinking: an alias or function of the
//! name `ls`, `cd` or `sudo` is run by the next line, whoever types it.
//!
//! A definition of a new name does nothing until somebody calls it. One of these names is gone
//! through as if it were called with something unknown. What the hidden program does itself is no news
//! (`rm() { command rm -i "$@"; }`), nor is what cannot be told because of the arguments.

use cmdai_schema::{Certainty, CodeSource, Dialect, Effect, EffectKind, Span};

use crate::{
    analyser::{Analyser, Flow},
    state::Function,
    value::{Stream, Text},
};

/// Names that hands type by themselves, sorted.
const BY_HAND: &[&str] = &[
    ".",
    "awk",
    "bash",
    "cargo",
    "cat",
    "cd",
    "chmod",
    "chown",
    "clear",
    "code",
    "command",
    "cp",
    "curl",
    "date",
    "df",
    "docker",
    "du",
    "echo",
    "env",
    "exit",
    "export",
    "false",
    "find",
    "gcc",
    "git",
    "go",
    "grep",
    "head",
    "history",
    "hostname",
    "htop",
    "id",
    "ip",
    "jobs",
    "kill",
    "kubectl",
    "less",
    "ln",
    "logout",
    "ls",
    "make",
    "man",
    "mkdir",
    "more",
    "mv",
    "nano",
    "node",
    "npm",
    "npx",
    "passwd",
    "pip",
    "pip3",
    "printf",
    "ps",
    "pwd",
    "python",
    "python3",
    "rm",
    "rmdir",
    "rsync",
    "scp",
    "sed",
    "service",
    "sh",
    "sleep",
    "sort",
    "source",
    "ssh",
    "su",
    "sudo",
    "systemctl",
    "tail",
    "tar",
    "tee",
    "test",
    "top",
    "touch",
    "true",
    "type",
    "unzip",
    "vi",
    "vim",
    "wc",
    "wget",
    "which",
    "who",
    "whoami",
    "yarn",
    "zip",
    "zsh",
];

/// Hides a program that people call without thinking.
fn hides(name: &str) -> bool {
    BY_HAND.binary_search(&name).is_ok()
}

impl Analyser<'_> {
    /// A function that the text defines and does not call.
    pub(crate) fn hidden_by_function(&mut self, name: &str, function: &Function) {
        if !hides(name) {
            return;
        }
        let span = function.map.span(Span::new(0, function.text.len()));
        self.as_called(name, span, |this| {
            let some = Text::unknown("$1", span, None);
            this.call_function(name, function, vec![some], &Stream::Empty);
        });
    }

    /// `alias NAME=VALUE`; `any` where the name is an ending of files, which stands for all of them.
    pub(crate) fn hidden_by_alias(&mut self, name: &str, value: &Text, any: bool) {
        if !any && !hides(name) || self.expanding.len() > 2 {
            return;
        }
        self.expanding.push(name.to_owned());
        let dialect = self.dialect;
        let before = self.env.positional.clone();
        self.env.positional = Some(vec![Text::unknown("$1", value.span, None)]);
        self.as_called(name, value.span, |this| {
            if dialect == Dialect::Powershell {
                this.shell_code(value, dialect, &Stream::Empty, false);
            } else {
                // The value keeps its places; what is typed behind it comes after them.
                let mut code = value.clone();
                code.text.push_str(" \"$1\"");
                this.shell_code(&code, dialect, &Stream::Empty, false);
            }
        });
        self.env.positional = before;
        self.expanding.pop();
    }

    /// Goes through a definition, and keeps what it does to anybody who calls it.
    fn as_called(&mut self, name: &str, span: Span, work: impl FnOnce(&mut Self)) {
        let (effects, invocations) = (self.effects.len(), self.invocations.len());
        let env = self.env.clone();
        let (status, unknown) = (self.status, self.unknown);
        let flow = std::mem::take(&mut self.flow);
        let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
        self.chain.push(name.to_owned());
        self.deeper(span, work);
        self.chain.pop();
        (self.env, self.status, self.unknown) = (env, status, unknown);
        self.flow = if self.flow == Flow::Exit {
            Flow::On
        } else {
            flow
        };
        self.ceiling = ceiling;
        let found = self.effects.split_off(effects.min(self.effects.len()));
        self.effects
            .extend(found.into_iter().filter(|effect| surprises(effect, name)));
        if self.effects.len() == effects {
            self.invocations.truncate(invocations);
        }
    }
}

/// More than the hidden program does by itself, and not only unknown because the arguments are.
fn surprises(effect: &Effect, name: &str) -> bool {
    let own = effect.chain.last().is_some_and(|program| program == name) && effect.chain.len() > 1;
    let evaluates = effect.chain.iter().any(|program| program == "eval");
    match &effect.kind {
        EffectKind::Unknown { .. } | EffectKind::Escalate { .. } => false,
        EffectKind::RunCode {
            source: CodeSource::Unknown,
            ..
        } => evaluates,
        EffectKind::RunCode {
            source: CodeSource::File(path),
            ..
        } => !own && !path.contains('$'),
        EffectKind::Delete { .. } => !own,
        kind => !own && kind.path().is_none_or(|path| !path.contains('$')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(BY_HAND.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
