//! sed: its scripts can run programs and write files.

use cmdai_schema::{CodeSource, Dialect};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

/// A command that matters, or that changes what comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    /// `e COMMAND`
    Run(String),
    /// `e` alone and `s///e`: what the line says is run.
    RunLine,
    Write(String),
    Read(String),
    Substitute {
        from: String,
        to: String,
        all: bool,
        runs: bool,
        /// With an address: not on every line.
        picked: bool,
    },
    Translate {
        from: String,
        to: String,
        picked: bool,
    },
    /// Every line is deleted.
    DeleteAll,
    /// Anything else; true where it changes what comes out.
    Other(bool),
}

/// Most commands of a script.
const MAX_COMMANDS: usize = 1_024;

struct Script<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Script<'s> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&what) {
            self.next();
        }
    }

    /// The rest of the line.
    fn line(&mut self) -> &'s str {
        let rest = self.text.get(self.at..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        self.at += line.len();
        line
    }

    /// Up to a delimiter that is not escaped; inside brackets of a pattern it is plain. GNU sed does
    /// not know the latter, and what is written for it does not rely on it.
    fn field(&mut self, delimiter: char) -> String {
        let mut out = String::new();
        while let Some(next) = self.next() {
            if next == delimiter {
                return out;
            }
            out.push(next);
            if next == '\\'
                && let Some(escaped) = self.next()
            {
                if escaped == delimiter {
                    out.pop();
                }
                out.push(escaped);
            }
        }
        out
    }

    /// One or two addresses; true where there was one that leaves lines out.
    fn addresses(&mut self) -> bool {
        let start = self.at;
        while let Some(next) = self.peek() {
            match next {
                '0'..='9' | '$' | ',' | '~' | '+' | ' ' | '\t' => {
                    self.next();
                }
                '/' => {
                    self.next();
                    self.field('/');
                    self.skip(|next| matches!(next, 'I' | 'M'));
                }
                '\\' => {
                    self.next();
                    if let Some(delimiter) = self.next() {
                        self.field(delimiter);
                    }
                    self.skip(|next| matches!(next, 'I' | 'M'));
                }
                _ => break,
            }
        }
        let said = self.text.get(start..self.at).unwrap_or("").trim();
        self.skip(|next| matches!(next, '!' | ' ' | '\t'));
        let negated = self
            .text
            .get(start..self.at)
            .is_some_and(|all| all.contains('!'));
        negated || !matches!(said, "" | "1,$" | "0,$" | "1~1" | "/.*/" | "/^/" | "/$/")
    }
}

/// The commands of a script.
fn parse(text: &str) -> Vec<Command> {
    let mut script = Script { text, at: 0 };
    let mut out = Vec::new();
    // Inside braces with an address.
    let mut outer: Vec<bool> = Vec::new();
    while out.len() < MAX_COMMANDS {
        script.skip(|next| next.is_whitespace() || next == ';');
        let picked = script.addresses() || outer.last().is_some_and(|picked| *picked);
        let Some(command) = script.next() else { break };
        match command {
            '{' => outer.push(picked),
            '}' => {
                outer.pop();
            }
            '#' | ':' | 'b' | 't' | 'T' | 'v' => {
                if command == '#' {
                    script.line();
                } else {
                    script.skip(|next| !matches!(next, ';' | '\n' | '}'));
                }
            }
            'a' | 'i' | 'c' => {
                // The text goes to the end of the line, and on where that ends with `\`.
                while script.line().ends_with('\\') {
                    if script.next().is_none() {
                        break;
                    }
                }
                out.push(Command::Other(true));
            }
            'e' => {
                let code = script.line().trim();
                out.push(if code.is_empty() {
                    Command::RunLine
                } else {
                    Command::Run(code.to_owned())
                });
            }
            'w' | 'W' => out.push(Command::Write(script.line().trim().to_owned())),
            'r' | 'R' => out.push(Command::Read(script.line().trim().to_owned())),
            's' | 'y' => {
                let Some(delimiter) = script.next() else {
                    break;
                };
                let (from, to) = (script.field(delimiter), script.field(delimiter));
                if command == 'y' {
                    out.push(Command::Translate { from, to, picked });
                    continue;
                }
                let (mut all, mut runs, mut some) = (false, false, false);
                let mut file = None;
                while let Some(flag) = script.peek() {
                    match flag {
                        'g' => all = true,
                        'e' => runs = true,
                        'w' => {
                            script.next();
                            file = Some(script.line().trim().to_owned());
                            break;
                        }
                        'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9' => some = true,
                        _ => break,
                    }
                    script.next();
                }
                out.push(Command::Substitute {
                    from,
                    to,
                    all,
                    runs,
                    picked: picked || some,
                });
                if let Some(file) = file {
                    out.push(Command::Write(file));
                }
            }
            'd' if !picked => out.push(Command::DeleteAll),
            'l' | 'L' | 'q' | 'Q' => {
                script.skip(|next| next == ' ' || next.is_ascii_digit());
                out.push(Command::Other(true));
            }
            'p' | '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'P' | 'x' | 'z' | 'F' => {
                out.push(Command::Other(true));
            }
            _ => {
                // No command: the program would refuse the script.
                script.line();
            }
        }
    }
    out
}

