//! A throw-away home with its own state, so that no test touches the host's.

use std::path::{Path, PathBuf};

use anyhow::Result;
use cmdai_schema::paths::{GovernedMark, Places};
use cmdai_schema::record::Record;

/// A home in a temporary folder, removed when dropped.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// Makes an empty home.
    ///
    /// # Errors
    /// Where the folders cannot be made.
    pub fn new() -> Result<Self> {
        // Not in `/tmp`: what lies where anybody may write is judged by that.
        let homes = crate::target_folder()?.join("homes");
        std::fs::create_dir_all(&homes)?;
        let folder = tempfile::Builder::new()
            .prefix("cmdai-home-")
            .tempdir_in(homes)?;
        for name in ["home/.config/cmdai", "state", "work"] {
            std::fs::create_dir_all(folder.path().join(name))?;
        }
        Ok(Self { folder })
    }

    /// The home folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder to work in.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The environment of a program that lives in this home: nothing of the host's but `PATH`.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("HOME".to_owned(), text(&self.path())),
            ("CMDAI_STATE_DIR".to_owned(), text(&self.state())),
            ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("TERM".to_owned(), "xterm".to_owned()),
            ("NO_COLOR".to_owned(), "1".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("USER".to_owned(), "tester".to_owned()),
        ]
    }

    /// Writes the person's policy.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn policy(&self, yaml: &str) -> Result<()> {
        Ok(std::fs::write(
            self.path().join(".config/cmdai/policy.yaml"),
            yaml,
        )?)
    }

    /// Makes it a governed installation without a sensor; `snapshot` is the compiled policy.
    ///
    /// # Errors
    /// Where the files cannot be written.
    pub fn govern(&self, snapshot: &[u8]) -> Result<Places> {
        let places = Places::below(self.state());
        let mark = GovernedMark {
            version: 1,
            organisation: "acme".to_owned(),
            machine_id: "machine-1".to_owned(),
            ..GovernedMark::default()
        };
        std::fs::write(&places.mark, serde_json::to_vec(&mark)?)?;
        std::fs::write(&places.snapshot, snapshot)?;
        Ok(places)
    }

    /// Records of the local history, in order.
    ///
    /// # Errors
    /// Where the history is missing or holds a damaged line.
    pub fn records(&self) -> Result<Vec<Record>> {
        records_in(&self.state().join("history.c1"))
    }

    /// Records of all sessions in the spool, those of one session in order.
    ///
    /// # Errors
    /// Where the spool is missing or holds a damaged line.
    pub fn spooled(&self) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for user in std::fs::read_dir(self.state().join("spool"))? {
            for file in std::fs::read_dir(user?.path())? {
                records.extend(records_in(&file?.path())?);
            }
        }
        Ok(records)
    }
}

fn records_in(path: &Path) -> Result<Vec<Record>> {
    let text = std::fs::read_to_string(path)?;
    text.lines()
        .map(|line| Ok(Record::from_line(line)?))
        .collect()
}
