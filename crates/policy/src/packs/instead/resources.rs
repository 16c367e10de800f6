//! Clouds, clusters, containers, infrastructure as code, databases and backups: showing what would
//! be gone.

use cmdai_schema::EffectKind;

use super::super::files::quoted;
use super::Case;
use super::line::{self, Change};

pub(super) fn make(case: &Case<'_>) -> Option<String> {
    match case.id {
        "container.privileged" => calm_container(case),
        "container.destroy" => container(case),
        "k8s.destroy" => cluster(case),
        "k8s.change" if matches!(case.program(), "kubectl" | "oc") => {
            line::with(case, "--dry-run=server")
        }
        "k8s.change" if case.program() == "helm" => line::with(case, "--dry-run"),
        "iac.destroy" | "iac.change" => infrastructure(case),
        "db.drop" | "db.delete-all" => database(case),
        "backup.destroy" => backup(case),
        "cloud.destroy" => cloud(case),
        _ => None,
    }
}

/// Flags that give a container the machine.
fn opens(flag: &str, value: &str) -> bool {
    match flag {
        "--pid" | "--ipc" | "--userns" | "--uts" => value == "host",
        "--cap-add" | "--security-opt" | "--device" => true,
        "-v" | "--volume" => value.starts_with('/'),
        "--mount" => value.contains("source=/") || value.contains("src=/"),
        _ => false,
    }
}

/// The same container without what opens the machine to it.
fn calm_container(case: &Case<'_>) -> Option<String> {
    let words: Vec<&str> = case.words().collect();
    let word = |at: usize| words.get(at).copied().unwrap_or("");
    line::rebuilt(case, |at, text| {
        let (flag, value) = text.split_once('=').unwrap_or((text, word(at + 1)));
        let before = at.checked_sub(1).map_or("", word);
        if flag == "--privileged"
            || opens(flag, value)
            || (!before.contains('=') && opens(before, text))
        {
            Change::Drop
        } else {
            Change::Keep
        }
    })
}

fn container(case: &Case<'_>) -> Option<String> {
    let program = case.program();
    let words: Vec<&str> = case.words().filter(|word| !word.starts_with('-')).collect();
    let composed = program == "docker-compose" || words.first() == Some(&"compose");
    Some(match (program, words.first().copied().unwrap_or("")) {
        ("docker-compose", _) => "docker-compose ps --all".to_owned(),
        ("vagrant", _) => "vagrant status".to_owned(),
        ("lxc", _) => "lxc list".to_owned(),
        ("multipass", _) => "multipass list".to_owned(),
        (_, _) if composed => format!("{program} compose ps --all"),
        ("docker" | "podman" | "nerdctl", "system" | "builder" | "buildx") => {
            format!("{program} system df")
        }
        ("docker" | "podman" | "nerdctl", "volume") => format!("{program} volume ls"),
        ("docker" | "podman" | "nerdctl", "network") => format!("{program} network ls"),
        ("docker" | "podman" | "nerdctl", "rmi" | "image") => format!("{program} image ls"),
        ("docker", "swarm" | "node" | "stack" | "service" | "secret" | "config") => {
            format!(
                "docker {} ls",
                words
                    .first()
                    .filter(|word| **word != "swarm")
                    .unwrap_or(&"node")
            )
        }
        ("docker" | "podman" | "nerdctl", _) => format!("{program} ps --all"),
        _ => return None,
    })
}

fn cluster(case: &Case<'_>) -> Option<String> {
    let EffectKind::ResourceDestroy { resource, name, .. } = &case.effect?.kind else {
        return None;
    };
    // What is in a namespace says more than that it would be deleted.
    let space = matches!(resource.as_str(), "namespace" | "namespaces" | "ns");
    if matches!(case.program(), "kubectl" | "oc") && space && !name.is_empty() && name != "*" {
        return Some(format!("{} get all -n {}", case.program(), quoted(name)));
    }
    None
}

fn infrastructure(case: &Case<'_>) -> Option<String> {
    let program = case.program();
    match program {
        "terraform" | "tofu" if case.has("state") => Some(format!("{program} state list")),
        "terraform" | "tofu" if case.has("workspace") => Some(format!("{program} workspace list")),
        "ansible-playbook" => line::with(case, "--check"),
        "pulumi" if case.has("destroy") => Some("pulumi destroy --preview-only".to_owned()),
        "pulumi" => Some("pulumi preview".to_owned()),
        "cdk" => Some("cdk diff".to_owned()),
        "terragrunt" => Some("terragrunt plan".to_owned()),
        "serverless" | "sls" => Some(format!("{program} info")),
        _ => None,
    }
}

/// A dump first, or a look at how much it is.
fn database(case: &Case<'_>) -> Option<String> {
    let EffectKind::ResourceDestroy { resource, name, .. } = &case.effect?.kind else {
        return None;
    };
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    };
    match case.program() {
        "redis-cli" | "valkey-cli" => {
            return line::rebuilt(case, |at, word| {
                let lower = word.to_ascii_lowercase();
                match lower.as_str() {
                    "flushall" | "flushdb" => Change::To("dbsize".to_owned()),
                    _ if at > 0 && matches!(lower.as_str(), "async" | "sync") => Change::Drop,
                    _ => Change::Keep,
                }
            });
        }
        "dropdb" if plain(name) => return Some(format!("pg_dump {name} -f {name}.sql")),
        "mysqladmin" if plain(name) => return Some(format!("mysqldump {name} -r {name}.sql")),
        "mongosh" | "mongo" => return Some("mongodump".to_owned()),
        _ => {}
    }
    let whole = matches!(resource.as_str(), "database" | "schema");
    if whole && plain(name) {
        return match case.program() {
            "psql" => Some(format!("pg_dump {name} -f {name}.sql")),
            "mysql" | "mariadb" => Some(format!("mysqldump {name} -r {name}.sql")),
            _ => None,
        };
    }
    line::rebuilt(case, |_, word| match counted(word) {
        Some(count) => Change::To(count),
        None => Change::Keep,
    })
}

