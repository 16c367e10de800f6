//! Variables: what they hold, and what `${x…}` makes of it.

use cmdai_schema::{Dialect, Span};
use cmdai_shell::{CommandKind, Operator, Part, Tree, Variable};

use crate::{
    Elements,
    analyser::Analyser,
    fields::{Fields, join_texts},
    operator,
    state::{Array, MAX_ELEMENTS, Value},
    value::{Map, Text},
};

/// What a lookup yields.
enum Found {
    /// One text, perhaps with parts that are not known.
    One(Text),
    /// Elements, each with its number or key.
    Many(Vec<(String, Text)>),
    /// Known to be unset.
    Unset,
}

impl Found {
    fn unknown(may_be_empty: bool) -> Self {
        Self::One(Text {
            empty: may_be_empty.then(String::new),
            ..Text::default()
        })
    }

    fn known(text: impl Into<String>) -> Self {
        Self::One(Text::known(text, Span::default()))
    }
}

fn numbered(texts: impl IntoIterator<Item = Text>) -> Vec<(String, Text)> {
    texts
        .into_iter()
        .enumerate()
        .map(|(at, text)| ((at + 1).to_string(), text))
        .collect()
}

/// What modifiers make of it.
fn zsh_modified(variable: &Variable<'_>, found: Found) -> Found {
    let by = match variable.operand.as_slice() {
        [Part::Literal(by)] => *by,
        _ => "",
    };
    let apply = |text: Text| {
        let known = text.known;
        match crate::zsh::modified(&text.text, by).filter(|_| known) {
            Some(changed) => Text {
                text: changed,
                empty: None,
                offset: None,
                ..text
            },
            None => Text {
                empty: Some(String::new()),
                taint: text.taint,
                ..Text::default()
            },
        }
    };
    match found {
        Found::One(text) => Found::One(apply(text)),
        Found::Many(all) => Found::Many(
            all.into_iter()
                .map(|(key, text)| (key, apply(text)))
                .collect(),
        ),
        Found::Unset => Found::Unset,
    }
}

