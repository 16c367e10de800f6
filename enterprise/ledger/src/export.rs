//! The offline verifier of exports (`cmdai.export/1`).

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use cmdai_api::console::{Checkpoint, ExportHeader, ExportLine, ExportedEvent};
use cmdai_schema::{
    Absent, CanonicalError, ChainError, ChainWalk, Dropped, Event, EventType, Hash,
};

use crate::frontier::{Frontier, FrontierError};
use crate::note::{NoteError, open_checkpoint, origin_of};

/// Value of `format` in the header.
pub const EXPORT_FORMAT: &str = "cmdai.export/1";

/// Longest line that is read, in bytes. The header is the longest: one head for each machine.
pub const MAX_LINE: u64 = 32 * 1024 * 1024;

/// What was checked and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Organisation, as the signed origin confirms.
    pub organisation: String,
    /// Origin line of the signed checkpoint.
    pub origin: String,
    /// When the checkpoint was signed.
    pub time: String,
    /// Leaves of the log up to the end of the export.
    pub tree_size: u64,
    /// Root of the log, as signed and as computed.
    pub root: Hash,
    /// Leaf index of the first event.
    pub first_leaf: u64,
    /// Events checked.
    pub events: u64,
    /// Machines they come from, with the last sequence number of each.
    pub machines: BTreeMap<String, u64>,
    /// Gap events among them.
    pub gap_events: u64,
    /// Records missing according to them.
    pub missing_records: u64,
    /// The checkpoint was checked against a key from elsewhere; where false, the key is the one in
    /// the file, which only shows that the file fits itself.
    pub key_trusted: bool,
    /// Public key, base64.
    pub public_key: String,
}

impl std::fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} events of {} machines are whole and unaltered",
            self.events,
            self.machines.len()
        )?;
        writeln!(
            f,
            "log {}, {} events, root {}",
            self.origin, self.tree_size, self.root
        )?;
        writeln!(f, "signed {} by {}", self.time, self.public_key)?;
        if !self.key_trusted {
            writeln!(
                f,
                "the key is the one in the file: compare it with one from elsewhere"
            )?;
        }
        write!(
            f,
            "{} gaps are recorded, {} records are missing in them",
            self.gap_events, self.missing_records
        )
    }
}

/// Why an export cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("cannot read the export: {0}")]
    Io(#[from] std::io::Error),
    /// A line is no line of an export.
    #[error("line {line}: {problem}")]
    Line {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The header's edge does not belong to its first leaf.
    #[error("line 1: left_edge: {0}")]
    Edge(#[from] FrontierError),
    /// The header names another key.
    #[error("the export is signed with the key {found}, not with the trusted key {trusted}")]
    OtherKey {
        /// In the header.
        found: String,
        /// Given by the caller.
        trusted: String,
    },
    /// A machine's chain is broken.
    #[error("line {line}: {source}")]
    Chain {
        /// Line, from 1.
        line: u64,
        /// Machine, number and what is wrong.
        source: ChainError,
    },
    /// Events are absent, and no gap event in the export says that the machine dropped exactly those.
    #[error("{0}; where it was dropped, an export that goes on further holds the gap event")]
    Unexplained(ChainError),
    /// An event is not where it says.
    #[error(
        "line {line}: machine {machine_id}: event {seq} says it is leaf {found}, but leaf {expected} is next: events are missing or out of order"
    )]
    Leaf {
        /// Line, from 1.
        line: u64,
        /// Machine.
        machine_id: String,
        /// Sequence number.
        seq: u64,
        /// Index that should come.
        expected: u64,
        /// Index that came.
        found: u64,
    },
    /// The number of events is not the one announced.
    #[error("the header announces {announced} events, {found} are there")]
    Count {
        /// In the header.
        announced: u64,
        /// In the file.
        found: u64,
    },
    /// The checkpoint cannot be trusted.
    #[error("line {line}: {source}")]
    Note {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        source: NoteError,
    },
    /// The checkpoint is of another tree.
    #[error("the signed checkpoint is of {signed}, the export is of {found}")]
    Label {
        /// In the signed note.
        signed: String,
        /// In the export.
        found: String,
    },
    /// The computed root is not the signed one.
    #[error(
        "the events do not give the signed root: signed {signed}, computed {computed}; an event was changed, added or left out"
    )]
    Root {
        /// Signed.
        signed: Hash,
        /// From left edge and events.
        computed: Hash,
    },
    /// The file ends early.
    #[error("the export ends after line {0} without a checkpoint: the file is cut off")]
    Truncated(u64),
    /// Something cannot be hashed.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Lines of the file, counted, of bounded length.
