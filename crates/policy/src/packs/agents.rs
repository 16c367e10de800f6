//! The settings of AI agents: what they may do unasked, and what watches them.
//!
//! Who may change them is the person, in an editor or by the agent's own command. A line of shell
//! that does it is a way around both.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Certainty, Effect, EffectKind};

use super::Judge;
use super::files::quoted;

/// Files that say what an agent may do, by the end of their path.
const SETTINGS: &[&str] = &[
    "/.claude/settings.json",
    "/.claude/settings.local.json",
    "/.claude.json",
    "/.claude/managed-settings.json",
    "/etc/claude-code/managed-settings.json",
    "/.codex/config.toml",
    "/.codex/rules/default.rules",
    "/.codex/hooks.json",
    "/.cursor/cli-config.json",
    "/.cursor/cli.json",
    "/.cursor/permissions.json",
    "/.cursor/hooks.json",
    "/.gemini/settings.json",
    "/.config/opencode/opencode.json",
    "/opencode.json",
    "/.config/goose/config.yaml",
    "/.config/goose/permission.yaml",
    "/.copilot/config.json",
    "/.qwen/settings.json",
    "/.config/amp/settings.json",
    "/.continue/permissions.yaml",
    "/.aider.conf.yml",
    "/.roo/settings.json",
    "/.kiro/settings.json",
    "/.windsurf/settings.json",
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

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let path = match &effect.kind {
        EffectKind::Write { path }
        | EffectKind::Overwrite { path }
        | EffectKind::Delete { path, .. }
        | EffectKind::Move { to: path, .. } => path,
        _ => return,
    };
    let project_wide =
        path.ends_with("/.vscode/settings.json") && judge.request.text.contains("autoApprove");
    if !project_wide && !SETTINGS.iter().any(|end| path.ends_with(end)) {
        return;
    }
    let widens = WIDENS.iter().any(|word| judge.request.text.contains(word));
    let system = path.starts_with("/etc/") || path.contains("managed-settings");
    // A first, empty file gives nobody more than before.
    let first = matches!(effect.kind, EffectKind::Write { .. }) && !widens;
    let risk = if judge.is_agent() || system {
        Critical
    } else if first {
        Moderate
    } else {
        High
    };
    judge.hit(
        "self.agent-settings",
        risk,
        effect,
        format!("changes {path}, which says what an AI agent may do unasked"),
        (!path.contains('*')).then(|| format!("less {}", quoted(path))),
    );
}

/// The same by the agents' own commands.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    if !judge.is_agent() {
        return;
    }
    for call in &judge.request.analysis.invocations {
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
}
