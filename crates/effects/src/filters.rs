//! What filters make of a known text: `tr`, `cut`, `sort`, `sed` and the like. Whatever an option is not
//! known of is not told.

use crate::{glob, regex::Regex, value::Text};

/// Arguments of a filter: letters of options with their values, and operands.
pub(crate) struct Args<'a> {
    flags: Vec<(char, &'a str)>,
    pub(crate) operands: Vec<&'a Text>,
}

impl<'a> Args<'a> {
    /// Reads arguments. `takes` holds letters with values; `longs` what long names stand for.
    pub(crate) fn read(args: &'a [Text], takes: &str, longs: &[(&str, char)]) -> Option<Self> {
        let mut out = Self {
            flags: Vec::new(),
            operands: Vec::new(),
        };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let text = arg.text.as_str();
            if text == "--" {
                out.operands.extend(rest.by_ref());
                break;
            }
            if let Some(name) = text.strip_prefix("--") {
                let (name, value) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (name, None),
                };
                let (_, letter) = longs.iter().find(|(long, _)| long.starts_with(name))?;
                let value = match value {
                    Some(value) => value,
                    None if takes.contains(*letter) => rest.next()?.text.as_str(),
                    None => "",
                };
                out.flags.push((*letter, value));
                continue;
            }
            let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                out.operands.push(arg);
                continue;
            };
            if letters.bytes().all(|byte| byte.is_ascii_digit()) && takes.contains('n') {
                out.flags.push(('n', letters));
                continue;
            }
            for (at, letter) in letters.char_indices() {
                if takes.contains(letter) {
                    let attached = letters.get(at + letter.len_utf8()..).unwrap_or("");
                    let value = if attached.is_empty() {
                        rest.next()?.text.as_str()
                    } else {
                        attached
                    };
                    out.flags.push((letter, value));
                    break;
                }
                out.flags.push((letter, ""));
            }
        }
        Some(out)
    }

    pub(crate) fn has(&self, letter: char) -> bool {
        self.flags.iter().any(|(known, _)| *known == letter)
    }

    fn value(&self, letter: char) -> Option<&'a str> {
        self.flags
            .iter()
            .rev()
            .find(|(known, _)| *known == letter)
            .map(|(_, value)| *value)
    }

    /// All values of a letter.
    pub(crate) fn all(&self, letter: char) -> Vec<&'a str> {
        self.flags
            .iter()
            .filter(|(known, _)| *known == letter)
            .map(|(_, value)| *value)
            .collect()
    }

    /// True where only these letters are used.
    pub(crate) fn only_letters(&self, letters: &str) -> bool {
        self.flags.iter().all(|(known, _)| letters.contains(*known))
    }
}

/// What a filter prints, given what it reads; nothing where that cannot be told.
pub(crate) fn run(name: &str, args: &[Text], text: &str) -> Option<String> {
    if args.iter().any(|arg| !arg.known) {
        return None;
    }
    let name = name
        .strip_prefix('g')
        .filter(|name| {
            matches!(
                *name,
                "sed" | "awk" | "head" | "tail" | "cut" | "tr" | "sort" | "base64"
            )
        })
        .unwrap_or(name);
    match name {
        "cat" => Args::read(args, "", &[])?
            .only_letters("u")
            .then(|| text.to_owned()),
        "tac" => Some(text.lines().rev().map(|line| format!("{line}\n")).collect()),
        "rev" => {
            let mut out: String = text
                .lines()
                .map(|line| line.chars().rev().collect::<String>() + "\n")
                .collect();
            if !text.ends_with('\n') {
                out.pop();
            }
            Some(out)
        }
        "tr" => translate(args, text),
        "cut" => cut(args, text),
        "head" => head(args, text),
        "tail" => tail(args, text),
        "sort" => sort(args, text),
        "uniq" => {
            let args = Args::read(args, "", &[])?;
            if !args.only_letters("") {
                return None;
            }
            let mut lines: Vec<&str> = text.lines().collect();
            lines.dedup();
            Some(joined(&lines))
        }
        "wc" => {
            let args = Args::read(args, "", &[("lines", 'l'), ("words", 'w'), ("bytes", 'c')])?;
            let [(letter, _)] = args.flags.as_slice() else {
                return None;
            };
            if !args.operands.is_empty() {
                return None;
            }
            let count = match letter {
                'l' => text.matches('\n').count(),
                'w' => text.split_whitespace().count(),
                'c' => text.len(),
                'm' => text.chars().count(),
                _ => return None,
            };
            Some(format!("{count}\n"))
        }
        "fold" => {
            let args = Args::read(args, "wn", &[("width", 'w')])?;
            if !args.only_letters("wn") {
                return None;
            }
            let width: usize = args
                .value('w')
                .or(args.value('n'))
                .unwrap_or("80")
                .parse()
                .ok()?;
            let mut out = String::new();
            for line in text.split_inclusive('\n') {
                for (at, next) in line.trim_end_matches('\n').chars().enumerate() {
                    if at > 0 && width > 0 && at % width == 0 {
                        out.push('\n');
                    }
                    out.push(next);
                }
                if line.ends_with('\n') {
                    out.push('\n');
                }
            }
            Some(out)
        }
        "paste" => {
            let args = Args::read(args, "d", &[("serial", 's'), ("delimiters", 'd')])?;
            if !args.has('s') || args.operands.iter().any(|file| file.text != "-") {
                return None;
            }
            let between = match args.value('d') {
                None => "\t",
                Some("\\0") => "",
                Some(one) if one.chars().count() == 1 => one,
                Some("\\n") => "\n",
                Some(_) => return None,
            };
            Some(text.lines().collect::<Vec<_>>().join(between) + "\n")
        }
        "sed" => crate::sed::run(args, text),
        "awk" | "mawk" | "nawk" => crate::awk::run(args, text),
        "grep" | "egrep" | "fgrep" => grep(name, args, text),
        "expand" | "column" | "nl" | "fmt" | "pr" => None,
        _ => None,
    }
}

