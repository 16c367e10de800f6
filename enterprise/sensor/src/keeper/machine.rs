//! The keeper's side of the machine layer: on and off by the policy, what is seen into the chain.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cmdai_policy::ExecCapture;
use cmdai_schema::governor::{LayerStatus, Reply};
use cmdai_schema::paths::GovernedMark;
use cmdai_schema::{EventType, Subject, UserRef};

use super::draft::Draft;
use super::tail::Tail;
use super::turn::Keeper;
use crate::machine::{Machine, Order, Setup};
use crate::{accounts, files};

/// Drafts of the machine layer that wait while nothing can be sealed; what is beyond is counted.
const MAX_HELD: usize = 4_000;
/// Drafts that are sealed in one round.
const ROUND: usize = 256;
/// How long events of somebody above their share are counted before an event says how many they are.
const UNTOLD: Duration = Duration::from_secs(60);

/// What the core keeps of it.
#[derive(Default)]
pub(crate) struct Capture {
    machine: Option<Machine>,
    held: std::collections::VecDeque<Draft>,
    dropped: u64,
    /// By person: events that are not told because theirs fill their share of the sealed spool, and since
    /// when they are counted.
    untold: BTreeMap<u32, (Instant, u64)>,
    /// Version of the policy whose word holds, and that word.
    wanted: (u64, ExecCapture),
    /// Digest of the snapshot that the worker judges by.
    told: String,
    /// Why it cannot be started.
    refused: Option<String>,
    courier: Option<u32>,
}

impl Keeper {
    /// Once a second: what the policy wants, and what the worker needs for it.
    pub(crate) fn follow_capture(&mut self, courier: Option<u32>) {
        let version = self
            .installed
            .as_ref()
            .map_or(0, |installed| installed.version);
        if self.capture.wanted.0 != version {
            let wanted = self
                .installed
                .as_ref()
                .and_then(|installed| installed.read().ok())
                .map_or(ExecCapture::Off, |set| set.document().capture.exec);
            self.capture.wanted = (version, wanted);
        }
        let wanted = self.capture.wanted.1;
        if self.capture.courier != courier {
            self.capture.courier = courier;
        }
        let running = self
            .capture
            .machine
            .as_ref()
            .map_or(ExecCapture::Off, Machine::mode);
        if running != wanted {
            match (wanted, self.capture.machine.as_mut()) {
                (ExecCapture::Off, _) => self.stop_capture(),
                (mode, Some(machine)) => machine.set_mode(mode),
                (mode, None) => self.start_capture(mode),
            }
        }
        if self.capture.machine.is_none() {
            return;
        }
        let digest = self
            .guard
            .bytes()
            .map(super::policy::digest)
            .unwrap_or_default();
        if digest != self.capture.told
            && let Some(bytes) = self.guard.bytes().map(<[u8]>::to_vec)
        {
            let subject = self.subject();
            if let Some(machine) = &mut self.capture.machine {
                machine.order(Order::Policy(bytes, Box::new(subject)));
                self.capture.told = digest;
            }
        }
    }

    fn start_capture(&mut self, mode: ExecCapture) {
        let own = [Some(std::process::id()), self.capture.courier];
        let setup = Setup {
            choice: self.options.exec_source,
            judge: self.options.judge.clone(),
            account: self.options.courier_account.clone(),
            own: own.into_iter().flatten().collect(),
        };
        self.capture.told.clear();
        match Machine::start(setup, mode) {
            Ok(machine) => {
                self.capture.machine = Some(machine);
                self.capture.refused = None;
            }
            Err(error) => self.capture.refused = Some(error.to_string()),
        }
    }

    /// Ends it; what it still had to say is sealed.
    pub(crate) fn stop_capture(&mut self) {
        if let Some(machine) = self.capture.machine.take() {
            let last = machine.stop();
            self.hold(last);
            self.seal_held();
            self.seal_untold(true);
        }
    }

    /// As whom commands of this machine are judged.
    fn subject(&self) -> Subject {
        let mark: GovernedMark = files::read_json(&self.options.places.mark)
            .ok()
            .flatten()
            .unwrap_or_default();
        Subject {
            teams: mark.teams,
            labels: mark.labels,
            machine_id: Some(self.identity.machine_id.clone()),
            ..Subject::default()
        }
    }

