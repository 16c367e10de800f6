//! What is known about where a call works: context, profile, account, region, namespace,
//! workspace, branch, remote. A flag goes before a variable, a variable before a switch earlier in
//! the line, that before the facts of the machine.
//!
//! What runs elsewhere (`ssh`, a container) or as somebody else (`sudo`) does not work with this
//! person's files: there a fact is unknown unless the call says it itself.

use std::borrow::Cow;

use cmdai_schema::{Analysis, Effect, EffectKind, Facts, FolderFacts, Invocation};

use crate::glob;

/// Whether a condition holds, where not everything is known. `Unknown` lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tri {
    No,
    Unknown,
    Yes,
}

impl Tri {
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The call's own option or operand.
    Flag,
    /// A variable that the line sets.
    Variable(&'static str),
    /// An earlier command of the line.
    Earlier,
    /// A fact of the machine by this name.
    Fact(&'static str),
}

/// Values that a call works with, and whether there may be others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen<'a> {
    pub(crate) values: Vec<(Cow<'a, str>, From)>,
    pub(crate) unknown: bool,
    /// All that there are, such as `--all-namespaces`.
    pub(crate) all: bool,
}

impl<'a> Seen<'a> {
    fn none() -> Self {
        Self::default()
    }

    fn unknown() -> Self {
        Self {
            unknown: true,
            ..Self::default()
        }
    }

    fn one(value: impl Into<Cow<'a, str>>, from: From) -> Self {
        Self {
            values: vec![(value.into(), from)],
            ..Self::default()
        }
    }

    fn given(value: Option<&'a str>, from: From) -> Self {
        value.map_or_else(Self::unknown, |value| Self::one(value, from))
    }

    fn fact(value: Option<&'a str>, name: &'static str, facts: &Facts) -> Self {
        match value {
            Some(value) => Self::one(value, From::Fact(name)),
            None if facts.absent.iter().any(|known| known == name) => Self::none(),
            None => Self::unknown(),
        }
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.values.extend(other.values);
        self.unknown |= other.unknown;
        self
    }

    pub(crate) fn fits(&self, globs: &[String]) -> Tri {
        if self.all || self.texts().any(|text| glob::any_word(globs, text)) {
            Tri::Yes
        } else if self.unknown {
            Tri::Unknown
        } else {
            Tri::No
        }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(text, _)| text.as_ref())
    }
}

const CLUSTER: &[&str] = &[
    "kubectl",
    "helm",
    "k9s",
    "kustomize",
    "oc",
    "istioctl",
    "flux",
    "argocd",
    "helmfile",
    "stern",
    "kubectx",
    "kubens",
];
const AWS: &[&str] = &[
    "aws",
    "sam",
    "cdk",
    "eksctl",
    "eb",
    "s5cmd",
    "aws-vault",
    "copilot",
];
const GCLOUD: &[&str] = &["gcloud", "gsutil", "bq"];
const INFRASTRUCTURE: &[&str] = &["terraform", "tofu", "terragrunt"];
const SEVERAL_CLOUDS: &[&str] = &[
    "pulumi",
    "packer",
    "ansible",
    "ansible-playbook",
    "crossplane",
];
const GIT: &[&str] = &["git", "gh", "glab", "hub", "jj"];
/// Programs whose inner commands run somewhere else.
const ELSEWHERE: &[&str] = &[
    "ssh",
    "mosh",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "oc",
    "lxc",
    "incus",
    "vagrant",
    "machinectl",
    "chroot",
    "nsenter",
    "systemd-nspawn",
    "salt",
    "pdsh",
    "pssh",
    "docker-compose",
    "gcloud",
    "flyctl",
    "heroku",
    "multipass",
    "wsl",
    "ctr",
    "crictl",
    "toolbox",
    "distrobox",
];
/// Programs whose inner commands run as somebody else.
const OTHER_PERSON: &[&str] = &["sudo", "doas", "su", "runuser", "pkexec", "sudo-rs", "gosu"];

/// Kinds of facts that a program works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cluster,
    Aws,
    Gcloud,
    Azure,
    Infrastructure,
    Several,
    Git,
    Other,
}

