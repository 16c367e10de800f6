//! Accounts, sessions and tokens.

use async_trait::async_trait;
use cmdai_api::console::Role;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Sqlite, from_json, taken, to_json};
use crate::{Account, AccountStore, Credential, StoreError};

fn account(row: &SqliteRow) -> Result<Account, StoreError> {
    let role: String = row.try_get("role")?;
    let roles = [
        Role::Viewer,
        Role::Auditor,
        Role::Security,
        Role::Administrator,
    ];
    let role = roles.into_iter().find(|known| known.as_str() == role);
    Ok(Account {
        login: row.try_get("login")?,
        role: role.ok_or(StoreError::Damaged {
            what: "role",
            cause: "unknown word".to_owned(),
        })?,
        person: row.try_get("person")?,
        password_hash: row.try_get("password_hash")?,
        initial: row.try_get("initial")?,
        created_ms: row.try_get("created_ms")?,
        last_seen_ms: row.try_get("last_seen_ms")?,
        groups: from_json("groups", row.try_get("groups")?)?,
        chat: row.try_get("chat")?,
    })
}

#[async_trait]
impl AccountStore for Sqlite {
    async fn account(&self, login: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query("SELECT * FROM accounts WHERE login = ?")
            .bind(login)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(account).transpose()
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        sqlx::query("SELECT * FROM accounts ORDER BY login")
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(account)
            .collect()
    }

    async fn add_account(&self, account: &Account) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO accounts (login, role, person, password_hash, initial, created_ms, last_seen_ms, groups, chat) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&account.login)
        .bind(account.role.as_str())
        .bind(&account.person)
        .bind(&account.password_hash)
        .bind(account.initial)
        .bind(account.created_ms)
        .bind(account.last_seen_ms)
        .bind(to_json("groups", &account.groups)?)
        .bind(&account.chat)
        .execute(&self.write)
        .await;
        match done {
            Err(error) if taken(&error) => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    async fn delete_account(&self, login: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM accounts WHERE login = ?")
            .bind(login)
            .execute(&self.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn touch_account(&self, login: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET last_seen_ms = ? WHERE login = ?")
            .bind(now_ms)
            .bind(login)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn add_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO credentials (hash, kind, name, login, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(credential.hash.to_vec())
            .bind(&credential.kind)
            .bind(&credential.name)
            .bind(&credential.login)
            .bind(credential.created_ms)
            .bind(credential.expires_ms)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn credential(
        &self,
        hash: [u8; 32],
        now_ms: i64,
    ) -> Result<Option<(Credential, Account)>, StoreError> {
        let row = sqlx::query(
            "SELECT c.kind, c.name, c.created_ms AS made_ms, c.expires_ms, a.* FROM credentials c JOIN accounts a ON a.login = c.login \
             WHERE c.hash = ? AND c.expires_ms > ?",
        )
        .bind(hash.to_vec())
        .bind(now_ms)
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let account = account(&row)?;
        let credential = Credential {
            hash,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            login: account.login.clone(),
            created_ms: row.try_get("made_ms")?,
            expires_ms: row.try_get("expires_ms")?,
        };
        Ok(Some((credential, account)))
    }

    async fn delete_credential(&self, hash: [u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM credentials WHERE hash = ?")
            .bind(hash.to_vec())
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn tokens(&self, login: Option<&str>) -> Result<Vec<Credential>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM credentials WHERE kind = 'token' AND (?1 IS NULL OR login = ?1) ORDER BY created_ms DESC LIMIT 1000",
        )
        .bind(login)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let hash: Vec<u8> = row.try_get("hash")?;
                Ok(Credential {
                    hash: super::hash(&hash)?.0,
                    kind: row.try_get("kind")?,
                    name: row.try_get("name")?,
                    login: row.try_get("login")?,
                    created_ms: row.try_get("created_ms")?,
                    expires_ms: row.try_get("expires_ms")?,
                })
            })
            .collect()
    }

    async fn change_account(
        &self,
        login: &str,
        role: Role,
        groups: &[String],
        chat: Option<&str>,
    ) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE accounts SET role = ?, groups = ?, chat = ? WHERE login = ?")
                .bind(role.as_str())
                .bind(to_json("groups", &groups)?)
                .bind(chat)
                .bind(login)
                .execute(&self.write)
                .await;
        match done {
            Err(error) if taken(&error) => Err(StoreError::Conflict("the account's chat id")),
            other => Ok(other?.rows_affected() > 0),
        }
    }

    async fn set_password(
        &self,
        login: &str,
        password_hash: &str,
        keep: [u8; 32],
    ) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE accounts SET password_hash = ?, initial = 0 WHERE login = ?")
            .bind(password_hash)
            .bind(login)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM credentials WHERE login = ? AND hash <> ?")
            .bind(login)
            .bind(keep.to_vec())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn delete_lapsed(&self, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM credentials WHERE expires_ms <= ?")
            .bind(now_ms)
            .execute(&self.write)
            .await?;
        Ok(())
    }
}
