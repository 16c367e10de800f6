//! A YAML document as a tree in which every key and value knows its place.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::error::{Pos, Problems, suggest};

/// Longest document that is read, in bytes.
const MAX_SOURCE: usize = 4 * 1024 * 1024;
/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Pos,
    /// Where its text begins: behind the quote, or below the `|` of a block.
    pub(crate) inner: Pos,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) at: Pos,
    pub(crate) name: String,
}

fn pos(location: serde_saphyr::Location) -> Pos {
    let cap = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Pos {
        line: cap(location.line()),
        column: cap(location.column()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            at: pos(spanned.referenced),
            inner: pos(spanned.referenced),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
                Value::deserialize(inner)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
                i64::try_from(value)
                    .map(Value::Int)
                    .map_err(|_| E::custom("number is too large"))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element::<Node>()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
                let mut entries: Vec<(Key, Node)> = Vec::new();
                while let Some(key) = access.next_key::<Spanned<String>>()? {
                    let value = access.next_value::<Node>()?;
                    let key = Key {
                        at: pos(key.referenced),
                        name: key.value,
                    };
                    if entries.iter().any(|(other, _)| other.name == key.name) {
                        return Err(A::Error::custom(format!("`{}` is given twice", key.name)));
                    }
                    entries.push((key, value));
                }
                Ok(Value::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Reads a document. Complaints go to `problems`; nothing comes back where it is no YAML or empty.
pub(crate) fn read(source: &str, problems: &mut Problems) -> Option<Node> {
    let start = Pos { line: 1, column: 1 };
    if source.len() > MAX_SOURCE {
        problems.error(
            start,
            "too-large",
            "document is larger than 4 MiB",
            Some("split it".to_owned()),
        );
        return None;
    }
    let empty = source.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---" || line == "..."
    });
    if empty {
        let help = "an empty policy is not permission; start from `version: \"1.0\"`".to_owned();
        problems.error(start, "empty", "document is empty", Some(help));
        return None;
    }
    // `off`, `no` and `y` are words here, not truth values.
    let options = serde_saphyr::options! { strict_booleans: true };
    match serde_saphyr::from_str_with_options::<Node>(source, options) {
        Ok(node) if depth(&node, 0) > MAX_DEPTH => {
            problems.error(
                node.at,
                "too-deep",
                format!("nested deeper than {MAX_DEPTH} levels"),
                None,
            );
            None
        }
        Ok(mut node) => {
            let lines: Vec<&str> = source.lines().collect();
            find_texts(&mut node, &lines);
            Some(node)
        }
        Err(error) => {
            let at = error.location().map_or(start, pos);
            let text = error.without_snippet().to_string();
            let first = text.lines().next().unwrap_or("cannot be read");
            let first = first.split(" at line ").next().unwrap_or(first).to_owned();
            problems.error(
                at,
                "yaml",
                first,
                Some("mend the YAML at this place".to_owned()),
            );
            None
        }
    }
}

/// Finds where the texts of a tree begin in the source. Depth is bounded before.
fn find_texts(node: &mut Node, lines: &[&str]) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| find_texts(item, lines)),
        Value::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, item)| find_texts(item, lines)),
        Value::Text(_) => {
            let line = |number: u32| lines.get((number as usize).saturating_sub(1)).copied();
            let at = (node.at.column as usize).saturating_sub(1);
            let first = line(node.at.line).and_then(|line| line.chars().nth(at));
            match first {
                Some('"' | '\'') => node.inner.column += 1,
                Some('|' | '>') => {
                    let below = line(node.at.line + 1).unwrap_or("");
                    let indent = below.len() - below.trim_start().len();
                    node.inner = Pos {
                        line: node.at.line + 1,
                        column: u32::try_from(indent + 1).unwrap_or(1),
                    };
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn depth(node: &Node, level: usize) -> usize {
    if level > MAX_DEPTH {
        return level;
    }
    match &node.value {
        Value::List(items) => items
            .iter()
            .map(|item| depth(item, level + 1))
            .max()
            .unwrap_or(level),
        Value::Map(entries) => entries
            .iter()
            .map(|(_, item)| depth(item, level + 1))
            .max()
            .unwrap_or(level),
        _ => level,
    }
}

impl Node {
    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    fn wrong(&self, want: &str, help: Option<String>, problems: &mut Problems) {
        problems.error(
            self.at,
            "wrong-type",
            format!("expected {want}, found {}", self.kind()),
            help,
        );
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, problems: &mut Problems) -> Option<String> {
        match &self.value {
            Value::Text(text) if text.trim().is_empty() => {
                problems.error(self.at, "empty-text", "text is empty", None);
                None
            }
            Value::Text(text) => Some(text.clone()),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                self.wrong("a text", Some("put it in quotes".to_owned()), problems);
                None
            }
            _ => {
                self.wrong("a text", None, problems);
                None
            }
        }
    }

    /// A text or a list of texts, each with its place.
    pub(crate) fn texts_at(&self, problems: &mut Problems) -> Vec<(Pos, String)> {
        match &self.value {
            Value::List(items) => items
                .iter()
                .filter_map(|item| Some((item.at, item.text(problems)?)))
                .collect(),
            _ => self
                .text(problems)
                .map(|text| (self.at, text))
                .into_iter()
                .collect(),
        }
    }

    /// A text or a list of texts, each with the place where its words begin.
    pub(crate) fn words_at(&self, problems: &mut Problems) -> Vec<(Pos, String)> {
        let one = |node: &Self, problems: &mut Problems| Some((node.inner, node.text(problems)?));
        match &self.value {
            Value::List(items) => items
                .iter()
                .filter_map(|item| one(item, problems))
                .collect(),
            _ => one(self, problems).into_iter().collect(),
        }
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, problems: &mut Problems) -> Vec<String> {
        self.texts_at(problems)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    pub(crate) fn flag(&self, problems: &mut Problems) -> Option<bool> {
        if let Value::Bool(value) = self.value {
            return Some(value);
        }
        self.wrong("true or false", None, problems);
        None
    }

    pub(crate) fn number(&self, problems: &mut Problems) -> Option<u32> {
        if let Value::Int(value) = self.value
            && let Ok(value) = u32::try_from(value)
        {
            return Some(value);
        }
        self.wrong("a whole number, 0 or more", None, problems);
        None
    }

    /// The entries of a list; one mapping alone is an error that says so.
    pub(crate) fn list(&self, problems: &mut Problems) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => {
                self.wrong(
                    "a list",
                    Some("begin each entry with `- `".to_owned()),
                    problems,
                );
                &[]
            }
        }
    }

    /// One word out of a closed set.
    pub(crate) fn choice<T: Copy>(
        &self,
        what: &str,
        words: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(problems)?;
        choose(&text, self.at, what, words, problems)
    }

    /// A word or a list of words out of a closed set.
    pub(crate) fn choices<T: Copy>(
        &self,
        what: &str,
        words: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Vec<T> {
        let texts = self.texts_at(problems);
        texts
            .iter()
            .filter_map(|(at, text)| choose(text, *at, what, words, problems))
            .collect()
    }

    /// Reads a mapping key by key; `None` where it is something else.
    pub(crate) fn map<'n>(
        &'n self,
        what: &'static str,
        problems: &mut Problems,
    ) -> Option<Fields<'n>> {
        if let Value::Map(entries) = &self.value {
            return Some(Fields {
                at: self.at,
                what,
                entries,
                known: Vec::new(),
            });
        }
        self.wrong(
            "a mapping",
            Some(format!("{what} has keys and values")),
            problems,
        );
        None
    }
}

