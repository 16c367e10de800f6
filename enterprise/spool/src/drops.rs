//! Removing the oldest segment although nobody has it, and saying so.

use std::fs::File;
use std::io;

use cmdai_schema::{Absent, DropCause, Dropped, Event};

use crate::gaps::MAX_GAPS;
use crate::spool::hash;
use crate::{Spool, SpoolError};

/// Times of the oldest segment's events, as they say themselves (RFC 3339).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The earliest.
    pub first: String,
    /// The latest.
    pub last: String,
}

/// Where a test lets a drop end.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Intent,
    Removal,
    Plan,
}

impl Spool {
    /// The events that [`Spool::drop_oldest`] would remove now; nothing where it would remove none.
    ///
    /// # Errors
    /// As there.
    pub fn doomed(&mut self) -> Result<Option<Vec<Event>>, SpoolError> {
        if !self.part_oldest()? {
            return Ok(None);
        }
        let Some(oldest) = self.segments.front() else {
            return Ok(None);
        };
        let mut events = Vec::new();
        for frame in oldest.frames.iter().filter(|frame| frame.count > 0) {
            events.extend(oldest.read(*frame, &self.cipher)?.events);
        }
        events.retain(|event| event.envelope.seq > self.acked);
        Ok(Some(events))
    }

    /// Whether the oldest segment is one that may be dropped: it is not the one that is written, and something in
    /// it is not acknowledged.
    fn part_oldest(&mut self) -> Result<bool, SpoolError> {
        if self.failed {
            return Err(SpoolError::Failed);
        }
        if self.gaps.gaps.len() >= MAX_GAPS {
            return Err(SpoolError::Gaps { limit: MAX_GAPS });
        }
        if self.segments.len() == 1 {
            // The last one goes on being written: what is in it goes, and the head and the note stay.
            if (self.segments.back()).is_none_or(|only| only.next() == only.first) {
                return Ok(false);
            }
            self.roll()?;
        }
        // A segment is removed for being acknowledged before it is for being old.
        Ok(!self.let_go()?)
    }

    /// Removes the oldest whole segment, of which something is not acknowledged: nothing where no event is
    /// held. The range is owed a gap event from then on, see [`Spool::owed`]; `kept` of its events were appended
    /// again.
    ///
    /// # Errors
    /// Where the disk refuses or the segment cannot be read: then it stays. [`SpoolError::Gaps`] where too
    /// many ranges wait for the server already.
    pub fn drop_oldest(
        &mut self,
        why: DropCause,
        kept: u64,
    ) -> Result<Option<Dropped>, SpoolError> {
        if !self.part_oldest()? {
            return Ok(None);
        }
        let Some(mut dropped) = self.oldest_range(why)? else {
            return Ok(None);
        };
        dropped.kept = kept.min(dropped.count());
        self.gaps.removing = Some(dropped.clone());
        if let Err(error) = self.save_gaps() {
            self.gaps.removing = None;
            return Err(error);
        }
        #[cfg(test)]
        self.die(Point::Intent)?;
        let Some(oldest) = self.segments.front() else {
            return Err(SpoolError::Failed);
        };
        let write = |source: io::Error| SpoolError::Write {
            path: oldest.path.clone(),
            source,
        };
        if let Err(source) = std::fs::remove_file(&oldest.path) {
            let error = write(source);
            self.gaps.removing = None;
            return Err(error);
        }
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        if let Err(source) = synced {
            let error = write(source);
            self.failed = true;
            return Err(error);
        }
        #[cfg(test)]
        self.die(Point::Removal)?;
        self.segments.pop_front();
        self.gaps.removed(dropped.clone());
        self.keep_reserve();
        Ok(Some(dropped))
    }

    #[cfg(test)]
    fn die(&mut self, point: Point) -> Result<(), SpoolError> {
        if self.dies == Some(point) {
            self.failed = true;
            return Err(SpoolError::Failed);
        }
        Ok(())
    }

    /// What would be removed of the oldest segment: the part that is not acknowledged.
    fn oldest_range(&self, why: DropCause) -> Result<Option<Dropped>, SpoolError> {
        let (Some(oldest), Some(second)) = (self.segments.front(), self.segments.get(1)) else {
            return Ok(None);
        };
        let from = oldest.first.max(self.acked.saturating_add(1));
        let mut before = oldest.before;
        let mut span: Option<Span> = None;
        for frame in oldest.frames.iter().filter(|frame| frame.count > 0) {
            for event in oldest.read(*frame, &self.cipher)?.events {
                if event.envelope.seq < from {
                    before = hash(&event)?;
                } else {
                    widen(&mut span, &event);
                }
            }
        }
        Ok(span.map(|span| Dropped {
            from,
            to: second.first.saturating_sub(1),
            before,
            after: second.before,
            kept: 0,
            why,
            first_time: span.first,
            last_time: span.last,
        }))
    }

