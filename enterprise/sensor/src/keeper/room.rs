//! Room in a full sealed spool whose policy lets the oldest events go.
//!
//! Shares hold here too, see [`super::shares`]: while somebody has more than theirs, only what is theirs goes.
//! A segment holds everybody's events, so what others and the sensor have in it is sealed again at the end of
//! the chain before it is removed. The note that is written with that says so: after a crash in between nothing
//! is sealed a third time.

use std::collections::BTreeSet;

use cmdai_schema::{DropCause, Dropped, Event, MOVED_FROM};
use cmdai_spool::SpoolError;

use super::draft::Draft;
use super::seal::{Note, Sealer, content, salt, weighed};

/// Most bytes of events that are sealed again in one frame.
const FRAME: usize = 2 << 20;

impl Sealer {
    /// [`Sealer::commit`]; where there is no room and policy says so, the oldest events go for it.
    pub(crate) fn commit_with_room(
        &mut self,
        drafts: Vec<Draft>,
        note: Note,
    ) -> Result<(), SpoolError> {
        if !self.drops {
            return self.commit(drafts, note);
        }
        match self.commit(drafts.clone(), note.clone()) {
            Err(SpoolError::Full { needed, .. }) if self.make_room(needed)? => {
                self.commit(drafts, note)
            }
            other => other,
        }
    }

