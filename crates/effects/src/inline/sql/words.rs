//! What a statement is about, told by its words.

use super::{
    Finding, Language, functions,
    lexer::{Kind, Token},
    tree,
};

/// What a statement does to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Nothing,
    Begins,
    Commits,
    RollsBack,
}

/// Reads statements of one text.
pub(super) struct Reader<'r, 'a> {
    pub(super) text: &'a str,
    pub(super) language: Language,
    /// Tables that the text made for its session.
    pub(super) temporary: &'r mut Vec<String>,
    pub(super) found: &'r mut Vec<Finding>,
    /// Something was told by its words that the grammar did not take.
    pub(super) unknown: bool,
    /// How deep statements stand inside others.
    pub(super) depth: u8,
}

/// Deepest nesting of statements.
const MAX_DEPTH: u8 = 8;

/// Words that may stand between a verb and a name.
const FILLERS: &[&str] = &[
    "if",
    "exists",
    "not",
    "only",
    "table",
    "concurrently",
    "from",
    "into",
    "ignore",
    "low_priority",
    "quick",
    "delayed",
    "temporary",
];
/// What is lost with everything in it when it is dropped.
const HOLDERS: &[&str] = &[
    "table",
    "database",
    "schema",
    "tablespace",
    "keyspace",
    "stage",
    "warehouse",
    "catalog",
    "collection",
    "share",
    "volume",
    "model",
    "dictionary",
    "bucket",
    "owned",
    "columnfamily",
    "namespace",
    "cluster",
    "index_all",
    "application",
    "named",
];

