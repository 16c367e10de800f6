//! The keeper's state and its loop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cmdai_policy::WhenFull;
use cmdai_schema::governor::Status;
use cmdai_schema::{Context, EventType, MachineRef, UserRef};
use cmdai_spool::{SpoolError, SpoolKey};

use super::approvals::{Approvals, State};
use super::draft::Draft;
use super::exceptions::{Exceptions, Lifted};
use super::orders::Ordered;
use super::policy::{self, Installed};
use super::seal::{Note, Sealer};
use super::tail::Tail;
use super::watch::{Guard, Watch};
use super::{Couriers, Input, governor};
use crate::identity::{Home, Identity, platform};
use crate::options::Options;
use crate::{accounts, clock, files};

/// How long a sensor that stops waits for its last events to be taken.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Events of the sensor's own that wait for room; what is beyond is counted.
const MAX_OWED: usize = 1_000;
/// How often the spools are looked at.
const ROUND: Duration = Duration::from_millis(50);

pub(crate) struct Keeper {
    pub(crate) options: Options,
    pub(crate) home: Home,
    pub(crate) identity: Identity,
    pub(crate) sealer: Sealer,
    pub(crate) installed: Option<Installed>,
    pub(crate) ordered: Ordered,
    pub(crate) approvals: Approvals,
    pub(crate) exceptions: Exceptions,
    /// The table of approvals was put back: told once.
    put_back: Option<String>,
    pub(crate) guard: Guard,
    pub(crate) watch: Watch,
    pub(crate) contact: Option<Instant>,
    pub(crate) refusal: Option<policy::Refusal>,
    /// Roads of releases beside the server.
    pub(crate) roads: crate::options::Roads,
    /// Stamp of the server's state that was looked at last.
    pub(crate) looked: String,
    /// Version of the root that this machine trusts.
    pub(crate) root_version: u64,
    /// The ring of this machine, in words.
    pub(crate) ring: String,
    /// What is wrong at the moment, by topic.
    pub(crate) problems: BTreeMap<&'static str, String>,
    /// Commands that were sealed from a report lately, or from a record.
    pub(crate) recent: std::collections::VecDeque<String>,
    pub(crate) reports: super::calls::Reports,
    /// What the policy says of private mode.
    pub(crate) private: super::private::Word,
    /// Version of the policy whose settings are followed; none is a version too.
    followed: Option<Option<u64>>,
    /// Days for which sealed events wait for the server, where policy bounds that.
    pub(crate) keep_days: Option<u32>,
    /// Since when the oldest of them have been too old.
    pub(crate) too_old: Option<Instant>,
    pub(crate) capture: super::machine::Capture,
    /// Events of the sensor's own that found no room yet, and how many there was no place for here either.
    owed: (Vec<Draft>, u64),
    /// The next key of this machine, until its certificate is there.
    pub(crate) renewal: Option<super::renewal::Renewal>,
    logins: BTreeMap<u32, String>,
    root: bool,
    /// The sealed spool must be opened anew.
    broken: Option<SpoolError>,
}

impl Keeper {
    /// Runs until told to stop.
    pub(crate) fn run(options: &Options, stop: &AtomicBool) -> Result<()> {
        raise_open_files();
        let mut keeper = Self::open(options.clone())?;
        let (input, inputs) = channel();
        governor::listen(&options.places.socket, keeper.root, input.clone())?;
        keeper.begin()?;
        let mut couriers = Couriers::new();
        let outcome = keeper.turn(stop, &input, &inputs, &mut couriers);
        if outcome.is_ok() {
            let note = Note {
                running: false,
                ..keeper.sealer.note().clone()
            };
            keeper.seal_with(vec![Draft::sensor(EventType::SensorStopped, &[])], note);
            keeper.linger(&inputs);
        }
        drop(couriers);
        keeper.write_status();
        let _ = std::fs::remove_file(&options.places.socket);
        outcome
    }

