//! Code inside a line: texts that a shell would read anew.

use cmdai_schema::{CodeSource, Dialect, Span};

use crate::{
    analyser::{Analyser, Flow},
    script::Start,
    value::{Map, Stream, Taint, Text},
};

/// Most bytes of nested texts that are read in one analysis.
const MAX_READ: usize = 512 * 1024;

impl Analyser<'_> {
    /// Reads a text and goes through it in the present state.
    pub(crate) fn nested_text(
        &mut self,
        text: &str,
        map: Map,
        dialect: Dialect,
        stdin: &Stream,
    ) -> Stream {
        self.read += text.len();
        if self.read > MAX_READ {
            let span = map.span(Span::new(0, text.len()));
            self.unknown_region(span, "too much to look at");
            return Stream::UNKNOWN;
        }
        let tree = cmdai_shell::parse(text, dialect);
        let outer = std::mem::replace(&mut self.map, map);
        let before = std::mem::replace(&mut self.dialect, dialect);
        let printed = self.list(&tree, &tree.body, stdin);
        for &region in &tree.unknown {
            let span = self.map.span(region);
            self.unknown_region(span, "part of the code could not be read");
        }
        self.map = outer;
        self.dialect = before;
        printed
    }

    /// Shell code that is given as an argument. It runs in a shell of its own where `own` is true.
    pub(crate) fn shell_code(
        &mut self,
        code: &Text,
        dialect: Dialect,
        stdin: &Stream,
        own: bool,
    ) -> Stream {
        if !code.known {
            match &code.taint {
                Some(Taint::Remote(url)) => {
                    self.emit_code(CodeSource::Remote(url.clone()), "shell", code.span);
                    return Stream::UNKNOWN;
                }
                Some(Taint::File(path) | Taint::Secret(path)) => {
                    self.emit_code(CodeSource::File(path.clone()), "shell", code.span);
                    return Stream::UNKNOWN;
                }
                Some(Taint::Made | Taint::Unknown) => {
                    // Where only an argument is not known, what runs is.
                    if code.text.starts_with(['$', '`']) || code.taint == Some(Taint::Made) {
                        self.unknown = true;
                        self.emit_code(CodeSource::Unknown, "shell", code.span);
                    }
                }
                None => {
                    if code.text.starts_with('$') {
                        self.unknown = true;
                        self.emit_code(CodeSource::Unknown, "shell", code.span);
                    }
                }
            }
        }
        let map = code.offset.map_or(Map::Fixed(code.span), Map::Offset);
        let waiting = self.at_exit.len();
        let before = own.then(|| self.env.clone());
        let printed = self
            .deeper(code.span, |this| {
                this.nested_text(&code.text, map, dialect, stdin)
            })
            .unwrap_or(Stream::UNKNOWN);
        if let Some(before) = before {
            self.flow = Flow::On;
            self.leave_shell(waiting);
            self.leave_subshell(before);
            self.flow = Flow::On;
        }
        printed
    }

    /// Code that flows into an interpreter's standard input.
    pub(crate) fn code_from_stream(
        &mut self,
        code: &Stream,
        language: &str,
        dialect: Option<Dialect>,
        span: Span,
    ) -> Stream {
        match code {
            Stream::Empty => Stream::Empty,
            Stream::Known(text) => match dialect {
                Some(dialect) => self.shell_code(
                    &Text::known(text.clone(), span),
                    dialect,
                    &Stream::Empty,
                    true,
                ),
                None => self.inline_code(language, &Text::known(text.clone(), span), Start::EMPTY),
            },
            Stream::Partial(text) => {
                let code = Text {
                    span,
                    offset: None,
                    ..Text::clone(text)
                };
                match dialect {
                    Some(dialect) => self.shell_code(&code, dialect, &Stream::Empty, true),
                    None => self.inline_code(language, &code, Start::EMPTY),
                }
            }
            Stream::Tainted(taint) => {
                self.tainted_code(taint, language, span);
                Stream::UNKNOWN
            }
        }
    }

    pub(crate) fn tainted_code(&mut self, taint: &Taint, language: &str, span: Span) {
        let source = match taint {
            Taint::Remote(url) => CodeSource::Remote(url.clone()),
            Taint::File(path) | Taint::Secret(path) => CodeSource::File(path.clone()),
            Taint::Made | Taint::Unknown => CodeSource::Unknown,
        };
        if source == CodeSource::Unknown {
            self.unknown = true;
        }
        self.emit_code(source, language, span);
    }

    /// A script file runs: its content where the line wrote it, else the file.
    pub(crate) fn script_file(
        &mut self,
        path: &Text,
        language: &str,
        dialect: Option<Dialect>,
        span: Span,
    ) -> Stream {
        let absolute = self.absolute(&path.text);
        if let Some(content) = self.env.file(&absolute).cloned() {
            return match content {
                Stream::Known(_) | Stream::Partial(_) => {
                    self.code_from_stream(&content, language, dialect, span)
                }
                Stream::Tainted(taint) => {
                    self.tainted_code(&taint, language, span);
                    Stream::UNKNOWN
                }
                Stream::Empty => Stream::Empty,
            };
        }
        if let Some(address) = crate::redirect::network_address(&path.text) {
            self.emit_code(CodeSource::Remote(address), language, span);
            return Stream::UNKNOWN;
        }
        if let Some(taint @ (Taint::Remote(_) | Taint::Made)) = &path.taint {
            self.tainted_code(&taint.clone(), language, span);
            return Stream::UNKNOWN;
        }
        if self.env.crowded() {
            self.tainted_code(&Taint::Made, language, span);
            return Stream::UNKNOWN;
        }
        let source = if path.known {
            CodeSource::File(absolute)
        } else {
            CodeSource::File(path.text.clone())
        };
        self.emit_code(source, language, span);
        Stream::UNKNOWN
    }
}
