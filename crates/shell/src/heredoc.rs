//! Bodies of here-documents, read at the newline after the operator.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{HereDoc, Part},
    word::Inside,
};

/// A here-document whose body has not come yet.
pub(crate) struct Pending<'a> {
    pub(crate) index: usize,
    pub(crate) delimiter: std::borrow::Cow<'a, str>,
    pub(crate) quoted: bool,
    pub(crate) strip_tabs: bool,
}

impl<'a> Parser<'a> {
    /// Reads the bodies that are due. The position is at the start of a line.
    pub(crate) fn read_here_docs(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            self.read_here_doc(&pending);
        }
    }

    fn read_here_doc(&mut self, pending: &Pending<'a>) {
        let start = self.pos;
        let mut stop = self.end;
        let mut found = false;
        while self.pos < self.end {
            let line = self.pos;
            let rest = self
                .source
                .as_bytes()
                .get(line..self.end)
                .unwrap_or_default();
            let len = rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len());
            let mut text = self.slice(line, line + len);
            if pending.strip_tabs {
                text = text.trim_start_matches('\t');
            }
            self.pos = (line + len + 1).min(self.end);
            // Inside `$( … )` the closing parenthesis may stand right after the delimiter.
            if text.trim_end_matches('\r') == pending.delimiter {
                stop = line;
                found = true;
                break;
            }
        }
        if !found {
            self.unfinished("here-document is not ended", start);
        }
        let parts = if pending.quoted {
            vec![Part::Single(self.slice(start, stop))]
        } else {
            self.within(start, stop, |parser| {
                let complete = parser.complete;
                let parts = parser
                    .deeper(|parser| parser.quoted_parts(Inside::HereDoc))
                    .unwrap_or_default();
                parser.complete = complete;
                parts
            })
        };
        if let Some(slot) = self.here_docs.get_mut(pending.index) {
            *slot = HereDoc {
                parts,
                quoted: pending.quoted,
                strip_tabs: pending.strip_tabs,
                span: Span::new(start, stop),
            };
        }
    }
}
