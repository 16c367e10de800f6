//! The policies that apply, loaded once and looked at again when their files change.
//!
//! What happens when something is wrong:
//! - The organisation's snapshot is missing, cannot be read, is damaged, needs a newer engine, or
//!   somebody else could have written it: the last good one stays for the life of the process. A
//!   process that begins then reads the copy that its publisher keeps beside it
//!   (`policy.last-good`). Where there is none either, the built-in packs and the person's own policy
//!   decide, each record says so (`gate.no-policy`), and the machine stays governed in every other
//!   way: nobody can insist, records go to the spool, AI agents wait.
//! - What it had said about failing stays known although it cannot be read: whoever publishes it
//!   writes `open` or `closed` into a file of its own beside it (`policy.fail-mode`), so that the
//!   damage of one file does not also take the flag that says what to do about it.
//! - The person's document has errors: the last good one stays, else it is as if there was none.
//!   The built-in packs and the organisation's policy do not depend on it.

use std::path::Path;

use cmdai_policy::{Capture, FailMode, Layers, PolicyErrors, Snapshot, SnapshotMeta};
use cmdai_schema::{ENGINE_VERSION, PolicyRef};

use crate::files::{self, FileKey, Owner};
use crate::private::PrivateMode;
use crate::{Installation, Person};

const SNAPSHOT_LIMIT: u64 = 64 * 1024 * 1024;
const DOCUMENT_LIMIT: u64 = 4 * 1024 * 1024;
const FAIL_MODE_LIMIT: u64 = 64;

/// What to do with a command that could not be judged because the gate itself failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It runs, with a warning and a record. An agent's command does not.
    Open,
    /// It does not run.
    Closed,
}

/// One file's policy, with what was seen of the file last.
#[derive(Debug, Default)]
struct Slot {
    good: Option<Snapshot>,
    seen: Option<FileKey>,
    looked: bool,
    loads: u64,
    problem: Option<String>,
}

/// The policies of this process.
#[derive(Debug, Default)]
pub struct Policies {
    organisation: Slot,
    user: Slot,
    user_is_given: bool,
    /// What the file beside the snapshot says, where the snapshot itself says nothing.
    fallback: Option<Failing>,
}

impl Policies {
    /// Loads what there is.
    pub fn load(installation: &Installation, person: &Person) -> Self {
        let mut policies = Self::default();
        policies.refresh(installation, person);
        policies
    }

    /// Looks whether a file changed since it was looked at last, and loads it again if so.
    pub fn refresh(&mut self, installation: &Installation, person: &Person) {
        if let Some(governed) = installation.governed() {
            let owner = governed.owner(person.uid);
            self.organisation.refresh(
                &governed.places.snapshot,
                "the organisation's policy",
                |path| {
                    let (bytes, _) = files::read_checked(path, SNAPSHOT_LIMIT, Some(owner))
                        .map_err(|error| error.to_string())?;
                    Snapshot::open(&bytes).map_err(|error| error.to_string())
                },
            );
            if self.organisation.good.is_none() {
                self.organisation
                    .fall_back(&governed.places.last_good(), owner);
            }
            self.fallback = match self.organisation.good {
                Some(_) => None,
                None => fail_mode(&governed.places.fail_mode(), owner),
            };
            if self.organisation.good.is_none() && self.organisation.problem.is_none() {
                let place = governed.places.snapshot.display();
                self.organisation.problem = Some(format!(
                    "the organisation's policy is missing ({place}); built-in rules decide. Is the sensor running?"
                ));
            }
        }
        if !self.user_is_given {
            let state = person.state.clone();
            self.user
                .refresh(&person.policy_file(), "your policy", |path| {
                    open_document(path, &state)
                });
        }
    }

    /// Uses this document as the person's policy from now on.
    ///
    /// # Errors
    /// Every error in the document.
    pub fn use_policy(&mut self, source: &str, file: &str) -> Result<(), PolicyErrors> {
        let bytes = compile(source, file, "given")?;
        self.user = Slot {
            looked: true,
            ..Slot::default()
        };
        match Snapshot::open(&bytes) {
            Ok(snapshot) => self.user.take(snapshot),
            Err(error) => self.user.problem = Some(format!("{file} cannot be used: {error}")),
        }
        self.user_is_given = true;
        Ok(())
    }

