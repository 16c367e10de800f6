//! What becomes of sealed events that wait too long, and how that is told.

use std::time::Instant;

use cmdai_schema::governor::DroppedStatus;
use jiff::{SignedDuration, Timestamp};

use super::turn::Keeper;
use crate::clock;

/// A moment so many hours before now, as events write it.
fn ago(now: Timestamp, hours: i64) -> String {
    let before = now.saturating_sub(SignedDuration::from_hours(hours));
    clock::text(before.unwrap_or(Timestamp::MIN))
}

impl Keeper {
    /// Now and then: events that are older than policy keeps them go, a segment at a time. While that is
    /// policy, a segment is at most a day long. They must have been too old for [`crate::Options::settles`]: a
    /// clock that is wrong after a start of the machine, and put right soon, costs nothing.
    pub(crate) fn let_old_go(&mut self) {
        let Some(days) = self.keep_days else {
            self.too_old = None;
            return;
        };
        let now = clock::now();
        let moment = ago(now, i64::from(days) * 24);
        let sealer = &mut self.sealer;
        let done = sealer.turn_over(&ago(now, 24)).and_then(|()| {
            if !sealer.is_older(&moment)? {
                self.too_old = None;
                return Ok(());
            }
            let since = *self.too_old.get_or_insert_with(Instant::now);
            if since.elapsed() < self.options.settles {
                return Ok(());
            }
            sealer.expire(&moment)
        });
        match done {
            Ok(()) => self.problems.remove("age"),
            Err(error) => {
                let text = format!("events that are too old cannot be dropped: {error}");
                self.problems.insert("age", text)
            }
        };
    }

    /// Seals what was dropped, where the server is there to read of it: so ranges that touch become one event.
    /// False where something is owed and not told: nothing may be sent then.
    pub(crate) fn tell_dropped(&mut self) -> bool {
        let owed = self.sealer.owed();
        if owed.is_empty() {
            return true;
        }
        // A contact says what the server has: what it read before its answer was lost is not told again.
        let reachable = self.contact.is_some() && !self.problems.contains_key("server");
        reachable && self.seal(owed)
    }

    /// For people on the machine.
    pub(crate) fn dropped_status(&self) -> Option<DroppedStatus> {
        let spool = self.sealer.spool();
        let (events, last) = spool.dropped();
        let last = last?;
        Some(DroppedStatus {
            events,
            unread: spool.unread().map(|one| one.count()).sum(),
            from: last.from,
            to: last.to,
            last: last.sentence(),
        })
    }
}
