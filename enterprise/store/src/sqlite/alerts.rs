//! Alerts, channels and deliveries.

use async_trait::async_trait;
use cmdai_api::console::{Channel, Delivery};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Sqlite, from_json, int, nat, to_json};
use crate::{AlertRow, AlertStore, StoreError};

fn alert(row: &SqliteRow) -> Result<AlertRow, StoreError> {
    Ok(AlertRow {
        id: row.try_get("id")?,
        detection: row.try_get("detection")?,
        key: row.try_get("key")?,
        status: row.try_get("status")?,
        severity: row.try_get("severity")?,
        title: row.try_get("title")?,
        summary: row.try_get("summary")?,
        machine_id: row.try_get("machine_id")?,
        hostname: row.try_get("hostname")?,
        user: row.try_get("user")?,
        event_ids: from_json("event ids", row.try_get("event_ids")?)?,
        count: nat(row.try_get("count")?),
        occurred_ms: row.try_get("occurred_ms")?,
        created_ms: row.try_get("created_ms")?,
        notified_ms: row.try_get("notified_ms")?,
        assignee: row.try_get("assignee")?,
        disposition: row.try_get("disposition")?,
        notes: from_json("notes", row.try_get("notes")?)?,
    })
}

#[async_trait]
impl AlertStore for Sqlite {
    async fn add_alert(&self, alert: &AlertRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO alerts (id, detection, key, status, severity, title, summary, machine_id, hostname, user, event_ids, count, \
             occurred_ms, created_ms, notified_ms, assignee, disposition, notes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&alert.id)
        .bind(&alert.detection)
        .bind(&alert.key)
        .bind(&alert.status)
        .bind(&alert.severity)
        .bind(&alert.title)
        .bind(&alert.summary)
        .bind(&alert.machine_id)
        .bind(&alert.hostname)
        .bind(&alert.user)
        .bind(to_json("event ids", &alert.event_ids)?)
        .bind(int(alert.count))
        .bind(alert.occurred_ms)
        .bind(alert.created_ms)
        .bind(alert.notified_ms)
        .bind(&alert.assignee)
        .bind(&alert.disposition)
        .bind(to_json("notes", &alert.notes)?)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn recent_alert(
        &self,
        detection: &str,
        key: &str,
        since_ms: i64,
    ) -> Result<Option<AlertRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM alerts WHERE detection = ? AND key = ? AND created_ms >= ? ORDER BY created_ms DESC LIMIT 1")
            .bind(detection)
            .bind(key)
            .bind(since_ms)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(alert).transpose()
    }

    async fn save_alert(&self, alert: &AlertRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE alerts SET status = ?, severity = ?, summary = ?, event_ids = ?, count = ?, assignee = ?, disposition = ?, notes = ? WHERE id = ?",
        )
        .bind(&alert.status)
        .bind(&alert.severity)
        .bind(&alert.summary)
        .bind(to_json("event ids", &alert.event_ids)?)
        .bind(int(alert.count))
        .bind(&alert.assignee)
        .bind(&alert.disposition)
        .bind(to_json("notes", &alert.notes)?)
        .bind(&alert.id)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn alert(&self, id: &str) -> Result<Option<AlertRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM alerts WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(alert).transpose()
    }

    async fn alerts(&self, status: Option<&str>, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        sqlx::query("SELECT * FROM alerts WHERE (?1 IS NULL OR status = ?1) ORDER BY created_ms DESC, id DESC LIMIT ?2")
            .bind(status)
            .bind(limit)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(alert)
            .collect()
    }

    async fn open_alerts(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM alerts WHERE status <> 'closed'")
            .fetch_one(&self.read)
            .await?;
        Ok(nat(count))
    }

    async fn alert_notified(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE alerts SET notified_ms = coalesce(notified_ms, ?) WHERE id = ?")
            .bind(now_ms)
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        let rows = sqlx::query("SELECT * FROM channels ORDER BY id")
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Channel {
                    id: row.try_get("id")?,
                    kind: row.try_get("kind")?,
                    url: row.try_get("url")?,
                    min_severity: row.try_get("min_severity")?,
                    secret: row.try_get("secret")?,
                    enabled: row.try_get("enabled")?,
                })
            })
            .collect()
    }

    async fn put_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO channels (id, kind, url, min_severity, secret, enabled) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET \
             kind = excluded.kind, url = excluded.url, min_severity = excluded.min_severity, secret = coalesce(excluded.secret, secret), \
             enabled = excluded.enabled",
        )
        .bind(&channel.id)
        .bind(&channel.kind)
        .bind(&channel.url)
        .bind(&channel.min_severity)
        .bind(&channel.secret)
        .bind(channel.enabled)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn delete_channel(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM channels WHERE id = ?")
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn add_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let time_ms = delivery
            .time
            .parse::<jiff::Timestamp>()
            .map_or(0, jiff::Timestamp::as_millisecond);
        sqlx::query("INSERT INTO deliveries (time_ms, channel, alert, attempt, status, error) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(time_ms)
            .bind(&delivery.channel)
            .bind(&delivery.alert)
            .bind(delivery.attempt)
            .bind(delivery.status)
            .bind(&delivery.error)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn deliveries(&self, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query("SELECT * FROM deliveries ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                let time =
                    jiff::Timestamp::from_millisecond(row.try_get("time_ms")?).unwrap_or_default();
                Ok(Delivery {
                    time: time.to_string(),
                    channel: row.try_get("channel")?,
                    alert: row.try_get("alert")?,
                    attempt: row.try_get("attempt")?,
                    status: row.try_get("status")?,
                    error: row.try_get("error")?,
                })
            })
            .collect()
    }
}
