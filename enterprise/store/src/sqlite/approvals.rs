//! Requests for approval.

use async_trait::async_trait;
use cmdai_api::machine::Signed;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Sqlite, from_json, nat, taken, to_json};
use crate::{ApprovalRow, ApprovalStore, Decided, StoreError, Vote};

pub(super) fn approval(row: &SqliteRow) -> Result<ApprovalRow, StoreError> {
    let signed: Option<String> = row.try_get("signed")?;
    Ok(ApprovalRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        terms: from_json("terms", row.try_get("terms")?)?,
        machine_id: row.try_get("machine_id")?,
        hostname: row.try_get("hostname")?,
        request: from_json("request", row.try_get("request")?)?,
        binding_hash: row.try_get("binding_hash")?,
        reason: row.try_get("reason")?,
        session_id: row.try_get("session_id")?,
        status: row.try_get("status")?,
        created_ms: row.try_get("created_ms")?,
        expires_ms: row.try_get("expires_ms")?,
        approver: row.try_get("approver")?,
        decision_reason: row.try_get("decision_reason")?,
        decided_ms: row.try_get("decided_ms")?,
        signed: signed
            .as_deref()
            .map(|text| from_json("grant", text))
            .transpose()?,
    })
}

fn vote(row: &SqliteRow) -> Result<Vote, StoreError> {
    Ok(Vote {
        request_id: row.try_get("request_id")?,
        person: row.try_get("person")?,
        login: row.try_get("login")?,
        approve: row.try_get("approve")?,
        factor: row.try_get("factor")?,
        proof: row.try_get("proof")?,
        reason: row.try_get("reason")?,
        time_ms: row.try_get("time_ms")?,
    })
}

impl Sqlite {
    /// How many requests a statement counts, of a machine, one person or session there, and a time on.
    async fn count_of(
        &self,
        statement: &'static str,
        (machine_id, whose, since_ms): (&str, &str, i64),
    ) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(statement)
            .bind(machine_id)
            .bind(whose)
            .bind(since_ms)
            .fetch_one(&self.read)
            .await?;
        Ok(nat(count))
    }
}

#[async_trait]
impl ApprovalStore for Sqlite {
    async fn open_approval(&self, approval: &ApprovalRow) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO approvals (id, machine_id, hostname, user, request, binding_hash, reason, session_id, status, created_ms, expires_ms, kind, terms) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&approval.id)
        .bind(&approval.machine_id)
        .bind(&approval.hostname)
        .bind(&approval.request.user)
        .bind(to_json("request", &approval.request)?)
        .bind(&approval.binding_hash)
        .bind(&approval.reason)
        .bind(&approval.session_id)
        .bind(&approval.status)
        .bind(approval.created_ms)
        .bind(approval.expires_ms)
        .bind(&approval.kind)
        .bind(to_json("terms", &approval.terms)?)
        .execute(&self.write)
        .await;
        match done {
            Err(error) if taken(&error) => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM approvals WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(approval).transpose()
    }

    async fn approvals(
        &self,
        status: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        sqlx::query("SELECT * FROM approvals WHERE (?1 IS NULL OR status = ?1) ORDER BY created_ms DESC, id LIMIT ?2")
            .bind(status)
            .bind(limit)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(approval)
            .collect()
    }

    async fn pending_approvals(
        &self,
        machine_id: &str,
        user: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError> {
        self.count_of(
            "SELECT count(*) FROM approvals WHERE machine_id = ? AND user = ? AND created_ms >= ? AND status = 'pending'",
            (machine_id, user, since_ms),
        )
        .await
    }

    async fn pending_of_session(
        &self,
        machine_id: &str,
        session_id: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError> {
        self.count_of(
            "SELECT count(*) FROM approvals WHERE machine_id = ? AND session_id = ? AND created_ms >= ? AND status = 'pending'",
            (machine_id, session_id, since_ms),
        )
        .await
    }

    async fn asked_since(
        &self,
        machine_id: &str,
        user: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError> {
        self.count_of(
            "SELECT count(*) FROM approvals WHERE machine_id = ? AND user = ? AND created_ms >= ? AND kind <> 'break_glass'",
            (machine_id, user, since_ms),
        )
        .await
    }

    async fn add_vote(&self, vote: &Vote) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO votes (request_id, person, login, approve, factor, reason, time_ms, proof) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&vote.request_id)
        .bind(&vote.person)
        .bind(&vote.login)
        .bind(vote.approve)
        .bind(&vote.factor)
        .bind(&vote.reason)
        .bind(vote.time_ms)
        .bind(&vote.proof)
        .execute(&self.write)
        .await;
        match done {
            Err(error) if taken(&error) => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    async fn votes(&self, id: &str) -> Result<Vec<Vote>, StoreError> {
        sqlx::query("SELECT * FROM votes WHERE request_id = ? ORDER BY time_ms, person")
            .bind(id)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(vote)
            .collect()
    }

    async fn votes_since(&self, since_ms: i64) -> Result<Vec<Vote>, StoreError> {
        sqlx::query("SELECT v.* FROM votes v JOIN approvals a ON a.id = v.request_id WHERE a.created_ms >= ? ORDER BY v.time_ms, v.person")
            .bind(since_ms)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(vote)
            .collect()
    }

    async fn pending_of_machine(&self, machine_id: &str, now_ms: i64) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM approvals WHERE machine_id = ? AND status = 'pending' AND expires_ms > ?",
        )
        .bind(machine_id)
        .bind(now_ms)
        .fetch_one(&self.read)
        .await?;
        Ok(nat(count))
    }

    async fn decide_approval(&self, id: &str, decided: &Decided) -> Result<bool, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(
            "UPDATE approvals SET status = ?, approver = ?, decision_reason = ?, decided_ms = ?, signed = ? WHERE id = ? AND status = 'pending'",
        )
        .bind(&decided.status)
        .bind(&decided.approver)
        .bind(&decided.reason)
        .bind(decided.decided_ms)
        .bind(to_json("grant", &decided.signed)?)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(until_ms) = decided.exception_until_ms {
            sqlx::query("INSERT INTO exceptions (id, until_ms, approved_ms) VALUES (?, ?, ?)")
                .bind(id)
                .bind(until_ms)
                .bind(decided.decided_ms)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn decisions(
        &self,
        machine_id: &str,
        since_ms: i64,
    ) -> Result<Vec<(String, Signed)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, signed FROM approvals WHERE machine_id = ? AND created_ms >= ? AND signed IS NOT NULL ORDER BY decided_ms DESC LIMIT 5000",
        )
        .bind(machine_id)
        .bind(since_ms)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let signed: String = row.try_get("signed")?;
                Ok((row.try_get("id")?, from_json("grant", &signed)?))
            })
            .collect()
    }

    async fn lapsed_approvals(&self, now_ms: i64) -> Result<Vec<ApprovalRow>, StoreError> {
        sqlx::query("SELECT * FROM approvals WHERE status = 'pending' AND expires_ms <= ?")
            .bind(now_ms)
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(approval)
            .collect()
    }

    async fn consume_approval(&self, machine_id: &str, id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE approvals SET status = 'consumed' WHERE id = ? AND machine_id = ? AND status = 'granted'")
            .bind(id)
            .bind(machine_id)
            .execute(&self.write)
            .await?;
        Ok(())
    }
}
