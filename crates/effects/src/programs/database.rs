//! Database clients: the SQL and commands that they are given.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    inline::sql::{self, Statement},
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn sql_client(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let provider = match call.name {
            name if parsed.program.name == "mysql"
                && !matches!(name, "mysql" | "mariadb" | "mycli") =>
            {
                name.to_owned()
            }
            _ => parsed.program.provider.to_owned(),
        };
        let context = parsed
            .value(parsed.program.context)
            .map(|text| text.text.clone());
        let mut codes: Vec<Text> = parsed.values("sql").cloned().collect();
        if parsed.program.handler == "sqlite" {
            codes.extend(parsed.rest().skip(1).cloned());
        }
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            if file.text != "-" {
                let path = self.absolute(&file.text);
                match self.env.file(&path).cloned() {
                    Some(Stream::Known(text)) => codes.push(Text::known(text, file.span)),
                    _ => self.emit_code(CodeSource::File(path), "sql", file.span),
                }
            }
        }
        for file in parsed.values("output").cloned().collect::<Vec<_>>() {
            self.write_path(&file, false, call.span);
        }
        if codes.is_empty() {
            match call.stdin {
                Stream::Known(text) => codes.push(Text::known(text.clone(), call.span)),
                Stream::Partial(text) => codes.push(Text {
                    span: call.span,
                    ..Text::clone(text)
                }),
                Stream::Tainted(taint) => self.tainted_code(&taint.clone(), "sql", call.span),
                Stream::Empty => {}
            }
        }
        for code in &codes {
            self.sql(code, &provider, context.as_ref());
        }
        Stream::UNKNOWN
    }

    /// What SQL would do.
    pub(crate) fn sql(&mut self, code: &Text, provider: &str, context: Option<&String>) {
        for line in code.text.lines() {
            let line = line.trim();
            let shell = line
                .strip_prefix("\\!")
                .or_else(|| line.strip_prefix(".shell "))
                .or_else(|| line.strip_prefix(".system "))
                .or_else(|| line.strip_prefix("system "));
            if let Some(shell) = shell {
                self.shell_code(
                    &Text::known(shell.trim(), code.span),
                    Dialect::Sh,
                    &Stream::Empty,
                    true,
                );
            }
        }
        for statement in sql::statements(&code.text) {
            let certainty = if code.known {
                Certainty::Proven
            } else {
                Certainty::Likely
            };
            let resource = |destroys: bool, kind: String, name: String| {
                let (resource, provider, context) = (kind, provider.to_owned(), context.cloned());
                if destroys {
                    EffectKind::ResourceDestroy {
                        resource,
                        name,
                        provider,
                        context,
                    }
                } else {
                    EffectKind::ResourceChange {
                        resource,
                        name,
                        provider,
                        context,
                    }
                }
            };
            match statement {
                Statement::Destroy { kind, name } => {
                    self.emit(resource(true, kind, name), code.span, certainty)
                }
                Statement::Change { kind, name } => {
                    self.emit(resource(false, kind, name), code.span, certainty)
                }
                Statement::Credential { name } => self.emit(
                    EffectKind::ChangeCredential { subject: name },
                    code.span,
                    certainty,
                ),
                Statement::Program { code: program } => {
                    self.shell_code(
                        &Text::known(program, code.span),
                        Dialect::Sh,
                        &Stream::Empty,
                        true,
                    );
                }
                Statement::WriteFile { path } => {
                    self.write_path(&Text::known(path, code.span), false, code.span)
                }
                Statement::ReadFile { path } => {
                    self.read_path(&Text::known(path, code.span), code.span);
                }
            }
        }
    }

    pub(crate) fn mongo(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut codes: Vec<Text> = parsed.values("code").cloned().collect();
        if let Stream::Known(text) = call.stdin {
            codes.push(Text::known(text.clone(), call.span));
        }
        let context = parsed.value("host").map(|text| text.text.clone());
        for code in codes {
            let destroy = |resource: &str, name: &str| EffectKind::ResourceDestroy {
                resource: resource.to_owned(),
                name: name.to_owned(),
                provider: "mongodb".to_owned(),
                context: context.clone(),
            };
            let tokens = crate::inline::tokens::read(&code.text);
            for (at, token) in tokens.iter().enumerate() {
                let crate::inline::tokens::Token::Name(name) = token else {
                    continue;
                };
                let call_follows = matches!(
                    tokens.get(at + 1),
                    Some(crate::inline::tokens::Token::Mark('('))
                );
                let empty = matches!(
                    tokens.get(at + 2),
                    Some(crate::inline::tokens::Token::Mark('{'))
                ) && matches!(
                    tokens.get(at + 3),
                    Some(crate::inline::tokens::Token::Mark('}'))
                );
                let subject = match (
                    at.checked_sub(2).and_then(|at| tokens.get(at)),
                    at.checked_sub(1).and_then(|at| tokens.get(at)),
                ) {
                    (
                        Some(crate::inline::tokens::Token::Name(subject)),
                        Some(crate::inline::tokens::Token::Mark('.')),
                    ) => subject.clone(),
                    _ => "current".to_owned(),
                };
                if !call_follows {
                    continue;
                }
                match name.as_str() {
                    "dropDatabase" => {
                        self.emit(destroy("database", "current"), code.span, Certainty::Proven)
                    }
                    "drop" | "dropIndexes" => self.emit(
                        destroy("collection", &subject),
                        code.span,
                        Certainty::Proven,
                    ),
                    "deleteMany" | "remove" if empty => {
                        self.emit(destroy("documents", &subject), code.span, Certainty::Proven)
                    }
                    "shutdownServer" | "dropUser" | "dropAllUsersFromDatabase" | "dropRole" => {
                        self.emit(destroy("server", name), code.span, Certainty::Proven)
                    }
                    "deleteMany" | "deleteOne" | "remove" | "updateMany" | "insertOne"
                    | "insertMany" | "updateOne" => {
                        let kind = EffectKind::ResourceChange {
                            resource: "documents".to_owned(),
                            name: subject,
                            provider: "mongodb".to_owned(),
                            context: context.clone(),
                        };
                        self.emit(kind, code.span, Certainty::Proven);
                    }
                    _ => {}
                }
            }
        }
        Stream::UNKNOWN
    }

    pub(crate) fn redis(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let context = parsed.value("host").map(|text| text.text.clone());
        let mut lines: Vec<Vec<String>> =
            vec![parsed.rest().map(|text| text.text.clone()).collect()];
        if let Stream::Known(text) = call.stdin {
            lines.extend(
                text.lines()
                    .take(64)
                    .map(|line| line.split_whitespace().map(str::to_owned).collect()),
            );
        }
        for words in lines {
            let Some(first) = words.first() else { continue };
            let second = words.get(1).cloned().unwrap_or_default();
            let kind = |destroys: bool, resource: &str, name: &str| {
                let (resource, name, provider, context) = (
                    resource.to_owned(),
                    name.to_owned(),
                    "redis".to_owned(),
                    context.clone(),
                );
                if destroys {
                    EffectKind::ResourceDestroy {
                        resource,
                        name,
                        provider,
                        context,
                    }
                } else {
                    EffectKind::ResourceChange {
                        resource,
                        name,
                        provider,
                        context,
                    }
                }
            };
            let found = match (
                first.to_ascii_uppercase().as_str(),
                second.to_ascii_uppercase().as_str(),
            ) {
                ("FLUSHALL" | "FLUSHDB", _) => kind(true, "keys", "all"),
                ("DEL" | "UNLINK", _) => kind(true, "key", &second),
                ("SHUTDOWN" | "REPLICAOF" | "SLAVEOF" | "FAILOVER", _) => {
                    kind(false, "server", first)
                }
                ("CONFIG", "SET") => {
                    kind(false, "setting", words.get(2).map_or("", String::as_str))
                }
                ("SCRIPT", "FLUSH") | ("FUNCTION", "FLUSH" | "DELETE") => {
                    kind(true, "scripts", "all")
                }
                ("SET" | "HSET" | "LPUSH" | "RPUSH" | "SADD" | "ZADD" | "EXPIRE" | "RENAME", _) => {
                    kind(false, "key", &second)
                }
                ("DEBUG", _) | ("MODULE", "LOAD") => kind(false, "server", &second),
                _ => continue,
            };
            self.emit(found, call.span, Certainty::Proven);
        }
        Stream::UNKNOWN
    }
}
