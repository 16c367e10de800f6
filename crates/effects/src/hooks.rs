//! Variables whose value runs something, or silences something.

use cmdai_schema::{Certainty, CodeSource, EffectKind, Span};

use crate::{
    analyser::Analyser,
    value::{Stream, Text},
};

/// What is said of a search path that begins in a folder for everybody.
pub(crate) const SCRATCH_PATH: &str =
    "programs would be taken from a folder that anybody can write to";

impl Analyser<'_> {
    /// Something of cmdai's own is switched off.
    pub(crate) fn own(&mut self, span: Span) {
        self.emit(
            EffectKind::DisableSecurity {
                what: "cmdai".to_owned(),
            },
            span,
            Certainty::Proven,
        );
    }

    pub(crate) fn note_history(&mut self, name: &str, span: Span) {
        if name == "PROMPT_COMMAND" {
            return;
        }
        let path = format!("{}/.bash_history", self.home());
        self.emit(EffectKind::TamperLog { path }, span, Certainty::Proven);
    }

    /// Variables whose value runs something, or silences something.
    pub(crate) fn note_assignment(&mut self, name: &str, value: &Text, span: Span, in_front: bool) {
        if in_front && value.text.trim_start().starts_with("() {") {
            // A shell that reads functions from its environment would run what follows.
            self.emit_code(CodeSource::Unknown, "shell", span);
        }
        match name {
            "HISTFILE" if value.known && (value.text.is_empty() || value.text == "/dev/null") => {
                self.note_history(name, span)
            }
            "HISTSIZE" | "HISTFILESIZE" if value.text == "0" => self.note_history(name, span),
            "HISTCONTROL" | "HISTIGNORE" if value.text == "*" || value.text == "ignoreall" => {
                self.note_history(name, span)
            }
            "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES"
                if !(value.known && value.text.is_empty()) =>
            {
                let path = self.absolute(&value.text);
                self.emit_code(CodeSource::File(path), "native", span);
            }
            "PROMPT_COMMAND" if value.known && value.text.trim().is_empty() && !in_front => {
                self.own(span);
            }
            "PROMPT_COMMAND" => {
                let dialect = self.dialect;
                self.chain.push(name.to_owned());
                self.shell_code(value, dialect, &Stream::Empty, true);
                self.chain.pop();
                if !in_front {
                    self.emit(
                        EffectKind::Persistence {
                            mechanism: "prompt-command".to_owned(),
                            path: None,
                        },
                        span,
                        Certainty::Likely,
                    );
                }
            }
            "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_SYSTEM" | "GIT_CONFIG" | "GIT_EXEC_PATH"
            | "GIT_TEMPLATE_DIR" => self.config_file(value),
            "GIT_ALLOW_PROTOCOL" if value.text.split(':').any(|word| word == "ext") => {
                self.emit_code(CodeSource::Unknown, "shell", span);
            }
            "GIT_SSH_COMMAND"
            | "GIT_EXTERNAL_DIFF"
            | "GIT_PAGER"
            | "GIT_EDITOR"
            | "GIT_SEQUENCE_EDITOR"
            | "GIT_ASKPASS"
            | "SSH_ASKPASS"
            | "SUDO_ASKPASS"
            | "PAGER"
            | "MANPAGER"
            | "LESSOPEN"
            | "LESSCLOSE"
            | "BROWSER"
            | "VISUAL"
            | "EDITOR"
            | "GIT_PROXY_COMMAND"
            | "GIT_SSH"
            | "RUSTC_WRAPPER"
            | "CARGO_BUILD_RUSTC_WRAPPER"
            | "MAKEFLAGS_SHELL"
            | "RSYNC_RSH"
            | "TAR_OPTIONS"
            | "FZF_DEFAULT_COMMAND"
            | "PS4"
            | "PS1"
                if value.text.contains([' ', ';', '|', '`', '$', '/'])
                    || name.starts_with("GIT_") =>
            {
                if name.starts_with("GIT_") || name.ends_with("_ASKPASS") {
                    self.injected(value);
                }
                if matches!(name, "PS1" | "PS4")
                    && !value.text.contains("$(")
                    && !value.text.contains('`')
                {
                    return;
                }
                if name == "TAR_OPTIONS" {
                    self.tar_options(value);
                    return;
                }
                let dialect = self.dialect;
                self.chain.push(name.to_owned());
                self.shell_code(value, dialect, &Stream::Empty, true);
                self.chain.pop();
            }
            "BASH_ENV" | "ENV" | "ZDOTDIR" | "PYTHONSTARTUP" | "PERL5LIB" | "RUBYLIB"
            | "NODE_PATH" | "PYTHONPATH" | "LD_LIBRARY_PATH" | "GEM_PATH" | "LUA_PATH"
            | "CLASSPATH" | "DYLD_LIBRARY_PATH" => {
                let scratch = ["/tmp", "/var/tmp", "/dev/shm"]
                    .iter()
                    .any(|folder| value.text.starts_with(folder));
                let path = self.absolute(&value.text);
                if matches!(name, "BASH_ENV" | "ENV")
                    && let Some(content) = self.env.file(&path).cloned()
                {
                    // What it holds runs in every shell that is started.
                    let dialect = self.dialect;
                    self.chain.push(name.to_owned());
                    self.code_from_stream(&content, "shell", Some(dialect), span);
                    self.chain.pop();
                    return;
                }
                if (matches!(name, "BASH_ENV" | "ENV" | "PYTHONSTARTUP") || scratch)
                    && value.text.contains('/')
                {
                    let path = self.absolute(&value.text);
                    self.emit_code(CodeSource::File(path), "shell", span);
                }
            }
            "NODE_OPTIONS" | "PERL5OPT" | "RUBYOPT" | "PYTHONINSPECT" | "JAVA_TOOL_OPTIONS"
            | "_JAVA_OPTIONS" | "JDK_JAVA_OPTIONS" | "MAVEN_OPTS" | "GRADLE_OPTS" | "SBT_OPTS"
                if [
                    "require",
                    "-M",
                    "-r",
                    "javaagent",
                    "agentpath",
                    "--import",
                    "--loader",
                ]
                .iter()
                .any(|word| value.text.contains(word)) =>
            {
                // `-javaagent:/tmp/x.jar`, `--require /tmp/x.js`: the file is the last part.
                let file = value.text.rsplit([' ', ':', '=']).next().unwrap_or("");
                let path = if file.contains('/') {
                    self.absolute(file)
                } else {
                    value.text.clone()
                };
                self.emit_code(CodeSource::File(path), "injected", span);
            }
            "PATH" => {
                // A folder in front that others write to makes every program suspect.
                let first = value.text.split(':').next().unwrap_or("");
                let scratch = ["/tmp", "/dev/shm", "/var/tmp"].iter().any(|folder| {
                    first
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                if scratch || first == "." {
                    self.emit(
                        EffectKind::Unknown {
                            why: SCRATCH_PATH.to_owned(),
                        },
                        span,
                        Certainty::Likely,
                    );
                }
            }
            "NODE_TLS_REJECT_UNAUTHORIZED" if value.text == "0" => self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                span,
                Certainty::Proven,
            ),
            "GIT_SSL_NO_VERIFY" | "PYTHONHTTPSVERIFY" => self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                span,
                Certainty::Proven,
            ),
            _ if name.starts_with("CMDAI_") => self.own(span),
            _ => {}
        }
        if name.starts_with("GIT_") {
            self.git_variable(name, value, span);
        }
        if name.starts_with("BASH_FUNC_")
            && let Some(at) = value.text.find("()")
        {
            let dialect = self.dialect;
            self.shell_code(&value.after(at + 2), dialect, &Stream::Empty, true);
        }
        if name.starts_with("GIT_CONFIG_VALUE_") && value.text.starts_with('!') {
            let dialect = self.dialect;
            self.shell_code(&value.after(1), dialect, &Stream::Empty, true);
        }
    }

    /// What `tar` would run by its options; a blank in one is written with `\`.
    fn tar_options(&mut self, value: &Text) {
        for start in [
            "--checkpoint-action=exec=",
            "--to-command=",
            "--use-compress-program=",
            "--rmt-command=",
            "--rsh-command=",
            "--info-script=",
        ] {
            let Some((_, rest)) = value.text.split_once(start) else {
                continue;
            };
            let mut code = String::new();
            let mut chars = rest.chars();
            while let Some(next) = chars.next() {
                match next {
                    '\\' => code.extend(chars.next()),
                    ' ' => break,
                    next => code.push(next),
                }
            }
            let dialect = self.dialect;
            let code = Text::known(code, value.span);
            self.shell_code(&code, dialect, &Stream::Empty, true);
        }
    }
}
