//! The spool: a row of segments with one end that grows and one that is acknowledged away.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};

use cmdai_schema::{Event, Hash};
use rustix::fs::{FlockOperation, flock};

use crate::gaps::Gaps;
use crate::segment::{Cipher, Content, HEADER, Segment};
use crate::{SpoolError, SpoolKey};

/// Bounds of a spool, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A segment that has grown past this is followed by a new one.
    pub segment: u64,
    /// All segments together; what would go past it is refused.
    pub total: u64,
}

impl Default for Limits {
    /// 4 MiB and 512 MiB.
    fn default() -> Self {
        Self {
            segment: 4 * 1024 * 1024,
            total: 512 * 1024 * 1024,
        }
    }
}

/// Room that is set aside for a new segment with its note, in bytes.
const RESERVE: u64 = 256 * 1024;

/// An open spool.
pub struct Spool {
    pub(crate) folder: PathBuf,
    pub(crate) cipher: Cipher,
    limits: Limits,
    /// Never empty; the last one grows.
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) head: (u64, Hash),
    synced: u64,
    pub(crate) acked: u64,
    note: Option<String>,
    pub(crate) failed: bool,
    /// What was dropped, until the server has read of it.
    pub(crate) gaps: Gaps,
    /// The last append found no room.
    starved: bool,
    _lock: File,
    #[cfg(test)]
    pub(crate) room: Option<usize>,
    /// Where a drop ends as if the process were killed there.
    #[cfg(test)]
    pub(crate) dies: Option<crate::drops::Point>,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("folder", &self.folder)
            .field("head", &self.head)
            .field("acked", &self.acked)
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// Opens the spool in `dir` with default bounds, making it where there is none.
    ///
    /// # Errors
    /// Where it is in use, damaged, sealed with another key, or the disk refuses.
    pub fn open(dir: &Path, key: &SpoolKey) -> Result<Self, SpoolError> {
        Self::open_with(dir, key, Limits::default())
    }

    /// [`Spool::open`] with other bounds.
    ///
    /// # Errors
    /// As [`Spool::open`].
    pub fn open_with(dir: &Path, key: &SpoolKey, limits: Limits) -> Result<Self, SpoolError> {
        let read = |source| SpoolError::Read {
            path: dir.to_owned(),
            source,
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(read)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))
            .map_err(read)?;
        lock_exclusively(&lock).map_err(|()| SpoolError::Busy(dir.to_owned()))?;
        let cipher = Cipher::new(key);
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.extension().is_some_and(|extension| extension == "seg") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut segments = VecDeque::new();
        let count = paths.len();
        for (index, path) in paths.into_iter().enumerate() {
            let segment = Segment::open(&path, index + 1 == count, &cipher)?;
            let expected = segments.back().map_or(segment.first, Segment::next);
            if segment.first != expected {
                return Err(SpoolError::Damaged { path, offset: 0 });
            }
            segments.push_back(segment);
        }
        if segments.is_empty() {
            segments.push_back(Segment::create(dir, 1, Hash::default(), &cipher)?);
        }
        let mut this = Self {
            folder: dir.to_owned(),
            cipher,
            limits,
            segments,
            head: (0, Hash::default()),
            synced: 0,
            acked: 0,
            note: None,
            failed: false,
            gaps: Gaps::load(dir)?,
            starved: false,
            _lock: lock,
            #[cfg(test)]
            room: None,
            #[cfg(test)]
            dies: None,
        };
        this.recover()?;
        this.keep_reserve();
        Ok(this)
    }

    /// Finds head, note and acknowledged number.
    fn recover(&mut self) -> Result<(), SpoolError> {
        if let Some(last) = self.segments.back() {
            self.head = (last.first.saturating_sub(1), last.before);
            if let Some(frame) = last.frames.iter().rev().find(|frame| frame.count > 0)
                && let Some(event) = last.read(*frame, &self.cipher)?.events.last()
            {
                self.head = (event.envelope.seq, hash(event)?);
            }
            // What the page cache held may not be on disk yet after a crash of the process alone.
            last.file.sync_all().map_err(|source| SpoolError::Write {
                path: last.path.clone(),
                source,
            })?;
        }
        // A crash between a new segment and its note leaves the note in the segment before.
        'found: for segment in self.segments.iter().rev() {
            for frame in segment.frames.iter().rev() {
                self.note = segment.read(*frame, &self.cipher)?.note;
                if self.note.is_some() {
                    break 'found;
                }
            }
        }
        self.synced = self.head.0;
        self.recover_gaps()?;
        // What was dropped in front of the oldest event is not acknowledged.
        let oldest = self.gaps.begin(self.oldest()).saturating_sub(1);
        let remembered = std::fs::read_to_string(self.folder.join("acked"))
            .ok()
            .and_then(|text| text.trim().parse().ok());
        self.acked = remembered.unwrap_or(0).clamp(oldest, self.head.0);
        self.gaps.acknowledged(&self.folder, self.acked);
        Ok(())
    }

    /// Appends sealed events that follow the head. They count as safe after [`Spool::sync`].
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::Write`] and the like; nothing is appended then.
    pub fn append(&mut self, events: &[Event]) -> Result<(), SpoolError> {
        self.append_with_note(events, None)
    }

    /// [`Spool::append`] with a text that is stored with the events, whole or not at all. It
    /// replaces the last one; [`Spool::note`] returns it, also after opening anew. `events` may be
    /// empty.
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub fn append_with_note(
        &mut self,
        events: &[Event],
        note: Option<&str>,
    ) -> Result<(), SpoolError> {
        self.append_within(true, events, note)
    }

    /// [`Spool::append_with_note`] beyond the bound: for events that are sealed again so that the segment which
    /// holds them can be dropped.
    ///
    /// # Errors
    /// As [`Spool::append`], but for [`SpoolError::Full`].
    pub fn append_again(&mut self, events: &[Event], note: Option<&str>) -> Result<(), SpoolError> {
        self.append_within(false, events, note)
    }

    fn append_within(
        &mut self,
        bounded: bool,
        events: &[Event],
        note: Option<&str>,
    ) -> Result<(), SpoolError> {
        if self.failed {
            return Err(SpoolError::Failed);
        }
        if events.is_empty() && note.is_none() {
            return Ok(());
        }
        let mut head = self.head;
        for event in events {
            if event.envelope.seq != head.0 + 1 || event.envelope.prev_hash != head.1 {
                return Err(SpoolError::Chain {
                    head: head.0,
                    found: event.envelope.seq,
                });
            }
            head = (event.envelope.seq, hash(event)?);
        }
        let full = self
            .segments
            .back()
            .is_some_and(|last| last.length >= self.limits.segment && last.next() > last.first);
        if full {
            self.roll()?;
        } else if self.starved {
            self.make_room()?;
        }
        let telling = self.plan(events)?;
        let content = Content {
            events: events.to_vec(),
            note: note.map(str::to_owned),
        };
        // What says that something was dropped always finds room: without it nothing can be sent.
        let urgent = !telling.is_empty();
        let written = match self.write(&content, bounded && !urgent) {
            Err(SpoolError::Write { .. })
                if urgent && !self.failed && std::fs::remove_file(self.reserve()).is_ok() =>
            {
                self.write(&content, false)
            }
            other => other,
        };
        if let Err(error) = written {
            self.gaps.unplan(&telling);
            return Err(error);
        }
        self.head = head;
        if let Some(note) = note {
            self.note = Some(note.to_owned());
        }
        Ok(())
    }

    /// Begins a new segment; the note goes along, so that older segments can be let go. Where the disk is
    /// full, the reserve is given up for it: it may be this spool that fills the disk.
    pub(crate) fn roll(&mut self) -> Result<(), SpoolError> {
        self.sync()?;
        match self.begin_segment() {
            Err(SpoolError::Write { .. }) if std::fs::remove_file(self.reserve()).is_ok() => {
                self.begin_segment()
            }
            other => other,
        }
    }

    fn begin_segment(&mut self) -> Result<(), SpoolError> {
        let segment = Segment::create(&self.folder, self.head.0 + 1, self.head.1, &self.cipher)?;
        self.segments.push_back(segment);
        let Some(note) = self.note.clone() else {
            return Ok(());
        };
        // Beyond the bound, where need be: without a new segment no place could become free.
        let copy = Content {
            events: Vec::new(),
            note: Some(note),
        };
        let copied = self.write(&copy, false);
        if copied.is_err() {
            // Nothing is in it: the segment before goes on being the last one.
            if let Some(fresh) = self.segments.pop_back()
                && std::fs::remove_file(&fresh.path).is_err()
            {
                self.failed = true;
            }
            return copied;
        }
        // Before an acknowledgement can delete the segment that holds the original.
        self.sync()
    }

    pub(crate) fn reserve(&self) -> PathBuf {
        self.folder.join("reserve")
    }

    /// Sets room aside for [`Spool::roll`] on a full disk; where there is none now, later.
    pub(crate) fn keep_reserve(&self) {
        let path = self.reserve();
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() == RESERVE) {
            return;
        }
        let made = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)
            .and_then(|file| {
                let flags = rustix::fs::FallocateFlags::empty();
                rustix::fs::fallocate(&file, flags, 0, RESERVE).map_err(io::Error::from)
            });
        if made.is_err() {
            // A file system that cannot set room aside, or has none.
            let _ = std::fs::remove_file(&path);
        }
    }

    /// Writes a frame; within the bound of all segments, where that is asked for.
    fn write(&mut self, content: &Content, bounded: bool) -> Result<(), SpoolError> {
        let bytes_held = self.bytes();
        let total = self.limits.total;
        #[cfg(test)]
        let room = self.room;
        let Some(segment) = self.segments.back_mut() else {
            return Err(SpoolError::Failed);
        };
        let (frame, bytes) = segment.encode(content, &self.cipher)?;
        if bounded && bytes_held + bytes.len() as u64 > total {
            self.starved = true;
            return Err(SpoolError::Full {
                bytes: bytes_held,
                needed: bytes.len() as u64,
                limit: total,
            });
        }
        let write = || -> io::Result<()> {
            #[cfg(test)]
            if let Some(room) = room.filter(|room| *room < bytes.len()) {
                segment.file.write_all_at(&bytes[..room], frame.offset)?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            segment.file.write_all_at(&bytes, frame.offset)
        };
        if let Err(source) = write() {
            self.starved = true;
            // Half a frame must not stay in front of the next one.
            if segment.file.set_len(segment.length).is_err() {
                self.failed = true;
            }
            return Err(SpoolError::Write {
                path: segment.path.clone(),
                source,
            });
        }
        segment.length = frame.end();
        segment.frames.push(frame);
        self.starved = false;
        Ok(())
    }

    /// Waits until everything appended is on disk.
    ///
    /// # Errors
    /// Where the disk refuses. The spool must then be opened anew: after a failed sync it is not
    /// known what the disk holds.
    pub fn sync(&mut self) -> Result<(), SpoolError> {
        if self.failed {
            return Err(SpoolError::Failed);
        }
        let Some(segment) = self.segments.back() else {
            return Err(SpoolError::Failed);
        };
        if let Err(source) = segment.file.sync_data() {
            self.failed = true;
            return Err(SpoolError::Write {
                path: segment.path.clone(),
                source,
            });
        }
        self.synced = self.head.0;
        Ok(())
    }

    /// At most `max` synced events from sequence number `seq` on; fewer where fewer are held.
    ///
    /// # Errors
    /// Where a segment cannot be read.
    pub fn read_from(&self, seq: u64, max: usize) -> Result<Vec<Event>, SpoolError> {
        let mut out = Vec::new();
        for segment in self.segments.iter().filter(|segment| segment.next() > seq) {
            let begin = segment.frames.partition_point(|frame| frame.next() <= seq);
            for frame in segment
                .frames
                .iter()
                .skip(begin)
                .filter(|frame| frame.count > 0)
            {
                for event in segment.read(*frame, &self.cipher)?.events {
                    if out.len() >= max || event.envelope.seq > self.synced {
                        return Ok(out);
                    }
                    if event.envelope.seq >= seq {
                        out.push(event);
                    }
                }
            }
        }
        Ok(out)
    }

    /// Everything up to `seq` is durable elsewhere: whole segments before it are deleted. Numbers
    /// below an earlier acknowledgement change nothing.
    ///
    /// # Errors
    /// Where `seq` was never sealed, or the disk refuses.
    pub fn ack(&mut self, seq: u64) -> Result<(), SpoolError> {
        if seq > self.synced {
            return Err(SpoolError::Ack {
                given: seq,
                synced: self.synced,
            });
        }
        if seq <= self.acked {
            return Ok(());
        }
        self.acked = seq;
        let mut freed = self.let_go()?;
        self.gaps.acknowledged(&self.folder, seq);
        let full = self
            .segments
            .back()
            .is_some_and(|last| last.length >= self.limits.segment);
        if full || self.starved {
            // Where it does not work now, the next append tries it.
            freed |= self.make_room().unwrap_or(false);
        }
        // Neither synced nor needed: without it the same is sent again, which is harmless.
        let place = self.folder.join("acked");
        let fresh = self.folder.join("acked.new");
        if std::fs::write(&fresh, seq.to_string())
            .and_then(|()| std::fs::rename(&fresh, &place))
            .is_err()
        {
            let _ = std::fs::remove_file(&fresh);
        }
        if freed {
            self.keep_reserve();
        }
        Ok(())
    }

    /// Gives the last segment's place free where all of it is acknowledged, also where it is not long yet;
    /// whether something was deleted.
    fn make_room(&mut self) -> Result<bool, SpoolError> {
        let done = self.acked == self.head.0
            && (self.segments.back()).is_some_and(|last| last.next() > last.first);
        if !done {
            return Ok(false);
        }
        self.roll()?;
        self.sync()?;
        self.let_go()
    }

    /// Deletes segments of which everything is acknowledged, but for the last; whether there was one.
    pub(crate) fn let_go(&mut self) -> Result<bool, SpoolError> {
        let seq = self.acked;
        let mut freed = false;
        while self.segments.len() > 1
            && self
                .segments
                .front()
                .is_some_and(|oldest| oldest.next() <= seq + 1)
        {
            if let Some(oldest) = self.segments.pop_front() {
                std::fs::remove_file(&oldest.path).map_err(|source| SpoolError::Write {
                    path: oldest.path,
                    source,
                })?;
                freed = true;
            }
        }
        Ok(freed)
    }

    /// All segments together may have so many bytes from now on. What is held stays, also where it is more:
    /// then nothing is taken until so much was acknowledged.
    pub fn set_total(&mut self, total: u64) {
        if total > self.limits.total {
            self.starved = false;
        }
        self.limits.total = total;
    }

    /// A segment that has grown past so many bytes is followed by a new one from now on.
    pub fn set_segment(&mut self, segment: u64) {
        self.limits.segment = segment;
    }

    /// Bytes up to the bound.
    pub fn room(&self) -> u64 {
        self.limits.total.saturating_sub(self.bytes())
    }

    /// Bounds in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Number of the oldest event that is held; the next one where none is.
    pub fn oldest(&self) -> u64 {
        self.segments.front().map_or(1, |oldest| oldest.first)
    }

    /// Number and hash of the last event; zero and zeros before the first.
    pub fn head(&self) -> (u64, Hash) {
        self.head
    }

    /// Last synced sequence number.
    pub fn synced(&self) -> u64 {
        self.synced
    }

    /// Last acknowledged sequence number.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// How many events wait for an acknowledgement; those that were dropped do not.
    pub fn queued(&self) -> u64 {
        let waits_after = self.acked.max(self.oldest().saturating_sub(1));
        self.head.0.saturating_sub(waits_after)
    }

    /// The last note.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The bound of all segments together, in bytes.
    pub fn limit(&self) -> u64 {
        self.limits.total
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.length.max(HEADER as u64))
            .sum()
    }
}

/// A process that is just going away may still hold the lock: it is waited for, a second at most.
fn lock_exclusively(lock: &File) -> Result<(), ()> {
    for _ in 0..50 {
        if flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Err(())
}

pub(crate) fn hash(event: &Event) -> Result<Hash, SpoolError> {
    event
        .hash()
        .map_err(|error| SpoolError::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    use cmdai_schema::{EventType, Payload};

    use super::*;

    fn event(head: (u64, Hash)) -> Event {
        let payload = Payload::default();
        Event::seal(
            format!("e{}", head.0 + 1),
            head.0 + 1,
            head.1,
            "2026-01-01T00:00:00.000Z".into(),
            EventType::SensorStarted,
            "m".into(),
            [0; 16],
            payload,
        )
        .unwrap()
    }

    #[test]
    fn a_full_disk_refuses_the_append_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let key = SpoolKey::from_bytes([1; 32]);
        let mut spool = Spool::open(dir.path(), &key).unwrap();
        spool.append(&[event(spool.head())]).unwrap();
        for room in [0, 1, 10, 60, 200] {
            spool.room = Some(room);
            let refused = spool.append(&[event(spool.head())]);
            assert!(
                matches!(&refused, Err(SpoolError::Write { source, .. }) if source.kind() == io::ErrorKind::StorageFull),
                "{refused:?}"
            );
            assert_eq!(spool.head().0, 1);
        }
        spool.room = None;
        spool.append(&[event(spool.head())]).unwrap();
        spool.sync().unwrap();
        assert!(dir.path().join("reserve").exists());
        let events = spool.read_from(1, 10).unwrap();
        assert_eq!(
            cmdai_schema::verify_chain((0, Hash::default()), &events).unwrap(),
            spool.head()
        );
        drop(spool);
        assert_eq!(Spool::open(dir.path(), &key).unwrap().head().0, 2);
    }

    #[test]
    fn a_segment_that_fills_the_disk_is_let_go_once_it_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let key = SpoolKey::from_bytes([1; 32]);
        let mut spool = Spool::open(dir.path(), &key).unwrap();
        for _ in 0..20 {
            spool
                .append_with_note(&[event(spool.head())], Some("so far"))
                .unwrap();
        }
        spool.sync().unwrap();
        let held = spool.bytes();
        spool.room = Some(0);
        assert!(spool.append(&[event(spool.head())]).is_err());
        // Nothing can be written yet when the acknowledgement comes.
        spool.ack(20).unwrap();
        spool.room = None;
        spool.append(&[event(spool.head())]).unwrap();
        spool.sync().unwrap();
        assert!(spool.bytes() < held, "{} of {held}", spool.bytes());
        assert_eq!(spool.note(), Some("so far"));
        drop(spool);
        let spool = Spool::open(dir.path(), &key).unwrap();
        assert_eq!((spool.head().0, spool.queued()), (21, 1));
        assert_eq!(spool.note(), Some("so far"));
    }
}
