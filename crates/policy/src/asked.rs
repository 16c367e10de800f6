//! Which facts a command needs, so that nothing else is collected.
//!
//! The built-in rules ask what a program works in (the cluster's context for `kubectl`, the branch
//! for a forced push); rules of documents and constraints of tools ask for more.

use cmdai_schema::{Analysis, EffectKind};

use crate::compiled::Condition;
use crate::decide::Layers;
use crate::known::{self, Kind};

const ACCOUNT: u32 = 1;
const BRANCH: u32 = 2;
const REMOTE: u32 = 4;
const TIME: u32 = 8;
const TERMINAL: u32 = 32;
/// Whether it runs in CI or in a container.
const MACHINE: u32 = 64;
/// Whether a rule looks at the clock was told at all: snapshots of older engines do not say.
pub(crate) const TIME_TOLD: u32 = 16;
/// The same of the terminal, CI and containers.
pub(crate) const PLACE_TOLD: u32 = 128;

/// Facts that a condition asks for and built-in rules do not.
pub(crate) fn bits(when: &Condition) -> u32 {
    let mut bits = 0;
    if !when.account.is_empty() || !when.region.is_empty() {
        bits |= ACCOUNT;
    }
    if !when.branch.is_empty() || when.protected_branch.is_some() {
        bits |= BRANCH;
    }
    if !when.remote.is_empty() {
        bits |= REMOTE;
    }
    if when.time.is_some() {
        bits |= TIME;
    }
    if when.terminal.is_some() {
        bits |= TERMINAL;
    }
    if when.ci.is_some() || when.container.is_some() {
        bits |= MACHINE;
    }
    bits
}

/// False where no rule asks what time it is.
pub(crate) fn reads_clock(asks: u32) -> bool {
    asks & TIME != 0 || asks & TIME_TOLD == 0
}

/// False where no rule asks whether somebody sits at a terminal; where nobody does, questions become
/// denials all the same.
pub(crate) fn asks_terminal(asks: u32) -> bool {
    asks & TERMINAL != 0 || asks & PLACE_TOLD == 0
}

/// Facts that a command and the loaded policies ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Whether it runs in CI, and in a container.
    pub machine: bool,
    /// The current cluster context and namespaces.
    pub cluster: bool,
    /// Cluster configurations that the command names, as written.
    pub kubeconfigs: Vec<String>,
    /// The current AWS profile and region.
    pub aws: bool,
    /// Account and region of AWS profiles.
    pub aws_accounts: bool,
    /// AWS profiles that the command names.
    pub aws_profiles: Vec<String>,
    /// The active configuration of `gcloud`.
    pub gcloud: bool,
    /// Configurations of `gcloud` that the command names.
    pub gcloud_configurations: Vec<String>,
    /// The current Azure subscription.
    pub azure: bool,
    /// The Terraform workspace of the folder.
    pub terraform: bool,
    /// The branch of the folder.
    pub branch: bool,
    /// Remotes of the folder's repository and its default branch.
    pub remotes: bool,
    /// Other folders that the command works in: each with what is asked of the first.
    pub folders: Vec<String>,
    /// Programs whose version matters.
    pub versions: Vec<String>,
}

/// What `analysis` asks for under `layers`, in the working directory `cwd`.
pub fn asked(analysis: &Analysis, layers: &Layers<'_>, cwd: &str) -> Asked {
    let mut asked = Asked::default();
    let heads = || {
        [layers.organisation, layers.user]
            .into_iter()
            .flatten()
            .map(crate::Snapshot::head)
    };
    let wants = heads().fold(0, |bits, head| bits | head.asks);
    asked.machine = heads().any(|head| head.asks & MACHINE != 0 || head.asks & PLACE_TOLD == 0);
    let branch_effect = analysis.effects.iter().any(|effect| {
        matches!(
            effect.kind,
            EffectKind::ForcePush { .. } | EffectKind::BranchDelete { .. }
        )
    });
    for call in &analysis.invocations {
        let program = call.program.as_str();
        let tool = heads()
            .flat_map(|head| &head.tools)
            .any(|tool| tool.name == program && !tool.versions.is_empty());
        if tool {
            push(&mut asked.versions, program);
        }
        let kind = known::kind(program);
        let all = kind == Kind::Several
            || (kind == Kind::Other
                && heads().any(|head| head.surroundings.iter().any(|name| name == program)));
        if known::elsewhere(call) {
            continue;
        }
        if kind == Kind::Cluster || all {
            asked.cluster = true;
            if let Some(Some(path)) = known::kubeconfig(call) {
                push(&mut asked.kubeconfigs, path);
            }
        }
        if matches!(kind, Kind::Aws | Kind::Infrastructure) || all {
            asked.aws = true;
            asked.aws_accounts |= wants & ACCOUNT != 0;
            let named =
                known::flag(call, &["--profile"]).or_else(|| known::set(call, "AWS_PROFILE"));
            if let Some(Some(profile)) = named {
                push(&mut asked.aws_profiles, profile);
            }
        }
        if kind == Kind::Gcloud || all || (kind == Kind::Infrastructure && wants & ACCOUNT != 0) {
            asked.gcloud = true;
            if let Some(Some(name)) = known::configuration(call) {
                push(&mut asked.gcloud_configurations, name);
            }
        }
        asked.azure |=
            kind == Kind::Azure || all || (kind == Kind::Infrastructure && wants & ACCOUNT != 0);
        asked.terraform |= kind == Kind::Infrastructure || all;
        let git = kind == Kind::Git;
        // A grant is bound to the branch, so each call of git asks for it.
        asked.branch |= git || wants & BRANCH != 0;
        asked.remotes |= git && (branch_effect || wants & (BRANCH | REMOTE) != 0);
        if (matches!(kind, Kind::Git | Kind::Infrastructure) || wants & BRANCH != 0)
            && let Some(folder) = known::folder(call, Some(cwd))
            && folder != cwd
        {
            push(&mut asked.folders, &folder);
        }
    }
    asked
}

/// Adds a name once; a line names few, and what is beyond is unknown.
fn push(list: &mut Vec<String>, name: &str) {
    if list.len() < 8 && !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}
