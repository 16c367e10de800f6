//! Containers with the rights of the machine; told by flags, not by an effect.

use cmdai_schema::Risk::{self, Critical, High, Moderate};
use cmdai_schema::{Certainty, Invocation};

use super::Judge;

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
