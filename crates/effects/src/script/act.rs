//! Does what a line of the tables says.

use cmdai_schema::{CodeSource, Dialect, EffectKind};

use super::{
    decode,
    run::{Args, Run, taint_of},
    tree::Language,
    value::{MAX_ELEMENTS, Str, Value, worse},
};
use crate::value::{Stream, Taint, Text};

impl Run<'_, '_> {
    /// Does what a call does; what it gives.
    pub(super) fn act(&mut self, does: &str, of: Option<&Value>, args: Args) -> Value {
        let mut gives = None;
        for statement in does.split(';') {
            let mut words = statement.split_whitespace();
            let Some(effect) = words.next() else { continue };
            let words: Vec<&str> = words.collect();
            if effect == "give" {
                gives = Some(self.give(&words, of, &args));
            } else if let Some(value) = self.effect(effect, &words, of, &args) {
                gives = Some(value);
            }
        }
        let result = gives
            .unwrap_or_else(|| Value::Unknown(worse(of.and_then(Value::taint), taint_of(&args))));
        if does != "give nothing" {
            self.call_back(&args, &result);
        }
        result
    }

    /// The values that words of a line stand for.
    fn values(&self, words: &[&str], of: Option<&Value>, args: &Args) -> Vec<Value> {
        let mut out = Vec::new();
        for word in words {
            let Some(name) = word.strip_prefix('$') else {
                out.push(Value::text(*word));
                continue;
            };
            match name {
                "0" => out.push(of.cloned().unwrap_or_default()),
                "*" => out.extend(args.given.iter().cloned()),
                _ => {
                    if let Some(from) = name.strip_suffix('+') {
                        let from = from.parse::<usize>().unwrap_or(1).saturating_sub(1);
                        out.extend(args.given.iter().skip(from).cloned());
                        continue;
                    }
                    let (place, name) = name.split_once(':').unwrap_or((name, name));
                    let by_place = place
                        .parse::<usize>()
                        .ok()
                        .and_then(|place| args.given.get(place.checked_sub(1)?));
                    let by_name = || args.option(name);
                    out.push(by_place.or_else(by_name).cloned().unwrap_or_default());
                }
            }
        }
        out
    }

