//! Records beside the kernel's word: a program that a record says ran has to have been seen to start.
//!
//! A person can write into their own spool. Here is noticed what cannot be true: a line that is certain to
//! start a program ([`needed`]), ran to a good end, and below whose shell the kernel saw no such program
//! start meanwhile. Everything doubtful founds nothing: compound lines, names that a shell may carry out by
//! itself, other ends than 0, times in which something may have been missed. So a forged record of a builtin,
//! of a script or of a line with a pipe stays unseen; so does one of a program that did run then.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use cmdai_exec_capture::process;
use cmdai_schema::Layer;
use cmdai_schema::record::Start;

use super::processes::base;
use super::reports::{Sighting, What};

/// A claim is looked at so long after its end was read: what the kernel saw is known by then.
const WAIT_NS: u64 = 5_000_000_000;
/// A line whose end was never told may start its program until so long after its shell went on.
const UNENDED_NS: u64 = 3_000_000_000;
/// Around a record's own times.
pub(super) const SLACK_NS: u64 = 1_000_000_000;
/// Most shells, starts of one shell, and claims that wait: a sensor that was behind reads many at once.
const MAX_SHELLS: usize = 256;
const MAX_STARTS: usize = 1_024;
const MAX_CLAIMS: usize = 4_096;
/// Programs that are named in place of the one that did not start.
const MAX_NAMED: usize = 8;
/// Longest line that is looked at, and longest name of a program.
const MAX_TEXT: usize = 4_096;
const MAX_NAME: usize = 64;

/// What a shell's module or an odd package brings as a builtin although it is a program elsewhere, and what
/// distributions have as a program although shells do it themselves. Sorted.
const BY_SHELL: &[&str] = &[
    "[", "alias", "basename", "bg", "bind", "cat", "cd", "chgrp", "chmod", "chown", "command",
    "csv", "cut", "dirname", "echo", "enable", "exec", "exit", "false", "fc", "fg", "getconf",
    "getopts", "hash", "head", "help", "history", "id", "jobs", "kill", "limit", "ln", "log",
    "logname", "logout", "math", "mkdir", "mkfifo", "mktemp", "mv", "open", "path", "pathchk",
    "print", "printenv", "printf", "pwd", "r", "random", "read", "realpath", "rm", "rmdir",
    "sched", "seq", "set", "sleep", "source", "stat", "strftime", "string", "suspend", "sync",
    "tee", "test", "time", "times", "trap", "true", "tty", "type", "ulimit", "umask", "unalias",
    "uname", "unlink", "wait", "whence", "where", "which", "whoami",
];

/// Folders in which nobody but root puts programs. A bare name counts where it is in one of the first two,
/// which everybody searches.
const FOLDERS: &[&str] = &["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"];

/// The program that this line starts for certain if it ends well, as it names it: one plain command of an
/// interactive shell, whose program the shell does not replace by something of its own.
pub(super) fn needed(start: &Start) -> Option<String> {
    if start.layer != Layer::Shell
        || !start.allowed
        || start.private
        || start.function
        || start.times.is_some()
    {
        return None;
    }
    // Any other sign than of plain words: the rest of the line may decide whether it runs at all.
    let plain = |c: char| !c.is_control() && !";&|()<>$`{}!\\*?[".contains(c);
    if start.text.len() > MAX_TEXT || !start.text.chars().all(plain) {
        return None;
    }
    let word = start.text.split_ascii_whitespace().next()?;
    let name = base(word);
    let literal = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    // An alias of this name shows in the programs that it calls, and so do most functions.
    let [only] = start.programs.as_slice() else {
        return None;
    };
    let folder = word.strip_suffix(name)?;
    let certain = only == name
        && name.len() <= MAX_NAME
        && name.chars().all(literal)
        && (folder.is_empty() && BY_SHELL.binary_search(&name).is_err()
            || FOLDERS.contains(&folder))
        && matches!(start.shell.as_str(), "bash" | "zsh");
    certain.then(|| word.to_owned())
}

/// Where the file of a [`needed`] program may be.
pub(super) fn places(needed: &str) -> Vec<String> {
    if needed.starts_with('/') {
        return vec![needed.to_owned()];
    }
    FOLDERS
        .iter()
        .take(2)
        .map(|folder| format!("{folder}{needed}"))
        .collect()
}

/// A line that says that a program ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) uid: u32,
    /// The shell, and when it began.
    pub(super) shell: (u32, u64),
    pub(super) session: String,
    pub(super) command: String,
    pub(super) program: String,
    pub(super) from_ns: u64,
    /// Its end was told, and was a good one.
    pub(super) ended: bool,
    to_ns: u64,
    due_ns: u64,
    /// Number of its record, and the process that wrote it.
    counter: u64,
    pid: u32,
}

/// What started below one shell.
struct Starts {
    began_ns: u64,
    /// Ascending, as they came.
    known: VecDeque<(u64, Rc<str>)>,
    /// Up to here something may have been forgotten.
    forgotten_ns: u64,
}

/// What started below a shell while a line of it ran.
enum Found {
    Itself,
    Others(Vec<Rc<str>>),
    Unclear,
}

/// The books.
#[derive(Default)]
pub(super) struct Claims {
    shells: HashMap<u32, Starts>,
    /// Not ended yet.
    begun: VecDeque<Claim>,
    ended: VecDeque<Claim>,
    /// From here on the kernel's word is whole.
    whole_ns: u64,
    /// Claims whose program was seen.
    pub(super) borne_out: u64,
}

impl Claims {
    /// Something may have been missed until now.
    pub(super) fn blind(&mut self, now_ns: u64) {
        self.whole_ns = self.whole_ns.max(now_ns);
    }

