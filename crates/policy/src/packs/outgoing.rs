//! Data that leaves: to whom, and whose it is.
//!
//! A name says who takes the data; a bare address of the internet says nothing. What a build made is
//! for others, what a person keeps and what a database holds is not.

use std::net::{Ipv4Addr, Ipv6Addr};

use cmdai_schema::Risk::{Critical, High};
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation};

use super::Judge;
use super::code::is_local;
use super::secrets::looks_secret;
use crate::place::Place;
use crate::reach::host;

/// Folders in a home that hold what a person keeps.
const OWN: &[&str] = &[
    "Documents",
    "Desktop",
    "Pictures",
    "Photos",
    "Downloads",
    "Videos",
    "Movies",
    "Music",
    "Mail",
    "Maildir",
    "OneDrive",
    "Dropbox",
    "Nextcloud",
    ".thunderbird",
    ".mozilla",
    ".config",
    ".local",
];
/// Endings of files that hold many people's data.
const DUMPS: &[&str] = &[
    ".sql", ".sql.gz", ".sql.zst", ".sql.xz", ".dump", ".pgdump", ".sqlite", ".sqlite3", ".mdb",
    ".accdb", ".rdb", ".bson", ".mbox", ".pst", ".ost", ".ldif",
];
/// Endings of what a build hands out.
const ARTEFACTS: &[&str] = &[
    ".deb", ".rpm", ".jar", ".war", ".whl", ".apk", ".ipa", ".html", ".css", ".js", ".wasm",
    ".exe", ".msi", ".dmg", ".iso",
];
/// Programs that print everything a store holds.
const DUMPERS: &[&str] = &[
    "pg_dump",
    "pg_dumpall",
    "mysqldump",
    "mariadb-dump",
    "mysqlpump",
    "mongodump",
    "mongoexport",
    "cqlsh",
    "influx",
    "etcdctl",
    "ldapsearch",
    "slapcat",
    "journalctl",
];
const ARCHIVERS: &[&str] = &[
    "tar", "bsdtar", "gtar", "zip", "7z", "7za", "rar", "cpio", "pax", "gzip", "zstd", "xz",
    "split", "openssl", "gpg", "base64", "cp", "rsync", "install", "mv", "cat",
];

/// An address of the internet without a name.
pub(super) fn is_bare_address(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    if let Some(six) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return six.0.parse::<Ipv6Addr>().is_ok_and(|six| {
            let first = six.segments().first().copied().unwrap_or(0);
            !six.is_loopback() && first & 0xfe00 != 0xfc00 && first & 0xffc0 != 0xfe80
        });
    }
    let name = host(address);
    if let Ok(four) = name.parse::<Ipv4Addr>() {
        return !(four.is_private()
            || four.is_loopback()
            || four.is_link_local()
            || four.is_unspecified()
            || four.is_broadcast());
    }
    // The same as one number: `http://3405803785/`.
    name.len() >= 8
        && (name.bytes().all(|byte| byte.is_ascii_digit())
            || name
                .strip_prefix("0x")
                .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())))
}

/// The usual names of a cloud's double beside one's own containers.
pub(super) fn is_emulator(address: &str) -> bool {
    let name = host(address);
    !name.contains('.')
        && [
            "localstack",
            "minio",
            "moto",
            "azurite",
            "fake-gcs",
            "dynamodb-local",
            "emulator",
        ]
        .iter()
        .any(|known| name.starts_with(known))
}

