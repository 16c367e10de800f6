//! Reading the hooks' spools.
//!
//! Each round reads every session's file from where the sealed note says it was left, in order.
//! Nothing read is remembered beside the note, so a crash or a refused append repeats the same
//! round. The one thing held back is a command's start: for half a second its end may still come
//! and go into the same event.

mod removed;
mod rolls;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cmdai_schema::record::{Half, MAX_LINE, Record};
use cmdai_schema::{EventType, UserRef};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

pub(crate) use rolls::Roll;

use super::draft::{self, Draft, End};
use super::running::Running;
use super::seal::{FileNote, Note};
use crate::machine::Sighting;

/// How long a start waits for its end.
const JOIN: Duration = Duration::from_millis(500);
/// Most bytes of one file in one round.
const CHUNK: usize = 1 << 20;
/// Most records of one round, of all and of one person: who floods delays themself only.
const ROUND: usize = 1_000;
const ROUND_OF_ONE: usize = 250;
/// Most bytes read in one round, of all and of one person.
///
/// A round is sealed as one: what does not fit into a frame of the sealed spool is tried again with
/// fewer records, see [`Tail::sealed`].
const ROUND_BYTES: usize = 3 << 20;
const ROUND_BYTES_OF_ONE: usize = 1 << 20;
/// Most files of one person that are read. The note names each of them.
const MAX_FILES: usize = 1_024;
/// Longest name of a file that is read: a session's id is shorter.
const MAX_NAME: usize = 128;
/// Most entries of one person's folder that are looked at.
const MAX_ENTRIES: usize = 4 * MAX_FILES;
/// Most ends of one session that are sealed ahead of their place.
const MAX_JOINED: usize = 64;
/// Longest id of a command; the note may hold it.
pub(crate) const MAX_COMMAND_ID: usize = 128;
/// A file that said nothing for this long is looked at once a second.
const QUIET: Duration = Duration::from_secs(600);
/// A file of an ended session is removed after this time, where nobody holds it.
const KEEP_ENDED: Duration = Duration::from_secs(60);
/// One of a session that did not say that it ended, where its last process is gone and nobody holds it.
const KEEP_LEFT: Duration = Duration::from_secs(3_600);
/// Sessions without a file whose counters are remembered.
const MAX_PAST: usize = 128;

struct Open {
    file: File,
    inode: u64,
    /// No path leads to it any more; its key says so too.
    removed: bool,
    path: PathBuf,
    uid: u32,
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
    running: Running,
    refused: HashSet<String>,
    listed: Option<Instant>,
    /// Moves on with each round, so that everybody is first now and then.
    turn: usize,
    /// Records of the next round.
    most: usize,
    /// For the machine layer, where it wants them.
    sightings: Option<Vec<Sighting>>,
    /// People who have more than their share in the sealed spool.
    back: BTreeSet<u32>,
    /// Those of them of whom a sealed event tells.
    told: BTreeSet<u32>,
    /// Runs of scripts in the note.
    runs: usize,
}

impl Tail {
    pub(crate) fn new(spool: &Path) -> Self {
        Self {
            spool: spool.to_owned(),
            open: HashMap::new(),
            held: HashMap::new(),
            running: Running::default(),
            refused: HashSet::new(),
            listed: None,
            turn: 0,
            most: ROUND,
            sightings: None,
            back: BTreeSet::new(),
            told: BTreeSet::new(),
            runs: 0,
        }
    }

