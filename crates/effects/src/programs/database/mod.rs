//! Database clients: the SQL and commands that they are given, and where those come from.

mod mongo;
mod redis;
mod stores;

use std::borrow::Cow;

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind, Span};

use crate::{
    analyser::Analyser,
    call::Call,
    inline::sql::{self, Finding, Language},
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// A database that findings are about.
#[derive(Clone, Copy)]
struct Server<'s> {
    provider: &'s str,
    context: Option<&'s String>,
}

impl Server<'_> {
    fn destroy(self, resource: &str, name: &str) -> EffectKind {
        EffectKind::ResourceDestroy {
            resource: resource.to_owned(),
            name: name.to_owned(),
            provider: self.provider.to_owned(),
            context: self.context.cloned(),
        }
    }

    fn change(self, resource: &str, name: &str) -> EffectKind {
        EffectKind::ResourceChange {
            resource: resource.to_owned(),
            name: name.to_owned(),
            provider: self.provider.to_owned(),
            context: self.context.cloned(),
        }
    }
}

impl Analyser<'_> {
    pub(crate) fn sql_client(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let provider = match parsed.program.provider.text() {
            "" => call.name,
            provider => provider,
        };
        let mut context = parsed
            .value(&parsed.program.context)
            .map(|text| text.text.clone());
        let mut codes: Vec<Text> = parsed.values("sql").cloned().collect();
        let mut memory = false;
        match parsed.program.handler.text() {
            // `sqlite3 FILE SQL…`
            "sqlite" => {
                let file = parsed.nth(1).map(|file| file.text.as_str());
                memory = matches!(file, None | Some(":memory:" | ""));
                if let Some(file) = file.filter(|_| !memory) {
                    let path = self.absolute(file);
                    if crate::paths::is_secret(&path, &self.home())
                        && let Some(file) = parsed.nth(1).cloned()
                    {
                        self.read_path(&file, file.span);
                    }
                    context = Some(path);
                }
                codes.extend(parsed.rest().skip(1).cloned());
            }
            // `PROGRAM [TARGET] SQL`: the operands that read as statements.
            "sql-words" => {
                let more = parsed
                    .rest()
                    .filter(|text| text.text.contains(' '))
                    .cloned();
                codes.extend(more);
            }
            _ => {
                // `-e DROP TABLE t`, where the quotes were forgotten: the client takes one word, but
                // what was meant is plain.
                if let [code] = codes.as_mut_slice()
                    && matches!(
                        code.text.to_ascii_lowercase().as_str(),
                        "drop" | "delete" | "truncate" | "update"
                    )
                {
                    for word in parsed.rest() {
                        code.text.push(' ');
                        code.text.push_str(&word.text);
                    }
                }
            }
        }
        let server = Server {
            provider,
            context: context.as_ref(),
        };
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            if file.text == "-" {
                self.sql_from(call.stdin, server, call.span);
            } else {
                self.sql_file(&file, server, call.span, 0);
            }
        }
        for file in parsed.values("output").cloned().collect::<Vec<_>>() {
            if file.text.starts_with('|') {
                let code = file.after(1);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            } else {
                self.write_path(&file, false, call.span);
            }
        }
        if codes.is_empty() && !parsed.has("file") {
            self.sql_from(call.stdin, server, call.span);
        }
        let ceiling = self.ceiling;
        let known = self.effects.len();
        for code in &codes {
            self.sql_at(code, server, 0);
        }
        if memory {
            // What is only in memory is nobody's loss.
            let mut at = 0;
            self.effects.retain(|effect| {
                at += 1;
                at <= known
                    || !matches!(
                        effect.kind,
                        EffectKind::ResourceDestroy { .. } | EffectKind::ResourceChange { .. }
                    )
            });
        }
        self.ceiling = ceiling;
        Stream::UNKNOWN
    }

    /// SQL that flows in.
    fn sql_from(&mut self, stream: &Stream, server: Server<'_>, span: Span) {
        match stream {
            Stream::Known(_) | Stream::Partial(_) => {
                if let Some(code) = text_of(stream, span) {
                    self.sql_at(&code, server, 0);
                }
            }
            Stream::Tainted(Taint::Unknown | Taint::Made) => {
                // A dump on its way from one server to another, most of the time.
                self.unknown_region(span, "the statements are made by another program");
            }
            Stream::Tainted(taint) => self.tainted_code(&taint.clone(), "sql", span),
            Stream::Empty => {}
        }
    }

    /// A file of SQL: its content where the line wrote it.
    fn sql_file(&mut self, file: &Text, server: Server<'_>, span: Span, depth: u32) {
        let path = self.absolute(&file.text);
        match self.env.file(&path).cloned() {
            Some(Stream::Known(text)) if depth < 4 => {
                self.sql_at(&Text::known(text, span), server, depth + 1)
            }
            Some(Stream::Partial(text)) if depth < 4 => self.sql_at(&text, server, depth + 1),
            Some(Stream::Tainted(taint)) => self.tainted_code(&taint, "sql", span),
            Some(Stream::Empty) => {}
            _ => match &file.taint {
                Some(taint @ Taint::Remote(_)) => self.tainted_code(&taint.clone(), "sql", span),
                _ => self.emit_code(CodeSource::File(path), "sql", file.span),
            },
        }
    }

    /// What SQL would do at a provider.
    pub(crate) fn sql(&mut self, code: &Text, provider: &str, context: Option<&String>) {
        self.sql_at(code, Server { provider, context }, 0);
    }

    fn sql_at(&mut self, code: &Text, server: Server<'_>, depth: u32) {
        if !code.known
            && code.text.starts_with(['$', '`'])
            && let Some(taint @ Taint::Remote(_)) = &code.taint
        {
            self.tainted_code(&taint.clone(), "sql", code.span);
            return;
        }
        let language = Language::of(server.provider);
        let text = if code.known {
            Cow::Borrowed(code.text.as_str())
        } else {
            holes(&code.text)
        };
        let (text, found) = sql::commands(&text, language);
        let reading = sql::read(&text, language);
        self.unknown |= reading.unknown;
        // What the grammar did not take is told by its words.
        let certainty = if code.known && !reading.unknown {
            Certainty::Proven
        } else {
            Certainty::Likely
        };
        for finding in found.iter().chain(&reading.found) {
            self.sql_finding(finding, code.span, server, certainty, depth);
        }
    }

    fn sql_finding(
        &mut self,
        finding: &Finding,
        span: Span,
        server: Server<'_>,
        certainty: Certainty,
        depth: u32,
    ) {
        let text = |text: &str| Text::known(text, span);
        match finding {
            Finding::Destroy { kind, name } => {
                self.emit(server.destroy(kind, name), span, certainty)
            }
            Finding::Change { kind, name } => self.emit(server.change(kind, name), span, certainty),
            Finding::Credential { name } => {
                let subject = if name.is_empty() {
                    server.provider
                } else {
                    name
                };
                self.emit(
                    EffectKind::ChangeCredential {
                        subject: format!("{subject} of the database"),
                    },
                    span,
                    certainty,
                );
            }
            Finding::Disable { what } => self.emit(
                EffectKind::DisableSecurity { what: what.clone() },
                span,
                certainty,
            ),
            Finding::Program { code } => {
                self.shell_code(&text(code), Dialect::Sh, &Stream::Empty, true);
            }
            Finding::Library { path } => {
                let path = if path.contains('/') {
                    self.absolute(path)
                } else {
                    path.clone()
                };
                self.emit_code(CodeSource::File(path), "library", span);
            }
            Finding::UnknownCode => {
                self.unknown = true;
                self.emit_code(CodeSource::Unknown, "sql", span);
            }
            Finding::Source { path } => self.sql_file(&text(path), server, span, depth),
            Finding::WriteFile { path } => self.write_path(&text(path), false, span),
            Finding::ReadFile { path } => {
                self.read_path(&text(path), span);
            }
            Finding::Connect { address } => self.emit(
                EffectKind::Connect {
                    address: address.clone(),
                },
                span,
                certainty,
            ),
            Finding::Nested { .. } => {}
        }
    }

    /// `cypher-shell`: deletions of a graph.
    pub(crate) fn cypher(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let context = parsed.value("host").map(|text| text.text.clone());
        let server = Server {
            provider: "neo4j",
            context: context.as_ref(),
        };
        let mut codes: Vec<Text> = parsed.rest().cloned().collect();
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => codes.push(Text::known(text, file.span)),
                _ => self.emit_code(CodeSource::File(path), "cypher", file.span),
            }
        }
        if codes.is_empty() {
            match call.stdin {
                Stream::Tainted(taint) => self.tainted_code(&taint.clone(), "cypher", call.span),
                stream => codes.extend(text_of(stream, call.span)),
            }
        }
        for code in &codes {
            for finding in sql::cypher(&code.text) {
                self.sql_finding(&finding, code.span, server, Certainty::Proven, 0);
            }
        }
        Stream::UNKNOWN
    }

    /// A line that is no command of a shell but a statement of a database: pasted into the wrong window,
    /// or meant for a client that passes lines on. It is judged as the statement.
    pub(crate) fn bare_statement(&mut self, call: &Call<'_>) -> bool {
        let mut words: Vec<&str> = Vec::with_capacity(call.args.len().min(16) + 1);
        words.push(call.name);
        words.extend(call.args.iter().take(15).map(|arg| arg.text.as_str()));
        if !sql::is_statement(&words) {
            return redis::is_bare(&words) && {
                self.redis_words(
                    &words
                        .iter()
                        .map(|word| (*word).to_owned())
                        .collect::<Vec<_>>(),
                    Server {
                        provider: "redis",
                        context: None,
                    },
                    call.span,
                    Certainty::Likely,
                );
                true
            };
        }
        let mut text = call.name.to_owned();
        for arg in call.args {
            text.push(' ');
            text.push_str(&arg.text);
        }
        let ceiling = self.ceiling;
        self.ceiling = Certainty::Likely.min(ceiling);
        self.sql_at(
            &Text::known(text, call.span),
            Server {
                provider: "sql",
                context: None,
            },
            0,
        );
        self.ceiling = ceiling;
        true
    }
}