    /// The layers for a decision.
    pub fn layers(&self) -> Layers<'_> {
        Layers {
            organisation: self.organisation.good.as_ref(),
            user: self.user.good.as_ref(),
        }
    }

    /// The organisation's loaded snapshot.
    pub fn organisation(&self) -> Option<&Snapshot> {
        self.organisation.good.as_ref()
    }

    /// The person's loaded snapshot.
    pub fn user(&self) -> Option<&Snapshot> {
        self.user.good.as_ref()
    }

    /// What is wrong, each with what to do.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        [&self.organisation.problem, &self.user.problem]
            .into_iter()
            .filter_map(|problem| problem.as_deref())
    }

    /// Which policy decides, for records.
    pub fn reference(&self) -> PolicyRef {
        match self.organisation.good.as_ref().or(self.user.good.as_ref()) {
            Some(snapshot) => PolicyRef {
                id: snapshot.meta().policy_id.clone(),
                version: snapshot.meta().version.clone(),
                digest: Some(snapshot.digest().to_owned()),
            },
            None => PolicyRef {
                id: "community".to_owned(),
                version: ENGINE_VERSION.to_owned(),
                digest: None,
            },
        }
    }

    /// What to do where the gate itself fails: closed where one of the policies says so.
    pub fn failing(&self) -> Failing {
        let closed = [&self.organisation.good, &self.user.good]
            .into_iter()
            .flatten()
            .any(|snapshot| snapshot.fail_mode() == FailMode::Closed);
        if closed || self.fallback == Some(Failing::Closed) {
            Failing::Closed
        } else {
            Failing::Open
        }
    }

    /// How much of a command in this folder is recorded: the organisation's word where somebody
    /// governs, else the person's. Nothing where the folder is never recorded.
    pub fn capture(&self, cwd: &str, home: &str) -> Option<Capture> {
        let Some(snapshot) = self.organisation.good.as_ref().or(self.user.good.as_ref()) else {
            return Some(Capture::Full);
        };
        capture_of(snapshot, cwd, home)
    }

    /// What is said of private mode: by the organisation where somebody governs, else by the person. An
    /// organisation's policy that cannot be read permits none.
    pub fn private_mode(&self, governed: bool) -> PrivateMode {
        let said = match governed {
            true => self.organisation.good.as_ref(),
            false => self.user.good.as_ref(),
        };
        let privacy = said.map(|snapshot| &snapshot.settings().privacy);
        PrivateMode::of(
            privacy.and_then(|privacy| privacy.private_mode),
            privacy.and_then(|privacy| privacy.private_minutes),
            governed,
        )
    }

    /// A number that grows whenever a policy was loaded: what was decided before may be different.
    pub fn generation(&self) -> u64 {
        self.organisation.loads + self.user.loads
    }
}

impl Slot {
    /// Takes the copy where there is one, and goes on saying what is wrong with the snapshot.
    fn fall_back(&mut self, copy: &Path, owner: Owner) {
        let loaded = files::read_checked(copy, SNAPSHOT_LIMIT, Some(owner))
            .ok()
            .and_then(|(bytes, _)| Snapshot::open(&bytes).ok());
        let Some(snapshot) = loaded else { return };
        let what = self
            .problem
            .take()
            .unwrap_or_else(|| "the organisation's policy is missing".to_owned());
        let version = snapshot.meta().version.clone();
        self.take(snapshot);
        self.problem = Some(format!(
            "{}; the copy of version {version} holds",
            what.trim_end_matches("; built-in rules decide")
        ));
    }

    fn take(&mut self, snapshot: Snapshot) {
        self.good = Some(snapshot);
        self.problem = None;
        self.loads += 1;
    }

    fn refresh(
        &mut self,
        path: &Path,
        what: &str,
        open: impl FnOnce(&Path) -> Result<Snapshot, String>,
    ) {
        let now = FileKey::at(path);
        if self.looked && now == self.seen {
            return;
        }
        self.looked = true;
        self.seen = now;
        if now.is_none() && !exists(path) {
            // A removed document of the person's is no document. A removed snapshot is a fault:
            // the last good one stays.
            if what == "your policy" {
                *self = Self {
                    looked: true,
                    loads: self.loads + u64::from(self.good.is_some()),
                    ..Self::default()
                };
            } else if self.good.is_some() {
                self.problem = Some(format!(
                    "{what} has vanished from {}; the last good one stays",
                    path.display()
                ));
            }
            return;
        }
        match open(path) {
            Ok(snapshot) => self.take(snapshot),
            Err(error) => {
                let rest = if self.good.is_some() {
                    "the last good one stays"
                } else {
                    "built-in rules decide"
                };
                self.problem = Some(format!(
                    "{what} in {} cannot be used: {error}; {rest}",
                    path.display()
                ));
            }
        }
    }
}

