//! Who acts: a person, a script or an AI agent, with the evidence ranked.
//!
//! Evidence, strongest first: a harness's own hook, an ancestor process with an agent's name, the
//! variables that agents set for their tools, a shell run with `-c` and without a terminal. All
//! signals are kept, so that disagreement can be found later. None of them is proof against
//! somebody who forges them: they decide targeting, not trust.

use cmdai_schema::{AgentInfo, Origin, OriginKind, ProcessInfo};

/// Who acts, and as which agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Kind, confidence and evidence.
    pub origin: Origin,
    /// The agent, where one acts.
    pub agent: Option<AgentInfo>,
    /// The agent's harness puts questions to its person and waits for the answer.
    pub host_asks: bool,
}

/// What can be seen from inside the process.
#[derive(Clone, Copy)]
pub struct Signals<'a> {
    /// Reads an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Standard input is a terminal.
    pub terminal: bool,
    /// The shell reads lines from a person.
    pub interactive: bool,
    /// Ancestors, nearest first.
    pub parents: &'a [ProcessInfo],
}

/// Variable, agent, variable with its session. Seen in the tool shells of the real clients.
/// `CLAUDE_PROJECT_DIR` is not among them: other clients set it too.
const MARKERS: &[(&str, &str, &str)] = &[
    ("CLAUDECODE", "claude-code", "CLAUDE_CODE_SESSION_ID"),
    ("CODEX_THREAD_ID", "codex", "CODEX_SESSION_ID"),
    ("CODEX_CI", "codex", "CODEX_SESSION_ID"),
    ("GEMINI_CLI", "gemini-cli", "GEMINI_SESSION_ID"),
    ("QWEN_CODE", "qwen-code", ""),
    ("COPILOT_CLI", "copilot-cli", "COPILOT_AGENT_SESSION_ID"),
    ("OPENCODE", "opencode", ""),
    ("CURSOR_AGENT", "cursor", ""),
];

/// Executable names of agents, as the kernel cuts them (15 bytes).
const PROGRAMS: &[(&str, &str)] = &[
    ("claude", "claude-code"),
    ("codex", "codex"),
    ("gemini", "gemini-cli"),
    ("qwen", "qwen-code"),
    ("copilot", "copilot-cli"),
    ("opencode", "opencode"),
    ("cursor-agent", "cursor"),
    ("aider", "aider"),
    ("goose", "goose"),
];

/// Weighs the signals.
pub fn attribute(signals: &Signals<'_>) -> Attribution {
    let mut evidence = Vec::new();
    let mut agent: Option<(AgentInfo, u16)> = None;
    let mut propose = |name: &str,
                       session: Option<String>,
                       version: Option<String>,
                       confidence: u16| match &mut agent {
        Some((known, _)) if known.name == name => {
            known.session_id = known.session_id.take().or(session);
            known.version = known.version.take().or(version);
        }
        Some(_) => {}
        None => {
            agent = Some((
                AgentInfo {
                    name: name.to_owned(),
                    version,
                    session_id: session,
                    tool_call_id: None,
                },
                confidence,
            ))
        }
    };
    for parent in signals.parents {
        if let Some((_, name)) = PROGRAMS.iter().find(|(program, _)| *program == parent.name) {
            evidence.push(format!("ancestor:{}", parent.name));
            propose(name, None, None, 900);
        }
    }
    let set = |name: &str| (signals.variable)(name).filter(|value| !value.is_empty());
    for (variable, name, session) in MARKERS {
        if set(variable).is_some() {
            evidence.push(format!("env:{variable}"));
            propose(name, set(session), None, 800);
        }
    }
    // `claude-code_2-1-330_agent`: a name, a version with dashes for dots, a role.
    if let Some(value) = set("AI_AGENT") {
        evidence.push("env:AI_AGENT".to_owned());
        let mut parts = value.split('_');
        let name: String = parts
            .next()
            .unwrap_or("unknown")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(40)
            .collect();
        let version = parts
            .next()
            .filter(|part| part.starts_with(|c: char| c.is_ascii_digit()))
            .map(|part| part.replace('-', "."));
        propose(
            if name.is_empty() || name == "1" {
                "unknown"
            } else {
                &name
            },
            None,
            version,
            700,
        );
    } else if set("AGENT").is_some_and(|value| value == "1") {
        evidence.push("env:AGENT".to_owned());
        propose("unknown", None, None, 600);
    }
    if signals.terminal {
        evidence.push("terminal".to_owned());
    }
    if signals.interactive {
        evidence.push("interactive".to_owned());
    }
    match agent {
        Some((agent, confidence)) => Attribution {
            origin: Origin {
                kind: OriginKind::Agent,
                confidence,
                evidence,
            },
            agent: Some(agent),
            host_asks: false,
        },
        None if signals.interactive && signals.terminal => Attribution {
            origin: Origin {
                kind: OriginKind::Human,
                confidence: 800,
                evidence,
            },
            agent: None,
            host_asks: false,
        },
        None => {
            evidence.push(
                if signals.terminal {
                    "not-interactive"
                } else {
                    "no-terminal"
                }
                .to_owned(),
            );
            let confidence = if signals.terminal { 600 } else { 500 };
            Attribution {
                origin: Origin {
                    kind: OriginKind::Script,
                    confidence,
                    evidence,
                },
                agent: None,
                host_asks: false,
            }
        }
    }
}

