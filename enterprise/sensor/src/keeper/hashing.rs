//! Hashing files that would run, without running into traps that their owner set.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cmdai_schema::Hash;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use sha2::{Digest as _, Sha256};

/// Most bytes that are hashed for one request.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// Does something with the rights of a person to files, where we are root: the kernel decides what
/// they may look at, folders on the way and links included.
///
/// On a thread of its own that ends with it. Its real and saved user stay root, so that the person
/// can neither signal nor trace it.
pub(crate) fn as_person<T: Send>(
    uid: u32,
    gid: u32,
    work: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    if uid == 0 || !rustix::process::geteuid().is_root() {
        return Ok(work());
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("as-person".to_owned())
            .spawn_scoped(scope, move || {
                set_thread_groups(&[gid])?;
                set_thread_res_gid(None, gid, None)?;
                set_thread_res_uid(None, uid, None)?;
                Ok(work())
            })?;
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("internal error")))
    })
}

/// SHA-256 of a regular file that the person could read themself, hex.
///
/// The path is looked up without opening what it leads to, so that a device or pipe is not
/// touched; only then the very same file is opened for reading. `left` bytes may still be read for
/// this request.
pub(crate) fn hash_file(path: &Path, uid: u32, left: &mut u64) -> io::Result<String> {
    let handle: OwnedFd = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let handle = File::from(handle);
    let meta = handle.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    // Not even a hash of what the person may not read: root could be made to tell secrets apart.
    let readable = meta.mode() & 0o004 != 0
        || (meta.uid() == uid && meta.mode() & 0o400 != 0)
        || uid == 0
        || meta.mode() & 0o001 != 0;
    if !readable {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the person may not read it",
        ));
    }
    if meta.len() > *left {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("what would run is longer than {MAX_BYTES} bytes"),
        ));
    }
    let file = File::open(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    let mut hasher = Sha256::new();
    let mut reader = file.take(left.saturating_add(1));
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        *left = left
            .checked_sub(count as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    Ok(Hash(hasher.finalize().into()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_bearable_size() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script");
        std::fs::write(&file, "abc").unwrap();
        let uid = rustix::process::getuid().as_raw();
        let mut left = MAX_BYTES;
        let mut hash_file = |path: &Path, uid| hash_file(path, uid, &mut left);
        assert_eq!(
            hash_file(&file, uid).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(hash_file(Path::new("/dev/zero"), uid).is_err());
        assert!(hash_file(dir.path(), uid).is_err());
        assert!(hash_file(&dir.path().join("none"), uid).is_err());
        let fifo = dir.path().join("fifo");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        assert!(hash_file(&fifo, uid).is_err(), "must not wait either");
    }

    #[test]
    fn nothing_that_the_person_may_not_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "abc").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let stranger = 54_321;
        assert!(hash_file(&file, stranger, &mut 10).is_err());
    }

    #[test]
    fn a_private_folder_is_private_to_root_s_eyes_too() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let file = dir.path().join("diary");
        std::fs::write(&file, "abc").unwrap();
        mode(&file, 0o644);
        let stranger = 54_321;
        let look =
            || as_person(stranger, stranger, || hash_file(&file, stranger, &mut 10)).unwrap();
        mode(dir.path(), 0o700);
        assert!(look().is_err());
        mode(dir.path(), 0o755);
        assert!(look().is_ok());
        assert!(rustix::process::geteuid().is_root(), "only that thread");
        mode(dir.path(), 0o700);
        assert!(std::fs::read(&file).is_ok());
    }

    #[test]
    fn all_files_of_a_request_share_one_bound() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script");
        std::fs::write(&file, "abc").unwrap();
        let uid = rustix::process::getuid().as_raw();
        let mut left = 5;
        assert!(hash_file(&file, uid, &mut left).is_ok());
        assert!(hash_file(&file, uid, &mut left).is_err());
    }
}
