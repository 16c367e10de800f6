//! What belongs where for each harness.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Scope;
use super::json::JsonPart;
use super::toml::{TomlHook, TomlPart};
use crate::agents::{Agent, CONTRACT};
use crate::places::{Paths, quoted};

/// Seconds that a harness gives the hook; ours answers before.
const TIMEOUT: u64 = 10;

/// One file of a harness and our part in it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The file.
    pub(super) file: PathBuf,
    /// Our part.
    pub(super) part: Part,
}

/// Our part of a file.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Some of a JSON file.
    Json(JsonPart),
    /// Some of a TOML file.
    Toml(TomlPart),
    /// The whole file.
    Whole(String),
}

/// The files of a harness. None where there is nothing to write in this scope.
pub(super) fn targets(agent: Agent, scope: &Scope, paths: &Paths) -> Vec<Target> {
    match scope {
        Scope::Person(home) => vec![person(agent, home, paths)],
        Scope::Managed(root) => managed(agent, root, paths),
    }
}

fn person(agent: Agent, home: &Path, paths: &Paths) -> Target {
    let file = home.join(match agent {
        Agent::ClaudeCode => ".claude/settings.json",
        Agent::Codex => ".codex/hooks.json",
        Agent::GeminiCli => ".gemini/settings.json",
        Agent::QwenCode => ".qwen/settings.json",
        Agent::CopilotCli => ".copilot/hooks/cmdai.json",
        Agent::Opencode => ".config/opencode/plugin/cmdai.js",
        Agent::Cursor => ".cursor/hooks.json",
        Agent::Windsurf => ".codeium/windsurf/hooks.json",
        Agent::VsCode => ".copilot/hooks/cmdai-vscode.json",
    });
    Target {
        part: part(agent, paths, false),
        file,
    }
}

fn managed(agent: Agent, root: &Path, paths: &Paths) -> Vec<Target> {
    let one = |file: &str, part| {
        vec![Target {
            file: root.join(file),
            part,
        }]
    };
    match agent {
        Agent::ClaudeCode => one(
            "etc/claude-code/managed-settings.json",
            part(agent, paths, true),
        ),
        Agent::Codex => one("etc/codex/requirements.toml", codex_requirements(paths)),
        Agent::GeminiCli => one("etc/gemini-cli/settings.json", part(agent, paths, true)),
        Agent::QwenCode => one("etc/qwen-code/settings.json", part(agent, paths, true)),
        Agent::CopilotCli => one(
            "etc/github-copilot/policy.d/cmdai.json",
            part(agent, paths, true),
        ),
        Agent::Opencode => {
            let plugin = "etc/opencode/plugin/cmdai.js";
            let mut files = one(plugin, part(agent, paths, true));
            files.extend(one(
                "etc/opencode/opencode.json",
                Part::Json(JsonPart {
                    top: Vec::new(),
                    goes: &[],
                    items: vec![(
                        vec!["plugin"],
                        json!("file:///etc/opencode/plugin/cmdai.js"),
                    )],
                    mark: "/plugin/cmdai.js".to_owned(),
                    comments: true,
                }),
            ));
            files
        }
        Agent::Cursor => one("etc/cursor/hooks.json", part(agent, paths, true)),
        Agent::Windsurf => one("etc/windsurf/hooks.json", part(agent, paths, true)),
        // It has no place for hooks that a person cannot change.
        Agent::VsCode => Vec::new(),
    }
}

/// The command that a harness runs. The shell turns a crash or a missing program into a block, and
/// says so: Gemini CLI takes a block without words for consent.
fn command(agent: Agent, paths: &Paths, event: Option<&str>, blocks: bool) -> String {
    let program = quoted(&paths.program.to_string_lossy());
    let event = event.map_or_else(String::new, |event| format!(" --event {event}"));
    let block = if blocks { CLOSED } else { "" };
    format!("{program}{}{event}{block}", mark(agent))
}

/// Anything but success is a block; anything but cmdai's own denial gets words.
const CLOSED: &str =
    " || { [ $? = 2 ] || echo 'cmdai: blocked, because the check could not run' >&2; exit 2; }";

/// What our entries are recognised by.
fn mark(agent: Agent) -> String {
    format!(" hook {}", agent.as_str())
}