struct Lines<R> {
    reader: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn problem(&self, problem: impl Into<String>) -> VerifyError {
        VerifyError::Line {
            line: self.number,
            problem: problem.into(),
        }
    }

    fn next(&mut self) -> Result<Option<ExportLine>, VerifyError> {
        self.buffer.clear();
        let read = self
            .reader
            .by_ref()
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read as u64 > MAX_LINE {
            return Err(self.problem(format!("longer than {MAX_LINE} bytes")));
        }
        let line: ExportLine = serde_json::from_slice(&self.buffer)
            .map_err(|error| self.problem(format!("not a line of an export: {error}")))?;
        let fields = [
            line.export.is_some(),
            line.event.is_some(),
            line.checkpoint.is_some(),
        ];
        if fields.iter().filter(|there| **there).count() != 1 {
            return Err(self.problem("needs exactly one of export, event, checkpoint"));
        }
        Ok(Some(line))
    }
}

/// Reads a hash written the one way it is written.
fn hash_of(text: &str) -> Option<Hash> {
    Hash::from_hex(text).filter(|hash| hash.to_hex() == text)
}

/// Checks an export without the server: payloads against commitments, each machine's chain from
/// its head, the tree against the signed root. Reads line by line; memory grows with the number
/// of machines only.
///
/// With `trusted_key` (base64, or `origin+id+key`) the checkpoint must be signed by it; without,
/// the file's own key is taken and the report says so. `from` and `to` of the header are labels
/// that nothing in the log proves, and heads of machines without an event in the export are not
/// looked at; neither is part of the report.
///
/// # Errors
/// At the first thing that does not fit, with machine, sequence number and line where it has them.
pub fn verify_export(
    reader: impl BufRead,
    trusted_key: Option<&str>,
) -> Result<VerifyReport, VerifyError> {
    let mut lines = Lines {
        reader,
        number: 0,
        buffer: Vec::new(),
    };
    let header = match lines.next()? {
        Some(ExportLine {
            export: Some(header),
            ..
        }) => header,
        Some(_) => return Err(lines.problem("the first line must be the export's header")),
        None => return Err(VerifyError::Truncated(0)),
    };
    let mut walk = Walk::start(&header, &lines)?;
    let (checkpoint, line) = loop {
        match lines.next()? {
            Some(ExportLine {
                event: Some(event), ..
            }) => walk.event(event, &lines)?,
            Some(ExportLine {
                checkpoint: Some(checkpoint),
                ..
            }) => break (checkpoint, lines.number),
            Some(_) => return Err(lines.problem("a second header")),
            None => return Err(VerifyError::Truncated(lines.number)),
        }
    };
    if lines.next()?.is_some() {
        return Err(lines.problem("nothing may follow the checkpoint"));
    }
    walk.finish(header, &checkpoint, line, trusted_key)
}

struct Walk {
    frontier: Frontier,
    heads: BTreeMap<String, ChainWalk>,
    machines: BTreeMap<String, u64>,
    events: u64,
    gap_events: u64,
    missing: u64,
}

impl Walk {
    fn start<R: BufRead>(header: &ExportHeader, lines: &Lines<R>) -> Result<Self, VerifyError> {
        if header.format != EXPORT_FORMAT {
            return Err(lines.problem(format!(
                "format is {:?}, this verifier reads {EXPORT_FORMAT}",
                header.format
            )));
        }
        let mut peaks = Vec::with_capacity(header.left_edge.len().min(64));
        for text in &header.left_edge {
            peaks
                .push(hash_of(text).ok_or_else(|| {
                    lines.problem("left_edge: expected 64 lower-case hex digits")
                })?);
        }
        let mut heads = BTreeMap::new();
        for (machine, head) in &header.heads {
            let hash = hash_of(&head.hash).ok_or_else(|| {
                lines.problem(format!(
                    "head of machine {machine}: expected 64 lower-case hex digits"
                ))
            })?;
            heads.insert(
                machine.clone(),
                ChainWalk::new((head.seq, hash), Vec::new()),
            );
        }
        Ok(Self {
            frontier: Frontier::from_parts(header.first_leaf, peaks)?,
            heads,
            machines: BTreeMap::new(),
            events: 0,
            gap_events: 0,
            missing: 0,
        })
    }

