//! Reading the hooks' spools.
//!
//! Each round reads every session's file from where the sealed note says it was left, in order.
//! Nothing read is remembered beside the note, so a crash or a refused append repeats the same
//! round. The one thing held back is a command's start: for half a second its end may still come
//! and go into the same event.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cmdai_schema::record::{Half, MAX_LINE, Record};
use cmdai_schema::{EventType, UserRef};
use rustix::fs::OFlags;

use super::draft::{self, Draft, End};
use super::seal::{FileNote, Note};

/// How long a start waits for its end.
const JOIN: Duration = Duration::from_millis(500);
/// Most bytes of one file in one round.
const CHUNK: usize = 1 << 20;
/// Most records of one round.
const ROUND: usize = 1_000;
/// Most files of one user.
const MAX_FILES: usize = 4_096;
/// Started commands whose end is waited for.
const MAX_OPEN: usize = 10_000;
/// A file that said nothing for this long is looked at once a second.
const QUIET: Duration = Duration::from_secs(600);
/// A file of an ended session is removed after this time.
const KEEP_ENDED: Duration = Duration::from_secs(60);

struct Open {
    file: File,
    path: PathBuf,
    user: UserRef,
    session: String,
    last_news: Instant,
    last_look: Instant,
}

/// The tailer.
pub(crate) struct Tail {
    spool: PathBuf,
    open: HashMap<String, Open>,
    held: HashMap<String, Instant>,
    running: HashMap<String, Draft>,
    refused: HashSet<String>,
    listed: Option<Instant>,
}

impl Tail {
    pub(crate) fn new(spool: &Path) -> Self {
        Self {
            spool: spool.to_owned(),
            open: HashMap::new(),
            held: HashMap::new(),
            running: HashMap::new(),
            refused: HashSet::new(),
            listed: None,
        }
    }

    /// Reads what is new. `user` names a uid; the note moves on with the drafts.
    pub(crate) fn round(&mut self, note: &mut Note, user: &dyn Fn(u32) -> UserRef) -> Vec<Draft> {
        let mut drafts = Vec::new();
        if self
            .listed
            .is_none_or(|at| at.elapsed() > Duration::from_millis(100))
        {
            self.listed = Some(Instant::now());
            self.list(note, user, &mut drafts);
        }
        let mut keys: Vec<String> = self.open.keys().cloned().collect();
        keys.sort();
        for key in keys {
            if drafts.len() >= ROUND {
                break;
            }
            self.read(&key, note, &mut drafts);
        }
        self.held
            .retain(|_, since| since.elapsed() < Duration::from_secs(60));
        drafts
    }

