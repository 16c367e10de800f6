//! Reading records back: the local history, and one's own spool on a governed machine.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use cmdai_schema::record::{Half, MAX_LINE, Record, RecordError, Start};

use crate::{Installation, Person, ids};

/// A line that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {error}", file.display())]
pub struct Damage {
    /// In which file.
    pub file: PathBuf,
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong.
    #[source]
    pub error: RecordError,
}

/// Records of one file in the order they were written. The line that is still being written, if
/// there is one, is left out.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    lines: BufReader<File>,
    number: u64,
    buffer: Vec<u8>,
}

impl Reader {
    /// Opens a file of records.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            lines: BufReader::new(File::open(path)?),
            number: 0,
            buffer: Vec::new(),
        })
    }
}

impl Iterator for Reader {
    type Item = Result<Record, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.buffer.clear();
        let limit = MAX_LINE as u64 + 1;
        let count = self
            .lines
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.buffer)
            .ok()?;
        if count == 0 {
            return None;
        }
        self.number += 1;
        let damage = |error| Damage {
            file: self.path.clone(),
            line: self.number,
            error,
        };
        if !self.buffer.ends_with(b"\n") {
            if count <= MAX_LINE {
                return None;
            }
            // Too long to be a record: pass over the rest of the line in bounded steps.
            let error = damage(RecordError::Format);
            loop {
                self.buffer.clear();
                match self
                    .lines
                    .by_ref()
                    .take(limit)
                    .read_until(b'\n', &mut self.buffer)
                {
                    Ok(more) if more > 0 && !self.buffer.ends_with(b"\n") => {}
                    _ => return Some(Err(error)),
                }
            }
        }
        let record = std::str::from_utf8(&self.buffer)
            .map_err(|_| RecordError::Format)
            .and_then(Record::from_line);
        Some(record.map_err(damage))
    }
}

/// Both halves of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Session.
    pub session_id: String,
    /// Milliseconds since 1970, UTC.
    pub time_ms: u64,
    /// The first half.
    pub start: Start,
    /// Exit status and microseconds, where it has ended.
    pub end: Option<(i32, u64)>,
}

impl Entry {
    /// The name a person types.
    pub fn short_id(&self) -> String {
        ids::short_id(&self.start.command_id)
    }
}

/// Files that hold the person's records, oldest first.
pub fn files(person: &Person) -> Vec<PathBuf> {
    let history = person.history_file();
    [history.with_extension("1.c1"), history]
        .into_iter()
        .filter(|path| path.exists())
        .collect()
}

/// Sessions' files in the person's own spool.
pub fn spool_files(installation: &Installation, person: &Person) -> Vec<PathBuf> {
    let Some(governed) = installation.governed() else {
        return Vec::new();
    };
    let Ok(folder) = std::fs::read_dir(governed.places.user_spool(person.uid)) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = folder
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "c1"))
        .collect();
    found.sort();
    found
}

/// The person's commands, oldest first, with both halves joined, and the damage that was found.
pub fn entries(person: &Person) -> (Vec<Entry>, Vec<Damage>) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut damage = Vec::new();
    for record in files(person)
        .iter()
        .filter_map(|path| Reader::open(path).ok())
        .flatten()
    {
        match record {
            Err(found) => damage.push(found),
            Ok(Record {
                session_id,
                time_ms,
                half: Half::Start(start),
                ..
            }) => {
                places.insert(start.command_id.clone(), entries.len());
                entries.push(Entry {
                    session_id,
                    time_ms,
                    start: *start,
                    end: None,
                });
            }
            Ok(Record {
                half:
                    Half::End {
                        command_id,
                        exit_code,
                        duration_us,
                    },
                ..
            }) => {
                if let Some(entry) = places
                    .get(&command_id)
                    .and_then(|place| entries.get_mut(*place))
                {
                    entry.end = Some((exit_code, duration_us));
                }
            }
            Ok(_) => {}
        }
    }
    (entries, damage)
}

/// The newest command that `given` names: a short name or the start of an identifier.
pub fn find(person: &Person, given: &str) -> Option<Entry> {
    entries(person)
        .0
        .into_iter()
        .rev()
        .find(|entry| ids::names_command(given, &entry.start.command_id))
}
