//! Comparing a pattern with resolved program calls.

use cmdai_schema::{Analysis, Arg, CodeSource, EffectKind, Invocation, Span};

use super::given::Call;
use super::{Flag, INTERPRETERS, Shape, Stage, glob, options};

impl Shape {
    /// The span of the part that fits, if one does.
    pub(crate) fn find(&self, analysis: &Analysis, home: Option<&str>) -> Option<Span> {
        let (first, rest) = self.stages.split_first()?;
        for (at, call) in analysis.invocations.iter().enumerate() {
            if !first.fits(call, analysis, home) {
                continue;
            }
            let Some(span) = follow(rest, analysis, at, home) else {
                continue;
            };
            return Some(span);
        }
        None
    }
}

/// The span from the call at `at` through calls in later stages that fit the rest.
fn follow(rest: &[Stage], analysis: &Analysis, at: usize, home: Option<&str>) -> Option<Span> {
    let first = analysis.invocations.get(at)?;
    let mut last = first;
    for (number, stage) in rest.iter().enumerate() {
        let next = analysis
            .invocations
            .iter()
            .filter(|call| {
                call.pipeline == first.pipeline
                    && call.stage > last.stage
                    && stage.fits(call, analysis, home)
            })
            .min_by_key(|call| call.stage);
        match next {
            Some(call) => last = call,
            None if number + 1 == rest.len() => return fed(stage, first, analysis),
            None => return None,
        }
    }
    Some(join(first.span, last.span))
}

/// `bash <(curl …)`, `bash -c "$(curl …)"`: fed without a pipe.
fn fed(stage: &Stage, feeder: &Invocation, analysis: &Analysis) -> Option<Span> {
    if !INTERPRETERS.contains(&stage.program.as_str()) || !stage.words.is_empty() {
        return None;
    }
    let unseen =
        |source: &CodeSource| matches!(source, CodeSource::Remote(_) | CodeSource::Unknown);
    let effect = analysis.effects.iter().find(|effect| {
        let EffectKind::RunCode { source, .. } = &effect.kind else {
            return false;
        };
        // The feeder stands within the call that runs what it prints.
        let within = analysis.invocations.iter().any(|call| {
            call.program == stage.program
                && call.span.start <= feeder.span.start
                && feeder.span.end <= call.span.end
        });
        effect.chain.contains(&stage.program)
            && (matches!(source, CodeSource::Remote(_)) || (unseen(source) && within))
    })?;
    Some(join(feeder.span, effect.span))
}

fn join(a: Span, b: Span) -> Span {
    Span {
        start: a.start.min(b.start),
        end: a.end.max(b.end),
    }
}

impl Stage {
    fn fits(&self, call: &Invocation, analysis: &Analysis, home: Option<&str>) -> bool {
        let wrappers = call.chain.split_last().map_or(&[][..], |(_, outer)| outer);
        if !self
            .through
            .iter()
            .all(|wrapper| wrappers.contains(wrapper))
        {
            return false;
        }
        let by_path = self.program.contains('/');
        let name = if by_path { &call.word } else { &call.program };
        if !name.is_empty() && glob::word(&self.program, name) {
            return self.fits_arguments(&Call::of(call), analysis, home);
        }
        // `bash ./deploy.sh --prod` runs `./deploy.sh --prod`.
        if by_path && INTERPRETERS.contains(&call.program.as_str()) {
            let at = call.args.iter().position(|arg| {
                !arg.text().starts_with('-') && glob::word(&self.program, arg.text())
            });
            return at.is_some_and(|at| {
                let before = call.args.get(..at).unwrap_or_default();
                let behind = call.args.get(at + 1..).unwrap_or_default();
                before.iter().all(|arg| arg.text().starts_with('-'))
                    && self.fits_arguments(&Call::with(call, &self.program, behind), analysis, home)
            });
        }
        false
    }

    fn fits_arguments(&self, call: &Call<'_>, analysis: &Analysis, home: Option<&str>) -> bool {
        self.flags.iter().all(|flag| has_flag(flag, call)) && self.has_words(call, analysis, home)
    }

    fn has_words(&self, call: &Call<'_>, analysis: &Analysis, home: Option<&str>) -> bool {
        let mut operands = call.operands();
        let mut words = self.words.iter();
        let fits = |word: &str, arg: &Arg| {
            let text = arg.text();
            let literal = text.contains(['*', '?']) && quoted(text, call.call, analysis);
            fits_word(word, text, literal, home) || resolved(word, arg, call.call, analysis, home)
        };
        if self.anchored
            && let Some(first) = words.next()
        {
            // The first operand, where values of options that are not known may stand in front.
            loop {
                match operands.next() {
                    Some((arg, _)) if fits(first, arg) => break,
                    Some((_, true)) => {}
                    _ => return false,
                }
            }
        }
        words.all(|word| operands.by_ref().any(|(arg, _)| fits(word, arg)))
    }
}

/// True where the `*` of an operand stands for itself. The effects know: they write it `\*`.
fn quoted(text: &str, call: &Invocation, analysis: &Analysis) -> bool {
    let last = text.rsplit('/').next().unwrap_or("");
    analysis.effects.iter().any(|effect| {
        crate::condition::causes(call, effect)
            && crate::reach::paths(&effect.kind)
                .any(|(path, _)| path.contains('\\') && path.replace('\\', "").ends_with(last))
    })
}

