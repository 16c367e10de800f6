//! What the folder a command works in says: branch, remotes, Terraform workspace.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use cmdai_schema::{Facts, FolderFacts};

use super::Finder;
use super::reading::{Found, section};

/// Folders above one another that are looked at.
const MOST_FOLDERS: usize = 64;

/// What is asked of a folder.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) branch: bool,
    pub(super) remotes: bool,
    pub(super) terraform: bool,
}

/// Root of the work tree that a folder lies in.
pub(super) fn work_tree(cwd: &Path) -> Option<&Path> {
    let text = cwd.as_os_str().as_bytes();
    let plain = text.starts_with(b"/")
        && (text == b"/" || !text.ends_with(b"/"))
        && !text.windows(2).any(|pair| pair == b"//");
    if !plain {
        return cwd
            .ancestors()
            .take(MOST_FOLDERS)
            .find(|folder| folder.join(".git").exists());
    }
    // The same without taking paths to pieces: this is done for each line of a shell.
    let mut folder = if text == b"/" { b"" } else { text };
    let mut probe = Vec::with_capacity(text.len() + 6);
    for _ in 0..MOST_FOLDERS {
        probe.clear();
        probe.extend_from_slice(folder);
        probe.extend_from_slice(b"/.git");
        if rustix::fs::access(probe.as_slice(), rustix::fs::Access::EXISTS).is_ok() {
            let root = if folder.is_empty() { b"/" } else { folder };
            return Some(Path::new(OsStr::from_bytes(root)));
        }
        let parent = folder.iter().rposition(|byte| *byte == b'/')?;
        folder = folder.get(..parent)?;
    }
    None
}

/// Facts of the working directory.
pub(super) fn here(find: &Finder<'_>, wanted: Wanted, facts: &mut Facts) {
    let known = folder(find, find.place.cwd, wanted);
    let tree = work_tree(find.place.cwd).map(|root| root.join(".git").display().to_string());
    let source = tree.unwrap_or_default();
    find.from(facts, "git_branch", known.git_branch.is_some(), &source);
    find.from(facts, "git_remotes", !known.git_remotes.is_empty(), &source);
    facts.git_branch = known.git_branch;
    facts.git_remotes = known.git_remotes;
    if wanted.branch || wanted.remotes {
        facts.protected_branches = vec!["main".to_owned(), "master".to_owned()];
        let listed = &mut facts.protected_branches;
        listed.extend(known.git_default.filter(|branch| !listed.contains(branch)));
    }
    facts.absent.extend(known.absent);
    if wanted.terraform {
        let set = find.set("TF_WORKSPACE");
        let source = match set {
            Some(_) => "TF_WORKSPACE".to_owned(),
            None => find.place.cwd.join(".terraform").display().to_string(),
        };
        facts.terraform_workspace = set.or(known.terraform_workspace);
        find.from(
            facts,
            "terraform_workspace",
            facts.terraform_workspace.is_some(),
            &source,
        );
    }
}

/// Facts of a folder.
pub(super) fn folder(find: &Finder<'_>, path: &Path, wanted: Wanted) -> FolderFacts {
    let mut known = FolderFacts::default();
    if !find.reading.may() {
        return known;
    }
    if wanted.branch || wanted.remotes {
        match git_folder(find, path) {
            Git::Nothing => {
                known.absent.push("git_branch".to_owned());
                known.absent.push("git_remotes".to_owned());
            }
            Git::Unknown => {}
            Git::At(git) => {
                head(find, &git, &mut known);
                if wanted.remotes {
                    remotes(find, &git, &mut known);
                }
            }
        }
    }
    if wanted.terraform {
        let data = find
            .set("TF_DATA_DIR")
            .map_or_else(|| path.join(".terraform"), |folder| path.join(folder));
        match find.reading.text(&data.join("environment")) {
            Found::Text(text) if !text.is_empty() => {
                known.terraform_workspace = Some(text.to_string());
            }
            Found::Text(_) | Found::Nothing if data.is_dir() => {
                known.terraform_workspace = Some("default".to_owned());
            }
            Found::Text(_) | Found::Nothing => known.absent.push("terraform_workspace".to_owned()),
            Found::Unknown => {}
        }
    }
    known
}

enum Git {
    At(PathBuf),
    Nothing,
    Unknown,
}

fn git_folder(find: &Finder<'_>, path: &Path) -> Git {
    let Some(root) = work_tree(path) else {
        return Git::Nothing;
    };
    let marker = root.join(".git");
    if marker.is_dir() {
        return Git::At(marker);
    }
    // A work tree or submodule: the file says where the real folder is.
    match find.reading.text(&marker) {
        Found::Text(text) => match text.strip_prefix("gitdir:") {
            Some(link) => Git::At(root.join(link.trim())),
            None => Git::Unknown,
        },
        Found::Nothing | Found::Unknown => Git::Unknown,
    }
}

/// The branch that is checked out; nothing where the head is detached.
fn head(find: &Finder<'_>, git: &Path, known: &mut FolderFacts) {
    let Found::Text(text) = find.reading.text(&git.join("HEAD")) else {
        return;
    };
    match text.strip_prefix("ref:") {
        Some(reference) => {
            known.git_branch = reference
                .trim()
                .strip_prefix("refs/heads/")
                .map(str::to_owned);
        }
        None => known.absent.push("git_branch".to_owned()),
    }
}

/// Remotes and the branch that `origin/HEAD` names. `include` in the configuration is not followed.
fn remotes(find: &Finder<'_>, git: &Path, known: &mut FolderFacts) {
    let common = match find.reading.text(&git.join("commondir")) {
        Found::Text(text) => git.join(text.as_ref()),
        Found::Nothing => git.to_owned(),
        Found::Unknown => return,
    };
    if let Found::Text(text) = find.reading.text(&common.join("config")) {
        known.git_remotes = addresses(&text);
        if known.git_remotes.is_empty() {
            known.absent.push("git_remotes".to_owned());
        }
    }
    if let Found::Text(text) = find.reading.text(&common.join("refs/remotes/origin/HEAD")) {
        known.git_default = text
            .strip_prefix("ref:")
            .and_then(|name| name.trim().strip_prefix("refs/remotes/origin/"))
            .map(str::to_owned);
    }
}

fn addresses(text: &str) -> BTreeMap<String, String> {
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let title = line.trim().strip_prefix("[remote \"")?;
            title.strip_suffix("\"]")
        })
        .take(64)
        .collect();
    names
        .into_iter()
        .filter_map(|name| {
            let title = format!("remote \"{name}\"");
            // Where one pushes to counts more than where one fetches from.
            let values: Vec<(String, &str)> = section(text, |found| found == title).collect();
            let value = |wanted: &str| values.iter().find(|(key, _)| key == wanted);
            let (_, address) = value("pushurl").or_else(|| value("url"))?;
            Some((name.to_owned(), (*address).to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_work_tree_is_found_however_the_folder_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a");
        std::fs::create_dir_all(root.join("b/c/d")).unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::write(root.join("b/c/.git"), "gitdir: x").unwrap();
        assert_eq!(work_tree(&root.join("b/c/d")), Some(&*root.join("b/c")));
        assert_eq!(work_tree(&root.join("b")), Some(&*root));
        assert_eq!(work_tree(&root), Some(&*root));
        let twice = dir.path().join("a//b/");
        assert_eq!(work_tree(&twice), Some(&*root));
        for none in ["/", "/proc/self", "/proc"] {
            let slow = Path::new(none)
                .ancestors()
                .find(|folder| folder.join(".git").exists());
            assert_eq!(work_tree(Path::new(none)), slow, "{none}");
        }
    }
}
