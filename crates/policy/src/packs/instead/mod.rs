//! Safer commands made from the line itself: to look first, to keep a copy, to try it out.
//!
//! What is offered here is shown only where the engine judges it to be calmer than the line
//! ([`crate::verify_instead`]). What would run on another machine is looked at there: a command that
//! looks around here would answer for the wrong place.

mod line;
mod machine;
mod resources;

use cmdai_schema::{CodeSource, Effect, EffectKind, Invocation, Risk};

use super::Judge;
use super::files::quoted;
use crate::condition::causes;

/// Wrappers that run a command somewhere else.
const ELSEWHERE: &[&str] = &[
    "ssh",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "oc",
    "chroot",
    "nsenter",
    "vagrant",
    "lxc",
    "ansible",
    "wsl",
    "pdsh",
    "crictl",
    "machinectl",
    "autossh",
    "mosh",
];

/// What a safer command is made from.
struct Case<'a> {
    /// The rule.
    id: &'a str,
    effect: Option<&'a Effect>,
    call: Option<&'a Invocation>,
    /// The whole text.
    text: &'a str,
    calls: &'a [Invocation],
}

impl<'a> Case<'a> {
    fn program(&self) -> &'a str {
        self.call.map_or("", |call| call.program.as_str())
    }

    fn words(&self) -> impl Iterator<Item = &'a str> {
        self.call
            .into_iter()
            .flat_map(|call| &call.args)
            .map(|arg| arg.text())
    }

    fn has(&self, word: &str) -> bool {
        self.words().any(|known| known == word)
    }

    /// The path of the effect as one word, where it names one thing.
    fn path(&self) -> Option<String> {
        let path = self.effect?.kind.path()?;
        (path.starts_with('/') && path.len() > 1 && !path.contains(['*', '?', '[', '$']))
            .then(|| quoted(path))
    }
}

/// Gives every hit without a safer command one, where there is one.
pub(super) fn offer(judge: &mut Judge<'_>) {
    let request = judge.request;
    let analysis = request.analysis;
    for hit in &mut judge.hits {
        if hit.risk == Risk::Safe {
            continue;
        }
        let effect = analysis
            .effects
            .iter()
            .find(|effect| effect.span == hit.span && belongs(&hit.id, &effect.kind));
        let call = match effect {
            Some(effect) => analysis
                .invocations
                .iter()
                .find(|call| causes(call, effect)),
            None => analysis
                .invocations
                .iter()
                .filter(|call| hit.id != "container.privileged" || is_engine(&call.program))
                .find(|call| call.span == hit.span),
        };
        let case = Case {
            id: &hit.id,
            effect,
            call,
            text: request.text,
            calls: &analysis.invocations,
        };
        // What a pack offers stays, except where what is in it says more.
        if (hit.instead.is_none()
            || matches!(hit.id.as_ref(), "k8s.destroy" | "fs.delete-outside-project"))
            && let Some(found) = make(&case)
        {
            hit.instead = Some(found);
        }
        if let (Some(found), Some(effect)) = (&hit.instead, effect)
            && is_elsewhere(effect)
        {
            hit.instead = there(request.text, &analysis.invocations, effect, found);
        }
    }
}

fn is_engine(program: &str) -> bool {
    matches!(program, "docker" | "podman" | "nerdctl")
}

/// Runs on another machine or in a container.
fn is_elsewhere(effect: &Effect) -> bool {
    let wrappers = effect
        .chain
        .split_last()
        .map_or(&[][..], |(_, wrappers)| wrappers);
    wrappers
        .iter()
        .any(|name| ELSEWHERE.contains(&name.as_str()))
}

/// The safer command in the place of what would run elsewhere: `ssh web 'ls -la /srv/x'`.
fn there(text: &str, calls: &[Invocation], effect: &Effect, safer: &str) -> Option<String> {
    let at = effect
        .chain
        .iter()
        .rposition(|name| ELSEWHERE.contains(&name.as_str()))?;
    let holds = |call: &&Invocation| {
        call.span.start <= effect.span.start && effect.span.end <= call.span.end
    };
    let outer = calls
        .iter()
        .filter(holds)
        .find(|call| call.chain.as_slice() == effect.chain.get(..=at).unwrap_or_default())?;
    let inner = calls
        .iter()
        .filter(holds)
        .filter(|call| call.chain.len() == at + 2)
        .find(|call| outer.span.start < call.span.start)?;
    if safer.contains(['\'', '"', '|', '&', '>']) {
        return None;
    }
    let before = text.get(outer.span.start as usize..inner.span.start as usize)?;
    let after = text.get(inner.span.end as usize..outer.span.end as usize)?;
    let whole = format!("{before}{safer}{after}");
    (whole.len() < 400 && !whole.contains('\n')).then_some(whole)
}

