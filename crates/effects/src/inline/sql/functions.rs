//! Functions of servers that reach beyond the database: files, programs, other servers.

use super::{
    Finding, Language,
    lexer::{Kind, Token},
};

/// Looks for calls anywhere in a statement.
pub(super) fn look(statement: &[Token<'_>], language: Language, found: &mut Vec<Finding>) {
    for (at, token) in statement.iter().enumerate() {
        if !token.names() || !statement.get(at + 1).is_some_and(|mark| mark.mark("(")) {
            continue;
        }
        // A definition is no call.
        let defined = at
            .checked_sub(1)
            .and_then(|at| statement.get(at))
            .is_some_and(|before| before.is_any(&["function", "procedure", "into", "table"]));
        if defined || token.text.len() > 40 {
            continue;
        }
        let name = token.text.to_ascii_lowercase();
        let texts = || {
            statement
                .get(at + 2..)
                .unwrap_or_default()
                .iter()
                .take(24)
                .take_while(|token| !token.mark(")"))
                .filter(|token| token.kind == Kind::Text)
                .map(|token| token.text.to_owned())
        };
        let first = || texts().next();
        match name.as_str() {
            "pg_read_file"
            | "pg_read_binary_file"
            | "lo_import"
            | "load_file"
            | "readfile"
            | "read_text"
            | "read_blob"
            | "pg_stat_file" => {
                if let Some(path) = first() {
                    found.push(Finding::ReadFile { path });
                }
            }
            "read_csv" | "read_csv_auto" | "read_json" | "read_json_auto" | "read_parquet" => {
                if let Some(path) = first().filter(|path| !path.contains("://")) {
                    found.push(Finding::ReadFile { path });
                }
            }
            "file" if language == Language::ClickHouse => {
                if let Some(path) = first() {
                    found.push(Finding::ReadFile { path });
                }
            }
            "lo_export" => {
                if let Some(path) = texts().last() {
                    found.push(Finding::WriteFile { path });
                }
            }
            "pg_file_write" | "writefile" | "pg_file_rename" => {
                if let Some(path) = first() {
                    found.push(Finding::WriteFile { path });
                }
            }
            "sys_exec" | "sys_eval" | "xp_cmdshell" | "shell" | "system" | "executable" => {
                // `SELECT system(…)` of no server; user-made functions by that name run programs.
                if let Some(code) = first() {
                    found.push(Finding::Program { code });
                }
            }
            "load_extension" => found.push(Finding::Library {
                path: first().unwrap_or_default(),
            }),
            "pg_terminate_backend" | "pg_cancel_backend" => {
                found.push(Finding::change("session", name))
            }
            "pg_drop_replication_slot" => found.push(Finding::destroy(
                "replication-slot",
                first().unwrap_or_default(),
            )),
            "pg_promote" | "pg_rotate_logfile" | "pg_switch_wal" | "setval" | "lo_unlink" => {
                found.push(Finding::change("setting", name))
            }
            "dblink" | "dblink_exec" | "dblink_connect" | "openrowset" | "opendatasource"
            | "url" | "remote" => {
                if let Some(address) = first() {
                    found.push(Finding::Connect { address });
                }
                // What the other server is asked to do.
                if name == "dblink_exec"
                    && let Some(code) = texts().last()
                {
                    found.push(Finding::Nested { code });
                }
            }
            _ => {}
        }
    }
}
