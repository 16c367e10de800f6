//! Secrets: read, and above all sent away.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Effect, EffectKind};

use super::Judge;
use super::code::{RAW, is_local};
use crate::reach::host;

/// Words in paths and names that speak of secrets, for uploads of files nobody classified.
pub(super) fn looks_secret(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    [
        ".ssh/",
        ".aws/",
        ".gnupg/",
        ".kube/config",
        "/etc/shadow",
        "/etc/sudoers",
        ".password-store",
        "/etc/passwd",
        "_history",
        ".zhistory",
        "/Login Data",
        "/logins.json",
        "/key4.db",
        "/cookies.sqlite",
        "/Cookies",
        "/keychains/",
        "/Keychains/",
        "/keyrings/",
        "wallet.dat",
    ]
    .iter()
    .any(|part| text.contains(part))
        || text.ends_with("/environment") && !text.starts_with("/etc/")
        || text == "environment"
        // A store as a whole.
        || [".ssh", ".aws", ".gnupg", ".kube", ".azure", "gcloud", ".password-store", ".docker"]
            .contains(&text.trim_end_matches(['/', '*']).rsplit('/').next().unwrap_or(""))
        || [
            "id_rsa",
            "id_ed25519",
            "id_ecdsa",
            "credentials",
            ".env",
            ".netrc",
            ".pgpass",
            ".npmrc",
            ".pypirc",
            "secrets.yaml",
            "secrets.json",
        ]
        .contains(&name)
        || [".pem", ".key", ".p12", ".pfx", ".kdbx", ".keystore"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    match &effect.kind {
        EffectKind::ReadSecret { path } => {
            let name = path.rsplit('/').next().unwrap_or(path);
            // The own environment is what the person set; another process's is not.
            let own = path == "/proc/self/environ" || path == "/proc/thread-self/environ";
            let project = name == ".env" || name.starts_with(".env.") || own;
            let risk = if project && !judge.is_agent() {
                Moderate
            } else {
                High
            };
            let reason = if judge.is_agent() {
                format!("puts the secret {path} before an AI agent")
            } else {
                format!("reads the secret {path}")
            };
            judge.hit("secret.read", risk, effect, reason, None);
        }
        // A disk holds every file, whatever its rights; copying one whole is a backup.
        EffectKind::Read { path }
            if raw_disk(path)
                && !effect.chain.last().is_some_and(|program| {
                    matches!(
                        program.as_str(),
                        "dd" | "dcfldd" | "ddrescue" | "dd_rescue" | "partclone"
                    )
                }) =>
        {
            judge.hit(
                "secret.read",
                High,
                effect,
                format!("reads {path} past the rights of every file on it"),
                None,
            );
        }
        EffectKind::Upload {
            source,
            destination,
        } => {
            if is_local(destination) && !destination.is_empty() {
                return;
            }
            let secret =
                judge
                    .request
                    .analysis
                    .effects
                    .iter()
                    .find_map(|other| match &other.kind {
                        EffectKind::ReadSecret { path } if related(judge, other, effect) => {
                            Some(path.as_str())
                        }
                        _ => None,
                    });
            match secret.or_else(|| looks_secret(source).then_some(source.as_str())) {
                Some(secret) => {
                    judge.hit(
                        "net.upload-secret",
                        Critical,
                        effect,
                        format!("sends the secret {secret} to {destination}"),
                        None,
                    );
                }
                None if publishes(judge, effect) => {
                    judge.hit(
                        "pkg.publish",
                        High,
                        effect,
                        "publishes for others to use, which cannot be taken back",
                        judge_dry(judge, effect),
                    );
                }
                // Pushing commits is what everybody does all day.
                None if effect.chain.last().is_some_and(|program| program == "git") => {}
                // `host:/etc/…`: what is there is overwritten.
                None if destination
                    .split_once(':')
                    .filter(|(host, path)| !host.contains('/') && !path.starts_with("//"))
                    .is_some_and(|(_, path)| remote_system(path)) =>
                {
                    judge.hit(
                        "fs.write-system",
                        High,
                        effect,
                        format!("writes over system files at {destination}"),
                        None,
                    );
                }
                None if effect
                    .chain
                    .last()
                    .is_some_and(|program| RAW.contains(&program.as_str())) =>
                {
                    judge.hit(
                        "net.upload",
                        High,
                        effect,
                        format!("sends data to {destination} over a raw connection"),
                        None,
                    );
                }
                None if matches!(destination.as_str(), "gist" | "paste") => judge.hit(
                    "net.upload",
                    High,
                    effect,
                    format!("puts {source} on the web, where anybody with the address can read it"),
                    None,
                ),
                None if drops_for_everybody(destination) => judge.hit(
                    "net.upload",
                    High,
                    effect,
                    format!(
                        "sends data to {}, where anybody can fetch it",
                        host(destination)
                    ),
                    None,
                ),
                None => match super::outgoing::why(judge, effect, source, destination) {
                    Some(reason) => judge.hit("net.upload", High, effect, reason, None),
                    None => judge.hit(
                        "net.upload",
                        Moderate,
                        effect,
                        format!("sends data to {destination}"),
                        None,
                    ),
                },
            }
        }
        EffectKind::Connect { address } if !is_local(address) => {
            let secret =
                judge
                    .request
                    .analysis
                    .effects
                    .iter()
                    .find_map(|other| match &other.kind {
                        EffectKind::ReadSecret { path } if same_pipe(judge, other, effect) => {
                            Some(path.as_str())
                        }
                        _ => None,
                    });
            if let Some(secret) = secret {
                judge.hit(
                    "net.upload-secret",
                    Critical,
                    effect,
                    format!("sends the secret {secret} to {address}"),
                    None,
                );
            }
        }
        _ => {}
    }
}

/// A folder of another machine that its system rests on.
fn remote_system(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "/bin", "/boot", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/root", "/var/lib", "/dev",
    ];
    path == "/"
        || FOLDERS
            .iter()
            .any(|folder| crate::glob::is_below(path, folder))
}