/// The word beside the snapshot. What is there and cannot be read as `open` counts as closed:
/// damage must not be a way to loosen. Nothing where there is no such file.
fn fail_mode(path: &Path, owner: Owner) -> Option<Failing> {
    if !exists(path) {
        return None;
    }
    match files::read_checked(path, FAIL_MODE_LIMIT, Some(owner)) {
        Ok((bytes, _)) if bytes.trim_ascii() == b"open" => Some(Failing::Open),
        _ => Some(Failing::Closed),
    }
}

/// How much of a command in this folder is recorded by the word of one policy. Nothing where the
/// folder is never recorded.
pub fn capture_of(snapshot: &Snapshot, cwd: &str, home: &str) -> Option<Capture> {
    let privacy = &snapshot.settings().privacy;
    let never = privacy
        .never_record
        .iter()
        .any(|pattern| covers(pattern, cwd, home));
    (!never).then_some(privacy.capture)
}

/// A folder pattern, such as `~/private` or `/srv/*/notes/**`, covers what it names and all below.
fn covers(pattern: &str, cwd: &str, home: &str) -> bool {
    let pattern = match pattern.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => pattern.to_owned(),
    };
    let pattern = pattern
        .trim_end_matches("/**")
        .trim_end_matches("/*")
        .trim_end_matches('/');
    let mut parts = cwd.split('/');
    pattern.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| match wanted.split_once('*') {
                None => part == wanted,
                Some((head, tail)) => {
                    part.len() >= head.len() + tail.len()
                        && part.starts_with(head)
                        && part.ends_with(tail)
                }
            })
    })
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or_else(
        |error| error.kind() != std::io::ErrorKind::NotFound,
        |_| true,
    )
}

/// Opens the person's document through its compiled form in the cache, which is named after the
/// engine and the file's identity, size and time.
fn open_document(path: &Path, state: &Path) -> Result<Snapshot, String> {
    let key = FileKey::at(path).ok_or_else(|| "it cannot be looked at".to_owned())?;
    let folder = state.join("cache");
    let cached = folder.join(format!("user-{}-{}.snapshot", ENGINE_VERSION, key.name()));
    let owner = Owner::RootOr(rustix::process::getuid().as_raw());
    if let Ok((bytes, _)) = files::read_checked(&cached, SNAPSHOT_LIMIT, Some(owner))
        && let Ok(snapshot) = Snapshot::open(&bytes)
    {
        return Ok(snapshot);
    }
    let source = files::read_bounded(path, DOCUMENT_LIMIT).map_err(|error| error.to_string())?;
    let source = String::from_utf8(source).map_err(|_| "it is not UTF-8".to_owned())?;
    let bytes = compile(&source, &path.display().to_string(), &key.name())
        .map_err(|errors| summary(&errors))?;
    let snapshot = Snapshot::open(&bytes).map_err(|error| error.to_string())?;
    if let Ok(old) = std::fs::read_dir(&folder) {
        for entry in old
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("user-"))
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    // Without a cache the next shell compiles again: slower, not wrong.
    let _ = files::replace_private(&cached, &bytes);
    Ok(snapshot)
}

fn compile(source: &str, file: &str, version: &str) -> Result<Vec<u8>, PolicyErrors> {
    let set = cmdai_policy::parse(source, file)?;
    let meta = SnapshotMeta {
        policy_id: "user".to_owned(),
        version: version.to_owned(),
        ..SnapshotMeta::default()
    };
    Ok(cmdai_policy::compile(&set, &meta))
}

/// The first error and how many more there are.
fn summary(errors: &PolicyErrors) -> String {
    let first = errors.0.first().map_or_else(
        || "it has errors".to_owned(),
        |error| format!("line {}: {}", error.line, error.message),
    );
    match errors.0.len().saturating_sub(1) {
        0 => first,
        more => format!("{first} (and {more} more; see `cmdai policy lint`)"),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn folders_are_covered_with_what_lies_below() {
        for (pattern, cwd, covered) in [
            ("~/private", "/home/u/private/x", true),
            ("~/private/**", "/home/u/private", true),
            ("~/private", "/home/u/privately", false),
            ("/srv/*/notes", "/srv/a/notes/b", true),
            ("/srv/*/notes", "/srv/a/b/notes", false),
            ("/srv/x*", "/srv/xyz", true),
            ("~", "/home/u", true),
        ] {
            assert_eq!(covers(pattern, cwd, "/home/u"), covered, "{pattern} {cwd}");
        }
    }
}
