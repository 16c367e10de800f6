//! Small files, read within bounds of size and time and kept while they do not change.
//!
//! The budget is looked at before each file: what it does not allow for any more stays unknown. A
//! single call into a file system that hangs cannot be cut off from inside the shell.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::files::{self, FileKey};

/// Time for all files of one command.
const BUDGET: Duration = Duration::from_millis(100);
/// Largest file that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;
/// Largest file that is kept, in bytes.
const KEEP: usize = 256 * 1024;
/// Files that are kept.
const KEPT: usize = 32;
/// Files that are read for one command.
const FILES: u32 = 48;

/// Texts of files, kept for the life of the process while size and time of change are the same.
#[derive(Debug, Default)]
pub(crate) struct Cache(
    Mutex<HashMap<PathBuf, (FileKey, Arc<str>)>>,
    Mutex<Option<(FileKey, TimeZone)>>,
);

impl Cache {
    /// The machine's time zone, read again when its file changes.
    pub(crate) fn zone(&self) -> Option<TimeZone> {
        const FILE: &str = "/etc/localtime";
        let key = FileKey::at(Path::new(FILE))?;
        let mut kept = self.1.lock().ok()?;
        if let Some((_, zone)) = kept.as_ref().filter(|(known, _)| *known == key) {
            return Some(zone.clone());
        }
        let zone = TimeZone::tzif("local", &std::fs::read(FILE).ok()?).ok()?;
        *kept = Some((key, zone.clone()));
        Some(zone)
    }
}

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The text.
    Text(Arc<str>),
    /// There is nothing.
    Nothing,
    /// It cannot be told: no right to read, too large, no time left.
    Unknown,
}

/// Reads for one command.
pub(crate) struct Reading<'a> {
    cache: &'a Cache,
    end: Instant,
    files: Cell<u32>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(cache: &'a Cache) -> Self {
        // On a busy machine a test may well wait that long for its turn.
        Self::within(cache, if cfg!(test) { BUDGET * 600 } else { BUDGET })
    }

    pub(crate) fn within(cache: &'a Cache, budget: Duration) -> Self {
        Self {
            cache,
            end: Instant::now() + budget,
            files: Cell::new(0),
        }
    }

    /// True while files may be looked at.
    pub(crate) fn may(&self) -> bool {
        self.files.set(self.files.get() + 1);
        self.files.get() <= FILES && Instant::now() < self.end
    }

    /// The text of a file, without white space around it.
    pub(crate) fn text(&self, path: &Path) -> Found {
        if !self.may() {
            return Found::Unknown;
        }
        let key = match std::fs::metadata(path) {
            Ok(_) => FileKey::at(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::Nothing,
            Err(_) => return Found::Unknown,
        };
        if let (Ok(kept), Some(key)) = (self.cache.0.lock(), key)
            && let Some((_, text)) = kept.get(path).filter(|(known, _)| *known == key)
        {
            return Found::Text(Arc::clone(text));
        }
        let Ok((bytes, key)) = files::read_checked(path, LIMIT, None) else {
            return Found::Unknown;
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Found::Unknown;
        };
        let text: Arc<str> = text.trim_start_matches('\u{feff}').trim().into();
        if text.len() <= KEEP
            && let Ok(mut kept) = self.cache.0.lock()
        {
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(path.to_owned(), (key, Arc::clone(&text)));
        }
        Found::Text(text)
    }
}

/// Values of one section of an INI file, by key in lower case. `[profile x]` and `[remote "x"]`
/// are named as they stand between the brackets.
pub(crate) fn section(
    text: &str,
    named: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (String, &str)> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            inside = rest.split(']').next().is_some_and(&named);
            return None;
        }
        if !inside || line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (!value.is_empty()).then(|| (key.trim().to_ascii_lowercase(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_only_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one\n").unwrap();
        let cache = Cache::default();
        let read = || Reading::new(&cache).text(&path);
        assert_eq!(read(), Found::Text("one".into()));
        let kept = cache.0.lock().unwrap().len();
        assert_eq!(kept, 1);
        std::fs::write(&path, "three\n").unwrap();
        assert_eq!(read(), Found::Text("three".into()));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(), Found::Nothing);
    }

    #[test]
    fn past_the_budget_everything_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let cache = Cache::default();
        let none = Reading::within(&cache, Duration::ZERO);
        assert_eq!(none.text(&path), Found::Unknown);
        let reading = Reading::within(&cache, Duration::from_secs(60));
        let found: Vec<Found> = (0..60).map(|_| reading.text(&path)).collect();
        assert_eq!(found.first(), Some(&Found::Text("one".into())));
        assert_eq!(found.last(), Some(&Found::Unknown), "too many files");
        let large = dir.path().join("large");
        std::fs::write(&large, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        assert_eq!(Reading::new(&cache).text(&large), Found::Unknown);
        assert_eq!(Reading::new(&cache).text(dir.path()), Found::Unknown);
    }
}
