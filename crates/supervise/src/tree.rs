//! The processes of a tree: what each runs, what started it, and what goes down from it to all that
//! it starts.

use std::collections::HashMap;
use std::rc::Rc;

use cmdai_gate::Attribution;
use cmdai_schema::{Decision, Judgement, Mode, ProcessInfo, RuleHit};

/// Longest line of ancestors that is kept.
const MAX_DEPTH: usize = 64;
/// Most processes that are remembered before the dead are forgotten.
const MAX_PROCESSES: usize = 4_096;
/// Ancestors in a record.
const RECORDED: usize = 8;

/// What goes down a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    /// Who acts.
    pub who: Attribution,
    /// Rules that a person or a grant has answered for: they do not stop what the answered-for
    /// program starts.
    pub accepted: Vec<Accepted>,
}

/// A rule that was answered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub rule: String,
    /// The decision that was answered for: a stricter one of the same rule was not.
    pub decision: Decision,
}

impl Accepted {
    /// The rules of a judgement that stop a command.
    pub fn all(judgement: &Judgement) -> Vec<Self> {
        stopping(judgement)
            .map(|hit| Self {
                rule: hit.id.clone(),
                decision: hit.decision,
            })
            .collect()
    }
}

impl Mark {
    /// Every rule that stops this command was answered for by somebody already.
    pub fn covers(&self, judgement: &Judgement) -> bool {
        stopping(judgement).all(|hit| {
            self.accepted
                .iter()
                .any(|known| known.rule == hit.id && hit.decision <= known.decision)
        })
    }
}

fn stopping(judgement: &Judgement) -> impl Iterator<Item = &RuleHit> {
    let rules = judgement.rules.iter();
    rules.filter(|hit| hit.mode == Mode::Enforce && hit.decision.interrupts())
}

/// A process and those above it, as they were when it began its program.
#[derive(Debug)]
pub struct Lineage {
    /// Process id.
    pub pid: u32,
    /// When it began, in clock ticks since the machine did: with the id it names the process for good.
    pub start: u64,
    /// Path of its executable file.
    pub executable: String,
    /// What it hands down.
    pub mark: Rc<Mark>,
    /// What started it, inside the tree.
    pub parent: Option<Rc<Lineage>>,
    depth: usize,
}

impl Lineage {
    /// The top of a tree.
    pub fn root(pid: u32, start: u64, executable: String, mark: Mark) -> Rc<Self> {
        Rc::new(Self {
            pid,
            start,
            executable,
            mark: Rc::new(mark),
            parent: None,
            depth: 0,
        })
    }

    /// The process itself and those above it, nearest first, as records name them.
    pub fn chain(&self) -> Vec<ProcessInfo> {
        let mut out = Vec::new();
        let mut next = Some(self);
        while let Some(one) = next.filter(|_| out.len() < RECORDED) {
            out.push(one.info());
            next = one.parent.as_deref();
        }
        out
    }

    fn info(&self) -> ProcessInfo {
        ProcessInfo {
            pid: self.pid,
            name: base(&self.executable).to_owned(),
            exe: Some(self.executable.clone()),
        }
    }
}

/// The last part of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// All processes of a tree that have begun a program in it.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Rc<Lineage>,
    known: HashMap<u32, Rc<Lineage>>,
}

impl Tree {
    pub(crate) fn new(root: Rc<Lineage>) -> Self {
        Self {
            known: HashMap::from([(root.pid, root.clone())]),
            root,
        }
    }

    /// The lineage of a process, by itself or by the next one above it that has begun a program.
    /// `look` gives when a process began, and its parent; nothing where it is gone.
    pub(crate) fn of(&self, pid: u32, look: &dyn Fn(u32) -> Option<(u64, u32)>) -> Rc<Lineage> {
        let mut pid = pid;
        for _ in 0..MAX_DEPTH {
            let Some((start, parent)) = look(pid) else {
                break;
            };
            match self.known.get(&pid) {
                Some(found) if found.start == start => return found.clone(),
                _ => pid = parent,
            }
        }
        self.root.clone()
    }

    /// A process runs another program from now on. `above` is its lineage until now: of itself, or of
    /// what started it.
    pub(crate) fn runs(
        &mut self,
        pid: u32,
        start: u64,
        executable: String,
        mark: Rc<Mark>,
        above: &Rc<Lineage>,
        alive: &dyn Fn(u32) -> bool,
    ) {
        let replaced = above.pid == pid && above.start == start;
        let parent = match replaced {
            true => above.parent.clone(),
            false => Some(above.clone()),
        };
        // A line of ancestors that is too long loses its middle, so that it ends at some time.
        let parent = match parent {
            Some(parent) if parent.depth >= MAX_DEPTH => parent.parent.clone(),
            parent => parent,
        };
        if self.known.len() >= MAX_PROCESSES {
            self.known.retain(|pid, _| alive(*pid));
        }
        let depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
        let now = Rc::new(Lineage {
            pid,
            start,
            executable,
            mark,
            parent,
            depth,
        });
        if replaced && pid == self.root.pid {
            self.root = now.clone();
        }
        self.known.insert(pid, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        Tree::new(Lineage::root(10, 1, "/bin/a".to_owned(), Mark::default()))
    }

    #[test]
    fn a_forked_child_belongs_to_what_forked_it() {
        let mut tree = tree();
        let look = |pid| match pid {
            10 => Some((1, 1)),
            11 => Some((2, 10)),
            12 => Some((3, 11)),
            _ => None,
        };
        assert_eq!(tree.of(12, &look).pid, 10);
        let above = tree.of(11, &look);
        let mark = Rc::new(Mark {
            accepted: vec![Accepted {
                rule: "r".to_owned(),
                decision: Decision::Confirm,
            }],
            ..Mark::default()
        });
        tree.runs(11, 2, "/bin/b".to_owned(), mark, &above, &|_| true);
        let found = tree.of(12, &look);
        assert_eq!(found.mark.accepted[0].rule, "r");
        let names: Vec<String> = found.chain().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn a_number_used_again_is_another_process() {
        let mut tree = tree();
        let above = tree.root.clone();
        tree.runs(11, 2, "/bin/b".to_owned(), Rc::default(), &above, &|_| true);
        assert_eq!(
            tree.of(11, &|pid| Some((if pid == 11 { 99 } else { 1 }, 10)))
                .pid,
            10
        );
    }

    #[test]
    fn a_program_in_the_place_of_another_keeps_what_is_above() {
        let mut tree = tree();
        for name in ["/bin/b", "/bin/c"] {
            let above = tree.of(10, &|_| Some((1, 0)));
            tree.runs(10, 1, name.to_owned(), Rc::default(), &above, &|_| true);
        }
        let chain = tree.of(10, &|_| Some((1, 0))).chain();
        assert_eq!(chain.len(), 1);
        assert_eq!(chain[0].exe.as_deref(), Some("/bin/c"));
    }

    #[test]
    fn no_line_of_ancestors_grows_for_ever() {
        let mut tree = tree();
        for pid in 11..20_000 {
            let above = tree.known[&(pid - 1)].clone();
            tree.runs(
                pid,
                1,
                "/bin/b".to_owned(),
                Rc::default(),
                &above,
                &|alive| alive > pid - 5,
            );
        }
        assert!(tree.known.len() <= MAX_PROCESSES);
        assert_eq!(tree.known[&19_999].chain().len(), RECORDED);
    }
}
