//! Settings of `git` that run something, wherever they are given.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    knowledge,
    options::Parsed,
    value::{Stream, Text},
};

/// Settings whose value is run.
pub(super) const RUN: &[&str] = &[
    "core.pager",
    "core.editor",
    "core.sshcommand",
    "core.fsmonitor",
    "core.gitproxy",
    "core.askpass",
    "sequence.editor",
    "diff.external",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.openpgp.program",
    "credential.helper",
    "uploadpack.packobjectshook",
    "sendemail.smtpserver",
    "interactive.difffilter",
    "web.browser",
    "init.templatedir",
    "core.alternaterefscommand",
    "receive.procreceiverefs",
    "gc.recentobjectshook",
    "gpg.ssh.defaultkeycommand",
    "help.browser",
    "imap.tunnel",
    "sendemail.sendmailcmd",
];

/// Programs that people name in settings every day, beside those of the knowledge.
const USUAL: &[&str] = &[
    "bat",
    "batcat",
    "cache",
    "code",
    "delta",
    "diff-so-fancy",
    "difft",
    "emacsclient",
    "gpg2",
    "gvim",
    "hx",
    "helix",
    "kate",
    "kak",
    "libsecret",
    "manager",
    "manager-core",
    "meld",
    "micro",
    "most",
    "osxkeychain",
    "store",
    "subl",
    "tig",
    "wincred",
    "wslview",
    "zed",
];

/// Below a folder that anybody may write.
fn in_scratch(path: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/dev/shm/"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

/// The setting's value is run.
fn runs(name: &str) -> bool {
    let ends = |ending: &str| name.ends_with(ending);
    RUN.contains(&name)
        || name.starts_with("filter.") && (ends(".clean") || ends(".smudge") || ends(".process"))
        || name.starts_with("diff.") && (ends(".textconv") || ends(".command"))
        || name.starts_with("merge.") && ends(".driver")
        || name.starts_with("tar.") && ends(".command")
        || name.starts_with("trailer.") && ends(".cmd")
        || (name.starts_with("difftool.")
            || name.starts_with("mergetool.")
            || name.starts_with("browser.")
            || name.starts_with("man."))
            && (ends(".cmd") || ends(".path"))
        || name.starts_with("pager.")
        || name.starts_with("remote.")
            && (ends(".uploadpack") || ends(".receivepack") || ends(".vcs"))
        || name.starts_with("credential.") && ends(".helper")
}

impl Analyser<'_> {
    /// Settings by `--config-env` and by `GIT_CONFIG_KEY_0`.
    pub(super) fn git_settings_of_variables(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
        let mut found: Vec<(String, Option<Text>)> = Vec::new();
        let held = |this: &Self, name: &str| {
            this.env
                .get(name)
                .and_then(|value| value.alternatives.first())
                .map(|text| Text::known(text.clone(), call.span))
        };
        for setting in parsed.values("config-env") {
            if let Some((name, variable)) = setting.text.rsplit_once('=') {
                found.push((name.to_ascii_lowercase(), held(self, variable)));
            }
        }
        for number in 0..8 {
            let Some(name) = held(self, &format!("GIT_CONFIG_KEY_{number}")) else {
                break;
            };
            let value = held(self, &format!("GIT_CONFIG_VALUE_{number}"));
            found.push((name.text.to_ascii_lowercase(), value));
        }
        for (name, value) in found {
            match value {
                Some(value) => self.git_setting(&name, &value, ""),
                None if runs(&name) => self.emit_code(CodeSource::Unknown, "git-config", call.span),
                None => {}
            }
        }
    }

    /// A setting or variable makes a program run this: more than odd where nobody knows it, or where
    /// anybody may have put it.
    pub(crate) fn injected(&mut self, code: &Text) {
        let word = code.text.split_whitespace().next().unwrap_or("");
        if !code.known || word.is_empty() || word.contains(['$', '`', '=', '(']) {
            return;
        }
        let name = crate::paths::base_name(word);
        let path = self.absolute(word);
        let scratch = in_scratch(&path);
        let usual = knowledge::find(name).is_some()
            || USUAL.contains(&name)
            || name.starts_with("git-")
            || name.ends_with("askpass");
        if scratch || !word.contains('/') && !usual {
            let source = if word.contains('/') {
                path
            } else {
                word.to_owned()
            };
            self.emit_code(CodeSource::File(source), "injected", code.span);
        }
    }

    pub(super) fn git_setting(&mut self, name: &str, value: &Text, sub: &str) {
        let _ = sub;
        let ends = |ending: &str| name.ends_with(ending);
        if name.starts_with("alias.") {
            if value.text.starts_with('!') {
                self.shell_code(&value.after(1), Dialect::Sh, &Stream::Empty, true);
            }
        } else if name == "core.hookspath" || name == "init.templatedir" {
            if value.text != "/dev/null" && !value.text.is_empty() {
                let path = self.absolute(&value.text);
                self.emit_code(CodeSource::File(path), "git-hook", value.span);
                self.config_file(value);
            }
        } else if runs(name)
            || name.starts_with("submodule.") && ends(".update") && value.text.starts_with('!')
        {
            let code = if value.text.starts_with('!') {
                value.after(1)
            } else {
                value.clone()
            };
            if !matches!(
                code.text.as_str(),
                "cat"
                    | "less"
                    | "delta"
                    | "true"
                    | "false"
                    | "vim"
                    | "nano"
                    | "cache"
                    | "store"
                    | "osxkeychain"
                    | "manager"
                    | ""
            ) && !code.text.starts_with("less ")
                && !code.text.starts_with("cache ")
            {
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                self.injected(&code);
            }
        } else if value.text.starts_with("ext::") {
            self.shell_code(&value.after(5), Dialect::Sh, &Stream::Empty, true);
        } else if (name == "include.path" || name.starts_with("includeif.") && ends(".path"))
            && !value.text.is_empty()
        {
            self.config_file(value);
        } else if matches!(name, "protocol.ext.allow" | "protocol.allow") && value.text == "always"
        {
            self.emit_code(CodeSource::Unknown, "shell", value.span);
        } else if name.starts_with("http.")
            && (ends(".sslcainfo") || ends(".sslcapath"))
            && in_scratch(&self.absolute(&value.text))
            || name.starts_with("http.")
                && ends(".sslverify")
                && matches!(
                    value.text.to_ascii_lowercase().as_str(),
                    "false" | "0" | "no" | "off"
                )
        {
            self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                value.span,
                Certainty::Proven,
            );
        }
    }

    /// A file of settings, which may run anything, from a folder that anybody may write.
    pub(crate) fn config_file(&mut self, file: &Text) {
        let path = self.absolute(&file.text);
        if in_scratch(&path) {
            self.emit_code(CodeSource::File(path), "injected", file.span);
        }
    }
}
