//! Comparing a pattern with resolved program calls.

use cmdai_schema::{Analysis, CodeSource, EffectKind, Invocation, Span};

use super::{Flag, INTERPRETERS, SAME_FLAGS, Shape, Stage, WORD_FLAGS, glob};

impl Shape {
    /// The span of the part that fits, if one does.
    pub(crate) fn find(&self, analysis: &Analysis, home: Option<&str>) -> Option<Span> {
        let (first, rest) = self.stages.split_first()?;
        for (at, call) in analysis.invocations.iter().enumerate() {
            if !first.fits(call, home) {
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
                call.pipeline == first.pipeline && call.stage > last.stage && stage.fits(call, home)
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
    fn fits(&self, call: &Invocation, home: Option<&str>) -> bool {
        let name = if self.program.contains('/') {
            &call.word
        } else {
            &call.program
        };
        if name.is_empty() || !glob::word(&self.program, name) {
            return false;
        }
        let wrappers = call.chain.split_last().map_or(&[][..], |(_, outer)| outer);
        self.through
            .iter()
            .all(|wrapper| wrappers.contains(wrapper))
            && self.flags.iter().all(|flag| has_flag(flag, call))
            && self.has_words(call, home)
    }

    fn has_words(&self, call: &Invocation, home: Option<&str>) -> bool {
        let Some(first_word) = self.words.first() else {
            return true;
        };
        let operands = operands(call);
        let mut from = 0;
        if self.anchored {
            // The first operand, where values of flags may stand in front of it.
            let mut place = None;
            for (i, operand) in operands.iter().enumerate() {
                if fits_word(first_word, operand.text, home) {
                    place = Some(i);
                    break;
                }
                if !operand.after_flag {
                    break;
                }
            }
            let Some(place) = place else { return false };
            from = place + 1;
        }
        let mut words = self.words.iter().skip(usize::from(self.anchored));
        let mut wanted = words.next();
        for operand in operands.iter().skip(from) {
            let Some(word) = wanted else { return true };
            if fits_word(word, operand.text, home) {
                wanted = words.next();
            }
        }
        wanted.is_none()
    }
}

struct Operand<'a> {
    text: &'a str,
    after_flag: bool,
}

fn operands(call: &Invocation) -> Vec<Operand<'_>> {
    let mut out = Vec::with_capacity(call.args.len());
    let (mut after_flag, mut only_operands) = (false, false);
    for arg in &call.args {
        let text = arg.text();
        if !only_operands && text == "--" {
            only_operands = true;
            after_flag = false;
        } else if !only_operands && text.starts_with('-') && text.len() > 1 {
            after_flag = !text.contains('=');
        } else {
            if arg.value.is_some() {
                out.push(Operand { text, after_flag });
            }
            after_flag = false;
        }
    }
    out
}

fn fits_word(pattern: &str, text: &str, home: Option<&str>) -> bool {
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

/// `//`, `/./` and a trailing slash say nothing.
fn tidy(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (i, part) in path.split('/').enumerate() {
        if i > 0 && (part.is_empty() || part == ".") {
            continue;
        }
        if i > 0 {
            out.push('/');
        }
        out.push_str(part);
    }
    if out.is_empty() && path.starts_with('/') {
        "/".to_owned()
    } else {
        out
    }
}

fn same_long(program: &str, letter: char) -> impl Iterator<Item = &'static str> {
    SAME_FLAGS
        .iter()
        .filter(move |(programs, short, _)| *short == letter && programs.contains(&program))
        .map(|(_, _, long)| *long)
}

fn same_short(program: &str, long: &str) -> impl Iterator<Item = char> {
    SAME_FLAGS
        .iter()
        .filter(move |(programs, _, name)| *name == long && programs.contains(&program))
        .map(|(_, short, _)| *short)
}

fn flags(call: &Invocation) -> impl Iterator<Item = (usize, &str)> {
    let end = call
        .args
        .iter()
        .position(|arg| arg.text() == "--")
        .unwrap_or(call.args.len());
    call.args
        .iter()
        .enumerate()
        .take(end)
        .map(|(i, arg)| (i, arg.text()))
        .filter(|(_, text)| text.starts_with('-') && text.len() > 1)
}

pub(super) fn has_flag(flag: &Flag, call: &Invocation) -> bool {
    let program = call.program.as_str();
    match flag {
        Flag::Long(name, value) => {
            has_long(call, name, value.as_deref())
                || (value.is_none()
                    && same_short(program, name).any(|letter| has_letter(call, letter)))
        }
        Flag::Letters(letters) => {
            has_long(call, letters, None)
                || (!WORD_FLAGS.contains(&program)
                    && letters.chars().all(|letter| {
                        has_letter(call, letter)
                            || same_long(program, letter).any(|long| has_long(call, long, None))
                    }))
        }
    }
}

fn has_long(call: &Invocation, name: &str, value: Option<&str>) -> bool {
    flags(call).any(|(i, text)| {
        let text = text.trim_start_matches('-');
        let (given, inline) = text
            .split_once('=')
            .map_or((text, None), |(given, inline)| (given, Some(inline)));
        if !glob::word(name, given) {
            return false;
        }
        match (value, inline) {
            (None, Some(inline)) => inline != "false",
            (None, None) => true,
            (Some(want), Some(inline)) => glob::word(want, inline),
            (Some(want), None) => call
                .args
                .get(i + 1)
                .is_some_and(|arg| arg.value.is_some() && glob::word(want, arg.text())),
        }
    })
}

fn has_letter(call: &Invocation, letter: char) -> bool {
    flags(call).any(|(_, text)| {
        let Some(group) = text
            .strip_prefix('-')
            .filter(|group| !group.starts_with('-'))
        else {
            return false;
        };
        let joined = group.len() <= 6 && group.chars().all(|c| c.is_ascii_alphabetic());
        if joined && !WORD_FLAGS.contains(&call.program.as_str()) {
            group.contains(letter)
        } else {
            group.starts_with(letter) && group.len() > 1 || group.chars().eq([letter])
        }
    })
}

/// Whether a call gives a flag, such as `--lock=true` or `-f`.
pub(crate) fn gives_flag(flag: &str, call: &Invocation) -> bool {
    let shape = Shape::of_args(&[flag.to_owned()]);
    shape
        .stages
        .first()
        .is_some_and(|stage| stage.flags.iter().all(|flag| has_flag(flag, call)))
}

/// Whether the arguments that a rule names are all there.
pub(crate) fn has_args(shape: &Shape, call: &Invocation, home: Option<&str>) -> bool {
    shape.stages.first().is_none_or(|stage| {
        stage.flags.iter().all(|flag| has_flag(flag, call)) && stage.has_words(call, home)
    })
}
