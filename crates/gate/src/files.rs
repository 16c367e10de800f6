//! Reading and making files with bounds and checked owners.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Which bytes a path led to: changes whenever the file is replaced or rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    device: u64,
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl FileKey {
    fn of(meta: &std::fs::Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            seconds: meta.mtime(),
            nanoseconds: meta.mtime_nsec(),
        }
    }

    /// The key of what `path` leads to now; nothing where it cannot be looked at.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|meta| Self::of(&meta))
    }

    /// A name for a cached form of these bytes.
    pub(crate) fn name(self) -> String {
        format!(
            "{:x}-{:x}-{:x}.{:x}",
            self.inode, self.size, self.seconds, self.nanoseconds
        )
    }
}

/// Whose file it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Root alone may have written it.
    Root,
    /// Root or this person.
    RootOr(u32),
}

impl Owner {
    /// Nothing, or what is wrong with who could have written the file.
    pub(crate) fn complaint(self, meta: &std::fs::Metadata) -> Option<String> {
        let fits = match self {
            Self::Root => meta.uid() == 0,
            Self::RootOr(uid) => meta.uid() == 0 || meta.uid() == uid,
        };
        if !fits {
            return Some(format!("it belongs to user {}", meta.uid()));
        }
        (meta.mode() & 0o022 != 0)
            .then(|| format!("others may write it (mode {:o})", meta.mode() & 0o7777))
    }
}

/// Reads a regular file of at most `limit` bytes and tells which bytes they were.
pub(crate) fn read_checked(
    path: &Path,
    limit: u64,
    owner: Option<Owner>,
) -> io::Result<(Vec<u8>, FileKey)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if let Some(complaint) = owner.and_then(|owner| owner.complaint(&meta)) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, complaint));
    }
    if meta.len() > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {limit} bytes"),
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes, FileKey::of(&meta)))
}

/// Reads at most `limit` bytes of a regular file, whoever owns it.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_checked(path, limit, None).map(|(bytes, _)| bytes)
}

/// Makes a folder and its parents for this person alone.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Replaces a private file as a whole: a reader sees the old bytes or the new ones.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    if let Some(folder) = path.parent() {
        make_private_folder(folder)?;
    }
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&fresh, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
}
