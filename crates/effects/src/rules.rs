//! Applies the rules of the knowledge tables.

use cmdai_schema::{Certainty, CodeSource, EffectKind, Span};

use crate::{
    analyser::Analyser,
    glob,
    knowledge::{Arg, Cond, Kind, Rule, Style, Template},
    options::Parsed,
    paths,
    script::Start,
    value::Text,
};

impl Analyser<'_> {
    /// Notes the effects of all rules that match; true where one did.
    pub(crate) fn apply_rules(&mut self, parsed: &mut Parsed<'_>, span: Span) -> bool {
        let mut fired = false;
        for rule in parsed.program.rules {
            if parsed.operands.len() >= rule.on.len() && rule_matches(rule, parsed) {
                parsed.skip = rule.on.len();
                if rule.when.iter().all(|condition| holds(condition, parsed)) {
                    fired = true;
                    for template in rule.effects {
                        self.apply(template, parsed, span);
                    }
                }
                parsed.skip = 0;
            }
        }
        fired
    }

    fn apply(&mut self, template: &Template, parsed: &Parsed<'_>, span: Span) {
        if template.kind == Kind::Exec {
            self.run_rest(template, parsed, span);
            return;
        }
        // The first argument that stands for several makes one effect for each.
        let many = template
            .args
            .first()
            .copied()
            .filter(|arg| matches!(arg, Arg::From(_) | Arg::AllButLast));
        let second: Option<Vec<Text>> = template.args.get(1).map(|&arg| collect(arg, parsed, span));
        let third: Option<Vec<Text>> = template.args.get(2).map(|&arg| collect(arg, parsed, span));
        let firsts = match (many, template.args.first()) {
            (Some(arg), _) | (None, Some(&arg)) => collect(arg, parsed, span),
            (None, None) => vec![Text::known(parsed.program.name.text(), span)],
        };
        let seconds: Vec<Option<&Text>> = match &second {
            Some(all)
                if template
                    .args
                    .get(1)
                    .is_some_and(|arg| matches!(arg, Arg::From(_))) =>
            {
                all.iter().map(Some).collect()
            }
            Some(all) => vec![all.first()],
            None => vec![None],
        };
        let third = third.as_ref().and_then(|all| all.first());
        for first in &firsts {
            for second in &seconds {
                self.apply_one(template.kind, parsed, first, *second, third, span);
            }
        }
    }

    /// `heroku run PROGRAM…`, `kamal server exec 'CODE'`
    fn run_rest(&mut self, template: &Template, parsed: &Parsed<'_>, span: Span) {
        let number = match template.args.first() {
            Some(Arg::Nth(number)) => usize::from(*number),
            _ => 1,
        };
        let Some(&(at, text)) = parsed.operands.get(parsed.skip + number.saturating_sub(1)) else {
            return;
        };
        let rest = parsed.args.get(at..).unwrap_or_default();
        let last = parsed.operands.last().is_some_and(|(last, _)| *last == at);
        if last && text.text.contains(' ') {
            let dialect = self.dialect;
            self.shell_code(text, dialect, &crate::value::Stream::Empty, true);
        } else {
            self.call(rest, Vec::new(), &crate::value::Stream::Empty, span);
        }
    }

    fn apply_one(
        &mut self,
        kind: Kind,
        parsed: &Parsed<'_>,
        first: &Text,
        second: Option<&Text>,
        third: Option<&Text>,
        span: Span,
    ) {
        let at = if first.span == Span::default() {
            span
        } else {
            first.span
        };
        let recursive = parsed.has("recursive");
        let text = first.text.clone();
        let also = || second.map(|text| text.text.clone()).unwrap_or_default();
        let sure = if first.known {
            Certainty::Proven
        } else {
            Certainty::Likely
        };
        let context = || parsed.context();
        let called = self.chain.last().cloned().unwrap_or_default();
        let provider = || {
            if parsed.program.provider.is_empty() {
                called.clone()
            } else {
                parsed.program.provider.text().to_owned()
            }
        };
        let kind = match kind {
            Kind::Delete | Kind::DeleteTree => {
                // `yes | rm -i`: the questions are answered before they are asked.
                let force = parsed.has("force") || self.fed && parsed.has("interactive");
                let recursive = recursive || kind == Kind::DeleteTree;
                return self.delete_path(first, recursive, force, span);
            }
            Kind::Overwrite => return self.write_path(first, false, span),
            Kind::Write => return self.write_path(first, true, span),
            Kind::Read => {
                self.read_path(first, at);
                return;
            }
            Kind::ReadSecret => EffectKind::ReadSecret { path: text },
            Kind::Move => {
                if let Some(to) = second {
                    self.move_path(first, to, span);
                }
                return;
            }
            Kind::CopyTo => {
                let sources: Vec<&Text> = parsed.rest().collect();
                self.copy_to(first, &sources, span);
                return;
            }
            Kind::Chmod => {
                if let Some(path) = second {
                    self.change_mode(path, &text, recursive, span);
                }
                return;
            }
            Kind::Chown => {
                if let Some(path) = second {
                    self.change_owner(path, &text, recursive, span);
                }
                return;
            }
            Kind::Device => EffectKind::DeviceWrite {
                path: self.absolute(&text),
            },
            Kind::Format => EffectKind::Format {
                path: self.absolute(&text),
            },
            Kind::Mount => EffectKind::Mount {
                path: self.absolute(&text),
            },
            Kind::RunFile => {
                let language = if second.is_some() {
                    also()
                } else {
                    parsed.program.name.text().to_owned()
                };
                self.script_file(first, &language, None, at);
                return;
            }
            Kind::RunRemote => EffectKind::RunCode {
                source: CodeSource::Remote(text),
                language: also(),
            },
            Kind::RunUnknown => {
                self.emit_code(CodeSource::Unknown, &text, span);
                return;
            }
            Kind::Shell => {
                let dialect = self.dialect;
                self.shell_code(first, dialect, &crate::value::Stream::Empty, true);
                return;
            }
            Kind::Code => {
                match second {
                    Some(code) if text == "sql" => {
                        let (code, provider, context) = (code.clone(), provider(), context());
                        self.sql(&code, &provider, context.as_ref());
                    }
                    Some(code) => {
                        self.inline_code(&text, code, Start::EMPTY);
                    }
                    None => {}
                }
                return;
            }
            Kind::Download => {
                if let Some(to) = second {
                    self.write_path(to, false, span);
                    let path = self.absolute(&to.text);
                    let content =
                        crate::value::Stream::Tainted(crate::value::Taint::Remote(text.clone()));
                    self.env.write_file(&path, content, false);
                }
                EffectKind::Download {
                    url: text,
                    to: second.map(|to| self.absolute(&to.text)),
                }
            }
            Kind::Upload => {
                let source = if text == "-" {
                    text
                } else {
                    self.absolute(&text)
                };
                EffectKind::Upload {
                    source,
                    destination: also(),
                }
            }
            Kind::Listen => EffectKind::Listen { address: text },
            Kind::Connect => EffectKind::Connect { address: text },
            Kind::Escalate => EffectKind::Escalate { to: text },
            Kind::AddUser => EffectKind::AddUser { name: text },
            Kind::Credential => EffectKind::ChangeCredential { subject: text },
            Kind::Persist => EffectKind::Persistence {
                mechanism: text,
                path: second.map(|path| self.absolute(&path.text)),
            },
            Kind::Disable => EffectKind::DisableSecurity {
                what: if second.is_some() {
                    format!("{text} {}", also())
                } else {
                    text
                },
            },
            Kind::Tamper => {
                if text == "history" {
                    EffectKind::TamperLog {
                        path: format!("{}/.bash_history", self.home()),
                    }
                } else if text.contains(':') {
                    // Not a file: `aws:cloudtrail`.
                    EffectKind::TamperLog { path: text }
                } else {
                    EffectKind::TamperLog {
                        path: self.absolute(&text),
                    }
                }
            }
            Kind::KernelModule => EffectKind::KernelModule { name: text },
            Kind::HistoryLoss => EffectKind::HistoryLoss {
                what: if second.is_some() {
                    format!("{text} {}", also())
                } else {
                    text
                },
            },
            Kind::ForcePush => EffectKind::ForcePush {
                remote: text,
                branch: also(),
            },
            Kind::BranchDelete => EffectKind::BranchDelete {
                branch: text,
                remote: second.map(|remote| remote.text.clone()),
            },
            Kind::Destroy => EffectKind::ResourceDestroy {
                resource: text,
                name: also(),
                provider: provider(),
                context: context(),
            },
            Kind::Change => EffectKind::ResourceChange {
                resource: text,
                name: also(),
                provider: provider(),
                context: context(),
            },
            Kind::Install => EffectKind::PackageInstall {
                manager: called,
                source: second.map_or_else(
                    || package_source(&text).to_owned(),
                    |source| source.text.clone(),
                ),
                name: text,
            },
            Kind::Service => {
                if paths::base_name(&text).starts_with("cmdai")
                    && matches!(also().as_str(), "stop" | "disable" | "mask" | "kill")
                {
                    self.emit(
                        EffectKind::DisableSecurity {
                            what: "cmdai".to_owned(),
                        },
                        span,
                        Certainty::Proven,
                    );
                }
                if let Some(what) =
                    crate::programs::protective(&text).filter(|what| *what != "cmdai")
                    && matches!(also().as_str(), "stop" | "disable" | "mask" | "kill")
                {
                    self.emit(
                        EffectKind::DisableSecurity {
                            what: what.to_owned(),
                        },
                        span,
                        Certainty::Proven,
                    );
                }
                EffectKind::ServiceControl {
                    service: text,
                    action: also(),
                }
            }
            Kind::Kill | Kind::KillAll => {
                if text.contains("cmdai") {
                    self.emit(
                        EffectKind::DisableSecurity {
                            what: "cmdai".to_owned(),
                        },
                        span,
                        Certainty::Proven,
                    );
                }
                EffectKind::ProcessKill {
                    all: kind == Kind::KillAll || matches!(text.as_str(), "-1"),
                    target: text,
                }
            }
            Kind::Power => EffectKind::Power { action: text },
            Kind::Exhaust => EffectKind::ResourceExhaustion { how: text },
            Kind::Calm | Kind::Exec => return,
            Kind::Unknown => {
                self.emit(
                    EffectKind::Unknown {
                        why: text.replace('_', " "),
                    },
                    span,
                    Certainty::Unknown,
                );
                return;
            }
        };
        let _ = third;
        self.emit(kind, span, sure);
    }

    /// Copies of sources arrive at a target: a file, or a folder.
    pub(crate) fn copy_to(&mut self, target: &Text, sources: &[&Text], span: Span) {
        self.write_path(target, false, span);
        // Into a folder of something that runs later, under the source's name.
        for source in sources {
            if std::ptr::eq(*source, target) {
                continue;
            }
            let inside = format!(
                "{}/{}",
                self.absolute(&target.text),
                paths::base_name(&source.text)
            );
            if paths::persistence(&inside).is_some()
                && paths::persistence(&self.absolute(&target.text)).is_none()
            {
                let inner = Text {
                    text: inside,
                    known: target.known && source.known,
                    span: target.span,
                    ..Text::default()
                };
                self.write_path(&inner, false, span);
            }
        }
        if let [source, _] = sources {
            let (from, to) = (self.absolute(&source.text), self.absolute(&target.text));
            if let Some(content) = self.env.file(&from).cloned() {
                self.env.write_file(&to, content, false);
            } else if crate::programs::is_system_program(&from)
                && self.env.copies.len() < MAX_COPIES
            {
                let to = if target.text.ends_with('/') || matches!(target.text.as_str(), "." | "..")
                {
                    format!("{to}/{}", paths::base_name(&from))
                } else {
                    to
                };
                self.env.copies.push((to, from));
            }
        }
    }
}

