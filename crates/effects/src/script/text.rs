//! Methods of texts and lists, by the names that the languages give them.

use std::rc::Rc;

use super::{
    act::{decoded, map},
    decode,
    run::{Args, Run},
    tree::Language,
    value::{Closure, MAX_ELEMENTS, Str, Value},
};
use crate::value::MAX_TEXT;

impl Run<'_, '_> {
    /// A method of a text, a list, a map or something that is not known; nothing where it is not one
    /// that only computes.
    pub(super) fn value_method(
        &mut self,
        of: &Value,
        name: &str,
        args: &Args,
        holder: Option<&str>,
    ) -> Option<Value> {
        let first = args.given.first().cloned().unwrap_or_default();
        if let Some(value) = self.common(of, name, &first, args) {
            return Some(value);
        }
        match of {
            Value::Text(text) => self.text_method(of, text, name, &first, args),
            Value::Number(number) => match name {
                "chr" => {
                    let character = char::from_u32(u32::try_from(*number).ok()?)?;
                    Some(Value::text(character))
                }
                "times" => {
                    self.call_back(args, of);
                    Some(Value::Nothing)
                }
                _ => None,
            },
            Value::List(all) => self.list_method(of, all, name, &first, args, holder),
            Value::Map(pairs) => match name {
                "get" | "fetch" => {
                    let key = first.known_text()?;
                    of.key(key).cloned().or_else(|| args.given.get(1).cloned())
                }
                "items" | "entries" | "each" | "each_pair" => {
                    let all: Vec<Value> = pairs
                        .iter()
                        .map(|(key, value)| {
                            Value::list(vec![Value::text(key.as_str()), value.clone()])
                        })
                        .collect();
                    let list = Value::list(all);
                    self.for_each(&list, args);
                    Some(list)
                }
                "values" => Some(Value::list(
                    pairs.iter().map(|(_, value)| value.clone()).collect(),
                )),
                "keys" => Some(Value::list(
                    pairs
                        .iter()
                        .map(|(key, _)| Value::text(key.as_str()))
                        .collect(),
                )),
                _ => None,
            },
            _ => None,
        }
    }

    /// What texts and what is not known have in common: the result comes from the same place.
    fn common(&mut self, of: &Value, name: &str, first: &Value, args: &Args) -> Option<Value> {
        Some(match name {
            "decode" | "encode" | "toString" | "to_s" | "to_str" | "to_sym" | "to_a" | "strip"
            | "trim" | "rstrip" | "lstrip" | "chomp" | "valueOf" | "to_path" | "freeze" | "dup"
            | "force_encoding" | "buffer" | "text" | "b" | "trimEnd" | "trimStart"
            | "splitlines_" | "expandtabs" | "tobytes" | "getvalue" | "unpack1_" => {
                let codec = first.known_text().unwrap_or("");
                if matches!(name, "decode" | "encode") && !codec.is_empty() {
                    return Some(self.with_codec(of, codec));
                }
                if name == "toString" && !codec.is_empty() {
                    return Some(of.clone());
                }
                match of {
                    Value::Text(_) | Value::OneOf(_)
                        if matches!(
                            name,
                            "strip" | "trim" | "chomp" | "rstrip" | "lstrip" | "trimEnd"
                        ) && args.given.is_empty() =>
                    {
                        map(of, |text| Some(text.with(text.text.trim())))
                    }
                    other => other.clone(),
                }
            }
            "read" | "json" | "body" | "content" if matches!(of, Value::Unknown(_)) => of.clone(),
            "then" | "catch" | "on" | "once" | "pipe" | "tap" | "addListener"
                if matches!(of, Value::Unknown(_)) =>
            {
                self.call_back(args, of);
                of.clone()
            }
            "forEach" | "each" | "map" | "collect" | "filter" | "select" | "flat_map"
            | "reject" | "each_with_index" | "flatMap" | "some" | "every" | "find_all"
            | "each_line" | "each_char" => self.for_each(of, args),
            "join" if matches!(self.language, Language::JavaScript | Language::Ruby) => {
                let between = match first {
                    Value::Text(_) => first.clone(),
                    _ if self.language == Language::JavaScript => Value::text(","),
                    _ => Value::text(""),
                };
                self.glued(&between, of)
            }
            "call" if self.language == Language::Ruby => return None,
            _ => return None,
        })
    }

