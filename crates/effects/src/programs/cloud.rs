//! Clients of clouds and platforms: what a verb does to a resource.
//!
//! Exact knowledge stands in the tables; this is for what the tables do not name, since the verbs of
//! such clients are much the same: `compute instances delete web`, `apps:destroy web`,
//! `delete cluster web`, `ecs DeleteInstance`. A verb counts only where a verb stands: in front of
//! it no other verb that would make it a name.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

/// Verbs that destroy, by how a command word begins.
const DESTROY: &[&str] = &[
    "delete",
    "terminate",
    "destroy",
    "remove",
    "purge",
    "deregister",
    "rb",
    "rm",
    "rmdir",
    "drop",
    "wipe",
    "reset",
    "schedule-key-deletion",
    "del",
    "undeploy",
    "batch-delete",
    "bulk-delete",
    "admin-delete",
    "force-delete",
    "empty",
    "truncate",
    "flush",
    "hard-delete",
    "unset",
    "uninstall",
    "teardown",
    "unregister",
    "unpublish",
    "kill",
    "down",
    "clean",
    "nuke",
    "erase",
    "obliterate",
    "decommission",
    "trash",
    "discard",
];
/// Verbs that take something out of service until somebody brings it back.
pub(super) const AVAILABILITY: &[&str] = &[
    "stop",
    "suspend",
    "disable",
    "deactivate",
    "pause",
    "drain",
    "cordon",
    "failover",
    "force-failover",
    "rollback",
    "archive",
    "deallocate",
    "quiesce",
    "freeze",
    "detach",
    "disassociate",
    "restore",
    "shutdown",
    "halt",
    "poweroff",
    "power-off",
    "offline",
    "abandon",
    "evict",
    "leave",
    "rename",
    "scale-down",
];
/// Verbs that change who may do something.
pub(super) const ACCESS: &[&str] = &[
    "revoke", "rotate", "transfer", "lock", "roll", "block", "ban", "grant",
];
/// Verbs that change.
pub(super) const CHANGE: &[&str] = &[
    "create",
    "update",
    "put",
    "modify",
    "set",
    "add",
    "attach",
    "start",
    "reboot",
    "restart",
    "run-instances",
    "enable",
    "authorize",
    "deploy",
    "scale",
    "import",
    "replace",
    "resize",
    "assign",
    "apply",
    "edit",
    "patch",
    "promote",
    "mb",
    "mv",
    "associate",
    "release",
    "deprovision",
    "cancel",
    "clear",
    "push",
    "repair",
    "squash",
    "unlink",
    "clone",
    "activate",
    "untag",
    "sync",
    "upgrade",
    "rebuild",
    "migrate",
    "redeploy",
    "abort",
    "unassign",
    "unlock",
    "reload",
];
/// Verbs that only look.
const READ: &[&str] = &[
    "list",
    "ls",
    "get",
    "describe",
    "show",
    "view",
    "status",
    "logs",
    "log",
    "tail",
    "info",
    "inspect",
    "plan",
    "diff",
    "validate",
    "search",
    "help",
    "version",
    "explain",
    "top",
    "history",
    "events",
    "whoami",
    "watch",
    "lint",
    "preview",
    "check",
    "wait",
    "print",
    "dump",
    "verify",
    "health",
    "lookup",
    "find",
    "count",
    "usage",
    "stats",
    "doctor",
    "completion",
];
/// Of these, what is often a noun.
const READ_NOUNS: &[&str] = &[
    "check", "log", "logs", "events", "status", "view", "dump", "watch", "health", "history",
    "stats",
];
/// Changes whose words are often nouns: `gcloud deploy targets delete`.
const NOUNS: &[&str] = &[
    "deploy", "release", "import", "push", "start", "update", "add", "clone", "set", "apply",
    "patch", "scale", "sync", "migrate", "lock", "archive", "restore", "block", "transfer",
];

pub(super) fn verb_of(word: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| {
        word.strip_prefix(verb)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':', '_']))
            || camel(word, verb)
    })
}

/// `DeleteInstance` for `delete`.
fn camel(word: &str, verb: &str) -> bool {
    let (Some(head), Some(rest)) = (word.get(..verb.len()), word.get(verb.len()..)) else {
        return false;
    };
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && head.eq_ignore_ascii_case(verb)
        && rest.starts_with(|next: char| next.is_ascii_uppercase())
}

/// What a verb does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Destroy,
    Availability,
    Access,
    Change,
    Read,
}

pub(super) fn act_of(word: &str) -> Option<Act> {
    // `apps:destroy`, `project.delete`
    let last = word.rsplit([':', '.']).next().unwrap_or(word);
    [
        (DESTROY, Act::Destroy),
        (AVAILABILITY, Act::Availability),
        (ACCESS, Act::Access),
        (CHANGE, Act::Change),
        (READ, Act::Read),
    ]
    .into_iter()
    .find(|(verbs, _)| verb_of(word, verbs) || verb_of(last, verbs))
    .map(|(_, act)| act)
}

