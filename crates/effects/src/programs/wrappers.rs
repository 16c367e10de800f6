//! Programs that run another one, by grammars of their own.

use cmdai_schema::{Certainty, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::{Call, joined},
    knowledge::WrapKind,
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// Most items of a list that are followed one by one.
const MAX_ITEMS: usize = 32;

/// Options of `bwrap` with so many values.
fn bwrap_values(option: &str) -> usize {
    match option {
        "--bind" | "--bind-try" | "--dev-bind" | "--dev-bind-try" | "--ro-bind"
        | "--ro-bind-try" | "--symlink" | "--setenv" | "--file" | "--bind-data"
        | "--ro-bind-data" | "--chmod" | "--overlay" | "--bind-fd" | "--ro-bind-fd" => 2,
        "--dev" | "--proc" | "--tmpfs" | "--mqueue" | "--dir" | "--chdir" | "--unsetenv"
        | "--lock-file" | "--remount-ro" | "--args" | "--hostname" | "--uid" | "--gid"
        | "--cap-add" | "--cap-drop" | "--seccomp" | "--exec-label" | "--file-label"
        | "--perms" | "--size" | "--argv0" | "--block-fd" | "--info-fd" | "--json-status-fd"
        | "--sync-fd" | "--userns" | "--userns2" | "--pidns" | "--userns-block-fd"
        | "--add-seccomp-fd" | "--overlay-src" | "--tmp-overlay" | "--ro-overlay" => 1,
        _ => 0,
    }
}

impl Analyser<'_> {
    pub(crate) fn env_program(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(split) = parsed.value("split").cloned() {
            let mut all = vec![&split];
            all.extend(parsed.rest());
            let code = joined(&all, call.span);
            let dialect = self.dialect;
            return self.shell_code(&code, dialect, call.stdin, true);
        }
        if parsed.operands.is_empty() {
            return Stream::Tainted(Taint::Secret("environment".to_owned()));
        }
        // A lone dash empties the environment.
        let skip = usize::from(parsed.sub() == "-");
        self.wrapped(call, parsed, WrapKind::Argv, skip, true)
    }

    /// `start-stop-daemon --exec PROGRAM -- ARGUMENTS`, `daemonize PROGRAM`.
    pub(crate) fn daemon(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("stop") {
            return Stream::Empty;
        }
        let Some(program) = parsed.value("exec").cloned() else {
            return self.wrapped(call, parsed, WrapKind::Argv, 0, false);
        };
        let mut words = vec![program];
        words.extend(parsed.rest().cloned());
        self.call(&words, Vec::new(), call.stdin, call.span)
    }

    /// `setsid`, `caffeinate`, `systemd-inhibit`: a letter that means a value to one and nothing to
    /// another, so what follows decides.
    pub(crate) fn session_wrapper(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if call.name == "caffeinate" && parsed.has("wait") {
            // `-w PID` waits for a process.
            let mut words = call.args.iter();
            while let Some(word) = words.next() {
                match word.text.as_str() {
                    "-w" | "-t" => {
                        words.next();
                    }
                    text if text.starts_with('-') => {}
                    _ => {
                        let mut all = vec![word.clone()];
                        all.extend(words.cloned());
                        return self.call(&all, Vec::new(), call.stdin, call.span);
                    }
                }
            }
            return Stream::Empty;
        }
        if call.name == "setsid" {
            let at = call
                .args
                .iter()
                .position(|arg| !arg.text.starts_with('-'))
                .unwrap_or(call.args.len());
            let words = call.args.get(at..).unwrap_or_default();
            return self.call(words, Vec::new(), call.stdin, call.span);
        }
        self.wrapped(call, parsed, WrapKind::Argv, 0, false)
    }

    /// The items that `xargs` reads, and whether they are all known.
    fn xargs_items(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Vec<Text> {
        if let Some(file) = parsed.value("arg-file").cloned() {
            let path = self.absolute(&file.text);
            if let Some(Stream::Known(text)) = self.env.file(&path).cloned() {
                return text
                    .split_whitespace()
                    .take(64)
                    .map(|item| Text::known(item, file.span))
                    .collect();
            }
            self.read_path(&file, file.span);
            return vec![Text::unknown("$input", call.span, Some(Taint::File(path)))];
        }
        match call.stdin {
            Stream::Known(text) => {
                let own = parsed
                    .value("delimiter")
                    .map(|text| match text.text.as_str() {
                        "\\n" => '\n',
                        "\\0" => '\0',
                        "\\t" => '\t',
                        other => other.chars().next().unwrap_or('\n'),
                    });
                let lines = ['\n', '\0'];
                let words = ['\n', ' ', '\t', '\0'];
                let one;
                let separators: &[char] = match own {
                    Some(own) => {
                        one = [own, '\n'];
                        &one
                    }
                    None if parsed.has("replace") || parsed.has("null") => &lines,
                    None => &words,
                };
                text.split(separators)
                    .filter(|item| !item.is_empty())
                    .take(64)
                    .map(|item| Text::known(item.trim_matches(['"', '\'']), call.span))
                    .collect()
            }
            other => vec![Text::unknown("$input", call.span, other.taint().cloned())],
        }
    }

    pub(crate) fn xargs(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let Some(&(at, _)) = parsed.operands.first() else {
            // Without a program it says what it reads, in one line.
            return match call.stdin {
                Stream::Known(text) if !parsed.has("null") => {
                    let words: Vec<&str> = text.split_whitespace().collect();
                    Stream::Known(words.join(" ") + "\n")
                }
                other => other.clone(),
            };
        };
        let words = call.args.get(at..).unwrap_or_default();
        let items = self.xargs_items(call, parsed);
        if parsed.has("replace") {
            let pattern = parsed
                .value("replace")
                .map_or("{}", |text| text.text.as_str())
                .to_owned();
            let mut printed = Stream::Empty;
            for item in items.iter().take(MAX_ITEMS) {
                let replaced: Vec<Text> = words
                    .iter()
                    .map(|word| replace(word, &pattern, item))
                    .collect();
                printed = printed.then(self.call(&replaced, Vec::new(), &Stream::Empty, call.span));
            }
            return printed;
        }
        // So many items for each run: what the code of `sh -c` sees as its first argument.
        let each = parsed
            .value("max")
            .and_then(|count| count.text.parse::<usize>().ok())
            .filter(|count| *count > 0 && items.len() > *count && items.len() <= MAX_ITEMS)
            .unwrap_or(items.len().max(1));
        let mut printed = Stream::Empty;
        for some in items.chunks(each) {
            let mut all = words.to_vec();
            all.extend(some.iter().cloned());
            printed = printed.then(self.call(&all, Vec::new(), &Stream::Empty, call.span));
        }
        if items.is_empty() {
            printed = self.call(words, Vec::new(), &Stream::Empty, call.span);
        }
        printed
    }

    /// The lists of `parallel`: behind `:::`, in files, or what is read.
    fn parallel_lists(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
        values: &[&Text],
    ) -> Vec<Vec<Text>> {
        let unknown = |taint: Option<Taint>| vec![Text::unknown("$input", call.span, taint)];
        let mut lists: Vec<Vec<Text>> = Vec::new();
        for value in values {
            if value.text.starts_with("::::") {
                lists.push(unknown(None));
            } else if value.text.starts_with(":::") {
                lists.push(Vec::new());
            } else if let Some(list) = lists.last_mut()
                && list.len() < MAX_ITEMS
            {
                list.push((*value).clone());
            }
        }
        if lists.is_empty() {
            lists.push(match call.stdin {
                Stream::Known(text) if !parsed.has("arg-file") => text
                    .lines()
                    .filter(|line| !line.is_empty())
                    .take(MAX_ITEMS)
                    .map(|line| Text::known(line, call.span))
                    .collect(),
                other => unknown(other.taint().cloned()),
            });
        }
        lists
    }

    pub(crate) fn parallel(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        for host in parsed.values("host").cloned().collect::<Vec<_>>() {
            if host.text != ":" {
                self.emit(
                    EffectKind::Connect { address: host.text },
                    call.span,
                    Certainty::Proven,
                );
            }
        }
        let operands: Vec<&Text> = parsed.operands.iter().map(|(_, text)| *text).collect();
        let split = operands
            .iter()
            .position(|text| text.text.starts_with(":::"))
            .unwrap_or(operands.len());
        let (command, values) = operands.split_at(split);
        let dialect = self.dialect;
        if parsed.has("pipe") && !command.is_empty() {
            let code = joined(command, call.span);
            return self.shell_code(&code, dialect, call.stdin, true);
        }
        let lists = self.parallel_lists(call, parsed, values);
        let own = parsed
            .value("replace")
            .map_or("{}", |text| text.text.as_str())
            .to_owned();
        let Some((first, others)) = lists.split_first() else {
            return Stream::UNKNOWN;
        };
        let mut left = MAX_ITEMS;
        for item in first {
            let most = others.iter().map(Vec::len).max().unwrap_or(1).max(1);
            for at in 0..most {
                if left == 0 {
                    return Stream::UNKNOWN;
                }
                left -= 1;
                let code = if command.is_empty() {
                    item.clone()
                } else {
                    let code = joined(command, call.span);
                    let named = code.text.contains('{') || code.text.contains(own.as_str());
                    if named {
                        let mut code = replace(&code, &own, item);
                        for pattern in ["{}", "{1}", "{.}", "{/}", "{//}", "{/.}"] {
                            code = replace(&code, pattern, item);
                        }
                        for (number, list) in others.iter().enumerate() {
                            if let Some(value) = list.get(at.min(list.len().saturating_sub(1))) {
                                code = replace(&code, &format!("{{{}}}", number + 2), value);
                            }
                        }
                        code
                    } else {
                        joined(&[&code, item], call.span)
                    }
                };
                self.shell_code(&code, dialect, &Stream::Empty, true);
            }
        }
        Stream::UNKNOWN
    }

    pub(crate) fn flock(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match parsed.value("command").cloned() {
            Some(code) => self.shell_code(&code, Dialect::Sh, call.stdin, true),
            None => {
                // `flock FILE -c CODE`
                if let Some((at, _)) = parsed.operands.get(1)
                    && call.args.get(*at).is_some_and(|arg| arg.text == "-c")
                    && let Some(code) = call.args.get(at + 1)
                {
                    return self.shell_code(&code.clone(), Dialect::Sh, call.stdin, true);
                }
                self.wrapped(call, parsed, WrapKind::Argv, 1, false)
            }
        }
    }

    /// Sandboxes and other identities whose options take two values, or none.
    pub(crate) fn namespace(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "bwrap" => {
                let mut at = 0;
                while let Some(arg) = call.args.get(at) {
                    if arg.text == "--" {
                        at += 1;
                        break;
                    }
                    if !arg.text.starts_with('-') {
                        break;
                    }
                    at += 1 + bwrap_values(&arg.text);
                }
                let words = call.args.get(at..).unwrap_or_default();
                self.call(words, Vec::new(), call.stdin, call.span)
            }
            "capsh" => {
                if let Some(at) = call
                    .args
                    .iter()
                    .position(|arg| matches!(arg.text.as_str(), "--" | "=="))
                    && let Some(rest) = call.args.get(at + 1..)
                {
                    let mut all = vec![Text::known("bash", call.span)];
                    all.extend(rest.iter().cloned());
                    return self.call(&all, Vec::new(), call.stdin, call.span);
                }
                Stream::UNKNOWN
            }
            // `sg GROUP CODE`, `sg GROUP -c CODE`
            "sg" => {
                let mut rest = call.args.iter().skip(1);
                let code = match rest.next() {
                    Some(word) if word.text == "-c" => rest.next(),
                    other => other,
                };
                match code.cloned() {
                    Some(code) => self.shell_code(&code, Dialect::Sh, call.stdin, true),
                    None => Stream::Empty,
                }
            }
            "newgrp" => Stream::Empty,
            // A context stands in front of the program unless options gave it.
            "runcon" => {
                let given = ["type", "user", "range", "k"]
                    .iter()
                    .any(|name| parsed.has(name));
                self.wrapped(call, parsed, WrapKind::Argv, usize::from(!given), false)
            }
            "pivot_root" | "switch_root" => self.wrapped(call, parsed, WrapKind::Argv, 1, false),
            "newrole" => {
                let at = call.args.iter().position(|arg| arg.text == "-c");
                match at.and_then(|at| call.args.get(at + 1)).cloned() {
                    Some(code) => self.shell_code(&code, Dialect::Sh, call.stdin, true),
                    None => Stream::UNKNOWN,
                }
            }
            _ => self.wrapped(call, parsed, WrapKind::Argv, 0, false),
        }
    }
}

/// A word with a pattern replaced by an item.
pub(super) fn replace(word: &Text, pattern: &str, item: &Text) -> Text {
    if !word.text.contains(pattern) || pattern.is_empty() {
        return word.clone();
    }
    Text {
        text: word.text.replace(pattern, &item.text),
        known: word.known && item.known,
        taint: match (word.taint.clone(), item.taint.clone()) {
            (Some(first), Some(second)) => Some(first.worse(second)),
            (first, second) => first.or(second),
        },
        offset: None,
        empty: None,
        ..word.clone()
    }
}
