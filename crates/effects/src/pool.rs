//! Tables without pointers.
//!
//! A table of `&str` and slices has to be written anew at every start of a program, one pointer after
//! the other, since where it lies is decided then. In here a text is a place in one long text, and a
//! list a place in one long list: the tables are only read, page by page where they are used, and all
//! processes share them.

use std::{fmt, marker::PhantomData, ops::Deref};

/// A text of the tables. Equal texts have one place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    at: u32,
    len: u16,
}

impl Word {
    /// Made by the build script only.
    pub(crate) const fn at(at: u32, len: u16) -> Self {
        Self { at, len }
    }

    #[inline]
    pub(crate) fn text(self) -> &'static str {
        let from = self.at as usize;
        crate::knowledge::TEXTS
            .get(from..from + usize::from(self.len))
            .unwrap_or_default()
    }
}

impl Deref for Word {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.text()
    }
}

impl PartialEq<str> for Word {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.text() == other
    }
}

impl PartialEq<&str> for Word {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.text() == *other
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

/// What lists can be made of: each kind has one long list of its own.
pub(crate) trait Pooled: Sized + 'static {
    /// All of this kind.
    const ALL: &'static [Self];
}

/// A list of the tables.
pub(crate) struct List<T> {
    at: u32,
    len: u16,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}

impl<T> List<T> {
    /// Made by the build script only.
    pub(crate) const fn at(at: u32, len: u16) -> Self {
        Self {
            at,
            len,
            of: PhantomData,
        }
    }
}

impl<T: Pooled> List<T> {
    #[inline]
    pub(crate) fn all(self) -> &'static [T] {
        let from = self.at as usize;
        T::ALL
            .get(from..from + usize::from(self.len))
            .unwrap_or_default()
    }
}

impl List<Word> {
    /// One of the texts is this one.
    pub(crate) fn has(self, text: &str) -> bool {
        self.all()
            .iter()
            .any(|word| usize::from(word.len) == text.len() && word.text() == text)
    }
}

impl<T: Pooled> Deref for List<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.all()
    }
}

impl<T: Pooled> IntoIterator for List<T> {
    type Item = &'static T;
    type IntoIter = std::slice::Iter<'static, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.all().iter()
    }
}

impl<T: Pooled + fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.all(), f)
    }
}
