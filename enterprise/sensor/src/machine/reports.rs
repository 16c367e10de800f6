//! What shells and agents reported, by the process that they spoke of.

use std::collections::{HashMap, VecDeque};

use cmdai_exec_capture::process;
use cmdai_schema::Layer;
use cmdai_schema::record::{Half, Record};

use super::claims::needed;

/// Most processes that are remembered, of shells and of agents each.
const MAX_PROCESSES: usize = 4_096;
/// Most commands of one process.
const MAX_COMMANDS: usize = 256;
/// A record is written a moment before its command starts, and told by another clock.
const SLACK_NS: u64 = 50_000_000;
/// An agent's hook speaks before the tool call, which may start late and go on in the background.
const HOOK_BEFORE_NS: u64 = 5_000_000_000;
const HOOK_AFTER_NS: u64 = 2_000_000_000;
/// A record that is read so long after it was written counts as written then.
const MAX_BEHIND_NS: u64 = 600_000_000_000;

/// One record, as far as it matters here.
#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    /// Whose file it lay in: the kernel's word.
    pub(super) uid: u32,
    /// Process that wrote it, by its own word.
    pub(super) pid: u32,
    pub(super) parents: Vec<u32>,
    pub(super) session: String,
    /// Its number in the session.
    pub(super) counter: u64,
    hook: bool,
    agent: Option<String>,
    /// On the machine's clock with sleep.
    pub(super) at_ns: u64,
    /// When it was read, on the same clock.
    pub(super) read_ns: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Session,
    Start {
        id: String,
        allowed: bool,
        /// By the hook of a shell, or by `cmdai` for one, at the time that it says.
        shell: bool,
        /// The shell runs a script.
        script: bool,
        /// The program that it starts for certain if it ends well.
        needed: Option<String>,
    },
    End {
        id: String,
        exit_code: i32,
    },
}

/// A command that was reported.
#[derive(Debug, Clone)]
struct Command {
    id: String,
    from_ns: u64,
    to_ns: Option<u64>,
}

/// A process that reports.
#[derive(Debug, Default)]
struct Reporter {
    uid: u32,
    session: String,
    agent: Option<String>,
    commands: VecDeque<Command>,
    last_ns: u64,
}

/// Where an exec belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) session: String,
    pub(crate) command: Option<String>,
    /// The agent that spoke for itself.
    pub(crate) hook: Option<String>,
}

impl Sighting {
    /// Of a record in the file of `uid`.
    pub(crate) fn of(record: &Record, uid: u32) -> Option<Self> {
        let short = |text: &str| text.chars().take(128).collect::<String>();
        // Records carry the clock that stands still while the machine sleeps.
        let behind = crate::clock::monotonic_ns().saturating_sub(record.mono_ns);
        let timely = behind < MAX_BEHIND_NS;
        let mut hook = false;
        let mut agent = None;
        let mut parents = Vec::new();
        let what = match &record.half {
            Half::SessionStart { origin, .. } => {
                hook = origin.evidence.iter().any(|one| one.starts_with("hook:"));
                What::Session
            }
            Half::Start(start) => {
                hook = start.layer == Layer::AgentHook;
                agent = start.agent.as_ref().map(|agent| short(&agent.name));
                parents = start
                    .parents
                    .iter()
                    .map(|parent| parent.pid)
                    .take(16)
                    .collect();
                What::Start {
                    id: short(&start.command_id),
                    allowed: start.allowed,
                    shell: timely && start.layer == Layer::Shell,
                    script: record.script.is_some(),
                    needed: needed(start).filter(|_| timely && record.script.is_none()),
                }
            }
            Half::End {
                command_id,
                exit_code,
                ..
            } => What::End {
                id: short(command_id),
                exit_code: *exit_code,
            },
            // No word of a command, and not of the shell that it is about either.
            Half::Private { .. } | Half::Recording { .. } | Half::SessionEnd => return None,
        };
        let now = process::now_ns();
        Some(Self {
            uid,
            pid: record.pid,
            parents,
            session: short(&record.session_id),
            counter: record.counter,
            hook,
            agent,
            at_ns: now.saturating_sub(behind.min(MAX_BEHIND_NS)),
            read_ns: now,
            what,
        })
    }
}

