//! A person with a home of their own and nothing else.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cmdai_testkit::Pty;
use tempfile::TempDir;

/// What came back.
pub(crate) struct Said {
    /// Exit status.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// A home.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    /// An empty one with a project in it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("project/.git")).unwrap();
        Self { folder }
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file below the home.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(name)).ok()
    }

    /// `cmdai` with these arguments in a terminal.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> Pty {
        let program: Vec<&str> = [env!("CARGO_BIN_EXE_cmdai")]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let environment = [
            ("HOME", self.folder.path().display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("SHELL", "/bin/bash".to_owned()),
            ("TERM", "dumb".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        Pty::spawn(&program, &self.folder.path().join("project"), &environment).unwrap()
    }

    /// `cmdai` with these arguments and nothing on standard input.
    pub(crate) fn cmdai(&self, arguments: &[&str]) -> Said {
        self.cmdai_with(arguments, "")
    }

    /// The same with something on standard input.
    pub(crate) fn cmdai_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cmdai"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("NO_COLOR", "1")
            .env("USER", "ana")
            .current_dir(self.folder.path().join("project"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input closes the pipe: that is no failure.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "~")
        };
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}
