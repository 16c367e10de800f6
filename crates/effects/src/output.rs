//! What programs print, where that follows from the text: `echo`, `printf`, decoders, filters.

use crate::{
    analyser::Analyser,
    call::{Call, through},
    options::Parsed,
    paths,
    value::{MAX_TEXT, Stream, Taint, Text},
};

impl Analyser<'_> {
    /// What a program without a handler prints.
    pub(crate) fn printed_by(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let args = call.args;
        match call.name {
            "echo" => {
                self.status = crate::analyser::Status::Seen(true);
                return crate::format::echo(args);
            }
            "printf" => {
                self.status = crate::analyser::Status::Seen(true);
                return crate::format::printf(args);
            }
            "pwd" => return Stream::Known(format!("{}\n", self.env.cwd)),
            "whoami" | "logname" => return Stream::Known(format!("{}\n", self.context.user)),
            "mktemp" => {
                let folder = args
                    .iter()
                    .position(|arg| arg.text == "-p")
                    .and_then(|at| args.get(at + 1))
                    .map(|folder| folder.text.clone());
                let template = args
                    .iter()
                    .find(|arg| arg.text.contains("XXX"))
                    .map(|template| template.text.clone());
                let _ = parsed;
                return match (folder, template) {
                    (Some(folder), Some(template)) => {
                        Stream::Known(format!("{folder}/{template}\n"))
                    }
                    (Some(folder), None) => Stream::Known(format!("{folder}/tmp.XXXXXXXXXX\n")),
                    (None, Some(template)) => Stream::Known(format!("{template}\n")),
                    (None, None) => Stream::Known("/tmp/tmp.XXXXXXXXXX\n".to_owned()),
                };
            }
            "dirname" | "basename" => {
                let Some(first) = parsed.nth(1).filter(|first| first.known) else {
                    return Stream::UNKNOWN;
                };
                if call.name == "dirname" {
                    return Stream::Known(format!("{}\n", paths::dir_name(&first.text)));
                }
                let mut name = paths::base_name(&first.text);
                if let Some(suffix) = parsed.nth(2) {
                    name = name.strip_suffix(suffix.text.as_str()).unwrap_or(name);
                }
                return Stream::Known(format!("{name}\n"));
            }
            "realpath" | "readlink" => {
                return match parsed.nth(1).filter(|first| first.known) {
                    Some(first) => Stream::Known(format!("{}\n", self.absolute(&first.text))),
                    None => Stream::UNKNOWN,
                };
            }
            "which" => {
                return parsed.nth(1).map_or(Stream::UNKNOWN, |name| {
                    Stream::Known(format!("/usr/bin/{}\n", name.text))
                });
            }
            "seq" => return seq(parsed),
            "true" | "false" | "mkdir" | "rm" | "touch" | "chmod" | "sleep" => {
                return Stream::Empty;
            }
            _ => {}
        }
        // Filters: their input is what the files hold, or else what comes in.
        let input = self.input_of(call, parsed);
        let Some(text) = input.known() else {
            if decodes(call.name, parsed)
                && matches!(input, Stream::Tainted(Taint::File(_) | Taint::Unknown))
            {
                // Nobody can read it in the file any more.
                return Stream::Tainted(Taint::Made);
            }
            return match call.name {
                // What is decoded or changed on the way is not the file's text any more, but still its own.
                "wc" | "md5sum" | "sha1sum" | "sha256sum" | "sha512sum" | "cksum" | "ls"
                | "stat" | "file" | "du" | "df" | "test" => Stream::UNKNOWN,
                _ => input,
            };
        };
        let result = match call.name {
            "cat" | "tee" | "zcat" | "less" | "more" | "bat" | "stdbuf" | "pv" | "sponge" => {
                Some(text.to_owned())
            }
            "base64" if parsed.has("decode") => base64(text),
            "base32" if parsed.has("decode") => base32(text),
            "xxd" if parsed.has("revert") => hex(text),
            "rev" => Some(
                text.lines()
                    .map(|line| line.chars().rev().collect::<String>() + "\n")
                    .collect(),
            ),
            "tac" => Some(text.lines().rev().map(|line| format!("{line}\n")).collect()),
            "tr" => translate(text, parsed),
            "head" | "tail" => lines(text, call.name == "head", parsed),
            "cut" => cut(text, parsed),
            "sort" | "uniq" | "nl" => Some(text.to_owned()),
            "grep" | "egrep" | "fgrep" => Some(text.to_owned()),
            "openssl" if parsed.has("d") && (parsed.has("base64") || parsed.has("a")) => {
                base64(text)
            }
            "fold" | "fmt" | "column" => Some(text.to_owned()),
            _ => None,
        };
        match result {
            Some(text) if text.len() <= MAX_TEXT => Stream::Known(text),
            _ => through(&input),
        }
    }

    /// What a filter reads: the files it names, or else what comes in.
    pub(crate) fn input_of(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let skip = usize::from(
            matches!(
                call.name,
                "grep" | "egrep" | "fgrep" | "sed" | "awk" | "jq" | "rg"
            ) && !parsed.has("regexp")
                && !parsed.has("expression"),
        );
        let files: Vec<&Text> = match call.name {
            "tr" | "tee" | "rev" if call.name != "rev" => Vec::new(),
            "cat" | "zcat" | "less" | "more" | "bat" | "base64" | "base32" | "xxd" | "rev"
            | "tac" | "head" | "tail" | "cut" | "sort" | "uniq" | "nl" | "sed" | "grep"
            | "egrep" | "fgrep" | "gunzip" | "zstdcat" | "xzcat" | "bzcat" | "strings" | "od"
            | "hexdump" | "jq" | "rg" | "awk" | "gzip" | "openssl" | "gpg" | "tar" => parsed
                .rest()
                .skip(skip)
                .filter(|text| text.text != "-")
                .collect(),
            _ => Vec::new(),
        };
        if files.is_empty() {
            return call.stdin.clone();
        }
        let mut out = Stream::Empty;
        for file in files {
            let path = self.absolute(&file.text);
            let home = self.home();
            let piece = match self.env.file(&path) {
                Some(content) => content.clone(),
                None if matches!(
                    path.as_str(),
                    "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"
                ) =>
                {
                    call.stdin.clone()
                }
                None if paths::is_secret(&path, &home) => Stream::Tainted(Taint::Secret(path)),
                None => Stream::Tainted(Taint::File(path)),
            };
            out = out.then(piece);
        }
        out
    }
}

