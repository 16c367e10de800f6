//! What is known about the machine and about who acts, collected outside the pure evaluator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::OriginKind;

/// Variables that tell tools which cluster, account or folder they work on.
pub const CONTEXT_VARIABLES: &[&str] = &[
    "ARM_SUBSCRIPTION_ID",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AZURE_CONFIG_DIR",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_COMPUTE_REGION",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_CORE_PROJECT",
    "GIT_DIR",
    "HOME",
    "KUBECONFIG",
    "TF_DATA_DIR",
    "TF_WORKSPACE",
];

/// What a cluster configuration file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KubeConfig {
    /// The current context.
    pub context: Option<String>,
    /// Namespace of each context that names one.
    pub namespaces: BTreeMap<String, String>,
}

/// What an AWS profile says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AwsProfile {
    /// Twelve digits, from `sso_account_id` or the role's name.
    pub account: Option<String>,
    /// Region it works in unless told otherwise.
    pub region: Option<String>,
}

/// What a configuration of `gcloud` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GcloudConfiguration {
    /// Project.
    pub project: Option<String>,
    /// Account that acts.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
}

/// What is known about a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FolderFacts {
    /// Branch that is checked out.
    pub git_branch: Option<String>,
    /// Remotes by name, with their address.
    pub git_remotes: BTreeMap<String, String>,
    /// Branch that `origin/HEAD` names.
    pub git_default: Option<String>,
    /// Terraform workspace.
    pub terraform_workspace: Option<String>,
    /// Names of these facts that were looked for and are not there.
    pub absent: Vec<String>,
}

/// Facts about the machine that rules may ask for. A missing fact is unknown, not false, unless
/// `absent` names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Program name to version, such as `git` to `2.47.3`.
    pub versions: BTreeMap<String, String>,
    /// Current Kubernetes context.
    pub kube_context: Option<String>,
    /// Current Kubernetes namespace.
    pub kube_namespace: Option<String>,
    /// Namespaces of the contexts in the current configuration.
    pub kube_namespaces: BTreeMap<String, String>,
    /// Other cluster configurations that the command names, by path as written.
    pub kube_configs: BTreeMap<String, KubeConfig>,
    /// Current AWS profile.
    pub aws_profile: Option<String>,
    /// Current AWS region.
    pub aws_region: Option<String>,
    /// Current AWS account, twelve digits.
    pub aws_account: Option<String>,
    /// AWS profiles that the command or the session names.
    pub aws_profiles: BTreeMap<String, AwsProfile>,
    /// Keys stand in the session's variables and go before its profile.
    pub aws_keys: bool,
    /// Current project of Google Cloud.
    pub gcp_project: Option<String>,
    /// Current account of Google Cloud.
    pub gcp_account: Option<String>,
    /// Current region of Google Cloud.
    pub gcp_region: Option<String>,
    /// Configurations of `gcloud` that the command names.
    pub gcp_configurations: BTreeMap<String, GcloudConfiguration>,
    /// Current Azure subscription: its name.
    pub azure_subscription: Option<String>,
    /// Current Azure subscription: its identifier.
    pub azure_subscription_id: Option<String>,
    /// Current Terraform workspace.
    pub terraform_workspace: Option<String>,
    /// Branch checked out in the working directory.
    pub git_branch: Option<String>,
    /// Remotes of the repository that the working directory lies in.
    pub git_remotes: BTreeMap<String, String>,
    /// Other folders that the command works in.
    pub folders: BTreeMap<String, FolderFacts>,
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
    /// Names of facts that were looked for and are not there, such as `git_branch` outside a
    /// repository: known to be nothing.
    pub absent: Vec<String>,
    /// Where a fact was found, by its name: a file, a variable.
    pub sources: BTreeMap<String, String>,
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
    /// The agent's harness puts questions to its person and waits for the answer.
    pub host_asks: bool,
    /// Teams the person belongs to.
    pub teams: Vec<String>,
    /// Labels of the machine, such as `env` to `production`.
    pub labels: BTreeMap<String, String>,
    /// Machine identifier on a governed machine.
    pub machine_id: Option<String>,
}
