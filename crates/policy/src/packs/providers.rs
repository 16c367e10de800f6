//! Clouds and the machine's own resources, and what only shows what would be done.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Effect, Invocation};

use super::Judge;
use super::code::is_local;

/// Another word may take the trial run back, or does: `--cache-dir *`, `--description $ARGS`, where the
/// shell makes several words of one, and `kubectl --raw`, which sends what it is given.
fn takes_trial_away(judge: &Judge<'_>, call: &Invocation) -> bool {
    call.program == "kubectl" && call.args.iter().any(|arg| arg.text() == "--raw")
        || call.args.windows(2).any(|pair| {
            let [option, value] = pair else { return false };
            let written = value.span.of(judge.request.text);
            let upper = written.to_ascii_uppercase();
            option.text().starts_with("--")
                && !option.text().contains('=')
                && (written.starts_with(['*', '?'])
                    || written.starts_with('$')
                        && ["ARGS", "OPTS", "FLAGS", "OPTIONS", "PARAMS"]
                            .iter()
                            .any(|word| upper.contains(word)))
        })
}

/// A trial run, or a question for help.
pub(super) fn only_shows(judge: &Judge<'_>, effect: &Effect) -> bool {
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
    if takes_trial_away(judge, call) {
        return false;
    }
    let end = call
        .args
        .iter()
        .position(|arg| arg.text() == "--")
        .unwrap_or(call.args.len());
    // Where the program knows no such option, the word is an error and nothing is tried out.
    let says = |word: &str| call.args.iter().any(|arg| arg.text() == word);
    if call.program == "aws"
        && !["ec2", "s3", "iam", "organizations", "help"]
            .into_iter()
            .any(says)
        || call.program == "az" && says("--what-if") && !says("deployment")
    {
        return false;
    }
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
        let short = matches!(before, "-n" | "-l" | "-o" | "-c" | "-f")
            && matches!(call.program.as_str(), "kubectl" | "oc" | "helm");
        !short && (!before.starts_with("--") || before.contains('=') || SWITCHES.contains(&before))
    };
    // Switched off, it is no trial.
    let off = call.args.iter().take(end).any(|arg| {
        matches!(arg.text(), "--no-dry-run" | "--no-dryrun")
            || arg
                .text()
                .trim_start_matches('-')
                .split_once('=')
                .is_some_and(|(name, value)| {
                    matches!(name, "dry-run" | "dryrun" | "what-if" | "whatif")
                        && matches!(
                            value.to_ascii_lowercase().as_str(),
                            "none" | "false" | "0" | "no" | "off"
                        )
                })
    });
    if off {
        return false;
    }
    asks || call
        .args
        .iter()
        .take(end)
        .enumerate()
        .any(|(i, arg)| TRIAL.contains(&arg.text()) && free(i))
}

/// A setting that says where packages come from, and not from the usual registry.
fn moves_source(judge: &Judge<'_>, effect: &Effect, name: &str) -> bool {
    // `prefix`: programs would be put where, or taken from where, anybody may write.
    let scratch = name == "prefix"
        && judge.call(effect).is_some_and(|call| {
            call.args.iter().any(|arg| {
                let text = arg.text();
                let value = text.split_once('=').map_or(text, |(_, value)| value);
                judge.places.of(value) == crate::place::Place::Temporary
            })
        });
    if scratch {
        return true;
    }
    let source = [
        "registry",
        "index-url",
        "index_url",
        "proxy",
        "trusted-host",
        "find-links",
        "://",
    ]
    .iter()
    .any(|word| name.to_ascii_lowercase().contains(word));
    let usual = judge.call_text(effect).is_some_and(|text| {
        [
            "https://registry.npmjs.org",
            "https://registry.yarnpkg.com",
            "https://pypi.org/",
            "https://rubygems.org",
            "https://api.nuget.org/",
            "https://repo.anaconda.com/",
            "https://conda.anaconda.org/",
            "https://flathub.org/",
            "https://dl.flathub.org/",
            "https://packagist.org",
            "https://repo.packagist.org",
            "https://community.chocolatey.org/",
        ]
        .iter()
        .any(|known| text.contains(known))
    });
    source && !usual
}

