//! The calls to the kernel for which there is no safe wrapper.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::filter;

/// A call that waits for the supervisor's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notice {
    /// Names it in the answer.
    pub(crate) id: u64,
    /// Thread that makes the call, in our process namespace; 0 where it lies outside of it.
    pub(crate) thread: u32,
    /// Architecture of the call.
    pub(crate) arch: u32,
    /// Its number.
    pub(crate) number: i32,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
}

/// `_IOWR('!', 0, struct seccomp_notif)` and so on.
const fn request(direction: u64, number: u64, size: usize) -> u64 {
    (direction << 30) | ((size as u64) << 16) | (0x21 << 8) | number
}
const RECEIVE: u64 = request(3, 0, size_of::<libc::seccomp_notif>());
const SEND: u64 = request(3, 1, size_of::<libc::seccomp_notif_resp>());
const ID_VALID: u64 = request(1, 2, size_of::<u64>());

/// Takes the next notice. `NotFound` where its thread died meanwhile.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<Notice> {
    // SAFETY: all-zero bytes are a value of this structure of numbers, and the kernel asks for it.
    let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the request's number carries the size of the structure that the pointer leads to, which
    // lives until the call returns.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut raw) })?;
    Ok(Notice {
        id: raw.id,
        thread: raw.pid,
        arch: raw.data.arch,
        number: raw.data.nr,
        arguments: raw.data.args,
    })
}

/// Answers: lets the kernel make the call (`None`) or gives this error back to the caller.
pub(crate) fn send(listener: BorrowedFd<'_>, id: u64, error: Option<i32>) -> io::Result<()> {
    let mut raw = libc::seccomp_notif_resp {
        id,
        val: 0,
        error: error.map_or(0, |errno| -errno),
        flags: match error {
            None => libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as _,
            Some(_) => 0,
        },
    };
    // SAFETY: as in `receive`.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut raw) })
}

/// The thread still waits, so what was read of it by its number was its own.
pub(crate) fn waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    let mut id = id;
    // SAFETY: the kernel reads one number of 64 bits.
    unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID as _, &raw mut id) == 0 }
}

/// Gives up gaining rights by programs, for this process and all it starts.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    // SAFETY: takes numbers alone.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
}

/// Orphans below this process become its children.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: takes numbers alone.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })
}

/// Other processes of the same person can neither trace this one nor write to its memory.
pub(crate) fn not_traceable() -> io::Result<()> {
    // SAFETY: takes numbers alone.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) })
}

/// Puts this process under the filter and gives the listener. The second value is false where the
/// kernel is too old to let a waiting thread be woken by deadly signals alone (before 5.19).
pub(crate) fn install_filter() -> io::Result<(OwnedFd, bool)> {
    let program = filter::program();
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut(),
    };
    let install = |flags: libc::c_ulong| {
        // SAFETY: the program and its instructions live until the call returns; the kernel only reads
        // them.
        let listener = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        if listener < 0 {
            return Err(io::Error::last_os_error());
        }
        let listener = i32::try_from(listener).map_err(|_| io::ErrorKind::InvalidData)?;
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(unsafe { OwnedFd::from_raw_fd(listener) })
    };
    let new = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let killable = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    match install(new | killable) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            install(new).map(|fd| (fd, false))
        }
        other => other.map(|fd| (fd, true)),
    }
}

/// True where the kernel hands calls to a supervisor and lets it answer "go on".
pub(crate) fn can_notify() -> bool {
    let action: u32 = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the kernel reads one number of 32 bits.
    unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0,
            &raw const action,
        ) == 0
    }
}

