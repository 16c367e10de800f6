//! Redis and its kin: words of a command on the command line, on lines that flow in, in Lua.

use cmdai_schema::{Certainty, CodeSource, EffectKind, Span};

use super::Server;
use crate::{
    analyser::Analyser,
    call::Call,
    inline::tokens::{self, Token},
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// Most lines that are read.
const MAX_LINES: usize = 256;

/// A word alone that only Redis knows.
pub(super) fn is_bare(words: &[&str]) -> bool {
    match words {
        [first] | [first, ..]
            if first.eq_ignore_ascii_case("flushall") || first.eq_ignore_ascii_case("flushdb") =>
        {
            words.len() == 1
                || words.len() == 2
                    && words.get(1).is_some_and(|word| {
                        word.eq_ignore_ascii_case("async") || word.eq_ignore_ascii_case("sync")
                    })
        }
        _ => false,
    }
}

impl Analyser<'_> {
    pub(crate) fn redis(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let context = parsed
            .value("host")
            .or_else(|| parsed.value("url"))
            .map(|text| text.text.clone());
        let server = Server {
            provider: "redis",
            context: context.as_ref(),
        };
        let mut words: Vec<String> = parsed.rest().map(|text| text.text.clone()).collect();
        let unknown = parsed.rest().any(|text| !text.known);
        if let Some(path) = parsed.value("rdb").cloned() {
            self.write_path(&path, false, call.span);
        }
        for file in parsed.values("eval").cloned().collect::<Vec<_>>() {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => self.redis_lua(&text, server, call.span),
                _ => self.emit_code(CodeSource::File(path), "lua", file.span),
            }
        }
        if parsed.has("cluster") {
            // `--cluster call HOST COMMAND…`
            match words.first().map(String::as_str) {
                Some("call") => {
                    words.drain(..2.min(words.len()));
                }
                Some("del-node" | "reshard" | "rebalance" | "fix" | "import" | "create") => {
                    self.emit(
                        server.change("server", "cluster"),
                        call.span,
                        Certainty::Proven,
                    );
                    return Stream::UNKNOWN;
                }
                _ => return Stream::UNKNOWN,
            }
        }
        let sure = if unknown {
            Certainty::Likely
        } else {
            Certainty::Proven
        };
        let deletes = words.first().is_some_and(|word| {
            word.eq_ignore_ascii_case("del") || word.eq_ignore_ascii_case("unlink")
        });
        let fed = self
            .chain
            .iter()
            .any(|program| matches!(program.as_str(), "xargs" | "parallel"));
        if deletes && (words.len() == 1 || unknown || fed) {
            // Which keys, only the other program knows.
            self.emit(
                server.destroy("keys", "chosen"),
                call.span,
                Certainty::Likely,
            );
        } else {
            self.redis_words(&words, server, call.span, sure);
        }
        match call.stdin {
            Stream::Partial(text) if words.is_empty() => {
                self.redis_lines(&text.text, server, call.span);
            }
            Stream::Known(text) if words.is_empty() || parsed.has("pipe") => {
                self.redis_lines(text, server, call.span);
            }
            Stream::Tainted(Taint::Unknown | Taint::Made) if words.is_empty() => {
                self.unknown_region(call.span, "the commands are made by another program");
            }
            Stream::Tainted(taint) if words.is_empty() => {
                self.tainted_code(&taint.clone(), "redis", call.span);
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// Commands line by line, as they go over the wire too.
    pub(super) fn redis_lines(&mut self, text: &str, server: Server<'_>, span: Span) {
        for line in text.lines().take(MAX_LINES) {
            let words: Vec<String> = line
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '\'']).to_owned())
                .collect();
            self.redis_words(&words, server, span, Certainty::Proven);
        }
    }

    pub(super) fn redis_words(
        &mut self,
        words: &[String],
        server: Server<'_>,
        span: Span,
        sure: Certainty,
    ) {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let second = word(1).to_ascii_uppercase();
        let found = match (word(0).to_ascii_uppercase().as_str(), second.as_str()) {
            ("FLUSHALL" | "FLUSHDB", _) => server.destroy("keys", "all"),
            ("SWAPDB", _) => server.change("server", "swapdb"),
            ("DEL" | "UNLINK" | "GETDEL", _) => {
                if words.len() > 9 {
                    server.destroy("keys", "many")
                } else {
                    server.change("key", word(1))
                }
            }
            ("SHUTDOWN" | "REPLICAOF" | "SLAVEOF" | "FAILOVER" | "DEBUG", second)
                if !matches!(second, "OBJECT" | "HELP" | "JMAP") =>
            {
                server.change("server", &word(0).to_ascii_lowercase())
            }
            ("CONFIG", "SET") => server.change("setting", word(2)),
            ("CONFIG", "REWRITE") => server.change("setting", "all"),
            ("CONFIG", "RESETSTAT") => server.change("statistics", "all"),
            ("SCRIPT" | "FUNCTION", "FLUSH" | "DELETE" | "KILL" | "RESTORE") => {
                server.destroy("scripts", "all")
            }
            ("MODULE", "LOAD" | "LOADEX") => {
                let path = self.absolute(word(2));
                self.emit_code(CodeSource::File(path), "library", span);
                return;
            }
            ("MODULE", "UNLOAD") => server.change("module", word(2)),
            ("CLUSTER", "RESET" | "FLUSHSLOTS" | "FORGET" | "FAILOVER" | "DELSLOTS" | "MEET") => {
                server.change("server", "cluster")
            }
            ("ACL", "SETUSER" | "DELUSER" | "LOAD" | "SAVE") => EffectKind::ChangeCredential {
                subject: format!(
                    "{} of the database",
                    if word(2).is_empty() { "users" } else { word(2) }
                ),
            },
            ("CLIENT", "KILL" | "PAUSE") => server.change("session", word(2)),
            ("LATENCY" | "SLOWLOG", "RESET") | ("MEMORY", "PURGE") => {
                server.change("statistics", word(0))
            }
            ("XGROUP", "DESTROY") => server.destroy("consumer-group", word(3)),
            (
                "XTRIM" | "LTRIM" | "ZREMRANGEBYRANK" | "ZREMRANGEBYSCORE" | "SPOP" | "MIGRATE"
                | "RESTORE" | "COPY" | "MOVE" | "RENAME" | "RENAMENX" | "SORT" | "EXPIRE"
                | "PEXPIRE" | "EXPIREAT" | "SET" | "SETEX" | "MSET" | "APPEND" | "INCR" | "DECR"
                | "INCRBY" | "HSET" | "HMSET" | "HDEL" | "LPUSH" | "RPUSH" | "LPOP" | "RPOP"
                | "LREM" | "SADD" | "SREM" | "ZADD" | "ZREM" | "XADD" | "XDEL" | "JSON.SET"
                | "JSON.DEL" | "FT.ALTER" | "FT.CREATE",
                _,
            ) => server.change("key", word(1)),
            ("FT.DROPINDEX" | "FT.DROP", _) => {
                if words.iter().any(|word| word.eq_ignore_ascii_case("dd")) {
                    server.destroy("keys", word(1))
                } else {
                    server.change("index", word(1))
                }
            }
            ("TOPIC" | "EVAL" | "EVALSHA" | "FCALL", _) => {
                if word(0).eq_ignore_ascii_case("eval") {
                    let code = word(1).to_owned();
                    self.redis_lua(&code, server, span);
                }
                return;
            }
            _ => return,
        };
        self.emit(found, span, sure);
    }

    /// `redis.call('FLUSHALL')` inside a script.
    fn redis_lua(&mut self, code: &str, server: Server<'_>, span: Span) {
        let tokens = tokens::read(code);
        for (at, token) in tokens.iter().enumerate() {
            if !matches!(token, Token::Name(name) if name == "call" || name == "pcall") {
                continue;
            }
            let args = tokens.get(at + 2..).unwrap_or_default();
            let words: Vec<String> = args
                .iter()
                .take_while(|token| **token != Token::Mark(')'))
                .filter_map(|token| match token {
                    Token::Text(text) => Some(text.clone()),
                    Token::Name(name) if !matches!(name.as_str(), "unpack" | "KEYS" | "ARGV") => {
                        Some(format!("${name}"))
                    }
                    Token::Name(_) => Some("$many".to_owned()),
                    _ => None,
                })
                .collect();
            let chosen = words
                .first()
                .is_some_and(|word| word.eq_ignore_ascii_case("del") || word.eq_ignore_ascii_case("unlink"))
                && words.iter().skip(1).any(|word| word.starts_with('$'))
                && tokens.iter().any(|token| matches!(token, Token::Text(text) if text.eq_ignore_ascii_case("keys") || text.eq_ignore_ascii_case("scan")));
            if chosen {
                self.emit(server.destroy("keys", "chosen"), span, Certainty::Likely);
            } else {
                self.redis_words(&words, server, span, Certainty::Likely);
            }
        }
    }

    /// What is sent over a bare connection to a port where a store listens.
    pub(crate) fn wire(&mut self, text: &Text, port: &str) {
        let (provider, memcached) = match port {
            "6379" | "6380" | "7000" => ("redis", false),
            "11211" => ("memcached", true),
            "2181" => ("zookeeper", false),
            _ => return,
        };
        let server = Server {
            provider,
            context: None,
        };
        if memcached {
            for line in text.text.lines().take(MAX_LINES) {
                let mut words = line.split_whitespace();
                match (words.next(), words.next()) {
                    (Some("flush_all"), _) => {
                        self.emit(server.destroy("keys", "all"), text.span, Certainty::Proven)
                    }
                    (Some("shutdown"), _) => self.emit(
                        server.change("server", "shutdown"),
                        text.span,
                        Certainty::Proven,
                    ),
                    (Some("set" | "add" | "replace" | "delete" | "incr" | "decr"), Some(key)) => {
                        self.emit(server.change("key", key), text.span, Certainty::Proven)
                    }
                    _ => {}
                }
            }
        } else if provider == "redis" {
            self.redis_lines(&text.text, server, text.span);
        }
    }
}
