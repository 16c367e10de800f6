//! One effect as a piece of a sentence.

use cmdai_schema::{Certainty, CodeSource, Effect, EffectKind};

/// A piece of a sentence: `deletes` + `~/x and everything below it` + `, without asking`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// Who does it, and where: `as root, through sudo, `. May be empty.
    pub(crate) who: String,
    /// What is done.
    pub(crate) verb: String,
    /// To what.
    pub(crate) object: String,
    /// How.
    pub(crate) tail: String,
}

/// Paths as a person writes them: with `~` for the home.
pub(crate) struct Paths<'a> {
    pub(crate) home: &'a str,
}

impl Paths<'_> {
    pub(crate) fn short(&self, path: &str) -> String {
        match path.strip_prefix(self.home) {
            Some("") if !self.home.is_empty() => "~".to_owned(),
            Some(rest) if rest.starts_with('/') && self.home.len() > 1 => format!("~{rest}"),
            _ => path.to_owned(),
        }
    }

    /// What a path with a pattern stands for.
    fn meant(&self, path: &str, recursive: bool) -> String {
        let shown = self.short(path);
        if let Some(folder) = shown.strip_suffix("/*") {
            let folder = if folder.is_empty() { "/" } else { folder };
            return format!("everything below {folder}");
        }
        match (shown.contains(['*', '?']), recursive) {
            (true, true) => format!("what matches {shown}, with everything below it"),
            (true, false) => format!("what matches {shown}"),
            (false, true) if path == "/" => "the whole machine, everything below /".to_owned(),
            (false, true) => format!("{shown} and everything below it"),
            (false, false) => shown,
        }
    }
}

/// A language as it is written.
pub(crate) fn language(name: &str) -> &str {
    match name {
        "python" => "Python",
        "perl" => "Perl",
        "ruby" => "Ruby",
        "javascript" | "node" | "js" => "JavaScript",
        "php" => "PHP",
        "sql" => "SQL",
        "lua" => "Lua",
        "powershell" => "PowerShell",
        "applescript" => "AppleScript",
        "r" => "R",
        "" | "unknown" | "program" | "binary" => "some",
        other => other,
    }
}

/// The words for how sure it is, in front of the verb.
pub(crate) fn sure(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "",
        Certainty::Likely => "probably ",
        Certainty::Unknown => "perhaps ",
    }
}

/// Verbs of services and power in the third person.
fn third(action: &str) -> String {
    match action {
        "stop" => "stops".to_owned(),
        "disable" => "stops from starting by itself".to_owned(),
        "enable" => "makes start by itself".to_owned(),
        "kickstart" => "starts".to_owned(),
        action if action.ends_with(['s', 'h', 'x']) => format!("{action}es"),
        action => format!("{action}s"),
    }
}

