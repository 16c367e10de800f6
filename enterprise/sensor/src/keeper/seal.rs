//! Sealing: drafts become chained events, together with the note of how far sources were read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cmdai_policy::HashedField;
use cmdai_schema::{Event, EventType, Hash, MachineRef, Payload};
use cmdai_spool::{Limits, Spool, SpoolError, SpoolKey};
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::keyed::Keyed;
use super::shares::Shares;
use super::tail::Roll;
use crate::clock;

/// How far one session's file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileNote {
    pub(crate) inode: u64,
    /// Everything before this byte is sealed.
    pub(crate) offset: u64,
    /// Last counter.
    pub(crate) counter: u64,
    /// Ends behind the offset that are sealed with their starts already.
    pub(crate) joined: Vec<String>,
    /// A counter went back, which was reported.
    pub(crate) back: bool,
    /// The last that was heard of the session is that it ended.
    pub(crate) ended: bool,
    /// It said that it began.
    pub(crate) began: bool,
    /// The process that wrote last.
    pub(crate) pid: u32,
    /// Several processes wrote: scripts that start each other, the hooks of an AI agent.
    pub(crate) several: bool,
    /// Runs of scripts that are told of together.
    pub(crate) rolls: Vec<Roll>,
}

/// What is stored with the events, so that each thing becomes an event exactly once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    /// By `<uid>/<file name>`; behind it ` removed ` and the inode where that file was taken away.
    pub(crate) files: BTreeMap<String, FileNote>,
    /// Commands that were sealed from a report, ahead of their record.
    pub(crate) reported: Vec<String>,
    /// Policy version that was told of.
    pub(crate) policy: u64,
    /// Order number that was told of.
    pub(crate) order_serial: u64,
    /// Requests that were told of.
    pub(crate) requests: Vec<String>,
    /// Consumed grants that were told of; the second and further uses of one with their number.
    pub(crate) grants: Vec<String>,
    /// Number of the table of approvals when the note was written.
    pub(crate) approvals_serial: u64,
    /// Exceptions that were told of as in force.
    pub(crate) lifted: Vec<String>,
    /// Started and not stopped in good order.
    pub(crate) running: bool,
    /// What people have in the sealed spool.
    pub(crate) shares: Shares,
    /// Last number of the segment of which something was sealed again last, and how many events that were.
    pub(crate) moved: (u64, u64),
    /// Last counters of sessions whose files were taken away and that may come back, oldest first.
    pub(crate) past: Vec<(String, u64)>,
}

/// The machine's chain.
pub(crate) struct Sealer {
    pub(super) spool: Spool,
    pub(super) note: Note,
    machine_id: String,
    machine: MachineRef,
    keyed: Keyed,
    /// Bounds that the sensor was started with.
    usual: Limits,
    /// Where it is full, the oldest events go.
    pub(super) drops: bool,
}

impl Sealer {
    pub(crate) fn open(
        folder: &Path,
        key: &SpoolKey,
        machine_id: String,
        machine: MachineRef,
        limits: Limits,
    ) -> Result<Self, SpoolError> {
        let spool = Spool::open_with(folder, key, limits)?;
        let mut note: Note = spool
            .note()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        note.shares.acknowledged(spool.acked());
        Ok(Self {
            spool,
            note,
            machine_id,
            machine,
            keyed: Keyed::new(key.clone()),
            usual: limits,
            drops: false,
        })
    }

    /// Fields that are hashed in all that is sealed from now on.
    pub(crate) fn hash(&mut self, fields: &[HashedField]) {
        self.keyed.set(fields);
    }

    pub(crate) fn note(&self) -> &Note {
        &self.note
    }

    /// It runs, whatever could be written about that: the next note says so.
    pub(crate) fn runs(&mut self) {
        self.note.running = true;
    }

    pub(crate) fn spool(&self) -> &Spool {
        &self.spool
    }

    pub(crate) fn ack(&mut self, seq: u64) -> Result<(), SpoolError> {
        self.spool.ack(seq)?;
        self.note.shares.acknowledged(seq);
        Ok(())
    }

