//! Clouds, clusters, containers, infrastructure as code and databases.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Certainty, Effect, EffectKind, Risk};

use super::Judge;
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
        "kubernetes" | "k8s" | "kubectl" | "helm" | "openshift" | "argocd" | "flux" | "istio"
        | "nomad" | "cluster" | "oc" => Family::Cluster,
        "git" | "hg" | "svn" | "jj" => Family::Repository,
        "host" | "kernel" | "macos" | "zfs" | "btrfs" | "lvm" | "backup" | "apt" | "dnf"
        | "yum" | "apk" | "pacman" | "pip" | "pip3" | "brew" | "snap" | "zypper" | "flatpak"
        | "npm" | "yarn" | "pnpm" | "cargo" | "gem" | "restic" | "borg" | "rclone"
        | "timeshift" | "snapper" | "conda" | "uv" | "poetry" | "pipx" | "system" | "linux"
        | "windows" | "nix" | "twine" => Family::Machine,
        "docker" | "podman" | "container" | "containers" | "compose" | "docker-compose"
        | "nerdctl" | "containerd" | "swarm" | "buildah" | "crictl" | "lxc" | "lxd" | "vagrant"
        | "multipass" => Family::Container,
        "terraform" | "tofu" | "opentofu" | "pulumi" | "cdk" | "terragrunt" | "iac"
        | "cloudformation" | "ansible" | "serverless" | "sst" | "crossplane" => {
            Family::Infrastructure
        }
        "postgres" | "postgresql" | "mysql" | "mariadb" | "sqlite" | "sqlite3" | "mongodb"
        | "mongo" | "mongosh" | "redis" | "mssql" | "oracle" | "cassandra" | "clickhouse"
        | "cockroachdb" | "sql" | "database" | "duckdb" | "elasticsearch" | "influxdb"
        | "supabase" | "prisma" | "neo4j" | "etcd" | "psql" | "valkey" => Family::Database,
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
    if only_shows(judge, effect) {
        return;
    }
    let kind = resource.to_ascii_lowercase();
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
        (Family::Cluster, true) => {
            let risk = match kind.as_str() {
                _ if WIDE_KINDS.contains(&kind.as_str()) => Critical,
                _ if wide => High,
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
            let risk = if evicts { High } else { Moderate };
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
                        matches!(
                            arg.text(),
                            "-f" | "--force" | "-v" | "--volumes" | "-fv" | "-vf" | "-af" | "-fa"
                        )
                    })
            });
            let calm = !forced && (wide || CALM_CONTAINERS.contains(&kind.as_str()));
            let risk = if volumes || !calm { High } else { Moderate };
            judge.hit(
                "container.destroy",
                one_up(risk),
                effect,
                format!("removes {shown}"),
                None,
            );
        }
        (Family::Container, false) => {}
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
                one_up(Critical),
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
                one_up(if unasked { High } else { Moderate }),
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
        (Family::Database, true) => {
            let rows = kind.split(['-', '_', ' ']).any(|part| {
                matches!(
                    part,
                    "row" | "rows" | "truncate" | "documents" | "keys" | "data" | "records"
                )
            });
            if rows {
                judge.hit(
                    "db.delete-all",
                    one_up(High),
                    effect,
                    format!(
                        "deletes everything in {}{of}",
                        if name.is_empty() {
                            "a table"
                        } else if name == "all" {
                            "the database"
                        } else {
                            name
                        }
                    ),
                    None,
                );
            } else if kind == "index" || kind == "view" {
                judge.hit(
                    "db.drop",
                    one_up(Moderate),
                    effect,
                    format!("drops {shown}{of}"),
                    None,
                );
            } else {
                let whole = ["database", "schema", "cluster", "keyspace", "all"]
                    .iter()
                    .any(|word| kind.contains(word));
                judge.hit(
                    "db.drop",
                    one_up(if whole { Critical } else { High }),
                    effect,
                    format!("drops {shown}{of}"),
                    None,
                );
            }
        }
        (Family::Database, false) => judge.hit(
            "db.change",
            one_up(Moderate),
            effect,
            format!("changes {shown}{of}"),
            None,
        ),
        (Family::Cloud, true) => cloud_destroy(
            judge, effect, &kind, name, provider, &shown, &of, production,
        ),
        (Family::Cloud, false) => {
            let rights = [
                "iam",
                "policy",
                "role",
                "access-key",
                "public",
                "acl",
                "security-group",
                "kms",
                "firewall",
                "secret",
            ]
            .iter()
            .any(|word| kind.contains(word));
            judge.hit(
                "cloud.change",
                one_up(if rights { High } else { Moderate }),
                effect,
                format!("changes {shown}{of}"),
                None,
            );
        }
    }
}

