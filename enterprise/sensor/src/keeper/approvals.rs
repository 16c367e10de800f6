//! Approval requests and their grants.
//!
//! The table is replaced as a whole before anything is answered, so that a grant is used at most
//! as often as it says: after a crash between the write and the answer that use is gone.
//!
//! The table carries a number that grows with each change. It is also written beside the socket (a
//! folder that is empty after a start of the machine) and into the sealed spool with each event. A
//! table with a lower number was put back from a copy: all that it holds is dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmdai_api::machine::{ApprovalOpen, BoundRequest, Grant, Signed};
use cmdai_bundle::verify_statement;
use cmdai_policy::Factor;
use cmdai_schema::governor::{Binding, ExceptionRequest, MAX_EXCEPTION_S, Reply};
use cmdai_schema::{ApprovalInfo, Hash, canonical_bytes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
/// Longest exception where the policy says nothing, in days.
const LONGEST_DAYS: u32 = 90;
/// Group of managers where the policy names none.
const MANAGERS: &str = "managers";
/// Most security keys whose counts are remembered.
const MAX_COUNTERS: usize = 1_000;
const COMMAND: &str = "command";
const EXCEPTION: &str = "exception";
const EMERGENCY: &str = "break_glass";
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
    /// How often the grant was used.
    #[serde(default)]
    pub(crate) used: u32,
    /// Of an emergency: the permission that was used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<Grant>,
}

impl Entry {
    pub(crate) fn id(&self) -> &str {
        &self.open.request_id
    }

    pub(crate) fn is_emergency(&self) -> bool {
        self.open.kind == EMERGENCY
    }

    pub(crate) fn is_exception(&self) -> bool {
        self.open.request.exception.is_some()
    }

    /// Bytes in the table.
    fn size(&self) -> usize {
        serde_json::to_vec_pretty(self).map_or(usize::MAX / 4, |json| json.len())
    }

    /// For events.
    pub(crate) fn info(&self) -> ApprovalInfo {
        let status = match self.state {
            State::Consumed if self.is_emergency() => "break_glass",
            State::Pending => "pending",
            State::Granted => "granted",
            State::Denied => "denied",
            State::Consumed => "consumed",
        };
        ApprovalInfo {
            request_id: self.open.request_id.clone(),
            grant_id: (self.grant.as_ref())
                .map(|grant| grant.grant_id.clone())
                .or_else(|| self.permit.clone()),
            status: status.to_owned(),
            approver: self.grant.as_ref().map(|grant| grant.approver.clone()),
            reason: self
                .grant
                .as_ref()
                .map(|grant| grant.reason.clone())
                .or_else(|| self.open.reason.clone()),
        }
    }

    pub(crate) fn lapsed(&self, now: Timestamp) -> bool {
        // What happened is kept until it is told.
        if self.is_emergency() && !self.sent {
            return false;
        }
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

/// What the installed policy says of approvals; a grant that it does not bear out is not believed.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Weakest factor where a rule says nothing else.
    pub(crate) factor: Factor,
    /// Weakest factor of single rules.
    pub(crate) factors: BTreeMap<String, Factor>,
    /// Groups of those who may answer; empty: accounts whose role may.
    pub(crate) approvers: Vec<String>,
    /// Groups of managers.
    pub(crate) managers: Vec<String>,
    /// Most uses.
    pub(crate) uses: u32,
    /// Least number of people.
    pub(crate) people: u32,
    /// Longest exception, in seconds.
    pub(crate) exception_s: u64,
    /// Longest time that a request waits.
    pub(crate) waits: Option<Duration>,
}

impl Limits {
    pub(crate) fn of(document: &cmdai_policy::Document) -> Self {
        let approvals = &document.approvals;
        let days = u64::from(approvals.exception_days.unwrap_or(LONGEST_DAYS));
        Self {
            factor: document.needed_factor(),
            factors: (document.rules.iter())
                .filter(|rule| rule.approval.is_some())
                .map(|rule| {
                    let ids = std::slice::from_ref(&rule.id);
                    (rule.id.clone(), document.factor_for(ids))
                })
                .collect(),
            approvers: approvals.approvers.clone(),
            managers: if approvals.managers.is_empty() {
                vec![MANAGERS.to_owned()]
            } else {
                approvals.managers.clone()
            },
            uses: approvals.max_uses.unwrap_or(1).max(1),
            people: approvals.quorum.unwrap_or(1).max(1),
            exception_s: days.saturating_mul(86_400).min(MAX_EXCEPTION_S),
            waits: approvals
                .timeout_minutes
                .map(|minutes| Duration::from_secs(u64::from(minutes).saturating_mul(60))),
        }
    }
}

impl Limits {
    /// The weakest factor for a request of these rules: the strictest word of any of them.
    pub(crate) fn factor_for(&self, rules: &[String]) -> Factor {
        let of = |rule: &String| self.factors.get(rule).copied().unwrap_or(self.factor);
        rules.iter().map(of).max().unwrap_or(self.factor)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&cmdai_policy::Document::default())
    }
}

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