/// Most copies of programs that are followed.
const MAX_COPIES: usize = 16;

/// True where the case of letters means nothing.
fn any_case(parsed: &Parsed<'_>) -> bool {
    matches!(parsed.program.style, Style::Cmdlet | Style::Slash)
}

fn rule_matches(rule: &Rule, parsed: &Parsed<'_>) -> bool {
    rule.on
        .iter()
        .zip(&parsed.operands)
        .all(|(choices, (_, text))| {
            choices.iter().any(|choice| match choice.strip_suffix('*') {
                Some(start) => text.text.starts_with(start),
                None => {
                    *choice == text.text.as_str()
                        || any_case(parsed) && text.text.eq_ignore_ascii_case(choice)
                }
            })
        })
}

fn holds(condition: &Cond, parsed: &Parsed<'_>) -> bool {
    match condition {
        Cond::Has(flag) => parsed.has(flag),
        Cond::Lacks(flag) => !parsed.has(flag),
        Cond::AtLeast(count) => parsed.rest().len() >= usize::from(*count),
        Cond::Fewer(count) => parsed.rest().len() < usize::from(*count),
        Cond::Matches(arg, patterns, negated) => {
            let texts = collect(*arg, parsed, Span::default());
            let hit = texts.iter().any(|text| {
                patterns.iter().any(|pattern| {
                    if any_case(parsed) {
                        // Patterns of such programs are written in lower case, with slashes.
                        let lower = text.text.to_ascii_lowercase().replace('\\', "/");
                        glob::matches(pattern, &lower)
                    } else {
                        glob::matches(pattern, &text.text)
                    }
                })
            });
            hit != *negated
        }
    }
}

