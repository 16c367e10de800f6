//! `tar`, whose options come in three styles.

use cmdai_schema::{CodeSource, Dialect};

use crate::{
    analyser::Analyser,
    call::Call,
    paths,
    value::{Stream, Taint, Text},
};

/// Options that run something may be cut short.
fn whole(name: &str) -> &str {
    const RUN: &[&str] = &[
        "checkpoint-action",
        "info-script",
        "new-volume-script",
        "rmt-command",
        "rsh-command",
        "to-command",
        "use-compress-program",
    ];
    RUN.iter()
        .find(|option| name.len() > 3 && name != "checkpoint" && option.starts_with(name))
        .copied()
        .unwrap_or(name)
}

/// What options told `tar` to run, and when.
#[derive(Default)]
struct Runs {
    /// For each file that is extracted.
    each: Option<Text>,
    /// At checkpoints.
    checkpoints: Vec<Text>,
    /// To pack and unpack.
    packer: Option<Text>,
    /// At the end of a volume.
    volume: Option<Text>,
    /// For an archive on another machine.
    remote: Vec<Text>,
    local: bool,
}

/// Escapes that `tar` takes out of `exec=` itself, and quotes around the whole.
fn unescaped(code: &Text) -> Text {
    let text = code.text.as_str();
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| {
            text.strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\''))
        })
        .unwrap_or(text);
    if bare == text && !text.contains('\\') {
        return code.clone();
    }
    let mut out = String::with_capacity(bare.len());
    let mut chars = bare.chars().peekable();
    while let Some(next) = chars.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        let mut value = 0u32;
        let mut digits = 0;
        while let Some(digit) = chars.peek().and_then(|next| next.to_digit(8)) {
            if digits == 3 {
                break;
            }
            value = value * 8 + digit;
            digits += 1;
            chars.next();
        }
        match (digits, chars.peek()) {
            (0, Some('n')) => {
                chars.next();
                out.push('\n');
            }
            (0, Some('t')) => {
                chars.next();
                out.push('\t');
            }
            (0, _) => out.extend(chars.next()),
            _ => out.extend(char::from_u32(value)),
        }
    }
    Text {
        text: out,
        offset: None,
        ..code.clone()
    }
}

/// Words of `TAR_OPTIONS`: quotes and backslashes hold them together.
fn option_words(text: &str, span: cmdai_schema::Span) -> Vec<Text> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        match (next, quote) {
            ('\\', _) => word.extend(chars.next()),
            (next, Some(open)) if next == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(next);
                begun = true;
            }
            (next, None) if next.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(Text::known(std::mem::take(&mut word), span));
                    begun = false;
                }
            }
            (next, _) => word.push(next),
        }
    }
    if begun || !word.is_empty() {
        words.push(Text::known(word, span));
    }
    words
}

