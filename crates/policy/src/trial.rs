//! `tests:` of a document: commands with the decision they must get.

use cmdai_schema::{Analysis, Decision, Facts, Subject};
use serde::Serialize;

use crate::PolicySet;
use crate::decide::{Layers, decide};
use crate::document::Trial;
use crate::include::with_includes;
use crate::snapshot::{Snapshot, SnapshotMeta, compile};

/// How one test went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The command.
    pub command: String,
    /// The decision it must get.
    pub expected: Decision,
    /// The decision it got.
    pub found: Decision,
    /// Rules that fired, strictest first.
    pub rules: Vec<String>,
    /// It went as expected.
    pub passed: bool,
    /// What is wrong, where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Line of the document, from 1.
    pub line: u32,
}

/// Runs the tests of a document, its own and those of its rules, with the document as the
/// organisation's layer. The working directory is `/home/user/project`, as in batch mode.
pub fn run_tests(set: &PolicySet, analyse: &dyn Fn(&str) -> Analysis) -> Vec<TestResult> {
    let document = with_includes(&set.document);
    let bytes = compile(
        set,
        &SnapshotMeta {
            policy_id: "test".to_owned(),
            ..SnapshotMeta::default()
        },
    );
    let Ok(snapshot) = Snapshot::open(&bytes) else {
        return Vec::new();
    };
    let layers = Layers {
        organisation: Some(&snapshot),
        user: None,
    };
    let of_rules = document.rules.iter().flat_map(|rule| {
        rule.tests
            .iter()
            .map(|trial| (trial, rule.when.as_ref().map(|_| rule.id.as_str())))
    });
    let own = document.tests.iter().map(|trial| (trial, None));
    own.chain(of_rules)
        .map(|(trial, rule)| run(trial, rule, &layers, analyse))
        .collect()
}

fn run(
    trial: &Trial,
    owner: Option<&str>,
    layers: &Layers<'_>,
    analyse: &dyn Fn(&str) -> Analysis,
) -> TestResult {
    let facts = Facts {
        versions: trial.versions.clone(),
        kube_context: trial.context.clone(),
        aws_profile: trial.profile.clone(),
        terraform_workspace: trial.workspace.clone().or_else(|| trial.context.clone()),
        kube_namespace: trial.namespace.clone(),
        aws_account: trial.account.clone(),
        aws_region: trial.region.clone(),
        gcp_project: trial.account.clone(),
        gcp_region: trial.region.clone(),
        azure_subscription: trial.account.clone(),
        git_branch: trial.branch.clone(),
        git_remotes: trial
            .remote
            .iter()
            .map(|address| ("origin".to_owned(), address.clone()))
            .collect(),
        protected_branches: vec!["main".to_owned(), "master".to_owned()],
        container: trial.container,
        ci: trial.ci,
        terminal: trial.terminal,
        environment: trial.environment.clone(),
        now: trial.now.clone(),
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        ..Facts::default()
    };
    let subject = Subject {
        origin: trial.origin,
        user: "user".to_owned(),
        teams: trial.teams.clone(),
        ..Subject::default()
    };
    let judgement = decide(
        &analyse(&trial.command),
        &trial.command,
        layers,
        &facts,
        &subject,
    );
    let rules: Vec<String> = judgement.rules.iter().map(|hit| hit.id.clone()).collect();
    // A rule's own test that expects to be stopped must be stopped by that rule.
    let wanted = trial
        .rule
        .as_deref()
        .or_else(|| owner.filter(|_| trial.expect > Decision::Allow));
    let missing = wanted.filter(|id| !rules.iter().any(|rule| rule == id));
    let why = if judgement.decision != trial.expect {
        let by = judgement
            .deciding_rule()
            .map(|hit| format!(" by {} ({})", hit.id, hit.reason))
            .unwrap_or_default();
        Some(format!(
            "expected {}, got {}{by}",
            trial.expect, judgement.decision
        ))
    } else {
        missing.map(|id| format!("rule {id} did not fire"))
    };
    TestResult {
        command: trial.command.clone(),
        expected: trial.expect,
        found: judgement.decision,
        passed: why.is_none(),
        rules,
        why,
        line: trial.at.0.line,
    }
}