/// The machine's own resources.
pub(super) fn machine(
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
    } else if kind == "package-source" && moves_source(judge, effect, name) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("takes packages from elsewhere: {name}"),
            None,
        );
    } else if kind == "package-key" && !destroys {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("believes whoever signs with another key: {name}"),
            None,
        );
    } else if is(&["package", "environment", "generation"]) {
        super::system::package_change(judge, effect, name, shown, destroys);
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
        // A stopped array can be assembled again.
        let risk = if kind == "array" { High } else { Critical };
        judge.hit(
            "disk.destroy",
            risk,
            effect,
            format!("destroys {shown}"),
            None,
        );
    } else {
        judge.hit(
            "host.change",
            super::system::host_risk(kind, name),
            effect,
            format!("changes {shown} of the machine"),
            None,
        );
    }
}

/// An address at a port where stores, queues and gateways listen.
fn keeps_data(address: &str) -> bool {
    const PORTS: &[&str] = &[
        "2379", "4242", "5984", "6333", "7700", "8001", "8086", "8091", "8108", "8123", "8200",
        "8500", "8529", "9000", "9090", "9200", "9201", "15672",
    ];
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let place = rest.split(['/', '?']).next().unwrap_or(rest);
    place
        .rsplit_once(':')
        .is_some_and(|(_, port)| PORTS.contains(&port))
}

/// Losing these loses little: they are made again by themselves or by asking.
const CALM: &[&str] = &[
    "log-stream",
    "tag",
    "cache",
    "invalidation",
    "draft",
    "run",
    "artifact",
    "alias",
    "deployment-alias",
    "comment",
    "label",
    "autolink",
    "suppression",
    "silence",
    "reaction",
    "release-file",
];
/// With these goes everything in them.
const WHOLE: &[&str] = &[
    "project",
    "projects",
    "account",
    "subscription",
    "tenant",
    "realm",
    "resource-group",
    "group",
    "organization",
    "organizations",
    "org",
    "stack",
    "repository",
    "repo",
    "app",
    "zone",
    "hosted-zone",
    "database",
    "databases",
    "db-instance",
    "db-cluster",
    "database-instance",
    "database-server",
    "cluster",
    "bucket",
    "key",
    "vault",
    "registry",
    "namespace",
    "backup",
    "backup-vault",
];

/// The method says it: `-X DELETE`.
fn asks_to_delete(call: &cmdai_schema::Invocation) -> bool {
    call.args.iter().any(|arg| {
        let text = arg.text();
        text.eq_ignore_ascii_case("delete")
            || text.ends_with("=DELETE")
            || text.eq_ignore_ascii_case("-xdelete")
    })
}

/// The request says who asks: then somebody gave that person the right to delete.
fn shows_credentials(call: &cmdai_schema::Invocation) -> bool {
    call.args.iter().any(|arg| {
        let text = arg.text();
        let lower = text.to_ascii_lowercase();
        matches!(
            text,
            "-u" | "--user"
                | "--cert"
                | "-E"
                | "-n"
                | "--netrc"
                | "-b"
                | "--cookie"
                | "--oauth2-bearer"
                | "--aws-sigv4"
                | "-a"
                | "--auth"
                | "-A"
        ) || text.starts_with("-u") && text.len() > 2 && !text.starts_with("--")
            || [
                "authorization",
                "api-key",
                "apikey",
                "x-auth",
                "token:",
                "cookie:",
                "secret:",
            ]
            .iter()
            .any(|word| lower.contains(word))
            || lower.contains("://") && lower.contains('@')
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one effect, taken apart once"
)]
pub(super) fn cloud_destroy(
    judge: &mut Judge<'_>,
    effect: &Effect,
    kind: &str,
    name: &str,
    provider: &str,
    shown: &str,
    of: &str,
    production: bool,
) {
    let calm = CALM.contains(&kind);
    let whole = WHOLE
        .iter()
        .any(|word| kind == *word || kind.ends_with(&format!("-{word}")));
    // A server that is being written on this machine, unless it keeps data for others.
    let own_server = kind == "http" && is_local(name) && !keeps_data(name);
    // Of a server that nobody described: one that lets strangers delete keeps nothing that matters.
    let stranger = kind == "http"
        && !production
        && !keeps_data(name)
        // `api.example.com` is one that others rest on.
        && !name
            .split_once("://")
            .map_or(name, |(_, rest)| rest)
            .starts_with("api.")
        && judge
            .call(effect)
            .is_some_and(|call| asks_to_delete(call) && !shows_credentials(call));
    let risk = match (whole, production) {
        _ if calm || own_server || stranger => Moderate,
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
