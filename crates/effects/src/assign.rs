//! Assignments: `x=…`, `x+=…`, `a[i]=…`, `a=( … )`, and declarations.

use cmdai_schema::Span;
use cmdai_shell::{AssignValue, Part, Simple, Tree, Word};

use crate::{
    analyser::{Analyser, Declaring},
    call::Call,
    fields::Fields,
    state::{Array, Shape, Value},
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// What stands in front of a command, or alone.
    pub(crate) fn assignments(
        &mut self,
        tree: &Tree<'_>,
        simple: &Simple<'_>,
    ) -> Vec<(String, Value, Text)> {
        let mut out = Vec::with_capacity(simple.assignments.len());
        for assignment in &simple.assignments {
            let span = self.map.span(assignment.span);
            let alone = simple.words.is_empty();
            match &assignment.value {
                AssignValue::Array(words) => {
                    let array = self.array(tree, assignment.name, words, assignment.append, false);
                    for (_, text) in &array.items {
                        self.note_assignment(assignment.name, text, span, !alone);
                    }
                    let value = Value::elements(array);
                    if alone {
                        self.env.set(assignment.name, value.clone());
                    }
                    out.push((
                        assignment.name.to_owned(),
                        value,
                        Text::unknown("", span, None),
                    ));
                }
                AssignValue::Scalar(word) => {
                    let mut text = self.expand_one(tree, word);
                    if word.parts.iter().any(|part| matches!(part, Part::Glob(_))) {
                        // A pattern stays as it is written, until somebody expands it.
                        text.glob = false;
                    }
                    if let Some(index) = assignment.index {
                        let held = Text {
                            offset: None,
                            ..text.clone()
                        };
                        self.assign_element(assignment.name, index, held, assignment.append, span);
                        self.note_assignment(assignment.name, &text, span, !alone);
                        if let Some(value) = self.env.get(assignment.name).cloned() {
                            out.push((assignment.name.to_owned(), value, text));
                        }
                        continue;
                    }
                    let text = if assignment.append {
                        self.appended(assignment.name, text)
                    } else {
                        text
                    };
                    self.note_assignment(assignment.name, &text, span, !alone);
                    let value = self.shaped(assignment.name, text.clone());
                    // Later assignments of the same command see earlier ones.
                    if alone {
                        self.env.set(assignment.name, value.clone());
                    }
                    out.push((assignment.name.to_owned(), value, text));
                }
            }
        }
        out
    }

    /// `x+=TEXT`
    fn appended(&mut self, name: &str, text: Text) -> Text {
        let Some(value) = self.variable(name) else {
            // Nobody knows what it held: what is new stays known.
            let mut fields = Fields::new(text.span);
            fields.mark_quoted();
            if self.context.session.is_live() {
                fields.push_value(&text, "$", true);
            } else if self.env.positional.is_some() || !self.calls.is_empty() || text.known {
                return text;
            } else {
                fields.push_unknown(&format!("${{{name}}}"), true, None);
                fields.push_value(&text, "$", true);
            }
            return fields.finish().into_iter().next().unwrap_or_default();
        };
        if value.shape == Shape::Integer {
            let sum = Text {
                text: format!("{}+({})", value.only().unwrap_or("x?"), text.text),
                ..text.clone()
            };
            return match self.calculate(&sum) {
                Some(number) => Text::known(number.to_string(), text.span),
                None => Text::default(),
            };
        }
        let before = match (&value.array, value.alternatives.len()) {
            (Some(array), _) => array
                .get("0")
                .cloned()
                .unwrap_or_else(|| Text::known("", text.span)),
            (None, 0) => Text::known("", text.span),
            (None, len) => {
                let at = if len > 1 {
                    self.picks.digit(name, len)
                } else {
                    0
                };
                value.alternatives.into_iter().nth(at).unwrap_or_default()
            }
        };
        let mut fields = Fields::new(text.span);
        fields.mark_quoted();
        fields.push_value(&before, &format!("${{{name}}}"), true);
        fields.push_value(&text, "$", true);
        let glob = before.glob || text.glob;
        let mut joined = fields.finish().into_iter().next().unwrap_or_default();
        joined.glob = glob;
        joined.literal = false;
        joined
    }

    /// A text as a variable holds it, by what was declared about it.
    fn shaped(&mut self, name: &str, text: Text) -> Value {
        let shape = self
            .env
            .get(name)
            .map(|value| value.shape)
            .unwrap_or_default();
        let mut text = Text {
            literal: false,
            offset: None,
            span: Span::default(),
            ..text
        };
        match shape {
            Shape::Plain => {}
            Shape::Integer => {
                text = match self.calculate(&text) {
                    Some(number) => Text::known(number.to_string(), Span::default()),
                    None => Text::default(),
                };
            }
            Shape::Upper => text.text = text.text.to_uppercase(),
            Shape::Lower => text.text = text.text.to_lowercase(),
        }
        Value {
            shape,
            ..Value::text(text)
        }
    }

    /// Elements between parentheses.
    fn array(
        &mut self,
        tree: &Tree<'_>,
        name: &str,
        words: &[Word<'_>],
        append: bool,
        named: bool,
    ) -> Array {
        let before = self.env.get(name).and_then(|value| value.array.clone());
        let named = named || before.as_ref().is_some_and(|array| array.named);
        let mut array = match (&before, append) {
            (Some(before), true) => Array::clone(before),
            (None, true) => {
                let texts = self.env.get(name).map(|value| value.alternatives.clone());
                Array::from_texts(texts.unwrap_or_default().into_iter().take(1).collect())
            }
            _ => Array::default(),
        };
        array.named = named;
        let mut next = array.next_index();
        let mut pending: Option<String> = None;
        for word in words {
            if let Some(Part::Subscript(raw, append)) = word.parts.first() {
                let rest = Word {
                    parts: word.parts.get(1..).unwrap_or_default().to_vec(),
                    span: word.span,
                };
                let mut text = self.expand_one(tree, &rest);
                text.offset = None;
                let span = self.map.span(word.span);
                match self.subscript(raw, named, span, next) {
                    Some(key) => {
                        if *append && let Some(before) = array.get(&key) {
                            let mut fields = Fields::new(span);
                            fields.push_value(before, "$", true);
                            fields.push_value(&text, "$", true);
                            text = fields.finish().into_iter().next().unwrap_or_default();
                        }
                        next = key.parse::<i64>().unwrap_or(next).saturating_add(1);
                        array.put(key, text);
                    }
                    None => array.put(format!("?{}", array.items.len()), text),
                }
                continue;
            }
            let mut texts = Vec::new();
            self.expand_word(tree, word, !named, &mut texts);
            for mut text in texts {
                text.offset = None;
                if named {
                    // `m=(key value key value)`
                    match pending.take() {
                        Some(key) => array.put(key, text),
                        None => pending = Some(text.text),
                    }
                } else {
                    array.put(next.to_string(), text);
                    next = next.saturating_add(1);
                }
            }
        }
        array
    }

    /// `a[KEY]=TEXT`
    pub(crate) fn assign_element(
        &mut self,
        name: &str,
        raw: &str,
        text: Text,
        append: bool,
        span: Span,
    ) {
        let before = self.env.get(name).cloned();
        let mut array = match before
            .as_ref()
            .map(|value| (&value.array, &value.alternatives))
        {
            Some((Some(array), _)) => Array::clone(array),
            Some((None, texts)) => Array::from_texts(texts.iter().take(1).cloned().collect()),
            None => Array::default(),
        };
        let Some(key) = self.subscript(raw, array.named, span, array.next_index()) else {
            // Somewhere in it: it may be any of them.
            array.put(format!("?{}", array.items.len()), text);
            let value = Value::elements(array);
            self.env.set(name, value);
            return;
        };
        let text = match (append, array.get(&key)) {
            (true, Some(before)) => {
                let mut fields = Fields::new(span);
                fields.mark_quoted();
                fields.push_value(before, "$", true);
                fields.push_value(&text, "$", true);
                fields.finish().into_iter().next().unwrap_or_default()
            }
            _ => text,
        };
        array.put(key, text);
        let value = Value::elements(array);
        self.env.set(name, value);
    }

    /// `NAME=( … )` among the words of a declaration. What stands in front of it is in the fields.
    pub(crate) fn declared_array(
        &mut self,
        tree: &Tree<'_>,
        words: &[Word<'_>],
        fields: &mut Fields,
    ) {
        let written = std::mem::take(&mut fields.text.text);
        let name = written.trim_end_matches('=');
        let append = name.ends_with('+');
        let name = name.trim_end_matches('+').to_owned();
        fields.push(&name);
        let declaring = self.declaring;
        if declaring.is_some_and(|declaring| declaring.local) {
            self.localise(&name);
        }
        let named = declaring.is_some_and(|declaring| declaring.named);
        let array = self.array(tree, &name, words, append, named);
        if array.named || declaring.is_some() {
            let value = Value::elements(array);
            self.env.set(&name, value);
        }
    }

    /// What the first words of a command declare.
    pub(crate) fn declaration(&self, simple: &Simple<'_>) -> Option<Declaring> {
        let mut words = simple.words.iter().filter_map(Word::bare);
        let mut first = words.next()?;
        if matches!(first, "builtin" | "command") {
            first = words.next()?;
        }
        if !matches!(
            first,
            "declare" | "typeset" | "local" | "export" | "readonly"
        ) {
            return None;
        }
        let options: Vec<&str> = words.filter(|word| word.starts_with('-')).collect();
        let global = options.iter().any(|word| word.contains('g'));
        Some(Declaring {
            named: options.iter().any(|word| word.contains('A')),
            local: !self.locals.is_empty()
                && !global
                && matches!(first, "declare" | "typeset" | "local"),
        })
    }

    /// `declare`, `local`, `export`, `readonly`.
    pub(crate) fn declare(&mut self, call: &Call<'_>) -> Stream {
        let mut shape = Shape::Plain;
        let (mut reference, mut named, mut indexed, mut global) = (false, false, false, false);
        let mut only_prints = false;
        for arg in call.args {
            let Some(flags) = arg.text.strip_prefix('-') else {
                continue;
            };
            if flags.starts_with('-') {
                continue;
            }
            for flag in flags.chars() {
                match flag {
                    'i' => shape = Shape::Integer,
                    'u' => shape = Shape::Upper,
                    'l' => shape = Shape::Lower,
                    'n' if call.name != "export" => reference = true,
                    'A' => named = true,
                    'a' => indexed = true,
                    'g' => global = true,
                    'p' | 'f' | 'F' => only_prints = true,
                    _ => {}
                }
            }
        }
        if only_prints {
            // `export -p`: all variables at once, tokens and passwords among them.
            let all = call
                .args
                .iter()
                .all(|arg| arg.text.starts_with('-') && !arg.text.contains(['f', 'F']));
            return if all {
                Stream::Tainted(Taint::Secret("environment".to_owned()))
            } else {
                Stream::UNKNOWN
            };
        }
        let local = !self.locals.is_empty()
            && !global
            && matches!(call.name, "declare" | "typeset" | "local");
        for arg in call.args {
            if arg.text.starts_with(['-', '+']) {
                continue;
            }
            self.hidden_subscript(arg);
            let (name, value) = match arg.text.find('=') {
                Some(at) => (arg.text.get(..at).unwrap_or(""), Some(arg.after(at + 1))),
                None => (arg.text.as_str(), None),
            };
            let append = name.ends_with('+');
            let name = name.trim_end_matches('+');
            if let Some((array, index)) = name.split_once('[') {
                if let Some(value) = value {
                    let held = Text {
                        offset: None,
                        ..value
                    };
                    self.assign_element(array, index.trim_end_matches(']'), held, append, arg.span);
                }
                continue;
            }
            if name.is_empty() || name.contains(['$', '`', ' ']) {
                continue;
            }
            let is_array = self
                .env
                .slot(name)
                .is_some_and(|value| value.array.is_some());
            if local {
                self.localise(name);
            }
            match value {
                Some(value) if reference => self.refer(name, &value),
                Some(value) => {
                    let value = if append {
                        self.appended(name, value)
                    } else {
                        value
                    };
                    self.note_assignment(name, &value, arg.span, false);
                    if shape != Shape::Plain {
                        self.env.put(
                            name,
                            Value {
                                shape,
                                ..Value::default()
                            },
                        );
                    }
                    let mut held = self.shaped(name, value);
                    if matches!(call.name, "export" | "readonly") || !reference {
                        held.reference = None;
                    }
                    self.env.set(name, held);
                }
                None if is_array => {}
                None if named || indexed => {
                    self.env.put(
                        name,
                        Value::elements(Array {
                            named,
                            ..Array::default()
                        }),
                    );
                }
                None if local => self.env.put(
                    name,
                    Value {
                        shape,
                        ..Value::default()
                    },
                ),
                None if shape != Shape::Plain => {
                    let mut value = self.env.get(name).cloned().unwrap_or_default();
                    value.shape = shape;
                    self.env.put(name, value);
                }
                None => {}
            }
        }
        Stream::Empty
    }

    /// `declare -n NAME=TARGET`
    fn refer(&mut self, name: &str, target: &Text) {
        if target.known && target.text != name {
            let value = Value {
                reference: Some(target.text.as_str().into()),
                ..Value::default()
            };
            self.env.put(name, value);
        }
    }
}