    /// A function for each element; a list of what it gives.
    pub(super) fn for_each(&mut self, of: &Value, args: &Args) -> Value {
        let (elements, certain) = self.turns(of);
        let callee = args
            .all()
            .find(|value| matches!(value, Value::Function(_) | Value::Name(_)))
            .cloned();
        let Some(callee) = callee else {
            return of.clone();
        };
        let mut out = Vec::with_capacity(elements.len());
        self.loops += 1;
        for element in elements {
            let given = match (&callee, &element) {
                // `each { |key, value| … }`
                (Value::Function(function), Value::List(pair)) if function.parameters.len() > 1 => {
                    pair.to_vec()
                }
                _ => vec![element],
            };
            out.push(self.maybe(!certain, |this| this.call(&callee, Args::of(given))));
        }
        self.loops -= 1;
        if certain {
            Value::list(out)
        } else {
            match out.into_iter().next() {
                Some(one @ Value::Text(_)) => one,
                _ => of.clone(),
            }
        }
    }

    fn text_method(
        &mut self,
        of: &Value,
        text: &Str,
        name: &str,
        first: &Value,
        args: &Args,
    ) -> Option<Value> {
        Some(match name {
            "format" if self.language == Language::Lua => {
                let with = Value::list(args.given.clone());
                self.formatted(of, &with)
            }
            "format" => {
                if text.known {
                    let format = text.text.clone();
                    self.braces(&format, args)
                } else {
                    Self::taint_all(of, args)
                }
            }
            "join" => self.glued(of, first),
            "lower" | "downcase" | "toLowerCase" | "casefold" => {
                map(of, |text| Some(text.with(text.text.to_lowercase())))
            }
            "upper" | "upcase" | "toUpperCase" => {
                map(of, |text| Some(text.with(text.text.to_uppercase())))
            }
            "reverse" | "[reverse]" => map(of, |text| {
                Some(text.with(text.text.chars().rev().collect::<String>()))
            }),
            "replace" | "replaceAll" | "gsub" | "sub" | "tr" | "delete" | "translate" => {
                let what = first.known_text().map(str::to_owned);
                let with = match name {
                    "delete" => Some(String::new()),
                    _ => args
                        .given
                        .get(1)
                        .and_then(Value::known_text)
                        .map(str::to_owned),
                };
                match (what, with) {
                    (Some(what), Some(with)) if !what.is_empty() => map(of, |text| {
                        let out = text.text.replace(&what, &with);
                        (out.len() <= MAX_TEXT).then(|| text.with(out))
                    }),
                    _ => Value::Unknown(of.taint()),
                }
            }
            "concat" => {
                let mut parts = vec![of.clone()];
                parts.extend(args.given.iter().cloned());
                self.join(&parts)
            }
            "repeat" | "rep" => self.operator("*", of, first),
            "split" | "splitlines" | "lines" | "chars" | "words" | "each_char_" => {
                if !text.known {
                    return Some(Value::list(vec![of.clone()]));
                }
                let all: Vec<Value> = match (name, first.known_text()) {
                    ("splitlines" | "lines", _) => text.text.lines().map(Value::text).collect(),
                    ("chars", _) | (_, Some("")) => text
                        .text
                        .chars()
                        .take(MAX_ELEMENTS)
                        .map(Value::text)
                        .collect(),
                    (_, Some(by)) if !by.is_empty() => text
                        .text
                        .split(by)
                        .take(MAX_ELEMENTS)
                        .map(Value::text)
                        .collect(),
                    _ => text
                        .text
                        .split_whitespace()
                        .take(MAX_ELEMENTS)
                        .map(Value::text)
                        .collect(),
                };
                Value::list(all)
            }
            "[:]" | "slice" | "substring" | "substr" => self.slice(of, name, args),
            "charCodeAt" | "codePointAt" | "ord" | "byte" => {
                let at = first.number().and_then(|at| usize::try_from(at).ok());
                match text.text.chars().nth(at.unwrap_or(0)) {
                    Some(character) if text.known => Value::Number(i64::from(u32::from(character))),
                    _ => Value::Unknown(None),
                }
            }
            "charAt" => self.index(of, first),
            "unpack" | "unpack1" => {
                let value = match first.known_text()?.chars().next()? {
                    'm' => decoded(of, decode::base64),
                    'H' => Value::Unknown(of.taint()),
                    _ => Value::Unknown(of.taint()),
                };
                if name == "unpack" {
                    Value::list(vec![value])
                } else {
                    value
                }
            }
            "hex" => Value::Unknown(None),
            "unlink" | "rmdir" | "rmtree" | "write_text" | "write_bytes" | "delete_" => {
                return None;
            }
            "startswith" | "endswith" | "find" | "count" | "index" | "isdigit" | "start_with?"
            | "end_with?" | "include?" | "includes" | "indexOf" | "startsWith" | "endsWith"
            | "match" | "match?" | "test" | "isalpha" | "empty?" => Value::Unknown(None),
            "%" => self.formatted(of, first),
            _ => return None,
        })
    }

