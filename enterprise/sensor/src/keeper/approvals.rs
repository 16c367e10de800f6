//! Approval requests and their grants.
//!
//! The table is replaced as a whole before anything is answered, so that a grant is used at most
//! once: after a crash between the write and the answer it is used up, not usable again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmdai_api::machine::{ApprovalOpen, BoundRequest, Grant, Signed};
use cmdai_bundle::verify_statement;
use cmdai_schema::governor::{Binding, Reply};
use cmdai_schema::{ApprovalInfo, Hash, canonical_bytes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{clock, files};

/// Most open requests of one person.
const MAX_PENDING: usize = 20;
/// Longest free text of a person.
const MAX_REASON: usize = 500;
/// Longest name of a session.
const MAX_SESSION: usize = 80;
/// Most bytes of one request as written down: the server takes no longer ones, and a person has to
/// read it.
const MAX_REQUEST: usize = 64 * 1024;
/// Most bytes of all requests of one person, answered and lapsed ones included, and of the table:
/// what is written must also be read again.
const MAX_OF_ONE: usize = 1024 * 1024;
const MAX_TABLE: usize = 12 * 1024 * 1024;
/// Answered requests are kept so long, to say what became of them.
const KEEP: Duration = Duration::from_secs(24 * 3600);
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Pending,
    Granted,
    Denied,
    Consumed,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) open: ApprovalOpen,
    pub(crate) state: State,
    /// The server knows it.
    pub(crate) sent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<Grant>,
}

impl Entry {
    pub(crate) fn id(&self) -> &str {
        &self.open.request_id
    }

    /// Bytes in the table.
    fn size(&self) -> usize {
        serde_json::to_vec_pretty(self).map_or(usize::MAX / 4, |json| json.len())
    }

    /// For events.
    pub(crate) fn info(&self) -> ApprovalInfo {
        let status = match self.state {
            State::Pending => "pending",
            State::Granted => "granted",
            State::Denied => "denied",
            State::Consumed => "consumed",
        };
        ApprovalInfo {
            request_id: self.open.request_id.clone(),
            grant_id: self.grant.as_ref().map(|grant| grant.grant_id.clone()),
            status: status.to_owned(),
            approver: self.grant.as_ref().map(|grant| grant.approver.clone()),
            reason: self
                .grant
                .as_ref()
                .map(|grant| grant.reason.clone())
                .or_else(|| self.open.reason.clone()),
        }
    }

    fn lapsed(&self, now: Timestamp) -> bool {
        let end = match (&self.grant, self.state) {
            (Some(grant), State::Granted | State::Denied) => &grant.expires,
            _ => &self.open.expires,
        };
        end.parse::<Timestamp>().is_ok_and(|end| end <= now)
    }
}

/// Who asks, by the kernel's word.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) uid: u32,
    pub(crate) login: String,
}

/// The table.
pub(crate) struct Approvals {
    path: PathBuf,
    salt: Vec<u8>,
    entries: Vec<Entry>,
    lifetime: Duration,
}

impl Approvals {
    pub(crate) fn open(path: PathBuf, salt: &Path, lifetime: Duration) -> Result<Self> {
        let entries = match files::read_json(&path) {
            Ok(entries) => entries.unwrap_or_default(),
            // Without its request no grant fits: an empty table permits nothing. The sensor must not
            // stay dead for it.
            Err(error) => {
                let aside = path.with_extension("damaged");
                tracing::error!(
                    "the table of approvals cannot be read ({error}) and begins anew; the old one is {}",
                    aside.display()
                );
                std::fs::rename(&path, aside).context("the table of approvals cannot be read")?;
                Vec::new()
            }
        };
        let salt = match files::read_bounded(salt, 64) {
            Ok(bytes) if bytes.len() == 32 => bytes,
            _ => {
                let mut bytes = vec![0u8; 32];
                getrandom::fill(&mut bytes)
                    .map_err(|_| anyhow::anyhow!("the system gave no random bytes"))?;
                files::replace(salt, &bytes, 0o600)?;
                bytes
            }
        };
        Ok(Self {
            path,
            salt,
            entries,
            lifetime,
        })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Requests that wait for an answer and have not lapsed.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Entry> {
        let now = clock::now();
        self.entries
            .iter()
            .filter(move |entry| entry.state == State::Pending && !entry.lapsed(now))
    }

    fn save(&self) -> Result<()> {
        files::replace_json(&self.path, &self.entries)
            .context("the table of approvals cannot be written; grants need it")
    }

    /// Changes the table on disk, or not at all.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<()> {
        let before = self.entries.clone();
        change(&mut self.entries);
        self.save().inspect_err(|_| self.entries = before)
    }

