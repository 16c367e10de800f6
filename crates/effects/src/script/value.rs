//! What is known about a value while code would be running.

use std::rc::Rc;

use super::tree::{Id, Parameter, Script};
use crate::value::{MAX_TEXT, Taint};

/// Most alternatives that are told apart.
pub(super) const MAX_CHOICES: usize = 8;
/// Most elements of a list.
pub(super) const MAX_ELEMENTS: usize = 1024;
/// Deepest nesting of lists, maps and things.
const MAX_NESTING: u32 = 12;
/// Stands in a text for what is not known.
pub(super) const GAP: &str = "${_value}";

/// A text, perhaps with gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Str {
    /// What it says; a gap where a part is not known.
    pub(super) text: String,
    /// It has no gap.
    pub(super) known: bool,
    /// It is a pattern that was expanded.
    pub(super) glob: bool,
    /// Where the gap comes from.
    pub(super) taint: Option<Taint>,
}

impl Str {
    pub(super) fn known(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            known: true,
            ..Self::default()
        }
    }

    /// A text of the shell.
    pub(super) fn of(text: &crate::value::Text) -> Self {
        let gap = !text.known && (text.text.is_empty() || text.text.starts_with(['$', '`']));
        Self {
            text: if gap {
                GAP.to_owned()
            } else {
                text.text.clone()
            },
            known: text.known,
            glob: text.glob,
            taint: text.taint.clone(),
        }
    }

    pub(super) fn gap(taint: Option<Taint>) -> Self {
        Self {
            text: GAP.to_owned(),
            taint,
            ..Self::default()
        }
    }

    /// This, then that; a gap where it gets too long.
    pub(super) fn then(mut self, next: &Self) -> Self {
        if self.text.len() + next.text.len() > MAX_TEXT {
            return Self::gap(worse(self.taint, next.taint.clone()));
        }
        self.text.push_str(&next.text);
        self.known &= next.known;
        self.glob |= next.glob;
        self.taint = worse(self.taint, next.taint.clone());
        self
    }

    /// The same with another text.
    pub(super) fn with(&self, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..self.clone()
        }
    }
}

pub(super) fn worse(first: Option<Taint>, second: Option<Taint>) -> Option<Taint> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.worse(second)),
        (first, second) => first.or(second),
    }
}

/// A function of the code.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) script: Rc<Script>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Id,
    /// What a method belongs to.
    pub(super) own: Option<Value>,
    /// It was defined with a name.
    pub(super) named: bool,
}

/// A thing of a class, with the values that it was made from.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) class: String,
    pub(super) values: Vec<Value>,
    pub(super) taint: Option<Taint>,
}

