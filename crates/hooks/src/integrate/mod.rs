//! Edits to the settings of other programs, so that they ask cmdai: the same edit twice changes
//! nothing, what was there before is kept beside it, and taking it out gives the old file back.

pub mod claude_code;
mod ordered;

use std::io;
use std::path::{Path, PathBuf};

pub use ordered::Ordered;

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
}

/// What an edit does, before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file; a link was followed.
    pub file: PathBuf,
    /// Its bytes now; nothing where there is no file.
    pub before: Option<String>,
    /// Its bytes afterwards; nothing where the file goes away.
    pub after: Option<String>,
}

impl Edit {
    /// True where nothing changes.
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }

    /// The change, line by line.
    pub fn diff(&self) -> String {
        let lines = |text: &Option<String>| -> Vec<String> {
            text.iter()
                .flat_map(|text| text.lines().map(str::to_owned))
                .collect()
        };
        let (before, after) = (lines(&self.before), lines(&self.after));
        let head = before
            .iter()
            .zip(&after)
            .take_while(|(a, b)| a == b)
            .count();
        let rest = before.len().min(after.len()) - head;
        let tail = before
            .iter()
            .rev()
            .zip(after.iter().rev())
            .take(rest)
            .take_while(|(a, b)| a == b)
            .count();
        let mut out = format!("--- {0}\n+++ {0}\n", self.file.display());
        let context = head.saturating_sub(3);
        let mut push = |mark: char, lines: &[String], from: usize, to: usize| {
            for line in lines.get(from..to).unwrap_or_default() {
                out.push(mark);
                out.push_str(line);
                out.push('\n');
            }
        };
        push(' ', &before, context, head);
        push('-', &before, head, before.len() - tail);
        push('+', &after, head, after.len() - tail);
        push(
            ' ',
            &after,
            after.len() - tail,
            (after.len() - tail + 3).min(after.len()),
        );
        out
    }

    /// Does it. What was there stays beside it as `.bak`, unless an older one is there already.
    ///
    /// # Errors
    /// Where the file cannot be written; then the old one is whole.
    pub fn apply(&self) -> Result<(), IntegrateError> {
        if self.is_empty() {
            return Ok(());
        }
        let fail = |source| IntegrateError::File {
            file: self.file.clone(),
            source,
        };
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        match &self.after {
            None => std::fs::remove_file(&self.file).map_err(fail),
            Some(text) => {
                let fresh = beside(&self.file, &format!("new-{}", std::process::id()));
                let written = std::fs::write(&fresh, text).and_then(|()| {
                    if let Ok(meta) = std::fs::metadata(&self.file) {
                        std::fs::set_permissions(&fresh, meta.permissions())?;
                    }
                    std::fs::rename(&fresh, &self.file)
                });
                if written.is_err() {
                    let _ = std::fs::remove_file(&fresh);
                }
                written.map_err(fail)
            }
        }
    }

    /// Keeps what was there before the first edit.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn back_up(&self) -> Result<(), IntegrateError> {
        let backup = backup_of(&self.file);
        match &self.before {
            // What we wrote ourselves is not what the person had.
            Some(text) if text.contains("cmdai") && backup.exists() => Ok(()),
            Some(text) if !self.is_empty() => {
                std::fs::create_dir_all(self.file.parent().unwrap_or(Path::new("/")))
                    .and_then(|()| std::fs::write(&backup, text))
                    .map_err(|source| IntegrateError::File {
                        file: backup,
                        source,
                    })
            }
            _ => Ok(()),
        }
    }
}

/// Where the old bytes of a file are kept.
pub fn backup_of(file: &Path) -> PathBuf {
    beside(file, "bak")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

/// The text of a file, nothing where there is none.
pub(crate) fn read(file: &Path) -> Result<Option<String>, IntegrateError> {
    match std::fs::read_to_string(file) {
        Ok(text) if text.len() <= 4 * 1024 * 1024 => Ok(Some(text)),
        Ok(_) => Err(IntegrateError::Content {
            file: file.to_owned(),
            why: "it is too long".to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IntegrateError::File {
            file: file.to_owned(),
            source,
        }),
    }
}
