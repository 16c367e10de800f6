//! awk: its programs can run others, write files and connect.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::{Call, through},
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// Most tokens of a program.
const MAX_TOKENS: usize = 8_192;
/// Furthest that is looked back from a place.
const MAX_BACK: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number(String),
    Regex,
    /// `@load`, `@include`
    Directive(String),
    /// `>>`, `|&` and single characters.
    Mark(&'static str),
    Other(char),
    /// `;` or the end of a line.
    End,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        if out.len() >= MAX_TOKENS {
            break;
        }
        let operand = matches!(
            out.last(),
            Some(Token::Text(_) | Token::Number(_) | Token::Mark(")" | "]"))
        ) || matches!(out.last(), Some(Token::Name(name)) if !matches!(name.as_str(), "print" | "return" | "in" | "case" | "printf"));
        match next {
            '#' => while chars.next_if(|next| *next != '\n').is_some() {},
            '\n' | ';' => out.push(Token::End),
            '\\' => {
                chars.next_if(|next| *next == '\n');
            }
            _ if next.is_whitespace() => {}
            '"' => {
                let mut text = String::new();
                while let Some(inner) = chars.next() {
                    match inner {
                        '"' => break,
                        '\\' => match chars.next() {
                            Some('n') => text.push('\n'),
                            Some('t') => text.push('\t'),
                            Some('x') => {
                                let mut digits = String::new();
                                while digits.len() < 2
                                    && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
                                {
                                    digits.push(digit);
                                }
                                text.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
                            }
                            Some(digit @ '0'..='7') => {
                                let mut digits = String::from(digit);
                                while digits.len() < 3
                                    && let Some(digit) =
                                        chars.next_if(|next| ('0'..='7').contains(next))
                                {
                                    digits.push(digit);
                                }
                                text.extend(u8::from_str_radix(&digits, 8).ok().map(char::from));
                            }
                            Some('\n') | None => {}
                            Some(other) => text.push(other),
                        },
                        other => text.push(other),
                    }
                }
                out.push(Token::Text(text));
            }
            '/' if !operand => {
                let mut class = false;
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => {
                            chars.next();
                        }
                        '[' => class = true,
                        ']' => class = false,
                        '/' if !class => break,
                        '\n' => break,
                        _ => {}
                    }
                }
                out.push(Token::Regex);
            }
            '0'..='9' => {
                let mut text = String::from(next);
                while let Some(more) =
                    chars.next_if(|next| next.is_ascii_alphanumeric() || *next == '.')
                {
                    text.push(more);
                }
                out.push(Token::Number(text));
            }
            _ if next.is_alphabetic() || matches!(next, '_' | '@') => {
                let mut text = String::from(next);
                while let Some(more) =
                    chars.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | ':'))
                {
                    text.push(more);
                }
                out.push(if next == '@' {
                    Token::Directive(text)
                } else {
                    Token::Name(text)
                });
            }
            '>' if chars.next_if_eq(&'>').is_some() => out.push(Token::Mark(">>")),
            '>' if chars.next_if_eq(&'=').is_some() => out.push(Token::Mark(">=")),
            '|' if chars.next_if_eq(&'|').is_some() => out.push(Token::Mark("||")),
            '|' if chars.next_if_eq(&'&').is_some() => out.push(Token::Mark("|&")),
            '&' if chars.next_if_eq(&'&').is_some() => out.push(Token::Mark("&&")),
            '=' if chars.next_if_eq(&'=').is_some() => out.push(Token::Mark("==")),
            '<' if chars.next_if_eq(&'=').is_some() => out.push(Token::Mark("<=")),
            '|' => out.push(Token::Mark("|")),
            '>' => out.push(Token::Mark(">")),
            '<' => out.push(Token::Mark("<")),
            '=' => out.push(Token::Mark("=")),
            '(' => out.push(Token::Mark("(")),
            ')' => out.push(Token::Mark(")")),
            '[' => out.push(Token::Mark("[")),
            ']' => out.push(Token::Mark("]")),
            '{' => out.push(Token::Mark("{")),
            '}' => out.push(Token::Mark("}")),
            '$' => out.push(Token::Mark("$")),
            ',' => out.push(Token::Mark(",")),
            other => out.push(Token::Other(other)),
        }
    }
    out
}