impl<'a> Reader<'_, 'a> {
    /// Reads a statement.
    pub(super) fn statement(&mut self, all: &[Token<'a>]) -> Ends {
        if self.depth >= MAX_DEPTH {
            self.unknown = true;
            return Ends::Nothing;
        }
        self.depth += 1;
        let ends = self.one(all);
        self.depth -= 1;
        ends
    }

    fn one(&mut self, all: &[Token<'a>]) -> Ends {
        let statement = unlabelled(all);
        functions::look(statement, self.language, self.found);
        let at = |index: usize| statement.get(index);
        let is = |index: usize, words: &[&str]| at(index).is_some_and(|word| word.is_any(words));
        let Some(first) = at(0).filter(|first| first.names()) else {
            // `(SELECT …)`, `{call …}`
            return Ends::Nothing;
        };
        let verb = first.text.to_ascii_lowercase();
        match verb.as_str() {
            "select" | "values" | "table" | "show" | "describe" | "desc" | "help" | "use"
            | "analyze" | "listen" | "fetch" | "declare" | "close" | "savepoint" | "release"
            | "checkpoint" | "discard" | "print" | "set" | "explain" | "pragma" => {
                return self.calm(&verb, statement);
            }
            "begin" | "start" => {
                if is(1, &["slave", "replica", "group_replication"]) {
                    self.change("replication", "");
                } else if statement.len() > 2 && verb == "begin" && !is(1, TRANSACTION_WORDS) {
                    self.scan(statement);
                } else {
                    return Ends::Begins;
                }
            }
            "commit" => return Ends::Commits,
            // `END` closes a transaction of PostgreSQL; behind a body it closes that.
            "end" => return Ends::Commits,
            "rollback" | "abort" => {
                let part = statement.iter().any(|word| word.is("to"));
                return if part { Ends::Nothing } else { Ends::RollsBack };
            }
            "drop" => self.drop(statement),
            "truncate" => self.truncate(statement),
            "delete" | "update" | "with" | "merge" => {
                if !self.by_tree(statement) {
                    self.by_words(statement);
                }
            }
            "insert" | "replace" | "upsert" => {
                let (name, _) = self.name(statement, 1 + usize::from(is(1, &["overwrite"])));
                if is(1, &["overwrite"]) {
                    self.destroy("rows", name);
                } else if !self.is_temporary(&name) {
                    self.change("table", name);
                }
            }
            "alter" => self.alter(statement),
            "create" => self.create(statement),
            "grant" | "revoke" | "deny" => self.rights(&verb, statement),
            "copy" | "unload" | "load" | "import" | "export" => self.transfer(&verb, statement),
            "backup" | "restore" => {
                let (name, _) = self.name(statement, 2);
                let replaces = verb == "restore"
                    && !is(
                        1,
                        &["verifyonly", "headeronly", "filelistonly", "labelonly"],
                    );
                if replaces {
                    self.destroy("database", name);
                } else if let Some(path) = self.text_after(statement, "disk") {
                    self.found.push(Finding::WriteFile { path });
                }
            }
            "exec" | "execute" | "call" | "xp_cmdshell" | "sp_executesql" | "sp_configure" => {
                self.execute(statement)
            }
            "prepare" => {
                // `PREPARE p FROM 'DROP …'`, `PREPARE p AS DELETE …`
                if let Some(at) = statement.iter().position(|word| word.is("as")) {
                    self.statement(statement.get(at + 1..).unwrap_or_default());
                } else if let Some(code) = self.text_after(statement, "from") {
                    self.found.push(Finding::Nested { code });
                }
            }
            "do" => {
                let code = statement.iter().find(|token| token.kind == Kind::Text);
                match code {
                    Some(code) => self.block(code.text),
                    None => self.scan(statement),
                }
            }
            "shutdown" | "restart" => self.change("server", verb),
            "system" => self.clickhouse_system(statement),
            "kill" => self.change("session", at(1).map_or("", |word| word.text)),
            "reset" | "purge" => {
                if is(1, &["master", "slave", "replica", "binary", "bin"]) {
                    let kind = if is(1, &["slave", "replica"]) {
                        "replication"
                    } else {
                        "binary-log"
                    };
                    self.destroy(kind, "all");
                } else if verb == "purge" {
                    let (name, _) = self.name(statement, 2);
                    self.destroy("table", name);
                }
            }
            "stop" | "change" => {
                if is(
                    1,
                    &[
                        "slave",
                        "replica",
                        "master",
                        "replication",
                        "group_replication",
                    ],
                ) {
                    self.change("replication", "");
                }
            }
            "install" => {
                if let Some(path) = self.text_after(statement, "soname") {
                    self.found.push(Finding::Library { path });
                } else {
                    let (name, _) = self.name(statement, 1);
                    self.change("extension", name);
                }
            }
            "uninstall" => self.change("plugin", at(2).map_or("", |word| word.text)),
            "detach" => {
                let (name, _) = self.name(statement, 2);
                if statement.iter().any(|word| word.is("permanently")) {
                    self.destroy("table", name);
                } else if self.language == Language::ClickHouse {
                    self.change("table", name);
                }
            }
            "attach" => {
                if let Some(path) = statement.iter().find(|token| token.kind == Kind::Text) {
                    self.found.push(Finding::ReadFile {
                        path: path.text.to_owned(),
                    });
                }
            }
            "vacuum" => {
                if let Some(path) = self.text_after(statement, "into") {
                    self.found.push(Finding::WriteFile { path });
                } else if is(1, &["full"]) {
                    let (name, _) = self.name(statement, 2);
                    self.change("table", name);
                }
            }
            "optimize" | "reindex" | "cluster" | "refresh" | "rename" | "comment" | "security"
            | "reassign" | "undrop" | "exchange" | "msck" | "repair" => {
                let (name, _) = self.name(statement, 2);
                self.change("table", name);
            }
            "if" | "while" | "loop" | "case" | "for" | "go" => self.scan(statement),
            "flush" | "lock" | "unlock" | "notify" | "unlisten" | "deallocate" | "handler"
            | "cache" | "uncache" | "clear" | "list" | "ls" | "get" | "put" | "get_lock"
            | "source" | "connect" | "connection" | "tables" | "return" | "raise" | "signal"
            | "assert" | "from" | "exists" | "check" | "watch" | "quit" | "exit" | "q"
            | "delimiter" => {}
            "remove" | "rm" => {
                // Files of a stage.
                if at(1).is_some_and(|mark| mark.text.starts_with('@')) {
                    self.destroy("stage-files", at(1).map_or("", |word| word.text));
                }
            }
            _ => self.unknown = true,
        }
        Ends::Nothing
    }

    /// Statements that show something, unless they hold more.
    fn calm(&mut self, verb: &str, statement: &[Token<'a>]) -> Ends {
        let at = |index: usize| statement.get(index);
        match verb {
            "select" => {
                if let Some(path) = self
                    .text_after(statement, "outfile")
                    .or_else(|| self.text_after(statement, "dumpfile"))
                {
                    self.found.push(Finding::WriteFile { path });
                } else if let Some(into) = statement.iter().position(|word| word.is("into")) {
                    // `SELECT … INTO new_table`; a variable begins with `@`.
                    let (name, _) = self.name(statement, into + 1);
                    let session = statement.get(into + 1).is_some_and(|word| {
                        word.is_any(&["temp", "temporary", "unlogged"])
                            || word.text.starts_with(['@', '#', ':'])
                    });
                    if !name.is_empty() && !session {
                        self.change("table", name);
                    }
                }
            }
            "explain" | "describe" | "desc" => {
                let analyze = statement
                    .iter()
                    .skip(1)
                    .take(12)
                    .take_while(|word| !word.is_any(VERBS))
                    .enumerate()
                    .any(|(at, word)| {
                        word.is_any(&["analyze", "analyse"])
                            && !statement
                                .get(at + 2)
                                .is_some_and(|next| next.is_any(&["false", "off"]))
                    });
                let inner = statement.iter().position(|word| word.is_any(VERBS));
                // The plan alone runs nothing.
                if let (true, Some(inner)) = (analyze, inner) {
                    return self.statement(statement.get(inner..).unwrap_or_default());
                }
            }
            "set" => self.set(statement),
            "pragma"
                if at(1).is_some_and(|word| word.is("writable_schema"))
                    && statement
                        .iter()
                        .any(|token| token.is_any(&["on", "true"]) || token.text == "1") =>
            {
                self.change("setting", "writable_schema");
            }
            "table" | "values" => {}
            "declare"
                if statement
                    .iter()
                    .any(|word| word.is_any(&["exec", "execute", "begin"])) =>
            {
                self.scan(statement);
            }
            _ => {}
        }
        Ends::Nothing
    }

    /// `SET GLOBAL general_log_file = '…'`, `SET PASSWORD …`.
    fn set(&mut self, statement: &[Token<'a>]) {
        let is = |index: usize, words: &[&str]| {
            statement.get(index).is_some_and(|word| word.is_any(words))
        };
        if is(1, &["password"]) {
            self.found.push(Finding::Credential {
                name: "password".to_owned(),
            });
            return;
        }
        let wide = is(1, &["global", "persist", "persist_only"])
            || statement.iter().any(|word| word.is("@@global"));
        if !wide {
            return;
        }
        let setting = statement
            .iter()
            .skip(1)
            .find(|word| {
                word.names() && !word.is_any(&["global", "persist", "@@global", "persist_only"])
            })
            .map_or("", |word| word.text);
        let file = setting.to_ascii_lowercase().ends_with("_file");
        match statement.iter().find(|token| token.kind == Kind::Text) {
            Some(path) if file => self.found.push(Finding::WriteFile {
                path: path.text.to_owned(),
            }),
            _ => self.change("setting", setting),
        }
    }

    fn drop(&mut self, statement: &[Token<'a>]) {
        let word = |index: usize| statement.get(index).map_or("", |word| word.text);
        let mut at = 1;
        let mut temporary = false;
        while let Some(next) = statement.get(at).filter(|next| {
            next.is_any(&[
                "materialized",
                "foreign",
                "external",
                "snapshot",
                "temporary",
                "pluggable",
                "or",
                "replace",
                "dynamic",
                "iceberg",
                "public",
                "virtual",
                "search",
            ])
        }) {
            temporary |= next.is("temporary");
            at += 1;
            if next.is("foreign") && word(at).eq_ignore_ascii_case("data") {
                at += 1;
            }
        }
        let materialized = statement.get(1).is_some_and(|word| word.is("materialized"));
        let kind = word(at).to_ascii_lowercase();
        let from = if kind == "owned" { at + 2 } else { at + 1 };
        let cascade = statement.iter().any(|word| word.is("cascade"));
        let mut names = Vec::new();
        let mut next = from;
        while names.len() < 16 {
            let (name, behind) = self.name(statement, next);
            if name.is_empty() {
                break;
            }
            names.push(name);
            if !statement.get(behind).is_some_and(|mark| mark.mark(",")) {
                break;
            }
            next = behind + 1;
        }
        if names.is_empty() {
            names.push(String::new());
        }
        if temporary {
            return;
        }
        for name in names {
            if self.is_temporary(&name) {
                continue;
            }
            match kind.as_str() {
                "" => {}
                "user" | "role" | "login" => {
                    if cascade && self.language == Language::Oracle {
                        self.destroy("schema", name);
                    } else {
                        self.found.push(Finding::Credential { name });
                    }
                }
                "row" => self.found.push(Finding::Disable {
                    what: format!("the row access policy {name}"),
                }),
                "policy" | "masking" => self.found.push(Finding::Disable {
                    what: format!("the policy {name}"),
                }),
                "type" | "extension" if cascade => self.destroy("columns", name),
                _ if HOLDERS.contains(&kind.as_str()) && !materialized => self.destroy(&kind, name),
                _ => self.change(&format!("drop-{kind}"), name),
            }
        }
    }

    fn truncate(&mut self, statement: &[Token<'a>]) {
        let mut at = 1;
        let whole = statement
            .get(1)
            .is_some_and(|word| word.is_any(&["database", "schema"]));
        if whole || statement.get(1).is_some_and(|word| word.is("all")) {
            at = 2;
        }
        loop {
            let (name, behind) = self.name(statement, at);
            if !name.is_empty() && !self.is_temporary(&name) {
                self.destroy(if whole { "database" } else { "rows" }, name);
            }
            if !statement.get(behind).is_some_and(|mark| mark.mark(",")) || behind <= at {
                break;
            }
            at = behind + 1;
        }
    }

    fn alter(&mut self, statement: &[Token<'a>]) {
        let has = |word: &str| statement.iter().any(|token| token.is(word));
        let pair = |first: &str, second: &[&str]| {
            statement
                .windows(2)
                .any(|pair| matches!(pair, [one, two] if one.is(first) && two.is_any(second)))
        };
        let kind = statement
            .get(1)
            .map(|word| word.text.to_ascii_lowercase())
            .unwrap_or_default();
        let (name, _) = self.name(statement, 2);
        match kind.as_str() {
            "user" | "role" | "login" => {
                let rights = has("password")
                    || has("identified")
                    || has("superuser")
                    || has("createrole")
                    || has("bypassrls")
                    || has("replication")
                    || has("default_role");
                if rights || self.language != Language::Postgres {
                    self.found.push(Finding::Credential { name });
                } else {
                    self.change(&kind, name);
                }
            }
            "system" => {
                // `archive_command` and its like are run by a shell of the server.
                let setting = statement.get(3).map_or("", |word| word.text);
                if setting.to_ascii_lowercase().ends_with("_command")
                    && let Some(code) = statement.iter().find(|token| token.kind == Kind::Text)
                {
                    self.found.push(Finding::Program {
                        code: code.text.to_owned(),
                    });
                }
                self.change("setting", setting);
            }
            "table" | "columnfamily" | "foreign" => {
                if self.is_temporary(&name) {
                    return;
                }
                if pair("disable", &["row"]) || has("disable") && pair("level", &["security"]) {
                    self.found.push(Finding::Disable {
                        what: format!("row level security of {name}"),
                    });
                    return;
                }
                // ClickHouse writes `ALTER TABLE t DELETE WHERE …`.
                if self.language == Language::ClickHouse {
                    let verb = statement
                        .iter()
                        .skip(3)
                        .position(|word| word.is_any(&["delete", "update"]))
                        .map(|at| at + 3);
                    if let Some(at) = verb {
                        let whole = words_condition(statement.get(at..).unwrap_or_default())
                            != Condition::Some;
                        if whole {
                            self.destroy("rows", name);
                        } else {
                            self.change("rows", name);
                        }
                        return;
                    }
                }
                if pair("drop", &["partition", "subpartition"])
                    || pair("truncate", &["partition"])
                    || pair("clear", &["column", "partition"])
                {
                    self.destroy("partition", name);
                } else if pair("set", &["options"]) && has("expiration_timestamp")
                    || has("partition_expiration_days") && has("set")
                {
                    self.destroy("table-after-a-date", name);
                } else if self.drops_column(statement) {
                    self.destroy("column", name);
                } else {
                    self.change("table", name);
                }
            }
            _ => self.change(&kind, name),
        }
    }

    /// `DROP [COLUMN] name`, and no constraint, default or index.
    fn drops_column(&mut self, statement: &[Token<'a>]) -> bool {
        if let Some(told) = tree::drops_column(self.slice(statement), self.language) {
            return told;
        }
        statement.windows(2).any(|pair| {
            matches!(pair, [drop, next] if drop.is("drop") && next.names() && !next.is_any(&[
                "constraint", "default", "not", "index", "primary", "foreign", "key", "check", "identity",
                "expression", "projection", "statistics", "trigger", "feature", "policy",
            ]))
        })
    }

    fn create(&mut self, statement: &[Token<'a>]) {
        let replaces = statement.get(1).is_some_and(|word| word.is("or"));
        let mut at = if replaces { 3 } else { 1 };
        let mut temporary = false;
        while let Some(word) = statement.get(at).filter(|word| {
            word.is_any(&[
                "temp",
                "temporary",
                "unlogged",
                "global",
                "local",
                "unique",
                "external",
                "foreign",
                "materialized",
                "transient",
                "volatile",
                "virtual",
                "recursive",
                "definer",
                "clustered",
                "nonclustered",
                "dynamic",
                "iceberg",
                "public",
            ])
        }) {
            temporary |= word.is_any(&["temp", "temporary", "volatile", "local"]);
            at += 1;
        }
        let kind = statement
            .get(at)
            .map(|word| word.text.to_ascii_lowercase())
            .unwrap_or_default();
        let (name, _) = self.name(statement, at + 1);
        let has = |word: &str| statement.iter().any(|token| token.is(word));
        match kind.as_str() {
            "table" if temporary || name.starts_with('#') => self.temporary.push(name),
            _ if temporary => {}
            "table" | "model" | "schema" | "database" | "stage" if replaces => {
                self.destroy(&kind, name)
            }
            "user" | "role" | "login" => {
                let rights = has("superuser") || has("createrole") || has("replication");
                if rights {
                    self.found.push(Finding::Credential { name });
                } else {
                    self.change(&kind, name);
                }
            }
            "function" | "aggregate" => {
                // Native code: `RETURNS INT SONAME 'x.so'`, `AS '/tmp/x.so' LANGUAGE C`.
                let native = self.text_after(statement, "soname").or_else(|| {
                    let c = statement.windows(2).any(
                        |pair| matches!(pair, [word, name] if word.is("language") && (name.is("c") || name.text.eq_ignore_ascii_case("c"))),
                    );
                    c.then(|| self.text_after(statement, "as")).flatten()
                });
                match native {
                    Some(path) => self.found.push(Finding::Library { path }),
                    None => self.change(&kind, name),
                }
            }
            _ => self.change(&kind, name),
        }
    }

    fn rights(&mut self, verb: &str, statement: &[Token<'a>]) {
        let has = |word: &str| statement.iter().any(|token| token.is(word));
        let on = statement.iter().position(|word| word.is("on"));
        let everywhere = on.is_some_and(|on| {
            statement.get(on + 1).is_some_and(|mark| mark.mark("*"))
                && statement.get(on + 2).is_some_and(|mark| mark.mark("."))
        });
        // A role is given to somebody: everything that the role may.
        let wide = everywhere && has("all")
            || has("all")
                && (verb == "revoke"
                    || has("public") && has("to")
                    || on.is_none()
                    || has("database"))
            || on.is_none()
            || has("superuser")
            || statement.windows(2).any(
                |pair| matches!(pair, [grant, option] if grant.is("grant") && option.is("option")),
            );
        let who = statement
            .iter()
            .rev()
            .find(|token| matches!(token.kind, Kind::Word | Kind::Name | Kind::Text))
            .map_or("", |token| token.text);
        if wide {
            self.found.push(Finding::Credential {
                name: who.to_owned(),
            });
        } else {
            self.change("grant", who);
        }
    }

    /// `COPY`, `LOAD DATA`, `UNLOAD`, `IMPORT`.
    fn transfer(&mut self, verb: &str, statement: &[Token<'a>]) {
        let has = |word: &str| statement.iter().any(|token| token.is(word));
        if verb == "load" && statement.len() == 2 {
            if let Some(path) = statement.get(1) {
                self.found.push(Finding::Library {
                    path: path.text.to_owned(),
                });
            }
            return;
        }
        // Between brackets stands a query or a list of columns.
        let mut depth = 0i32;
        let outer: Vec<&Token<'_>> = statement
            .iter()
            .filter(|token| {
                if token.mark("(") {
                    depth += 1;
                } else if token.mark(")") {
                    depth -= 1;
                }
                depth == 0
            })
            .collect();
        let (name, _) = self.name(statement, 1);
        let to = outer.iter().any(|token| token.is("to"));
        let program = outer.iter().position(|token| token.is("program"));
        let text = |from: usize| {
            outer
                .iter()
                .skip(from)
                .find(|token| token.kind == Kind::Text)
                .map(|token| token.text.to_owned())
        };
        if let Some(at) = program {
            match text(at) {
                Some(code) => self.found.push(Finding::Program {
                    code: code.replace("''", "'"),
                }),
                None => self.found.push(Finding::UnknownCode),
            }
            return;
        }
        let local = |path: &str| {
            !path.contains("://") && !path.starts_with(['@', 's']) || path.starts_with('/')
        };
        match (verb, text(1)) {
            ("export", _) => {}
            ("copy", Some(path)) if to && local(&path) => {
                self.found.push(Finding::WriteFile { path })
            }
            ("copy", path) if !to => {
                if let Some(path) = path.filter(|path| local(path)) {
                    self.found.push(Finding::ReadFile { path });
                }
                self.change("table", name);
            }
            ("load" | "import", path) => {
                if let Some(path) = path.filter(|path| local(path)) {
                    self.found.push(Finding::ReadFile { path });
                }
                let name = self.text_name_after(statement, "table");
                if has("overwrite") {
                    self.destroy("rows", name);
                } else {
                    self.change("table", name);
                }
            }
            _ => {}
        }
    }

    /// `EXEC xp_cmdshell '…'`, `EXECUTE IMMEDIATE '…'`, `EXEC('…')`.
    fn execute(&mut self, statement: &[Token<'a>]) {
        let named = |name: &str| {
            statement
                .iter()
                .take(12)
                .any(|token| token.names() && token.text.eq_ignore_ascii_case(name))
        };
        let text = statement
            .iter()
            .find(|token| token.kind == Kind::Text)
            .map(|token| token.text.replace("''", "'"));
        if named("xp_cmdshell") {
            self.found
                .push(text.map_or(Finding::UnknownCode, |code| Finding::Program { code }));
        } else if named("sp_configure") {
            if let Some(setting) = text {
                self.change("setting", setting);
            }
        } else if named("sp_oacreate")
            || named("sp_execute_external_script")
            || named("xp_regwrite")
        {
            self.found.push(Finding::UnknownCode);
        } else if named("sp_addsrvrolemember") || named("sp_addlogin") || named("sp_password") {
            self.found.push(Finding::Credential {
                name: text.unwrap_or_default(),
            });
        } else if statement.iter().any(|token| {
            token.names()
                && [
                    "exec",
                    "execute",
                    "immediate",
                    "sp_executesql",
                    "sp_msforeachtable",
                    "sp_msforeachdb",
                ]
                .iter()
                .any(|name| token.text.eq_ignore_ascii_case(name))
        }) && let Some(code) = text
        {
            self.found.push(Finding::Nested { code });
        }
    }

    fn clickhouse_system(&mut self, statement: &[Token<'a>]) {
        let second = statement.get(1).map_or("", |word| word.text);
        match second.to_ascii_lowercase().as_str() {
            "shutdown" | "kill" => self.change("server", second),
            "drop" => {
                let cache = statement
                    .iter()
                    .any(|word| word.text.to_ascii_lowercase().contains("cache"));
                if cache {
                    self.change("cache", "");
                } else {
                    self.destroy("replica", "");
                }
            }
            "stop" | "restart" | "restore" => self.change("setting", second),
            _ => {}
        }
    }

    /// Tells `DELETE`, `UPDATE`, `MERGE` and queries with parts by the grammar; false where it does
    /// not take the statement.
    fn by_tree(&mut self, statement: &[Token<'a>]) -> bool {
        if statement.first().is_some_and(|first| first.is("with"))
            && !statement.iter().any(|word| word.is_any(VERBS_THAT_CHANGE))
        {
            return true;
        }
        let Some(found) = tree::read(self.slice(statement), statement.len(), self.language) else {
            return false;
        };
        for finding in found {
            let name = match &finding {
                Finding::Destroy { name, .. } | Finding::Change { name, .. } => name.clone(),
                _ => String::new(),
            };
            if !self.is_temporary(&name) {
                self.found.push(finding);
            }
        }
        true
    }

    /// The same by words, for statements that the grammar does not take.
    fn by_words(&mut self, statement: &[Token<'a>]) {
        self.unknown = true;
        let start = if statement.first().is_some_and(|first| first.is("with")) {
            let Some(at) = statement
                .iter()
                .position(|word| word.is_any(VERBS_THAT_CHANGE))
            else {
                return;
            };
            at
        } else {
            0
        };
        let statement = statement.get(start..).unwrap_or_default();
        let Some(verb) = statement.first() else {
            return;
        };
        let limited = statement.iter().any(|word| word.is_any(&["limit", "top"]));
        let whole = words_condition(statement) != Condition::Some && !limited;
        let (name, _) = self.name(statement, 1);
        if self.is_temporary(&name) {
            return;
        }
        if verb.is("insert") {
            self.change("table", name);
        } else if verb.is("merge") {
            let lost = statement.windows(2).any(
                |pair| matches!(pair, [then, delete] if then.is("then") && delete.is("delete")),
            );
            if lost {
                self.destroy("rows", name);
            } else {
                self.change("rows", name);
            }
        } else if verb.is("update") {
            if !statement.iter().any(|word| word.is("set")) {
            } else if whole {
                self.destroy("every-rows-value", name);
            } else {
                self.change("rows", name);
            }
        } else if verb.is("delete") {
            // Cassandra deletes columns of a row, and nothing without a condition.
            let name = if statement.iter().any(|word| word.is("from")) {
                self.text_name_after(statement, "from")
            } else {
                name
            };
            if name.is_empty() || self.is_temporary(&name) {
            } else if whole {
                self.destroy("rows", name);
            } else {
                self.change("rows", name);
            }
        }
    }

    /// Statements inside a block, wherever they begin.
    fn scan(&mut self, statement: &[Token<'a>]) {
        let mut at = 1;
        while let Some(token) = statement.get(at) {
            let next = statement.get(at + 1);
            let begins = match () {
                () if token.is("drop") => next.is_some_and(|next| {
                    next.is_any(HOLDERS) || next.is_any(&["user", "role", "login", "index", "view"])
                }),
                () if token.is("truncate") => next.is_some_and(Token::names),
                () if token.is("delete") => next.is_some_and(|next| next.is("from")),
                () if token.is("update") => {
                    statement.get(at + 2).is_some_and(|word| word.is("set"))
                }
                () if token.is_any(&["exec", "execute", "alter", "copy"]) => {
                    next.is_some_and(Token::names)
                }
                () => false,
            };
            if begins {
                let end = statement
                    .get(at..)
                    .and_then(|rest| rest.iter().position(|token| token.mark(";")))
                    .map_or(statement.len(), |end| at + end);
                self.statement(statement.get(at..end).unwrap_or_default());
                at = end;
            }
            at += 1;
        }
    }

    /// A block of code in a text: `DO $$ … $$`.
    fn block(&mut self, code: &str) {
        // Its statements are looked for by their words; what it makes at run time is not known.
        let (tokens, _) = super::lexer::read(code, self.language);
        let made = tokens
            .windows(2)
            .any(|pair| matches!(pair, [word, next] if word.is("execute") && (next.kind == Kind::Text || next.names())));
        let mut inner = Reader {
            text: code,
            language: self.language,
            temporary: &mut *self.temporary,
            found: &mut *self.found,
            unknown: false,
            depth: self.depth,
        };
        let mut with_first = Vec::with_capacity(tokens.len() + 1);
        // The first word is skipped by the scan.
        if let Some(first) = tokens.first() {
            with_first.push(*first);
        }
        with_first.extend(tokens.iter().copied());
        functions::look(&with_first, self.language, inner.found);
        inner.scan(&with_first);
        if made {
            let drops = tokens.iter().any(|token| {
                token.kind == Kind::Text
                    && token.text.split_whitespace().next().is_some_and(|word| {
                        word.eq_ignore_ascii_case("drop")
                            || word.eq_ignore_ascii_case("truncate")
                            || word.eq_ignore_ascii_case("delete")
                    })
            });
            if drops {
                self.destroy("tables", "chosen when it runs");
            } else {
                self.unknown = true;
            }
        }
    }

    /// The name at a place, after words that may stand in front of it, and where it ends.
    fn name(&self, statement: &[Token<'a>], from: usize) -> (String, usize) {
        let mut at = from;
        while statement.get(at).is_some_and(|word| word.is_any(FILLERS)) {
            at += 1;
        }
        let mut name = String::new();
        while let Some(part) = statement.get(at).filter(|part| part.names()) {
            name.push_str(part.text);
            at += 1;
            if statement.get(at).is_some_and(|mark| {
                mark.mark(".") || mark.mark("-") && self.language == Language::BigQuery
            }) {
                name.push('.');
                at += 1;
            } else {
                break;
            }
        }
        // A text as a name: `DROP USER 'a'@'b'`.
        if name.is_empty()
            && let Some(text) = statement.get(at).filter(|token| token.kind == Kind::Text)
        {
            return (text.text.to_owned(), at + 1);
        }
        (name, at)
    }

    fn text_name_after(&self, statement: &[Token<'a>], word: &str) -> String {
        statement
            .iter()
            .position(|token| token.is(word))
            .map(|at| self.name(statement, at + 1).0)
            .unwrap_or_default()
    }

    /// The first text after a word.
    fn text_after(&self, statement: &[Token<'a>], word: &str) -> Option<String> {
        let at = statement.iter().position(|token| token.is(word))?;
        statement
            .get(at..)?
            .iter()
            .find(|token| token.kind == Kind::Text)
            .map(|token| token.text.to_owned())
    }

    /// The text of a statement, as it is written.
    fn slice(&self, statement: &[Token<'a>]) -> &'a str {
        let start = statement.first().map_or(0, |token| token.start);
        let end = statement.last().map_or(start, |token| token.end);
        self.text.get(start..end).unwrap_or("")
    }

    fn is_temporary(&self, name: &str) -> bool {
        name.starts_with('#')
            || name.starts_with("pg_temp.")
            || !name.is_empty()
                && self
                    .temporary
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn destroy(&mut self, kind: &str, name: impl Into<String>) {
        self.found.push(Finding::destroy(kind, name));
    }

    fn change(&mut self, kind: &str, name: impl Into<String>) {
        self.found.push(Finding::change(kind, name));
    }
}

/// Words that may follow `BEGIN` of a transaction.
const TRANSACTION_WORDS: &[&str] = &[
    "transaction",
    "tran",
    "work",
    "isolation",
    "immediate",
    "exclusive",
    "deferred",
    "read",
];
/// Verbs that a plan or a block may hold.
const VERBS: &[&str] = &[
    "select", "insert", "update", "delete", "merge", "with", "create", "execute", "truncate",
    "replace", "values",
];
const VERBS_THAT_CHANGE: &[&str] = &["insert", "update", "delete", "merge"];

/// `label:` of a block, and a bracket in front.
fn unlabelled<'s, 'a>(statement: &'s [Token<'a>]) -> &'s [Token<'a>] {
    let skip = statement
        .iter()
        .take_while(|token| token.mark("(") || token.mark("{") || token.mark("\\"))
        .count();
    statement.get(skip..).unwrap_or_default()
}

/// What a condition told by words says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    None,
    Always,
    Some,
}

/// The last condition outside of brackets.
fn words_condition(statement: &[Token<'_>]) -> Condition {
    let mut depth = 0i32;
    let mut from = None;
    for (at, token) in statement.iter().enumerate() {
        if token.mark("(") {
            depth += 1;
        } else if token.mark(")") {
            depth -= 1;
        } else if depth == 0 && token.is("where") {
            from = Some(at + 1);
        }
    }
    let Some(from) = from else {
        return Condition::None;
    };
    let rest = statement.get(from..).unwrap_or_default();
    let texts: Vec<&str> = rest
        .iter()
        .filter(|token| !token.mark("(") && !token.mark(")"))
        .take(5)
        .map(|token| token.text)
        .collect();
    let always = match texts.as_slice() {
        [word] => word.eq_ignore_ascii_case("true") || *word == "1",
        [left, "=", right] => left == right,
        [] => true,
        _ => false,
    };
    if always {
        Condition::Always
    } else {
        Condition::Some
    }
}
