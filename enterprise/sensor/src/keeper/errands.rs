//! Answers to the courier, and what is done with what it brings.

use std::time::Instant;

use cmdai_api::machine::{Authority, Checkin, CheckinReply};
use cmdai_bundle::{Bundle, CarriedFile, Choice, MAX_BUNDLE, VerifiedRelease};
use cmdai_schema::EventType;

use super::approvals::{Entry, Limits, State};
use super::consent::Trust;
use super::draft::Draft;
use super::orders::carry_out;
use super::policy::{self, Installed, Refusal};
use super::renewal::Renewal;
use super::turn::Keeper;
use crate::enrol::manifest;
use crate::files;
use crate::wire::{Answer, Ask, Carry, Road, Work};

/// Most bytes of events in one batch, before compression.
const MAX_BATCH: usize = 4 << 20;

/// Topic of a road's problems.
fn topic(road: Road) -> &'static str {
    match road {
        Road::Server => "road-server",
        Road::Git => "road-git",
        Road::Directory => "road-directory",
        Road::File => "road-file",
    }
}

/// What came over the network, as long as a person reads it.
fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}

impl Keeper {
    pub(crate) fn errand(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Task => Answer::Carry(Box::new(Carry {
                machine_id: self.identity.machine_id.clone(),
                server: self.identity.server.clone(),
                ca_pem: self.identity.ca_pem.clone(),
                certificate_pem: self.identity.certificate_pem.clone(),
                key_pem: self.identity.key_pem.clone(),
                pace: self.options.pace,
                roads: self.roads.clone(),
            })),
            Ask::Work => Answer::Work(Box::new(self.work())),
            Ask::Batch { from, max } => self.batch(from, max),
            Ask::Stored { seq, problem } => {
                self.stored(seq);
                match problem {
                    Some(problem) => self.problems.insert("chain", shortened(&problem)),
                    None => self.problems.remove("chain"),
                };
                Answer::Noted
            }
            Ask::Contact { reply } => {
                self.contacted(&reply);
                Answer::Noted
            }
            Ask::Opened { request_id } => {
                if let Err(error) = self.approvals.sent(&request_id) {
                    self.problems.insert("approvals", format!("{error:#}"));
                }
                Answer::Noted
            }
            Ask::Taken { request_id } => {
                if let Err(error) = self.approvals.taken(&request_id) {
                    self.problems.insert("approvals", format!("{error:#}"));
                }
                self.reconcile();
                Answer::Noted
            }
            Ask::Release { files, road } => {
                self.release(&files, road);
                Answer::Noted
            }
            Ask::RoadTrouble { road, problem } => {
                match problem {
                    Some(problem) => self.problems.insert(topic(road), shortened(&problem)),
                    None => self.problems.remove(topic(road)),
                };
                Answer::Noted
            }
            Ask::Trouble { problem } => {
                match problem {
                    Some(problem) => self.problems.insert("server", shortened(&problem)),
                    None => self.problems.remove("server"),
                };
                Answer::Noted
            }
            Ask::Renewed { certificate_pem } => {
                match self.renewed(&certificate_pem) {
                    Ok(()) => self.problems.remove("certificate"),
                    Err(error) => self.problems.insert("certificate", format!("{error:#}")),
                };
                Answer::Noted
            }
            Ask::Enrolled { .. } => Answer::Noted,
        }
    }

    fn work(&self) -> Work {
        let spool = self.sealer.spool();
        let (requests, pending_requests) = self.waiting();
        let mut manifest = manifest(&self.identity.hostname, &self.identity.person);
        manifest.machine_id.clone_from(&self.identity.machine_id);
        manifest
            .organisation
            .clone_from(&self.identity.organisation);
        manifest.labels = self.identity.labels.clone();
        manifest
            .certificate_fingerprint
            .clone_from(&self.identity.certificate_fingerprint);
        manifest.policy_version = self.policy_version();
        if let Some(installed) = &self.installed {
            manifest.policy_source.clone_from(&installed.source);
            manifest.policy_verified.clone_from(&installed.verified);
            manifest.policy_expires.clone_from(&installed.expires);
        }
        Work {
            sealed: spool.synced(),
            acked: spool.acked(),
            checkin: Checkin {
                manifest,
                policy_version: self.policy_version(),
                policy_digest: self.guard.bytes().map(policy::digest).unwrap_or_default(),
                policy_problem: self.refusal.as_ref().map(|refusal| refusal.text.clone()),
                order_serial: self.ordered.serial,
                head_seq: spool.synced(),
                queued: spool.queued(),
                pending_requests,
                release: self.looked.clone(),
            },
            requests,
            root_version: self.root_version,
            renewal: self.renewal.as_ref().map(|next| next.csr_pem.clone()),
        }
    }

    fn batch(&mut self, from: u64, max: u32) -> Answer {
        let nothing = || Answer::Batch {
            events: Vec::new(),
            dropped: None,
        };
        if !self.tell_dropped() {
            return nothing();
        }
        let spool = self.sealer.spool();
        // A contact may have said since that the server has more than the courier knew.
        let from = from.max(spool.acked().saturating_add(1));
        let dropped = spool.absent(from);
        match spool.read_from(from, max.min(1_000) as usize) {
            Ok(mut events) => {
                let mut bytes = 0;
                let fits = events.iter().take_while(|event| {
                    bytes += serde_json::to_vec(event).map_or(0, |json| json.len());
                    bytes <= MAX_BATCH
                });
                let keep = fits.count().max(1);
                events.truncate(keep);
                Answer::Batch { events, dropped }
            }
            Err(error) => {
                self.problems.insert("sealing", error.to_string());
                nothing()
            }
        }
    }

    /// The server cannot acknowledge what was never sealed: a lie changes nothing.
    fn stored(&mut self, seq: u64) {
        if seq > self.sealer.spool().synced() {
            self.problems.insert(
                "chain",
                format!("the server acknowledges event {seq}, which this machine has not sealed"),
            );
            // The whole state is older than what the server has seen: no grant in it is believed.
            let why = "this machine's state was put back from a copy; enrol it again before anything is granted".to_owned();
            if let Err(error) = self.approvals.freeze(why) {
                self.problems.insert("approvals", format!("{error:#}"));
            }
            return;
        }
        match self.sealer.ack(seq) {
            Ok(()) => {
                if seq > 0 {
                    self.contact = Some(Instant::now());
                    self.problems.remove("server");
                }
            }
            Err(error) => {
                self.problems.insert("sealing", error.to_string());
            }
        }
    }

    fn authority(&self) -> Authority {
        self.installed
            .as_ref()
            .map(|installed| installed.authority.clone())
            .unwrap_or_default()
    }

    fn contacted(&mut self, reply: &CheckinReply) {
        self.contact = Some(Instant::now());
        self.problems.remove("server");
        if reply.renew && self.renewal.is_none() {
            match Renewal::new(&self.identity) {
                Ok(next) => self.renewal = Some(next),
                Err(error) => {
                    self.problems.insert("certificate", format!("{error:#}"));
                }
            }
        }
        if reply.acked_seq > 0 {
            self.stored(reply.acked_seq);
        }
        let authority = self.authority();
        let machine_id = self.identity.machine_id.clone();
        let mut disbelieved = Vec::new();
        if !reply.grants.is_empty() {
            let limits = self.limits();
            let approvers = self
                .installed
                .as_ref()
                .map(|installed| installed.approvers.clone())
                .unwrap_or_default();
            let trust = Trust {
                grant_keys: &authority.grant_keys,
                approvers: &approvers,
                organisation: &self.identity.organisation,
                machine_id: &machine_id,
            };
            let decided = self
                .approvals
                .decide(&reply.grants, &trust, &limits)
                .and_then(|problems| {
                    disbelieved.extend(problems);
                    self.take_exceptions()
                });
            if let Err(error) = decided {
                self.problems.insert("approvals", format!("{error:#}"));
            }
        }
        let (ordered, problems) = carry_out(
            &self.ordered,
            &reply.orders,
            &authority.order_keys,
            &machine_id,
        );
        disbelieved.extend(problems);
        if ordered.serial > self.ordered.serial {
            self.obey(ordered);
        }
        if disbelieved.is_empty() {
            self.problems.remove("authority");
        } else {
            let text = shortened(&disbelieved.join("; "));
            // The server repeats itself; one event is enough for one finding.
            if self.problems.insert("authority", text.clone()).as_ref() != Some(&text) {
                self.tell(vec![Draft::sensor(EventType::Tamper, &[("what", text)])]);
            }
        }
    }

    /// What the installed policy says of approvals.
    pub(crate) fn limits(&self) -> Limits {
        self.installed
            .as_ref()
            .and_then(|installed| installed.read().ok())
            .map(|set| Limits::of(set.document()))
            .unwrap_or_default()
    }

    /// Puts approved exceptions into force: kept first, then used up, then in the snapshot. After a
    /// crash in between the same is done again.
    pub(crate) fn take_exceptions(&mut self) -> anyhow::Result<()> {
        let granted: Vec<Entry> = self
            .approvals
            .entries()
            .iter()
            .filter(|entry| entry.is_exception() && entry.state == State::Granted)
            .cloned()
            .collect();
        for entry in &granted {
            if let Some(grant) = &entry.grant {
                self.exceptions.take(entry, grant)?;
                self.approvals.in_force(entry.id())?;
            }
        }
        if !granted.is_empty() {
            self.reconcile_exceptions();
        }
        Ok(())
    }

    fn reconcile_exceptions(&mut self) {
        self.follow_exceptions();
        self.reconcile();
    }

    /// Writes the order down, then puts it into force.
    fn obey(&mut self, ordered: super::orders::Ordered) {
        let Some(installed) = &self.installed else {
            return;
        };
        let lifted = self.exceptions.in_force(&ordered.revoked);
        match installed.compile(
            &self.identity.organisation,
            ordered.quarantine.as_deref(),
            &lifted,
        ) {
            Ok(bytes) => {
                let written = files::replace_json(&self.home.orders(), &ordered)
                    .and_then(|()| self.guard.publish(&self.options.places.snapshot, bytes));
                if let Err(error) = written {
                    self.problems
                        .insert("policy", format!("an order cannot be carried out: {error}"));
                    return;
                }
                self.ordered = ordered;
                self.reconcile();
            }
            Err(refusal) => {
                self.problems.insert("policy", refusal.text);
            }
        }
    }

    pub(crate) fn release(&mut self, carried: &[CarriedFile], road: Road) {
        let verified = policy::verify(&self.home, &self.identity, carried);
        self.root_version = policy::root_version(&self.home, &self.identity);
        if road == Road::Server {
            self.looked = policy::stamp(carried);
        }
        match verified {
            Ok(None) => {}
            Ok(Some(release)) => {
                if release.clock_stepped_back {
                    self.problems.insert(
                        "clock",
                        "this machine's clock was put back since the last look at releases"
                            .to_owned(),
                    );
                } else {
                    self.problems.remove("clock");
                }
                self.problems.remove(topic(road));
                if let Err(refusal) = self.take(&release, road) {
                    self.refuse(refusal);
                }
            }
            // Roads run at their own pace: one that is behind is no attack on the one that was faster.
            Err(refusal)
                if refusal.kind == "rollback"
                    && self
                        .installed
                        .as_ref()
                        .is_some_and(|installed| installed.source != road.as_str()) =>
            {
                self.problems.insert(
                    topic(road),
                    format!(
                        "the road {} shows something older than what came by another: {}",
                        road.as_str(),
                        refusal.text
                    ),
                );
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Takes the release that this machine's ring is open for.
    fn take(&mut self, release: &VerifiedRelease, road: Road) -> Result<(), Refusal> {
        let installed = self.installed.as_ref().map(|installed| installed.version);
        self.ring = release.spread.as_ref().map_or_else(String::new, |spread| {
            let seat = spread
                .rings
                .seat(&self.identity.machine_id, &self.identity.labels);
            let name = spread
                .rings
                .rings
                .get(seat.ring)
                .map_or("", |ring| ring.name.as_str());
            let open = spread.rings.open_for(
                spread.progress.as_ref(),
                &self.identity.machine_id,
                &self.identity.labels,
            );
            let halted = spread
                .progress
                .as_ref()
                .is_some_and(|progress| progress.halted);
            let state = match (open, halted) {
                (true, _) => "open",
                (_, true) => "halted",
                _ => "not open yet",
            };
            format!("{name} of release {}: {state}", release.version)
        });
        let choice = release.choose(&self.identity.machine_id, &self.identity.labels, installed);
        match (choice, Installed::from_previous(release, road)) {
            (Choice::Previous, Some(previous)) => self.install(&previous),
            (Choice::Stay, _) => match &self.installed {
                Some(installed) => {
                    let proven = installed.proven_by(release);
                    self.install(&proven)
                }
                None => Ok(()),
            },
            _ => self.install(&Installed::from_release(release, road)),
        }
    }

    /// A release that was carried here by hand.
    pub(crate) fn look_for_import(&mut self) {
        let path = self.home.import();
        if !path.exists() {
            return;
        }
        let read = files::read_bounded(&path, MAX_BUNDLE)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Bundle::parse(&bytes));
        match read {
            Ok(bundle) => self.release(&bundle.files, Road::File),
            Err(error) => {
                self.problems
                    .insert(topic(Road::File), format!("the carried release: {error}"));
            }
        }
        let _ = std::fs::remove_file(&path);
    }

    fn install(&mut self, fresh: &Installed) -> Result<(), Refusal> {
        if let Some(installed) = &self.installed {
            if fresh.version < installed.version {
                return Err(Refusal {
                    kind: "rollback",
                    text: format!(
                        "rollback refused: release {} came after {}",
                        fresh.version, installed.version
                    ),
                });
            }
            if fresh.version == installed.version && fresh.sha256 != installed.sha256 {
                return Err(Refusal {
                    kind: "rollback",
                    text: format!(
                        "another policy was published as release {}, which is installed already",
                        fresh.version
                    ),
                });
            }
        }
        let unwritten = |error: std::io::Error| Refusal {
            kind: "disk",
            text: format!("the release cannot be written: {error}"),
        };
        let bytes = fresh.compile(
            &self.identity.organisation,
            self.ordered.quarantine.as_deref(),
            &self.lifted(),
        )?;
        files::replace_json(&self.home.release(), fresh).map_err(unwritten)?;
        if self.guard.bytes() != Some(bytes.as_slice()) {
            self.guard
                .publish(&self.options.places.snapshot, bytes)
                .map_err(unwritten)?;
        }
        self.installed = Some(fresh.clone());
        self.follow_privacy();
        self.refusal = None;
        self.problems.remove("policy");
        self.reconcile();
        Ok(())
    }

    /// The last good policy stays; the refusal is told once.
    fn refuse(&mut self, refusal: Refusal) {
        self.problems.insert(
            "policy",
            format!(
                "a release was refused, version {} stays in force: {}",
                self.policy_version(),
                refusal.text
            ),
        );
        if self.refusal.as_ref() != Some(&refusal) {
            let detail = [
                ("cause", refusal.kind.to_owned()),
                ("problem", refusal.text.clone()),
                ("in_force", self.policy_version()),
            ];
            self.tell(vec![Draft::sensor(EventType::PolicyRefused, &detail)]);
        }
        self.refusal = Some(refusal);
    }
}
