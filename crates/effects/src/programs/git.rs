//! `git`: what its configuration runs, and what refspecs mean.

use cmdai_schema::{Certainty, Dialect, EffectKind};

use super::git_settings::RUN;
use crate::{
    analyser::Analyser,
    call::Call,
    knowledge,
    options::{self, Parsed},
    value::{Stream, Text},
};

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
