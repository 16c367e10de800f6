//! Code of other languages inside a line: what it would do, by going through it as it would run.
//!
//! A [`Languages`] gives the code as a [`Script`]; nothing here knows a grammar. [`run`] goes through
//! the tree with small sets of values for what its variables hold; [`pure`] knows functions that only
//! compute; [`calls`] looks up what all others do, in the tables of `knowledge/calls`; [`act`] does
//! that to the analysis.

mod act;
mod calls;
mod decode;
mod mapper;
mod places;
mod pure;
mod run;
mod text;
mod tree;
mod value;

pub use tree::{Id, Language, Languages, MAX_NODES, NoLanguages, Node, Parameter, Script};

use cmdai_schema::{CodeSource, EffectKind};

use crate::{
    analyser::Analyser,
    value::{Stream, Taint, Text},
};
use run::Run;

/// What code gets when it starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// Words after the code.
    pub(crate) args: &'a [Text],
    /// What flows in.
    pub(crate) stdin: &'a Stream,
}

impl Start<'_> {
    /// Nothing.
    pub(crate) const EMPTY: Start<'static> = Start {
        args: &[],
        stdin: &Stream::Empty,
    };
}

impl Analyser<'_> {
    /// Looks through code of a language for what it would do; what it prints.
    pub(crate) fn inline_code(&mut self, language: &str, code: &Text, start: Start<'_>) -> Stream {
        match &code.taint {
            Some(taint @ (Taint::Remote(_) | Taint::Made)) if !code.known => {
                let taint = taint.clone();
                self.tainted_code(&taint, language, code.span);
                return Stream::UNKNOWN;
            }
            _ => self.emit_code(CodeSource::Literal, language, code.span),
        }
        let Some(known) = Language::named(language) else {
            self.other_code(language, code);
            return Stream::UNKNOWN;
        };
        let span = code.span;
        self.deeper(span, |this| {
            let text = bare(known, &code.text);
            match this.read_code(known, text) {
                Some(script) => Run::new(this, known, span, start).whole(&script.into()),
                None => {
                    this.unread_code(known, text, span);
                    Stream::UNKNOWN
                }
            }
        })
        .unwrap_or(Stream::UNKNOWN)
    }

    pub(crate) fn read_code(&mut self, language: Language, code: &str) -> Option<Script> {
        if code.len() > crate::value::MAX_TEXT {
            return None;
        }
        let script = self.context.languages.read(language, code)?;
        script.is_sound().then_some(script)
    }

    /// Code that nobody could read. It may be let run by a person where it names nothing that does
    /// something; else it is as bad as code that cannot be seen.
    pub(crate) fn unread_code(&mut self, language: Language, code: &str, span: cmdai_schema::Span) {
        self.unknown = true;
        if calls::looks_risky(language, code) {
            self.emit_code(CodeSource::Unknown, language.name(), span);
        } else {
            self.emit(
                EffectKind::Unknown {
                    why: format!("{} code that could not be read", language.name()),
                },
                span,
                cmdai_schema::Certainty::Unknown,
            );
        }
    }
}

/// The code without what only files have around it.
fn bare(language: Language, code: &str) -> &str {
    match language {
        Language::Php => code
            .trim_start()
            .strip_prefix("<?php")
            .map_or(code, |rest| {
                rest.trim_end().strip_suffix("?>").unwrap_or(rest)
            }),
        _ => code,
    }
}