    /// Lets the oldest segments go until a frame of `needed` bytes fits; whether it does.
    fn make_room(&mut self, needed: u64) -> Result<bool, SpoolError> {
        // What would never fit is no reason to empty the spool.
        if needed.saturating_mul(2) > self.spool.limit() {
            return Ok(false);
        }
        // It is sealed anew, with other numbers.
        let wanted = needed.saturating_add(needed / 16).saturating_add(4096);
        // Once around at most: what was sealed again just now is not kept a second time.
        let newest = self.spool.head().0;
        while self.spool.room() < wanted {
            let keep = self.spool.oldest() <= newest;
            if !self.drop_oldest(DropCause::Full, keep)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the oldest segment; whether another one is the oldest now. `keep` seals anew what is in it of those
    /// who have no more than their share, where somebody has more.
    fn drop_oldest(&mut self, why: DropCause, keep: bool) -> Result<bool, SpoolError> {
        let before = self.spool.oldest();
        let Some(doomed) = self.spool.doomed()? else {
            // It was acknowledged, and went for that.
            return Ok(before != self.spool.oldest());
        };
        let above = if keep {
            self.note.shares.above(self.spool.limit())
        } else {
            BTreeSet::new()
        };
        let goes = |event: &Event| {
            above.is_empty()
                || event.payload.user.uid.is_some_and(|uid| above.contains(&uid))
                // It is told anew, of more.
                || Dropped::of(event).is_some()
        };
        let rest: Vec<&Event> = doomed.iter().filter(|event| !goes(event)).collect();
        let kept = match doomed.last() {
            Some(last) => self.seal_again(&rest, last.envelope.seq)?,
            None => 0,
        };
        let held = self.spool.bytes();
        let Some(dropped) = self.spool.drop_oldest(why, kept)? else {
            return Ok(false);
        };
        tracing::warn!("{}", dropped.sentence());
        let texts: Vec<(u32, usize)> = doomed
            .iter()
            .filter_map(|event| weighed(&event.payload))
            .collect();
        let freed = held.saturating_sub(self.spool.bytes());
        let gone = |uid| above.is_empty() || above.contains(&uid);
        let head = self.spool.head().0;
        (self.note.shares).dropped(dropped.to, freed, &texts, gone, head);
        Ok(true)
    }

    /// Seals events anew, as they are, at the end of the chain; how many. `last` is the last number of their
    /// segment.
    fn seal_again(&mut self, events: &[&Event], last: u64) -> Result<u64, SpoolError> {
        if self.note.moved.0 == last {
            return Ok(self.note.moved.1);
        }
        let mut events = events.iter().peekable();
        let mut kept = 0u64;
        while events.peek().is_some() {
            let mut head = self.spool.head();
            let mut fresh = Vec::new();
            let mut length = 0;
            while length < FRAME
                && let Some(event) = events.next()
            {
                let envelope = &event.envelope;
                let mut payload = event.payload.clone();
                (payload.detail.entry(MOVED_FROM.to_owned()))
                    .or_insert_with(|| envelope.seq.to_string());
                length += serde_json::to_vec(&payload).map_or(0, |json| json.len());
                let again = Event::seal(
                    uuid::Uuid::now_v7().to_string(),
                    head.0 + 1,
                    head.1,
                    envelope.time.clone(),
                    envelope.event_type,
                    envelope.machine_id.clone(),
                    salt()?,
                    payload,
                )
                .map_err(content)?;
                head = (again.envelope.seq, again.hash().map_err(content)?);
                fresh.push(again);
            }
            kept += fresh.len() as u64;
            if events.peek().is_some() {
                self.spool.append_again(&fresh, None)?;
            } else {
                let mut note = self.note.clone();
                note.moved = (last, kept);
                let text = serde_json::to_string(&note).map_err(content)?;
                self.spool.append_again(&fresh, Some(&text))?;
                self.note = note;
            }
        }
        self.spool.sync()?;
        Ok(kept)
    }

    /// Whether the oldest segment's last event happened before a moment (RFC 3339 as events have it).
    pub(crate) fn is_older(&self, moment: &str) -> Result<bool, SpoolError> {
        let span = self.spool.oldest_span()?;
        Ok(span.is_some_and(|span| span.last.as_str() < moment))
    }

    /// Removes whole segments whose events are all older than a moment.
    pub(crate) fn expire(&mut self, moment: &str) -> Result<(), SpoolError> {
        while self.is_older(moment)? && self.drop_oldest(DropCause::Age, false)? {}
        Ok(())
    }

    /// Ends the segment that is written where it was begun before a moment.
    pub(crate) fn turn_over(&mut self, moment: &str) -> Result<(), SpoolError> {
        match self.spool.newest_begun()? {
            Some(begun) if begun.as_str() < moment => self.spool.begin_anew(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cmdai_schema::{EventType, MachineRef, UserRef};
    use cmdai_spool::{Limits, SpoolKey};

    use super::*;

    const FLOOD: u32 = 1000;
    const OTHER: u32 = 1001;

    fn open(folder: &std::path::Path) -> Sealer {
        let limits = Limits {
            segment: 64 << 10,
            total: 1 << 20,
        };
        let key = SpoolKey::from_bytes([4; 32]);
        let machine = MachineRef::default();
        let mut sealer = Sealer::open(folder, &key, "m".into(), machine, limits).unwrap();
        sealer.set_bounds(None, true);
        sealer
    }

    fn say(sealer: &mut Sealer, uid: Option<u32>, name: &str, length: usize) {
        let detail = [("name", name.to_owned()), ("fill", "x".repeat(length))];
        let draft = Draft::sensor(EventType::SensorStarted, &detail).about(UserRef {
            uid,
            ..UserRef::default()
        });
        let note = sealer.note().clone();
        sealer.commit_with_room(vec![draft], note).unwrap();
    }

    /// How often each named event is there that is nobody's flood.
    fn there(sealer: &Sealer) -> BTreeMap<String, usize> {
        let mut there = BTreeMap::new();
        for event in sealer.spool().read_from(1, usize::MAX).unwrap() {
            if event.payload.user.uid != Some(FLOOD) {
                *there
                    .entry(event.payload.detail["name"].clone())
                    .or_default() += 1;
            }
        }
        there
    }

    fn each_once() -> BTreeMap<String, usize> {
        ["hers", "the sensor's", "hers too"]
            .map(|name| (name.to_owned(), 1))
            .into()
    }

    fn begin(sealer: &mut Sealer) {
        say(sealer, Some(OTHER), "hers", 100);
        say(sealer, None, "the sensor's", 100);
        say(sealer, Some(OTHER), "hers too", 100);
    }

    #[test]
    fn what_others_have_stays_however_often_a_flood_goes_around() {
        let dir = tempfile::tempdir().unwrap();
        let mut sealer = open(dir.path());
        begin(&mut sealer);
        for _ in 0..1_000 {
            say(&mut sealer, Some(FLOOD), "flood", 8_000);
            assert!(sealer.spool().bytes() <= (1 << 20) + 4_096);
        }
        assert_eq!(there(&sealer), each_once());
        let (dropped, _) = sealer.spool().dropped();
        assert!(dropped > 700, "{dropped}");
        let owed: Vec<Dropped> = sealer.spool().owed().cloned().collect();
        assert_eq!(owed.len(), 1);
        assert!(owed[0].kept >= 3 * 5, "{owed:?}");
    }

    #[test]
    fn where_nobody_has_more_than_their_share_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut sealer = open(dir.path());
        // The sensor's own events have no share.
        for number in 0..300 {
            say(&mut sealer, None, &format!("s{number}"), 8_000);
        }
        let there = there(&sealer);
        assert!(!there.contains_key("s0") && there.contains_key("s299"));
        assert_eq!(sealer.spool().owed().map(|one| one.kept).sum::<u64>(), 0);
    }

    #[test]
    fn a_crash_before_the_removal_seals_nothing_a_third_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut sealer = open(dir.path());
        begin(&mut sealer);
        while sealer.spool().room() > 20_000 {
            say(&mut sealer, Some(FLOOD), "flood", 8_000);
        }
        let doomed = sealer.spool.doomed().unwrap().unwrap();
        let hers = |event: &&Event| event.payload.user.uid != Some(FLOOD);
        let rest: Vec<&Event> = doomed.iter().filter(hers).collect();
        let last = doomed.last().unwrap().envelope.seq;
        assert_eq!(sealer.seal_again(&rest, last).unwrap(), 3);
        drop(sealer);
        let mut sealer = open(dir.path());
        assert_eq!(there(&sealer).values().sum::<usize>(), 6);
        for _ in 0..10 {
            say(&mut sealer, Some(FLOOD), "flood", 8_000);
        }
        assert_eq!(there(&sealer), each_once());
        let owed: Vec<Dropped> = sealer.spool().owed().cloned().collect();
        assert_eq!((owed.len(), owed[0].from, owed[0].kept), (1, 1, 3));
    }
}
