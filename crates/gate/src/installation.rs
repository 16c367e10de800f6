//! Is this machine governed, and where do things lie?
//!
//! The answer never falls back to "not governed" because something is damaged: a mark that cannot
//! be read or that somebody else could have written still means governed, with a problem to show.

use std::path::{Path, PathBuf};

use cmdai_schema::paths::{GovernedMark, Places, STATE_VARIABLE, SYSTEM_MARK};

use crate::files::{self, Owner};

const MARK_LIMIT: u64 = 256 * 1024;

/// What kind of installation this process belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installation {
    /// Nobody governs: the person's own policy and the built-in packs decide.
    Community,
    /// Somebody governs.
    Governed(Box<Governed>),
}

/// A governed installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governed {
    /// Where things lie.
    pub places: Places,
    /// Who governs.
    pub mark: GovernedMark,
    /// Compiled-in places that belong to root; false for an unprivileged trial below one folder.
    pub system: bool,
    /// What is wrong with the mark, each with what to do.
    pub problems: Vec<String>,
}

impl Installation {
    /// Looks for the mark of a governed machine.
    ///
    /// The system's mark wins and switches every environment override off. Else a mark in
    /// `$CMDAI_STATE_DIR`, or in `$XDG_STATE_HOME/cmdai`, makes an unprivileged governed
    /// installation below that folder.
    pub fn detect() -> Self {
        let person = crate::Person::current();
        Self::detect_with(Path::new(SYSTEM_MARK), &person)
    }

    /// The same with the system's mark at a given place.
    pub fn detect_with(system_mark: &Path, person: &crate::Person) -> Self {
        if exists(system_mark) {
            return read(
                Places {
                    mark: system_mark.to_owned(),
                    ..Places::system()
                },
                true,
                Owner::Root,
            );
        }
        let places = Places::below(&person.state);
        if exists(&places.mark) {
            return read(places, false, Owner::RootOr(person.uid));
        }
        Self::Community
    }

    /// The governed part, where there is one.
    pub fn governed(&self) -> Option<&Governed> {
        match self {
            Self::Community => None,
            Self::Governed(governed) => Some(governed),
        }
    }

    /// True where somebody governs.
    pub fn is_governed(&self) -> bool {
        self.governed().is_some()
    }
}

impl Governed {
    /// Whose files the installation's files have to be.
    pub(crate) fn owner(&self, uid: u32) -> Owner {
        if self.system {
            Owner::Root
        } else {
            Owner::RootOr(uid)
        }
    }
}

/// A mark that may not be looked at still exists.
fn exists(mark: &Path) -> bool {
    match std::fs::symlink_metadata(mark) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
        ),
    }
}

fn read(places: Places, system: bool, owner: Owner) -> Installation {
    let mut problems = Vec::new();
    let mark = match files::read_checked(&places.mark, MARK_LIMIT, Some(owner)) {
        Ok((bytes, _)) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            problems.push(format!(
                "{} is damaged ({error}); enrol this machine again",
                places.mark.display()
            ));
            GovernedMark::default()
        }),
        Err(error) => {
            problems.push(format!(
                "{} cannot be trusted: {error}; restore its owner and mode",
                places.mark.display()
            ));
            GovernedMark::default()
        }
    };
    Installation::Governed(Box::new(Governed {
        places,
        mark,
        system,
        problems,
    }))
}

/// The folder that moves an unprivileged installation, where the environment names one.
pub fn state_override() -> Option<PathBuf> {
    std::env::var_os(STATE_VARIABLE)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(state: &Path) -> crate::Person {
        let uid = rustix::process::getuid().as_raw();
        let state = state.to_str().unwrap().to_owned();
        crate::Person::from_environment(uid, &move |name| match name {
            "HOME" => Some("/home/nobody".to_owned()),
            "CMDAI_STATE_DIR" => Some(state.clone()),
            _ => None,
        })
    }

    #[test]
    fn no_mark_is_community() {
        let dir = tempfile::tempdir().unwrap();
        let found = Installation::detect_with(&dir.path().join("none"), &person(dir.path()));
        assert_eq!(found, Installation::Community);
    }

    #[test]
    fn a_damaged_mark_is_governed_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("governed.json"), "{").unwrap();
        let found = Installation::detect_with(&dir.path().join("none"), &person(dir.path()));
        let governed = found.governed().unwrap();
        assert!(!governed.system);
        assert_eq!(governed.problems.len(), 1);
        assert!(governed.places.snapshot.starts_with(dir.path()));
    }

    #[test]
    fn a_system_mark_switches_the_override_off() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("system.json");
        std::fs::write(
            &mark,
            r#"{"version":1,"organisation":"acme","machine_id":"m1"}"#,
        )
        .unwrap();
        std::fs::write(
            dir.path().join("governed.json"),
            r#"{"version":1,"organisation":"other","machine_id":"x"}"#,
        )
        .unwrap();
        let found = Installation::detect_with(&mark, &person(dir.path()));
        let governed = found.governed().unwrap();
        assert!(governed.system);
        assert_eq!(governed.places.snapshot, Places::system().snapshot);
        // The mark is only believed where root alone could have written it.
        let root = rustix::process::getuid().is_root();
        assert_eq!(governed.mark.organisation == "acme", root);
        assert_eq!(governed.problems.is_empty(), root);
    }

    #[test]
    fn a_mark_that_others_may_write_is_not_believed() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("governed.json");
        std::fs::write(
            &mark,
            r#"{"version":1,"organisation":"acme","machine_id":"m1"}"#,
        )
        .unwrap();
        std::fs::set_permissions(&mark, std::fs::Permissions::from_mode(0o666)).unwrap();
        let found = Installation::detect_with(&dir.path().join("none"), &person(dir.path()));
        let governed = found.governed().unwrap();
        assert_eq!(governed.mark.organisation, "");
        assert!(governed.problems.concat().contains("others may write"));
    }
}