    fn hold(&mut self, drafts: Vec<Draft>) {
        let above = self.sealer.above();
        for draft in drafts {
            let uid = draft.payload.user.uid.filter(|uid| above.contains(uid));
            if let Some(uid) = uid {
                let untold = self.capture.untold.entry(uid);
                let (_, count) = untold.or_insert_with(|| (Instant::now(), 0));
                *count = count.saturating_add(1);
            } else if self.capture.held.len() >= MAX_HELD {
                self.capture.dropped = self.capture.dropped.saturating_add(1);
            } else {
                self.capture.held.push_back(draft);
            }
        }
    }

    /// Says how many events of people above their share were not told. `all`: also of those whom it counts on.
    fn seal_untold(&mut self, all: bool) {
        let above = self.sealer.above();
        let due: Vec<u32> = (self.capture.untold.iter())
            .filter(|(uid, (since, _))| all || !above.contains(uid) || since.elapsed() >= UNTOLD)
            .map(|(uid, _)| *uid)
            .collect();
        for uid in due {
            let count = self.capture.untold.get(&uid).map_or(0, |(_, count)| *count);
            let detail = [
                (
                    "cause",
                    "this person's events fill more than their share of the sealed spool"
                        .to_owned(),
                ),
                ("finding", "exec-lost".to_owned()),
                ("lost", count.to_string()),
            ];
            let user = UserRef {
                user_id: accounts::login(uid),
                uid: Some(uid),
                ..UserRef::default()
            };
            if self.seal(vec![Draft::sensor(EventType::Gap, &detail).about(user)]) {
                self.capture.untold.remove(&uid);
            }
        }
    }

    fn seal_held(&mut self) {
        while !self.capture.held.is_empty() {
            let count = self.capture.held.len().min(ROUND);
            let mut batch: Vec<Draft> = self.capture.held.iter().take(count).cloned().collect();
            if self.capture.dropped > 0 {
                let detail = [
                    (
                        "cause",
                        "events about programs could not be sealed".to_owned(),
                    ),
                    ("finding", "exec-lost".to_owned()),
                    ("lost", self.capture.dropped.to_string()),
                ];
                batch.push(Draft::sensor(EventType::Gap, &detail));
            }
            if !self.seal(batch) {
                return;
            }
            self.capture.dropped = 0;
            self.capture.held.drain(..count);
        }
    }

    /// Each round: reports to the worker, its drafts into the chain.
    pub(crate) fn capture_round(&mut self, tail: &mut Tail) {
        tail.watch(self.capture.machine.is_some());
        let sightings = tail.sightings();
        let mut all = Vec::new();
        if let Some(machine) = &mut self.capture.machine {
            if !sightings.is_empty() {
                machine.order(Order::Sightings(sightings));
            }
            while all.len() < ROUND
                && let Some(mut drafts) = machine.drafts()
            {
                all.append(&mut drafts);
            }
        }
        self.hold(all);
        self.seal_held();
        self.seal_untold(false);
    }

    /// A grant or an emergency that a process uses holds for what it starts.
    pub(crate) fn capture_reply(&mut self, reply: &Reply, uid: u32, pid: u32) {
        if matches!(reply, Reply::Granted { .. } | Reply::Permitted { .. })
            && let Some(machine) = &mut self.capture.machine
        {
            machine.order(Order::Permitted { uid, pid });
        }
    }

    /// The layers, for status.
    pub(crate) fn layers(&self) -> Vec<LayerStatus> {
        let exec = match (&self.capture.machine, &self.capture.refused) {
            (Some(machine), _) => {
                let mut status = machine.status();
                status.lost = status
                    .lost
                    .saturating_add(self.capture.dropped)
                    .saturating_add(machine.missed);
                status
            }
            (None, why) => LayerStatus {
                name: "exec".to_owned(),
                state: why.as_ref().map_or_else(
                    || "off by the policy (capture.exec)".to_owned(),
                    |why| format!("off: {why}"),
                ),
                ..LayerStatus::default()
            },
        };
        vec![exec]
    }
}
