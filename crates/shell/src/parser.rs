//! The state of a run: position, bounds, and what is collected on the way.

use std::collections::BTreeSet;

use cmdai_schema::{Diagnostic, Dialect, Span};

use crate::{
    MAX_DEPTH, MAX_TEXT,
    heredoc::Pending,
    tree::{HereDoc, List, Tree},
};

/// A run over one text.
pub(crate) struct Parser<'a> {
    pub(crate) source: &'a str,
    pub(crate) pos: usize,
    /// Where reading stops; smaller than the text inside a region.
    pub(crate) end: usize,
    pub(crate) dialect: Dialect,
    pub(crate) here_docs: Vec<HereDoc<'a>>,
    pub(crate) pending: Vec<Pending<'a>>,
    pub(crate) complete: bool,
    /// Places where `((` was found not to be arithmetic, or `{` of fish not to be closed, so that none
    /// is tried twice.
    pub(crate) not_arithmetic: BTreeSet<usize>,
    diagnostics: Vec<Diagnostic>,
    unknown: Vec<Span>,
    depth: u32,
    fuel: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a str, dialect: Dialect) -> Self {
        let mut end = source.len().min(MAX_TEXT);
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            source,
            pos: 0,
            end,
            dialect,
            here_docs: Vec::new(),
            pending: Vec::new(),
            complete: true,
            not_arithmetic: BTreeSet::new(),
            diagnostics: Vec::new(),
            unknown: Vec::new(),
            depth: 0,
            fuel: end * 24 + 4096,
        }
    }

    pub(crate) fn run(mut self) -> Tree<'a> {
        let mut body = self.list();
        // Whatever closes nothing is an error for the shell; what follows is still looked at.
        while self.pos < self.end && self.fuel > 0 {
            self.complain("unexpected token", self.pos, self.pos + 1);
            let before = self.pos;
            self.skip_stray();
            body.items.extend(self.list().items);
            if self.pos <= before {
                break;
            }
        }
        self.finish(body)
    }

    /// The tree, with what was left unread marked as such.
    pub(crate) fn finish(mut self, body: List<'a>) -> Tree<'a> {
        if self.pos < self.end {
            self.unknown_region(self.pos, self.end, "too much work to read");
        }
        if self.end < self.source.len() {
            self.unknown_region(
                self.end,
                self.source.len(),
                "text is longer than what is read",
            );
        }
        self.read_here_docs();
        Tree {
            source: self.source,
            body,
            here_docs: self.here_docs,
            diagnostics: self.diagnostics,
            unknown: self.unknown,
            complete: self.complete,
        }
    }

    /// The byte at the position.
    pub(crate) fn byte(&self) -> Option<u8> {
        self.byte_at(self.pos)
    }

    /// The byte after the next `ahead` ones.
    pub(crate) fn ahead(&self, ahead: usize) -> Option<u8> {
        self.byte_at(self.pos + ahead)
    }

    pub(crate) fn byte_at(&self, at: usize) -> Option<u8> {
        if at < self.end {
            self.source.as_bytes().get(at).copied()
        } else {
            None
        }
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.source.get(start..end).unwrap_or("")
    }

    pub(crate) fn starts_with(&self, text: &str) -> bool {
        self.pos + text.len() <= self.end
            && self
                .source
                .as_bytes()
                .get(self.pos..)
                .is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Length of the character at the position, in bytes.
    pub(crate) fn char_len(&self, at: usize) -> usize {
        let len = match self.byte_at(at) {
            None => 0,
            Some(0..0x80) => 1,
            Some(0x80..0xe0) => 2,
            Some(0xe0..0xf0) => 3,
            Some(_) => 4,
        };
        len.min(self.end.saturating_sub(at))
    }

    /// Takes one unit of work; false where none is left, and then the position is at the end.
    pub(crate) fn burn(&mut self) -> bool {
        if self.fuel == 0 {
            if self.pos < self.end {
                self.unknown_region(self.pos, self.end, "too much work to read");
                self.pos = self.end;
            }
            return false;
        }
        self.fuel -= 1;
        true
    }

    /// Reads something one level deeper; nothing where that is too deep, and then the rest of the
    /// text is unknown.
    pub(crate) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            if self.pos < self.end {
                self.unknown_region(self.pos, self.end, "nested too deeply");
                self.pos = self.end;
            }
            return None;
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        Some(result)
    }

    /// Reads a region as if the text ended there, and goes back to where it was.
    pub(crate) fn within<T>(
        &mut self,
        start: usize,
        end: usize,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let (pos, stop) = (self.pos, self.end);
        self.pos = start;
        self.end = end.min(stop);
        let result = read(self);
        self.pos = pos;
        self.end = stop;
        result
    }

    pub(crate) fn complain(&mut self, message: &str, start: usize, end: usize) {
        if self.diagnostics.len() < 32 {
            self.diagnostics.push(Diagnostic {
                message: message.to_owned(),
                span: self.place(start, end),
            });
        }
    }

    /// The span of whole characters inside the text.
    fn place(&self, start: usize, end: usize) -> Span {
        Span::new(
            self.source.floor_char_boundary(start),
            self.source.ceil_char_boundary(end),
        )
    }

    pub(crate) fn unknown_region(&mut self, start: usize, end: usize, message: &str) {
        self.complain(message, start, end);
        if self.unknown.len() < 32 {
            self.unknown.push(self.place(start, end));
        }
    }

    /// The text ended inside something.
    pub(crate) fn unfinished(&mut self, message: &str, start: usize) {
        self.complain(message, start, self.end);
        self.complete = false;
    }

    /// Notes how much was collected, to go back there.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            pos: self.pos,
            here_docs: self.here_docs.len(),
            pending: self.pending.len(),
            complete: self.complete,
            diagnostics: self.diagnostics.len(),
            unknown: self.unknown.len(),
        }
    }

    /// Goes back.
    pub(crate) fn rewind(&mut self, mark: &Mark) {
        self.pos = mark.pos;
        self.here_docs.truncate(mark.here_docs);
        self.pending.truncate(mark.pending);
        self.complete = mark.complete;
        self.diagnostics.truncate(mark.diagnostics);
        self.unknown.truncate(mark.unknown);
    }

    pub(crate) fn skip_blanks(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'\\' if self.ahead(1) == Some(b'\n') => self.pos += 2,
                b'\\' if self.ahead(1).is_none() && self.end == self.source.len() => {
                    self.pos += 1;
                    self.complete = false;
                }
                b'#' if self.at_word_start() => {
                    while self.byte().is_some_and(|byte| byte != b'\n') {
                        self.pos += 1;
                    }
                }
                _ => break,
            }
        }
    }

    fn at_word_start(&self) -> bool {
        match self
            .pos
            .checked_sub(1)
            .and_then(|at| self.source.as_bytes().get(at))
        {
            None => true,
            Some(byte) => matches!(
                byte,
                b' ' | b'\t'
                    | b'\r'
                    | b'\n'
                    | b';'
                    | b'&'
                    | b'|'
                    | b'('
                    | b')'
                    | b'<'
                    | b'>'
                    | b'`'
            ),
        }
    }

    /// Blanks, comments and newlines; here-documents are read at newlines.
    pub(crate) fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.byte() == Some(b'\n') {
                self.newline();
            } else {
                break;
            }
        }
    }

    pub(crate) fn newline(&mut self) {
        self.pos += 1;
        self.read_here_docs();
    }
}

/// A place to go back to.
pub(crate) struct Mark {
    pos: usize,
    here_docs: usize,
    pending: usize,
    complete: bool,
    diagnostics: usize,
    unknown: usize,
}
