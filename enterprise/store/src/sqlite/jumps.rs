//! Jumps in chains, and what explained them.

use cmdai_schema::Jump;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::{hash, int, nat};
use crate::StoreError;

pub(super) async fn open(pool: &SqlitePool, machine_id: &str) -> Result<Vec<Jump>, StoreError> {
    let rows = sqlx::query(
        "SELECT first_seq, last_seq, open_seq, before_hash, after_hash, told_seq FROM jumps \
         WHERE machine_id = ? AND explained_row IS NULL ORDER BY last_seq",
    )
    .bind(machine_id)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let (before, after): (Vec<u8>, Vec<u8>) =
                (row.try_get("before_hash")?, row.try_get("after_hash")?);
            let told: Option<i64> = row.try_get("told_seq")?;
            Ok(Jump {
                first: nat(row.try_get("first_seq")?),
                from: nat(row.try_get("open_seq")?),
                to: nat(row.try_get("last_seq")?),
                before: hash(&before)?,
                after: hash(&after)?,
                told: told.map(nat),
            })
        })
        .collect()
}

/// Writes how open jumps stand after a batch; `row_of` gives the row of an event of the batch.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    machine_id: &str,
    open: &[Jump],
    explained: &[(u64, u64)],
    row_of: impl Fn(u64) -> i64,
) -> Result<(), StoreError> {
    for jump in open {
        sqlx::query(
            "INSERT INTO jumps (machine_id, first_seq, last_seq, open_seq, before_hash, after_hash, told_seq, row) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (machine_id, last_seq) DO UPDATE \
             SET open_seq = excluded.open_seq, before_hash = excluded.before_hash, told_seq = excluded.told_seq",
        )
        .bind(machine_id)
        .bind(int(jump.first))
        .bind(int(jump.to))
        .bind(int(jump.from))
        .bind(jump.before.0.to_vec())
        .bind(jump.after.0.to_vec())
        .bind(jump.told.map(int))
        .bind(row_of(jump.to.saturating_add(1)))
        .execute(&mut *connection)
        .await?;
    }
    for (last, by) in explained {
        sqlx::query(
            "UPDATE jumps SET open_seq = last_seq + 1, explained_row = ? WHERE machine_id = ? AND last_seq = ?",
        )
        .bind(row_of(*by))
        .bind(machine_id)
        .bind(int(*last))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The last row among those that explain jumps within rows; nothing where there are none.
pub(super) async fn explained_until(
    pool: &SqlitePool,
    first: u64,
    last: u64,
) -> Result<Option<u64>, StoreError> {
    let row: Option<i64> =
        sqlx::query_scalar("SELECT max(explained_row) FROM jumps WHERE row BETWEEN ? AND ?")
            .bind(int(first))
            .bind(int(last))
            .fetch_one(pool)
            .await?;
    Ok(row.map(nat))
}
