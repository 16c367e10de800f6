//! The seccomp filter of a tree, as instructions of the classic packet filter.
//!
//! What it hands to the supervisor: every `execve` and `execveat`, and the call by which a new
//! program sets up its first thread. That one comes once for each program, before any code of its
//! own, and is where its arguments are looked at again. What it refuses: typing into the terminal
//! on somebody's behalf (`TIOCSTI`, and `TIOCLINUX`, which pastes), because the person answers
//! questions there. All else is allowed, and the kernel remembers that without running the filter.
//!
//! The 32-bit calls of the same processor are filtered too. The x32 calls are answered as by a
//! kernel that has none.

use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

/// `AUDIT_ARCH_*` of the calls of one kind, with the numbers that matter.
struct Calls {
    arch: u32,
    execve: u32,
    execveat: u32,
    ioctl: u32,
    /// The call of a program's first moments, with the first argument it has to have.
    begins: (u32, Option<u32>),
}

#[cfg(target_arch = "x86_64")]
const NATIVE: Calls = Calls {
    arch: 0xC000_003E,
    execve: 59,
    execveat: 322,
    ioctl: 16,
    // arch_prctl(ARCH_SET_FS): glibc, musl and Go alike.
    begins: (158, Some(0x1002)),
};
#[cfg(target_arch = "x86_64")]
const COMPAT: Calls = Calls {
    arch: 0x4000_0003,
    execve: 11,
    execveat: 358,
    ioctl: 54,
    // set_thread_area
    begins: (243, None),
};

#[cfg(target_arch = "aarch64")]
const NATIVE: Calls = Calls {
    arch: 0xC000_00B7,
    execve: 221,
    execveat: 281,
    ioctl: 29,
    // set_tid_address: glibc and musl. Go does without; see `serve::Server::look_again`.
    begins: (96, None),
};
#[cfg(target_arch = "aarch64")]
const COMPAT: Calls = Calls {
    arch: 0x4000_0028,
    execve: 11,
    execveat: 387,
    ioctl: 54,
    begins: (256, None),
};

/// Offsets in `struct seccomp_data`: number, architecture, and the low halves of two arguments.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;
const SECOND_ARGUMENT: u32 = 24;

const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541C;
#[cfg(target_arch = "x86_64")]
const X32_BIT: u32 = 0x4000_0000;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `execve`; the flag says that pointers have 32 bits.
    Execve { narrow: bool },
    /// `execveat`.
    Execveat { narrow: bool },
    /// A program begins.
    Begins,
}

/// Reads the kind out of a notification's architecture and number.
pub(crate) fn asked(arch: u32, number: i32) -> Option<Asked> {
    let number = u32::try_from(number).ok()?;
    let (calls, narrow) = if arch == NATIVE.arch {
        (&NATIVE, false)
    } else if arch == COMPAT.arch {
        (&COMPAT, true)
    } else {
        return None;
    };
    if number == calls.execve {
        Some(Asked::Execve { narrow })
    } else if number == calls.execveat {
        Some(Asked::Execveat { narrow })
    } else if number == calls.begins.0 {
        Some(Asked::Begins)
    } else {
        None
    }
}

fn load(offset: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn answer(action: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, action)
}

fn refuse(errno: i32) -> sock_filter {
    answer(libc::SECCOMP_RET_ERRNO | (errno.unsigned_abs() & libc::SECCOMP_RET_DATA))
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).unwrap_or(0),
        jt: 0,
        jf: 0,
        k,
    }
}

/// Goes on where the value is `k`, else skips `skipped` instructions.
fn unless(k: u32, skipped: u8) -> sock_filter {
    sock_filter {
        jf: skipped,
        ..statement(BPF_JMP | BPF_JEQ | BPF_K, k)
    }
}