    /// How many bytes the sealed spool may have (nothing: as many as the sensor was started with), and whether
    /// the oldest events go where that is not enough. Then segments are short, so that little goes at once.
    pub(crate) fn set_bounds(&mut self, total: Option<u64>, drops: bool) {
        let total = total.unwrap_or(self.usual.total);
        let segment = if drops {
            self.usual.segment.min(total / 16)
        } else {
            self.usual.segment
        };
        self.spool.set_total(total);
        self.spool.set_segment(segment);
        self.drops = drops;
    }

    /// People who wait because they have more than their share. Where the oldest events go nobody waits: then theirs
    /// go first.
    pub(crate) fn above(&self) -> BTreeSet<u32> {
        if self.drops {
            return BTreeSet::new();
        }
        self.note.shares.above(self.spool.limit())
    }

    /// Gap events for what was dropped and is not told of yet.
    pub(crate) fn owed(&self) -> Vec<Draft> {
        self.spool
            .owed()
            .map(|dropped| {
                let mut draft = Draft::sensor(EventType::Gap, &[]);
                draft.payload.detail = dropped.detail();
                draft
            })
            .collect()
    }

    /// Seals drafts and note together and waits for the disk. A changed note without drafts is
    /// kept in memory: reading the same records again makes no event either.
    pub(crate) fn commit(&mut self, drafts: Vec<Draft>, mut note: Note) -> Result<(), SpoolError> {
        // These are the sealer's own: they may have moved on since somebody took the note.
        note.shares.clone_from(&self.note.shares);
        note.moved = self.note.moved;
        if drafts.is_empty() {
            self.note = note;
            return Ok(());
        }
        let mut head = self.spool.head();
        let mut events = Vec::with_capacity(drafts.len());
        let mut texts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            texts.extend(weighed(&draft.payload));
            let event = self.seal(head, draft)?;
            head = (event.envelope.seq, event.hash().map_err(content)?);
            events.push(event);
        }
        let text = serde_json::to_string(&note).map_err(content)?;
        let before = self.spool.bytes();
        self.spool.append_with_note(&events, Some(&text))?;
        self.note = note;
        let grown = self.spool.bytes().saturating_sub(before);
        self.note.shares.sealed(head.0, grown, &texts);
        self.spool.sync()
    }

    fn seal(&self, head: (u64, Hash), mut draft: Draft) -> Result<Event, SpoolError> {
        draft.payload.machine = self.machine.clone();
        self.keyed.apply(&mut draft.payload);
        let salt = salt()?;
        let claimed = draft.time_ms;
        let time = claimed.and_then(clock::believable).unwrap_or_else(|| {
            if let Some(claimed) = claimed {
                draft
                    .payload
                    .detail
                    .insert("claimed_time_ms".to_owned(), claimed.to_string());
            }
            clock::now()
        });
        let event = |kind: EventType, payload| {
            let id = uuid::Uuid::now_v7().to_string();
            Event::seal(
                id,
                head.0 + 1,
                head.1,
                clock::text(time),
                kind,
                self.machine_id.clone(),
                salt,
                payload,
            )
        };
        let user = draft.payload.user.clone();
        let session = draft.payload.context.session_id.clone();
        let counter = draft.payload.context.counter;
        // What cannot be sealed must neither vanish nor stand in the way of all that follows.
        event(draft.kind, draft.payload).or_else(|error| {
            let mut gap = Draft::gap(
                &user,
                &session,
                counter,
                counter,
                &format!("cannot be sealed: {error}"),
            );
            gap.payload.machine = self.machine.clone();
            event(EventType::Gap, gap.payload).map_err(content)
        })
    }
}

/// Whose event it is, and the length of its text, for the account of shares.
pub(super) fn weighed(payload: &Payload) -> Option<(u32, usize)> {
    let text = payload.command.as_ref().map(|command| command.text.len());
    Some((payload.user.uid?, text.unwrap_or(0)))
}

pub(super) fn salt() -> Result<[u8; 16], SpoolError> {
    let mut salt = [0u8; 16];
    getrandom::fill(&mut salt).map_err(|_| SpoolError::Random)?;
    Ok(salt)
}

pub(super) fn content(error: impl std::fmt::Display) -> SpoolError {
    SpoolError::Content(error.to_string())
}