/// One effect in words, without who does it.
pub(crate) fn clause(effect: &Effect, paths: &Paths<'_>) -> Clause {
    let own = |verb: &str, object: String, tail: &str| (verb.to_owned(), object, tail.to_owned());
    let below = |recursive: bool| {
        if recursive {
            ", and of everything below it"
        } else {
            ""
        }
    };
    let within = |context: &Option<String>| {
        context
            .as_ref()
            .filter(|context| !context.is_empty())
            .map(|context| format!(" in {context}"))
            .unwrap_or_default()
    };
    let (verb, object, tail) = match &effect.kind {
        EffectKind::Delete { path, .. }
            if path.contains('*')
                && effect
                    .chain
                    .iter()
                    .any(|name| matches!(name.as_str(), "find" | "fd" | "fdfind")) =>
        {
            let (folder, pattern) = path.rsplit_once('/').unwrap_or(("", path));
            let folder = if folder.is_empty() {
                "/".to_owned()
            } else {
                paths.short(folder)
            };
            own(
                "deletes",
                format!("what matches {pattern} below {folder}"),
                "",
            )
        }
        EffectKind::Delete {
            path,
            recursive,
            force,
        } => own(
            "deletes",
            paths.meant(path, *recursive),
            if *force { ", without asking" } else { "" },
        ),
        EffectKind::Overwrite { path } if path.ends_with("/*") => own(
            "writes",
            paths.meant(path, false),
            ", replacing what was there",
        ),
        EffectKind::Overwrite { path } => {
            own("writes", paths.short(path), ", replacing what was there")
        }
        EffectKind::Write { path } => own("writes to", paths.short(path), ""),
        EffectKind::Move { to, .. } if to == "/dev/null" => own(
            "throws away",
            paths.short(effect.kind.path().unwrap_or_default()),
            "",
        ),
        EffectKind::Move { from, to } if to.contains("/Trash") => {
            own("puts", paths.short(from), " into the trash")
        }
        EffectKind::Move { from, to } => own(
            "moves",
            paths.short(from),
            &format!(" to {}", paths.short(to)),
        ),
        EffectKind::Read { path } => own("reads", paths.meant(path, false), ""),
        EffectKind::ReadSecret { path } => own("reads the secret in", paths.short(path), ""),
        EffectKind::ChangeMode {
            path,
            mode,
            recursive,
        } => own(
            "sets the permissions of",
            paths.short(path),
            &format!(" to {mode}{}", below(*recursive)),
        ),
        EffectKind::ChangeOwner {
            path,
            owner,
            recursive,
        } => own(
            "hands",
            paths.short(path),
            &format!(
                "{} to {owner}",
                if *recursive {
                    " and everything below it"
                } else {
                    ""
                }
            ),
        ),
        EffectKind::DeviceWrite { path } => own(
            "writes straight to the device",
            path.clone(),
            ", over what is on it",
        ),
        EffectKind::Format { path } => own(
            "makes a new file system on",
            path.clone(),
            "; what was there is lost",
        ),
        EffectKind::Mount { path }
            if matches!(
                effect.chain.last().map(String::as_str),
                Some("docker" | "podman" | "nerdctl")
            ) =>
        {
            own(
                "gives a container the folder",
                path.clone(),
                " of this machine",
            )
        }
        EffectKind::Mount { path } => own(
            if effect
                .chain
                .last()
                .is_some_and(|name| name.contains("umount"))
            {
                "takes away the file system at"
            } else {
                "makes available the file system at"
            },
            paths.short(path),
            "",
        ),
        EffectKind::RunCode {
            source,
            language: name,
        } => {
            let name = language(name);
            match source {
                CodeSource::Literal => own(
                    "runs",
                    format!("{name} code that stands in the line"),
                    " and, as far as it can be read, changes nothing",
                ),
                CodeSource::File(path) if name == "some" || name == "native" => {
                    own("runs", paths.short(path), "")
                }
                CodeSource::File(path) => own(
                    "runs",
                    format!("the {name} code in {}", paths.short(path)),
                    "",
                ),
                CodeSource::Remote(url) if url.is_empty() => own(
                    "runs",
                    format!("{name} code straight from the network"),
                    ", unread",
                ),
                CodeSource::Remote(url) => own(
                    "runs",
                    format!("{name} code straight from {url}"),
                    ", unread",
                ),
                CodeSource::Unknown => own(
                    "runs",
                    format!("{name} code that the line does not show"),
                    "",
                ),
            }
        }
        EffectKind::Download { url, to: Some(to) } => {
            own("downloads", format!("{url} to {}", paths.short(to)), "")
        }
        EffectKind::Download { url, to: None } if url.is_empty() => {
            own("downloads", "something".to_owned(), "")
        }
        EffectKind::Download { url, to: None } => own("downloads", url.clone(), ""),
        EffectKind::Upload { destination, .. } if destination == "git" => {
            own("sends commits to the remote repository", String::new(), "")
        }
        EffectKind::Upload {
            source,
            destination,
        } => {
            let what = match source.as_str() {
                "" | "-" => "data".to_owned(),
                source => paths.short(source),
            };
            let to = if destination.is_empty() {
                "elsewhere"
            } else {
                destination
            };
            own("sends", what, &format!(" to {to}"))
        }
        EffectKind::Listen { address } => {
            let port = !address.is_empty() && address.bytes().all(|b| b.is_ascii_digit());
            own(
                "waits for connections",
                String::new(),
                &match address.as_str() {
                    "" => String::new(),
                    address if port => format!(" at port {address}"),
                    address => format!(" at {address}"),
                },
            )
        }
        EffectKind::Connect { address } => own("connects to", address.clone(), ""),
        EffectKind::Escalate { to } => own("becomes", to.clone(), ""),
        EffectKind::AddUser { name } => own("adds the account", name.clone(), ""),
        EffectKind::ChangeCredential { subject } if subject.starts_with('/') => {
            own("changes who may log in, in", subject.clone(), "")
        }
        EffectKind::ChangeCredential { subject } if matches!(subject.as_str(), "" | "self") => {
            own("changes your own password", String::new(), "")
        }
        EffectKind::ChangeCredential { subject } => {
            own("changes the account or credentials of", subject.clone(), "")
        }
        EffectKind::Persistence { mechanism, path } => {
            let at = path
                .as_ref()
                .map(|path| format!(", in {}", paths.short(path)))
                .unwrap_or_default();
            own(persistence(mechanism), String::new(), &at)
        }
        EffectKind::DisableSecurity { what }
            if what.bytes().all(|b| b.is_ascii_lowercase()) && !what.is_empty() =>
        {
            own(
                "switches off",
                format!("the {what}"),
                ", which protects this machine",
            )
        }
        EffectKind::DisableSecurity { what } => own(
            "switches off",
            what.clone(),
            ", which protects this machine",
        ),
        EffectKind::TamperLog { path } if path.starts_with('/') => {
            own("erases or silences the log", paths.short(path), "")
        }
        EffectKind::TamperLog { path } if path.is_empty() => {
            own("erases or silences a log", String::new(), "")
        }
        EffectKind::TamperLog { path } => {
            own("erases or silences", format!("the record {path}"), "")
        }
        EffectKind::KernelModule { name } => own(
            if matches!(effect.chain.last().map(String::as_str), Some("rmmod")) {
                "removes the kernel module"
            } else {
                "loads or removes the kernel module"
            },
            name.clone(),
            "",
        ),
        EffectKind::HistoryLoss { what } => own("loses", lost(what).to_owned(), ""),
        EffectKind::ForcePush { remote, branch } => own(
            "overwrites",
            if branch.is_empty() || branch == "HEAD" {
                "the current branch".to_owned()
            } else {
                format!("the branch {}", branch.trim_start_matches('+'))
            },
            &if remote.is_empty() {
                " on the remote; commits of others may be lost".to_owned()
            } else {
                format!(" on {remote}; commits of others may be lost")
            },
        ),
        EffectKind::BranchDelete { branch, remote } => own(
            "deletes the branch",
            branch.clone(),
            &remote
                .as_ref()
                .map(|remote| format!(" on {remote}, for everybody"))
                .unwrap_or_default(),
        ),
        EffectKind::ResourceDestroy {
            resource,
            name,
            provider,
            context,
        } => own(
            "destroys",
            thing(resource, name, provider),
            &within(context),
        ),
        EffectKind::ResourceChange {
            resource,
            name,
            provider,
            context,
        } => own("changes", thing(resource, name, provider), &within(context)),
        EffectKind::PackageInstall {
            manager,
            name,
            source,
        } => {
            let by = if manager.is_empty() {
                String::new()
            } else {
                format!(" with {manager}")
            };
            let from = if source.contains("://") && source != name {
                format!(", taken from {source}")
            } else {
                String::new()
            };
            let what = if matches!(name.as_str(), "" | "." | "./") {
                "packages".to_owned()
            } else {
                name.clone()
            };
            own("installs", what, &format!("{by}{from}"))
        }
        EffectKind::ServiceControl { service, action } => {
            own(&third(action), format!("the service {service}"), "")
        }
        EffectKind::ProcessKill { target, all: true }
            if matches!(target.as_str(), "" | "-1" | "*" | "all") =>
        {
            own("ends", "every process".to_owned(), "")
        }
        EffectKind::ProcessKill { target, all: true } => {
            own("ends", format!("all processes named {target}"), "")
        }
        EffectKind::ProcessKill { target, all: false } if target.is_empty() => own(
            "ends",
            "processes that the line does not name".to_owned(),
            "",
        ),
        EffectKind::ProcessKill { target, all: false } => {
            own("ends", format!("the process {target}"), "")
        }
        EffectKind::Power { action } => own(
            match action.as_str() {
                "reboot" | "restart" => "restarts",
                "suspend" | "hibernate" | "sleep" => "puts to sleep",
                _ => "stops",
            },
            "the machine".to_owned(),
            "",
        ),
        EffectKind::ResourceExhaustion { how } => own(
            "uses up the machine",
            String::new(),
            &format!(" ({})", spoken(how)),
        ),
        EffectKind::Unknown { .. } => own(
            "does something that the line does not show",
            String::new(),
            "",
        ),
    };
    Clause {
        who: String::new(),
        verb: format!("{}{verb}", sure(effect.certainty)),
        object,
        tail,
    }
}

