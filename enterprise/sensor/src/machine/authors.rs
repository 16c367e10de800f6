//! Who wrote a record, by the kernel's word: a process of the file's owner that is a shell, or cmdai.

use std::collections::{HashSet, VecDeque};

use cmdai_exec_capture::process;

use super::claims::SLACK_NS;
use super::processes::Process;
use super::reports::{Sighting, What};

/// A record is looked at so long after it was read: what started before it has been told by then.
const WAIT_NS: u64 = 2_000_000_000;
/// Of a process that is gone nothing is said where its record is read later than this.
const LATE_NS: u64 = 30_000_000_000;
/// By how much the clock of records may be off against that of programs.
const CLOCKS_NS: u64 = 10_000_000;
/// Most records that wait, and most writers that are remembered as looked at.
const MAX_WAITING: usize = 1_024;
/// Most processes that are looked at when the capture begins; where there are more, nothing is said of
/// processes that nobody knows.
const MAX_BEFORE: usize = 32_768;

/// A record of a shell, and the process that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) uid: u32,
    pub(super) pid: u32,
    pub(super) parents: Vec<u32>,
    pub(super) session: String,
    pub(super) command: String,
    at_ns: u64,
    read_ns: u64,
    script: bool,
}

/// Why a record cannot be what it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Its process belongs to somebody else.
    Another,
    /// Its process was no shell when it was written.
    NoShell,
    /// Neither its process nor any of the processes above has ever been there.
    Nobody,
}

/// The books.
#[derive(Default)]
pub(super) struct Authors {
    waiting: VecDeque<Written>,
    /// Session and process, looked at already.
    known: HashSet<(String, u32)>,
    /// Processes that were there before the capture began; nothing where there were too many.
    before: Option<HashSet<u32>>,
    /// Who has processes in other process namespaces, whose numbers mean nothing here.
    elsewhere: HashSet<u32>,
}

impl Authors {
    /// The capture begins: who is there already. `own`: this sensor's process namespace.
    pub(super) fn begin(&mut self, own: u32) {
        let all = process::all(MAX_BEFORE);
        for pid in &all {
            let namespace = process::pid_namespace(*pid);
            if let (Some(namespace), Some(uid)) = (namespace, process::uid(*pid)) {
                self.lives(uid, namespace, own);
            }
        }
        self.before = (all.len() < MAX_BEFORE).then(|| all.into_iter().collect());
    }

    /// A process of this person is in this process namespace.
    pub(super) fn lives(&mut self, uid: u32, namespace: u32, own: u32) {
        if namespace != 0 && namespace != own && self.elsewhere.len() < MAX_BEFORE {
            self.elsewhere.insert(uid);
        }
    }

    /// A record was read. True for the first of a process in its session.
    pub(super) fn take(&mut self, sighting: &Sighting) -> bool {
        let What::Start {
            id,
            shell: true,
            script,
            ..
        } = &sighting.what
        else {
            return false;
        };
        if self.known.len() >= 4 * MAX_WAITING {
            self.known.clear();
        }
        if !self.known.insert((sighting.session.clone(), sighting.pid)) {
            return false;
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Written {
            uid: sighting.uid,
            pid: sighting.pid,
            parents: sighting.parents.clone(),
            session: sighting.session.clone(),
            command: id.clone(),
            at_ns: sighting.at_ns,
            read_ns: sighting.read_ns,
            script: *script,
        });
        true
    }

    /// The next one that can be judged. `seen_ns`: what the kernel saw until then has been told.
    pub(super) fn due(&mut self, now_ns: u64, seen_ns: u64) -> Option<Written> {
        self.waiting.pop_front_if(|written| {
            written.read_ns.saturating_add(WAIT_NS) <= now_ns && written.read_ns <= seen_ns
        })
    }

    /// What is wrong with it. `writer`: the process of that number as it is known; `kin`: one of those above
    /// is known; `whole_ns`: from here on all that started was seen, and nothing forgotten.
    pub(super) fn doubt(
        &self,
        written: &Written,
        writer: Option<&Process>,
        kin: bool,
        whole_ns: u64,
    ) -> Option<Doubt> {
        let since = |at: u64| written.at_ns > at.saturating_add(SLACK_NS);
        if !since(whole_ns) {
            return None;
        }
        let Some(writer) = writer else {
            let before = self.before.as_ref()?;
            let gone = |pid: &u32| !before.contains(pid);
            let never = !kin
                && !written.script
                && !written.parents.is_empty()
                && written.read_ns.saturating_sub(written.at_ns) < LATE_NS
                && !self.elsewhere.contains(&written.uid)
                && gone(&written.pid)
                && written.parents.iter().all(gone);
            return never.then_some(Doubt::Nobody);
        };
        // The number was used again since.
        if writer.start_ns > written.at_ns {
            return None;
        }
        if writer.uid != written.uid {
            let sure = writer.uid != u32::MAX && !self.elsewhere.contains(&written.uid);
            return sure.then_some(Doubt::Another);
        }
        // A shell under a name of its own is still called so somewhere, as a rule.
        let name = writer.name();
        let shell = writer.shell.is_some() || name.contains("sh") || name.starts_with("cmdai");
        // A shell that was replaced since by what it ran (`exec vim`) was one when it wrote.
        let then = written.at_ns > writer.exec_ns.saturating_add(CLOCKS_NS);
        (!shell && then && !self.elsewhere.contains(&written.uid)).then_some(Doubt::NoShell)
    }
}

impl Doubt {
    /// For machines, for people, and how sure it is, of 1,000.
    pub(super) fn say(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Another => (
                "another-persons-process",
                "a record names a process of somebody else as the shell that wrote it",
                950,
            ),
            Self::NoShell => (
                "no-shell",
                "a record names a process as the shell that wrote it that is none",
                900,
            ),
            Self::Nobody => (
                "no-such-process",
                "a record names a process as the shell that wrote it that was never there",
                900,
            ),
        }
    }
}

#[cfg(test)]
mod tests;
