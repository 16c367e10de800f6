//! Text of the audit subsystem's records: `audit(SECONDS.MS:SERIAL): key=value key="text" …`.

use super::wire;
use crate::record::MAX_ARGV;
use crate::{Device, Exec, process};

/// Most arguments of one program.
const MAX_ARGUMENTS: usize = 1024;

/// Serial number and the fields after it.
pub(super) fn split(body: &[u8]) -> Option<(u64, &[u8])> {
    let rest = body.strip_prefix(b"audit(")?;
    let end = rest.windows(2).position(|two| two == b"):")?;
    let head = std::str::from_utf8(rest.get(..end)?).ok()?;
    let serial = head.rsplit_once(':')?.1.parse().ok()?;
    Some((serial, rest.get(end + 2..)?))
}

/// Key and value of each field.
fn fields(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b' ' || *byte == 0 || *byte == b'\n')
        .filter_map(|word| {
            let at = word.iter().position(|byte| *byte == b'=')?;
            Some((word.get(..at)?, word.get(at + 1..)?))
        })
}

/// A value as it was: in quotes, or in hexadecimal where it holds anything unusual.
fn decode(value: &[u8]) -> Vec<u8> {
    if let Some(inner) = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    {
        return inner.to_vec();
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if value.len().is_multiple_of(2) && value.iter().all(u8::is_ascii_hexdigit) {
        return value
            .chunks(2)
            .filter_map(|two| {
                let (high, low) = (digit(*two.first()?)?, digit(*two.get(1)?)?);
                u8::try_from(high * 16 + low).ok()
            })
            .collect();
    }
    value.to_vec()
}

fn number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Records of one event.
#[derive(Default)]
pub(super) struct Parts {
    succeeded: bool,
    exec: bool,
    pid: u32,
    parent: u32,
    uid: u32,
    euid: u32,
    login: Option<u32>,
    session: Option<u32>,
    tty: Option<Device>,
    executable: Vec<u8>,
    cwd: Option<Vec<u8>>,
    argv: Vec<Vec<u8>>,
    argc: usize,
    bytes: usize,
    cut: bool,
}

impl Parts {
    /// True once something said that it is about a program that started.
    pub(super) fn is_exec(&self) -> bool {
        self.exec
    }

    pub(super) fn add(&mut self, kind: u16, text: &[u8]) {
        match kind {
            wire::SYSCALL => {
                for (key, value) in fields(text) {
                    match key {
                        b"success" => self.succeeded = value == b"yes",
                        b"pid" => self.pid = number(value).unwrap_or(0),
                        b"ppid" => self.parent = number(value).unwrap_or(0),
                        b"uid" => self.uid = number(value).unwrap_or(u32::MAX),
                        b"euid" => self.euid = number(value).unwrap_or(u32::MAX),
                        b"auid" => self.login = number(value).filter(|uid| *uid != u32::MAX),
                        b"ses" => self.session = number(value).filter(|id| *id != u32::MAX),
                        b"tty" => self.tty = tty(value),
                        b"exe" => self.executable = decode(value),
                        _ => {}
                    }
                }
            }
            wire::EXECVE => {
                self.exec = true;
                for (key, value) in fields(text) {
                    self.argument(key, value);
                }
            }
            wire::CWD => {
                self.cwd = fields(text)
                    .find(|(key, _)| *key == b"cwd")
                    .map(|(_, value)| decode(value));
            }
            _ => {}
        }
    }

    /// `a3="text"`, or `a3[0]=… a3[1]=…` where it is long.
    fn argument(&mut self, key: &[u8], value: &[u8]) {
        if key == b"argc" {
            self.argc = number(value).unwrap_or(0) as usize;
            return;
        }
        let Some(rest) = key.strip_prefix(b"a") else {
            return;
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(index) = rest.get(..digits).and_then(number) else {
            return;
        };
        if rest.ends_with(b"_len") {
            return;
        }
        let index = index as usize;
        let value = decode(value);
        if index >= MAX_ARGUMENTS || self.bytes + value.len() > MAX_ARGV {
            self.cut = true;
            return;
        }
        self.bytes += value.len() + 1;
        if self.argv.len() <= index {
            self.argv.resize(index + 1, Vec::new());
        }
        if let Some(slot) = self.argv.get_mut(index) {
            slot.extend(value);
        }
    }

    /// The program that started, where one did. What the records do not say is looked up while the
    /// process is still there.
    pub(super) fn exec(&self) -> Option<Exec> {
        if !self.exec || !self.succeeded || self.pid == 0 {
            return None;
        }
        let stat = process::stat(self.pid);
        let own = process::executable(self.pid);
        // The file is the process's only while it still runs it.
        let file = (own.as_ref() == Some(&self.executable))
            .then(|| {
                use std::os::unix::fs::MetadataExt as _;
                let meta = std::fs::metadata(format!("/proc/{}/exe", self.pid)).ok()?;
                Some((
                    meta.ino(),
                    Device {
                        major: u32::try_from((meta.dev() >> 8) & 0xfff).ok()?,
                        minor: u32::try_from((meta.dev() & 0xff) | ((meta.dev() >> 12) & 0xf_ff00))
                            .ok()?,
                    },
                ))
            })
            .flatten();
        let mut ancestors = process::ancestors(self.parent);
        if ancestors.is_empty() && self.parent != 0 {
            ancestors.push(crate::Ancestor {
                pid: self.parent,
                start_ns: 0,
                uid: self.uid,
            });
        }
        Some(Exec {
            time_ns: process::now_ns(),
            start_ns: stat
                .as_ref()
                .map_or(0, |stat| stat.start_ticks.saturating_mul(10_000_000)),
            pid: self.pid,
            inner_pid: self.pid,
            uid: self.uid,
            euid: self.euid,
            login_uid: self.login,
            audit_session: self.session,
            session: stat.as_ref().map_or(0, |stat| stat.session),
            tty: self.tty.or(stat.and_then(|stat| stat.tty)),
            // Not said here; whether it is a terminal is asked of the process.
            input: input(self.pid),
            ancestors,
            filename: self.executable.clone(),
            file,
            cwd: self.cwd.clone(),
            argv: self.argv.clone(),
            cut: self.cut || self.argc > self.argv.len(),
            argc: self.argc,
            ..Exec::default()
        })
    }
}

fn input(pid: u32) -> Option<Device> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let meta = std::fs::metadata(format!("/proc/{pid}/fd/0")).ok()?;
    meta.file_type().is_char_device().then_some(())?;
    Some(Device {
        major: u32::try_from((meta.rdev() >> 8) & 0xfff).ok()?,
        minor: u32::try_from((meta.rdev() & 0xff) | ((meta.rdev() >> 12) & 0xf_ff00)).ok()?,
    })
}

/// `pts3`, `tty1`, `ttyS0`, `(none)`.
fn tty(value: &[u8]) -> Option<Device> {
    let name = std::str::from_utf8(value).ok()?;
    let device = |major: u32, minor: u32| Some(Device { major, minor });
    if let Some(index) = name.strip_prefix("pts") {
        let index: u32 = index.trim_start_matches('/').parse().ok()?;
        return device(136 + index / 256, index % 256);
    }
    if let Some(index) = name.strip_prefix("ttyS") {
        return device(4, 64 + index.parse::<u32>().ok()?);
    }
    if let Some(index) = name.strip_prefix("hvc") {
        return device(229, index.parse().ok()?);
    }
    device(4, name.strip_prefix("tty")?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_event_become_one_exec() {
        let mut parts = Parts::default();
        let (serial, text) = split(b"audit(1700000000.123:456): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=4000000 auid=1000 uid=1000 euid=0 tty=pts3 ses=2 comm=\"x\" exe=\"/bin/echo\" key=\"k\"\0").unwrap();
        assert_eq!(serial, 456);
        parts.add(wire::SYSCALL, text);
        parts.add(
            wire::EXECVE,
            b" argc=4 a0=\"echo\" a1=C3A92062 a2_len=4 a2[0]=61 a2[1]=62 a3=\"\"",
        );
        parts.add(wire::CWD, b" cwd=\"/home/ann\"");
        let exec = parts.exec().unwrap();
        assert_eq!(exec.pid, 4_000_000);
        assert_eq!((exec.uid, exec.euid), (1000, 0));
        assert_eq!(exec.tty.unwrap().path(), "/dev/pts/3");
        assert_eq!(exec.cwd.as_deref(), Some(b"/home/ann".as_slice()));
        let words: Vec<String> = exec
            .argv
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        assert_eq!(words, ["echo", "é b", "ab", ""]);
        assert!(!exec.cut);
    }

    #[test]
    fn what_failed_or_is_no_exec_is_none() {
        let mut parts = Parts::default();
        parts.add(wire::SYSCALL, b" success=no pid=5 exe=\"/bin/x\"");
        parts.add(wire::EXECVE, b" argc=1 a0=\"x\"");
        assert!(parts.exec().is_none());
        let mut parts = Parts::default();
        parts.add(wire::SYSCALL, b" success=yes pid=5 exe=\"/bin/x\"");
        assert!(parts.exec().is_none());
    }

    #[test]
    fn hostile_numbers_take_no_room() {
        let mut parts = Parts::default();
        parts.add(
            wire::EXECVE,
            b" argc=4000000000 a4000000000=\"x\" a=\"y\" a99999=\"z\"",
        );
        assert!(parts.argv.is_empty());
        assert!(parts.cut);
        assert!(split(b"audit(1:").is_none());
        assert!(split(b"").is_none());
    }
}
