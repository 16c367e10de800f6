//! Who acts: a person, a script or an AI agent, with the evidence ranked.
//!
//! Evidence, strongest first: a harness's own hook, an ancestor process whose executable file is an
//! agent's, an ancestor with an agent's name, the variables that agents set for their tools, a shell
//! run with `-c` and without a terminal. All signals are kept, so that disagreement can be found
//! later. None of them is proof against somebody who forges them: they decide targeting, not trust.
//! Whoever is uncertain counts as an agent, so that a forged mark only ever tightens.

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

/// Parts of paths that an agent's program or script is installed below.
const INSTALLED: &[(&str, &str)] = &[
    ("/@anthropic-ai/claude-code", "claude-code"),
    ("/claude/versions/", "claude-code"),
    ("/@openai/codex", "codex"),
    ("/@google/gemini-cli", "gemini-cli"),
    ("/@qwen-code/qwen-code", "qwen-code"),
    ("/@github/copilot", "copilot-cli"),
    ("/opencode-ai/", "opencode"),
    ("/opencode-linux-", "opencode"),
    ("/cursor-agent/", "cursor"),
];
/// Programs that run another program's script.
const RUNTIMES: &[&str] = &["node", "nodejs", "bun", "deno"];
/// Evidence for marks that nothing else speaks for.
const UNCERTAIN: &str = "uncertain:no-ancestor";

/// The agent that sets this variable for its tools.
pub fn marked_by(variable: &str) -> Option<&'static str> {
    MARKERS
        .iter()
        .find(|(known, ..)| *known == variable)
        .map(|(_, agent, _)| *agent)
}

/// The agent that a process is, by its executable file or, in a runtime, by its script.
pub fn recognise(executable: &str, script: Option<&str>) -> Option<&'static str> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let path = match script {
        Some(script) if RUNTIMES.contains(&name(executable).as_str()) => script,
        _ => executable,
    };
    let installed = INSTALLED.iter().find(|(part, _)| path.contains(part));
    let by_name = || {
        let name = name(path);
        PROGRAMS
            .iter()
            .find(|(program, _)| *program == name.trim_end_matches(".js"))
    };
    installed.or_else(by_name).map(|(_, agent)| *agent)
}

/// Ancestors that are agents by their files: the agent, and which file says so.
fn by_file(parents: &[ProcessInfo]) -> Vec<(&'static str, String)> {
    parents
        .iter()
        .filter_map(|parent| {
            let executable = std::fs::read_link(format!("/proc/{}/exe", parent.pid)).ok()?;
            let executable = executable
                .to_str()?
                .trim_end_matches(" (deleted)")
                .to_owned();
            let script = words(parent.pid)
                .into_iter()
                .skip(1)
                .find(|word| !word.starts_with('-'))
                .map(|script| {
                    std::fs::canonicalize(&script)
                        .ok()
                        .and_then(|path| path.to_str().map(str::to_owned))
                        .unwrap_or(script)
                });
            let agent = recognise(&executable, script.as_deref())?;
            let file = match script {
                Some(script) if recognise(&executable, None).is_none() => script,
                _ => executable,
            };
            Some((agent, file))
        })
        .collect()
}

/// The first words of a process's command line.
fn words(pid: u32) -> Vec<String> {
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(format!("/proc/{pid}/cmdline")) {
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(file, 4096), &mut bytes);
    }
    bytes
        .split(|byte| *byte == 0)
        .take(8)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// This process or the one that started it is a shell that was given its command (`-c`).
fn is_command_string(parents: &[ProcessInfo]) -> bool {
    let own = std::process::id();
    [Some(own), parents.first().map(|parent| parent.pid)]
        .into_iter()
        .flatten()
        .any(|pid| {
            let words = words(pid);
            let shell = words.first().is_some_and(|word| {
                let name = word.rsplit('/').next().unwrap_or(word);
                matches!(
                    name.trim_start_matches('-'),
                    "sh" | "bash" | "zsh" | "dash" | "fish" | "ksh"
                )
            });
            shell
                && words
                    .iter()
                    .skip(1)
                    .take_while(|word| word.starts_with('-'))
                    .any(|word| !word.starts_with("--") && word.contains('c'))
        })
}

