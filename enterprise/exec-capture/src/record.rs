//! One started program, and how the kernel's program writes it (`bpf/exec.bpf.c`).

/// Most bytes of arguments that are kept.
pub const MAX_ARGV: usize = 4096;
/// Version of the layout; both sides change it together.
const VERSION: u32 = 1;
/// Most ancestors.
const ANCESTORS: usize = 16;
/// Bytes before the parts.
const HEAD: usize = 104 + ANCESTORS * 16;

const ARGV_CUT: u32 = 1;
const ARGV_UNREADABLE: u32 = 2;
const CWD_CUT: u32 = 4;
const SCRIPT: u32 = 8;

/// A device by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Device {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
}

impl Device {
    /// As the kernel has it inside; nothing for 0.
    fn inside(number: u32) -> Option<Self> {
        (number != 0).then_some(Self {
            major: number >> 20,
            minor: number & 0xf_ffff,
        })
    }

    /// A terminal of a person: a pseudo-terminal, a console, a serial line.
    pub fn is_terminal(self) -> bool {
        matches!(self.major, 4 | 5 | 136..=143 | 204 | 229)
    }

    /// A terminal of the machine itself: a virtual console or a serial line, or the hypervisor's.
    pub fn is_system_console(self) -> bool {
        matches!(self.major, 4 | 204 | 229) || (self.major == 5 && self.minor == 1)
    }

    /// `/dev/pts/0` and the like.
    pub fn path(self) -> String {
        match (self.major, self.minor) {
            (136..=143, minor) => format!("/dev/pts/{}", (self.major - 136) * 256 + minor),
            (4, minor @ 0..=63) => format!("/dev/tty{minor}"),
            (4, minor) => format!("/dev/ttyS{}", minor.saturating_sub(64)),
            (5, 0) => "/dev/tty".to_owned(),
            (5, 1) => "/dev/console".to_owned(),
            (229, minor) => format!("/dev/hvc{minor}"),
            (major, minor) => format!("device {major}:{minor}"),
        }
    }
}

/// A process that the one which started a program descends from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ancestor {
    /// Process id.
    pub pid: u32,
    /// When it began, on the machine's clock with sleep, in nanoseconds; 0 where not known.
    pub start_ns: u64,
    /// Real user.
    pub uid: u32,
}

/// A program that started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exec {
    /// When, on the machine's clock with sleep, in nanoseconds.
    pub time_ns: u64,
    /// When the process began, on the same clock; 0 where not known.
    pub start_ns: u64,
    /// Process id, in the root namespace.
    pub pid: u32,
    /// As the process sees itself.
    pub inner_pid: u32,
    /// Inode of its process namespace; 0 where not known.
    pub pid_ns: u32,
    /// Inode of its mount namespace; 0 where not known.
    pub mnt_ns: u32,
    /// Id of its control group in the unified hierarchy; 0 where not known.
    pub cgroup: u64,
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// User who logged in, where somebody did.
    pub login_uid: Option<u32>,
    /// Session of the audit subsystem, where there is one.
    pub audit_session: Option<u32>,
    /// Process id of the session's leader; 0 where not known.
    pub session: u32,
    /// Controlling terminal.
    pub tty: Option<Device>,
    /// Device on standard input.
    pub input: Option<Device>,
    /// Ancestors, nearest first. The source may know fewer than there are.
    pub ancestors: Vec<Ancestor>,
    /// Path as it was called, or of the script.
    pub filename: Vec<u8>,
    /// Path of the interpreter, where a script was called.
    pub interpreter: Option<Vec<u8>>,
    /// Inode and device of the file that runs: the interpreter's where a script was called.
    pub file: Option<(u64, Device)>,
    /// Working directory; nothing where it is not known whole.
    pub cwd: Option<Vec<u8>>,
    /// Arguments, the program's own name first.
    pub argv: Vec<Vec<u8>>,
    /// There were more arguments, or more of the last one.
    pub cut: bool,
    /// How many arguments there were, where known.
    pub argc: usize,
}

impl Exec {
    /// Process id of the parent, 0 where not known.
    pub fn parent(&self) -> u32 {
        self.ancestors.first().map_or(0, |parent| parent.pid)
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Made by another version of the kernel's program.
    #[error("a record of version {0}")]
    Version(u32),
    /// Shorter than it says.
    #[error("a record that ends early")]
    Short,
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        self.take(N)?.try_into().map_err(|_| RecordError::Short)
    }