impl Analyser<'_> {
    /// Value of a variable, of the text or of the session; nothing where nobody knows.
    pub(crate) fn variable(&self, name: &str) -> Option<Value> {
        match self.env.get(name) {
            Some(value) => Some(value.clone()),
            None => self.session_variable(self.env.target(name)),
        }
    }

    fn lookup(&mut self, name: &str, index: Option<&str>, span: Span) -> Found {
        if self.dialect == Dialect::Zsh {
            let whole = self.lookup_any(name, None, span);
            let all = match (whole, self.variable(name).and_then(|value| value.array)) {
                (_, Some(array)) if index.is_none() => Found::Many(array.items.clone()),
                (_, Some(array)) if array.named => {
                    return self.lookup_any(name, index, span);
                }
                (_, Some(array)) => Found::Many(array.items.clone()),
                (found, None) => found,
            };
            return match index {
                None => all,
                Some(raw) => self.zsh_subscript(all, raw, span),
            };
        }
        self.lookup_any(name, index, span)
    }

    /// `$x[2]`, `$x[1,3]`: elements, or characters of a text.
    fn zsh_subscript(&mut self, found: Found, raw: &str, span: Span) -> Found {
        if matches!(raw, "@" | "*") {
            return found;
        }
        let (first, last) = match raw.split_once(',') {
            Some((first, last)) => (first, Some(last)),
            None => (raw, None),
        };
        let mut number = |raw: &str| {
            let text = self.raw_text(raw, span);
            self.calculate(&text)
        };
        let (first, last) = match (number(first), last.map(&mut number)) {
            (Some(first), None) => (first, None),
            (Some(first), Some(Some(last))) => (first, Some(last)),
            _ => return Found::unknown(true),
        };
        match found {
            Found::Many(all) => match crate::zsh::range(first, last, all.len()) {
                Some(range) if last.is_some() => {
                    Found::Many(all.get(range).unwrap_or_default().to_vec())
                }
                Some(range) => all
                    .get(range.start)
                    .filter(|_| !range.is_empty())
                    .map_or(Found::Unset, |(_, text)| Found::One(text.clone())),
                None => Found::unknown(true),
            },
            Found::One(text) if text.known => {
                let count = text.text.chars().count();
                match crate::zsh::range(first, last, count) {
                    Some(range) => Found::known(
                        text.text
                            .chars()
                            .skip(range.start)
                            .take(range.len())
                            .collect::<String>(),
                    ),
                    None => Found::unknown(true),
                }
            }
            Found::One(_) => Found::unknown(true),
            Found::Unset => Found::Unset,
        }
    }

    /// What the flags of zsh make of it.
    fn zsh_flagged(&mut self, found: Found, flags: &str, span: Span) -> Found {
        let indirect = flags.starts_with('(') && flags.contains('P');
        let flags = flags.replace('P', "");
        let found = match found {
            Found::One(name) if indirect => {
                if name.known {
                    self.lookup(&name.text, None, span)
                } else {
                    Found::unknown(true)
                }
            }
            found => found,
        };
        let texts = match found {
            Found::One(text) => vec![text],
            Found::Many(all) => all.into_iter().map(|(_, text)| text).collect(),
            Found::Unset => return Found::Unset,
        };
        let taint = texts.iter().find_map(|text| text.taint.clone());
        match crate::zsh::flagged(texts, &flags, span) {
            Some((texts, false)) => match texts.into_iter().next() {
                Some(text) => Found::One(text),
                None => Found::Unset,
            },
            Some((texts, true)) => Found::Many(numbered(texts)),
            None => Found::One(Text {
                taint,
                empty: Some(String::new()),
                ..Text::default()
            }),
        }
    }

    // Apart, for the frames of what calls itself are to be small.
    fn zsh_inner(
        &mut self,
        tree: &Tree<'_>,
        inner: &Part<'_>,
        index: Option<&str>,
        span: Span,
    ) -> Found {
        let mut aside = Fields::new(span);
        self.expand_part(tree, inner, false, false, &mut aside);
        let mut all = aside.finish();
        let found = match all.len() {
            0 => Found::Unset,
            1 => Found::One(all.swap_remove(0)),
            _ => Found::Many(numbered(all)),
        };
        match index {
            Some(raw) => self.zsh_subscript(found, raw, span),
            None => found,
        }
    }

    fn zsh_operated(
        &mut self,
        tree: &Tree<'_>,
        variable: &Variable<'_>,
        found: Found,
        quoted: bool,
        span: Span,
    ) -> Found {
        let mut aside = Fields::new(span);
        let found = self
            .operate(tree, variable, found, quoted, false, &mut aside)
            .unwrap_or_else(|| {
                let mut all = aside.finish();
                match all.len() {
                    0 => Found::Unset,
                    1 => Found::One(all.swap_remove(0)),
                    _ => Found::Many(numbered(all)),
                }
            });
        self.zsh_flagged(found, variable.flags, span)
    }

    fn lookup_any(&mut self, name: &str, index: Option<&str>, span: Span) -> Found {
        if let Some(found) = self.special(name) {
            return found;
        }
        let Some(value) = self.variable(name) else {
            if let Some(raw) = index
                && raw.contains(['$', '`'])
            {
                // Whatever runs in it runs.
                self.raw_text(raw, span);
            }
            return match index {
                Some("@" | "*") => Found::One(Text {
                    empty: Some(String::new()),
                    ..Text::default()
                }),
                _ => Found::unknown(true),
            };
        };
        if let Some(array) = &value.array {
            return match index {
                Some("@" | "*") => Found::Many(array.items.clone()),
                None => array
                    .get("0")
                    .map_or(Found::Unset, |text| Found::One(text.clone())),
                Some(raw) => {
                    let array = array.clone();
                    self.element(name, &array, raw, span)
                }
            };
        }
        match (value.alternatives.len(), index) {
            (0, Some("@" | "*")) => Found::Many(Vec::new()),
            (0, _) => Found::Unset,
            (len, index) => {
                let at = if len > 1 {
                    self.picks.digit(name, len)
                } else {
                    0
                };
                let Some(text) = value.alternatives.into_iter().nth(at) else {
                    return Found::Unset;
                };
                match index {
                    Some("@" | "*") if text.known => Found::Many(vec![("0".to_owned(), text)]),
                    None | Some("@" | "*") => Found::One(text),
                    Some(raw) => match self.subscript(raw, false, span, 1).as_deref() {
                        Some("0") => Found::One(text),
                        Some(_) if text.known => Found::Unset,
                        _ => Found::unknown(true),
                    },
                }
            }
        }
    }

    /// An element of an array; one of them, where the key is not known.
    fn element(&mut self, name: &str, array: &Array, raw: &str, span: Span) -> Found {
        match self.subscript(raw, array.named, span, array.next_index()) {
            Some(key) => array
                .get(&key)
                .map_or(Found::Unset, |text| Found::One(text.clone())),
            None if array.items.is_empty() => Found::unknown(true),
            None => {
                let len = array.items.len().min(8);
                let at = self.picks.digit(name, len);
                array
                    .items
                    .get(at)
                    .map_or(Found::Unset, |(_, text)| Found::One(text.clone()))
            }
        }
    }

    /// What stands between brackets, as a key; nothing where it cannot be told.
    pub(crate) fn subscript(
        &mut self,
        raw: &str,
        named: bool,
        span: Span,
        next: i64,
    ) -> Option<String> {
        let text = self.raw_text(raw, span);
        if named {
            return text.known.then_some(text.text);
        }
        let number = self.calculate(&text)?;
        let number = if self.dialect == Dialect::Zsh && number > 0 {
            // The first one is number one.
            number - 1
        } else if number < 0 {
            next.checked_add(number)?
        } else {
            number
        };
        (number >= 0).then(|| number.to_string())
    }

    /// A piece of the line that was not read as words, expanded.
    pub(crate) fn raw_text(&mut self, raw: &str, span: Span) -> Text {
        if !raw.contains(['$', '`', '"', '\'', '\\']) {
            return Text::known(raw, span);
        }
        let read = self.deeper(span, |this| {
            let tree = cmdai_shell::parse(raw, this.dialect);
            let command = tree
                .body
                .items
                .first()
                .and_then(|item| item.and_or.first.stages.first());
            let Some(CommandKind::Simple(simple)) = command.map(|command| &command.kind) else {
                return None;
            };
            let outer = std::mem::replace(&mut this.map, Map::Fixed(span));
            let texts: Vec<Text> = simple
                .words
                .iter()
                .map(|word| this.expand_one(&tree, word))
                .collect();
            this.map = outer;
            let whole = tree.body.items.len() == 1 && simple.assignments.is_empty();
            whole.then(|| join_texts(&texts, " ", span))
        });
        read.flatten()
            .unwrap_or_else(|| Text::unknown(raw, span, None))
    }

    fn special(&mut self, name: &str) -> Option<Found> {
        let first = name.bytes().next()?;
        if first.is_ascii_lowercase() {
            return None;
        }
        let positional = self.env.positional.as_deref();
        match name {
            "@" | "*" => Some(Found::Many(
                // A line that is typed has no arguments.
                numbered(positional.unwrap_or_default().iter().cloned()),
            )),
            "#" => Some(Found::known(
                positional.unwrap_or_default().len().to_string(),
            )),
            "?" => Some(match self.status.known() {
                Some(true) => Found::known("0"),
                _ => Found::unknown(false),
            }),
            "$" | "!" | "-" | "_" | "RANDOM" | "SRANDOM" | "SECONDS" | "LINENO" | "BASHPID"
            | "PPID" | "EPOCHSECONDS" | "EPOCHREALTIME" => Some(Found::unknown(false)),
            "0" => Some(Found::One(
                self.env
                    .get("0")
                    .and_then(|value| value.alternatives.first().cloned())
                    .unwrap_or_else(|| Text::known("bash", Span::default())),
            )),
            _ if first.is_ascii_digit() => {
                let number: usize = name.parse().ok()?;
                let arg = positional.and_then(|args| args.get(number.checked_sub(1)?));
                Some(match (arg, positional) {
                    (Some(arg), _) => Found::One(arg.clone()),
                    (None, Some(_)) => Found::Unset,
                    (None, None) => Found::unknown(true),
                })
            }
            _ => None,
        }
    }

    /// Variables that the text does not set.
    pub(crate) fn session_variable(&self, name: &str) -> Option<Value> {
        let element = |text: String| Text::known(text, Span::default());
        match self.context.session.elements(name) {
            Some(Elements::Listed(all)) => {
                return Some(Value::array(all.into_iter().map(element).collect()));
            }
            Some(Elements::Named(all)) => {
                let more = |(key, text)| (key, element(text));
                return Some(Value::elements(Array {
                    items: all.into_iter().take(MAX_ELEMENTS).map(more).collect(),
                    named: true,
                }));
            }
            None => {}
        }
        if let Some(value) = self.context.session.variable(name) {
            return Some(Value::known(value));
        }
        let known = match name {
            "HOME" => self.context.home,
            "PWD" => self.env.cwd.as_str(),
            "USER" | "LOGNAME" => self.context.user,
            "IFS" => " \t\n",
            "PATH" => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SHELL" | "BASH" => "/bin/bash",
            "TERM" => "xterm-256color",
            "OPTIND" => "1",
            "HOSTNAME" | "UID" | "EUID" | "BASH_VERSION" | "HOSTTYPE" | "OSTYPE" | "MACHTYPE"
            | "BASH_VERSINFO" | "BASHOPTS" | "SHELLOPTS" | "OPTERR" | "SHLVL" => {
                return Some(Value::solid(None));
            }
            _ if self.context.session.is_live() => return Some(Value::default()),
            "LANG" | "DISPLAY" | "EDITOR" | "OLDPWD" | "GITHUB_WORKSPACE" => {
                return Some(Value::solid(None));
            }
            _ => return None,
        };
        Some(Value::known(known))
    }

    pub(crate) fn expand_variable(
        &mut self,
        tree: &Tree<'_>,
        variable: &Variable<'_>,
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) {
        let span = self.map.span(variable.span);
        let written = variable.span.of(tree.source);
        // What is written in the line, for texts that braces joined with a name.
        let joined;
        let written =
            if written.is_empty() || variable.op.is_none() && !written.contains(variable.name) {
                joined = format!("${}", variable.name);
                joined.as_str()
            } else {
                written
            };
        if !variable.operand.is_empty() && !self.step(span) {
            fields.push_unknown(written, false, None);
            return;
        }
        let star = variable.name == "*" || variable.index == Some("*");
        let mut found = if variable.op == Some(Operator::Other) {
            for part in &variable.operand {
                // Whatever runs in it runs.
                let mut aside = Fields::new(span);
                self.expand_part(tree, part, true, false, &mut aside);
            }
            Found::unknown(true)
        } else if let Some(inner) = &variable.inner {
            self.zsh_inner(tree, inner, variable.index, span)
        } else if variable.indirect {
            self.indirect(variable, span)
        } else {
            self.lookup(variable.name, variable.index, span)
        };
        if variable.length {
            match found {
                Found::One(text) if text.known => {
                    fields.push(&text.text.chars().count().to_string());
                }
                Found::Many(all) => fields.push(&all.len().to_string()),
                Found::Unset => fields.push("0"),
                Found::One(_) => fields.push_unknown(written, false, None),
            }
            return;
        }
        if self.env.nounset
            && variable.op.is_none()
            && let Found::One(text) = &mut found
            && text.is_whole_unknown()
        {
            // The shell stops at an unset variable; an empty one is still possible, but far away.
            text.empty = None;
        }
        let listing = variable.indirect && matches!(variable.op, Some(Operator::Transform('*')));
        // The operand of an operator that is not known was expanded already.
        let found = if listing || variable.op == Some(Operator::Other) {
            Some(found)
        } else if variable.flags.is_empty() {
            self.operate(tree, variable, found, quoted, split, fields)
        } else {
            Some(self.zsh_operated(tree, variable, found, quoted, span))
        };
        match found {
            None | Some(Found::Unset) => {}
            Some(Found::One(text)) => {
                if quoted || !split {
                    fields.push_value(&text, written, quoted);
                } else {
                    let separators = self.separators();
                    fields.push_value_split(&text, written, &separators);
                }
            }
            Some(Found::Many(all)) => {
                let all: Vec<Text> = all.into_iter().map(|(_, text)| text).collect();
                let separators = self.separators();
                if quoted && star || !split && !quoted {
                    let between = if star {
                        separators.chars().next().map(String::from)
                    } else {
                        Some(" ".to_owned())
                    };
                    let text = join_texts(&all, between.as_deref().unwrap_or(""), span);
                    if !all.is_empty() {
                        fields.push_value(&text, written, quoted);
                    }
                } else {
                    fields.push_elements(&all, quoted, &separators);
                }
            }
        }
    }

    /// `${!x}`, `${!x*}`, `${!x[@]}`
    fn indirect(&mut self, variable: &Variable<'_>, span: Span) -> Found {
        if variable.op == Some(Operator::Transform('*')) {
            let mut names: Vec<&String> = self
                .env
                .vars
                .iter()
                .filter(|(name, value)| name.starts_with(variable.name) && !value.is_unset())
                .map(|(name, _)| name)
                .collect();
            names.sort();
            names.dedup();
            return Found::Many(numbered(
                names
                    .into_iter()
                    .map(|name| Text::known(name.as_str(), span)),
            ));
        }
        if matches!(variable.index, Some("@" | "*")) {
            return match self.lookup(variable.name, variable.index, span) {
                Found::Many(all) => Found::Many(
                    all.into_iter()
                        .map(|(key, _)| (key.clone(), Text::known(key, span)))
                        .collect(),
                ),
                other => other,
            };
        }
        if let Some(reference) = self
            .env
            .slot(variable.name)
            .and_then(|value| value.reference.clone())
        {
            return Found::known(&*reference);
        }
        match self.lookup(variable.name, variable.index, span) {
            Found::One(name) if name.known && !name.text.is_empty() => {
                match name.text.split_once('[') {
                    Some((array, index)) => {
                        self.lookup(array, Some(index.trim_end_matches(']')), span)
                    }
                    None => self.lookup(&name.text, None, span),
                }
            }
            Found::Unset => Found::Unset,
            _ => Found::unknown(true),
        }
    }

    /// What an operator makes of it; nothing where the operand went into the fields by itself.
    fn operate(
        &mut self,
        tree: &Tree<'_>,
        variable: &Variable<'_>,
        found: Found,
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) -> Option<Found> {
        let Some(op) = variable.op else {
            return Some(found);
        };
        let is_empty = |found: &Found, colon: bool| match found {
            Found::One(text) if text.known => colon && text.text.is_empty(),
            // Where nothing is known about a session, a variable with a default is mostly unset.
            Found::One(text) => text.is_whole_unknown() && text.empty.is_some(),
            Found::Many(all) => {
                all.is_empty()
                    || colon
                        && all.len() == 1
                        && all
                            .iter()
                            .all(|(_, text)| text.known && text.text.is_empty())
            }
            Found::Unset => true,
        };
        match op {
            Operator::Default { colon } => {
                if is_empty(&found, colon) {
                    self.operand_fields(tree, &variable.operand, quoted, split, fields);
                    None
                } else {
                    Some(found)
                }
            }
            Operator::Assign { colon } => {
                if is_empty(&found, colon) {
                    let text = self.expand_inner(tree, &variable.operand);
                    self.env.set(
                        variable.name,
                        Value::text(Text {
                            span: Span::default(),
                            offset: None,
                            ..text.clone()
                        }),
                    );
                    Some(Found::One(text))
                } else {
                    Some(found)
                }
            }
            Operator::Alternative { colon } => {
                let nothing = match &found {
                    Found::Unset => true,
                    Found::One(text) => text.known && colon && text.text.is_empty(),
                    Found::Many(all) => all.is_empty(),
                };
                if nothing {
                    None
                } else {
                    self.operand_fields(tree, &variable.operand, quoted, split, fields);
                    None
                }
            }
            Operator::Error { .. } => {
                self.expand_inner(tree, &variable.operand);
                match found {
                    Found::One(mut text) if text.is_whole_unknown() => {
                        // From here on it is set.
                        text.empty = None;
                        self.env.set(variable.name, Value::text(text.clone()));
                        Some(Found::One(text))
                    }
                    Found::Unset => Some(Found::unknown(false)),
                    other => Some(other),
                }
            }
            Operator::Substring => Some(self.substring(tree, variable, found)),
            Operator::Modifiers => Some(zsh_modified(variable, found)),
            Operator::Transform('P') => Some(match found {
                Found::One(text) if text.known && text.text.contains(['$', '`', '\\']) => {
                    let span = self.map.span(variable.span);
                    let code = Text {
                        text: format!(": \"{}\"", text.text.replace('"', "\\\"")),
                        span,
                        known: true,
                        ..Text::default()
                    };
                    let dialect = self.dialect;
                    self.shell_code(&code, dialect, &crate::value::Stream::Empty, true);
                    Found::unknown(false)
                }
                other => other,
            }),
            _ => {
                let operand = self.pattern(tree, &variable.operand);
                let second = variable
                    .second
                    .as_ref()
                    .map(|parts| self.replacement(tree, parts));
                let can = operand.known && second.as_ref().is_none_or(|second| second.known);
                let apply = |text: Text| -> Text {
                    if text.is_whole_unknown() {
                        return text;
                    }
                    let change = |text: &str| {
                        can.then(|| {
                            operator::transform(
                                op,
                                text,
                                &operand.text,
                                second.as_ref().map(|second| second.text.as_str()),
                            )
                        })
                        .flatten()
                    };
                    match change(&text.text) {
                        Some(changed) => Text {
                            known: text.known,
                            empty: text.empty.as_deref().and_then(change),
                            text: changed,
                            glob: text.glob,
                            taint: text.taint,
                            ..Text::default()
                        },
                        None => Text {
                            empty: Some(String::new()),
                            taint: text.taint,
                            ..Text::default()
                        },
                    }
                };
                Some(match found {
                    Found::One(text) => Found::One(apply(text)),
                    Found::Many(all) => Found::Many(
                        all.into_iter()
                            .map(|(key, text)| (key, apply(text)))
                            .collect(),
                    ),
                    Found::Unset => Found::Unset,
                })
            }
        }
    }

    /// The operand of `:-` and the like goes into the fields as if it stood in the place of the variable.
    fn operand_fields(
        &mut self,
        tree: &Tree<'_>,
        parts: &[Part<'_>],
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) {
        if parts.is_empty() && !split {
            return;
        }
        for part in parts {
            match part {
                Part::Literal(text) if split && !quoted => {
                    let separators = self.separators();
                    fields.push_split(text, &separators);
                }
                part => self.expand_part(tree, part, quoted, split, fields),
            }
        }
    }

    /// `${x:start:length}`
    fn substring(&mut self, tree: &Tree<'_>, variable: &Variable<'_>, found: Found) -> Found {
        let start = self.expand_inner(tree, &variable.operand);
        let start = if start.known && start.text.trim().is_empty() {
            Some(0)
        } else {
            self.calculate(&start)
        };
        let count = match &variable.second {
            None => Some(None),
            Some(parts) => {
                let count = self.expand_inner(tree, parts);
                if count.known && count.text.trim().is_empty() {
                    Some(Some(0))
                } else {
                    self.calculate(&count).map(Some)
                }
            }
        };
        let (Some(start), Some(count)) = (start, count) else {
            return Found::unknown(true);
        };
        match found {
            Found::One(text) if text.known => operator::substring(&text.text, start, count)
                .map_or(Found::unknown(true), Found::known),
            Found::One(text) => Found::One(Text {
                empty: Some(String::new()),
                taint: text.taint,
                ..Text::default()
            }),
            Found::Unset => Found::Unset,
            Found::Many(all) => {
                if count.is_some_and(|count| count < 0) {
                    return Found::unknown(true);
                }
                let positional = matches!(variable.name, "@" | "*");
                let next = all
                    .last()
                    .and_then(|(key, _)| key.parse::<i64>().ok())
                    .map_or(i64::from(positional), |last| last.saturating_add(1));
                let start = if start < 0 { next + start } else { start };
                if start < 0 {
                    return Found::Many(Vec::new());
                }
                let mut all = all;
                if positional && start == 0 {
                    let zero = match self.special("0") {
                        Some(Found::One(text)) => text,
                        _ => Text::default(),
                    };
                    all.insert(0, ("0".to_owned(), zero));
                }
                let rest = all
                    .into_iter()
                    .filter(|(key, _)| key.parse::<i64>().is_ok_and(|key| key >= start));
                Found::Many(match count {
                    Some(count) => rest.take(usize::try_from(count).unwrap_or(0)).collect(),
                    None => rest.collect(),
                })
            }
        }
    }

    /// Parts as a pattern: what is quoted in them stands for itself.
    pub(crate) fn pattern(&mut self, tree: &Tree<'_>, parts: &[Part<'_>]) -> Text {
        if self.dialect == cmdai_schema::Dialect::Fish {
            // Quoted patterns of `case` are patterns there.
            return self.expand_inner(tree, parts);
        }
        self.escaped_parts(tree, parts, &|text| crate::glob::escape(text))
    }

    /// Parts as a replacement: `&` that is not quoted is what was found.
    fn replacement(&mut self, tree: &Tree<'_>, parts: &[Part<'_>]) -> Text {
        self.escaped_parts(tree, parts, &|text| {
            text.replace('\\', "\\\\").replace('&', "\\&")
        })
    }

    fn escaped_parts(
        &mut self,
        tree: &Tree<'_>,
        parts: &[Part<'_>],
        escape: &dyn Fn(&str) -> String,
    ) -> Text {
        let mut fields = Fields::new(Span::default());
        fields.mark_quoted();
        for part in parts {
            match part {
                Part::Escaped(text) | Part::Single(text) => fields.push(&escape(text)),
                Part::AnsiC(text) => fields.push(&escape(text)),
                Part::Double(inner) => {
                    let text = self.expand_inner(tree, inner);
                    let text = Text {
                        text: escape(&text.text),
                        glob: false,
                        ..text
                    };
                    fields.push_value(&text, "$", false);
                }
                Part::Tilde(_) | Part::Literal(_) | Part::Glob(_) => {
                    self.expand_part(tree, part, false, false, &mut fields);
                }
                other => self.expand_part(tree, other, false, false, &mut fields),
            }
        }
        fields.finish().into_iter().next().unwrap_or_default()
    }
}