/// Which facts the program works with.
pub(crate) fn kind(program: &str) -> Kind {
    if CLUSTER.contains(&program) {
        Kind::Cluster
    } else if AWS.contains(&program) {
        Kind::Aws
    } else if GCLOUD.contains(&program) {
        Kind::Gcloud
    } else if program == "az" {
        Kind::Azure
    } else if INFRASTRUCTURE.contains(&program) {
        Kind::Infrastructure
    } else if SEVERAL_CLOUDS.contains(&program) {
        Kind::Several
    } else if GIT.contains(&program) {
        Kind::Git
    } else {
        Kind::Other
    }
}

fn outer(call: &Invocation) -> &[String] {
    call.chain.split_last().map_or(&[][..], |(_, outer)| outer)
}

/// True where the call runs on another machine or in a container.
pub(crate) fn elsewhere(call: &Invocation) -> bool {
    outer(call)
        .iter()
        .any(|name| ELSEWHERE.contains(&name.as_str()))
}

/// True where this person's files do not tell what the call works with.
fn not_mine(call: &Invocation) -> bool {
    elsewhere(call)
        || outer(call)
            .iter()
            .any(|name| OTHER_PERSON.contains(&name.as_str()))
        || set(call, "HOME").is_some()
}

/// The value of a flag of a call, given as `--flag value` or `--flag=value`; the last one counts.
pub(crate) fn flag<'a>(call: &'a Invocation, names: &[&str]) -> Option<Option<&'a str>> {
    let mut found = None;
    for (i, arg) in call.args.iter().enumerate() {
        let text = arg.text();
        if text == "--" {
            break;
        }
        if names.contains(&text) {
            found = Some(call.args.get(i + 1).and_then(|next| next.value.as_deref()));
        } else if let Some((name, value)) = text.split_once('=')
            && names.contains(&name)
        {
            found = Some(Some(value));
        } else if let Some(value) = names
            .iter()
            .filter(|name| name.len() == 2 && !name.starts_with("--"))
            .find_map(|name| text.strip_prefix(name))
            .filter(|value| !value.is_empty())
        {
            found = Some(Some(value.trim_start_matches('=')));
        }
    }
    found
}

/// The value of a variable that the line sets for a call.
pub(crate) fn set<'a>(call: &'a Invocation, name: &str) -> Option<Option<&'a str>> {
    let find = |list: &'a [(String, Option<String>)]| {
        list.iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_deref())
    };
    find(&call.assignments).or_else(|| find(&call.variables))
}

fn variable<'a>(call: &'a Invocation, names: &[&'static str]) -> Option<Seen<'a>> {
    names
        .iter()
        .find_map(|name| Some(Seen::given(set(call, name)?, From::Variable(name))))
}

fn operands(call: &Invocation) -> impl Iterator<Item = &str> {
    call.args
        .iter()
        .map(|arg| arg.text())
        .filter(|text| !text.starts_with('-') && !text.is_empty())
}

/// Calls of the line before this one that run where it does, the last one first.
fn before<'a>(
    call: &'a Invocation,
    analysis: &'a Analysis,
) -> impl Iterator<Item = &'a Invocation> {
    let end = analysis
        .invocations
        .iter()
        .position(|other| std::ptr::eq(other, call))
        .unwrap_or(0);
    let inside = outer(call);
    analysis
        .invocations
        .get(..end)
        .unwrap_or_default()
        .iter()
        .rev()
        .filter(move |other| outer(other) == inside)
}

/// The word behind these operands, if the call begins with them.
fn after<'a>(call: &'a Invocation, words: &[&str]) -> Option<Option<&'a str>> {
    let mut operands = operands(call);
    words
        .iter()
        .all(|word| operands.next() == Some(word))
        .then(|| operands.next())
}