/// The program makes hidden text readable.
fn decodes(name: &str, parsed: &Parsed<'_>) -> bool {
    match name {
        "base64" | "base32" | "basenc" | "gbase64" => {
            parsed.has("decode") || parsed.has("d") || parsed.has("D")
        }
        "xxd" => parsed.has("revert") || parsed.has("r"),
        "openssl" => parsed.has("d"),
        "uudecode" => true,
        _ => false,
    }
}

fn seq(parsed: &Parsed<'_>) -> Stream {
    let numbers: Option<Vec<i64>> = parsed.rest().map(|text| text.text.parse().ok()).collect();
    let (from, step, to) = match numbers.as_deref() {
        Some([to]) => (1, 1, *to),
        Some([from, to]) => (*from, 1, *to),
        Some([from, step, to]) if *step > 0 => (*from, *step, *to),
        _ => return Stream::UNKNOWN,
    };
    let mut out = String::new();
    let mut at = from;
    while at <= to && out.len() < 512 {
        out.push_str(&format!("{at}\n"));
        at = at.saturating_add(step);
    }
    Stream::Known(out)
}

/// Decodes base 64, forgiving as the programs are.
pub(crate) fn base64(text: &str) -> Option<String> {
    decode_bits(text, 6, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    })
}

fn base32(text: &str) -> Option<String> {
    decode_bits(text, 5, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
}

fn decode_bits(text: &str, width: u32, value: impl Fn(u8) -> Option<u8>) -> Option<String> {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut out = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_whitespace() || byte == b'=' {
            continue;
        }
        bits = bits << width | u32::from(value(byte)?);
        count += width;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// Decodes pairs of hex digits.
pub(crate) fn hex(text: &str) -> Option<String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|next| !next.is_whitespace())
        .map(|next| next.to_digit(16))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair.first()? << 4 | pair.get(1)?).ok())
        .collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn set_of(text: &str) -> Option<Vec<char>> {
    if let Some(class) = text
        .strip_prefix("[:")
        .and_then(|text| text.strip_suffix(":]"))
    {
        return Some(match class {
            "upper" => ('A'..='Z').collect(),
            "lower" => ('a'..='z').collect(),
            "digit" => ('0'..='9').collect(),
            "space" => vec![' ', '\t', '\n', '\r'],
            "alpha" => ('A'..='Z').chain('a'..='z').collect(),
            _ => return None,
        });
    }
    let text = cmdai_shell::decode_ansi_c(text);
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&from) = chars.get(at) {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(&to)) if from <= to => {
                out.extend((from..=to).take(512));
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

fn translate(text: &str, parsed: &Parsed<'_>) -> Option<String> {
    let from = set_of(&parsed.nth(1)?.text)?;
    if parsed.has("delete") {
        return Some(text.chars().filter(|next| !from.contains(next)).collect());
    }
    let Some(to) = parsed.nth(2) else {
        return Some(text.to_owned());
    };
    let to = set_of(&to.text)?;
    let last = *to.last()?;
    Some(
        text.chars()
            .map(|next| {
                from.iter()
                    .rposition(|&known| known == next)
                    .map_or(next, |at| *to.get(at).unwrap_or(&last))
            })
            .collect(),
    )
}

fn lines(text: &str, head: bool, parsed: &Parsed<'_>) -> Option<String> {
    if parsed.has("bytes") {
        return None;
    }
    let count: usize = match parsed.value("lines") {
        Some(value) => value.text.trim_start_matches('+').parse().ok()?,
        None => parsed
            .options
            .iter()
            .find_map(|(name, _)| name.parse().ok())
            .unwrap_or(10),
    };
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    if head {
        Some(all.iter().take(count).copied().collect())
    } else if parsed
        .value("lines")
        .is_some_and(|value| value.text.starts_with('+'))
    {
        Some(all.iter().skip(count.saturating_sub(1)).copied().collect())
    } else {
        Some(
            all.iter()
                .skip(all.len().saturating_sub(count))
                .copied()
                .collect(),
        )
    }
}

fn cut(text: &str, parsed: &Parsed<'_>) -> Option<String> {
    let range = |text: &str| -> Option<(usize, usize)> {
        match text.split_once('-') {
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
            None => text.parse().ok().map(|at| (at, at)),
        }
    };
    if let Some(chars) = parsed.value("characters") {
        let (from, to) = range(&chars.text)?;
        return Some(
            text.lines()
                .map(|line| {
                    line.chars()
                        .enumerate()
                        .filter(|(at, _)| at + 1 >= from && at < &to)
                        .map(|(_, next)| next)
                        .collect::<String>()
                        + "\n"
                })
                .collect(),
        );
    }
    let fields = parsed.value("fields")?;
    let (from, to) = range(&fields.text)?;
    let delimiter = parsed
        .value("delimiter")
        .map_or("\t", |value| value.text.as_str());
    Some(
        text.lines()
            .map(|line| {
                let all: Vec<&str> = line.split(delimiter).collect();
                let picked: Vec<&str> = all
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| at + 1 >= from && at < &to)
                    .map(|(_, field)| *field)
                    .collect();
                picked.join(delimiter) + "\n"
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::{base64, hex};

    #[test]
    fn decoders() {
        assert_eq!(base64("cm0gLXJmIC8=").as_deref(), Some("rm -rf /"));
        assert_eq!(hex("726d 202d").as_deref(), Some("rm -"));
        assert_eq!(base64("!!"), None);
    }
}