    fn effect(
        &mut self,
        effect: &str,
        words: &[&str],
        of: Option<&Value>,
        args: &Args,
    ) -> Option<Value> {
        let values = self.values(words, of, args);
        let first = values.first().cloned().unwrap_or_default();
        let second = values.get(1).cloned().unwrap_or_default();
        let span = self.span;
        match effect {
            "delete" | "delete-tree" => {
                let flag = |name| {
                    args.option(name)
                        .is_some_and(|value| value.truth() != Some(false))
                };
                let tree = effect == "delete-tree" || flag("recursive");
                let force = effect == "delete-tree" || flag("force") || flag("recursive");
                for path in self.each_path(&values) {
                    self.an.delete_path(&path, tree, force, span);
                }
            }
            "write" | "append" => {
                for path in self.each_path(&values) {
                    self.an.write_path(&path, effect == "append", span);
                }
            }
            "read" => {
                let mut out = Vec::new();
                for path in self.each_path(&values) {
                    if path.text.contains("://") && self.language == Language::Php {
                        out.push(match path.text.as_str() {
                            "php://stdin" | "php://input" => self.input(),
                            _ => {
                                self.request(&first, &Args::default());
                                Value::remote(path.text.clone())
                            }
                        });
                        continue;
                    }
                    self.an.read_path(&path, span);
                    out.push(self.content(&path));
                }
                return Some(Value::one_of(out));
            }
            "copy" => {
                for from in self.each_path(&[first]) {
                    self.an.read_path(&from, span);
                    let content = self.stream_of_file(&from);
                    for to in self.each_path(std::slice::from_ref(&second)) {
                        self.an.write_path(&to, false, span);
                        let path = self.an.absolute(&to.text);
                        self.an.env.write_file(&path, content.clone(), false);
                    }
                }
            }
            "move" => {
                for from in self.each_path(&[first]) {
                    for to in self.each_path(std::slice::from_ref(&second)) {
                        self.an.move_path(&from, &to, span);
                    }
                }
            }
            "link" => {
                for to in self.each_path(&[second]) {
                    self.an.write_path(&to, true, span);
                }
            }
            "chmod" => {
                let mode = match &second {
                    Value::Number(mode) => format!("{mode:o}"),
                    other => other.known_text().unwrap_or("code").to_owned(),
                };
                let tree = words.contains(&"recursive");
                for path in self.each_path(&[first]) {
                    self.an.change_mode(&path, &mode, tree, span);
                }
            }
            "chown" => {
                let owner = match second.str() {
                    owner if owner.known => owner.text,
                    _ => "code".to_owned(),
                };
                let tree = words.contains(&"recursive");
                for path in self.each_path(&[first]) {
                    self.an.change_owner(&path, &owner, tree, span);
                }
            }
            "open" => return Some(self.open(&first, &second, args)),
            "put" => {
                // `{flag: 'a'}`, `FILE_APPEND`
                let append = args.mode().is_some_and(|mode| mode.contains('a'));
                for path in self.each_path(&[first]) {
                    self.an.write_path(&path, append, span);
                    let absolute = self.an.absolute(&path.text);
                    let stream = stream_of(&second.str());
                    self.an.startup_code(&absolute, &stream);
                    self.an.env.write_file(&absolute, stream, append);
                }
            }
            "send" => {
                if let Value::Object(file) = &first
                    && file.class == "Handle"
                {
                    self.write_open(&file.values, &second);
                } else {
                    self.send(&second);
                }
            }
            "shell" => return Some(self.shell_text(&first)),
            "spawn" => {
                let shell = args
                    .option("shell")
                    .is_some_and(|value| value.truth() != Some(false));
                return Some(match &first {
                    Value::List(all) if !shell => self.words(all),
                    Value::List(all) => self.shell_text(&all.first().cloned().unwrap_or_default()),
                    text if shell => self.shell_text(text),
                    text => self.words(std::slice::from_ref(text)),
                });
            }
            "argv" => {
                let shell = args
                    .option("shell")
                    .is_some_and(|value| value.truth() != Some(false));
                let words = flat(&values);
                if shell {
                    let words: Vec<Value> = words
                        .into_iter()
                        .filter(|word| !matches!(word, Value::Map(_) | Value::Nothing))
                        .collect();
                    let line = self.glued(&Value::text(" "), &Value::list(words));
                    return Some(self.shell_text(&line));
                }
                return Some(self.words(&words));
            }
            "system" => {
                return Some(match values.as_slice() {
                    [Value::List(all)] if all.len() != 1 => self.words(all),
                    [one] => match one {
                        Value::List(all) => {
                            self.shell_text(&all.first().cloned().unwrap_or_default())
                        }
                        one => self.shell_text(one),
                    },
                    several => {
                        // Variables of the environment may stand in front, options at the end.
                        let words: Vec<Value> = several
                            .iter()
                            .filter(|value| !matches!(value, Value::Map(_)))
                            .cloned()
                            .collect();
                        match words.as_slice() {
                            [one] => self.shell_text(one),
                            words => self.words(&flat(words)),
                        }
                    }
                });
            }
            "pipe" => return Some(self.pipe(&values)),
            "code" => return Some(self.code(&first)),
            "unpack" => {
                if let Some(taint @ (Taint::Remote(_) | Taint::File(_))) = first.taint() {
                    let language = self.language.name();
                    self.an.tainted_code(&taint, language, span);
                } else if let Some(text) = first.known_text()
                    && super::calls::looks_risky(self.language, text)
                {
                    let language = self.language.name();
                    self.an.emit_code(CodeSource::Unknown, language, span);
                }
            }
            "code-file" => {
                for path in self.each_path(&[first]) {
                    let language = self.language.name();
                    self.an.script_file(&path, language, None, span);
                }
            }
            "connect" => {
                let address = address(&flat(&values));
                self.peer.get_or_insert_with(|| address.clone());
                self.emit(EffectKind::Connect { address }, false);
            }
            "listen" => {
                let address = address(&flat(&values));
                self.peer.get_or_insert_with(|| address.clone());
                self.emit(EffectKind::Listen { address }, true);
            }
            "download" => self.download(&first, &second),
            "request" => self.request(&first, args),
            "sql" => {
                for text in self.texts(&first) {
                    if text.text != super::value::GAP {
                        self.an.sql(&text, "database", None);
                    }
                }
            }
            "escalate" => {
                let to = match first.number() {
                    Some(0) => "root".to_owned(),
                    _ => first.str().text,
                };
                if to == "root" || to == super::value::GAP {
                    self.emit(EffectKind::Escalate { to }, false);
                }
            }
            "kill" => {
                let target = first.str();
                let all = target.text == "-1";
                // Its own processes and those it started are nobody else's.
                if target.known {
                    self.emit(
                        EffectKind::ProcessKill {
                            target: target.text,
                            all,
                        },
                        true,
                    );
                }
            }
            "power" => self.emit(
                EffectKind::Power {
                    action: first.str().text,
                },
                true,
            ),
            "fork" if self.loops > 0 => {
                self.an.exhausts("fork-bomb", span);
            }
            "exhaust" => self.an.exhausts(&first.str().text, span),
            "unknown" => self.an.unknown_region(span, &words.join(" ")),
            "show" => self.show(&values, args),
            "visit" => {
                let paths = self.each_path(&[first]);
                match paths.as_slice() {
                    [one] if one.known => {
                        self.an.env.cwd = self.an.absolute(&one.text);
                    }
                    _ => self.an.env.cwd_known = false,
                }
            }
            _ => {}
        }
        None
    }

