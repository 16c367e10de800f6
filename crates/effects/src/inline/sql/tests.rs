//! What statements do, by dialect.

use super::{Finding, Language, commands, read};

fn found(text: &str, language: Language) -> Vec<String> {
    read(text, language).found.iter().map(shown).collect()
}

fn shown(finding: &Finding) -> String {
    match finding {
        Finding::Destroy { kind, name } => format!("- {kind} {name}"),
        Finding::Change { kind, name } => format!("~ {kind} {name}"),
        Finding::Credential { name } => format!("credential {name}"),
        Finding::Disable { what } => format!("disable {what}"),
        Finding::Program { code } => format!("program {code}"),
        Finding::Library { path } => format!("library {path}"),
        Finding::UnknownCode => "unknown".to_owned(),
        Finding::Source { path } => format!("source {path}"),
        Finding::WriteFile { path } => format!("write {path}"),
        Finding::ReadFile { path } => format!("read {path}"),
        Finding::Connect { address } => format!("connect {address}"),
        Finding::Nested { code } => format!("nested {code}"),
    }
}

#[track_caller]
fn check(language: Language, text: &str, expected: &[&str]) {
    assert_eq!(found(text, language), expected, "{text}");
}

#[test]
fn reading_is_calm() {
    for text in [
        "SELECT 1",
        "select * from t where a = 'drop table x'",
        "SELECT 1 -- ; drop table t",
        "/* delete from t; */ select 1",
        "show tables",
        "EXPLAIN DELETE FROM t",
        "EXPLAIN QUERY PLAN DELETE FROM t",
        "EXPLAIN (ANALYZE false) DELETE FROM t",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT $$drop table x;$$",
        "SELECT \"delete\" FROM t",
        "CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1); DELETE FROM x; DROP TABLE x",
        "SET search_path TO app",
        "BEGIN; SELECT 1; COMMIT",
    ] {
        check(Language::Postgres, text, &[]);
    }
}

#[test]
fn conditions_decide() {
    let whole: &[&str] = &["- rows t"];
    for text in [
        "DELETE FROM t",
        "delete from only t;",
        "DELETE FROM t WHERE 1=1",
        "DELETE FROM t WHERE true",
        "DELETE FROM t WHERE id = id",
        "DELETE FROM t WHERE NOT false",
        "DELETE FROM t WHERE a = 1 OR 'x' = 'x'",
        "DELETE FROM t WHERE 2 > 1",
        "DELETE FROM t WHERE id > 0",
        "DELETE FROM t WHERE id IS NOT NULL",
        "DELETE FROM t WHERE name LIKE '%'",
        "DELETE FROM t WHERE (1 = 1)",
        "DELETE FROM t WHERE 1 RETURNING *",
        "TRUNCATE t",
        "TRUNCATE TABLE ONLY t RESTART IDENTITY CASCADE",
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "PREPARE p AS DELETE FROM t",
    ] {
        check(Language::Postgres, text, whole);
    }
    for text in [
        "DELETE FROM t WHERE id = 4",
        "DELETE FROM t WHERE created < now() - interval '30 days'",
        "DELETE FROM t WHERE id IN (SELECT id FROM old)",
        "DELETE FROM t USING u WHERE t.a = u.a",
        "UPDATE t SET a = 1 WHERE b = 2",
    ] {
        check(Language::Postgres, text, &["~ rows t"]);
    }
    // The condition of a part is none of the whole.
    check(
        Language::Postgres,
        "UPDATE t SET a = (SELECT b FROM u WHERE u.id = 1)",
        &["- every-rows-value t"],
    );
    check(Language::MySql, "DELETE FROM t LIMIT 10", &["~ rows t"]);
    check(Language::MySql, "DELETE FROM `a`.`t`", &["- rows a.t"]);
    check(
        Language::TSql,
        "DELETE TOP (10) FROM [dbo].[t]",
        &["~ rows dbo.t"],
    );
    check(
        Language::BigQuery,
        "DELETE FROM `p.d.t` AS e WHERE TRUE",
        &["- rows p.d.t"],
    );
    check(
        Language::ClickHouse,
        "ALTER TABLE t DELETE WHERE 1 = 1",
        &["- rows t"],
    );
}