/// `fork-bomb` as `fork bomb`.
fn spoken(word: &str) -> String {
    word.replace(['-', '_'], " ")
}

/// A resource with its name: `the bucket logs (aws)`.
fn thing(resource: &str, name: &str, provider: &str) -> String {
    let kind = spoken(match resource {
        "ns" => "namespace",
        "po" | "pods" => "pod",
        "deploy" | "deployments" => "deployment",
        "svc" => "service",
        "pv" => "persistent-volume",
        "pvc" => "persistent-volume-claim",
        "cm" => "config-map",
        "sts" => "stateful-set",
        "ds" => "daemon-set",
        "no" | "nodes" => "node",
        "ing" => "ingress",
        "s3" => "objects",
        other => other,
    });
    let all = matches!(name, "*" | "--all" | "all");
    let many = matches!(
        kind.as_str(),
        "rows" | "data" | "documents" | "keys" | "objects"
    );
    let what = match (kind.is_empty(), name.is_empty()) {
        (true, true) => "resources".to_owned(),
        (true, false) => name.to_owned(),
        (false, true) => kind,
        (false, false) if name == "prune" => "everything that is not in use".to_owned(),
        (false, false) if all && kind.ends_with('s') => format!("all {kind}"),
        (false, false) if all && kind == "infrastructure" => "all of the infrastructure".to_owned(),
        (false, false) if all => format!("every {kind}"),
        (false, false) if many => format!("the {kind} of {name}"),
        (false, false) => format!("the {kind} {name}"),
    };
    if provider.is_empty()
        || matches!(provider, "sql" | "host" | "git" | "system")
        || what.contains(provider)
    {
        what
    } else {
        format!("{what} ({provider})")
    }
}

