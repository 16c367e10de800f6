//! What is special about PowerShell: values, blocks that run where they are called, cmdlets, .NET calls.
//!
//! A value is a list of texts. Bytes are texts of characters below 256, a block of code is its text with
//! its braces, an object is what it was made from, and a table is `-key value …`, as splatting hands it on.

mod cmdlets;
mod command;
mod methods;
mod operators;

pub(crate) use command::is_pasted;

use cmdai_schema::{Certainty, EffectKind, Span};
use cmdai_shell::{CommandKind, Expr, List, Param, Part, Tree, Word};

use crate::{
    analyser::Analyser,
    fish::concat,
    state::Value,
    value::{Stream, Taint, Text},
};

/// Most elements of a value.
pub(crate) const MAX_VALUES: usize = 4_096;

impl Analyser<'_> {
    /// The arguments that a word becomes.
    pub(crate) fn ps_word(&mut self, tree: &Tree<'_>, word: &Word<'_>, out: &mut Vec<Text>) {
        let span = self.map.span(word.span);
        match word.parts.as_slice() {
            [Part::Expression(value)] => {
                let before = out.len();
                let mut all = self.ps_eval(tree, value);
                out.append(&mut all);
                for text in out.iter_mut().skip(before) {
                    text.span = span;
                }
                // An array is one argument.
                for text in out.iter_mut().skip(before + 1) {
                    text.more = true;
                }
            }
            [Part::Splat(name, _)] => {
                let name = name.to_ascii_lowercase();
                let mut all = self.ps_variable(&name, span, "@splat");
                out.append(&mut all);
            }
            [Part::Variable(variable)] => {
                let written = variable.span.of(tree.source);
                let mut all = self.ps_variable(variable.name, span, written);
                for text in all.iter_mut().skip(1) {
                    text.more = true;
                }
                out.append(&mut all);
            }
            parts => out.push(self.ps_text(tree, parts, span)),
        }
    }

    /// One text of several parts.
    fn ps_text(&mut self, tree: &Tree<'_>, parts: &[Part<'_>], span: Span) -> Text {
        let mut out = Text::known("", span);
        for part in parts {
            let next = match part {
                Part::Literal(text) | Part::Escaped(text) | Part::Single(text) => {
                    Text::known(*text, span)
                }
                Part::AnsiC(text) => Text::known(text.as_str(), span),
                Part::Double(inner) => self.ps_text(tree, inner, span),
                Part::Variable(variable) => {
                    let written = variable.span.of(tree.source);
                    let all = self.ps_variable(variable.name, span, written);
                    joined(&all, " ", span)
                }
                Part::Command(list, _) => {
                    let all = self.ps_list_values(tree, list, span);
                    joined(&all, " ", span)
                }
                Part::Expression(value) => {
                    let all = self.ps_eval(tree, value);
                    joined(&all, " ", span)
                }
                other => {
                    self.unknown = true;
                    let written = match other {
                        Part::Unknown(at) => at.of(tree.source),
                        _ => "",
                    };
                    Text::unknown(written, span, Some(Taint::Unknown))
                }
            };
            if out.text.len() + next.text.len() > crate::value::MAX_TEXT {
                self.unknown = true;
                return Text::unknown("", span, Some(Taint::Unknown));
            }
            out = concat(&out, &next);
            out.span = span;
        }
        out
    }

    /// What a name stands for. Names are the same in any case of letters.
    pub(crate) fn ps_variable(&mut self, name: &str, span: Span, written: &str) -> Vec<Text> {
        let name = name.to_ascii_lowercase();
        let name = [
            "global:",
            "script:",
            "local:",
            "private:",
            "using:",
            "variable:",
        ]
        .iter()
        .find_map(|scope| name.strip_prefix(scope))
        .unwrap_or(&name);
        let in_cmd;
        let name = if self.in_cmd && self.env.get(name).is_none() {
            in_cmd = format!("env:{name}");
            &in_cmd
        } else {
            name
        };
        let known = |text: String| vec![Text::known(text, span)];
        let some = || vec![Text::unknown(written, span, None)];
        if let Some(value) = self.env.get(name).cloned() {
            let held = |text: &Text| {
                if text.is_whole_unknown() {
                    Text {
                        empty: text.empty.clone(),
                        ..Text::unknown(written, span, text.taint.clone())
                    }
                } else {
                    Text {
                        span,
                        more: false,
                        ..text.clone()
                    }
                }
            };
            if let Some(array) = &value.array {
                return array.items.iter().map(|(_, text)| held(text)).collect();
            }
            return match value.alternatives.len() {
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
                        .map(held)
                        .into_iter()
                        .collect()
                }
            };
        }
        let home = self.home();
        match name {
            "null" => Vec::new(),
            "true" => known("True".to_owned()),
            "false" => known("False".to_owned()),
            "args" => self.env.positional.clone().unwrap_or_default(),
            "home" | "env:userprofile" | "env:home" | "env:homepath" => known(home),
            "pwd" => known(self.env.cwd.clone()),
            "profile" => known(format!(
                "{home}/Documents/PowerShell/Microsoft.PowerShell_profile.ps1"
            )),
            "env:username" | "env:user" => known(self.context.user.to_owned()),
            "env:systemroot" | "env:windir" => known("C:/Windows".to_owned()),
            "env:systemdrive" | "env:homedrive" => known("C:".to_owned()),
            "env:comspec" => known("C:/Windows/System32/cmd.exe".to_owned()),
            "env:programfiles" | "env:programfiles(x86)" | "env:programw6432" => {
                known("C:/Program Files".to_owned())
            }
            "env:programdata" | "env:allusersprofile" => known("C:/ProgramData".to_owned()),
            "env:public" => known("C:/Users/Public".to_owned()),
            "env:temp" | "env:tmp" | "env:tmpdir" => known("C:/Windows/Temp".to_owned()),
            "env:appdata" => known(format!("{home}/AppData/Roaming")),
            "env:localappdata" => known(format!("{home}/AppData/Local")),
            "env:onedrive" => known(format!("{home}/OneDrive")),
            "_" | "psitem" | "input" | "psscriptroot" | "psversiontable" | "?" | "error"
            | "lastexitcode" | "pid" | "host" | "matches" | "myinvocation" | "pshome"
            | "psboundparameters" | "executioncontext" | "this" | "shellid" | "iswindows"
            | "env:path" | "env:computername" | "env:os" | "env:userdomain" => some(),
            _ => {
                let short = name.strip_prefix("env:").unwrap_or(name);
                if let Some(value) = self
                    .context
                    .session
                    .variable(short)
                    .or_else(|| self.context.session.variable(&short.to_ascii_uppercase()))
                {
                    return known(value.into_owned());
                }
                vec![Text {
                    empty: Some(String::new()),
                    ..Text::unknown(written, span, None)
                }]
            }
        }
    }

    /// Holds a value under a name.
    pub(crate) fn ps_set(&mut self, name: &str, values: &[Text]) {
        let name = name.to_ascii_lowercase();
        let name = name
            .strip_prefix("global:")
            .or_else(|| name.strip_prefix("script:"))
            .or_else(|| name.strip_prefix("local:"))
            .unwrap_or(&name)
            .to_owned();
        let value = match values {
            [] => Value::default(),
            [one] => Value::text(one.clone()),
            several => Value::array(several.to_vec()),
        };
        if let (Some(variable), Some(first)) = (name.strip_prefix("env:"), values.first()) {
            let first = first.clone();
            let variable = variable.to_ascii_uppercase();
            self.note_assignment(&variable, &first, first.span, false);
        }
        self.env.set(&name, value);
    }

    /// What an expression comes to.
    pub(crate) fn ps_eval(&mut self, tree: &Tree<'_>, value: &Expr<'_>) -> Vec<Text> {
        let span = self.ps_span(value);
        if !self.step(span) {
            return vec![Text::unknown("", span, Some(Taint::Unknown))];
        }
        let mut all = self
            .deeper(span, |this| this.ps_eval_at(tree, value, span))
            .unwrap_or_else(|| vec![Text::unknown("", span, Some(Taint::Unknown))]);
        all.truncate(MAX_VALUES);
        all
    }

    fn ps_eval_at(&mut self, tree: &Tree<'_>, value: &Expr<'_>, span: Span) -> Vec<Text> {
        match value {
            Expr::Word(word) => {
                let mut out = Vec::new();
                self.ps_word(tree, word, &mut out);
                out
            }
            Expr::Array(all) => {
                let mut out = Vec::new();
                for one in all {
                    out.append(&mut self.ps_eval(tree, one));
                    if out.len() > MAX_VALUES {
                        break;
                    }
                }
                out
            }
            Expr::Statements(list, _) => self.ps_list_values(tree, list, span),
            Expr::Block(_, inner) => vec![self.ps_block(tree, *inner)],
            Expr::Hash(pairs) => {
                let table = self.ps_table(tree, pairs, span);
                vec![Text::unknown(
                    "@{}",
                    span,
                    taint_of(&table).or(Some(Taint::Unknown)),
                )]
            }
            Expr::Unary(op, one) => {
                let all = self.ps_eval(tree, one);
                if matches!(*op, "++" | "--") {
                    if let Some(name) = variable_of(one) {
                        self.ps_set(name, &[Text::unknown("", span, None)]);
                    }
                    return vec![Text::unknown("", span, None)];
                }
                operators::unary(op, all, span)
            }
            Expr::Chain(first, rest) => {
                let mut all = self.ps_eval(tree, first);
                for (op, next) in rest {
                    let right = self.ps_eval(tree, next);
                    all = operators::binary(&all, op, &right, span);
                    if all.iter().map(|text| text.text.len()).sum::<usize>()
                        > crate::value::MAX_TEXT
                    {
                        self.unknown = true;
                        return vec![Text::unknown("", span, Some(Taint::Unknown))];
                    }
                }
                all
            }
            Expr::Cast(name, one) => {
                let all = self.ps_eval(tree, one);
                operators::cast(name, all, span)
            }
            Expr::Type(name) => vec![Text::known(format!("[{name}]"), span)],
            Expr::Member(target, name, _) => self.ps_member(tree, target, name, span),
            Expr::Invoke(target, name, args, _) => self.ps_invoke(tree, target, name, args, span),
            Expr::Index(target, index) => {
                let all = self.ps_eval(tree, target);
                let index = self.ps_eval(tree, index);
                operators::index(&all, &index, span)
            }
            Expr::Unknown(at) => {
                self.unknown = true;
                vec![Text::unknown(
                    at.of(tree.source),
                    span,
                    Some(Taint::Unknown),
                )]
            }
        }
    }

    /// A block of code as a value.
    fn ps_block(&mut self, tree: &Tree<'_>, inner: Span) -> Text {
        let span = self.map.span(inner);
        // Places in the text are places in the line only where both braces stand there.
        let closed = tree.source.as_bytes().get(inner.end as usize) == Some(&b'}');
        let offset = closed
            .then(|| self.map.offset((inner.start as usize).saturating_sub(1)))
            .flatten();
        Text {
            offset,
            ..Text::known(format!("{{{}}}", inner.of(tree.source)), span)
        }
    }

    /// A table as `-key value …`.
    pub(crate) fn ps_table(
        &mut self,
        tree: &Tree<'_>,
        pairs: &[(Expr<'_>, List<'_>)],
        span: Span,
    ) -> Vec<Text> {
        let mut out = Vec::new();
        for (key, value) in pairs {
            let key = joined(&self.ps_eval(tree, key), " ", span);
            let mut values = self.ps_list_values(tree, value, span);
            for text in values.iter_mut().skip(1) {
                text.more = true;
            }
            out.push(Text {
                text: format!("-{}", key.text),
                ..key
            });
            out.append(&mut values);
            if out.len() > MAX_VALUES {
                break;
            }
        }
        out
    }

    fn ps_span(&self, value: &Expr<'_>) -> Span {
        let mut value = value;
        for _ in 0..64 {
            value = match value {
                Expr::Word(word) => return self.map.span(word.span),
                Expr::Statements(_, span)
                | Expr::Block(_, span)
                | Expr::Member(_, _, span)
                | Expr::Invoke(_, _, _, span)
                | Expr::Unknown(span) => return self.map.span(*span),
                Expr::Array(all) => match all.first() {
                    Some(first) => first,
                    None => break,
                },
                Expr::Unary(_, one)
                | Expr::Cast(_, one)
                | Expr::Chain(one, _)
                | Expr::Index(one, _) => one,
                Expr::Hash(_) | Expr::Type(_) => break,
            };
        }
        self.map.span(Span::default())
    }

    /// What statements come to.
    pub(crate) fn ps_list_values(
        &mut self,
        tree: &Tree<'_>,
        list: &List<'_>,
        span: Span,
    ) -> Vec<Text> {
        // One value keeps what it is; what a command prints comes line by line.
        if let [item] = list.items.as_slice()
            && item.and_or.rest.is_empty()
            && let [stage] = item.and_or.first.stages.as_slice()
            && let CommandKind::Expression(value) = &stage.kind
            && stage.redirections.is_empty()
        {
            return self.ps_eval(tree, value);
        }
        let place = self.place.take();
        let printed = self.list(tree, list, &Stream::Empty);
        self.place = place;
        values(&printed, span)
    }

    /// A statement that is no simple command.
    pub(crate) fn ps_statement(
        &mut self,
        tree: &Tree<'_>,
        kind: &CommandKind<'_>,
        stdin: &Stream,
        span: Span,
    ) -> Stream {
        match kind {
            CommandKind::Expression(value) => {
                if *stdin != Stream::Empty {
                    let all = values(stdin, span);
                    self.ps_set("_", &all);
                }
                let all = self.ps_eval(tree, value);
                stream(&all)
            }
            CommandKind::Assign { target, op, value } => {
                let table = match value.items.as_slice() {
                    [item] => match item.and_or.first.stages.as_slice() {
                        [stage] => match &stage.kind {
                            CommandKind::Expression(Expr::Hash(pairs)) => {
                                Some(self.ps_table(tree, pairs, span))
                            }
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                };
                let all = match table {
                    Some(table) => table,
                    None => self.ps_list_values(tree, value, span),
                };
                self.ps_assign(tree, target, op, all, span);
                Stream::Empty
            }
            CommandKind::Try {
                body,
                catches,
                finally,
            } => {
                self.place = None;
                let mut out = self.list(tree, body, stdin);
                let mut ways = Vec::new();
                for list in catches {
                    let before = self.env.clone();
                    out = out.then(self.list(tree, list, stdin));
                    ways.push(std::mem::replace(&mut self.env, before));
                }
                for way in ways {
                    self.env.join(way);
                }
                if let Some(list) = finally {
                    out = out.then(self.list(tree, list, stdin));
                }
                out
            }
            CommandKind::Params(params) => {
                let names: Vec<String> = params.iter().map(|param| param.name.to_owned()).collect();
                let args = self.env.positional.clone().unwrap_or_default();
                let bound = self.ps_bind(&names, &args);
                self.ps_defaults(tree, params, &bound);
                Stream::Empty
            }
            _ => Stream::UNKNOWN,
        }
    }

    fn ps_defaults(&mut self, tree: &Tree<'_>, params: &[Param<'_>], bound: &[bool]) {
        for (param, bound) in params.iter().zip(bound) {
            if !bound && let Some(default) = &param.default {
                let all = self.ps_eval(tree, default);
                self.ps_set(param.name, &all);
            }
        }
    }

    /// Gives arguments to names; tells which got one.
    pub(crate) fn ps_bind(&mut self, names: &[String], args: &[Text]) -> Vec<bool> {
        let mut bound = vec![false; names.len()];
        let mut loose: Vec<Text> = Vec::new();
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            let name = arg
                .text
                .strip_prefix('-')
                .map(|name| name.split(':').next().unwrap_or(name).to_ascii_lowercase());
            let found = name.filter(|name| !name.is_empty()).and_then(|name| {
                names
                    .iter()
                    .position(|known| known.to_ascii_lowercase().starts_with(&name))
            });
            let Some(found) = found else {
                loose.push(arg.clone());
                continue;
            };
            let given = args
                .get(at)
                .filter(|next| !next.text.starts_with('-'))
                .cloned();
            at += usize::from(given.is_some());
            let given = given.unwrap_or_else(|| Text::known("True", arg.span));
            if let (Some(name), Some(slot)) = (names.get(found), bound.get_mut(found)) {
                self.ps_set(name, std::slice::from_ref(&given));
                *slot = true;
            }
        }
        let mut loose = loose.into_iter();
        for (name, slot) in names.iter().zip(bound.iter_mut()) {
            if !*slot && let Some(arg) = loose.next() {
                self.ps_set(name, std::slice::from_ref(&arg));
                *slot = true;
            }
        }
        bound
    }

    fn ps_assign(
        &mut self,
        tree: &Tree<'_>,
        target: &Expr<'_>,
        op: &str,
        mut all: Vec<Text>,
        span: Span,
    ) {
        match target {
            Expr::Word(_) | Expr::Cast(..) => {
                let Some(name) = variable_of(target) else {
                    return;
                };
                if op != "=" {
                    let before = self.ps_variable(name, span, "");
                    all = match op {
                        "??=" if !before.is_empty() => before,
                        "??=" => all,
                        _ => operators::binary(&before, op.trim_end_matches('='), &all, span),
                    };
                }
                self.ps_set(name, &all);
            }
            Expr::Array(targets) => {
                for (at, one) in targets.iter().enumerate() {
                    if let Some(name) = variable_of(one) {
                        let value: Vec<Text> = all.get(at).cloned().into_iter().collect();
                        self.ps_set(name, &value);
                    }
                }
            }
            Expr::Member(object, name, _) => {
                let property = joined(&self.ps_eval(tree, name), "", span)
                    .text
                    .to_ascii_lowercase();
                let object = joined(&self.ps_eval(tree, object), " ", span);
                self.ps_property(&object, &property, &all, span);
            }
            Expr::Index(object, _) => {
                // `$h['k'] = v`: what it holds is not followed.
                if let Some(name) = variable_of(object) {
                    self.ps_set(name, &[Text::unknown("", span, taint_of(&all))]);
                }
            }
            other => {
                self.ps_eval(tree, other);
            }
        }
    }

    /// `$object.Property = value`, where that means something.
    fn ps_property(&mut self, object: &Text, property: &str, value: &[Text], span: Span) {
        if property.contains("certificatevalidationcallback") {
            self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                span,
                Certainty::Proven,
            );
        }
        if property == "attributes"
            && object.known
            && value
                .iter()
                .any(|text| text.text.to_ascii_lowercase().contains("hidden"))
        {
            self.write_path(object, true, span);
        }
    }

    /// Runs a block of code with arguments.
    pub(crate) fn ps_run(&mut self, block: &Text, args: Vec<Text>, stdin: &Stream) -> Stream {
        let code = match block
            .text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            Some(inner) if block.known => Text {
                text: inner.to_owned(),
                offset: block.offset.map(|offset| offset + 1),
                ..block.clone()
            },
            _ => block.clone(),
        };
        let positional = self.env.positional.replace(args);
        let dialect = self.dialect;
        let printed = self.shell_code(&code, dialect, stdin, false);
        self.env.positional = positional;
        printed
    }
}