/// A host of the own network, by its name or address.
fn is_inside(address: &str) -> bool {
    let name = host(address);
    is_local(address)
        || name
            .parse::<Ipv4Addr>()
            .is_ok_and(|four| four.is_private() || four.is_link_local())
        || !name.contains('.')
        || [
            ".local",
            ".internal",
            ".lan",
            ".corp",
            ".intra",
            ".home",
            ".test",
            ".svc",
        ]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What a person keeps: the home as a whole, documents, pictures, mail.
fn is_personal(judge: &Judge<'_>, path: &str) -> bool {
    let bare = path.trim_end_matches(['*', '/']);
    if judge.places.of(path) == Place::Home || judge.places.home == Some(bare) {
        return true;
    }
    // A drive or the root as a whole.
    if matches!(judge.places.of(bare), Place::Root) || bare.len() == 2 && bare.ends_with(':') {
        return true;
    }
    if path.get(1..3) == Some(":/") && path.matches('/').count() == 1 && path.contains('*') {
        return true;
    }
    let rest = judge
        .places
        .home
        .and_then(|home| path.strip_prefix(home))
        .map(|rest| rest.trim_start_matches('/'))
        .or_else(|| {
            let rest = path
                .strip_prefix("/home/")
                .or_else(|| path.strip_prefix("/Users/"))
                .or_else(|| path.get(1..).and_then(|rest| rest.strip_prefix(":/Users/")))?;
            rest.split_once('/').map(|(_, rest)| rest)
        });
    rest.is_some_and(|rest| OWN.contains(&rest.split('/').next().unwrap_or("")))
}

/// Everything that a database, a registry or a repository holds.
fn is_dump(judge: &Judge<'_>, effect: &Effect, source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    if DUMPS.iter().any(|end| lower.ends_with(end)) {
        return !["fixture", "/test", "seed", "schema", "sample", "example"]
            .iter()
            .any(|word| lower.contains(word));
    }
    // `COPY … TO PROGRAM 'curl …'`: rows flow out of the store itself.
    if effect.chain.len() > 1
        && effect.chain.first().is_some_and(|program| {
            matches!(
                program.as_str(),
                "psql" | "mysql" | "mariadb" | "sqlite3" | "clickhouse-client"
            )
        })
    {
        return true;
    }
    let Some(own) = judge.call(effect) else {
        return false;
    };
    judge.request.analysis.invocations.iter().any(|call| {
        call.pipeline == own.pipeline
            && call.stage < own.stage
            && (DUMPERS.contains(&call.program.as_str()) || saves_images(call) || shows_state(call))
    })
}

/// What is known of an infrastructure holds its passwords.
fn shows_state(call: &Invocation) -> bool {
    matches!(call.program.as_str(), "terraform" | "tofu" | "pulumi")
        && call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "show" | "state" | "export"))
}

fn saves_images(call: &Invocation) -> bool {
    matches!(call.program.as_str(), "docker" | "podman" | "nerdctl")
        && call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "save" | "export"))
}

/// What a build made, for others to have.
fn is_artefact(judge: &Judge<'_>, source: &str) -> bool {
    judge.places.of(source) == Place::Build
        || ARTEFACTS.iter().any(|end| source.ends_with(end))
        || ["/public", "/_site", "/docs"]
            .iter()
            .any(|end| source.trim_end_matches('/').ends_with(end))
}

fn by_web(effect: &Effect, destination: &str) -> bool {
    let scheme = destination.split_once("://").map(|(scheme, _)| scheme);
    matches!(
        scheme,
        Some("http" | "https" | "ftp" | "ftps" | "tftp" | "smb" | "telnet")
    ) || effect.chain.last().is_some_and(|program| {
        matches!(
            program.as_str(),
            "mail"
                | "mailx"
                | "mutt"
                | "neomutt"
                | "sendmail"
                | "swaks"
                | "msmtp"
                | "s-nail"
                | "curl"
                | "wget"
                | "openssl"
                | "ftp"
                | "lftp"
                | "ncftpput"
                | "tftp"
        )
    })
}

/// Why an upload is more than a person does every day, if it is.
pub(super) fn why(judge: &Judge<'_>, effect: &Effect, source: &str, to: &str) -> Option<String> {
    if judge.is_inside_or_paired(to) {
        return None;
    }
    let unseen = source.is_empty() || source == "-" || source.ends_with("/-");
    if is_bare_address(to) && !is_artefact(judge, source) {
        let what = if unseen { "data" } else { source };
        return Some(format!(
            "sends {what} to {}, an address without a name",
            host(to)
        ));
    }
    if effect
        .chain
        .last()
        .is_some_and(|program| program == "openssl")
    {
        return Some(format!("sends data to {to} over a raw connection"));
    }
    if !by_web(effect, to) {
        return None;
    }
    if !unseen && is_personal(judge, source) {
        return Some(format!("sends {source}, which a person keeps, to {to}"));
    }
    is_dump(judge, effect, source).then(|| {
        let what = if unseen {
            "all that a store holds"
        } else {
            source
        };
        format!("sends {what} to {to}")
    })
}

impl Judge<'_> {
    fn is_inside_or_paired(&self, to: &str) -> bool {
        let named = to.contains("://") || to.contains('@') || to.contains('.');
        named && is_inside(to)
    }
}