/// A registry is told to take a package.
fn publishes(judge: &Judge<'_>, effect: &Effect) -> bool {
    const REGISTRIES: &[&str] = &[
        "npm", "yarn", "pnpm", "cargo", "twine", "gem", "poetry", "uv", "gradle", "gradlew", "mvn",
        "flit", "hatch", "dotnet", "nuget", "vsce", "dart", "flutter", "mix", "pod", "sbt",
        "lerna", "bun",
    ];
    effect
        .chain
        .last()
        .is_some_and(|program| REGISTRIES.contains(&program.as_str()))
        && judge.call(effect).is_some_and(|call| {
            call.args.iter().any(|arg| {
                matches!(
                    arg.text(),
                    "publish"
                        | "upload"
                        | "push"
                        | "deploy"
                        | "publishToMavenCentral"
                        | "trunk"
                        | "hex.publish"
                )
            })
        })
}

fn judge_dry(judge: &Judge<'_>, effect: &Effect) -> Option<String> {
    let dry = effect.chain.last().is_some_and(|program| {
        matches!(program.as_str(), "npm" | "cargo" | "pnpm" | "poetry" | "uv")
    });
    judge.with_flag(effect, "--dry-run").filter(|_| dry)
}

/// The secret flows to the upload: the same call, an earlier stage, or a substitution within.
fn related(judge: &Judge<'_>, secret: &Effect, upload: &Effect) -> bool {
    let within = match judge.call(upload) {
        Some(call) => call.span.start <= secret.span.start && secret.span.end <= call.span.end,
        None => true,
    };
    within || same_pipe(judge, secret, upload)
}

fn same_pipe(judge: &Judge<'_>, secret: &Effect, upload: &Effect) -> bool {
    match (judge.call(secret), judge.call(upload)) {
        (Some(from), Some(to)) => from.pipeline == to.pipeline && from.stage <= to.stage,
        _ => true,
    }
}

/// Hosts that keep for anybody what anybody sends them: paste sites, drop boxes without an account,
/// request catchers, and the addresses that tunnels hand out.
const DROPS: &[&str] = &[
    "0x0.st",
    "anonfiles.com",
    "beeceptor.com",
    "bin.sh",
    "bashupload.com",
    "burpcollaborator.net",
    "catbox.moe",
    "dpaste.com",
    "dpaste.org",
    "envs.sh",
    "file.io",
    "filebin.net",
    "gofile.io",
    "hastebin.com",
    "hookbin.com",
    "interact.sh",
    "ix.io",
    "keep.sh",
    "localtunnel.me",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "oast.fun",
    "oast.live",
    "oast.me",
    "oast.online",
    "oast.pro",
    "oast.site",
    "oastify.com",
    "oshi.at",
    "paste.ee",
    "paste.rs",
    "pastebin.com",
    "pipedream.net",
    "privatebin.net",
    "ptpb.pw",
    "requestbin.com",
    "requestbin.net",
    "requestcatcher.com",
    "serveo.net",
    "sprunge.us",
    "temp.sh",
    "termbin.com",
    "tmpfiles.org",
    "transfer.sh",
    "trycloudflare.com",
    "uguu.se",
    "webhook.site",
    "wetransfer.com",
];

fn drops_for_everybody(destination: &str) -> bool {
    let host = host(destination);
    DROPS.iter().any(|drop| {
        host.strip_suffix(drop)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn raw_disk(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|name| {
        ["sd", "nvme", "vd", "hd", "xvd", "mapper/", "dm-", "mmcblk"]
            .iter()
            .any(|start| name.starts_with(start))
            || matches!(name, "mem" | "kmem")
    })
}