    fn give(&mut self, words: &[&str], of: Option<&Value>, args: &Args) -> Value {
        let Some((what, words)) = words.split_first() else {
            return Value::Nothing;
        };
        if *what == "object" {
            let Some((class, inner)) = words.split_first() else {
                return Value::Nothing;
            };
            let made = match inner.first() {
                Some(word) if !word.starts_with('$') && *word != "." => {
                    vec![self.give(inner, of, args)]
                }
                _ => self.values(inner, of, args),
            };
            let made = if class.ends_with("Path") && made.len() > 1 {
                vec![self.path_joined(&made)]
            } else {
                made
            };
            return Value::object(class, made);
        }
        let values = self.values(words, of, args);
        let first = values.first().cloned().unwrap_or_default();
        match *what {
            "text" => first,
            "same" => match &first {
                Value::Bool(_) | Value::Nothing => Value::Unknown(None),
                _ => first,
            },
            "path" => self.path_joined(&flat(&values)),
            "joined" => self.join(&flat(&values)),
            "home" => Value::text(self.an.home()),
            "expanded" => self.expanded(&first),
            "folder" | "base" => map(&first, |text| {
                let name = crate::paths::base_name(&text.text);
                Some(if *what == "base" {
                    text.with(name)
                } else {
                    let folder = text
                        .text
                        .strip_suffix(name)
                        .unwrap_or(&text.text)
                        .to_owned();
                    text.with(if folder.len() > 1 {
                        folder.trim_end_matches('/')
                    } else {
                        &folder
                    })
                })
            }),
            "temporary" => Value::text("/tmp/tmp.XXXXXXXXXX"),
            "base64" => decoded(&first, decode::base64),
            "hex" => decoded(&first, decode::hex),
            "rot13" => decoded(&first, |text| Some(decode::rot13(text))),
            "percent" => decoded(&first, decode::percent),
            "made" => Value::Unknown(worse(first.taint(), Some(Taint::Made))),
            "characters" => {
                let numbers: Option<String> = flat(&values)
                    .iter()
                    .map(|value| {
                        value
                            .number()
                            .and_then(|number| char::from_u32(u32::try_from(number).ok()?))
                    })
                    .collect();
                match numbers {
                    Some(text) => Value::text(text),
                    None => Value::Unknown(worse(first.taint(), Some(Taint::Made))),
                }
            }
            "code-of" => match first.known_text().and_then(|text| text.chars().next()) {
                Some(character) => Value::Number(i64::from(u32::from(character))),
                None => Value::Unknown(first.taint()),
            },
            "variable" => self.variable(&first, args),
            "pattern" => {
                let path = self.path_joined(&values);
                map(&path, |text| {
                    Some(Str {
                        glob: true,
                        ..text.clone()
                    })
                })
            }
            "remote" => Value::remote(url(&first)),
            "file" => {
                let paths = self.each_path(&[first]);
                let all = paths.iter().map(|path| self.content(path)).collect();
                Value::one_of(all)
            }
            "name" => Value::name(words.first().copied().unwrap_or_default()),
            "module" => match first.known_text() {
                Some(module) => {
                    let module = module.trim_start_matches("node:").replace('/', ".");
                    Value::name(&module)
                }
                None => Value::Unknown(first.taint()),
            },
            "member" => match second_text(&values) {
                Some(name) => self.member(&first, &name),
                None => Value::Unknown(first.taint()),
            },
            "arguments" => self.arguments(),
            "input" => self.input(),
            "list" => {
                if let ([Value::Text(text)], true) = (values.as_slice(), words.len() == 1)
                    && text.known
                {
                    return Value::list(text.text.split_whitespace().map(Value::text).collect());
                }
                Value::list(flat(&values))
            }
            "count" => {
                let (from, to) = match (first.number(), values.get(1).and_then(Value::number)) {
                    (Some(from), Some(to)) => (from, to),
                    (Some(to), None) => (0, to),
                    _ => return Value::Unknown(None),
                };
                if to.saturating_sub(from) > 64 {
                    return Value::Unknown(None);
                }
                Value::list((from..to).map(Value::Number).collect())
            }
            _ => Value::Nothing,
        }
    }

