//! What is opened to others: tunnels, proxies, servers of a whole home, gates of databases, and
//! rules that say who may come in.

use cmdai_schema::Risk::High;
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation};

use super::Judge;
use crate::place::Place;

/// Calls that open something by what their words say.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
        let first = words
            .iter()
            .find(|word| !word.starts_with('-'))
            .copied()
            .unwrap_or("");
        let value = |names: &[&str]| value_of(&words, names);
        let found: Option<(&'static str, String)> = match call.program.as_str() {
            // A port of this machine that anybody in the world may knock at.
            "ngrok" if matches!(first, "tcp" | "tls") || words.contains(&"--proto=tcp") => Some((
                "net.listen",
                "opens a port of this machine to the world".to_owned(),
            )),
            "bore" if first == "local" => Some((
                "net.listen",
                "opens a port of this machine to the world".to_owned(),
            )),
            "cloudflared"
                if value(&["--url"]).is_some_and(|url| {
                    ["ssh://", "tcp://", "rdp://", "smb://"]
                        .iter()
                        .any(|start| url.starts_with(start))
                }) =>
            {
                Some((
                    "net.listen",
                    "opens a port of this machine to the world".to_owned(),
                ))
            }
            // Without a filter, whoever reaches the port has the person's rights in the cluster.
            "kubectl" | "oc" if first == "proxy" => {
                let open = value(&["--address"]).is_some_and(|address| !is_here(address))
                    || value(&["--accept-hosts"])
                        .is_some_and(|hosts| matches!(hosts, ".*" | "^.*$" | ".+" | "^*$"))
                    || words
                        .iter()
                        .any(|word| matches!(*word, "--disable-filter" | "--disable-filter=true"));
                open.then(|| {
                    (
                        "net.listen",
                        "opens the cluster, with this person's rights, to others".to_owned(),
                    )
                })
            }
            "php" => {
                let address = value(&["-S"]);
                let root = value(&["-t"]).unwrap_or(".");
                address
                    .filter(|address| !is_here(address))
                    .and_then(|address| {
                        serves(judge, root).map(|path| {
                            (
                                "net.listen",
                                format!("shows {path} to everybody who reaches {address}"),
                            )
                        })
                    })
            }
            "serve" | "http-server" | "live-server" | "caddy" | "ruby" | "busybox" | "twistd"
            | "miniserve" | "simple-http-server" | "httpd" | "darkhttpd" | "webfsd"
            | "filebrowser" | "dufs" | "npx" | "static-web-server" => served(judge, call, &words),
            _ => unguarded(call, &words).or_else(|| forwards(call, &words)),
        };
        if let Some((id, reason)) = found {
            judge.hit_at(id, High, call.span, Certainty::Proven, reason, None);
        }
    }
}

/// Ports behind which a login or a store waits.
const DOORS: &[&str] = &[
    "22", "23", "445", "1433", "1521", "2375", "2379", "3306", "3389", "5432", "5900", "6379",
    "9200", "11211", "27017",
];

