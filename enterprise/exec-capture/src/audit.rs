//! The audit subsystem, for kernels without BTF and machines that permit no eBPF.
//!
//! There is one consumer that the kernel sends everything to. Where nobody is that (no auditd), this
//! source becomes it, with a rule of its own for `execve`, and takes both back when it ends. Where
//! somebody is, nothing of theirs is touched: this source joins the read-only group and sees what
//! their rules ask for; without a rule for `execve` that is nothing, and opening says so.

mod message;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
    sockopt,
};
use rustix::time::Timespec;

use self::message::Parts;
use self::wire::Rule;
use crate::{CaptureError, Counters, Exec, Source};

/// Events whose records have not all come yet; the oldest is given up beyond that.
const MAX_OPEN: usize = 512;
/// Room for messages that wait to be read, in bytes.
const RECEIVE: usize = 8 << 20;
/// Messages that the kernel keeps for us.
const BACKLOG: u32 = 8192;
/// Longest wait for an answer of the kernel.
const ANSWER: Duration = Duration::from_secs(2);

/// Which place this process has among those that listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one consumer.
    Consumer,
    /// One of the group that only reads, beside a consumer with this process id.
    Listener(u32),
}

/// Execs as the audit subsystem tells them.
pub struct Audit {
    /// Questions and answers; of a consumer, the messages too.
    control: OwnedFd,
    /// Messages of the read-only group.
    group: Option<OwnedFd>,
    role: Role,
    notes: Vec<String>,
    open: BTreeMap<u64, Parts>,
    ready: VecDeque<Exec>,
    seen: u64,
    /// What the kernel had lost before us.
    lost_before: u32,
    /// Messages that did not fit into our socket, and events that never came whole.
    lost: u64,
    rules: Vec<Rule>,
    was_enabled: u32,
    sequence: u32,
}

fn not_here(why: impl std::fmt::Display) -> CaptureError {
    CaptureError::NotHere {
        source_name: "audit",
        why: why.to_string(),
    }
}

fn open_socket(groups: u32) -> Result<OwnedFd, Errno> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::AUDIT),
    )?;
    let _ = sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE);
    bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

impl Audit {
    /// Joins the audit subsystem, as consumer where nobody is.
    ///
    /// # Errors
    /// Where there is no such subsystem, it is locked or refuses, or its consumer asks for no execs.
    pub fn open() -> Result<Self, CaptureError> {
        let control = open_socket(0).map_err(not_here)?;
        let mut audit = Self {
            control,
            group: None,
            role: Role::Consumer,
            notes: Vec::new(),
            open: BTreeMap::new(),
            ready: VecDeque::new(),
            seen: 0,
            lost_before: 0,
            lost: 0,
            rules: Vec::new(),
            was_enabled: 0,
            sequence: 1,
        };
        let status = audit.status()?;
        audit.lost_before = status.lost;
        audit.was_enabled = status.enabled;
        match status.pid {
            0 => audit.consume(status)?,
            other => audit.listen(other, status)?,
        }
        Ok(audit)
    }

