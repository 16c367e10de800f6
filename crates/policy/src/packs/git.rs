//! Version control: work and history that others or nobody can bring back.

use cmdai_schema::Risk::{self, High, Moderate, Safe};
use cmdai_schema::{Effect, EffectKind};

use super::Judge;
use super::code::is_local;
use crate::place::Place;

/// True for a branch that others build on.
fn is_protected(judge: &Judge<'_>, branch: &str) -> bool {
    let branch = branch
        .trim_start_matches('+')
        .trim_start_matches("refs/heads/");
    let listed = &judge.request.facts.protected_branches;
    let known = [
        "main",
        "master",
        "develop",
        "production",
        "prod",
        "stable",
        "trunk",
    ];
    listed.iter().any(|glob| crate::glob::word(glob, branch))
        || known.contains(&branch)
        || branch.starts_with("release/")
        || branch.starts_with("release-")
}

/// What is lost, as a person would say it.
fn in_words(what: &str) -> &str {
    match what {
        "uncommitted" => "changes that are not committed",
        "untracked" => "files that are not tracked",
        "stash" => "stashed changes",
        "unreachable" => "commits that nothing points to",
        "reflog" => "the way back to earlier commits",
        "history" => "the history as others know it",
        "worktree" => "a work tree with its changes",
        "branch" => "commits of a branch",
        "submodule" => "changes in a submodule",
        other => other,
    }
}

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    match &effect.kind {
        // A repository in a temporary folder is nobody's but the line's.
        EffectKind::ForcePush { remote, .. }
            if judge.places.of(remote) == crate::place::Place::Temporary => {}
        EffectKind::ForcePush { remote, branch } => {
            let flags = |wanted: &str| {
                judge
                    .call(effect)
                    .is_some_and(|call| call.args.iter().any(|arg| arg.text().starts_with(wanted)))
            };
            let leased = flags("--force-with-lease") && !flags("--force-if-includes=false");
            let everything = flags("--mirror") || flags("--all");
            let named = if branch.is_empty() || branch == "HEAD" {
                judge.request.facts.git_branch.as_deref().unwrap_or("")
            } else {
                branch.as_str()
            };
            let protected = is_protected(judge, named);
            // With a lease nobody's commits are lost unseen; where an organisation protects a
            // branch, its history may not be rewritten even so.
            let listed = judge
                .request
                .facts
                .protected_branches
                .iter()
                .any(|glob| crate::glob::word(glob, named));
            let risk = if everything || listed || !leased {
                High
            } else {
                Moderate
            };
            let what = if everything {
                "every branch".to_owned()
            } else if named.is_empty() {
                "the remote branch".to_owned()
            } else {
                format!("the branch {named}")
            };
            let of = if remote.is_empty() {
                String::new()
            } else {
                format!(" of {remote}")
            };
            let instead = (!leased).then(|| {
                let tail = if branch.is_empty() {
                    String::new()
                } else {
                    format!(" {remote} {}", branch.trim_start_matches('+'))
                };
                format!("git push --force-with-lease{}", tail.trim_end())
            });
            let reason = format!("overwrites {what}{of}, others may lose commits");
            // The safer form still rewrites a protected branch: offer a plain push there.
            let instead = if protected {
                Some(format!(
                    "git push {} HEAD:refs/heads/{named}-next",
                    if remote.is_empty() { "origin" } else { remote }
                ))
            } else {
                instead
            };
            judge.hit("git.force-push", risk, effect, reason, instead);
        }
        EffectKind::BranchDelete { branch, remote } => {
            let protected = is_protected(judge, branch);
            let forced = judge.call(effect).is_some_and(|call| {
                call.args
                    .iter()
                    .any(|arg| matches!(arg.text(), "-D" | "-f" | "--force" | "-df" | "-fd"))
            });
            let risk = if remote.is_some() || protected || forced {
                High
            } else {
                Moderate
            };
            let at = remote
                .as_ref()
                .map(|remote| format!(" on {remote}"))
                .unwrap_or_default();
            let instead = remote
                .is_none()
                .then(|| format!("git branch -d {branch}"))
                .filter(|_| !protected && !branch.is_empty());
            judge.hit(
                "git.branch-delete",
                risk,
                effect,
                format!("deletes the branch {branch}{at}"),
                instead,
            );
        }
        EffectKind::HistoryLoss { what } => {
            let args: Vec<&str> = judge
                .call(effect)
                .map(|call| call.args.iter().map(|arg| arg.text()).collect())
                .unwrap_or_default();
            let instead = if args.contains(&"reset") {
                Some("git stash push --include-untracked".to_owned())
            } else if args.contains(&"clean") {
                Some("git clean -nd".to_owned())
            } else if args.contains(&"checkout")
                || args.contains(&"restore")
                || args.contains(&"switch")
            {
                Some("git stash push".to_owned())
            } else if args.contains(&"stash") {
                Some("git stash list".to_owned())
            } else if args.contains(&"reflog") || args.contains(&"gc") {
                Some("git reflog".to_owned())
            } else {
                None
            };
            let risk = if args.contains(&"pop") {
                Moderate
            } else {
                High
            };
            let reason = if what.is_empty() {
                "loses work that version control does not hold".to_owned()
            } else {
                format!("loses {}", in_words(what))
            };
            judge.hit("git.history-loss", risk, effect, reason, instead);
        }
        _ => {}
    }
}