/// A secret is packed or copied, and the same line sends what it made.
pub(super) fn packed_secret(judge: &mut Judge<'_>) {
    let effects = &judge.request.analysis.effects;
    let packed = effects.iter().find(|effect| {
        (matches!(&effect.kind, EffectKind::ReadSecret { .. })
            || matches!(&effect.kind, EffectKind::Read { path }
                if looks_secret(path) || is_personal(judge, path)))
            && effect.chain.last().is_some_and(|program| {
                ARCHIVERS.contains(&program.as_str()) || program == "Compress-Archive"
            })
    });
    let Some(secret) = packed else { return };
    let (EffectKind::ReadSecret { path } | EffectKind::Read { path }) = &secret.kind else {
        return;
    };
    let sent = effects.iter().find(|effect| match &effect.kind {
        EffectKind::Upload {
            source,
            destination,
        } => {
            effect.span.start > secret.span.start
                && !is_local(destination)
                && effect.chain.last().is_none_or(|program| program != "git")
                && (judge.places.of(source) == Place::Temporary
                    || [
                        ".tar", ".tgz", ".tar.gz", ".zip", ".7z", ".enc", ".gpg", ".b64", ".gz",
                    ]
                    .iter()
                    .any(|end| source.ends_with(end)))
        }
        _ => false,
    });
    let own = matches!(&secret.kind, EffectKind::Read { .. }) && !looks_secret(path);
    if let Some(sent) = sent {
        let by_ssh = sent.chain.last().is_some_and(|program| {
            matches!(
                program.as_str(),
                "scp" | "rsync" | "sftp" | "ssh" | "rclone" | "aws"
            )
        });
        match own {
            // A backup to a machine of one's own is what such programs are for.
            true if by_ssh => {}
            true => judge.hit(
                "net.upload",
                High,
                sent,
                format!("packs {path}, which a person keeps, and sends it away"),
                None,
            ),
            false => judge.hit(
                "net.upload-secret",
                Critical,
                sent,
                format!("packs the secret {path} and sends it away"),
                None,
            ),
        }
    }
}

/// Calls that hand data out by what their words say.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    let calls = &judge.request.analysis.invocations;
    let line = judge.request.text;
    for call in calls {
        let word = |at: usize| call.args.get(at).map_or("", |arg| arg.text());
        let has = |wanted: &[&str]| call.args.iter().any(|arg| wanted.contains(&arg.text()));
        let found: Option<(&'static str, String)> = match call.program.as_str() {
            // `git add -f .env`: what was kept out of version control goes in.
            "git" if has(&["add"]) && (has(&["-f", "--force"])) => call
                .args
                .iter()
                .map(|arg| arg.text())
                .find(|text| is_kept_out(text))
                .map(|text| {
                    (
                        "net.upload-secret",
                        format!("puts the secret {text} into version control"),
                    )
                }),
            "lftp" | "ncftp" | "ftp" => call
                .args
                .iter()
                .map(|arg| arg.text())
                .find(|text| {
                    ["put ", "mput ", "mirror -R", "mirror --reverse"]
                        .iter()
                        .any(|verb| text.contains(verb))
                })
                .map(|text| ("net.upload", format!("sends files away: {text}"))),
            // A copy of keys into a container or pod, where a server may hand it out.
            "docker" | "podman" | "nerdctl" | "kubectl" | "oc" if has(&["cp"]) => call
                .args
                .iter()
                .map(|arg| arg.text())
                .find(|text| !text.contains(':') && looks_secret(text))
                .map(|text| {
                    (
                        "net.upload-secret",
                        format!("copies the secret {text} into a container"),
                    )
                }),
            "aws" if word(0) == "s3" && has(&["sync", "cp", "mv"]) => {
                let buckets: Vec<&str> = call
                    .args
                    .iter()
                    .map(|arg| arg.text())
                    .filter(|text| text.starts_with("s3://"))
                    .collect();
                let gives = has(&[
                    "bucket-owner-full-control",
                    "--acl=bucket-owner-full-control",
                ]);
                match buckets.as_slice() {
                    [from, to] if gives && host(from) != host(to) => Some((
                        "net.upload",
                        format!("hands {from} over to the owner of {}", host(to)),
                    )),
                    _ => None,
                }
            }
            "docker" | "podman" | "buildah" | "nerdctl" if has(&["push"]) => renamed(calls, call)
                .map(|(from, to)| {
                    (
                        "net.upload",
                        format!("publishes {from} as {to}, which belongs to somebody else"),
                    )
                })
                .or_else(|| {
                    baked(calls, line).map(|name| {
                        (
                            "net.upload-secret",
                            format!("publishes an image that was built with {name}"),
                        )
                    })
                }),
            // The address for pushing is set apart from the one for fetching, then used.
            "git" if has(&["push"]) => calls
                .iter()
                .filter(|other| other.program == "git" && other.span.start < call.span.start)
                .find(|other| {
                    let said = |wanted: &str| other.args.iter().any(|arg| arg.text() == wanted);
                    said("set-url") && said("--push")
                        || said("remote")
                            && other.args.iter().any(|arg| {
                                let text = arg.text();
                                text.contains("://")
                                    && (is_bare_address(text)
                                        || text.starts_with("http://") && !is_local(text))
                                    || text.contains('@') && is_bare_address(text)
                            })
                        || other.args.iter().any(|arg| {
                            arg.text().starts_with("remote.") && arg.text().ends_with(".pushurl")
                        })
                })
                .map(|_| {
                    (
                        "net.upload",
                        "pushes the project to an address that the line itself sets".to_owned(),
                    )
                })
                .or_else(|| {
                    call.args
                        .iter()
                        .map(|arg| arg.text())
                        .find(|text| {
                            (text.contains("://") || text.contains('@')) && is_bare_address(text)
                        })
                        .map(|text| {
                            (
                                "net.upload",
                                format!(
                                    "pushes the project to {}, an address without a name",
                                    host(text)
                                ),
                            )
                        })
                }),
            _ => None,
        };
        if let Some((id, reason)) = found {
            judge.hit_at(id, High, call.span, Certainty::Proven, reason, None);
        }
    }
}

