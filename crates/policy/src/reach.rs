//! What effects reach: paths, names and contexts.

use cmdai_schema::EffectKind;

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
