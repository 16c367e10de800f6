//! Effects on paths, with what is special about each path.

use cmdai_schema::{Certainty, Dialect, EffectKind, Span};

use crate::{analyser::Analyser, paths, value::Text};

impl Analyser<'_> {
    /// The path made absolute.
    pub(crate) fn absolute(&self, path: &str) -> String {
        if path == "~" || path.starts_with("~/") {
            return format!("{}{}", self.home(), path.get(1..).unwrap_or(""));
        }
        if paths::is_drive(path) || self.dialect == Dialect::Powershell {
            return paths::windows(path, &self.env.cwd, &self.home());
        }
        if paths::is_drive(&self.env.cwd) {
            return paths::windows(path, &self.env.cwd, "");
        }
        let absolute = paths::normalise(path, &self.env.cwd);
        if self.env.links.is_empty() {
            return absolute;
        }
        self.follow_links(absolute, path.ends_with('/'))
    }

    /// The readings of a path, each with how sure it is. One that may be empty is left out, unless
    /// it would be special then.
    pub(crate) fn readings(
        &self,
        target: &Text,
        special: impl Fn(&str) -> bool,
    ) -> Vec<(String, Certainty)> {
        let mut out = Vec::with_capacity(1);
        if target.known {
            let sure = if self.env.cwd_known || target.text.starts_with('/') {
                Certainty::Proven
            } else {
                Certainty::Likely
            };
            let path = if target.literal && !target.glob {
                // `*` in a path stands for many; a name that holds one is written with `\`.
                self.absolute(&paths::escaped(&target.text))
            } else {
                self.absolute(&target.text)
            };
            out.push((path, sure));
            return out;
        }
        if target.text.starts_with('$') && target.empty.is_none() && target.taint.is_none() {
            // Somebody made sure that it is set: it is a place of its own.
            out.push((target.text.clone(), Certainty::Likely));
        } else if target.text.starts_with(['$', '`']) {
            out.push((target.text.clone(), Certainty::Unknown));
        } else {
            out.push((self.absolute(&target.text), Certainty::Likely));
        }
        if let Some(empty) = &target.empty
            && !empty.is_empty()
        {
            let path = self.absolute(empty);
            if special(&path) {
                out.push((path, Certainty::Likely));
            }
        }
        out
    }

    fn catastrophic(&self, target: &Text) -> Vec<(String, Certainty)> {
        let home = self.home();
        self.readings(target, |path| {
            paths::is_catastrophic(path, &home) || paths::is_device(path)
        })
    }

    pub(crate) fn delete_path(&mut self, target: &Text, recursive: bool, force: bool, span: Span) {
        for (path, certainty) in self.catastrophic(target) {
            self.special_change(&path, true, span, certainty);
            self.emit(
                EffectKind::Delete {
                    path,
                    recursive,
                    force,
                },
                span,
                certainty,
            );
        }
    }

    /// A file is written: its old content is lost unless it is appended to.
    pub(crate) fn write_path(&mut self, target: &Text, append: bool, span: Span) {
        for (path, certainty) in self.catastrophic(target) {
            if paths::is_harmless_device(&path) || path.starts_with("/dev/fd/") {
                continue;
            }
            if paths::is_device(&path) {
                self.emit(EffectKind::DeviceWrite { path }, span, certainty);
                continue;
            }
            self.special_change(&path, !append, span, certainty);
            if !append {
                self.emit(EffectKind::Overwrite { path }, span, certainty);
            } else {
                self.emit(EffectKind::Write { path }, span, certainty);
            }
        }
    }

    /// What a change of a path means beyond the file.
    fn special_change(&mut self, path: &str, loses: bool, span: Span, certainty: Certainty) {
        if paths::is_own(path) {
            self.emit(
                EffectKind::DisableSecurity {
                    what: "cmdai".to_owned(),
                },
                span,
                certainty,
            );
        }
        if loses && paths::is_log(path) {
            self.emit(
                EffectKind::TamperLog {
                    path: path.to_owned(),
                },
                span,
                certainty,
            );
        }
        if let Some(mechanism) = paths::persistence(path) {
            self.emit(
                EffectKind::Persistence {
                    mechanism: mechanism.to_owned(),
                    path: Some(path.to_owned()),
                },
                span,
                certainty,
            );
        }
        match path {
            "/etc/passwd" | "/etc/shadow" | "/etc/group" | "/etc/gshadow" => {
                self.emit(
                    EffectKind::ChangeCredential {
                        subject: path.to_owned(),
                    },
                    span,
                    certainty,
                );
            }
            "/proc/sysrq-trigger" => self.emit(
                EffectKind::Power {
                    action: "sysrq".to_owned(),
                },
                span,
                certainty,
            ),
            "/sys/fs/selinux/enforce" => self.emit(
                EffectKind::DisableSecurity {
                    what: "selinux".to_owned(),
                },
                span,
                certainty,
            ),
            "/proc/sys/kernel/randomize_va_space" => self.emit(
                EffectKind::DisableSecurity {
                    what: "aslr".to_owned(),
                },
                span,
                certainty,
            ),
            "/proc/sys/kernel/core_pattern" => {
                self.emit(
                    EffectKind::Persistence {
                        mechanism: "core-pattern".to_owned(),
                        path: Some(path.to_owned()),
                    },
                    span,
                    certainty,
                );
            }
            _ => {}
        }
    }

    /// A file is read; true where it holds credentials.
    pub(crate) fn read_path(&mut self, target: &Text, span: Span) -> bool {
        let home = self.home();
        let mut secret = false;
        if target.glob && target.known {
            let pattern = self.absolute(&target.text);
            if let Some(path) = paths::secret_behind(&pattern, &home) {
                self.emit(EffectKind::ReadSecret { path }, span, Certainty::Likely);
                secret = true;
            }
        }
        for (path, certainty) in self.readings(target, |path| paths::is_secret(path, &home)) {
            if paths::is_harmless_device(&path) {
                continue;
            }
            if paths::is_secret(&path, &home) {
                secret = true;
                self.emit(EffectKind::ReadSecret { path }, span, certainty);
            } else if certainty != Certainty::Unknown {
                self.emit(EffectKind::Read { path }, span, certainty);
            }
        }
        secret
    }

    pub(crate) fn move_path(&mut self, from: &Text, to: &Text, span: Span) {
        let target = self.absolute(&to.text);
        let home = self.home();
        for (path, certainty) in self.catastrophic(from) {
            self.special_change(&path, true, span, certainty);
            if paths::is_secret(&path, &home) {
                self.emit(
                    EffectKind::ReadSecret { path: path.clone() },
                    span,
                    certainty,
                );
            }
            self.emit(
                EffectKind::Move {
                    from: path,
                    to: target.clone(),
                },
                span,
                certainty,
            );
        }
    }

    pub(crate) fn change_mode(&mut self, target: &Text, mode: &str, recursive: bool, span: Span) {
        for (path, certainty) in self.catastrophic(target) {
            if paths::is_own(&path) {
                self.emit(
                    EffectKind::DisableSecurity {
                        what: "cmdai".to_owned(),
                    },
                    span,
                    certainty,
                );
            }
            self.emit(
                EffectKind::ChangeMode {
                    path,
                    mode: mode.to_owned(),
                    recursive,
                },
                span,
                certainty,
            );
        }
    }

    pub(crate) fn change_owner(&mut self, target: &Text, owner: &str, recursive: bool, span: Span) {
        for (path, certainty) in self.catastrophic(target) {
            if paths::is_own(&path) {
                self.emit(
                    EffectKind::DisableSecurity {
                        what: "cmdai".to_owned(),
                    },
                    span,
                    certainty,
                );
            }
            self.emit(
                EffectKind::ChangeOwner {
                    path,
                    owner: owner.to_owned(),
                    recursive,
                },
                span,
                certainty,
            );
        }
    }
}
