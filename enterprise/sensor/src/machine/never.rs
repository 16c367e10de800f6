//! Who is never ended, whatever a policy says: a machine that one can log in to, mend and update.

use cmdai_exec_capture::Device;

/// What is known of a process that a policy would have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidate<'a> {
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    /// User who logged in.
    pub(crate) login_uid: Option<u32>,
    pub(crate) tty: Option<Device>,
    pub(crate) program: Program<'a>,
    /// Its ancestors, nearest first.
    pub(crate) line: Vec<(Program<'a>, u32)>,
    /// It is one of the sensor's own.
    pub(crate) own: bool,
}

/// A program's file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Program<'a> {
    pub(crate) path: &'a str,
    /// It belongs to root, nobody else may write it, and it lies where the system's programs do, in
    /// this machine's own files: a name alone spares nobody.
    pub(crate) of_system: bool,
}

/// Ways in.
const LOGIN: &[&str] = &[
    "sshd",
    "sshd-session",
    "sshd-auth",
    "login",
    "agetty",
    "getty",
    "mgetty",
    "sulogin",
    "su",
    "sudo",
    "sudo-rs",
    "doas",
    "pkexec",
    "run0",
    "unix_chkpwd",
    "polkit-agent-helper-1",
    "gdm",
    "gdm-session-worker",
    "sddm",
    "sddm-helper",
    "lightdm",
    "newgrp",
    "sg",
];
/// What the machine stands on.
const SYSTEM: &[&str] = &[
    "init",
    "systemd",
    "systemd-logind",
    "systemd-journald",
    "systemd-udevd",
    "systemd-executor",
    "systemd-shutdown",
    "systemd-fsck",
    "dbus-daemon",
    "dbus-broker",
    "polkitd",
    "runit",
    "s6-svscan",
    "openrc",
    "shutdown",
    "reboot",
    "poweroff",
    "halt",
    "telinit",
    "fsck",
    "e2fsck",
    "auditd",
];
/// cmdai and its recovery.
const OURS: &[&str] = &["cmdai", "cmdai-enterprise"];
/// Half a package is worse than either.
const PACKAGES: &[&str] = &[
    "dpkg",
    "apt",
    "apt-get",
    "aptitude",
    "unattended-upgrade",
    "unattended-upgrades",
    "rpm",
    "dnf",
    "dnf5",
    "yum",
    "microdnf",
    "zypper",
    "pacman",
    "apk",
    "rpm-ostree",
    "packagekitd",
    "snapd",
    "flatpak-system-helper",
    "emerge",
    "xbps-install",
    "dracut",
    "update-initramfs",
    "mkinitcpio",
];

fn is(program: Program<'_>, names: &[&str]) -> bool {
    let name = program.path.rsplit('/').next().unwrap_or_default();
    program.of_system && names.contains(&name)
}

/// Why this process is not ended; nothing where it may be.
pub(crate) fn spared(candidate: &Candidate<'_>) -> Option<&'static str> {
    if candidate.pid <= 1 {
        return Some("the machine's first process");
    }
    if candidate.own {
        return Some("the sensor itself");
    }
    if is(candidate.program, LOGIN) {
        return Some("a way to log in or to become root");
    }
    if is(candidate.program, SYSTEM) {
        return Some("a part of the system that it cannot do without");
    }
    if is(candidate.program, OURS) {
        return Some("cmdai and its recovery");
    }
    // Anybody may call a package manager; only root's changes packages.
    let at_work = |program, uid: u32| uid == 0 && is(program, PACKAGES);
    if at_work(candidate.program, candidate.uid)
        || candidate
            .line
            .iter()
            .any(|(program, uid)| at_work(*program, *uid))
    {
        return Some("a package manager at work");
    }
    let console = candidate.tty.is_some_and(Device::is_system_console);
    if candidate.uid == 0 && console && candidate.login_uid.is_none_or(|uid| uid == 0) {
        return Some("root at the system's console");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> Program<'_> {
        Program {
            path,
            of_system: path.starts_with("/usr/") || path.starts_with("/sbin/"),
        }
    }

    #[test]
    fn nobody_is_locked_out_and_no_machine_is_broken() {
        let console = Some(Device { major: 4, minor: 1 });
        let terminal = Some(Device {
            major: 136,
            minor: 1,
        });
        let plain = |path, uid| Candidate {
            pid: 500,
            uid,
            program: program(path),
            ..Candidate::default()
        };
        let below = |path, parent, parent_uid| Candidate {
            line: vec![(program("/usr/bin/dash"), 0), (program(parent), parent_uid)],
            ..plain(path, 0)
        };
        let at = |tty, uid, login_uid| Candidate {
            tty,
            login_uid,
            ..plain("/usr/bin/rm", uid)
        };
        let table: Vec<(&str, Candidate<'_>, bool)> = vec![
            (
                "pid 1",
                Candidate {
                    pid: 1,
                    ..Candidate::default()
                },
                true,
            ),
            ("pid 0", Candidate::default(), true),
            ("sshd", plain("/usr/sbin/sshd", 0), true),
            ("login", plain("/usr/bin/login", 0), true),
            ("a prompt of sudo", plain("/usr/bin/sudo", 1000), true),
            ("a prompt of su", plain("/usr/bin/su", 1000), true),
            (
                "what sudo started",
                below("/usr/bin/rm", "/usr/bin/sudo", 0),
                false,
            ),
            ("sshd in a home", plain("/home/eve/sshd", 1000), false),
            ("dpkg", plain("/usr/bin/dpkg", 0), true),
            (
                "a package's script",
                below("/usr/bin/rm", "/usr/bin/dpkg", 0),
                true,
            ),
            (
                "below a person's own apt",
                below("/usr/bin/rm", "/usr/bin/apt", 1000),
                false,
            ),
            (
                "below a false dpkg",
                below("/usr/bin/rm", "/tmp/dpkg", 0),
                false,
            ),
            (
                "the sensor",
                Candidate {
                    own: true,
                    ..plain("/x", 0)
                },
                true,
            ),
            ("recovery", plain("/usr/bin/cmdai-enterprise", 1000), true),
            ("systemd", plain("/usr/lib/systemd/systemd", 0), true),
            ("root at the console", at(console, 0, Some(0)), true),
            (
                "root there without a login's number",
                at(console, 0, None),
                true,
            ),
            (
                "ann who became root there",
                at(console, 0, Some(1000)),
                false,
            ),
            ("ann at the console", at(console, 1000, Some(1000)), false),
            ("root from afar", at(terminal, 0, Some(0)), false),
            ("anything else", plain("/usr/bin/rm", 1000), false),
        ];
        for (what, candidate, expected) in table {
            assert_eq!(spared(&candidate).is_some(), expected, "{what}");
        }
    }
}
