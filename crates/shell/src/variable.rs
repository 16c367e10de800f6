//! `$x` and `${x…}`.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Operator, Part, Variable},
    word::{Inside, Stop},
};

impl<'a> Parser<'a> {
    pub(crate) fn plain_variable(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 1;
        let mut variable = Variable {
            name: self.name(),
            ..Variable::default()
        };
        if self.is_zsh() {
            self.zsh_suffix(&mut variable);
        }
        variable.span = Span::new(start, self.pos);
        Part::Variable(Box::new(variable))
    }

    pub(crate) fn special_variable(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 2;
        let name = self.slice(start + 1, self.pos);
        Part::Variable(Box::new(Variable {
            name,
            span: Span::new(start, self.pos),
            ..Variable::default()
        }))
    }

    /// Letters, digits and underscores at the position.
    pub(crate) fn name(&mut self) -> &'a str {
        let start = self.pos;
        while self
            .byte()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.pos += 1;
        }
        self.slice(start, self.pos)
    }

    /// `${ … }`. The position is at the dollar sign.
    pub(crate) fn braced_variable(&mut self, quoted: bool) -> Part<'a> {
        let start = self.pos;
        self.pos += 2;
        if matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'|')) {
            // `${ command; }` of newer shells.
            self.pos += 1;
            let list = self.list_in_braces();
            if self.byte() == Some(b'}') {
                self.pos += 1;
            } else {
                self.unfinished("brace is not closed", start);
            }
            return Part::Command(list, Span::new(start, self.pos));
        }
        let mut variable = Variable::default();
        if self.is_zsh() {
            variable.flags = self.zsh_flags();
            if self.byte() == Some(b'+') {
                // `${+x}`: whether it is set.
                self.pos += 1;
                variable.op = Some(Operator::Other);
            }
            if matches!(self.byte(), Some(b'$' | b'`' | b'"')) {
                let inner = match self.byte() {
                    Some(b'"') => self.deeper(Self::double),
                    _ => self.deeper(|parser| parser.expansion(quoted)).flatten(),
                };
                variable.inner = inner.map(Box::new);
            }
        }
        if self.byte() == Some(b'#')
            && variable.inner.is_none()
            && !matches!(self.ahead(1), Some(b'}' | b':' | b'-' | b'#' | b'%') | None)
        {
            variable.length = true;
            self.pos += 1;
        } else if self.byte() == Some(b'!') && !matches!(self.ahead(1), Some(b'}' | b':') | None) {
            variable.indirect = true;
            self.pos += 1;
        }
        variable.name = self.name();
        if variable.name.is_empty() && variable.inner.is_none() {
            match self.byte() {
                Some(b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-') => {
                    variable.name = self.slice(self.pos, self.pos + 1);
                    self.pos += 1;
                }
                // `${:-text}`
                Some(b':') if self.is_zsh() && self.ahead(1) == Some(b'-') => {}
                _ => variable.op = Some(Operator::Other),
            }
        }
        if self.byte() == Some(b'[') {
            let from = self.pos + 1;
            match self.subscript_end(self.pos) {
                Some(end) => {
                    variable.index = Some(self.slice(from, end));
                    self.pos = end + 1;
                }
                None => {
                    variable.op = Some(Operator::Other);
                    while self.byte().is_some_and(|byte| byte != b'}') {
                        self.pos += 1;
                    }
                }
            }
        }
        self.operator(&mut variable, quoted);
        if self.byte() == Some(b'}') {
            self.pos += 1;
        } else {
            self.unfinished("brace is not closed", start);
        }
        variable.span = Span::new(start, self.pos);
        Part::Variable(Box::new(variable))
    }

    fn operator(&mut self, variable: &mut Variable<'a>, quoted: bool) {
        let other = variable.op.is_some();
        let colon = self.byte() == Some(b':');
        let at = if colon { self.ahead(1) } else { self.byte() };
        let value = |byte: u8| match byte {
            b'-' => Some(Operator::Default { colon }),
            b'=' => Some(Operator::Assign { colon }),
            b'?' => Some(Operator::Error { colon }),
            b'+' => Some(Operator::Alternative { colon }),
            _ => None,
        };
        if let Some(op) = at.and_then(value) {
            self.pos += 1 + usize::from(colon);
            variable.op = Some(op);
            variable.operand = self.operand(quoted, Stop::Braces);
        } else if colon
            && self.is_zsh()
            && at.is_some_and(|byte| byte.is_ascii_alphabetic() || b"&#|*^".contains(&byte))
        {
            let from = self.pos + 1;
            let modifiers = !at.is_some_and(|byte| b"#|*^".contains(&byte));
            while self.byte().is_some_and(|byte| byte != b'}') {
                self.pos += 1 + usize::from(self.byte() == Some(b'\\'));
            }
            self.pos = self.pos.min(self.end);
            variable.op = Some(if modifiers {
                Operator::Modifiers
            } else {
                Operator::Other
            });
            variable.operand = vec![Part::Literal(self.slice(from, self.pos))];
        } else if colon {
            self.pos += 1;
            variable.op = Some(Operator::Substring);
            variable.operand = self.quoted_parts(Inside::Offset);
            if self.byte() == Some(b':') {
                self.pos += 1;
                variable.second = Some(self.quoted_parts(Inside::Braces));
            }
        } else {
            match self.byte() {
                Some(mark @ (b'#' | b'%')) => {
                    self.pos += 1;
                    let longest = self.byte() == Some(mark);
                    self.pos += usize::from(longest);
                    variable.op = Some(if mark == b'#' {
                        Operator::RemovePrefix { longest }
                    } else {
                        Operator::RemoveSuffix { longest }
                    });
                    // Quotes mean something in patterns even inside double quotes.
                    variable.operand = self.unquoted_parts(Stop::Braces, false);
                }
                Some(b'/') => {
                    self.pos += 1;
                    let kind = match self.byte() {
                        Some(kind @ (b'/' | b'#' | b'%')) => {
                            self.pos += 1;
                            char::from(kind)
                        }
                        _ => ' ',
                    };
                    variable.op = Some(Operator::Replace(kind));
                    // A slash that begins the pattern belongs to it.
                    let slash = kind != ' ' && self.byte() == Some(b'/');
                    if slash {
                        self.pos += 1;
                    }
                    variable.operand = self.unquoted_parts(Stop::Pattern, false);
                    if slash {
                        variable.operand.insert(0, Part::Literal("/"));
                    }
                    if self.byte() == Some(b'/') {
                        self.pos += 1;
                        // As in the pattern, quotes mean something even inside double quotes.
                        variable.second = Some(self.unquoted_parts(Stop::Braces, !quoted));
                    }
                }
                Some(mark @ (b'^' | b',')) => {
                    self.pos += 1;
                    let all = self.byte() == Some(mark);
                    self.pos += usize::from(all);
                    variable.op = Some(Operator::Case {
                        upper: mark == b'^',
                        all,
                    });
                    variable.operand = self.operand(quoted, Stop::Braces);
                }
                Some(b'@' | b'*') => {
                    self.pos += 1;
                    let kind = self
                        .byte()
                        .filter(|&byte| byte != b'}')
                        .map_or('*', char::from);
                    while self.byte().is_some_and(|byte| byte != b'}') {
                        self.pos += 1;
                    }
                    variable.op = Some(Operator::Transform(kind));
                }
                Some(b'}') | None => {}
                Some(_) => {
                    variable.op = Some(Operator::Other);
                    variable.operand = self.operand(quoted, Stop::Braces);
                }
            }
        }
        if other {
            variable.op = Some(Operator::Other);
        }
    }

    fn operand(&mut self, quoted: bool, stop: Stop) -> Vec<Part<'a>> {
        if quoted {
            self.quoted_parts(if stop == Stop::Pattern {
                Inside::Pattern
            } else {
                Inside::Braces
            })
        } else {
            self.unquoted_parts(stop, true)
        }
    }
}
