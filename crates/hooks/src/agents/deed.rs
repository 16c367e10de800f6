//! What a tool call would do, as a command of the shell: a file that an agent writes with a tool is
//! judged as the same file written by a shell.

use std::path::{Component, Path, PathBuf};

use cmdai_schema::Dialect;
use serde_json::Value;

use super::dialect::CallError;
use crate::places::quoted;

/// What a tool would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Run a command.
    Command {
        /// The command.
        text: String,
        /// Its language.
        dialect: Dialect,
        /// Files of a patch in it: Codex takes `apply_patch` in a command for its own tool.
        patched: Vec<FileChange>,
    },
    /// Change files.
    Files(Vec<FileChange>),
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is written anew.
    Write,
    /// A part of it is.
    Edit,
    /// It goes away.
    Delete,
}

/// One file that a tool changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path, as the tool was told it.
    pub path: String,
    /// What happens.
    pub change: Change,
    /// What is put in, where that is told.
    pub contents: String,
}

/// Tools by what they do, over all harnesses. A tool that is not here and takes a command is judged
/// as a shell.
const SHELLS: &[&str] = &[
    "Bash",
    "bash",
    "shell",
    "Shell",
    "exec_command",
    "shell_command",
    "run_shell_command",
    "run_in_terminal",
    "local_shell",
];
const POWERSHELLS: &[&str] = &["PowerShell", "powershell"];
/// Text typed into a shell that runs already.
const TYPED: &[&str] = &[
    "write_stdin",
    "write_bash",
    "write_powershell",
    "send_to_terminal",
];
const WRITERS: &[&str] = &["Write", "write", "write_file", "create", "create_file"];
const EDITORS: &[&str] = &[
    "Edit",
    "MultiEdit",
    "NotebookEdit",
    "StrReplace",
    "edit",
    "multiedit",
    "replace",
    "edit_file",
    "editFiles",
    "insert",
    "str_replace",
    "str_replace_editor",
    "str_replace_based_edit_tool",
    "replace_string_in_file",
    "multi_replace_string_in_file",
    "insert_edit_into_file",
    "edit_notebook_file",
];
const PATCHERS: &[&str] = &["apply_patch", "ApplyPatch", "patch"];
const DELETERS: &[&str] = &["Delete", "delete", "delete_file"];
/// Most files that one call may change; more is not understood.
const FILES: usize = 200;

