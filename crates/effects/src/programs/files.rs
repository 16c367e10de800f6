//! Programs that copy and change files by grammars of their own.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::{Call, through},
    options::Parsed,
    paths,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// `dd if=… of=…`
    pub(crate) fn dd(&mut self, call: &Call<'_>) -> Stream {
        let mut printed = through(call.stdin);
        for arg in call.args {
            if arg.text.starts_with("if=") {
                let file = arg.after(3);
                let path = self.absolute(&file.text);
                if !path.starts_with("/dev/zero")
                    && !path.starts_with("/dev/urandom")
                    && !path.starts_with("/dev/random")
                {
                    let secret = self.read_path(&file, arg.span);
                    printed = Stream::Tainted(if secret {
                        Taint::Secret(path)
                    } else {
                        Taint::File(path)
                    });
                }
            }
        }
        // The last one counts.
        for arg in call.args.iter().rev() {
            if arg.text.starts_with("of=") {
                let file = arg.after(3);
                self.write_path(&file, false, call.span);
                let path = self.absolute(&file.text);
                let endless = call.args.iter().any(|arg| {
                    matches!(
                        arg.text.as_str(),
                        "if=/dev/zero" | "if=/dev/urandom" | "if=/dev/random"
                    )
                }) && !call.args.iter().any(|arg| arg.text.starts_with("count="));
                if endless && !paths::is_device(&path) && !paths::is_harmless_device(&path) {
                    let temporary = ["/tmp/", "/var/tmp/"]
                        .iter()
                        .any(|folder| path.starts_with(folder));
                    let what = if temporary {
                        "temporary folder"
                    } else {
                        "disk"
                    };
                    self.exhausts(what, call.span);
                }
                if !paths::is_device(&path) {
                    self.env
                        .write_file(&path, std::mem::take(&mut printed), false);
                }
                return Stream::Empty;
            }
        }
        printed
    }

    /// `chmod MODE FILE…`, where the mode may begin with a dash.
    pub(crate) fn chmod(&mut self, call: &Call<'_>) -> Stream {
        let mut recursive = false;
        let mut mode: Option<String> = None;
        for arg in call.args {
            let text = arg.text.as_str();
            let is_mode = text.strip_prefix('-').is_some_and(|rest| {
                !rest.is_empty()
                    && rest.bytes().all(|byte| b"rwxXst".contains(&byte))
                    && mode.is_none()
            });
            if text.starts_with("--reference") {
                mode = Some(text.trim_start_matches("--").to_owned());
            } else if text.starts_with('-') && text.len() > 1 && !is_mode {
                recursive |= text == "--recursive" || !text.starts_with("--") && text.contains('R');
            } else if mode.is_none() {
                mode = Some(text.to_owned());
            } else if let Some(mode) = &mode {
                let mode = mode.clone();
                // An option may follow the files.
                recursive |= call.args.iter().any(|arg| {
                    arg.text == "--recursive"
                        || arg.text.starts_with('-')
                            && !arg.text.starts_with("--")
                            && arg.text.contains('R')
                });
                self.change_mode(arg, &mode, recursive, call.span);
            }
        }
        Stream::Empty
    }

    /// `chattr -i FILE`
    pub(crate) fn chattr(&mut self, call: &Call<'_>) -> Stream {
        let recursive = call.args.iter().any(|arg| arg.text == "-R");
        let mode = call.args.iter().find(|arg| {
            arg.text.starts_with(['+', '-', '='])
                && arg.text != "-R"
                && arg.text != "-V"
                && arg.text != "-f"
        });
        let mode = mode.map_or_else(String::new, |mode| mode.text.clone());
        for arg in call
            .args
            .iter()
            .filter(|arg| !arg.text.starts_with(['+', '-', '=']))
        {
            self.change_mode(arg, &mode, recursive, call.span);
            if mode.starts_with('-') && (mode.contains('i') || mode.contains('a')) {
                let path = self.absolute(&arg.text);
                if paths::is_log(&path) {
                    self.emit(EffectKind::TamperLog { path }, call.span, Certainty::Likely);
                }
            }
        }
        Stream::Empty
    }

    pub(crate) fn tee(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let append = parsed.has("append");
        for file in parsed.rest().cloned().collect::<Vec<_>>() {
            if let Some(address) = crate::redirect::network_address(&file.text) {
                self.emit(
                    EffectKind::Connect {
                        address: address.clone(),
                    },
                    call.span,
                    Certainty::Proven,
                );
                self.emit(
                    EffectKind::Upload {
                        source: "-".to_owned(),
                        destination: address,
                    },
                    call.span,
                    Certainty::Proven,
                );
                continue;
            }
            self.write_path(&file, append, call.span);
            let path = self.absolute(&file.text);
            self.startup_code(&path, call.stdin);
            self.env.write_file(&path, call.stdin.clone(), append);
        }
        call.stdin.clone()
    }

    pub(crate) fn grep(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let skip = usize::from(!parsed.has("regexp") && !parsed.has("file"));
        let mut secret = None;
        for file in parsed.rest().skip(skip).cloned().collect::<Vec<_>>() {
            if self.read_path(&file, file.span) {
                secret = Some(self.absolute(&file.text));
            }
        }
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            self.read_path(&file, file.span);
        }
        match secret {
            Some(path) => Stream::Tainted(Taint::Secret(path)),
            None => self.printed_by(call, parsed),
        }
    }

    pub(crate) fn rsync(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        for code in parsed
            .values("shell")
            .chain(parsed.values("path"))
            .cloned()
            .collect::<Vec<_>>()
        {
            let dialect = self.dialect;
            if code.text.contains(' ') || code.text.contains('/') {
                self.shell_code(&code, dialect, &Stream::Empty, true);
            }
        }
        if parsed.has("dry") {
            return Stream::Empty;
        }
        let all: Vec<Text> = parsed.rest().cloned().collect();
        let Some((target, sources)) = all.split_last() else {
            return Stream::Empty;
        };
        self.transfer(sources, target, call);
        if !is_remote(&target.text) && !sources.is_empty() {
            if parsed.has("delete") {
                let inside = Text {
                    text: format!("{}/*", target.text.trim_end_matches('/')),
                    ..target.clone()
                };
                self.delete_path(&inside, true, false, call.span);
            }
        } else if parsed.has("delete") && !sources.is_empty() {
            self.emit(
                EffectKind::ResourceDestroy {
                    resource: "remote-files".to_owned(),
                    name: target.text.clone(),
                    provider: "rsync".to_owned(),
                    context: None,
                },
                call.span,
                Certainty::Likely,
            );
        }
        if parsed.has("remove") {
            for source in sources {
                self.delete_path(source, true, false, call.span);
            }
        }
        Stream::Empty
    }

    pub(crate) fn scp(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        self.ssh_options(parsed);
        let all: Vec<Text> = parsed.rest().cloned().collect();
        if let Some((target, sources)) = all.split_last() {
            self.transfer(sources, target, call);
        }
        Stream::Empty
    }

    /// Files go from sources to a target, either of which may be elsewhere.
    fn transfer(&mut self, sources: &[Text], target: &Text, call: &Call<'_>) {
        for source in sources {
            if is_remote(&source.text) {
                let to = self.absolute(&target.text);
                self.emit(
                    EffectKind::Download {
                        url: source.text.clone(),
                        to: Some(if target.text == "." {
                            ".".to_owned()
                        } else {
                            to
                        }),
                    },
                    call.span,
                    Certainty::Proven,
                );
            } else {
                self.read_path(source, source.span);
                if is_remote(&target.text) {
                    let path = self.absolute(&source.text);
                    self.emit(
                        EffectKind::Upload {
                            source: path,
                            destination: target.text.clone(),
                        },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
        }
        if !is_remote(&target.text) && target.text != "." && !sources.is_empty() {
            self.write_path(target, true, call.span);
        }
    }

    pub(crate) fn rclone(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::Empty;
        }
        let destroy = |name: &Text| EffectKind::ResourceDestroy {
            resource: "path".to_owned(),
            name: name.text.clone(),
            provider: "rclone".to_owned(),
            context: None,
        };
        match (parsed.sub(), parsed.nth(2), parsed.nth(3)) {
            (
                "purge" | "delete" | "deletefile" | "rmdir" | "rmdirs" | "cleanup" | "dedupe",
                Some(target),
                _,
            ) => self.emit(destroy(target), call.span, Certainty::Proven),
            (sub @ ("sync" | "copy" | "move" | "copyto" | "moveto"), Some(from), Some(to)) => {
                if !is_remote(&from.text) {
                    self.read_path(from, from.span);
                    if is_remote(&to.text) {
                        let source = self.absolute(&from.text);
                        self.emit(
                            EffectKind::Upload {
                                source,
                                destination: to.text.clone(),
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    }
                }
                if sub == "sync" {
                    if is_remote(&to.text) {
                        self.emit(destroy(to), call.span, Certainty::Likely);
                    } else {
                        self.delete_path(to, true, false, call.span);
                    }
                }
            }
            _ => {}
        }
        Stream::Empty
    }
}

/// `HOST:PATH` or `scheme://…`.
pub(crate) fn is_remote(text: &str) -> bool {
    match text.find(':') {
        Some(at) => at > 1 && !text.get(..at).unwrap_or("").contains('/'),
        None => false,
    }
}