    fn event<R: BufRead>(
        &mut self,
        exported: ExportedEvent,
        lines: &Lines<R>,
    ) -> Result<(), VerifyError> {
        let line = lines.number;
        let event: Event = serde_json::from_value(exported.event.clone())
            .map_err(|error| lines.problem(format!("not an event: {error}")))?;
        // What is not part of the event is not covered by any hash: it may not be there.
        let known = serde_json::to_value(&event).map_err(CanonicalError::from)?;
        let (machine_id, seq) = (event.envelope.machine_id.clone(), event.envelope.seq);
        if known != exported.event {
            return Err(lines.problem(format!(
                "machine {machine_id}: event {seq} holds fields or forms that are not part of an event"
            )));
        }
        if exported.leaf != self.frontier.size() {
            return Err(VerifyError::Leaf {
                line,
                machine_id,
                seq,
                expected: self.frontier.size(),
                found: exported.leaf,
            });
        }
        let walk = self.heads.entry(machine_id.clone()).or_default();
        // A jump stands until the end: a later gap event must account for it.
        let next = walk.head().0.saturating_add(1);
        let absent = (seq > next).then(|| Absent {
            from: next,
            to: seq - 1,
            told: None,
        });
        let step = walk
            .follow(&event, absent)
            .map_err(|source| VerifyError::Chain { line, source })?;
        self.frontier.push(walk.head().1);
        self.machines.insert(machine_id, seq);
        self.events += 1;
        self.missing = self.missing.saturating_add(step.absent);
        if event.envelope.event_type == EventType::Gap {
            self.gap_events += 1;
            // Of what was dropped, what is absent here was counted at its place.
            if Dropped::of(&event).is_none() {
                self.missing = self.missing.saturating_add(missing_in(&event));
            }
        }
        Ok(())
    }

    fn finish(
        self,
        header: ExportHeader,
        checkpoint: &Checkpoint,
        line: u64,
        trusted_key: Option<&str>,
    ) -> Result<VerifyReport, VerifyError> {
        for (machine_id, walk) in &self.heads {
            walk.finish(machine_id).map_err(VerifyError::Unexplained)?;
        }
        if header.count != self.events {
            return Err(VerifyError::Count {
                announced: header.count,
                found: self.events,
            });
        }
        let note = |source| VerifyError::Note { line, source };
        let state =
            open_checkpoint(checkpoint, trusted_key.unwrap_or(&header.public_key)).map_err(note)?;
        // The header's key must be the one that signed, too, so that nobody copies a wrong one.
        open_checkpoint(checkpoint, &header.public_key).map_err(|error| match trusted_key {
            Some(trusted) => VerifyError::OtherKey {
                found: header.public_key.clone(),
                trusted: trusted.to_owned(),
            },
            None => note(error),
        })?;
        if state.origin != origin_of(&header.organisation) {
            return Err(VerifyError::Label {
                signed: state.origin,
                found: origin_of(&header.organisation),
            });
        }
        if state.size != self.frontier.size() {
            return Err(VerifyError::Label {
                signed: format!("a log of {} events", state.size),
                found: format!("a log of {} events", self.frontier.size()),
            });
        }
        let computed = self.frontier.root();
        if state.root != computed {
            return Err(VerifyError::Root {
                signed: state.root,
                computed,
            });
        }
        Ok(VerifyReport {
            organisation: header.organisation,
            origin: state.origin,
            time: state.time,
            tree_size: state.size,
            root: computed,
            first_leaf: header.first_leaf,
            events: self.events,
            machines: self.machines,
            gap_events: self.gap_events,
            missing_records: self.missing,
            key_trusted: trusted_key.is_some(),
            public_key: header.public_key,
        })
    }
}

/// Records missing according to a gap event: `from` to `to`, both included; one where it does not say.
fn missing_in(event: &Event) -> u64 {
    let number = |key: &str| {
        event
            .payload
            .detail
            .get(key)
            .and_then(|text| text.parse::<u64>().ok())
    };
    match (number("from"), number("to")) {
        (Some(from), Some(to)) if to >= from => (to - from).saturating_add(1),
        _ => 1,
    }
}