    /// Whose records are not read for now. An event tells of each who was not among them before; where it
    /// cannot be sealed, the next one does.
    pub(crate) fn hold_back(
        &mut self,
        people: &BTreeSet<u32>,
        user: &dyn Fn(u32) -> UserRef,
    ) -> Vec<Draft> {
        self.back.clone_from(people);
        self.told.retain(|uid| people.contains(uid));
        people
            .difference(&self.told)
            .map(|&uid| {
                let what = "these records fill more than their share of the sealed spool: they stay in this file until the server has taken some";
                tamper(&self.spool.join(uid.to_string()), what).about(user(uid))
            })
            .collect()
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
        self.turn = self.turn.wrapping_add(1);
        let mut people: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (key, open) in self
            .open
            .iter()
            .filter(|(_, open)| !self.back.contains(&open.uid))
        {
            people.entry(open.uid).or_default().push(key.clone());
        }
        self.tell_runs(note, &mut drafts);
        let mut bytes = 0;
        for (_, mut keys) in rotated(people.into_iter().collect(), self.turn) {
            keys.sort();
            let limit = drafts
                .len()
                .saturating_add(ROUND_OF_ONE.min(self.most))
                .min(self.most);
            let most = ROUND_BYTES.min(bytes + ROUND_BYTES_OF_ONE);
            for key in rotated(keys, self.turn) {
                if drafts.len() >= limit || bytes >= most {
                    break;
                }
                bytes += self.read(&key, note, &mut drafts, limit);
            }
        }
        self.held
            .retain(|_, since| since.elapsed() < Duration::from_secs(60));
        drafts
    }

    /// Runs of scripts of which something is due.
    fn tell_runs(&mut self, note: &mut Note, drafts: &mut Vec<Draft>) {
        let now_ms = crate::clock::now_ms();
        self.runs = 0;
        for (key, file) in &mut note.files {
            let uid = key.split('/').next().and_then(|uid| uid.parse().ok());
            let held_back = uid.is_some_and(|uid: u32| self.back.contains(&uid));
            if !held_back && !file.rolls.is_empty() && drafts.len() < self.most {
                drafts.extend(rolls::due(file, now_ms, false, lives));
            }
            self.runs = self.runs.saturating_add(file.rolls.len());
        }
    }

    /// Whether records are also told to the machine layer.
    pub(crate) fn watch(&mut self, wanted: bool) {
        if wanted != self.sightings.is_some() {
            self.sightings = wanted.then(Vec::new);
        }
    }