/// What an expression says: a text, with what is not known as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    text: String,
    known: bool,
}

/// A program with the variables that it is given.
struct Program<'t> {
    tokens: &'t [Token],
    variables: Vec<(String, Said)>,
}

impl Program<'_> {
    /// Texts, names and fields one behind the other, from a place on, and where they end.
    fn said(&self, from: usize, depth: u32) -> (Said, usize) {
        let mut out = Said {
            text: String::new(),
            known: true,
        };
        let mut at = from;
        while let Some(token) = self.tokens.get(at) {
            match token {
                Token::Text(text) => out.text.push_str(text),
                Token::Number(text) => out.text.push_str(text),
                Token::Mark("(") if depth < 16 => {
                    let (inner, end) = self.said(at + 1, depth + 1);
                    out.text.push_str(&inner.text);
                    out.known &= inner.known;
                    at = end;
                    if self.tokens.get(at) != Some(&Token::Mark(")")) {
                        out.known = false;
                        at = self.closing(at);
                    }
                }
                Token::Mark("$") => {
                    out.known = false;
                    out.text.push('$');
                    match self.tokens.get(at + 1) {
                        Some(Token::Number(text) | Token::Name(text)) => {
                            out.text
                                .push_str(if text == "0" { "line" } else { "field" });
                            at += 1;
                        }
                        _ => out.text.push_str("field"),
                    }
                }
                Token::Name(name) => {
                    // What is called is not followed.
                    let opens = self.tokens.get(at + 1);
                    if opens == Some(&Token::Mark("(")) || opens == Some(&Token::Mark("[")) {
                        let known = std::mem::replace(&mut out.known, false);
                        // `ENVIRON["X"]` is the shell's `$X`.
                        match (name.as_str(), self.tokens.get(at + 2)) {
                            ("ENVIRON", Some(Token::Text(variable))) => {
                                let value = self.variables.iter().find(|(known, _)| {
                                    known.strip_prefix("ENVIRON ") == Some(variable)
                                });
                                match value {
                                    Some((_, said)) => {
                                        out.text.push_str(&said.text);
                                        out.known = known;
                                    }
                                    None => {
                                        out.text.push('$');
                                        out.text.push_str(variable);
                                    }
                                }
                            }
                            // The format still names the program.
                            ("sprintf", Some(Token::Text(format))) => {
                                out.text
                                    .push_str(&format.replace("%s", "$value").replace("%d", "1"));
                            }
                            _ => out.text.push_str("$value"),
                        }
                        at = self.closing(at + 2);
                    } else {
                        match self.variables.iter().find(|(known, _)| known == name) {
                            Some((_, said)) if out.text.len() + said.text.len() < 8_192 => {
                                out.text.push_str(&said.text);
                                out.known &= said.known;
                            }
                            _ => {
                                out.known = false;
                                out.text.push('$');
                                out.text.push_str(name);
                            }
                        }
                    }
                }
                _ => break,
            }
            at += 1;
        }
        (out, at)
    }

    /// The place of the bracket that closes the one before this place.
    fn closing(&self, from: usize) -> usize {
        let mut depth = 1u32;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            match token {
                Token::Mark("(" | "[") => depth += 1,
                Token::Mark(")" | "]") => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Where what stands in front of a pipe begins.
    fn backwards(&self, from: usize) -> usize {
        let mut at = from;
        let mut depth = 0u32;
        while let Some(before) = at.checked_sub(1).filter(|before| from - before < MAX_BACK) {
            match self.tokens.get(before) {
                Some(Token::Mark(")" | "]")) => depth += 1,
                Some(Token::Mark("(" | "[")) if depth > 0 => depth -= 1,
                Some(Token::Text(_) | Token::Number(_) | Token::Mark("$")) => {}
                Some(Token::Name(name))
                    if !matches!(
                        name.as_str(),
                        "print"
                            | "while"
                            | "if"
                            | "return"
                            | "do"
                            | "else"
                            | "printf"
                            | "BEGIN"
                            | "END"
                    ) => {}
                _ if depth > 0 => {}
                _ => break,
            }
            at = before;
        }
        at
    }

    /// `name = "text"` anywhere.
    fn assignments(&mut self) {
        for at in 0..self.tokens.len() {
            if let (Some(Token::Name(name)), Some(Token::Mark("="))) =
                (self.tokens.get(at), self.tokens.get(at + 1))
            {
                let (said, _) = self.said(at + 2, 0);
                let room = self.variables.len() < 64;
                match self.variables.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) if *known != said => known.known = false,
                    Some(_) => {}
                    None if room => self.variables.push((name.clone(), said)),
                    None => {}
                }
            }
        }
    }
}

