//! What is special about fish: values are lists, and words are their product.

mod builtins;
mod string;

use cmdai_schema::Span;
use cmdai_shell::{Part, Tree, Variable, Word};

use crate::{
    analyser::Analyser,
    fields::Fields,
    state::Value,
    value::{MAX_TEXT, Stream, Taint, Text},
};

/// Most words that one word becomes.
const MAX_WORDS: usize = 128;

impl Analyser<'_> {
    /// The words that a word becomes: none where a list in it is empty.
    pub(crate) fn fish_word(&mut self, tree: &Tree<'_>, word: &Word<'_>, out: &mut Vec<Text>) {
        let span = self.map.span(word.span);
        let mut all = self.fish_parts(tree, &word.parts, span);
        out.append(&mut all);
    }

    fn fish_parts(&mut self, tree: &Tree<'_>, parts: &[Part<'_>], span: Span) -> Vec<Text> {
        let mut all = vec![Text::known("", span)];
        let mut parts = parts.iter().peekable();
        while let Some(part) = parts.next() {
            let choices = match (part, parts.peek()) {
                (Part::Tilde(name), Some(Part::Literal(next)))
                    if !next.is_empty() && !next.starts_with(['/', ':']) =>
                {
                    vec![Text::known(format!("~{name}"), span)]
                }
                _ => self.fish_part(tree, part, span),
            };
            if all.len() * choices.len() > MAX_WORDS {
                self.unknown = true;
            }
            let mut next = Vec::with_capacity((all.len() * choices.len()).min(MAX_WORDS));
            let mut room = MAX_TEXT;
            'product: for second in &choices {
                for first in &all {
                    let bytes = first.text.len() + second.text.len();
                    if next.len() >= MAX_WORDS || room < bytes {
                        self.unknown = true;
                        next.push(Text::rest(span));
                        break 'product;
                    }
                    room -= bytes;
                    next.push(concat(first, second));
                }
            }
            all = next;
        }
        all
    }

    fn fish_part(&mut self, tree: &Tree<'_>, part: &Part<'_>, span: Span) -> Vec<Text> {
        match part {
            Part::Literal(text) => vec![Text::known(*text, span)],
            Part::Escaped(text) | Part::Single(text) => vec![quoted(text, span)],
            Part::AnsiC(text) => vec![quoted(text, span)],
            Part::Double(inner) => {
                let mut fields = Fields::quoted(span);
                for part in inner {
                    match part {
                        Part::Literal(text) | Part::Escaped(text) => fields.push(text),
                        Part::Variable(variable) => {
                            let all = self.fish_values(variable, tree, true);
                            push_joined(&mut fields, &all);
                        }
                        Part::Command(list, at) => match self.capture(tree, list) {
                            Stream::Empty => {}
                            Stream::Known(text) => fields.push(text.trim_end_matches('\n')),
                            Stream::Partial(text) => fields.push_value(&text, "", true),
                            Stream::Tainted(taint) => {
                                fields.push_unknown(at.of(tree.source), false, Some(taint));
                            }
                        },
                        _ => {}
                    }
                }
                let mut all = fields.finish();
                for text in &mut all {
                    text.literal |= crate::glob::is_pattern(&text.text);
                }
                all.truncate(1);
                all
            }
            Part::Glob(text) => vec![Text {
                glob: true,
                ..Text::known(*text, span)
            }],
            Part::Tilde(name) => {
                let mut fields = Fields::quoted(span);
                self.tilde(name, &mut fields);
                fields.finish()
            }
            Part::Variable(variable) => {
                let mut all = self.fish_values(variable, tree, false);
                for text in &mut all {
                    text.span = span;
                }
                all
            }
            Part::Command(list, at) => match self.capture(tree, list) {
                Stream::Empty => Vec::new(),
                Stream::Known(text) => {
                    let mut lines = text.trim_end_matches('\n').split('\n');
                    let taken = lines.by_ref().take(MAX_WORDS);
                    let mut all: Vec<Text> = taken.map(|line| quoted(line, span)).collect();
                    all.extend(lines.next().map(|_| Text::rest(span)));
                    all
                }
                Stream::Partial(text) => vec![Text {
                    text: text.text.trim_end_matches('\n').to_owned(),
                    span,
                    ..*text
                }],
                Stream::Tainted(taint) => {
                    vec![Text::unknown(at.of(tree.source), span, Some(taint))]
                }
            },
            Part::Brace(alternatives) => {
                let mut all = Vec::new();
                for alternative in alternatives {
                    all.append(&mut self.fish_parts(tree, alternative, span));
                    if all.len() > MAX_WORDS {
                        self.unknown = true;
                        all.truncate(MAX_WORDS);
                        all.push(Text::rest(span));
                        break;
                    }
                }
                all
            }
            other => {
                self.unknown = true;
                let written = match other {
                    Part::Unknown(at) => at.of(tree.source),
                    _ => "",
                };
                vec![Text::unknown(written, span, Some(Taint::Unknown))]
            }
        }
    }

    /// The elements of a variable.
    fn fish_values(
        &mut self,
        variable: &Variable<'_>,
        tree: &Tree<'_>,
        in_quotes: bool,
    ) -> Vec<Text> {
        let span = self.map.span(variable.span);
        let written = variable.span.of(tree.source);
        let mut all = self.fish_list(variable.name, span, written);
        if variable.indirect {
            let names = std::mem::take(&mut all);
            for name in names.iter().take(8) {
                if name.known {
                    all.append(&mut self.fish_list(&name.text.clone(), span, written));
                } else {
                    all.push(name.clone());
                }
            }
        }
        if let Some(index) = variable.index {
            all = pick(&all, index, span, written);
        }
        if !in_quotes {
            // A variable that is not set takes the whole word with it; one that is set to nothing does not.
            for text in all.iter_mut().filter(|text| !text.known) {
                if text.empty.is_none() && text.taint.is_none() {
                    text.empty = Some(String::new());
                }
            }
        }
        all
    }

    /// What a name stands for.
    fn fish_list(&mut self, name: &str, span: Span, written: &str) -> Vec<Text> {
        match name {
            "argv" => {
                return match &self.env.positional {
                    Some(args) => args
                        .iter()
                        .map(|arg| Text {
                            offset: None,
                            ..arg.clone()
                        })
                        .collect(),
                    None => Vec::new(),
                };
            }
            "status" | "pipestatus" | "fish_pid" | "last_pid" | "hostname" | "version"
            | "fish_user_paths" | "FISH_VERSION" | "SHLVL" | "history" => {
                return vec![Text::unknown(written, span, None)];
            }
            _ => {}
        }
        let value = match self.env.get(name) {
            Some(value) => value.clone(),
            None => match self.session_variable(name) {
                Some(value) => value,
                None => {
                    return vec![Text {
                        empty: Some(String::new()),
                        ..Text::unknown(written, span, None)
                    }];
                }
            },
        };
        self.fish_elements(&value, span, written)
    }

    fn fish_elements(&mut self, value: &Value, span: Span, written: &str) -> Vec<Text> {
        if value.is_unset() {
            return Vec::new();
        }
        if let Some(array) = &value.array {
            let mut all: Vec<Text> = array
                .items
                .iter()
                .take(MAX_WORDS)
                .map(|(_, element)| held(element, span, written))
                .collect();
            if array.items.len() > MAX_WORDS {
                all.push(Text::rest(span));
            }
            return all;
        }
        match value.alternatives.len() {
            0 => Vec::new(),
            len => {
                let choice = if len > 1 {
                    self.picks.digit(written, len)
                } else {
                    0
                };
                value
                    .alternatives
                    .get(choice)
                    .map(|text| held(text, span, written))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// Holds these words under a name.
    pub(crate) fn fish_assign(&mut self, name: &str, words: &[Text]) {
        let value = match words {
            [one] => Value::text(Text {
                offset: None,
                ..one.clone()
            }),
            several => Value::array(several.to_vec()),
        };
        self.env.set(name, value);
    }
}

/// A text that a variable holds, at the place where it is used.
fn held(text: &Text, span: Span, written: &str) -> Text {
    if text.known && !text.glob {
        return quoted(&text.text, span);
    }
    if text.is_whole_unknown() {
        return Text {
            empty: text.empty.clone(),
            ..Text::unknown(written, span, text.taint.clone())
        };
    }
    Text {
        span,
        offset: None,
        ..text.clone()
    }
}

/// A text whose pattern characters stand for themselves.
fn quoted(text: &str, span: Span) -> Text {
    Text {
        literal: text.starts_with('~') || crate::glob::is_pattern(text),
        ..Text::known(text, span)
    }
}

fn push_joined(fields: &mut Fields, all: &[Text]) {
    for (index, text) in all.iter().enumerate() {
        if index > 0 {
            fields.push(" ");
        }
        if text.known {
            fields.push(&text.text);
        } else {
            fields.push_unknown(
                &text.text,
                text.empty.as_deref() == Some(""),
                text.taint.clone(),
            );
        }
    }
}

/// Two texts as one; one that is not known, where they are too long together.
pub(crate) fn concat(first: &Text, second: &Text) -> Text {
    if first.text.len() + second.text.len() > MAX_TEXT {
        return Text::unknown("$", first.span, Some(Taint::Unknown));
    }
    if first.text.is_empty() && first.known && !first.literal {
        return Text {
            span: first.span,
            ..second.clone()
        };
    }
    let empty = match (&first.empty, &second.empty) {
        (None, None) => None,
        (first_empty, second_empty) => Some(format!(
            "{}{}",
            first_empty.as_deref().unwrap_or(&first.text),
            second_empty.as_deref().unwrap_or(&second.text)
        )),
    };
    Text {
        text: format!("{}{}", first.text, second.text),
        known: first.known && second.known,
        empty,
        glob: first.glob || second.glob,
        literal: first.literal || second.literal,
        taint: match (first.taint.clone(), second.taint.clone()) {
            (Some(one), Some(other)) => Some(one.worse(other)),
            (one, other) => one.or(other),
        },
        span: first.span,
        more: first.more,
        offset: None,
    }
}

/// `[2]`, `[-1]`, `[1..2]`, `[1 3]`.
fn pick(all: &[Text], index: &str, span: Span, written: &str) -> Vec<Text> {
    if all.iter().any(|text| !text.known) {
        return vec![Text::unknown(
            written,
            span,
            all.iter().find_map(|text| text.taint.clone()),
        )];
    }
    let len = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let place = |text: &str| -> Option<i64> {
        let number: i64 = text.trim().parse().ok()?;
        Some(if number < 0 {
            len.saturating_add(number).saturating_add(1)
        } else {
            number
        })
    };
    let mut out = Vec::new();
    for piece in index.split_whitespace() {
        let (from, to) = match piece.split_once("..") {
            Some((from, to)) => (
                place(if from.is_empty() { "1" } else { from }),
                place(if to.is_empty() { "-1" } else { to }),
            ),
            None => (place(piece), place(piece)),
        };
        let (Some(from), Some(to)) = (from, to) else {
            return vec![Text::unknown(written, span, None)];
        };
        let mut at = from.clamp(0, len.saturating_add(1));
        let to = to.clamp(0, len.saturating_add(1));
        loop {
            if let Some(text) = usize::try_from(at)
                .ok()
                .and_then(|at| all.get(at.checked_sub(1)?))
            {
                out.push(text.clone());
            }
            if at == to || out.len() >= MAX_WORDS {
                break;
            }
            at += if to > at { 1 } else { -1 };
        }
    }
    out
}
