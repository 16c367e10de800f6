//! Approval requests and their grants.
//!
//! The table is replaced as a whole before anything is answered, so that a grant is used at most
//! as often as it says: after a crash between the write and the answer that use is gone.
//!
//! The table carries a number that grows with each change. It is also written beside the socket (a
//! folder that is empty after a start of the machine) and into the sealed spool with each event. A
//! table with a lower number was put back from a copy: all that it holds is dropped.

mod entry;
mod limits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmdai_api::machine::{ApprovalOpen, BoundRequest, Grant, Signed};
use cmdai_bundle::verify_statement;
use cmdai_schema::governor::{Binding, ExceptionRequest, Reply};
use cmdai_schema::{Hash, canonical_bytes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::entry::{Entry, State};
use self::limits::mismatch;
pub(crate) use self::limits::{Asker, Limits};
use super::consent::{self, Shown, Trust};
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
/// Emergencies of one person within an hour.
const MAX_EMERGENCIES: usize = 10;
/// Most security keys whose counts are remembered.
const MAX_COUNTERS: usize = 1_000;
const COMMAND: &str = "command";
const EXCEPTION: &str = "exception";
const EMERGENCY: &str = "break_glass";
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// As it lies on the disk; the list alone is how older sensors wrote it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Table {
        serial: u64,
        entries: Vec<Entry>,
        /// Highest count of each security key that was seen here.
        #[serde(default)]
        counters: BTreeMap<String, u32>,
    },
    List(Vec<Entry>),
}

/// The table.
pub(crate) struct Approvals {
    path: PathBuf,
    /// Where the number lies a second time.
    mark: PathBuf,
    serial: u64,
    salt: Vec<u8>,
    entries: Vec<Entry>,
    counters: BTreeMap<String, u32>,
    lifetime: Duration,
    /// Why nothing is granted at the moment.
    frozen: Option<String>,
}

