//! Networks, firewalls and mandatory access control, whose verbs are words.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    fn disables(&mut self, what: &str, call: &Call<'_>) {
        self.emit(
            EffectKind::DisableSecurity {
                what: what.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }

    /// `ip link set DEVICE down`, `route del default`, `nmcli networking off`, …
    pub(crate) fn network_setup(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let words: Vec<&str> = parsed
            .rest()
            .map(|text| text.text.as_str())
            .skip_while(|text| text.starts_with('-'))
            .collect();
        if call.name == "ip"
            && matches!(
                words.as_slice(),
                ["netns", "exec", _, ..] | ["vrf", "exec", _, ..]
            )
        {
            let at = call.args.iter().position(|arg| arg.text == "exec");
            let run = at
                .and_then(|at| call.args.get(at + 2..))
                .unwrap_or_default();
            return self.call(run, Vec::new(), call.stdin, call.span);
        }
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let flag = |wanted: &[&str]| {
            call.args
                .iter()
                .any(|arg| wanted.contains(&arg.text.as_str()))
        };
        let changes = match call.name {
            "ip" => {
                words.len() > 1
                    && has(&[
                        "del", "delete", "flush", "set", "add", "replace", "change", "append",
                    ])
            }
            "ifconfig" => words.len() > 1,
            "route" => has(&["del", "delete", "add", "flush", "change"]),
            "nmcli" => has(&[
                "off",
                "down",
                "delete",
                "del",
                "disconnect",
                "modify",
                "mod",
                "add",
                "up",
                "connect",
            ]),
            "ifdown" | "ifup" => true,
            "rfkill" => has(&["block", "unblock", "toggle"]),
            "tc" => has(&["add", "del", "replace", "change"]),
            "brctl" => has(&["addbr", "delbr", "addif", "delif"]),
            "bridge" => has(&["add", "del", "set"]),
            "netplan" => has(&["apply", "try", "set"]),
            "wg" => has(&["set", "setconf", "addconf"]),
            "tailscale" => has(&["down", "logout", "up", "set"]),
            "networkctl" => has(&["down", "up", "delete", "reconfigure"]),
            "arp" => flag(&["-d", "-s"]),
            "ethtool" => flag(&["-s", "-K", "-G", "-A", "-C", "-f"]),
            "ovs-vsctl" => words.first().is_some_and(|word| {
                word.starts_with("del") || word.starts_with("add") || word.starts_with("set")
            }),
            _ => false,
        };
        if changes {
            let words: Vec<&str> = if words.is_empty() {
                parsed.rest().map(|text| text.text.as_str()).collect()
            } else {
                words
            };
            let name = words.join(" ");
            self.machine_change("network", &name, "host", call);
        }
        Stream::UNKNOWN
    }

    /// Sets of rules as a whole.
    pub(crate) fn firewall(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "iptables-save" => {}
            "ipset" => match parsed.sub() {
                "destroy" | "flush" | "x" | "-X" | "-F" => self.disables("firewall", call),
                "add" | "del" | "create" | "restore" | "swap" => {
                    self.machine_change("firewall-rule", "set", "host", call);
                }
                _ => {}
            },
            _ if parsed.has("dry") => {}
            _ => self.machine_change("firewall-rule", "all", "host", call),
        }
        Stream::UNKNOWN
    }

    /// SELinux: off, or another boolean, module or label.
    pub(crate) fn selinux(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let first = parsed
            .nth(1)
            .map_or("", |text| text.text.as_str())
            .to_owned();
        match call.name {
            "setenforce" => {
                if matches!(first.to_ascii_lowercase().as_str(), "0" | "permissive") {
                    self.disables("selinux", call);
                }
            }
            "semodule" if parsed.has("off") => self.disables("selinux", call),
            "semanage" if first == "permissive" => self.disables("selinux", call),
            "setsebool" => self.machine_change("selinux", &first, "host", call),
            "semanage" if !first.is_empty() && !parsed.has("l") => {
                self.machine_change("selinux", &first, "host", call);
            }
            "semodule" if parsed.has("module") => {
                self.machine_change("selinux", "module", "host", call);
            }
            "chcon" => {
                let recursive = parsed.has("R");
                for path in parsed.rest().skip(1).cloned().collect::<Vec<_>>() {
                    self.change_mode(&path, "context", recursive, call.span);
                }
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// Certificates that everything on the machine trusts.
    pub(crate) fn trust(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "update-ca-certificates" | "update-ca-trust" => {
                self.machine_change("certificate-store", call.name, "host", call);
            }
            "update-alternatives" | "alternatives"
                if parsed.has("install") || parsed.has("set") =>
            {
                self.machine_change("setting", "alternatives", "host", call);
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// Compilers: an option that runs the compiler through another program, and plugins.
    pub(crate) fn compiler(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(wrapper) = parsed.value("wrapper").cloned() {
            let words: Vec<Text> = wrapper
                .text
                .split(',')
                .map(|word| Text {
                    text: word.to_owned(),
                    offset: None,
                    ..wrapper.clone()
                })
                .collect();
            self.call(&words, Vec::new(), &Stream::Empty, call.span);
        }
        if let Some(plugin) = parsed.value("plugin").cloned() {
            self.config_file_code(&plugin);
        }
        if let Some(output) = parsed.value("output").cloned()
            && output.text != "-"
        {
            self.write_path(&output, false, call.span);
        }
        Stream::Empty
    }

    /// A file that is loaded as code.
    fn config_file_code(&mut self, file: &Text) {
        let path = self.absolute(&file.text);
        self.emit_code(cmdai_schema::CodeSource::File(path), "plugin", file.span);
    }

    /// Programs with a language of their own that can run others.
    pub(crate) fn odd_interpreter(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        use cmdai_schema::Dialect;
        let language = match call.name {
            "exiftool" => "perl",
            "pry" | "byebug" | "knife" => "ruby",
            "jrunscript" | "jjs" => "javascript",
            _ => "other",
        };
        if call.name == "smbclient" {
            if let Some(host) = parsed.nth(1).cloned() {
                self.emit(
                    EffectKind::Connect { address: host.text },
                    call.span,
                    Certainty::Proven,
                );
            }
        } else {
            for code in parsed.values("code").cloned().collect::<Vec<_>>() {
                self.inline_code(language, &code, crate::script::Start::EMPTY);
            }
        }
        let mut lines: Vec<Text> = parsed.values("command").cloned().collect();
        if let Stream::Known(text) = call.stdin {
            lines.push(Text::known(text.clone(), call.span));
        }
        for lines in lines {
            for line in lines.text.split(['\n', ';']).take(64) {
                let line = line.trim();
                let code = line.strip_prefix('!').or_else(|| {
                    let rest = line
                        .strip_prefix("syscmd(")
                        .or_else(|| line.strip_prefix("esyscmd("))?;
                    Some(rest.trim_end_matches(')').trim_matches(['`', '\'', '"']))
                });
                if let Some(code) = code {
                    self.shell_code(
                        &Text::known(code, lines.span),
                        Dialect::Sh,
                        &Stream::Empty,
                        true,
                    );
                }
            }
        }
        Stream::UNKNOWN
    }
}
