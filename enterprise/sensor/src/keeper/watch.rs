//! Files that are watched: the snapshot is restored, the others are reported.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cmdai_schema::{EventType, Hash};

use super::draft::Draft;
use crate::files;

/// Longest watched file, in bytes.
const MAX_WATCHED: u64 = 16 << 20;

/// Changes whenever a file is replaced or rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark(u64, u64, i64, i64, u32);

fn mark(path: &Path) -> Option<Mark> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some(Mark(
        meta.ino(),
        meta.size(),
        meta.mtime_nsec() ^ meta.mtime(),
        meta.ctime_nsec() ^ meta.ctime(),
        meta.mode(),
    ))
}

/// The snapshot as we wrote it.
#[derive(Default)]
pub(crate) struct Guard {
    ours: Option<(Mark, Vec<u8>)>,
}

impl Guard {
    /// Publishes a snapshot: readers see the old one or this one.
    pub(crate) fn publish(&mut self, path: &Path, bytes: Vec<u8>) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Beside it, so that what it says about failing is known where it cannot be read itself.
        let closed = cmdai_policy::Snapshot::open(&bytes)
            .is_ok_and(|snapshot| snapshot.fail_mode() == cmdai_policy::FailMode::Closed);
        let word: &[u8] = if closed { b"closed\n" } else { b"open\n" };
        let beside = path.with_file_name("policy.fail-mode");
        if files::read_bounded(&beside, 64).ok().as_deref() != Some(word) {
            files::replace(&beside, word, 0o644)?;
        }
        files::replace(path, &bytes, 0o644)?;
        // The copy for the day on which the file is damaged. Where programs of an older engine may
        // still run, it stays the one that they can read.
        let copy = path.with_file_name("policy.last-good");
        let old = files::read_bounded(&copy, MAX_WATCHED).ok();
        let engine = |bytes: &[u8]| bytes.get(8..12).map(<[u8]>::to_vec);
        let same = old.as_deref().is_none_or(|old| {
            engine(old) == engine(&bytes) || cmdai_policy::Snapshot::open(old).is_err()
        });
        if same && old.as_deref() != Some(&bytes) {
            files::replace(&copy, &bytes, 0o644)?;
        }
        self.ours = mark(path).map(|mark| (mark, bytes));
        Ok(())
    }

    /// What was published.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.ours.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// Restores the snapshot where somebody touched it, and says so.
    pub(crate) fn look(&mut self, path: &Path) -> Option<Draft> {
        let (known, bytes) = self.ours.clone()?;
        if mark(path) == Some(known) {
            return None;
        }
        let found = match files::read_bounded(path, MAX_WATCHED) {
            Ok(found) if found == bytes && mark(path).is_some_and(|now| now.4 == known.4) => {
                "touched"
            }
            Ok(_) => "replaced",
            Err(_) => "removed",
        };
        let restored = self.publish(path, bytes);
        let repaired = restored.map_or_else(|error| format!("no: {error}"), |()| "yes".to_owned());
        Some(Draft::sensor(
            EventType::Tamper,
            &[
                ("path", path.display().to_string()),
                ("what", format!("the snapshot was {found}")),
                ("repaired", repaired),
            ],
        ))
    }
}

/// Hook files and the like, by digest.
pub(crate) struct Watch {
    paths: Vec<PathBuf>,
    store: PathBuf,
    marks: BTreeMap<PathBuf, Option<Mark>>,
    digests: BTreeMap<PathBuf, String>,
}

impl Watch {
    /// Remembers across restarts what the files were.
    pub(crate) fn open(paths: Vec<PathBuf>, store: PathBuf) -> std::io::Result<Self> {
        let digests = files::read_json(&store)?.unwrap_or_default();
        Ok(Self {
            paths,
            store,
            marks: BTreeMap::new(),
            digests,
        })
    }

    /// Changes since the last look. The new state is remembered once it has been reported.
    pub(crate) fn look(&mut self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for path in &self.paths {
            let now = mark(path);
            if self.marks.get(path) == Some(&now) {
                continue;
            }
            self.marks.insert(path.clone(), now);
            let digest = match files::read_bounded(path, MAX_WATCHED) {
                Ok(bytes) => format!("sha256:{}", Hash::of(&[&bytes])),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "missing".to_owned(),
                Err(error) => format!("unreadable: {error}"),
            };
            let before = self.digests.insert(path.clone(), digest.clone());
            if before.as_ref().is_some_and(|before| *before != digest) {
                let what = if digest == "missing" {
                    "a watched file was removed"
                } else {
                    "a watched file changed"
                };
                let before = before.unwrap_or_default();
                drafts.push(Draft::sensor(
                    EventType::Tamper,
                    &[
                        ("path", path.display().to_string()),
                        ("what", what.to_owned()),
                        ("before", before),
                        ("after", digest),
                    ],
                ));
            }
        }
        drafts
    }

    /// Writes down what was reported.
    pub(crate) fn remember(&self) -> std::io::Result<()> {
        files::replace_json(&self.store, &self.digests)
    }
}
