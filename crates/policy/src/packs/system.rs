//! The machine: rights, accounts, what starts by itself, logs, protections, packages, services.

use cmdai_schema::Risk::{Critical, High, Moderate, Safe};
use cmdai_schema::{Certainty, Effect, EffectKind, Risk};

use super::Judge;
use super::code::is_local;
use crate::place::Place;

/// Services without which nobody can log in, or nobody watches.
const VITAL_SERVICES: &[&str] = &[
    "ssh",
    "sshd",
    "network",
    "networking",
    "networkmanager",
    "systemd-networkd",
    "systemd-resolved",
    "systemd-logind",
    "dbus",
    "firewalld",
    "ufw",
    "auditd",
    "apparmor",
    "fail2ban",
    "rsyslog",
    "syslog",
    "iptables",
    "nftables",
    "falcon-sensor",
    "crowdstrike",
    "clamav-daemon",
    "systemd-journald",
    "cmdai",
    "cmdai-sensor",
    "openssh-server",
    "com.openssh.sshd",
    "dropbear",
    "systemd-udevd",
    "systemd-timesyncd",
    "wpa_supplicant",
    "dhcpcd",
    "polkit",
    "display-manager",
    "gdm",
    "sddm",
    "lightdm",
    "unattended-upgrades",
    "chronyd",
    "ntpd",
    "sssd",
    "wazuh-agent",
    "osqueryd",
    "falco",
    "sentinelone",
];
/// Services that much else on the machine rests on: stopped for a while they come back, switched
/// off they do not.
const WIDE_SERVICES: &[&str] = &[
    "docker",
    "containerd",
    "crio",
    "kubelet",
    "cron",
    "crond",
    "libvirtd",
    "nfs-server",
    "bind9",
    "named",
    "dnsmasq",
    "postfix",
    "nscd",
    "avahi-daemon",
    "rpcbind",
];
/// Packages without which the machine does not start, or nobody can install anything.
const ESSENTIAL: &[&str] = &[
    "*",
    "apk-tools",
    "apt",
    "base",
    "base-files",
    "bash",
    "busybox",
    "coreutils",
    "dash",
    "dbus",
    "dnf",
    "dpkg",
    "e2fsprogs",
    "filesystem",
    "gcc-libs",
    "glibc",
    "grub",
    "grub2",
    "grub-pc",
    "init",
    "initramfs-tools",
    "iproute2",
    "kernel",
    "kmod",
    "libc-bin",
    "libc6",
    "libstdc++6",
    "linux",
    "login",
    "mount",
    "musl",
    "netplan.io",
    "network-manager",
    "NetworkManager",
    "openssh",
    "openssh-server",
    "openssl",
    "pacman",
    "passwd",
    "perl-base",
    "procps",
    "python3",
    "rpm",
    "shadow",
    "sudo",
    "systemd",
    "ubuntu-desktop",
    "ubuntu-minimal",
    "udev",
    "util-linux",
    "yum",
    "zlib1g",
];
/// Programs made to break into, listen to or wear out other machines.
const ATTACK: &[&str] = &[
    "aireplay-ng",
    "airodump-ng",
    "arpspoof",
    "bettercap",
    "commix",
    "crackmapexec",
    "dsniff",
    "ethminer",
    "ettercap",
    "evil-winrm",
    "goldeneye",
    "hping3",
    "hydra",
    "impacket-secretsdump",
    "kerbrute",
    "lazagne",
    "linpeas",
    "linpeas.sh",
    "loic",
    "mdk4",
    "medusa",
    "mimikatz",
    "mimipenguin",
    "minerd",
    "msfconsole",
    "msfvenom",
    "ncrack",
    "netexec",
    "nxc",
    "patator",
    "psexec.py",
    "reaver",
    "responder",
    "routersploit",
    "secretsdump.py",
    "setoolkit",
    "sliver",
    "slowhttptest",
    "slowloris",
    "smbexec.py",
    "sqlmap",
    "t-rex",
    "unshadow",
    "weevely",
    "wmiexec.py",
    "xmrig",
    "xsser",
];
/// Programs that look at other machines, or guess passwords here.
const PROBES: &[&str] = &[
    "aircrack-ng",
    "amass",
    "dirb",
    "enum4linux",
    "fcrackzip",
    "feroxbuster",
    "ffuf",
    "gobuster",
    "hashcat",
    "hping",
    "john",
    "masscan",
    "mitmdump",
    "mitmproxy",
    "nikto",
    "nmap",
    "nuclei",
    "rustscan",
    "smbmap",
    "theharvester",
    "wfuzz",
    "wpscan",
    "zmap",
];
/// Processes without which the machine or the person's session ends.
const VITAL_PROCESSES: &[&str] = &[
    "1",
    "-1",
    "init",
    "systemd",
    "sshd",
    "launchd",
    "dbus-daemon",
    "gdm",
    "sddm",
    "xorg",
    "gnome-shell",
    "loginwindow",
    "dockerd",
    "containerd",
    "kubelet",
    "lsass",
    "csrss",
    "smss",
    "wininit",
    "winlogon",
    "services",
    "svchost",
];

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    match &effect.kind {
        EffectKind::Escalate { to } => {
            let who = if to.is_empty() { "another person" } else { to };
            judge.hit(
                "priv.escalate",
                Moderate,
                effect,
                format!("runs with the rights of {who}"),
                None,
            );
        }
        EffectKind::AddUser { name } => judge.hit(
            "acct.add-user",
            High,
            effect,
            format!("adds the account {name}"),
            None,
        ),
        EffectKind::ChangeCredential { subject } => {
            // `chpasswd` reads whose passwords from its input.
            let listed = effect
                .chain
                .last()
                .is_some_and(|program| matches!(program.as_str(), "chpasswd" | "chgpasswd"));
            let own = !listed && matches!(subject.as_str(), "" | "self")
                || *subject == judge.request.subject.user;
            // Whoever is in one of these is as good as root.
            let raises = judge.call(effect).is_some_and(|call| {
                matches!(
                    call.program.as_str(),
                    "usermod" | "gpasswd" | "adduser" | "addgroup"
                ) && call.args.iter().any(|arg| {
                    arg.text().split(',').any(|group| {
                        matches!(
                            group,
                            "sudo" | "wheel" | "root" | "shadow" | "disk" | "lxd" | "admin"
                        )
                    })
                })
            });
            let own = own && !raises;
            judge.hit(
                "acct.change-credential",
                if own { Moderate } else { High },
                effect,
                format!("changes the credential {subject}"),
                None,
            );
        }
        EffectKind::Persistence { mechanism, path } => {
            persistence(judge, effect, mechanism, path.as_deref())
        }
        EffectKind::DisableSecurity { what } if !what.contains("cmdai") => judge.hit(
            "sec.disable",
            High,
            effect,
            format!("switches {what} off"),
            None,
        ),
        EffectKind::TamperLog { path } => {
            let whole = matches!(
                path.trim_end_matches("/*"),
                "/var/log" | "/var/log/audit" | "/var/log/journal"
            );
            judge.hit(
                "log.tamper",
                if whole { Critical } else { High },
                effect,
                format!("erases or silences the record {path}"),
                None,
            );
        }
        EffectKind::KernelModule { name } => judge.hit(
            "kernel.module",
            High,
            effect,
            format!("loads or removes the kernel module {name}"),
            None,
        ),
        EffectKind::PackageInstall {
            manager,
            name,
            source,
        } => package(judge, effect, manager, name, source),
        EffectKind::ServiceControl { service, action } => {
            service_control(judge, effect, service, action)
        }
        EffectKind::ProcessKill { target, all } => kill(judge, effect, target, *all),
        EffectKind::Power { action } => judge.hit(
            "power.off",
            High,
            effect,
            format!("stops or restarts the machine: {action}"),
            None,
        ),
        // A full disk is emptied again; a machine without processes or memory does not answer.
        EffectKind::ResourceExhaustion { how } => judge.hit(
            "res.exhaustion",
            match how.as_str() {
                "temporary folder" => Moderate,
                "disk" => High,
                _ => Critical,
            },
            effect,
            format!("uses up the machine: {how}"),
            None,
        ),
        _ => {}
    }
}