/// An agent that speaks for itself through its hook: the strongest evidence there is here.
pub fn hook(agent: AgentInfo) -> Attribution {
    let evidence = vec![format!("hook:{}", agent.name)];
    Attribution {
        origin: Origin {
            kind: OriginKind::Agent,
            confidence: 990,
            evidence,
        },
        agent: Some(agent),
        host_asks: false,
    }
}

/// Ancestors of this process, nearest first, at most eight. Empty where there is no `/proc`.
pub fn ancestors() -> Vec<ProcessInfo> {
    let mut found = Vec::new();
    let mut pid =
        rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().cast_unsigned());
    while pid > 0 && found.len() < 8 {
        let Some((name, parent)) = stat(pid) else {
            break;
        };
        found.push(ProcessInfo { pid, name });
        pid = parent;
    }
    found
}

/// Name and parent out of `/proc/PID/stat`: `12 (name) S 1 …`, where the name may hold anything.
fn stat(pid: u32) -> Option<(String, u32)> {
    let mut text = Vec::new();
    let file = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, 4096), &mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (head, tail) = text.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let parent = tail.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((name, parent))
}

/// Path of the terminal on standard input, where it is one.
pub fn terminal() -> Option<String> {
    let name = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok()?;
    name.into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(variables: &[(&str, &str)], terminal: bool, parents: &[&str]) -> Attribution {
        let parents: Vec<ProcessInfo> = parents
            .iter()
            .map(|name| ProcessInfo {
                pid: 1,
                name: (*name).to_owned(),
            })
            .collect();
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        attribute(&Signals {
            variable: &variable,
            terminal,
            interactive: terminal,
            parents: &parents,
        })
    }

    #[test]
    fn a_terminal_alone_is_a_person() {
        let found = judge(&[], true, &["bash", "sshd"]);
        assert_eq!(found.origin.kind, OriginKind::Human);
        assert_eq!(found.agent, None);
    }

    #[test]
    fn no_terminal_is_a_script() {
        assert_eq!(
            judge(&[("CLAUDE_PROJECT_DIR", "/p")], false, &[])
                .origin
                .kind,
            OriginKind::Script
        );
    }

    #[test]
    fn markers_win_over_a_terminal_and_name_session_and_version() {
        let found = judge(
            &[
                ("CLAUDECODE", "1"),
                ("AI_AGENT", "claude-code_2-1-330_agent"),
                ("CLAUDE_CODE_SESSION_ID", "s"),
            ],
            true,
            &[],
        );
        let agent = found.agent.unwrap();
        assert_eq!(found.origin.kind, OriginKind::Agent);
        assert_eq!(
            (
                agent.name.as_str(),
                agent.version.as_deref(),
                agent.session_id.as_deref()
            ),
            ("claude-code", Some("2.1.330"), Some("s"))
        );
        assert!(found.origin.evidence.contains(&"terminal".to_owned()));
    }

    #[test]
    fn an_ancestor_wins_over_markers_and_both_are_kept() {
        let found = judge(&[("QWEN_CODE", "1")], false, &["sh", "codex"]);
        assert_eq!(found.agent.unwrap().name, "codex");
        assert_eq!(found.origin.confidence, 900);
        assert_eq!(
            found.origin.evidence[..2],
            ["ancestor:codex".to_owned(), "env:QWEN_CODE".to_owned()]
        );
    }

    #[test]
    fn own_ancestors_are_read() {
        assert!(!ancestors().is_empty());
    }
}