/// The profile that a call would use.
pub(crate) fn profile<'a>(call: &'a Invocation, facts: &'a Facts) -> Seen<'a> {
    if let Some(value) = flag(call, &["--profile"]) {
        return Seen::given(value, From::Flag);
    }
    if let Some(seen) = variable(call, &["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]) {
        return seen;
    }
    if not_mine(call) {
        return Seen::unknown();
    }
    Seen::fact(facts.aws_profile.as_deref(), "aws_profile", facts)
}

/// The contexts that a call would work in. None for programs that work in none.
pub(crate) fn contexts<'a>(
    call: &'a Invocation,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    match kind(&call.program) {
        Kind::Cluster => cluster(call, analysis, facts),
        Kind::Aws => profile(call, facts),
        Kind::Infrastructure => workspace(call, analysis, facts),
        Kind::Gcloud | Kind::Azure => account(call, analysis, facts),
        Kind::Several => surroundings(call, facts),
        Kind::Git | Kind::Other => {
            let names = ["--context", "--profile", "--project", "--subscription"];
            flag(call, &names).map_or_else(Seen::none, |value| Seen::given(value, From::Flag))
        }
    }
}

/// Every context that is current, for programs that may work in any of them.
pub(crate) fn surroundings<'a>(call: &'a Invocation, facts: &'a Facts) -> Seen<'a> {
    if not_mine(call) {
        return Seen::unknown();
    }
    [
        (&facts.kube_context, "kube_context"),
        (&facts.aws_profile, "aws_profile"),
        (&facts.terraform_workspace, "terraform_workspace"),
        (&facts.gcp_project, "gcp_project"),
        (&facts.azure_subscription, "azure_subscription"),
    ]
    .into_iter()
    .map(|(value, name)| Seen::fact(value.as_deref(), name, facts))
    .fold(Seen::none(), Seen::and)
}

/// The configuration file that a call names, as written; `None` where it is the current one.
pub(crate) fn kubeconfig(call: &Invocation) -> Option<Option<&str>> {
    flag(call, &["--kubeconfig"]).or_else(|| set(call, "KUBECONFIG"))
}

fn cluster<'a>(call: &'a Invocation, analysis: &'a Analysis, facts: &'a Facts) -> Seen<'a> {
    if let Some(value) = flag(call, &["--context", "--kube-context"]) {
        return Seen::given(value, From::Flag);
    }
    if call.program == "kubectx" {
        return match operands(call).next() {
            Some("-") | None => Seen::unknown(),
            Some(name) => Seen::one(name, From::Flag),
        };
    }
    let switched = before(call, analysis).find_map(|other| match other.program.as_str() {
        "kubectl" | "oc" => {
            after(other, &["config", "use-context"]).or_else(|| after(other, &["config", "use"]))
        }
        "kubectx" => operands(other).next().map(Some),
        _ => None,
    });
    if let Some(value) = switched {
        return Seen::given(value.filter(|name| *name != "-"), From::Earlier);
    }
    match kubeconfig(call) {
        Some(Some(path)) => match facts.kube_configs.get(path) {
            Some(config) => config
                .context
                .as_deref()
                .map_or_else(Seen::none, |name| Seen::one(name, From::Flag)),
            None => Seen::unknown(),
        },
        Some(None) => Seen::unknown(),
        None if not_mine(call) => Seen::unknown(),
        None => Seen::fact(facts.kube_context.as_deref(), "kube_context", facts),
    }
}

/// The namespaces that a cluster tool works in.
pub(crate) fn namespace<'a>(
    call: &'a Invocation,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    if kind(&call.program) != Kind::Cluster {
        return Seen::none();
    }
    if call.args.iter().any(|arg| {
        matches!(
            arg.text(),
            "-A" | "--all-namespaces" | "--all-namespaces=true"
        )
    }) {
        return Seen {
            all: true,
            ..Seen::none()
        };
    }
    if let Some(value) = flag(call, &["--namespace", "-n"]) {
        return Seen::given(value, From::Flag);
    }
    let switched = before(call, analysis).find_map(|other| match other.program.as_str() {
        "kubectl" | "oc" => {
            after(other, &["config", "set-context"])?;
            flag(other, &["--namespace"])
        }
        "kubens" => operands(other).next().map(Some),
        _ => None,
    });
    if let Some(value) = switched {
        return Seen::given(value.filter(|name| *name != "-"), From::Earlier);
    }
    let contexts = cluster(call, analysis, facts);
    let Some((context, from)) = contexts.values.first().cloned() else {
        return if contexts.unknown {
            Seen::unknown()
        } else {
            Seen::none()
        };
    };
    let named = match kubeconfig(call) {
        Some(path) => path
            .and_then(|path| facts.kube_configs.get(path))
            .map(|config| config.namespaces.get(context.as_ref()).map(String::as_str)),
        None if not_mine(call) => None,
        None if matches!(from, From::Fact(_)) => Some(facts.kube_namespace.as_deref()),
        None if facts.kube_context.is_none() && facts.kube_namespaces.is_empty() => None,
        None => Some(
            facts
                .kube_namespaces
                .get(context.as_ref())
                .map(String::as_str),
        ),
    };
    match named {
        None => Seen::unknown(),
        // A context without a namespace works in `default`.
        Some(name) => Seen::one(name.unwrap_or("default"), From::Fact("kube_namespace")),
    }
}

