//! What is known about the machine and about who acts, collected outside the pure evaluator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::OriginKind;

/// Facts about the machine that rules may ask for. A missing fact is unknown, not false.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Program name to version, such as `git` to `2.47.3`.
    pub versions: BTreeMap<String, String>,
    /// Current Kubernetes context.
    pub kube_context: Option<String>,
    /// Current Kubernetes namespace.
    pub kube_namespace: Option<String>,
    /// Current AWS profile.
    pub aws_profile: Option<String>,
    /// Current AWS region.
    pub aws_region: Option<String>,
    /// Current Terraform workspace.
    pub terraform_workspace: Option<String>,
    /// Branch checked out in the working directory.
    pub git_branch: Option<String>,
    /// Branches that are protected, `main` and `master` where nothing else is known.
    pub protected_branches: Vec<String>,
    /// Inside a container.
    pub container: Option<bool>,
    /// On a CI runner.
    pub ci: Option<bool>,
    /// Somebody can answer a question.
    pub terminal: Option<bool>,
    /// Environment name, such as `production`.
    pub environment: Option<String>,
    /// Absolute working directory, so that places can be told apart.
    pub cwd: Option<String>,
    /// Absolute home of the person.
    pub home: Option<String>,
    /// Root of the work tree that the working directory lies in.
    pub project: Option<String>,
    /// The moment of the decision, RFC 3339, preferably in the machine's own offset. Exceptions
    /// and time conditions compare with it; where it is missing, no exception holds.
    pub now: Option<String>,
}

/// Who acts, and as what: the part of a request that targeting looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// Human, script or agent.
    pub origin: OriginKind,
    /// Login name on the machine.
    pub user: String,
    /// Agent name, such as `claude-code`.
    pub agent: Option<String>,
    /// Teams the person belongs to.
    pub teams: Vec<String>,
    /// Labels of the machine, such as `env` to `production`.
    pub labels: BTreeMap<String, String>,
    /// Machine identifier on a governed machine.
    pub machine_id: Option<String>,
}