impl Deed {
    /// Reads the input of a tool. Nothing where the tool neither runs commands nor changes files.
    ///
    /// # Errors
    /// Where it is one of those tools and its input is not understood.
    pub fn of_tool(tool: &str, input: Option<&Value>) -> Result<Option<Self>, CallError> {
        let parsed;
        let input = match input {
            // Some harnesses send the arguments as JSON inside a text; a patch may be a text as it is.
            Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
                Ok(value @ Value::Object(_)) => {
                    parsed = value;
                    Some(&parsed)
                }
                _ if PATCHERS.contains(&tool) => return Ok(Some(Self::Files(patch(text)?))),
                Ok(_) => None,
                Err(error) => return Err(CallError::Json(error.to_string())),
            },
            other => other,
        };
        let has = |names: &[&str]| names.contains(&tool);
        let empty = Value::Null;
        let fields = input.unwrap_or(&empty);
        if has(PATCHERS) {
            let text = text(fields, &["command", "patch", "patchText", "input"])
                .ok_or(CallError::Missing("patch"))?;
            return Ok(Some(Self::Files(patch(text)?)));
        }
        if has(TYPED) {
            let typed = text(fields, &["chars", "input", "command", "text"]).unwrap_or_default();
            return Ok(typed_text(typed).map(|text| Self::Command {
                text,
                dialect: Dialect::Bash,
                patched: Vec::new(),
            }));
        }
        if has(EDITORS) && text(fields, &["command"]) == Some("view") {
            return Ok(None);
        }
        if has(WRITERS) || has(EDITORS) || has(DELETERS) {
            return files(tool, fields).map(|files| Some(Self::Files(files)));
        }
        let found = ["command", "cmd", "commandLine", "command_line"]
            .iter()
            .find_map(|name| fields.get(name));
        match found {
            Some(found) => Ok(Some(Self::Command {
                patched: match command(found)? {
                    text if text.contains("*** Begin Patch") => patch(&text)?,
                    _ => Vec::new(),
                },
                text: command(found)?,
                dialect: if has(POWERSHELLS) {
                    Dialect::Powershell
                } else {
                    Dialect::Bash
                },
            })),
            None if has(SHELLS) || has(POWERSHELLS) => Err(CallError::Missing("command")),
            None => Ok(None),
        }
    }

    /// The command that does the same in a shell, with the contents of files or without. Paths are
    /// looked up: a file that is there is written over, a link is also named by where it leads.
    pub fn as_command(&self, cwd: &Path, home: &str, contents: bool) -> String {
        match self {
            Self::Command { text, patched, .. } if patched.is_empty() => text.clone(),
            Self::Command { text, patched, .. } => {
                let files = Self::Files(patched.clone()).as_command(cwd, home, contents);
                format!("{text}\n{files}")
            }
            Self::Files(files) => files
                .iter()
                .map(|file| file.as_command(cwd, home, contents))
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    /// True where files are changed by a tool.
    pub fn changes_files(&self) -> bool {
        match self {
            Self::Command { patched, .. } => !patched.is_empty(),
            Self::Files(_) => true,
        }
    }

    /// The language of the command.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Command { dialect, .. } => *dialect,
            Self::Files(_) => Dialect::Bash,
        }
    }
}

impl FileChange {
    fn as_command(&self, cwd: &Path, home: &str, contents: bool) -> String {
        let (path, leads) = look_up(&self.path, cwd, home);
        let mut words = match (self.change, path.exists()) {
            (Change::Delete, _) => "rm -f --".to_owned(),
            (Change::Write, true) => "tee --".to_owned(),
            (Change::Write | Change::Edit, _) => "tee -a --".to_owned(),
        };
        for path in [Some(&path), leads.as_ref()].into_iter().flatten() {
            words.push(' ');
            words.push_str(&quoted(&path.to_string_lossy()));
        }
        if contents && !self.contents.is_empty() && self.change != Change::Delete {
            let mut end = "CMDAI_END".to_owned();
            while self.contents.lines().any(|line| line == end) {
                end.push('_');
            }
            words.push_str(&format!(" <<'{end}'\n{}\n{end}", self.contents));
        }
        words
    }
}

/// The absolute path, without `.` and `..`, and where it leads if that is another place.
fn look_up(path: &str, cwd: &Path, home: &str) -> (PathBuf, Option<PathBuf>) {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let whole = match path.strip_prefix("~/") {
        Some(rest) => Path::new(home).join(rest),
        None => cwd.join(path),
    };
    let mut plain = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    // A file that is yet to be made lies in the nearest folder that there is.
    let mut rest = Vec::new();
    let mut known = whole.as_path();
    let real = loop {
        if let Ok(real) = known.canonicalize() {
            break Some(rest.iter().rev().fold(real, |path, part| path.join(part)));
        }
        match (known.file_name(), known.parent()) {
            (Some(name), Some(parent)) if rest.len() < 64 => {
                rest.push(name.to_owned());
                known = parent;
            }
            _ => break None,
        }
    };
    let leads = real.filter(|real| *real != plain);
    (plain, leads)
}

fn text<'a>(fields: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| fields.get(name)?.as_str())
}

/// A command: a text, or words (then quoted back into a text).
fn command(found: &Value) -> Result<String, CallError> {
    match found {
        Value::String(text) => Ok(text.clone()),
        Value::Array(words) => {
            let words: Option<Vec<String>> =
                words.iter().map(|word| word.as_str().map(quoted)).collect();
            words
                .map(|words| words.join(" "))
                .ok_or(CallError::Missing("command made of texts"))
        }
        _ => Err(CallError::Missing("command as a text")),
    }
}

