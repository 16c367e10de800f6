//! What fish does itself: `set`, `source`, `psub`, `string`, `functions`, abbreviations, universal state.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    state::{Function, Value},
    value::{Map, Stream, Text},
};

impl Analyser<'_> {
    /// Runs a builtin of fish; nothing where the name is none, or is one of all shells.
    pub(crate) fn fish_builtin(&mut self, call: &Call<'_>) -> Option<Stream> {
        let args = call.args;
        match call.name {
            "set" => return Some(self.fish_set(call)),
            "string" => return Some(self.fish_string(call)),
            "math" => {
                let text: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).collect();
                let text = text.join(" ");
                return Some(
                    match args
                        .iter()
                        .all(|arg| arg.known)
                        .then(|| self.calculate(&Text::known(text, call.span)))
                        .flatten()
                    {
                        Some(number) => Stream::Known(format!("{number}\n")),
                        None => Stream::UNKNOWN,
                    },
                );
            }
            "source" | "." => {
                let file = args
                    .iter()
                    .find(|arg| arg.text == "-" || !arg.text.starts_with('-'));
                if file.is_none_or(|file| file.text == "-") {
                    let code = call.stdin.clone();
                    return Some(match code {
                        Stream::Known(text) => {
                            let dialect = self.dialect;
                            let text = Text::known(text, call.span);
                            self.shell_code(&text, dialect, &Stream::Empty, false)
                        }
                        other => {
                            let dialect = self.dialect;
                            self.code_from_stream(&other, "shell", Some(dialect), call.span)
                        }
                    });
                }
                return None;
            }
            // Its input becomes a file, and its name the value.
            "psub" => {
                let number = self.env.files.len();
                let path = format!("/dev/fd/cmdai-{number}");
                self.env.files.push((path.clone(), call.stdin.clone()));
                return Some(Stream::Known(path + "\n"));
            }
            "alias" => {
                let mut words = args.iter().filter(|arg| !arg.text.starts_with('-'));
                let (name, value) = match (words.next(), words.next()) {
                    (Some(name), Some(value)) => (name.text.clone(), value.clone()),
                    (Some(one), None) => {
                        let (name, _) = one.text.split_once('=')?;
                        (name.to_owned(), one.after(name.len() + 1))
                    }
                    _ => return Some(Stream::Empty),
                };
                self.fish_define(&name, &format!("{} $argv", value.text), &value);
            }
            // An abbreviation is typed out when somebody uses it.
            "abbr" => {
                let words: Vec<&Text> = args
                    .iter()
                    .filter(|arg| !arg.text.starts_with('-'))
                    .collect();
                if let [name, value, ..] = words.as_slice()
                    && !args
                        .iter()
                        .any(|arg| matches!(arg.text.as_str(), "-e" | "--erase"))
                {
                    self.fish_define(
                        &name.text.clone(),
                        &format!("{} $argv", value.text),
                        &(*value).clone(),
                    );
                }
            }
            "functions" => {
                for arg in args.iter().filter(|arg| !arg.text.starts_with('-')) {
                    if arg.text.contains("__cmdai")
                        && args
                            .iter()
                            .any(|arg| matches!(arg.text.as_str(), "-e" | "--erase"))
                    {
                        self.own(call.span);
                    }
                }
                if let [flag, from, to] = args
                    && matches!(flag.text.as_str(), "-c" | "--copy")
                {
                    let found = self
                        .env
                        .functions
                        .iter()
                        .find(|(known, _)| *known == from.text)
                        .cloned();
                    if let Some((_, function)) = found {
                        self.env.functions.push((to.text.clone(), function));
                    }
                }
                return Some(Stream::UNKNOWN);
            }
            "count" => return Some(Stream::Known(format!("{}\n", args.len()))),
            "builtin" | "command" => {
                let rest = args
                    .iter()
                    .position(|arg| !arg.text.starts_with('-'))
                    .and_then(|at| args.get(at..));
                if args.first().is_some_and(|arg| {
                    matches!(
                        arg.text.as_str(),
                        "-v" | "-s" | "-q" | "--search" | "--query" | "--all" | "-a"
                    )
                }) {
                    return Some(
                        rest.and_then(|rest| rest.first())
                            .map_or(Stream::Empty, |name| {
                                Stream::Known(format!("/usr/bin/{}\n", name.text))
                            }),
                    );
                }
                return None;
            }
            "history" => {
                let gone = args
                    .iter()
                    .any(|arg| matches!(arg.text.as_str(), "clear" | "clear-session" | "delete"))
                    || args
                        .iter()
                        .any(|arg| matches!(arg.text.as_str(), "--clear" | "--delete"));
                if !gone {
                    return Some(Stream::UNKNOWN);
                }
                let path = format!("{}/.local/share/fish/fish_history", self.home());
                self.emit(EffectKind::TamperLog { path }, call.span, Certainty::Proven);
            }
            "fish_add_path" => {
                if let Some(path) = args.iter().find(|arg| !arg.text.starts_with('-')) {
                    let path = path.clone();
                    self.note_assignment("PATH", &path, call.span, false);
                }
            }
            "complete" => {
                // What stands in parentheses runs when somebody presses Tab.
                return Some(Stream::Empty);
            }
            "bind" => {
                if let [.., code] = args
                    && args.len() > 1
                    && code.text.contains(' ')
                {
                    let code = code.clone();
                    let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
                    let dialect = self.dialect;
                    self.shell_code(&code, dialect, &Stream::Empty, true);
                    self.ceiling = ceiling;
                }
            }
            "funcsave" | "funced" => {
                let path = format!("{}/.config/fish/functions", self.home());
                self.emit(
                    EffectKind::Persistence {
                        mechanism: "rc-file".to_owned(),
                        path: Some(path),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            "set_color"
            | "status"
            | "contains"
            | "block"
            | "emit"
            | "commandline"
            | "fish_config"
            | "fish_key_reader"
            | "fish_git_prompt"
            | "fish_vcs_prompt"
            | "fish_prompt"
            | "random"
            | "argparse"
            | "isatty"
            | "path"
            | "dirh"
            | "prevd"
            | "nextd"
            | "cdh"
            | "vared"
            | "fish_update_completions"
            | "prompt_pwd"
            | "and"
            | "or"
            | "not"
            | "end"
            | "begin"
            | "test"
            | "["
            | "breakpoint" => {
                if matches!(call.name, "prevd" | "nextd" | "cdh") {
                    self.env.cwd_known = false;
                }
                return Some(match call.name {
                    "random" | "status" | "commandline" | "path" | "prompt_pwd" => Stream::UNKNOWN,
                    "fish_prompt" => return None,
                    _ => Stream::Empty,
                });
            }
            _ => return None,
        }
        Some(Stream::Empty)
    }

    fn fish_define(&mut self, name: &str, text: &str, from: &Text) {
        if name.contains("__cmdai") {
            self.own(from.span);
        }
        self.env.functions.retain(|(known, _)| known != name);
        self.env.functions.push((
            name.to_owned(),
            Some(std::rc::Rc::new(Function {
                text: text.to_owned(),
                map: Map::Fixed(from.span),
                params: Vec::new(),
            })),
        ));
    }

    /// `set -gx NAME VALUE…`, `set -e NAME`, `set NAME[1] VALUE`.
    fn fish_set(&mut self, call: &Call<'_>) -> Stream {
        let mut at = 0;
        let (mut erase, mut query, mut append, mut prepend, mut show, mut universal, mut exported) =
            (false, false, false, false, false, false, false);
        while let Some(arg) = call.args.get(at) {
            let Some(flags) = arg.text.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
                break;
            };
            at += 1;
            if flags == "-" {
                break;
            }
            match flags.strip_prefix('-') {
                Some("erase") => erase = true,
                Some("query") => query = true,
                Some("append") => append = true,
                Some("prepend") => prepend = true,
                Some("names" | "show") => show = true,
                Some("universal") => universal = true,
                Some("export") => exported = true,
                Some(_) => {}
                None => {
                    for flag in flags.bytes() {
                        match flag {
                            b'e' => erase = true,
                            b'q' => query = true,
                            b'a' => append = true,
                            b'p' => prepend = true,
                            b'n' | b'S' => show = true,
                            b'U' => universal = true,
                            b'x' => exported = true,
                            _ => {}
                        }
                    }
                }
            }
        }
        let (Some(target), values) = (
            call.args.get(at),
            call.args.get(at + 1..).unwrap_or_default(),
        ) else {
            return Stream::UNKNOWN;
        };
        if show || query {
            return if show { Stream::UNKNOWN } else { Stream::Empty };
        }
        let (name, index) = match target.text.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']'))),
            None => (target.text.as_str(), None),
        };
        if erase {
            for name in call.args.get(at..).unwrap_or_default() {
                if name.text.to_ascii_lowercase().contains("cmdai") {
                    self.own(call.span);
                }
                self.env.set(&name.text, Value::default());
            }
            return Stream::Empty;
        }
        let first = values
            .first()
            .cloned()
            .unwrap_or_else(|| Text::known("", target.span));
        if name == "fish_history" && first.known && first.text.is_empty() {
            let path = format!("{}/.local/share/fish/fish_history", self.home());
            self.emit(EffectKind::TamperLog { path }, call.span, Certainty::Proven);
        } else if exported || universal || name.chars().all(|next| !next.is_lowercase()) {
            for value in values {
                let value = value.clone();
                self.note_assignment(name, &value, target.span, false);
            }
        }
        if universal
            && (name == "fish_user_paths" || name == "PATH")
            && values.iter().any(|value| is_scratch(&value.text))
        {
            // It holds in every shell from now on.
            self.emit(
                EffectKind::Persistence {
                    mechanism: "rc-file".to_owned(),
                    path: Some(format!("{}/.config/fish/fish_variables", self.home())),
                },
                call.span,
                Certainty::Proven,
            );
            self.emit(
                EffectKind::Unknown {
                    why: crate::hooks::SCRATCH_PATH.to_owned(),
                },
                call.span,
                Certainty::Likely,
            );
        }
        let mut words = values.to_vec();
        if let Some(index) = index {
            words = self.env.get(name).map(Value::texts).unwrap_or_default();
            match index.trim().parse::<usize>().ok().filter(|at| *at > 0) {
                Some(at) if at <= 128 => {
                    while words.len() < at {
                        words.push(Text::known("", target.span));
                    }
                    if let Some(slot) = words.get_mut(at - 1) {
                        *slot = first;
                    }
                }
                _ => words = vec![Text::unknown(target.text.clone(), target.span, None)],
            }
        } else if append || prepend {
            let before: Vec<Text> = match self.env.get(name).cloned() {
                Some(value) if !value.is_open() => value.texts(),
                // What it held before is not known; what is added is.
                _ => Vec::new(),
            };
            words = if append {
                before.into_iter().chain(words).collect()
            } else {
                words.into_iter().chain(before).collect()
            };
        }
        let name = name.to_owned();
        self.fish_assign(&name, &words);
        Stream::Empty
    }
}

/// A folder that everybody may write to.
fn is_scratch(path: &str) -> bool {
    ["/tmp", "/dev/shm", "/var/tmp"].iter().any(|folder| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