impl Analyser<'_> {
    pub(crate) fn awk(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut codes: Vec<Text> = parsed.values("source").cloned().collect();
        let skip = usize::from(codes.is_empty() && !parsed.has("file"));
        if skip == 1 {
            codes.extend(parsed.nth(1).cloned());
        }
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => codes.push(Text::known(text, file.span)),
                _ => self.emit_code(CodeSource::File(path), "awk", file.span),
            }
        }
        let in_place = parsed.values("include").any(|name| name.text == "inplace");
        for library in parsed
            .values("include")
            .chain(parsed.values("load"))
            .filter(|name| name.text.contains('/'))
            .cloned()
            .collect::<Vec<_>>()
        {
            let path = self.absolute(&library.text);
            self.emit_code(CodeSource::File(path), "awk", library.span);
        }
        let mut variables: Vec<(String, Said)> = Vec::new();
        for given in parsed.values("assign").chain(parsed.rest().skip(skip)) {
            if let Some((name, value)) = given.text.split_once('=')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                let said = Said {
                    text: value.to_owned(),
                    known: given.known,
                };
                variables.push((name.to_owned(), said));
            }
        }
        let mut printed = Vec::new();
        for code in &codes {
            if code.known || !code.text.starts_with('$') {
                printed.push(self.awk_program(code, variables.clone(), parsed.has("sandbox")));
            } else {
                // Which program, only its maker knows.
                self.unknown = true;
            }
        }
        let mut secret = None;
        for file in parsed.rest().skip(skip).cloned().collect::<Vec<_>>() {
            if file.text.contains('=') && !file.text.contains('/') {
                continue;
            }
            if in_place {
                self.write_path(&file, true, call.span);
            } else if self.read_path(&file, file.span) {
                secret = Some(self.absolute(&file.text));
            }
        }
        match (secret, printed.as_slice()) {
            (Some(path), _) => Stream::Tainted(Taint::Secret(path)),
            (None, [Some(text)]) => Stream::Known(text.clone()),
            (None, _) if parsed.rest().len() <= skip => match call.stdin {
                Stream::Known(text) => crate::awk::run(call.args, text)
                    .map_or_else(|| through(call.stdin), Stream::Known),
                _ => through(call.stdin),
            },
            _ => through(call.stdin),
        }
    }

    /// What a program does, and what it prints where that does not depend on what it reads.
    fn awk_program(
        &mut self,
        code: &Text,
        mut variables: Vec<(String, Said)>,
        sandbox: bool,
    ) -> Option<String> {
        let tokens = tokens(&code.text);
        // What the shell's environment says.
        for pair in tokens.windows(3) {
            if let [Token::Name(name), Token::Mark("["), Token::Text(variable)] = pair
                && name == "ENVIRON"
                && let Some([value]) = self
                    .env
                    .get(variable)
                    .map(|value| value.alternatives.as_slice())
                && value.known
            {
                let said = Said {
                    text: value.text.clone(),
                    known: true,
                };
                variables.push((format!("ENVIRON {variable}"), said));
            }
        }
        let mut program = Program {
            tokens: &tokens,
            variables,
        };
        program.assignments();
        if sandbox {
            return None;
        }
        let only_begins = matches!(
            tokens.iter().find(|token| **token != Token::End),
            Some(Token::Name(name)) if name == "BEGIN"
        ) && tokens
            .iter()
            .filter(|token| **token == Token::Mark("{"))
            .count()
            == 1;
        let mut printed = only_begins.then(String::new);
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Name(name)
                    if name == "system" && tokens.get(at + 1) == Some(&Token::Mark("(")) =>
                {
                    let (said, end) = program.said(at + 2, 0);
                    let whole = tokens.get(end) == Some(&Token::Mark(")"));
                    self.awk_runs(&said, whole, code, &Stream::Empty);
                }
                Token::Mark("|" | "|&") => {
                    let reads =
                        matches!(tokens.get(at + 1), Some(Token::Name(name)) if name == "getline");
                    if reads || tokens.get(at + 1).is_none() {
                        let from = program.backwards(at);
                        let (said, _) = program.said(from, 0);
                        if let Some(address) = said.text.strip_prefix("/inet") {
                            self.awk_connects(address, code);
                        } else {
                            self.awk_runs(&said, true, code, &Stream::Empty);
                        }
                        continue;
                    }
                    let (said, _) = program.said(at + 1, 0);
                    if let Some(address) = said.text.strip_prefix("/inet") {
                        self.awk_connects(address, code);
                        continue;
                    }
                    // What is printed flows in.
                    let from = program.statement(at);
                    let (input, end) = program.said(from, 0);
                    let stdin = if input.known && end == at {
                        Stream::Known(input.text + "\n")
                    } else {
                        Stream::UNKNOWN
                    };
                    self.awk_runs(&said, true, code, &stdin);
                }
                Token::Mark(mark @ (">" | ">>")) if program.prints(at) => {
                    let (said, _) = program.said(at + 1, 0);
                    if let Some(address) = said.text.strip_prefix("/inet") {
                        self.awk_connects(address, code);
                    } else if !said.text.is_empty() {
                        let path = text(&said, code);
                        self.write_path(&path, *mark == ">>", code.span);
                    }
                }
                Token::Mark("<") => {
                    // `getline x < FILE`
                    let reads = at.checked_sub(1).into_iter().chain(at.checked_sub(2)).any(
                        |at| matches!(tokens.get(at), Some(Token::Name(name)) if name == "getline"),
                    );
                    let (said, _) = program.said(at + 1, 0);
                    if reads && said.known && !said.text.is_empty() {
                        self.read_path(&text(&said, code), code.span);
                    }
                }
                Token::Directive(_) => {
                    if let Some(Token::Text(path)) = tokens.get(at + 1)
                        && path.contains('/')
                    {
                        let path = self.absolute(path);
                        self.emit_code(CodeSource::File(path), "awk", code.span);
                    }
                }
                Token::Name(name) if name == "print" || name == "printf" => {
                    let (said, end) = program.said(at + 1, 0);
                    let ends =
                        matches!(tokens.get(end), None | Some(Token::End | Token::Mark("}")));
                    match &mut printed {
                        Some(out) if said.known && ends && out.len() < 8_192 => {
                            out.push_str(&said.text);
                            if name == "print" {
                                out.push('\n');
                            }
                        }
                        _ => printed = None,
                    }
                }
                Token::Name(name)
                    if matches!(name.as_str(), "for" | "while" | "if" | "getline") =>
                {
                    printed = None
                }
                _ => {}
            }
        }
        printed.filter(|out| !out.is_empty())
    }

    fn awk_runs(&mut self, said: &Said, whole: bool, code: &Text, stdin: &Stream) {
        let bare = said.text.is_empty() || said.text.starts_with('$');
        if bare && !said.known || !whole && said.text.is_empty() {
            self.unknown = true;
            self.emit_code(CodeSource::Unknown, "shell", code.span);
            return;
        }
        let known = Text {
            known: said.known && whole && code.known,
            ..text(said, code)
        };
        self.shell_code(&known, Dialect::Sh, stdin, true);
    }

    fn awk_connects(&mut self, address: &str, code: &Text) {
        // `4/tcp/0/HOST/PORT`
        let mut parts = address.split('/').skip(3);
        let address = match (parts.next(), parts.next()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            _ => String::new(),
        };
        self.emit(
            EffectKind::Connect { address },
            code.span,
            Certainty::Proven,
        );
    }
}