/// Text typed into a shell; keys such as Ctrl-C and an empty text say nothing. Copilot writes keys as
/// `{enter}`.
fn typed_text(typed: &str) -> Option<String> {
    let mut typed = typed.replace("{enter}", "\n");
    for key in [
        "{up}",
        "{down}",
        "{left}",
        "{right}",
        "{backspace}",
        "{tab}",
        "{escape}",
    ] {
        typed = typed.replace(key, "");
    }
    let text: String = typed
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

const PATHS: &[&str] = &[
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "target_file",
    "uri",
];
const CONTENTS: &[&str] = &[
    "content",
    "contents",
    "file_text",
    "new_string",
    "newString",
    "new_str",
    "new_source",
    "newCode",
    "code",
    "insert_text",
];

/// Files of a tool that takes one path, or several edits each with its own.
fn files(tool: &str, fields: &Value) -> Result<Vec<FileChange>, CallError> {
    let makes = text(fields, &["command"]) == Some("create");
    let change = if DELETERS.contains(&tool) {
        Change::Delete
    } else if WRITERS.contains(&tool) || makes {
        Change::Write
    } else {
        Change::Edit
    };
    let whole = text(fields, PATHS);
    let edits = ["edits", "replacements", "files"]
        .iter()
        .find_map(|name| fields.get(name)?.as_array())
        .map(Vec::as_slice)
        .unwrap_or_default();
    if edits.len() > FILES {
        return Err(CallError::Missing("bounded number of files"));
    }
    let mut found: Vec<FileChange> = Vec::new();
    if let Some(path) = whole {
        let mut contents: Vec<&str> = text(fields, CONTENTS).into_iter().collect();
        contents.extend(edits.iter().filter_map(|edit| text(edit, CONTENTS)));
        found.push(FileChange {
            path: path.to_owned(),
            change,
            contents: contents.join("\n"),
        });
    }
    for edit in edits {
        let path = edit.as_str().or_else(|| text(edit, PATHS));
        if let Some(path) = path.filter(|path| whole != Some(*path)) {
            found.push(FileChange {
                path: path.to_owned(),
                change,
                contents: text(edit, CONTENTS).unwrap_or_default().to_owned(),
            });
        }
    }
    if found.is_empty() {
        return Err(CallError::Missing("path of the file"));
    }
    Ok(found)
}

/// Files of a patch in the form `*** Update File: PATH`, or of a unified diff.
fn patch(text: &str) -> Result<Vec<FileChange>, CallError> {
    let mut found: Vec<FileChange> = Vec::new();
    let mut push = |path: &str, change| {
        let path = path.trim();
        if !path.is_empty() && path != "/dev/null" {
            found.push(FileChange {
                path: path.to_owned(),
                change,
                contents: String::new(),
            });
        }
        found.len() <= FILES
    };
    let mut added: Vec<(usize, &str)> = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let header = [
            ("*** Add File: ", Change::Write),
            ("*** Update File: ", Change::Edit),
            ("*** Delete File: ", Change::Delete),
            ("*** Move to: ", Change::Write),
            ("+++ b/", Change::Edit),
            ("+++ ", Change::Edit),
        ]
        .into_iter()
        .find_map(|(mark, change)| Some((line.strip_prefix(mark)?, change)));
        if let Some((path, change)) = header {
            if !push(path, change) {
                return Err(CallError::Missing("bounded number of files"));
            }
            count += 1;
        } else if let Some(line) = line.strip_prefix('+') {
            added.push((count, line));
        }
    }
    for (number, file) in found.iter_mut().enumerate() {
        let lines: Vec<&str> = added
            .iter()
            .filter(|(count, _)| *count == number + 1)
            .map(|(_, line)| *line)
            .collect();
        file.contents = lines.join("\n");
    }
    if found.is_empty() {
        return Err(CallError::Missing("file in the patch"));
    }
    Ok(found)
}
