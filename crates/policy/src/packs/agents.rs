//! Settings of AI agents: what they may do unasked, and what watches them; and shells that somebody
//! types into where no hook sees it.
//!
//! Who may change the settings is the person, in an editor or by the agent's own command. A line of
//! shell that widens them is a way around both; an agent never changes them.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation};

use super::Judge;
use super::files::quoted;
use crate::reach::paths;

/// Settings with hooks or permissions, wherever their folder lies: in a home or in a project. What
/// ends with `/` is a folder.
const SETTINGS: &[&str] = &[
    "/.claude/settings.json",
    "/.claude/settings.local.json",
    "/.claude/hooks/",
    "/.claude.json",
    "/.codex/config.toml",
    "/.codex/hooks.json",
    "/.codex/requirements.toml",
    "/.codex/rules/",
    "/.gemini/settings.json",
    "/.gemini/trustedFolders.json",
    "/.gemini/policies/",
    "/.gemini/hooks/",
    "/.qwen/settings.json",
    "/.qwen/trustedFolders.json",
    "/.copilot/config.json",
    "/.copilot/settings.json",
    "/.copilot/permissions-config.json",
    "/.copilot/hooks/",
    "/.github/hooks/",
    "/.github/copilot/settings.json",
    "/.github/copilot/settings.local.json",
    "/opencode/opencode.json",
    "/opencode/opencode.jsonc",
    "/opencode/plugin/",
    "/opencode/plugins/",
    "/.opencode/opencode.json",
    "/.opencode/plugin/",
    "/.opencode/plugins/",
    "/opencode.json",
    "/opencode.jsonc",
    "/.cursor/hooks.json",
    "/.cursor/hooks/",
    "/.cursor/cli.json",
    "/.cursor/cli-config.json",
    "/.cursor/permissions.json",
    "/.windsurf/hooks.json",
    "/windsurf/hooks.json",
    "/.codeium/windsurf/hooks.json",
    "/.windsurf/settings.json",
    "/.config/goose/config.yaml",
    "/.config/goose/permission.yaml",
    "/.config/amp/settings.json",
    "/.continue/permissions.yaml",
    "/.aider.conf.yml",
    "/.roo/settings.json",
    "/.kiro/settings.json",
];
/// Words that widen what an agent may do, or take away what watches it.
const WIDENS: &[&str] = &[
    "permission",
    "\"allow\"",
    ".allow",
    "allow=",
    "deny",
    "hooks",
    "bypass",
    "approval",
    "sandbox",
    "danger",
    "yolo",
    "auto",
    "trust",
    "strict",
    "disable",
    "skip",
    "Bash(",
];
/// Settings that an administrator gave.
const MANAGED: &[&str] = &[
    "/etc/claude-code",
    "/etc/codex",
    "/etc/gemini-cli",
    "/etc/qwen-code",
    "/etc/github-copilot",
    "/etc/opencode",
    "/etc/cursor",
    "/etc/windsurf",
    "/Library/Application Support/ClaudeCode",
    "/Library/Application Support/GeminiCli",
    "/Library/Application Support/Cursor",
    "/Library/Application Support/Windsurf",
    "/Library/Application Support/opencode",
];
/// Folders whose removal takes the settings along.
const FOLDERS: &[&str] = &[
    "/.claude",
    "/.codex",
    "/.gemini",
    "/.qwen",
    "/.copilot",
    "/.config/opencode",
    "/.opencode",
    "/.cursor",
    "/.windsurf",
    "/.codeium",
    "/.codeium/windsurf",
];
/// Settings of an editor: an agent writes them every day, and some of them let it loose.
const EDITOR: &[&str] = &["/.vscode/settings.json", "/Code/User/settings.json"];
const CHANGES: &[&str] = &[
    "delete",
    "overwrite",
    "write",
    "move",
    "change-mode",
    "change-owner",
];
const SHELLS: &[&str] = &[
    "sh", "bash", "zsh", "dash", "ksh", "mksh", "fish", "ash", "rbash", "pwsh", "tclsh", "elvish",
    "nu", "xonsh",
];
/// Interpreters that read commands from whoever types.
const PROMPTS: &[&str] = &[
    "python", "python2", "python3", "pypy", "pypy3", "ipython", "bpython", "node", "nodejs", "irb",
    "pry", "lua", "ghci", "R", "jshell", "iex", "erl", "julia",
];

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    if !CHANGES.contains(&effect.kind.name()) {
        return;
    }
    let agent = judge.is_agent();
    let widens = WIDENS.iter().any(|word| judge.request.text.contains(word));
    let away = matches!(
        effect.kind,
        EffectKind::Delete { .. } | EffectKind::Move { .. }
    );
    for (path, recursive) in paths(&effect.kind) {
        if path == "/" {
            continue;
        }
        let bare = path.trim_end_matches("/*").trim_end_matches('/');
        let named = SETTINGS.iter().any(|known| match known.strip_suffix('/') {
            Some(folder) => bare.ends_with(folder) || path.contains(*known),
            None => path.ends_with(known),
        });
        let managed = MANAGED.iter().any(|folder| {
            crate::glob::is_below(path, folder)
                || (agent
                    && recursive
                    && !bare.is_empty()
                    && bare != "/etc"
                    && crate::glob::is_below(folder, bare))
        });
        let taken = (away || recursive) && FOLDERS.iter().any(|folder| bare.ends_with(folder));
        let editor = EDITOR.iter().any(|known| path.ends_with(known));
        let risk = if managed {
            Critical
        } else if agent && (named || taken) {
            High
        } else if named {
            // A first file that widens nothing gives nobody more than before.
            let first = matches!(effect.kind, EffectKind::Write { .. }) && !widens;
            if first { Moderate } else { High }
        } else if editor && judge.request.text.contains("autoApprove") {
            High
        } else if editor && agent {
            Moderate
        } else {
            continue;
        };
        let reason = format!("changes {path}, which says what an AI agent may do unasked");
        let instead = (!path.contains('*')).then(|| format!("less {}", quoted(path)));
        judge.hit("self.agent-settings", risk, effect, reason, instead);
        return;
    }
}