/// A package goes, or all of them change.
pub(super) fn package_change(
    judge: &mut Judge<'_>,
    effect: &Effect,
    name: &str,
    shown: &str,
    destroys: bool,
) {
    let bare = name.split([':', '=', '@', '/']).next().unwrap_or(name);
    let essential = super::bulk::removes_listed(judge, effect, name)
        || ESSENTIAL.contains(&bare)
        || [
            "linux-image",
            "linux-headers",
            "linux-generic",
            "kernel-",
            "libc6-",
            "systemd-",
            "grub-",
        ]
        .iter()
        .any(|start| bare.starts_with(start) && (bare.contains('*') || !bare.contains("doc")))
        || bare.starts_with('*')
        || bare.starts_with("lib*");
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
}

/// How bad a change of the machine's settings is: one that takes the way in away is worse.
pub(super) fn host_risk(kind: &str, name: &str) -> Risk {
    let words = |wanted: &[&str]| {
        name.split([' ', '='])
            .any(|word| wanted.contains(&word.to_ascii_lowercase().as_str()))
    };
    match kind {
        "network"
            if words(&["down", "off", "flush", "all"])
                || words(&["del", "delete"]) && words(&["default", "0.0.0.0/0"])
                || name.contains("100%") =>
        {
            High
        }
        "boot"
            if [
                "safeboot",
                "recoveryenabled no",
                "ignoreallfailures",
                "testsigning on",
            ]
            .iter()
            .any(|word| name.to_ascii_lowercase().contains(word)) =>
        {
            High
        }
        "boot-entry" | "firewall-policy" | "partitions-of-running-disk" => High,
        "boot"
            if matches!(
                name,
                "rescue.target" | "emergency.target" | "poweroff.target"
            ) =>
        {
            High
        }
        "nvram" if name == "all" => High,
        _ => Moderate,
    }
}