/// A server that asks nobody who they are: a shell in the browser, a store without a password, a
/// screen that everybody sees.
fn unguarded(call: &Invocation, words: &[&str]) -> Option<(&'static str, String)> {
    let says = |parts: &[&str]| {
        words
            .iter()
            .any(|word| parts.iter().any(|part| word.contains(part)))
    };
    let asks = words
        .iter()
        .any(|word| matches!(*word, "--help" | "-h" | "--version" | "-v" | "-V"))
        && words.len() == 1;
    if asks {
        return None;
    }
    let everywhere = value_of(
        words,
        &[
            "--ip",
            "--bind",
            "--bind_ip",
            "--host",
            "-H",
            "--address",
            "--listen",
        ],
    )
    .is_some_and(|address| matches!(address, "0.0.0.0" | "*" | "::" | "0.0.0.0/0"))
        || words.contains(&"--bind_ip_all");
    let open = match call.program.as_str() {
        "ttyd" | "gotty" | "shellinabox" | "shellinaboxd" | "wetty" | "tmate" | "upterm"
        | "sshx" | "teleconsole" => !says(&["127.0.0.1", "localhost"]),
        "code" | "code-insiders" => words.first() == Some(&"tunnel"),
        "code-server" => says(&["--auth=none"]) || value_of(words, &["--auth"]) == Some("none"),
        "redis-server" | "valkey-server" => {
            value_of(words, &["--protected-mode"]) == Some("no")
                || everywhere && !says(&["--requirepass"])
        }
        "mongod" => says(&["--noauth"]) || everywhere && !says(&["--auth"]),
        "mysqld" | "mysqld_safe" | "mariadbd" | "mariadbd-safe" => {
            says(&["skip-grant-tables", "skip_grant_tables"])
        }
        "elasticsearch" => says(&["security.enabled=false"]),
        "jupyter" | "jupyter-lab" | "jupyter-notebook" => {
            words.iter().any(|word| {
                word.split_once('=').is_some_and(|(name, value)| {
                    (name.ends_with(".token") || name.ends_with(".password"))
                        && value.trim_matches(['\'', '"']).is_empty()
                })
            }) && (everywhere || says(&["ip='*'", "ip=*"]))
        }
        "sshd" => says(&[
            "PermitEmptyPasswords=yes",
            "PermitRootLogin=yes",
            "StrictModes=no",
        ]),
        "x11vnc" => {
            says(&["-nopw"])
                || !says(&["-localhost", "-rfbauth", "-passwd", "-usepw", "-connect"])
                    && says(&["-forever", "-shared"])
        }
        "vncserver" | "Xvnc" | "tigervncserver" | "x0vncserver" => value_of(
            words,
            &["-SecurityTypes", "--SecurityTypes", "-securitytypes"],
        )
        .is_some_and(|kind| kind.eq_ignore_ascii_case("none")),
        "dockerd" => {
            words.iter().any(|word| {
                word.split_once("tcp://")
                    .is_some_and(|(_, address)| !is_here(address))
            }) && !says(&["--tlsverify"])
        }
        "tailscale" => {
            words.first() == Some(&"funnel")
                && words
                    .iter()
                    .any(|word| DOORS.contains(word) || word.contains("tcp"))
        }
        "localtunnel" | "lt" | "zrok" | "playit" | "pagekite" | "frpc" | "serveo" => words
            .iter()
            .any(|word| DOORS.contains(&word.rsplit([':', '=']).next().unwrap_or(word))),
        _ => false,
    };
    open.then(|| {
        (
            "net.listen",
            format!(
                "lets whoever reaches it use {} without asking who it is",
                call.program
            ),
        )
    })
}

/// `ssh -D 0.0.0.0:1080`, `ssh -L 0.0.0.0:5432:db:5432`: the way in is open to the whole network.
fn forwards(call: &Invocation, words: &[&str]) -> Option<(&'static str, String)> {
    if !matches!(call.program.as_str(), "ssh" | "autossh") {
        return None;
    }
    let open = words.iter().enumerate().find_map(|(at, word)| {
        let spec = match *word {
            "-D" | "-L" => words.get(at + 1).copied()?,
            other => other
                .strip_prefix("-D")
                .or_else(|| other.strip_prefix("-L"))?,
        };
        (spec.starts_with("0.0.0.0:") || spec.starts_with("*:") || spec.starts_with("[::]:"))
            .then_some(spec)
    })?;
    Some((
        "net.listen",
        format!("opens a way through this machine to the whole network: {open}"),
    ))
}