impl Approvals {
    /// Opens the table. `floor` is a number that it has reached for certain. Says in words where the
    /// table was put back.
    pub(crate) fn open(
        path: PathBuf,
        mark: PathBuf,
        salt: &Path,
        lifetime: Duration,
        floor: u64,
    ) -> Result<(Self, Option<String>)> {
        let stored = match files::read_json(&path) {
            Ok(stored) => stored.unwrap_or(Stored::List(Vec::new())),
            // Without its request no grant fits: an empty table permits nothing. The sensor must not
            // stay dead for it.
            Err(error) => {
                let aside = path.with_extension("damaged");
                tracing::error!(
                    "the table of approvals cannot be read ({error}) and begins anew; the old one is {}",
                    aside.display()
                );
                std::fs::rename(&path, aside).context("the table of approvals cannot be read")?;
                Stored::List(Vec::new())
            }
        };
        let (serial, entries, counters) = match stored {
            Stored::Table {
                serial,
                entries,
                counters,
            } => (serial, entries, counters),
            Stored::List(entries) => (0, entries, BTreeMap::new()),
        };
        let marked = files::read_bounded(&mark, 32)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse().ok())
            .unwrap_or(0);
        let reached = floor.max(marked);
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
        let mut table = Self {
            path,
            mark,
            serial,
            salt,
            entries,
            counters,
            lifetime,
            frozen: None,
        };
        if serial >= reached {
            return Ok((table, None));
        }
        let what = format!(
            "the table of approvals was put back from a copy (number {serial}, it had reached {reached}); its {} requests and grants are dropped",
            table.entries.len()
        );
        tracing::error!("{what}");
        table.serial = reached;
        table.change(Vec::clear)?;
        Ok((table, Some(what)))
    }

    /// Number of the last change.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Grants nothing any more: the server knows more of this machine than it does itself.
    pub(crate) fn freeze(&mut self, why: String) -> Result<()> {
        if self.frozen.is_none() {
            self.frozen = Some(why);
            self.change(|entries| entries.retain(|entry| entry.is_emergency()))?;
        }
        Ok(())
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
        let stored = Stored::Table {
            serial: self.serial,
            entries: self.entries.clone(),
            counters: self.counters.clone(),
        };
        let written = files::replace_json(&self.path, &stored)
            .and_then(|()| files::replace(&self.mark, self.serial.to_string().as_bytes(), 0o600));
        written.context("the table of approvals cannot be written; grants need it")
    }

    /// Changes the table on disk, or not at all.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<()> {
        let before = self.entries.clone();
        change(&mut self.entries);
        // Grows also where writing fails half-way: the table on the disk may have the number.
        self.serial = self.serial.saturating_add(1);
        self.save().inspect_err(|_| self.entries = before)
    }

    /// What a grant must be bound to.
    pub(crate) fn bind(
        &self,
        mut binding: Binding,
        asker: &Asker,
        hashes: std::collections::BTreeMap<String, String>,
        exception: Option<ExceptionRequest>,
    ) -> Result<(BoundRequest, String)> {
        binding.exact = Hash::of(&[&self.salt, binding.exact.as_bytes()]).to_hex();
        let bound = BoundRequest {
            binding,
            user: asker.login.clone(),
            uid: asker.uid,
            files: hashes,
            exception,
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
        waits: Option<Duration>,
    ) -> Result<Reply> {
        let now = clock::now();
        let refused =
            |request_id: Option<String>, reason: String| Ok(Reply::Refused { request_id, reason });
        if let Some(why) = &self.frozen {
            return refused(None, why.clone());
        }
        if bound.binding.unknown {
            return refused(None, "something in this command that could run is unknown, so it cannot be approved in advance; write it out".to_owned());
        }
        let fits = |entry: &Entry| {
            entry.open.binding_hash == binding_hash
                && !entry.is_emergency()
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
                            entry.used = entry.used.saturating_add(1);
                            if entry.used >= grant.uses {
                                entry.state = State::Consumed;
                            }
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
        let lifetime = waits.map_or(self.lifetime, |waits| waits.min(self.lifetime));
        let kind = if bound.exception.is_some() {
            EXCEPTION
        } else {
            COMMAND
        };
        let open = ApprovalOpen {
            request_id: request_id.clone(),
            kind: kind.to_owned(),
            request: bound,
            binding_hash,
            reason: reason.map(shortened),
            session_id: session_id.chars().take(MAX_SESSION).collect(),
            expires: clock::text(after(now, lifetime)),
        };
        let entry = Entry {
            open,
            state: State::Pending,
            sent: false,
            used: 0,
            permit: None,
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

    /// An emergency: used up by being taken down.
    pub(crate) fn emergency(
        &mut self,
        bound: BoundRequest,
        binding_hash: String,
        reason: String,
        session_id: String,
    ) -> Result<Reply> {
        let now = clock::now();
        let refused = |reason: &str| {
            Ok(Reply::Refused {
                request_id: None,
                reason: reason.to_owned(),
            })
        };
        let hour_ago = clock::text(
            now.saturating_sub(jiff::SignedDuration::from_hours(1))
                .unwrap_or(Timestamp::MIN),
        );
        // Each lapses a fixed time after it was taken down.
        let begun = |entry: &Entry| {
            entry.open.expires.parse::<Timestamp>().is_ok_and(|end| {
                end.saturating_sub(jiff::SignedDuration::try_from(KEEP).unwrap_or_default())
                    .is_ok_and(|begin| clock::text(begin) > hour_ago)
            })
        };
        let lately = self.entries.iter().filter(|entry| {
            entry.is_emergency() && entry.open.request.uid == bound.uid && begun(entry)
        });
        if lately.count() >= MAX_EMERGENCIES {
            return refused("break-glass was used too often within an hour; ask for an approval");
        }
        let request_id = fresh_id(&self.entries)?;
        let permit = uuid::Uuid::now_v7().to_string();
        let entry = Entry {
            open: ApprovalOpen {
                request_id: request_id.clone(),
                kind: EMERGENCY.to_owned(),
                request: bound,
                binding_hash,
                reason: Some(shortened(reason)),
                session_id: session_id.chars().take(MAX_SESSION).collect(),
                expires: clock::text(after(now, KEEP)),
            },
            state: State::Consumed,
            sent: false,
            used: 1,
            permit: Some(permit.clone()),
            grant: None,
        };
        let size = entry.size();
        if size > MAX_REQUEST {
            return refused("this command is too long; put it into a script");
        }
        if !self.make_room(entry.open.request.uid, size, now)? {
            return refused("too many requests are kept already; wait until some have lapsed");
        }
        self.change(|entries| entries.push(entry))?;
        Ok(Reply::Permitted {
            request_id,
            grant_id: permit,
            review_within_s: None,
        })
    }

    /// Emergencies that the server does not know yet.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.is_emergency() && !entry.sent)
    }

    /// An approved exception is in force: its grant is used up.
    pub(crate) fn in_force(&mut self, request_id: &str) -> Result<()> {
        self.change(|entries| {
            for entry in entries.iter_mut().filter(|entry| entry.id() == request_id) {
                entry.used = 1;
                entry.state = State::Consumed;
            }
        })
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
            entry.id() == request_id
                && !entry.sent
                && (entry.state == State::Pending || entry.is_emergency())
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
        trust: &Trust<'_>,
        limits: &Limits,
    ) -> Result<Vec<String>> {
        let now = clock::now();
        let mut problems = Vec::new();
        for signed in grants {
            let grant: Grant = match verify_statement(signed, trust.grant_keys) {
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
            let believed = match mismatch(entry, &grant, trust.machine_id, now, limits) {
                Some(problem) => Err(problem),
                None if grant.granted => consent::verify(entry, &grant, trust, limits),
                None => Ok(Vec::new()),
            };
            let shown = match believed {
                Ok(shown) => shown,
                Err(problem) => {
                    problems.push(format!(
                        "the grant for request {} is not believed: {problem}",
                        grant.request_id
                    ));
                    continue;
                }
            };
            problems.extend(self.count(&shown));
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

    /// Remembers how often security keys have signed. Says in words where one has signed less often
    /// than before: grants of two requests may arrive in another order than they were given, so it
    /// is told and stops nothing.
    fn count(&mut self, shown: &[Shown]) -> Vec<String> {
        let mut told = Vec::new();
        for shown in shown.iter().filter(|shown| shown.counter > 0) {
            let seen = self.counters.get(&shown.credential_id).copied();
            if seen.is_some_and(|seen| seen >= shown.counter) {
                told.push(format!(
                    "security key {} counts {} signatures after {}: it may have been copied",
                    shown.credential_id.chars().take(16).collect::<String>(),
                    shown.counter,
                    seen.unwrap_or(0)
                ));
                continue;
            }
            if seen.is_none() && self.counters.len() >= MAX_COUNTERS {
                self.counters.pop_first();
            }
            self.counters
                .insert(shown.credential_id.clone(), shown.counter);
        }
        told
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

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(jiff::SignedDuration::try_from(wait).unwrap_or_default())
        .unwrap_or(Timestamp::MAX)
}

fn shortened(text: String) -> String {
    text.chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests;