/// `DELETE FROM t WHERE x`, `TRUNCATE t`, `DROP TABLE t` as the count of what would be gone.
fn counted(sql: &str) -> Option<String> {
    let one = sql.trim().trim_end_matches(';');
    if one.contains(';') {
        return None;
    }
    let lower = one.to_ascii_lowercase();
    let rest = [
        "delete from ",
        "truncate table ",
        "truncate ",
        "drop table if exists ",
        "drop table ",
    ]
    .iter()
    .find_map(|start| {
        lower
            .starts_with(start)
            .then(|| one.get(start.len()..))
            .flatten()
    })?;
    let rest = if lower.starts_with("delete") {
        rest.trim()
    } else {
        rest.split([' ', ',']).next()?
    };
    Some(format!("SELECT count(*) FROM {rest}"))
}

fn backup(case: &Case<'_>) -> Option<String> {
    match case.program() {
        "restic" if case.has("forget") || case.has("prune") => line::with(case, "--dry-run"),
        "borg" => {
            let place = case
                .words()
                .find(|word| word.contains('/') || word.contains("::"))?;
            Some(format!("borg list {}", quoted(place.split("::").next()?)))
        }
        "rclone" => line::with(case, "--dry-run"),
        "timeshift" => Some("timeshift --list".to_owned()),
        "snapper" => Some("snapper list".to_owned()),
        "tmutil" => Some("tmutil listbackups".to_owned()),
        "vssadmin" => Some("vssadmin list shadows".to_owned()),
        "wbadmin" => Some("wbadmin get versions".to_owned()),
        _ => None,
    }
}

/// Verbs of `aws` that destroy, and those that show the same thing with the same flags.
const AWS: &[(&str, &str)] = &[
    ("delete-bucket", "list-objects-v2"),
    ("delete-cluster", "describe-cluster"),
    ("delete-db-cluster", "describe-db-clusters"),
    ("delete-db-instance", "describe-db-instances"),
    ("delete-function", "get-function"),
    ("delete-hosted-zone", "get-hosted-zone"),
    ("delete-nodegroup", "describe-nodegroup"),
    ("delete-queue", "get-queue-attributes"),
    ("delete-role", "get-role"),
    ("delete-secret", "describe-secret"),
    ("delete-stack", "describe-stacks"),
    ("delete-table", "describe-table"),
    ("delete-topic", "get-topic-attributes"),
    ("delete-user", "get-user"),
    ("purge-queue", "get-queue-attributes"),
    ("schedule-key-deletion", "describe-key"),
];

fn cloud(case: &Case<'_>) -> Option<String> {
    match case.program() {
        "gcloud" => line::rebuilt(case, |_, word| match word {
            "delete" => Change::To("describe".to_owned()),
            "--quiet" | "-q" => Change::Drop,
            _ => Change::Keep,
        }),
        "az" => line::rebuilt(case, |_, word| match word {
            "delete" | "purge" => Change::To("show".to_owned()),
            "--yes" | "-y" | "--no-wait" => Change::Drop,
            _ => Change::Keep,
        }),
        "gh" | "glab" => line::rebuilt(case, |_, word| match word {
            "delete" => Change::To("view".to_owned()),
            "--yes" | "-y" | "--confirm" | "--cleanup-tag" => Change::Drop,
            _ => Change::Keep,
        }),
        "doctl" | "hcloud" | "linode-cli" => line::rebuilt(case, |_, word| match word {
            "delete" => Change::To(
                if case.program() == "hcloud" {
                    "describe"
                } else {
                    "get"
                }
                .to_owned(),
            ),
            "--force" | "-f" => Change::Drop,
            _ => Change::Keep,
        }),
        "heroku" => line::rebuilt(case, |at, word| match word {
            "apps:destroy" => Change::To("apps:info".to_owned()),
            "pg:reset" => Change::To("pg:info".to_owned()),
            "--confirm" => Change::Drop,
            _ if at > 0 && case.words().nth(at - 1) == Some("--confirm") => Change::Drop,
            _ => Change::Keep,
        }),
        "aws" => line::rebuilt(case, |_, word| {
            if let Ok(at) = AWS.binary_search_by(|(verb, _)| (*verb).cmp(word)) {
                return AWS
                    .get(at)
                    .map_or(Change::Keep, |(_, shows)| Change::To((*shows).to_owned()));
            }
            match word {
                "--skip-final-snapshot" | "--force" | "--force-delete-without-recovery" => {
                    Change::Drop
                }
                _ => Change::Keep,
            }
        }),
        "curl" => {
            let url = case.words().find(|word| word.contains("://"))?;
            Some(format!("curl -fsS {}", quoted(url)))
        }
        _ => None,
    }
}
