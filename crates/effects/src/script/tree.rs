//! Code of another language as a small tree that says the same for all of them.
//!
//! The nodes lie in one list and name each other by number, children before parents. So a tree of
//! any shape is read, written and dropped without recursion, wherever it comes from.

use serde::{Deserialize, Serialize};

/// Most nodes of one tree.
pub const MAX_NODES: usize = 40_000;

/// A language whose code is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python 2 and 3.
    Python,
    /// JavaScript, as node, deno and bun run it.
    JavaScript,
    /// Ruby.
    Ruby,
    /// Perl 5.
    Perl,
    /// PHP, without the opening tag.
    Php,
    /// Lua.
    Lua,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Python,
        Self::JavaScript,
        Self::Ruby,
        Self::Perl,
        Self::Php,
        Self::Lua,
    ];

    /// The name in effects and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Ruby => "ruby",
            Self::Perl => "perl",
            Self::Php => "php",
            Self::Lua => "lua",
        }
    }

    /// The language of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Who can read code of other languages. Must not fail in another way than by reading nothing.
pub trait Languages {
    /// The code as a tree; nothing where it was not read, which is never taken for harmless.
    fn read(&self, language: Language, code: &str) -> Option<Script>;
}

/// Nobody: all code of other languages stays unread.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLanguages;

impl Languages for NoLanguages {
    fn read(&self, _language: Language, _code: &str) -> Option<Script> {
        None
    }
}

/// Number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(u32);

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, with the sigil in languages that have one.
    pub name: String,
    /// What it is where nothing is given.
    pub default: Option<Id>,
    /// It takes all that is left.
    pub rest: bool,
}

/// One thing that code says. Names keep their sigil (`$x`, `@x`); parts of a dotted name are joined
/// by [`Node::Member`], whatever the language writes between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// Nothing that could do anything: an empty statement, a null, a regular expression.
    Nothing,
    /// Code that the grammar or its reader does not know, as it is written.
    Unread(String),
    /// A text without anything to be filled in.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// A variable, function, module or type.
    Name(String),
    /// A part of something.
    Member(Id, String),
    /// An element of something.
    Index(Id, Id),
    /// Texts one after another: `+`, `.`, a template.
    Join(Vec<Id>),
    /// Another operator between two.
    Operator(String, Id, Id),
    /// A list, tuple or set.
    List(Vec<Id>),
    /// Names or keys with values.
    Map(Vec<(Id, Id)>),
    /// All elements of this stand here.
    Spread(Id),
    /// A call or the making of an object.
    Call {
        /// What is called.
        callee: Id,
        /// By place. A block that follows the call is the last.
        args: Vec<Id>,
        /// By name.
        named: Vec<(String, Id)>,
    },
    /// Text that a shell runs: backticks, `qx`, `%x`.
    Shell(Id),
    /// A value is given to a place: name, member, index, list or map of places.
    Assign {
        /// The place.
        target: Id,
        /// The value.
        value: Id,
        /// It is added to what is there.
        append: bool,
    },
    /// A function.
    Function {
        /// Its name, if it has one.
        name: Option<String>,
        /// Parameters.
        parameters: Vec<Parameter>,
        /// What it does.
        body: Id,
    },
    /// A class with what its body defines.
    Class {
        /// Its name.
        name: String,
        /// Its body.
        body: Id,
    },
    /// One branch or another.
    If {
        /// What decides.
        condition: Id,
        /// Where it holds.
        then: Id,
        /// Where it does not.
        otherwise: Option<Id>,
    },
    /// One of these.
    Either(Vec<Id>),
    /// Once for each element; gives a list of what the body gives.
    Each {
        /// The place for an element.
        target: Id,
        /// What has elements.
        over: Id,
        /// What is done.
        body: Id,
    },
    /// Again and again.
    Repeat(Id),
    /// One after another; gives the last.
    Block(Vec<Id>),
    /// Ends a function with a value.
    Return(Id),
    /// A module, or a member of it, by a name of its own. Without a member and a name it is looked
    /// at for its effect alone; a member `*` brings all members.
    Import {
        /// The module, dotted.
        module: String,
        /// The member.
        member: Option<String>,
        /// The name it gets.
        name: Option<String>,
    },
}

/// A tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Script {
    nodes: Vec<Node>,
}

impl Script {
    /// The first node.
    pub const FIRST: Id = Id(0);

    /// Adds a node whose children are there; nothing where there are too many.
    pub fn push(&mut self, node: Node) -> Option<Id> {
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let id = Id(u32::try_from(self.nodes.len()).ok()?);
        self.nodes.push(node);
        Some(id)
    }

    /// The last node, which is the whole.
    pub fn root(&self) -> Option<Id> {
        let last = self.nodes.len().checked_sub(1)?;
        Some(Id(u32::try_from(last).ok()?))
    }

    /// A node.
    pub fn node(&self, id: Id) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Nothing)
    }

    /// Every node names earlier ones only, and there are not too many: so no walk goes in circles.
    pub fn is_sound(&self) -> bool {
        self.nodes.len() <= MAX_NODES
            && self.nodes.iter().enumerate().all(|(at, node)| {
                let mut sound = true;
                node.children(&mut |id| sound &= (id.0 as usize) < at);
                sound
            })
    }
}

impl Node {
    /// Calls `see` with each child.
    pub fn children(&self, see: &mut dyn FnMut(Id)) {
        match self {
            Self::Nothing
            | Self::Unread(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Name(_)
            | Self::Import { .. } => {}
            Self::Member(of, _) => see(*of),
            Self::Index(first, second) | Self::Operator(_, first, second) => {
                see(*first);
                see(*second);
            }
            Self::Join(all) | Self::List(all) | Self::Either(all) | Self::Block(all) => {
                all.iter().copied().for_each(see);
            }
            Self::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                see(*key);
                see(*value);
            }),
            Self::Spread(of) | Self::Shell(of) | Self::Repeat(of) | Self::Return(of) => see(*of),
            Self::Call {
                callee,
                args,
                named,
            } => {
                see(*callee);
                args.iter().copied().for_each(&mut *see);
                named.iter().for_each(|(_, value)| see(*value));
            }
            Self::Assign { target, value, .. } => {
                see(*target);
                see(*value);
            }
            Self::Function {
                parameters, body, ..
            } => {
                parameters
                    .iter()
                    .filter_map(|parameter| parameter.default)
                    .for_each(&mut *see);
                see(*body);
            }
            Self::Class { body, .. } => see(*body),
            Self::If {
                condition,
                then,
                otherwise,
            } => {
                see(*condition);
                see(*then);
                otherwise.iter().copied().for_each(see);
            }
            Self::Each { target, over, body } => {
                see(*target);
                see(*over);
                see(*body);
            }
        }
    }
}