/// True where a rule of this id speaks of an effect of this kind.
fn belongs(id: &str, kind: &EffectKind) -> bool {
    let pack = id.split('.').next().unwrap_or(id);
    let name = kind.name();
    match pack {
        "fs" | "priv" | "self" => {
            matches!(
                name,
                "delete"
                    | "overwrite"
                    | "write"
                    | "move"
                    | "change-mode"
                    | "change-owner"
                    | "escalate"
            )
        }
        "disk" => {
            matches!(
                name,
                "device-write" | "format" | "mount" | "resource-destroy" | "overwrite" | "write"
            )
        }
        "exec" => matches!(name, "run-code" | "unknown"),
        "net" => matches!(
            name,
            "run-code" | "connect" | "listen" | "upload" | "download"
        ),
        "secret" => name == "read-secret",
        "acct" => matches!(name, "add-user" | "change-credential"),
        "persist" => name == "persistence",
        "git" => matches!(
            name,
            "force-push"
                | "branch-delete"
                | "history-loss"
                | "resource-change"
                | "resource-destroy"
        ),
        "log" => name == "tamper-log",
        "kernel" => name == "kernel-module",
        "proc" => name == "process-kill",
        "svc" => name == "service-control",
        "power" => name == "power",
        "sec" => name == "disable-security",
        "res" => name == "resource-exhaustion",
        "pkg" => matches!(
            name,
            "package-install" | "resource-change" | "resource-destroy" | "upload"
        ),
        _ => matches!(name, "resource-change" | "resource-destroy"),
    }
}

fn make(case: &Case<'_>) -> Option<String> {
    match case.id.split('.').next().unwrap_or("") {
        "fs" | "disk" | "priv" => machine::files(case),
        "exec" => code(case),
        "net" | "secret" => network(case),
        "git" => git(case),
        "acct" | "persist" | "log" | "kernel" | "proc" | "svc" | "power" | "sec" | "host"
        | "res" => machine::system(case),
        "pkg" => machine::packages(case),
        "cloud" | "iac" | "k8s" | "db" | "container" | "backup" => resources::make(case),
        _ => None,
    }
}

/// To read what would run instead of running it.
fn code(case: &Case<'_>) -> Option<String> {
    match (case.id, &case.effect?.kind) {
        (
            "exec.injected",
            EffectKind::RunCode {
                source: CodeSource::File(path),
                ..
            },
        ) => Some(format!("file {}", quoted(path))),
        ("exec.decoded-code" | "exec.unknown-code", _) => {
            line::read_instead(case).or_else(|| line::say_instead(case))
        }
        ("exec.unresolved", _) => line::say_instead(case),
        _ => None,
    }
}

fn network(case: &Case<'_>) -> Option<String> {
    match (case.id, &case.effect?.kind) {
        ("net.connect-shell", EffectKind::Connect { address }) => {
            let bare = address
                .trim_start_matches("tcp://")
                .trim_start_matches("udp://")
                .trim_start_matches("/dev/tcp/")
                .trim_start_matches("/dev/udp/");
            let (host, port) = bare.rsplit_once([':', '/'])?;
            Some(format!("nc -zv {host} {port}"))
        }
        ("net.listen", _) if case.has("http.server") && !case.has("--bind") => {
            line::with(case, "--bind 127.0.0.1")
        }
        ("net.upload", _) if case.program() == "rsync" => line::with(case, "--dry-run"),
        ("net.upload", _) if case.program() == "aws" && case.has("s3") => {
            line::with(case, "--dryrun")
        }
        ("net.upload", EffectKind::Upload { source, .. }) if source.starts_with('/') => {
            Some(format!("ls -la {}", quoted(source)))
        }
        ("net.upload-secret", EffectKind::Upload { source, .. }) => {
            let name = source.rsplit('/').next().unwrap_or(source);
            (name.starts_with("id_") && !name.ends_with(".pub"))
                .then(|| format!("cat {}", quoted(&format!("{source}.pub"))))
        }
        ("secret.read", EffectKind::ReadSecret { path }) if path.starts_with('/') => {
            Some(format!("ls -l {}", quoted(path)))
        }
        _ => None,
    }
}

fn git(case: &Case<'_>) -> Option<String> {
    if case.program() != "git" {
        return None;
    }
    match (case.id, &case.effect?.kind) {
        ("git.branch-delete", EffectKind::BranchDelete { branch, remote })
            if !branch.is_empty() =>
        {
            let of = remote
                .as_deref()
                .map(|remote| format!("{remote}/"))
                .unwrap_or_default();
            Some(format!(
                "git log --oneline -10 {}",
                quoted(&format!("{of}{branch}"))
            ))
        }
        ("git.history-loss", _) => Some(
            match case.words().find(|word| !word.starts_with('-'))? {
                "worktree" => "git worktree list",
                "submodule" => "git submodule status",
                "tag" => "git tag --list",
                "branch" => "git branch -vv",
                "update-ref" | "for-each-ref" => "git show-ref",
                "filter-branch" | "filter-repo" => "git clone --mirror . ../before-rewrite.git",
                "rm" => "git rm --dry-run -r .",
                _ => "git status",
            }
            .to_owned(),
        ),
        ("git.change", _) => Some("git log --oneline -10".to_owned()),
        _ => None,
    }
}