fn joined(lines: &[&str]) -> String {
    let mut out = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Characters of a set of `tr`; true where a class means more than it lists.
fn set(text: &str) -> Option<Vec<char>> {
    let mut chars: Vec<(char, bool)> = Vec::new();
    let mut rest = text;
    let mut out: Vec<char> = Vec::new();
    while let Some(next) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("[:") {
            let (name, after) = tail.split_once(":]")?;
            chars.extend(
                (0u8..128)
                    .map(char::from)
                    .filter(|next| glob::class(name, *next))
                    .map(|next| (next, true)),
            );
            rest = after;
            continue;
        }
        rest = rest.get(next.len_utf8()..)?;
        if next != '\\' {
            chars.push((next, false));
            continue;
        }
        let digits = rest
            .bytes()
            .take(3)
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .count();
        if digits > 0 {
            let value = u32::from_str_radix(rest.get(..digits)?, 8).ok()?;
            chars.push((char::from_u32(value)?, true));
            rest = rest.get(digits..)?;
            continue;
        }
        let Some(escaped) = rest.chars().next() else {
            chars.push(('\\', true));
            break;
        };
        rest = rest.get(escaped.len_utf8()..)?;
        chars.push((
            match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'v' => '\u{b}',
                other => other,
            },
            true,
        ));
    }
    let mut at = 0;
    while let Some(&(from, _)) = chars.get(at) {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some(('-', false)), Some(&(to, _))) => {
                if from > to {
                    return None;
                }
                out.extend((from..=to).take(1024));
                at += 3;
            }
            _ => {
                out.push(from);
                at += 1;
            }
        }
    }
    Some(out)
}

fn translate(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "",
        &[
            ("delete", 'd'),
            ("squeeze-repeats", 's'),
            ("complement", 'c'),
            ("truncate-set1", 't'),
        ],
    )?;
    if !args.only_letters("dscC") {
        return None;
    }
    let from = set(&args.operands.first()?.text)?;
    let to = match args.operands.get(1) {
        Some(to) => Some(set(&to.text)?),
        None => None,
    };
    let complement = args.has('c') || args.has('C');
    let inside = |next: char| from.contains(&next) != complement;
    let mut out = String::with_capacity(text.len());
    let mut last: Option<char> = None;
    for next in text.chars() {
        if args.has('d') && inside(next) {
            continue;
        }
        let mapped = match (&to, args.has('d')) {
            (Some(to), false) if inside(next) => {
                let last = *to.last()?;
                if complement {
                    last
                } else {
                    let at = from.iter().rposition(|known| *known == next)?;
                    *to.get(at).unwrap_or(&last)
                }
            }
            _ => next,
        };
        let squeezed = args.has('s')
            && match &to {
                Some(to) => to.contains(&mapped),
                None => inside(mapped),
            };
        if squeezed && last == Some(mapped) {
            continue;
        }
        last = Some(mapped);
        out.push(mapped);
    }
    Some(out)
}

/// `1,3-5,7-`
fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    text.split(',')
        .map(|range| match range.split_once('-') {
            Some((from, to)) => Some((
                if from.is_empty() {
                    1
                } else {
                    from.parse().ok()?
                },
                if to.is_empty() {
                    usize::MAX
                } else {
                    to.parse().ok()?
                },
            )),
            None => range.parse().ok().map(|at| (at, at)),
        })
        .collect()
}

fn cut(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "cbfd",
        &[
            ("characters", 'c'),
            ("bytes", 'b'),
            ("fields", 'f'),
            ("delimiter", 'd'),
            ("only-delimited", 's'),
        ],
    )?;
    if !args.only_letters("cbfds") {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    if let Some(list) = args.value('c').or(args.value('b')) {
        let list = ranges(list)?;
        for line in text.lines() {
            out.extend(line.chars().enumerate().filter_map(|(at, next)| {
                list.iter()
                    .any(|(from, to)| (*from..=*to).contains(&(at + 1)))
                    .then_some(next)
            }));
            out.push('\n');
        }
        return Some(out);
    }
    let list = ranges(args.value('f')?)?;
    let delimiter = args.value('d').unwrap_or("\t");
    for line in text.lines() {
        if !line.contains(delimiter) {
            if !args.has('s') {
                out.push_str(line);
                out.push('\n');
            }
            continue;
        }
        let picked: Vec<&str> = line
            .split(delimiter)
            .enumerate()
            .filter(|(at, _)| {
                list.iter()
                    .any(|(from, to)| (*from..=*to).contains(&(at + 1)))
            })
            .map(|(_, field)| field)
            .collect();
        out.push_str(&picked.join(delimiter));
        out.push('\n');
    }
    Some(out)
}