    // ---- running ----

    /// A shell reads a text.
    pub(super) fn shell_text(&mut self, value: &Value) -> Value {
        let mut out = Vec::new();
        for text in value.choices() {
            let text = text.str();
            if is_shell(&text.text) {
                self.shell = true;
            }
            out.push(self.shell_one(&text));
        }
        Value::one_of(out)
    }

    fn shell_one(&mut self, text: &Str) -> Value {
        let mut plain = self.plain(text);
        // A text with a gap somewhere is still a command line; one that is a gap is anything.
        if !text.known && text.text.trim_start().starts_with(super::value::GAP) {
            plain.text = format!("${}", plain.text.trim_start().trim_start_matches('$'));
        }
        let name = "_value";
        let before = self.an.env.get(name).cloned();
        self.an
            .env
            .set(name, crate::state::Value::solid(text.taint.clone()));
        let printed = self
            .an
            .shell_code(&plain, Dialect::Sh, &Stream::Empty, true);
        match before {
            Some(value) => self.an.env.set(name, value),
            None => self.an.env.vars.retain(|(known, _)| known != name),
        }
        value_of(&printed)
    }

    /// A program with its arguments.
    pub(super) fn words(&mut self, all: &[Value]) -> Value {
        let mut words: Vec<Text> = Vec::with_capacity(all.len());
        for value in all.iter().take(MAX_ELEMENTS) {
            match value {
                Value::List(inner) => {
                    words.extend(inner.iter().flat_map(|value| self.texts(value)));
                }
                Value::Map(_) | Value::Nothing | Value::Function(_) => {}
                other => words.extend(self.texts(other).into_iter().take(1)),
            }
        }
        let Some(first) = words.first() else {
            return Value::Nothing;
        };
        if is_shell(&first.text) {
            self.shell = true;
        }
        if !first.known && first.text.starts_with('$') {
            // The program cannot be told.
            let taint = first.taint.clone();
            self.an.unknown = true;
            match taint {
                Some(taint @ (Taint::Remote(_) | Taint::Made)) => {
                    self.an.tainted_code(&taint, "shell", self.span);
                }
                _ => self.an.emit_code(CodeSource::Unknown, "shell", self.span),
            }
            return Value::Unknown(None);
        }
        // What is not known of an argument is not empty.
        for word in &mut words {
            word.literal = !word.glob;
        }
        let span = self.span;
        let printed = self
            .an
            .deeper(span, |an| an.call(&words, Vec::new(), &Stream::Empty, span))
            .unwrap_or(Stream::UNKNOWN);
        value_of(&printed)
    }