fn choose<T: Copy>(
    text: &str,
    at: Pos,
    what: &str,
    words: &[(&'static str, T)],
    problems: &mut Problems,
) -> Option<T> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let help = suggest(text, names.iter().copied()).unwrap_or_else(|| {
        let shown = names
            .iter()
            .take(12)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "one of: {shown}{}",
            if names.len() > 12 { ", …" } else { "" }
        )
    });
    problems.error(
        at,
        "unknown-word",
        format!("`{text}` is not a {what}"),
        Some(help),
    );
    None
}

/// A mapping that is read key by key. Keys that nobody asked for are errors.
pub(crate) struct Fields<'n> {
    pub(crate) at: Pos,
    what: &'static str,
    entries: &'n [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The value of a key; `null` counts as absent.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'n Node> {
        self.known.push(name);
        let (_, node) = self.entries.iter().find(|(key, _)| key.name == name)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    pub(crate) fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        self.get(name)?.text(problems)
    }

    pub(crate) fn texts(&mut self, name: &'static str, problems: &mut Problems) -> Vec<String> {
        self.get(name)
            .map(|node| node.texts(problems))
            .unwrap_or_default()
    }

    pub(crate) fn flag(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        self.get(name)?.flag(problems)
    }

    pub(crate) fn number(&mut self, name: &'static str, problems: &mut Problems) -> Option<u32> {
        self.get(name)?.number(problems)
    }

    /// A text that must be there.
    pub(crate) fn needed(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        if let Some(node) = self.get(name) {
            return node.text(problems);
        }
        problems.error(
            self.at,
            "missing-key",
            format!("{} needs `{name}`", self.what),
            None,
        );
        None
    }

    /// Complains about every key that was not asked for.
    pub(crate) fn finish(self, problems: &mut Problems) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.name.as_str()) {
                let help = suggest(&key.name, self.known.iter().copied())
                    .unwrap_or_else(|| format!("keys here: {}", self.known.join(", ")));
                problems.error(
                    key.at,
                    "unknown-key",
                    format!("`{}` is not a key of {}", key.name, self.what),
                    Some(help),
                );
            }
        }
    }
}