    fn slice(&mut self, of: &Value, name: &str, args: &Args) -> Value {
        let bound = |at: usize| args.given.get(at).and_then(Value::number);
        let step = if name == "[:]" {
            bound(2).unwrap_or(1)
        } else {
            1
        };
        let (from, to) = (bound(0), bound(1));
        let cut = |length: usize| -> (usize, usize) {
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            let place = |at: i64| {
                if at < 0 {
                    (at + length).max(0)
                } else {
                    at.min(length)
                }
            };
            let from = place(from.unwrap_or(0));
            let to = match to {
                Some(count) if name == "substr" => (from + count.max(0)).min(length),
                Some(to) => place(to),
                None => length,
            };
            let usize_of = |at: i64| usize::try_from(at).unwrap_or(0);
            (usize_of(from), usize_of(to.max(from)))
        };
        match of {
            Value::Text(text) if text.known => {
                let all: Vec<char> = text.text.chars().collect();
                if step < 0 {
                    return Value::Text(text.with(all.iter().rev().collect::<String>()));
                }
                let (from, to) = cut(all.len());
                let step = usize::try_from(step).unwrap_or(1).max(1);
                let out: String = all
                    .get(from..to)
                    .unwrap_or_default()
                    .iter()
                    .step_by(step)
                    .collect();
                Value::Text(text.with(out))
            }
            Value::List(all) => {
                if step < 0 {
                    return Value::list(all.iter().rev().cloned().collect());
                }
                let (from, to) = cut(all.len());
                Value::list(all.get(from..to).unwrap_or_default().to_vec())
            }
            other => other.clone(),
        }
    }

    fn list_method(
        &mut self,
        of: &Value,
        all: &Rc<Vec<Value>>,
        name: &str,
        first: &Value,
        args: &Args,
        holder: Option<&str>,
    ) -> Option<Value> {
        Some(match name {
            "append" | "push" | "add" | "<<" | "unshift" | "insert" => {
                if let Some(holder) = holder {
                    let mut all = all.to_vec();
                    if all.len() < MAX_ELEMENTS {
                        all.push(args.given.last().cloned().unwrap_or_default());
                    }
                    self.set(holder, Value::list(all));
                }
                Value::Nothing
            }
            "extend" | "concat" | "+" => {
                let list = self.join(&[of.clone(), first.clone()]);
                if let (Some(holder), true) = (holder, name == "extend") {
                    self.set(holder, list.clone());
                }
                list
            }
            "reverse" | "reversed" => {
                let list = Value::list(all.iter().rev().cloned().collect());
                if let (Some(holder), Language::Python) = (holder, self.language) {
                    self.set(holder, list.clone());
                }
                list
            }
            "first" | "shift" => all.first().cloned().unwrap_or_default(),
            "last" | "pop" => all.last().cloned().unwrap_or_default(),
            "[:]" | "slice" => self.slice(of, name, args),
            "reduce" | "inject" => {
                let function = args.all().find_map(|value| match value {
                    Value::Function(function) => Some(function.clone()),
                    _ => None,
                });
                self.reduced(all, function)
            }
            "pack" => {
                let how = first.known_text()?.chars().next()?;
                match how {
                    'c' | 'C' | 'U' | 'W' => {
                        let text: Option<String> = all
                            .iter()
                            .map(|value| char::from_u32(u32::try_from(value.number()?).ok()?))
                            .collect();
                        Value::text(text?)
                    }
                    'H' => decoded(&all.first().cloned().unwrap_or_default(), decode::hex),
                    'm' => Value::Unknown(of.taint()),
                    _ => Value::Unknown(of.taint()),
                }
            }
            "compact" | "flatten" | "sort" | "uniq" | "to_a" | "values" | "entries" => of.clone(),
            "remove" | "delete" | "clear" | "index" | "count" | "include?" | "includes"
            | "indexOf" | "length" | "size" | "empty?" | "discard" => Value::Unknown(None),
            _ => return None,
        })
    }

    fn reduced(&mut self, all: &[Value], function: Option<Rc<Closure>>) -> Value {
        let mut elements = all.iter();
        let Some(mut whole) = elements.next().cloned() else {
            return Value::Nothing;
        };
        let Some(function) = function else {
            return Value::Unknown(whole.taint());
        };
        for element in elements.take(256) {
            whole = self.call_function(&function, Args::of(vec![whole, element.clone()]));
        }
        whole
    }
}
