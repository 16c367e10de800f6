//! The person on whose behalf this process runs, and where their own files lie.

use std::path::{Path, PathBuf};

use crate::files;

/// A person as the machine knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Numeric id: the kernel's word, not the environment's.
    pub uid: u32,
    /// Login name.
    pub login: String,
    /// Home folder, absolute.
    pub home: PathBuf,
    /// Folder with the person's policy and settings.
    pub config: PathBuf,
    /// Folder with the person's history and caches.
    pub state: PathBuf,
}

impl Person {
    /// The person this process runs as.
    ///
    /// The name comes from `/etc/passwd`; where the account lives in a directory service, from
    /// `USER`. Neither is trusted for anything but display: evidence is filed by numeric id.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        Self::from_environment(uid, &|name| std::env::var(name).ok())
    }

    /// The same from a given environment.
    pub fn from_environment(uid: u32, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let entry = passwd_entry(uid);
        let absolute = |name: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let login = entry
            .as_ref()
            .map(|(login, _)| login.clone())
            .or_else(|| variable("USER").filter(|name| !name.is_empty()))
            .unwrap_or_else(|| uid.to_string());
        let home = absolute("HOME")
            .or_else(|| entry.map(|(_, home)| home))
            .unwrap_or_else(|| "/".into());
        let config = absolute("XDG_CONFIG_HOME")
            .unwrap_or_else(|| home.join(".config"))
            .join("cmdai");
        let state = absolute(cmdai_schema::paths::STATE_VARIABLE).unwrap_or_else(|| {
            absolute("XDG_STATE_HOME")
                .unwrap_or_else(|| home.join(".local/state"))
                .join("cmdai")
        });
        Self {
            uid,
            login,
            home,
            config,
            state,
        }
    }

    /// The person's own policy document.
    pub fn policy_file(&self) -> PathBuf {
        self.config.join("policy.yaml")
    }

    /// The local history of what was judged and run.
    pub fn history_file(&self) -> PathBuf {
        self.state.join("history.c1")
    }

    /// Home as text, `/` where it is not UTF-8.
    pub fn home_text(&self) -> &str {
        self.home.to_str().unwrap_or("/")
    }
}

fn passwd_entry(uid: u32) -> Option<(String, PathBuf)> {
    let bytes = files::read_bounded(Path::new("/etc/passwd"), 4 * 1024 * 1024).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let login = fields.next()?;
        let found: u32 = fields.nth(1)?.parse().ok()?;
        (found == uid).then(|| Some((login.to_owned(), PathBuf::from(fields.nth(2)?))))?
    })
}
