//! Fields of a word while they grow, and how texts are split into them.

use cmdai_schema::Span;

use crate::value::{MAX_TEXT, Taint, Text};

/// Most fields that one word makes.
const MAX_FIELDS: usize = 1_024;

/// Fields while they grow.
pub(crate) struct Fields {
    done: Vec<Text>,
    pub(crate) text: Text,
    started: bool,
    /// A part is not known and not empty either.
    solid: bool,
    span: Span,
}

impl Fields {
    /// Fields that are one at least.
    pub(crate) fn quoted(span: Span) -> Self {
        let mut fields = Self::new(span);
        fields.mark_quoted();
        fields
    }

    pub(crate) fn new(span: Span) -> Self {
        Self {
            done: Vec::new(),
            text: Text::known(String::new(), span),
            started: false,
            solid: false,
            span,
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        if self.text.text.len() + text.len() > MAX_TEXT {
            self.text.known = false;
            return;
        }
        self.started = true;
        self.text.text.push_str(text);
        if let Some(empty) = &mut self.text.empty {
            empty.push_str(text);
        }
    }

    /// A part that is not known; `may_be_empty` where it may be nothing at all.
    pub(crate) fn push_unknown(&mut self, written: &str, may_be_empty: bool, taint: Option<Taint>) {
        self.push_hole(written, may_be_empty.then_some(""), taint);
    }

    /// A text with parts that are not known; what it is where those are empty, if they may be.
    fn push_hole(&mut self, written: &str, empty: Option<&str>, taint: Option<Taint>) {
        self.started = true;
        match empty {
            Some(empty) if !self.solid => {
                let mut before = self
                    .text
                    .empty
                    .take()
                    .unwrap_or_else(|| self.text.text.clone());
                before.push_str(empty);
                self.text.empty = Some(before);
            }
            _ => {
                self.solid = true;
                self.text.empty = None;
            }
        }
        if self.text.text.len() + written.len() <= MAX_TEXT {
            self.text.text.push_str(written);
        }
        self.text.known = false;
        self.text.taint = match (self.text.taint.take(), taint) {
            (Some(first), Some(second)) => Some(first.worse(second)),
            (first, second) => first.or(second),
        };
    }

    /// A text that a variable holds, as one piece. `written` stands for it where nothing is known.
    pub(crate) fn push_value(&mut self, value: &Text, written: &str, quoted: bool) {
        if value.known {
            let pattern = crate::glob::is_pattern(&value.text)
                || value.text.starts_with('~') && self.text.text.is_empty();
            self.push(&value.text);
            if value.glob {
                // Names that a pattern stands for.
                self.text.glob = true;
            } else if pattern && quoted {
                self.text.literal = true;
            }
        } else if value.is_whole_unknown() {
            self.push_unknown(written, value.empty.is_some(), value.taint.clone());
        } else {
            self.text.glob |= value.glob;
            self.push_hole(&value.text, value.empty.as_deref(), value.taint.clone());
        }
    }

    pub(crate) fn mark_quoted(&mut self) {
        self.started = true;
    }

    pub(crate) fn break_field(&mut self) {
        if self.started && self.done.len() >= MAX_FIELDS {
            self.text = Text::known(String::new(), self.span);
            if let Some(last) = self.done.last_mut() {
                *last = Text::rest(self.span);
            }
        } else if self.started {
            let text = std::mem::replace(&mut self.text, Text::known(String::new(), self.span));
            self.done.push(text);
        }
        self.started = false;
        self.solid = false;
    }

    /// Text that is split at the separators, and may hold patterns.
    pub(crate) fn push_split(&mut self, text: &str, separators: &str) {
        let blank = |next: char| matches!(next, ' ' | '\t' | '\n') && separators.contains(next);
        let mut rest = text;
        loop {
            let end = rest
                .find(|next| separators.contains(next))
                .unwrap_or(rest.len());
            let (piece, tail) = rest.split_at(end);
            if !piece.is_empty() {
                self.text.literal |= piece.starts_with('~') && self.text.text.is_empty();
                self.push(piece);
                self.text.glob |= crate::glob::is_pattern(piece);
            }
            if tail.is_empty() {
                return;
            }
            // Blanks, at most one other separator, blanks.
            let tail = tail.trim_start_matches(blank);
            let mut after = tail;
            if let Some(next) = tail.chars().next()
                && separators.contains(next)
            {
                self.mark_quoted();
                after = tail
                    .get(next.len_utf8()..)
                    .unwrap_or("")
                    .trim_start_matches(blank);
            }
            self.break_field();
            rest = after;
        }
    }

    /// A text of a variable that is split, with its parts that are not known.
    pub(crate) fn push_value_split(&mut self, value: &Text, written: &str, separators: &str) {
        if value.known && !value.glob {
            self.push_split(&value.text, separators);
            return;
        }
        if value.glob || value.is_whole_unknown() || !value.text.contains([' ', '\t', '\n']) {
            self.push_value(value, written, false);
            return;
        }
        let pieces = outside_holes(&value.text);
        let empties: Option<Vec<&str>> = value
            .empty
            .as_deref()
            .map(|empty| empty.split([' ', '\t', '\n']).collect());
        let even = empties
            .as_ref()
            .is_some_and(|empties| empties.len() == pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.break_field();
            }
            if piece.is_empty() {
                continue;
            }
            if piece.contains(['$', '`']) {
                let empty = empties
                    .as_ref()
                    .filter(|_| even)
                    .and_then(|empties| empties.get(index).copied());
                self.push_hole(piece, empty, value.taint.clone());
            } else {
                self.push(piece);
                self.text.glob |= crate::glob::is_pattern(piece);
            }
        }
    }

    /// Elements of an array: each its own field.
    pub(crate) fn push_elements(&mut self, elements: &[Text], quoted: bool, separators: &str) {
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.break_field();
            }
            if quoted {
                self.mark_quoted();
                self.push_value(element, "$element", true);
            } else {
                self.push_value_split(element, "$element", separators);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Text> {
        self.break_field();
        self.done
    }
}

/// Pieces between blanks that are not inside a substitution.
fn outside_holes(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut depth, mut ticks, mut from) = (0usize, false, 0usize);
    for (at, next) in text.char_indices() {
        match next {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            '`' => ticks = !ticks,
            ' ' | '\t' | '\n' if depth == 0 && !ticks => {
                pieces.push(text.get(from..at).unwrap_or(""));
                from = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text.get(from..).unwrap_or(""));
    pieces
}

/// Texts joined by something.
pub(crate) fn join_texts(all: &[Text], between: &str, span: Span) -> Text {
    let mut fields = Fields::new(span);
    fields.mark_quoted();
    for (index, text) in all.iter().enumerate() {
        if index > 0 {
            fields.push(between);
        }
        fields.push_value(text, "$element", true);
        fields.text.glob |= text.glob;
    }
    fields
        .finish()
        .into_iter()
        .next()
        .unwrap_or_else(|| Text::known("", span))
}
