//! File rules of a tree: where it may write, and where it may read, kept by the kernel (Landlock).

use std::path::{Path, PathBuf};

/// Rules ready to be taken on by a process for good.
#[derive(Debug)]
pub struct Ruleset {
    #[cfg(target_os = "linux")]
    made: landlock::RulesetCreated,
}

/// What a tree may do with files, in the words of a policy.
#[derive(Debug, Clone, Copy)]
pub struct FileRules<'a> {
    /// The only places that may be written; everything where empty.
    pub write: &'a [String],
    /// Places that may be read besides; everything where empty.
    pub read_only: &'a [String],
    /// Working directory.
    pub cwd: &'a Path,
    /// Home.
    pub home: &'a Path,
    /// Folders of cmdai itself that its hooks inside the tree write to.
    pub own: &'a [PathBuf],
}

/// Where the system's programs lie and what they read.
const SYSTEM: &[&str] = &[
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix",
    "/snap", "/proc", "/sys", "/dev", "/run",
];
/// What programs write that is no file of anybody's.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
];
/// Where anybody puts passing files.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp", "/dev/shm"];

impl FileRules<'_> {
    fn folders(&self, place: &str) -> Vec<PathBuf> {
        match place {
            "project" => vec![project(self.cwd)],
            "tmp" => {
                let given = std::env::var_os("TMPDIR").map(PathBuf::from);
                let given = given.filter(|path| path.is_absolute());
                TEMPORARY.iter().map(PathBuf::from).chain(given).collect()
            }
            "~" => vec![self.home.to_owned()],
            path => match path.strip_prefix("~/") {
                Some(rest) => vec![self.home.join(rest)],
                None => vec![PathBuf::from(path)],
            },
        }
    }

    fn all(&self, places: &[String]) -> Vec<PathBuf> {
        places
            .iter()
            .flat_map(|place| self.folders(place))
            .collect()
    }

    /// Folders that may be written and those that may be read; nothing where everything may.
    fn permitted(&self) -> (Option<Vec<PathBuf>>, Option<Vec<PathBuf>>) {
        let own = || self.own.iter().cloned();
        let write = self.all(self.write);
        let read = (!self.read_only.is_empty()).then(|| {
            // The hooks inside the tree are this program and the module beside it.
            let program = std::env::current_exe().ok();
            let beside = program
                .iter()
                .flat_map(|program| [program.clone(), program.with_file_name("libcmdai_bash.so")]);
            self.all(self.read_only)
                .into_iter()
                .chain(write.iter().cloned())
                .chain(SYSTEM.iter().map(PathBuf::from))
                .chain(beside)
                .chain(own())
                .collect::<Vec<_>>()
        });
        let write = (!write.is_empty()).then(|| write.into_iter().chain(own()).collect());
        (write, read)
    }

    /// Makes them ready.
    ///
    /// # Errors
    /// Where the kernel cannot keep such rules, in words.
    #[cfg(target_os = "linux")]
    pub fn ready(&self) -> Result<Ruleset, String> {
        use landlock::{
            ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd,
            Ruleset as Rules, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
            path_beneath_rules,
        };
        let (write, read) = self.permitted();
        // What newer kernels add (cutting a file short, moving between folders) is kept where it can be.
        let writing = AccessFs::from_write(ABI::V3);
        let reading = AccessFs::from_read(ABI::V3);
        let make = || -> Result<landlock::RulesetCreated, RulesetError> {
            Rules::default()
                .set_compatibility(CompatLevel::HardRequirement)
                .handle_access(AccessFs::from_all(ABI::V1))?
                .create()?;
            let mut rules = Rules::default();
            if write.is_some() {
                rules = rules.handle_access(writing)?;
            }
            if read.is_some() {
                rules = rules.handle_access(reading)?;
            }
            let mut made = rules.create()?;
            if let Some(folders) = &write {
                made = made.add_rules(path_beneath_rules(folders, writing))?;
                for device in DEVICES {
                    if let Ok(device) = PathFd::new(device) {
                        made = made.add_rule(PathBeneath::new(device, AccessFs::WriteFile))?;
                    }
                }
            }
            if let Some(folders) = &read {
                made = made.add_rules(path_beneath_rules(folders, reading))?;
            }
            Ok(made)
        };
        make()
            .map(|made| Ruleset { made })
            .map_err(|error| format!("this kernel cannot keep file rules (Landlock): {error}"))
    }

    /// Makes them ready.
    ///
    /// # Errors
    /// Always: not on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn ready(&self) -> Result<Ruleset, String> {
        let _ = self.permitted();
        Err("file rules of a process tree need Linux".to_owned())
    }
}

/// The repository that a folder lies in, else the folder.
fn project(cwd: &Path) -> PathBuf {
    cwd.ancestors()
        .find(|folder| folder.join(".git").exists())
        .unwrap_or(cwd)
        .to_owned()
}

#[cfg(target_os = "linux")]
impl Ruleset {
    pub(crate) fn take_on(self) -> std::io::Result<()> {
        let status = self
            .made
            .restrict_self()
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        if status.ruleset == landlock::RulesetStatus::NotEnforced {
            return Err(std::io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_folders() {
        let dir = std::env::temp_dir().join(format!("cmdai-files-{}", std::process::id()));
        let inner = dir.join("repository/src/deep");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir_all(dir.join("repository/.git")).unwrap();
        let texts = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        let write = texts(&["project", "~/.cache", "/srv/x"]);
        let own = [PathBuf::from("/state")];
        let rules = |read_only| FileRules {
            write: &write,
            read_only,
            cwd: &inner,
            home: Path::new("/home/u"),
            own: &own,
        };
        let (written, read) = rules(&[]).permitted();
        assert_eq!(read, None);
        assert_eq!(
            written.unwrap(),
            [
                dir.join("repository"),
                "/home/u/.cache".into(),
                "/srv/x".into(),
                "/state".into()
            ]
        );
        let data = texts(&["/data"]);
        let read = rules(&data).permitted().1.unwrap();
        for place in ["/data", "/usr", "/srv/x", "/state"] {
            assert!(read.contains(&PathBuf::from(place)), "{place}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
