//! SQL: which statements a text holds, and what each would do.
//!
//! A text goes through three readers. The [`lexer`] takes it apart into statements, [`words`] tells by
//! its first words what a statement is about, and where it matters how far a statement reaches
//! (`DELETE`, `UPDATE`, common table expressions) the [`tree`] reader parses it with the dialect's real
//! grammar. What the grammar refuses is read by its words, and the text is marked unknown.

mod client;
mod condition;
mod functions;
mod lexer;
mod tree;
mod words;

pub(crate) use client::commands;

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Something is lost: `kind` and `name` of it.
    Destroy { kind: String, name: String },
    /// Something becomes another.
    Change { kind: String, name: String },
    /// Rights or passwords change.
    Credential { name: String },
    /// A protection is taken away.
    Disable { what: String },
    /// A shell runs this: `COPY … PROGRAM`, `xp_cmdshell`.
    Program { code: String },
    /// The server or client loads native code.
    Library { path: String },
    /// What runs cannot be seen.
    UnknownCode,
    /// Another file of SQL is run.
    Source { path: String },
    /// A file is written.
    WriteFile { path: String },
    /// A file is read.
    ReadFile { path: String },
    /// Another server is asked.
    Connect { address: String },
    /// SQL inside a text is run: the text.
    Nested { code: String },
}

impl Finding {
    fn destroy(kind: &str, name: impl Into<String>) -> Self {
        Self::Destroy {
            kind: kind.to_owned(),
            name: name.into(),
        }
    }

    fn change(kind: &str, name: impl Into<String>) -> Self {
        Self::Change {
            kind: kind.to_owned(),
            name: name.into(),
        }
    }
}

/// The dialect of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Postgres,
    MySql,
    Sqlite,
    DuckDb,
    TSql,
    Oracle,
    BigQuery,
    ClickHouse,
    Snowflake,
    Hive,
    Databricks,
    /// Cassandra's.
    Cql,
    Other,
}

impl Language {
    /// The dialect that a provider of the command knowledge speaks.
    pub(crate) fn of(provider: &str) -> Self {
        match provider {
            "postgresql" | "cockroachdb" | "supabase" | "redshift" | "yugabytedb" | "vertica"
            | "heroku" | "timescaledb" | "spanner" => Self::Postgres,
            "mysql" | "mariadb" | "planetscale" | "singlestore" | "tidb" | "wordpress" => {
                Self::MySql
            }
            "sqlite" | "turso" | "d1" => Self::Sqlite,
            "duckdb" => Self::DuckDb,
            "mssql" => Self::TSql,
            "oracle" => Self::Oracle,
            "bigquery" => Self::BigQuery,
            "clickhouse" => Self::ClickHouse,
            "snowflake" => Self::Snowflake,
            "hive" | "impala" => Self::Hive,
            "databricks" | "spark" => Self::Databricks,
            "cassandra" => Self::Cql,
            _ => Self::Other,
        }
    }

    fn hash_comments(self) -> bool {
        matches!(self, Self::MySql | Self::BigQuery | Self::Other)
    }

    fn nested_comments(self) -> bool {
        matches!(self, Self::Postgres | Self::TSql | Self::DuckDb)
    }

    fn backslashes(self) -> bool {
        matches!(
            self,
            Self::MySql
                | Self::BigQuery
                | Self::ClickHouse
                | Self::Snowflake
                | Self::Hive
                | Self::Databricks
        )
    }

    fn double_quoted_texts(self) -> bool {
        matches!(
            self,
            Self::MySql | Self::BigQuery | Self::Hive | Self::Databricks
        )
    }

    fn bracket_names(self) -> bool {
        matches!(self, Self::TSql | Self::Sqlite)
    }

    fn dollar_texts(self) -> bool {
        matches!(
            self,
            Self::Postgres | Self::Snowflake | Self::DuckDb | Self::Other
        )
    }

    /// A statement that drops something is undone by `ROLLBACK` too.
    fn undoes_drops(self) -> bool {
        matches!(
            self,
            Self::Postgres | Self::Sqlite | Self::DuckDb | Self::TSql
        )
    }
}

/// What was found in a text.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What the statements do, in order.
    pub(crate) found: Vec<Finding>,
    /// A part was read by its words only, or not at all.
    pub(crate) unknown: bool,
}

/// Most findings of one text.
const MAX_FOUND: usize = 256;
/// Deepest nesting of SQL in texts of SQL.
const MAX_DEPTH: u32 = 4;

/// Reads the statements of a text.
pub(crate) fn read(text: &str, language: Language) -> Reading {
    let mut reading = Reading::default();
    look(text, language, 0, &mut reading);
    reading
}

