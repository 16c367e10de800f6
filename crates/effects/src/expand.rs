//! Words to texts: what the shell would hand to a program, as far as it can be told.

use std::borrow::Cow;

use cmdai_schema::{Dialect, Span};
use cmdai_shell::{List, Part, Tree, Variable, Word};

use crate::{
    analyser::Analyser,
    value::{MAX_TEXT, Map, Stream, Taint, Text},
};

/// Most words that braces make.
const MAX_WORDS: usize = 128;

/// A part, or text that braces made.
#[derive(Clone)]
enum Bit<'x, 't> {
    Part(&'x Part<'t>),
    Made(String),
}

/// Fields while they grow.
pub(crate) struct Fields {
    done: Vec<Text>,
    text: Text,
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

    fn new(span: Span) -> Self {
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
        self.started = true;
        if may_be_empty && !self.solid {
            if self.text.empty.is_none() {
                self.text.empty = Some(self.text.text.clone());
            }
        } else {
            self.solid = true;
            self.text.empty = None;
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

    pub(crate) fn mark_quoted(&mut self) {
        self.started = true;
    }

    fn break_field(&mut self) {
        if self.started && self.done.len() < 4096 {
            let text = std::mem::replace(&mut self.text, Text::known(String::new(), self.span));
            self.done.push(text);
        }
        self.started = false;
        self.solid = false;
    }

    /// Text of a variable that is split at blanks.
    pub(crate) fn push_split(&mut self, text: &str, separators: &str) {
        if text.contains(['*', '?', '[']) {
            self.text.glob = true;
        }
        let mut first = true;
        for piece in text.split(|next| separators.contains(next)) {
            if !first {
                self.break_field();
            }
            first = false;
            if !piece.is_empty() {
                self.push(piece);
                self.text.glob |= piece.contains(['*', '?', '[']);
            }
        }
    }

    /// Elements of an array: each its own field.
    pub(crate) fn push_elements(&mut self, elements: &[String], quoted: bool) {
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.break_field();
            }
            if quoted {
                self.mark_quoted();
                self.push(element);
            } else {
                self.push_split(element, " \t\n");
            }
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Text> {
        self.break_field();
        self.done
    }
}

impl Analyser<'_> {
    pub(crate) fn expand_words(&mut self, tree: &Tree<'_>, words: &[Word<'_>]) -> Vec<Text> {
        let mut out = Vec::with_capacity(words.len());
        for word in words {
            self.expand_word(tree, word, true, &mut out);
        }
        out
    }