/// The accounts, projects or subscriptions that a call works in.
pub(crate) fn account<'a>(
    call: &'a Invocation,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    match kind(&call.program) {
        Kind::Aws => aws_account(call, facts),
        Kind::Gcloud => project(call, analysis, facts),
        Kind::Azure => subscription(call, analysis, facts),
        Kind::Infrastructure | Kind::Several => {
            let mut seen = aws_account(call, facts);
            if not_mine(call) {
                return seen;
            }
            for (value, name) in [
                (&facts.gcp_project, "gcp_project"),
                (&facts.azure_subscription, "azure_subscription"),
                (&facts.azure_subscription_id, "azure_subscription_id"),
            ] {
                let value = value.as_deref();
                seen.values
                    .extend(value.map(|value| (Cow::Borrowed(value), From::Fact(name))));
            }
            seen
        }
        _ => Seen::none(),
    }
}

fn aws_account<'a>(call: &'a Invocation, facts: &'a Facts) -> Seen<'a> {
    let flagged = flag(call, &["--profile"]);
    // Keys in the variables go before a profile that is not given as a flag.
    if flagged.is_none() {
        if let Some(seen) = variable(call, &["AWS_ACCOUNT_ID"]) {
            return seen;
        }
        if set(call, "AWS_ACCESS_KEY_ID").is_some() || not_mine(call) {
            return Seen::unknown();
        }
    }
    let named = flagged.or_else(|| set(call, "AWS_PROFILE"));
    match named {
        Some(None) => Seen::unknown(),
        Some(Some(profile)) => match facts.aws_profiles.get(profile) {
            Some(known) if !not_mine(call) && set(call, "AWS_CONFIG_FILE").is_none() => {
                Seen::given(known.account.as_deref(), From::Fact("aws_account"))
            }
            _ => Seen::unknown(),
        },
        None if facts.aws_keys && facts.aws_account.is_none() => Seen::unknown(),
        None => Seen::fact(facts.aws_account.as_deref(), "aws_account", facts),
    }
}

/// The `gcloud` configuration that a call names.
pub(crate) fn configuration(call: &Invocation) -> Option<Option<&str>> {
    flag(call, &["--configuration"]).or_else(|| set(call, "CLOUDSDK_ACTIVE_CONFIG_NAME"))
}

fn project<'a>(call: &'a Invocation, analysis: &'a Analysis, facts: &'a Facts) -> Seen<'a> {
    if let Some(value) = flag(call, &["--project", "--project_id"]) {
        return Seen::given(value, From::Flag);
    }
    if let Some(seen) = variable(call, &["CLOUDSDK_CORE_PROJECT"]) {
        return seen;
    }
    let switched = before(call, analysis)
        .filter(|other| other.program == "gcloud")
        .find_map(|other| {
            after(other, &["config", "set", "project"])
                .or_else(|| after(other, &["config", "set", "core/project"]))
                .or_else(|| after(other, &["config", "configurations", "activate"]).map(|_| None))
        });
    if let Some(value) = switched {
        return Seen::given(value, From::Earlier);
    }
    if not_mine(call) || set(call, "CLOUDSDK_CONFIG").is_some() {
        return Seen::unknown();
    }
    match configuration(call) {
        Some(name) => {
            let known = name.and_then(|name| facts.gcp_configurations.get(name));
            let project = known.and_then(|known| known.project.as_deref());
            Seen::given(project, From::Fact("gcp_project"))
        }
        None => Seen::fact(facts.gcp_project.as_deref(), "gcp_project", facts),
    }
}