    /// What a grant must be bound to.
    pub(crate) fn bind(
        &self,
        mut binding: Binding,
        asker: &Asker,
        hashes: std::collections::BTreeMap<String, String>,
    ) -> Result<(BoundRequest, String)> {
        binding.exact = Hash::of(&[&self.salt, binding.exact.as_bytes()]).to_hex();
        let bound = BoundRequest {
            binding,
            user: asker.login.clone(),
            uid: asker.uid,
            files: hashes,
        };
        let hash = Hash::of(&[&canonical_bytes(&bound)?]).to_hex();
        Ok((bound, hash))
    }

    /// Consumes a grant that fits, or finds or opens a request.
    pub(crate) fn ask(
        &mut self,
        bound: BoundRequest,
        binding_hash: String,
        reason: Option<String>,
        session_id: String,
    ) -> Result<Reply> {
        let now = clock::now();
        let refused =
            |request_id: Option<String>, reason: String| Ok(Reply::Refused { request_id, reason });
        if bound.binding.unknown {
            return refused(None, "something in this command that could run is unknown, so it cannot be approved in advance; write it out".to_owned());
        }
        let fits = |entry: &Entry| {
            entry.open.binding_hash == binding_hash
                && entry.state != State::Consumed
                && !entry.lapsed(now)
        };
        if let Some(index) = self.entries.iter().rposition(fits) {
            let Some(entry) = self.entries.get(index).cloned() else {
                return refused(None, "internal error".to_owned());
            };
            return match (entry.state, &entry.grant) {
                (State::Granted, Some(grant)) => {
                    self.change(|entries| {
                        if let Some(entry) = entries.get_mut(index) {
                            entry.state = State::Consumed;
                        }
                    })?;
                    Ok(Reply::Granted {
                        request_id: entry.id().to_owned(),
                        grant_id: grant.grant_id.clone(),
                        approver: grant.approver.clone(),
                    })
                }
                (State::Denied, Some(grant)) => {
                    let said = if grant.reason.is_empty() {
                        String::new()
                    } else {
                        format!(": {}", grant.reason)
                    };
                    refused(
                        Some(entry.id().to_owned()),
                        format!("{} said no{said}", grant.approver),
                    )
                }
                _ => Ok(Reply::Pending {
                    request_id: entry.id().to_owned(),
                }),
            };
        }
        if self
            .pending()
            .filter(|entry| entry.open.request.uid == bound.uid)
            .count()
            >= MAX_PENDING
        {
            return refused(
                None,
                format!("{MAX_PENDING} requests of yours are open already; wait for answers"),
            );
        }
        let request_id = fresh_id(&self.entries)?;
        let expires = now
            .saturating_add(jiff::SignedDuration::try_from(self.lifetime).unwrap_or_default())
            .unwrap_or(Timestamp::MAX);
        let reason = reason.map(|text| text.chars().take(MAX_REASON).collect());
        let open = ApprovalOpen {
            request_id: request_id.clone(),
            request: bound,
            binding_hash,
            reason,
            session_id: session_id.chars().take(MAX_SESSION).collect(),
            expires: clock::text(expires),
        };
        let entry = Entry {
            open,
            state: State::Pending,
            sent: false,
            grant: None,
        };
        let size = entry.size();
        if size > MAX_REQUEST {
            return refused(
                None,
                "this command is too long to be approved; put it into a script".to_owned(),
            );
        }
        if !self.make_room(entry.open.request.uid, size, now)? {
            return refused(
                None,
                "too many requests are kept already; wait until some have lapsed".to_owned(),
            );
        }
        self.change(|entries| entries.push(entry))?;
        Ok(Reply::Pending { request_id })
    }

