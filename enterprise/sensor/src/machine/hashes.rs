//! SHA-256 of the files that processes run, made beside everything else.
//!
//! A thread of its own, because a file may lie where reading takes long or never ends. It opens what
//! the process runs through `/proc/PID/exe`, which no link of its owner leads astray, looks at it
//! before it reads, and executes nothing. A file is read once for each inode and time of change.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cmdai_exec_capture::process;
use cmdai_schema::Hash;
use rustix::fs::{Mode, OFlags, open};
use sha2::{Digest as _, Sha256};

use super::processes::Process;

/// Longest file that is read.
const MAX_FILE: u64 = 512 << 20;
/// Bytes that are read in a second, on average.
const RATE: u64 = 64 << 20;
/// Processes that wait, and answers that are kept.
const MAX_WAITING: usize = 128;
const MAX_KEPT: usize = 4_096;

type Name = (u32, u64);
type Answers = Arc<Mutex<HashMap<Name, String>>>;

/// Asks and is answered later.
pub(crate) struct Hashes {
    wanted: SyncSender<(Name, String, Option<u64>)>,
    answers: Answers,
}

#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct FileName {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl Hashes {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (wanted, inbox) = sync_channel(MAX_WAITING);
        let answers = Answers::default();
        let shared = answers.clone();
        std::thread::Builder::new()
            .name("hashes".to_owned())
            .spawn(move || work(&inbox, &shared))?;
        Ok(Self { wanted, answers })
    }

    /// Wants the hash of what a process runs. Where too many wait, this one goes without.
    pub(crate) fn want(&self, process: &Process) {
        let name = (process.pid, process.start_ns);
        if self.known(name).is_none() {
            let _ = self
                .wanted
                .try_send((name, process.executable.clone(), process.inode));
        }
    }

    pub(crate) fn get(&self, process: &Process) -> Option<String> {
        self.known((process.pid, process.start_ns))
    }

    fn known(&self, name: Name) -> Option<String> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned()
    }
}

fn work(inbox: &Receiver<(Name, String, Option<u64>)>, answers: &Answers) {
    let mut files: HashMap<FileName, String> = HashMap::new();
    while let Ok((name, path, inode)) = inbox.recv() {
        let Some(file) = open_it(name, &path, inode) else {
            continue;
        };
        let Ok(meta) = file.metadata() else { continue };
        let key = FileName {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            changed: (meta.ctime(), meta.ctime_nsec()),
            modified: (meta.mtime(), meta.mtime_nsec()),
        };
        let hash = match files.get(&key) {
            Some(known) => known.clone(),
            None => {
                let Some(hash) = hash(&file, meta.size()) else {
                    continue;
                };
                if files.len() >= MAX_KEPT {
                    files.clear();
                }
                files.insert(key, hash.clone());
                hash
            }
        };
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MAX_KEPT {
            answers.clear();
        }
        answers.insert(name, hash);
    }
}

/// What the process runs, where it still does; else the file at the path, where its inode is the
/// one that the kernel saw. Never anything but a regular file.
fn open_it((pid, start_ns): Name, path: &str, inode: Option<u64>) -> Option<File> {
    let by_process = || {
        let handle = open(
            format!("/proc/{pid}/exe"),
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        process::is_same(pid, start_ns).then_some(handle)
    };
    let by_path = || {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        (path.starts_with('/') && inode.is_some())
            .then(|| open(path, flags, Mode::empty()).ok())
            .flatten()
    };
    let handle: OwnedFd = by_process().or_else(by_path)?;
    let handle = File::from(handle);
    let meta = handle.metadata().ok()?;
    if !meta.is_file() || inode.is_some_and(|inode| inode != meta.ino()) || meta.size() > MAX_FILE {
        return None;
    }
    File::open(format!("/proc/self/fd/{}", handle.as_raw_fd())).ok()
}

fn hash(file: &File, size: u64) -> Option<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 256 * 1024];
    let mut reader = file.take(size);
    let mut read = 0u64;
    loop {
        let count = reader.read(&mut buffer).ok()?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count)?);
        read = read.saturating_add(count as u64);
        // A machine that starts many new programs is busy already.
        if read > RATE / 16 {
            std::thread::sleep(Duration::from_millis(1_000 * read / RATE));
            read = 0;
        }
    }
    Some(format!(
        "sha256:{}",
        Hash(hasher.finalize().into()).to_hex()
    ))
}