    /// What was read since it was asked last.
    pub(crate) fn sightings(&mut self) -> Vec<Sighting> {
        self.sightings
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Whether the last round could be sealed. Where not, the next one is smaller, down to one
    /// record: long records of one person must not stop everybody's for good.
    pub(crate) fn sealed(&mut self, sealed: bool) {
        if sealed {
            self.told.clone_from(&self.back);
        }
        self.most = if sealed {
            self.most.saturating_mul(2).min(ROUND)
        } else {
            (self.most / 4).max(1)
        };
    }

    /// Finds new files and misses old ones.
    fn list(&mut self, note: &mut Note, user: &dyn Fn(u32) -> UserRef, drafts: &mut Vec<Draft>) {
        let mut seen = HashSet::new();
        self.settle(note, drafts);
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
            let mut names = names(&folder.path());
            // What is read already goes on being read, whatever else somebody puts beside it.
            let known = |name: &String| {
                let key = format!("{uid}/{name}");
                self.open.contains_key(&key) || note.files.contains_key(&key)
            };
            names.sort_by_cached_key(|name| (!known(name), name.clone()));
            if names.len() > MAX_FILES {
                let key = format!("{uid}/");
                seen.insert(key.clone());
                if self.refused.insert(key) {
                    let what = format!("more than {MAX_FILES} files: the others are not read");
                    drafts.push(tamper(&folder.path(), &what).about(user(uid)));
                }
                names.truncate(MAX_FILES);
            }
            for name in names {
                let Some(session) = name.strip_suffix(".c1") else {
                    continue;
                };
                let path = folder.path().join(&name);
                let key = format!("{uid}/{name}");
                seen.insert(key.clone());
                if self.open.contains_key(&key) || self.refused.contains(&key) {
                    continue;
                }
                match open(&path, uid) {
                    Ok((_, inode)) if self.is_read_already(uid, inode).is_some() => {
                        // Brought back, or under a second name: it is not read twice.
                        let other = self.is_read_already(uid, inode) != Some(path.as_path());
                        if other && self.refused.insert(key) {
                            let what =
                                "this is a hook's spool of another name, which is read already";
                            drafts.push(tamper(&path, what).about(user(uid)));
                        }
                    }
                    Ok((file, inode)) => {
                        let past = &mut note.past;
                        let known = note.files.entry(key.clone()).or_insert_with(|| {
                            let place = past.iter().position(|(session, _)| *session == key);
                            FileNote {
                                counter: place.map_or(0, |place| past.remove(place).1),
                                ..FileNote::default()
                            }
                        });
                        if known.inode != 0 && known.inode != inode {
                            drafts.push(
                                tamper(&path, "a hook's spool was replaced by another file")
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
                                inode,
                                removed: false,
                                path,
                                uid,
                                user: user(uid),
                                session,
                                last_news: now,
                                last_look: now,
                            },
                        );
                    }
                    // Not the file's fault: it is tried again, and told of once.
                    Err(error) if scarce(&error) => {
                        let later = format!("{key} later");
                        seen.insert(later.clone());
                        if self.refused.insert(later) {
                            let what = format!("a hook's spool cannot be read yet: {error}");
                            drafts.push(tamper(&path, &what).about(user(uid)));
                        }
                    }
                    Err(error) => {
                        let what = format!("a hook's spool is refused: {error}");
                        drafts.push(tamper(&path, &what).about(user(uid)));
                        self.refused.insert(key);
                    }
                }
            }
        }
        self.refused.retain(|key| seen.contains(key));
        // Through our own handle a removed file can still be read.
        let mut bytes = 0;
        for key in self.taken_away(&seen) {
            // The others have their turn at the next look.
            if bytes >= ROUND_BYTES {
                break;
            }
            bytes += self.read(&key, note, drafts, ROUND);
            self.take_away(&key, note, drafts);
        }
        let lost: Vec<String> = note
            .files
            .keys()
            .filter(|key| !seen.contains(*key) && !self.open.contains_key(*key))
            .cloned()
            .collect();
        for key in lost {
            self.find_again(&key, note, user, drafts);
        }
    }