fn served(judge: &Judge<'_>, call: &Invocation, words: &[&str]) -> Option<(&'static str, String)> {
    let is_server = match call.program.as_str() {
        "caddy" => words.contains(&"file-server"),
        "ruby" => words.contains(&"httpd") || words.contains(&"-run"),
        "busybox" => words.first() == Some(&"httpd"),
        "twistd" => words.contains(&"web"),
        "npx" => words
            .iter()
            .any(|word| matches!(*word, "serve" | "http-server" | "live-server")),
        "httpd" => words.contains(&"-h"),
        _ => true,
    };
    let here = words.iter().any(|word| is_here(word));
    let root = words
        .iter()
        .filter(|word| word.starts_with('/') || word.starts_with('~'))
        .find_map(|word| serves(judge, word));
    (is_server && !here).then_some(root).flatten().map(|path| {
        (
            "net.listen",
            format!("shows {path} to everybody who reaches this machine"),
        )
    })
}

/// A folder that holds more than a project: a home, a store in it, the machine.
fn serves<'w>(judge: &Judge<'w>, root: &'w str) -> Option<&'w str> {
    let home = judge.places.home?;
    let gone_home = judge.request.analysis.invocations.iter().any(|call| {
        call.program == "cd"
            && call
                .args
                .first()
                .is_none_or(|arg| arg.text() == home || arg.text() == "~" || arg.text() == "/")
    });
    let path = match root {
        "." | "./" if gone_home => home,
        "~" | "~/" | "$HOME" => home,
        "." | "./" => judge.places.cwd?,
        other => other,
    };
    let bare = path.trim_end_matches('/');
    (bare.is_empty()
        || bare == home
        || matches!(
            judge.places.of(path),
            Place::Home | Place::HomeStore | Place::Root | Place::SystemRoot
        ))
    .then_some(path)
}

fn is_here(address: &str) -> bool {
    address.starts_with("127.")
        || address.starts_with("localhost")
        || address.starts_with("[::1]")
        || address == "::1"
}

/// The value of a flag: `--flag value` or `--flag=value`.
pub(super) fn value_of<'w>(words: &[&'w str], names: &[&str]) -> Option<&'w str> {
    words
        .iter()
        .position(|word| names.contains(word))
        .and_then(|at| words.get(at + 1))
        .copied()
        .or_else(|| {
            words.iter().find_map(|word| {
                let (name, value) = word.split_once('=')?;
                names.contains(&name).then_some(value)
            })
        })
}

/// A setting that lets more people in than before, by file and by what the line says.
const GATES: &[(&str, &[&str])] = &[
    (
        "pg_hba.conf",
        &["trust", "0.0.0.0/0", "::/0", "all all all"],
    ),
    (
        "postgresql.conf",
        &[
            "listen_addresses = '*'",
            "listen_addresses='*'",
            "ssl = off",
        ],
    ),
    ("redis.conf", &["protected-mode no", "bind 0.0.0.0"]),
    ("mongod.conf", &["0.0.0.0", "authorization: disabled"]),
    ("my.cnf", &["skip-grant-tables", "skip_grant_tables"]),
    ("mysqld.cnf", &["skip-grant-tables", "skip_grant_tables"]),
    ("elasticsearch.yml", &["security.enabled: false"]),
    ("smb.conf", &["guest ok = yes", "map to guest"]),
    ("exports", &["no_root_squash", "*(rw"]),
    (
        "vsftpd.conf",
        &["anonymous_enable=YES", "anon_upload_enable=YES"],
    ),
];

/// Settings of servers that say who may come in.
pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let (EffectKind::Write { path } | EffectKind::Overwrite { path }) = &effect.kind else {
        return;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let opened = GATES
        .iter()
        .filter(|(file, _)| *file == name)
        .filter(|_| {
            path.starts_with("/etc/")
                || path.starts_with("/var/")
                || path.starts_with("/usr/")
                || path.starts_with("/opt/")
        })
        .flat_map(|(_, words)| words.iter())
        .find(|word| judge.request.text.contains(**word));
    if let Some(word) = opened {
        judge.hit(
            "sec.disable",
            High,
            effect,
            format!("lets more people in: {word} in {path}"),
            None,
        );
    }
}
