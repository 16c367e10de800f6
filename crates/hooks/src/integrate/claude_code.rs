//! Claude Code: hooks in `~/.claude/settings.json`, or in `managed-settings.json` where the
//! organisation's own settings win over project and person.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Edit, IntegrateError, Ordered, backup_of, read};
use crate::places::{Paths, quoted};

/// Events that are hooked, and whether the harness waits for the answer.
const EVENTS: &[(&str, bool)] = &[
    ("PreToolUse", true),
    ("PostToolUse", false),
    ("PostToolUseFailure", false),
    ("SessionStart", false),
    ("SessionEnd", false),
];
/// What our entries are recognised by.
const MARK: &str = " hook claude-code";
/// Seconds that Claude Code gives the hook; ours answers before.
const TIMEOUT: u64 = 10;

/// Which settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The person's own, below this home.
    Person(PathBuf),
    /// The managed ones in this folder (`/etc/claude-code` on Linux).
    Managed(PathBuf),
}

impl Scope {
    fn file(&self) -> PathBuf {
        let file = match self {
            Self::Person(home) => home.join(".claude/settings.json"),
            Self::Managed(folder) => folder.join("managed-settings.json"),
        };
        // A link into somebody's dotfiles stays a link.
        file.canonicalize().unwrap_or(file)
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

/// The edit that installs the hooks. Empty where they are installed.
///
/// # Errors
/// Where the settings cannot be read or are not what Claude Code would read.
pub fn install(scope: &Scope, paths: &Paths) -> Result<Edit, IntegrateError> {
    let file = scope.file();
    let before = read(&file)?;
    let mut settings = parse(&file, before.as_deref())?;
    let wrong = || IntegrateError::Content {
        file: file.clone(),
        why: "hooks are not where they belong".to_owned(),
    };
    if matches!(scope, Scope::Managed(_)) {
        *settings
            .entry("allowManagedHooksOnly", Ordered::Plain(true.into()))
            .ok_or_else(wrong)? = Ordered::Plain(true.into());
    }
    let hooks = settings
        .entry("hooks", Ordered::Object(Vec::new()))
        .ok_or_else(wrong)?;
    for (event, blocking) in EVENTS {
        let ours = entry(event, *blocking, paths);
        let groups = hooks
            .entry(event, Ordered::Array(Vec::new()))
            .ok_or_else(wrong)?
            .items()
            .ok_or_else(wrong)?;
        let is_there = groups.iter().filter(|group| is_ours(group)).eq([&ours]);
        if !is_there {
            groups.retain(|group| !is_ours(group));
            groups.push(ours);
        }
    }
    finish(file, before, &settings)
}

/// The edit that takes the hooks out again and gives the old file back.
///
/// # Errors
/// Where the settings cannot be read or are not what Claude Code would read.
pub fn remove(scope: &Scope) -> Result<Edit, IntegrateError> {
    let file = scope.file();
    let before = read(&file)?;
    if before.is_none() {
        return Ok(Edit {
            file,
            before: None,
            after: None,
        });
    }
    let mut settings = parse(&file, before.as_deref())?;
    let mut removed = false;
    if let Some(hooks) = settings
        .entry("hooks", Ordered::Object(Vec::new()))
        .and_then(Ordered::fields)
    {
        for (_, groups) in hooks.iter_mut() {
            if let Some(groups) = groups.items() {
                let count = groups.len();
                groups.retain(|group| !is_ours(group));
                removed |= groups.len() < count;
            }
        }
        hooks.retain(|(_, groups)| *groups != Ordered::Array(Vec::new()));
    }
    if !removed {
        return Ok(Edit {
            file,
            after: before.clone(),
            before,
        });
    }
    if let Some(fields) = settings.fields() {
        fields.retain(|(name, value)| !(name == "hooks" && *value == Ordered::Object(Vec::new())));
        if matches!(scope, Scope::Managed(_)) {
            fields.retain(|(name, _)| name != "allowManagedHooksOnly");
        }
        if fields.is_empty() {
            return Ok(Edit {
                file,
                before,
                after: None,
            });
        }
    }
    // Where nothing else was changed since, the old bytes come back as they were.
    let kept = read(&backup_of(&file))?
        .filter(|old| parse(&file, Some(old)).is_ok_and(|old| old == settings));
    match kept {
        Some(old) => Ok(Edit {
            file,
            before,
            after: Some(old),
        }),
        None => finish(file, before, &settings),
    }
}

/// What is installed.
///
/// # Errors
/// Where the settings cannot be read or are not what Claude Code would read.
pub fn status(scope: &Scope, paths: &Paths) -> Result<Status, IntegrateError> {
    if install(scope, paths)?.is_empty() {
        return Ok(Status::Installed);
    }
    let file = scope.file();
    Ok(match read(&file)? {
        Some(text) if text.contains(MARK) => Status::Outdated,
        _ => Status::Missing,
    })
}

fn parse(file: &Path, text: Option<&str>) -> Result<Ordered, IntegrateError> {
    let content = |why: String| IntegrateError::Content {
        file: file.to_owned(),
        why,
    };
    match text.filter(|text| !text.trim().is_empty()) {
        None => Ok(Ordered::Object(Vec::new())),
        Some(text) => match serde_json::from_str(text) {
            Ok(settings @ Ordered::Object(_)) => Ok(settings),
            Ok(_) => Err(content("it is not an object".to_owned())),
            Err(error) => Err(content(error.to_string())),
        },
    }
}

fn finish(
    file: PathBuf,
    before: Option<String>,
    settings: &Ordered,
) -> Result<Edit, IntegrateError> {
    let same = before
        .as_deref()
        .is_some_and(|text| parse(&file, Some(text)).is_ok_and(|old| old == *settings));
    if same {
        return Ok(Edit {
            file,
            after: before.clone(),
            before,
        });
    }
    match serde_json::to_string_pretty(settings) {
        Ok(text) => Ok(Edit {
            file,
            before,
            after: Some(text + "\n"),
        }),
        Err(error) => Err(IntegrateError::Content {
            file,
            why: error.to_string(),
        }),
    }
}

/// Our group for an event. The shell turns a crash or a missing program into a block.
fn entry(event: &str, blocking: bool, paths: &Paths) -> Ordered {
    let program = quoted(&paths.program.to_string_lossy());
    let mut hook =
        json!({"type": "command", "command": format!("{program}{MARK}"), "timeout": TIMEOUT});
    if blocking && let Some(fields) = hook.as_object_mut() {
        fields.insert(
            "command".to_owned(),
            json!(format!("{program}{MARK} || exit 2")),
        );
        fields.insert("onFailure".to_owned(), json!("block"));
    }
    let mut group = json!({"hooks": [hook]});
    if event.contains("ToolUse")
        && let Some(fields) = group.as_object_mut()
    {
        fields.insert("matcher".to_owned(), json!("Bash"));
    }
    group.into()
}

fn is_ours(group: &Ordered) -> bool {
    let Some(Ordered::Array(hooks)) = group.get("hooks") else {
        return false;
    };
    hooks.iter().any(|hook| {
        hook.get("command")
            .and_then(Ordered::as_str)
            .is_some_and(|command| command.contains("cmdai") && command.contains(MARK))
    })
}
