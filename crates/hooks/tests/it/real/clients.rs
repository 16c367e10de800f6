//! How each real client is started: its model on loopback, a home of its own, no terminal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cmdai_hooks::agents::Agent;
use cmdai_testkit::clients::{Finished, client, finish};
use serde_json::{Value, json};

/// How long a session of a few tool calls may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Everything that differs between clients.
pub(super) struct Start {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// Files below the home that the client needs, written before the hooks are put in.
    files: Vec<(&'static str, String)>,
}

/// Names and arguments of the tool that writes a file.
pub(super) fn writer(agent: Agent, path: &Path, text: &str) -> (Vec<&'static str>, Value) {
    match agent {
        Agent::ClaudeCode => (vec!["Write"], json!({"file_path": path, "content": text})),
        Agent::GeminiCli | Agent::QwenCode => (
            vec!["write_file"],
            json!({"file_path": path, "content": text}),
        ),
        Agent::CopilotCli => (vec!["create"], json!({"path": path, "file_text": text})),
        Agent::Opencode => (vec!["write"], json!({"filePath": path, "content": text})),
        _ => {
            let added: Vec<String> = text.lines().map(|line| format!("+{line}")).collect();
            let patch = format!(
                "*** Begin Patch\n*** Add File: {}\n{}\n*** End Patch\n",
                path.display(),
                added.join("\n")
            );
            (vec!["apply_patch"], json!(patch))
        }
    }
}

fn start(agent: Agent, url: &str) -> Start {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match agent {
        Agent::ClaudeCode => Start {
            arguments: words(&[
                "-p", "go on", "--output-format", "stream-json", "--verbose", "--allowedTools",
                "Bash", "Write", "Edit",
            ]),
            environment: vec![
                ("ANTHROPIC_BASE_URL", url.to_owned()),
                ("ANTHROPIC_API_KEY", "scripted".to_owned()),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
                // Tools of servers stand in the request instead of being searched for.
                ("ENABLE_TOOL_SEARCH", "false".to_owned()),
                ("DISABLE_AUTOUPDATER", "1".to_owned()),
                ("DISABLE_TELEMETRY", "1".to_owned()),
                ("DISABLE_ERROR_REPORTING", "1".to_owned()),
            ],
            files: vec![(".claude/settings.json", "{\n  \"cleanupPeriodDays\": 7\n}\n".to_owned())],
        },
        Agent::Codex => Start {
            arguments: words(&[
                "exec", "--skip-git-repo-check", "--json", "--dangerously-bypass-hook-trust",
                "--dangerously-bypass-approvals-and-sandbox", "go on",
            ]),
            environment: vec![("SCRIPTED_KEY", "scripted".to_owned())],
            files: vec![(
                ".codex/config.toml",
                format!(
                    "model = \"gpt-5.5\"\nmodel_provider = \"scripted\"\n[model_providers.scripted]\nname = \"scripted\"\n\
                     base_url = \"{url}/v1\"\nwire_api = \"responses\"\nenv_key = \"SCRIPTED_KEY\"\n\
                     request_max_retries = 0\nstream_max_retries = 0\n[analytics]\nenabled = false\n"
                ),
            ),
            // Its commands run in a login shell, which sets the search path anew.
            (".bash_profile", "PATH=$HOME/bin:$PATH\n".to_owned()),
            ],
        },
        Agent::GeminiCli => Start {
            arguments: words(&[
                "-m", "gemini-2.5-flash", "-p", "go on", "--output-format", "stream-json", "--yolo",
            ]),
            environment: vec![
                ("GEMINI_API_KEY", "scripted".to_owned()),
                ("GOOGLE_GEMINI_BASE_URL", url.to_owned()),
                ("GEMINI_CLI_NO_RELAUNCH", "1".to_owned()),
            ],
            files: vec![(
                ".gemini/settings.json",
                "{\n  // how the person signs in\n  \"security\": {\"auth\": {\"selectedType\": \"gemini-api-key\"}, \"folderTrust\": {\"enabled\": false}},\n  \
                 \"telemetry\": {\"enabled\": false},\n  \"privacy\": {\"usageStatisticsEnabled\": false},\n  \"general\": {\"enableAutoUpdate\": false}\n}\n".to_owned(),
            )],
        },
        Agent::QwenCode => Start {
            arguments: words(&["-p", "go on", "--yolo", "--output-format", "stream-json"]),
            environment: vec![
                ("OPENAI_API_KEY", "scripted".to_owned()),
                ("OPENAI_BASE_URL", format!("{url}/v1")),
                ("OPENAI_MODEL", "scripted".to_owned()),
            ],
            files: vec![(
                ".qwen/settings.json",
                "{\n  \"security\": {\"auth\": {\"selectedType\": \"openai\"}},\n  \"telemetry\": {\"enabled\": false},\n  \
                 \"privacy\": {\"usageStatisticsEnabled\": false},\n  \"general\": {\"enableAutoUpdate\": false}\n}\n".to_owned(),
            )],
        },
        Agent::CopilotCli => Start {
            arguments: words(&["-p", "go on", "--allow-all-tools", "--allow-all-paths"]),
            environment: vec![
                ("COPILOT_OFFLINE", "true".to_owned()),
                ("COPILOT_PROVIDER_BASE_URL", format!("{url}/v1")),
                ("COPILOT_MODEL", "scripted".to_owned()),
                ("COPILOT_AUTO_UPDATE", "false".to_owned()),
            ],
            files: Vec::new(),
        },
        Agent::Opencode => Start {
            arguments: words(&["run", "--format", "json", "go on"]),
            environment: vec![
                ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
                ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
                ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1".to_owned()),
            ],
            files: vec![(
                ".config/opencode/opencode.json",
                json!({
                    "model": "scripted/scripted", "small_model": "scripted/scripted", "autoupdate": false, "share": "disabled",
                    "provider": {"scripted": {"npm": "@ai-sdk/openai-compatible", "name": "scripted",
                        "options": {"baseURL": format!("{url}/v1"), "apiKey": "scripted"},
                        "models": {"scripted": {"name": "scripted", "tool_call": true}}}},
                    "permission": {"bash": "allow", "edit": "allow", "external_directory": "allow"},
                })
                .to_string(),
            )],
        },
        Agent::Cursor | Agent::Windsurf | Agent::VsCode => panic!("{agent:?} is not run here"),
    }
}

/// Writes what the client needs into the home.
pub(super) fn furnish(agent: Agent, home: &Path, url: &str) {
    for (name, text) in start(agent, url).files {
        let file = home.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

/// Runs the client to its end.
pub(super) fn run(
    agent: Agent,
    url: &str,
    cwd: &Path,
    environment: &[(String, String)],
    more: &[&str],
) -> Finished {
    let program: PathBuf = client(agent.as_str()).unwrap();
    let start = start(agent, url);
    let mut environment = environment.to_vec();
    for (name, value) in start.environment {
        environment.push((name.to_owned(), value));
    }
    environment.push(("SHELL".to_owned(), "/bin/bash".to_owned()));
    let mut arguments = start.arguments;
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    finish(&program, &arguments, cwd, &environment, PATIENCE).unwrap()
}