    /// A word where no splitting happens: assignments, targets of redirections, patterns.
    pub(crate) fn expand_one(&mut self, tree: &Tree<'_>, word: &Word<'_>) -> Text {
        let mut out = Vec::new();
        self.expand_word(tree, word, false, &mut out);
        match out.len() {
            0 => Text::known(String::new(), self.map.span(word.span)),
            1 => out.swap_remove(0),
            _ => {
                let span = self.map.span(word.span);
                let known = out.iter().all(|field| field.known);
                let text = out
                    .iter()
                    .map(|field| field.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                Text {
                    text,
                    known,
                    span,
                    ..Text::default()
                }
            }
        }
    }

    pub(crate) fn expand_word(
        &mut self,
        tree: &Tree<'_>,
        word: &Word<'_>,
        split: bool,
        out: &mut Vec<Text>,
    ) {
        let span = self.map.span(word.span);
        // Most words are one part without anything to expand.
        if let [Part::Literal(text) | Part::Single(text)] = word.parts.as_slice() {
            out.push(Text {
                text: (*text).to_owned(),
                known: true,
                literal: self.quotes_patterns()
                    && (text.starts_with('~') || crate::glob::is_pattern(text)),
                span,
                offset: self.offset_in(tree, text),
                ..Text::default()
            });
            return;
        }
        if let [Part::Double(inner)] = word.parts.as_slice()
            && let [Part::Literal(text)] = inner.as_slice()
        {
            out.push(Text {
                text: (*text).to_owned(),
                known: true,
                literal: self.quotes_patterns()
                    && (text.starts_with('~') || crate::glob::is_pattern(text)),
                span,
                offset: self.offset_in(tree, text),
                ..Text::default()
            });
            return;
        }
        if self.dialect == Dialect::Fish {
            self.fish_word(tree, word, out);
            return;
        }
        let before = out.len();
        if word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Brace(_) | Part::Range(_)))
        {
            let mut all: Vec<Vec<Bit<'_, '_>>> = vec![Vec::new()];
            if braces(&word.parts, &mut all) {
                self.unknown = true;
            }
            for bits in &all {
                let mut fields = Fields::new(span);
                let mut bits = bits.iter().peekable();
                // What an empty alternative leaves in front may be a tilde: `{,x}~`.
                if let Some(text) = bits
                    .peek()
                    .map(|first| text_of(first))
                    .filter(|text| text.starts_with('~'))
                {
                    let text = text.to_owned();
                    let rest = text.get(1..).unwrap_or("");
                    let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                    bits.next();
                    if path.is_empty()
                        && bits
                            .peek()
                            .is_some_and(|next| !text_of(next).starts_with('/'))
                    {
                        fields.push(&text);
                    } else {
                        self.tilde(name, &mut fields);
                        fields.push(path);
                    }
                }
                while let Some(bit) = bits.next() {
                    match bit {
                        // Braces come first: `$v{a,b}` is `$va $vb`.
                        Bit::Part(Part::Variable(variable))
                            if is_plain(variable)
                                && bits.peek().is_some_and(|next| continues(next)) =>
                        {
                            let mut name = variable.name.to_owned();
                            let mut rest = String::new();
                            while let Some(next) = bits.next_if(|next| continues(next)) {
                                let text = text_of(next);
                                let end = text
                                    .bytes()
                                    .position(|byte| !is_name(byte))
                                    .unwrap_or(text.len());
                                name.push_str(text.get(..end).unwrap_or(""));
                                if end < text.len() {
                                    text.get(end..).unwrap_or("").clone_into(&mut rest);
                                    break;
                                }
                            }
                            let joined = Variable {
                                name: &name,
                                span: variable.span,
                                ..Variable::default()
                            };
                            self.expand_variable(tree, &joined, false, split, &mut fields);
                            if !rest.is_empty() {
                                fields.push(&rest);
                            }
                        }
                        Bit::Part(Part::Tilde(name))
                            if bits.peek().is_some_and(|next| match next {
                                Bit::Part(Part::Literal(_)) | Bit::Made(_) => {
                                    blocks_tilde(text_of(next))
                                }
                                Bit::Part(_) => true,
                            }) =>
                        {
                            fields.push("~");
                            fields.push(name);
                        }
                        Bit::Part(part) => self.expand_part(tree, part, false, split, &mut fields),
                        Bit::Made(text) => fields.push(text),
                    }
                }
                out.extend(fields.finish());
            }
        } else {
            let mut fields = Fields::new(span);
            let mut parts = word.parts.iter().peekable();
            while let Some(part) = parts.next() {
                match (part, parts.peek()) {
                    (Part::Tilde(name), Some(Part::Literal(next))) if blocks_tilde(next) => {
                        fields.push("~");
                        fields.push(name);
                    }
                    _ => self.expand_part(tree, part, false, split, &mut fields),
                }
            }
            out.extend(fields.finish());
        }
        // A prefix that stands as it is keeps its place.
        if let (Some(Part::Literal(text)), Some(first)) = (word.parts.first(), out.get_mut(before))
        {
            first.offset = None;
            let _ = text;
        }
    }

    /// Offset of a slice of the text that is read.
    fn offset_in(&self, tree: &Tree<'_>, text: &str) -> Option<usize> {
        let start = (text.as_ptr() as usize).checked_sub(tree.source.as_ptr() as usize)?;
        if start <= tree.source.len() {
            self.map.offset(start)
        } else {
            None
        }
    }

    /// Text of parts in which nothing is split: inside double quotes, here-documents, operands.
    pub(crate) fn expand_inner(&mut self, tree: &Tree<'_>, parts: &[Part<'_>]) -> Text {
        let span = parts_span(self.map, parts);
        let mut fields = Fields::new(span);
        fields.mark_quoted();
        for part in parts {
            self.expand_part(tree, part, true, false, &mut fields);
        }
        join(fields.finish(), span)
    }

    /// Quoted pattern characters stand for themselves, where the shell is one that hands them on so.
    fn quoting(&self, text: &str, fields: &mut Fields) {
        let tilde = text.starts_with('~') && fields.text.text.len() == text.len();
        fields.text.literal |= self.quotes_patterns() && (tilde || crate::glob::is_pattern(text));
    }

    fn quotes_patterns(&self) -> bool {
        matches!(
            self.dialect,
            Dialect::Bash | Dialect::Zsh | Dialect::Sh | Dialect::Fish
        )
    }

    fn expand_part(
        &mut self,
        tree: &Tree<'_>,
        part: &Part<'_>,
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) {
        match part {
            Part::Literal(text) => {
                fields.push(text);
                if quoted {
                    self.quoting(text, fields);
                }
            }
            Part::Escaped(text) => {
                fields.push(text);
                self.quoting(text, fields);
            }
            Part::Single(text) => {
                fields.mark_quoted();
                fields.push(text);
                self.quoting(text, fields);
            }
            Part::AnsiC(text) => {
                fields.mark_quoted();
                fields.push(text);
                self.quoting(text, fields);
            }
            Part::Double(inner) => {
                // `"$@"` without arguments is no field at all.
                if !(inner.len() == 1
                    && matches!(inner.first(), Some(Part::Variable(variable)) if matches!(variable.name, "@") || variable.index == Some("@")))
                {
                    fields.mark_quoted();
                }
                for part in inner {
                    self.expand_part(tree, part, true, false, fields);
                }
            }
            Part::Glob(text) => {
                fields.push(text);
                fields.text.glob = true;
            }
            Part::Tilde(name) => self.tilde(name, fields),
            Part::Variable(variable) => self.expand_variable(tree, variable, quoted, split, fields),
            Part::Command(list, span) => {
                let printed = self.capture(tree, list);
                self.push_stream(printed, *span, tree, quoted, split, fields);
            }
            Part::CommandText(text, span) => {
                let outer = self.map.span(*span);
                let before = self.env.clone();
                let printed = self
                    .deeper(outer, |this| {
                        this.nested_text(text, Map::Fixed(outer), this.dialect, &Stream::Empty)
                    })
                    .unwrap_or(Stream::UNKNOWN);
                self.leave_subshell(before);
                self.push_stream(printed, *span, tree, quoted, split, fields);
            }
            Part::Process(list, _, span) => {
                let printed = self.capture(tree, list);
                let number = self.env.files.len();
                let path = format!("/dev/fd/cmdai-{number}");
                self.env.files.push((path.clone(), printed));
                let _ = span;
                fields.push(&path);
            }
            Part::Arithmetic(inner, span) => {
                let text = self.expand_inner(tree, inner);
                match text
                    .known
                    .then(|| crate::arithmetic::evaluate(&text.text, &|name| self.number(name)))
                    .flatten()
                {
                    Some(number) => fields.push(&number.to_string()),
                    None => fields.push_unknown(span.of(tree.source), false, None),
                }
            }
            // Braces inside operands stay as they are.
            Part::Brace(alternatives) => {
                for part in alternatives.first().into_iter().flatten() {
                    self.expand_part(tree, part, quoted, split, fields);
                }
            }
            Part::Range(text) => fields.push(text),
            Part::Array(words) => {
                let texts = self.expand_words(tree, words);
                fields.mark_quoted();
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        fields.push(" ");
                    }
                    fields.push(&text.text);
                }
            }
            Part::Unknown(span) => {
                self.unknown = true;
                fields.push_unknown(span.of(tree.source), false, Some(Taint::Unknown));
            }
            Part::Expression(_) | Part::Splat(..) => {
                self.unknown = true;
                fields.push_unknown("", false, Some(Taint::Unknown));
            }
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self
            .env
            .get(name)
            .map(|value| value.alternatives.as_slice())
        {
            Some([text]) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn push_stream(
        &mut self,
        printed: Stream,
        span: Span,
        tree: &Tree<'_>,
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) {
        match printed {
            Stream::Empty => {}
            Stream::Known(text) => {
                let text = text.trim_end_matches('\n');
                if quoted || !split {
                    fields.push(text);
                } else {
                    let separators = self.separators();
                    fields.push_split(text, &separators);
                }
            }
            Stream::Tainted(taint) => fields.push_unknown(span.of(tree.source), false, Some(taint)),
        }
    }

    /// What the commands of a substitution print.
    pub(crate) fn capture(&mut self, tree: &Tree<'_>, list: &List<'_>) -> Stream {
        // `$(< FILE)`
        let before = self.env.clone();
        let place = self.place.take();
        let beside = std::mem::replace(&mut self.beside, false);
        let ambient = self.calls.len();
        let printed = self.list(tree, list, &Stream::Empty);
        self.calls.truncate(ambient);
        self.place = place;
        self.beside = beside;
        self.leave_subshell(before);
        printed
    }

    /// Characters that unquoted expansions are split at.
    pub(crate) fn separators(&self) -> Cow<'static, str> {
        match self
            .env
            .get("IFS")
            .map(|value| value.alternatives.as_slice())
        {
            Some([text]) => Cow::Owned(text.clone()),
            _ => Cow::Borrowed(" \t\n"),
        }
    }

    pub(crate) fn tilde(&mut self, name: &str, fields: &mut Fields) {
        match name {
            "" => {
                let home = self.home();
                fields.push(&home);
            }
            "root" => fields.push("/root"),
            "+" => {
                let cwd = self.env.cwd.clone();
                fields.push(&cwd);
            }
            "-" => fields.push_unknown("~-", false, None),
            name if name.starts_with(['+', '-']) => fields.push(&format!("~{name}")),
            name if name == self.context.user => fields.push(self.context.home),
            name => fields.push(&format!("/home/{name}")),
        }
    }

    /// The home in force.
    pub(crate) fn home(&self) -> String {
        match self
            .env
            .get("HOME")
            .map(|value| value.alternatives.as_slice())
        {
            Some([home]) if home.starts_with('/') => home.clone(),
            _ => self.context.home.to_owned(),
        }
    }
}

