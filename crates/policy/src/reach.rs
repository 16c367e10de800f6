//! What effects and calls reach: paths, names, contexts and profiles.

use std::borrow::Cow;

use cmdai_schema::{EffectKind, Facts, Invocation};

/// Paths that an effect touches; true where it reaches below.
pub(crate) fn paths(kind: &EffectKind) -> impl Iterator<Item = (&str, bool)> {
    let recursive = matches!(
        kind,
        EffectKind::Delete {
            recursive: true,
            ..
        } | EffectKind::ChangeMode {
            recursive: true,
            ..
        } | EffectKind::ChangeOwner {
            recursive: true,
            ..
        } | EffectKind::Move { .. }
    );
    let second = match kind {
        EffectKind::Move { to, .. } => Some((to.as_str(), false)),
        EffectKind::Download { to: Some(to), .. } => Some((to.as_str(), false)),
        EffectKind::Upload { source, .. } => Some((source.as_str(), false)),
        _ => None,
    };
    kind.path()
        .map(|path| (path, recursive))
        .into_iter()
        .chain(second)
}

/// Names that an effect acts on.
pub(crate) fn names(kind: &EffectKind) -> Vec<&str> {
    match kind {
        EffectKind::Download { url, .. } => vec![url, host(url)],
        EffectKind::Upload { destination, .. } => vec![destination, host(destination)],
        EffectKind::Listen { address } | EffectKind::Connect { address } => {
            vec![address, host(address)]
        }
        EffectKind::Escalate { to } => vec![to],
        EffectKind::AddUser { name } | EffectKind::KernelModule { name } => vec![name],
        EffectKind::ChangeCredential { subject } => vec![subject],
        EffectKind::Persistence { mechanism, .. } => vec![mechanism],
        EffectKind::DisableSecurity { what } | EffectKind::HistoryLoss { what } => vec![what],
        EffectKind::ForcePush { remote, branch } => vec![remote, branch],
        EffectKind::BranchDelete { branch, .. } => vec![branch],
        EffectKind::ResourceDestroy {
            resource,
            name,
            provider,
            ..
        }
        | EffectKind::ResourceChange {
            resource,
            name,
            provider,
            ..
        } => {
            vec![resource, name, provider]
        }
        EffectKind::PackageInstall {
            manager,
            name,
            source,
        } => vec![name, manager, source],
        EffectKind::ServiceControl { service, action } => vec![service, action],
        EffectKind::ProcessKill { target, .. } => vec![target],
        EffectKind::Power { action } => vec![action],
        EffectKind::RunCode {
            source: cmdai_schema::CodeSource::Remote(url),
            language,
        } => vec![url, host(url), language],
        EffectKind::RunCode { language, .. } => vec![language],
        _ => Vec::new(),
    }
}

/// Host of an address or URL.
pub(crate) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    rest.split_once(':').map_or(rest, |(host, _)| host)
}

pub(crate) fn context_of(kind: &EffectKind) -> Option<&str> {
    match kind {
        EffectKind::ResourceDestroy { context, .. }
        | EffectKind::ResourceChange { context, .. } => context.as_deref(),
        _ => None,
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
];
const INFRASTRUCTURE: &[&str] = &["terraform", "tofu", "terragrunt"];

/// The value of a flag of a call, given as `--flag value` or `--flag=value`.
pub(crate) fn flag_value<'a>(call: &'a Invocation, names: &[&str]) -> Option<Option<&'a str>> {
    for (i, arg) in call.args.iter().enumerate() {
        let text = arg.text();
        if text == "--" {
            break;
        }
        if names.contains(&text) {
            return Some(call.args.get(i + 1).and_then(|next| next.value.as_deref()));
        }
        if let Some((name, value)) = text.split_once('=')
            && names.contains(&name)
        {
            return Some(Some(value));
        }
    }
    None
}

/// The value of a variable assigned in front of a call.
fn assigned<'a>(call: &'a Invocation, name: &str) -> Option<Option<&'a str>> {
    call.assignments
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_deref())
}

/// The profile that a call would use; `None` where it cannot be told.
pub(crate) fn profile<'a>(call: &'a Invocation, facts: &'a Facts) -> Option<Cow<'a, str>> {
    let given = flag_value(call, &["--profile"]).or_else(|| assigned(call, "AWS_PROFILE"));
    match given {
        Some(value) => value.map(Cow::Borrowed),
        None => facts.aws_profile.as_deref().map(Cow::Borrowed),
    }
}

/// The contexts that a call would work in: flag, then fact.
pub(crate) fn contexts<'a>(call: &'a Invocation, facts: &'a Facts) -> Vec<Cow<'a, str>> {
    let program = call.program.as_str();
    let fact = |fact: &'a Option<String>| fact.as_deref().map(Cow::Borrowed);
    let named = |names: &[&str], fact: Option<Cow<'a, str>>| match flag_value(call, names) {
        Some(value) => value.map(Cow::Borrowed),
        None => fact,
    };
    let one = if CLUSTER.contains(&program) {
        // Another configuration file means another current context.
        let other =
            assigned(call, "KUBECONFIG").is_some() || flag_value(call, &["--kubeconfig"]).is_some();
        named(
            &["--context", "--kube-context"],
            fact(&facts.kube_context).filter(|_| !other),
        )
    } else if program == "aws" {
        profile(call, facts)
    } else if INFRASTRUCTURE.contains(&program) {
        match assigned(call, "TF_WORKSPACE") {
            Some(value) => value.map(Cow::Borrowed),
            None => fact(&facts.terraform_workspace),
        }
    } else {
        named(
            &["--context", "--profile", "--project", "--subscription"],
            None,
        )
    };
    one.into_iter().collect()
}
