//! Paths, files and the environment as code sees them.

use super::{
    act::{flat, map, stream_of, value_of},
    run::{Args, Run},
    tree::Language,
    value::{GAP, Str, Value},
};
use crate::{
    paths,
    value::{Stream, Taint, Text},
};

impl Run<'_, '_> {
    /// Each path that values stand for. `~` and patterns are names to most languages.
    pub(super) fn each_path(&self, values: &[Value]) -> Vec<Text> {
        let mut out = Vec::new();
        for value in flat(values) {
            match &value {
                Value::Nothing | Value::Map(_) | Value::Function(_) | Value::Bool(_) => continue,
                Value::Object(object) if object.class == "Handle" => {
                    out.extend(self.each_path(object.values.get(..1).unwrap_or_default()));
                    continue;
                }
                _ => {}
            }
            for text in value.strs() {
                let mut plain = self.plain(&text);
                plain.literal = !text.glob;
                if let Some(path) = plain.text.strip_prefix("file://") {
                    plain.text = path.to_owned();
                }
                if plain.text.starts_with('~') && !text.glob {
                    plain.text.insert_str(0, "./");
                }
                out.push(plain);
            }
        }
        out
    }

    /// Parts of a path. One that begins at the root begins anew, where the language does so.
    pub(super) fn path_joined(&self, parts: &[Value]) -> Value {
        let anew = self.language == Language::Python;
        let mut whole: Option<Value> = None;
        for part in parts {
            if matches!(part, Value::Nothing) {
                continue;
            }
            whole = Some(match whole {
                None => part.clone(),
                Some(before) => {
                    let mut out = Vec::new();
                    for before in before.strs() {
                        for next in part.strs() {
                            out.push(Value::Text(if anew && next.text.starts_with('/') {
                                next
                            } else {
                                let middle = if before.text.ends_with('/')
                                    || next.text.starts_with('/')
                                    || before.text.is_empty()
                                {
                                    ""
                                } else {
                                    "/"
                                };
                                before.clone().then(&Str::known(middle)).then(&next)
                            }));
                        }
                    }
                    Value::one_of(out)
                }
            });
        }
        map(&whole.unwrap_or_default(), |text| Some(text.clone()))
    }

    /// `~` in front is the home.
    pub(super) fn expanded(&self, value: &Value) -> Value {
        let home = self.an.home();
        map(value, |text| {
            Some(match text.text.strip_prefix('~') {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                    text.with(format!("{home}{rest}"))
                }
                _ => text.clone(),
            })
        })
    }

    /// A variable of the environment.
    pub(super) fn variable(&mut self, name: &Value, args: &Args) -> Value {
        let Some(name) = name.known_text() else {
            return Value::Unknown(None);
        };
        let default = args.given.get(1).cloned();
        if let Some(value) = self.an.env.get(name) {
            let all = value
                .alternatives
                .iter()
                .map(|text| Value::Text(Str::of(text)))
                .collect();
            return Value::one_of(all);
        }
        match name {
            "HOME" | "USERPROFILE" => return Value::text(self.an.home()),
            "USER" | "LOGNAME" => return Value::text(self.an.context.user),
            "PWD" => return Value::text(self.an.env.cwd.clone()),
            "TMPDIR" | "TEMP" => return Value::text("/tmp"),
            _ => {}
        }
        if let Some(value) = self.an.context.session.variable(name) {
            return Value::text(value.into_owned());
        }
        let unknown = Str::gap(None).with(format!("${{{name}}}"));
        match default {
            Some(default @ Value::Text(_)) => Value::one_of(vec![Value::Text(unknown), default]),
            _ => Value::Text(unknown),
        }
    }

    /// What a file holds.
    pub(super) fn content(&self, path: &Text) -> Value {
        value_of(&self.stream_of_file(path))
    }

    pub(super) fn stream_of_file(&self, path: &Text) -> Stream {
        let absolute = self.an.absolute(&path.text);
        match self.an.env.file(&absolute) {
            Some(stream) => stream.clone(),
            None if paths::is_secret(&absolute, &self.an.home()) => {
                Stream::Tainted(Taint::Secret(absolute))
            }
            None => match absolute.as_str() {
                "/dev/stdin" => self.start.stdin.clone(),
                _ => Stream::Tainted(Taint::File(absolute)),
            },
        }
    }

    /// Opens a file.
    pub(super) fn open(&mut self, path: &Value, mode: &Value, args: &Args) -> Value {
        let mode = match (args.mode(), mode) {
            // `{flags: 'a'}` against what the function does by itself.
            (Some(said), Value::Nothing | Value::Text(_)) if args.has_mode() => said.to_owned(),
            (said, Value::Nothing) => said.unwrap_or("r").to_owned(),
            (_, Value::Text(text)) if text.known => text.text.clone(),
            // A number of flags, or what is not known.
            _ => "+".to_owned(),
        };
        let span = self.span;
        let mut out = Vec::new();
        for path in self.each_path(std::slice::from_ref(path)) {
            let absolute = self.an.absolute(&path.text);
            let address = ["http://", "https://", "ftp://"]
                .iter()
                .any(|scheme| path.text.starts_with(scheme));
            if address && matches!(self.language, Language::Php | Language::Ruby) {
                let from = Value::text(path.text.clone());
                out.push(self.act(
                    "request $1; give object Response remote $1",
                    None,
                    Args::of(vec![from]),
                ));
                continue;
            }
            if let Some(address) = crate::redirect::network_address(&path.text) {
                self.peer.get_or_insert(address);
            }
            if mode.contains('w')
                // Both ways from the start: over what is there.
                || mode.starts_with("r+")
                || mode.starts_with("rb+")
                || mode == "+<"
                || mode.contains('x')
                || mode == ">"
                || mode == "+>"
                || mode == "truncate"
            {
                self.an.write_path(&path, false, span);
                self.an.env.write_file(&absolute, Stream::Empty, false);
            } else if mode.contains('a') || mode.contains('+') || mode == ">>" {
                self.an.write_path(&path, true, span);
            } else if path.text != GAP {
                self.an.read_path(&path, span);
            }
            let content = self.content(&path);
            let mut text = Str::known(path.text.clone());
            text.known = path.known;
            out.push(Value::object("Handle", vec![Value::Text(text), content]));
        }
        Value::one_of(out)
    }

    /// Something is written into an open file.
    pub(super) fn write_open(&mut self, file: &[Value], what: &Value) {
        for path in self.each_path(file.get(..1).unwrap_or_default()) {
            let absolute = self.an.absolute(&path.text);
            let stream = stream_of(&what.str());
            self.an.startup_code(&absolute, &stream);
            self.an.env.write_file(&absolute, stream, true);
            if let Some(address) = crate::redirect::network_address(&path.text) {
                self.peer = Some(address);
                self.send(what);
            }
        }
    }

    /// Words after the code.
    pub(super) fn arguments(&self) -> Value {
        let all = self
            .start
            .args
            .iter()
            .map(|arg| Value::Text(Str::of(arg)))
            .collect();
        Value::list(all)
    }

    /// What flows in.
    pub(super) fn input(&self) -> Value {
        match self.start.stdin {
            Stream::Empty => Value::Unknown(None),
            other => value_of(other),
        }
    }
}
