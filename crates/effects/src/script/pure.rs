//! What only computes: operators, members, names that the languages know by themselves.

use std::rc::Rc;

use cmdai_schema::CodeSource;

use super::{
    act::{flat, map},
    run::{Args, BIG, Run, taint_of},
    tree::Language,
    value::{MAX_CHOICES, Object, Str, Value, worse},
};
use crate::value::Taint;

impl Run<'_, '_> {
    /// Parts one after another: texts, numbers added, lists.
    pub(super) fn join(&mut self, parts: &[Value]) -> Value {
        if !parts.is_empty() && parts.iter().all(|part| matches!(part, Value::Number(_))) {
            let sum = parts
                .iter()
                .filter_map(Value::number)
                .fold(0i64, i64::saturating_add);
            return Value::Number(sum);
        }
        if parts.iter().any(|part| matches!(part, Value::List(_))) {
            if self.language != Language::Perl {
                return Value::list(flat(parts));
            }
            // A list in parentheses is its last value where one text is wanted.
            let parts: Vec<Value> = parts
                .iter()
                .map(|part| match part {
                    Value::List(all) => all.last().cloned().unwrap_or_default(),
                    other => other.clone(),
                })
                .collect();
            return if parts.iter().any(|part| matches!(part, Value::List(_))) {
                Value::Unknown(None)
            } else {
                self.join(&parts)
            };
        }
        let mut whole = vec![Str::known("")];
        for part in parts {
            let next = part.strs();
            let mut out = Vec::with_capacity(whole.len());
            for before in &whole {
                for next in &next {
                    if out.len() < MAX_CHOICES {
                        out.push(before.clone().then(next));
                    }
                }
            }
            whole = out;
        }
        Value::one_of(whole.into_iter().map(Value::Text).collect())
    }

    pub(super) fn operator(&mut self, mark: &str, left: &Value, right: &Value) -> Value {
        match mark {
            "/" if matches!(left, Value::Object(_)) || matches!(right, Value::Object(_)) => {
                let path = self.path_joined(&[left.clone(), right.clone()]);
                Value::object("Path", vec![path])
            }
            "%" => match left {
                Value::Text(_) | Value::OneOf(_) => self.formatted(left, right),
                _ => number(left, right, i64::checked_rem),
            },
            "-" => number(left, right, i64::checked_sub),
            "*" | "x" => {
                let (text, times) = match (left, right) {
                    (Value::Number(times), text @ (Value::Text(_) | Value::List(_))) => {
                        (text, Some(*times))
                    }
                    (text @ (Value::Text(_) | Value::List(_)), times) => (text, times.number()),
                    _ => return number(left, right, i64::checked_mul),
                };
                let Some(times) = times else {
                    return Value::Unknown(left.taint());
                };
                self.big |= times >= BIG;
                if times > 1 << 31 {
                    self.an.exhausts("memory", self.span);
                }
                let times = usize::try_from(times).unwrap_or(0);
                match text {
                    Value::Text(text)
                        if text.text.len().saturating_mul(times) <= crate::value::MAX_TEXT =>
                    {
                        Value::Text(text.with(text.text.repeat(times)))
                    }
                    other => Value::Unknown(other.taint()),
                }
            }
            "**" => number(left, right, |base, power| {
                base.checked_pow(u32::try_from(power).ok()?)
            }),
            "^" => number(left, right, |first, second| Some(first ^ second)),
            "&" => number(left, right, |first, second| Some(first & second)),
            "|" => match (left.number(), right.number()) {
                (Some(first), Some(second)) => Value::Number(first | second),
                _ => Value::Unknown(worse(left.taint(), right.taint())),
            },
            "<<" => {
                // Ruby: what stands to the left gets what stands to the right.
                self.grows("<<");
                if let (Value::Object(object), "<<") = (left, mark) {
                    self.write_open(&object.values, right);
                    return left.clone();
                }
                match (left, right) {
                    (Value::Text(_), Value::Text(_)) => self.join(&[left.clone(), right.clone()]),
                    _ => number(left, right, |value, by| {
                        value.checked_shl(u32::try_from(by).ok()?)
                    }),
                }
            }
            "//" => number(left, right, i64::checked_div),
            _ => Value::Unknown(worse(left.taint(), right.taint())),
        }
    }

