//! Enrolment, machines and orders.

use async_trait::async_trait;
use cmdai_api::machine::Signed;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Sqlite, from_json, int, nat, taken, to_json};
use crate::{Contact, EnrolmentTokenRow, MachineRow, MachineStore, StoreError};

const SELECT: &str = "SELECT m.*, (SELECT coalesce(max(serial), 0) FROM orders o WHERE o.machine_id = m.machine_id) AS order_last FROM machines m";

fn machine(row: &SqliteRow) -> Result<MachineRow, StoreError> {
    Ok(MachineRow {
        machine_id: row.try_get("machine_id")?,
        manifest: from_json("manifest", row.try_get("manifest")?)?,
        person: row.try_get("person")?,
        teams: from_json("teams", row.try_get("teams")?)?,
        labels: from_json("labels", row.try_get("labels")?)?,
        fingerprint: row.try_get("fingerprint")?,
        fingerprint_next: row.try_get("fingerprint_next")?,
        revoked: row.try_get("revoked")?,
        enrolled_ms: row.try_get("enrolled_ms")?,
        last_seen_ms: row.try_get("last_seen_ms")?,
        retired: row.try_get("retired")?,
        quarantine: row.try_get("quarantine")?,
        order_done: nat(row.try_get("order_done")?),
        order_last: nat(row.try_get("order_last")?),
        policy_version: row.try_get("policy_version")?,
        policy_digest: row.try_get("policy_digest")?,
        policy_problem: row.try_get("policy_problem")?,
        head_seq: nat(row.try_get("head_seq")?),
        queued: nat(row.try_get("queued")?),
    })
}

#[async_trait]
impl MachineStore for Sqlite {
    async fn add_enrolment_token(&self, token: &EnrolmentTokenRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO enrolment_tokens (id, secret_hash, person, teams, labels, uses_left, expires_ms, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&token.id)
        .bind(token.secret_hash.to_vec())
        .bind(&token.person)
        .bind(to_json("teams", &token.teams)?)
        .bind(to_json("labels", &token.labels)?)
        .bind(token.uses_left)
        .bind(token.expires_ms)
        .bind(&token.made_by)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn enrol(
        &self,
        token_id: &str,
        secret_hash: [u8; 32],
        now_ms: i64,
        mut machine: MachineRow,
    ) -> Result<Option<MachineRow>, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query(
            "UPDATE enrolment_tokens SET uses_left = uses_left - 1 WHERE id = ? AND secret_hash = ? AND uses_left > 0 AND expires_ms > ? \
             RETURNING person, teams, labels",
        )
        .bind(token_id)
        .bind(secret_hash.to_vec())
        .bind(now_ms)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(token) = used else { return Ok(None) };
        machine.person = token.try_get("person")?;
        machine.teams = from_json("teams", token.try_get("teams")?)?;
        machine.labels = from_json("labels", token.try_get("labels")?)?;
        sqlx::query(
            "INSERT INTO machines (machine_id, manifest, person, teams, labels, fingerprint, enrolled_ms, last_seen_ms, retired, quarantine, \
             order_done, policy_version, policy_digest, policy_problem, head_seq, queued) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0, '', '', NULL, 0, 0)",
        )
        .bind(&machine.machine_id)
        .bind(to_json("manifest", &machine.manifest)?)
        .bind(&machine.person)
        .bind(to_json("teams", &machine.teams)?)
        .bind(to_json("labels", &machine.labels)?)
        .bind(&machine.fingerprint)
        .bind(machine.enrolled_ms)
        .bind(machine.last_seen_ms)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(machine))
    }

    async fn machine(&self, machine_id: &str) -> Result<Option<MachineRow>, StoreError> {
        let mut sql = sqlx::QueryBuilder::new(SELECT);
        sql.push(" WHERE m.machine_id = ").push_bind(machine_id);
        sql.build()
            .fetch_optional(&self.read)
            .await?
            .as_ref()
            .map(machine)
            .transpose()
    }

    async fn machines(&self) -> Result<Vec<MachineRow>, StoreError> {
        sqlx::query(SELECT)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(machine)
            .collect()
    }

    async fn contacts(&self, contacts: &[Contact]) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        for contact in contacts {
            match &contact.checkin {
                Some(checkin) => sqlx::query(
                    "UPDATE machines SET manifest = ?, last_seen_ms = ?, order_done = max(order_done, ?), policy_version = ?, \
                     policy_digest = ?, policy_problem = ?, head_seq = ?, queued = ? WHERE machine_id = ?",
                )
                .bind(to_json("manifest", &checkin.manifest)?)
                .bind(contact.seen_ms)
                .bind(int(checkin.order_serial))
                .bind(&checkin.policy_version)
                .bind(&checkin.policy_digest)
                .bind(&checkin.policy_problem)
                .bind(int(checkin.head_seq))
                .bind(int(checkin.queued))
                .bind(&contact.machine_id)
                .execute(&mut *tx)
                .await?,
                None => sqlx::query("UPDATE machines SET last_seen_ms = ? WHERE machine_id = ?")
                    .bind(contact.seen_ms)
                    .bind(&contact.machine_id)
                    .execute(&mut *tx)
                    .await?,
            };
        }
        tx.commit().await?;
        Ok(())
    }

    async fn order(
        &self,
        machine_id: &str,
        quarantine: Option<&str>,
        serial: u64,
        signed: &Signed,
    ) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let added = sqlx::query("INSERT INTO orders (machine_id, serial, signed) VALUES (?, ?, ?)")
            .bind(machine_id)
            .bind(int(serial))
            .bind(to_json("order", signed)?)
            .execute(&mut *tx)
            .await;
        match added {
            Err(error) if taken(&error) => {
                return Err(StoreError::Conflict("the machine's orders"));
            }
            other => other.map(|_| ())?,
        }
        sqlx::query("UPDATE machines SET quarantine = ? WHERE machine_id = ?")
            .bind(quarantine)
            .bind(machine_id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn offer_certificate(
        &self,
        machine_id: &str,
        fingerprint: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE machines SET fingerprint_next = ? WHERE machine_id = ?")
            .bind(fingerprint)
            .bind(machine_id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn use_certificate(&self, machine_id: &str, fingerprint: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE machines SET fingerprint = fingerprint_next, fingerprint_next = '' WHERE machine_id = ? AND fingerprint_next = ?",
        )
        .bind(machine_id)
        .bind(fingerprint)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    async fn revoke_machine(&self, machine_id: &str, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE machines SET revoked = coalesce(revoked, ?) WHERE machine_id = ?")
            .bind(reason)
            .bind(machine_id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn retire_machine(&self, machine_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE machines SET retired = 1 WHERE machine_id = ?")
            .bind(machine_id)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn orders_after(&self, machine_id: &str, serial: u64) -> Result<Vec<Signed>, StoreError> {
        let texts: Vec<String> = sqlx::query_scalar(
            "SELECT signed FROM orders WHERE machine_id = ? AND serial > ? ORDER BY serial",
        )
        .bind(machine_id)
        .bind(int(serial))
        .fetch_all(&self.read)
        .await?;
        texts.iter().map(|text| from_json("order", text)).collect()
    }
}
