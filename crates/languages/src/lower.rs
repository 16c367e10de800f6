//! From a grammar's nodes to the common tree: the walk, its bounds, and what all languages share.

use cmdai_effects::script::{Id, Node, Script};
use tree_sitter::{Node as Syntax, Tree};

/// Deepest nesting that is lowered; what lies deeper is unread.
const MAX_DEPTH: u32 = 90;

/// Lowers one node of a language.
pub(crate) type Rule = fn(&mut Lower<'_>, Syntax<'_>) -> Id;

/// A tree being made.
pub(crate) struct Lower<'c> {
    code: &'c str,
    script: Script,
    rule: Rule,
    depth: u32,
    full: bool,
    /// Searches for the text of a here-document that are still made.
    pub(crate) searches: u32,
}

/// Lowers a whole tree; nothing where it has too many nodes.
pub(crate) fn lower(tree: &Tree, code: &str, rule: Rule) -> Option<Script> {
    let mut lower = Lower {
        code,
        script: Script::default(),
        rule,
        depth: 0,
        full: false,
        searches: 16,
    };
    let whole = lower.visit(tree.root_node());
    // The whole is the last node.
    lower.push(Node::Block(vec![whole]));
    (!lower.full).then_some(lower.script)
}

impl Lower<'_> {
    /// Adds a node.
    pub(crate) fn push(&mut self, node: Node) -> Id {
        match self.script.push(node) {
            Some(id) => id,
            None => {
                self.full = true;
                // Nothing of a tree that is full is used.
                Script::FIRST
            }
        }
    }

    /// Lowers a node, whatever it is.
    pub(crate) fn visit(&mut self, node: Syntax<'_>) -> Id {
        if self.full || node.is_missing() || node.is_extra() && !node.is_error() {
            return self.nothing();
        }
        if self.depth >= MAX_DEPTH {
            return self.unread(node);
        }
        self.depth += 1;
        let id = if node.is_error() {
            let mut all = vec![self.unread(node)];
            for child in self.named(node) {
                all.push(self.visit(child));
            }
            self.push(Node::Block(all))
        } else {
            (self.rule)(self, node)
        };
        self.depth -= 1;
        id
    }

    pub(crate) fn nothing(&mut self) -> Id {
        self.push(Node::Nothing)
    }

    pub(crate) fn unread(&mut self, node: Syntax<'_>) -> Id {
        let text = self.text(node).to_owned();
        self.push(Node::Unread(text))
    }

    /// The node as it is written.
    pub(crate) fn text(&self, node: Syntax<'_>) -> &str {
        self.code.get(node.byte_range()).unwrap_or_default()
    }

    /// What is written between two places.
    pub(crate) fn between(&self, from: usize, to: usize) -> &str {
        self.code.get(from..to).unwrap_or_default()
    }

    /// Children that mean something, without comments.
    pub(crate) fn named<'t>(&self, node: Syntax<'t>) -> Vec<Syntax<'t>> {
        node.named_children(&mut node.walk())
            .filter(|child| !child.is_extra() || child.is_error())
            .collect()
    }

    /// All children, marks as well.
    pub(crate) fn all<'t>(&self, node: Syntax<'t>) -> Vec<Syntax<'t>> {
        node.children(&mut node.walk())
            .filter(|child| !child.is_extra() || child.is_error())
            .collect()
    }

    /// Children in a field.
    pub(crate) fn fields<'t>(&self, node: Syntax<'t>, name: &str) -> Vec<Syntax<'t>> {
        node.children_by_field_name(name, &mut node.walk())
            .filter(|child| child.is_named())
            .collect()
    }

    /// The child in a field, lowered; nothing where there is none.
    pub(crate) fn field(&mut self, node: Syntax<'_>, name: &str) -> Id {
        match node.child_by_field_name(name) {
            Some(child) => self.visit(child),
            None => self.nothing(),
        }
    }

    pub(crate) fn field_text(&self, node: Syntax<'_>, name: &str) -> String {
        node.child_by_field_name(name)
            .map_or_else(String::new, |child| self.text(child).to_owned())
    }

    /// All of them, lowered.
    pub(crate) fn each(&mut self, nodes: Vec<Syntax<'_>>) -> Vec<Id> {
        nodes.into_iter().map(|node| self.visit(node)).collect()
    }

    /// The children that mean something, one after another.
    pub(crate) fn block(&mut self, node: Syntax<'_>) -> Id {
        let children = self.named(node);
        match children.as_slice() {
            [one] => self.visit(*one),
            _ => {
                let all = self.each(children);
                self.push(Node::Block(all))
            }
        }
    }

    pub(crate) fn name(&mut self, name: &str) -> Id {
        self.push(Node::Name(name.to_owned()))
    }

    pub(crate) fn string(&mut self, text: impl Into<String>) -> Id {
        self.push(Node::Text(text.into()))
    }

    pub(crate) fn call(&mut self, callee: Id, args: Vec<Id>) -> Id {
        self.push(Node::Call {
            callee,
            args,
            named: Vec::new(),
        })
    }

    pub(crate) fn call_named(&mut self, callee: &str, args: Vec<Id>) -> Id {
        let callee = self.name(callee);
        self.call(callee, args)
    }

    pub(crate) fn member_call(&mut self, of: Id, member: &str, args: Vec<Id>) -> Id {
        let callee = self.push(Node::Member(of, member.to_owned()));
        self.call(callee, args)
    }

    pub(crate) fn assign(&mut self, target: Id, value: Id, append: bool) -> Id {
        self.push(Node::Assign {
            target,
            value,
            append,
        })
    }

    pub(crate) fn operator(&mut self, mark: &str, left: Id, right: Id) -> Id {
        self.push(Node::Operator(mark.to_owned(), left, right))
    }

    /// Parts one after another; one alone is itself.
    pub(crate) fn joined(&mut self, mut parts: Vec<Id>) -> Id {
        match parts.len() {
            0 => self.string(""),
            1 => parts.swap_remove(0),
            _ => self.push(Node::Join(parts)),
        }
    }

    /// `a + b + c`: the operands of a chain that leans to the left, however long it is.
    pub(crate) fn spine<'t>(
        &self,
        node: Syntax<'t>,
        same: impl Fn(Syntax<'t>) -> bool,
    ) -> Vec<Syntax<'t>> {
        let mut out = Vec::new();
        let mut at = node;
        loop {
            if let Some(right) = at.child_by_field_name("right") {
                out.push(right);
            }
            match at.child_by_field_name("left") {
                Some(left) if left.kind() == node.kind() && same(left) => at = left,
                Some(left) => {
                    out.push(left);
                    break;
                }
                None => break,
            }
        }
        out.reverse();
        out
    }

    /// A chain of one operator that joins texts, where `node` is one.
    pub(crate) fn chain(&mut self, node: Syntax<'_>, joining: &str) -> Option<Id> {
        if self.mark(node) != joining {
            return None;
        }
        let parts = self.spine(node, |left| {
            left.child_by_field_name("operator")
                .is_some_and(|mark| mark.kind() == joining)
        });
        let parts = self.each(parts);
        Some(self.joined(parts))
    }

    /// A loop with a condition, which is looked at in each round.
    pub(crate) fn repeat(&mut self, node: Syntax<'_>) -> Id {
        let condition = if self.never_ends(node) {
            self.name("[endless]")
        } else {
            self.field(node, "condition")
        };
        let body = self.field(node, "body");
        let body = self.push(Node::Block(vec![condition, body]));
        self.push(Node::Repeat(body))
    }

    /// `while true` with nothing inside that leaves the loop or waits.
    pub(crate) fn never_ends(&self, node: Syntax<'_>) -> bool {
        const LEAVES: &[&str] = &[
            "accept", "await", "break", "die", "exit", "input", "last", "raise", "read",
            "readline", "recv", "return", "sleep", "throw", "wait",
        ];
        let always = node
            .child_by_field_name("condition")
            .is_some_and(|condition| {
                matches!(
                    self.text(condition).trim_matches(['(', ')', ' ']),
                    "true" | "True" | "1"
                )
            });
        always
            && !self
                .text(node)
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| LEAVES.contains(&word))
    }

    /// The mark of an operator node.
    pub(crate) fn mark(&self, node: Syntax<'_>) -> String {
        self.field_text(node, "operator")
    }

    /// A branch.
    pub(crate) fn branch(&mut self, condition: Id, then: Id, otherwise: Option<Id>) -> Id {
        self.push(Node::If {
            condition,
            then,
            otherwise,
        })
    }

    /// The first node of a kind that follows somewhere after this one, not too far away.
    pub(crate) fn following<'t>(&mut self, node: Syntax<'t>, kind: &str) -> Option<Syntax<'t>> {
        self.searches = self.searches.checked_sub(1)?;
        let mut at = node;
        for _ in 0..16 {
            let mut next = at.next_sibling();
            for _ in 0..64 {
                let Some(sibling) = next else { break };
                if sibling.kind() == kind {
                    return Some(sibling);
                }
                next = sibling.next_sibling();
            }
            at = at.parent()?;
        }
        None
    }

    /// Nodes that stand for nothing but what is in them.
    pub(crate) fn through(&mut self, node: Syntax<'_>) -> Id {
        self.block(node)
    }
}