fn head(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "nc",
        &[("lines", 'n'), ("bytes", 'c'), ("quiet", 'q')],
    )?;
    if !args.only_letters("ncq") {
        return None;
    }
    if let Some(count) = args.value('c') {
        let count: usize = count.parse().ok()?;
        return text.get(..count.min(text.len())).map(str::to_owned);
    }
    let count: i64 = args.value('n').unwrap_or("10").parse().ok()?;
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let take = if count < 0 {
        all.len()
            .saturating_sub(usize::try_from(count.unsigned_abs()).ok()?)
    } else {
        usize::try_from(count).ok()?
    };
    Some(all.into_iter().take(take).collect())
}

fn tail(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "nc",
        &[("lines", 'n'), ("bytes", 'c'), ("quiet", 'q')],
    )?;
    if !args.only_letters("ncq") {
        return None;
    }
    let skip = |value: &str, len: usize| -> Option<usize> {
        match value.strip_prefix('+') {
            Some(from) => Some(from.parse::<usize>().ok()?.saturating_sub(1)),
            None => {
                let count: usize = value.trim_start_matches('-').parse().ok()?;
                Some(len.saturating_sub(count))
            }
        }
    };
    if let Some(count) = args.value('c') {
        let from = skip(count, text.len())?;
        return Some(text.get(from..).unwrap_or("").to_owned());
    }
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let from = skip(args.value('n').unwrap_or("10"), all.len())?;
    Some(all.into_iter().skip(from).collect())
}

fn sort(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "kto",
        &[("reverse", 'r'), ("unique", 'u'), ("numeric-sort", 'n')],
    )?;
    if !args.only_letters("run") {
        return None;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    if args.has('n') {
        let number = |line: &str| {
            let line = line.trim_start();
            let end = line
                .char_indices()
                .position(|(at, next)| !(next.is_ascii_digit() || at == 0 && next == '-'))
                .unwrap_or(line.len());
            line.get(..end)
                .and_then(|digits| digits.parse::<i64>().ok())
                .unwrap_or(0)
        };
        lines.sort_by(|a, b| number(a).cmp(&number(b)).then_with(|| a.cmp(b)));
    } else {
        lines.sort_unstable();
    }
    if args.has('r') {
        lines.reverse();
    }
    if args.has('u') {
        lines.dedup();
    }
    Some(joined(&lines))
}

fn grep(name: &str, args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(args, "e", &[("only-matching", 'o'), ("invert-match", 'v')])?;
    if !args.only_letters("eovEFh") {
        return None;
    }
    let pattern = args
        .value('e')
        .or_else(|| args.operands.first().map(|pattern| pattern.text.as_str()))?;
    let fixed = name == "fgrep" || args.has('F');
    let regex = if fixed {
        None
    } else {
        Some(Regex::read(pattern, name == "egrep" || args.has('E'))?)
    };
    let mut out = String::new();
    for line in text.lines() {
        let found = match &regex {
            Some(regex) => regex.find(line, 0)?,
            None => line.find(pattern).map(|at| (at, at + pattern.len())),
        };
        match found {
            Some((from, to)) if args.has('o') => {
                let (mut from, mut to) = (from, to);
                loop {
                    if to > from {
                        out.push_str(line.get(from..to)?);
                        out.push('\n');
                    }
                    let next = match &regex {
                        Some(regex) if to > from => regex.find(line, to)?,
                        _ => None,
                    };
                    match next {
                        Some(next) => (from, to) = next,
                        None => break,
                    }
                }
            }
            found if found.is_some() != args.has('v') && !args.has('o') => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
    Some(out)
}

/// What `expr` prints.
pub(crate) fn expr(args: &[Text]) -> Option<String> {
    let words: Option<Vec<&str>> = args
        .iter()
        .map(|arg| arg.known.then_some(arg.text.as_str()))
        .collect();
    let out = match words?.as_slice() {
        ["substr", text, from, count] => {
            let (from, count): (usize, usize) = (from.parse().ok()?, count.parse().ok()?);
            text.chars()
                .skip(from.checked_sub(1)?)
                .take(count)
                .collect()
        }
        ["length", text] => text.chars().count().to_string(),
        [one] => (*one).to_owned(),
        [left, operator, right] => {
            let (left, right): (i64, i64) = (left.parse().ok()?, right.parse().ok()?);
            match *operator {
                "+" => left.checked_add(right)?,
                "-" => left.checked_sub(right)?,
                "*" => left.checked_mul(right)?,
                "/" => left.checked_div(right)?,
                "%" => left.checked_rem(right)?,
                _ => return None,
            }
            .to_string()
        }
        _ => return None,
    };
    Some(out + "\n")
}
