//! What is known about a text while the shell would be running.

use cmdai_schema::Span;

/// Where a text that is not known comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taint {
    /// From the network, by address.
    Remote(String),
    /// From a file, by path.
    File(String),
    /// From a file that holds credentials.
    Secret(String),
    /// Decoded or made by a program, from something that is not known.
    Made,
    /// Cannot be told.
    Unknown,
}

impl Taint {
    fn weight(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Made => 1,
            Self::File(_) => 2,
            Self::Remote(_) => 3,
            Self::Secret(_) => 4,
        }
    }

    /// The one of two that matters more.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }
}

/// What flows through a pipe or into a substitution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Stream {
    /// Nothing.
    #[default]
    Empty,
    /// This text.
    Known(String),
    /// Text with parts that are not known, written as they stand in the line.
    Partial(Box<Text>),
    /// Something else.
    Tainted(Taint),
}

impl Stream {
    pub(crate) const UNKNOWN: Self = Self::Tainted(Taint::Unknown);

    /// What a text says when it is printed.
    pub(crate) fn of(text: Text) -> Self {
        if text.known {
            Self::Known(text.text)
        } else if text.is_whole_unknown() || text.taint.is_some() {
            Self::Tainted(text.taint.unwrap_or(Taint::Unknown))
        } else {
            Self::Partial(Box::new(text))
        }
    }

    /// This, then that.
    pub(crate) fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Empty, other) | (other, Self::Empty) => other,
            (Self::Known(mut first), Self::Known(second)) => {
                if first.len() + second.len() > MAX_TEXT {
                    return Self::UNKNOWN;
                }
                first.push_str(&second);
                Self::Known(first)
            }
            (Self::Tainted(first), Self::Tainted(second)) => Self::Tainted(first.worse(second)),
            (Self::Tainted(taint), Self::Known(_)) | (Self::Known(_), Self::Tainted(taint)) => {
                Self::Tainted(taint)
            }
            (Self::Partial(mut first), Self::Known(second)) => {
                if first.text.len() + second.len() > MAX_TEXT {
                    return Self::UNKNOWN;
                }
                first.text.push_str(&second);
                if let Some(empty) = &mut first.empty {
                    empty.push_str(&second);
                }
                Self::Partial(first)
            }
            (Self::Known(first), Self::Partial(mut second)) => {
                if first.len() + second.text.len() > MAX_TEXT {
                    return Self::UNKNOWN;
                }
                second.text.insert_str(0, &first);
                if let Some(empty) = &mut second.empty {
                    empty.insert_str(0, &first);
                }
                Self::Partial(second)
            }
            (Self::Partial(first), Self::Partial(second)) => {
                if first.text.len() + second.text.len() > MAX_TEXT {
                    return Self::UNKNOWN;
                }
                let empty = match (&first.empty, &second.empty) {
                    (Some(first), Some(second)) => Some(format!("{first}{second}")),
                    _ => None,
                };
                Self::Partial(Box::new(Text {
                    text: format!("{}{}", first.text, second.text),
                    empty,
                    ..*first
                }))
            }
            (Self::Partial(text), Self::Tainted(taint))
            | (Self::Tainted(taint), Self::Partial(text)) => {
                Self::Tainted(taint.worse(text.taint.unwrap_or(Taint::Unknown)))
            }
        }
    }

    pub(crate) fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Empty => Some(""),
            Self::Partial(_) | Self::Tainted(_) => None,
        }
    }

    pub(crate) fn taint(&self) -> Option<&Taint> {
        match self {
            Self::Tainted(taint) => Some(taint),
            Self::Partial(text) => text.taint.as_ref(),
            _ => None,
        }
    }
}

/// Longest text that is followed.
pub(crate) const MAX_TEXT: usize = 64 * 1024;

/// A field of an expanded word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    /// What it says; where a part is not known, the part as it is written.
    pub(crate) text: String,
    /// False where a part is not known.
    pub(crate) known: bool,
    /// What it says where variables that may be unset are empty.
    pub(crate) empty: Option<String>,
    /// Holds a pattern that the shell expands.
    pub(crate) glob: bool,
    /// Holds pattern characters or a tilde that stand for themselves, as quoting made them.
    pub(crate) literal: bool,
    /// One value with the argument before it: `a,b` of PowerShell.
    pub(crate) more: bool,
    /// Where an unknown part comes from.
    pub(crate) taint: Option<Taint>,
    /// Where it stands.
    pub(crate) span: Span,
    /// Where its first byte stands, if it stands in the outer text as it is.
    pub(crate) offset: Option<usize>,
}

impl Text {
    /// A text that is known.
    pub(crate) fn known(text: impl Into<String>, span: Span) -> Self {
        Self {
            text: text.into(),
            known: true,
            span,
            ..Self::default()
        }
    }

    /// What stands for all that was left out past a bound.
    pub(crate) fn rest(span: Span) -> Self {
        Self::unknown("$rest", span, Some(Taint::Unknown))
    }

    /// A text that is not.
    pub(crate) fn unknown(text: impl Into<String>, span: Span, taint: Option<Taint>) -> Self {
        Self {
            text: text.into(),
            known: false,
            span,
            taint,
            ..Self::default()
        }
    }

    /// Nothing at all is known of it, not even how it is written.
    pub(crate) fn is_whole_unknown(&self) -> bool {
        !self.known && self.text.is_empty()
    }

    /// The same without the first bytes.
    pub(crate) fn after(&self, bytes: usize) -> Self {
        Self {
            text: self.text.get(bytes..).unwrap_or("").to_owned(),
            empty: self
                .empty
                .as_ref()
                .and_then(|empty| empty.get(bytes..))
                .map(str::to_owned),
            offset: self.offset.map(|offset| offset + bytes),
            ..self.clone()
        }
    }
}

/// Where the bytes of a text that is read stand in the outermost text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Map {
    /// They stand there as they are, from here on.
    Offset(usize),
    /// They were made from this.
    Fixed(Span),
}

impl Map {
    pub(crate) fn span(self, local: Span) -> Span {
        match self {
            Self::Offset(0) => local,
            Self::Offset(offset) => {
                Span::new(offset + local.start as usize, offset + local.end as usize)
            }
            Self::Fixed(span) => span,
        }
    }

    pub(crate) fn offset(self, local: usize) -> Option<usize> {
        match self {
            Self::Offset(offset) => Some(offset + local),
            Self::Fixed(_) => None,
        }
    }
}