/// What is lost in version control.
fn lost(what: &str) -> &str {
    match what {
        "uncommitted" => "changes that are not committed",
        "untracked" => "files that are not tracked",
        "stash" => "stashed changes",
        "unreachable" => "commits that no branch points to",
        "reflog" => "the way back to earlier commits",
        "history" => "the history as others know it",
        "worktree" => "a work tree with its changes",
        "branch" => "commits of a branch",
        "submodule" => "changes in a submodule",
        "" => "work that version control does not hold",
        other => other,
    }
}

/// How something comes back by itself.
fn persistence(mechanism: &str) -> &'static str {
    let word = mechanism.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|known| word.contains(known));
    if is(&["authorized", "authorised", "ssh-key"]) {
        "lets another key log in"
    } else if is(&["cron", "timer"]) || word == "at" || is(&["at-job", "at job"]) {
        "plans a command for later"
    } else if is(&["service", "systemd", "launch", "unit", "autostart"]) {
        "makes a service start by itself"
    } else if is(&["hook"]) {
        "makes Git run a program by itself"
    } else if is(&["prompt", "trap"]) {
        "makes this shell run something at every prompt"
    } else if is(&["rc", "profile", "startup", "shell", "login"]) {
        "changes what every new shell runs"
    } else {
        "makes something run by itself later"
    }
}

/// `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`.
pub(crate) fn listed(items: &[String]) -> String {
    const SHOWN: usize = 4;
    let rest = items.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = items.iter().take(SHOWN).map(String::as_str).collect();
    match (shown.as_slice(), rest) {
        ([], _) => String::new(),
        ([one], _) => (*one).to_owned(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (all, rest) => format!("{} and {rest} more", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        let of = |text: &str| listed(&text.chars().map(String::from).collect::<Vec<_>>());
        assert_eq!(of(""), "");
        assert_eq!(of("a"), "a");
        assert_eq!(of("ab"), "a and b");
        assert_eq!(of("abc"), "a, b and c");
        assert_eq!(of("abcdefgh"), "a, b, c, d and 4 more");
    }

    #[test]
    fn paths_are_short_and_say_what_they_mean() {
        let paths = Paths { home: "/home/ana" };
        assert_eq!(paths.short("/home/ana/x"), "~/x");
        assert_eq!(paths.short("/home/anabel"), "/home/anabel");
        assert_eq!(
            paths.meant("/", true),
            "the whole machine, everything below /"
        );
        assert_eq!(paths.meant("/*", true), "everything below /");
        assert_eq!(paths.meant("/srv/*.log", false), "what matches /srv/*.log");
    }
}