/// The word that says what is done, and what it does.
fn verb_among(words: &[&str]) -> Option<(usize, Act)> {
    let mut pending: Option<(usize, Act)> = None;
    for (at, word) in words.iter().enumerate().take(6) {
        let Some(act) = act_of(word) else { continue };
        match (act, pending) {
            // `check delete web`: a thing of that name.
            (Act::Read, None)
                if READ_NOUNS.contains(word)
                    && words
                        .get(at + 1)
                        .is_some_and(|next| act_of(next) == Some(Act::Destroy)) => {}
            (Act::Read, None) => return None,
            (Act::Read, Some((before, _))) if at - before <= 2 => return None,
            (_, None) if act == Act::Destroy => return Some((at, act)),
            (_, None) => pending = Some((at, act)),
            (_, Some((before, _)))
                if words.get(before).is_some_and(|word| NOUNS.contains(word)) =>
            {
                if act == Act::Destroy {
                    return Some((at, act));
                }
                pending = Some((at, act));
            }
            _ => {}
        }
    }
    pending
}

impl Analyser<'_> {
    pub(crate) fn cloud(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        // `op run -- PROGRAM…`, `railway shell -- …`
        if matches!(
            parsed.sub(),
            "run" | "exec" | "shell" | "ssh" | "console" | "connect" | "db"
        ) && let Some(at) = call.args.iter().position(|arg| arg.text == "--")
        {
            let rest: &[Text] = call.args.get(at + 1..).unwrap_or_default();
            if !rest.is_empty() && !parsed.settled {
                return self.call(rest, Vec::new(), call.stdin, call.span);
            }
        }
        if parsed.settled {
            return Stream::UNKNOWN;
        }
        let words = verb_words(call, parsed);
        let Some((at, act)) = verb_among(&words) else {
            return Stream::UNKNOWN;
        };
        let verb = words.get(at).copied().unwrap_or("");
        let after = words.get(at + 1..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let named = ["id", "name", "app", "group", "bucket", "cluster"]
            .iter()
            .find_map(|flag| parsed.value(flag))
            .map(|text| text.text.clone());
        let (resource, names): (String, &[&str]) = match (before, verb.split_once([':', '.'])) {
            (_, Some((noun, _))) if act_of(noun).is_none() => (noun.to_owned(), after),
            (Some(noun), _) => ((*noun).to_owned(), after),
            // `delete cluster NAME`, but `delete NAME`.
            (None, _) => match after {
                [noun, rest @ ..] if !rest.is_empty() || named.is_some() => {
                    ((*noun).to_owned(), rest)
                }
                _ => (noun_within(verb), after),
            },
        };
        let mut names: Vec<String> = names
            .iter()
            .take(16)
            .map(|name| (*name).to_owned())
            .collect();
        if names.is_empty() || act != Act::Destroy {
            names.truncate(1);
            if names.is_empty() {
                names.push(named.unwrap_or_default());
            }
        }
        let provider = if parsed.program.provider.is_empty() {
            call.name
        } else {
            parsed.program.provider.text()
        };
        for name in names {
            let kind = resource_effect(act, &resource, name, provider, parsed.context());
            self.emit(kind, call.span, Certainty::Proven);
        }
        Stream::UNKNOWN
    }
}

/// `DeleteInstance` and `delete-instance` speak of an `instance`.
fn noun_within(verb: &str) -> String {
    if let Some((_, noun)) = verb.split_once(['-', '_']) {
        return noun.to_owned();
    }
    let start = verb
        .char_indices()
        .skip(1)
        .find(|(_, letter)| letter.is_ascii_uppercase())
        .map(|(at, _)| at);
    start
        .and_then(|at| verb.get(at..))
        .map_or_else(|| "resource".to_owned(), str::to_ascii_lowercase)
}

pub(super) fn resource_effect(
    act: Act,
    resource: &str,
    name: String,
    provider: &str,
    context: Option<String>,
) -> EffectKind {
    let provider = provider.to_owned();
    let resource = match act {
        Act::Availability => format!("{resource}-availability"),
        Act::Access => format!("{resource}-access"),
        _ => resource.to_owned(),
    };
    if act == Act::Destroy {
        EffectKind::ResourceDestroy {
            resource,
            name,
            provider,
            context,
        }
    } else {
        EffectKind::ResourceChange {
            resource,
            name,
            provider,
            context,
        }
    }
}

/// The operands without those that an option may have taken: what follows `--artifact-name` is a
/// name, whatever it says.
fn verb_words<'a>(call: &Call<'a>, parsed: &Parsed<'a>) -> Vec<&'a str> {
    let first = parsed.operands.first().map_or(0, |(at, _)| *at);
    parsed
        .operands
        .iter()
        .filter(|(at, _)| {
            let Some(before) = at.checked_sub(1).and_then(|before| call.args.get(before)) else {
                return true;
            };
            let text = before.text.as_str();
            let name = text.trim_start_matches('-');
            !text.starts_with("--")
                || text.contains('=')
                || text == "--"
                || *at == first && !name.ends_with("-name")
                || is_switch(parsed, text)
        })
        .map(|(_, text)| text.text.as_str())
        .collect()
}

/// The tables say that the option takes no value.
fn is_switch(parsed: &Parsed<'_>, name: &str) -> bool {
    parsed
        .program
        .options
        .iter()
        .any(|option| option.names.has(name) && option.takes != crate::knowledge::Takes::Yes)
}