    /// Forgets the oldest lapsed requests of a person until another one fits. False where it
    /// does not.
    fn make_room(&mut self, uid: u32, size: usize, now: Timestamp) -> Result<bool> {
        let total: usize = self.entries.iter().map(Entry::size).sum();
        let own = |entry: &&Entry| entry.open.request.uid == uid;
        let of_one: usize = self.entries.iter().filter(own).map(Entry::size).sum();
        let over = |bytes: usize, limit: usize| (bytes + size).saturating_sub(limit);
        let mut surplus = over(of_one, MAX_OF_ONE).max(over(total, MAX_TABLE));
        if surplus == 0 {
            return Ok(true);
        }
        let mut gone = Vec::new();
        for entry in self
            .entries
            .iter()
            .filter(own)
            .filter(|entry| entry.lapsed(now))
        {
            gone.push(entry.id().to_owned());
            surplus = surplus.saturating_sub(entry.size());
            if surplus == 0 {
                break;
            }
        }
        if surplus > 0 {
            return Ok(false);
        }
        self.change(|entries| entries.retain(|entry| !gone.iter().any(|id| id == entry.id())))?;
        Ok(true)
    }

    /// The server knows another machine's request by this id: the request gets another one.
    pub(crate) fn taken(&mut self, request_id: &str) -> Result<()> {
        let fresh = fresh_id(&self.entries)?;
        let mine = |entry: &Entry| {
            entry.id() == request_id && entry.state == State::Pending && !entry.sent
        };
        if !self.entries.iter().any(mine) {
            return Ok(());
        }
        self.change(|entries| {
            for entry in entries.iter_mut().filter(|entry| mine(entry)) {
                entry.open.request_id.clone_from(&fresh);
            }
        })
    }

    /// The server knows a request.
    pub(crate) fn sent(&mut self, request_id: &str) -> Result<()> {
        if self
            .entries
            .iter()
            .any(|entry| entry.id() == request_id && !entry.sent)
        {
            self.change(|entries| {
                entries
                    .iter_mut()
                    .filter(|entry| entry.id() == request_id)
                    .for_each(|entry| entry.sent = true)
            })?;
        }
        Ok(())
    }

    /// Takes signed decisions in. Those that are not believed come back in words.
    pub(crate) fn decide(
        &mut self,
        grants: &[Signed],
        keys: &[String],
        machine_id: &str,
    ) -> Result<Vec<String>> {
        let now = clock::now();
        let mut problems = Vec::new();
        for signed in grants {
            let grant: Grant = match verify_statement(signed, keys) {
                Ok(grant) => grant,
                Err(error) => {
                    problems.push(format!("a grant is not believed: {error}"));
                    continue;
                }
            };
            let Some(index) = self
                .entries
                .iter()
                .position(|entry| entry.id() == grant.request_id)
            else {
                continue;
            };
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            if entry.state != State::Pending {
                continue;
            }
            if let Some(problem) = mismatch(entry, &grant, machine_id, now) {
                problems.push(format!(
                    "the grant for request {} is not believed: {problem}",
                    grant.request_id
                ));
                continue;
            }
            self.change(|entries| {
                if let Some(entry) = entries.get_mut(index) {
                    entry.state = if grant.granted {
                        State::Granted
                    } else {
                        State::Denied
                    };
                    entry.sent = true;
                    entry.grant = Some(grant);
                }
            })?;
        }
        Ok(problems)
    }

    /// Forgets what lapsed long ago. A lapsed grant can never be used, remembered or not.
    pub(crate) fn prune(&mut self) -> Result<()> {
        let then = clock::now()
            .saturating_sub(jiff::SignedDuration::try_from(KEEP).unwrap_or_default())
            .unwrap_or(Timestamp::MIN);
        if self.entries.iter().any(|entry| entry.lapsed(then)) {
            self.change(|entries| entries.retain(|entry| !entry.lapsed(then)))?;
        }
        Ok(())
    }
}