/// Reads another process's memory. Gives how much could be read.
pub(crate) fn read_memory(process: u32, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let pid = i32::try_from(process).map_err(|_| io::ErrorKind::InvalidInput)?;
    let address = usize::try_from(address).map_err(|_| io::ErrorKind::InvalidInput)?;
    let ours = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let theirs = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(address),
        iov_len: into.len(),
    };
    // SAFETY: `ours` is exactly the buffer that we hold exclusively; the other address is only
    // looked at by the kernel, in the other process.
    let count = unsafe { libc::process_vm_readv(pid, &raw const ours, 1, &raw const theirs, 1, 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// The two sides of a fork.
pub(crate) enum Forked {
    /// In the new process.
    Child,
    /// In the old one, with the new one's number.
    Parent(i32),
}

/// Forks. Only called while this process has one thread, so that the new one may do anything.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: there is one thread (checked by the caller), so no lock can be held by a thread that
    // the new process does not have.
    match unsafe { libc::fork() } {
        0 => Ok(Forked::Child),
        pid if pid > 0 => Ok(Forked::Parent(pid)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends this process at once, without running what the other side of a fork will run.
pub(crate) fn leave(status: i32) -> ! {
    // SAFETY: always sound.
    unsafe { libc::_exit(status) }
}

/// Becomes another program found on the search path. Only returns where that fails.
pub(crate) fn become_program(words: &[CString], environment: &[CString]) -> io::Error {
    let Some(program) = words.first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts
            .iter()
            .map(|text| text.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let (words, environment) = (pointers(words), pointers(environment));
    // SAFETY: both lists end in null and hold terminated texts that live until the call.
    unsafe { libc::execvpe(program.as_ptr(), words.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// A set of signals.
#[derive(Clone, Copy)]
pub(crate) struct Signals(libc::sigset_t);

impl Signals {
    /// All that a program may block without harm: not those that its own mistakes raise.
    pub(crate) fn blockable() -> Self {
        // SAFETY: `sigfillset` makes a whole set of the zeroed bytes; `sigdelset` takes known numbers.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigfillset(&raw mut set);
            for fault in [
                libc::SIGSEGV,
                libc::SIGBUS,
                libc::SIGILL,
                libc::SIGFPE,
                libc::SIGABRT,
                libc::SIGTRAP,
                libc::SIGSYS,
            ] {
                libc::sigdelset(&raw mut set, fault);
            }
            Self(set)
        }
    }

    /// One signal.
    pub(crate) fn only(signal: i32) -> Self {
        // SAFETY: as above.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, signal);
            Self(set)
        }
    }

    /// Blocks these and gives the mask that was there before.
    pub(crate) fn block(&self) -> Self {
        // SAFETY: both sets are whole and live until the call returns.
        unsafe {
            let mut before = std::mem::zeroed();
            libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, &raw mut before);
            Self(before)
        }
    }

    /// Unblocks these alone.
    pub(crate) fn unblock(&self) {
        // SAFETY: as above.
        unsafe {
            libc::sigprocmask(libc::SIG_UNBLOCK, &raw const self.0, std::ptr::null_mut());
        }
    }

    /// A descriptor to read blocked signals from.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        // SAFETY: the set is whole.
        let fd = unsafe {
            libc::signalfd(
                -1,
                &raw const self.0,
                libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
            )
        };
        check(fd)?;
        // SAFETY: the kernel has just made it for us.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// A signal read from a descriptor, and whether somebody sent it (else the kernel did).
pub(crate) fn next_signal(descriptor: BorrowedFd<'_>) -> Option<(i32, bool)> {
    // SAFETY: all-zero bytes are a value of this structure of numbers.
    let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the kernel writes at most `size` bytes into a structure of that size.
    let count = unsafe { libc::read(descriptor.as_raw_fd(), (&raw mut info).cast(), size) };
    if usize::try_from(count) != Ok(size) {
        return None;
    }
    let signal = i32::try_from(info.ssi_signo).ok()?;
    Some((signal, info.ssi_code != libc::SI_KERNEL))
}

/// Gives a signal its first meaning again.
pub(crate) fn default_action(signal: i32) {
    // SAFETY: no handler is set, so nothing of ours will be called.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
    }
}

/// Sends a signal; an error means that nobody is there any more.
pub(crate) fn signal(pid: i32, signal: i32) {
    // SAFETY: takes numbers alone.
    unsafe {
        libc::kill(pid, signal);
    }
}

/// This process leaves no core file.
pub(crate) fn no_core() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel reads the structure.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
    }
}

/// What became of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// A signal stopped it.
    Stopped(i32),
    /// There is no child left.
    Childless,
    /// Nothing new.
    Nothing,
}

/// The next change of any child (`None`) or one child. `wait` waits for it to end.
pub(crate) fn child_change(pid: Option<i32>, wait: bool) -> (i32, Change) {
    let flags = if wait {
        0
    } else {
        libc::WNOHANG | libc::WUNTRACED
    };
    loop {
        let mut status = 0;
        // SAFETY: the status lives until the call returns.
        let found = unsafe { libc::waitpid(pid.unwrap_or(-1), &raw mut status, flags) };
        let change = match found {
            0 => Change::Nothing,
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => continue,
            -1 => Change::Childless,
            _ if libc::WIFSTOPPED(status) => Change::Stopped(libc::WSTOPSIG(status)),
            _ if libc::WIFSIGNALED(status) => Change::Signalled(libc::WTERMSIG(status)),
            _ => Change::Exited(libc::WEXITSTATUS(status)),
        };
        return (found, change);
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