/// A relative operand, compared by where it leads: `cd /etc && cat shadow`. The effects know.
fn resolved(
    pattern: &str,
    arg: &Arg,
    call: &Invocation,
    analysis: &Analysis,
    home: Option<&str>,
) -> bool {
    let text = arg.text();
    if !pattern.starts_with(['/', '~']) || text.starts_with(['/', '~', '-']) || text.is_empty() {
        return false;
    }
    let last = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
    analysis.effects.iter().any(|effect| {
        crate::condition::causes(call, effect)
            && crate::reach::paths(&effect.kind).any(|(path, _)| {
                let own = effect.span == arg.span || last(path) == last(text);
                own && path.starts_with('/') && fits_word(pattern, path, path.contains('\\'), home)
            })
    })
}

fn fits_word(pattern: &str, text: &str, literal: bool, home: Option<&str>) -> bool {
    let plain;
    let text = if literal {
        // A quoted `*` or `?` stands for itself and for nothing else.
        plain = text.replace('\\', "").replace(['*', '?'], "\u{1}");
        plain.as_str()
    } else {
        text
    };
    let pathlike = |word: &str| word.starts_with(['/', '~', '.']) && !word.contains("://");
    if pathlike(pattern) || pathlike(text) {
        let text = tidy(text);
        if glob::path(pattern, &text, false, home)
            && !(pattern.ends_with("/*") && deeper(pattern, &text))
        {
            return true;
        }
        if let Some(rest) = pattern.strip_prefix('~') {
            return home.is_none()
                && (text.ends_with(rest)
                    && (text.starts_with("/home/") || text.starts_with("/root")));
        }
        return false;
    }
    glob::word(pattern, text)
}

/// In a command, `/*` names what lies directly in the folder.
fn deeper(pattern: &str, text: &str) -> bool {
    let slashes = |word: &str| word.bytes().filter(|b| *b == b'/').count();
    !pattern.contains("**") && slashes(text) > slashes(pattern)
}

/// `//`, `/./` and a trailing slash say nothing; `..` in an absolute path takes a folder back.
fn tidy(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for (i, part) in path.split('/').enumerate() {
        match part {
            "" | "." if i > 0 => {}
            ".." if absolute => {
                parts.pop().filter(|part| !part.is_empty());
                if parts.is_empty() {
                    parts.push("");
                }
            }
            _ => parts.push(part),
        }
    }
    match parts.as_slice() {
        [""] if absolute => "/".to_owned(),
        parts => parts.join("/"),
    }
}

fn value_fits(want: &str, given: Option<&str>) -> bool {
    given.is_some_and(|given| glob::word(want, given))
}

fn has_flag(flag: &Flag, call: &Call<'_>) -> bool {
    let (known, subcommand) = (&call.known, call.subcommand);
    match flag {
        Flag::Long(name, None) => {
            is_on(call, |given| glob::word(name, given))
                || known.shorts(subcommand, name).any(|letter| {
                    call.options()
                        .any(|given| call.letter(given, letter).is_some())
                })
        }
        Flag::Long(name, Some(want)) => {
            call.options()
                .any(|given| glob::word(name, given.name) && value_fits(want, given.value()))
                || known.shorts(subcommand, name).any(|letter| {
                    call.options().any(|given| {
                        call.letter(given, letter)
                            .is_some_and(|value| value_fits(want, value))
                    })
                })
        }
        Flag::Letters(letters) => {
            is_on(call, |given| given == letters)
                || (!options::has_word_options(call.family)
                    && letters.chars().all(|letter| {
                        call.options()
                            .any(|given| call.letter(given, letter).is_some())
                            || is_on(call, |given| known.is_short_for(subcommand, letter, given))
                    }))
        }
        Flag::Letter(letter, want) => call.options().any(|given| {
            call.letter(given, *letter)
                .is_some_and(|value| value_fits(want, value))
                || (known.is_short_for(subcommand, *letter, given.name)
                    && value_fits(want, given.value()))
        }),
    }
}

/// True where an option of a fitting name is given and not switched off.
fn is_on(call: &Call<'_>, fits: impl Fn(&str) -> bool) -> bool {
    call.options()
        .any(|given| fits(given.name) && given.inline != Some("false"))
}

/// Whether a call gives a flag, such as `--lock=true` or `-f`.
pub(crate) fn gives_flag(flag: &str, call: &Invocation) -> bool {
    let shape = Shape::of_args(&[flag.to_owned()]);
    let call = Call::of(call);
    shape
        .stages
        .first()
        .is_some_and(|stage| stage.flags.iter().all(|flag| has_flag(flag, &call)))
}

/// Whether the arguments that a rule names are all there.
pub(crate) fn has_args(
    shape: &Shape,
    call: &Invocation,
    analysis: &Analysis,
    home: Option<&str>,
) -> bool {
    shape
        .stages
        .first()
        .is_none_or(|stage| stage.fits_arguments(&Call::of(call), analysis, home))
}
