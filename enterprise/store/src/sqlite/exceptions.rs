//! Exceptions and emergencies.

use async_trait::async_trait;
use cmdai_api::machine::Signed;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::approvals::approval;
use super::{Sqlite, int, taken, to_json};
use crate::{EmergencyRow, ExceptionRow, ExceptionStore, StoreError};

fn exception(row: &SqliteRow) -> Result<ExceptionRow, StoreError> {
    Ok(ExceptionRow {
        approval: approval(row)?,
        until_ms: row.try_get("until_ms")?,
        approved_ms: row.try_get("approved_ms")?,
        revoked_ms: row.try_get("revoked_ms")?,
        revoked_by: row.try_get("revoked_by")?,
        revoked_reason: row.try_get("revoked_reason")?,
    })
}

fn emergency(row: &SqliteRow) -> Result<EmergencyRow, StoreError> {
    Ok(EmergencyRow {
        approval: approval(row)?,
        due_ms: row.try_get("due_ms")?,
        reviewed_ms: row.try_get("reviewed_ms")?,
        reviewed_by: row.try_get("reviewed_by")?,
        verdict: row.try_get("verdict")?,
        note: row.try_get("note")?,
        late_told: row.try_get("late_told")?,
    })
}

const EXCEPTIONS: &str = "SELECT a.*, e.until_ms, e.approved_ms, e.revoked_ms, e.revoked_by, e.revoked_reason \
     FROM exceptions e JOIN approvals a ON a.id = e.id";
const EMERGENCIES: &str = "SELECT a.*, e.due_ms, e.reviewed_ms, e.reviewed_by, e.verdict, e.note, e.late_told \
     FROM emergencies e JOIN approvals a ON a.id = e.id";

/// A query made of constants.
fn asked(start: &str, rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{start} {rest}"))
}

#[async_trait]
impl ExceptionStore for Sqlite {
    async fn exceptions(&self, limit: u32) -> Result<Vec<ExceptionRow>, StoreError> {
        sqlx::query(asked(EXCEPTIONS, "ORDER BY e.until_ms DESC, a.id LIMIT ?"))
            .bind(limit)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(exception)
            .collect()
    }

    async fn exception(&self, id: &str) -> Result<Option<ExceptionRow>, StoreError> {
        let row = sqlx::query(asked(EXCEPTIONS, "WHERE a.id = ?"))
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(exception).transpose()
    }

    async fn revoke_exception(
        &self,
        id: &str,
        by: &str,
        reason: &str,
        now_ms: i64,
        order: (&str, u64, &Signed),
    ) -> Result<bool, StoreError> {
        let (machine_id, serial, signed) = order;
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(
            "UPDATE exceptions SET revoked_ms = ?, revoked_by = ?, revoked_reason = ? WHERE id = ? AND revoked_ms IS NULL",
        )
        .bind(now_ms)
        .bind(by)
        .bind(reason)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let ordered =
            sqlx::query("INSERT INTO orders (machine_id, serial, signed) VALUES (?, ?, ?)")
                .bind(machine_id)
                .bind(int(serial))
                .bind(to_json("order", signed)?)
                .execute(&mut *tx)
                .await;
        match ordered {
            Err(error) if taken(&error) => Err(StoreError::Conflict("the machine's orders")),
            other => {
                other?;
                tx.commit().await?;
                Ok(true)
            }
        }
    }

    async fn add_emergency(&self, id: &str, due_ms: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO emergencies (id, due_ms) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(due_ms)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn emergencies(&self, limit: u32) -> Result<Vec<EmergencyRow>, StoreError> {
        sqlx::query(asked(
            EMERGENCIES,
            "ORDER BY a.created_ms DESC, a.id LIMIT ?",
        ))
        .bind(limit)
        .fetch_all(&self.read)
        .await?
        .iter()
        .map(emergency)
        .collect()
    }

    async fn emergency(&self, id: &str) -> Result<Option<EmergencyRow>, StoreError> {
        let row = sqlx::query(asked(EMERGENCIES, "WHERE a.id = ?"))
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(emergency).transpose()
    }

    async fn review_emergency(
        &self,
        id: &str,
        by: &str,
        verdict: &str,
        note: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE emergencies SET reviewed_ms = ?, reviewed_by = ?, verdict = ?, note = ? WHERE id = ? AND reviewed_ms IS NULL",
        )
        .bind(now_ms)
        .bind(by)
        .bind(verdict)
        .bind(note)
        .bind(id)
        .execute(&self.write)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn late_emergencies(&self, now_ms: i64) -> Result<Vec<EmergencyRow>, StoreError> {
        sqlx::query(asked(
            EMERGENCIES,
            "WHERE e.reviewed_ms IS NULL AND e.late_told = 0 AND e.due_ms <= ?",
        ))
        .bind(now_ms)
        .fetch_all(&self.read)
        .await?
        .iter()
        .map(emergency)
        .collect()
    }

    async fn late_told(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE emergencies SET late_told = 1 WHERE id = ?")
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(())
    }
}
