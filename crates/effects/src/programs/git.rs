//! `git`: what its configuration runs, and what refspecs mean.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    knowledge,
    options::{self, Parsed},
    value::{Stream, Text},
};

/// Settings whose value is run.
const RUN: &[&str] = &[
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
    pub(crate) fn git(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let sub = parsed.sub().to_owned();
        for setting in parsed.values("config").cloned().collect::<Vec<_>>() {
            let Some((name, _)) = setting.text.split_once('=') else {
                continue;
            };
            let value = setting.after(name.len() + 1);
            let name = name.to_ascii_lowercase();
            if let Some(alias) = name.strip_prefix("alias.")
                && alias.eq_ignore_ascii_case(&sub)
                && !value.text.starts_with('!')
                && let Some(&(at, _)) = parsed.operands.first()
            {
                // The alias stands for another git command, perhaps one that is an alias too.
                let mut all = vec![Text::known("git", call.span)];
                for other in parsed.values("config") {
                    if other.text != setting.text {
                        all.push(Text::known("-c", call.span));
                        all.push(other.clone());
                    }
                }
                all.extend(
                    value
                        .text
                        .split_whitespace()
                        .map(|word| Text::known(word, value.span)),
                );
                all.extend(call.args.get(at + 1..).unwrap_or_default().iter().cloned());
                return self.call(&all, Vec::new(), call.stdin, call.span);
            }
            self.git_setting(&name, &value, &sub);
        }
        self.git_settings_of_variables(call, parsed);
        if matches!(
            sub.as_str(),
            "clone" | "fetch" | "pull" | "push" | "ls-remote" | "archive"
        ) {
            for code in parsed.values("exec").cloned().collect::<Vec<_>>() {
                self.injected(&code);
            }
        }
        if let Some(folder) = parsed.value("dir").cloned() {
            let before = (self.env.cwd.clone(), self.env.cwd_known);
            self.env.cwd = self.absolute(&folder.text);
            (self.env.cwd, self.env.cwd_known) = before;
        }
        let rest: Vec<Text> = parsed.rest().skip(1).cloned().collect();
        match sub.as_str() {
            "push" => self.git_push(call, parsed, &rest),
            "checkout" => self.git_checkout(call, &rest),
            "config" => {
                if let [name, value, ..] = rest.as_slice() {
                    let low = name.text.to_ascii_lowercase();
                    self.git_setting(&low, value, "");
                    if value.text.starts_with('!') && low.starts_with("alias.")
                        || RUN.contains(&low.as_str()) && value.text.contains(['/', ' ', ';'])
                        || low == "core.hookspath"
                    {
                        self.emit(
                            EffectKind::Persistence {
                                mechanism: "git-config".to_owned(),
                                path: None,
                            },
                            call.span,
                            Certainty::Likely,
                        );
                    }
                }
            }
            "bisect" if rest.first().is_some_and(|word| word.text == "run") => {
                self.call(
                    rest.get(1..).unwrap_or_default(),
                    Vec::new(),
                    call.stdin,
                    call.span,
                );
            }
            "submodule" if rest.first().is_some_and(|word| word.text == "foreach") => {
                let all: Vec<&Text> = rest.iter().skip(1).collect();
                let code = crate::call::joined(&all, call.span);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
            "clone" | "fetch" | "pull" | "ls-remote" => {
                for word in &rest {
                    if let Some(at) = word.text.find("ext::") {
                        self.shell_code(&word.after(at + 5), Dialect::Sh, &Stream::Empty, true);
                    }
                }
            }
            "p4" | "svn" | "daemon" => {}
            "credential" if rest.first().is_some_and(|word| word.text == "fill") => {
                self.emit(
                    EffectKind::ReadSecret {
                        path: "git-credential".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            "archive" | "bundle" | "" => {}
            _ => {
                // An alias of the session's git cannot be seen; a known program behind `git-NAME` neither.
                let _ = knowledge::find;
            }
        }
        let _ = options::parse;
        match sub.as_str() {
            "rev-parse" if rest.is_empty() && parsed.has("show-toplevel") => {
                Stream::Known(format!("{}\n", self.env.cwd))
            }
            "show" | "cat-file" => Stream::Tainted(crate::value::Taint::File("git".to_owned())),
            _ => Stream::UNKNOWN,
        }
    }

    /// Settings by `--config-env` and by `GIT_CONFIG_KEY_0`.
    fn git_settings_of_variables(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
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

    fn git_setting(&mut self, name: &str, value: &Text, sub: &str) {
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

    /// `+BRANCH` overwrites, `:BRANCH` removes.
    fn git_push(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, rest: &[Text]) {
        if parsed.has("dry") {
            return;
        }
        let remote = rest
            .first()
            .map_or("origin", |text| text.text.as_str())
            .to_owned();
        if parsed.has("lease") && !parsed.has("force") {
            let branch = rest
                .get(1)
                .map_or("HEAD", |text| text.text.as_str())
                .to_owned();
            self.emit(
                EffectKind::ForcePush {
                    remote: remote.clone(),
                    branch,
                },
                call.span,
                Certainty::Likely,
            );
        }
        if parsed.has("force") && rest.len() > 1 {
            return;
        }
        for spec in rest.iter().skip(1) {
            let (forced, refs) = match spec.text.strip_prefix('+') {
                Some(refs) => (true, refs),
                None => (false, spec.text.as_str()),
            };
            // `:` stands for the branches that both sides have, `+` alone for nothing.
            if refs.is_empty() || refs == ":" && !forced {
                continue;
            }
            if refs == ":" {
                self.emit(
                    EffectKind::ForcePush {
                        remote: remote.clone(),
                        branch: "matching".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            } else if let Some(branch) = refs.strip_prefix(':') {
                self.emit(
                    EffectKind::BranchDelete {
                        branch: branch.to_owned(),
                        remote: Some(remote.clone()),
                    },
                    call.span,
                    Certainty::Proven,
                );
            } else if forced {
                let branch = refs.rsplit(':').next().unwrap_or(refs).to_owned();
                self.emit(
                    EffectKind::ForcePush {
                        remote: remote.clone(),
                        branch,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
        }
    }

    /// `git checkout -- FILE` throws changes away.
    fn git_checkout(&mut self, call: &Call<'_>, rest: &[Text]) {
        if let Some(at) = call.args.iter().position(|arg| arg.text == "--")
            && call.args.len() > at + 1
            && !rest
                .iter()
                .any(|arg| matches!(arg.text.as_str(), "." | ":/"))
        {
            self.emit(
                EffectKind::HistoryLoss {
                    what: "uncommitted".to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
    }
}