/// What comes out of plain substitutions; nothing where a pattern is more than a text.
fn apply(commands: &[Command], text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for command in commands {
        text = match command {
            Command::Substitute {
                from,
                to,
                all,
                runs: false,
                picked: false,
            } => {
                let from = plain(from)?;
                if from.is_empty() || to.contains(['\\', '&']) {
                    return None;
                }
                if *all {
                    text.replace(&from, to)
                } else {
                    text.lines()
                        .map(|line| line.replacen(&from, to, 1) + "\n")
                        .collect()
                }
            }
            Command::Translate {
                from,
                to,
                picked: false,
            } => {
                if from.contains('\\') || to.contains('\\') {
                    return None;
                }
                text.chars()
                    .map(|next| {
                        from.chars()
                            .position(|known| known == next)
                            .and_then(|at| to.chars().nth(at))
                            .unwrap_or(next)
                    })
                    .collect()
            }
            _ => return None,
        };
        if text.len() > crate::value::MAX_TEXT {
            return None;
        }
    }
    Some(text)
}

/// A pattern that stands for one text.
fn plain(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(next) = chars.next() {
        match next {
            '\\' => {
                let escaped = chars.next()?;
                if escaped.is_alphanumeric()
                    || matches!(escaped, '(' | ')' | '{' | '}' | '|' | '+' | '?')
                {
                    return None;
                }
                out.push(escaped);
            }
            '.' | '*' | '[' | ']' | '^' | '$' | '+' | '(' | ')' | '?' | '{' | '|' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

impl Analyser<'_> {
    pub(crate) fn sed(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut scripts: Vec<Text> = parsed.values("expression").cloned().collect();
        let mut skip = 0;
        if scripts.is_empty() && !parsed.has("file") {
            // BSD's `-i ''` stands in front of the script.
            while parsed
                .nth(skip + 1)
                .is_some_and(|text| text.known && text.text.is_empty())
            {
                skip += 1;
            }
            scripts.extend(parsed.nth(skip + 1).cloned());
            skip += 1;
        }
        let mut read = true;
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => scripts.push(Text::known(text, file.span)),
                _ => {
                    read = false;
                    self.emit_code(CodeSource::File(path), "sed", file.span);
                }
            }
        }
        // Parts of a script are lines of one.
        let known = scripts.iter().all(|script| script.known);
        let mut commands = Vec::new();
        for script in &scripts {
            let own = parse(&script.text);
            if !parsed.has("sandbox") {
                self.sed_commands(&own, script, call);
            }
            commands.extend(own);
        }
        let in_place = parsed.has("in-place");
        for file in parsed.rest().skip(skip).cloned().collect::<Vec<_>>() {
            if file.text.is_empty() {
                continue;
            }
            if in_place {
                // Nothing of the file is left where every line goes.
                let empties = commands.iter().any(|command| match command {
                    Command::DeleteAll => true,
                    Command::Substitute { from, to, runs, .. } => {
                        to.is_empty()
                            && !runs
                            && matches!(
                                from.as_str(),
                                ".*" | "^.*" | ".*$" | "^.*$" | ".\\+" | ".+"
                            )
                    }
                    _ => false,
                });
                self.write_path(&file, !empties, call.span);
            } else {
                self.read_path(&file, file.span);
            }
        }
        if in_place {
            return Stream::Empty;
        }
        let input = self.input_of(call, parsed);
        match &input {
            Stream::Known(text) if read && known => {
                let plain = || {
                    (!parsed.has("quiet"))
                        .then(|| apply(&commands, text))
                        .flatten()
                };
                match crate::sed::run(call.args, text).or_else(plain) {
                    Some(text) => Stream::Known(text),
                    None => crate::call::through(&input),
                }
            }
            Stream::Known(_) => crate::call::through(&input),
            _ => input,
        }
    }

    fn sed_commands(&mut self, commands: &[Command], script: &Text, call: &Call<'_>) {
        let text = |text: &str| Text {
            text: text.to_owned(),
            known: script.known,
            span: script.span,
            taint: script.taint.clone(),
            ..Text::default()
        };
        for command in commands {
            match command {
                Command::Run(code) => {
                    self.shell_code(&text(code), Dialect::Sh, &Stream::Empty, true);
                }
                Command::RunLine => self.sed_runs_lines(call, None, &text("")),
                Command::Substitute {
                    from,
                    to,
                    runs: true,
                    ..
                } => {
                    let whole = matches!(from.as_str(), ".*" | "^.*$" | "^.*" | ".*$" | "^" | "$");
                    if whole && !to.contains(['&', '\\']) {
                        self.shell_code(&text(to), Dialect::Sh, &Stream::Empty, true);
                    } else {
                        self.sed_runs_lines(call, Some((from, to)), &text(to));
                    }
                }
                Command::Write(path) if !path.is_empty() => {
                    self.write_path(&text(path), false, call.span)
                }
                Command::Read(path) if !path.is_empty() => {
                    self.read_path(&text(path), call.span);
                }
                _ => {}
            }
        }
    }

    /// What flows in is run, after a substitution.
    fn sed_runs_lines(&mut self, call: &Call<'_>, change: Option<(&str, &str)>, to: &Text) {
        if let Stream::Known(input) = call.stdin {
            let code = match change {
                Some((from, to)) => plain(from).map(|from| input.replacen(&from, to, 1)),
                None => Some(input.clone()),
            };
            if let Some(code) = code {
                let code = Text::known(code, call.span);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                return;
            }
        }
        if !to.text.is_empty() {
            self.shell_code(to, Dialect::Sh, &Stream::Empty, true);
        }
        self.unknown = true;
        self.emit_code(CodeSource::Unknown, "shell", to.span);
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, apply, parse};

    #[test]
    fn commands_are_told_apart() {
        assert_eq!(
            parse("s/e rm x/w y/"),
            [Command::Substitute {
                from: "e rm x".to_owned(),
                to: "w y".to_owned(),
                all: false,
                runs: false,
                picked: false,
            }]
        );
        assert_eq!(parse("1e rm x"), [Command::Run("rm x".to_owned())]);
        assert_eq!(
            parse("/a\\/b/I,+3!{w f;g\n}"),
            [Command::Write("f;g".to_owned())]
        );
        assert_eq!(
            parse("a\\\ne rm x\ne"),
            [Command::Other(true), Command::RunLine]
        );
        assert_eq!(parse("a hello; e rm x"), [Command::Other(true)]);
        assert_eq!(parse(":e rm\nb e"), []);
        assert_eq!(parse("# e rm x"), []);
        assert_eq!(parse("$!N;P;D").len(), 3);
        assert!(matches!(
            parse("s|a|b|ge").as_slice(),
            [Command::Substitute {
                runs: true,
                all: true,
                ..
            }]
        ));
        assert_eq!(
            parse("y/abc/xyz/;r f").last(),
            Some(&Command::Read("f".to_owned()))
        );
        assert_eq!(parse("1,$d"), [Command::DeleteAll]);
        assert_eq!(parse("/a/d"), [Command::Other(true)]);
        assert_eq!(parse("\\,a,w o"), [Command::Write("o".to_owned())]);
    }

    #[test]
    fn what_comes_out() {
        assert_eq!(
            apply(&parse("s/X/m/;s/Y/-rf/g"), "rX Y /").as_deref(),
            Some("rm -rf /\n")
        );
        assert_eq!(apply(&parse("y/ab/rm/"), "ab x").as_deref(), Some("rm x"));
        assert_eq!(apply(&parse("s/a.c/x/"), "abc"), None);
    }

    #[test]
    fn hostile_scripts_end() {
        for text in [
            "{".repeat(60_000),
            "s".to_owned(),
            "/".repeat(60_000),
            "a\\\n".repeat(20_000),
            "s/a/".to_owned(),
            "\\".to_owned(),
            "1,2,3!!".to_owned(),
        ] {
            let _ = parse(&text);
        }
    }
}
