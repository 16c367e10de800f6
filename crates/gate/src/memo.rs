//! Lines that were judged before.
//!
//! A judgement depends on the text, on what the session said while it was judged (variables, aliases,
//! functions), on facts of the machine, on who acts, and on the policies, and on nothing else. From the
//! second time on that a text is judged, all of that is kept beside the outcome, and the outcome is used
//! again only where each part is looked at anew and is what it was: the shell is asked for the same names
//! and says the same, the facts are collected again and are equal, no policy was loaded since.
//!
//! Kept are only texts that simply run: no rule fired, so that there is nothing to say, to ask, or that a
//! moment could end; no code of another language was read; no policy asks what time it is; no compiled-in
//! contributor takes part.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;

use cmdai_effects::script::{Language, Languages, Script};
use cmdai_effects::{Elements, Session};
use cmdai_policy::Asked;
use cmdai_schema::{Decision, Dialect, Facts, Subject};

use crate::Redacted;
use crate::gate::{Outcome, Request};

/// Texts that are kept.
const KEPT: usize = 256;
/// Longest text that is kept, in bytes.
const LONGEST: usize = 4 * 1024;
/// Texts that were seen once and are kept when they come again.
const SEEN: usize = 1024;
/// Answers of the session that are kept for one text, and their bytes.
const READS: (usize, usize) = (96, 8 * 1024);

/// A judged text, to be shared by all who need the outcome.
#[derive(Debug, Default)]
pub struct Known {
    /// The judgement.
    pub outcome: Outcome,
    /// The text for records, where nothing had to be taken out of it.
    pub(crate) clean: Option<Redacted>,
}

impl From<Outcome> for Known {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            clean: None,
        }
    }
}

/// A judged text, and how long it took this time.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What is known of it.
    pub known: Arc<Known>,
    /// Time of this judgement, in microseconds.
    pub micros: u64,
}

impl std::ops::Deref for Judged {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.known.outcome
    }
}

/// Something that the session was asked, and what it said.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Variable(Box<str>, Option<Box<str>>),
    Elements(Box<str>, Option<Elements>),
    Alias(Box<str>, Option<Box<str>>),
    Function(Box<str>, Option<Box<str>>),
}

impl Read {
    /// The session says the same now.
    fn holds(&self, session: &dyn Session) -> bool {
        match self {
            Self::Variable(name, said) => session.variable(name).as_deref() == said.as_deref(),
            Self::Elements(name, said) => session.elements(name) == *said,
            Self::Alias(name, said) => session.alias(name).as_deref() == said.as_deref(),
            Self::Function(name, said) => session.function(name).as_deref() == said.as_deref(),
        }
    }
}

/// A session, with everything that it was asked.
pub(crate) struct Witness<'a> {
    session: &'a dyn Session,
    languages: &'a dyn Languages,
    reads: RefCell<Vec<Read>>,
    bytes: Cell<usize>,
    /// Too much was asked, or something that cannot be asked again cheaply.
    too_much: Cell<bool>,
}

impl<'a> Witness<'a> {
    pub(crate) fn of(request: &Request<'a>) -> Self {
        Self {
            session: request.session,
            languages: request.languages,
            reads: RefCell::new(Vec::with_capacity(32)),
            bytes: Cell::new(0),
            too_much: Cell::new(false),
        }
    }

    fn note(&self, bytes: usize, read: impl FnOnce() -> Read) {
        let mut reads = self.reads.borrow_mut();
        let bytes = self.bytes.get().saturating_add(bytes);
        if reads.len() >= READS.0 || bytes > READS.1 {
            self.too_much.set(true);
            return;
        }
        self.bytes.set(bytes);
        let read = read();
        if !reads.contains(&read) {
            reads.push(read);
        }
    }
}

fn boxed(answer: Option<&Cow<'_, str>>) -> Option<Box<str>> {
    answer.map(|text| Box::from(text.as_ref()))
}