fn mismatch(
    entry: &Entry,
    grant: &Grant,
    machine_id: &str,
    now: Timestamp,
    limits: &Limits,
) -> Option<String> {
    let said = |text: &str| Some(text.to_owned());
    if grant.version != 1 || grant.uses == 0 {
        return said("it is of an unknown kind; update the sensor");
    }
    if grant.machine_id != machine_id {
        return said("it is for another machine");
    }
    if grant.user != entry.open.request.user {
        return said("it is for another person");
    }
    if grant.binding_hash != entry.open.binding_hash {
        return said("it is for another command");
    }
    if !grant
        .expires
        .parse::<Timestamp>()
        .is_ok_and(|expires| expires > now)
    {
        return said("its time is over, or this machine's clock is wrong");
    }
    if !grant.granted {
        return None;
    }
    let most = if entry.is_exception() { 1 } else { limits.uses };
    if grant.uses > most {
        return Some(format!(
            "it may be used {} times, the policy permits {most}",
            grant.uses
        ));
    }
    let factors =
        std::iter::once(&grant.factor).chain(grant.approvers.iter().map(|assent| &assent.factor));
    let needed = limits.factor_for(consent::rules_of(entry));
    for factor in factors {
        if Factor::of(factor).is_none_or(|factor| factor < needed) {
            return Some(format!(
                "it was approved by {factor}, the policy takes {} at least",
                needed.as_str()
            ));
        }
    }
    let mut people: Vec<String> = grant
        .approvers
        .iter()
        .map(|assent| assent.person.to_lowercase())
        .filter(|person| !person.is_empty())
        .collect();
    people.sort();
    people.dedup();
    if people.contains(&entry.open.request.user.to_lowercase()) {
        return said("whoever asked is among those who approved");
    }
    // One approver may be named by `approver` alone, as older servers do.
    let given = people.len().max(usize::from(!grant.approver.is_empty()));
    if u32::try_from(given).unwrap_or(u32::MAX) < limits.people {
        return Some(format!(
            "{given} approved, the policy takes {} different people",
            limits.people
        ));
    }
    too_long(entry, grant, limits)
}

/// Of an exception: not longer than was asked for and the policy permits.
fn too_long(entry: &Entry, grant: &Grant, limits: &Limits) -> Option<String> {
    let asked = entry.open.request.exception.as_ref()?;
    let longest = asked.duration_s.min(limits.exception_s);
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let ends = grant.until.as_deref().and_then(moment);
    let (Some(begins), Some(ends)) = (moment(&grant.issued), ends) else {
        return Some("it says not when it ends".to_owned());
    };
    let lasts = u64::try_from(ends.saturating_sub(begins)).unwrap_or(0);
    (lasts > longest.saturating_add(1))
        .then(|| format!("it lasts {lasts} seconds, {longest} were asked for and are permitted"))
}

#[cfg(test)]
mod tests {
    use cmdai_api::machine::Approvers;
    use cmdai_bundle::{SigningKey, keys, sign_statement};

    use super::*;

    fn table(dir: &Path) -> Approvals {
        opened(dir, 0).0
    }