#[test]
fn what_is_dropped() {
    check(
        Language::Postgres,
        "DROP TABLE IF EXISTS a, b.c CASCADE",
        &["- table a", "- table b.c"],
    );
    check(
        Language::Postgres,
        "drop schema public cascade",
        &["- schema public"],
    );
    check(Language::Postgres, "DROP OWNED BY bob", &["- owned bob"]);
    check(
        Language::Postgres,
        "DROP INDEX CONCURRENTLY i",
        &["~ drop-index i"],
    );
    check(
        Language::Postgres,
        "DROP MATERIALIZED VIEW v",
        &["~ drop-view v"],
    );
    check(Language::Postgres, "DROP ROLE bob", &["credential bob"]);
    check(Language::MySql, "DROP USER 'a'@'%'", &["credential a"]);
    check(Language::MySql, "DROP TEMPORARY TABLE t", &[]);
    check(
        Language::BigQuery,
        "DROP SNAPSHOT TABLE d.s",
        &["- table d.s"],
    );
    check(
        Language::Snowflake,
        "CREATE OR REPLACE TABLE t (a int)",
        &["- table t"],
    );
    check(
        Language::Postgres,
        "ALTER TABLE t DROP COLUMN c",
        &["- column t"],
    );
    check(
        Language::Postgres,
        "ALTER TABLE t DROP CONSTRAINT c",
        &["~ table t"],
    );
    check(
        Language::Postgres,
        "ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
        &["~ table t"],
    );
    check(
        Language::Postgres,
        "ALTER TABLE t ADD COLUMN c int",
        &["~ table t"],
    );
    check(
        Language::Postgres,
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        &["disable row level security of t"],
    );
    check(
        Language::ClickHouse,
        "DETACH TABLE t PERMANENTLY",
        &["- table t"],
    );
    check(
        Language::Hive,
        "INSERT OVERWRITE TABLE t SELECT * FROM u",
        &["- rows t"],
    );
}

#[test]
fn rights() {
    check(
        Language::Postgres,
        "ALTER USER bob WITH PASSWORD 'x'",
        &["credential bob"],
    );
    check(
        Language::MySql,
        "SET PASSWORD FOR 'a' = 'x'",
        &["credential password"],
    );
    check(
        Language::MySql,
        "GRANT ALL PRIVILEGES ON *.* TO 'a'@'%'",
        &["credential %"],
    );
    check(
        Language::Postgres,
        "GRANT SELECT ON t TO bob",
        &["~ grant bob"],
    );
    check(
        Language::Postgres,
        "GRANT admin TO bob",
        &["credential bob"],
    );
    check(
        Language::Postgres,
        "CREATE ROLE bob SUPERUSER",
        &["credential bob"],
    );
}

#[test]
fn beyond_the_database() {
    check(
        Language::Postgres,
        "COPY t FROM PROGRAM 'id; rm -rf /'",
        &["program id; rm -rf /"],
    );
    check(
        Language::Postgres,
        "COPY (SELECT 'x' FROM t) TO '/tmp/f'",
        &["write /tmp/f"],
    );
    check(Language::Postgres, "COPY t TO STDOUT", &[]);
    check(
        Language::Postgres,
        "SELECT pg_read_file('/etc/passwd')",
        &["read /etc/passwd"],
    );
    check(
        Language::Postgres,
        "SELECT lo_export(1, '/tmp/x')",
        &["write /tmp/x"],
    );
    check(
        Language::MySql,
        "SELECT * FROM t INTO OUTFILE '/tmp/x'",
        &["write /tmp/x"],
    );
    check(
        Language::MySql,
        "SELECT LOAD_FILE('/etc/shadow')",
        &["read /etc/shadow"],
    );
    check(
        Language::Sqlite,
        "SELECT load_extension('/tmp/e.so')",
        &["library /tmp/e.so"],
    );
    check(
        Language::TSql,
        "EXEC xp_cmdshell 'whoami'",
        &["program whoami"],
    );
    check(
        Language::TSql,
        "EXEC master..xp_cmdshell 'whoami'",
        &["program whoami"],
    );
    check(Language::TSql, "EXEC('DROP TABLE t')", &["- table t"]);
    check(
        Language::TSql,
        "EXEC sp_executesql N'DELETE FROM t'",
        &["- rows t"],
    );
    check(
        Language::Oracle,
        "EXECUTE IMMEDIATE 'drop table t'",
        &["- table t"],
    );
    check(
        Language::Postgres,
        "ALTER SYSTEM SET archive_command = 'curl x | sh'",
        &["program curl x | sh", "~ setting archive_command"],
    );
    check(
        Language::MySql,
        "CREATE FUNCTION sys_exec RETURNS int SONAME 'u.so'",
        &["library u.so"],
    );
    check(Language::MySql, "RESET MASTER", &["- binary-log all"]);
    check(Language::MySql, "SHUTDOWN", &["~ server shutdown"]);
}

