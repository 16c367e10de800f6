//! The shell of MongoDB: JavaScript of which the chains of calls matter.

use cmdai_schema::{Certainty, CodeSource, EffectKind};

use super::Server;
use crate::{
    analyser::Analyser,
    call::Call,
    inline::tokens::{self, Token},
    options::Parsed,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    pub(crate) fn mongo(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let context = parsed
            .value("host")
            .or_else(|| parsed.nth(1).filter(|first| first.text.contains("://")))
            .map(|text| text.text.clone());
        let server = Server {
            provider: "mongodb",
            context: context.as_ref(),
        };
        let mut codes: Vec<Text> = parsed.values("code").cloned().collect();
        let files: Vec<Text> = parsed
            .values("file")
            .chain(parsed.rest().filter(|text| text.text.ends_with(".js")))
            .cloned()
            .collect();
        for file in &files {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => codes.push(Text::known(text, file.span)),
                Some(Stream::Tainted(taint)) => self.tainted_code(&taint, "mongo", file.span),
                _ => self.emit_code(CodeSource::File(path), "mongo", file.span),
            }
        }
        match call.stdin {
            stream @ (Stream::Known(_) | Stream::Partial(_)) => {
                codes.extend(super::text_of(stream, call.span));
            }
            Stream::Tainted(Taint::Unknown | Taint::Made) if codes.is_empty() => {
                self.unknown_region(call.span, "the statements are made by another program");
            }
            Stream::Tainted(taint) if codes.is_empty() => {
                self.tainted_code(&taint.clone(), "mongo", call.span);
            }
            _ => {}
        }
        for code in codes {
            self.mongo_code(&code, server);
        }
        Stream::UNKNOWN
    }

    /// `db.users.drop()` typed where a shell was expected: it is judged as what it would do there.
    pub(crate) fn bare_mongo(&mut self, text: &str) {
        let span = cmdai_schema::Span::new(0, text.len());
        let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
        self.mongo_code(
            &Text::known(text, span),
            Server {
                provider: "mongodb",
                context: None,
            },
        );
        self.ceiling = ceiling;
    }

    fn mongo_code(&mut self, code: &Text, server: Server<'_>) {
        let tokens = tokens::read(&code.text);
        let sure = if code.known {
            Certainty::Proven
        } else {
            Certainty::Likely
        };
        for (at, token) in tokens.iter().enumerate() {
            let Token::Name(name) = token else { continue };
            if tokens.get(at + 1) != Some(&Token::Mark('(')) {
                continue;
            }
            let end = closing(&tokens, at + 1);
            let args = tokens.get(at + 2..end).unwrap_or_default();
            let subject = subject(&tokens, at);
            let found = match name.as_str() {
                "dropDatabase" => server.destroy("database", &database(&tokens, at)),
                "drop" if !subject.is_empty() => server.destroy("collection", &subject),
                "dropCollection" => server.destroy("collection", &subject),
                "dropIndexes" | "dropIndex" | "dropSearchIndex" => server.change("index", &subject),
                "deleteMany" | "remove" if every(args) => {
                    // `remove({}, true)` removes one.
                    let one = name == "remove"
                        && args
                            .iter()
                            .any(|token| is_name(token, &["true", "justOne"]));
                    if one {
                        server.change("documents", &subject)
                    } else {
                        server.destroy("documents", &subject)
                    }
                }
                "updateMany" if every(args) => server.destroy("every-documents-value", &subject),
                "update" if every(args) && args.iter().any(|token| is_name(token, &["multi"])) => {
                    server.destroy("every-documents-value", &subject)
                }
                "remove" if subject.is_empty() || subject == "rs" => server.change("server", name),
                "deleteMany" | "deleteOne" | "remove" | "updateMany" | "updateOne" | "update"
                | "insertOne" | "insertMany" | "insert" | "replaceOne" | "findAndModify"
                | "findOneAndDelete" | "findOneAndUpdate" | "findOneAndReplace" | "bulkWrite"
                | "save" | "createIndex" | "ensureIndex" => server.change("documents", &subject),
                "renameCollection" => {
                    // `renameCollection('b', true)` drops what was called so.
                    if args.iter().any(|token| is_name(token, &["true"])) {
                        server.destroy("collection", texts(args).first().map_or("", |text| text))
                    } else {
                        server.change("collection", &subject)
                    }
                }
                "createCollection" | "createView" | "convertToCapped" => {
                    server.change("collection", texts(args).first().map_or("", |text| text))
                }
                "shutdownServer" | "stepDown" | "reconfig" | "fsyncLock" | "removeShard"
                | "stopBalancer" => server.change("server", name),
                "dropUser"
                | "dropAllUsers"
                | "dropAllUsersFromDatabase"
                | "dropRole"
                | "dropAllRoles"
                | "createUser"
                | "updateUser"
                | "changeUserPassword"
                | "grantRolesToUser"
                | "revokeRolesFromUser"
                | "createRole"
                | "updateRole"
                | "grantPrivilegesToRole"
                | "grantRolesToRole" => {
                    let name = texts(args).first().map_or("users", |text| text).to_owned();
                    EffectKind::ChangeCredential {
                        subject: format!("{name} of the database"),
                    }
                }
                "runCommand" | "adminCommand" | "_adminCommand" => match command(args, server) {
                    Some(kind) => kind,
                    None => continue,
                },
                "load" => {
                    if let Some(path) = texts(args).first() {
                        let path = self.absolute(path);
                        self.emit_code(CodeSource::File(path), "mongo", code.span);
                    }
                    continue;
                }
                // The shell's own way to start programs, and Node's.
                "run" | "runProgram" | "runNonMongoProgram" if subject.is_empty() => {
                    let words: Vec<Text> = texts(args)
                        .into_iter()
                        .map(|text| Text::known(text, code.span))
                        .collect();
                    self.call(&words, Vec::new(), &Stream::Empty, code.span);
                    continue;
                }
                "exec" | "execSync" | "spawn" | "spawnSync" | "execFileSync" | "unlinkSync"
                | "rmSync" | "writeFileSync" | "readFileSync" => {
                    self.inline_code("javascript", code, crate::script::Start::EMPTY);
                    continue;
                }
                _ => continue,
            };
            self.emit(found, code.span, sure);
        }
    }
}

