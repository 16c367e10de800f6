//! The running shell, as the hook asks for it.

use std::borrow::Cow;
use std::ffi::{CStr, c_int};

use cmdai_effects::script::{Language, Languages, Script};
use cmdai_effects::{Elements, Session};
use cmdai_gate::CodeReader;
use cmdai_schema::Dialect;

use crate::library;

/// What a shell's own module knows about the shell that it lives in.
pub trait Host {
    /// The shell's language.
    const DIALECT: Dialect;
    /// The second net sees a compound command whole before it sees its parts.
    const SEES_COMPOUNDS: bool;
    /// Characters that make a word more than itself, beside those that every shell has.
    const ALSO_EXPANDED: &'static [char];

    /// Value of a variable; nothing where reading it would change it.
    fn variable(&self, name: &str) -> Option<String>;
    /// Elements of an array; nothing for what is no array, and where the shell does not tell.
    fn elements(&self, _name: &str) -> Option<Elements> {
        None
    }
    /// Sets a variable.
    fn set_variable(&self, name: &CStr, value: &str);
    /// Text that an alias stands for, where aliases are on.
    fn alias(&self, name: &str) -> Option<String>;
    /// Body of a function.
    fn function(&self, name: &str) -> Option<String>;
    /// `$?`.
    fn status(&self) -> i32;
    /// What the next command sees as `$?`.
    fn set_status(&self, status: i32);
    /// A function is running.
    fn inside_function(&self) -> bool;
    /// Part of the integration itself, which is never judged.
    fn is_own(&self, text: &str) -> bool;

    /// The status that the shell ends with, when it does.
    fn exit_status(&self) -> i32 {
        self.status()
    }

    /// Number of the line that runs; nothing where the shell does not tell.
    fn line_number(&self) -> Option<i32> {
        None
    }

    /// The shell is on its way out and runs what it was told to run then.
    fn is_leaving(&self) -> bool {
        false
    }

    /// Descriptor of the keyboard.
    fn keyboard(&self) -> c_int {
        libc::STDIN_FILENO
    }
}

/// The live session, as the analysis asks for it.
pub(crate) struct LiveSession<'a, H>(pub(crate) &'a H);

impl<H: Host> Session for LiveSession<'_, H> {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.variable(name).map(Cow::Owned)
    }

    fn elements(&self, name: &str) -> Option<Elements> {
        self.0.elements(name)
    }

    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.alias(name).map(Cow::Owned)
    }

    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.function(name).map(Cow::Owned)
    }

    fn is_live(&self) -> bool {
        true
    }
}

/// The reader of other languages, as a shell may start it.
pub(crate) struct LiveLanguages<'a>(pub(crate) &'a CodeReader);

impl Languages for LiveLanguages<'_> {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        // A shell takes the end of any child for one of its own jobs; it learns of this one when it
        // is gone already.
        library::without_child_signals(|| self.0.read(language, code))
    }
}
