//! Containers with the rights of the machine; told by flags, not by an effect.

use cmdai_schema::Risk::{self, Critical, High, Moderate};
use cmdai_schema::{Certainty, Invocation};

use super::Judge;
use super::exposing::value_of;

const ENGINES: &[&str] = &["docker", "podman", "nerdctl"];
/// Capabilities that amount to the rights of the machine.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "SYS_ADMIN",
    "SYS_PTRACE",
    "SYS_MODULE",
    "DAC_READ_SEARCH",
    "SYS_RAWIO",
    "CAP_SYS_ADMIN",
    "CAP_SYS_MODULE",
];

/// Containers with the rights of the machine; told by flags, not by an effect.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        cluster(judge, call);
        if !ENGINES.contains(&call.program.as_str())
            || !call
                .args
                .iter()
                .any(|arg| matches!(arg.text(), "run" | "create" | "exec"))
        {
            continue;
        }
        let mut why: Option<(String, Risk)> = None;
        for (i, arg) in call.args.iter().enumerate() {
            let text = arg.text();
            let (flag, inline) = text
                .split_once('=')
                .map_or((text, None), |(flag, value)| (flag, Some(value)));
            let value = inline
                .or_else(|| call.args.get(i + 1).and_then(|next| next.value.as_deref()))
                .unwrap_or("");
            let found = match flag {
                "--privileged" if inline != Some("false") => {
                    Some(("runs a container with all rights".to_owned(), High))
                }
                "--pid" | "--ipc" | "--userns" | "--uts" if value == "host" => Some((
                    format!(
                        "lets a container into the machine's {}",
                        flag.trim_start_matches('-')
                    ),
                    High,
                )),
                "--net" | "--network" if value == "host" => strangers(call).map(|image| {
                    (
                        format!(
                            "lets {image}, from a stranger's registry, into the machine's network"
                        ),
                        High,
                    )
                }),
                "--cap-add" if CAPABILITIES.contains(&value) => {
                    Some((format!("gives a container the capability {value}"), High))
                }
                "--device"
                    if value.starts_with("/dev/sd")
                        || value.starts_with("/dev/nvme")
                        || value.starts_with("/dev/mem") =>
                {
                    Some((format!("gives a container the device {value}"), High))
                }
                "--security-opt" if value.contains("unconfined") => {
                    Some(("takes a container's protection away".to_owned(), High))
                }
                "-v" | "--volume" | "--mount" => mount(flag, value),
                _ => text
                    .strip_prefix("-v")
                    .filter(|rest| rest.starts_with('/'))
                    .and_then(|value| mount("-v", value)),
            };
            if let Some(found) = found
                && why.as_ref().is_none_or(|known| known.1 < found.1)
            {
                why = Some(found);
            }
        }
        if let Some(store) = lends(call) {
            judge.hit_at(
                "secret.read",
                High,
                call.span,
                Certainty::Proven,
                format!("gives the secrets of {store} to a container that talks to others"),
                None,
            );
        }
        if let Some((reason, risk)) = why {
            judge.hit_at(
                "container.privileged",
                risk,
                call.span,
                Certainty::Proven,
                reason,
                None,
            );
        }
    }
}

/// Hosts whose name says what they are for.
const REGISTRY_NAMES: &[&str] = &[
    "artifactory",
    "azurecr",
    "containers",
    "cr",
    "docker",
    "ecr",
    "gcr",
    "gitlab",
    "harbor",
    "hub",
    "images",
    "mcr",
    "nexus",
    "nvcr",
    "pkg",
    "quay",
    "registry",
    "ghcr",
    "lscr",
    "icr",
    "ocir",
];

/// An image with a host that is no registry as people know them: neither a public one nor named like
/// one.
fn strangers(call: &Invocation) -> Option<&str> {
    call.args.iter().map(cmdai_schema::Arg::text).find(|text| {
        let Some((host, _)) = text.split_once('/') else {
            return false;
        };
        let host = host.split(':').next().unwrap_or(host);
        !text.starts_with(['-', '/', '.'])
            && !text.contains('=')
            && host.contains('.')
            && !["127.", "10.", "192.168.", "172."]
                .iter()
                .any(|own| host.starts_with(own))
            && !host
                .split(['.', '-'])
                .any(|label| REGISTRY_NAMES.contains(&label) || label.starts_with("registry"))
    })
}

