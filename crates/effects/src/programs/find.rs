//! `find` and `fd`: what they run for each file, and where.

use cmdai_schema::EffectKind;

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    pub(crate) fn find(&mut self, call: &Call<'_>) -> Stream {
        let args = call.args;
        let mut roots: Vec<Text> = Vec::new();
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            match arg.text.as_str() {
                "-H" | "-L" | "-P" | "-E" | "-X" | "-d" | "-s" | "-x" => at += 1,
                "-D" => at += 2,
                "-f" => {
                    roots.extend(args.get(at + 1).cloned());
                    at += 2;
                }
                text if text.starts_with("-O") => at += 1,
                text if text.starts_with('-') || matches!(text, "(" | "!" | ")" | ",") => break,
                _ => {
                    roots.push(arg.clone());
                    at += 1;
                }
            }
        }
        if roots.is_empty() {
            roots.push(Text::known(".", call.span));
        }
        // `! -name x` finds nearly everything.
        let name = args
            .iter()
            .enumerate()
            .find(|(at, arg)| {
                matches!(arg.text.as_str(), "-name" | "-iname")
                    && !at
                        .checked_sub(1)
                        .and_then(|before| args.get(before))
                        .is_some_and(|before| matches!(before.text.as_str(), "!" | "-not"))
            })
            .and_then(|(at, _)| args.get(at + 1))
            .map_or("*", |name| name.text.as_str());
        // An empty folder or file takes nothing with it, a link not what it names.
        let empty = args.iter().any(|arg| arg.text == "-empty")
            || args.windows(2).any(
                |pair| matches!(pair, [test, kind] if test.text == "-type" && kind.text == "l"),
            );
        // Tests narrow down what is found; without any, everything below a root is, and the root itself.
        let narrow = args.iter().any(|arg| {
            matches!(
                arg.text.as_str(),
                "-name"
                    | "-iname"
                    | "-path"
                    | "-ipath"
                    | "-wholename"
                    | "-regex"
                    | "-iregex"
                    | "-type"
                    | "-mtime"
                    | "-mmin"
                    | "-newer"
                    | "-size"
                    | "-empty"
                    | "-user"
                    | "-group"
                    | "-perm"
                    | "-mindepth"
                    | "-atime"
                    | "-ctime"
                    | "-inum"
                    | "-samefile"
                    | "-nouser"
            )
        });
        // Every file to the bottom, whatever it is called: `-type f`, with folders left out.
        let all = narrow && !chosen(args);
        let found: Vec<Text> = roots
            .iter()
            .map(|root| {
                let base = root.text.trim_end_matches('/');
                let text = if all {
                    format!("{base}/**")
                } else if !narrow {
                    root.text.clone()
                } else if base.is_empty() && root.text.starts_with('/') {
                    format!("/{name}")
                } else {
                    format!("{base}/{name}")
                };
                Text {
                    text,
                    glob: true,
                    offset: None,
                    empty: root
                        .empty
                        .as_ref()
                        .map(|empty| format!("{}/{name}", empty.trim_end_matches('/'))),
                    ..root.clone()
                }
            })
            .collect();
        let secret = found.iter().find(|path| {
            let absolute = self.absolute(&path.text);
            crate::paths::is_secret(&absolute, &self.home())
        });
        let mut printed = match secret {
            Some(path) => Stream::Tainted(Taint::Secret(self.absolute(&path.text))),
            None => Stream::UNKNOWN,
        };
        // The paths themselves flow on, as far as they can be told.
        if !args.iter().any(|arg| {
            matches!(
                arg.text.as_str(),
                "-exec" | "-execdir" | "-ok" | "-okdir" | "-delete"
            )
        }) && found.iter().all(|path| path.known)
        {
            printed = Stream::Known(
                found
                    .iter()
                    .map(|path| self.absolute(&path.text) + "\n")
                    .collect(),
            );
        }
        while let Some(arg) = args.get(at) {
            at += 1;
            match arg.text.as_str() {
                "-delete" => {
                    for path in &found {
                        self.delete_path(path, !empty, false, call.span);
                    }
                }
                "-exec" | "-execdir" | "-ok" | "-okdir" => {
                    let end = args
                        .get(at..)
                        .unwrap_or_default()
                        .iter()
                        .position(|arg| arg.text == ";" || arg.text == "+")
                        .map_or(args.len(), |len| at + len);
                    let words = args.get(at..end).unwrap_or_default();
                    at = end + 1;
                    for path in &found {
                        self.for_file(words, path, call);
                    }
                }
                "-fprint" | "-fprint0" | "-fls" | "-fprintf" => {
                    if let Some(file) = args.get(at) {
                        self.write_path(&file.clone(), false, call.span);
                    }
                    at += 1;
                }
                _ => {}
            }
        }
        printed
    }

    /// Runs a program for a file that stands for `{}`.
    fn for_file(&mut self, words: &[Text], path: &Text, call: &Call<'_>) {
        let mut all = Vec::with_capacity(words.len());
        for word in words {
            if word.text.contains("{}") {
                let text = word.text.replace("{}", &path.text);
                all.push(Text {
                    text,
                    known: word.known && path.known,
                    glob: false,
                    offset: None,
                    empty: path
                        .empty
                        .as_ref()
                        .map(|empty| word.text.replace("{}", empty)),
                    ..word.clone()
                });
            } else {
                all.push(word.clone());
            }
        }
        self.call(&all, Vec::new(), &Stream::Empty, call.span);
    }

    pub(crate) fn fd(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        // `fd [options] pattern path… -x program…`
        let at = call
            .args
            .iter()
            .position(|arg| matches!(arg.text.as_str(), "-x" | "-X" | "--exec" | "--exec-batch"));
        let _ = parsed;
        let Some(at) = at else { return Stream::UNKNOWN };
        let words = call.args.get(at + 1..).unwrap_or_default();
        let end = words
            .iter()
            .position(|arg| arg.text == ";")
            .unwrap_or(words.len());
        let words = words.get(..end).unwrap_or_default();
        let roots: Vec<&Text> = call
            .args
            .get(..at)
            .unwrap_or_default()
            .iter()
            .filter(|arg| {
                arg.text.starts_with(['/', '~', '.']) && arg.text.contains('/')
                    || arg.text == "."
                    || arg.text == "/"
            })
            .collect();
        let root = roots.last().map_or(".", |root| root.text.as_str());
        let path = Text {
            glob: true,
            ..Text::known(
                format!(
                    "{}/{}",
                    root.trim_end_matches('/'),
                    if self.fd_names_all(call, parsed) {
                        "**"
                    } else {
                        "*"
                    }
                ),
                call.span,
            )
        };
        let mut all = words.to_vec();
        if !words.iter().any(|word| word.text.contains('{')) {
            all.push(Text::known("{}", call.span));
        }
        self.for_file(&all, &path, call);
        Stream::UNKNOWN
    }

    /// `fd -t f .`: every file, whatever it is called.
    fn fd_names_all(&self, call: &Call<'_>, parsed: &Parsed<'_>) -> bool {
        let picks = call.args.iter().any(|arg| {
            matches!(
                arg.text.as_str(),
                "-e" | "--extension"
                    | "-g"
                    | "--glob"
                    | "-E"
                    | "--exclude"
                    | "-d"
                    | "--max-depth"
                    | "-S"
                    | "--size"
                    | "--changed-within"
                    | "--changed-before"
                    | "--older"
                    | "--newer"
                    | "-o"
                    | "--owner"
            ) || arg.text.starts_with("--extension=")
                || arg.text.starts_with("--size=")
        });
        let pattern = parsed.nth(1).map_or(".", |text| text.text.as_str());
        !picks && matches!(pattern, "." | "" | ".*")
    }

    /// Notes that something is exhausted.
    pub(crate) fn exhausts(&mut self, how: &str, span: cmdai_schema::Span) {
        self.emit(
            EffectKind::ResourceExhaustion {
                how: how.to_owned(),
            },
            span,
            cmdai_schema::Certainty::Likely,
        );
    }
}

/// True where a test picks some of what is found, or only a level is looked at.
fn chosen(args: &[Text]) -> bool {
    let mut picked = false;
    let mut types = false;
    for (at, arg) in args.iter().enumerate() {
        let negated = at
            .checked_sub(1)
            .and_then(|before| args.get(before))
            .is_some_and(|before| matches!(before.text.as_str(), "!" | "-not"));
        let pruned = args.get(at + 2).is_some_and(|next| next.text == "-prune");
        match arg.text.as_str() {
            "-type" => {
                types |= args.get(at + 1).is_some_and(|kind| kind.text == "f");
                picked |= args.get(at + 1).is_some_and(|kind| kind.text != "f");
            }
            "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-regex" | "-iregex"
                if negated || pruned => {}
            "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-regex" | "-iregex"
            | "-mtime" | "-mmin" | "-newer" | "-newermt" | "-newerct" | "-size" | "-empty"
            | "-user" | "-group" | "-perm" | "-atime" | "-amin" | "-ctime" | "-cmin" | "-inum"
            | "-samefile" | "-nouser" | "-nogroup" | "-links" | "-maxdepth" | "-executable"
            | "-uid" | "-gid" => picked = true,
            _ => {}
        }
    }
    picked || !types
}
