//! The embedded engine: one SQLite file in write-ahead mode.
//!
//! One connection writes, a few read. `synchronous = FULL`: what a call has stored survives the
//! end of the process and a power cut.

mod accounts;
mod alerts;
mod append;
mod approvals;
mod exceptions;
mod factors;
mod find;
mod jumps;
mod machines;
mod read;
mod settings;
mod writer;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::StoreError;

/// Schema changes in order; the number of each is its place, from 1.
const SCHEMA: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
];

/// The embedded engine.
#[derive(Clone)]
pub struct Sqlite {
    read: SqlitePool,
    write: SqlitePool,
    appends: writer::Appends,
}

impl Sqlite {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// Where the file cannot be opened, is of a newer version, or the disk is full.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, None).await
    }

    /// [`Sqlite::open`] with a bound on the file, in pages of 4 KiB: a disk that gets full, for tests.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    #[doc(hidden)]
    pub async fn open_bounded(path: &Path, pages: u32) -> Result<Self, StoreError> {
        Self::open_with(path, Some(pages)).await
    }

    /// Changes the schema's number, for tests.
    ///
    /// # Errors
    /// Where the engine refuses.
    #[doc(hidden)]
    pub async fn set_schema_version(&self, version: u32) -> Result<(), StoreError> {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {version}"
        )))
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn open_with(path: &Path, pages: Option<u32>) -> Result<Self, StoreError> {
        let mut options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("cache_size", "-65536")
            .pragma("mmap_size", "268435456")
            .pragma("temp_store", "memory")
            // What is overwritten or removed leaves no copy in free pages.
            .pragma("secure_delete", "on")
            .statement_cache_capacity(256);
        if let Some(pages) = pages {
            options = options.pragma("max_page_count", pages.to_string());
        }
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_secs(30))
        };
        let write = pool(1).connect_with(options.clone()).await?;
        migrate(&write).await?;
        let read = pool(4)
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        let appends = writer::start(write.clone());
        Ok(Self {
            read,
            write,
            appends,
        })
    }

    /// Closes all connections after what runs has ended.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await?;
    let known = i64::try_from(SCHEMA.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for change in SCHEMA.iter().skip(usize::try_from(found).unwrap_or(0)) {
        sqlx::raw_sql(*change).execute(&mut *tx).await?;
    }
    // PRAGMA takes no bound values; the number is ours.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "PRAGMA user_version = {known}"
    )))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Signed form for the engine; nothing stored reaches the bound.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Unsigned form of a number that is never negative.
fn nat(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn hash(bytes: &[u8]) -> Result<cmdai_schema::Hash, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Damaged {
        what: "hash",
        cause: "wrong length".to_owned(),
    })?;
    Ok(cmdai_schema::Hash(bytes))
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(crate::error::damaged(what))
}

fn from_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(crate::error::damaged(what))
}

fn taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}