    pub(super) fn whole_ns(&self) -> u64 {
        self.whole_ns
    }

    /// Whether all that started while it ran was seen.
    pub(super) fn is_judged(&self, claim: &Claim) -> bool {
        claim.from_ns.saturating_sub(SLACK_NS) > self.whole_ns
    }

    /// A program started below this shell, under these names.
    pub(super) fn started(&mut self, shell: (u32, u64), at_ns: u64, names: &[&str]) {
        if self.shells.len() >= MAX_SHELLS && !self.shells.contains_key(&shell.0) {
            let last = |starts: &Starts| starts.known.back().map_or(0, |(at, _)| *at);
            let oldest = self.shells.iter().min_by_key(|(_, starts)| last(starts));
            if let Some(oldest) = oldest.map(|(pid, _)| *pid) {
                self.shells.remove(&oldest);
                // Nobody knows any more what started below it.
                self.blind(at_ns);
            }
        }
        let fresh = || Starts {
            began_ns: shell.1,
            known: VecDeque::new(),
            forgotten_ns: 0,
        };
        let starts = self.shells.entry(shell.0).or_insert_with(fresh);
        if !process::same_start(starts.began_ns, shell.1) {
            *starts = fresh();
        }
        for name in names {
            if starts.known.len() >= MAX_STARTS
                && let Some((at, _)) = starts.known.pop_front()
            {
                starts.forgotten_ns = starts.forgotten_ns.max(at);
            }
            starts.known.push_back((at_ns, Rc::from(*name)));
        }
    }

    /// A record; `shell`: number and beginning of the shell that wrote it, where the kernel knows one.
    pub(super) fn take(&mut self, sighting: &Sighting, shell: impl FnOnce() -> Option<(u32, u64)>) {
        match &sighting.what {
            What::Start { needed, id, .. } => {
                self.goes_on(sighting);
                let Some(program) = needed else { return };
                let Some(shell) = shell() else { return };
                bounded(
                    &mut self.begun,
                    Claim {
                        uid: sighting.uid,
                        shell,
                        session: sighting.session.clone(),
                        command: id.clone(),
                        program: program.clone(),
                        from_ns: sighting.at_ns,
                        ended: false,
                        to_ns: 0,
                        due_ns: 0,
                        counter: sighting.counter,
                        pid: sighting.pid,
                    },
                );
            }
            What::End { id, exit_code } => {
                let ends = |claim: &Claim| {
                    claim.command == *id
                        && claim.session == sighting.session
                        && claim.uid == sighting.uid
                };
                let Some(place) = self.begun.iter().rposition(ends) else {
                    return;
                };
                if let Some(claim) = self.begun.remove(place)
                    && *exit_code == 0
                {
                    self.over(claim, true, sighting.at_ns, sighting.read_ns);
                }
            }
            What::Session => {}
        }
    }

    /// A session's next line: the one before is over, where no record between them was missed.
    fn goes_on(&mut self, sighting: &Sighting) {
        let before = |claim: &Claim| claim.session == sighting.session && claim.uid == sighting.uid;
        let Some(place) = self.begun.iter().rposition(before) else {
            return;
        };
        if let Some(claim) = self.begun.remove(place)
            && sighting.counter <= claim.counter.saturating_add(1)
            && sighting.pid == claim.pid
        {
            let to_ns = sighting.at_ns.saturating_add(UNENDED_NS);
            self.over(claim, false, to_ns, sighting.read_ns);
        }
    }

    fn over(&mut self, claim: Claim, ended: bool, to_ns: u64, read_ns: u64) {
        let over = Claim {
            ended,
            to_ns,
            due_ns: read_ns.saturating_add(WAIT_NS),
            ..claim
        };
        bounded(&mut self.ended, over);
    }

    /// Claims that nothing which started bears out, with what started instead. `seen_ns`: what the kernel saw
    /// until then has been told.
    pub(super) fn due(&mut self, now_ns: u64, seen_ns: u64) -> Vec<(Claim, Vec<Rc<str>>)> {
        let mut unfounded = Vec::new();
        while let Some(claim) = self.ended.pop_front_if(|claim| {
            claim.due_ns <= now_ns && claim.to_ns.saturating_add(SLACK_NS) <= seen_ns
        }) {
            match self.found(&claim) {
                Found::Itself => self.borne_out = self.borne_out.saturating_add(1),
                Found::Others(instead) => unfounded.push((claim, instead)),
                Found::Unclear => {}
            }
        }
        unfounded
    }

    fn found(&self, claim: &Claim) -> Found {
        let from_ns = claim.from_ns.saturating_sub(SLACK_NS);
        let to_ns = claim.to_ns.saturating_add(SLACK_NS);
        let mut instead: Vec<Rc<str>> = Vec::new();
        if let Some(starts) = self.shells.get(&claim.shell.0) {
            if starts.forgotten_ns >= from_ns
                || !process::same_start(starts.began_ns, claim.shell.1)
            {
                return Found::Unclear;
            }
            for (at, name) in &starts.known {
                if *at < from_ns || *at > to_ns {
                    continue;
                }
                if **name == *base(&claim.program) {
                    return Found::Itself;
                }
                if instead.len() < MAX_NAMED && !instead.contains(name) {
                    instead.push(name.clone());
                }
            }
        }
        if self.is_judged(claim) && claim.from_ns <= claim.to_ns {
            Found::Others(instead)
        } else {
            Found::Unclear
        }
    }
}

fn bounded(claims: &mut VecDeque<Claim>, claim: Claim) {
    if claims.len() >= MAX_CLAIMS {
        claims.pop_front();
    }
    claims.push_back(claim);
}

#[cfg(test)]
mod tests;
