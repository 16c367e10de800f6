//! Looking at running processes through `/proc`, always with the question whether it is still the
//! same process.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;

use crate::{Ancestor, Device};

/// Nanoseconds of one tick in `/proc/PID/stat`: Linux shows it in hundredths of a second on every
/// architecture that cmdai is built for.
const TICK_NS: u64 = 10_000_000;
/// Longest ancestry that is walked.
const MAX_LINE: usize = 16;

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Name, as the kernel cuts it.
    pub name: String,
    /// Parent.
    pub parent: u32,
    /// Session leader.
    pub session: u32,
    /// Controlling terminal.
    pub tty: Option<Device>,
    /// When it began, in ticks since the machine started.
    pub start_ticks: u64,
    /// It has ended and waits to be asked for its status.
    pub ended: bool,
}

/// At most `limit` bytes of a file in `/proc/PID`.
fn read(pid: u32, name: &str, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Looks at a process; nothing where there is none.
pub fn stat(pid: u32) -> Option<Stat> {
    let text = read(pid, "stat", 4096)?;
    let text = String::from_utf8_lossy(&text);
    // `12 (name) S 1 …`, where the name may hold anything.
    let (head, tail) = text.rsplit_once(')')?;
    let mut fields = tail.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let tty: i64 = fields.next()?.parse().ok()?;
    let tty = u32::try_from(tty & 0xffff_ffff).ok()?;
    // Field 22; seven was the last.
    let start_ticks = fields.nth(14)?.parse().ok()?;
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        parent,
        session,
        tty: (tty != 0).then_some(Device {
            major: (tty >> 8) & 0xfff,
            minor: (tty & 0xff) | ((tty >> 12) & 0xf_ff00),
        }),
        start_ticks,
        ended: matches!(state, "Z" | "X"),
    })
}

/// Whether a process that began then is still there. A process whose beginning is not known (0)
/// never is: nobody can say that it is the same.
pub fn is_same(pid: u32, start_ns: u64) -> bool {
    start_ns != 0
        && stat(pid).is_some_and(|stat| !stat.ended && stat.start_ticks == start_ns / TICK_NS)
}

/// When a process began, on the clock of [`crate::Exec`], as exactly as `/proc` says.
pub fn start_ns(pid: u32) -> Option<u64> {
    Some(stat(pid)?.start_ticks.saturating_mul(TICK_NS))
}

/// True where two beginnings of the same process id are of one process: `/proc` knows them less
/// exactly than the kernel does inside.
pub fn same_start(one: u64, other: u64) -> bool {
    one / TICK_NS == other / TICK_NS
}

/// The executable file of a process, as a path in its own root.
pub fn executable(pid: u32) -> Option<Vec<u8>> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let bytes = path.into_os_string().into_vec();
    let bytes = bytes
        .strip_suffix(b" (deleted)")
        .map(<[u8]>::to_vec)
        .unwrap_or(bytes);
    Some(bytes)
}

/// Opens the very file that a process runs, without looking up any path of its owner's.
///
/// # Errors
/// Where the process is gone or this process may not look.
pub fn open_executable(pid: u32) -> std::io::Result<File> {
    File::open(format!("/proc/{pid}/exe"))
}

/// Working directory of a process.
pub fn cwd(pid: u32) -> Option<Vec<u8>> {
    let path = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(path.into_os_string().into_vec())
}

/// The arguments of a process, at most [`crate::MAX_ARGV`] bytes of them.
pub fn arguments(pid: u32) -> Option<Vec<Vec<u8>>> {
    let bytes = read(pid, "cmdline", crate::MAX_ARGV as u64)?;
    Some(crate::record::arguments(&bytes))
}

/// The variables of a process's start, at most 128 KiB of them, as `NAME=VALUE`.
pub fn variables(pid: u32) -> Option<Vec<Vec<u8>>> {
    let bytes = read(pid, "environ", 128 * 1024)?;
    Some(
        bytes
            .split(|byte| *byte == 0)
            .filter(|one| !one.is_empty())
            .map(<[u8]>::to_vec)
            .collect(),
    )
}

/// Real user of a process.
pub fn uid(pid: u32) -> Option<u32> {
    let text = read(pid, "status", 4096)?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Inode of the process namespace that a process is in.
pub fn pid_namespace(pid: u32) -> Option<u32> {
    let path = std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok()?;
    let inside = path.to_str()?.strip_prefix("pid:[")?;
    inside.strip_suffix(']')?.parse().ok()
}

/// Who a process descends from, as far as that can still be seen.
pub fn ancestors(parent: u32) -> Vec<Ancestor> {
    let mut found = Vec::new();
    let mut pid = parent;
    while pid > 0 && found.len() < MAX_LINE {
        let Some(stat) = stat(pid) else { break };
        found.push(Ancestor {
            pid,
            start_ns: stat.start_ticks.saturating_mul(TICK_NS),
            uid: uid(pid).unwrap_or(u32::MAX),
        });
        pid = stat.parent;
    }
    found
}

/// All processes there are, at most `limit`.
pub fn all(limit: usize) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .take(limit)
        .collect()
}

/// Now, on the clock of [`crate::Exec`].
pub fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_this_process() {
        let pid = std::process::id();
        let start = start_ns(pid).unwrap();
        assert!(is_same(pid, start));
        assert!(!is_same(pid, start + 2 * TICK_NS));
        assert!(!is_same(pid, 0));
        assert!(start <= now_ns());
        assert_eq!(uid(pid), Some(rustix::process::getuid().as_raw()));
        let own = executable(pid).unwrap();
        assert_eq!(
            own,
            std::env::current_exe().unwrap().into_os_string().into_vec()
        );
        assert!(!ancestors(pid).is_empty());
        assert!(all(100_000).contains(&pid));
    }
}
