//! Services, processes, power, packages.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// Services that protect or record.
pub(crate) fn protective(name: &str) -> Option<&'static str> {
    let name = name
        .trim_end_matches(".service")
        .trim_end_matches(".socket")
        .trim_end_matches(".timer")
        .trim_end_matches(".plist");
    Some(match name {
        "auditd" | "com.apple.auditd" => "auditd",
        "rsyslog" | "syslog" | "rsyslogd" | "syslogd" | "syslog-ng" | "systemd-journald"
        | "com.apple.syslogd" | "metalog" => "syslog",
        "ufw"
        | "firewalld"
        | "iptables"
        | "ip6tables"
        | "nftables"
        | "shorewall"
        | "ferm"
        | "netfilter-persistent"
        | "csf"
        | "lfd"
        | "pf" => "firewall",
        "apparmor" => "apparmor",
        "selinux" | "restorecond" | "setroubleshootd" => "selinux",
        "fail2ban" | "sshguard" | "denyhosts" | "crowdsec" => "fail2ban",
        "aide" | "aidecheck" | "tripwire" | "samhain" | "ossec" | "ossec-hids" | "rkhunter" => {
            "integrity-check"
        }
        "unattended-upgrades" | "apt-daily" | "apt-daily-upgrade" | "dnf-automatic" => {
            "security-updates"
        }
        "falcon-sensor"
        | "crowdstrike"
        | "wazuh-agent"
        | "wazuh-manager"
        | "osqueryd"
        | "clamav-daemon"
        | "clamd"
        | "clamav-freshclam"
        | "freshclam"
        | "falco"
        | "sentinelone"
        | "sentinelctl"
        | "mdatp"
        | "sophos-spl"
        | "sav-protect"
        | "cbdaemon"
        | "cbagentd"
        | "esets"
        | "ds_agent"
        | "tanium"
        | "taniumclient"
        | "qualys-cloud-agent"
        | "nessusagent"
        | "elastic-agent"
        | "auditbeat"
        | "sysmon"
        | "com.crowdstrike.falcond"
        | "tetragon"
        | "snort"
        | "suricata"
        | "zeek"
        | "rapid7"
        | "ir_agent" => "endpoint-protection",
        _ if name.starts_with("cmdai") => "cmdai",
        _ => return None,
    })
}

