//! What is decided about a command, and how bad and how sure it is.

use serde::{Deserialize, Serialize};

/// What happens to a command. Ordered from free to forbidden; layers join by maximum.
///
/// ```
/// use cmdai_schema::Decision;
/// assert!(Decision::Warn < Decision::Confirm);
/// assert_eq!(Decision::Allow.max(Decision::Deny), Decision::Deny);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Runs without a word.
    #[default]
    Allow,
    /// Runs; the reason is said.
    Warn,
    /// The same person says yes first.
    Confirm,
    /// Another person says yes first.
    RequireApproval,
    /// Does not run.
    Deny,
}

impl Decision {
    /// The word used in every document, message and file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Confirm => "confirm",
            Self::RequireApproval => "require_approval",
            Self::Deny => "deny",
        }
    }

    /// True where somebody must act before the command may run: confirm and stricter.
    pub const fn interrupts(self) -> bool {
        matches!(self, Self::Confirm | Self::RequireApproval | Self::Deny)
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad a command would be. Kept apart from [`Certainty`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing is lost that matters.
    #[default]
    Safe,
    /// Changes something that can be put back.
    Moderate,
    /// Loses or exposes something that matters.
    High,
    /// Ruins a machine, an account or data that others depend on.
    Critical,
}

impl Risk {
    /// The word used in every document, message and file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure the analysis is of what it says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Part of the line could not be resolved.
    Unknown,
    /// Rests on an assumption, such as an unset variable being empty.
    Likely,
    /// Follows from the text alone.
    #[default]
    Proven,
}

/// How a rule takes part in the decision.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Not looked at.
    Off,
    /// Recorded as a violation; changes nothing.
    Monitor,
    /// Said to the person; never stricter than warn.
    Warn,
    /// Takes full part.
    #[default]
    Enforce,
}

/// Who acts. Uncertain origin counts as an agent where a rule tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// A person at a terminal.
    #[default]
    Human,
    /// A script, job or service.
    Script,
    /// An AI agent.
    Agent,
}

impl OriginKind {
    /// The word used in every document, message and file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Script => "script",
            Self::Agent => "agent",
        }
    }
}

/// Shell language that a text is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// GNU bash.
    #[default]
    Bash,
    /// zsh.
    Zsh,
    /// POSIX sh (dash, ash, busybox).
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

impl Dialect {
    /// Reads a shell's name or path: `bash`, `/bin/zsh`, `-bash`, `pwsh`, `dash`.
    pub fn from_name(name: &str) -> Option<Self> {
        let base = name
            .rsplit('/')
            .next()
            .unwrap_or(name)
            .trim_start_matches('-');
        Some(match base {
            "bash" | "rbash" => Self::Bash,
            "zsh" => Self::Zsh,
            "sh" | "dash" | "ash" | "ksh" | "mksh" | "busybox" => Self::Sh,
            "fish" => Self::Fish,
            "powershell" | "pwsh" => Self::Powershell,
            _ => return None,
        })
    }

    /// The name used on the command line and in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Sh => "sh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
        }
    }
}

/// Exit statuses that scripts may rely on. See `docs/formats/exit-codes.md`.
pub mod exit_code {
    use super::Decision;

    /// `check`: bad usage.
    pub const USAGE: u8 = 2;
    /// `run` and shell hooks: the command was blocked.
    pub const BLOCKED: u8 = 126;
    /// `run` and shell hooks: the command waits for an approval.
    pub const WAITING: u8 = 75;
    /// Agent hooks: deny.
    pub const HOOK_DENY: u8 = 2;

    /// Exit status of `cmdai check` for a decision.
    pub const fn check(decision: Decision) -> u8 {
        match decision {
            Decision::Allow | Decision::Warn => 0,
            Decision::Confirm => 10,
            Decision::RequireApproval => 20,
            Decision::Deny => 30,
        }
    }
}
