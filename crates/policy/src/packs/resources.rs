//! Clouds, clusters, containers, infrastructure as code and databases.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Effect, EffectKind, Risk};

use super::providers::{cloud_destroy, machine, only_shows};
use super::{Judge, databases};
use crate::category::{in_production, names_production};

/// The kind of provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Cluster,
    Container,
    Infrastructure,
    Database,
    /// Version control.
    Repository,
    /// The machine itself: firewall, kernel settings, volumes, packages, backups.
    Machine,
    Cloud,
}

fn family(provider: &str) -> Family {
    match provider.to_ascii_lowercase().as_str() {
        "kubernetes" | "k8s" | "kubectl" | "helm" | "openshift" | "argocd" | "argo" | "flux"
        | "istio" | "nomad" | "cluster" | "oc" | "tekton" | "kind" | "minikube" | "k3d" => {
            Family::Cluster
        }
        "git" | "hg" | "svn" | "jj" | "p4" => Family::Repository,
        "host" | "kernel" | "macos" | "zfs" | "btrfs" | "lvm" | "backup" | "apt" | "dnf"
        | "yum" | "apk" | "pacman" | "pip" | "pip3" | "brew" | "snap" | "zypper" | "flatpak"
        | "npm" | "yarn" | "pnpm" | "cargo" | "gem" | "restic" | "borg" | "rclone"
        | "timeshift" | "snapper" | "conda" | "uv" | "poetry" | "pipx" | "system" | "linux"
        | "windows" | "nix" | "twine" | "python" | "velero" => Family::Machine,
        "docker" | "podman" | "container" | "containers" | "compose" | "docker-compose"
        | "nerdctl" | "containerd" | "swarm" | "buildah" | "crictl" | "lxc" | "lxd" | "vagrant"
        | "multipass" | "lima" | "wsl" | "rdctl" | "machine" => Family::Container,
        "terraform" | "tofu" | "opentofu" | "pulumi" | "cdk" | "terragrunt" | "iac"
        | "cloudformation" | "ansible" | "serverless" | "sst" | "crossplane" | "azd" | "chef"
        | "puppet" | "salt" | "packer" => Family::Infrastructure,
        other if databases::is_store(other) => Family::Database,
        _ => Family::Cloud,
    }
}

/// Cluster resources whose loss takes others with them.
const WIDE_KINDS: &[&str] = &[
    "namespace",
    "namespaces",
    "ns",
    "node",
    "nodes",
    "no",
    "crd",
    "crds",
    "customresourcedefinition",
    "customresourcedefinitions",
    "pv",
    "persistentvolume",
    "persistentvolumes",
    "all",
    "cluster",
    "clusterrole",
    "storageclass",
    "pvc",
    "persistentvolumeclaim",
    "persistentvolumeclaims",
    "cluster-state",
    "cluster-network",
    "mesh",
    "flux",
];
/// Cluster resources that come back by themselves.
const CALM_KINDS: &[&str] = &[
    "pod",
    "pods",
    "po",
    "job",
    "jobs",
    "event",
    "events",
    "replicaset",
    "rs",
    // What only this machine has.
    "context",
    "local-cluster",
    "local-node",
    "local-registry",
    "mesh-manifest",
];
/// Container things that are made again by running something.
const CALM_CONTAINERS: &[&str] = &[
    "container",
    "containers",
    "image",
    "images",
    "network",
    "networks",
    "builder",
    "cache",
    "buildx",
    "service",
    "services",
    "project",
];
/// Kinds of infrastructure that go with everything in them.
const WHOLE_INFRASTRUCTURE: &[&str] = &[
    "infrastructure",
    "stack",
    "project",
    "environment",
    "cluster",
    "server",
    "release",
    "resource",
    "backend-resource",
];

/// Changes that take a service from others, or give or take rights: words of a kind.
fn weighs(kind: &str) -> bool {
    kind.split(['-', '_', ' ', '.', ':', '/']).any(|word| {
        matches!(
            word,
            "availability"
                | "access"
                | "visibility"
                | "public"
                | "acl"
                | "iam"
                | "policy"
                | "policies"
                | "role"
                | "roles"
                | "permission"
                | "permissions"
                | "security"
                | "firewall"
                | "kms"
                | "secret"
                | "secrets"
                | "credential"
                | "mfa"
                | "restore"
                | "unasked"
                | "unseen"
                | "privileged"
        )
    })
}

/// What goes by itself or is asked for anew.
fn calm_change(kind: &str) -> bool {
    matches!(kind, "preview" | "run-cancelled")
}

/// Every container there is, by a substitution.
fn names_all_containers(name: &str) -> bool {
    let engine = ["docker", "podman", "nerdctl"]
        .iter()
        .any(|engine| name.contains(engine));
    engine
        && name.starts_with(['$', '`'])
        && [" ps", " container ls", " container list"]
            .iter()
            .any(|listing| name.contains(listing))
}