/// `Get-Process | Stop-Process`: nothing says which.
fn stops_all(judge: &mut Judge<'_>) {
    let calls = &judge.request.analysis.invocations;
    let bare =
        |call: &cmdai_schema::Invocation| call.args.iter().all(|arg| arg.text().starts_with('-'));
    let found = calls.iter().find(|call| {
        call.program == "Stop-Process"
            && bare(call)
            && call.stage == 1
            && calls.iter().any(|other| {
                other.program == "Get-Process"
                    && other.args.is_empty()
                    && other.pipeline == call.pipeline
                    && other.stage == 0
            })
    });
    if let Some(call) = found {
        judge.hit_at(
            "proc.kill-all",
            Critical,
            call.span,
            Certainty::Proven,
            "ends every process",
            None,
        );
    }
}

/// Programs that are dangerous by what they are for.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    stops_all(judge);
    for call in &judge.request.analysis.invocations {
        let name = call.program.as_str();
        let risk = if ATTACK.contains(&name) {
            High
        } else if PROBES.contains(&name) {
            Moderate
        } else {
            continue;
        };
        // Asking for help, or for a list, attacks nobody.
        let asks = call.args.iter().any(|arg| {
            matches!(
                arg.text(),
                "-h" | "--help" | "-V" | "--version" | "--list" | "-hh" | "--update"
            )
        });
        if asks && call.args.len() == 1 {
            continue;
        }
        judge.hit_at(
            "sec.attack-tool",
            risk,
            call.span,
            Certainty::Proven,
            format!("runs {name}, which is made to attack or probe machines"),
            None,
        );
    }
}

