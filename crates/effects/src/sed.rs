//! Programs of `sed` on a known text: `s`, `y`, `p`, `d`, `q` with plain addresses.

use crate::{filters::Args, regex::Regex, value::Text};

enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

enum Action {
    Substitute {
        regex: Regex,
        with: String,
        all: bool,
        print: bool,
    },
    Translate(Vec<char>, Vec<char>),
    Print,
    Delete,
    Quit,
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    action: Action,
    /// Inside a range.
    open: bool,
}

/// What it prints; nothing where the program is more than that.
pub(crate) fn run(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(
        args,
        "ef",
        &[
            ("expression", 'e'),
            ("quiet", 'n'),
            ("silent", 'n'),
            ("regexp-extended", 'E'),
        ],
    )?;
    if !args.only_letters("enEr") {
        return None;
    }
    let extended = args.has('E') || args.has('r');
    let mut scripts = args.all('e');
    if scripts.is_empty() {
        scripts.push(args.operands.first()?.text.as_str());
    }
    let mut commands = Vec::new();
    for script in scripts {
        let mut rest = script;
        loop {
            rest = rest.trim_start_matches([' ', ';', '\n', '\t']);
            if rest.is_empty() {
                break;
            }
            let (command, tail) = command(rest, extended)?;
            commands.push(command);
            rest = tail;
        }
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len());
    'lines: for (index, line) in lines.iter().enumerate() {
        let mut space = (*line).to_owned();
        let last = index + 1 == lines.len();
        let mut quit = false;
        for command in &mut commands {
            if !selected(command, index + 1, last, &space)? {
                continue;
            }
            match &command.action {
                Action::Substitute {
                    regex,
                    with,
                    all,
                    print,
                } => {
                    let changed = substitute(&space, regex, with, *all)?;
                    if let Some(changed) = changed {
                        space = changed;
                        if *print {
                            out.push_str(&space);
                            out.push('\n');
                        }
                    }
                }
                Action::Translate(from, to) => {
                    space = space
                        .chars()
                        .map(|next| {
                            from.iter()
                                .position(|known| *known == next)
                                .and_then(|at| to.get(at).copied())
                                .unwrap_or(next)
                        })
                        .collect();
                }
                Action::Print => {
                    out.push_str(&space);
                    out.push('\n');
                }
                Action::Delete => continue 'lines,
                Action::Quit => {
                    quit = true;
                    break;
                }
            }
        }
        if !args.has('n') {
            out.push_str(&space);
            if !last || text.ends_with('\n') {
                out.push('\n');
            }
        }
        if quit {
            break;
        }
    }
    Some(out)
}

fn selected(command: &mut Command, number: usize, last: bool, space: &str) -> Option<bool> {
    let hit = |address: &Address| -> Option<bool> {
        Some(match address {
            Address::Line(line) => *line == number,
            Address::Last => last,
            Address::Match(regex) => regex.find(space, 0)?.is_some(),
        })
    };
    let Some(from) = &command.from else {
        return Some(true);
    };
    let Some(to) = &command.to else {
        return hit(from);
    };
    if command.open {
        let ends = match to {
            Address::Line(line) => *line <= number,
            other => hit(other)?,
        };
        command.open = !ends;
        return Some(true);
    }
    if hit(from)? {
        command.open = !matches!(to, Address::Line(line) if *line <= number);
        return Some(true);
    }
    Some(false)
}

fn substitute(text: &str, regex: &Regex, with: &str, all: bool) -> Option<Option<String>> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut any = false;
    while at <= text.len() {
        let Some((from, to)) = regex.find(text, at)? else {
            break;
        };
        any = true;
        out.push_str(text.get(at..from)?);
        let found = text.get(from..to)?;
        let mut chars = with.chars();
        while let Some(next) = chars.next() {
            match next {
                '&' => out.push_str(found),
                '\\' => match chars.next()? {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    next if next.is_alphanumeric() => return None,
                    next => out.push(next),
                },
                next => out.push(next),
            }
        }
        at = to;
        if to == from {
            match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(next) => {
                    out.push(next);
                    at += next.len_utf8();
                }
                None => {
                    at = text.len() + 1;
                }
            }
        }
        if !all {
            break;
        }
    }
    out.push_str(text.get(at..).unwrap_or(""));
    Some(any.then_some(out))
}