/// The books.
#[derive(Default)]
pub(crate) struct Reports {
    /// Shells and `cmdai run`, by their own process.
    shells: HashMap<u32, Reporter>,
    /// Agents, by each process above their hook's.
    agents: HashMap<u32, Reporter>,
    /// When anything was last reported.
    pub(crate) last_shell_ns: u64,
    pub(crate) last_hook_ns: u64,
    pub(crate) shell_records: u64,
    pub(crate) hook_records: u64,
}

impl Reports {
    pub(crate) fn take(&mut self, sighting: Sighting) {
        if sighting.hook {
            self.hook_records = self.hook_records.saturating_add(1);
            self.last_hook_ns = self.last_hook_ns.max(sighting.at_ns);
            for parent in &sighting.parents {
                note(&mut self.agents, *parent, &sighting);
            }
            if let What::End { id, .. } = &sighting.what {
                // The end of a call is written by another process of the hook: the session joins.
                for reporter in self.agents.values_mut() {
                    if reporter.session == sighting.session {
                        end(reporter, id, sighting.at_ns);
                    }
                }
            }
        } else {
            self.shell_records = self.shell_records.saturating_add(1);
            self.last_shell_ns = self.last_shell_ns.max(sighting.at_ns);
            note(&mut self.shells, sighting.pid, &sighting);
            // An agent's end carries nothing that says so.
            if let What::End { id, .. } = &sighting.what {
                for reporter in self.agents.values_mut() {
                    if reporter.session == sighting.session {
                        end(reporter, id, sighting.at_ns);
                    }
                }
            }
        }
    }

    /// The shell with this process id, that belongs to this person and began then, reports.
    pub(crate) fn shell(&self, pid: u32, uid: u32, start_ns: u64) -> bool {
        self.shells
            .get(&pid)
            .is_some_and(|known| known.uid == uid && known.last_ns >= start_ns)
    }

    /// The agent with this process id reports; when it last did.
    pub(crate) fn agent(&self, pid: u32, start_ns: u64) -> Option<u64> {
        self.agents
            .get(&pid)
            .filter(|known| known.last_ns >= start_ns)
            .map(|known| known.last_ns)
    }

    /// A call that the agent with this process id reported covers this moment.
    pub(crate) fn agent_covers(&self, pid: u32, at_ns: u64) -> bool {
        self.agents
            .get(&pid)
            .is_some_and(|known| known.hook_at(at_ns).is_some())
    }

    /// The nearest reporter in a line of processes (id, person, beginning), and its command at that
    /// moment.
    pub(crate) fn join(&self, line: &[(u32, u32, u64)], at_ns: u64) -> Option<Join> {
        let mut session = None;
        for (pid, uid, start_ns) in line {
            if let Some(known) = self
                .shells
                .get(pid)
                .filter(|known| known.uid == *uid && known.last_ns >= *start_ns)
            {
                let join = Join {
                    session: known.session.clone(),
                    command: known.at(at_ns).map(|command| command.id.clone()),
                    hook: None,
                };
                if join.command.is_some() {
                    return Some(join);
                }
                session.get_or_insert(join);
            }
            if let Some(known) = self
                .agents
                .get(pid)
                .filter(|known| known.last_ns >= *start_ns)
                && let Some(command) = known.hook_at(at_ns)
            {
                return Some(Join {
                    session: known.session.clone(),
                    command: Some(command.id.clone()),
                    hook: known.agent.clone(),
                });
            }
        }
        session
    }
}

fn note(map: &mut HashMap<u32, Reporter>, pid: u32, sighting: &Sighting) {
    if map.len() >= MAX_PROCESSES && !map.contains_key(&pid) {
        let oldest = map
            .iter()
            .min_by_key(|(_, known)| known.last_ns)
            .map(|(pid, _)| *pid);
        if let Some(oldest) = oldest {
            map.remove(&oldest);
        }
    }
    let known = map.entry(pid).or_default();
    // A number that was used again: another session, or another person.
    if known.uid != sighting.uid || known.session != sighting.session {
        *known = Reporter {
            uid: sighting.uid,
            session: sighting.session.clone(),
            ..Reporter::default()
        };
    }
    known.last_ns = known.last_ns.max(sighting.at_ns);
    if sighting.agent.is_some() {
        known.agent.clone_from(&sighting.agent);
    }
    match &sighting.what {
        What::Session => {}
        What::Start { id, allowed, .. } => {
            // What was stopped covers nothing that runs.
            if *allowed {
                known.commands.push_back(Command {
                    id: id.clone(),
                    from_ns: sighting.at_ns,
                    to_ns: None,
                });
                while known.commands.len() > MAX_COMMANDS {
                    known.commands.pop_front();
                }
            }
        }
        What::End { id, .. } => end(known, id, sighting.at_ns),
    }
}