#[test]
fn what_is_rolled_back_is_not_lost() {
    check(
        Language::Postgres,
        "BEGIN; DROP TABLE t; ROLLBACK;",
        &["~ rolled-back t"],
    );
    // MySQL cannot take a drop back.
    check(
        Language::MySql,
        "BEGIN; DROP TABLE t; ROLLBACK;",
        &["- table t"],
    );
    check(
        Language::Postgres,
        "BEGIN; DROP TABLE t; COMMIT;",
        &["- table t"],
    );
    check(
        Language::Postgres,
        "BEGIN; SAVEPOINT a; DROP TABLE t; ROLLBACK TO a; DELETE FROM u; COMMIT",
        &["- table t", "- rows u"],
    );
}

#[test]
fn blocks_and_batches() {
    check(
        Language::TSql,
        "IF EXISTS (SELECT 1 FROM x) DROP TABLE t",
        &["- table t"],
    );
    check(
        Language::TSql,
        "USE app\nDROP TABLE t\nGO\nTRUNCATE TABLE u\nGO",
        &["- table t", "- rows u"],
    );
    check(
        Language::Postgres,
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$",
        &["- tables chosen when it runs"],
    );
    check(
        Language::MySql,
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN DELETE FROM u; END",
        &["~ trigger g"],
    );
}

#[test]
fn clients_have_commands() {
    let check = |language, text: &str, expected: &[&str]| {
        let (rest, found) = commands(text, language);
        let mut all: Vec<String> = found.iter().map(shown).collect();
        all.extend(read(&rest, language).found.iter().map(shown));
        assert_eq!(all, expected, "{text}");
    };
    check(Language::Postgres, "\\! rm -rf x", &["program rm -rf x"]);
    check(Language::Postgres, "\\dt\n\\x\nselect 1", &[]);
    check(
        Language::Postgres,
        "\\copy t from program 'curl x'",
        &["program curl x"],
    );
    check(
        Language::Postgres,
        "\\copy (select a from t) to 'o.csv'",
        &["write o.csv"],
    );
    check(Language::Postgres, "\\copy t from stdin", &[]);
    check(
        Language::Postgres,
        "select 'drop table '||t from x \\gexec",
        &["unknown"],
    );
    check(Language::Postgres, "select 1 \\g |sh", &["program sh"]);
    check(Language::Postgres, "select '\\! id'", &[]);
    check(
        Language::Postgres,
        "insert into t values ('\n\\! id\n')",
        &["~ table t"],
    );
    check(Language::Sqlite, ".shell id", &["program id"]);
    check(Language::Sqlite, ".tables\n.schema t", &[]);
    check(
        Language::Sqlite,
        ".import |id t",
        &["program id", "~ table t"],
    );
    check(Language::Sqlite, ".once |sh", &["program sh"]);
    check(
        Language::Sqlite,
        ".output a.txt\nselect 1",
        &["write a.txt"],
    );
    check(
        Language::Sqlite,
        ".restore main b.db",
        &["read b.db", "- database main"],
    );
    check(Language::Sqlite, ".load ./x", &["library ./x"]);
    check(Language::MySql, "system id", &["program id"]);
    check(Language::MySql, "\\! id", &["program id"]);
    check(Language::MySql, "source a.sql", &["source a.sql"]);
    check(
        Language::Oracle,
        "HOST id\n@a.sql",
        &["program id", "source a.sql"],
    );
    check(Language::TSql, ":!! id", &["program id"]);
}