    /// Times of the oldest segment's events; nothing where it holds none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn oldest_span(&self) -> Result<Option<Span>, SpoolError> {
        let mut span = None;
        let Some(oldest) = self.segments.front() else {
            return Ok(None);
        };
        for frame in oldest.frames.iter().filter(|frame| frame.count > 0) {
            for event in oldest.read(*frame, &self.cipher)?.events {
                widen(&mut span, &event);
            }
        }
        Ok(span)
    }

    /// The time of the first event of the segment that is being written; nothing where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn newest_begun(&self) -> Result<Option<String>, SpoolError> {
        let Some(last) = self.segments.back() else {
            return Ok(None);
        };
        let Some(frame) = last.frames.iter().find(|frame| frame.count > 0) else {
            return Ok(None);
        };
        let content = last.read(*frame, &self.cipher)?;
        Ok((content.events.first()).map(|event| event.envelope.time.clone()))
    }

    /// Ends the segment that is being written, so that it can be dropped as a whole; what follows goes into a
    /// new one.
    ///
    /// # Errors
    /// Where the disk refuses: then the same one goes on.
    pub fn begin_anew(&mut self) -> Result<(), SpoolError> {
        if (self.segments.back()).is_none_or(|last| last.next() == last.first) {
            return Ok(());
        }
        self.roll()
    }

    /// Ranges that no gap event tells of yet, oldest first. Events with [`Dropped::detail`] in them are
    /// recognised when they are appended; they may go beyond the bound.
    pub fn owed(&self) -> impl Iterator<Item = &Dropped> {
        let owed = self.gaps.gaps.iter().filter(|gap| gap.told.is_none());
        owed.map(|gap| &gap.dropped)
    }

    /// Ranges that the server has not read of yet, oldest first.
    pub fn unread(&self) -> impl Iterator<Item = &Dropped> {
        self.gaps.gaps.iter().map(|gap| &gap.dropped)
    }

    /// How many events were ever dropped here, and the last range of them.
    pub fn dropped(&self) -> (u64, Option<&Dropped>) {
        (self.gaps.total, self.gaps.last.as_ref())
    }

    /// What a reader who has everything before `from` must be told before it can go on with the oldest event
    /// that is held: nothing where nothing is absent, or where a gap event is still owed.
    pub fn absent(&self, from: u64) -> Option<Absent> {
        self.gaps.absent(from, self.oldest())
    }

    /// Writes down which of these events will tell of what, before they are written themselves; their
    /// numbers.
    pub(crate) fn plan(&mut self, events: &[Event]) -> Result<Vec<u64>, SpoolError> {
        let mut telling = Vec::new();
        if self.gaps.gaps.iter().all(|gap| gap.told.is_some()) {
            return Ok(telling);
        }
        for event in events {
            let Some(dropped) = Dropped::of(event) else {
                continue;
            };
            let owed = (self.gaps.gaps.iter_mut())
                .find(|gap| gap.told.is_none() && gap.dropped == dropped);
            if let Some(gap) = owed {
                gap.told = Some(event.envelope.seq);
                telling.push(event.envelope.seq);
            }
        }
        if !telling.is_empty()
            && let Err(error) = self.save_gaps()
        {
            self.gaps.unplan(&telling);
            return Err(error);
        }
        #[cfg(test)]
        if !telling.is_empty() {
            self.die(Point::Plan)?;
        }
        Ok(telling)
    }

    /// Writes the list; with the room that is set aside, where there is no other.
    fn save_gaps(&self) -> Result<(), SpoolError> {
        match self.gaps.save(&self.folder) {
            Err(SpoolError::Write { .. }) if std::fs::remove_file(self.reserve()).is_ok() => {
                self.gaps.save(&self.folder)
            }
            other => other,
        }
    }

    /// Decides, after opening, what a crash left open.
    pub(crate) fn recover_gaps(&mut self) -> Result<(), SpoolError> {
        let oldest = self.oldest();
        let mut gaps = std::mem::take(&mut self.gaps);
        let was = gaps.clone();
        if let Some(removing) = gaps.removing.take()
            && oldest > removing.to
        {
            gaps.removed(removing);
        }
        for gap in &mut gaps.gaps {
            let Some(told) = gap.told else { continue };
            if told < oldest {
                // It was acknowledged: where it was dropped, the list says so.
                continue;
            }
            let held = (self.gap_event(told)?)
                .is_some_and(|event| Dropped::of(&event).as_ref() == Some(&gap.dropped));
            if !held {
                gap.told = None;
            }
        }
        self.gaps = gaps;
        if self.gaps != was {
            self.save_gaps()?;
        }
        Ok(())
    }

    fn gap_event(&self, seq: u64) -> Result<Option<Event>, SpoolError> {
        for segment in &self.segments {
            for frame in &segment.frames {
                if (frame.first..frame.next()).contains(&seq) {
                    let events = segment.read(*frame, &self.cipher)?.events;
                    return Ok(events.into_iter().find(|event| event.envelope.seq == seq));
                }
            }
        }
        Ok(None)
    }
}

fn widen(span: &mut Option<Span>, event: &Event) {
    let time = &event.envelope.time;
    match span {
        None => {
            *span = Some(Span {
                first: time.clone(),
                last: time.clone(),
            });
        }
        Some(span) => {
            if *time < span.first {
                span.first.clone_from(time);
            }
            if *time > span.last {
                span.last.clone_from(time);
            }
        }
    }
}

#[cfg(test)]
mod tests;