/// A shell or interpreter that an agent starts with nothing to run: somebody types into it later,
/// and hooks do not see what. Codex does this with a tool of its own.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    if !judge.is_agent() {
        return;
    }
    for call in &judge.request.analysis.invocations {
        own_command(judge, call);
        if call.stage > 0 || !waits_for_input(call) {
            continue;
        }
        let text = call.span.of(judge.request.text);
        let fed = text.contains('<')
            || judge.request.analysis.effects.iter().any(|effect| {
                matches!(effect.kind, EffectKind::RunCode { .. }) && effect.span == call.span
            });
        if fed {
            continue;
        }
        judge.hit_at(
            "agent.typed-shell",
            High,
            call.span,
            Certainty::Proven,
            format!(
                "starts {} with nothing to run, and what is typed into it is not seen",
                call.program
            ),
            None,
        );
    }
}

/// The settings changed by the agents' own commands.
fn own_command(judge: &mut Judge<'_>, call: &Invocation) {
    let own = matches!(
        call.program.as_str(),
        "claude" | "codex" | "gemini" | "opencode" | "cursor-agent" | "goose"
    );
    let sets = call.args.iter().any(|arg| arg.text() == "config")
        && call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "set" | "add" | "remove"));
    if own && sets {
        judge.hit_at(
            "self.agent-settings",
            High,
            call.span,
            Certainty::Proven,
            "changes what an AI agent may do unasked",
            None,
        );
    }
}

fn waits_for_input(call: &Invocation) -> bool {
    let shell = SHELLS.contains(&call.program.as_str());
    if !shell && !PROMPTS.contains(&call.program.as_str()) {
        return false;
    }
    let mut args = call.args.iter().map(|arg| arg.value.as_deref());
    while let Some(arg) = args.next() {
        // What cannot be told may be a script.
        let Some(arg) = arg else { return false };
        match arg {
            "-i" => continue,
            "--rcfile" | "--init-file" | "-o" | "+o" | "-O" | "+O" if shell => {
                args.next();
            }
            "--norc" | "--noprofile" | "--login" | "--posix" | "--restricted" | "--verbose"
            | "--interactive" | "--no-rcs" | "-" | "--" => {}
            flags if shell && flags.starts_with(['-', '+']) && !flags.starts_with("--") => {
                if flags.contains(['c', 'n', 'D']) {
                    return false;
                }
            }
            "-u" | "-q" | "-B" | "-I" | "-E" | "-s" | "-S" | "-x" if !shell => {}
            _ => return false,
        }
    }
    true
}