fn subscription<'a>(call: &'a Invocation, analysis: &'a Analysis, facts: &'a Facts) -> Seen<'a> {
    if let Some(value) = flag(call, &["--subscription"]) {
        return Seen::given(value, From::Flag);
    }
    let switched = before(call, analysis)
        .filter(|other| other.program == "az" && after(other, &["account", "set"]).is_some())
        .find_map(|other| flag(other, &["--subscription", "-s", "--name", "-n"]));
    if let Some(value) = switched {
        return Seen::given(value, From::Earlier);
    }
    if not_mine(call) || set(call, "AZURE_CONFIG_DIR").is_some() {
        return Seen::unknown();
    }
    let name = Seen::fact(
        facts.azure_subscription.as_deref(),
        "azure_subscription",
        facts,
    );
    let id = facts.azure_subscription_id.as_deref();
    name.and(id.map_or_else(Seen::none, |id| {
        Seen::one(id, From::Fact("azure_subscription_id"))
    }))
}

/// The regions that a call works in.
pub(crate) fn region<'a>(call: &'a Invocation, facts: &'a Facts) -> Seen<'a> {
    let kind = kind(&call.program);
    if matches!(kind, Kind::Cluster | Kind::Git | Kind::Other) {
        return Seen::none();
    }
    if let Some(value) = flag(call, &["--region", "--location", "--zone"]) {
        return Seen::given(value, From::Flag);
    }
    match kind {
        Kind::Gcloud => {
            if let Some(seen) = variable(call, &["CLOUDSDK_COMPUTE_REGION"]) {
                return seen;
            }
            if not_mine(call) {
                return Seen::unknown();
            }
            match configuration(call) {
                Some(name) => {
                    let known = name.and_then(|name| facts.gcp_configurations.get(name));
                    let region = known.and_then(|known| known.region.as_deref());
                    Seen::given(region, From::Fact("gcp_region"))
                }
                None => Seen::fact(facts.gcp_region.as_deref(), "gcp_region", facts),
            }
        }
        Kind::Azure => Seen::none(),
        _ => {
            if let Some(seen) = variable(call, &["AWS_REGION", "AWS_DEFAULT_REGION"]) {
                return seen;
            }
            if not_mine(call) {
                return Seen::unknown();
            }
            let named = flag(call, &["--profile"]).or_else(|| set(call, "AWS_PROFILE"));
            match named {
                Some(profile) => {
                    let known = profile.and_then(|profile| facts.aws_profiles.get(profile));
                    let region = known.and_then(|known| known.region.as_deref());
                    Seen::given(region, From::Fact("aws_region"))
                }
                None => Seen::fact(facts.aws_region.as_deref(), "aws_region", facts),
            }
        }
    }
}

/// The folder that a call works in: `-C`, `-chdir` and what the line changed. Nothing where it
/// cannot be told.
pub(crate) fn folder<'a>(call: &'a Invocation, cwd: Option<&'a str>) -> Option<Cow<'a, str>> {
    let base = match call.cwd.as_deref() {
        Some("") => return None,
        Some(folder) => Some(folder),
        None => cwd,
    };
    let named = match kind(&call.program) {
        Kind::Git if call.program == "git" => {
            let elsewhere = flag(call, &["--git-dir", "--work-tree"]).is_some()
                || set(call, "GIT_DIR").is_some();
            if elsewhere {
                return None;
            }
            // Only in front of the subcommand; `git commit -C` is something else.
            let at = call.args.iter().position(|arg| arg.text() == "-C");
            match at.filter(|at| *at == 0) {
                Some(at) => Some(call.args.get(at + 1)?.value.as_deref()?),
                None => None,
            }
        }
        Kind::Infrastructure => {
            match flag(call, &["-chdir", "--chdir", "--terragrunt-working-dir"]) {
                Some(folder) => Some(folder?),
                None => None,
            }
        }
        _ => None,
    };
    match named {
        None => base.map(Cow::Borrowed),
        Some(folder) if folder.starts_with('/') => Some(Cow::Owned(tidy(folder))),
        Some(folder) => Some(Cow::Owned(tidy(&format!("{}/{folder}", base?)))),
    }
}

fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The facts of the folder that a call works in.
fn folder_facts<'a>(call: &'a Invocation, facts: &'a Facts) -> Where<'a> {
    if elsewhere(call) {
        return Where::Unknown;
    }
    match folder(call, facts.cwd.as_deref()) {
        None if facts.cwd.is_none() && call.cwd.is_none() => Where::Here,
        None => Where::Unknown,
        Some(folder) if Some(folder.as_ref()) == facts.cwd.as_deref() => Where::Here,
        Some(folder) => facts
            .folders
            .get(folder.as_ref())
            .map_or(Where::Unknown, Where::Other),
    }
}

enum Where<'a> {
    Here,
    Other(&'a FolderFacts),
    Unknown,
}

fn of_folder<'a>(
    folder: &Where<'a>,
    here: Option<&'a str>,
    name: &'static str,
    other: impl Fn(&'a FolderFacts) -> Option<&'a str>,
    facts: &Facts,
) -> Seen<'a> {
    match folder {
        Where::Here => Seen::fact(here, name, facts),
        Where::Other(known) => match other(known) {
            Some(value) => Seen::one(value, From::Fact(name)),
            None if known.absent.iter().any(|absent| absent == name) => Seen::none(),
            None => Seen::unknown(),
        },
        Where::Unknown => Seen::unknown(),
    }
}

/// The Terraform workspace that a call works in.
pub(crate) fn workspace<'a>(
    call: &'a Invocation,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    if kind(&call.program) != Kind::Infrastructure {
        return Seen::none();
    }
    let selected = |other: &'a Invocation| {
        after(other, &["workspace", "select"]).or_else(|| after(other, &["workspace", "new"]))
    };
    if let Some(value) = selected(call) {
        return Seen::given(value, From::Flag);
    }
    if let Some(seen) = variable(call, &["TF_WORKSPACE"]) {
        return seen;
    }
    let switched = before(call, analysis)
        .filter(|other| kind(&other.program) == Kind::Infrastructure)
        .filter(|other| folder(other, None) == folder(call, None))
        .find_map(selected);
    if let Some(value) = switched {
        return Seen::given(value, From::Earlier);
    }
    if set(call, "TF_DATA_DIR").is_some() {
        return Seen::unknown();
    }
    of_folder(
        &folder_facts(call, facts),
        facts.terraform_workspace.as_deref(),
        "terraform_workspace",
        |folder| folder.terraform_workspace.as_deref(),
        facts,
    )
}

/// The branch that is checked out where a call works.
fn checked_out<'a>(call: &'a Invocation, analysis: &'a Analysis, facts: &'a Facts) -> Seen<'a> {
    let switched = before(call, analysis)
        .filter(|other| other.program == "git" && folder(other, None) == folder(call, None))
        .find_map(|other| {
            let mut words = operands(other);
            let behind = match words.find(|word| *word == "checkout" || *word == "switch")? {
                _ if other.args.iter().any(|arg| arg.text() == "--") => return None,
                _ => words.next(),
            };
            let made = flag(
                other,
                &["-b", "-B", "-c", "-C", "--create", "--force-create"],
            );
            Some(made.unwrap_or(behind))
        });
    if let Some(value) = switched {
        return Seen::given(value, From::Earlier);
    }
    of_folder(
        &folder_facts(call, facts),
        facts.git_branch.as_deref(),
        "git_branch",
        |folder| folder.git_branch.as_deref(),
        facts,
    )
}

/// Operands of `git push` and the like behind the subcommand: the remote, then what is pushed.
fn pushed(call: &Invocation) -> Option<Vec<&str>> {
    let mut words = operands(call).skip_while(|word| *word != "push");
    words.next()?;
    Some(words.collect())
}