    /// Reads what is new in one file until there are `limit` drafts; how many bytes it looked at.
    fn read(&mut self, key: &str, note: &mut Note, drafts: &mut Vec<Draft>, limit: usize) -> usize {
        let Some(open) = self.open.get_mut(key) else {
            return 0;
        };
        if open.last_news.elapsed() > QUIET && open.last_look.elapsed() < Duration::from_secs(1) {
            return 0;
        }
        open.last_look = Instant::now();
        if open.removed && !note.files.contains_key(key) {
            // The note says so soon; until then it is not known how far this was read.
            return 0;
        }
        let file = note.files.entry(key.to_owned()).or_default();
        let Ok(meta) = open.file.metadata() else {
            return 0;
        };
        if meta.len() < file.offset {
            drafts.push(tamper(&open.path, "a hook's spool was cut").about(open.user.clone()));
            file.offset = 0;
            file.joined.clear();
        }
        if meta.len() == file.offset && open.removed {
            self.let_go(key, note, drafts);
            return 0;
        }
        if meta.len() == file.offset {
            let idle = idle(&meta);
            if rolls::is_open(file) {
                return 0;
            }
            if file.ended
                && idle > KEEP_ENDED
                && !lives(file.pid)
                && is_let_go(&open.file, file.offset)
            {
                if file.several {
                    remember(&mut note.past, key, file.counter);
                }
                // The lock is held until the handle is closed: whoever opens the path meanwhile sees that
                // this file is gone and takes another one.
                if std::fs::remove_file(&open.path).is_ok() {
                    note.files.remove(key);
                }
                self.open.remove(key);
            } else if !file.ended
                && idle > KEEP_LEFT
                && !lives(file.pid)
                && is_let_go(&open.file, file.offset)
            {
                // Shells and supervised trees say when they end; agents do not always.
                if file.began && !file.several && file.counter > 1 {
                    let next = file.counter.saturating_add(1);
                    let cause =
                        "the session ended without saying so: its last records may be missing";
                    drafts.push(Draft::gap(&open.user, &open.session, next, next, cause));
                }
                remember(&mut note.past, key, file.counter);
                file.ended = true;
                let _ = flock(&open.file, FlockOperation::Unlock);
            }
            return 0;
        }
        open.last_news = Instant::now();
        let mut chunk =
            vec![0u8; CHUNK.min(usize::try_from(meta.len() - file.offset).unwrap_or(CHUNK))];
        let Ok(length) = open.file.read_at(&mut chunk, file.offset) else {
            return 0;
        };
        chunk.truncate(length);
        let lines = split(&chunk);
        if lines.is_empty() && chunk.len() > MAX_LINE {
            // Longer than any record: step over it; the next newline ends the damage.
            drafts.push(Draft::gap(
                &open.user,
                &open.session,
                file.counter.saturating_add(1),
                file.counter.saturating_add(1),
                "a line longer than any record",
            ));
            file.offset += chunk.len() as u64;
            return length;
        }
        if lines.is_empty() && idle(&meta) > KEEP_LEFT && !lives(file.pid) {
            // Nobody will write the rest of it.
            let next = file.counter.saturating_add(1);
            let (user, session) = (&open.user, &open.session);
            drafts.push(Draft::gap(user, session, next, next, "a record was cut"));
            file.counter = next;
            file.offset += chunk.len() as u64;
            return length;
        }
        let begin = file.offset;
        let records: Vec<(u64, Result<Record, String>)> = lines
            .into_iter()
            .flat_map(|(end, line)| whole(begin + (end - line.len()) as u64, line))
            .collect();
        for (index, (end_offset, record)) in records.iter().enumerate() {
            if drafts.len() >= limit {
                return length;
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
            let known = file.rolls.len();
            let size = end_offset.saturating_sub(file.offset);
            let room = self.runs < rolls::MAX_RUNS;
            let rolled = rolls::take(file, record, &open.user, size, room, drafts);
            self.runs = (self.runs + file.rolls.len()).saturating_sub(known);
            if rolled {
                match &record.half {
                    Half::Start(start) => {
                        let made = draft::of_start(record, start, None, &open.user, false);
                        let uid = open.user.uid;
                        self.running.insert(uid, &start.command_id, &made);
                    }
                    Half::End { command_id, .. } => {
                        self.running.remove(open.user.uid, command_id);
                    }
                    _ => {}
                }
                if let Some(sightings) = &mut self.sightings
                    && sightings.len() < ROUND
                {
                    sightings.extend(Sighting::of(record, open.uid));
                }
                count(record, file, &open.user, &open.session, drafts);
                file.offset = *end_offset;
                continue;
            }
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
                Step::Hold => return length,
                Step::Past(made) => {
                    rolls::told_alone(file, record);
                    if let Some(sightings) = &mut self.sightings
                        && sightings.len() < ROUND
                    {
                        sightings.extend(Sighting::of(record, open.uid));
                    }
                    count(record, file, &open.user, &open.session, drafts);
                    drafts.extend(made.map(|draft| *draft));
                    file.offset = *end_offset;
                }
            }
        }
        length
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
        running: &mut Running,
    ) -> Step {
        match &record.half {
            Half::Start(start) => {
                if !start.allowed {
                    if let Some(place) = reported.iter().position(|id| *id == start.command_id) {
                        reported.remove(place);
                        return Step::Past(None);
                    }
                    let told = start
                        .approval
                        .as_ref()
                        .is_some_and(|approval| told.contains(&approval.request_id));
                    return Step::made(draft::of_start(record, start, None, user, told));
                }
                // Whoever writes a thousand starts for one end gets a note that stays small.
                let may_join = start.command_id.len() <= MAX_COMMAND_ID
                    && file.joined.len() < MAX_JOINED
                    && !file.joined.contains(&start.command_id);
                let end = later
                    .iter()
                    .filter(|_| may_join)
                    .find_map(|(_, later)| match later {
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
                } else {
                    running.insert(user.uid, &start.command_id, &made);
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
                let start = running.remove(user.uid, command_id);
                let end = End {
                    exit_code: *exit_code,
                    duration_us: *duration_us,
                };
                Step::made(draft::of_end(record, command_id, end, start.as_ref(), user))
            }
            Half::SessionStart { .. } => Step::Past(draft::of_session(record, user).map(Box::new)),
            Half::Private { .. } => Step::Past(draft::of_private_mode(record, user).map(Box::new)),
            Half::Recording { .. } => Step::Past(draft::of_recording(record, user).map(Box::new)),
            Half::SessionEnd => Step::Past(None),
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
    file.several |= file.pid != 0 && file.pid != record.pid;
    file.pid = record.pid;
    file.began |= matches!(record.half, Half::SessionStart { .. });
    file.ended = matches!(record.half, Half::SessionEnd);
}

/// Nobody writes to it any more: hooks hold a shared lock as long as they might. True holds the lock.
fn is_let_go(file: &File, read: u64) -> bool {
    if flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    let whole = file.metadata().is_ok_and(|meta| meta.len() == read);
    if !whole {
        let _ = flock(file, FlockOperation::Unlock);
    }
    whole
}

/// For how long nobody wrote.
fn idle(meta: &std::fs::Metadata) -> Duration {
    let written = u64::try_from(meta.mtime())
        .unwrap_or(0)
        .saturating_mul(1000);
    Duration::from_millis(crate::clock::now_ms().saturating_sub(written))
}

/// A process with this number lives. It need not be the one that was meant: then the file stays longer.
fn lives(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return false;
    };
    !matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH))
}

fn remember(past: &mut Vec<(String, u64)>, key: &str, counter: u64) {
    past.retain(|(known, _)| known != key);
    past.push((key.to_owned(), counter));
    let surplus = past.len().saturating_sub(MAX_PAST);
    past.drain(..surplus);
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

/// Begins at another place each time.
fn rotated<T>(mut list: Vec<T>, turn: usize) -> Vec<T> {
    if !list.is_empty() {
        let by = turn % list.len();
        list.rotate_left(by);
    }
    list
}

/// Names of session files in a person's folder.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.flatten().take(MAX_ENTRIES);
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".c1") && name.len() <= MAX_NAME)
        .collect()
}