/// A cloud that somebody plays on the own machine, for trying things out.
fn emulated(judge: &Judge<'_>, effect: &Effect) -> bool {
    let Some(call) = judge.call(effect) else {
        return false;
    };
    let flag = crate::known::flag(
        call,
        &[
            "--endpoint-url",
            "--endpoint",
            "--api-endpoint-overrides",
            "--service-url",
        ],
    )
    .flatten();
    let assigned = call
        .assignments
        .iter()
        .find(|(name, _)| {
            name.starts_with("AWS_ENDPOINT_URL")
                || name.ends_with("_EMULATOR_HOST")
                || name == "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"
        })
        .and_then(|(_, value)| value.as_deref());
    matches!(
        call.program.as_str(),
        "awslocal" | "tflocal" | "cdklocal" | "samlocal" | "pulumilocal"
    ) || flag.or(assigned).is_some_and(|address| {
        !address.is_empty()
            && (super::code::is_local(address) || super::outgoing::is_emulator(address))
    })
}

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let (resource, name, provider, context, destroys) = match &effect.kind {
        EffectKind::ResourceDestroy {
            resource,
            name,
            provider,
            context,
        } => (resource, name, provider, context, true),
        EffectKind::ResourceChange {
            resource,
            name,
            provider,
            context,
        } => (resource, name, provider, context, false),
        _ => return,
    };
    let production = in_production(judge.request.facts)
        || context.as_deref().is_some_and(names_production)
        || names_production(name);
    if only_shows(judge, effect) || emulated(judge, effect) {
        return;
    }
    let kind = resource.to_ascii_lowercase();
    // `kubectl delete pod/web` names the kind with the name.
    let kind = match name.split_once('/') {
        Some((named, _)) if kind == "resource" && family(provider) == Family::Cluster => {
            named.to_ascii_lowercase()
        }
        _ => kind,
    };
    let kind = kind.split('/').next().unwrap_or(&kind).to_owned();
    let shown = [kind.as_str(), name.as_str()]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let of = context
        .as_ref()
        .filter(|context| !context.is_empty())
        .map(|context| format!(" in {context}"))
        .unwrap_or_default();
    let one_up = |risk: Risk| match risk {
        _ if !production => risk,
        Risk::Safe => Risk::Safe,
        Moderate => High,
        High | Critical => Critical,
    };
    let wide = matches!(name.as_str(), "*" | "--all" | "all") || kind == "all";
    match (family(provider), destroys) {
        // Whoever the manager belongs to: it puts programs on this machine.
        (_, false) if matches!(kind.as_str(), "package-source" | "package-key") => {
            machine(judge, effect, &kind, name, provider, &shown, false);
        }
        (Family::Cluster, true) => {
            let risk = match kind.as_str() {
                _ if WIDE_KINDS.contains(&kind.as_str()) => Critical,
                _ if wide => High,
                // Forced, nobody waits until it has ended.
                _ if judge.has_flag(effect, &["--force", "--grace-period=0", "--now"]) => High,
                _ if CALM_KINDS.contains(&kind.as_str()) => Moderate,
                _ => High,
            };
            let helm = effect.chain.last().is_some_and(|program| program == "helm");
            let instead = if helm {
                judge.with_flag(effect, "--dry-run")
            } else {
                judge.with_flag(effect, "--dry-run=server")
            };
            let instead = instead.filter(|_| {
                effect
                    .chain
                    .last()
                    .is_some_and(|program| matches!(program.as_str(), "kubectl" | "oc" | "helm"))
            });
            judge.hit(
                "k8s.destroy",
                one_up(risk),
                effect,
                format!("deletes {shown}{of}"),
                instead,
            );
        }
        (Family::Cluster, false) => {
            let instead = judge.with_flag(effect, "--dry-run=server").filter(|_| {
                effect
                    .chain
                    .last()
                    .is_some_and(|program| program == "kubectl")
            });
            let calm = matches!(
                kind.as_str(),
                "context" | "config" | "port-forward" | "kubeconfig"
            );
            let evicts = judge.call(effect).is_some_and(|call| {
                call.args
                    .iter()
                    .any(|arg| arg.text().ends_with(":NoExecute"))
            });
            let forced = judge.has_flag(effect, &["--force"]);
            // What a stranger on the way can change.
            let open = name.starts_with("http://") && !super::code::is_local(name);
            let risk = if evicts || forced || open || weighs(&kind) {
                High
            } else {
                Moderate
            };
            judge.hit(
                "k8s.change",
                if calm { Risk::Safe } else { one_up(risk) },
                effect,
                format!("changes {shown}{of}"),
                instead.filter(|_| production),
            );
        }
        (Family::Container, true) => {
            let volumes = kind.contains("volume")
                || kind.contains("system")
                || kind.contains("swarm")
                || kind.contains("vm");
            let forced = judge.call(effect).is_some_and(|call| {
                call.args
                    .iter()
                    .take_while(|arg| arg.text() != "--")
                    .any(|arg| {
                        let text = arg.text();
                        // Short flags are joined: `-af`, `-nf`.
                        let short = text
                            .strip_prefix('-')
                            .filter(|rest| !rest.starts_with('-') && rest.len() < 5)
                            .is_some_and(|rest| {
                                rest.bytes().all(|b| b.is_ascii_lowercase())
                                    && rest.contains(['f', 'v'])
                            });
                        short || matches!(text, "--force" | "--volumes")
                    })
            });
            let calm = kind == "stopped-service"
                || !forced && (wide || CALM_CONTAINERS.contains(&kind.as_str()));
            let calm = calm && !names_all_containers(name);
            let risk = if volumes || !calm { High } else { Moderate };
            judge.hit(
                "container.destroy",
                one_up(risk),
                effect,
                format!("removes {shown}"),
                None,
            );
        }
        (Family::Container, false) if weighs(&kind) || names_all_containers(name) => judge.hit(
            "container.destroy",
            one_up(High),
            effect,
            if weighs(&kind) {
                format!("takes {shown} out of service")
            } else {
                "stops every container".to_owned()
            },
            None,
        ),
        (Family::Container, false) => {}
        (Family::Repository, false)
            if matches!(kind.as_str(), "transport" | "protection" | "trace") =>
        {
            super::git::setting(judge, effect, &kind, name);
        }
        (Family::Repository, _) => {
            let risk = if destroys { High } else { Moderate };
            judge.hit("git.change", risk, effect, format!("changes {shown}"), None);
        }
        (Family::Machine, _) => machine(judge, effect, &kind, name, provider, &shown, destroys),
        (Family::Infrastructure, true)
            if matches!(kind.as_str(), "state" | "workspace" | "state-lock") =>
        {
            judge.hit(
                "iac.destroy",
                one_up(High),
                effect,
                format!("forgets {shown}{of}"),
                None,
            );
        }
        (Family::Infrastructure, false) if matches!(kind.as_str(), "state" | "state-lock") => {
            judge.hit(
                "iac.change",
                one_up(High),
                effect,
                format!("changes {shown}{of} by hand"),
                None,
            );
        }
        (Family::Infrastructure, true) => {
            let program = effect.chain.last().map_or("", String::as_str);
            let instead = match program {
                "terraform" | "tofu" => Some(format!("{program} plan -destroy")),
                "terragrunt" => Some("terragrunt plan -destroy".to_owned()),
                "pulumi" => Some("pulumi destroy --preview-only".to_owned()),
                "cdk" => Some("cdk diff".to_owned()),
                _ => None,
            };
            judge.hit(
                "iac.destroy",
                one_up(if WHOLE_INFRASTRUCTURE.contains(&kind.as_str()) {
                    Critical
                } else {
                    High
                }),
                effect,
                format!(
                    "destroys {}{of}",
                    if shown.is_empty() {
                        "infrastructure"
                    } else {
                        &shown
                    }
                ),
                instead,
            );
        }
        (Family::Infrastructure, false) => {
            let unasked = judge.call(effect).is_some_and(|call| {
                call.args.iter().any(|arg| {
                    matches!(
                        arg.text().trim_start_matches('-'),
                        "taint"
                            | "force-unlock"
                            | "auto-approve"
                            | "auto-approve=true"
                            | "yes"
                            | "y"
                            | "require-approval=never"
                            | "non-interactive"
                    )
                })
            });
            let program = effect.chain.last().map_or("", String::as_str);
            let instead =
                matches!(program, "terraform" | "tofu").then(|| format!("{program} plan"));
            judge.hit(
                "iac.change",
                one_up(if unasked || weighs(&kind) {
                    High
                } else {
                    Moderate
                }),
                effect,
                format!(
                    "changes {}{of}",
                    if shown.is_empty() {
                        "infrastructure"
                    } else {
                        &shown
                    }
                ),
                instead,
            );
        }
        (Family::Database, false) if weighs(&kind) => judge.hit(
            "db.change",
            one_up(High),
            effect,
            format!("changes {shown}{of}"),
            None,
        ),
        (Family::Database, _) => databases::judge(
            judge,
            effect,
            &databases::Store {
                kind: &kind,
                name,
                provider,
                context: context.as_deref(),
                shown: &shown,
                of: &of,
                production,
            },
            destroys,
        ),
        (Family::Cloud, true) => cloud_destroy(
            judge, effect, &kind, name, provider, &shown, &of, production,
        ),
        (Family::Cloud, false) => {
            judge.hit(
                "cloud.change",
                one_up(if calm_change(&kind) {
                    Risk::Safe
                } else if weighs(&kind) {
                    High
                } else {
                    Moderate
                }),
                effect,
                format!("changes {shown}{of}"),
                None,
            );
        }
    }
}
