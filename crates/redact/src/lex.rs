//! A small, forgiving tokenizer for shell lines: commands, pipelines, words without their quotes,
//! here-documents and nested command lists. It never fails; where a line is broken, it goes on.

use std::borrow::Cow;

/// A quoted part of a word: where its quotes stand.
#[derive(Debug, Clone, Copy)]
struct Piece {
    open: usize,
    close: usize,
    /// Between single quotes nothing is resolved.
    single: bool,
}

/// One word.
#[derive(Debug)]
pub(crate) struct Word<'t> {
    /// First byte in the text that was tokenized.
    start: usize,
    /// Without quotes and escapes.
    pub(crate) text: Cow<'t, str>,
    /// For each byte of `text` its raw range and its piece (0: not quoted); empty where the text is raw.
    map: Vec<(u32, u32, u32)>,
    pieces: Vec<Piece>,
}

impl Word<'_> {
    /// Raw range of a range of `text`. Grows where quotes would be left open.
    pub(crate) fn raw(&self, from: usize, to: usize) -> (usize, usize) {
        if self.map.is_empty() {
            return (self.start + from, self.start + to);
        }
        let (Some(first), Some(last)) = (
            self.map.get(from),
            to.checked_sub(1).and_then(|at| self.map.get(at)),
        ) else {
            return (self.start, self.start);
        };
        if first.2 == last.2 {
            return (first.0 as usize, last.1 as usize);
        }
        let piece = |number: u32| {
            (number as usize)
                .checked_sub(1)
                .and_then(|at| self.pieces.get(at))
                .copied()
        };
        let start = piece(first.2).map_or(first.0 as usize, |piece| piece.open);
        let end = piece(last.2).map_or(last.1 as usize, |piece| piece.close);
        (start, end)
    }

    /// All of `text` from an offset on stands between single quotes.
    pub(crate) fn literal(&self, from: usize) -> bool {
        self.map.len() > from
            && self.map.iter().skip(from).all(|(_, _, piece)| {
                (*piece as usize)
                    .checked_sub(1)
                    .and_then(|at| self.pieces.get(at))
                    .is_some_and(|piece| piece.single)
            })
    }

    /// Some part of it was quoted.
    pub(crate) fn quoted(&self) -> bool {
        !self.pieces.is_empty()
    }
}

/// One simple command.
#[derive(Debug, Default)]
pub(crate) struct Command<'t> {
    pub(crate) words: Vec<Word<'t>>,
    /// Its input is the output of the command before it.
    pub(crate) piped: bool,
    /// Ranges of here-document bodies.
    pub(crate) bodies: Vec<(usize, usize)>,
    /// Here-strings (`<<< word`).
    pub(crate) strings: Vec<Word<'t>>,
}

/// A tokenized text.
#[derive(Debug, Default)]
pub(crate) struct Script<'t> {
    pub(crate) commands: Vec<Command<'t>>,
    /// Ranges inside `$(…)`, backquotes and process substitutions.
    pub(crate) nested: Vec<(usize, usize)>,
}

/// Tokenizes a text.
pub(crate) fn script(text: &str) -> Script<'_> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        out: Script::default(),
        command: Command::default(),
        waiting: Vec::new(),
    };
    lexer.run();
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    out: Script<'t>,
    command: Command<'t>,
    /// Here-documents whose body starts at the next line: command number, delimiter.
    waiting: Vec<(usize, String)>,
}

