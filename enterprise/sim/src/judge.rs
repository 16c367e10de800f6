//! Judging as a machine does: analysis, policy, redaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use cmdai_effects::NoSession;
use cmdai_languages::Grammars;
use cmdai_policy::{Layers, Snapshot, SnapshotMeta};
use cmdai_schema::{
    Analysis, CommandInfo, Decision, Dialect, ENGINE_VERSION, Facts, Judgement, OriginKind,
    PolicyEvaluation, Subject,
};

use crate::people::Person;

/// A policy in force.
#[derive(Debug)]
pub(crate) struct Judge {
    organisation: String,
    /// Version of the release; empty where it was not published by the server.
    pub(crate) version: String,
    pub(crate) snapshot: Snapshot,
    source: String,
    quarantined: Mutex<BTreeMap<String, Arc<Snapshot>>>,
}

/// Where and by whom a command is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) person: &'a Person,
    pub(crate) machine_id: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) teams: &'a [String],
    pub(crate) agent: Option<&'a str>,
    pub(crate) cwd: &'a str,
    pub(crate) now: &'a str,
    pub(crate) quarantine: Option<&'a str>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) command: CommandInfo,
    pub(crate) policy: PolicyEvaluation,
    pub(crate) unknown: bool,
}

impl Judge {
    pub(crate) fn new(source: &str, organisation: &str, version: &str) -> Result<Self> {
        let snapshot = compile(source, organisation, version, None)?;
        Ok(Self {
            organisation: organisation.to_owned(),
            version: version.to_owned(),
            snapshot,
            source: source.to_owned(),
            quarantined: Mutex::default(),
        })
    }

    /// The snapshot of a machine in quarantine, compiled once for each reason.
    fn quarantine(&self, reason: &str) -> Option<Arc<Snapshot>> {
        let mut all = self
            .quarantined
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(reason) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(
            compile(
                &self.source,
                &self.organisation,
                &self.version,
                Some(reason),
            )
            .ok()?,
        );
        all.insert(reason.to_owned(), Arc::clone(&made));
        Some(made)
    }

    /// Judges and redacts a command.
    pub(crate) fn judge(&self, text: &str, command_id: &str, scene: &Scene<'_>) -> Verdict {
        let begun = std::time::Instant::now();
        let person = scene.person;
        let dialect = Dialect::from_name(person.shell).unwrap_or_default();
        let analyse = |text: &str| -> Analysis {
            let context = cmdai_effects::Context {
                dialect,
                cwd: scene.cwd,
                home: &person.home,
                user: &person.login,
                session: &NoSession,
                languages: &Grammars,
            };
            cmdai_effects::analyse(text, &context)
        };
        let analysis = analyse(text);
        let origin = if scene.agent.is_some() {
            OriginKind::Agent
        } else {
            OriginKind::Human
        };
        let facts = Facts {
            terminal: Some(origin == OriginKind::Human),
            cwd: Some(scene.cwd.to_owned()),
            home: Some(person.home.clone()),
            project: Some(scene.cwd.to_owned()),
            protected_branches: vec!["main".to_owned(), "master".to_owned()],
            now: Some(scene.now.to_owned()),
            ..Facts::default()
        };
        let subject = Subject {
            origin,
            user: person.login.clone(),
            agent: scene.agent.map(str::to_owned),
            host_asks: false,
            teams: scene.teams.to_vec(),
            labels: scene.labels.clone(),
            machine_id: Some(scene.machine_id.to_owned()),
        };
        let isolated = scene.quarantine.and_then(|reason| self.quarantine(reason));
        let layers = Layers {
            organisation: Some(isolated.as_deref().unwrap_or(&self.snapshot)),
            user: None,
        };
        let judgement = cmdai_policy::decide(&analysis, text, &layers, &facts, &subject);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(0);
        let redacted = cmdai_redact::redact(text);
        // The digest that leaves the machine is of what leaves the machine.
        let seen = if redacted == text {
            analysis
        } else {
            analyse(&redacted)
        };
        let mut effects: Vec<String> = judgement
            .effects
            .iter()
            .chain(&seen.effects)
            .map(|effect| effect.kind.name().to_owned())
            .collect();
        effects.sort_unstable();
        effects.dedup();
        Verdict {
            command: CommandInfo {
                command_id: command_id.to_owned(),
                text: redacted.into_owned(),
                digest: seen.digest.clone(),
                source: match origin {
                    OriginKind::Agent => cmdai_schema::CommandSource::Agent,
                    _ => cmdai_schema::CommandSource::Manual,
                },
                working_directory: scene.cwd.to_owned(),
                shell: person.shell.to_owned(),
                programs: seen.programs(),
                effects,
                times: None,
                private: false,
            },
            unknown: seen.unknown,
            policy: evaluation(&judgement, micros),
        }
    }
}

fn evaluation(judgement: &Judgement, micros: u64) -> PolicyEvaluation {
    PolicyEvaluation {
        decision: judgement.decision,
        reason: judgement.deciding_rule().map_or_else(String::new, |hit| {
            cmdai_redact::redact(&hit.reason).into_owned()
        }),
        violated_rules: judgement.rules.iter().map(|hit| hit.id.clone()).collect(),
        risk_level: judgement.risk,
        certainty: judgement.certainty,
        policy_id: judgement.policy.id.clone(),
        policy_version: judgement.policy.version.clone(),
        snapshot_digest: judgement.policy.digest.clone(),
        engine_version: ENGINE_VERSION.to_owned(),
        micros,
        monitored: judgement.monitored(),
    }
}

fn compile(
    source: &str,
    organisation: &str,
    version: &str,
    quarantine: Option<&str>,
) -> Result<Snapshot> {
    let set = cmdai_policy::parse(source, "policy.yaml")
        .map_err(|errors| anyhow!("the policy cannot be used: {errors}"))?;
    let meta = SnapshotMeta {
        policy_id: organisation.to_owned(),
        version: version.to_owned(),
        quarantine: quarantine.map(str::to_owned),
        released: None,
    };
    Snapshot::open(&cmdai_policy::compile(&set, &meta))
        .context("the compiled policy cannot be opened")
}

/// Whether a command runs: people mostly say yes where they are asked, agents are not asked.
pub(crate) fn runs(decision: Decision, agent: bool, rng: &mut fastrand::Rng) -> bool {
    match decision {
        Decision::Allow | Decision::Warn => true,
        Decision::Confirm => !agent && rng.u8(..) < 210,
        Decision::RequireApproval | Decision::Deny => false,
    }
}
