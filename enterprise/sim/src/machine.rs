//! A virtual machine: identity, chain, buffer.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use cmdai_api::machine::{ApprovalOpen, BoundRequest, Checkin, Grant, Order};
use cmdai_schema::governor::Binding;
use cmdai_schema::{
    AgentInfo, ApprovalInfo, AssertedBy, Context, Decision, ENGINE_VERSION, Event, EventType,
    Execution, Hash, Layer, MachineManifest, MachineRef, Origin, OriginKind, Payload, ProcessInfo,
    UserRef, canonical_bytes,
};
use fastrand::Rng;

use crate::Summary;
use crate::actor::{Act, Deed, Typed};
use crate::judge::{Judge, Scene, Verdict, runs};
use crate::people::Person;

/// Letters and digits of request ids.
const LETTERS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
/// Minutes that a request waits.
const LAPSE_MS: u64 = 15 * 60_000;

/// A request that waits for another person.
#[derive(Debug, Clone)]
struct Waiting {
    typed: Typed,
    verdict: Verdict,
    expires_ms: u64,
}

/// A virtual machine after enrolment.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) number: u32,
    pub(crate) person: Person,
    pub(crate) machine_id: String,
    pub(crate) organisation: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) teams: Vec<String>,
    pub(crate) pending: VecDeque<Event>,
    pub(crate) tally: Summary,
    rng: Rng,
    head: (u64, Hash),
    last_ms: u64,
    policy_version: String,
    policy_digest: String,
    /// Stamp of the state of releases that was looked at last.
    pub(crate) release: String,
    quarantine: Option<String>,
    order_serial: u64,
    waiting: BTreeMap<String, Waiting>,
}

