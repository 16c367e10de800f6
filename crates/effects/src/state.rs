//! What the shell would know at a point of the text: variables, functions, working directory.

use std::rc::Rc;

use crate::value::{Map, Stream, Taint, Text};

/// Most values that a variable is followed with.
const MAX_ALTERNATIVES: usize = 8;
/// Most elements of an array that are followed.
pub(crate) const MAX_ELEMENTS: usize = 1_024;

/// What a variable may hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Value {
    /// It is one of these; none where it is known to be unset, or an array.
    pub(crate) alternatives: Vec<Text>,
    /// Elements of an array.
    pub(crate) array: Option<Rc<Array>>,
    /// `declare -n`: the variable that it stands for.
    pub(crate) reference: Option<Rc<str>>,
    /// What assignments make of texts.
    pub(crate) shape: Shape,
}

/// What a variable makes of what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    /// Nothing.
    #[default]
    Plain,
    /// `declare -i`
    Integer,
    /// `declare -u`
    Upper,
    /// `declare -l`
    Lower,
}

/// Elements by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Array {
    /// In the order of the shell; keys of indexed arrays are numbers.
    pub(crate) items: Vec<(String, Text)>,
    /// `declare -A`
    pub(crate) named: bool,
}

impl Array {
    /// Elements numbered from 0.
    pub(crate) fn from_texts(texts: Vec<Text>) -> Self {
        let more = texts.len().checked_sub(MAX_ELEMENTS);
        Self {
            items: texts
                .into_iter()
                .enumerate()
                .map(|(at, text)| match more {
                    Some(1..) if at + 1 == MAX_ELEMENTS => Text::rest(text.span),
                    _ => text,
                })
                .take(MAX_ELEMENTS)
                .enumerate()
                .map(|(at, text)| (at.to_string(), text))
                .collect(),
            named: false,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Text> {
        self.items
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, text)| text)
    }

    /// The number after the last one.
    pub(crate) fn next_index(&self) -> i64 {
        self.items
            .last()
            .and_then(|(key, _)| key.parse::<i64>().ok())
            .map_or(0, |last| last.saturating_add(1))
    }

    /// Puts an element where it belongs.
    pub(crate) fn put(&mut self, key: String, text: Text) {
        let number = key.parse::<i64>();
        if !self.named
            && self.items.len() < MAX_ELEMENTS
            && number
                .as_ref()
                .is_ok_and(|number| *number >= self.next_index())
        {
            self.items.push((key, text));
            return;
        }
        if let Some((_, slot)) = self.items.iter_mut().find(|(known, _)| *known == key) {
            *slot = text;
            return;
        }
        if self.items.len() >= MAX_ELEMENTS {
            if let Some((_, last)) = self.items.last_mut() {
                *last = Text::rest(text.span);
            }
            return;
        }
        let at = match (self.named, number) {
            (false, Ok(number)) => self
                .items
                .iter()
                .position(|(known, _)| known.parse::<i64>().is_ok_and(|known| known > number)),
            _ => None,
        };
        self.items
            .insert(at.unwrap_or(self.items.len()), (key, text));
    }
}

impl Value {
    pub(crate) fn known(text: impl Into<String>) -> Self {
        Self::text(Text::known(text, cmdai_schema::Span::default()))
    }

    /// One text, perhaps with parts that are not known.
    pub(crate) fn text(text: Text) -> Self {
        Self {
            alternatives: vec![text],
            ..Self::default()
        }
    }

    /// Not known; may be empty.
    pub(crate) fn unknown(taint: Option<Taint>) -> Self {
        Self::text(Text {
            empty: Some(String::new()),
            taint,
            ..Text::default()
        })
    }

    /// Not known, but not empty either.
    pub(crate) fn solid(taint: Option<Taint>) -> Self {
        Self::text(Text {
            taint,
            ..Text::default()
        })
    }

    pub(crate) fn array(texts: Vec<Text>) -> Self {
        Self::elements(Array::from_texts(texts))
    }

    pub(crate) fn elements(array: Array) -> Self {
        Self {
            array: Some(Rc::new(array)),
            ..Self::default()
        }
    }

    /// All words that it holds: the elements, or else what it may be.
    pub(crate) fn texts(&self) -> Vec<Text> {
        match &self.array {
            Some(array) => array.items.iter().map(|(_, text)| text.clone()).collect(),
            None => self.alternatives.clone(),
        }
    }

    /// Known to be unset.
    pub(crate) fn is_unset(&self) -> bool {
        self.alternatives.is_empty() && self.array.is_none() && self.reference.is_none()
    }

    /// The text, where it is known and the only one.
    pub(crate) fn only(&self) -> Option<&str> {
        match self.alternatives.as_slice() {
            [text] if text.known => Some(&text.text),
            _ => None,
        }
    }

    /// True where nothing about its text is known.
    pub(crate) fn is_open(&self) -> bool {
        self.alternatives.iter().any(Text::is_whole_unknown)
    }

    fn join(&mut self, other: Self) {
        if self.array.is_none() {
            self.array = other.array;
        }
        for alternative in other.alternatives {
            if self.alternatives.len() < MAX_ALTERNATIVES
                && !self.alternatives.contains(&alternative)
            {
                self.alternatives.push(alternative);
            }
        }
    }
}

/// A function of the text or of the session.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) text: String,
    pub(crate) map: Map,
    /// Names that the arguments get.
    pub(crate) params: Vec<String>,
}

