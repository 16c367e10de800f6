//! Where the installed programs lie.

use std::path::{Path, PathBuf};

/// The installed program and the native modules beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// The `cmdai` program, absolute.
    pub program: PathBuf,
    /// The native bash module, absolute, where there is one.
    pub bash_module: Option<PathBuf>,
    /// The native zsh module, absolute, where there is one.
    pub zsh_module: Option<PathBuf>,
}

/// File name of the native bash module.
const BASH_MODULE: &str = "libcmdai_bash.so";
/// File name of the native zsh module.
const ZSH_MODULE: &str = "libcmdai_zsh.so";

impl Paths {
    /// Finds the modules of a program: beside it, or in `../lib/cmdai/`.
    pub fn of_program(program: &Path) -> Self {
        let folder = program.parent().unwrap_or(Path::new("/"));
        let module = |name: &str| {
            [folder.join(name), folder.join("../lib/cmdai").join(name)]
                .into_iter()
                .find_map(|candidate| candidate.canonicalize().ok())
        };
        Self {
            program: program.to_owned(),
            bash_module: module(BASH_MODULE),
            zsh_module: module(ZSH_MODULE),
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
        let found = || {
            let paths = Paths::of_program(&dir.path().join("cmdai"));
            [paths.bash_module, paths.zsh_module]
        };
        assert_eq!(found(), [None, None]);
        for (index, name) in [BASH_MODULE, ZSH_MODULE].into_iter().enumerate() {
            std::fs::write(dir.path().join(name), "").unwrap();
            assert!(found()[index].as_ref().unwrap().ends_with(name));
        }
    }
}
