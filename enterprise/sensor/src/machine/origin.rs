//! Who acts, by everything that can be seen from outside the process.
//!
//! Strongest first: the agent's own hook, an ancestor that is an agent by its file, the variables that
//! agents set for their tools, a command string without a terminal, commands that come faster than
//! anybody types. All are kept. Variables that no ancestor confirms may have been set by hand: that
//! is a finding, and counts as an agent all the same.

use cmdai_exec_capture::process;
use cmdai_schema::{AgentInfo, Origin, OriginKind};

use super::processes::Shell;

/// Evidence that only variables speak for an agent.
pub(crate) const UNCERTAIN: &str = "uncertain:no-ancestor";

/// Everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Signals<'a> {
    /// The agent whose hook reported the command.
    pub(crate) hook: Option<&'a str>,
    /// Ancestors that are agents: name, file, hash.
    pub(crate) ancestors: Vec<(&'static str, String, Option<String>)>,
    /// Variables of agents, and whether the process could be looked at.
    pub(crate) variables: &'a [String],
    pub(crate) looked: bool,
    pub(crate) terminal: bool,
    /// Below a shell that reads from a person.
    pub(crate) interactive: bool,
    pub(crate) shell: Option<Shell>,
    /// Commands of the same shell within four seconds.
    pub(crate) cadence: u32,
}

/// Variables of agents that a process started with.
pub(crate) fn variables(pid: u32, start_ns: u64) -> Option<Vec<String>> {
    let all = process::variables(pid)?;
    if !process::is_same(pid, start_ns) {
        return None;
    }
    let mut found: Vec<String> = all
        .iter()
        .filter_map(|one| {
            let name = one.split(|byte| *byte == b'=').next()?;
            let name = std::str::from_utf8(name).ok()?;
            let empty = one.len() <= name.len() + 1;
            (!empty && (cmdai_gate::origin::marked_by(name).is_some() || name == "AI_AGENT"))
                .then(|| name.to_owned())
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(8);
    Some(found)
}

/// Weighs them. The last of the three is true where they disagree.
pub(crate) fn weigh(signals: &Signals<'_>) -> (Origin, Option<AgentInfo>, bool) {
    let mut evidence = Vec::new();
    let mut names: Vec<(&str, u16)> = Vec::new();
    if let Some(name) = signals.hook {
        evidence.push(format!("hook:{name}"));
        names.push((name, 990));
    }
    for (name, file, hash) in &signals.ancestors {
        let hash = hash
            .as_ref()
            .map_or(String::new(), |hash| format!(":{hash}"));
        evidence.push(format!("executable:{name}:{file}{hash}"));
        names.push((name, 950));
    }
    for variable in signals.variables {
        evidence.push(format!("env:{variable}"));
        names.push((
            cmdai_gate::origin::marked_by(variable).unwrap_or("unknown"),
            800,
        ));
    }
    let disagrees = !signals.variables.is_empty() && signals.ancestors.is_empty();
    if disagrees {
        evidence.push(UNCERTAIN.to_owned());
    }
    if let Some((first, _)) = names.first() {
        let other = names
            .iter()
            .find(|(name, _)| name != first && *name != "unknown");
        if let Some((other, _)) = other {
            evidence.push(format!("disagrees:{first} is not {other}"));
        }
    }
    if !signals.looked {
        evidence.push("env:not-seen".to_owned());
    }
    if signals.terminal {
        evidence.push("terminal".to_owned());
    } else if signals.shell == Some(Shell::Command) {
        evidence.push("no-terminal:-c".to_owned());
    } else {
        evidence.push("no-terminal".to_owned());
    }
    if signals.interactive {
        evidence.push("interactive".to_owned());
    }
    if signals.cadence >= 8 {
        evidence.push(format!("cadence:{} in 4 s", signals.cadence));
    }
    let (kind, confidence) = match names.first() {
        Some((_, confidence)) if disagrees && signals.hook.is_none() => {
            (OriginKind::Agent, 600.min(*confidence))
        }
        Some((_, confidence)) => (OriginKind::Agent, *confidence),
        None if signals.interactive && signals.terminal && signals.cadence >= 8 => {
            (OriginKind::Human, 500)
        }
        None if signals.interactive && signals.terminal => (OriginKind::Human, 800),
        None => (OriginKind::Script, 600),
    };
    let agent = names.first().map(|(name, _)| AgentInfo {
        name: (*name).to_owned(),
        ..AgentInfo::default()
    });
    (
        Origin {
            kind,
            confidence,
            evidence,
        },
        agent,
        disagrees,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_ranked_and_all_of_it_kept() {
        let marks = ["CLAUDECODE".to_owned()];
        let whole = Signals {
            hook: Some("claude-code"),
            ancestors: vec![("claude-code", "/opt/claude".into(), Some("sha256:0".into()))],
            variables: &marks,
            looked: true,
            ..Signals::default()
        };
        let (origin, agent, disagrees) = weigh(&whole);
        assert_eq!((origin.kind, origin.confidence), (OriginKind::Agent, 990));
        assert_eq!(agent.unwrap().name, "claude-code");
        assert!(!disagrees);
        assert_eq!(
            origin.evidence,
            [
                "hook:claude-code",
                "executable:claude-code:/opt/claude:sha256:0",
                "env:CLAUDECODE",
                "no-terminal"
            ]
        );
    }

    #[test]
    fn marks_set_by_hand_count_as_an_agent_and_are_found() {
        let marks = ["CLAUDECODE".to_owned()];
        let forged = Signals {
            variables: &marks,
            looked: true,
            terminal: true,
            interactive: true,
            ..Signals::default()
        };
        let (origin, agent, disagrees) = weigh(&forged);
        assert!(disagrees);
        assert_eq!((origin.kind, origin.confidence), (OriginKind::Agent, 600));
        assert!(origin.evidence.iter().any(|one| one == UNCERTAIN));
        assert!(agent.is_some());
    }

    #[test]
    fn a_person_and_a_script() {
        let person = Signals {
            terminal: true,
            interactive: true,
            looked: true,
            ..Signals::default()
        };
        let (origin, agent, _) = weigh(&person);
        assert_eq!((origin.kind, origin.confidence), (OriginKind::Human, 800));
        assert!(agent.is_none());
        let fast = Signals {
            cadence: 20,
            ..person
        };
        assert!(weigh(&fast).0.confidence < 800);
        let script = Signals {
            shell: Some(Shell::Command),
            ..Signals::default()
        };
        let (origin, ..) = weigh(&script);
        assert_eq!(origin.kind, OriginKind::Script);
        assert!(origin.evidence.iter().any(|one| one == "no-terminal:-c"));
    }
}
