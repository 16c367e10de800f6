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
        || name.starts_with("lfs.customtransfer.") && ends(".path")
        || name.starts_with("lfs.extension.") && (ends(".clean") || ends(".smudge"))
        || name == "lfs.standalonetransferagent"
        || name.starts_with("guitool.") && ends(".cmd")
}

/// A setting's way to say no.
pub(super) fn no(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "false" | "0" | "no" | "off"
    )
}

/// The host of an address: `https://user@HOST/x`, `git@HOST:x`.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or("");
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(':').next().unwrap_or("");
    host.trim_start_matches("ssh.").to_ascii_lowercase()
}

impl Analyser<'_> {
    /// Settings of this call: by `-c`, by `--config-env` and by `GIT_CONFIG_KEY_0`, with the values
    /// that can be told.
    pub(super) fn git_settings_given(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
    ) -> Vec<(String, Option<Text>)> {
        let mut found: Vec<(String, Option<Text>)> = Vec::new();
        let held = |this: &Self, name: &str| {
            this.env
                .get(name)
                .and_then(|value| value.alternatives.first())
                .map(|text| Text {
                    span: call.span,
                    ..text.clone()
                })
        };
        for setting in parsed.values("config").take(32) {
            if let Some((name, _)) = setting.text.split_once('=') {
                let value = setting.after(name.len() + 1);
                found.push((name.to_ascii_lowercase(), Some(value)));
            }
        }
        for setting in parsed.values("config-env").take(32) {
            if let Some((name, variable)) = setting.text.rsplit_once('=') {
                found.push((name.to_ascii_lowercase(), held(self, variable)));
            }
        }
        for number in 0..super::git_network::MOST {
            let Some(name) = held(self, &format!("GIT_CONFIG_KEY_{number}")) else {
                break;
            };
            let value = held(self, &format!("GIT_CONFIG_VALUE_{number}"));
            found.push((name.text.to_ascii_lowercase(), value));
        }
        found
    }

    /// A setting whose value cannot be told.
    pub(super) fn git_setting_unknown(&mut self, name: &str, call: &Call<'_>) {
        if runs(name) || name.starts_with("remote.") && name.ends_with(".url") {
            self.emit_code(CodeSource::Unknown, "git-config", call.span);
        } else if name.starts_with("http.") && name.ends_with(".sslverify") {
            self.weak_tls(call.span, Certainty::Likely);
        } else {
            self.git_reach(name, &Text::unknown("", call.span, None));
        }
    }

    fn weak_tls(&mut self, span: cmdai_schema::Span, certainty: Certainty) {
        self.emit(
            EffectKind::DisableSecurity {
                what: "tls-verification".to_owned(),
            },
            span,
            certainty,
        );
    }

    /// `ext::PROGRAM` as an address runs the program.
    pub(super) fn git_transport(&mut self, address: &Text) {
        if let Some(at) = address.text.find("ext::") {
            self.emit_code(CodeSource::Unknown, "git-transport", address.span);
            self.shell_code(&address.after(at + 5), Dialect::Sh, &Stream::Empty, true);
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

    /// What a setting does.
    pub(super) fn git_setting(&mut self, name: &str, value: &Text) {
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
        } else if value.text.starts_with("ext::") || name.contains("ext::") {
            self.git_transport(value);
            if name.contains("ext::") {
                self.emit_code(CodeSource::Unknown, "git-transport", value.span);
            }
        } else if name.starts_with("url.") && (ends(".insteadof") || ends(".pushinsteadof")) {
            // Another host answers in the place of the one that is named.
            let target = name
                .trim_start_matches("url.")
                .trim_end_matches(".insteadof")
                .trim_end_matches(".pushinsteadof");
            let (asked, answers) = (host_of(&value.text), host_of(target));
            if !value.known || !asked.is_empty() && !answers.is_empty() && asked != answers {
                self.git_reach(name, value);
            }
        } else if (name == "include.path" || name.starts_with("includeif.") && ends(".path"))
            && !value.text.is_empty()
        {
            self.config_file(value);
        } else if matches!(name, "protocol.ext.allow" | "protocol.allow") && value.text == "always"
        {
            self.emit_code(CodeSource::Unknown, "shell", value.span);
        } else if name.starts_with("http.")
            && ((ends(".sslcainfo") || ends(".sslcapath"))
                && in_scratch(&self.absolute(&value.text))
                || ends(".sslverify") && no(&value.text)
                || ends(".sslversion")
                    && ["ssl", "tlsv1"].iter().any(|old| {
                        let version = value.text.to_ascii_lowercase();
                        version.starts_with(old)
                            && !version.starts_with("tlsv1.2")
                            && !version.starts_with("tlsv1.3")
                    }))
        {
            self.weak_tls(value.span, Certainty::Proven);
        } else {
            self.git_reach(name, value);
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
