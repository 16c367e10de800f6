//! Tells what a terminal prints from its control sequences, one character at a time (ECMA-48, and the texts for
//! the terminal of xterm's list of sequences).

/// Longest control sequence that is told apart, in bytes; a longer one is text from there on.
pub(super) const LONGEST: usize = 8_192;

/// What a character turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Part of something that is not over.
    Nothing,
    /// Printed, or a control character of its own, such as a line break.
    Plain(char),
    /// Escape and this character.
    Escape(char),
    /// Escape, a character of the range from space to `/`, and the last one.
    Escapes(char, char),
    /// A control sequence: its parameters, and the character that says what it does.
    Control(&'a str, char),
    /// Of a text for the terminal, such as a title.
    Word(char),
    /// Such a text is over.
    WordsEnd,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// One more character.
    Escapes(char),
    Parameters,
    Words,
}

/// Where in a sequence the terminal is.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    state: State,
    parameters: String,
    /// Bytes of the text for the terminal so far.
    words: usize,
}

impl Sequences {
    /// Takes the next character.
    pub(super) fn step(&mut self, c: char) -> Piece<'_> {
        // These end whatever has begun.
        if matches!(c, '\u{18}' | '\u{1a}') {
            return match std::mem::take(&mut self.state) {
                State::Words => Piece::WordsEnd,
                _ => Piece::Nothing,
            };
        }
        match self.state {
            State::Text => match c {
                '\u{1b}' => self.state = State::Escape,
                '\u{9b}' => self.begin('['),
                '\u{9d}' => self.begin(']'),
                '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => self.begin('P'),
                c => return Piece::Plain(c),
            },
            State::Escape => match c {
                '[' | ']' | 'P' | '_' | '^' | 'X' => self.begin(c),
                ' '..='/' => self.state = State::Escapes(c),
                '\u{1b}' => {}
                c => {
                    self.state = State::Text;
                    return Piece::Escape(c);
                }
            },
            State::Escapes(kind) => {
                self.state = State::Text;
                return Piece::Escapes(kind, c);
            }
            State::Parameters => match c {
                '\u{40}'..='\u{7e}' => {
                    self.state = State::Text;
                    return Piece::Control(&self.parameters, c);
                }
                '\u{20}'..='\u{3f}' if self.parameters.len() < LONGEST => self.parameters.push(c),
                '\u{1b}' => self.state = State::Escape,
                // Done at once, in the middle of the sequence.
                '\u{0}'..='\u{1f}' => return Piece::Plain(c),
                _ => self.state = State::Text,
            },
            State::Words if c != '\u{7}' && c != '\u{9c}' && c != '\u{1b}' => {
                if self.words < LONGEST {
                    self.words += c.len_utf8();
                    return Piece::Word(c);
                }
                self.state = State::Text;
                return Piece::WordsEnd;
            }
            State::Words => {
                // The backslash after an escape is a sequence of its own, which does nothing.
                self.state = match c {
                    '\u{1b}' => State::Escape,
                    _ => State::Text,
                };
                return Piece::WordsEnd;
            }
        }
        Piece::Nothing
    }

    fn begin(&mut self, kind: char) {
        self.parameters.clear();
        self.words = 0;
        self.state = match kind {
            '[' => State::Parameters,
            _ => State::Words,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed, and the ends of sequences, of a text.
    fn read(text: &str) -> String {
        let mut sequences = Sequences::default();
        let mut out = String::new();
        for c in text.chars() {
            match sequences.step(c) {
                Piece::Nothing => {}
                Piece::Plain(c) => out.push(c),
                Piece::Escape(c) => out.push_str(&format!("<E{c}>")),
                Piece::Escapes(kind, c) => out.push_str(&format!("<E{kind}{c}>")),
                Piece::Control(parameters, c) => out.push_str(&format!("<{parameters}{c}>")),
                Piece::Word(c) => out.push_str(&format!("<{c}")),
                Piece::WordsEnd => out.push_str("<.>"),
            }
        }
        out
    }

    #[test]
    fn each_kind_of_sequence_ends_where_a_terminal_ends_it() {
        for (text, expected) in [
            ("a\x1b[1;31mb\x1b[?25lc", "a<1;31m>b<?25l>c"),
            ("a\u{9b}3Hb", "a<3H>b"),
            ("\x1b[3\n1mx", "\n<31m>x"),
            ("\x1b[3\x1b[1mx", "<1m>x"),
            ("\x1b(Bx\x1b7y\x1b%Gz", "<E(B>x<E7>y<E%G>z"),
            ("\x1b]0;t\x07x", "<0<;<t<.>x"),
            ("\x1b]0;t\x1b\\x", "<0<;<t<.><E\\>x"),
            ("\u{9d}t\u{9c}x\u{90}q\x1b[1mx", "<t<.>x<q<.><1m>x"),
            ("\x1b[12\x18x\x1b]t\x1ay", "x<t<.>y"),
            ("\x1b[1\u{e9}x", "x"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        let endless = format!("\x1b]{}", "t".repeat(LONGEST + 3));
        assert!(read(&endless).ends_with("<t<.>tt"));
        let endless = format!("\x1b[{}", "1".repeat(LONGEST + 3));
        assert!(read(&endless).ends_with("11"));
    }
}
