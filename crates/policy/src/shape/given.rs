//! The arguments of a call, told apart: options with their values, and operands.

use cmdai_schema::{Arg, Invocation};

use super::options;

/// An argument, or an option with its value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// An option as it was written.
    Option(Written<'a>),
    /// A word that is no option.
    Operand {
        arg: &'a Arg,
        /// It may be the value of an option that is not listed.
        after_option: bool,
    },
}

/// An option as it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    /// Without dashes and without what follows `=`.
    pub(super) name: &'a str,
    /// What follows `=`.
    pub(super) inline: Option<&'a str>,
    /// Letters behind a single dash, where it can be read so.
    pub(super) letters: Option<&'a str>,
    /// The argument behind it; its value where it takes one.
    pub(super) next: Option<&'a Arg>,
}

impl<'a> Written<'a> {
    /// Its value, where it takes one.
    pub(super) fn value(&self) -> Option<&'a str> {
        self.inline.or_else(|| self.next.map(Arg::text))
    }
}

/// A call as a pattern sees it.
pub(super) struct Call<'a> {
    pub(super) call: &'a Invocation,
    pub(super) family: &'a str,
    pub(super) known: options::Known,
    /// The first operand.
    pub(super) subcommand: Option<&'a str>,
    pub(super) given: Vec<Given<'a>>,
}

impl<'a> Call<'a> {
    /// Reads the arguments of a call.
    pub(super) fn of(call: &'a Invocation) -> Self {
        Self::with(call, &call.program, &call.args)
    }

    /// Reads these arguments as those of a program of this name.
    pub(super) fn with(call: &'a Invocation, program: &'a str, args: &'a [Arg]) -> Self {
        let family = options::family(program);
        let mut out = Self {
            call,
            family,
            known: options::Known::of(family),
            subcommand: None,
            given: Vec::with_capacity(args.len()),
        };
        out.read(args);
        out
    }

    fn read(&mut self, args: &'a [Arg]) {
        let words = options::has_word_options(self.family);
        let (mut operands, mut after_option) = (0, false);
        let mut rest = args.iter().peekable();
        while let Some(arg) = rest.next() {
            let text = arg.text();
            if text == "--" {
                break;
            }
            if !text.starts_with('-') || text.len() < 2 {
                if arg.value.is_some() {
                    // `docker container run` is `docker run`.
                    let management = operands == 0
                        && text == "container"
                        && matches!(self.family, "docker" | "podman" | "nerdctl");
                    if !management {
                        if self.subcommand.is_none() && !after_option {
                            self.subcommand = Some(text);
                        }
                        self.given.push(Given::Operand { arg, after_option });
                        operands += usize::from(!after_option);
                    }
                }
                after_option = false;
                if options::options_end(self.family, self.subcommand, operands) {
                    break;
                }
                continue;
            }
            let double = text.starts_with("--");
            let bare = text.trim_start_matches('-');
            let (name, inline) = match bare.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (bare, None),
            };
            let next = rest.peek().copied().filter(|arg| arg.value.is_some());
            self.given.push(Given::Option(Written {
                name,
                inline,
                letters: (!double && !words).then(|| text.get(1..).unwrap_or("")),
                next,
            }));
            let takes = if inline.is_some() {
                false
            } else if double || words {
                self.known.long_takes_value(self.subcommand, name)
            } else {
                self.last_letter_takes(bare)
            };
            if takes {
                rest.next();
            }
            after_option = !takes && inline.is_none();
        }
        // Behind `--` and behind the end of options all words are operands.
        for arg in rest.filter(|arg| arg.value.is_some()) {
            self.given.push(Given::Operand {
                arg,
                after_option: false,
            });
        }
    }

    /// True where the group ends in a letter that takes the next word, `-sX`.
    fn last_letter_takes(&self, group: &str) -> bool {
        group
            .char_indices()
            .find(|(_, letter)| self.known.letter_takes_value(self.subcommand, *letter))
            .is_some_and(|(at, letter)| at + letter.len_utf8() == group.len())
    }

    pub(super) fn options(&self) -> impl Iterator<Item = &Written<'a>> {
        self.given.iter().filter_map(|given| match given {
            Given::Option(written) => Some(written),
            Given::Operand { .. } => None,
        })
    }

    pub(super) fn operands(&self) -> impl Iterator<Item = (&'a Arg, bool)> + '_ {
        self.given.iter().filter_map(|given| match given {
            Given::Operand { arg, after_option } => Some((*arg, *after_option)),
            Given::Option(_) => None,
        })
    }

    /// The value that follows this letter in a group: `Some(None)` where it has none.
    pub(super) fn letter(&self, written: &Written<'a>, wanted: char) -> Option<Option<&'a str>> {
        let group = written.letters?;
        let plain = group.len() <= 6 && group.chars().all(|c| c.is_ascii_alphabetic());
        for (at, letter) in group.char_indices() {
            let behind = group.get(at + letter.len_utf8()..).unwrap_or("");
            let takes = self.known.letter_takes_value(self.subcommand, letter);
            if self.known.same_letter(self.subcommand, wanted, letter) {
                return Some(match behind {
                    "" => written.next.map(Arg::text),
                    value if takes || !plain => Some(value.strip_prefix('=').unwrap_or(value)),
                    _ => None,
                });
            }
            // The rest is the value of this letter, or no group of letters at all.
            if takes || !plain {
                return None;
            }
        }
        None
    }
}