impl Analyser<'_> {
    fn service_action(&mut self, service: &str, action: &str, call: &Call<'_>) {
        if matches!(
            action,
            "stop" | "disable" | "mask" | "kill" | "remove" | "delete" | "unload" | "bootout"
        ) && let Some(what) = protective(service)
        {
            self.emit(
                EffectKind::DisableSecurity {
                    what: what.to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        self.emit(
            EffectKind::ServiceControl {
                service: service.to_owned(),
                action: action.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }

    pub(crate) fn systemctl(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let action = parsed.sub().to_owned();
        let units: Vec<Text> = parsed.rest().skip(1).cloned().collect();
        match action.as_str() {
            "start" | "stop" | "restart" | "reload" | "enable" | "disable" | "mask" | "unmask"
            | "kill" | "try-restart" | "reenable" | "edit" | "set-property"
            | "reload-or-restart" | "reset-failed" | "link" | "isolate" | "preset" | "revert" => {
                for unit in &units {
                    if action == "isolate"
                        && ["rescue", "poweroff", "reboot", "halt", "emergency"]
                            .iter()
                            .any(|name| unit.text.starts_with(name))
                    {
                        self.emit(
                            EffectKind::Power {
                                action: unit.text.trim_end_matches(".target").to_owned(),
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    }
                    self.service_action(&unit.text, &action, call);
                }
            }
            "daemon-reload" | "daemon-reexec" => self.emit(
                EffectKind::ServiceControl {
                    service: "systemd".to_owned(),
                    action,
                },
                call.span,
                Certainty::Proven,
            ),
            "reboot" | "poweroff" | "halt" | "kexec" | "suspend" | "hibernate" | "rescue"
            | "emergency" | "soft-reboot" => {
                self.emit(EffectKind::Power { action }, call.span, Certainty::Proven);
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// `service NAME ACTION`, `launchctl ACTION PATH`, `sv ACTION NAME`, …
    pub(crate) fn service(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let all: Vec<&str> = parsed
            .rest()
            .map(|text| text.text.as_str())
            .filter(|text| !text.starts_with('-'))
            .collect();
        let (service, action) = match (call.name, all.as_slice()) {
            ("launchctl" | "supervisorctl" | "sc" | "initctl" | "pm2", [action, rest @ ..]) => (
                (*rest.last().unwrap_or(&"all")).to_owned(),
                (*action).to_owned(),
            ),
            (
                "sv" | "svcadm" | "rcctl" | "monit" | "god" | "s6-rc" | "rc-update",
                [action, service, ..],
            ) => ((*service).to_owned(), (*action).to_owned()),
            ("update-rc.d" | "chkconfig" | "insserv", [service, actions @ ..]) => (
                (*service).to_owned(),
                (*actions.first().unwrap_or(&"status")).to_owned(),
            ),
            ("s6-svc", [service, ..]) => {
                let action = if call.args.iter().any(|arg| arg.text.starts_with("-d")) {
                    "stop"
                } else {
                    "restart"
                };
                ((*service).to_owned(), action.to_owned())
            }
            (_, [service, action, ..]) => ((*service).to_owned(), (*action).to_owned()),
            _ => return Stream::UNKNOWN,
        };
        let action = match (call.name, action.as_str()) {
            ("sv", "down" | "d" | "force-stop" | "force-shutdown" | "exit" | "x") => "stop",
            ("rc-update", "del" | "delete") => "disable",
            ("s6-rc", "-d") => "stop",
            (_, action) => action,
        };
        // A service of launchd is named by its file or its domain: `system/com.apple.x`.
        let service = if call.name == "launchctl" {
            crate::paths::base_name(&service)
                .trim_end_matches(".plist")
                .to_owned()
        } else {
            service
        };
        if !matches!(
            action,
            "status"
                | "list"
                | "ls"
                | "print"
                | "show"
                | "query"
                | "queryex"
                | "qc"
                | "logs"
                | "log"
                | "describe"
                | "monit"
                | "version"
                | "info"
                | "jlist"
                | "check"
                | "get"
                | "avail"
                | "tail"
                | "summary"
                | "validate"
                | "blame"
                | "dumpstate"
                | "managername"
                | "error"
                | "help"
        ) {
            if matches!(call.name, "launchctl") && matches!(action, "load" | "bootstrap" | "submit")
            {
                self.emit(
                    EffectKind::Persistence {
                        mechanism: "launchd".to_owned(),
                        path: None,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            let action = action.to_owned();
            self.service_action(&service, &action, call);
        }
        Stream::UNKNOWN
    }

    pub(crate) fn kill(&mut self, call: &Call<'_>) -> Stream {
        let mut args = call.args.iter().peekable();
        let mut signalled = false;
        while let Some(arg) = args.next() {
            let text = arg.text.as_str();
            match text {
                "-l" | "-L" | "--list" | "-0" => return Stream::UNKNOWN,
                "-s" | "-n" | "--signal" => {
                    args.next();
                    signalled = true;
                    continue;
                }
                "--" => {
                    signalled = true;
                    continue;
                }
                _ => {}
            }
            if text.starts_with('-') && !signalled && !(text == "-1" && args.peek().is_none()) {
                signalled = true;
                continue;
            }
            let all = text == "-1";
            self.emit(
                EffectKind::ProcessKill {
                    target: text.to_owned(),
                    all,
                },
                call.span,
                if arg.known {
                    Certainty::Proven
                } else {
                    Certainty::Likely
                },
            );
            if text == "1" {
                self.emit(
                    EffectKind::Power {
                        action: "kill-init".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
        }
        Stream::Empty
    }

    pub(crate) fn pkill(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("list") || call.name == "fuser" && !parsed.has("kill") {
            return Stream::UNKNOWN;
        }
        let mut targets: Vec<Text> = parsed.rest().cloned().collect();
        targets.extend(parsed.values("user").cloned());
        if call.name == "killall5" {
            targets.push(Text::known("-1", call.span));
        }
        for target in targets {
            if target.text.contains("cmdai") {
                self.own(call.span);
            }
            if let Some(what) = protective(&target.text).filter(|what| *what != "cmdai") {
                self.emit(
                    EffectKind::DisableSecurity {
                        what: what.to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            self.emit(
                EffectKind::ProcessKill {
                    target: target.text,
                    all: true,
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::Empty
    }

    pub(crate) fn info(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "dmesg" if parsed.has("clear") || parsed.has("c") => self.emit(
                EffectKind::TamperLog {
                    path: "/dev/kmsg".to_owned(),
                },
                call.span,
                Certainty::Proven,
            ),
            "date" if parsed.has("set") => {
                self.emit(
                    EffectKind::ResourceChange {
                        resource: "setting".to_owned(),
                        name: "clock".to_owned(),
                        provider: "host".to_owned(),
                        context: None,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            // Tokens and passwords stand in the environment.
            "printenv" if parsed.operands.is_empty() => {
                return Stream::Tainted(Taint::Secret("environment".to_owned()));
            }
            "printenv" => {
                let secret = parsed.rest().any(|text| names_secret(&text.text));
                return if secret {
                    Stream::Tainted(Taint::Secret("environment".to_owned()))
                } else {
                    Stream::UNKNOWN
                };
            }
            "yes" => {
                // As much of it as matters.
                return match crate::format::echo(call.args) {
                    Stream::Known(text) if text.trim().is_empty() => {
                        Stream::Known("y\n".repeat(32))
                    }
                    Stream::Known(text) if text.len() < 512 => Stream::Known(text.repeat(32)),
                    other => other,
                };
            }
            "loginctl" => {
                let sub = parsed.sub().to_owned();
                if sub.starts_with("terminate") || sub.starts_with("kill") {
                    let target = parsed
                        .nth(2)
                        .map_or("session", |text| text.text.as_str())
                        .to_owned();
                    self.emit(
                        EffectKind::ProcessKill { target, all: true },
                        call.span,
                        Certainty::Proven,
                    );
                } else if matches!(sub.as_str(), "reboot" | "poweroff" | "halt") {
                    self.emit(
                        EffectKind::Power { action: sub },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
            "expr" | "bc" | "dc" | "uname" | "id" | "date" | "nproc" | "arch" => {}
            _ => {}
        }
        Stream::UNKNOWN
    }

    pub(crate) fn power(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("cancel") {
            return Stream::Empty;
        }
        let action = match (call.name, parsed.nth(1).map(|text| text.text.as_str())) {
            ("init" | "telinit", Some("0")) => "poweroff",
            ("init" | "telinit", Some("6")) => "reboot",
            ("init" | "telinit", Some("1" | "s" | "S")) => "rescue",
            ("init" | "telinit", _) => return Stream::Empty,
            ("shutdown", _) if parsed.has("r") => "reboot",
            (name, _) => name,
        };
        self.emit(
            EffectKind::Power {
                action: action.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
        Stream::Empty
    }

    /// `apt -o Dpkg::Pre-Invoke::=…` runs code.
    pub(crate) fn apt(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        for option in parsed.values("option").cloned().collect::<Vec<_>>() {
            if let Some((name, _)) = option.text.split_once('=')
                && name.contains("Invoke")
            {
                let code = option.after(name.len() + 1);
                self.shell_code(&code, cmdai_schema::Dialect::Sh, &Stream::Empty, true);
            }
        }
        let _ = call;
        Stream::UNKNOWN
    }
}

/// A variable whose name says that it holds a secret.
pub(crate) fn names_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    [
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIAL",
    ]
    .iter()
    .any(|word| upper.contains(word))
}