    /// `open` of Perl and Ruby, where a bar makes it a program.
    fn pipe(&mut self, values: &[Value]) -> Value {
        let values = flat(values);
        let first = values.first().cloned().unwrap_or_default();
        let text = first.str();
        let trimmed = text.text.trim();
        if matches!(trimmed, "-|" | "|-") {
            return match values.get(1..) {
                Some([one]) => self.shell_text(one),
                Some(several) => self.words(several),
                None => Value::Nothing,
            };
        }
        if let Some(program) = trimmed.strip_prefix('|').or(trimmed.strip_suffix('|')) {
            let program = Value::Text(text.with(program));
            return self.shell_text(&program);
        }
        let second = values.get(1).cloned().unwrap_or_default();
        if self.language == Language::Perl {
            // `open F, ">x"` and `open F, ">", "x"`.
            let marks: String = trimmed
                .chars()
                .take_while(|mark| matches!(mark, '<' | '>' | '+'))
                .collect();
            let rest = trimmed.get(marks.len()..).unwrap_or_default().trim();
            if rest.starts_with('&') {
                // Another name for what is open.
                return Value::Nothing;
            }
            let rest = if values.get(1).is_none() || !rest.is_empty() && !rest.starts_with(':') {
                Value::Text(text.with(rest))
            } else {
                second
            };
            return self.open(&rest, &Value::text(marks), &Args::default());
        }
        self.open(&first, &second, &Args::default())
    }

    /// Code of the same language.
    fn code(&mut self, value: &Value) -> Value {
        let mut out = Vec::new();
        for choice in value.choices() {
            out.push(match &choice {
                Value::Function(function) => {
                    let function = function.clone();
                    self.call_function(&function, Args::default())
                }
                Value::Text(text) if text.known => self.inner(&text.text),
                other => {
                    let taint = other.taint().unwrap_or(Taint::Unknown);
                    let language = self.language.name();
                    self.an.tainted_code(&taint, language, self.span);
                    Value::Unknown(None)
                }
            });
        }
        Value::one_of(out)
    }

    fn show(&mut self, values: &[Value], args: &Args) {
        let end = args
            .option("end")
            .and_then(Value::known_text)
            .unwrap_or("\n");
        let end = if matches!(self.language, Language::Perl | Language::Php) {
            ""
        } else {
            end
        };
        let mut text = Str::known("");
        for (at, value) in values.iter().enumerate() {
            if at > 0 && matches!(self.language, Language::Python | Language::JavaScript) {
                text = text.then(&Str::known(" "));
            }
            text = text.then(&value.str());
        }
        self.print(&Value::Text(text), end);
    }

    // ---- the network ----

    fn download(&mut self, from: &Value, to: &Value) {
        let url = url(from);
        let paths = match to {
            Value::Nothing => Vec::new(),
            to => self.each_path(std::slice::from_ref(to)),
        };
        let to = paths.first().map(|path| self.an.absolute(&path.text));
        self.emit(
            EffectKind::Download {
                url: url.clone(),
                to,
            },
            from.str().known,
        );
        for path in paths {
            self.an.write_path(&path, false, self.span);
            let absolute = self.an.absolute(&path.text);
            let content = Stream::Tainted(Taint::Remote(url.clone()));
            self.an.env.write_file(&absolute, content, false);
        }
    }

    /// A request: what was read from files goes out with it.
    fn request(&mut self, to: &Value, args: &Args) {
        let destination = url(to);
        match worse(taint_of(args), to.taint()) {
            Some(Taint::File(source) | Taint::Secret(source)) => self.emit(
                EffectKind::Upload {
                    source,
                    destination,
                },
                true,
            ),
            _ => self.emit(
                EffectKind::Download {
                    url: destination,
                    to: None,
                },
                to.str().known,
            ),
        }
    }

    /// Something goes into an open connection.
    pub(super) fn send(&mut self, what: &Value) {
        if let (Some(Taint::File(source) | Taint::Secret(source)), Some(peer)) =
            (what.taint(), self.peer.clone())
        {
            self.emit(
                EffectKind::Upload {
                    source,
                    destination: peer,
                },
                true,
            );
        }
    }
}

/// Lists opened up.
pub(super) fn flat(values: &[Value]) -> Vec<Value> {
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::List(all) => out.extend(all.iter().take(MAX_ELEMENTS).cloned()),
            other => out.push(other.clone()),
        }
    }
    out
}

