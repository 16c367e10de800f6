//! Programs in other languages. An input is the name of a host in the first line, then the program.

use cmdai_schema::Dialect;

use crate::check;

/// Hosts and lines whose `{}` stands for the quoted program.
const HOSTS: &[(&str, &str)] = &[
    ("python", "python3 -c {}"),
    ("perl", "perl -e {}"),
    ("ruby", "ruby -e {}"),
    ("node", "node -e {}"),
    ("php", "php -r {}"),
    ("lua", "lua -e {}"),
    ("r", "Rscript -e {}"),
    ("psql", "psql -c {}"),
    ("mysql", "mysql -e {}"),
    ("sqlite", "sqlite3 a.db {}"),
    ("mongo", "mongosh --eval {}"),
    ("redis", "redis-cli {}"),
    ("awk", "awk {} a"),
    ("sed", "sed {} a"),
    ("jq", "jq {} a"),
    ("bash", "bash -c {}"),
    ("fish", "fish -c {}"),
    ("pwsh", "pwsh -Command {}"),
    ("osascript", "osascript -e {}"),
    ("printf", "printf {} | bash"),
    ("find", "find . -exec sh -c {} \\;"),
    ("xargs", "xargs -I% sh -c {}"),
    ("tcl", "tclsh <<< {}"),
    ("deno", "deno eval {}"),
    ("clickhouse", "clickhouse-client -q {}"),
    ("sqlcmd", "sqlcmd -Q {}"),
    ("cypher", "cypher-shell {}"),
    ("gdb", "gdb -ex {}"),
    ("vim", "vim -c {} a"),
    ("make", "make -f - <<< {}"),
];

/// A program as an argument, and the same as a here-document.
pub fn inline(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some((host, code)) = text.split_once('\n') else {
        return;
    };
    let Some((_, line)) = HOSTS.iter().find(|(name, _)| *name == host) else {
        return;
    };
    let quoted = format!("'{}'", code.replace('\'', "'\\''"));
    check::whole(&line.replace("{}", &quoted), Dialect::Bash);
    if let Some(program) = line.split(' ').next() {
        check::whole(
            &format!("{program} <<'CODE'\n{code}\nCODE\n"),
            Dialect::Bash,
        );
    }
}
