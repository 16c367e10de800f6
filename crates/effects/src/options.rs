//! Arguments to options and operands, by a program's grammar.

use std::borrow::Cow;

use crate::{
    knowledge::{Opt, Program, Style, Sub, Takes, Wrap},
    pool::List,
    value::Text,
};

/// The arguments of a call, sorted out.
pub(crate) struct Parsed<'a> {
    pub(crate) program: &'static Program,
    /// All of them, as given.
    pub(crate) args: &'a [Text],
    /// What is not an option, with its index among the arguments.
    pub(crate) operands: Vec<(usize, &'a Text)>,
    /// Options by what the rules call them, with their values.
    pub(crate) options: Vec<(Cow<'static, str>, Option<Text>)>,
    /// Words of subcommands that rules matched, at the start of the operands.
    pub(crate) skip: usize,
    /// A rule of the knowledge has said what the call does.
    pub(crate) settled: bool,
}

impl<'a> Parsed<'a> {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.options.iter().any(|(known, _)| known == flag)
    }

    pub(crate) fn value(&self, flag: &str) -> Option<&Text> {
        self.options
            .iter()
            .rev()
            .find(|(known, value)| known == flag && value.is_some())
            .and_then(|(_, value)| value.as_ref())
    }

    /// Where it happens: what the options that the program's entry names for it say, joined.
    pub(crate) fn context(&self) -> Option<String> {
        let mut out: Option<String> = None;
        for flag in self.program.context.split(' ') {
            if let Some(value) = self.value(flag) {
                match &mut out {
                    Some(out) => {
                        out.push('/');
                        out.push_str(&value.text);
                    }
                    None => out = Some(value.text.clone()),
                }
            }
        }
        out
    }

    pub(crate) fn values<'s>(&'s self, flag: &'s str) -> impl Iterator<Item = &'s Text> {
        self.options
            .iter()
            .filter(move |(known, _)| known == flag)
            .filter_map(|(_, value)| value.as_ref())
    }

    /// Operands after the subcommand, from 1.
    pub(crate) fn nth(&self, number: usize) -> Option<&'a Text> {
        self.operands
            .get(self.skip + number.checked_sub(1)?)
            .map(|(_, text)| *text)
    }

    /// Operands after the subcommand.
    pub(crate) fn rest(&self) -> impl DoubleEndedIterator<Item = &'a Text> + ExactSizeIterator {
        self.operands
            .get(self.skip..)
            .unwrap_or_default()
            .iter()
            .map(|(_, text)| *text)
    }

    /// The first operand as a subcommand.
    pub(crate) fn sub(&self) -> &str {
        self.operands
            .first()
            .map_or("", |(_, text)| text.text.as_str())
    }
}