fn look(text: &str, language: Language, depth: u32, reading: &mut Reading) {
    let (tokens, whole) = lexer::read(text, language);
    reading.unknown |= !whole;
    // Where a transaction began, among the findings; and tables that live as long as the session.
    let mut began: Option<usize> = None;
    let mut temporary: Vec<String> = Vec::new();
    for statement in lexer::statements(&tokens, text, language) {
        if reading.found.len() > MAX_FOUND {
            reading.unknown = true;
            return;
        }
        let from = reading.found.len();
        let mut one = words::Reader {
            text,
            language,
            temporary: &mut temporary,
            found: &mut reading.found,
            unknown: false,
            depth: 0,
        };
        let ended = one.statement(statement);
        reading.unknown |= one.unknown;
        let mut nested = Vec::new();
        for finding in reading.found.get(from..).unwrap_or_default() {
            if let Finding::Nested { code } = finding {
                nested.push(code.clone());
            }
        }
        for code in nested {
            if depth < MAX_DEPTH {
                look(&code, language, depth + 1, reading);
            } else {
                reading.unknown = true;
            }
        }
        match ended {
            words::Ends::Begins => began = Some(reading.found.len()),
            words::Ends::Commits => began = None,
            words::Ends::RollsBack => {
                if let Some(began) = began.take() {
                    undo(reading, began, language);
                }
            }
            words::Ends::Nothing => {}
        }
    }
    if depth == 0 {
        reading
            .found
            .retain(|finding| !matches!(finding, Finding::Nested { .. }));
    }
}

/// What happened since then is taken back, as far as it can be.
fn undo(reading: &mut Reading, began: usize, language: Language) {
    for finding in reading.found.iter_mut().skip(began) {
        if let Finding::Destroy { kind, name } = finding
            && (kind.contains("rows") || language.undoes_drops())
        {
            *finding = Finding::Change {
                kind: "rolled-back".to_owned(),
                name: std::mem::take(name),
            };
        }
    }
}

/// What statements of Cypher, the language of graphs, do.
pub(crate) fn cypher(text: &str) -> Vec<Finding> {
    let (tokens, _) = lexer::read(text, Language::ClickHouse);
    let mut found = Vec::new();
    for statement in lexer::statements(&tokens, text, Language::ClickHouse) {
        let has = |words: &[&str]| statement.iter().any(|token| token.is_any(words));
        let after = |word: &str| {
            statement
                .iter()
                .position(|token| token.is(word))
                .and_then(|at| statement.get(at + 1))
                .map_or("", |token| token.text)
        };
        if statement.first().is_some_and(|first| first.is("drop")) {
            let kind = statement
                .get(1)
                .map_or("", |token| token.text)
                .to_ascii_lowercase();
            let name = statement.last().map_or("", |token| token.text);
            found.push(match kind.as_str() {
                "database" => Finding::destroy("database", name),
                "user" | "role" => Finding::Credential {
                    name: name.to_owned(),
                },
                _ => Finding::change(&format!("drop-{kind}"), name),
            });
        } else if has(&["delete"]) {
            // `(n {id: 3})` and `WHERE` pick some; a limit too.
            let picked = has(&["where", "limit"])
                || statement.iter().any(|token| token.mark("{")) && !has(&["transactions"]);
            found.push(if picked {
                Finding::change("rows", after("delete"))
            } else {
                Finding::destroy("rows", after("delete"))
            });
        } else if has(&["create", "merge", "set", "remove"]) && !has(&["show"]) {
            found.push(Finding::change("rows", ""));
        }
    }
    found
}

/// True for a line that is no command of a shell but a statement that some client understands: it
/// begins with the verb and names what it is about.
pub(crate) fn is_statement(words: &[&str]) -> bool {
    let is = |at: usize, all: &[&str]| {
        words
            .get(at)
            .is_some_and(|word| all.iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    let name = |at: usize| {
        words.get(at).is_some_and(|word| {
            let word = word.trim_end_matches([';', ',']);
            !word.is_empty()
                && word.chars().all(|next| {
                    next.is_alphanumeric() || matches!(next, '_' | '.' | '"' | '`' | '[' | ']')
                })
        })
    };
    if is(0, &["drop"]) {
        return name(2)
            && is(
                1,
                &[
                    "table",
                    "database",
                    "schema",
                    "user",
                    "role",
                    "view",
                    "index",
                    "model",
                    "snapshot",
                    "row",
                    "materialized",
                    "tablespace",
                    "owned",
                    "function",
                    "keyspace",
                    "warehouse",
                    "sequence",
                    "trigger",
                    "procedure",
                    "extension",
                ],
            );
    }
    if is(0, &["truncate"]) {
        return is(1, &["table"]) && name(2)
            || name(1) && (words.len() == 2 || is(2, &["cascade", "restart", "restrict"]))
            || is(1, &["only"]) && name(2);
    }
    is(0, &["delete"]) && is(1, &["from"]) && words.len() > 2
        || is(0, &["update"]) && is(2, &["set"]) && words.len() > 3
        || is(0, &["update"]) && is(1, &["only"]) && is(3, &["set"])
        || is(0, &["update"]) && words.len() > 4 && (is(3, &["set"]) || is(4, &["set"])) && name(1)
        || is(0, &["alter"]) && is(1, &["table", "user", "role", "database", "schema"]) && name(2)
        || is(0, &["grant", "revoke"]) && words.iter().any(|word| word.eq_ignore_ascii_case("on"))
        || is(0, &["merge"]) && is(2, &["using"]) | is(3, &["using"])
        || is(0, &["merge"]) && is(1, &["into"])
        || is(0, &["create"]) && is(1, &["or"]) && is(2, &["replace"])
}

#[cfg(test)]
mod tests;