impl Analyser<'_> {
    /// What `tar` runs, by what it does and where the archive is.
    fn tar_runs(
        &mut self,
        runs: Runs,
        mode: Option<char>,
        remote: bool,
        stdout: bool,
        archive: &str,
    ) {
        let mut all: Vec<(Text, bool)> = Vec::new();
        all.extend(runs.checkpoints.into_iter().map(|code| (code, false)));
        if mode == Some('x') && !stdout {
            all.extend(runs.each.map(|code| (code, true)));
        }
        all.extend(runs.packer.map(|code| (code, true)));
        all.extend(runs.volume.map(|code| (code, false)));
        if remote && !runs.local {
            all.extend(runs.remote.into_iter().map(|code| (code, false)));
        }
        for (code, fed) in all {
            if !code.known && code.text.starts_with(['$', '`']) {
                self.unknown = true;
                self.emit_code(CodeSource::Unknown, "shell", code.span);
                continue;
            }
            let program = paths::base_name(code.text.split_whitespace().next().unwrap_or(""));
            let bare = code.text.split_whitespace().nth(1).is_none();
            if fed && bare && Dialect::from_name(program).is_some() {
                // A shell reads what the archive holds.
                self.emit_code(CodeSource::File(archive.to_owned()), "shell", code.span);
                self.emit_code(CodeSource::Unknown, "shell", code.span);
                continue;
            }
            if matches!(
                code.text.as_str(),
                "zstd"
                    | "pigz"
                    | "pbzip2"
                    | "lz4"
                    | "xz"
                    | "gzip"
                    | "bzip2"
                    | "lzma"
                    | "lzop"
                    | "cat"
            ) {
                continue;
            }
            self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
        }
    }

    pub(crate) fn tar(&mut self, call: &Call<'_>) -> Stream {
        let own;
        let held = self
            .env
            .get("TAR_OPTIONS")
            .and_then(|value| value.alternatives.first())
            .cloned();
        let args = match held {
            Some(text) if text.known && !text.text.is_empty() => {
                // Old-style letters and what they take come first, so these words go last.
                let mut all = call.args.to_vec();
                all.extend(option_words(&text.text, call.span));
                own = all;
                own.as_slice()
            }
            _ => call.args,
        };
        let mut runs = Runs::default();
        let (mut mode, mut file, mut folder): (Option<char>, Option<Text>, Option<Text>) =
            (None, None, None);
        let (mut operands, mut stdout, mut remove): (Vec<Text>, bool, bool) =
            (Vec::new(), false, false);
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            let text = arg.text.as_str();
            if text == "--" {
                operands.extend(args.get(at..).unwrap_or_default().iter().cloned());
                break;
            }
            if let Some(long) = text.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, _)) => (name, Some(arg.after(name.len() + 3))),
                    None => (long, None),
                };
                let name = whole(name);
                let takes = matches!(
                    name,
                    "file"
                        | "directory"
                        | "checkpoint-action"
                        | "to-command"
                        | "use-compress-program"
                        | "rmt-command"
                        | "rsh-command"
                        | "info-script"
                        | "new-volume-script"
                        | "exclude"
                        | "transform"
                        | "files-from"
                        | "owner"
                        | "group"
                        | "mode"
                        | "strip-components"
                        | "index-file"
                        | "volno-file"
                        | "exclude-from"
                        | "listed-incremental"
                        | "blocking-factor"
                        | "checkpoint"
                        | "newer"
                        | "newer-mtime"
                        | "format"
                        | "label"
                        | "record-size"
                        | "starting-file"
                        | "suffix"
                        | "tape-length"
                        | "sort"
                        | "mtime"
                        | "pax-option"
                        | "quoting-style"
                ) && !matches!(name, "checkpoint");
                let value = value.or_else(|| {
                    takes.then(|| {
                        at += 1;
                        args.get(at - 1).cloned().unwrap_or_default()
                    })
                });
                match (name, value) {
                    ("create", _) => mode = Some('c'),
                    ("extract" | "get", _) => mode = Some('x'),
                    ("list", _) => mode = Some('t'),
                    ("append", _) => mode = Some('r'),
                    ("delete", _) => mode = Some('d'),
                    ("to-stdout", _) => stdout = true,
                    ("remove-files", _) => remove = true,
                    ("file", value) => file = value,
                    ("directory", value) => folder = value,
                    ("checkpoint-action", Some(value)) if value.text.starts_with("exec=") => {
                        runs.checkpoints.push(unescaped(&value.after(5)));
                    }
                    ("checkpoint-action", Some(value)) if value.text.contains("exec=") => {
                        let bare = unescaped(&value);
                        if let Some(code) = bare.text.strip_prefix("exec=") {
                            runs.checkpoints.push(unescaped(&Text {
                                text: code.to_owned(),
                                offset: None,
                                ..bare.clone()
                            }));
                        }
                    }
                    ("checkpoint-action", Some(value)) if !value.known => {
                        runs.checkpoints.push(value);
                    }
                    ("to-command", value) => runs.each = value,
                    ("use-compress-program", value) => runs.packer = value,
                    ("info-script" | "new-volume-script", value) => runs.volume = value,
                    ("rmt-command" | "rsh-command", Some(value)) => {
                        runs.remote.retain(|_| name == "rsh-command");
                        runs.remote.push(value);
                    }
                    ("force-local", _) => runs.local = true,
                    ("index-file" | "volno-file", Some(value)) => {
                        self.write_path(&value, false, call.span);
                    }
                    _ => {}
                }
                continue;
            }
            let joined = text.strip_prefix('-').filter(|rest| !rest.is_empty());
            let letters = match joined {
                Some(letters) => letters,
                // The old style: the first word without a dash.
                None if at == 1 && !text.is_empty() => text,
                None => {
                    operands.push(arg.clone());
                    continue;
                }
            };
            for (position, letter) in letters.char_indices() {
                match letter {
                    'c' | 'x' | 't' | 'r' | 'u' => mode = Some(letter),
                    'O' => stdout = true,
                    'f' | 'C' | 'I' | 'T' | 'X' | 'F' | 'b' | 'H' | 'g' | 'K' | 'N' | 'V' => {
                        let attached = position + 1 < letters.len() && joined.is_some();
                        let value = if attached {
                            Some(arg.after(position + 2))
                        } else {
                            at += 1;
                            args.get(at - 1).cloned()
                        };
                        match (letter, value) {
                            ('f', value) => file = value,
                            ('C', value) => folder = value,
                            ('I', value) => runs.packer = value,
                            ('F', value) => runs.volume = value,
                            _ => {}
                        }
                        if attached {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        }
        let archive = file.filter(|file| file.text != "-");
        let named = archive.as_ref().map_or("-", |file| file.text.as_str());
        let remote = named
            .split('/')
            .next()
            .is_some_and(|host| host.contains(':'));
        let path = self.absolute(named);
        self.tar_runs(runs, mode, remote, stdout, &path);
        match mode {
            Some('c' | 'r' | 'u') => {
                let mut taint = None;
                for operand in &operands {
                    if self.read_path(operand, operand.span) {
                        taint = Some(Taint::Secret(self.absolute(&operand.text)));
                    } else if taint.is_none() {
                        taint = Some(Taint::File(self.absolute(&operand.text)));
                    }
                    if remove {
                        self.delete_path(operand, true, false, call.span);
                    }
                }
                let content = taint.map_or(Stream::UNKNOWN, Stream::Tainted);
                match archive {
                    Some(file) => {
                        self.write_path(&file, mode != Some('c'), call.span);
                        let path = self.absolute(&file.text);
                        self.env.write_file(&path, content, false);
                        Stream::Empty
                    }
                    None => content,
                }
            }
            Some('x') => {
                if let Some(file) = archive {
                    self.read_path(&file, file.span);
                }
                if stdout {
                    return call.stdin.clone();
                }
                if let Some(folder) = folder {
                    self.write_path(&folder, true, call.span);
                }
                Stream::Empty
            }
            _ => Stream::UNKNOWN,
        }
    }
}