/// The branches that a call acts on: named by the effect or by what is pushed, else checked out.
pub(crate) fn branch<'a>(
    call: &'a Invocation,
    effect: Option<&'a Effect>,
    analysis: &'a Analysis,
    facts: &'a Facts,
) -> Seen<'a> {
    if kind(&call.program) != Kind::Git {
        // Whatever runs in a work tree runs on its branch.
        return if elsewhere(call) {
            Seen::none()
        } else {
            checked_out(call, analysis, facts)
        };
    }
    if let Some(EffectKind::ForcePush { branch, .. } | EffectKind::BranchDelete { branch, .. }) =
        effect.map(|effect| &effect.kind)
        && !branch.is_empty()
        && branch != "HEAD"
    {
        return Seen::one(plain(branch), From::Flag);
    }
    let Some(words) = pushed(call).filter(|words| words.len() > 1) else {
        if call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "--all" | "--mirror"))
        {
            return Seen {
                all: true,
                ..Seen::none()
            };
        }
        return checked_out(call, analysis, facts);
    };
    let mut seen = Seen::none();
    for refspec in words.iter().skip(1) {
        let to = refspec.rsplit(':').next().unwrap_or(refspec);
        if matches!(to, "HEAD" | "@" | "") {
            seen = seen.and(checked_out(call, analysis, facts));
        } else {
            seen = seen.and(Seen::one(plain(to), From::Flag));
        }
    }
    seen
}

fn plain(branch: &str) -> &str {
    let branch = branch.trim_start_matches('+');
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// Whether a call acts on a protected branch.
pub(crate) fn is_protected(
    call: &Invocation,
    effect: Option<&Effect>,
    analysis: &Analysis,
    facts: &Facts,
) -> Tri {
    let seen = branch(call, effect, analysis, facts);
    match folder_facts(call, facts) {
        Where::Other(folder) if folder.git_default.is_some() => {
            let mut protected = facts.protected_branches.clone();
            protected.extend(folder.git_default.clone());
            seen.fits(&protected)
        }
        _ => seen.fits(&facts.protected_branches),
    }
}

/// The remotes that a `git` call speaks to: their names and addresses.
pub(crate) fn remote<'a>(
    call: &'a Invocation,
    effect: Option<&'a Effect>,
    facts: &'a Facts,
) -> Seen<'a> {
    const SPEAK: &[&str] = &[
        "push",
        "fetch",
        "pull",
        "clone",
        "ls-remote",
        "remote",
        "submodule",
    ];
    if call.program != "git" {
        return Seen::none();
    }
    let mut words = operands(call).skip_while(|word| !SPEAK.contains(word));
    let Some(subcommand) = words.next() else {
        return Seen::none();
    };
    let mut named = words.next();
    if subcommand == "remote" || subcommand == "submodule" {
        // `git remote add name address`
        named = words.nth(1);
    }
    if let Some(
        EffectKind::ForcePush { remote, .. }
        | EffectKind::BranchDelete {
            remote: Some(remote),
            ..
        },
    ) = effect.map(|effect| &effect.kind)
        && !remote.is_empty()
    {
        named = Some(remote);
    }
    let name = match named {
        Some(address) if address.contains([':', '/']) => return Seen::one(address, From::Flag),
        Some(name) => name,
        None if subcommand == "clone" => return Seen::none(),
        // Where nothing else is configured; the branch's own remote is not read.
        None => "origin",
    };
    let seen = Seen::one(name, From::Flag);
    let address = match folder_facts(call, facts) {
        Where::Here => of_remotes(&facts.git_remotes, name, &facts.absent),
        Where::Other(folder) => of_remotes(&folder.git_remotes, name, &folder.absent),
        Where::Unknown => Seen::unknown(),
    };
    seen.and(address)
}

fn of_remotes<'a>(
    remotes: &'a std::collections::BTreeMap<String, String>,
    name: &str,
    absent: &[String],
) -> Seen<'a> {
    match remotes.get(name) {
        Some(address) => Seen::one(address.as_str(), From::Fact("git_remotes")),
        None if absent.iter().any(|known| known == "git_remotes") => Seen::none(),
        None => Seen::unknown(),
    }
}
