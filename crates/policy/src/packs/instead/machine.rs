//! Files, disks, services, accounts, packages: looking, or keeping a copy.

use cmdai_schema::EffectKind;

use super::super::files::quoted;
use super::Case;
use super::line::{self, Change};

pub(super) fn files(case: &Case<'_>) -> Option<String> {
    match case.id {
        "fs.delete-unset" => line::say_instead(case),
        "fs.delete-outside-project" => {
            // Out of the way, and still there.
            let path = case.path()?;
            let bare = case.effect?.kind.path()?.trim_end_matches('/');
            Some(format!("mv {path} {}", quoted(&format!("{bare}.old"))))
        }
        "fs.move" => match &case.effect?.kind {
            EffectKind::Move { from, to } if to != "/dev/null" && from.len() > 1 => {
                Some(format!("cp -a {} {}", quoted(from), quoted(to)))
            }
            EffectKind::Move { from, .. } => Some(format!("ls -la {}", quoted(from))),
            _ => None,
        },
        "fs.owner" | "fs.permissions" => {
            let path = case.effect?.kind.path()?;
            // What was set can be put back with `setfacl --restore`.
            Some(if case.has("-R") && path.len() > 1 {
                format!("getfacl -R -p {} > permissions.acl", quoted(path))
            } else {
                format!("ls -ld {}", quoted(path))
            })
        }
        "priv.world-writable" => Some(format!("ls -ld {}", quoted(case.effect?.kind.path()?))),
        "priv.setuid" => {
            let EffectKind::ChangeMode { path, mode, .. } = &case.effect?.kind else {
                return None;
            };
            let digits = mode.len() >= 4 && mode.bytes().all(|b| b.is_ascii_digit());
            Some(match mode.get(mode.len().saturating_sub(3)..) {
                Some(plain) if digits => format!("chmod {plain} {}", quoted(path)),
                _ => format!("ls -l {}", quoted(path)),
            })
        }
        "fs.write-system" => {
            let path = case.effect?.kind.path()?;
            let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
            (!path.contains(['*', '?']) && !path.ends_with("/cron.d")).then(|| {
                format!(
                    "cp {} {}",
                    quoted(path),
                    quoted(&format!("./{}.bak", name.trim_start_matches('.')))
                )
            })
        }
        "disk.mount" => Some(match case.path() {
            Some(path) => format!("findmnt {path}"),
            None => "findmnt".to_owned(),
        }),
        "disk.format" if case.program() == "diskutil" => Some("diskutil list".to_owned()),
        "disk.format" => Some("lsblk -f".to_owned()),
        "disk.destroy" => Some(
            match case.program() {
                "zfs" => "zfs list -t all",
                "zpool" => "zpool status",
                "lvremove" | "lvm" => "lvs",
                "vgremove" => "vgs",
                "pvremove" => "pvs",
                "btrfs" => "btrfs subvolume list .",
                "diskutil" => "diskutil list",
                "mdadm" => "cat /proc/mdstat",
                "dmsetup" => "dmsetup ls",
                "cryptsetup" => "lsblk -f",
                _ => "lsblk",
            }
            .to_owned(),
        ),
        _ => None,
    }
}

