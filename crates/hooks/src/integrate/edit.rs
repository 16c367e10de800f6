//! One change to one file: shown first, done in one step, and only to the person's own file.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::IntegrateError;

/// Longest settings that are read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;

/// What an edit does, before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub file: PathBuf,
    /// Its bytes now; nothing where there is no file.
    pub before: Option<String>,
    /// Its bytes afterwards; nothing where the file goes away.
    pub after: Option<String>,
    /// These are the bytes that were kept before the first edit.
    pub restores: bool,
}

impl Edit {
    pub(super) fn nothing(file: PathBuf, text: Option<String>) -> Self {
        Self {
            file,
            before: text.clone(),
            after: text,
            restores: false,
        }
    }

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
        let name = |there: bool| match there {
            true => self.file.display().to_string(),
            false => "/dev/null".to_owned(),
        };
        let mut out = format!(
            "--- {}\n+++ {}\n",
            name(self.before.is_some()),
            name(self.after.is_some())
        );
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

    /// Does it. What was there stays beside it as `.bak`, unless an older one is there already;
    /// where the old bytes come back, the copy goes away.
    ///
    /// # Errors
    /// Where the file cannot be written; then the old one is whole.
    pub fn apply(&self) -> Result<(), IntegrateError> {
        if self.is_empty() {
            return Ok(());
        }
        self.back_up()?;
        let file = &self.file;
        match &self.after {
            None => std::fs::remove_file(file).map_err(IntegrateError::file(file))?,
            Some(text) => {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder).map_err(IntegrateError::file(file))?;
                }
                let mode = std::fs::metadata(file).ok().map(|meta| meta.permissions());
                replace(file, text, mode).map_err(IntegrateError::file(file))?;
            }
        }
        if self.restores {
            let _ = std::fs::remove_file(backup_of(file));
        }
        Ok(())
    }

    /// Keeps what was there before the first edit.
    fn back_up(&self) -> Result<(), IntegrateError> {
        let backup = backup_of(&self.file);
        match &self.before {
            // What we wrote ourselves is not what the person had.
            Some(text) if text.contains("cmdai") || self.after.is_none() => Ok(()),
            Some(text) => {
                let mode = std::fs::metadata(&self.file).ok();
                replace(&backup, text, mode.map(|meta| meta.permissions()))
                    .map_err(IntegrateError::file(&backup))
            }
            None => Ok(()),
        }
    }
}

/// Writes a file beside, then puts it in place: nobody ever reads half of it, and no link is
/// followed.
fn replace(file: &Path, text: &str, mode: Option<std::fs::Permissions>) -> io::Result<()> {
    let fresh = beside(file, &format!("new-{}", std::process::id()));
    let _ = std::fs::remove_file(&fresh);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&fresh)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            if let Some(mode) = mode {
                out.set_permissions(mode)?;
            }
            out.sync_all()?;
            std::fs::rename(&fresh, file)
        });
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
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
pub(super) fn read(file: &Path) -> Result<Option<String>, IntegrateError> {
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(IntegrateError::file(file)(source)),
    };
    let mut text = String::new();
    let length = opened
        .take(LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(IntegrateError::file(file))?;
    if length as u64 > LIMIT {
        return Err(IntegrateError::content(file, "it is too long"));
    }
    Ok(Some(text))
}

/// The file, and every folder down to it from `root`, is no link and belongs to who runs this.
pub(super) fn is_own(file: &Path, root: &Path) -> Result<(), IntegrateError> {
    let me = cmdai_gate::Person::current().uid;
    let mut place = root.to_owned();
    let below = file.strip_prefix(root).unwrap_or(file);
    for part in below.components() {
        place.push(part);
        let meta = match std::fs::symlink_metadata(&place) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(source) => return Err(IntegrateError::file(&place)(source)),
        };
        let foreign = |why: String| IntegrateError::Foreign {
            file: place.clone(),
            why,
        };
        if meta.is_symlink() {
            let to = std::fs::read_link(&place).unwrap_or_default();
            return Err(foreign(format!(
                "is a link to {}, and links are not followed: put the hooks into that file yourself \
                 (--dry-run on a plain file shows them)",
                to.display()
            )));
        }
        if meta.uid() != me {
            return Err(foreign(format!(
                "belongs to the user with the number {}, not to you",
                meta.uid()
            )));
        }
        if place == *file && !meta.is_file() {
            return Err(foreign("is not a file".to_owned()));
        }
    }
    Ok(())
}
