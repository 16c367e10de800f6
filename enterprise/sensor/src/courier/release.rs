//! Fetching a release: file by file, as its own unverified metadata name them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cmdai_bundle::{RepositoryFile, next_root, snapshot_file, target_files, targets_file};

use super::server::{CallError, Server};
use crate::wire::CarriedFile;

/// Most files of one release.
const MAX_ROOTS: u64 = 64;

/// The newest timestamp, to see whether there is anything to fetch.
pub(crate) async fn timestamp(server: &Server) -> Result<Option<Vec<u8>>, CallError> {
    server.file(&RepositoryFile::timestamp()).await
}

/// Everything that belongs to a timestamp. Missing files are left out: the keeper's verification
/// says what is missing.
pub(crate) async fn fetch(
    server: &Server,
    timestamp: Vec<u8>,
) -> Result<Vec<CarriedFile>, CallError> {
    let mut files = Vec::new();
    let mut take = |file: &RepositoryFile, bytes: &[u8]| {
        files.push(CarriedFile {
            folder: file.folder.to_owned(),
            name: file.name.clone(),
            content: STANDARD.encode(bytes),
        });
    };
    for version in 1..MAX_ROOTS {
        let root = next_root(version);
        match server.file(&root).await? {
            Some(bytes) => take(&root, &bytes),
            None => break,
        }
    }
    take(&RepositoryFile::timestamp(), &timestamp);
    if let Some(snapshot) = snapshot_file(&timestamp)
        && let Some(bytes) = server.file(&snapshot).await?
    {
        take(&snapshot, &bytes);
        if let Some(targets) = targets_file(&bytes)
            && let Some(bytes) = server.file(&targets).await?
        {
            take(&targets, &bytes);
            for target in target_files(&bytes) {
                if let Some(bytes) = server.file(&target).await? {
                    take(&target, &bytes);
                }
            }
        }
    }
    Ok(files)
}