impl<'t> Lexer<'t> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\n' => {
                    self.at += 1;
                    self.finish(false);
                    self.bodies();
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'#' => {
                    let rest = self.text.get(self.at..).unwrap_or("");
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                b';' | b'(' | b')' => {
                    self.at += 1;
                    self.finish(false);
                }
                b'&' => {
                    self.at += 1;
                    if self.peek(0) == b'>' {
                        self.redirection();
                    } else {
                        self.finish(false);
                    }
                }
                b'|' => {
                    self.at += if matches!(self.peek(1), b'|' | b'&') {
                        2
                    } else {
                        1
                    };
                    let pipe = self.bytes.get(self.at - 1) != Some(&b'|')
                        || self.bytes.get(self.at.wrapping_sub(2)) != Some(&b'|');
                    self.finish(pipe);
                }
                b'<' | b'>' if self.peek(1) != b'(' => self.redirection(),
                _ => {
                    let word = self.word();
                    self.command.words.push(word);
                }
            }
        }
        self.finish(false);
        self.bodies();
    }

    fn finish(&mut self, pipe: bool) {
        let next = Command {
            piped: pipe,
            ..Command::default()
        };
        let done = std::mem::replace(&mut self.command, next);
        if done.words.is_empty()
            && done.strings.is_empty()
            && !self
                .waiting
                .iter()
                .any(|(number, _)| *number == self.out.commands.len())
        {
            // `a |\n b` goes on with the pipe.
            self.command.piped |= done.piped;
            return;
        }
        self.out.commands.push(done);
    }

    fn redirection(&mut self) {
        let start = self.at;
        while matches!(self.peek(0), b'<' | b'>' | b'&' | b'|') && self.at - start < 3 {
            self.at += 1;
        }
        let operator = self.text.get(start..self.at).unwrap_or("");
        let document = operator == "<<";
        let string = operator == "<<<";
        if document && self.peek(0) == b'-' {
            self.at += 1;
        }
        while matches!(self.peek(0), b' ' | b'\t') {
            self.at += 1;
        }
        if self.at >= self.bytes.len()
            || matches!(
                self.peek(0),
                b'\n' | b';' | b'(' | b')' | b'|' | b'&' | b'<' | b'>'
            )
        {
            return;
        }
        let word = self.word();
        if document {
            self.waiting
                .push((self.out.commands.len(), word.text.into_owned()));
        } else if string {
            self.command.strings.push(word);
        }
    }

    /// Reads the bodies of here-documents that were announced on the line before.
    fn bodies(&mut self) {
        for (number, delimiter) in std::mem::take(&mut self.waiting) {
            let start = self.at;
            let mut end = self.bytes.len();
            while self.at < self.bytes.len() {
                let rest = self.text.get(self.at..).unwrap_or("");
                let line = rest
                    .get(..rest.find('\n').unwrap_or(rest.len()))
                    .unwrap_or("");
                let line_start = self.at;
                self.at += line.len() + 1;
                if line.trim_matches(['\t', ' ', '\r']) == delimiter {
                    end = line_start;
                    break;
                }
            }
            self.at = self.at.min(self.bytes.len());
            if let Some(command) = self.out.commands.get_mut(number) {
                command.bodies.push((start.min(end), end));
            }
        }
    }

    fn word(&mut self) -> Word<'t> {
        let start = self.at;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut map: Vec<(u32, u32, u32)> = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        let mut plain = true;
        let push = |text: &mut Vec<u8>,
                    map: &mut Vec<(u32, u32, u32)>,
                    byte: u8,
                    from: usize,
                    to: usize,
                    piece: usize| {
            text.push(byte);
            let cap = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            map.push((cap(from), cap(to), cap(piece)));
        };
        let mut quote = 0u8;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            let piece = if quote == 0 { 0 } else { pieces.len() };
            let from = self.at;
            // The copy without quotes starts with the first quote or escape.
            if plain
                && (matches!(byte, b'\'' | b'"' | b'\\')
                    || (byte == b'$' && matches!(self.peek(1), b'\'' | b'"')))
            {
                plain = false;
                for (step, byte) in self
                    .bytes
                    .get(start..from)
                    .unwrap_or(&[])
                    .iter()
                    .enumerate()
                {
                    push(
                        &mut text,
                        &mut map,
                        *byte,
                        start + step,
                        start + step + 1,
                        0,
                    );
                }
            }
            if quote != 0 && byte == if quote == b'$' { b'\'' } else { quote } {
                quote = 0;
                self.at += 1;
                if let Some(piece) = pieces.last_mut() {
                    piece.close = self.at;
                }
                continue;
            }
            match (quote, byte) {
                (b'\'', _) => self.at += 1,
                (0, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'|' | b'&' | b'(' | b')') => break,
                (0, b'<' | b'>') if self.peek(1) != b'(' || self.at > start => break,
                (0, b'<' | b'>') => {
                    self.at += 1;
                    self.nested();
                }
                (0, b'\'' | b'"') => {
                    quote = byte;
                    pieces.push(Piece {
                        open: from,
                        close: self.bytes.len(),
                        single: byte == b'\'',
                    });
                    self.at += 1;
                    continue;
                }
                (0, b'$') if matches!(self.peek(1), b'\'' | b'"') => {
                    quote = if self.peek(1) == b'\'' { b'$' } else { b'"' };
                    pieces.push(Piece {
                        open: from,
                        close: self.bytes.len(),
                        single: quote == b'$',
                    });
                    self.at += 2;
                    continue;
                }
                (0, b'\\') if self.peek(1) == b'\n' => {
                    self.at += 2;
                    continue;
                }
                (0, b'\\') | (b'$', b'\\') => {
                    self.at = (self.at + 2).min(self.bytes.len());
                    if self.at - from == 2 {
                        push(
                            &mut text,
                            &mut map,
                            self.bytes.get(from + 1).copied().unwrap_or(0),
                            from,
                            self.at,
                            piece,
                        );
                    }
                    continue;
                }
                (b'"', b'\\') if matches!(self.peek(1), b'"' | b'\\' | b'$' | b'`') => {
                    push(&mut text, &mut map, self.peek(1), from, from + 2, piece);
                    self.at += 2;
                    continue;
                }
                (0 | b'"', b'$') if self.peek(1) == b'(' => {
                    self.at += 1;
                    self.nested();
                }
                (0 | b'"', b'`') => {
                    let rest = self.text.get(self.at + 1..).unwrap_or("");
                    let length = rest.find('`').unwrap_or(rest.len());
                    self.out.nested.push((self.at + 1, self.at + 1 + length));
                    self.at = (self.at + length + 2).min(self.bytes.len());
                }
                _ => self.at += 1,
            }
            if !plain {
                for (step, byte) in self
                    .bytes
                    .get(from..self.at)
                    .unwrap_or(&[])
                    .iter()
                    .enumerate()
                {
                    push(
                        &mut text,
                        &mut map,
                        *byte,
                        from + step,
                        from + step + 1,
                        piece,
                    );
                }
            }
        }
        if self.at == start {
            self.at += 1; // never stand still
        }
        let end = text_boundary(self.text, self.at);
        self.at = end;
        if plain {
            let text = Cow::Borrowed(self.text.get(start..end).unwrap_or(""));
            return Word {
                start,
                text,
                map: Vec::new(),
                pieces,
            };
        }
        match String::from_utf8(text) {
            Ok(text) => Word {
                start,
                text: Cow::Owned(text),
                map,
                pieces,
            },
            Err(_) => Word {
                start,
                text: Cow::Borrowed(self.text.get(start..end).unwrap_or("")),
                map: Vec::new(),
                pieces,
            },
        }
    }

    /// Skips `(…)` at the cursor and notes its inside.
    fn nested(&mut self) {
        let inside = self.at + 1;
        let mut depth = 0usize;
        let mut quote = 0u8;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            self.at += 1;
            match (quote, byte) {
                (0 | b'"', b'\\') => self.at += 1,
                (0, b'\'' | b'"') => quote = byte,
                (_, byte) if byte == quote => quote = 0,
                (0, b'(') => depth += 1,
                (0, b')') => {
                    depth -= 1;
                    if depth == 0 {
                        self.out.nested.push((inside, self.at - 1));
                        return;
                    }
                }
                _ => {}
            }
        }
        self.at = self.bytes.len();
        self.out.nested.push((inside.min(self.at), self.at));
    }
}

