//! Words to texts: what the shell would hand to a program, as far as it can be told.

use std::borrow::Cow;

use cmdai_schema::{Dialect, Span};
use cmdai_shell::{CommandKind, List, Part, Redirection, Tree, Variable, Word};

use crate::{
    analyser::{Analyser, Flow},
    braces::{Bit, braces},
    fields::{Fields, join_texts},
    state::Value,
    value::{Map, Stream, Taint, Text},
};

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
            _ => join_texts(&out, " ", self.map.span(word.span)),
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
        if self.dialect == Dialect::Powershell {
            self.ps_word(tree, word, out);
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
        let mut all = fields.finish();
        if all.len() == 1 {
            return all.swap_remove(0);
        }
        join_texts(&all, " ", span)
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

    pub(crate) fn expand_part(
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
                    && matches!(inner.first(), Some(Part::Variable(variable)) if (matches!(variable.name, "@") || variable.index == Some("@") || variable.indirect && variable.op == Some(cmdai_shell::Operator::Transform('*'))) && !variable.length))
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
            Part::Process(list, ..) => {
                let printed = self.capture(tree, list);
                let number = self.env.files.len();
                let path = format!("/dev/fd/cmdai-{number}");
                if number < 256 {
                    self.env.files.push((path.clone(), printed));
                }
                fields.push(&path);
            }
            Part::Arithmetic(inner, span) => {
                let text = self.expand_inner(tree, inner);
                match self.calculate(&text) {
                    Some(number) => fields.push(&number.to_string()),
                    None => fields.push_unknown(span.of(tree.source), false, None),
                }
            }
            // Braces inside operands stay as they are.
            Part::Brace(alternatives) => {
                for (index, alternative) in alternatives.iter().enumerate() {
                    fields.push(if index == 0 { "{" } else { "," });
                    for part in alternative {
                        self.expand_part(tree, part, quoted, split, fields);
                    }
                }
                fields.push("}");
            }
            Part::Range(text) => {
                fields.push("{");
                fields.push(text);
                fields.push("}");
            }
            Part::Array(words) => self.declared_array(tree, words, fields),
            Part::Subscript(key, append) => {
                fields.push("[");
                fields.push(key);
                fields.push(if *append { "]+=" } else { "]=" });
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
                    if quoted {
                        self.quoting(text, fields);
                    }
                } else {
                    let separators = self.separators();
                    fields.push_split(text, &separators);
                }
            }
            Stream::Partial(mut text) => {
                let kept = text.text.trim_end_matches('\n').len();
                text.text.truncate(kept);
                if let Some(empty) = &mut text.empty {
                    let kept = empty.trim_end_matches('\n').len();
                    empty.truncate(kept);
                }
                if quoted || !split {
                    fields.push_value(&text, span.of(tree.source), quoted);
                } else {
                    let separators = self.separators();
                    fields.push_value_split(&text, span.of(tree.source), &separators);
                }
            }
            Stream::Tainted(taint) => fields.push_unknown(span.of(tree.source), false, Some(taint)),
        }
    }

    /// What the commands of a substitution print.
    pub(crate) fn capture(&mut self, tree: &Tree<'_>, list: &List<'_>) -> Stream {
        let before = self.env.clone();
        let place = self.place.take();
        let beside = std::mem::replace(&mut self.beside, false);
        let ambient = self.calls.len();
        let inner = std::mem::replace(&mut self.picks.inner, true);
        let declaring = self.declaring.take();
        let waiting = self.at_exit.len();
        let printed = match just_a_file(list) {
            Some(redirections) => self
                .redirections(tree, redirections, &Stream::Empty)
                .stdin
                .unwrap_or_default(),
            None => self.list(tree, list, &Stream::Empty),
        };
        self.declaring = declaring;
        self.picks.inner = inner;
        self.flow = Flow::On;
        self.leave_shell(waiting);
        self.calls.truncate(ambient);
        self.place = place;
        self.beside = beside;
        self.leave_subshell(before);
        printed
    }

    /// Characters that unquoted expansions are split at.
    pub(crate) fn separators(&self) -> Cow<'static, str> {
        match self.env.get("IFS").and_then(Value::only) {
            Some(text) => Cow::Owned(text.to_owned()),
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
            "-" => match self.env.get("OLDPWD").and_then(Value::only) {
                Some(folder) => {
                    let folder = folder.to_owned();
                    fields.push(&folder);
                }
                None => fields.push_unknown("~-", false, None),
            },
            name if name.starts_with(['+', '-']) => fields.push(&format!("~{name}")),
            name if name == self.context.user => fields.push(self.context.home),
            name => fields.push(&format!("/home/{name}")),
        }
    }

    /// The home in force.
    pub(crate) fn home(&self) -> String {
        match self.env.get("HOME").and_then(Value::only) {
            Some(home) if home.starts_with('/') => home.to_owned(),
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

/// The redirections of `$(< FILE)`.
fn just_a_file<'l, 'a>(list: &'l List<'a>) -> Option<&'l [Redirection<'a>]> {
    let [item] = list.items.as_slice() else {
        return None;
    };
    let ([command], []) = (
        item.and_or.first.stages.as_slice(),
        item.and_or.rest.as_slice(),
    ) else {
        return None;
    };
    match &command.kind {
        CommandKind::Simple(simple)
            if simple.words.is_empty()
                && simple.assignments.is_empty()
                && command.redirections.len() == 1 =>
        {
            Some(&command.redirections)
        }
        _ => None,
    }
}