    fn open(options: Options) -> Result<Self> {
        let home = Home::of(&options.places);
        let identity = home
            .read_identity()
            .with_context(|| format!("{} cannot be read", home.identity().display()))?;
        let Some(identity) = identity else {
            bail!("this machine is not enrolled: `cmdai-enterprise enrol` first")
        };
        let root = rustix::process::geteuid().is_root();
        let key = SpoolKey::load_or_create(&home.spool_key())?;
        let machine = MachineRef {
            hostname: identity.hostname.clone(),
            platform: platform(),
            ip_address: None,
        };
        let sealer = Sealer::open(
            &home.sealed(),
            &key,
            identity.machine_id.clone(),
            machine,
            options.buffer,
        )?;
        let installed =
            files::read_json(&home.release()).context("the installed release cannot be read")?;
        let ordered = files::read_json(&home.orders())
            .context("the orders cannot be read")?
            .unwrap_or_default();
        let (approvals, put_back) = Approvals::open(
            home.approvals(),
            options.places.socket.with_file_name("approvals.serial"),
            &home.salt(),
            options.request_lifetime,
            sealer.note().approvals_serial,
        )?;
        let exceptions = Exceptions::open(home.exceptions())?;
        let watch = Watch::open(options.watch.clone(), home.watched())
            .context("the list of watched files cannot be read")?;
        let mode = if root { 0o755 } else { 0o700 };
        for folder in [
            Some(options.places.spool.as_path()),
            options.places.snapshot.parent(),
        ]
        .into_iter()
        .flatten()
        {
            // Everybody's shell reads the snapshot and writes below the spool, whatever mode
            // enrolment left the parents of its own folder with.
            if root || !folder.exists() {
                files::make_folder(folder, mode)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
            }
        }
        let roads = files::read_json(&home.roads())
            .context("the roads of releases cannot be read")?
            .unwrap_or_default();
        Ok(Self {
            roads,
            looked: String::new(),
            root_version: policy::root_version(&home, &identity),
            ring: String::new(),
            options,
            home,
            identity,
            sealer,
            installed,
            ordered,
            approvals,
            exceptions,
            put_back,
            guard: Guard::default(),
            watch,
            contact: None,
            refusal: None,
            problems: BTreeMap::new(),
            recent: std::collections::VecDeque::new(),
            reports: super::calls::Reports::default(),
            private: super::private::Word::default(),
            followed: None,
            keep_days: None,
            too_old: None,
            capture: super::machine::Capture::default(),
            owed: (Vec::new(), 0),
            renewal: None,
            logins: BTreeMap::new(),
            root,
            broken: None,
        })
    }

    /// What policy wants hashed is hashed from the next event on. A document that this engine cannot read
    /// changes nothing.
    pub(crate) fn follow_privacy(&mut self) {
        if let Some(Ok(set)) = self.installed.as_ref().map(policy::Installed::read) {
            self.sealer.hash(&set.document().privacy.hash);
        }
    }