fn text_boundary(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::script;

    fn words(text: &str) -> Vec<Vec<String>> {
        script(text)
            .commands
            .iter()
            .map(|command| {
                command
                    .words
                    .iter()
                    .map(|word| word.text.to_string())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn words_lose_their_quotes() {
        assert_eq!(
            words(r#"a 'b c'd "e\"f" $'g' h\ i"#),
            [["a", "b cd", "e\"f", "g", "h i"]]
        );
        assert_eq!(
            words("a | b && c; d & e"),
            [["a"], ["b"], ["c"], ["d"], ["e"]]
        );
    }

    #[test]
    fn pipes_and_bodies() {
        let text = "echo x | sudo -S y\ncat <<EOF > f\nhello\nEOF\nls";
        let script = script(text);
        let piped: Vec<bool> = script
            .commands
            .iter()
            .map(|command| command.piped)
            .collect();
        assert_eq!(piped, [false, true, false, false]);
        let (from, to) = script.commands[2].bodies[0];
        assert_eq!(&text[from..to], "hello\n");
    }

    #[test]
    fn ranges_go_back_to_the_source() {
        let text = "x --p='a b'c";
        let script = script(text);
        let word = &script.commands[0].words[1];
        assert_eq!(word.text, "--p=a bc");
        let (from, to) = word.raw(4, 8);
        assert_eq!(&text[from..to], "'a b'c");
        let (from, to) = word.raw(4, 7);
        assert_eq!(&text[from..to], "a b");
    }
}