/// One architecture's part: it always ends in an answer.
fn block(calls: &Calls) -> Vec<sock_filter> {
    let notify = || answer(libc::SECCOMP_RET_USER_NOTIF);
    let allow = || answer(libc::SECCOMP_RET_ALLOW);
    let mut out = vec![load(NUMBER)];
    #[cfg(target_arch = "x86_64")]
    if calls.arch == NATIVE.arch {
        out.push(sock_filter {
            jf: 1,
            ..statement(BPF_JMP | BPF_JGE | BPF_K, X32_BIT)
        });
        out.push(refuse(libc::ENOSYS));
    }
    out.extend([unless(calls.execve, 1), notify()]);
    out.extend([unless(calls.execveat, 1), notify()]);
    match calls.begins {
        (number, None) => out.extend([unless(number, 1), notify()]),
        (number, Some(argument)) => out.extend([
            unless(number, 4),
            load(FIRST_ARGUMENT),
            unless(argument, 1),
            notify(),
            allow(),
        ]),
    }
    out.extend([
        unless(calls.ioctl, 6),
        load(SECOND_ARGUMENT),
        unless(TIOCSTI, 1),
        refuse(libc::EPERM),
        unless(TIOCLINUX, 1),
        refuse(libc::EPERM),
        allow(),
    ]);
    out.push(allow());
    out
}

/// The whole filter.
pub(crate) fn program() -> Vec<sock_filter> {
    let native = block(&NATIVE);
    let mut out = vec![
        load(ARCH),
        unless(NATIVE.arch, u8::try_from(native.len()).unwrap_or(u8::MAX)),
    ];
    out.extend(native);
    let compat = block(&COMPAT);
    out.push(unless(
        COMPAT.arch,
        u8::try_from(compat.len()).unwrap_or(u8::MAX),
    ));
    out.extend(compat);
    // No other calls can come from this processor.
    out.push(refuse(libc::ENOSYS));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter as the kernel does.
    fn run(arch: u32, number: u32, arguments: [u64; 2]) -> u32 {
        let program = program();
        let mut data = [0_u8; 64];
        data[0..4].copy_from_slice(&number.to_ne_bytes());
        data[4..8].copy_from_slice(&arch.to_ne_bytes());
        data[16..24].copy_from_slice(&arguments[0].to_le_bytes());
        data[24..32].copy_from_slice(&arguments[1].to_le_bytes());
        let (mut at, mut value) = (0, 0_u32);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                code if code == BPF_LD | BPF_W | BPF_ABS => {
                    let offset = step.k as usize;
                    value = u32::from_ne_bytes(data[offset..offset + 4].try_into().unwrap());
                }
                code if code == BPF_RET | BPF_K => return step.k,
                code => {
                    let jump = if code == BPF_JMP | BPF_JEQ | BPF_K {
                        value == step.k
                    } else {
                        value >= step.k
                    };
                    at += usize::from(if jump { step.jt } else { step.jf });
                }
            }
        }
    }

    #[test]
    fn what_is_asked_refused_and_let_through() {
        for calls in [&NATIVE, &COMPAT] {
            let ask = |number, first, second| run(calls.arch, number, [first, second]);
            let notify = libc::SECCOMP_RET_USER_NOTIF;
            let allow = libc::SECCOMP_RET_ALLOW;
            assert_eq!(ask(calls.execve, 0, 0), notify);
            assert_eq!(ask(calls.execveat, 0, 0), notify);
            assert_eq!(
                ask(
                    calls.begins.0,
                    u64::from(calls.begins.1.unwrap_or_default()),
                    0
                ),
                notify
            );
            assert_eq!(ask(calls.ioctl, 0, 0x5401), allow);
            for request in [TIOCSTI, TIOCLINUX] {
                assert_eq!(ask(calls.ioctl, 0, u64::from(request)) & 0xffff, 1);
            }
            assert_eq!(ask(1, 0, 0), allow);
        }
        assert_eq!(run(0x1234, 1, [0, 0]) & 0xffff, libc::ENOSYS.unsigned_abs());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn other_settings_of_a_thread_and_x32_calls() {
        // ARCH_GET_FS
        assert_eq!(run(NATIVE.arch, 158, [0x1003, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(
            run(NATIVE.arch, X32_BIT | 520, [0, 0]) & 0xffff,
            libc::ENOSYS.unsigned_abs()
        );
    }
}