/// Text up to a delimiter that is not escaped, and what follows it.
fn until(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, next)) = chars.next() {
        if next == '\\' {
            let (_, escaped) = chars.next()?;
            if escaped != delimiter {
                out.push('\\');
            }
            out.push(escaped);
        } else if next == delimiter {
            return Some((out, text.get(at + next.len_utf8()..)?));
        } else {
            out.push(next);
        }
    }
    None
}

fn address(text: &str, extended: bool) -> Option<(Option<Address>, &str)> {
    if let Some(rest) = text.strip_prefix('$') {
        return Some((Some(Address::Last), rest));
    }
    if let Some(rest) = text.strip_prefix('/') {
        let (regex, rest) = until(rest, '/')?;
        return Some((Some(Address::Match(Regex::read(&regex, extended)?)), rest));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Some((None, text));
    }
    let (number, rest) = text.split_at_checked(digits)?;
    Some((Some(Address::Line(number.parse().ok()?)), rest))
}

fn command(text: &str, extended: bool) -> Option<(Command, &str)> {
    let (from, mut rest) = address(text, extended)?;
    let mut to = None;
    if from.is_some()
        && let Some(tail) = rest.strip_prefix(',')
    {
        (to, rest) = address(tail, extended)?;
        to.as_ref()?;
    }
    rest = rest.trim_start();
    let kind = rest.chars().next()?;
    rest = rest.get(1..)?;
    let action = match kind {
        's' => {
            let delimiter = rest.chars().next()?;
            let (regex, tail) = until(rest.get(delimiter.len_utf8()..)?, delimiter)?;
            let (with, tail) = until(tail, delimiter)?;
            let flags = tail
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let (flags, tail) = tail.split_at_checked(flags)?;
            if flags.bytes().any(|flag| !matches!(flag, b'g' | b'p')) || regex.is_empty() {
                return None;
            }
            rest = tail;
            Action::Substitute {
                regex: Regex::read(&regex, extended)?,
                with,
                all: flags.contains('g'),
                print: flags.contains('p'),
            }
        }
        'y' => {
            let delimiter = rest.chars().next()?;
            let (from, tail) = until(rest.get(delimiter.len_utf8()..)?, delimiter)?;
            let (to, tail) = until(tail, delimiter)?;
            rest = tail;
            if from.contains('\\') || to.contains('\\') {
                return None;
            }
            Action::Translate(from.chars().collect(), to.chars().collect())
        }
        'p' => Action::Print,
        'd' => Action::Delete,
        'q' => Action::Quit,
        _ => return None,
    };
    if !(rest.is_empty() || rest.starts_with([';', ' ', '\n', '}'])) {
        return None;
    }
    Some((
        Command {
            from,
            to,
            action,
            open: false,
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::value::Text;

    #[test]
    fn programs() {
        for (args, text, expected) in [
            (&["s/b/X/"][..], "abb\n", "aXb\n"),
            (&["s/b/X/g"], "abb\n", "aXX\n"),
            (&["-n", "2p"], "a\nb\n", "b\n"),
            (&["2,3d"], "a\nb\nc\nd\n", "a\nd\n"),
            (&["y/abc/xyz/"], "cab\n", "zxy\n"),
            (&["-e", "s|/|-|g", "-e", "s/^/>/"], "/a\n", ">-a\n"),
            (&["/b/d"], "a\nb\n", "a\n"),
            (&["s/X*$//"], "aXX\n", "a\n"),
            (&["$d"], "a\nb\n", "a\n"),
        ] {
            let args: Vec<Text> = args
                .iter()
                .map(|arg| Text::known(*arg, Default::default()))
                .collect();
            assert_eq!(
                run(&args, text).as_deref(),
                Some(expected),
                "{:?}",
                args[0].text
            );
        }
        let group = [Text::known("s/\\(a\\)/\\1/", Default::default())];
        assert_eq!(run(&group, "a\n"), None);
    }
}