fn is_kept_out(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    let template = ["example", "sample", "template", "dist", "defaults"]
        .iter()
        .any(|end| name.ends_with(end));
    !template && (looks_secret(text) || name.starts_with(".env"))
}

/// `docker tag acme/x other/y`, and `other/y` is what is pushed.
fn renamed<'a>(calls: &'a [Invocation], push: &Invocation) -> Option<(&'a str, &'a str)> {
    let pushed = push.args.last().map_or("", |arg| arg.text());
    calls.iter().find_map(|call| {
        let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
        let [.., "tag", from, to] = words.as_slice() else {
            return None;
        };
        let owner = |name: &'a str| {
            let name = name
                .strip_prefix("docker.io/")
                .or_else(|| name.strip_prefix("index.docker.io/"))
                .unwrap_or(name);
            let (owner, rest) = name.split_once('/')?;
            // A registry of one's own has a dot or a port.
            (!owner.contains(['.', ':']) && !rest.contains('/') && owner != "library")
                .then_some(owner)
        };
        let (left, right) = (owner(from)?, owner(to)?);
        (left != right && *to == pushed).then_some((*from, *to))
    })
}

/// A build argument that holds a secret: it stays in the image for everybody who has it.
fn baked<'a>(calls: &[Invocation], line: &'a str) -> Option<&'a str> {
    calls.iter().find_map(|call| {
        let build = matches!(
            call.program.as_str(),
            "docker" | "podman" | "buildah" | "nerdctl"
        ) && call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "build" | "bud"));
        if !build {
            return None;
        }
        // The value is seldom known: what is written counts.
        call.args
            .windows(2)
            .filter_map(|pair| match pair {
                [flag, value] if flag.text() == "--build-arg" => Some(value.span.of(line)),
                [flag, _] => flag.span.of(line).strip_prefix("--build-arg="),
                _ => None,
            })
            .filter_map(|text| text.trim_matches(['"', '\'']).split('=').next())
            .find(|name| speaks_of_secret(name))
    })
}

fn speaks_of_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    [
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "PRIVATE_KEY",
        "API_KEY",
        "ACCESS_KEY",
    ]
    .iter()
    .any(|word| upper.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for bare in [
            "203.0.113.9",
            "x@203.0.113.9:/in",
            "http://198.51.100.8/up",
            "ftp://a:b@198.51.100.8/",
            "http://[2001:db8::1]/x",
            "http://3405803785/",
        ] {
            assert!(is_bare_address(bare), "{bare}");
        }
        for named in [
            "10.0.0.4:/srv",
            "http://192.168.1.2/x",
            "127.0.0.1",
            "u@host:/x",
            "https://example.com/1.2.3.4",
            "http://[::1]/",
            "s3://12345678x",
        ] {
            assert!(!is_bare_address(named), "{named}");
        }
    }
}