pub(super) fn system(case: &Case<'_>) -> Option<String> {
    let kind = &case.effect?.kind;
    match kind {
        EffectKind::AddUser { name } | EffectKind::ChangeCredential { subject: name } => {
            let simple = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            Some(if simple {
                format!("id {name}")
            } else if name.starts_with('/') {
                format!("ls -l {}", quoted(name))
            } else {
                return None;
            })
        }
        EffectKind::Persistence { mechanism, path } => {
            persistence(case, mechanism, path.as_deref())
        }
        EffectKind::TamperLog { path } => Some(match (case.program(), path.as_str()) {
            ("journalctl", _) => "journalctl --disk-usage".to_owned(),
            ("history", _) => "history 20".to_owned(),
            ("auditctl", _) => "auditctl -s".to_owned(),
            (_, path) if path.starts_with('/') && path.contains(['*', '?']) => {
                format!("ls -la {}", quoted(path.rsplit_once('/')?.0))
            }
            (_, path) if path.starts_with('/') => format!("ls -la {}", quoted(path)),
            _ => return None,
        }),
        EffectKind::KernelModule { name } => {
            let name = name
                .rsplit('/')
                .next()
                .unwrap_or(name)
                .trim_end_matches(".ko");
            Some(if case.program() == "rmmod" || name.is_empty() {
                "lsmod".to_owned()
            } else {
                format!("modinfo {}", quoted(name))
            })
        }
        EffectKind::ProcessKill { target, .. } => Some(match target.as_str() {
            "" | "-1" | "*" | "all" | "." | ".*" => "ps aux".to_owned(),
            target if target.bytes().all(|b| b.is_ascii_digit()) => format!("ps -fp {target}"),
            target => format!("pgrep -la {}", quoted(target.trim_start_matches('-'))),
        }),
        EffectKind::ServiceControl { service, .. } => match case.program() {
            "service" => Some(format!("service {service} status")),
            "rc-service" => Some(format!("rc-service {service} status")),
            "launchctl" => Some("launchctl list".to_owned()),
            _ => None,
        },
        EffectKind::Power { .. } => Some("who".to_owned()),
        EffectKind::DisableSecurity { .. } => protection(case),
        EffectKind::ResourceExhaustion { how } if how == "disk" => Some("df -h".to_owned()),
        EffectKind::ResourceChange { .. } | EffectKind::ResourceDestroy { .. } => {
            match case.program() {
                "sysctl" => {
                    let name = case.words().find(|word| !word.starts_with('-'))?;
                    Some(format!("sysctl {}", name.split('=').next()?))
                }
                "hostnamectl" | "timedatectl" | "localectl" => {
                    Some(format!("{} status", case.program()))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn persistence(case: &Case<'_>, mechanism: &str, path: Option<&str>) -> Option<String> {
    match case.id {
        "persist.authorized-key" => {
            let path = path.filter(|path| path.starts_with('/'));
            Some(format!(
                "ssh-keygen -lf {}",
                quoted(path.unwrap_or("~/.ssh/authorized_keys"))
            ))
        }
        "persist.cron" => Some(match (case.program(), path) {
            ("at" | "batch", _) => "atq".to_owned(),
            ("crontab", _) => "crontab -l".to_owned(),
            ("systemd-run" | "systemctl", _) => "systemctl list-timers".to_owned(),
            (_, Some(path)) => format!("ls -la {}", quoted(path)),
            _ => "crontab -l".to_owned(),
        }),
        "persist.service" if mechanism.contains("launch") => Some("launchctl list".to_owned()),
        "persist.service" => Some(match path {
            Some(path) => format!("ls -la {}", quoted(path)),
            None => "systemctl list-unit-files --state=enabled".to_owned(),
        }),
        "persist.startup-file" => path
            .filter(|path| !path.contains(['*', '?']))
            .map(|path| format!("less {}", quoted(path))),
        _ => path.map(|path| format!("ls -la {}", quoted(path))),
    }
}

/// How the protection stands now.
fn protection(case: &Case<'_>) -> Option<String> {
    Some(
        match case.program() {
            "setenforce" | "semodule" => "sestatus",
            "ufw" => "ufw status verbose",
            "iptables" | "iptables-restore" => "iptables -S",
            "ip6tables" => "ip6tables -S",
            "nft" => "nft list ruleset",
            "firewall-cmd" => "firewall-cmd --list-all",
            "auditctl" => "auditctl -s",
            "aa-disable" | "aa-teardown" | "aa-complain" | "apparmor_parser" => "aa-status",
            "csrutil" => "csrutil status",
            "spctl" => "spctl --status",
            "setsebool" => "getsebool -a",
            "swapoff" => "swapon --show",
            "systemctl" => {
                let unit = case.words().filter(|word| !word.starts_with('-')).nth(1)?;
                return Some(format!("systemctl status {}", quoted(unit)));
            }
            "service" => {
                let unit = case.words().find(|word| !word.starts_with('-'))?;
                return Some(format!("service {} status", quoted(unit)));
            }
            _ => return None,
        }
        .to_owned(),
    )
}

pub(super) fn packages(case: &Case<'_>) -> Option<String> {
    let name = match &case.effect?.kind {
        EffectKind::PackageInstall { name, .. } => name.as_str(),
        EffectKind::ResourceChange { name, .. } | EffectKind::ResourceDestroy { name, .. } => {
            name.as_str()
        }
        _ => "",
    };
    let simple = !name.is_empty()
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"@/._-+".contains(&b))
        && !name.starts_with(['/', '.']);
    let program = case.program();
    match case.id {
        "pkg.install" if simple => Some(match program {
            "apt" | "apt-get" | "aptitude" => format!("apt-cache show {name}"),
            "dnf" | "yum" | "zypper" | "brew" => format!("{program} info {name}"),
            "pacman" | "yay" | "paru" => format!("{program} -Si {name}"),
            "npm" | "pnpm" | "yarn" | "bun" | "npx" => format!("npm view {name}"),
            "pip" | "pip3" | "pipx" | "uv" | "python3" | "python" => {
                format!("pip index versions {name}")
            }
            "cargo" => format!("cargo info {name}"),
            "gem" => format!("gem specification -r {name}"),
            "snap" | "flatpak" => format!("{program} info {name}"),
            _ => return None,
        }),
        "pkg.remove" if simple => Some(match program {
            "apt" | "apt-get" | "aptitude" | "dpkg" => {
                format!("apt-cache rdepends --installed {name}")
            }
            "dnf" | "yum" => format!("dnf repoquery --installed --whatrequires {name}"),
            "pacman" => format!("pacman -Qi {name}"),
            "brew" => format!("brew uses --installed {name}"),
            "pip" | "pip3" => format!("pip show {name}"),
            "npm" | "pnpm" | "yarn" => format!("npm ls {name}"),
            "rpm" => format!("rpm -q --whatrequires {name}"),
            _ => return None,
        }),
        "pkg.publish" => match program {
            "twine" => Some("twine check dist/*".to_owned()),
            "mvn" => line::rebuilt(case, |_, word| match word {
                "deploy" => Change::To("verify".to_owned()),
                _ => Change::Keep,
            }),
            "npm" | "cargo" | "pnpm" | "poetry" | "uv" | "bun" | "dart" => {
                line::with(case, "--dry-run")
            }
            _ => None,
        },
        "pkg.untrusted-source"
            if matches!(program, "npm" | "yarn" | "pnpm" | "pip" | "pip3")
                && case.has("config") =>
        {
            Some(match program {
                "pip" | "pip3" => format!("{program} config list"),
                _ => format!("{program} config get registry"),
            })
        }
        "pkg.untrusted-source" => {
            line::rebuilt(case, |_, word| match word.strip_prefix("http://") {
                Some(rest) => Change::To(format!("https://{rest}")),
                None => Change::Keep,
            })
        }
        _ => None,
    }
}