/// Sorts the arguments out.
pub(crate) fn parse<'a>(program: &'static Program, args: &'a [Text]) -> Parsed<'a> {
    let mut parsed = Parsed {
        program,
        args,
        operands: Vec::with_capacity(args.len()),
        options: Vec::new(),
        skip: 0,
        settled: false,
    };
    if program.style == Style::Slash {
        slash(&mut parsed, args);
        return parsed;
    }
    let mut index = 0;
    let mut only_operands = program.style == Style::Raw;
    // A word may be the value of an option, or more than one word, so that no trial run is certain.
    let mut doubtful = false;
    while let Some(arg) = args.get(index) {
        let at = index;
        index += 1;
        let text = arg.text.as_str();
        let dashed = text.len() > 1
            && (text.starts_with('-')
                || text.starts_with('+') && declared(program, &parsed, text).is_some());
        if only_operands || !dashed {
            parsed.operands.push((at, arg));
            if program.style == Style::Posix && !leads_on(program, &parsed) {
                only_operands = true;
            }
            continue;
        }
        if text == "--" {
            only_operands = true;
            continue;
        }
        if text.starts_with("--") || program.style == Style::Long {
            let (name, attached) = match text.split_once('=') {
                Some((name, _)) => (name, Some(arg.after(name.len() + 1))),
                None => (text, None),
            };
            let found = declared(program, &parsed, name);
            doubtful |= found.is_none()
                && attached.is_none()
                && args
                    .get(index)
                    .is_some_and(|next| swallows(name)(next) || is_several(next));
            match found {
                Some(option) => {
                    let value = match (option.takes, attached) {
                        (_, Some(value)) => Some(value),
                        (Takes::Yes, None) => {
                            let value = args.get(index).cloned();
                            index += 1;
                            doubtful |= value.as_ref().is_some_and(is_several);
                            value
                        }
                        _ => None,
                    };
                    parsed
                        .options
                        .push((Cow::Borrowed(option.flag.text()), value));
                }
                None => parsed.options.push((
                    Cow::Owned(name.trim_start_matches('-').to_owned()),
                    attached,
                )),
            }
            continue;
        }
        // Short ones, perhaps joined.
        if let Some(option) = declared(program, &parsed, text) {
            let value = if option.takes == Takes::Yes {
                index += 1;
                args.get(index - 1).cloned()
            } else {
                None
            };
            parsed
                .options
                .push((Cow::Borrowed(option.flag.text()), value));
            continue;
        }
        for (at, letter) in text.char_indices().skip(1) {
            let mut name = [b'-', 0, 0, 0, 0];
            let len = match name.get_mut(1..) {
                Some(rest) => letter.encode_utf8(rest).len(),
                None => 0,
            };
            let name = name
                .get(..=len)
                .and_then(|name| std::str::from_utf8(name).ok())
                .unwrap_or("");
            match declared(program, &parsed, name) {
                Some(option) if option.takes != Takes::No => {
                    let from = at + letter.len_utf8();
                    let value = if from < text.len() {
                        Some(arg.after(from))
                    } else if option.takes == Takes::Yes {
                        index += 1;
                        args.get(index - 1).cloned()
                    } else {
                        None
                    };
                    parsed
                        .options
                        .push((Cow::Borrowed(option.flag.text()), value));
                    break;
                }
                Some(option) => parsed
                    .options
                    .push((Cow::Borrowed(option.flag.text()), None)),
                None => parsed.options.push((Cow::Owned(letter.to_string()), None)),
            }
        }
    }
    // `kubectl delete --raw` sends what it is given, whatever else is said.
    doubtful |= program.handler == "kubectl" && parsed.has("raw");
    no_trial(&mut parsed, doubtful);
    parsed
}

/// An option that the tables do not hold may take the trial run behind it as its value, unless its
/// name says that it stands alone.
fn swallows(name: &str) -> impl Fn(&Text) -> bool {
    const ALONE: &[&str] = &[
        "all",
        "allow",
        "auto",
        "color",
        "cascade",
        "create",
        "debug",
        "delete",
        "disable",
        "enable",
        "exclude",
        "fail",
        "force",
        "help",
        "hooks",
        "ignore",
        "include",
        "interactive",
        "json",
        "keep",
        "no",
        "non",
        "now",
        "only",
        "prune",
        "purge",
        "quiet",
        "recursive",
        "recurse",
        "remove",
        "reset",
        "show",
        "silent",
        "skip",
        "strict",
        "system",
        "update",
        "use",
        "verbose",
        "wait",
        "with",
        "without",
        "yes",
    ];
    let bare = name.trim_start_matches('-');
    let first = bare.split('-').next().unwrap_or(bare);
    let alone = is_trial(bare) || ALONE.contains(&first);
    move |next: &Text| {
        !alone
            && next
                .text
                .strip_prefix("--")
                .is_some_and(|next| is_trial(next) && next != "check")
    }
}

/// A value that the shell makes several words of: `*`, `$ARGS`. Any of them may be another option.
fn is_several(value: &Text) -> bool {
    if value.known {
        return value.glob && value.text.starts_with(['*', '?', '[']);
    }
    let upper = value.text.to_ascii_uppercase();
    ["ARGS", "OPTS", "FLAGS", "OPTIONS", "PARAMS"]
        .iter()
        .any(|word| upper.contains(word))
}

/// The operands so far are the words of a subcommand, or begin one: its options may follow.
fn leads_on(program: &'static Program, parsed: &Parsed<'_>) -> bool {
    program.subs.iter().any(|sub| {
        sub.on.len() >= parsed.operands.len()
            && sub
                .on
                .iter()
                .zip(&parsed.operands)
                .all(|(word, (_, text))| *word == text.text.as_str())
    })
}

/// What the subcommand runs, and where among the operands that begins.
pub(crate) fn wrap_of(parsed: &Parsed<'_>) -> Option<(Wrap, usize)> {
    let here = |sub: &&'static Sub| {
        sub.on.len() <= parsed.operands.len()
            && sub
                .on
                .iter()
                .zip(&parsed.operands)
                .all(|(word, (_, text))| *word == text.text.as_str())
    };
    let sub = parsed
        .program
        .subs
        .iter()
        .filter(here)
        .max_by_key(|sub| sub.on.len())?;
    sub.wrap
        .map(|wrap| (wrap, sub.on.len() + usize::from(wrap.skip)))
}

