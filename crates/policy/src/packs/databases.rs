//! Databases, stores of keys and documents, search indexes and message brokers.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Effect, Risk};

use super::Judge;
use crate::place::Place;

/// Providers that keep data, in lower case, sorted.
const STORES: &[&str] = &[
    "activemq",
    "alembic",
    "algolia",
    "aql",
    "arangosh",
    "atlas",
    "bigquery",
    "cassandra",
    "celery",
    "clickhouse",
    "cockroachdb",
    "consul",
    "couchbase",
    "database",
    "db2",
    "dbmate",
    "diesel",
    "django",
    "drizzle",
    "duckdb",
    "elasticsearch",
    "etcd",
    "flyway",
    "hasura",
    "hive",
    "impala",
    "influxdb",
    "kafka",
    "laravel",
    "liquibase",
    "mariadb",
    "meilisearch",
    "memcached",
    "mongo",
    "mongodb",
    "mongosh",
    "mqtt",
    "mssql",
    "mysql",
    "nats",
    "neo4j",
    "oracle",
    "postgres",
    "postgresql",
    "presto",
    "prisma",
    "prometheus",
    "psql",
    "pulsar",
    "qdrant",
    "rabbitmq",
    "rails",
    "redis",
    "sea-orm",
    "snowflake",
    "solr",
    "spanner",
    "spark",
    "sql",
    "sqlite",
    "sqlite3",
    "sqlx",
    "trino",
    "turso",
    "valkey",
    "vertica",
    "yugabytedb",
    "zookeeper",
];
/// Frameworks and migration programs: the database is mostly the one of the developer.
const FRAMEWORKS: &[&str] = &[
    "ace",
    "adonis",
    "alembic",
    "atlas",
    "db-migrate",
    "dbmate",
    "diesel",
    "django",
    "drizzle",
    "evolve",
    "flyway",
    "golang-migrate",
    "goose",
    "grate",
    "hasura",
    "knex",
    "laravel",
    "liquibase",
    "migrate",
    "mikro-orm",
    "node-pg-migrate",
    "phinx",
    "prisma",
    "rails",
    "sea-orm",
    "sequelize",
    "sequelize-cli",
    "skeema",
    "sql-migrate",
    "sqlx",
    "typeorm",
    "typeorm-ts-node-commonjs",
];
/// Settings that concern all of a server: where it writes, whom it obeys, what it runs, what it forgets.
const GRAVE_SETTINGS: &[&str] = &[
    "appendonly",
    "archive_command",
    "clr enabled",
    "dbfilename",
    "dir",
    "general_log",
    "local_infile",
    "maxmemory",
    "maxmemory-policy",
    "ole automation procedures",
    "protected-mode",
    "replicaof",
    "requirepass",
    "restore_command",
    "save",
    "secure_file_priv",
    "slaveof",
    "sql_log_bin",
    "writable_schema",
    "xp_cmdshell",
];

/// True for a provider that keeps data.
pub(super) fn is_store(provider: &str) -> bool {
    STORES.binary_search(&provider).is_ok() || FRAMEWORKS.binary_search(&provider).is_ok()
}

/// What of a store an effect is about.
pub(super) struct Store<'s> {
    pub(super) kind: &'s str,
    pub(super) name: &'s str,
    pub(super) provider: &'s str,
    pub(super) context: Option<&'s str>,
    /// Kind and name, for people.
    pub(super) shown: &'s str,
    /// ` in CONTEXT`, or nothing.
    pub(super) of: &'s str,
    pub(super) production: bool,
}

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect, store: &Store<'_>, destroys: bool) {
    let Store {
        kind,
        name,
        shown,
        of,
        ..
    } = store;
    // A file of a database in a folder for things that go away.
    let scratch = matches!(store.provider, "sqlite" | "duckdb")
        && store
            .context
            .is_some_and(|path| judge.places.of(path) == Place::Temporary);
    let weigh = |risk: Risk| match risk {
        _ if scratch => Moderate,
        Moderate if store.production => High,
        High if store.production => Critical,
        other => other,
    };
    let part = |words: &[&str]| {
        kind.split(['-', '_', ' '])
            .any(|part| words.contains(&part))
    };
    if !destroys {
        let setting = name.to_ascii_lowercase();
        let grave = *kind == "server"
            || part(&["availability", "access", "restore"])
            || *kind == "setting" && GRAVE_SETTINGS.binary_search(&setting.as_str()).is_ok();
        let reason = match *kind {
            "rolled-back" => format!("changes {name}{of} and takes it back"),
            _ => match kind.strip_prefix("drop-") {
                Some(kind) => format!("drops the {kind} {name}{of}"),
                None => format!("changes {shown}{of}"),
            },
        };
        let risk = weigh(if grave { High } else { Moderate });
        judge.hit("db.change", risk, effect, reason, None);
        return;
    }
    let whole = if name.is_empty() {
        "a table"
    } else if *name == "all" {
        "the database"
    } else {
        name
    };
    if part(&["value"]) {
        let reason = format!("changes every row of {whole}{of}");
        judge.hit("db.delete-all", weigh(High), effect, reason, None);
    } else if part(&[
        "row",
        "rows",
        "truncate",
        "documents",
        "keys",
        "data",
        "records",
    ]) {
        let reason = format!("deletes everything in {whole}{of}");
        judge.hit("db.delete-all", weigh(High), effect, reason, None);
    } else {
        let framework = FRAMEWORKS.binary_search(&store.provider).is_ok();
        let risk = match *kind {
            "index" | "view" => Moderate,
            _ if framework => High,
            "all" => Critical,
            _ if ["database", "schema", "cluster", "keyspace"]
                .iter()
                .any(|word| kind.contains(word)) =>
            {
                Critical
            }
            _ => High,
        };
        judge.hit(
            "db.drop",
            weigh(risk),
            effect,
            format!("drops {shown}{of}"),
            None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAMEWORKS, GRAVE_SETTINGS, STORES};

    #[test]
    fn tables_are_sorted() {
        for table in [STORES, FRAMEWORKS, GRAVE_SETTINGS] {
            assert!(table.is_sorted());
        }
    }
}
