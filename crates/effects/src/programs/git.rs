//! `git`: what its configuration runs, and what refspecs mean.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use super::git_settings::RUN;
use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn git(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let sub = parsed.sub().to_owned();
        let settings = self.git_settings_given(call, parsed);
        let alias = settings.iter().position(|(name, value)| {
            value.is_some()
                && name
                    .strip_prefix("alias.")
                    .is_some_and(|alias| alias.eq_ignore_ascii_case(&sub))
        });
        for (at, (name, value)) in settings.iter().enumerate() {
            if Some(at) == alias {
                continue;
            }
            match value {
                Some(value) => self.git_setting(name, value),
                None => self.git_setting_unknown(name, call),
            }
        }
        if let Some((_, Some(value))) = alias.and_then(|at| settings.get(at))
            && let Some(&(at, _)) = parsed.operands.first()
        {
            return self.git_alias(call, parsed, &settings, value, at);
        }
        self.git_settings_that_lose(call, parsed, &settings, &sub);
        if let Some(path) = parsed.value("exec-path").cloned() {
            self.config_file(&path);
        }
        if let Some(path) = parsed.value("template").cloned() {
            self.config_file(&path);
        }
        if matches!(
            sub.as_str(),
            "clone" | "fetch" | "pull" | "push" | "ls-remote" | "archive"
        ) {
            for code in parsed.values("exec").cloned().collect::<Vec<_>>() {
                self.injected(&code);
                if Dialect::from_name(crate::paths::base_name(&code.text)).is_some() {
                    // A shell in the place of the other side's program.
                    self.emit_code(CodeSource::Unknown, "shell", code.span);
                }
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
            "checkout" => self.git_checkout(call, parsed, &rest),
            "update-ref" if parsed.has("stdin") => {
                if let Stream::Known(text) = call.stdin {
                    for branch in text
                        .lines()
                        .filter_map(|line| line.strip_prefix("delete "))
                        .take(32)
                    {
                        self.emit(
                            EffectKind::BranchDelete {
                                branch: branch.trim().to_owned(),
                                remote: None,
                            },
                            call.span,
                            Certainty::Proven,
                        );
                    }
                }
            }
            "config" if !parsed.has("get") && !parsed.has("unset") => {
                let rest = match rest.first() {
                    Some(word) if word.text == "set" => rest.get(1..).unwrap_or_default(),
                    _ => rest.as_slice(),
                };
                if let [name, value, ..] = rest {
                    let low = name.text.to_ascii_lowercase();
                    self.git_setting(&low, value);
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
                let words = behind(call, parsed, 2);
                self.call(words, Vec::new(), call.stdin, call.span);
            }
            "submodule" if rest.first().is_some_and(|word| word.text == "foreach") => {
                let all: Vec<&Text> = behind(call, parsed, 2)
                    .iter()
                    .skip_while(|word| {
                        matches!(word.text.as_str(), "--recursive" | "-q" | "--quiet")
                    })
                    .collect();
                let code = crate::call::joined(&all, call.span);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
            "clone" | "fetch" | "pull" | "ls-remote" => {
                for word in &rest {
                    self.git_transport(word);
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
            _ => {}
        }
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

    /// `git checkout -- FILE`, `git checkout REVISION FILE`, `git checkout FILE` throw changes away.
    fn git_checkout(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, rest: &[Text]) {
        if ["create", "patch", "side"]
            .iter()
            .any(|flag| parsed.has(flag))
        {
            return;
        }
        let marked = call
            .args
            .iter()
            .position(|arg| arg.text == "--")
            .is_some_and(|at| call.args.len() > at + 1);
        let certainty = match rest {
            _ if marked || parsed.has("pathspec") => Certainty::Proven,
            [_, _, ..] => Certainty::Likely,
            [one] if is_pathspec(&one.text) => Certainty::Likely,
            _ => return,
        };
        self.emit(
            EffectKind::HistoryLoss {
                what: "uncommitted".to_owned(),
            },
            call.span,
            certainty,
        );
    }

    /// An alias stands for another command of git, or for shell code.
    fn git_alias(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
        settings: &[(String, Option<Text>)],
        value: &Text,
        at: usize,
    ) -> Stream {
        let behind = call.args.get(at + 1..).unwrap_or_default();
        if value.text.starts_with('!') {
            let code = value.after(1);
            let mut all = vec![&code];
            all.extend(behind);
            let code = crate::call::joined(&all, call.span);
            return self.shell_code(&code, Dialect::Sh, call.stdin, true);
        }
        let mut all = vec![Text::known("git", call.span)];
        for other in parsed.values("config") {
            // The alias itself is used up: one that names itself would never end.
            let name = other.text.split('=').next().unwrap_or("");
            let same = settings.iter().any(|(known, held)| {
                held.as_ref().map(|held| held.text.as_str()) == Some(value.text.as_str())
                    && known.eq_ignore_ascii_case(name)
            });
            if !same && all.len() < 64 {
                all.push(Text::known("-c", call.span));
                all.push(other.clone());
            }
        }
        all.extend(
            value
                .text
                .split_whitespace()
                .map(|word| Text::known(word.trim_matches(['"', '\'']), value.span)),
        );
        all.extend(behind.iter().cloned());
        self.call(&all, Vec::new(), call.stdin, call.span)
    }

    /// Settings that take the brakes off the command they stand in front of.
    fn git_settings_that_lose(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
        settings: &[(String, Option<Text>)],
        sub: &str,
    ) {
        let set = |wanted: &str, values: &[&str]| {
            settings.iter().any(|(name, value)| {
                name == wanted
                    && value
                        .as_ref()
                        .is_some_and(|value| values.contains(&value.text.as_str()))
            })
        };
        let now = ["now", "all", "0"];
        let what = match sub {
            "clean"
                if set("clean.requireforce", &["false", "0", "no", "off"])
                    && !parsed.has("dry")
                    && !parsed.has("force") =>
            {
                "untracked"
            }
            "gc" if set("gc.pruneexpire", &now)
                || set("gc.reflogexpire", &now)
                || set("gc.reflogexpireunreachable", &now) =>
            {
                "unreachable"
            }
            _ => return,
        };
        self.emit(
            EffectKind::HistoryLoss {
                what: what.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }
}

/// The arguments behind so many operands, as they are written.
fn behind<'a>(call: &Call<'a>, parsed: &Parsed<'_>, operands: usize) -> &'a [Text] {
    let at = operands
        .checked_sub(1)
        .and_then(|last| parsed.operands.get(last))
        .map_or(call.args.len(), |(at, _)| at + 1);
    call.args.get(at..).unwrap_or_default()
}

/// A single operand of `git checkout` that names files, not a branch.
fn is_pathspec(text: &str) -> bool {
    if matches!(text, "." | ".." | ":/" | "*") || text.starts_with("./") || text.starts_with("../")
    {
        return true;
    }
    if text.starts_with(":(") || text.starts_with(":/") || text.starts_with(":!") {
        return true;
    }
    if text.contains(['*', '?']) || text.ends_with('/') {
        return true;
    }
    // A name with an ending of letters; versions end in digits.
    let name = crate::paths::base_name(text);
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (1..=5).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_lowercase())
            && !text.starts_with("origin/")
    })
}
