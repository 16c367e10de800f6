//! The semantic digest: a hash over the canonical form of the tree.
//!
//! Every construct is written as a tag byte and its parts, every text with its length in front. Quotes
//! are written as what they mean: neighbouring texts join, and a text keeps a mark where its quoting
//! changes how the shell reads it. So re-quoting and re-spacing keep the digest.

use std::borrow::Cow;

use cmdai_schema::Dialect;
use cmdai_shell::{
    AndOr, AssignValue, Command, CommandKind, Connector, Expr, List, Param, Part, Pipeline,
    Redirection, Tree, Variable, Word,
};
use sha2::{Digest, Sha256};

/// The digest of a tree, without its secrets: of the tree of the redacted text, so that what stands beside
/// a secret counts and the secret itself leaves no trace.
pub(crate) fn of(tree: &Tree<'_>, dialect: Dialect) -> String {
    match cmdai_redact::redact(tree.source) {
        Cow::Borrowed(_) => write(tree),
        Cow::Owned(clean) => write(&cmdai_shell::parse(&clean, dialect)),
    }
}

fn write(tree: &Tree<'_>) -> String {
    let mut writer = Writer {
        tree,
        out: Vec::with_capacity(tree.source.len() * 2 + 16),
    };
    writer.list(&tree.body);
    for region in &tree.unknown {
        writer.tag(b'U');
        let text = region.of(tree.source);
        writer.text(text);
    }
    let hash = Sha256::digest(&writer.out);
    let mut out = String::with_capacity(74);
    out.push_str("v1:sha256:");
    for byte in hash {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

struct Writer<'w, 't> {
    tree: &'w Tree<'t>,
    out: Vec<u8>,
}

impl Writer<'_, '_> {
    fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    fn number(&mut self, number: usize) {
        self.out
            .extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    fn list(&mut self, list: &List<'_>) {
        self.tag(b'L');
        self.number(list.items.len());
        for item in &list.items {
            self.tag(if item.background { b'&' } else { b';' });
            self.and_or(&item.and_or);
        }
    }

    fn and_or(&mut self, and_or: &AndOr<'_>) {
        self.pipeline(&and_or.first);
        for (connector, pipeline) in &and_or.rest {
            self.tag(if *connector == Connector::And {
                b'A'
            } else {
                b'O'
            });
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline<'_>) {
        self.tag(if pipeline.negated { b'N' } else { b'P' });
        self.number(pipeline.stages.len());
        for command in &pipeline.stages {
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command<'_>) {
        match &command.kind {
            CommandKind::Simple(simple) => {
                self.tag(b'S');
                self.number(simple.assignments.len());
                for assignment in &simple.assignments {
                    self.text(assignment.name);
                    self.text(assignment.index.unwrap_or(""));
                    self.tag(u8::from(assignment.append));
                    match &assignment.value {
                        AssignValue::Scalar(word) => self.word(word),
                        AssignValue::Array(words) => {
                            self.tag(b'(');
                            self.words(words);
                        }
                    }
                }
                self.words(&simple.words);
            }
            CommandKind::Subshell(list) => {
                self.tag(b'(');
                self.list(list);
            }
            CommandKind::Group(list) => {
                self.tag(b'{');
                self.list(list);
            }
            CommandKind::If {
                branches,
                otherwise,
            } => {
                self.tag(b'I');
                self.number(branches.len());
                for (condition, body) in branches {
                    self.list(condition);
                    self.list(body);
                }
                if let Some(body) = otherwise {
                    self.tag(b'E');
                    self.list(body);
                }
            }
            CommandKind::Loop {
                until,
                condition,
                body,
            } => {
                self.tag(if *until { b'u' } else { b'w' });
                self.list(condition);
                self.list(body);
            }
            CommandKind::For { name, words, body } => {
                self.tag(b'F');
                self.text(name);
                match words {
                    Some(words) => self.words(words),
                    None => self.tag(b'@'),
                }
                self.list(body);
            }
            CommandKind::ArithmeticFor { header, body } => {
                self.tag(b'f');
                self.arithmetic(header);
                self.list(body);
            }
            CommandKind::Case { word, arms } => {
                self.tag(b'C');
                self.word(word);
                self.number(arms.len());
                for arm in arms {
                    self.words(&arm.patterns);
                    self.list(&arm.body);
                    self.tag(arm.ending as u8);
                }
            }
            CommandKind::Function {
                name,
                params,
                hooked,
                body,
            } => {
                self.tag(b'D');
                self.text(name);
                if *hooked {
                    self.tag(b'h');
                }
                if !params.is_empty() {
                    self.params(params);
                }
                self.command(body);
            }
            CommandKind::Arithmetic(parts) => {
                self.tag(b'#');
                self.arithmetic(parts);
            }
            CommandKind::Test(words) => {
                self.tag(b'[');
                self.number(words.len());
                for word in words {
                    if word.parts.is_empty() {
                        self.tag(b'o');
                        let text = word.span.of(self.tree.source);
                        self.text(text);
                    } else {
                        self.word(word);
                    }
                }
            }
            CommandKind::Coproc(command) => {
                self.tag(b'c');
                self.command(command);
            }
            CommandKind::Expression(expression) => {
                self.tag(b'e');
                self.expression(expression);
            }
            CommandKind::Assign { target, op, value } => {
                self.tag(b'=');
                self.text(op);
                self.expression(target);
                self.list(value);
            }
            CommandKind::Try {
                body,
                catches,
                finally,
            } => {
                self.tag(b'T');
                self.list(body);
                self.number(catches.len());
                for list in catches {
                    self.list(list);
                }
                if let Some(list) = finally {
                    self.tag(b'E');
                    self.list(list);
                }
            }
            CommandKind::Params(params) => self.params(params),
            CommandKind::Repeat { count, body } => {
                self.tag(b'r');
                self.word(count);
                self.list(body);
            }
            CommandKind::Unknown => {
                self.tag(b'?');
                let text = command.span.of(self.tree.source);
                self.text(text);
            }
        }
        for redirection in &command.redirections {
            self.redirection(redirection);
        }
    }

    fn redirection(&mut self, redirection: &Redirection<'_>) {
        self.tag(b'>');
        self.tag(redirection.op as u8);
        self.number(redirection.fd as usize);
        self.text(redirection.fd_variable.unwrap_or(""));
        match redirection
            .here_doc
            .and_then(|index| self.tree.here_docs.get(index))
        {
            Some(here_doc) => {
                // The delimiter's name means nothing.
                let word = Word {
                    parts: here_doc.parts.clone(),
                    span: here_doc.span,
                };
                self.tag(u8::from(here_doc.quoted));
                self.word(&word);
            }
            None => self.word(&redirection.target),
        }
    }

    fn words(&mut self, words: &[Word<'_>]) {
        self.number(words.len());
        for word in words {
            self.word(word);
        }
    }

    fn word(&mut self, word: &Word<'_>) {
        self.tag(b'W');
        self.parts(&word.parts);
    }

    fn parts(&mut self, parts: &[Part<'_>]) {
        let mut pending = String::new();
        self.flow(parts, false, &mut pending);
        self.flush(&mut pending);
        self.tag(b'.');
    }

    fn flush(&mut self, pending: &mut String) {
        if !pending.is_empty() {
            self.tag(b't');
            let text = std::mem::take(pending);
            self.text(&text);
        }
    }

    fn flow(&mut self, parts: &[Part<'_>], quoted: bool, pending: &mut String) {
        for part in parts {
            match part {
                Part::Literal(text) | Part::Escaped(text) | Part::Single(text) => {
                    pending.push_str(text)
                }
                Part::AnsiC(text) => pending.push_str(text),
                Part::Double(inner) => {
                    self.flow(inner, true, pending);
                    if inner.is_empty() && parts.len() == 1 {
                        self.tag(b'0');
                    }
                }
                other => {
                    self.flush(pending);
                    self.special(other, quoted);
                }
            }
        }
    }

    fn special(&mut self, part: &Part<'_>, quoted: bool) {
        match part {
            Part::Variable(variable) => self.variable(variable, quoted),
            Part::Command(list, _) => {
                self.tag(if quoted { b'q' } else { b'$' });
                self.list(list);
            }
            Part::CommandText(text, _) => {
                self.tag(if quoted { b'q' } else { b'$' });
                self.text(text.trim());
            }
            Part::Process(list, output, _) => {
                self.tag(if *output { b')' } else { b'<' });
                self.list(list);
            }
            Part::Arithmetic(parts, _) => {
                self.tag(b'+');
                self.arithmetic(parts);
            }
            Part::Glob(text) => {
                self.tag(b'*');
                self.text(text);
            }
            Part::Brace(alternatives) => {
                self.tag(b'B');
                self.number(alternatives.len());
                for alternative in alternatives {
                    self.parts(alternative);
                }
            }
            Part::Range(text) => {
                self.tag(b'R');
                self.text(text);
            }
            Part::Tilde(name) => {
                self.tag(b'~');
                self.text(name);
            }
            Part::Array(words) => {
                self.tag(b'a');
                self.words(words);
            }
            Part::Expression(expression) => {
                self.tag(b'e');
                self.expression(expression);
            }
            Part::Splat(name, _) => {
                self.tag(b's');
                self.text(name);
            }
            Part::Subscript(key, append) => {
                self.tag(b'k');
                self.text(key);
                self.tag(u8::from(*append));
            }
            Part::Unknown(span) => {
                self.tag(b'?');
                let text = span.of(self.tree.source);
                self.text(text);
            }
            Part::Literal(_)
            | Part::Escaped(_)
            | Part::Single(_)
            | Part::AnsiC(_)
            | Part::Double(_) => {}
        }
    }

    fn params(&mut self, params: &[Param<'_>]) {
        self.tag(b'p');
        self.number(params.len());
        for param in params {
            self.text(param.name);
            if let Some(default) = &param.default {
                self.expression(default);
            }
        }
    }

    /// Names and operators of PowerShell are the same in any case of letters.
    fn expression(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Word(word) => self.word(word),
            Expr::Array(all) => {
                self.tag(b',');
                self.number(all.len());
                for one in all {
                    self.expression(one);
                }
            }
            Expr::Statements(list, _) => {
                self.tag(b'$');
                self.list(list);
            }
            Expr::Block(list, _) => {
                self.tag(b'{');
                self.list(list);
            }
            Expr::Hash(pairs) => {
                self.tag(b'h');
                self.number(pairs.len());
                for (key, value) in pairs {
                    self.expression(key);
                    self.list(value);
                }
            }
            Expr::Unary(op, one) => {
                self.tag(b'1');
                self.text(&op.to_ascii_lowercase());
                self.expression(one);
            }
            Expr::Chain(first, rest) => {
                self.tag(b'2');
                self.number(rest.len());
                self.expression(first);
                for (op, next) in rest {
                    self.text(&op.to_ascii_lowercase());
                    self.expression(next);
                }
            }
            Expr::Cast(name, one) => {
                self.tag(b'c');
                self.text(&name.to_ascii_lowercase());
                self.expression(one);
            }
            Expr::Type(name) => {
                self.tag(b't');
                self.text(&name.to_ascii_lowercase());
            }
            Expr::Member(target, name, _) => {
                self.tag(b'.');
                self.expression(target);
                self.expression(name);
            }
            Expr::Invoke(target, name, args, _) => {
                self.tag(b'(');
                self.expression(target);
                self.expression(name);
                self.number(args.len());
                for arg in args {
                    self.expression(arg);
                }
            }
            Expr::Index(target, index) => {
                self.tag(b'[');
                self.expression(target);
                self.expression(index);
            }
            Expr::Unknown(span) => {
                self.tag(b'?');
                let text = span.of(self.tree.source);
                self.text(text);
            }
        }
    }

    fn arithmetic(&mut self, parts: &[Part<'_>]) {
        self.number(parts.len());
        for part in parts {
            match part {
                Part::Literal(text) => {
                    let squeezed: String =
                        text.chars().filter(|next| !next.is_whitespace()).collect();
                    self.text(&squeezed);
                }
                other => self.special(other, true),
            }
        }
    }

    fn variable(&mut self, variable: &Variable<'_>, quoted: bool) {
        self.tag(if quoted { b'v' } else { b'V' });
        self.text(variable.name);
        self.tag(u8::from(variable.indirect) | u8::from(variable.length) << 1);
        self.text(variable.index.unwrap_or(""));
        if !variable.flags.is_empty() {
            self.tag(b'(');
            self.text(variable.flags);
        }
        if let Some(inner) = &variable.inner {
            self.tag(b'i');
            self.parts(std::slice::from_ref(&**inner));
        }
        match variable.op {
            None => self.tag(b'-'),
            Some(op) => {
                let name = format!("{op:?}");
                self.text(&name);
                self.parts(&variable.operand);
                if let Some(second) = &variable.second {
                    self.parts(second);
                }
            }
        }
    }
}
