//! `read`, `mapfile` and `getopts`: where variables come from.

use crate::{
    analyser::{Analyser, Status},
    call::Call,
    state::Value,
    value::{Stream, Taint, Text},
};

/// Most lines that `mapfile` puts into an array.
const MAX_LINES: usize = 256;

/// What the options of `read` say.
struct Options<'a> {
    names: Vec<&'a Text>,
    array: bool,
    raw: bool,
    trim: bool,
    delimiter: char,
    count: Option<usize>,
    descriptor: Option<u32>,
}

fn options<'a>(call: &Call<'a>) -> Options<'a> {
    let mut out = Options {
        names: Vec::new(),
        array: false,
        raw: false,
        trim: false,
        delimiter: '\n',
        count: None,
        descriptor: None,
    };
    let maps = call.name != "read";
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.text.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            out.names.push(arg);
            continue;
        };
        for (at, letter) in letters.char_indices() {
            let takes = if maps {
                matches!(letter, 'd' | 'n' | 'O' | 's' | 'u' | 'C' | 'c')
            } else {
                matches!(letter, 'd' | 'n' | 'N' | 'p' | 't' | 'u' | 'i' | 'a')
            };
            if !takes {
                match letter {
                    'r' => out.raw = true,
                    't' if maps => out.trim = true,
                    // `read -A` of zsh
                    'A' => out.array = true,
                    _ => {}
                }
                continue;
            }
            let attached = letters.get(at + letter.len_utf8()..).unwrap_or("");
            let next;
            let value = if attached.is_empty() {
                next = args.next();
                next.map_or("", |text| text.text.as_str())
            } else {
                attached
            };
            match letter {
                'd' => out.delimiter = value.chars().next().unwrap_or('\0'),
                'n' | 'N' if !maps => out.count = value.parse().ok(),
                'u' => out.descriptor = value.parse().ok(),
                'a' => {
                    out.array = true;
                    if attached.is_empty()
                        && let Some(name) = call.args.iter().find(|arg| arg.text == value)
                    {
                        out.names.push(name);
                    }
                }
                _ => {}
            }
            break;
        }
    }
    out
}