/// The system had nothing left to open a file with.
fn scarce(error: &io::Error) -> bool {
    let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR];
    Errno::from_io_error(error).is_some_and(|errno| scarce.contains(&errno))
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

/// The record of a line that begins at `begin`, with the offset after it. Where a disk was full, a record that
/// was cut may stand in front of a whole one: then there are both.
fn whole(begin: u64, line: &[u8]) -> Vec<(u64, Result<Record, String>)> {
    let end = begin + line.len() as u64;
    let record = parse(line);
    if record.is_err() {
        // Few tries: who writes a line of nothing but beginnings gets a gap.
        let beginnings = line.windows(4).enumerate().skip(1);
        let beginnings = beginnings.filter(|(_, window)| window.starts_with(b"C1 "));
        for (at, _) in beginnings.take(4) {
            let (cut, rest) = line.split_at(at);
            if let Ok(record) = parse(rest) {
                let cause = "a record was cut".to_owned();
                return vec![(begin + cut.len() as u64, Err(cause)), (end, Ok(record))];
            }
        }
    }
    vec![(end, record)]
}

fn parse(line: &[u8]) -> Result<Record, String> {
    if line.len() > MAX_LINE {
        return Err("a line longer than any record".to_owned());
    }
    let text = std::str::from_utf8(line).map_err(|_| "a line is not text".to_owned())?;
    Record::from_line(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