/// The state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env {
    pub(crate) vars: Vec<(String, Value)>,
    pub(crate) functions: Vec<(String, Option<Rc<Function>>)>,
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) cwd: String,
    /// The working directory follows from the text alone.
    pub(crate) cwd_known: bool,
    /// Folders that `pushd` left, the last one at the end.
    pub(crate) folders: Vec<String>,
    /// Arguments of the function or script, where known.
    pub(crate) positional: Option<Vec<Text>>,
    /// Files written in the text.
    pub(crate) files: Vec<(String, Stream)>,
    /// Links made in the text, with what they lead to.
    pub(crate) links: Vec<(String, String)>,
    /// Programs of the system that the text copied, with what they are.
    pub(crate) copies: Vec<(String, String)>,
    /// Descriptors opened by `exec`, with what is behind them.
    pub(crate) descriptors: Vec<(u32, Stream)>,
    /// `shopt -s lastpipe`
    pub(crate) lastpipe: bool,
    /// `set -u`
    pub(crate) nounset: bool,
    /// What `trap CODE DEBUG` runs before every command.
    pub(crate) before_each: Option<Text>,
    /// Some variable may hold one of several values.
    pub(crate) several: bool,
}

impl Env {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let value = self.slot(name)?;
        let mut found = value;
        for _ in 0..8 {
            match &found.reference {
                Some(reference) => found = self.slot(reference)?,
                None => return Some(found),
            }
        }
        Some(value)
    }

    /// The variable itself, where it stands for another one.
    pub(crate) fn slot(&self, name: &str) -> Option<&Value> {
        self.vars
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The name of the variable that a name stands for in the end.
    pub(crate) fn target<'n>(&'n self, name: &'n str) -> &'n str {
        let mut name = name;
        for _ in 0..8 {
            match self.slot(name).and_then(|value| value.reference.as_deref()) {
                Some(reference) => name = reference,
                None => break,
            }
        }
        name
    }

    /// Gives a variable a value, also where it stands for another one.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if self.vars.iter().any(|(_, value)| value.reference.is_some()) && value.reference.is_none()
        {
            let target = self.target(name).to_owned();
            self.put(&target, value);
        } else {
            self.put(name, value);
        }
    }

    /// Gives the variable itself a value.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        self.several |= value.alternatives.len() > 1;
        let room = self.vars.len() < 512;
        match self.vars.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => {
                let shape = slot.shape;
                *slot = value;
                if slot.shape == Shape::Plain {
                    slot.shape = shape;
                }
            }
            None if room => self.vars.push((name.to_owned(), value)),
            None => {}
        }
    }

    /// Back to what it was before.
    pub(crate) fn restore(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => {
                if let Some((_, slot)) = self.vars.iter_mut().find(|(known, _)| known == name) {
                    *slot = value;
                } else {
                    self.put(name, value);
                }
            }
            None => self.vars.retain(|(known, _)| known != name),
        }
    }

    pub(crate) fn write_file(&mut self, path: &str, content: Stream, append: bool) {
        let room = !self.crowded();
        match self.files.iter_mut().find(|(known, _)| known == path) {
            Some((_, slot)) => {
                let before = if append {
                    std::mem::take(slot)
                } else {
                    Stream::Empty
                };
                *slot = before.then(content);
            }
            None if room => {
                let content = match content {
                    // What is appended runs for certain, whatever stood before it.
                    Stream::Known(text) if append => Stream::Known(text),
                    content if append => {
                        Stream::Tainted(Taint::File(path.to_owned())).then(content)
                    }
                    content => content,
                };
                self.files.push((path.to_owned(), content));
            }
            None => {}
        }
    }

    /// No more files are remembered: one that is not known here may still have been written.
    pub(crate) fn crowded(&self) -> bool {
        self.files.len() >= 64
    }

    pub(crate) fn file(&self, path: &str) -> Option<&Stream> {
        self.files
            .iter()
            .find(|(known, _)| known == path)
            .map(|(_, content)| content)
    }

    /// What is behind a descriptor that the text opened.
    pub(crate) fn descriptor(&self, number: u32) -> Option<&Stream> {
        self.descriptors
            .iter()
            .rev()
            .find(|(known, _)| *known == number)
            .map(|(_, stream)| stream)
    }

    /// Joins what another way through the text leads to.
    pub(crate) fn join(&mut self, other: Self) {
        for (name, value) in &mut self.vars {
            if !other.vars.iter().any(|(known, _)| known == name) && !value.is_open() {
                // On the other way nothing was said about it.
                value.join(Value::unknown(None));
                self.several |= value.alternatives.len() > 1;
            }
        }
        for (name, mut value) in other.vars {
            match self.vars.iter_mut().find(|(known, _)| *known == name) {
                Some((_, mine)) if *mine == value => {}
                Some((_, mine)) => {
                    mine.join(value);
                    self.several |= mine.alternatives.len() > 1;
                }
                None => {
                    if !value.is_open() {
                        value.join(Value::unknown(None));
                        self.several |= value.alternatives.len() > 1;
                    }
                    self.vars.push((name, value));
                }
            }
        }
        for (name, function) in other.functions {
            if !self.functions.iter().any(|(known, _)| *known == name) {
                self.functions.push((name, function));
            }
        }
        for alias in other.aliases {
            if !self.aliases.contains(&alias) {
                self.aliases.push(alias);
            }
        }
        for (path, content) in other.files {
            if self.file(&path).is_none() {
                self.files.push((path, content));
            }
        }
        for link in other.links {
            if !self.links.contains(&link) {
                self.links.push(link);
            }
        }
        self.cwd_known &= self.cwd == other.cwd && other.cwd_known;
        self.several |= other.several;
    }
}