/// The index of the closing bracket.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0u32;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn texts(args: &[Token]) -> Vec<String> {
    args.iter()
        .filter_map(|token| match token {
            Token::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

fn is_name(token: &Token, names: &[&str]) -> bool {
    matches!(token, Token::Name(name) if names.contains(&name.as_str()))
}

/// What a call is about: `users` of `db.users.drop()`, `db['users'].drop()`,
/// `db.getCollection('users').drop()`.
fn subject(tokens: &[Token], at: usize) -> String {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    if before(1) != Some(&Token::Mark('.')) {
        return String::new();
    }
    match before(2) {
        Some(Token::Name(name)) => {
            // `db.my-collection.drop()`
            match (before(3), before(4)) {
                (Some(Token::Mark('-')), Some(Token::Name(first))) => format!("{first}-{name}"),
                _ => name.clone(),
            }
        }
        Some(Token::Mark(')' | ']')) => match (before(3), before(4), before(5)) {
            (Some(Token::Text(name)), Some(Token::Mark('[')), _) => name.clone(),
            (Some(Token::Text(name)), Some(Token::Mark('(')), Some(Token::Name(getter)))
                if getter == "getCollection" || getter == "collection" =>
            {
                name.clone()
            }
            _ => "chosen".to_owned(),
        },
        _ => String::new(),
    }
}

/// `x` of `db.getSiblingDB('x').dropDatabase()`.
fn database(tokens: &[Token], at: usize) -> String {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    match (before(2), before(3)) {
        (Some(Token::Mark(')')), Some(Token::Text(name))) => name.clone(),
        _ => "current".to_owned(),
    }
}

/// The filter leaves nothing out: `{}`, `{_id: {$exists: true}}`.
fn every(args: &[Token]) -> bool {
    let open = Token::Mark('{');
    match args {
        [] => true,
        [first, Token::Mark('}'), ..] if *first == open => true,
        // `function() { … }` and variables are not known; they pick something.
        [first, rest @ ..] if *first == open => {
            let end = closing(args, 0);
            let inner = rest.get(..end.saturating_sub(1)).unwrap_or_default();
            let names: Vec<&str> = inner
                .iter()
                .filter_map(|token| match token {
                    Token::Name(name) | Token::Text(name) => Some(name.as_str()),
                    _ => None,
                })
                .collect();
            matches!(
                names.as_slice(),
                ["_id", exists, "true"] if exists.trim_start_matches('$') == "exists"
            ) || matches!(
                names.as_slice(),
                ["_id", ne, "null"] if ne.trim_start_matches('$') == "ne"
            )
        }
        _ => false,
    }
}

/// `{drop: 'c'}`, `{dropDatabase: 1}`, `{shutdown: 1}`, `{delete: 'c', deletes: […]}`.
fn command(args: &[Token], server: Server<'_>) -> Option<EffectKind> {
    let verb = args.iter().find_map(|token| match token {
        Token::Name(name) | Token::Text(name) => Some(name.as_str()),
        _ => None,
    })?;
    let name = args
        .iter()
        .skip(2)
        .find_map(|token| match token {
            Token::Text(text) if text != verb => Some(text.as_str()),
            _ => None,
        })
        .unwrap_or("current");
    Some(match verb {
        "drop" => server.destroy("collection", name),
        "dropDatabase" => server.destroy("database", "current"),
        "dropIndexes" | "deleteIndexes" => server.change("index", name),
        "shutdown" | "replSetStepDown" | "replSetReconfig" | "setParameter" | "fsync" => {
            server.change("server", verb)
        }
        "delete" => {
            let whole = args.windows(4).any(|four| {
                matches!(four, [Token::Name(q), Token::Mark(':'), Token::Mark('{'), Token::Mark('}')] if q == "q")
            });
            if whole {
                server.destroy("documents", name)
            } else {
                server.change("documents", name)
            }
        }
        "update" | "insert" | "findAndModify" | "create" | "renameCollection"
        | "convertToCapped" | "collMod" => server.change("documents", name),
        "dropUser"
        | "dropAllUsersFromDatabase"
        | "createUser"
        | "updateUser"
        | "grantRolesToUser"
        | "revokeRolesFromUser" => EffectKind::ChangeCredential {
            subject: format!("{name} of the database"),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{every, tokens};

    #[test]
    fn filters() {
        for (filter, whole) in [
            ("{}", true),
            ("", true),
            ("{}, {a: 1}", true),
            ("{_id: {$exists: true}}", true),
            ("{ '_id': { '$ne': null } }", true),
            ("{a: 1}", false),
            ("filter", false),
        ] {
            assert_eq!(every(&tokens::read(filter)), whole, "{filter}");
        }
    }
}
