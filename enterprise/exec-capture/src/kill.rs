//! Ending a process, and no other that got its number meanwhile.

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::process;

/// Why nothing was ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KillError {
    /// It ended by itself before.
    #[error("it had ended already")]
    Gone,
    /// The number belongs to another process, or it is not known when the process began.
    #[error("process {0} is not the one that was seen")]
    Another(u32),
    /// It runs another program by now.
    #[error("process {0} runs another program by now")]
    Changed(u32),
    /// The kernel refused.
    #[error("{0}")]
    Refused(String),
}

/// Sends SIGKILL to the process that began then and that still runs this file.
///
/// The handle is taken first and the process looked at after: what is looked at is then what the
/// handle names, however fast numbers are used again.
///
/// # Errors
/// Where it is not that process any more, or the kernel refuses.
pub fn kill(pid: u32, start_ns: u64, file: Option<(u64, crate::Device)>) -> Result<(), KillError> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(number) = number.filter(|_| pid > 1) else {
        return Err(KillError::Another(pid));
    };
    let handle = match pidfd_open(number, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Err(KillError::Gone),
        Err(error) => return Err(KillError::Refused(error.to_string())),
    };
    let Some(stat) = process::stat(pid).filter(|stat| !stat.ended) else {
        return Err(KillError::Gone);
    };
    if start_ns == 0 || !process::same_start(start_ns, stat.start_ticks.saturating_mul(10_000_000))
    {
        return Err(KillError::Another(pid));
    }
    if let Some((inode, _)) = file {
        // Without asking the file system anew: its owner may let us wait.
        let running = statx(
            CWD,
            format!("/proc/{pid}/exe"),
            AtFlags::STATX_DONT_SYNC,
            StatxFlags::INO,
        );
        match running {
            Ok(meta) if meta.stx_ino == inode => {}
            Ok(_) => return Err(KillError::Changed(pid)),
            Err(_) => return Err(KillError::Gone),
        }
    }
    match pidfd_send_signal(&handle, Signal::KILL) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::SRCH) => Err(KillError::Gone),
        Err(error) => Err(KillError::Refused(error.to_string())),
    }
}