    /// Finds new files and misses old ones.
    fn list(&mut self, note: &mut Note, user: &dyn Fn(u32) -> UserRef, drafts: &mut Vec<Draft>) {
        let mut seen = HashSet::new();
        for folder in std::fs::read_dir(&self.spool)
            .into_iter()
            .flatten()
            .flatten()
        {
            let Some(uid) = folder
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok())
            else {
                continue;
            };
            let Ok(entries) = std::fs::read_dir(folder.path()) else {
                continue;
            };
            for entry in entries.flatten().take(MAX_FILES) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let Some(session) = name.strip_suffix(".c1") else {
                    continue;
                };
                let key = format!("{uid}/{name}");
                seen.insert(key.clone());
                if self.open.contains_key(&key) || self.refused.contains(&key) {
                    continue;
                }
                match open(&entry.path(), uid) {
                    Ok((file, inode)) => {
                        let known = note.files.entry(key.clone()).or_default();
                        if known.inode != 0 && known.inode != inode {
                            drafts.push(
                                tamper(
                                    &entry.path(),
                                    "a hook's spool was replaced by another file",
                                )
                                .about(user(uid)),
                            );
                            known.offset = 0;
                            known.joined.clear();
                        }
                        known.inode = inode;
                        let now = Instant::now();
                        let session = session.to_owned();
                        self.open.insert(
                            key,
                            Open {
                                file,
                                path: entry.path(),
                                user: user(uid),
                                session,
                                last_news: now,
                                last_look: now,
                            },
                        );
                    }
                    Err(error) => {
                        drafts.push(
                            tamper(
                                &entry.path(),
                                &format!("a hook's spool is refused: {error}"),
                            )
                            .about(user(uid)),
                        );
                        self.refused.insert(key);
                    }
                }
            }
        }
        self.refused.retain(|key| seen.contains(key));
        // Through our own handle the rest of a removed file can still be read, once.
        let gone: Vec<String> = self
            .open
            .iter()
            .filter(|(key, open)| !seen.contains(*key) || replaced(open))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.read(&key, note, drafts);
            if let Some(open) = self.open.remove(&key)
                && !note.files.get(&key).is_some_and(|file| file.ended)
            {
                drafts.push(tamper(&open.path, "a hook's spool was removed").about(open.user));
            }
            if !seen.contains(&key) {
                note.files.remove(&key);
            }
        }
        let lost: Vec<String> = note
            .files
            .keys()
            .filter(|key| !seen.contains(*key))
            .cloned()
            .collect();
        for key in lost {
            if let Some(file) = note.files.remove(&key)
                && !file.ended
            {
                drafts.push(tamper(
                    &self.spool.join(&key),
                    "a hook's spool was removed while the sensor did not run",
                ));
            }
        }
    }

    fn read(&mut self, key: &str, note: &mut Note, drafts: &mut Vec<Draft>) {
        let Some(open) = self.open.get_mut(key) else {
            return;
        };
        if open.last_news.elapsed() > QUIET && open.last_look.elapsed() < Duration::from_secs(1) {
            return;
        }
        open.last_look = Instant::now();
        let file = note.files.entry(key.to_owned()).or_default();
        let Ok(meta) = open.file.metadata() else {
            return;
        };
        if meta.len() < file.offset {
            drafts.push(tamper(&open.path, "a hook's spool was cut").about(open.user.clone()));
            file.offset = 0;
            file.joined.clear();
        }
        if meta.len() == file.offset {
            let idle = Duration::from_millis(
                crate::clock::now_ms().saturating_sub(
                    u64::try_from(meta.mtime())
                        .unwrap_or(0)
                        .saturating_mul(1000),
                ),
            );
            if file.ended && idle > KEEP_ENDED && std::fs::remove_file(&open.path).is_ok() {
                note.files.remove(key);
                self.open.remove(key);
            }
            return;
        }
        open.last_news = Instant::now();
        let mut chunk =
            vec![0u8; CHUNK.min(usize::try_from(meta.len() - file.offset).unwrap_or(CHUNK))];
        let Ok(length) = open.file.read_at(&mut chunk, file.offset) else {
            return;
        };
        chunk.truncate(length);
        let lines = split(&chunk);
        if lines.is_empty() && chunk.len() > MAX_LINE {
            // Longer than any record: step over it; the next newline ends the damage.
            drafts.push(Draft::gap(
                &open.user,
                &open.session,
                file.counter + 1,
                file.counter + 1,
                "a line longer than any record",
            ));
            file.offset += chunk.len() as u64;
            return;
        }
        let begin = file.offset;
        let records: Vec<(u64, Result<Record, String>)> = lines
            .into_iter()
            .map(|(end, line)| (begin + end as u64, parse(line)))
            .collect();
        for (index, (end_offset, record)) in records.iter().enumerate() {
            if drafts.len() >= ROUND {
                return;
            }
            let record = match record {
                Ok(record) => record,
                Err(cause) => {
                    file.counter = file.counter.saturating_add(1);
                    drafts.push(Draft::gap(
                        &open.user,
                        &open.session,
                        file.counter,
                        file.counter,
                        cause,
                    ));
                    file.offset = *end_offset;
                    continue;
                }
            };
            let later = records.get(index + 1..).unwrap_or_default();
            match Self::one(
                record,
                later,
                file,
                &mut note.reported,
                &note.requests,
                &open.user,
                &mut self.held,
                &mut self.running,
            ) {
                Step::Hold => return,
                Step::Past(made) => {
                    count(record, file, &open.user, &open.session, drafts);
                    drafts.extend(made.map(|draft| *draft));
                    file.offset = *end_offset;
                }
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of self and note that are not borrowed already"
    )]
    fn one(
        record: &Record,
        later: &[(u64, Result<Record, String>)],
        file: &mut FileNote,
        reported: &mut Vec<String>,
        told: &[String],
        user: &UserRef,
        held: &mut HashMap<String, Instant>,
        running: &mut HashMap<String, Draft>,
    ) -> Step {
        match &record.half {
            Half::Start(start) => {
                if let Some(place) = reported.iter().position(|id| *id == start.command_id) {
                    reported.remove(place);
                    return Step::Past(None);
                }
                if !start.allowed {
                    let told = start
                        .approval
                        .as_ref()
                        .is_some_and(|approval| told.contains(&approval.request_id));
                    return Step::made(draft::of_start(record, start, None, user, told));
                }
                let end = later.iter().find_map(|(_, later)| match later {
                    Ok(Record {
                        half:
                            Half::End {
                                command_id,
                                exit_code,
                                duration_us,
                            },
                        ..
                    }) if *command_id == start.command_id => Some(End {
                        exit_code: *exit_code,
                        duration_us: *duration_us,
                    }),
                    _ => None,
                });
                let over = later.iter().any(|(_, later)| {
                    matches!(
                        later,
                        Ok(Record {
                            half: Half::SessionEnd,
                            ..
                        })
                    )
                });
                let since = *held
                    .entry(start.command_id.clone())
                    .or_insert_with(Instant::now);
                if end.is_none() && !over && since.elapsed() < JOIN {
                    return Step::Hold;
                }
                held.remove(&start.command_id);
                let made = draft::of_start(record, start, end, user, false);
                if end.is_some() {
                    file.joined.push(start.command_id.clone());
                } else if running.len() < MAX_OPEN {
                    running.insert(start.command_id.clone(), made.clone());
                }
                Step::made(made)
            }
            Half::End {
                command_id,
                exit_code,
                duration_us,
            } => {
                if let Some(place) = file.joined.iter().position(|id| id == command_id) {
                    file.joined.remove(place);
                    return Step::Past(None);
                }
                let start = running.remove(command_id);
                let end = End {
                    exit_code: *exit_code,
                    duration_us: *duration_us,
                };
                Step::made(draft::of_end(record, command_id, end, start.as_ref(), user))
            }
            Half::SessionStart { .. } => Step::Past(draft::of_session(record, user).map(Box::new)),
            Half::SessionEnd => {
                file.ended = true;
                Step::Past(None)
            }
        }
    }
}