fn mount(flag: &str, value: &str) -> Option<(String, Risk)> {
    let source = if flag == "--mount" {
        value.split(',').find_map(|part| {
            part.strip_prefix("source=")
                .or_else(|| part.strip_prefix("src="))
        })?
    } else {
        value.split(':').next()?
    };
    let read_only = value.ends_with(":ro") || value.contains(",readonly") || value.contains(",ro");
    let bare = source.trim_end_matches('/');
    match bare {
        "" if source.starts_with('/') => Some((
            "gives a container the whole machine".to_owned(),
            if read_only { High } else { Critical },
        )),
        "/var/run/docker.sock" | "/run/docker.sock" | "/run/podman/podman.sock" => Some((
            "lets a container command the container engine".to_owned(),
            High,
        )),
        "/etc" | "/root" | "/boot" | "/usr" | "/var" | "/proc" | "/sys" | "/dev" | "/home" => {
            Some((
                format!("gives a container the folder {bare} of the machine"),
                if read_only { Moderate } else { High },
            ))
        }
        _ => None,
    }
}

/// Stores of credentials in a home.
const STORES: &[&str] = &[
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".azure",
    ".config/gcloud",
    ".docker",
    ".netrc",
    ".git-credentials",
    ".password-store",
    ".vault-token",
    ".mozilla",
];
/// Programs that carry data out of a container.
const CARRIERS: &[&str] = &[
    "curl", "wget", "nc", "ncat", "netcat", "socat", "scp", "rsync", "ftp", "http", "rclone",
    "httpie", "sendmail", "telnet",
];

/// A store of credentials is mounted where a program of the network runs. Tools of a cloud that get
/// their own credentials are what such mounts are for.
fn lends(call: &cmdai_schema::Invocation) -> Option<String> {
    let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
    let store = words.windows(2).find_map(|pair| {
        let value = match pair {
            [flag, value] if matches!(*flag, "-v" | "--volume" | "--mount") => *value,
            [one, _] => one
                .strip_prefix("--volume=")
                .or_else(|| one.strip_prefix("--mount="))
                .or_else(|| one.strip_prefix("-v"))?,
            _ => return None,
        };
        let source = value
            .split(',')
            .find_map(|part| {
                part.strip_prefix("source=")
                    .or_else(|| part.strip_prefix("src="))
            })
            .or_else(|| value.split(':').next())?;
        STORES
            .iter()
            .any(|store| {
                source.trim_end_matches('/').ends_with(&format!("/{store}"))
                    || source.contains(&format!("/{store}/"))
            })
            .then(|| source.to_owned())
    })?;
    let carries = words.iter().any(|word| {
        let name = word
            .rsplit('/')
            .next()
            .unwrap_or(word)
            .split([':', '@'])
            .next()
            .unwrap_or("");
        CARRIERS.contains(&name)
            || word.contains(' ')
                && CARRIERS.iter().any(|carrier| {
                    word.split([' ', ';', '|', '&'])
                        .any(|part| part == *carrier)
                })
    });
    carries.then_some(store)
}

/// Guards of a cluster that are loosened; told by words, not by an effect.
fn cluster(judge: &mut Judge<'_>, call: &cmdai_schema::Invocation) {
    let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let reason = match call.program.as_str() {
        "kubectl" | "oc" | "k" => {
            let guard = words.iter().find(|word| {
                word.starts_with("pod-security.kubernetes.io/")
                    && (word.ends_with("=privileged") || word.ends_with("enforce-"))
            });
            let finalizers = has(&["patch", "replace", "edit", "apply"])
                && (words.iter().any(|word| {
                    word.contains("finalizers")
                        && (word.contains("null") || word.contains("[]") || word.contains("remove"))
                }) || words
                    .iter()
                    .any(|word| word.starts_with("/api") && word.ends_with("/finalize")));
            if let (Some(guard), true) = (guard, has(&["label", "annotate"])) {
                Some(format!("takes the guard of a namespace away: {guard}"))
            } else if words.first() == Some(&"config")
                && words.iter().any(|word| {
                    matches!(
                        *word,
                        "--insecure-skip-tls-verify=true" | "--insecure-skip-tls-verify"
                    )
                })
            {
                Some("looks no longer at who the cluster is".to_owned())
            } else if finalizers {
                Some("takes away what must be cleaned up before a resource goes".to_owned())
            } else {
                None
            }
        }
        "helm" => {
            let open = |text: &str| text.starts_with("http://") && !super::code::is_local(text);
            let from = value_of(&words, &["--repo"])
                .or_else(|| words.iter().copied().find(|word| open(word)))
                .filter(|url| open(url));
            let whole = words.iter().any(|word| {
                let lower = word.to_ascii_lowercase();
                lower.contains("clusteradmin=true") || lower.contains("cluster-admin")
            });
            match from {
                Some(url) if has(&["install", "upgrade", "template", "pull"]) => {
                    Some(format!("installs from {url}, over an open connection"))
                }
                _ if whole && has(&["install", "upgrade"]) => {
                    Some("gives a release all rights in the cluster".to_owned())
                }
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(reason) = reason {
        judge.hit_at(
            "k8s.change",
            High,
            call.span,
            Certainty::Proven,
            reason,
            None,
        );
    }
}
