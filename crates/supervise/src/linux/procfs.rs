//! What `/proc` says about a process. Everything read is bounded; a process that is gone gives nothing.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags};

/// Longest command line or environment that is read: more than the kernel starts a program with.
const MAX_LIST: u64 = 8 * 1024 * 1024;

/// One line of `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stat {
    /// Name of the program, cut by the kernel.
    pub(crate) name: String,
    /// Parent.
    pub(crate) parent: u32,
    /// When the process began: with its number, this names it for good.
    pub(crate) start: u64,
    /// Where its stack begins: another program in the same process has another.
    pub(crate) stack: u64,
}

/// Reads it.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let text = read(&format!("/proc/{pid}/stat"), 4096)?;
    let text = String::from_utf8_lossy(&text);
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        parent: u32::try_from(number(1)?).ok()?,
        start: number(19)?,
        stack: number(25).unwrap_or(0),
    })
}

/// The process that a thread belongs to.
pub(crate) fn process_of(thread: u32) -> Option<u32> {
    let pid = Pid::from_raw(i32::try_from(thread).ok()?)?;
    // A descriptor can be had of a process, not of another thread of it.
    if rustix::process::pidfd_open(pid, PidfdFlags::empty()).is_ok() {
        return Some(thread);
    }
    let text = read(&format!("/proc/{thread}/status"), 8192)?;
    String::from_utf8_lossy(&text)
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok())
}

/// The command line: each word with its zero byte.
pub(crate) fn command_line(pid: u32) -> Option<Vec<u8>> {
    read(&format!("/proc/{pid}/cmdline"), MAX_LIST)
}

/// The environment: each text with its zero byte.
pub(crate) fn environment(pid: u32) -> Option<Vec<u8>> {
    read(&format!("/proc/{pid}/environ"), MAX_LIST)
}

/// The executable file's path.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Device and number of the executable file.
pub(crate) fn executable_identity(pid: u32) -> Option<(u64, u64)> {
    let meta = std::fs::metadata(format!("/proc/{pid}/exe")).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// The working directory.
pub(crate) fn directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

fn read(path: &str, limit: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    File::open(path)
        .ok()?
        .take(limit)
        .read_to_end(&mut out)
        .ok()?;
    Some(out)
}

/// The file that an exec names, opened as a place only.
#[derive(Debug)]
pub(crate) struct Target {
    file: File,
    /// Its path without links.
    pub(crate) path: PathBuf,
    /// Device and number.
    pub(crate) identity: (u64, u64),
    /// It would give rights that this person does not have.
    pub(crate) gives_rights: bool,
}

impl Target {
    /// Finds it as the kernel would for this thread: relative to its directory or to a descriptor of
    /// its own. Nothing where the kernel would refuse: the caller then gets the kernel's own error.
    pub(crate) fn find(thread: u32, process: u32, folder: Option<i32>, path: &str) -> Option<Self> {
        let place = match (path, folder) {
            ("", Some(fd)) => format!("/proc/{thread}/fd/{fd}"),
            ("", None) => return None,
            (path, _) if path.starts_with("/proc/self/") => {
                path.replacen("/proc/self", &format!("/proc/{process}"), 1)
            }
            (path, _) if path.starts_with("/proc/thread-self/") => path.replacen(
                "/proc/thread-self",
                &format!("/proc/{process}/task/{thread}"),
                1,
            ),
            (path, _) if path.starts_with("/dev/fd/") => {
                path.replacen("/dev/fd", &format!("/proc/{process}/fd"), 1)
            }
            (path, _) if path.starts_with('/') => {
                let root = std::fs::read_link(format!("/proc/{thread}/root")).ok()?;
                if root.as_os_str() == "/" {
                    path.to_owned()
                } else {
                    format!("/proc/{thread}/root{path}")
                }
            }
            (path, Some(fd)) => format!("/proc/{thread}/fd/{fd}/{path}"),
            (path, None) => format!("/proc/{thread}/cwd/{path}"),
        };
        let file = rustix::fs::open(place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let file = File::from(file);
        let meta = file.metadata().ok()?;
        if !meta.is_file() || meta.mode() & 0o111 == 0 {
            return None;
        }
        let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        let own = rustix::process::geteuid().as_raw();
        Some(Self {
            path,
            identity: (meta.dev(), meta.ino()),
            // A group alone (ssh-agent) is a guard more often than a right: such programs work without.
            gives_rights: meta.mode() & 0o4000 != 0 && meta.uid() != own,
            file,
        })
    }

    /// It is machine code, so it is itself what runs; else an interpreter does.
    pub(crate) fn is_machine_code(&self) -> bool {
        let mut head = [0; 4];
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok_and(|()| head == *b"\x7fELF")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let own = std::process::id();
        let found = stat(own).unwrap();
        assert!(found.parent > 0 && found.start > 0 && found.stack > 0);
        assert_eq!(process_of(own), Some(own));
        let thread = std::thread::spawn(|| {
            let thread = rustix::thread::gettid().as_raw_nonzero().get();
            process_of(thread.unsigned_abs())
        });
        assert_eq!(thread.join().unwrap(), Some(own));
        assert!(command_line(own).unwrap().ends_with(&[0]));
        assert!(executable(own).is_some() && directory(own).is_some());
    }

    #[test]
    fn targets_are_found_as_the_kernel_finds_them() {
        let own = std::process::id();
        let find = |path| Target::find(own, own, None, path);
        assert!(find("/bin/sh").unwrap().is_machine_code());
        assert!(find("/proc/self/exe").is_some());
        for missing in [
            "/bin/does-not-exist",
            "/etc",
            "/etc/passwd",
            "",
            "Cargo.toml",
        ] {
            assert!(find(missing).is_none(), "{missing}");
        }
        let shell = std::fs::File::open("/bin/sh").unwrap();
        assert!(Target::find(own, own, Some(shell.as_raw_fd()), "").is_some());
    }
}
