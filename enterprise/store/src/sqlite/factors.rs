//! Second factors and recovery codes.

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Sqlite, nat};
use crate::{FactorRow, FactorStore, StoreError};

fn factor(row: &SqliteRow) -> Result<FactorRow, StoreError> {
    Ok(FactorRow {
        id: row.try_get("id")?,
        login: row.try_get("login")?,
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        secret: row.try_get("secret")?,
        confirmed: row.try_get("confirmed")?,
        counter: row.try_get("counter")?,
        created_ms: row.try_get("created_ms")?,
        last_used_ms: row.try_get("last_used_ms")?,
    })
}

#[async_trait]
impl FactorStore for Sqlite {
    async fn factors(&self, login: &str) -> Result<Vec<FactorRow>, StoreError> {
        sqlx::query("SELECT * FROM factors WHERE login = ? ORDER BY created_ms, id")
            .bind(login)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(factor)
            .collect()
    }

    async fn factors_of_kind(&self, kind: &str) -> Result<Vec<FactorRow>, StoreError> {
        sqlx::query("SELECT * FROM factors WHERE kind = ? AND confirmed = 1 ORDER BY login, id")
            .bind(kind)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(factor)
            .collect()
    }

    async fn add_factor(&self, factor: &FactorRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO factors (id, login, kind, name, secret, confirmed, counter, created_ms, last_used_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(&factor.id)
            .bind(&factor.login)
            .bind(&factor.kind)
            .bind(&factor.name)
            .bind(&factor.secret)
            .bind(factor.confirmed)
            .bind(factor.counter)
            .bind(factor.created_ms)
            .bind(factor.last_used_ms)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn use_factor(&self, id: &str, counter: i64, now_ms: i64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE factors SET counter = ?1, last_used_ms = ?2, confirmed = 1 WHERE id = ?3 AND counter < ?1",
        )
        .bind(counter)
        .bind(now_ms)
        .bind(id)
        .execute(&self.write)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn change_factor_secret(&self, id: &str, secret: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE factors SET secret = ? WHERE id = ?")
            .bind(secret)
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn touch_factor(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE factors SET last_used_ms = ? WHERE id = ?")
            .bind(now_ms)
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn delete_factor(&self, login: &str, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM factors WHERE login = ? AND id = ?")
            .bind(login)
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn set_recovery_codes(&self, login: &str, hashes: &[[u8; 32]]) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM recovery_codes WHERE login = ?")
            .bind(login)
            .execute(&mut *tx)
            .await?;
        for hash in hashes {
            sqlx::query("INSERT INTO recovery_codes (login, hash) VALUES (?, ?)")
                .bind(login)
                .bind(hash.to_vec())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn use_recovery_code(&self, login: &str, hash: [u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM recovery_codes WHERE login = ? AND hash = ?")
            .bind(login)
            .bind(hash.to_vec())
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn recovery_codes(&self, login: &str) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM recovery_codes WHERE login = ?")
            .bind(login)
            .fetch_one(&self.read)
            .await?;
        Ok(nat(count))
    }
}