fn persistence(judge: &mut Judge<'_>, effect: &Effect, mechanism: &str, path: Option<&str>) {
    let word = mechanism.to_ascii_lowercase();
    let place = path.map(|path| judge.places.of(path));
    let system = place.is_some_and(|place| matches!(place, Place::System | Place::SystemRoot));
    let at = path.map(|path| format!(" in {path}")).unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|known| word.contains(known));
    let edits = judge.call(effect).is_some_and(|call| {
        call.args
            .iter()
            .any(|arg| matches!(arg.text(), "-e" | "-l" | "--list" | "--edit"))
    });
    if is(&["authorized", "authorised", "ssh-key"])
        || path.is_some_and(|path| path.ends_with("authorized_keys"))
    {
        judge.hit(
            "persist.authorized-key",
            High,
            effect,
            "lets another key log in",
            None,
        );
    } else if is(&["cron", "at-job", "timer", "at job"]) || word == "at" {
        judge.hit(
            "persist.cron",
            if system || (!edits && word.contains("cron")) {
                High
            } else {
                Moderate
            },
            effect,
            format!("plans a command for later{at}"),
            None,
        );
    } else if is(&["service", "systemd", "launchd", "unit", "autostart"]) {
        judge.hit(
            "persist.service",
            // What launchd is given is a file of somebody's making, and starts at every login.
            if system || path.is_some() || word == "launchd" {
                High
            } else {
                Moderate
            },
            effect,
            format!("makes a service start by itself{at}"),
            None,
        );
    } else if is(&["rc", "profile", "startup", "shell", "login"]) && !is(&["core", "source"]) {
        judge.hit(
            "persist.startup-file",
            if system || mechanism.contains("login") {
                High
            } else {
                Moderate
            },
            effect,
            format!("changes what every new shell runs{at}"),
            None,
        );
    } else {
        // A person changes the own prompt, an agent has no reason to.
        let prompt = is(&["prompt-command", "debug-trap"]) && !judge.is_agent();
        let calm = prompt || is(&["alias", "git-hook", "hook", "editor"]) && !system;
        judge.hit(
            "persist.other",
            if calm { Moderate } else { High },
            effect,
            format!("makes something run later: {mechanism}{at}"),
            None,
        );
    }
}

fn package(judge: &mut Judge<'_>, effect: &Effect, manager: &str, name: &str, source: &str) {
    let open = [source, name].iter().any(|address| {
        let address = address
            .strip_prefix("git+")
            .or_else(|| address.strip_prefix("hg+"))
            .or_else(|| address.strip_prefix("bzr+"))
            .unwrap_or(address);
        (address.starts_with("http://") || address.starts_with("git://")) && !is_local(address)
    });
    if super::fetched::runs_at_once(manager, name) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("runs {name} straight from a repository"),
            None,
        );
        return;
    }
    let stranger = [source, name]
        .iter()
        .any(|text| text.contains("://") || text.starts_with("git+"))
        && !open;
    let shown = if name.is_empty() { "packages" } else { name };
    if open {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("installs {shown} over an open connection"),
            None,
        );
    } else if stranger && Judge::is_privileged(effect) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("installs {shown} from an address, with full rights"),
            None,
        );
    } else {
        let by = if manager.is_empty() {
            String::new()
        } else {
            format!(" with {manager}")
        };
        judge.hit(
            "pkg.install",
            Moderate,
            effect,
            format!("installs {shown}{by}"),
            None,
        );
    }
}

