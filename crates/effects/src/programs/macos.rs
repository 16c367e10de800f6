//! Programs of macOS that change what protects the machine, who may use it, and how it connects.

use cmdai_schema::{Certainty, EffectKind};

use crate::{analyser::Analyser, call::Call, options::Parsed, value::Stream};

impl Analyser<'_> {
    fn mac_disables(&mut self, what: &str, call: &Call<'_>) {
        self.emit(
            EffectKind::DisableSecurity {
                what: what.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }

    pub(crate) fn macos(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let words: Vec<&str> = parsed.rest().map(|text| text.text.as_str()).collect();
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let first = words.first().copied().unwrap_or("");
        let last = words.last().copied().unwrap_or("");
        let after = |flag: &str| {
            words
                .iter()
                .position(|word| *word == flag)
                .and_then(|at| words.get(at + 1))
                .map_or("", |word| *word)
                .to_owned()
        };
        match call.name {
            "csrutil" if matches!(first, "disable" | "clear") || has(&["--without"]) => {
                self.mac_disables("system-integrity-protection", call);
            }
            "csrutil" if first == "authenticated-root" && has(&["disable"]) => {
                self.mac_disables("system-integrity-protection", call);
            }
            "spctl"
                if has(&["--master-disable", "--global-disable", "--disable"])
                    || has(&["kext-consent"]) && has(&["disable", "add"]) =>
            {
                self.mac_disables("gatekeeper", call);
            }
            "fdesetup" if first == "disable" => self.mac_disables("disk-encryption", call),
            "fdesetup" if matches!(first, "changerecovery" | "removerecovery" | "remove") => {
                self.emit(
                    EffectKind::ChangeCredential {
                        subject: "disk-encryption".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            "tccutil" if first == "reset" => self.mac_disables("privacy-permissions", call),
            "DevToolsSecurity" if has(&["-enable"]) => self.mac_disables("debug-protection", call),
            "firmwarepasswd" if has(&["-delete"]) => self.mac_disables("firmware-password", call),
            "kextload" | "kextunload" | "kextutil" if !last.is_empty() => self.emit(
                EffectKind::KernelModule {
                    name: last.to_owned(),
                },
                call.span,
                Certainty::Proven,
            ),
            "nvram" if first == "-c" => self.machine_change("nvram", "all", "macos", call),
            "nvram" if first == "-d" || first.contains('=') => {
                if first.contains("csr-active-config") {
                    self.mac_disables("system-integrity-protection", call);
                }
                let name = if first == "-d" { last } else { first }.to_owned();
                self.machine_change("nvram", &name, "macos", call);
            }
            "pmset" if first == "sleepnow" || last == "sleepnow" => self.emit(
                EffectKind::Power {
                    action: "sleep".to_owned(),
                },
                call.span,
                Certainty::Proven,
            ),
            "pmset" if !matches!(first, "-g" | "") => {
                self.machine_change("setting", "power", "macos", call);
            }
            "softwareupdate" if has(&["-i", "--install"]) => {
                self.machine_change("packages", "all", "macos", call);
            }
            "softwareupdate" if has(&["--schedule"]) && has(&["off"]) => {
                self.mac_disables("software-update", call);
            }
            "dscl" | "dseditgroup" | "sysadminctl" => self.mac_account(call, &words),
            "scutil" if has(&["--set"]) => {
                let name = after("--set");
                self.machine_change("setting", &name, "macos", call);
            }
            "networksetup"
                if first.starts_with("-set")
                    || first.starts_with("-remove")
                    || first.starts_with("-create")
                    || first.starts_with("-delete") =>
            {
                self.machine_change("network", first, "macos", call);
            }
            "systemsetup" if first.starts_with("-set") => {
                self.machine_change("setting", first, "macos", call);
            }
            "profiles" if matches!(first, "remove" | "-R" | "-D") => {
                self.mac_disables("device-management", call);
            }
            "profiles" if matches!(first, "install" | "-I") => {
                self.machine_change("profile", last, "macos", call);
            }
            "mdutil" if has(&["-E", "-i"]) => {
                self.machine_change("search-index", last, "macos", call);
            }
            "bless" if has(&["--setBoot"]) => self.machine_change("boot", last, "macos", call),
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// Accounts of the directory.
    fn mac_account(&mut self, call: &Call<'_>, words: &[&str]) {
        let verb = words.iter().position(|word| {
            matches!(
                word.trim_start_matches('-'),
                "create"
                    | "passwd"
                    | "append"
                    | "merge"
                    | "delete"
                    | "change"
                    | "addUser"
                    | "deleteUser"
                    | "resetPasswordFor"
                    | "o"
                    | "a"
                    | "d"
            )
        });
        let Some(at) = verb else { return };
        let verb = words
            .get(at)
            .map_or("", |word| word.trim_start_matches('-'));
        let subject = words.get(at + 1).copied().unwrap_or("account").to_owned();
        let kind = match (call.name, verb) {
            ("dscl", "create") if words.len() == at + 2 => EffectKind::AddUser { name: subject },
            ("sysadminctl", "addUser") => EffectKind::AddUser { name: subject },
            ("dseditgroup", _) if words.contains(&"read") => return,
            _ => EffectKind::ChangeCredential { subject },
        };
        self.emit(kind, call.span, Certainty::Proven);
    }

    /// Images and installers.
    pub(crate) fn mac_image(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match (call.name, parsed.sub()) {
            ("asr", _) if parsed.has("erase") => {
                let target = call
                    .args
                    .iter()
                    .position(|arg| arg.text.trim_start_matches('-') == "target")
                    .and_then(|at| call.args.get(at + 1))
                    .map_or("disk", |text| text.text.as_str())
                    .to_owned();
                let path = self.absolute(&target);
                self.emit(EffectKind::Format { path }, call.span, Certainty::Proven);
            }
            ("hdiutil", "attach" | "mount" | "detach" | "eject" | "unmount") => {
                if let Some(image) = parsed.nth(2).cloned() {
                    let path = self.absolute(&image.text);
                    self.emit(EffectKind::Mount { path }, call.span, Certainty::Proven);
                }
            }
            ("ditto", _) => {
                if let Some(target) = parsed.rest().last().cloned()
                    && parsed.rest().len() > 1
                {
                    self.write_path(&target, true, call.span);
                }
            }
            _ => {}
        }
        Stream::UNKNOWN
    }
}