/// An id that no entry has.
fn fresh_id(entries: &[Entry]) -> Result<String> {
    loop {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random)
            .map_err(|_| anyhow::anyhow!("the system gave no random bytes"))?;
        let id: String = random
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)))
            .map(|byte| char::from(*byte))
            .collect();
        if entries.iter().all(|entry| entry.id() != id) {
            return Ok(id);
        }
    }
}

fn mismatch(
    entry: &Entry,
    grant: &Grant,
    machine_id: &str,
    now: Timestamp,
) -> Option<&'static str> {
    if grant.version != 1 || grant.uses != 1 {
        return Some("it is of an unknown kind; update the sensor");
    }
    if grant.machine_id != machine_id {
        return Some("it is for another machine");
    }
    if grant.user != entry.open.request.user {
        return Some("it is for another person");
    }
    if grant.binding_hash != entry.open.binding_hash {
        return Some("it is for another command");
    }
    match grant.expires.parse::<Timestamp>() {
        Ok(expires) if expires > now => None,
        _ => Some("its time is over, or this machine's clock is wrong"),
    }
}

#[cfg(test)]
mod tests {
    use cmdai_bundle::{SigningKey, keys, sign_statement};

    use super::*;

    fn table(dir: &Path) -> Approvals {
        Approvals::open(
            dir.join("approvals.json"),
            &dir.join("salt"),
            Duration::from_secs(600),
        )
        .unwrap()
    }

    fn ask(table: &mut Approvals, text: &str) -> Reply {
        let asker = Asker {
            uid: 1000,
            login: "ann".into(),
        };
        let binding = Binding {
            text: text.into(),
            exact: text.into(),
            ..Binding::default()
        };
        let (bound, hash) = table.bind(binding, &asker, Default::default()).unwrap();
        table.ask(bound, hash, None, "s".into()).unwrap()
    }

    fn grant(table: &Approvals, granted: bool) -> Grant {
        let entry = table.entries.last().unwrap();
        Grant {
            version: 1,
            grant_id: "g-1".into(),
            request_id: entry.id().into(),
            granted,
            machine_id: "m-1".into(),
            user: "ann".into(),
            binding_hash: entry.open.binding_hash.clone(),
            approver: "maya".into(),
            factor: "password".into(),
            reason: "go".into(),
            issued: "2026-01-01T00:00:00Z".into(),
            expires: "2999-01-01T00:00:00Z".into(),
            uses: 1,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[6; 32])
    }

    fn decide(table: &mut Approvals, grant: &Grant) -> Vec<String> {
        table
            .decide(
                &[sign_statement(&key(), grant).unwrap()],
                &[keys::public_base64(&key())],
                "m-1",
            )
            .unwrap()
    }