    fn u16(&mut self) -> Result<usize, RecordError> {
        Ok(usize::from(u16::from_ne_bytes(self.array()?)))
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, RecordError> {
        Ok(u64::from_ne_bytes(self.array()?))
    }
}

/// Up to the first zero byte.
fn text(bytes: &[u8]) -> Vec<u8> {
    bytes
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec()
}

/// `/a/b` out of `b\0a\0`.
fn folder(bytes: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = bytes
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .collect();
    names.reverse();
    if names.is_empty() {
        return b"/".to_vec();
    }
    let mut path = Vec::with_capacity(bytes.len() + 1);
    for name in names {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    path
}

/// Arguments, each ended by a zero byte; the last one may be cut.
pub(crate) fn arguments(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

impl Exec {
    /// Reads what `bpf/exec.bpf.c` wrote.
    ///
    /// # Errors
    /// Where the bytes are none of its records.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut from = Bytes(bytes);
        let version = from.u32()?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        let flags = from.u32()?;
        let time_ns = from.u64()?;
        let start_ns = from.u64()?;
        let cgroup = from.u64()?;
        let inode = from.u64()?;
        let device = from.u32()?;
        let pid = from.u32()?;
        let inner_pid = from.u32()?;
        let pid_ns = from.u32()?;
        let mnt_ns = from.u32()?;
        let uid = from.u32()?;
        let euid = from.u32()?;
        let login = from.u32()?;
        let audit = from.u32()?;
        let session = from.u32()?;
        let tty = from.u32()?;
        let input = from.u32()?;
        let argc = from.u32()?;
        let count = from.u32()? as usize;
        let [filename, interp, cwd, argv] = [from.u16()?, from.u16()?, from.u16()?, from.u16()?];
        let mut ancestors = Vec::with_capacity(count.min(ANCESTORS));
        for index in 0..ANCESTORS {
            let ancestor = Ancestor {
                start_ns: from.u64()?,
                pid: from.u32()?,
                uid: from.u32()?,
            };
            if index < count {
                ancestors.push(ancestor);
            }
        }
        debug_assert_eq!(bytes.len() - from.0.len(), HEAD);
        let filename = text(from.take(filename)?);
        let interp = from.take(interp)?;
        let cwd = from.take(cwd)?;
        let argv = from.take(argv)?;
        let known = |number: u32| (number != u32::MAX).then_some(number);
        Ok(Self {
            time_ns,
            start_ns,
            pid,
            inner_pid,
            pid_ns,
            mnt_ns,
            cgroup,
            uid,
            euid,
            login_uid: known(login),
            audit_session: known(audit),
            session,
            tty: Device::inside(tty),
            input: Device::inside(input),
            ancestors,
            filename,
            interpreter: (flags & SCRIPT != 0).then(|| text(interp)),
            file: Device::inside(device).map(|device| (inode, device)),
            cwd: (flags & CWD_CUT == 0).then(|| folder(cwd)),
            argv: arguments(argv),
            cut: flags & (ARGV_CUT | ARGV_UNREADABLE) != 0,
            argc: argc as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_bytes_are_refused_and_never_read_past() {
        let mut whole = vec![0u8; HEAD + 8];
        whole[0] = 1;
        whole[96] = 4; // filename
        whole[HEAD..HEAD + 4].copy_from_slice(b"/ls\0");
        assert_eq!(Exec::from_bytes(&whole).unwrap().filename, b"/ls");
        for length in 0..HEAD + 4 {
            assert_eq!(
                Exec::from_bytes(&whole[..length]),
                Err(RecordError::Short),
                "{length}"
            );
        }
        whole[0] = 2;
        assert_eq!(Exec::from_bytes(&whole), Err(RecordError::Version(2)));
    }

    #[test]
    fn names_of_the_way_become_a_path() {
        assert_eq!(folder(b"project\0user\0home\0"), b"/home/user/project");
        assert_eq!(folder(b""), b"/");
    }

    #[test]
    fn empty_arguments_are_kept() {
        let expected: Vec<Vec<u8>> = vec![b"a".to_vec(), vec![], b"\xff".to_vec(), vec![]];
        assert_eq!(arguments(b"a\0\0\xff\0\0"), expected);
        assert!(arguments(b"").is_empty());
    }

    #[test]
    fn terminals_have_their_paths() {
        let path = |major, minor| Device { major, minor }.path();
        assert_eq!(path(136, 5), "/dev/pts/5");
        assert_eq!(path(137, 1), "/dev/pts/257");
        assert_eq!(path(4, 1), "/dev/tty1");
        assert_eq!(path(4, 64), "/dev/ttyS0");
    }
}