impl Program<'_> {
    /// Where what a `print` in front of a place prints begins.
    fn statement(&self, at: usize) -> usize {
        let mut from = at;
        while let Some(before) = from.checked_sub(1).filter(|before| at - before < MAX_BACK) {
            match self.tokens.get(before) {
                Some(Token::End | Token::Mark("{" | "}")) | None => break,
                Some(Token::Name(name)) if name == "print" || name == "printf" => break,
                _ => from = before,
            }
        }
        from
    }

    /// A `>` at a place sends what is printed to a file, and compares nothing.
    fn prints(&self, at: usize) -> bool {
        let mut depth = 0i32;
        for token in self
            .tokens
            .get(..at)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(MAX_BACK)
        {
            match token {
                Token::Mark(")" | "]") => depth += 1,
                Token::Mark("(" | "[") => {
                    depth -= 1;
                    if depth < 0 {
                        return false;
                    }
                }
                Token::End | Token::Mark("{" | "}") => return false,
                Token::Name(name) if depth == 0 && (name == "print" || name == "printf") => {
                    return true;
                }
                _ => {}
            }
        }
        false
    }
}

fn text(said: &Said, code: &Text) -> Text {
    Text {
        text: said.text.clone(),
        known: said.known && code.known,
        span: code.span,
        ..Text::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Program, Token, tokens};

    #[test]
    fn expressions_of_the_shell_are_told_from_divisions() {
        assert!(tokens("/system(\"x\")/ {print}").contains(&Token::Regex));
        assert!(!tokens("a / b / c").contains(&Token::Regex));
        assert!(tokens("# system(\"x\")").is_empty());
        assert_eq!(tokens("\"\\162m\""), [Token::Text("rm".to_owned())]);
    }

    #[test]
    fn what_is_said() {
        let said = |text: &str| {
            let tokens = tokens(text);
            let mut program = Program {
                tokens: &tokens,
                variables: Vec::new(),
            };
            program.assignments();
            let from = tokens
                .iter()
                .position(|token| *token == Token::Name("system".to_owned()))
                .unwrap_or(0);
            let (said, _) = program.said(from + 2, 0);
            (said.text, said.known)
        };
        assert_eq!(
            said("{ a = \"rm\"; system(a \" -rf \" \"/\") }"),
            ("rm -rf /".to_owned(), true)
        );
        assert_eq!(
            said("{ system(\"rm \" $1) }"),
            ("rm $field".to_owned(), false)
        );
        assert_eq!(said("{ system((\"a\") \"b\") }"), ("ab".to_owned(), true));
    }

    #[test]
    fn hostile_programs_end() {
        for text in [
            "(".repeat(60_000),
            "$".repeat(60_000),
            "a = a a;".repeat(4_000),
            "\"".to_owned(),
            "print >".repeat(5_000),
            "a|getline".repeat(5_000),
            "((".repeat(3_000) + "a = (",
        ] {
            let tokens = tokens(&text);
            let mut program = Program {
                tokens: &tokens,
                variables: Vec::new(),
            };
            program.assignments();
            for at in (0..tokens.len()).step_by(97) {
                let _ = program.said(at, 0);
                let _ = program.backwards(at);
                let _ = program.prints(at);
            }
        }
    }
}
