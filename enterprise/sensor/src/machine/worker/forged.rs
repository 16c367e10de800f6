//! Records of which the kernel's word says that they are not true.

use cmdai_exec_capture::process;

use super::{AGAIN_NS, MAX_PENDING, Worker};
use crate::machine::claims;
use crate::machine::processes::{Process, Shell, base, text};
use crate::machine::reports::Sighting;
use crate::machine::units::Seen;

/// How far the clocks with and without sleep may drift apart between two looks before the machine slept.
const SLEPT_NS: u64 = 500_000_000;

/// A session whose records are not true.
#[derive(Default)]
pub(super) struct Forger {
    records: u64,
    last_told_ns: u64,
}

impl Worker<'_> {
    /// All that starts from now on is seen, where the source sees all and knows what stands above it.
    pub(super) fn sees(&mut self, name: &str) {
        // The audit subsystem tells of the ancestors of what is still there when it is read.
        let from = match name {
            "ebpf" => process::now_ns(),
            _ => u64::MAX,
        };
        self.claims.blind(from);
        self.authors.begin(self.own_namespaces.0);
    }

    /// What a record says, for when the kernel's word about it is known.
    pub(super) fn consider(&mut self, sighting: &Sighting) {
        if self.authors.take(sighting) {
            // Whoever is gone soon is known by then.
            self.processes.find(sighting.pid, 0, u32::MAX);
        }
        let processes = &mut self.processes;
        self.claims.take(sighting, || {
            // Another process that writes for a shell does not know its functions.
            processes
                .find(sighting.pid, 0, u32::MAX)
                .filter(|known| {
                    known.shell == Some(Shell::Interactive)
                        && known.uid == sighting.uid
                        && known.start_ns <= sighting.at_ns
                })
                .map(|known| (known.pid, known.start_ns))
        });
    }

    /// A program started: below which shells.
    pub(super) fn bear_out(&mut self, seen: &Seen) {
        let exec = &seen.exec;
        self.authors
            .lives(exec.uid, exec.pid_ns, self.own_namespaces.0);
        let called = text(&exec.filename, 512);
        let own = exec.argv.first().map(|word| text(word, 512));
        let mut names = vec![base(&called), seen.process.name()];
        names.extend(own.as_deref().map(base));
        names.sort_unstable();
        names.dedup();
        for shell in &seen.line {
            if shell.shell == Some(Shell::Interactive) {
                let shell = (shell.pid, shell.start_ns);
                self.claims.started(shell, exec.time_ns, &names);
            }
        }
    }

    /// Records that can be judged by now.
    pub(super) fn look_at_records(&mut self, now: u64) {
        let asleep = now.saturating_sub(crate::clock::monotonic_ns());
        if asleep.abs_diff(self.asleep_ns) > SLEPT_NS {
            // Times of records that were written before are not to be trusted.
            self.claims.blind(now);
            self.asleep_ns = asleep;
        }
        if self.source.is_none() {
            self.claims.blind(now);
        }
        let unfounded = self.claims.due(now, self.read_ns);
        if !unfounded.is_empty() {
            // What was lost meanwhile may have been just that.
            self.count();
        }
        for (claim, instead) in unfounded {
            if !self.claims.is_judged(&claim) || !is_there(&claim.program) {
                continue;
            }
            self.forged(
                (claim.uid, &claim.session),
                "a record says that a program ran, and none of that name started below its shell then",
                &[
                    ("why", "never-started".to_owned()),
                    ("command_id", claim.command),
                    ("program", claim.program),
                    ("pid", claim.shell.0.to_string()),
                    ("started", instead.join(", ")),
                    ("confidence", if claim.ended { "900" } else { "800" }.to_owned()),
                ],
            );
        }
        while let Some(written) = self.authors.due(now, self.read_ns) {
            let writer = self.processes.find(written.pid, 0, u32::MAX);
            let kin = writer.is_some()
                || written
                    .parents
                    .iter()
                    .any(|parent| self.processes.find(*parent, 0, u32::MAX).is_some());
            let whole_ns = self.claims.whole_ns().max(self.processes.forgot_ns);
            let writer: Option<&Process> = writer.as_deref();
            let Some(doubt) = self.authors.doubt(&written, writer, kin, whole_ns) else {
                continue;
            };
            let (why, cause, confidence) = doubt.say();
            let executable = writer.map(|writer| writer.executable.clone());
            self.forged(
                (written.uid, &written.session),
                cause,
                &[
                    ("why", why.to_owned()),
                    ("command_id", written.command),
                    ("pid", written.pid.to_string()),
                    ("executable", executable.unwrap_or_default()),
                    ("confidence", confidence.to_string()),
                ],
            );
        }
    }

    /// Told at once, and then once a minute with their number.
    fn forged(&mut self, (uid, session): (u32, &str), cause: &str, detail: &[(&str, String)]) {
        let now = process::now_ns();
        if self.forgers.len() >= MAX_PENDING {
            self.forgers.clear();
        }
        let forger = self.forgers.entry((uid, session.to_owned())).or_default();
        forger.records = forger.records.saturating_add(1);
        if forger.last_told_ns != 0 && now.saturating_sub(forger.last_told_ns) < AGAIN_NS {
            return;
        }
        forger.last_told_ns = now;
        let records = std::mem::take(&mut forger.records);
        let mut draft = self.finding(cause, detail);
        for (key, value) in [
            ("finding", "forged-record".to_owned()),
            ("session_id", session.to_owned()),
            ("records", records.to_string()),
        ] {
            draft.payload.detail.insert(key.to_owned(), value);
        }
        draft.payload.user = self.user(uid);
        draft.payload.context.session_id = session.to_owned();
        self.push(draft);
    }
}

/// The program is there, so that the line did not end well for another reason.
fn is_there(program: &str) -> bool {
    claims::places(program)
        .iter()
        .any(|path| std::fs::metadata(path).is_ok_and(|meta| meta.is_file()))
}