/// Each alternative changed; what cannot be is not known.
pub(super) fn map(value: &Value, change: impl Fn(&Str) -> Option<Str>) -> Value {
    Value::one_of(
        value
            .choices()
            .iter()
            .map(|choice| match choice {
                Value::Text(_) | Value::Number(_) | Value::Object(_) => {
                    match change(&choice.str()) {
                        Some(text) => Value::Text(text),
                        None => Value::Unknown(worse(choice.taint(), Some(Taint::Made))),
                    }
                }
                other => Value::Unknown(other.taint()),
            })
            .collect(),
    )
}

/// A known text decoded; anything else was made.
pub(super) fn decoded(value: &Value, decode: impl Fn(&str) -> Option<String>) -> Value {
    Value::one_of(
        value
            .choices()
            .iter()
            .map(|choice| match choice.known_text().and_then(&decode) {
                Some(text) => Value::text(text),
                None => Value::Unknown(worse(choice.taint(), Some(Taint::Made))),
            })
            .collect(),
    )
}

fn second_text(values: &[Value]) -> Option<String> {
    values.get(1).and_then(Value::known_text).map(str::to_owned)
}

/// The address of a thing that was made for one, or of a text.
fn url(value: &Value) -> String {
    match value {
        Value::Object(object) => object
            .values
            .first()
            .map_or_else(|| "unknown".to_owned(), url),
        Value::OneOf(all) => all.first().map_or_else(|| "unknown".to_owned(), url),
        Value::Map(_) => {
            let part = |name: &str| value.key(name).and_then(Value::known_text).unwrap_or("");
            let host = match part("hostname") {
                "" => part("host"),
                host => host,
            };
            match part("url") {
                "" => format!("https://{host}{}", part("path")),
                url => url.to_owned(),
            }
        }
        other => other.str().text,
    }
}

/// `host:port` from what a connection is made with.
fn address(values: &[Value]) -> String {
    let mut host = None;
    let mut port = None;
    let mut look = |value: &Value| match value {
        Value::Number(number) => {
            port.get_or_insert(number.to_string());
        }
        Value::Text(text) if text.known => {
            let text = text
                .text
                .trim_start_matches("tcp://")
                .trim_start_matches("ssl://");
            if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
                port.get_or_insert(text.to_owned());
            } else if !text.is_empty() {
                host.get_or_insert(text.to_owned());
            }
        }
        _ => {}
    };
    for value in values {
        match value {
            Value::Map(pairs) => {
                for (key, value) in pairs.iter() {
                    if matches!(
                        key.as_str(),
                        "host"
                            | "port"
                            | "hostname"
                            | "PeerAddr"
                            | "PeerHost"
                            | "PeerPort"
                            | "path"
                    ) {
                        look(value);
                    }
                }
            }
            Value::List(all) => all.iter().for_each(&mut look),
            other => look(other),
        }
    }
    match (host, port) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host,
        (None, Some(port)) => port,
        (None, None) => "unknown".to_owned(),
    }
}

/// The text names a shell, perhaps with its descriptors bound to something: `/bin/sh -i <&3 >&3`.
fn is_shell(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let mut name = crate::paths::base_name(words.next().unwrap_or(""));
    if name == "exec" {
        name = crate::paths::base_name(words.next().unwrap_or(""));
    }
    matches!(
        name,
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "cmd.exe" | "cmd" | "powershell.exe"
    ) && words.all(|word| word.starts_with(|next: char| "-<>0123456789&".contains(next)))
}

pub(super) fn stream_of(text: &Str) -> Stream {
    if text.known {
        Stream::Known(text.text.clone())
    } else {
        Stream::Tainted(text.taint.clone().unwrap_or(Taint::Unknown))
    }
}

pub(super) fn value_of(stream: &Stream) -> Value {
    match stream {
        Stream::Empty => Value::Unknown(None),
        Stream::Known(text) => Value::text(text.as_str()),
        Stream::Partial(text) => Value::Text(Str::of(text)),
        Stream::Tainted(taint) => Value::Unknown(Some(taint.clone())),
    }
}
