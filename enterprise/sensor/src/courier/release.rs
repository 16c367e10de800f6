//! Fetching a release: as one file, or, from a server that has none, file by file as its own
//! unverified metadata name them.

use cmdai_bundle::{
    Bundle, CarriedFile, RepositoryFile, next_root, progress_file, snapshot_file, target_files,
    targets_file,
};
use cmdai_schema::Hash;

use super::server::{CallError, Server};

/// Most roots that are followed at once.
const MAX_ROOTS: u64 = 64;

/// What identifies the newest state; empty where nothing was published.
pub(crate) async fn stamp(server: &Server) -> Result<String, CallError> {
    let bytes = server.file(&RepositoryFile::timestamp()).await?;
    Ok(bytes.map_or_else(String::new, |bytes| Hash::of(&[&bytes]).to_hex()))
}

/// Everything that a machine needs who trusts root version `root`. Missing files are left out: the
/// keeper's verification says what is missing.
pub(crate) async fn fetch(server: &Server, root: u64) -> Result<Vec<CarriedFile>, CallError> {
    if let Some(bytes) = server.bundle(root).await? {
        return Bundle::parse(&bytes)
            .map(|bundle| bundle.files)
            .map_err(CallError::Failed);
    }
    let mut files = Vec::new();
    let mut take = |file: &RepositoryFile, bytes: &[u8]| {
        files.push(CarriedFile::of(file.folder, &file.name, bytes));
    };
    for version in root..root.saturating_add(MAX_ROOTS) {
        let root = next_root(version);
        match server.file(&root).await? {
            Some(bytes) => take(&root, &bytes),
            None => break,
        }
    }
    let file = RepositoryFile::timestamp();
    let Some(timestamp) = server.file(&file).await? else {
        return Ok(files);
    };
    take(&file, &timestamp);
    if let Some(file) = snapshot_file(&timestamp)
        && let Some(snapshot) = server.file(&file).await?
    {
        take(&file, &snapshot);
        for file in [targets_file(&snapshot), progress_file(&snapshot)]
            .into_iter()
            .flatten()
        {
            let Some(bytes) = server.file(&file).await? else {
                continue;
            };
            take(&file, &bytes);
            for target in target_files(&bytes) {
                if let Some(bytes) = server.file(&target).await? {
                    take(&target, &bytes);
                }
            }
        }
    }
    Ok(files)
}
