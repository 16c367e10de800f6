//! Edits to the settings of other programs, so that they ask cmdai: the same edit twice changes
//! nothing, what was there before is kept beside it, and taking it out gives the old file back.
//!
//! Comments, order and spacing of what is not ours stay. A file that is a link, lies behind one, or
//! belongs to somebody else is left alone: an edit must not reach where nobody looked.

mod edit;
mod json;
mod target;
mod toml;

use std::io;
use std::path::{Path, PathBuf};

pub use edit::{Edit, backup_of};

use crate::agents::Agent;
use crate::places::Paths;
use target::{Part, Target};

/// Why settings could not be edited. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum IntegrateError {
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what the program itself would read.
    #[error("{} is not understood ({why}); mend it first, nothing was changed", file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// It is not this person's own plain file.
    #[error("{} {why}; nothing was changed", file.display())]
    Foreign {
        /// Which file or folder.
        file: PathBuf,
        /// What it is instead.
        why: String,
    },
}

impl IntegrateError {
    fn content(file: &Path, why: &str) -> Self {
        Self::Content {
            file: file.to_owned(),
            why: why.to_owned(),
        }
    }

    fn file(file: &Path) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        |source| Self::File { file, source }
    }
}

/// Whose settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The person's own, below this home.
    Person(PathBuf),
    /// Those that an administrator deploys, below this root (`/` on the machine itself).
    Managed(PathBuf),
}

impl Scope {
    fn root(&self) -> &Path {
        match self {
            Self::Person(root) | Self::Managed(root) => root,
        }
    }
}

/// What is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing of ours.
    Missing,
    /// Ours, but not as it would be installed now.
    Outdated,
    /// Complete.
    Installed,
}

impl Status {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Outdated => "outdated",
            Self::Installed => "installed",
        }
    }
}

/// The edits that install the hooks; each is empty where its file is complete. None where the
/// harness has no place for them in this scope.
///
/// # Errors
/// Where a file cannot be read, is not what the harness would read, or is not the person's own.
pub fn install(agent: Agent, scope: &Scope, paths: &Paths) -> Result<Vec<Edit>, IntegrateError> {
    target::targets(agent, scope, paths)
        .into_iter()
        .map(|Target { file, part }| {
            edit::is_own(&file, scope.root())?;
            let before = edit::read(&file)?;
            let after = match &part {
                Part::Json(part) => part.put(&file, before.as_deref())?,
                Part::Toml(part) => part.put(&file, before.as_deref())?,
                Part::Whole(text) => text.clone(),
            };
            Ok(Edit {
                file,
                before,
                after: Some(after),
                restores: false,
            })
        })
        .collect()
}

/// The edits that take the hooks out again and give the old files back.
///
/// # Errors
/// As for [`install`].
pub fn remove(agent: Agent, scope: &Scope, paths: &Paths) -> Result<Vec<Edit>, IntegrateError> {
    target::targets(agent, scope, paths)
        .into_iter()
        .map(|Target { file, part }| {
            edit::is_own(&file, scope.root())?;
            let before = edit::read(&file)?;
            let Some(text) = before.as_deref() else {
                return Ok(Edit::nothing(file, None));
            };
            let left = match &part {
                Part::Json(part) => part.take(&file, text)?,
                Part::Toml(part) => part.take(&file, text)?,
                Part::Whole(_) if text.contains("cmdai") => None,
                Part::Whole(_) => Some(text.to_owned()),
            };
            if left.as_deref() == Some(text) {
                return Ok(Edit::nothing(file, before));
            }
            // Where nothing else was changed since, the old bytes come back as they were.
            let kept = edit::read(&backup_of(&file))?.filter(|old| match &part {
                Part::Json(part) => part.same(&file, old, left.as_deref()),
                Part::Toml(part) => part.same(&file, old, left.as_deref()),
                Part::Whole(_) => true,
            });
            Ok(Edit {
                file,
                before,
                restores: kept.is_some(),
                after: kept.or(left.filter(|text| !only_version(text))),
            })
        })
        .collect()
}

/// A file that says nothing but the version of its format was made by us.
fn only_version(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| {
        value
            .as_object()
            .is_some_and(|fields| fields.keys().all(|key| key == "version"))
    })
}

/// What is installed.
///
/// # Errors
/// As for [`install`].
pub fn status(agent: Agent, scope: &Scope, paths: &Paths) -> Result<Status, IntegrateError> {
    let edits = install(agent, scope, paths)?;
    if !edits.is_empty() && edits.iter().all(Edit::is_empty) {
        return Ok(Status::Installed);
    }
    let ours = remove(agent, scope, paths)?
        .iter()
        .any(|edit| !edit.is_empty());
    Ok(if ours {
        Status::Outdated
    } else {
        Status::Missing
    })
}

/// The files that an administrator deploys on this kind of machine, whole, with their paths.
///
/// # Errors
/// Never for files that are made from nothing; the type is [`install`]'s.
pub fn managed_files(
    agent: Agent,
    paths: &Paths,
) -> Result<Vec<(PathBuf, String)>, IntegrateError> {
    let nowhere = Scope::Managed(PathBuf::from("/"));
    target::targets(agent, &nowhere, paths)
        .into_iter()
        .map(|Target { file, part }| {
            let text = match &part {
                Part::Json(part) => part.put(&file, None)?,
                Part::Toml(part) => part.put(&file, None)?,
                Part::Whole(text) => text.clone(),
            };
            Ok((file, text))
        })
        .collect()
}

/// What a person has to know or do besides, in whole sentences. Empty for most.
pub fn notes(agent: Agent) -> &'static [&'static str] {
    match agent {
        Agent::Codex => &[
            "Codex skips a person's hooks until they are trusted: open `codex` once and say so in /hooks. Managed hooks need no trust.",
            "Codex types into a running shell without asking a hook, so starting a shell with nothing to run is denied.",
        ],
        Agent::GeminiCli => &[
            "A project can switch a person's hooks off; managed settings win over that, unless GEMINI_CLI_SYSTEM_SETTINGS_PATH points elsewhere.",
        ],
        Agent::ClaudeCode => &[
            "A project can switch a person's hooks off (disableAllHooks); managed settings cannot be switched off.",
        ],
        Agent::VsCode => &[
            "Copilot CLI reads the same folder and runs these hooks too.",
            "There is no place for hooks that a person cannot change.",
        ],
        Agent::CopilotCli => {
            &["A hook that runs out of time counts as consent there; cmdai answers before."]
        }
        Agent::Opencode | Agent::QwenCode | Agent::Cursor | Agent::Windsurf => &[],
    }
}

/// Folders or files, below a home, that say that a person uses the harness.
pub fn traces(agent: Agent) -> &'static [&'static str] {
    match agent {
        Agent::ClaudeCode => &[".claude", ".claude.json"],
        Agent::Codex => &[".codex"],
        Agent::GeminiCli => &[".gemini"],
        Agent::QwenCode => &[".qwen"],
        Agent::CopilotCli => &[".copilot/config.json", ".copilot/session-state"],
        Agent::Opencode => &[".config/opencode", ".local/share/opencode"],
        Agent::Cursor => &[".cursor"],
        Agent::Windsurf => &[".codeium/windsurf"],
        Agent::VsCode => &[".config/Code", ".vscode"],
    }
}