/// `/s`, `/name:value`, `/name value`, `-name`.
fn slash<'a>(parsed: &mut Parsed<'a>, args: &'a [Text]) {
    let mut index = 0;
    while let Some(arg) = args.get(index) {
        index += 1;
        let text = arg.text.as_str();
        let dashed = text.len() > 1
            && text.starts_with(['/', '-'])
            && !text
                .get(1..)
                .and_then(|rest| rest.split(':').next())
                .unwrap_or("")
                .contains(['/', '\\']);
        if !dashed {
            parsed.operands.push((index - 1, arg));
            continue;
        }
        let name = text.split([':', '=']).next().unwrap_or(text);
        let attached = (name.len() < text.len()).then(|| arg.after(name.len() + 1));
        let lower = format!("-{}", name.get(1..).unwrap_or("").to_ascii_lowercase());
        let option = parsed
            .program
            .options
            .iter()
            .find(|option| option.names.has(&lower));
        match option {
            Some(option) => {
                let value = match (option.takes, attached) {
                    (_, Some(value)) => Some(value),
                    (Takes::Yes, None) => {
                        index += 1;
                        args.get(index - 1).cloned()
                    }
                    _ => None,
                };
                parsed
                    .options
                    .push((Cow::Borrowed(option.flag.text()), value));
            }
            None => parsed.options.push((
                Cow::Owned(lower.trim_start_matches('-').to_owned()),
                attached,
            )),
        }
    }
}

/// A trial run that is switched off is none: `--dry-run=none`, `--dryrun=false`, `--dry-run=$MODE`.
/// So is one that another word may take away.
fn no_trial(parsed: &mut Parsed<'_>, doubtful: bool) {
    let off = |value: &Text| {
        !value.known
            || matches!(
                value.text.to_ascii_lowercase().as_str(),
                "none" | "false" | "0" | "no" | "off" | "f"
            )
    };
    let refused = |name: &str| name.strip_prefix("no-").is_some_and(is_trial);
    if doubtful
        || parsed
            .options
            .iter()
            .any(|(name, value)| refused(name) || is_trial(name) && value.as_ref().is_some_and(off))
    {
        parsed.options.retain(|(name, _)| !is_trial(name));
    }
}

fn is_trial(name: &str) -> bool {
    matches!(
        name,
        "dry" | "dry-run" | "dryrun" | "check" | "whatif" | "what-if"
    )
}

/// The grammar's entry for an option: the subcommand's first, then the program's.
fn declared(program: &'static Program, parsed: &Parsed<'_>, name: &str) -> Option<&'static Opt> {
    let of = |options: List<Opt>| options.into_iter().find(|option| option.names.has(name));
    let mut best: Option<&'static Opt> = None;
    let mut longest = 0;
    for sub in program.subs {
        let here = sub.on.len() <= parsed.operands.len()
            && sub
                .on
                .iter()
                .zip(&parsed.operands)
                .all(|(word, (_, text))| *word == text.text.as_str());
        if here
            && sub.on.len() > longest
            && let Some(option) = of(sub.options)
        {
            best = Some(option);
            longest = sub.on.len();
        }
    }
    best.or_else(|| of(program.options))
        // Programs that write `-name` take `--name` too.
        .or_else(|| {
            let short = name.get(1..).filter(|short| short.starts_with('-'))?;
            (program.style == Style::Long)
                .then(|| {
                    program
                        .options
                        .iter()
                        .find(|option| option.names.has(short))
                })
                .flatten()
        })
        .or_else(|| abbreviated(program, parsed, name))
}

/// A long option that is cut short, where only one begins so.
fn abbreviated(program: &'static Program, parsed: &Parsed<'_>, name: &str) -> Option<&'static Opt> {
    if !name.starts_with("--") || name.len() < 3 || program.style == Style::Long {
        return None;
    }
    let subs = program.subs.iter().filter(|sub| {
        sub.on.len() <= parsed.operands.len()
            && sub
                .on
                .iter()
                .zip(&parsed.operands)
                .all(|(word, (_, text))| *word == text.text.as_str())
    });
    let mut found: Option<&'static Opt> = None;
    for option in subs.flat_map(|sub| sub.options).chain(program.options) {
        if option.names.iter().any(|known| known.starts_with(name)) {
            if found.is_some_and(|found| found.flag != option.flag) {
                return None;
            }
            found = Some(option);
        }
    }
    found
}