/// A trial run, or a question for help.
fn only_shows(judge: &Judge<'_>, effect: &Effect) -> bool {
    const TRIAL: &[&str] = &[
        "--dry-run",
        "--dry-run=server",
        "--dry-run=client",
        "--dry-run=true",
        "-dry-run",
        "--dryrun",
        "--what-if",
        "--whatif",
        "--preview-only",
        "--noop",
        "--help",
        "-help",
    ];
    let Some(call) = judge.call(effect) else {
        return false;
    };
    let end = call
        .args
        .iter()
        .position(|arg| arg.text() == "--")
        .unwrap_or(call.args.len());
    let asks = call.args.last().is_some_and(|arg| arg.text() == "-h")
        && matches!(
            call.program.as_str(),
            "gh" | "glab" | "az" | "gcloud" | "kubectl" | "helm" | "terraform"
        );
    // Behind a flag that takes a value, the word is that value: `--user-name --dry-run`.
    const SWITCHES: &[&str] = &[
        "--all",
        "--force",
        "--recursive",
        "--yes",
        "--now",
        "--wait",
        "--all-namespaces",
        "--ignore-not-found",
        "--quiet",
        "--purge",
        "--cascade",
    ];
    let free = |i: usize| {
        let before = i
            .checked_sub(1)
            .and_then(|i| call.args.get(i))
            .map_or("", |arg| arg.text());
        !before.starts_with("--") || before.contains('=') || SWITCHES.contains(&before)
    };
    asks || call
        .args
        .iter()
        .take(end)
        .enumerate()
        .any(|(i, arg)| TRIAL.contains(&arg.text()) && free(i))
}

/// The machine's own resources.
fn machine(
    judge: &mut Judge<'_>,
    effect: &Effect,
    kind: &str,
    name: &str,
    provider: &str,
    shown: &str,
    destroys: bool,
) {
    let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if is(&["published"]) {
        let (id, risk) = if destroys {
            ("cloud.destroy", High)
        } else {
            ("pkg.publish", High)
        };
        let instead = if destroys {
            None
        } else {
            judge.with_flag(effect, "--dry-run")
        };
        judge.hit(
            id,
            risk,
            effect,
            if destroys {
                format!("takes back {shown}, which others may rest on")
            } else {
                format!("publishes {shown} for others to use")
            },
            instead,
        );
    } else if is(&["package"]) {
        let essential = [
            "libc6",
            "systemd",
            "bash",
            "coreutils",
            "sudo",
            "apt",
            "dpkg",
            "glibc",
            "linux-image*",
            "*",
            "python3",
            "openssh-server",
            "base-files",
        ]
        .contains(&name);
        let (id, risk) = if destroys {
            ("pkg.remove", if essential { High } else { Moderate })
        } else {
            ("pkg.install", Moderate)
        };
        judge.hit(
            id,
            risk,
            effect,
            format!("{} {shown}", if destroys { "removes" } else { "changes" }),
            None,
        );
    } else if provider == "backup"
        || is(&["backup", "archive"])
        || ["restic", "borg", "timeshift", "snapper", "rclone"].contains(&provider)
    {
        let risk = if destroys { Critical } else { Moderate };
        judge.hit(
            "backup.destroy",
            risk,
            effect,
            format!(
                "{} {shown}",
                if destroys {
                    "destroys the backup"
                } else {
                    "changes the backup"
                }
            ),
            None,
        );
    } else if destroys {
        judge.hit(
            "disk.destroy",
            Critical,
            effect,
            format!("destroys {shown}"),
            None,
        );
    } else {
        judge.hit(
            "host.change",
            Moderate,
            effect,
            format!("changes {shown} of the machine"),
            None,
        );
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one effect, taken apart once"
)]
fn cloud_destroy(
    judge: &mut Judge<'_>,
    effect: &Effect,
    kind: &str,
    name: &str,
    provider: &str,
    shown: &str,
    of: &str,
    production: bool,
) {
    let calm = [
        "log-stream",
        "tag",
        "cache",
        "invalidation",
        "draft",
        "run",
        "artifact",
        "alias",
        "comment",
        "label",
    ]
    .contains(&kind);
    let whole = [
        "project",
        "account",
        "resource-group",
        "group",
        "organization",
        "stack",
        "repository",
        "repo",
        "app",
        "zone",
        "hosted-zone",
        "database",
        "db-instance",
        "cluster",
        "bucket",
        "key",
        "vault",
    ]
    .iter()
    .any(|word| kind == *word || kind.ends_with(&format!("-{word}")));
    let risk = match (whole, production) {
        _ if calm => Moderate,
        (true, _) | (_, true) => Critical,
        _ => High,
    };
    let args: Vec<&str> = judge
        .call(effect)
        .map(|call| call.args.iter().map(|arg| arg.text()).collect())
        .unwrap_or_default();
    let instead = if args.first() == Some(&"s3") && args.get(1) == Some(&"rm") {
        judge.with_flag(effect, "--dryrun")
    } else if args.first() == Some(&"s3") && args.get(1) == Some(&"rb") && !name.is_empty() {
        Some(format!(
            "aws s3 ls s3://{}",
            name.trim_start_matches("s3://")
        ))
    } else if args.first() == Some(&"ec2") {
        judge.with_flag(effect, "--dry-run")
    } else {
        None
    };
    let by = if provider.is_empty() {
        String::new()
    } else {
        format!(" at {provider}")
    };
    judge.hit(
        "cloud.destroy",
        risk,
        effect,
        format!("destroys {shown}{by}{of}"),
        instead,
    );
}

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