    /// `"rm %s" % name` and `sprintf`.
    pub(super) fn formatted(&mut self, format: &Value, with: &Value) -> Value {
        let Some(format) = format.known_text() else {
            return Value::Unknown(worse(format.taint(), with.taint()));
        };
        let with = match with {
            Value::List(all) => all.to_vec(),
            Value::Map(_) | Value::Nothing => vec![with.clone()],
            one => vec![one.clone()],
        };
        let mut with_next = with.iter();
        let mut parts = Vec::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            parts.push(Value::text(rest.get(..at).unwrap_or_default()));
            rest = rest.get(at + 1..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix('%') {
                parts.push(Value::text("%"));
                rest = after;
                continue;
            }
            let mut name = None;
            if let Some((inner, after)) = rest
                .strip_prefix('(')
                .and_then(|inner| inner.split_once(')'))
            {
                name = Some(inner);
                rest = after;
            }
            let end = rest
                .find(|character: char| character.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            let kind = rest.get(end..).and_then(|rest| rest.chars().next());
            rest = rest.get(end + 1..).unwrap_or_default();
            let value = match name {
                Some(name) => with.first().and_then(|map| map.key(name)).cloned(),
                None => with_next.next().cloned(),
            }
            .unwrap_or(Value::Unknown(None));
            let value = match (kind, value.number()) {
                (Some('c'), Some(number)) => {
                    match u32::try_from(number).ok().and_then(char::from_u32) {
                        Some(character) => Value::text(character),
                        None => value,
                    }
                }
                (Some('x'), Some(number)) => Value::text(format!("{number:x}")),
                (Some('o'), Some(number)) => Value::text(format!("{number:o}")),
                _ => value,
            };
            parts.push(value);
        }
        parts.push(Value::text(rest));
        self.join(&parts)
    }

    /// `"{} {name}".format(…)`.
    pub(super) fn braces(&mut self, format: &str, args: &Args) -> Value {
        let mut parts = Vec::new();
        let mut rest = format;
        let mut next = 0usize;
        while let Some(at) = rest.find(['{', '}']) {
            parts.push(Value::text(rest.get(..at).unwrap_or_default()));
            let mark = rest.get(at..=at).unwrap_or_default();
            rest = rest.get(at + 1..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix(mark) {
                parts.push(Value::text(mark));
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.split_once('}') else {
                break;
            };
            rest = after;
            let name = name.split([':', '!']).next().unwrap_or_default();
            let value = if name.is_empty() {
                next += 1;
                args.given.get(next - 1).cloned()
            } else if let Ok(place) = name.parse::<usize>() {
                args.given.get(place).cloned()
            } else {
                args.option(name).cloned()
            };
            parts.push(value.unwrap_or(Value::Unknown(None)));
        }
        parts.push(Value::text(rest));
        self.join(&parts)
    }

    /// A part of a value.
    pub(super) fn member(&mut self, of: &Value, name: &str) -> Value {
        match of {
            Value::Name(path) => {
                let full = format!("{path}.{name}");
                // What is global is known by its own name.
                let whole = matches!(&**path, "builtins" | "globalThis" | "global" | "_G");
                if let Some(value) = self.lookup(if whole { name } else { &full }) {
                    return value.clone();
                }
                if matches!(&**path, "process.env" | "Bun.env" | "ENV") {
                    return self.variable(&Value::text(name), &Args::default());
                }
                if let Some(value) = self.predefined(&self.canonical(&full)) {
                    return value;
                }
                Value::name(&full)
            }
            Value::Map(_) | Value::Class(_) => match of.key(name) {
                Some(value) => value.clone(),
                None => Value::Unknown(of.taint()),
            },
            Value::Object(object) if object.class.is_empty() => {
                match object.values.first().and_then(|class| class.key(name)) {
                    Some(value) => value.clone(),
                    None => Value::Unknown(None),
                }
            }
            Value::Object(object) if object.class.ends_with("Path") => match name {
                "parent" => map(of, |text| {
                    let folder = text.text.rsplit_once('/').map_or(".", |(folder, _)| folder);
                    Some(text.with(if folder.is_empty() { "/" } else { folder }))
                }),
                "name" => map(of, |text| {
                    Some(text.with(crate::paths::base_name(&text.text)))
                }),
                _ => Value::Unknown(None),
            },
            Value::Object(object) => match name {
                // A connection's own methods, given away as values.
                "send" | "write" | "recv" => Value::name(&format!("{}.{name}", object.class)),
                _ => Value::Unknown(object.taint.clone()),
            },
            Value::OneOf(all) => {
                let all = all.clone();
                Value::one_of(all.iter().map(|one| self.member(one, name)).collect())
            }
            Value::Text(text) if name == "length" && text.known => {
                Value::Number(i64::try_from(text.text.chars().count()).unwrap_or(i64::MAX))
            }
            Value::List(all) if name == "length" => {
                Value::Number(i64::try_from(all.len()).unwrap_or(i64::MAX))
            }
            other => Value::Unknown(other.taint()),
        }
    }

    /// An element of a value.
    pub(super) fn index(&mut self, of: &Value, index: &Value) -> Value {
        match of {
            Value::Name(path) if path.ends_with("environ") || &**path == "process.env" => {
                self.variable(index, &Args::default())
            }
            Value::Name(path) if &**path == "Dir" && self.language == Language::Ruby => {
                self.act("give pattern $1", None, Args::of(vec![index.clone()]))
            }
            Value::Name(path) if &**path == "ENV" || &**path == "%ENV" || &**path == "$_ENV" => {
                self.variable(index, &Args::default())
            }
            Value::Name(_) | Value::Map(_) | Value::Class(_) => match index.known_text() {
                Some(name) => {
                    let name = name.to_owned();
                    self.member(of, &name)
                }
                None => match index.number() {
                    Some(number) => self.member(of, &number.to_string()),
                    None => Value::Unknown(worse(of.taint(), index.taint())),
                },
            },
            Value::List(all) => {
                let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
                match index.number() {
                    Some(at) => {
                        // Lua counts from one.
                        let at = if self.language == Language::Lua {
                            at - 1
                        } else {
                            at
                        };
                        let at = if at < 0 { at + length } else { at };
                        usize::try_from(at)
                            .ok()
                            .and_then(|at| all.get(at))
                            .cloned()
                            .unwrap_or(Value::Unknown(None))
                    }
                    None => Value::one_of(all.to_vec()),
                }
            }
            Value::Text(text) if text.known => match index.number() {
                Some(at) => {
                    let all: Vec<char> = text.text.chars().collect();
                    let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
                    let at = if at < 0 { at + length } else { at };
                    match usize::try_from(at).ok().and_then(|at| all.get(at)) {
                        Some(character) => Value::text(*character),
                        None => Value::Nothing,
                    }
                }
                None => Value::Unknown(None),
            },
            Value::Text(text) if text.glob => of.clone(),
            other => {
                if let Some(name) = index.known_text() {
                    let name = name.to_owned();
                    return self.member(other, &name);
                }
                Value::Unknown(other.taint())
            }
        }
    }

    /// Something of a library is changed.
    pub(super) fn changed(&mut self, holder: &Value, name: &str, value: &Value) {
        let Value::Name(path) = holder else { return };
        if path.ends_with("environ") || &**path == "process.env" || &**path == "ENV" {
            let text = value.str();
            let held = if text.known {
                crate::state::Value::known(text.text)
            } else {
                crate::state::Value::unknown(text.taint)
            };
            self.an.env.set(name, held);
        }
    }

    // ---- names ----

    /// What a language gives a name by itself.
    pub(super) fn predefined(&mut self, name: &str) -> Option<Value> {
        let args = |this: &Self, first: &[&str]| {
            let mut all: Vec<Value> = first.iter().map(|text| Value::text(*text)).collect();
            if let Value::List(more) = this.arguments() {
                all.extend(more.iter().cloned());
            }
            Value::list(all)
        };
        Some(match (self.language, name) {
            (Language::Python, "sys.argv") => args(self, &["-c"]),
            (Language::Python, "__name__") => Value::text("__main__"),
            (Language::Python, "sys.stdin" | "sys.stdin.buffer") => {
                Value::object("Handle", vec![Value::text("/dev/stdin"), self.input()])
            }
            (Language::Python, "os.sep") | (Language::JavaScript, "path.sep") => Value::text("/"),
            (Language::Python, "os.devnull") => Value::text("/dev/null"),
            (Language::Python, "os.curdir") => Value::text("."),
            (Language::JavaScript, "process.argv") => args(self, &["node"]),
            (Language::JavaScript, "process.stdin") => {
                Value::object("Handle", vec![Value::text("/dev/stdin"), self.input()])
            }
            (Language::JavaScript, "Deno.args" | "Bun.argv") => args(self, &[]),
            (Language::JavaScript, "__dirname") => Value::text("."),
            (Language::Ruby, "ARGV" | "$*") | (Language::Perl, "@ARGV") => args(self, &[]),
            (Language::Ruby, "STDIN" | "$stdin" | "ARGF" | "$<")
            | (Language::Perl, "STDIN")
            | (Language::Php, "STDIN") => {
                Value::object("Handle", vec![Value::text("/dev/stdin"), self.input()])
            }
            (Language::Ruby, "File.SEPARATOR") => Value::text("/"),
            (Language::Php, "$argv") => args(self, &["-"]),
            (Language::Php, "DIRECTORY_SEPARATOR") => Value::text("/"),
            // What it means for a file that is written, as a mode says it.
            (Language::Php, "FILE_APPEND") => Value::text("a"),
            (Language::Lua, "arg") => args(self, &[]),
            (_, "[changed]" | "[counter]" | "[endless]") => Value::Unknown(None),
            (Language::Php, "$_GET" | "$_POST" | "$_REQUEST" | "$_COOKIE" | "$_FILES") => {
                Value::remote("request")
            }
            (Language::Perl, "$_") => self.input(),
            (Language::Perl, "@_") => args(self, &[]),
            (Language::Lua, "io.stdin") => {
                Value::object("Handle", vec![Value::text("/dev/stdin"), self.input()])
            }
            _ => return None,
        })
    }

    /// A name as the tables know it.
    pub(super) fn canonical(&self, name: &str) -> String {
        let prefixes: &[&str] = match self.language {
            Language::Python => &["builtins.", "__builtins__.", "__builtin__."],
            Language::JavaScript => &[
                "globalThis.",
                "global.",
                "window.",
                "process.mainModule.",
                "module.",
                "this.",
            ],
            Language::Ruby => &["Kernel.", "Object.", "self.", "Process.Kernel."],
            Language::Perl => &["CORE.GLOBAL.", "CORE.", "main.", "POSIX."],
            Language::Php => &["\\"],
            Language::Lua => &["_G."],
        };
        let mut name = name;
        for prefix in prefixes {
            let Some(rest) = name.strip_prefix(prefix) else {
                continue;
            };
            if self.does(rest).is_some() || rest.contains('.') || self.does(name).is_none() {
                name = rest;
            }
        }
        if self.language == Language::Php && !name.contains('.') {
            return name.to_ascii_lowercase();
        }
        name.to_owned()
    }

    /// Calls that need the state of the run.
    pub(super) fn special(&mut self, name: &str, of: Option<&Value>, args: &Args) -> Option<Value> {
        let first = args.given.first().cloned().unwrap_or_default();
        Some(match (self.language, name) {
            (Language::Python, "setattr") => Value::Nothing,
            (Language::Python, "globals" | "locals" | "vars") => Value::name("builtins"),
            (Language::Python, "sys.modules.get") => {
                let module = first.known_text()?.to_owned();
                Value::name(&module)
            }
            (Language::Python, "map" | "filter") => {
                let over = args.given.get(1).cloned().unwrap_or_default();
                let (elements, _) = self.turns(&over);
                let mut out = Vec::new();
                for element in elements {
                    out.push(self.call(&first, Args::of(vec![element])));
                }
                Value::list(out)
            }
            (Language::Python, "reversed") => match &first {
                Value::Text(text) => {
                    Value::Text(text.with(text.text.chars().rev().collect::<String>()))
                }
                Value::List(all) => Value::list(all.iter().rev().cloned().collect()),
                other => Value::Unknown(other.taint()),
            },
            (Language::Python, "functools.partial") => first,
            (Language::Python, "codecs.decode" | "codecs.encode") => {
                let codec = args.given.get(1).cloned().unwrap_or_default();
                self.with_codec(&first, codec.known_text().unwrap_or(""))
            }
            (Language::Python, "str.join") => {
                let over = args.given.get(1).cloned().unwrap_or_default();
                self.glued(&first, &over)
            }
            (Language::Python, "int") | (Language::JavaScript, "Number" | "parseInt") => {
                match first.number() {
                    Some(number) => Value::Number(number),
                    None => Value::Unknown(first.taint()),
                }
            }
            (Language::JavaScript, "Buffer.from" | "Buffer") => {
                let codec = args.given.get(1).cloned().unwrap_or_default();
                self.with_codec(&first, codec.known_text().unwrap_or(""))
            }
            (_, "[callee]") => return Some(self.callee(&first)),
            (_, "[variable]") => {
                let name = format!("${}", first.known_text()?);
                self.lookup(&name).cloned().unwrap_or(Value::Unknown(None))
            }
            (_, "[xor]") => {
                let second = args.given.get(1).cloned().unwrap_or_default();
                self.operator("^", &first, &second)
            }
            (Language::Lua, "[count]") => {
                match (first.number(), args.given.get(1).and_then(Value::number)) {
                    (Some(from), Some(to)) if to.saturating_sub(from) < 64 => {
                        Value::list((from..=to).map(Value::Number).collect())
                    }
                    _ => Value::Unknown(None),
                }
            }
            (Language::Ruby, "loop") => {
                self.loops += 1;
                self.call_back(args, &Value::Unknown(None));
                self.loops -= 1;
                Value::Nothing
            }
            (
                Language::Ruby | Language::Perl | Language::Php,
                "sprintf" | "format" | "vsprintf",
            )
            | (Language::Lua, "string.format") => {
                let rest = flat(args.given.get(1..).unwrap_or_default());
                self.formatted(&first, &Value::list(rest))
            }
            (Language::Perl, "join") | (Language::Php, "implode" | "join") => {
                let rest = flat(args.given.get(1..).unwrap_or_default());
                if rest.is_empty() {
                    self.glued(&Value::text(""), &first)
                } else {
                    self.glued(&first, &Value::list(rest))
                }
            }
            (Language::Lua, "table.concat") => {
                let between = args.given.get(1).cloned().unwrap_or(Value::text(""));
                self.glued(&between, &first)
            }
            (Language::Perl, "reverse") | (Language::Php, "strrev" | "array_reverse") => {
                let all = flat(&args.given);
                match all.as_slice() {
                    [one] => return self.value_method(one, "reverse", &Args::default(), None),
                    all => Value::list(all.iter().rev().cloned().collect()),
                }
            }
            (Language::Perl, "shift" | "pop") => {
                let all = flat(&args.given);
                let one = if name == "shift" {
                    all.first()
                } else {
                    all.last()
                };
                one.cloned().unwrap_or(Value::Unknown(None))
            }
            (Language::Perl, "pack") => {
                let list = Value::list(flat(args.given.get(1..).unwrap_or_default()));
                return self.value_method(&list, "pack", &Args::of(vec![first]), None);
            }
            (Language::Perl, "unpack") => {
                let text = args.given.get(1).cloned().unwrap_or_default();
                return self.value_method(&text, "unpack1", &Args::of(vec![first]), None);
            }
            (Language::Perl, "split") | (Language::Php, "explode" | "str_split") => {
                let text = args.given.get(1).cloned().unwrap_or_default();
                return self.value_method(&text, "split", &Args::of(vec![first]), None);
            }
            (Language::Php, "str_replace") => {
                let text = args.given.get(2).cloned().unwrap_or_default();
                return self.value_method(&text, "replace", args, None);
            }
            (Language::Php, "curl_setopt") => {
                // Data that is sent along.
                let value = args.given.get(2).cloned().unwrap_or_default();
                let to = first;
                self.act("request $1 $*", None, Args::of(vec![to, value]));
                Value::Nothing
            }
            (Language::Lua, "pcall" | "xpcall") => {
                let skip = if name == "pcall" { 1 } else { 2 };
                let rest = args.given.get(skip..).unwrap_or_default().to_vec();
                return Some(self.call(&first, Args::of(rest)));
            }
            (Language::Lua, name) if name.starts_with("string.") => {
                let method = name.strip_prefix("string.")?.to_owned();
                let rest = args.given.get(1..).unwrap_or_default().to_vec();
                return self.value_method(&first, &method, &Args::of(rest), None);
            }
            (Language::JavaScript, "Function") => {
                // The last is the code.
                let code = args.given.last().cloned().unwrap_or_default();
                return Some(self.later(&code));
            }
            (Language::Php, "array_map" | "call_user_func" | "call_user_func_array") => {
                let callee = self.callee(&first);
                let rest = args.given.get(1..).unwrap_or_default();
                let rest = if name == "call_user_func" {
                    rest.to_vec()
                } else {
                    flat(rest)
                };
                return Some(if name == "array_map" {
                    let mut out = Vec::new();
                    for one in rest {
                        out.push(self.call(&callee, Args::of(vec![one])));
                    }
                    Value::list(out)
                } else {
                    self.call(&callee, Args::of(rest))
                });
            }
            (
                Language::Ruby,
                ".send" | ".public_send" | ".__send__" | "send" | "public_send" | "__send__",
            ) => {
                let name = first.known_text()?.to_owned();
                let rest = Args {
                    given: args.given.get(1..).unwrap_or_default().to_vec(),
                    named: args.named.clone(),
                };
                return Some(match of {
                    Some(of @ Value::Name(path))
                        if !matches!(&**path, "Kernel" | "Object" | "self") =>
                    {
                        let of = of.clone();
                        self.method(&of, &name, rest, None)
                    }
                    _ => self.call_name(&name, None, rest),
                });
            }
            (Language::Ruby, ".method" | "method") => {
                let name = first.known_text()?.to_owned();
                match of {
                    Some(Value::Name(path)) if &**path != "Kernel" => {
                        Value::name(&format!("{path}.{name}"))
                    }
                    _ => Value::name(&name),
                }
            }
            _ => return None,
        })
    }

    /// Code that becomes a function: it runs where that is called, which is now as a rule.
    fn later(&mut self, code: &Value) -> Value {
        match code {
            Value::Text(text) if text.known => {
                self.inner(&text.text);
            }
            other => {
                let taint = other.taint().unwrap_or(Taint::Unknown);
                let language = self.language.name();
                self.an.tainted_code(&taint, language, self.span);
            }
        }
        Value::Nothing
    }

    /// A callee given as a text.
    pub(super) fn callee(&mut self, value: &Value) -> Value {
        match value.known_text() {
            Some(name) => {
                let name = name.replace("::", ".");
                match self.lookup(&name) {
                    Some(value) => value.clone(),
                    None => Value::name(&name),
                }
            }
            None => match value {
                Value::Text(_) | Value::Unknown(_) => {
                    self.an.unknown = true;
                    let language = self.language.name();
                    self.an.emit_code(CodeSource::Unknown, language, self.span);
                    Value::Unknown(None)
                }
                other => other.clone(),
            },
        }
    }

    /// Methods of things that have a name: `os.environ.items()`, `mod.then(f)`.
    pub(super) fn named_method(
        &mut self,
        of: &Value,
        path: &str,
        name: &str,
        args: &Args,
    ) -> Option<Value> {
        match (self.language, name) {
            (Language::JavaScript, "then" | "finally") => {
                let of = of.clone();
                self.call_back(args, &of);
                Some(Value::Unknown(None))
            }
            (Language::JavaScript, "call" | "apply" | "bind") => {
                let mut given = args.given.get(1..).unwrap_or_default().to_vec();
                if name == "apply" {
                    given = flat(&given);
                }
                let of = of.clone();
                Some(if name == "bind" {
                    of
                } else {
                    self.call(&of, Args::of(given))
                })
            }
            (Language::Ruby, "call" | "()" | "[]") if !path.contains("ENV") => {
                let of = of.clone();
                Some(self.call(
                    &of,
                    Args {
                        given: args.given.clone(),
                        named: args.named.clone(),
                    },
                ))
            }
            (Language::Ruby, "const_get") => {
                let name = args.given.first()?.known_text()?;
                Some(Value::name(name))
            }
            (Language::Ruby, "fetch" | "[]") if path == "ENV" => {
                let first = args.given.first().cloned().unwrap_or_default();
                Some(self.variable(&first, args))
            }
            (Language::Python, "__getattribute__" | "__dict__.get") => {
                let name = args.given.first()?.known_text()?;
                Some(Value::name(&format!("{path}.{name}")))
            }
            _ => None,
        }
    }

    /// Methods of things that calls gave.
    pub(super) fn object_method(
        &mut self,
        of: &Value,
        object: &Rc<Object>,
        name: &str,
        args: &Args,
    ) -> Option<Value> {
        let first = args.given.first().cloned().unwrap_or_default();
        match (object.class.as_str(), name) {
            (
                "Handle",
                "write" | "writelines" | "puts" | "print" | "write_all" | "end" | "fwrite" | "<<"
                | "syswrite" | "printf" | "say",
            ) => {
                self.write_open(&object.values, &first);
                Some(Value::Unknown(None))
            }
            (
                "Handle",
                "read" | "readline" | "readlines" | "gets" | "text" | "lines" | "each_line"
                | "getlines" | "sysread" | "buffer" | "decode" | "strip" | "chomp" | "splitlines"
                | "on" | "iter_lines",
            ) => {
                let content = object.values.get(1).cloned().unwrap_or_default();
                self.call_back(args, &content);
                Some(content)
            }
            ("Handle", _) => Some(of.clone()),
            (
                "Socket" | "Peer",
                "recv" | "read" | "gets" | "recvfrom" | "makefile" | "readline" | "sysread" | "on"
                | "receive" | "accept" | "getresponse",
            ) => {
                let peer = self.peer.clone().unwrap_or_else(|| "network".to_owned());
                let value = Value::remote(format!("tcp://{peer}"));
                self.call_back(args, &value);
                Some(value)
            }
            (
                "Response",
                "json" | "read" | "text" | "body" | "content" | "decode" | "arrayBuffer" | "then"
                | "on" | "pipe" | "buffer" | "raw" | "decoded_content" | "iter_content"
                | "getvalue" | "catch" | "each_line",
            ) => {
                let value = object.values.first().cloned().unwrap_or_default();
                let value = if matches!(name, "then" | "catch") {
                    of.clone()
                } else {
                    value
                };
                self.call_back(args, &value);
                for target in &args.given {
                    // `response.pipe(fs.createWriteStream(path))`
                    if let Value::Object(file) = target
                        && file.class == "Handle"
                    {
                        self.write_open(&file.values, &value);
                    }
                }
                Some(value)
            }
            ("TemporaryPath", "name") => object.values.first().cloned(),
            (class, _) if class.ends_with("Path") => match name {
                "exists" | "is_dir" | "is_file" | "stat" | "mkdir" => Some(Value::Unknown(None)),
                "with_suffix" | "with_name" | "relative_to" => {
                    Some(Value::object("Path", vec![Value::Unknown(None)]))
                }
                "to_s" | "__str__" | "expand_path" | "realpath" => Some(of.clone()),
                _ => None,
            },
            ("Socket", "fileno") => Some(Value::Unknown(None)),
            _ => None,
        }
    }

    pub(super) fn with_codec(&mut self, value: &Value, codec: &str) -> Value {
        use super::{act::decoded, decode};
        match codec.replace(['-', '_'], "").to_ascii_lowercase().as_str() {
            "rot13" => decoded(value, |text| Some(decode::rot13(text))),
            "base64" | "base64codec" => decoded(value, decode::base64),
            "hex" | "hexcodec" => decoded(value, decode::hex),
            "zlib" | "bz2" | "zip" => Value::Unknown(worse(value.taint(), Some(Taint::Made))),
            _ => value.clone(),
        }
    }

    /// Elements with a text between them.
    pub(super) fn glued(&mut self, between: &Value, over: &Value) -> Value {
        let (elements, _) = match over {
            Value::List(_) | Value::Text(_) => self.turns(over),
            other => (vec![other.clone()], false),
        };
        let mut parts = Vec::with_capacity(elements.len() * 2);
        for (at, element) in elements.into_iter().enumerate() {
            if at > 0 {
                parts.push(between.clone());
            }
            parts.push(element);
        }
        let texts: Vec<Value> = parts
            .into_iter()
            .map(|part| match part {
                Value::List(_) => Value::Unknown(part.taint()),
                Value::Number(_) => Value::Text(part.str()),
                part => part,
            })
            .collect();
        match self.join(&texts) {
            Value::Nothing => Value::text(""),
            value => value,
        }
    }

    pub(super) fn taint_all(of: &Value, args: &Args) -> Value {
        Value::Unknown(worse(of.taint(), taint_of(args)))
    }
}

fn number(left: &Value, right: &Value, work: impl Fn(i64, i64) -> Option<i64>) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match work(*left, *right) {
            Some(value) => Value::Number(value),
            None => Value::Unknown(None),
        },
        _ => Value::Unknown(worse(left.taint(), right.taint())),
    }
}