/// A setting that says whom git speaks to, what holds strangers off, or what is written down.
/// `named` is `SETTING=VALUE`; a value that cannot be told is empty or holds its variable.
pub(super) fn setting(judge: &mut Judge<'_>, effect: &Effect, kind: &str, named: &str) {
    let url = named.starts_with("url.");
    // The address in `url.https://a.example/?x=y.insteadof=…` may hold a `=` too.
    let (name, value) = if url {
        named.rsplit_once("insteadof=").unwrap_or((named, ""))
    } else {
        named.split_once('=').unwrap_or((named, ""))
    };
    let key = name.rsplit('.').next().unwrap_or(name);
    let unseen = effect.certainty != cmdai_schema::Certainty::Proven;
    let (id, risk, reason) = match kind {
        "transport" => {
            let risk = transport(judge, name, key, value, unseen);
            let reason = match key {
                _ if url => format!(
                    "makes git ask another host in the place of {}",
                    if value.is_empty() {
                        "the named one"
                    } else {
                        value
                    }
                ),
                "proxy" if unseen => {
                    "sends git's traffic through a proxy that cannot be told".to_owned()
                }
                "proxy" => format!("sends git's traffic through {value}"),
                "proxyauthmethod" => "changes how the password for a proxy is sent".to_owned(),
                "extraheader" => "sends a header of its own along to every server".to_owned(),
                "cookiefile" | "savecookies" => "sends or keeps cookies".to_owned(),
                _ => format!("changes which servers git believes: {name}"),
            };
            ("git.transport", risk, reason)
        }
        "protection" => (
            "git.protection",
            protection(judge, key, value, unseen),
            format!("switches a protection of git off: {named}"),
        ),
        _ => (
            "git.trace",
            trace(key, value),
            format!("writes down what git does and knows: {named}"),
        ),
    };
    judge.hit(
        id,
        risk,
        effect,
        reason,
        Some("git config --list --show-origin".to_owned()),
    );
}

fn transport(judge: &Judge<'_>, name: &str, key: &str, value: &str, unseen: bool) -> Risk {
    let place = judge.places.of(value);
    match key {
        "proxy" if unseen => {
            // What the machine's own variable holds is what everything else uses as well.
            let own = value.to_ascii_lowercase().contains("proxy");
            if own { Moderate } else { High }
        }
        "proxy" if is_local(value) => Moderate,
        "proxyauthmethod" if !unseen && !value.eq_ignore_ascii_case("basic") => Moderate,
        // To one server, not to all of them.
        "extraheader" if name.contains("://") => Moderate,
        "savecookies" | "delegation" | "sslcipherlist" => Moderate,
        "sslbackend"
            if [
                "openssl",
                "schannel",
                "gnutls",
                "mbedtls",
                "secure-transport",
            ]
            .contains(&value) =>
        {
            Moderate
        }
        "sslcainfo" | "sslcapath" | "proxysslcainfo" | "pinnedpubkey" | "cookiefile" => match place
        {
            Place::Temporary | Place::TemporaryRoot => High,
            Place::System | Place::SystemRoot if key != "cookiefile" => Safe,
            _ => Moderate,
        },
        _ => High,
    }
}

fn protection(judge: &Judge<'_>, key: &str, value: &str, unseen: bool) -> Risk {
    match key {
        "directory" | "worktree" if unseen => Moderate,
        "directory" | "worktree" if value != "*" => {
            let own = [judge.places.home, judge.places.cwd]
                .into_iter()
                .flatten()
                .any(|root| crate::glob::is_below(value, root));
            match judge.places.of(value) {
                Place::Temporary
                | Place::TemporaryRoot
                | Place::System
                | Place::SystemRoot
                | Place::Root => High,
                _ if own => Safe,
                // Another person's.
                Place::Home | Place::HomeFile | Place::HomeStore => High,
                _ => Moderate,
            }
        }
        "fsckobjects" | "denynonfastforwards" | "denydeletes" => Moderate,
        _ => High,
    }
}

/// A trace that is told to hold what others must not see.
fn trace(key: &str, value: &str) -> Risk {
    let word = value.to_ascii_lowercase();
    let tells = [
        "*", "secret", "token", "key", "pass", "cred", "auth", "header", "url",
    ]
    .iter()
    .any(|part| word.contains(part));
    match key {
        "redact" => High,
        "envvars" | "configparams" if tells || word.is_empty() => High,
        _ => Moderate,
    }
}
