//! What is asked and what is answered.

use cmdai_schema::Dialect;
use serde::{Deserialize, Serialize};

/// Operating system that the command is for: decides between GNU and BSD forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// GNU/Linux.
    #[default]
    Linux,
    /// macOS, with BSD tools.
    Macos,
    /// FreeBSD and relatives.
    Bsd,
    /// Windows.
    Windows,
}

impl Os {
    /// The system this program was built for.
    pub const fn current() -> Self {
        if cfg!(target_os = "macos") {
            Self::Macos
        } else if cfg!(target_os = "windows") {
            Self::Windows
        } else if cfg!(any(
            target_os = "freebsd",
            target_os = "openbsd",
            target_os = "netbsd"
        )) {
            Self::Bsd
        } else {
            Self::Linux
        }
    }

    /// A name for people and models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Macos => "macOS",
            Self::Bsd => "BSD",
            Self::Windows => "Windows",
        }
    }

    /// Tools take BSD options.
    pub const fn is_bsd(self) -> bool {
        matches!(self, Self::Macos | Self::Bsd)
    }
}

/// A command that failed, to be fixed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Failed {
    /// The line.
    pub command: String,
    /// Its exit status.
    pub exit_code: i32,
    /// The end of what it printed, where it is known.
    pub output: String,
}

/// One earlier round of the same conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {
    /// What was asked.
    pub words: String,
    /// What was suggested.
    pub command: String,
}

/// Words and their context.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// What the person wants.
    pub words: String,
    /// Operating system that the command is for.
    pub os: Os,
    /// Shell that the command is for.
    pub shell: Dialect,
    /// Working directory.
    pub cwd: String,
    /// Names in the working directory, within bounds; may be empty.
    pub listing: Vec<String>,
    /// Names of programs that can be called; empty where it is not known.
    pub tools: Vec<String>,
    /// Recent commands, newest last, if the person allows it.
    pub history: Vec<String>,
    /// The last failed command, where that is to be fixed.
    pub last_failed: Option<Failed>,
    /// Earlier rounds, oldest first: the words refine them.
    pub earlier: Vec<Turn>,
}

impl Request {
    /// A request without context for a system and shell.
    pub fn new(words: impl Into<String>, os: Os, shell: Dialect) -> Self {
        Self {
            words: words.into(),
            os,
            shell,
            ..Self::default()
        }
    }

    /// The program can be called, or it is not known which can.
    pub(crate) fn may_have(&self, program: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|tool| tool == program)
    }
}

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The compositional engine.
    Intents,
    /// Retrieval over command knowledge and notes.
    Retrieval,
    /// A model in this process.
    Embedded,
    /// A model behind a server.
    Server,
}

/// A command that may be what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// One line.
    pub command: String,
    /// Where it comes from.
    pub tier: Tier,
    /// Per mille.
    pub confidence: u16,
    /// What it does, in a sentence without a full stop; may be empty.
    pub explanation: String,
    /// Where the knowledge comes from: the backend and model, pages, notes.
    pub citations: Vec<String>,
}

/// What a generator answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Outcome {
    /// Commands, best first; at least one.
    Candidates {
        /// The commands.
        candidates: Vec<Candidate>,
    },
    /// More than one thing could be meant.
    Ambiguous {
        /// Asked of the person.
        question: String,
        /// Requests that would be understood, to choose from.
        options: Vec<String>,
    },
    /// No guess is made.
    Abstained {
        /// Why, lower-case.
        why: String,
    },
}