fn end(known: &mut Reporter, id: &str, at_ns: u64) {
    known.last_ns = known.last_ns.max(at_ns);
    if let Some(command) = known
        .commands
        .iter_mut()
        .rev()
        .find(|command| command.id == id)
    {
        command.to_ns = Some(at_ns);
    }
}

impl Reporter {
    fn covering(&self, at_ns: u64, before_ns: u64, after_ns: u64) -> Option<&Command> {
        self.commands.iter().rev().find(|command| {
            command.from_ns <= at_ns.saturating_add(before_ns)
                && command
                    .to_ns
                    .is_none_or(|to| at_ns <= to.saturating_add(after_ns))
        })
    }

    fn at(&self, at_ns: u64) -> Option<&Command> {
        self.covering(at_ns, SLACK_NS, SLACK_NS)
    }

    fn hook_at(&self, at_ns: u64) -> Option<&Command> {
        self.covering(at_ns, HOOK_BEFORE_NS, HOOK_AFTER_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(pid: u32, at_ns: u64, hook: bool, what: What) -> Sighting {
        Sighting {
            uid: 1000,
            pid,
            parents: if hook { vec![50, 51] } else { vec![] },
            session: "s".into(),
            counter: 1,
            hook,
            agent: hook.then(|| "codex".to_owned()),
            at_ns,
            read_ns: at_ns,
            what,
        }
    }

    fn start(id: &str) -> What {
        What::Start {
            id: id.into(),
            allowed: true,
            shell: !id.starts_with("call"),
            script: false,
            needed: None,
        }
    }

    fn ended(id: &str) -> What {
        What::End {
            id: id.into(),
            exit_code: 0,
        }
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn an_exec_belongs_to_the_command_that_ran_then() {
        let mut reports = Reports::default();
        reports.take(sighting(9, S, false, What::Session));
        assert!(reports.shell(9, 1000, S / 2));
        assert!(!reports.shell(9, 1001, S / 2), "somebody else's number");
        assert!(!reports.shell(9, 1000, 2 * S), "a later process");
        reports.take(sighting(9, 2 * S, false, start("a")));
        reports.take(sighting(9, 3 * S, false, ended("a")));
        reports.take(sighting(9, 4 * S, false, start("b")));
        let at = |ns| reports.join(&[(12, 1000, 1), (9, 1000, 1)], ns).unwrap();
        assert_eq!(at(2 * S + 1).command.as_deref(), Some("a"));
        assert_eq!(at(3 * S + S / 2).command, None, "the prompt's own");
        assert_eq!(at(9 * S).command.as_deref(), Some("b"));
        assert_eq!(reports.join(&[(12, 1000, 1)], 9 * S), None);
    }

    #[test]
    fn an_agents_hook_covers_what_the_agent_starts() {
        let mut reports = Reports::default();
        reports.take(sighting(60, 10 * S, true, start("call")));
        assert!(reports.agent_covers(50, 11 * S));
        assert!(!reports.agent_covers(60, 11 * S));
        reports.take(sighting(61, 12 * S, false, ended("call")));
        assert!(reports.agent_covers(51, 13 * S));
        assert!(!reports.agent_covers(51, 30 * S));
        let join = reports
            .join(&[(70, 1000, 1), (51, 1000, 1)], 11 * S)
            .unwrap();
        assert_eq!(join.hook.as_deref(), Some("codex"));
    }

    #[test]
    fn books_stay_small() {
        let mut reports = Reports::default();
        for number in 0..10_000u32 {
            reports.take(sighting(
                number,
                S + u64::from(number),
                false,
                What::Session,
            ));
        }
        assert!(reports.shells.len() <= MAX_PROCESSES);
        for number in 0..1_000 {
            reports.take(sighting(9_999, S, false, start(&format!("c{number}"))));
        }
        assert!(reports.shells[&9_999].commands.len() <= MAX_COMMANDS);
    }
}