/// What flows in, where it is text.
fn text_of(stream: &Stream, span: Span) -> Option<Text> {
    match stream {
        Stream::Known(text) => Some(Text::known(text.clone(), span)),
        Stream::Partial(text) => Some(Text {
            span,
            ..Text::clone(text)
        }),
        Stream::Empty | Stream::Tainted(_) => None,
    }
}

/// The text with names in place of what the shell would fill in: `DELETE FROM $TABLE` still names a
/// table.
fn holes(text: &str) -> Cow<'_, str> {
    if !text.contains(['$', '`']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '`']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inner = from.get(1..).unwrap_or("");
        let end = match inner.as_bytes().first() {
            _ if from.starts_with('`') => inner.find('`').map(|end| end + 2),
            Some(b'{') => inner.find('}').map(|end| end + 2),
            Some(b'(') => inner.rfind(')').map(|end| end + 2),
            Some(next) if next.is_ascii_alphabetic() || *next == b'_' => Some(
                1 + inner
                    .bytes()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    .count(),
            ),
            _ => None,
        };
        match end {
            Some(end) => {
                out.push_str("value_");
                let name = from.get(..end).unwrap_or("");
                out.extend(
                    name.chars()
                        .filter(|next| next.is_ascii_alphanumeric() || *next == '_')
                        .take(32),
                );
                rest = from.get(end..).unwrap_or("");
            }
            None => {
                out.push_str(from.get(..1).unwrap_or(""));
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::holes;

    #[test]
    fn what_is_filled_in_keeps_a_name() {
        assert_eq!(
            holes("DELETE FROM $T WHERE a"),
            "DELETE FROM value_T WHERE a"
        );
        assert_eq!(holes("DROP TABLE ${x}_y"), "DROP TABLE value_x_y");
        assert_eq!(holes("a $1 $$"), "a $1 $$");
    }
}