fn part(agent: Agent, paths: &Paths, managed: bool) -> Part {
    let run = |blocks| command(agent, paths, None, blocks);
    let mark = mark(agent);
    let json_part = |items: Vec<(Vec<&'static str>, Value)>| JsonPart {
        top: Vec::new(),
        goes: &[],
        items,
        mark: mark.clone(),
        comments: false,
    };
    let group = |matcher: Option<&str>, hook: Value| match matcher {
        Some(matcher) => json!({"matcher": matcher, "hooks": [hook]}),
        None => json!({"hooks": [hook]}),
    };
    match agent {
        Agent::ClaudeCode => {
            let plain = json!({"type": "command", "command": run(false), "timeout": TIMEOUT});
            let blocking = json!({"type": "command", "command": run(true), "timeout": TIMEOUT, "onFailure": "block"});
            let shells = "Bash|PowerShell|Monitor";
            let both = "Bash|PowerShell|Monitor|Write|Edit|MultiEdit|NotebookEdit";
            let mut part = json_part(vec![
                (vec!["hooks", "PreToolUse"], group(Some(both), blocking)),
                (
                    vec!["hooks", "PostToolUse"],
                    group(Some(shells), plain.clone()),
                ),
                (
                    vec!["hooks", "PostToolUseFailure"],
                    group(Some(shells), plain.clone()),
                ),
                (vec!["hooks", "SessionStart"], group(None, plain.clone())),
                (vec!["hooks", "SessionEnd"], group(None, plain)),
            ]);
            if managed {
                part.top.push(("allowManagedHooksOnly", json!(true)));
                part.goes = &["allowManagedHooksOnly"];
            }
            Part::Json(part)
        }
        Agent::Codex => {
            let hook =
                |blocks| json!({"type": "command", "command": run(blocks), "timeout": TIMEOUT});
            Part::Json(json_part(vec![
                (
                    vec!["hooks", "PreToolUse"],
                    group(Some("^(Bash|apply_patch)$"), hook(true)),
                ),
                (
                    vec!["hooks", "PostToolUse"],
                    group(Some("^Bash$"), hook(false)),
                ),
                (vec!["hooks", "SessionStart"], group(None, hook(false))),
            ]))
        }
        Agent::GeminiCli | Agent::QwenCode => {
            let (before, after) = if agent == Agent::GeminiCli {
                ("BeforeTool", "AfterTool")
            } else {
                ("PreToolUse", "PostToolUse")
            };
            let hook = |blocks| json!({"type": "command", "name": "cmdai", "command": run(blocks), "timeout": TIMEOUT * 1000});
            let both = if agent == Agent::GeminiCli {
                "run_shell_command|write_file|replace"
            } else {
                "run_shell_command|write_file|edit"
            };
            let mut part = json_part(vec![
                (vec!["hooks", before], group(Some(both), hook(true))),
                (
                    vec!["hooks", after],
                    group(Some("run_shell_command"), hook(false)),
                ),
                (vec!["hooks", "SessionStart"], group(None, hook(false))),
                (vec!["hooks", "SessionEnd"], group(None, hook(false))),
            ]);
            part.comments = true;
            if managed {
                part.top.push(if agent == Agent::GeminiCli {
                    ("hooksConfig", json!({"enabled": true}))
                } else {
                    ("disableAllHooks", json!(false))
                });
                part.goes = &["hooksConfig", "disableAllHooks"];
            }
            Part::Json(part)
        }
        Agent::CopilotCli => {
            let hook = |event: &str, blocks| json!([{"type": "command", "bash": command(agent, paths, Some(event), blocks), "timeoutSec": TIMEOUT}]);
            whole(&json!({
                "version": 1,
                "hooks": {
                    "preToolUse": hook("preToolUse", true),
                    "postToolUse": hook("postToolUse", false),
                    "sessionStart": hook("sessionStart", false),
                    "sessionEnd": hook("sessionEnd", false),
                },
            }))
        }
        Agent::Opencode => {
            let program = Value::from(paths.program.to_string_lossy()).to_string();
            let script = include_str!("opencode.js")
                .replace("\"@PROGRAM@\"", &program)
                .replace("@CONTRACT@", &CONTRACT.to_string());
            Part::Whole(script)
        }
        Agent::Cursor => {
            let plain = json!({"command": run(false), "timeout": TIMEOUT});
            let blocking = json!({"command": run(true), "timeout": TIMEOUT, "failClosed": true});
            let mut writing = blocking.clone();
            if let Some(fields) = writing.as_object_mut() {
                fields.insert(
                    "matcher".to_owned(),
                    json!("Write|Edit|StrReplace|ApplyPatch|Delete"),
                );
            }
            let mut part = json_part(vec![
                (vec!["hooks", "beforeShellExecution"], blocking),
                (vec!["hooks", "preToolUse"], writing),
                (vec!["hooks", "afterShellExecution"], plain.clone()),
                (vec!["hooks", "sessionStart"], plain.clone()),
                (vec!["hooks", "sessionEnd"], plain),
            ]);
            part.top.push(("version", json!(1)));
            Part::Json(part)
        }
        Agent::Windsurf => {
            let hook = |blocks| json!({"command": run(blocks), "show_output": true});
            Part::Json(json_part(vec![
                (vec!["hooks", "pre_run_command"], hook(true)),
                (vec!["hooks", "pre_write_code"], hook(true)),
                (vec!["hooks", "post_run_command"], hook(false)),
            ]))
        }
        Agent::VsCode => {
            let hook =
                |blocks| json!([{"type": "command", "command": run(blocks), "timeout": TIMEOUT}]);
            whole(&json!({
                "hooks": {
                    "PreToolUse": hook(true),
                    "PostToolUse": hook(false),
                    "SessionStart": hook(false),
                },
            }))
        }
    }
}

fn whole(content: &Value) -> Part {
    Part::Whole(format!("{content:#}\n"))
}

fn codex_requirements(paths: &Paths) -> Part {
    let agent = Agent::Codex;
    let hook = |event, matcher, blocks| TomlHook {
        event,
        matcher,
        command: command(agent, paths, None, blocks),
        timeout: i64::try_from(TIMEOUT).unwrap_or(10),
    };
    Part::Toml(TomlPart {
        hooks: vec![
            hook("PreToolUse", Some("^(Bash|apply_patch)$"), true),
            hook("PostToolUse", Some("^Bash$"), false),
            hook("SessionStart", None, false),
        ],
        folder: paths
            .program
            .parent()
            .unwrap_or(Path::new("/usr/bin"))
            .to_string_lossy()
            .into_owned(),
        mark: mark(agent),
    })
}