/// A value.
#[derive(Debug, Clone, Default)]
pub(super) enum Value {
    /// None, null, nothing of interest.
    #[default]
    Nothing,
    Text(Str),
    Number(i64),
    Bool(bool),
    List(Rc<Vec<Value>>),
    Map(Rc<Vec<(String, Value)>>),
    Function(Rc<Closure>),
    /// A class of the code, with its members.
    Class(Rc<Vec<(String, Value)>>),
    /// A thing of the language or of a library, by its dotted name.
    Name(Rc<str>),
    Object(Rc<Object>),
    OneOf(Rc<Vec<Value>>),
    Unknown(Option<Taint>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Str::known(text))
    }

    /// Holds no other values.
    fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Nothing
                | Self::Text(_)
                | Self::Number(_)
                | Self::Bool(_)
                | Self::Name(_)
                | Self::Unknown(_)
        )
    }

    pub(super) fn name(name: &str) -> Self {
        Self::Name(name.into())
    }

    pub(super) fn list(all: Vec<Self>) -> Self {
        if all.iter().all(Self::is_plain) {
            return Self::List(Rc::new(all));
        }
        Self::List(Rc::new(all.into_iter().map(Self::part).collect()))
    }

    pub(super) fn remote(address: impl Into<String>) -> Self {
        Self::Unknown(Some(Taint::Remote(address.into())))
    }

    pub(super) fn object(class: &str, values: Vec<Self>) -> Self {
        let taint = values
            .iter()
            .fold(None, |taint, value| worse(taint, value.taint()));
        Self::Object(Rc::new(Object {
            class: class.to_owned(),
            values: values.into_iter().map(Self::part).collect(),
            taint,
        }))
    }

    /// One of several.
    pub(super) fn one_of(all: Vec<Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        let mut more = None;
        for value in all {
            let several: Vec<Self> = match value {
                Self::OneOf(inner) => inner.to_vec(),
                value => vec![value],
            };
            for value in several {
                if flat.iter().any(|known| known.same(&value)) {
                    continue;
                }
                if flat.len() < MAX_CHOICES {
                    flat.push(value);
                } else {
                    more = worse(more, value.taint()).or(Some(Taint::Unknown));
                }
            }
        }
        if more.is_some() {
            flat.pop();
            flat.push(Self::Unknown(more));
        }
        match flat.len() {
            0 => Self::Nothing,
            1 => flat.swap_remove(0),
            _ => Self::OneOf(Rc::new(flat.into_iter().map(Self::part).collect())),
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Text(first), Self::Text(second)) => first == second,
            (Self::Number(first), Self::Number(second)) => first == second,
            (Self::Bool(first), Self::Bool(second)) => first == second,
            (Self::Name(first), Self::Name(second)) => first == second,
            (Self::Unknown(first), Self::Unknown(second)) => first == second,
            (Self::List(first), Self::List(second)) => Rc::ptr_eq(first, second),
            (Self::Map(first), Self::Map(second)) => Rc::ptr_eq(first, second),
            (Self::Function(first), Self::Function(second)) => Rc::ptr_eq(first, second),
            (Self::Object(first), Self::Object(second)) => Rc::ptr_eq(first, second),
            _ => false,
        }
    }

    /// What it may be, each by itself.
    pub(super) fn choices(&self) -> Vec<Self> {
        match self {
            Self::OneOf(all) => all.to_vec(),
            one => vec![one.clone()],
        }
    }

    /// What it says as a text, in each of its alternatives.
    pub(super) fn strs(&self) -> Vec<Str> {
        match self {
            Self::OneOf(all) => all.iter().map(Self::str).collect(),
            one => vec![one.str()],
        }
    }

    /// What it says as a text; a gap where that cannot be told.
    pub(super) fn str(&self) -> Str {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => Str::known(number.to_string()),
            Self::Bool(value) => Str::known(value.to_string()),
            Self::Object(object) => match object.values.first() {
                Some(first) if object.class.ends_with("Path") => first.str(),
                _ => Str::gap(object.taint.clone()),
            },
            Self::OneOf(all) => all
                .first()
                .map_or_else(|| Str::gap(None), |first| first.str()),
            Self::List(all) => Str::gap(
                all.iter()
                    .fold(None, |taint, value| worse(taint, value.taint())),
            ),
            Self::Name(name) => Str {
                taint: None,
                ..Str::gap(None).with(format!("${{{}}}", name.replace(['.', ':'], "_")))
            },
            other => Str::gap(other.taint()),
        }
    }

    /// The text, where there is one and it is known.
    pub(super) fn known_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if text.known => Some(&text.text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) if text.known => text.text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Where an unknown part comes from.
    pub(super) fn taint(&self) -> Option<Taint> {
        self.taint_within(&mut 2_048)
    }

    /// Values share parts: without a bound a small code makes a walk that does not end.
    fn taint_within(&self, steps: &mut u32) -> Option<Taint> {
        *steps = steps.checked_sub(1)?;
        match self {
            Self::Text(text) => text.taint.clone(),
            Self::Unknown(taint) => taint.clone(),
            Self::Object(object) => object.taint.clone(),
            // All variables at once: tokens and passwords among them.
            Self::Name(path)
                if matches!(
                    &**path,
                    "os.environ" | "os.environb" | "environ" | "process.env" | "ENV" | "Deno.env"
                ) =>
            {
                Some(Taint::Secret("environment".to_owned()))
            }
            Self::List(all) | Self::OneOf(all) => all
                .iter()
                .fold(None, |taint, value| worse(taint, value.taint_within(steps))),
            Self::Map(all) => all.iter().fold(None, |taint, (_, value)| {
                worse(taint, value.taint_within(steps))
            }),
            _ => None,
        }
    }

    /// A part of something else. What is nested too deeply is not known: values are walked and
    /// dropped by recursion.
    fn part(self) -> Self {
        if self.deeper_than(MAX_NESTING, &mut 512) {
            Self::Unknown(self.taint())
        } else {
            self
        }
    }

    fn deeper_than(&self, levels: u32, steps: &mut u32) -> bool {
        let (Some(left), Some(levels)) = (steps.checked_sub(1), levels.checked_sub(1)) else {
            return true;
        };
        *steps = left;
        match self {
            Self::List(all) | Self::OneOf(all) => {
                all.iter().any(|value| value.deeper_than(levels, steps))
            }
            Self::Map(all) | Self::Class(all) => all
                .iter()
                .any(|(_, value)| value.deeper_than(levels, steps)),
            Self::Object(object) => object
                .values
                .iter()
                .any(|value| value.deeper_than(levels, steps)),
            Self::Function(function) => function
                .own
                .as_ref()
                .is_some_and(|own| own.deeper_than(levels, steps)),
            _ => false,
        }
    }

    /// A map from names to values.
    pub(super) fn map(all: Vec<(String, Self)>) -> Self {
        Self::Map(Rc::new(parts(all)))
    }

    /// A class with its members.
    pub(super) fn class(all: Vec<(String, Self)>) -> Self {
        Self::Class(Rc::new(parts(all)))
    }

    /// A key of a map.
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) | Self::Class(pairs) => pairs
                .iter()
                .rev()
                .find(|(known, _)| known == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Holds for sure, or does not, where that can be told.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Number(number) => Some(*number != 0),
            _ => None,
        }
    }
}

fn parts(all: Vec<(String, Value)>) -> Vec<(String, Value)> {
    all.into_iter()
        .map(|(name, value)| (name, value.part()))
        .collect()
}