    /// Which place this source has.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Adds a sentence to the notes.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    fn consume(&mut self, status: wire::Status) -> Result<(), CaptureError> {
        if status.enabled == wire::LOCKED {
            return Err(not_here(
                "the rules are locked until the machine starts again",
            ));
        }
        let rules = wire::rules_for_exec();
        if rules.is_empty() {
            return Err(not_here(
                "the numbers of this architecture's calls are not known",
            ));
        }
        let own = std::process::id();
        self.ask(wire::SET, &wire::become_consumer(own, BACKLOG))?;
        for rule in rules {
            match self.ask(wire::ADD_RULE, &rule.bytes()) {
                Ok(_) => self.rules.push(rule),
                // Ours from before, after a crash.
                Err(Refused::Errno(Errno::EXIST)) => self.rules.push(rule),
                Err(error) => return Err(error.into()),
            }
        }
        self.notes.push(
            "this sensor is the consumer of the audit subsystem and set a rule for execve"
                .to_owned(),
        );
        Ok(())
    }

    fn listen(&mut self, consumer: u32, status: wire::Status) -> Result<(), CaptureError> {
        self.role = Role::Listener(consumer);
        if status.enabled == 0 {
            return Err(not_here(format!(
                "process {consumer} consumes it and has switched it off"
            )));
        }
        let rules = self.ask(wire::LIST_RULES, &[])?;
        if !rules.iter().any(|rule| wire::asks_for_exec(rule)) {
            return Err(not_here(format!(
                "process {consumer} (auditd?) consumes it and has no rule for execve; add `-a always,exit -F arch=b64 -S execve,execveat` to its rules"
            )));
        }
        self.group = Some(open_socket(wire::READ_GROUP).map_err(not_here)?);
        self.notes.push(format!(
            "process {consumer} consumes the audit subsystem; this sensor only listens and sees what its rules ask for"
        ));
        Ok(())
    }

    fn status(&mut self) -> Result<wire::Status, CaptureError> {
        let answers = self.ask(wire::GET, &[])?;
        answers
            .iter()
            .find_map(|bytes| wire::Status::read(bytes))
            .ok_or_else(|| not_here("its status is not understood"))
    }

    /// Sends a request and waits for the acknowledgement; data messages before it are the answer.
    /// Events that come in between are kept.
    fn ask(&mut self, kind: u16, body: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        send(
            &self.control,
            &wire::request(kind, sequence, body),
            SendFlags::empty(),
        )
        .map_err(Refused::Errno)?;
        let until = std::time::Instant::now() + ANSWER;
        let mut answers = Vec::new();
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Err(Refused::Silent);
            }
            for message in self.receive(false, left)? {
                match message.kind {
                    wire::ERROR if message.sequence == sequence => {
                        return match wire::error_of(&message.body) {
                            // A list ends with a message of its own, the status comes after.
                            0 if kind == wire::LIST_RULES => continue,
                            0 if kind == wire::GET && answers.is_empty() => continue,
                            0 => Ok(answers),
                            number => Err(Refused::Errno(Errno::from_raw_os_error(number))),
                        };
                    }
                    wire::DONE if message.sequence == sequence => return Ok(answers),
                    _ if message.sequence == sequence => answers.push(message.body),
                    kind => self.take_in(kind, &message.body),
                }
            }
            if kind == wire::GET && !answers.is_empty() {
                return Ok(answers);
            }
        }
    }

    fn receive(&mut self, group: bool, timeout: Duration) -> Result<Vec<wire::Message>, Refused> {
        let socket = match (&self.group, group) {
            (Some(socket), true) => socket,
            _ => &self.control,
        };
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(1),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(error) => return Err(Refused::Errno(error)),
        }
        let mut buffer = vec![0u8; 64 * 1024];
        match recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((length, _)) => {
                buffer.truncate(length);
                Ok(wire::messages(&buffer))
            }
            // More came than fits: how many is not said.
            Err(Errno::NOBUFS) => {
                self.lost = self.lost.saturating_add(1);
                Ok(Vec::new())
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(Refused::Errno(error)),
        }
    }

    fn take_in(&mut self, kind: u16, body: &[u8]) {
        let Some((serial, fields)) = message::split(body) else {
            return;
        };
        if kind == wire::END_OF_EVENT {
            if let Some(parts) = self.open.remove(&serial) {
                self.finish(&parts);
            }
            return;
        }
        if !matches!(kind, wire::SYSCALL | wire::EXECVE | wire::CWD | wire::PATH) {
            return;
        }
        self.open.entry(serial).or_default().add(kind, fields);
        while self.open.len() > MAX_OPEN {
            if let Some((_, parts)) = self.open.pop_first() {
                if parts.is_exec() {
                    self.lost = self.lost.saturating_add(1);
                }
                self.finish(&parts);
            }
        }
    }

    fn finish(&mut self, parts: &Parts) {
        if let Some(exec) = parts.exec() {
            self.seen = self.seen.saturating_add(1);
            self.ready.push_back(exec);
        }
    }
}

enum Refused {
    Errno(Errno),
    Silent,
}

impl From<Refused> for CaptureError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Errno(error) => not_here(error),
            Refused::Silent => not_here("the kernel does not answer"),
        }
    }
}

impl Source for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn read(
        &mut self,
        timeout: Duration,
        most: usize,
        take: &mut dyn FnMut(Exec),
    ) -> Result<(), CaptureError> {
        let group = self.group.is_some();
        let mut wait = timeout;
        while self.ready.len() < most {
            let messages = self
                .receive(group, wait)
                .map_err(|error| CaptureError::Lost(CaptureError::from(error).to_string()))?;
            wait = Duration::ZERO;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                self.take_in(message.kind, &message.body);
            }
        }
        for _ in 0..most {
            let Some(exec) = self.ready.pop_front() else {
                break;
            };
            take(exec);
        }
        Ok(())
    }

    fn counters(&mut self) -> Result<Counters, CaptureError> {
        let status = self.status()?;
        if self.role == Role::Consumer && status.pid != std::process::id() {
            return Err(CaptureError::Lost(format!(
                "process {} has become the consumer of the audit subsystem",
                status.pid
            )));
        }
        let kernel = status.lost.saturating_sub(self.lost_before);
        Ok(Counters {
            seen: None,
            lost: self.lost.saturating_add(u64::from(kernel)),
        })
    }

    fn set_prompt(&mut self, _prompt: bool) {}
}

impl Drop for Audit {
    fn drop(&mut self) {
        if self.role != Role::Consumer {
            return;
        }
        for rule in std::mem::take(&mut self.rules) {
            let _ = self.ask(wire::DELETE_RULE, &rule.bytes());
        }
        let enabled = self.was_enabled;
        let _ = self.ask(wire::SET, &wire::cease(enabled));
    }
}