/// True where a text after a tilde makes it plain text.
fn blocks_tilde(next: &str) -> bool {
    !next.is_empty() && !next.starts_with(['/', ':'])
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `$name`, without braces.
fn is_plain(variable: &Variable<'_>) -> bool {
    (variable.span.end - variable.span.start) as usize == variable.name.len() + 1
        && !variable
            .name
            .starts_with(|first: char| !(first.is_ascii_alphabetic() || first == '_'))
}

fn text_of<'x>(bit: &'x Bit<'_, '_>) -> &'x str {
    match bit {
        Bit::Part(Part::Literal(text)) => text,
        Bit::Made(text) => text,
        Bit::Part(_) => "",
    }
}

fn continues(bit: &Bit<'_, '_>) -> bool {
    text_of(bit).bytes().next().is_some_and(is_name)
}

fn parts_span(map: Map, parts: &[Part<'_>]) -> Span {
    let span = parts.iter().find_map(|part| match part {
        Part::Variable(variable) => Some(variable.span),
        Part::Command(_, span)
        | Part::CommandText(_, span)
        | Part::Process(_, _, span)
        | Part::Arithmetic(_, span) => Some(*span),
        _ => None,
    });
    map.span(span.unwrap_or_default())
}

fn join(mut fields: Vec<Text>, span: Span) -> Text {
    if fields.len() == 1 {
        return fields.swap_remove(0);
    }
    let known = fields.iter().all(|field| field.known);
    let text = fields
        .iter()
        .map(|field| field.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    Text {
        text,
        known,
        span,
        ..Text::default()
    }
}

/// Expands braces: each sequence of bits is a word of its own. True where some had to be left out.
fn braces<'x, 't>(parts: &'x [Part<'t>], all: &mut Vec<Vec<Bit<'x, 't>>>) -> bool {
    let mut cut = false;
    for part in parts {
        let choices: Vec<Vec<Bit<'x, 't>>> = match part {
            Part::Brace(alternatives) => {
                let mut choices = Vec::new();
                for alternative in alternatives {
                    let mut inner = vec![Vec::new()];
                    cut |= braces(alternative, &mut inner);
                    choices.append(&mut inner);
                    choices.truncate(MAX_WORDS);
                }
                choices
            }
            Part::Range(text) => range(text)
                .into_iter()
                .map(|text| vec![Bit::Made(text)])
                .collect(),
            other => {
                for bits in all.iter_mut() {
                    bits.push(Bit::Part(other));
                }
                continue;
            }
        };
        if all.len() * choices.len() > MAX_WORDS && all.len() > 1 {
            // Too many: the first choice stands for the others from here on.
            cut = true;
            for bits in all.iter_mut() {
                bits.extend(choices.first().into_iter().flatten().cloned());
            }
            continue;
        }
        cut |= choices.len() >= MAX_WORDS;
        let mut next = Vec::with_capacity(all.len() * choices.len());
        for bits in all.iter() {
            for choice in &choices {
                let mut joined = bits.clone();
                joined.extend(choice.iter().cloned());
                next.push(joined);
            }
        }
        *all = next;
    }
    cut
}

fn range(text: &str) -> Vec<String> {
    let mut ends = text.splitn(3, "..");
    let (first, last) = (ends.next().unwrap_or(""), ends.next().unwrap_or(""));
    let step = ends
        .next()
        .and_then(|step| step.parse::<i64>().ok())
        .map_or(1, |step| step.unsigned_abs().max(1));
    let width = if first.trim_start_matches('-').starts_with('0') && first.len() > 1
        || last.trim_start_matches('-').starts_with('0') && last.len() > 1
    {
        first.len().max(last.len())
    } else {
        0
    };
    let (from, to, letters) = match (first.parse::<i64>(), last.parse::<i64>()) {
        (Ok(from), Ok(to)) => (from, to, false),
        _ => match (first.chars().next(), last.chars().next()) {
            (Some(from), Some(to)) => (i64::from(u32::from(from)), i64::from(u32::from(to)), true),
            _ => return vec![text.to_owned()],
        },
    };
    let mut out = Vec::new();
    let mut at = from;
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    while out.len() < MAX_WORDS {
        out.push(if letters {
            u8::try_from(at)
                .map(|byte| char::from(byte).to_string())
                .unwrap_or_default()
        } else {
            format!("{at:0width$}")
        });
        let next = if from <= to {
            at.checked_add(step)
        } else {
            at.checked_sub(step)
        };
        match next {
            Some(next) if from <= to && next <= to || from > to && next >= to => at = next,
            _ => break,
        }
    }
    out
}