impl Analyser<'_> {
    pub(crate) fn read_variables(&mut self, call: &Call<'_>) {
        let options = options(call);
        for name in &options.names {
            self.hidden_subscript(name);
        }
        let behind = options
            .descriptor
            .filter(|number| *number != 0)
            .map(|number| {
                self.env
                    .descriptor(number)
                    .cloned()
                    .unwrap_or(Stream::UNKNOWN)
            });
        let input = behind.as_ref().unwrap_or(call.stdin);
        if call.name != "read" {
            self.map_lines(&options, input);
            return;
        }
        let text = match input {
            Stream::Known(text) => text,
            Stream::Empty => {
                self.status = Status::Unknown;
                self.assign_unknown(&options, None);
                return;
            }
            Stream::Partial(text) => {
                let line = text.text.lines().next().unwrap_or("");
                let whole = text.text.trim_end_matches('\n') == line;
                match options.names.as_slice() {
                    [name] if whole && !options.array => {
                        let held = Text {
                            text: line.to_owned(),
                            empty: text.empty.as_ref().map(|empty| empty.trim().to_owned()),
                            ..Text::clone(text)
                        };
                        self.env.set(&name.text, Value::text(held));
                    }
                    _ => self.assign_unknown(&options, text.taint.clone()),
                }
                self.status = Status::Unknown;
                return;
            }
            Stream::Tainted(taint) => {
                self.assign_unknown(&options, Some(taint.clone()));
                self.status = Status::Unknown;
                return;
            }
        };
        let key = std::ptr::from_ref(call.stdin) as usize;
        let cursor = if behind.is_some() {
            None
        } else {
            self.cursors
                .iter()
                .rposition(|(at, len, _)| *at == key && *len == text.len())
        };
        let start = cursor
            .and_then(|at| self.cursors.get(at))
            .map_or(0, |(.., taken)| *taken);
        let rest = text.get(start..).unwrap_or("");
        let (line, taken, ended) = take_line(rest, &options);
        match (cursor, options.descriptor) {
            (Some(at), _) => {
                if let Some((.., position)) = self.cursors.get_mut(at) {
                    *position = start + taken;
                }
            }
            (None, Some(number)) if behind.is_some() => {
                let left = rest.get(taken..).unwrap_or("").to_owned();
                if let Some((_, stream)) = self
                    .env
                    .descriptors
                    .iter_mut()
                    .rev()
                    .find(|(known, _)| *known == number)
                {
                    *stream = Stream::Known(left);
                }
            }
            _ => {}
        }
        self.assign_line(&options, &line);
        self.status = Status::Seen(ended || !line.is_empty());
    }

    fn assign_unknown(&mut self, options: &Options<'_>, taint: Option<Taint>) {
        let taint = taint.or(Some(Taint::Unknown));
        if options.names.is_empty() {
            self.env.set("REPLY", Value::solid(taint));
            return;
        }
        for name in &options.names {
            self.env.set(&name.text, Value::solid(taint.clone()));
        }
    }

    fn assign_line(&mut self, options: &Options<'_>, line: &str) {
        let separators = self.separators();
        if options.names.is_empty() {
            self.env.set("REPLY", Value::known(line));
            return;
        }
        if options.array {
            let mut fields = crate::fields::Fields::new(cmdai_schema::Span::default());
            fields.push_split(line, &separators);
            let all = fields
                .finish()
                .into_iter()
                .map(|text| Text::known(text.text, cmdai_schema::Span::default()))
                .collect();
            if let Some(name) = options.names.last() {
                self.env.set(&name.text, Value::array(all));
            }
            return;
        }
        let blank = |next: char| matches!(next, ' ' | '\t' | '\n') && separators.contains(next);
        let mut rest = line.trim_start_matches(blank);
        let last = options.names.len() - 1;
        for (index, name) in options.names.iter().enumerate() {
            let value = if index == last {
                let whole = rest.trim_end_matches(blank);
                // A single field loses the separator after it.
                match whole
                    .char_indices()
                    .find(|(_, next)| separators.contains(*next))
                {
                    Some((at, next)) if at + next.len_utf8() == whole.len() => {
                        whole.get(..at).unwrap_or("").trim_end_matches(blank)
                    }
                    _ => whole,
                }
            } else {
                let end = rest
                    .find(|next| separators.contains(next))
                    .unwrap_or(rest.len());
                let (value, tail) = rest.split_at(end);
                let tail = tail.trim_start_matches(blank);
                rest = match tail.chars().next() {
                    Some(next) if separators.contains(next) => tail
                        .get(next.len_utf8()..)
                        .unwrap_or("")
                        .trim_start_matches(blank),
                    _ => tail,
                };
                value
            };
            match name.text.split_once('[') {
                Some((array, key)) => {
                    let key = key.trim_end_matches(']').to_owned();
                    let text = Text::known(value, name.span);
                    self.assign_element(array, &key, text, false, name.span);
                }
                None => self.env.set(&name.text, Value::known(value)),
            }
        }
    }

    fn map_lines(&mut self, options: &Options<'_>, input: &Stream) {
        let name = options
            .names
            .first()
            .map_or("MAPFILE", |name| name.text.as_str());
        let Stream::Known(text) = input else {
            let element = Text {
                taint: input.taint().cloned().or(Some(Taint::Unknown)),
                ..Text::default()
            };
            self.env.set(name, Value::array(vec![element]));
            return;
        };
        let all = text
            .split_inclusive(options.delimiter)
            .take(MAX_LINES)
            .map(|line| {
                let line = if options.trim {
                    line.strip_suffix(options.delimiter).unwrap_or(line)
                } else {
                    line
                };
                Text::known(line, cmdai_schema::Span::default())
            })
            .collect();
        self.env.set(name, Value::array(all));
    }

    /// `getopts LETTERS NAME [ARGS]`
    pub(crate) fn next_option(&mut self, args: &[Text]) {
        let [letters, name, given @ ..] = args else {
            return;
        };
        let all: Option<Vec<Text>> = if given.is_empty() {
            self.env.positional.clone()
        } else {
            Some(given.to_vec())
        };
        let Some(all) = all else {
            self.env.set(&name.text, Value::solid(None));
            self.env.set("OPTARG", Value::solid(None));
            self.status = Status::Unknown;
            return;
        };
        let number = |this: &Self, name: &str, default: usize| {
            this.env
                .get(name)
                .and_then(Value::only)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default)
        };
        let index: usize = number(self, "OPTIND", 1);
        // Position inside joined options.
        let inside: usize = number(self, " getopts", 1);
        let Some(arg) = index.checked_sub(1).and_then(|at| all.get(at)) else {
            self.env.set(&name.text, Value::known("?"));
            self.status = Status::Seen(false);
            return;
        };
        let letter = arg.text.get(inside..).and_then(|rest| rest.chars().next());
        let (Some(letter), true, false) = (letter, arg.text.starts_with('-'), arg.text == "--")
        else {
            self.env.set(&name.text, Value::known("?"));
            self.status = Status::Seen(false);
            return;
        };
        let takes = letters
            .text
            .find(letter)
            .and_then(|at| letters.text.get(at + letter.len_utf8()..))
            .is_some_and(|rest| rest.starts_with(':'));
        let known = letters.text.contains(letter) && letter != ':';
        let rest = arg.text.get(inside + letter.len_utf8()..).unwrap_or("");
        let mut next = index;
        let mut position = 1;
        if takes {
            let value = if rest.is_empty() {
                next += 2;
                all.get(index).cloned().unwrap_or_default()
            } else {
                next += 1;
                arg.after(inside + letter.len_utf8())
            };
            self.env.set(
                "OPTARG",
                Value::text(Text {
                    offset: None,
                    ..value
                }),
            );
        } else if rest.is_empty() {
            next += 1;
        } else {
            position = inside + letter.len_utf8();
        }
        self.env.set("OPTIND", Value::known(next.to_string()));
        self.env.set(" getopts", Value::known(position.to_string()));
        let found = if known { letter } else { '?' };
        self.env.set(&name.text, Value::known(found.to_string()));
        self.status = Status::Seen(true);
    }
}

/// The next line, how many bytes it took, and whether its delimiter was there.
fn take_line(text: &str, options: &Options<'_>) -> (String, usize, bool) {
    let mut line = String::new();
    let mut taken = 0;
    let mut chars = text.chars();
    let mut left = options.count.unwrap_or(usize::MAX);
    while let Some(next) = chars.next() {
        if left == 0 {
            return (line, taken, true);
        }
        taken += next.len_utf8();
        if next == options.delimiter {
            return (line, taken, true);
        }
        if next == '\\' && !options.raw {
            match chars.next() {
                Some('\n') => taken += 1,
                Some(escaped) => {
                    taken += escaped.len_utf8();
                    line.push(escaped);
                    left -= 1;
                }
                None => {}
            }
            continue;
        }
        line.push(next);
        left -= 1;
    }
    (line, taken, left == 0)
}
