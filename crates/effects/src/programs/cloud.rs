//! Clouds: what a verb does to a resource.

use cmdai_schema::{Certainty, Dialect, EffectKind};

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
    "empty",
    "hard-delete",
    "unset",
    "uninstall",
    "teardown",
    "unregister",
    "kill",
    "down",
    "clean",
];
/// Verbs that change.
const CHANGE: &[&str] = &[
    "create",
    "update",
    "put",
    "modify",
    "set",
    "add",
    "attach",
    "detach",
    "start",
    "stop",
    "reboot",
    "restart",
    "run-instances",
    "enable",
    "disable",
    "revoke",
    "authorize",
    "deploy",
    "scale",
    "import",
    "restore",
    "rollback",
    "replace",
    "resize",
    "assign",
    "apply",
    "edit",
    "patch",
    "promote",
    "failover",
    "deallocate",
    "mb",
    "mv",
    "associate",
    "release",
    "deprovision",
    "suspend",
    "cancel",
    "clear",
    "rename",
    "archive",
    "rotate",
    "leave",
    "push",
    "repair",
    "squash",
    "unlink",
    "clone",
    "activate",
    "untag",
    "pause",
];

fn verb_of(word: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| {
        word.strip_prefix(verb)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':']))
    })
}

impl Analyser<'_> {
    pub(crate) fn aws(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") || parsed.rest().last().is_some_and(|word| word.text == "help") {
            return Stream::UNKNOWN;
        }
        let service = parsed.sub().to_owned();
        let action = parsed
            .nth(2)
            .map_or("", |text| text.text.as_str())
            .to_owned();
        let context = parsed.value("profile").map(|text| text.text.clone());
        let operand = parsed.nth(3).map(|text| text.text.clone());
        let name = parsed
            .value("id")
            .or_else(|| parsed.value("bucket"))
            .map(|text| text.text.clone())
            .or_else(|| operand.clone())
            .unwrap_or_default();
        if service == "s3" && matches!(action.as_str(), "cp" | "sync" | "mv") {
            if let (Some(from), Some(to)) = (parsed.nth(3), parsed.nth(4)) {
                if !from.text.starts_with("s3://") {
                    if from.text == "-" {
                        let source = match call.stdin {
                            Stream::Tainted(
                                crate::value::Taint::File(path) | crate::value::Taint::Secret(path),
                            ) => path.clone(),
                            _ => "-".to_owned(),
                        };
                        self.emit(
                            EffectKind::Upload {
                                source,
                                destination: to.text.clone(),
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    } else {
                        self.read_path(from, from.span);
                        let source = self.absolute(&from.text);
                        self.emit(
                            EffectKind::Upload {
                                source,
                                destination: to.text.clone(),
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    }
                } else if !to.text.starts_with("s3://") {
                    self.emit(
                        EffectKind::Download {
                            url: from.text.clone(),
                            to: Some(self.absolute(&to.text)),
                        },
                        call.span,
                        Certainty::Proven,
                    );
                    if to.text == "-" {
                        return Stream::Tainted(crate::value::Taint::Remote(from.text.clone()));
                    }
                }
                if parsed.has("delete") {
                    let kind = EffectKind::ResourceDestroy {
                        resource: "s3".to_owned(),
                        name: to.text.clone(),
                        provider: "aws".to_owned(),
                        context,
                    };
                    self.emit(kind, call.span, Certainty::Proven);
                }
            }
            return Stream::UNKNOWN;
        }
        if matches!(
            (service.as_str(), action.as_str()),
            ("secretsmanager", "get-secret-value")
                | (
                    "ssm",
                    "get-parameter" | "get-parameters" | "get-parameters-by-path"
                )
                | ("iam", "create-access-key")
                | ("sts", "assume-role" | "get-session-token")
        ) {
            self.emit(
                EffectKind::ReadSecret {
                    path: format!("aws:{service}:{name}"),
                },
                call.span,
                Certainty::Proven,
            );
        }
        if matches!(
            action.as_str(),
            "stop-logging"
                | "delete-trail"
                | "delete-flow-logs"
                | "delete-detector"
                | "disable-security-hub"
                | "stop-configuration-recorder"
                | "delete-log-group"
        ) {
            self.emit(
                EffectKind::DisableSecurity {
                    what: format!("aws {service}"),
                },
                call.span,
                Certainty::Proven,
            );
        }
        if service == "iam"
            && (action.starts_with("attach-")
                || action.starts_with("put-")
                || action.starts_with("create-login")
                || action.starts_with("add-user"))
        {
            self.emit(
                EffectKind::ChangeCredential {
                    subject: format!("aws:{name}"),
                },
                call.span,
                Certainty::Proven,
            );
        }
        // A query is code of its own.
        let queries: Vec<Text> = ["query-string", "sql", "statement"]
            .iter()
            .filter_map(|name| parsed.value(name).cloned())
            .collect();
        for query in &queries {
            match query.text.split_once("://") {
                Some((scheme, _))
                    if scheme.eq_ignore_ascii_case("file")
                        || scheme.eq_ignore_ascii_case("fileb") =>
                {
                    let path = self.absolute(&query.after(scheme.len() + 3).text);
                    self.emit_code(cmdai_schema::CodeSource::File(path), "sql", query.span);
                }
                _ => self.sql(query, "sql", context.as_ref()),
            }
        }
        let (resource, provider) = (service.clone(), "aws".to_owned());
        if verb_of(&action, DESTROY) {
            self.emit(
                EffectKind::ResourceDestroy {
                    resource,
                    name,
                    provider,
                    context,
                },
                call.span,
                Certainty::Proven,
            );
        } else if verb_of(&action, CHANGE)
            || matches!(
                action.as_str(),
                "send-command" | "execute-command" | "invoke"
            )
        {
            self.emit(
                EffectKind::ResourceChange {
                    resource,
                    name,
                    provider,
                    context,
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::UNKNOWN
    }

    pub(crate) fn cloud(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        // What follows `--artifact-name` is a name, whatever it says.
        let words: Vec<&str> = parsed
            .operands
            .iter()
            .filter(|(at, _)| {
                !at.checked_sub(1)
                    .and_then(|before| call.args.get(before))
                    .is_some_and(|before| {
                        before.text.starts_with("--") && before.text.ends_with("-name")
                    })
            })
            .map(|(_, text)| text.text.as_str())
            .collect();
        let context = parsed.value("project").map(|text| text.text.clone());
        let provider = call.name.to_owned();
        if call.name == "gsutil" || words.first() == Some(&"storage") {
            let words = if call.name == "gsutil" {
                words.as_slice()
            } else {
                words.get(1..).unwrap_or_default()
            };
            match words {
                ["rm" | "rb", names @ ..] => {
                    for name in names {
                        let kind = EffectKind::ResourceDestroy {
                            resource: "object".to_owned(),
                            name: (*name).to_owned(),
                            provider: provider.clone(),
                            context: context.clone(),
                        };
                        self.emit(kind, call.span, Certainty::Proven);
                    }
                    return Stream::UNKNOWN;
                }
                ["cp" | "mv" | "rsync", from, to] => {
                    if !from.contains("://") && to.contains("://") {
                        let source = self.absolute(from);
                        self.emit(
                            EffectKind::Upload {
                                source,
                                destination: (*to).to_owned(),
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    }
                    if parsed.has("delete") {
                        let kind = EffectKind::ResourceDestroy {
                            resource: "object".to_owned(),
                            name: (*to).to_owned(),
                            provider,
                            context,
                        };
                        self.emit(kind, call.span, Certainty::Proven);
                    }
                    return Stream::UNKNOWN;
                }
                _ => {}
            }
        }
        // `gcloud compute ssh HOST --command CODE`
        if words.contains(&"ssh") {
            for option in ["command"] {
                if let Some(code) = parsed.value(option).cloned() {
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
            }
        }
        if words.windows(2).any(|pair| {
            matches!(
                pair,
                ["secrets" | "versions", "access"] | ["secret", "show"]
            )
        }) {
            let path = format!("{provider}:secret");
            self.emit(
                EffectKind::ReadSecret { path },
                call.span,
                Certainty::Proven,
            );
        }
        if call.name == "mc" && words.first() == Some(&"mirror") && parsed.has("remove") {
            let kind = EffectKind::ResourceDestroy {
                resource: "object".to_owned(),
                name: words
                    .last()
                    .map_or_else(String::new, |name| (*name).to_owned()),
                provider: provider.clone(),
                context: context.clone(),
            };
            self.emit(kind, call.span, Certainty::Proven);
        }
        // `terraform plan clean`: what is planned is a name.
        let seen = words
            .iter()
            .position(|word| matches!(*word, "plan" | "list" | "describe" | "get"))
            .unwrap_or(words.len());
        let at = words.iter().take(seen).position(|word| {
            verb_of(word.rsplit([':', '.']).next().unwrap_or(word), DESTROY)
                || verb_of(word, DESTROY)
        });
        if let Some(at) = at {
            let resource = match at.checked_sub(1).and_then(|before| words.get(before)) {
                Some(word) => (*word).to_owned(),
                None => words
                    .get(at)
                    .and_then(|word| word.split_once([':', '.']))
                    .map_or("resource", |(kind, _)| kind)
                    .to_owned(),
            };
            let names: Vec<String> = words
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .map(|word| (*word).to_owned())
                .collect();
            let named = parsed
                .value("id")
                .or_else(|| parsed.value("app"))
                .or_else(|| parsed.value("group"))
                .map(|text| text.text.clone());
            let names = if names.is_empty() {
                vec![named.unwrap_or_default()]
            } else {
                names
            };
            for name in names {
                let kind = EffectKind::ResourceDestroy {
                    resource: resource.clone(),
                    name,
                    provider: provider.clone(),
                    context: context.clone(),
                };
                self.emit(kind, call.span, Certainty::Proven);
            }
            return Stream::UNKNOWN;
        }
        if words.windows(2).any(|pair| {
            matches!(
                pair,
                ["secrets" | "secret", "access" | "show" | "get"] | ["auth", "print-access-token"]
            ) || pair == ["keys", "list"] && call.name == "az"
        }) || words.contains(&"print-access-token")
        {
            self.emit(
                EffectKind::ReadSecret {
                    path: format!("{provider}:secret"),
                },
                call.span,
                Certainty::Proven,
            );
        }
        if let Some(at) = words.iter().position(|word| {
            verb_of(word, CHANGE) || verb_of(word.rsplit([':', '.']).next().unwrap_or(word), CHANGE)
        }) && !(call.name == "gcloud" && words.first() == Some(&"config"))
            && !(call.name == "az" && words.starts_with(&["account", "set"]))
        {
            let resource = at
                .checked_sub(1)
                .and_then(|before| words.get(before))
                .map_or("resource", |word| word)
                .to_owned()
                .to_owned();
            let name = words
                .get(at + 1)
                .map_or_else(String::new, |word| (*word).to_owned());
            self.emit(
                EffectKind::ResourceChange {
                    resource,
                    name,
                    provider,
                    context,
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::UNKNOWN
    }

    /// `ansible all -m shell -a CODE`
    pub(crate) fn ansible(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if call.name == "ansible" && !parsed.has("dry") {
            let module = parsed
                .value("m")
                .map_or("command", |text| text.text.as_str())
                .to_owned();
            if let Some(code) = parsed.value("a").cloned()
                && matches!(
                    module.as_str(),
                    "shell"
                        | "command"
                        | "raw"
                        | "ansible.builtin.shell"
                        | "ansible.builtin.command"
                )
            {
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
        } else if call.name == "ansible-playbook" && !parsed.has("dry") {
            let name = parsed
                .nth(1)
                .map_or("", |text| text.text.as_str())
                .to_owned();
            self.emit(
                EffectKind::ResourceChange {
                    resource: "playbook".to_owned(),
                    name,
                    provider: "ansible".to_owned(),
                    context: None,
                },
                call.span,
                Certainty::Proven,
            );
        } else if call.name == "salt"
            && let Some(at) = call.args.iter().position(|arg| arg.text == "cmd.run")
            && let Some(code) = call.args.get(at + 1)
        {
            self.shell_code(&code.clone(), Dialect::Sh, &Stream::Empty, true);
        }
        Stream::UNKNOWN
    }
}