impl Machine {
    pub(crate) fn new(
        number: u32,
        person: Person,
        seed: u64,
        reply: &cmdai_api::machine::EnrolReply,
    ) -> Self {
        // Ids must not repeat between runs: the machine's id is new each time.
        let mixed = Hash::of(&[reply.machine_id.as_bytes(), &seed.to_be_bytes()]).0;
        let mixed = mixed
            .iter()
            .take(8)
            .fold(0u64, |all, byte| all << 8 | u64::from(*byte));
        Self {
            number,
            person,
            machine_id: reply.machine_id.clone(),
            organisation: reply.organisation.clone(),
            labels: reply.labels.clone(),
            teams: reply.teams.clone(),
            pending: VecDeque::new(),
            tally: Summary {
                machines: 1,
                ..Summary::default()
            },
            rng: Rng::with_seed(mixed),
            head: (0, Hash::default()),
            last_ms: 0,
            policy_version: String::new(),
            policy_digest: String::new(),
            release: String::new(),
            quarantine: None,
            order_serial: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// What the machine says of itself.
    pub(crate) fn manifest(person: &Person) -> MachineManifest {
        MachineManifest {
            person: person.login.clone(),
            hostname: person.hostname.clone(),
            platform: person.platform.to_owned(),
            versions: BTreeMap::from([
                ("sensor".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("engine".to_owned(), ENGINE_VERSION.to_owned()),
                (
                    person.shell.to_owned(),
                    if person.shell == "zsh" {
                        "5.9"
                    } else {
                        "5.2.15"
                    }
                    .to_owned(),
                ),
            ]),
            capabilities: vec![format!("{}-hooks", person.shell), "simulated".to_owned()],
            ..MachineManifest::default()
        }
    }

    /// The state for a contact.
    pub(crate) fn checkin(&self) -> Checkin {
        Checkin {
            manifest: MachineManifest {
                machine_id: self.machine_id.clone(),
                organisation: self.organisation.clone(),
                labels: self.labels.clone(),
                policy_version: self.policy_version.clone(),
                policy_source: "server".to_owned(),
                ..Self::manifest(&self.person)
            },
            policy_version: self.policy_version.clone(),
            policy_digest: self.policy_digest.clone(),
            policy_problem: None,
            order_serial: self.order_serial,
            head_seq: self.head.0,
            queued: self.pending.len() as u64,
            pending_requests: self.waiting.keys().cloned().collect(),
            release: self.release.clone(),
        }
    }

    pub(crate) fn policy_version(&self) -> &str {
        &self.policy_version
    }

    /// Counts a trouble.
    pub(crate) fn trouble(&mut self, what: &str) {
        *self.tally.errors.entry(what.to_owned()).or_default() += 1;
    }

    /// Takes a policy into use.
    pub(crate) fn install(&mut self, judge: &Judge, now_ms: u64) -> Result<()> {
        self.policy_version.clone_from(&judge.version);
        judge.snapshot.digest().clone_into(&mut self.policy_digest);
        let version = judge.version.clone();
        self.sensor(
            EventType::PolicyUpdated,
            &[("version", version), ("digest", self.policy_digest.clone())],
            now_ms,
        )
    }

    /// Carries out what happens. `live`: it happens now, and requests can be asked for.
    pub(crate) fn perform(
        &mut self,
        act: &Act,
        judge: &Judge,
        live: bool,
    ) -> Result<Option<ApprovalOpen>> {
        match &act.deed {
            Deed::Sensor { kind, detail } => self.sensor(*kind, detail, act.at_ms).map(|()| None),
            Deed::Command(typed) => self.command(typed, act.at_ms, judge, live),
        }
    }

    fn sensor(
        &mut self,
        kind: EventType,
        detail: &[(&'static str, String)],
        at_ms: u64,
    ) -> Result<()> {
        let payload = Payload {
            asserted_by: AssertedBy::Sensor,
            user: self.user(),
            context: Context {
                layer: Layer::Sensor,
                ..Context::default()
            },
            detail: detail
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
            ..Payload::default()
        };
        self.seal(kind, at_ms, payload)
    }

    fn command(
        &mut self,
        typed: &Typed,
        at_ms: u64,
        judge: &Judge,
        live: bool,
    ) -> Result<Option<ApprovalOpen>> {
        let command_id = self.uuid(at_ms);
        let now = text_of(at_ms);
        let quarantine = self.quarantine.clone();
        let scene = Scene {
            person: &self.person,
            machine_id: &self.machine_id,
            labels: &self.labels,
            teams: &self.teams,
            agent: typed.agent,
            cwd: &typed.cwd,
            now: &now,
            quarantine: quarantine.as_deref(),
        };
        let verdict = judge.judge(&typed.text, &command_id, &scene);
        let decision = verdict.policy.decision;
        *self
            .tally
            .decisions
            .entry(decision.as_str().to_owned())
            .or_default() += 1;
        let allowed = runs(decision, typed.agent.is_some(), &mut self.rng);
        if live
            && decision == Decision::RequireApproval
            && !verdict.unknown
            && self.waiting.is_empty()
        {
            return self.ask(typed, verdict, at_ms).map(Some);
        }
        let kind = match (allowed, decision) {
            (false, _) => EventType::CommandBlocked,
            // It ran freely although rules fired: they are monitored.
            (true, Decision::Allow) if !verdict.policy.violated_rules.is_empty() => {
                EventType::PolicyViolation
            }
            (true, _) => EventType::CommandExecuted,
        };
        // Halves are joined where a command ends quickly; live ones are told at once, as ended.
        let joined = live || typed.duration_ms <= 500;
        let mut payload = self.payload(typed, &verdict);
        let ended = Execution {
            allowed,
            exit_code: Some(typed.exit_code),
            duration_ms: Some(typed.duration_ms),
        };
        payload.execution = Some(if allowed && joined {
            ended.clone()
        } else {
            Execution {
                allowed,
                ..Execution::default()
            }
        });
        let mut end = (allowed && !joined).then(|| payload.clone());
        self.seal(kind, at_ms, payload)?;
        if let Some(mut payload) = end.take() {
            payload.policy_evaluation = None;
            payload.execution = Some(ended);
            self.seal(
                EventType::CommandCompleted,
                at_ms + typed.duration_ms,
                payload,
            )?;
        }
        Ok(None)
    }

    /// Asks for an approval.
    fn ask(&mut self, typed: &Typed, verdict: Verdict, at_ms: u64) -> Result<ApprovalOpen> {
        let letter = |rng: &mut Rng| {
            char::from(
                LETTERS
                    .get(rng.usize(..LETTERS.len()))
                    .copied()
                    .unwrap_or(b'A'),
            )
        };
        let request_id: String = (0..8).map(|_| letter(&mut self.rng)).collect();
        let salt: [u8; 16] = self.bytes();
        let request = BoundRequest {
            binding: Binding {
                text: verdict.command.text.clone(),
                digest: verdict.command.digest.clone(),
                exact: Hash::of(&[&salt, typed.text.as_bytes()]).to_hex(),
                shell: self.person.shell.to_owned(),
                cwd: typed.cwd.clone(),
                rules: verdict.policy.violated_rules.clone(),
                reason: verdict.policy.reason.clone(),
                risk: verdict.policy.risk_level.as_str().to_owned(),
                effects: verdict.command.effects.clone(),
                contexts: Vec::new(),
                origin: if typed.agent.is_some() {
                    "agent"
                } else {
                    "human"
                }
                .to_owned(),
                agent: typed.agent.map(str::to_owned),
                files: Vec::new(),
                unknown: false,
            },
            user: self.person.login.clone(),
            uid: 1000,
            files: BTreeMap::new(),
            exception: None,
        };
        let expires_ms = at_ms + LAPSE_MS;
        let open = ApprovalOpen {
            request_id: request_id.clone(),
            kind: "command".to_owned(),
            binding_hash: Hash::of(&[&canonical_bytes(&request)?]).to_hex(),
            request,
            reason: Some("part of today's release".to_owned()),
            session_id: typed.session.to_string(),
            expires: text_of(expires_ms),
        };
        let mut payload = self.payload(typed, &verdict);
        payload.execution = Some(Execution::default());
        payload.approval = Some(ApprovalInfo {
            request_id: request_id.clone(),
            status: "pending".to_owned(),
            ..ApprovalInfo::default()
        });
        self.seal(EventType::ApprovalRequested, at_ms, payload)?;
        self.tally.approvals += 1;
        self.waiting.insert(
            request_id,
            Waiting {
                typed: typed.clone(),
                verdict,
                expires_ms,
            },
        );
        Ok(open)
    }

    /// Takes a decision about a request: the command runs at once, or never.
    pub(crate) fn decided(&mut self, grant: &Grant, now_ms: u64) -> Result<()> {
        let Some(waiting) = self.waiting.remove(&grant.request_id) else {
            return Ok(());
        };
        let info = |status: &str| ApprovalInfo {
            request_id: grant.request_id.clone(),
            grant_id: Some(grant.grant_id.clone()),
            status: status.to_owned(),
            approver: Some(grant.approver.clone()),
            reason: Some(grant.reason.clone()),
        };
        let mut payload = self.payload(&waiting.typed, &waiting.verdict);
        if !grant.granted {
            payload.approval = Some(info("denied"));
            return self.seal(EventType::ApprovalDenied, now_ms, payload);
        }
        payload.approval = Some(info("consumed"));
        self.seal(EventType::GrantConsumed, now_ms, payload.clone())?;
        payload.execution = Some(Execution {
            allowed: true,
            exit_code: Some(0),
            duration_ms: Some(waiting.typed.duration_ms),
        });
        self.seal(EventType::CommandExecuted, now_ms, payload)
    }

    /// Forgets requests that lapsed.
    pub(crate) fn lapse(&mut self, now_ms: u64) {
        self.waiting
            .retain(|_, waiting| waiting.expires_ms > now_ms);
    }

    /// Carries out an order.
    pub(crate) fn obey(&mut self, order: &Order, now_ms: u64) -> Result<()> {
        if order.serial <= self.order_serial || order.machine_id != self.machine_id {
            return Ok(());
        }
        self.order_serial = order.serial;
        let on = order.kind == "quarantine";
        self.quarantine = on.then(|| order.reason.clone());
        let state = if on { "quarantined" } else { "released" };
        let detail = [
            ("state", state.to_owned()),
            ("reason", order.reason.clone()),
            ("issued_by", order.issued_by.clone()),
        ];
        self.sensor(EventType::QuarantineChanged, &detail, now_ms)
    }

    /// The server has stored everything up to here.
    pub(crate) fn acked(&mut self, seq: u64) {
        while self
            .pending
            .front()
            .is_some_and(|event| event.envelope.seq <= seq)
        {
            self.pending.pop_front();
            self.tally.acked += 1;
        }
    }

    fn user(&self) -> UserRef {
        UserRef {
            user_id: self.person.login.clone(),
            uid: Some(1000),
            email: Some(self.person.email.clone()),
            department: Some(self.person.department.to_owned()),
            team: Some(self.person.team.to_owned()),
        }
    }

    fn payload(&self, typed: &Typed, verdict: &Verdict) -> Payload {
        let process = |name: &str, pid| ProcessInfo {
            pid,
            name: name.to_owned(),
            exe: None,
        };
        let (origin, parents) = match typed.agent {
            Some(agent) => (
                Origin {
                    kind: OriginKind::Agent,
                    confidence: 990,
                    evidence: vec![format!("hook:{agent}"), "ancestor:node".to_owned()],
                },
                vec![process("node", 4_210), process(self.person.shell, 3_877)],
            ),
            None => (
                Origin {
                    kind: OriginKind::Human,
                    confidence: 930,
                    evidence: vec!["terminal".to_owned()],
                },
                vec![process("tmux: server", 2_031)],
            ),
        };
        Payload {
            asserted_by: AssertedBy::UserHook,
            user: self.user(),
            command: Some(verdict.command.clone()),
            policy_evaluation: Some(verdict.policy.clone()),
            context: Context {
                session_id: typed.session.to_string(),
                counter: typed.counter,
                layer: if typed.agent.is_some() {
                    Layer::AgentHook
                } else {
                    Layer::Shell
                },
                tty: typed.agent.is_none().then(|| "/dev/pts/2".to_owned()),
                parent_process: parents,
                origin,
                agent: typed.agent.map(|name| AgentInfo {
                    name: name.to_owned(),
                    version: None,
                    session_id: Some(typed.session.to_string()),
                    tool_call_id: Some(format!("call_{}", typed.counter)),
                }),
                versions: BTreeMap::new(),
            },
            ..Payload::default()
        }
    }

    fn seal(&mut self, kind: EventType, at_ms: u64, mut payload: Payload) -> Result<()> {
        self.last_ms = self.last_ms.max(at_ms);
        payload.machine = MachineRef {
            hostname: self.person.hostname.clone(),
            platform: self.person.platform.to_owned(),
            ip_address: Some(self.person.address.clone()),
        };
        let (id, salt) = (self.uuid(self.last_ms), self.bytes());
        let (seq, hash) = self.head;
        let event = Event::seal(
            id,
            seq + 1,
            hash,
            text_of(self.last_ms),
            kind,
            self.machine_id.clone(),
            salt,
            payload,
        )?;
        self.head = (seq + 1, event.hash()?);
        self.tally.events_produced += 1;
        self.pending.push_back(event);
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.rng.fill(&mut out);
        out
    }

    fn uuid(&mut self, at_ms: u64) -> String {
        uuid::Builder::from_unix_timestamp_millis(at_ms, &self.bytes())
            .into_uuid()
            .to_string()
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn text_of(ms: u64) -> String {
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default();
    format!("{time:.3}")
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
