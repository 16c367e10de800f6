//! `tar`, whose options come in three styles.

use cmdai_schema::Dialect;

use crate::{
    analyser::Analyser,
    call::Call,
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

impl Analyser<'_> {
    pub(crate) fn tar(&mut self, call: &Call<'_>) -> Stream {
        let args = call.args;
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
                );
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
                        self.shell_code(&value.after(5), Dialect::Sh, &Stream::Empty, true);
                    }
                    (
                        "to-command"
                        | "use-compress-program"
                        | "rmt-command"
                        | "rsh-command"
                        | "info-script"
                        | "new-volume-script",
                        Some(value),
                    ) if !matches!(
                        value.text.as_str(),
                        "zstd" | "pigz" | "pbzip2" | "lz4" | "xz" | "gzip" | "bzip2"
                    ) =>
                    {
                        self.shell_code(&value, Dialect::Sh, &Stream::Empty, true);
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
                            ('I' | 'F', Some(value)) if value.text.contains([' ', '/', ';']) => {
                                self.shell_code(&value, Dialect::Sh, &Stream::Empty, true);
                            }
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
