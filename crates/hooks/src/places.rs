//! Where the installed programs lie.

use std::path::{Path, PathBuf};

/// The installed program and the native modules beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The `cmdai` program, absolute.
    pub program: PathBuf,
    /// The native bash module, absolute, where there is one.
    pub bash_module: Option<PathBuf>,
}

/// File name of the native bash module.
const BASH_MODULE: &str = "libcmdai_bash.so";

impl Paths {
    /// Finds the modules of a program: beside it, or in `../lib/cmdai/`.
    pub fn of_program(program: &Path) -> Self {
        let folder = program.parent().unwrap_or(Path::new("/"));
        let bash_module = [
            folder.join(BASH_MODULE),
            folder.join("../lib/cmdai").join(BASH_MODULE),
        ]
        .into_iter()
        .find_map(|candidate| candidate.canonicalize().ok());
        Self {
            program: program.to_owned(),
            bash_module,
        }
    }

    /// The running program's.
    ///
    /// # Errors
    /// Where the operating system does not tell what is running.
    pub fn current() -> std::io::Result<Self> {
        Ok(Self::of_program(&std::env::current_exe()?))
    }
}

/// A text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '/' | '.' | '_' | '-' | '+' | ':' | ',' | '@' | '=')
    };
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(quoted("/usr/bin/cmdai"), "/usr/bin/cmdai");
        assert_eq!(quoted("/a b/c'd"), r"'/a b/c'\''d'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn modules_are_found_beside_the_program() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            Paths::of_program(&dir.path().join("cmdai")).bash_module,
            None
        );
        std::fs::write(dir.path().join(BASH_MODULE), "").unwrap();
        assert!(
            Paths::of_program(&dir.path().join("cmdai"))
                .bash_module
                .unwrap()
                .ends_with(BASH_MODULE)
        );
    }
}
