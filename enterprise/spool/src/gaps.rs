//! What was dropped: the list that outlives the segments.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cmdai_schema::{Absent, Dropped};
use serde::{Deserialize, Serialize};

use crate::SpoolError;

/// Most ranges that may wait for the server at a time; then nothing more is dropped.
pub(crate) const MAX_GAPS: usize = 1_000;

/// One range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gap {
    #[serde(flatten)]
    pub(crate) dropped: Dropped,
    /// Number of its gap event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<u64>,
    /// Number of an earlier gap event for it, which was dropped itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<u64>,
}

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gaps {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) removing: Option<Dropped>,
    #[serde(default)]
    pub(crate) gaps: Vec<Gap>,
    #[serde(default)]
    pub(crate) total: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Dropped>,
}

fn place(folder: &Path) -> PathBuf {
    folder.join("gaps.json")
}

impl Gaps {
    pub(crate) fn load(folder: &Path) -> Result<Self, SpoolError> {
        let path = place(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    version: 1,
                    ..Self::default()
                });
            }
            Err(source) => return Err(SpoolError::Read { path, source }),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(this) if this.version == 1 => Ok(this),
            _ => Err(SpoolError::Damaged { path, offset: 0 }),
        }
    }

    /// Replaces the file as a whole and waits for the disk.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), SpoolError> {
        let path = place(folder);
        let fresh = folder.join("gaps.json.new");
        let bytes =
            serde_json::to_vec(self).map_err(|error| SpoolError::Content(error.to_string()))?;
        let write = || -> io::Result<()> {
            let mut file = File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| {
            let _ = std::fs::remove_file(&fresh);
            SpoolError::Write { path, source }
        })
    }

    /// A range is gone. What had told of others within it is owed again, and what is owed and touches is one.
    pub(crate) fn removed(&mut self, dropped: Dropped) {
        self.removing = None;
        for gap in &mut self.gaps {
            if (gap.told).is_some_and(|told| (dropped.from..=dropped.to).contains(&told)) {
                gap.was = gap.told.take();
            }
        }
        self.total = self.total.saturating_add(dropped.count());
        self.last = Some(dropped.clone());
        self.gaps.push(Gap {
            dropped,
            told: None,
            was: None,
        });
        let mut joined: Vec<Gap> = Vec::with_capacity(self.gaps.len());
        for gap in self.gaps.drain(..) {
            match joined.last_mut() {
                Some(before) if touches(before, &gap) => {
                    let (was, is) = (&mut before.dropped, gap.dropped);
                    was.to = is.to;
                    was.after = is.after;
                    was.kept = was.kept.saturating_add(is.kept);
                    was.why = is.why;
                    was.first_time = std::mem::take(&mut was.first_time).min(is.first_time);
                    was.last_time = std::mem::take(&mut was.last_time).max(is.last_time);
                }
                _ => joined.push(gap),
            }
        }
        self.gaps = joined;
    }

    /// The server has everything up to `seq`. What it has although it was dropped needs no word.
    pub(crate) fn acknowledged(&mut self, folder: &Path, seq: u64) {
        let before = self.gaps.len();
        self.gaps.retain(|gap| match gap.told {
            Some(told) => told > seq,
            // Nothing behind what is owed was sent since: it is the earlier gap event that was read.
            None => gap.was.unwrap_or(gap.dropped.to) > seq,
        });
        // Where it cannot be written now, the same is found after the next start.
        if before != self.gaps.len() {
            let _ = self.save(folder);
        }
    }

    /// Numbers for gap events that are about to be written.
    pub(crate) fn unplan(&mut self, telling: &[u64]) {
        for gap in &mut self.gaps {
            if gap.told.is_some_and(|told| telling.contains(&told)) {
                gap.told = None;
            }
        }
    }

    /// First number of the ranges that lie, without a hole, in front of `oldest`; `oldest` where none does.
    pub(crate) fn begin(&self, oldest: u64) -> u64 {
        self.gaps.iter().rev().fold(oldest, |begin, gap| {
            if gap.dropped.to.saturating_add(1) == begin {
                gap.dropped.from
            } else {
                begin
            }
        })
    }

    /// What to say of the numbers from `from` up to, not including, `oldest`.
    pub(crate) fn absent(&self, from: u64, oldest: u64) -> Option<Absent> {
        if from >= oldest || self.begin(oldest) > from {
            return None;
        }
        let covering = |gap: &&Gap| gap.dropped.to >= from && gap.dropped.to < oldest;
        let told: Option<Vec<u64>> = (self.gaps.iter())
            .filter(covering)
            .map(|gap| gap.told)
            .collect();
        Some(Absent {
            from,
            to: oldest - 1,
            told: Some(told?.into_iter().max()?),
        })
    }
}

fn touches(before: &Gap, gap: &Gap) -> bool {
    before.told.is_none()
        && gap.told.is_none()
        // Where the reader has jumped over one of them already, its gap event must end where that jump ends.
        && before.was.is_none()
        && gap.was.is_none()
        && before.dropped.to.checked_add(1) == Some(gap.dropped.from)
        && before.dropped.after == gap.dropped.before
}
