//! Policy releases and settings.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Sqlite, int, nat, taken};
use crate::{ReleaseRow, SettingStore, StoreError};

#[async_trait]
impl SettingStore for Sqlite {
    async fn add_release(&self, release: &ReleaseRow) -> Result<(), StoreError> {
        let done = sqlx::query("INSERT INTO releases (version, source, sha256, published_by, published_ms, note, impact, reviewed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(int(release.version))
            .bind(&release.source)
            .bind(&release.sha256)
            .bind(&release.published_by)
            .bind(release.published_ms)
            .bind(&release.note)
            .bind(&release.impact)
            .bind(&release.reviewed_by)
            .execute(&self.write)
            .await;
        match done {
            Err(error) if taken(&error) => Err(StoreError::Conflict("the policy")),
            other => Ok(other.map(|_| ())?),
        }
    }

    async fn releases(&self) -> Result<Vec<ReleaseRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM releases ORDER BY version DESC")
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ReleaseRow {
                    version: nat(row.try_get("version")?),
                    source: row.try_get("source")?,
                    sha256: row.try_get("sha256")?,
                    published_by: row.try_get("published_by")?,
                    published_ms: row.try_get("published_ms")?,
                    note: row.try_get("note")?,
                    impact: row.try_get("impact")?,
                    reviewed_by: row.try_get("reviewed_by")?,
                })
            })
            .collect()
    }

    async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT value FROM settings WHERE key = ?")
                .bind(key)
                .fetch_optional(&self.read)
                .await?,
        )
    }

    async fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(&self.write)
            .await?;
        Ok(())
    }
}
