//! A release in one file: what travels over HTTP, lies in a folder or a git repository, or is
//! carried by hand. The road is not trusted; whoever receives it verifies.
//!
//! `cmdai.release-bundle/1`: one JSON object with `format`, `organisation` and `files`, each with
//! `folder` (`metadata` or `targets`), `name` and `content` (base64).

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// Value of `format`.
pub const BUNDLE_FORMAT: &str = "cmdai.release-bundle/1";
/// Most files of one release.
pub const MAX_FILES: usize = 96;
/// Longest bundle, in bytes.
pub const MAX_BUNDLE: u64 = 8 * 1024 * 1024;

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedFile {
    /// `metadata` or `targets`.
    pub folder: String,
    /// Name in it.
    pub name: String,
    /// Content, base64.
    pub content: String,
}

impl CarriedFile {
    /// Of bytes.
    pub fn of(folder: &str, name: &str, bytes: &[u8]) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            content: STANDARD.encode(bytes),
        }
    }
}

/// A release in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`BUNDLE_FORMAT`].
    pub format: String,
    /// For people; verification takes the name from the root.
    pub organisation: String,
    /// All files that a machine needs.
    pub files: Vec<CarriedFile>,
}

impl Bundle {
    /// Reads a bundle's text. Nothing is verified.
    ///
    /// # Errors
    /// Where it is none, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > MAX_BUNDLE {
            return Err(format!("longer than {MAX_BUNDLE} bytes"));
        }
        let bundle: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("not a release file: {error}"))?;
        if bundle.format != BUNDLE_FORMAT {
            return Err(format!(
                "the format is {:?}, not {BUNDLE_FORMAT:?}",
                bundle.format.chars().take(60).collect::<String>()
            ));
        }
        if bundle.files.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
        Ok(bundle)
    }
}

/// Writes carried files below `staging` (`metadata/` and `targets/` in it exist), under names that
/// cannot lead elsewhere.
///
/// # Errors
/// In words.
pub fn unpack(staging: &Path, files: &[CarriedFile]) -> Result<(), String> {
    let total: usize = files.iter().map(|file| file.content.len()).sum();
    if files.len() > MAX_FILES || total as u64 > MAX_BUNDLE {
        return Err("the release has too many or too large files".to_owned());
    }
    for file in files {
        let good = file
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            && !file.name.starts_with('.')
            && file.name.len() <= 120
            && matches!(file.folder.as_str(), "metadata" | "targets");
        if !good {
            return Err("the release names a file that cannot be one of its own".to_owned());
        }
        let bytes = STANDARD
            .decode(&file.content)
            .map_err(|_| "the release's files are garbled".to_owned())?;
        std::fs::write(staging.join(&file.folder).join(&file.name), bytes)
            .map_err(|error| format!("the release cannot be put aside for verifying: {error}"))?;
    }
    Ok(())
}