/// The reader runs inside the person's shell: nothing that somebody can write may overflow its stack.
#[test]
fn hostile_texts_end() {
    let many = 9_000;
    let texts = [
        format!(
            "DELETE FROM t WHERE {}1{}",
            "(".repeat(many),
            ")".repeat(many)
        ),
        format!("DELETE FROM t WHERE a{}", " OR 1=1".repeat(many)),
        format!("DELETE FROM t WHERE {} 1", "NOT ".repeat(many)),
        format!("DELETE FROM t WHERE a = {}1", "- ".repeat(many)),
        format!("{} DELETE FROM t", "EXPLAIN ANALYZE ".repeat(3_000)),
        format!("WITH {} DELETE FROM t", "a AS (WITH ".repeat(3_000)),
        format!(
            "DELETE FROM t WHERE a IN (SELECT 1 {})",
            "UNION SELECT 1 ".repeat(3_000)
        ),
        format!("DELETE FROM {}t", "(".repeat(many)),
        format!(
            "UPDATE t SET a = {}1{}",
            "CASE WHEN 1 THEN ".repeat(2_000),
            " END".repeat(2_000)
        ),
        format!(
            "UPDATE t SET a = CAST(1 AS {}INT{})",
            "ARRAY<".repeat(2_000),
            ">".repeat(2_000)
        ),
        format!("DELETE FROM t WHERE a {}", "COLLATE b ".repeat(5_000)),
        format!("DELETE FROM t WHERE a{}", "[1]".repeat(5_000)),
        format!("DELETE FROM t WHERE a{}", "::int".repeat(5_000)),
        format!("DELETE FROM t{}", " JOIN u".repeat(5_000)),
        format!("{}DELETE FROM t", "BEGIN ".repeat(many)),
        format!(
            "PREPARE a AS {}DELETE FROM t",
            "PREPARE a AS ".repeat(3_000)
        ),
        format!("{}DELETE FROM t", "/*".repeat(many)),
        "$a$".repeat(many),
        format!("EXEC('{}", "EXEC(''".repeat(5_000)),
    ];
    for text in &texts {
        for language in [
            Language::Postgres,
            Language::MySql,
            Language::TSql,
            Language::BigQuery,
            Language::ClickHouse,
            Language::Snowflake,
            Language::Other,
        ] {
            let _ = read(text, language);
        }
    }
    // Below the bounds the parser itself is asked.
    for depth in 1..=40 {
        for (open, close) in [
            ("(", ")"),
            ("NOT ", ""),
            ("- ", ""),
            ("CASE WHEN 1 THEN ", " END"),
            ("f(", ")"),
            ("[", "]"),
            ("ARRAY[", "]"),
            ("(SELECT ", ")"),
            ("EXISTS (SELECT 1 WHERE ", ")"),
            ("CAST(", " AS INT)"),
            ("STRUCT(", ")"),
            ("{'a': ", "}"),
            ("INTERVAL ", ""),
        ] {
            let text = format!(
                "DELETE FROM t WHERE {}1{}",
                open.repeat(depth),
                close.repeat(depth)
            );
            for language in [
                Language::Postgres,
                Language::BigQuery,
                Language::ClickHouse,
                Language::DuckDb,
                Language::Snowflake,
            ] {
                let _ = read(&text, language);
            }
        }
        for language in [Language::Postgres, Language::Snowflake, Language::Hive] {
            let _ = read(
                &format!("DELETE FROM {}t{}", "(".repeat(depth), ")".repeat(depth)),
                language,
            );
            let _ = read(
                &format!(
                    "UPDATE t SET a = 1::{}INT{}",
                    "ARRAY<".repeat(depth),
                    ">".repeat(depth)
                ),
                language,
            );
        }
    }
}
