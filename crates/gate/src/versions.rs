//! Versions of tools: read from a cache on the hot path, measured elsewhere.
//!
//! The cache, `versions.json` in the person's state folder, maps a tool's path with size and time
//! of change to the version it printed. A tool that changed since is unknown until it is measured
//! again by [`measure`], which runs the tool as the person and is never called by a hook or by root.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{facts::Place, files};

const CACHE: &str = "versions.json";
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    size: u64,
    mtime: i64,
    version: String,
}

type Cache = BTreeMap<PathBuf, Known>;

fn read(state: &Path) -> Option<Cache> {
    serde_json::from_slice(&files::read_bounded(&state.join(CACHE), 1024 * 1024).ok()?).ok()
}

/// The program a shell would find for a plain name.
pub fn find_program(name: &str, path: &str) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(name))
        .find(|candidate| {
            std::fs::metadata(candidate)
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

/// Versions of these programs, as far as the cache knows them.
pub(crate) fn known(programs: &[String], place: &Place<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if programs.is_empty() {
        return found;
    }
    let Some(cache) = read(place.state) else {
        return found;
    };
    let path = (place.variable)("PATH").unwrap_or_default();
    for program in programs {
        let Some(file) = find_program(program, &path) else {
            continue;
        };
        let Some(entry) = cache.get(&file) else {
            continue;
        };
        if std::fs::metadata(&file)
            .is_ok_and(|meta| meta.size() == entry.size && meta.mtime() == entry.mtime)
        {
            found.insert(program.clone(), entry.version.clone());
        }
    }
    found
}

/// Runs `NAME --version` (or its own way of asking) for each tool and remembers the answers.
///
/// # Errors
/// Where the cache cannot be written, or when called as root.
pub fn measure(names: &[&str], state: &Path) -> std::io::Result<BTreeMap<String, String>> {
    if rustix::process::geteuid().is_root() && std::env::var_os("SUDO_UID").is_some() {
        return Err(std::io::Error::other(
            "root does not run a person's programs; run it without sudo",
        ));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut cache = read(state).unwrap_or_default();
    let mut found = BTreeMap::new();
    for name in names {
        let Some(file) = find_program(name, &path) else {
            continue;
        };
        let Ok(meta) = std::fs::metadata(&file) else {
            continue;
        };
        let Some(version) = ask(name, &file) else {
            continue;
        };
        cache.insert(
            file,
            Known {
                size: meta.size(),
                mtime: meta.mtime(),
                version: version.clone(),
            },
        );
        found.insert((*name).to_owned(), version);
    }
    let bytes = serde_json::to_vec(&cache)?;
    files::replace_private(&state.join(CACHE), &bytes)?;
    Ok(found)
}

fn ask(name: &str, file: &Path) -> Option<String> {
    let arguments: &[&str] = match name {
        "kubectl" => &["version", "--client"],
        "helm" => &["version", "--short"],
        "go" | "terraform" | "tofu" => &["version"],
        "java" => &["-version"],
        _ => &["--version"],
    };
    let mut child = Command::new(file)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let start = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut text = String::new();
    let mut read = |stream: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(stream, 64 * 1024), &mut bytes);
        text.push_str(&String::from_utf8_lossy(&bytes));
        text.push('\n');
    };
    read(child.stdout.as_mut()?);
    read(child.stderr.as_mut()?);
    first_version(&text)
}

/// The first thing in a text that looks like a version: digits with at least one dot.
fn first_version(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '(' | ')' | ':' | '/' | ';'))
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-'))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .map(|word| word.trim_end_matches('.').chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        for (text, version) in [
            ("git version 2.47.3\n", "2.47.3"),
            ("Client Version: v1.29.2\nKustomize Version: v5", "1.29.2"),
            ("aws-cli/2.15.30 Python/3.11.8 Linux", "2.15.30"),
            ("go version go1.22.1 linux/amd64", "1.22.1"),
            ("openjdk version \"17.0.10\" 2024", "17.0.10"),
        ] {
            assert_eq!(first_version(text).as_deref(), Some(version), "{text}");
        }
        assert_eq!(first_version("nothing here"), None);
    }

    #[test]
    fn a_changed_tool_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let tool = dir.path().join("tool");
        std::fs::write(&tool, "#!/bin/sh\necho tool 1.2.3\n").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        let meta = std::fs::metadata(&tool).unwrap();
        let cache: Cache = [(
            tool.clone(),
            Known {
                size: meta.size(),
                mtime: meta.mtime(),
                version: "1.2.3".to_owned(),
            },
        )]
        .into();
        std::fs::write(dir.path().join(CACHE), serde_json::to_vec(&cache).unwrap()).unwrap();
        let path = dir.path().to_str().unwrap().to_owned();
        let variable = move |name: &str| (name == "PATH").then(|| path.clone());
        let place = Place {
            cwd: dir.path(),
            home: dir.path(),
            state: dir.path(),
            variable: &variable,
            terminal: false,
        };
        let asked = ["tool".to_owned()];
        assert_eq!(
            known(&asked, &place).get("tool").map(String::as_str),
            Some("1.2.3")
        );
        std::fs::write(&tool, "#!/bin/sh\necho tool 2.0.0, longer\n").unwrap();
        assert_eq!(known(&asked, &place).get("tool"), None);
    }
}