    /// Says that the sensor runs, brings the snapshot in order, and tells what a crash kept untold.
    fn begin(&mut self) -> Result<()> {
        let killed = self.sealer.note().running;
        let mut started = Draft::sensor(
            EventType::SensorStarted,
            &[("after", if killed { "crash" } else { "stop" }.to_owned())],
        );
        started.payload.context = Context {
            versions: BTreeMap::from([
                ("sensor".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("engine".to_owned(), cmdai_schema::ENGINE_VERSION.to_owned()),
            ]),
            ..started.payload.context
        };
        let mut drafts = vec![started];
        if let Some(what) = self.put_back.take() {
            drafts.push(Draft::sensor(EventType::Tamper, &[("what", what)]));
        }
        self.follow_privacy();
        let lifted = self.lifted();
        if let Some(installed) = &self.installed {
            match installed.compile(
                &self.identity.organisation,
                self.ordered.quarantine.as_deref(),
                &lifted,
            ) {
                Ok(bytes) => {
                    let found = files::read_bounded(
                        &self.options.places.snapshot,
                        cmdai_policy::MAX_SNAPSHOT as u64,
                    )
                    .ok();
                    // A crash between release and snapshot leaves things untold; all else is somebody's doing,
                    // or another version of the engine's.
                    let told = self.sealer.note().policy == installed.version
                        && self.sealer.note().order_serial == self.ordered.serial
                        && self.sealer.note().lifted == ids(&lifted);
                    if told && found.as_ref() != Some(&bytes) {
                        let what = if found.is_some() {
                            "the snapshot was another one while the sensor did not run"
                        } else {
                            "the snapshot was missing"
                        };
                        drafts.push(Draft::sensor(
                            EventType::Tamper,
                            &[
                                ("path", self.options.places.snapshot.display().to_string()),
                                ("what", what.to_owned()),
                                ("repaired", "yes".to_owned()),
                            ],
                        ));
                    }
                    self.guard
                        .publish(&self.options.places.snapshot, bytes)
                        .context("the snapshot cannot be published")?;
                }
                // An older sensor was put in place of the one that installed it. What is published stays,
                // and the server hears of it.
                Err(refusal) => {
                    self.problems.insert("policy", refusal.text.clone());
                    self.refusal = Some(refusal);
                }
            }
        }
        let note = Note {
            running: true,
            ..self.sealer.note().clone()
        };
        if !self.seal_with(drafts.clone(), note) {
            self.sealer.runs();
            self.owe(drafts);
        }
        if let Some(error) = self.broken.take() {
            return Err(error.into());
        }
        self.reconcile();
        Ok(())
    }

    fn turn(
        &mut self,
        stop: &AtomicBool,
        input: &Sender<Input>,
        inputs: &Receiver<Input>,
        couriers: &mut Couriers,
    ) -> Result<()> {
        let mut tail = Tail::new(&self.options.places.spool);
        let mut next_round = Instant::now();
        let mut next_second = Instant::now();
        let mut seconds = 0u64;
        while !stop.load(Ordering::Relaxed) {
            match inputs.recv_timeout(next_round.saturating_duration_since(Instant::now())) {
                Ok(Input::Governor(call)) => self.call(call),
                Ok(Input::Courier(ask, reply)) => {
                    let _ = reply.send(self.errand(ask));
                }
                Ok(Input::CourierGone) => couriers.gone(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the keeper's inputs are gone"),
            }
            if Instant::now() >= next_round {
                self.round(&mut tail);
                self.capture_round(&mut tail);
                next_round = Instant::now() + ROUND;
            }
            if Instant::now() >= next_second {
                next_second = Instant::now() + Duration::from_secs(1);
                self.second(seconds);
                seconds = seconds.wrapping_add(1);
                if let Err(error) = couriers.tend(&self.options, input) {
                    self.problems.insert("courier", format!("{error:#}"));
                } else {
                    self.problems.remove("courier");
                }
                self.follow_capture(couriers.pid());
            }
            if let Some(error) = self.broken.take() {
                return Err(anyhow::Error::from(error)
                    .context("the sealed spool failed; start the sensor again"));
            }
        }
        // The last words of those who ended just now.
        self.round(&mut tail);
        self.capture_round(&mut tail);
        self.stop_capture();
        Ok(())
    }

    /// Lets the courier carry the last events away, where the server takes them at once: that a
    /// sensor was stopped should be known there before its silence is.
    fn linger(&mut self, inputs: &Receiver<Input>) {
        let until = Instant::now() + LAST_WORDS;
        while self.sealer.spool().queued() > 0 {
            // A courier that asks again and again always has something waiting here: the time ends it too.
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            match inputs.recv_timeout(left) {
                Ok(Input::Governor(call)) => self.call(call),
                Ok(Input::Courier(ask, reply)) => {
                    let _ = reply.send(self.errand(ask));
                }
                Ok(Input::CourierGone) | Err(_) => return,
            }
        }
    }

    /// Takes what the policy says of private mode and of the sealed spool, where it is another policy.
    fn follow_settings(&mut self) {
        let installed = self.installed.as_ref();
        let version = installed.map(|installed| installed.version);
        if self.followed == Some(version) {
            return;
        }
        self.followed = Some(version);
        let set = installed.and_then(|installed| installed.read().ok());
        let document = set.as_ref().map(|set| set.document());
        let permitted = document.and_then(|document| document.privacy.private_mode);
        self.private
            .follow(permitted.unwrap_or(false), clock::now_ms());
        let said = document.map(|document| document.audit.spool.clone());
        let said = said.unwrap_or_default();
        let total = said.max_mib.map(|mebibytes| u64::from(mebibytes) << 20);
        let drops = said.when_full == Some(WhenFull::DropOldest);
        self.sealer.set_bounds(total, drops);
        self.keep_days = said.keep_days.filter(|_| drops);
    }

    fn round(&mut self, tail: &mut Tail) {
        self.follow_settings();
        let mut note = self.sealer.note().clone();
        let logins = &mut self.logins;
        let known = std::cell::RefCell::new(logins);
        let user = |uid: u32| {
            let login = known
                .borrow_mut()
                .entry(uid)
                .or_insert_with(|| accounts::login(uid))
                .clone();
            UserRef {
                user_id: login,
                uid: Some(uid),
                ..UserRef::default()
            }
        };
        let above = self.sealer.above();
        let mut drafts = tail.hold_back(&above, &user);
        if above.is_empty() {
            self.problems.remove("share");
        } else {
            self.problems.insert(
                "share",
                "somebody's records fill more than their share of the sealed spool: theirs are read again when the server has taken some".to_owned(),
            );
        }
        drafts.extend(tail.round(&mut note, &user));
        self.private.mark(&mut drafts);
        for draft in drafts
            .iter()
            .filter(|draft| draft.kind == EventType::CommandBlocked)
        {
            if let Some(command) = &draft.payload.command {
                self.recent.push_back(command.command_id.clone());
            }
        }
        self.recent.drain(..self.recent.len().saturating_sub(2_000));
        let sealed = self.seal_with(drafts, note);
        tail.sealed(sealed);
    }

    /// Once a second.
    fn second(&mut self, count: u64) {
        let mut drafts: Vec<Draft> = self
            .guard
            .look(&self.options.places.snapshot)
            .into_iter()
            .collect();
        let watched = self.watch.look();
        let news = !watched.is_empty() || count == 0;
        drafts.extend(watched);
        self.tell(drafts);
        if news && let Err(error) = self.watch.remember() {
            self.problems.insert(
                "watch",
                format!("the list of watched files cannot be written: {error}"),
            );
        }
        if count.is_multiple_of((self.options.settles.as_secs() / 10).max(1)) {
            self.let_old_go();
        }
        if count.is_multiple_of(10) {
            self.make_folders();
            self.write_status();
            if let Err(error) = self.approvals.prune() {
                self.problems.insert("approvals", format!("{error:#}"));
            }
        }
        self.follow_exceptions();
        self.look_for_import();
        self.freshness();
    }

    fn freshness(&mut self) {
        let lapsed = self
            .installed
            .as_ref()
            .and_then(|installed| installed.expires.parse::<jiff::Timestamp>().ok())
            .is_some_and(|end| end < clock::now());
        if lapsed {
            self.problems.insert("freshness", "the proof that this policy is the newest has lapsed; it stays in force. Check the server and this machine's clock".to_owned());
        } else {
            self.problems.remove("freshness");
        }
    }

    /// A folder for everybody who may log in, so that nobody makes one in another's name.
    fn make_folders(&mut self) {
        self.logins.clear();
        if self.root {
            for account in accounts::all()
                .into_iter()
                .filter(accounts::Account::is_person)
            {
                self.make_folder(account.uid, account.gid);
            }
        } else {
            self.make_folder(
                rustix::process::getuid().as_raw(),
                rustix::process::getgid().as_raw(),
            );
        }
    }

    pub(crate) fn make_folder(&mut self, uid: u32, gid: u32) {
        let folder = self.options.places.user_spool(uid);
        if folder.exists() {
            return;
        }
        let made = files::make_folder(&folder, 0o700).and_then(|()| {
            if self.root {
                std::os::unix::fs::chown(&folder, Some(uid), Some(gid))
            } else {
                Ok(())
            }
        });
        if let Err(error) = made {
            self.problems.insert(
                "spool",
                format!("{} cannot be made: {error}", folder.display()),
            );
        }
    }

    /// Seals what only the sensor knows. What finds no room is told as soon as there is some.
    pub(crate) fn tell(&mut self, mut drafts: Vec<Draft>) {
        let (mut owed, lost) = std::mem::take(&mut self.owed);
        if owed.is_empty() && drafts.is_empty() {
            return;
        }
        owed.append(&mut drafts);
        let mut all = owed.clone();
        if lost > 0 {
            let detail = [
                (
                    "cause",
                    "events of the sensor could not be sealed".to_owned(),
                ),
                ("lost", lost.to_string()),
            ];
            all.push(Draft::sensor(EventType::Gap, &detail));
        }
        if !self.seal(all) {
            self.owed.1 = lost;
            self.owe(owed);
        }
    }

    /// Keeps what could not be sealed, with its time.
    fn owe(&mut self, drafts: Vec<Draft>) {
        let now = clock::now_ms();
        for mut draft in drafts {
            if self.owed.0.len() >= MAX_OWED {
                self.owed.1 = self.owed.1.saturating_add(1);
                continue;
            }
            draft.time_ms.get_or_insert(now);
            self.owed.0.push(draft);
        }
    }

    /// Seals drafts beside the note as it is.
    pub(crate) fn seal(&mut self, drafts: Vec<Draft>) -> bool {
        let note = self.sealer.note().clone();
        self.seal_with(drafts, note)
    }

    /// Seals drafts and note. False where the disk or the bound refused: then nothing changed.
    pub(crate) fn seal_with(&mut self, drafts: Vec<Draft>, note: Note) -> bool {
        match self.sealer.commit_with_room(drafts, note) {
            Ok(()) => {
                self.problems.remove("sealing");
                true
            }
            Err(error) => {
                self.problems.insert(
                    "sealing",
                    format!("nothing more is sealed: {error}; hooks' records stay where they are"),
                );
                if matches!(error, SpoolError::Failed) {
                    self.broken = Some(error);
                }
                false
            }
        }
    }

    /// Makes the events that are due for what is durable already: after each change, and after a
    /// crash in between. The note says what was told.
    pub(crate) fn reconcile(&mut self) -> bool {
        let mut note = self.sealer.note().clone();
        let mut drafts = Vec::new();
        if let Some(installed) = self
            .installed
            .as_ref()
            .filter(|installed| installed.version != note.policy)
        {
            let digest = self.guard.bytes().map(policy::digest).unwrap_or_default();
            let detail = [
                ("version", installed.version.to_string()),
                ("previous", note.policy.to_string()),
                ("sha256", installed.sha256.clone()),
                ("published", installed.published.clone()),
                ("snapshot_digest", digest),
            ];
            drafts.push(Draft::sensor(EventType::PolicyUpdated, &detail));
            note.policy = installed.version;
        }
        if self.ordered.serial != note.order_serial {
            let detail = [
                (
                    "state",
                    if self.ordered.quarantine.is_some() {
                        "quarantined"
                    } else {
                        "released"
                    }
                    .to_owned(),
                ),
                (
                    "reason",
                    self.ordered.quarantine.clone().unwrap_or_default(),
                ),
                ("serial", self.ordered.serial.to_string()),
                ("issued_by", self.ordered.issued_by.clone()),
                ("issued", self.ordered.issued.clone()),
            ];
            drafts.push(Draft::sensor(EventType::QuarantineChanged, &detail));
            note.order_serial = self.ordered.serial;
        }
        for entry in self.approvals.entries() {
            let request = &entry.open.request;
            let user = UserRef {
                user_id: request.user.clone(),
                uid: Some(request.uid),
                ..UserRef::default()
            };
            let told = |kind| {
                let mut detail = vec![
                    ("text", request.binding.text.clone()),
                    ("rules", request.binding.rules.join(" ")),
                    ("binding_hash", entry.open.binding_hash.clone()),
                ];
                if let Some(grant) = &entry.grant {
                    detail.push(("factor", grant.factor.clone()));
                    let proofs = grant.approvers.iter().filter_map(|assent| {
                        let proof = assent.proof.as_ref()?;
                        Some(format!("{} by key {}", assent.login, proof.credential_id))
                    });
                    let proofs: Vec<String> = proofs.collect();
                    if !proofs.is_empty() {
                        detail.push(("proofs", proofs.join(", ")));
                        // Who says that these keys are these people's.
                        let signed_by = (self.installed.as_ref())
                            .map(|installed| installed.publishers.join(", "))
                            .unwrap_or_default();
                        detail.push(("keys_signed_by", signed_by));
                    }
                }
                let mut draft = Draft::sensor(kind, &detail)
                    .about(user.clone())
                    .with_approval(entry.info());
                draft
                    .payload
                    .context
                    .session_id
                    .clone_from(&entry.open.session_id);
                draft
            };
            if !note.requests.iter().any(|id| id == entry.id()) {
                drafts.push(told(EventType::ApprovalRequested));
                note.requests.push(entry.id().to_owned());
            }
            // Each use is an event of its own.
            let consumed = u32::from(entry.state == State::Consumed);
            for number in 1..=entry.used.max(consumed) {
                let key = match number {
                    1 => entry.id().to_owned(),
                    number => format!("{}#{number}", entry.id()),
                };
                if !note.grants.contains(&key) {
                    drafts.push(told(EventType::GrantConsumed));
                    note.grants.push(key);
                }
            }
        }
        let lifted = self.lifted();
        for lift in lifted.iter().filter(|lift| !note.lifted.contains(&lift.id)) {
            drafts.push(exception_event(lift, "in force"));
        }
        for id in note
            .lifted
            .iter()
            .filter(|id| lifted.iter().all(|lift| lift.id != **id))
        {
            let state = if self.ordered.revoked.contains(id) {
                "taken back"
            } else {
                "ended"
            };
            let detail = [("exception", id.clone()), ("state", state.to_owned())];
            drafts.push(Draft::sensor(EventType::PolicyUpdated, &detail));
        }
        note.lifted = ids(&lifted);
        note.approvals_serial = self.approvals.serial();
        let known = |id: &String| {
            self.approvals
                .entries()
                .iter()
                .any(|entry| entry.id() == id)
        };
        note.requests.retain(known);
        note.grants
            .retain(|key| known(&key.split('#').next().unwrap_or_default().to_owned()));
        self.seal_with(drafts, note)
    }

    /// Exceptions in force.
    pub(crate) fn lifted(&self) -> Vec<Lifted> {
        self.exceptions.in_force(&self.ordered.revoked)
    }

    /// Where an exception began or ended: the snapshot says so, and an event does.
    pub(crate) fn follow_exceptions(&mut self) {
        let lifted = self.lifted();
        if self.sealer.note().lifted == ids(&lifted) {
            return;
        }
        let Some(installed) = &self.installed else {
            return;
        };
        let published = installed
            .compile(
                &self.identity.organisation,
                self.ordered.quarantine.as_deref(),
                &lifted,
            )
            .map_err(|refusal| refusal.text)
            .and_then(|bytes| {
                self.guard
                    .publish(&self.options.places.snapshot, bytes)
                    .map_err(|error| error.to_string())
            });
        match published {
            Ok(()) => {
                self.problems.remove("exceptions");
                self.reconcile();
            }
            Err(error) => {
                self.problems.insert(
                    "exceptions",
                    format!("exceptions cannot be put into force or ended: {error}"),
                );
            }
        }
    }

    /// How things are.
    pub(crate) fn status(&self) -> Status {
        let spool = self.sealer.spool();
        let oldest = spool
            .read_from(spool.acked() + 1, 1)
            .ok()
            .and_then(|events| clock::age_s(&events.first()?.envelope.time));
        Status {
            machine_id: self.identity.machine_id.clone(),
            organisation: self.identity.organisation.clone(),
            server: self.identity.server.clone(),
            policy_version: self.policy_version(),
            policy_age_s: self
                .installed
                .as_ref()
                .and_then(|installed| clock::age_s(&installed.verified)),
            policy_digest: self.guard.bytes().map(policy::digest).unwrap_or_default(),
            policy_source: self
                .installed
                .as_ref()
                .map(|installed| installed.source.clone())
                .unwrap_or_default(),
            policy_expires: self
                .installed
                .as_ref()
                .map(|installed| installed.expires.clone())
                .unwrap_or_default(),
            policy_ring: self.ring.clone(),
            contact_age_s: self.contact.map(|at| at.elapsed().as_secs()),
            queued: spool.queued(),
            oldest_s: oldest,
            head_seq: spool.head().0,
            acked_seq: spool.acked(),
            quarantine: self.ordered.quarantine.clone(),
            problems: self.problems.values().cloned().collect(),
            layers: self.layers(),
            dropped: self.dropped_status(),
        }
    }

    pub(crate) fn policy_version(&self) -> String {
        self.installed
            .as_ref()
            .map(|installed| installed.version.to_string())
            .unwrap_or_default()
    }

    fn write_status(&self) {
        let _ = files::replace_json(&self.home.last_status(), &self.status());
    }
}

fn ids(lifted: &[Lifted]) -> Vec<String> {
    lifted.iter().map(|lift| lift.id.clone()).collect()
}

fn exception_event(lift: &Lifted, state: &str) -> Draft {
    let detail = [
        ("exception", lift.id.clone()),
        ("state", state.to_owned()),
        ("rules", lift.rules.join(" ")),
        ("until", lift.until.clone()),
        ("approver", lift.approver.clone()),
        ("reason", lift.reason.clone()),
    ];
    Draft::sensor(EventType::PolicyUpdated, &detail).about(UserRef {
        user_id: lift.user.clone(),
        ..UserRef::default()
    })
}

/// Each session's file is held open: the usual 1,024 are not enough on a machine of many.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it is refused there are fewer; what cannot be opened is told and tried again.
    let _ = setrlimit(Resource::Nofile, raised);
}