fn collect(arg: Arg, parsed: &Parsed<'_>, span: Span) -> Vec<Text> {
    match arg {
        Arg::Text(text) => vec![Text::known(text.text(), Span::default())],
        Arg::Nth(number) => parsed
            .nth(usize::from(number))
            .cloned()
            .into_iter()
            .collect(),
        Arg::NthOr(number, default) => vec![
            parsed
                .nth(usize::from(number))
                .cloned()
                .unwrap_or_else(|| Text::known(default.text(), Span::default())),
        ],
        Arg::From(number) => parsed
            .rest()
            .skip(usize::from(number).saturating_sub(1))
            .cloned()
            .collect(),
        Arg::Last => parsed.rest().last().cloned().into_iter().collect(),
        Arg::AllButLast => parsed.rest().rev().skip(1).rev().cloned().collect(),
        Arg::Joined => {
            let all: Vec<&Text> = parsed.rest().collect();
            if all.is_empty() {
                return Vec::new();
            }
            vec![crate::call::joined(&all, span)]
        }
        Arg::Noun => parsed
            .operands
            .get(..parsed.skip)
            .unwrap_or_default()
            .iter()
            .rev()
            .map(|(_, text)| (*text).clone())
            .find(|text| crate::programs::is_noun(&text.text))
            .into_iter()
            .collect(),
        Arg::Opt(flag) => parsed.values(flag.text()).cloned().collect(),
        Arg::OptOr(flag, default) => vec![
            parsed
                .value(&flag)
                .cloned()
                .unwrap_or_else(|| Text::known(default.text(), Span::default())),
        ],
    }
}

fn package_source(name: &str) -> &'static str {
    if name.contains("://")
        || name.starts_with("git+")
        || name.starts_with("github:")
        || name.starts_with("git@")
    {
        "url"
    } else if name.starts_with(['.', '/', '~'])
        || name.ends_with(".deb")
        || name.ends_with(".rpm")
        || name.ends_with(".whl")
        || name.ends_with(".tgz")
    {
        "file"
    } else {
        "registry"
    }
}