/// Weighs the signals. Looks at the files of the ancestors.
pub fn attribute(signals: &Signals<'_>) -> Attribution {
    let mut evidence = Vec::new();
    let mut agent: Option<(AgentInfo, u16)> = None;
    let mut disagreeing: Vec<String> = Vec::new();
    let mut propose = |name: &str,
                       session: Option<String>,
                       version: Option<String>,
                       confidence: u16| match &mut agent {
        Some((known, _)) if known.name == name => {
            known.session_id = known.session_id.take().or(session);
            known.version = known.version.take().or(version);
        }
        Some((known, _)) => disagreeing.push(format!("disagrees:{} is not {name}", known.name)),
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
    let files = by_file(signals.parents);
    for (name, file) in &files {
        evidence.push(format!("executable:{name}:{file}"));
        propose(name, None, None, 950);
    }
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
    // Marks can be set by anybody. Where the ancestors are seen and none is an agent, they may have
    // been; it counts as an agent all the same.
    let ancestor = |word: &String| word.starts_with("executable:") || word.starts_with("ancestor:");
    if let Some((_, confidence)) = &mut agent
        && !signals.parents.is_empty()
        && !evidence.iter().any(ancestor)
    {
        *confidence = 600.min(*confidence);
        evidence.push(UNCERTAIN.to_owned());
    }
    disagreeing.dedup();
    evidence.append(&mut disagreeing);
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
                match (signals.terminal, is_command_string(signals.parents)) {
                    (true, _) => "not-interactive",
                    (false, true) => "no-terminal:-c",
                    (false, false) => "no-terminal",
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

/// Who acts below a supervised program: whoever started it, or the agent that one of the programs
/// above is by its file, which the supervisor saw begin. Marks name session and call; where they name
/// somebody else that is kept as disagreement, and marks alone make an agent as everywhere.
pub fn supervised(
    above: &Attribution,
    agent: Option<(&str, &str)>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Attribution {
    let mut who = above.clone();
    if let Some((name, file)) = agent {
        let evidence = format!("supervised:{name}:{file}");
        who.host_asks = false;
        who.origin.kind = OriginKind::Agent;
        who.origin.confidence = 970;
        if who.agent.as_ref().is_none_or(|known| known.name != name) {
            who.agent = Some(AgentInfo {
                name: name.to_owned(),
                ..AgentInfo::default()
            });
        }
        if !who.origin.evidence.contains(&evidence) {
            who.origin.evidence.insert(0, evidence);
        }
    }
    let marked = attribute(&Signals {
        variable,
        terminal: false,
        interactive: false,
        parents: &[],
    });
    let Some(marked_agent) = marked.agent else {
        return who;
    };
    let marks = marked.origin.evidence.into_iter();
    let marks: Vec<String> = marks.filter(|word| word.starts_with("env:")).collect();
    match &mut who.agent {
        Some(agent) if agent.name == marked_agent.name => {
            agent.session_id = marked_agent.session_id.or(agent.session_id.take());
            agent.version = marked_agent.version.or(agent.version.take());
            agent.tool_call_id =
                variable("CODEX_TOOL_CALL_ID").filter(|id| !id.is_empty() && id.len() <= 128);
        }
        Some(agent) => {
            let word = format!("disagrees:{} is not {}", agent.name, marked_agent.name);
            if !who.origin.evidence.contains(&word) {
                who.origin.evidence.push(word);
            }
        }
        // Marks that nothing else speaks for: an agent all the same.
        None => {
            who.origin.kind = OriginKind::Agent;
            who.origin.confidence = 600;
            who.origin.evidence.push(UNCERTAIN.to_owned());
            who.agent = Some(marked_agent);
        }
    }
    for mark in marks {
        if !who.origin.evidence.contains(&mark) {
            who.origin.evidence.push(mark);
        }
    }
    who
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

/// What the ancestors of a hook's process say to its claim: the file that confirms it, or that none
/// does. It stays an agent either way.
pub fn confirm(who: &mut Attribution, parents: &[ProcessInfo]) {
    let Some(name) = who.agent.as_ref().map(|agent| agent.name.clone()) else {
        return;
    };
    let files = by_file(parents);
    for (agent, file) in &files {
        who.origin
            .evidence
            .push(format!("executable:{agent}:{file}"));
    }
    if parents.is_empty() || files.iter().any(|(agent, _)| *agent == name) {
        return;
    }
    who.origin.confidence = who.origin.confidence.min(800);
    who.origin.evidence.push(match files.first() {
        Some((other, _)) => format!("disagrees:{name} is not {other}"),
        None => UNCERTAIN.to_owned(),
    });
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
        found.push(ProcessInfo {
            pid,
            name,
            exe: None,
        });
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
                exe: None,
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
    fn marks_alone_are_uncertain_and_an_agent_all_the_same() {
        // The ancestors are seen, and none is an agent.
        let found = judge(&[("CLAUDECODE", "1")], false, &["bash", "sshd"]);
        assert_eq!(found.origin.kind, OriginKind::Agent);
        assert_eq!(found.origin.confidence, 600);
        assert_eq!(
            found.origin.evidence[..2],
            ["env:CLAUDECODE", "uncertain:no-ancestor"]
        );
    }

    #[test]
    fn disagreement_is_kept() {
        let found = judge(&[("QWEN_CODE", "1")], false, &["sh", "codex"]);
        assert!(
            found
                .origin
                .evidence
                .contains(&"disagrees:codex is not qwen-code".to_owned())
        );
    }

    #[test]
    fn agents_are_recognised_by_their_files() {
        for (executable, script, agent) in [
            (
                "/home/u/.local/share/claude/versions/2.1.330",
                None,
                Some("claude-code"),
            ),
            (
                "/x/node_modules/@openai/codex-linux-x64/vendor/codex",
                None,
                Some("codex"),
            ),
            ("/usr/local/bin/opencode", None, Some("opencode")),
            (
                "/usr/bin/node",
                Some("/x/node_modules/@google/gemini-cli/bundle/gemini.js"),
                Some("gemini-cli"),
            ),
            ("/usr/bin/node", Some("/x/server.js"), None),
            (
                "/usr/bin/vim",
                Some("/x/node_modules/@google/gemini-cli/README.md"),
                None,
            ),
            ("/usr/bin/bash", None, None),
        ] {
            assert_eq!(recognise(executable, script), agent, "{executable}");
        }
    }

    #[test]
    fn a_hook_without_its_agent_above_it_is_uncertain() {
        let mut who = hook(AgentInfo {
            name: "codex".to_owned(),
            ..AgentInfo::default()
        });
        confirm(
            &mut who,
            &[ProcessInfo {
                pid: u32::MAX,
                name: "x".to_owned(),
                exe: None,
            }],
        );
        assert_eq!(who.origin.kind, OriginKind::Agent);
        assert_eq!(who.origin.evidence, ["hook:codex", "uncertain:no-ancestor"]);
        assert!(who.origin.confidence < 990);
    }

    #[test]
    fn own_ancestors_are_read() {
        assert!(!ancestors().is_empty());
    }
}
