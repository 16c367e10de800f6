//! Redirections.

use cmdai_schema::Span;

use crate::{
    heredoc::Pending,
    parser::Parser,
    tree::{HereDoc, Part, RedirectOp, Redirection, Word},
};

impl<'a> Parser<'a> {
    /// A redirection, where one stands here.
    pub(crate) fn redirection(&mut self) -> Option<Redirection<'a>> {
        let start = self.pos;
        let (mut at, mut fd, mut fd_variable) = (self.pos, None, None);
        if self.byte()? == b'<' && self.number_pattern().is_some() {
            return None;
        }
        match self.byte()? {
            b'0'..=b'9' => {
                let mut number = 0u32;
                while let Some(digit @ b'0'..=b'9') = self.byte_at(at) {
                    number = number
                        .saturating_mul(10)
                        .saturating_add(u32::from(digit - b'0'));
                    at += 1;
                }
                fd = Some(number);
            }
            b'{' => {
                at += 1;
                while self
                    .byte_at(at)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    at += 1;
                }
                if self.byte_at(at) != Some(b'}') || at == start + 1 {
                    return None;
                }
                fd_variable = Some(self.slice(start + 1, at));
                at += 1;
            }
            b'&' if self.ahead(1) == Some(b'>') => {
                let append = self.ahead(2) == Some(b'>');
                self.pos += if append { 3 } else { 2 };
                let op = if append {
                    RedirectOp::AppendBoth
                } else {
                    RedirectOp::WriteBoth
                };
                return Some(self.redirect_target(start, 1, None, op));
            }
            b'<' | b'>' => {}
            _ => return None,
        }
        let (first, second, third) = (
            self.byte_at(at)?,
            self.byte_at(at + 1),
            self.byte_at(at + 2),
        );
        if !matches!(first, b'<' | b'>') || second == Some(b'(') {
            return None;
        }
        let (op, len) = match (first, second, third) {
            (b'<', Some(b'<'), Some(b'<')) => (RedirectOp::HereString, 3),
            (b'<', Some(b'<'), Some(b'-')) => (RedirectOp::HereDocTabs, 3),
            (b'<', Some(b'<'), _) => (RedirectOp::HereDoc, 2),
            (b'<', Some(b'>'), _) => (RedirectOp::ReadWrite, 2),
            (b'<', Some(b'&'), _) => (RedirectOp::DuplicateIn, 2),
            (b'<', ..) => (RedirectOp::Read, 1),
            (_, Some(b'>'), Some(b'|' | b'!')) if self.is_zsh() => (RedirectOp::Append, 3),
            (_, Some(b'>'), _) => (RedirectOp::Append, 2),
            (_, Some(b'|'), _) => (RedirectOp::Clobber, 2),
            (_, Some(b'!'), _) if self.is_zsh() => (RedirectOp::Clobber, 2),
            (_, Some(b'&'), _) => (RedirectOp::DuplicateOut, 2),
            _ => (RedirectOp::Write, 1),
        };
        self.pos = at + len;
        let fd = fd.unwrap_or(u32::from(first == b'>'));
        Some(self.redirect_target(start, fd, fd_variable, op))
    }

    fn redirect_target(
        &mut self,
        start: usize,
        fd: u32,
        fd_variable: Option<&'a str>,
        mut op: RedirectOp,
    ) -> Redirection<'a> {
        self.skip_blanks();
        let target = match self.byte() {
            None => {
                self.complain("a redirection needs a target", start, self.pos);
                Word {
                    parts: Vec::new(),
                    span: Span::new(self.pos, self.pos),
                }
            }
            Some(b'\n' | b';' | b'&' | b'|' | b')') => {
                self.complain("a redirection needs a target", start, self.pos);
                Word {
                    parts: Vec::new(),
                    span: Span::new(self.pos, self.pos),
                }
            }
            Some(_) => {
                let from = self.pos;
                let digits = self
                    .slice(from, self.end)
                    .bytes()
                    .take_while(u8::is_ascii_digit)
                    .count();
                let word = self.word();
                // `> 2>f`: the number belongs to the next one.
                let taken = digits > 0
                    && self.pos == from + digits
                    && matches!(self.byte(), Some(b'<' | b'>'))
                    && self.ahead(1) != Some(b'(');
                let list = word.parts.iter().any(|part| matches!(part, Part::Array(_)));
                if self.pos == from || !self.is_zsh() && (taken || list) {
                    self.complain("a redirection needs a target", start, self.pos);
                }
                word
            }
        };
        if op == RedirectOp::DuplicateOut {
            let text = self.slice(target.span.start as usize, target.span.end as usize);
            let duplicate = text.starts_with('$')
                || text
                    .trim_end_matches('-')
                    .bytes()
                    .all(|byte| byte.is_ascii_digit());
            if !duplicate {
                op = RedirectOp::WriteBoth;
            }
        }
        let mut here_doc = None;
        if matches!(op, RedirectOp::HereDoc | RedirectOp::HereDocTabs) {
            let raw = self.slice(target.span.start as usize, target.span.end as usize);
            let delimiter = target.literal().unwrap_or(std::borrow::Cow::Borrowed(raw));
            let index = self.here_docs.len();
            self.here_docs.push(HereDoc::default());
            self.pending.push(Pending {
                index,
                delimiter,
                quoted: !target.is_unquoted(),
                strip_tabs: op == RedirectOp::HereDocTabs,
            });
            here_doc = Some(index);
        }
        Redirection {
            fd,
            fd_variable,
            op,
            target,
            here_doc,
            span: Span::new(start, self.pos),
        }
    }
}