    #[test]
    fn a_grant_is_used_once_also_across_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = table(dir.path());
        let Reply::Pending { request_id } = ask(&mut one, "rm -rf build") else {
            panic!()
        };
        assert_eq!(
            ask(&mut one, "rm -rf build"),
            Reply::Pending {
                request_id: request_id.clone()
            }
        );
        assert!(
            one.entries[0].open.request.binding.exact.len() == 64,
            "the text itself is not kept"
        );
        let grant = grant(&one, true);
        assert!(decide(&mut one, &grant).is_empty());
        // A crash here: the table is read anew.
        let mut two = table(dir.path());
        assert!(
            matches!(ask(&mut two, "rm -rf build"), Reply::Granted { request_id: id, .. } if id == request_id)
        );
        // A crash before the answer arrived: it stays used up, and replaying the grant changes nothing.
        let mut three = table(dir.path());
        decide(&mut three, &grant);
        assert!(
            matches!(ask(&mut three, "rm -rf build"), Reply::Pending { request_id: id } if id != request_id)
        );
    }

    #[test]
    fn one_person_cannot_make_the_table_unreadable() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        assert!(
            matches!(ask(&mut table, &"x".repeat(500_000)), Reply::Refused { reason, .. } if reason.contains("too long"))
        );
        // Lapsed requests are kept for a day; new ones push the oldest of the same person out.
        for turn in 0..100 {
            let text = format!("echo {turn} {}", "x".repeat(40_000));
            assert!(matches!(ask(&mut table, &text), Reply::Pending { .. }));
            for entry in &mut table.entries {
                entry.open.expires = "2001-01-01T00:00:00Z".into();
            }
        }
        let total: usize = table.entries.iter().map(Entry::size).sum();
        assert!(total <= MAX_OF_ONE, "{total}");
        // Nothing that can still be granted is pushed out.
        for entry in &mut table.entries {
            entry.open.expires = "2999-01-01T00:00:00Z".into();
            entry.state = State::Denied;
        }
        let before = table.entries.len();
        let text = format!("echo {}", "x".repeat(40_000));
        assert!(
            matches!(ask(&mut table, &text), Reply::Refused { reason, .. } if reason.contains("too many"))
        );
        assert_eq!(table.entries.len(), before);
    }

    #[test]
    fn a_damaged_table_permits_nothing_and_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = table(dir.path());
        ask(&mut one, "rm -rf build");
        let grant = grant(&one, true);
        std::fs::write(dir.path().join("approvals.json"), "[{").unwrap();
        let mut two = table(dir.path());
        assert!(decide(&mut two, &grant).is_empty());
        assert!(matches!(
            ask(&mut two, "rm -rf build"),
            Reply::Pending { .. }
        ));
        assert!(dir.path().join("approvals.damaged").exists());
    }

    #[test]
    fn an_id_that_another_machine_has_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        let Reply::Pending { request_id } = ask(&mut table, "make release") else {
            panic!()
        };
        table.taken(&request_id).unwrap();
        let again = ask(&mut table, "make release");
        assert!(matches!(&again, Reply::Pending { request_id: id } if *id != request_id));
        // Once the server knows it, nobody takes it away.
        let Reply::Pending { request_id } = again else {
            panic!()
        };
        table.sent(&request_id).unwrap();
        table.taken(&request_id).unwrap();
        assert_eq!(table.entries[0].id(), request_id);
    }

    #[test]
    fn what_differs_is_not_granted() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        ask(&mut table, "rm -rf build");
        let good = grant(&table, true);
        let wrong = [
            Grant {
                machine_id: "m-2".into(),
                ..good.clone()
            },
            Grant {
                user: "bob".into(),
                ..good.clone()
            },
            Grant {
                binding_hash: "00".into(),
                ..good.clone()
            },
            Grant {
                expires: "2001-01-01T00:00:00Z".into(),
                ..good.clone()
            },
            Grant {
                uses: 100,
                ..good.clone()
            },
        ];
        for grant in &wrong {
            assert_eq!(decide(&mut table, grant).len(), 1, "{grant:?}");
        }
        let stranger = sign_statement(&SigningKey::from_bytes(&[9; 32]), &good).unwrap();
        assert_eq!(
            table
                .decide(&[stranger], &[keys::public_base64(&key())], "m-1")
                .unwrap()
                .len(),
            1
        );
        assert!(matches!(
            ask(&mut table, "rm -rf build"),
            Reply::Pending { .. }
        ));
        assert!(decide(&mut table, &good).is_empty());
        assert!(
            matches!(ask(&mut table, "rm -rf  build"), Reply::Pending { .. }),
            "another text, another request"
        );
    }

    #[test]
    fn no_is_an_answer_and_unknown_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        ask(&mut table, "terraform destroy");
        let no = grant(&table, false);
        decide(&mut table, &no);
        assert!(
            matches!(ask(&mut table, "terraform destroy"), Reply::Refused { reason, .. } if reason.contains("maya said no: go"))
        );
        let asker = Asker {
            uid: 1000,
            login: "ann".into(),
        };
        let (bound, hash) = table
            .bind(
                Binding {
                    unknown: true,
                    ..Binding::default()
                },
                &asker,
                Default::default(),
            )
            .unwrap();
        assert!(matches!(
            table.ask(bound, hash, None, "s".into()).unwrap(),
            Reply::Refused {
                request_id: None,
                ..
            }
        ));
        for turn in 0..MAX_PENDING {
            assert!(matches!(
                ask(&mut table, &format!("command {turn}")),
                Reply::Pending { .. }
            ));
        }
        assert!(matches!(ask(&mut table, "one more"), Reply::Refused { .. }));
    }
}
