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
                if name.is_empty() && first.text.starts_with('/') {
                    name = "/";
                }
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
            "seq" => return seq(args),
            "expr" => {
                return crate::filters::expr(args).map_or(Stream::UNKNOWN, Stream::Known);
            }
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
        // The names of the files are not for the filter.
        let own: Vec<Text> = self.without_files(call, parsed);
        let result = match call.name {
            "tee" | "zcat" | "less" | "more" | "bat" | "stdbuf" | "pv" | "sponge" => {
                Some(text.to_owned())
            }
            "base64" | "gbase64" if parsed.has("decode") => base64(text),
            "base64" | "gbase64" => crate::decode::base64_lines(&own, text),
            "base32" if parsed.has("decode") => base32(text),
            "xxd" if parsed.has("revert") => crate::decode::dump_to_text(text),
            "xxd" => crate::decode::text_to_dump(&own, text),
            "openssl" if parsed.has("d") && (parsed.has("base64") || parsed.has("a")) => {
                base64(text)
            }
            "gzip" | "gunzip" | "bzip2" | "bunzip2" | "xz" | "unxz" | "zstd" | "lz4" => None,
            name => crate::filters::run(name, &own, text),
        };
        match result {
            Some(text) if text.len() <= MAX_TEXT => Stream::Known(text),
            _ => through(&input),
        }
    }

    /// True where a program is asked for code that sets a shell up: `brew shellenv`, `direnv hook bash`,
    /// `kubectl completion bash`.
    pub(crate) fn prints_setup(&self, call: &Call<'_>) -> bool {
        let own = matches!(
            (call.name, call.args),
            ("direnv" | "devenv" | "mise" | "aws-vault" | "granted", [first, ..]) if first.text == "export"
        ) || call.args.iter().any(|arg| {
            matches!(
                (call.name, arg.text.as_str()),
                (
                    "fzf" | "just" | "stack" | "broot" | "navi" | "wezterm",
                    "--bash"
                        | "--zsh"
                        | "--fish"
                        | "--completions"
                        | "--bash-completion-script"
                        | "--print-shell-function"
                        | "widget"
                        | "shell-completion"
                ) | ("luarocks", "path")
                    | ("op", "signin")
                    | ("aws", "export-credentials")
            )
        }) || matches!(
            call.name,
            "dircolors"
                | "lesspipe"
                | "lesspipe.sh"
                | "resize"
                | "keychain"
                | "register-python-argcomplete"
        );
        if own && *call.stdin == Stream::Empty && call.args.iter().all(|arg| arg.known) {
            return true;
        }
        *call.stdin == Stream::Empty
            && !call.name.is_empty()
            && call.args.len() <= 5
            && call.args.iter().all(|arg| arg.known)
            && call.args.iter().take(3).any(|arg| {
                matches!(
                    arg.text.trim_start_matches('-'),
                    "init"
                        | "hook"
                        | "shellenv"
                        | "completion"
                        | "completions"
                        | "activate"
                        | "env"
                        | "docker-env"
                        | "shell.bash"
                        | "shell.zsh"
                        | "shell.posix"
                        | "alias"
                        | "print-completion"
                        | "generate-shell-completion"
                        | "printenv"
                )
            })
            && !matches!(
                call.name,
                "curl"
                    | "wget"
                    | "cat"
                    | "echo"
                    | "printf"
                    | "base64"
                    | "bash"
                    | "sh"
                    | "python"
                    | "python3"
                    | "git"
            )
    }

    /// The arguments without those that name files.
    fn without_files(&self, call: &Call<'_>, parsed: &Parsed<'_>) -> Vec<Text> {
        let programs = matches!(
            call.name,
            "tr" | "sed" | "awk" | "mawk" | "nawk" | "grep" | "egrep" | "fgrep"
        );
        if programs {
            return call.args.to_vec();
        }
        call.args
            .iter()
            .enumerate()
            .filter(|(at, _)| !parsed.operands.iter().any(|(operand, _)| operand == at))
            .map(|(_, arg)| arg.clone())
            .collect()
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

/// Most numbers that `seq` prints.
const MAX_NUMBERS: usize = 256;

fn seq(args: &[Text]) -> Stream {
    let numbers: Option<Vec<i64>> = args
        .iter()
        .map(|arg| arg.known.then(|| arg.text.parse().ok()).flatten())
        .collect();
    let (from, step, to) = match numbers.as_deref() {
        Some([to]) => (1, 1, *to),
        Some([from, to]) => (*from, 1, *to),
        Some([from, step, to]) if *step != 0 => (*from, *step, *to),
        _ => return Stream::UNKNOWN,
    };
    let mut out = String::new();
    let mut at = from;
    let mut count = 0;
    while (step > 0 && at <= to || step < 0 && at >= to) && count < MAX_NUMBERS {
        out.push_str(&format!("{at}\n"));
        at = at.saturating_add(step);
        count += 1;
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
