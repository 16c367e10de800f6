//! Reading events in order, and the trait over all of it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cmdai_schema::{Hash, Jump};
use sqlx::Row as _;

use super::{Sqlite, append, find, hash, int, jumps, nat};
use crate::events::decision_word;
use crate::{
    Append, Count, Cursor, Dimension, EventRecord, EventStore, Head, Page, Rolled, Search,
    StoreError, StoredCheckpoint,
};

#[async_trait]
impl EventStore for Sqlite {
    async fn head(&self, machine_id: &str) -> Result<Head, StoreError> {
        let mut connection = self.read.acquire().await?;
        append::read_head(&mut connection, machine_id).await
    }

    async fn append(&self, batch: Append) -> Result<Vec<EventRecord>, StoreError> {
        self.appends.append(batch).await
    }

    async fn event(&self, event_id: &str) -> Result<Option<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT json FROM events WHERE event_id = ?")
                .bind(event_id)
                .fetch_optional(&self.read)
                .await?,
        )
    }

    async fn search(
        &self,
        search: &Search,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        find::search(self, search, after, limit).await
    }

    async fn scan(
        &self,
        search: &Search,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<(EventRecord, Hash)>, StoreError> {
        find::scan(self, search, after, limit).await
    }

    async fn count(&self, search: &Search, bound: u32) -> Result<Count, StoreError> {
        find::count(self, search, bound).await
    }

    async fn histogram(
        &self,
        search: &Search,
        from_ms: i64,
        to_ms: i64,
        width_ms: i64,
    ) -> Result<Vec<(u32, Option<&'static str>, u64)>, StoreError> {
        find::histogram(self, search, from_ms, to_ms, width_ms).await
    }

    async fn rows_after(&self, row: u64, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let mut sql = sqlx::QueryBuilder::new("SELECT ");
        sql.push(find::COLUMNS)
            .push(" FROM events e WHERE e.row > ")
            .push_bind(int(row));
        sql.push(" ORDER BY e.row LIMIT ").push_bind(limit);
        sql.build()
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(find::record)
            .collect()
    }

    async fn read_from(
        &self,
        row: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Hash, String)>, StoreError> {
        let rows =
            sqlx::query("SELECT row, hash, json FROM events WHERE row >= ? ORDER BY row LIMIT ?")
                .bind(int(row))
                .bind(limit)
                .fetch_all(&self.read)
                .await?;
        rows.iter()
            .map(|row| {
                let bytes: Vec<u8> = row.try_get("hash")?;
                Ok((
                    nat(row.try_get("row")?),
                    hash(&bytes)?,
                    row.try_get("json")?,
                ))
            })
            .collect()
    }

    async fn hashes_from(&self, row: u64, limit: u32) -> Result<Vec<Hash>, StoreError> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT hash FROM events WHERE row >= ? ORDER BY row LIMIT ?")
                .bind(int(row))
                .bind(limit)
                .fetch_all(&self.read)
                .await?;
        rows.iter().map(|bytes| hash(bytes)).collect()
    }

    async fn row_range(
        &self,
        from_ms: Option<i64>,
        to_ms: Option<i64>,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let row = sqlx::query("SELECT min(row) AS first, max(row) AS last FROM events WHERE time_ms >= ? AND time_ms < ?")
            .bind(from_ms.unwrap_or(i64::MIN))
            .bind(to_ms.unwrap_or(i64::MAX))
            .fetch_one(&self.read)
            .await?;
        let (first, last): (Option<i64>, Option<i64>) =
            (row.try_get("first")?, row.try_get("last")?);
        Ok(first.zip(last).map(|(first, last)| (nat(first), nat(last))))
    }

    async fn heads_before(&self, row: u64) -> Result<BTreeMap<String, Head>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.machine_id, e.seq, e.hash FROM chains c JOIN events e ON e.machine_id = c.machine_id AND e.seq = \
             (SELECT max(seq) FROM events WHERE machine_id = c.machine_id AND row < ?)",
        )
        .bind(int(row))
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let bytes: Vec<u8> = row.try_get("hash")?;
                Ok((
                    row.try_get("machine_id")?,
                    Head {
                        seq: nat(row.try_get("seq")?),
                        hash: hash(&bytes)?,
                    },
                ))
            })
            .collect()
    }

    async fn jumps(&self, machine_id: &str) -> Result<Vec<Jump>, StoreError> {
        jumps::open(&self.read, machine_id).await
    }

    async fn explained_until(&self, first: u64, last: u64) -> Result<Option<u64>, StoreError> {
        jumps::explained_until(&self.read, first, last).await
    }

    async fn size(&self) -> Result<u64, StoreError> {
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(row), 0) FROM events")
            .fetch_one(&self.read)
            .await?;
        Ok(nat(last))
    }

    async fn rolled(
        &self,
        dimension: Dimension,
        from_hour: i64,
        to_hour: i64,
    ) -> Result<Vec<Rolled>, StoreError> {
        let rows = sqlx::query("SELECT hour, key, decision, count FROM rollup WHERE dimension = ? AND hour >= ? AND hour < ? ORDER BY hour")
            .bind(dimension.as_str())
            .bind(from_hour)
            .bind(to_hour)
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                let decision: i64 = row.try_get("decision")?;
                Ok(Rolled {
                    hour: row.try_get("hour")?,
                    key: row.try_get("key")?,
                    decision: decision_word(Some(decision)),
                    count: nat(row.try_get("count")?),
                })
            })
            .collect()
    }

    async fn chains(&self) -> Result<BTreeMap<String, (Head, u64)>, StoreError> {
        let rows = sqlx::query("SELECT machine_id, seq, hash, gaps FROM chains")
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                let bytes: Vec<u8> = row.try_get("hash")?;
                let head = Head {
                    seq: nat(row.try_get("seq")?),
                    hash: hash(&bytes)?,
                };
                Ok((
                    row.try_get("machine_id")?,
                    (head, nat(row.try_get("gaps")?)),
                ))
            })
            .collect()
    }

    async fn add_checkpoint(
        &self,
        checkpoint: StoredCheckpoint,
        edge: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT OR REPLACE INTO checkpoints (tree_size, root, note, time_ms) VALUES (?, ?, ?, ?)")
            .bind(int(checkpoint.tree_size))
            .bind(checkpoint.root.0.to_vec())
            .bind(checkpoint.note)
            .bind(checkpoint.time_ms)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO settings (key, value) VALUES ('ledger-edge', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(edge)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn checkpoint(&self) -> Result<Option<StoredCheckpoint>, StoreError> {
        let row = sqlx::query("SELECT tree_size, root, note, time_ms FROM checkpoints ORDER BY tree_size DESC LIMIT 1")
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let bytes: Vec<u8> = row.try_get("root")?;
        Ok(Some(StoredCheckpoint {
            tree_size: nat(row.try_get("tree_size")?),
            root: hash(&bytes)?,
            note: row.try_get("note")?,
            time_ms: row.try_get("time_ms")?,
        }))
    }
}