fn service_control(judge: &mut Judge<'_>, effect: &Effect, service: &str, action: &str) {
    let stops = [
        "stop", "disable", "mask", "kill", "remove", "unload", "bootout", "delete", "off", "quit",
    ]
    .iter()
    .any(|word| action.contains(word));
    if !stops {
        return;
    }
    let name = service
        .trim_end_matches(".service")
        .trim_end_matches(".socket")
        .to_ascii_lowercase();
    let lasting = !matches!(action, "stop" | "kill" | "quit");
    // Whatever a listing names: all there are, where nothing picks some.
    let listed = name.starts_with('$')
        && judge.call(effect).is_some_and(|own| {
            let mut before = judge
                .request
                .analysis
                .invocations
                .iter()
                .filter(|call| call.pipeline == own.pipeline && call.stage < own.stage);
            before.next().is_some_and(|call| {
                call.program.eq_ignore_ascii_case("Get-Service")
                    && call
                        .args
                        .iter()
                        .all(|arg| matches!(arg.text(), "*" | "-Name"))
            }) && before.next().is_none()
        });
    let vital = listed
        || VITAL_SERVICES.contains(&name.as_str())
        || name == "*"
        || SERVING.contains(&name.as_str())
        || lasting && WIDE_SERVICES.contains(&name.as_str());
    let instead = effect
        .chain
        .last()
        .filter(|program| *program == "systemctl")
        .map(|_| format!("systemctl status {service}"));
    judge.hit(
        "svc.stop",
        if vital { High } else { Moderate },
        effect,
        format!("stops the service {service}"),
        instead,
    );
}

/// What others rest on while it runs: stores and what passes requests on.
const SERVING: &[&str] = &[
    "apache2",
    "caddy",
    "cassandra",
    "elasticsearch",
    "envoy",
    "haproxy",
    "httpd",
    "kafka",
    "mariadb",
    "mongod",
    "mysql",
    "mysqld",
    "nginx",
    "postgresql",
    "rabbitmq-server",
    "redis",
    "redis-server",
    "traefik",
    "varnish",
];

fn kill(judge: &mut Judge<'_>, effect: &Effect, target: &str, all: bool) {
    // `killall node` ends all of one name; `kill -1` and killall5 end everything.
    if all && matches!(target, "" | "-1" | "*" | "all" | "." | ".*") {
        judge.hit(
            "proc.kill-all",
            Critical,
            effect,
            "ends every process",
            None,
        );
        return;
    }
    let name = target.to_ascii_lowercase();
    if VITAL_PROCESSES.contains(&name.as_str()) || matches!(target, "/" | "root") {
        judge.hit(
            "proc.kill",
            High,
            effect,
            format!("ends {target}, which the machine rests on"),
            None,
        );
        return;
    }
    let forced = all
        || judge.call(effect).is_some_and(|call| {
            call.args
                .iter()
                .any(|arg| matches!(arg.text(), "-9" | "-KILL" | "-SIGKILL"))
        });
    let wide = target.is_empty() || target.contains('*') || name.starts_with("-u");
    // All of a person's processes, or whatever a list names.
    let person = judge.has_flag(effect, &["-u", "-U", "--euid", "--uid", "--user"])
        && (target.is_empty() || target == judge.request.subject.user || target.starts_with('$'));
    let listed =
        effect.chain.iter().any(|program| program == "xargs") && (wide || target.starts_with('$'));
    // `pgrep -f NAME | xargs …` says whose.
    let named = judge.call(effect).is_some_and(|own| {
        judge.request.analysis.invocations.iter().any(|call| {
            matches!(call.program.as_str(), "pgrep" | "pidof" | "lsof" | "fuser")
                && call.pipeline == own.pipeline
                && call.stage < own.stage
                && !call.args.is_empty()
        })
    });
    let listed = listed && !named;
    let risk = if wide && forced
        || person
        || super::bulk::kills_listed(judge, effect, target)
        || listed && Judge::is_privileged(effect)
    {
        High
    } else if forced || wide {
        Moderate
    } else {
        Safe
    };
    judge.hit(
        "proc.kill",
        risk,
        effect,
        format!(
            "ends {}",
            if target.is_empty() {
                "processes that cannot be told"
            } else {
                target
            }
        ),
        None,
    );
}