/// The name of a variable, through casts.
fn variable_of<'e>(value: &'e Expr<'_>) -> Option<&'e str> {
    let mut value = value;
    for _ in 0..8 {
        match value {
            Expr::Cast(_, inner) => value = inner,
            Expr::Word(word) => {
                return match word.parts.as_slice() {
                    [Part::Variable(variable)] => Some(variable.name),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// The taint that matters most.
pub(crate) fn taint_of(all: &[Text]) -> Option<Taint> {
    all.iter().fold(None, |worst: Option<Taint>, text| {
        match (worst, text.taint.clone()) {
            (Some(one), Some(other)) => Some(one.worse(other)),
            (one, other) => one.or(other),
        }
    })
}

/// Values as one text.
pub(crate) fn joined(all: &[Text], separator: &str, span: Span) -> Text {
    match all {
        [] => Text::known("", span),
        [one] => one.clone(),
        several => {
            let known = several.iter().all(|text| text.known);
            let text = several
                .iter()
                .map(|text| text.text.as_str())
                .collect::<Vec<_>>()
                .join(separator);
            Text {
                text,
                known,
                taint: taint_of(several),
                span,
                ..Text::default()
            }
        }
    }
}

/// Values as what flows through a pipe: one to a line.
pub(crate) fn stream(all: &[Text]) -> Stream {
    if all.is_empty() {
        return Stream::Empty;
    }
    if all.iter().all(|text| text.known) {
        let mut out = String::new();
        for text in all {
            out.push_str(&text.text);
            out.push('\n');
        }
        return Stream::Known(out);
    }
    Stream::Tainted(taint_of(all).unwrap_or(Taint::Unknown))
}

/// What flows through a pipe as values.
pub(crate) fn values(stream: &Stream, span: Span) -> Vec<Text> {
    match stream {
        Stream::Empty => Vec::new(),
        Stream::Known(text) => text
            .strip_suffix('\n')
            .unwrap_or(text)
            .split('\n')
            .take(MAX_VALUES)
            .map(|line| Text::known(line, span))
            .collect(),
        Stream::Partial(text) => vec![(**text).clone()],
        Stream::Tainted(taint) => vec![Text::unknown("$input", span, Some(taint.clone()))],
    }
}