impl Session for Witness<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let said = self.session.variable(name);
        let bytes = said.as_ref().map_or(0, |text| text.len());
        self.note(bytes, || Read::Variable(name.into(), boxed(said.as_ref())));
        said
    }

    fn elements(&self, name: &str) -> Option<Elements> {
        let said = self.session.elements(name);
        let bytes = match &said {
            None => 0,
            Some(Elements::Listed(all)) => all.iter().map(String::len).sum(),
            Some(Elements::Named(all)) => {
                all.iter().map(|(key, text)| key.len() + text.len()).sum()
            }
        };
        self.note(bytes, || Read::Elements(name.into(), said.clone()));
        said
    }

    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        let said = self.session.alias(name);
        let bytes = said.as_ref().map_or(0, |text| text.len());
        self.note(bytes, || Read::Alias(name.into(), boxed(said.as_ref())));
        said
    }

    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        let said = self.session.function(name);
        let bytes = said.as_ref().map_or(0, |text| text.len());
        self.note(bytes, || Read::Function(name.into(), boxed(said.as_ref())));
        said
    }

    fn is_live(&self) -> bool {
        self.session.is_live()
    }
}

impl Languages for Witness<'_> {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        self.too_much.set(true);
        self.languages.read(language, code)
    }
}

/// What a judgement depends on beside the session and the facts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    cwd: String,
    home: String,
    user: String,
    dialect: Dialect,
    terminal: bool,
    live: bool,
    subject: Subject,
    generation: u64,
}

impl Terms {
    pub(crate) fn of(request: &Request<'_>, subject: Subject, generation: u64) -> Self {
        Self {
            cwd: request.cwd.to_owned(),
            home: request.home.to_owned(),
            user: request.user.to_owned(),
            dialect: request.dialect,
            terminal: request.terminal,
            live: request.session.is_live(),
            subject,
            generation,
        }
    }

    /// The same, looked at without copying.
    fn hold(&self, request: &Request<'_>, generation: u64) -> bool {
        let who = request.who;
        self.generation == generation
            && self.cwd == request.cwd
            && self.home == request.home
            && self.user == request.user
            && self.dialect == request.dialect
            && self.terminal == request.terminal
            && self.live == request.session.is_live()
            && self.subject.origin == who.origin.kind
            && self.subject.host_asks == who.host_asks
            && self.subject.agent.as_deref() == who.agent.as_ref().map(|agent| agent.name.as_str())
    }
}

/// One text.
#[derive(Debug)]
struct Kept {
    terms: Terms,
    reads: Vec<Read>,
    asked: Asked,
    known: Arc<Known>,
}

/// Texts of one gate.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    kept: HashMap<Box<str>, Kept>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Memo {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// The outcome for this request, where nothing that it depends on has changed. `collect` gathers
    /// the facts again.
    pub(crate) fn find(
        &self,
        request: &Request<'_>,
        generation: u64,
        collect: impl FnOnce(&Asked) -> Facts,
        project: impl FnOnce(&Path) -> Option<String>,
    ) -> Option<Arc<Known>> {
        let kept = self.kept.get(request.text)?;
        if request.facts.is_some()
            || !kept.terms.hold(request, generation)
            || !kept.reads.iter().all(|read| read.holds(request.session))
        {
            return None;
        }
        let before = &kept.known.outcome.facts;
        let same = if kept.asked == Asked::default() {
            // All others come from the session's variables, which were asked above.
            project(Path::new(request.cwd)) == before.project
        } else {
            let facts = Facts {
                now: before.now.clone(),
                ..collect(&kept.asked)
            };
            facts == *before
        };
        same.then(|| Arc::clone(&kept.known))
    }

    /// True from the second time on that a text comes: what comes once is not worth keeping.
    pub(crate) fn comes_again(&mut self, text: &str) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        if self.kept.contains_key(text) {
            return true;
        }
        let hash = self.hasher.hash_one(text);
        if self.seen.contains(&hash) {
            return true;
        }
        if self.seen.len() >= SEEN {
            self.seen.clear();
        }
        self.seen.insert(hash);
        false
    }

    /// Keeps a judged text, where that is allowed.
    pub(crate) fn keep(
        &mut self,
        text: &str,
        terms: Terms,
        witness: Witness<'_>,
        asked: Asked,
        known: &Arc<Known>,
    ) {
        let outcome = &known.outcome;
        let simply_runs = outcome.judgement.decision == Decision::Allow
            && outcome.judgement.rules.is_empty()
            && outcome.analysis.complete;
        if witness.too_much.get() || !simply_runs || text.len() > LONGEST {
            self.kept.remove(text);
            return;
        }
        if self.kept.len() >= KEPT && !self.kept.contains_key(text) {
            self.kept.clear();
        }
        let kept = Kept {
            terms,
            reads: witness.reads.into_inner(),
            asked,
            known: Arc::clone(known),
        };
        self.kept.insert(text.into(), kept);
    }
}
