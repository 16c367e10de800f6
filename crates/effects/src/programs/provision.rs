//! Tools that bring many machines into a state, load balancers and name servers.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    /// `ansible all -m shell -a CODE`
    pub(crate) fn ansible(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") || parsed.has("list-hosts") {
            return Stream::UNKNOWN;
        }
        match call.name {
            "ansible" => self.ansible_module(call, parsed),
            "salt" | "salt-call" | "salt-ssh" => self.salt(call, parsed),
            _ => {}
        }
        Stream::UNKNOWN
    }

    fn ansible_module(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
        let module = parsed
            .value("m")
            .map_or("command", |text| text.text.as_str())
            .rsplit('.')
            .next()
            .unwrap_or("command")
            .to_owned();
        let Some(args) = parsed.value("a").cloned() else {
            if module == "reboot" {
                let action = "reboot".to_owned();
                self.emit(EffectKind::Power { action }, call.span, Certainty::Proven);
            }
            return;
        };
        // `key=value`, and `"key": value` of JSON.
        let field = |name: &str| {
            args.text.split([' ', ',']).find_map(|part| {
                let part = part.trim_matches(['{', '}']);
                let (key, value) = part.split_once(['=', ':'])?;
                (key.trim_matches('"') == name).then(|| value.trim_matches(['"', '\'']).to_owned())
            })
        };
        let path = ["path", "dest", "name"].iter().find_map(|name| field(name));
        match module.as_str() {
            "shell" | "command" | "raw" | "win_shell" | "win_command" => {
                self.shell_code(&args, Dialect::Sh, &Stream::Empty, true);
            }
            "script" => {
                let path = args.text.split(' ').next().unwrap_or("").to_owned();
                let path = self.absolute(&path);
                self.emit_code(CodeSource::File(path), "shell", call.span);
            }
            "file" if field("state").as_deref() == Some("absent") => {
                if let Some(path) = path {
                    let target = Text::known(path, args.span);
                    self.delete_path(&target, true, false, call.span);
                }
            }
            "copy" | "template" | "lineinfile" | "blockinfile" | "replace" => {
                if let Some(path) = path.filter(|path| path.starts_with('/')) {
                    let target = Text::known(path, args.span);
                    self.write_path(&target, false, call.span);
                }
            }
            "service" | "systemd" | "systemd_service" => {
                if matches!(field("state").as_deref(), Some("stopped")) {
                    let service = path.unwrap_or_default();
                    let action = "stop".to_owned();
                    self.emit(
                        EffectKind::ServiceControl { service, action },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
            "user" => {
                let name = path.unwrap_or_default();
                let kind = if field("state").as_deref() == Some("absent") {
                    EffectKind::ChangeCredential { subject: name }
                } else {
                    EffectKind::AddUser { name }
                };
                self.emit(kind, call.span, Certainty::Proven);
            }
            "authorized_key" => self.emit(
                EffectKind::Persistence {
                    mechanism: "authorized-key".to_owned(),
                    path: None,
                },
                call.span,
                Certainty::Proven,
            ),
            "filesystem" => {
                if let Some(device) = field("dev").map(|device| self.absolute(&device)) {
                    self.emit(
                        EffectKind::Format { path: device },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
            "reboot" => {
                let action = "reboot".to_owned();
                self.emit(EffectKind::Power { action }, call.span, Certainty::Proven);
            }
            _ => {}
        }
    }

    fn salt(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
        let Some(at) = parsed
            .operands
            .iter()
            .position(|(_, text)| text.text.contains('.') && !text.text.contains('*'))
        else {
            return;
        };
        let operand = |at: usize| parsed.operands.get(at).map(|(_, text)| (*text).clone());
        let function = operand(at).map_or_else(String::new, |text| text.text);
        let first = operand(at + 1);
        let target = if at == 0 {
            String::new()
        } else {
            operand(at - 1).map_or_else(String::new, |text| text.text)
        };
        match (function.as_str(), first) {
            ("cmd.run" | "cmd.shell" | "cmd.run_all" | "cmd.run_stdout", Some(code)) => {
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
            ("file.remove", Some(path)) => self.delete_path(&path, true, false, call.span),
            ("system.reboot" | "system.shutdown" | "system.halt" | "system.poweroff", _) => {
                self.emit(
                    EffectKind::Power { action: function },
                    call.span,
                    Certainty::Proven,
                );
            }
            ("service.stop" | "service.disable", Some(service)) => self.emit(
                EffectKind::ServiceControl {
                    service: service.text,
                    action: "stop".to_owned(),
                },
                call.span,
                Certainty::Proven,
            ),
            ("state.apply" | "state.highstate" | "state.sls" | "pkg.remove" | "user.delete", _) => {
                self.emit(
                    EffectKind::ResourceChange {
                        resource: "minions".to_owned(),
                        name: target,
                        provider: "salt".to_owned(),
                        context: None,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            _ => {}
        }
    }

    /// What is written to a balancer's socket, by `socat` or `nc -U`.
    pub(crate) fn balancer_socket(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
        let balancer = parsed.rest().any(|operand| {
            let name = operand.text.as_str();
            name.contains("sock") && (name.contains("haproxy") || name.contains("admin.sock"))
        });
        if balancer && let Some(orders) = call.stdin.known() {
            let orders = orders.to_owned();
            self.balancer_orders(&orders, call);
        }
    }

    /// Orders that flow into a balancer's control socket.
    fn balancer_orders(&mut self, orders: &str, call: &Call<'_>) {
        for order in orders.split(['\n', ';']).take(64) {
            let words: Vec<&str> = order.split_whitespace().collect();
            let (loses, rest) = match words.as_slice() {
                ["disable" | "shutdown" | "del" | "clear", rest @ ..] => (true, rest),
                ["set", "server", rest @ ..]
                    if rest
                        .iter()
                        .any(|word| matches!(*word, "maint" | "drain" | "down")) =>
                {
                    (true, rest)
                }
                ["set" | "enable" | "add", rest @ ..] => (false, rest),
                _ => continue,
            };
            let resource = if loses {
                "traffic-availability"
            } else {
                "balancer"
            };
            self.emit(
                EffectKind::ResourceChange {
                    resource: resource.to_owned(),
                    name: rest.join(" "),
                    provider: "haproxy".to_owned(),
                    context: None,
                },
                call.span,
                Certainty::Proven,
            );
        }
    }

    /// `nsupdate`: orders from a file or the standard input.
    pub(crate) fn name_server(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let emit = |this: &mut Self, destroys: bool, name: String| {
            let (resource, provider) = ("dns-record".to_owned(), "dns".to_owned());
            let kind = if destroys {
                EffectKind::ResourceDestroy {
                    resource,
                    name,
                    provider,
                    context: None,
                }
            } else {
                EffectKind::ResourceChange {
                    resource,
                    name,
                    provider,
                    context: None,
                }
            };
            this.emit(kind, call.span, Certainty::Proven);
        };
        if let Some(text) = call.stdin.known().filter(|text| !text.is_empty()) {
            for line in text.split(['\n', ';']).take(256) {
                let words: Vec<&str> = line
                    .split_whitespace()
                    .skip_while(|word| *word == "update")
                    .collect();
                match words.as_slice() {
                    ["del" | "delete", name, ..] => emit(self, true, (*name).to_owned()),
                    ["add", name, ..] => emit(self, false, (*name).to_owned()),
                    _ => {}
                }
            }
        } else {
            let name = parsed
                .nth(1)
                .map_or_else(String::new, |file| file.text.clone());
            let kind = EffectKind::ResourceChange {
                resource: "dns-records-unseen".to_owned(),
                name,
                provider: "dns".to_owned(),
                context: None,
            };
            self.emit(kind, call.span, Certainty::Likely);
        }
        Stream::UNKNOWN
    }
}
