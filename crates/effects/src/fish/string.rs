//! The `string` builtin, as far as what it prints follows from the text.

use crate::{
    analyser::Analyser,
    call::Call,
    value::{MAX_TEXT, Stream, Taint, Text},
};

impl Analyser<'_> {
    /// `string SUBCOMMAND OPTIONS… TEXTS…`; texts come from the input where none are given.
    pub(crate) fn fish_string(&mut self, call: &Call<'_>) -> Stream {
        let Some((sub, rest)) = call.args.split_first() else {
            return Stream::Empty;
        };
        let takes: &[&str] = match sub.text.as_str() {
            "sub" => &["-s", "--start", "-l", "--length", "-e", "--end"],
            "split" => &["-m", "--max", "-f", "--fields"],
            "repeat" => &["-n", "--count", "-m", "--max"],
            "pad" | "shorten" => &["-w", "--width", "-c", "--char", "-m", "--max"],
            "trim" => &["-c", "--chars"],
            "escape" | "unescape" => &["--style"],
            "replace" | "match" => &["-f", "-m", "--max-matches"],
            _ => &[],
        };
        let mut words: Vec<&Text> = Vec::new();
        let mut values: Vec<(&str, &str)> = Vec::new();
        let mut flags: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(arg) = rest.get(at) {
            at += 1;
            let text = arg.text.as_str();
            if text == "--" {
                words.extend(rest.get(at..).unwrap_or_default());
                break;
            }
            if text.len() > 1 && text.starts_with('-') && words.is_empty() {
                if takes.contains(&text)
                    && (text != "-f" || sub.text != "replace" && sub.text != "match")
                {
                    if let Some(value) = rest.get(at) {
                        values.push((text, value.text.as_str()));
                    }
                    at += 1;
                } else if let Some((name, value)) = text.split_once('=') {
                    values.push((name, value));
                } else {
                    flags.push(text);
                }
                continue;
            }
            words.push(arg);
        }
        let own = match sub.text.as_str() {
            "join" | "split" => 1,
            "match" => 1,
            "replace" => 2,
            _ => 0,
        };
        if words.len() < own {
            return Stream::Empty;
        }
        let (own, texts) = words.split_at(own);
        if let Some(text) = words.iter().find(|text| !text.known) {
            return Stream::Tainted(text.taint.clone().unwrap_or(Taint::Unknown));
        }
        let lines: Vec<String> = if texts.is_empty() {
            match call.stdin {
                Stream::Known(text) => text
                    .trim_end_matches('\n')
                    .split('\n')
                    .map(str::to_owned)
                    .collect(),
                Stream::Empty => return Stream::Empty,
                other @ (Stream::Partial(_) | Stream::Tainted(_)) => {
                    return Stream::Tainted(other.taint().cloned().unwrap_or(Taint::Unknown));
                }
            }
        } else {
            texts.iter().map(|text| text.text.clone()).collect()
        };
        let value = |names: &[&str]| {
            values
                .iter()
                .find(|(name, _)| names.contains(name))
                .map(|(_, value)| *value)
        };
        let number = |names: &[&str]| value(names).and_then(|text| text.parse::<i64>().ok());
        let first = own.first().map_or("", |text| text.text.as_str());
        let regex = flags
            .iter()
            .any(|flag| flag.trim_start_matches('-').starts_with('r') && !flag.starts_with("--"))
            || flags.contains(&"--regex");
        let each = |change: &dyn Fn(&str) -> String| -> Vec<String> {
            lines.iter().map(|line| change(line)).collect()
        };
        let out: Vec<String> = match sub.text.as_str() {
            "join" => vec![lines.join(first)],
            "join0" | "collect" => vec![lines.join("\n")],
            "split" if first.is_empty() => lines
                .iter()
                .flat_map(|line| line.chars().map(String::from).collect::<Vec<_>>())
                .collect(),
            "split" => {
                let fields = value(&["-f", "--fields"]);
                let mut out = Vec::new();
                for line in &lines {
                    let pieces: Vec<&str> = line.split(first).collect();
                    match fields.map(|fields| {
                        fields
                            .split(',')
                            .map(|field| field.parse::<usize>().ok().filter(|at| *at > 0))
                            .collect::<Option<Vec<_>>>()
                    }) {
                        None => out.extend(pieces.into_iter().map(str::to_owned)),
                        Some(Some(fields)) => out.extend(
                            fields
                                .iter()
                                .filter_map(|at| pieces.get(at - 1))
                                .map(|piece| (*piece).to_owned()),
                        ),
                        Some(None) => return Stream::Tainted(Taint::Made),
                    }
                }
                out
            }
            "upper" => each(&str::to_uppercase),
            "lower" => each(&str::to_lowercase),
            "trim" => {
                let chars = value(&["-c", "--chars"]).unwrap_or(" \t\n\r").to_owned();
                each(&|line| line.trim_matches(|next| chars.contains(next)).to_owned())
            }
            "sub" => {
                let start = number(&["-s", "--start"]).unwrap_or(1);
                let length = number(&["-l", "--length"]);
                let end = number(&["-e", "--end"]);
                each(&|line| {
                    let all: Vec<char> = line.chars().collect();
                    let len = i64::try_from(all.len()).unwrap_or(i64::MAX);
                    let from = if start < 0 {
                        len.saturating_add(start)
                    } else {
                        start - 1
                    }
                    .clamp(0, len);
                    let to = match (length, end) {
                        (Some(length), _) => from.saturating_add(length),
                        (None, Some(end)) if end < 0 => len.saturating_add(end),
                        (None, Some(end)) => end,
                        (None, None) => len,
                    }
                    .clamp(from, len);
                    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
                    range
                        .and_then(|(from, to)| all.get(from..to))
                        .unwrap_or_default()
                        .iter()
                        .collect()
                })
            }
            "repeat" => {
                let count = number(&["-n", "--count"]).unwrap_or(0);
                let count = usize::try_from(count).unwrap_or(0).min(256);
                each(&|line| line.repeat(count))
            }
            "replace" if !regex => {
                let to = own.get(1).map_or("", |text| text.text.as_str());
                let all = flags.iter().any(|flag| {
                    *flag == "--all"
                        || flag.starts_with('-') && !flag.starts_with("--") && flag.contains('a')
                });
                each(&|line| {
                    if all {
                        line.replace(first, to)
                    } else {
                        line.replacen(first, to, 1)
                    }
                })
            }
            "unescape" | "escape" => {
                let style = value(&["--style"]).unwrap_or("script");
                match (sub.text.as_str(), style) {
                    ("unescape", "url") => each(&percent),
                    ("unescape", "script") => each(&|line| line.replace('\\', "")),
                    ("escape", "script") => lines.clone(),
                    _ => return Stream::Tainted(Taint::Made),
                }
            }
            "match" if !regex => {
                let pattern = first;
                lines
                    .iter()
                    .filter(|line| crate::glob::matches(pattern, line))
                    .cloned()
                    .collect()
            }
            "length" => each(&|line| line.chars().count().to_string()),
            "pad" | "shorten" => lines.clone(),
            _ => return Stream::Tainted(Taint::Made),
        };
        if flags.contains(&"-q") || flags.contains(&"--quiet") {
            return Stream::Empty;
        }
        let text = out.join("\n") + "\n";
        if text.len() > MAX_TEXT {
            return Stream::UNKNOWN;
        }
        Stream::Known(text)
    }
}

/// `%41` to `A`.
fn percent(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = bytes.clone();
        let hex: String = digits.take(2).map(char::from).collect();
        match u8::from_str_radix(&hex, 16) {
            Ok(made) => {
                out.push(made);
                bytes.next();
                bytes.next();
            }
            Err(_) => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