    fn opened(dir: &Path, floor: u64) -> (Approvals, Option<String>) {
        Approvals::open(
            dir.join("approvals.json"),
            dir.join("approvals.serial"),
            &dir.join("salt"),
            Duration::from_secs(600),
            floor,
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
        let (bound, hash) = table
            .bind(binding, &asker, Default::default(), None)
            .unwrap();
        table.ask(bound, hash, None, "s".into(), None).unwrap()
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
            approvers: Vec::new(),
            until: None,
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[6; 32])
    }

    fn decide(table: &mut Approvals, grant: &Grant) -> Vec<String> {
        decide_under(table, grant, &Limits::default())
    }

    fn decide_under(table: &mut Approvals, grant: &Grant, limits: &Limits) -> Vec<String> {
        let keys = [keys::public_base64(&key())];
        let trust = Trust {
            grant_keys: &keys,
            approvers: &Approvers::default(),
            organisation: "acme",
            machine_id: "m-1",
        };
        let grants = [sign_statement(&key(), grant).unwrap()];
        table.decide(&grants, &trust, limits).unwrap()
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
        let keys = [keys::public_base64(&key())];
        let trust = Trust {
            grant_keys: &keys,
            approvers: &Approvers::default(),
            organisation: "acme",
            machine_id: "m-1",
        };
        let problems = table
            .decide(&[stranger], &trust, &Limits::default())
            .unwrap();
        assert_eq!(problems.len(), 1);
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
                None,
            )
            .unwrap();
        assert!(matches!(
            table.ask(bound, hash, None, "s".into(), None).unwrap(),
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

    #[test]
    fn a_grant_of_several_uses_is_used_so_often_and_not_more_than_the_policy_says() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = table(dir.path());
        ask(&mut one, "make deploy");
        let thrice = Grant {
            uses: 3,
            ..grant(&one, true)
        };
        let problem = decide(&mut one, &thrice);
        assert!(problem[0].contains("permits 1"), "{problem:?}");
        let limits = Limits {
            uses: 3,
            ..Limits::default()
        };
        assert!(decide_under(&mut one, &thrice, &limits).is_empty());
        for turn in 0..3 {
            let mut again = table(dir.path());
            let reply = ask(&mut again, "make deploy");
            assert!(matches!(reply, Reply::Granted { .. }), "use {turn}");
        }
        let mut last = table(dir.path());
        assert!(matches!(
            ask(&mut last, "make deploy"),
            Reply::Pending { .. }
        ));
    }

    #[test]
    fn factor_people_and_askers_are_checked_here_too() {
        let assent = |person: &str, factor: &str| cmdai_api::machine::Assent {
            login: person.into(),
            person: person.into(),
            factor: factor.into(),
            time: "2026-01-01T00:00:00Z".into(),
            proof: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        ask(&mut table, "make deploy");
        let limits = Limits {
            factor: Factor::Totp,
            people: 2,
            ..Limits::default()
        };
        let with = |factor: &str, approvers: &[(&str, &str)]| Grant {
            factor: factor.into(),
            approvers: approvers
                .iter()
                .map(|(person, factor)| assent(person, factor))
                .collect(),
            ..grant(&table, true)
        };
        let wrong = [
            with("password", &[("maya", "password"), ("sami", "totp")]),
            with("totp", &[("maya", "password"), ("sami", "totp")]),
            with("totp", &[("maya", "totp")]),
            with("totp", &[("maya", "totp"), ("Maya", "totp")]),
            with("totp", &[("maya", "totp"), ("Ann", "totp")]),
            with("hope", &[("maya", "totp"), ("sami", "totp")]),
        ];
        let good = with("totp", &[("maya", "totp"), ("sami", "totp")]);
        for grant in &wrong {
            let problems = decide_under(&mut table, grant, &limits);
            assert_eq!(problems.len(), 1, "{grant:?}");
        }
        assert!(decide_under(&mut table, &good, &limits).is_empty());
    }

    #[test]
    fn a_table_that_was_put_back_permits_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("approvals.json");
        let mut one = table(dir.path());
        ask(&mut one, "make deploy");
        let pending = std::fs::read(&file).unwrap();
        let grant = grant(&one, true);
        decide(&mut one, &grant);
        let granted = std::fs::read(&file).unwrap();
        assert!(matches!(
            ask(&mut one, "make deploy"),
            Reply::Granted { .. }
        ));
        let floor = one.serial();
        for copy in [&pending, &granted] {
            // Within one start of the machine, by the number beside the socket.
            std::fs::write(&file, copy).unwrap();
            let (mut two, told) = opened(dir.path(), 0);
            assert!(told.unwrap().contains("put back"));
            decide(&mut two, &grant);
            assert!(matches!(
                ask(&mut two, "make deploy"),
                Reply::Pending { .. }
            ));
            // After a start of the machine, by the number in the sealed spool.
            std::fs::write(&file, copy).unwrap();
            std::fs::remove_file(dir.path().join("approvals.serial")).unwrap();
            let (mut three, told) = opened(dir.path(), floor);
            assert!(told.is_some());
            decide(&mut three, &grant);
            assert!(matches!(
                ask(&mut three, "make deploy"),
                Reply::Pending { .. }
            ));
            assert!(three.serial() > floor);
        }
        std::fs::remove_file(&file).unwrap();
        assert!(opened(dir.path(), 0).1.is_some(), "taken away");
        assert!(opened(dir.path(), 0).1.is_none(), "told once");
    }

    #[test]
    fn an_older_table_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("approvals.json"), "[]").unwrap();
        let (table, told) = opened(dir.path(), 0);
        assert!(told.is_none() && table.entries.is_empty());
    }

    #[test]
    fn an_exception_lasts_no_longer_than_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        let asker = Asker {
            uid: 1000,
            login: "ann".into(),
        };
        let asked = ExceptionRequest {
            rules: vec!["acme.deploy".into()],
            duration_s: 3_600,
            reason: "migration".into(),
            ..ExceptionRequest::default()
        };
        let (bound, hash) = table
            .bind(Binding::default(), &asker, Default::default(), Some(asked))
            .unwrap();
        let reply = table.ask(bound, hash, None, "s".into(), None).unwrap();
        assert!(matches!(reply, Reply::Pending { .. }));
        assert_eq!(table.entries[0].open.kind, EXCEPTION);
        let until = |text: &str| Grant {
            issued: "2026-01-01T00:00:00Z".into(),
            until: Some(text.into()),
            ..grant(&table, true)
        };
        let (good, long, never) = (
            until("2026-01-01T01:00:00Z"),
            until("2026-01-01T02:00:00Z"),
            Grant {
                until: None,
                ..grant(&table, true)
            },
        );
        assert_eq!(decide(&mut table, &long).len(), 1);
        assert_eq!(decide(&mut table, &never).len(), 1);
        let none = Limits {
            exception_s: 0,
            ..Limits::default()
        };
        assert_eq!(decide_under(&mut table, &good, &none).len(), 1);
        assert!(decide(&mut table, &good).is_empty());
    }

    #[test]
    fn an_emergency_is_used_up_by_being_taken_down() {
        let dir = tempfile::tempdir().unwrap();
        let mut table = table(dir.path());
        let asker = Asker {
            uid: 1000,
            login: "ann".into(),
        };
        let bind = |table: &Approvals| {
            let binding = Binding {
                text: "make rescue".into(),
                exact: "make rescue".into(),
                ..Binding::default()
            };
            table
                .bind(binding, &asker, Default::default(), None)
                .unwrap()
        };
        for turn in 0..=MAX_EMERGENCIES {
            let (bound, hash) = bind(&table);
            let reply = table
                .emergency(bound, hash, "fire".into(), "s".into())
                .unwrap();
            assert_eq!(
                matches!(reply, Reply::Permitted { .. }),
                turn < MAX_EMERGENCIES,
                "{turn}"
            );
        }
        assert_eq!(table.untold().count(), MAX_EMERGENCIES);
        // It is no grant: the same command asks anew.
        assert!(matches!(
            ask(&mut table, "make rescue"),
            Reply::Pending { .. }
        ));
    }
}