enum Step {
    /// Look again later.
    Hold,
    /// Done with it.
    Past(Option<Box<Draft>>),
}

impl Step {
    fn made(draft: Draft) -> Self {
        Self::Past(Some(Box::new(draft)))
    }
}

/// Misses counters.
fn count(
    record: &Record,
    file: &mut FileNote,
    user: &UserRef,
    session: &str,
    drafts: &mut Vec<Draft>,
) {
    let expected = file.counter.saturating_add(1);
    if record.counter > expected {
        drafts.push(Draft::gap(
            user,
            session,
            expected,
            record.counter - 1,
            "records are missing",
        ));
    } else if record.counter < expected && !file.back {
        file.back = true;
        drafts.push(Draft::gap(
            user,
            session,
            record.counter,
            file.counter,
            "the session's counter went back",
        ));
    }
    file.counter = file.counter.max(record.counter);
}

fn tamper(path: &Path, what: &str) -> Draft {
    Draft::sensor(
        EventType::Tamper,
        &[
            ("path", path.display().to_string()),
            ("what", what.to_owned()),
        ],
    )
}

/// True where the path leads to another file than the open one.
fn replaced(open: &Open) -> bool {
    let ours = open.file.metadata().map(|meta| meta.ino());
    let there = std::fs::symlink_metadata(&open.path).map(|meta| meta.ino());
    matches!((ours, there), (Ok(ours), Ok(there)) if ours != there)
}

/// Opens a person's file without following links or waiting, and checks whose it is.
fn open(path: &Path, uid: u32) -> io::Result<(File, u64)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if meta.uid() != uid {
        return Err(io::Error::other(format!(
            "it belongs to user {} and not to {uid}",
            meta.uid()
        )));
    }
    Ok((file, meta.ino()))
}

/// Complete lines with the offset after each.
fn split(chunk: &[u8]) -> Vec<(usize, &[u8])> {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in chunk.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line.ends_with(b"\n") {
            lines.push((at, line));
        }
    }
    lines
}

fn parse(line: &[u8]) -> Result<Record, String> {
    if line.len() > MAX_LINE {
        return Err("a line longer than any record".to_owned());
    }
    let text = std::str::from_utf8(line).map_err(|_| "a line is not text".to_owned())?;
    Record::from_line(text).map_err(|error| error.to_string())
}
