//! The thread that reads what starts and keeps the books.

mod forged;
mod silence;
mod telling;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cmdai_exec_capture::{Exec, KillError, Source, kill, open, process};
use cmdai_policy::ExecCapture;
use cmdai_schema::governor::LayerStatus;
use cmdai_schema::{EventType, Execution, UserRef};

use super::authors::Authors;
use super::claims::Claims;
use super::hashes::Hashes;
use super::judge::{Asked, Judge, Judged};
use super::never::{Candidate, Program, spared};
use super::origin;
use super::processes::{Process, Processes, Shell, base, text};
use super::reports::Reports;
use super::units::{Anchor, Seen, Unit, Units};
use super::{Order, Setup};
use crate::accounts::{self, Account};
use crate::keeper::Draft;

/// How often the ring is read where nothing has to be ended.
const PERIOD: Duration = Duration::from_millis(25);
/// Most programs of one reading.
const MOST: usize = 1_024;
/// How often units and findings are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often the counters are read, and a source that failed is opened again.
const COUNT: Duration = Duration::from_secs(5);
/// How long a shell or an agent may stay without a report.
const GRACE_NS: u64 = 4_000_000_000;
/// Most findings that wait, and most drafts that wait to be taken.
const MAX_PENDING: usize = 1_024;
const MAX_WAITING: usize = 4_000;
/// Drafts of one batch.
const BATCH: usize = 64;
/// The same agent, or the same shell with forged marks, is found again after this time.
const AGAIN_NS: u64 = 60_000_000_000;
/// How long the children of a process that used a grant are not ended.
const PERMIT_NS: u64 = 3_600_000_000_000;
/// Processes inside a unit whose variables are looked at, between two looks.
const LOOKS: u32 = 16;
/// Starts of one shell within this time are its cadence.
const CADENCE_NS: u64 = 4_000_000_000;

/// A shell that has to report.
struct Expected {
    process: Rc<Process>,
    line: Vec<Rc<Process>>,
    exec: Exec,
    since_ns: u64,
}

/// A command string of an agent that its hook has to report.
struct Call {
    agent: Rc<Process>,
    at_ns: u64,
    exec: Exec,
    line: Vec<Rc<Process>>,
    text: Option<String>,
}

/// What is known of an agent that does not report.
#[derive(Default)]
struct Silent {
    calls: u64,
    last_told_ns: u64,
}

pub(super) struct Worker<'a> {
    setup: &'a Setup,
    mode: ExecCapture,
    outbox: &'a SyncSender<Vec<Draft>>,
    shown: &'a Mutex<LayerStatus>,
    source: Option<Box<dyn Source>>,
    judge: Judge,
    hashes: Option<Hashes>,
    processes: Processes,
    reports: Reports,
    units: Units,
    expected: VecDeque<Expected>,
    calls: VecDeque<Call>,
    silent: HashMap<(u32, u64), Silent>,
    forged: HashMap<(u32, u64), u64>,
    claims: Claims,
    authors: Authors,
    forgers: HashMap<(u32, String), forged::Forger>,
    cadence: HashMap<u32, VecDeque<u64>>,
    permits: Vec<(u32, u32, u64, u64)>,
    people: HashMap<u32, Account>,
    people_read: Option<Instant>,
    waiting: VecDeque<Draft>,
    /// Drafts that did not fit.
    spilled: u64,
    spilled_told: u64,
    lost_told: u64,
    unjudged_told: u64,
    seen: u64,
    lost: u64,
    killed: u64,
    last_ns: u64,
    /// What the kernel saw until then has been taken.
    read_ns: u64,
    /// How long the machine has slept since it started.
    asleep_ns: u64,
    trouble: Option<String>,
    own_namespaces: (u32, u32),
    /// Processes that may still be looked at until the next round of looks.
    looks: u32,
}

fn namespace(kind: &str) -> u32 {
    std::fs::read_link(format!("/proc/self/ns/{kind}"))
        .ok()
        .and_then(|path| {
            let text = path.to_str()?.to_owned();
            text.split_once('[')?.1.trim_end_matches(']').parse().ok()
        })
        .unwrap_or(0)
}

impl<'a> Worker<'a> {
    pub(super) fn run(
        setup: &'a Setup,
        mode: ExecCapture,
        inbox: &Receiver<Order>,
        outbox: &'a SyncSender<Vec<Draft>>,
        shown: &'a Arc<Mutex<LayerStatus>>,
    ) {
        let mut worker = Self {
            setup,
            mode,
            outbox,
            shown,
            source: None,
            judge: Judge::new(setup.judge.clone(), setup.account.clone()),
            hashes: Hashes::start().ok(),
            processes: Processes::default(),
            reports: Reports::default(),
            units: Units::default(),
            expected: VecDeque::new(),
            calls: VecDeque::new(),
            silent: HashMap::new(),
            forged: HashMap::new(),
            claims: Claims::default(),
            authors: Authors::default(),
            forgers: HashMap::new(),
            cadence: HashMap::new(),
            permits: Vec::new(),
            people: HashMap::new(),
            people_read: None,
            waiting: VecDeque::new(),
            spilled: 0,
            spilled_told: 0,
            lost_told: 0,
            unjudged_told: 0,
            seen: 0,
            lost: 0,
            killed: 0,
            last_ns: 0,
            read_ns: 0,
            asleep_ns: 0,
            trouble: None,
            own_namespaces: (namespace("pid"), namespace("mnt")),
            looks: LOOKS,
        };
        worker.turn(inbox);
    }

    fn turn(&mut self, inbox: &Receiver<Order>) {
        let mut next_look = Instant::now();
        let mut next_count = Instant::now();
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(Order::Stop) | Err(TryRecvError::Disconnected) => {
                        self.last_words();
                        return;
                    }
                    Ok(order) => self.order(order),
                    Err(TryRecvError::Empty) => break,
                }
            }
            if Instant::now() >= next_count {
                next_count = Instant::now() + COUNT;
                self.open();
                self.count();
            }
            self.read();
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK;
                self.look();
            }
            self.send();
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Sightings(all) => {
                for sighting in all {
                    self.consider(&sighting);
                    self.reports.take(sighting);
                }
            }
            Order::Policy(snapshot, subject) => self.judge.set_policy(&snapshot, subject),
            Order::Mode(mode) => {
                self.mode = mode;
                if let Some(source) = &mut self.source {
                    source.set_prompt(mode == ExecCapture::Enforce);
                }
            }
            Order::Permitted { uid, pid } => {
                let now = process::now_ns();
                self.permits.retain(|permit| permit.3 > now);
                if self.permits.len() < 256
                    && let Some(start) = process::start_ns(pid)
                {
                    self.permits
                        .push((uid, pid, start, now.saturating_add(PERMIT_NS)));
                }
            }
            Order::Stop => {}
        }
    }

    fn open(&mut self) {
        if self.source.is_some() {
            return;
        }
        match open(self.setup.choice) {
            Ok(mut source) => {
                source.set_prompt(self.mode == ExecCapture::Enforce);
                if self.trouble.take().is_some() {
                    self.gap("programs are captured again", &[]);
                }
                self.lost_told = 0;
                self.sees(source.name());
                self.source = Some(source);
            }
            Err(error) => {
                let why = error.to_string();
                if self.trouble.is_none() {
                    self.gap(
                        "programs that start are not captured",
                        &[("why", why.clone()), ("finding", "exec-capture-off".into())],
                    );
                }
                self.trouble = Some(why);
            }
        }
    }

    fn read(&mut self) {
        let mut batch = Vec::new();
        let Some(source) = &mut self.source else {
            std::thread::sleep(PERIOD);
            return;
        };
        let enforce = self.mode == ExecCapture::Enforce;
        if !enforce {
            // Without a wake-up for each: what starts between two looks is read at once.
            std::thread::sleep(PERIOD);
        }
        let wait = if enforce { PERIOD } else { Duration::ZERO };
        let begun = process::now_ns();
        if let Err(error) = source.read(wait, MOST, &mut |exec| batch.push(exec)) {
            self.source = None;
            self.trouble = Some(error.to_string());
            self.gap(
                "the capture of programs ended",
                &[
                    ("why", error.to_string()),
                    ("finding", "exec-capture-off".into()),
                ],
            );
        }
        let all = batch.len() < MOST;
        if !batch.is_empty() {
            self.take(batch);
        }
        if all {
            self.read_ns = begun;
        }
    }

    fn take(&mut self, batch: Vec<Exec>) {
        let own = self.own();
        let mut all = Vec::with_capacity(batch.len());
        for exec in batch {
            self.seen = self.seen.saturating_add(1);
            self.last_ns = self.last_ns.max(exec.time_ns);
            // What the sensor itself starts is no news.
            if own.contains(&exec.pid) || own.contains(&exec.parent()) {
                continue;
            }
            let seen = self.place(exec);
            self.bear_out(&seen);
            all.push(seen);
        }
        let asked: Vec<Asked> = all.iter().map(|seen| self.asked(seen)).collect();
        let judged = self.judge.judge(asked);
        for (index, seen) in all.into_iter().enumerate() {
            self.book(seen, judged.get(index));
        }
    }

    fn own(&self) -> Vec<u32> {
        let mut own = self.setup.own.clone();
        own.extend(self.judge.pid());
        own
    }

    /// Where it stands: its ancestors, and above what.
    fn place(&mut self, exec: Exec) -> Seen {
        let process = self.processes.started(&exec);
        let mut line = Vec::with_capacity(exec.ancestors.len());
        let mut head = (process.pid, process.start_ns);
        let mut anchor = Anchor::None;
        let mut below = head;
        let mut led = false;
        for ancestor in &exec.ancestors {
            let known = self
                .processes
                .find(ancestor.pid, ancestor.start_ns, ancestor.uid);
            if let Some(known) = known {
                if matches!(anchor, Anchor::None) {
                    if known.shell == Some(Shell::Interactive) {
                        anchor = Anchor::Shell(known.clone());
                        head = below;
                    } else if known.agent.is_some() {
                        anchor = Anchor::Agent(known.clone());
                        head = below;
                    }
                }
                line.push(known);
            }
            // A session's leader heads what is below it, where nobody stands above: what stands above the
            // leader has other sessions too.
            led |= below.0 == exec.session;
            if matches!(anchor, Anchor::None) && !led && ancestor.pid > 1 {
                head = (ancestor.pid, ancestor.start_ns);
            }
            below = (ancestor.pid, ancestor.start_ns);
        }
        let above = match &anchor {
            Anchor::Shell(process) | Anchor::Agent(process) => process.pid,
            Anchor::None => 0,
        };
        if let Some(hashes) = &self.hashes {
            for known in line.iter().take(8) {
                hashes.want(known);
            }
            if head.0 == process.pid {
                hashes.want(&process);
            }
        }
        Seen {
            key: (head.0, head.1, above),
            exec,
            process,
            anchor,
            line,
        }
    }

    fn asked(&mut self, seen: &Seen) -> Asked {
        let exec = &seen.exec;
        let mut words: Vec<String> = exec.argv.iter().map(|word| text(word, 4096)).collect();
        let called = text(&exec.filename, 512);
        let name = base(&called);
        let own = words
            .first()
            .map(|word| base(word).trim_start_matches('-').to_owned());
        // What a program calls itself is its own choice; what it is, is not.
        if exec.interpreter.is_none() && own.as_deref() != Some(name) {
            let multiple = matches!(name, "busybox" | "toybox" | "coreutils");
            match (words.first_mut(), multiple) {
                (Some(_), true) => words.insert(0, called),
                (Some(first), false) => *first = called,
                (None, _) => words.push(called),
            }
        }
        let account = self.account(seen.process.uid);
        let agent = std::iter::once(&seen.process)
            .chain(&seen.line)
            .find_map(|process| process.agent)
            .map(str::to_owned);
        Asked {
            words,
            cut: exec.cut,
            cwd: self.cwd(seen),
            home: account.home,
            user: account.login,
            script: agent.is_none() && !matches!(seen.anchor, Anchor::Shell(_)),
            agent,
        }
    }

    /// The working directory: the kernel's word, else the process's own.
    fn cwd(&self, seen: &Seen) -> Option<String> {
        let exec = &seen.exec;
        let bytes = exec.cwd.clone().or_else(|| {
            process::cwd(exec.pid).filter(|_| process::is_same(exec.pid, exec.start_ns))
        })?;
        String::from_utf8(bytes)
            .ok()
            .filter(|cwd| cwd.len() <= 4096)
    }

    fn account(&mut self, uid: u32) -> Account {
        if self
            .people_read
            .is_none_or(|at| at.elapsed() > Duration::from_secs(60))
        {
            self.people_read = Some(Instant::now());
            self.people = accounts::all()
                .into_iter()
                .rev()
                .map(|account| (account.uid, account))
                .collect();
        }
        self.people
            .get(&uid)
            .cloned()
            .unwrap_or_else(|| Account::unknown(uid))
    }

    fn user(&mut self, uid: u32) -> UserRef {
        UserRef {
            user_id: self.account(uid).login,
            uid: Some(uid),
            ..UserRef::default()
        }
    }

    fn book(&mut self, seen: Seen, judged: Option<&Judged>) {
        if judged.is_some_and(|judged| judged.denied) {
            self.denied(&seen, judged);
        }
        let now = seen.exec.time_ns;
        if seen.process.shell == Some(Shell::Interactive) && self.expected.len() < MAX_PENDING {
            self.expected.push_back(Expected {
                process: seen.process.clone(),
                line: seen.line.clone(),
                exec: seen.exec.clone(),
                since_ns: now,
            });
        }
        // A shell that began before this sensor did has to report what it starts.
        if let Anchor::Shell(shell) = &seen.anchor
            && shell.before
            && !self.reports.shell(shell.pid, shell.uid, shell.start_ns)
            && self.expected.len() < MAX_PENDING
            && !self
                .expected
                .iter()
                .any(|known| known.process.pid == shell.pid)
            && !self.told_of(shell, now)
        {
            self.expected.push_back(Expected {
                process: shell.clone(),
                line: Vec::new(),
                exec: seen.exec.clone(),
                since_ns: now,
            });
        }
        if let Anchor::Agent(agent) = &seen.anchor
            && seen.process.shell == Some(Shell::Command)
            && seen
                .line
                .first()
                .is_some_and(|parent| parent.pid == agent.pid)
            && self.calls.len() < MAX_PENDING
        {
            self.calls.push_back(Call {
                agent: agent.clone(),
                at_ns: now,
                exec: seen.exec.clone(),
                line: seen.line.clone(),
                text: judged.map(|judged| judged.text.clone()),
            });
        }
        let new = !self.units.has(&seen.key);
        let cadence = if new && seen.key.2 != 0 {
            self.beat(seen.key.2, now)
        } else {
            0
        };
        // The first of a unit is always looked at; of the others as many as there is time for.
        let variables = (new || self.looks > 0)
            .then(|| origin::variables(seen.process.pid, seen.process.start_ns))
            .flatten();
        if !new {
            self.looks = self.looks.saturating_sub(1);
        }
        let pushed = self.units.add(&seen, judged, variables, cadence);
        if let Some(unit) = pushed {
            self.tell(&unit);
        }
    }

    fn told_of(&self, process: &Process, now: u64) -> bool {
        self.silent
            .get(&(process.pid, process.start_ns))
            .is_some_and(|known| now.saturating_sub(known.last_told_ns) < AGAIN_NS * 60)
    }

    /// Starts of one shell lately.
    fn beat(&mut self, shell: u32, now: u64) -> u32 {
        if self.cadence.len() > MAX_PENDING {
            self.cadence.clear();
        }
        let beats = self.cadence.entry(shell).or_default();
        beats.push_back(now);
        while beats.len() > 64
            || beats
                .front()
                .is_some_and(|first| now.saturating_sub(*first) > CADENCE_NS)
        {
            beats.pop_front();
        }
        u32::try_from(beats.len()).unwrap_or(u32::MAX)
    }

    /// The organisation denies it.
    fn denied(&mut self, seen: &Seen, judged: Option<&Judged>) {
        let exec = &seen.exec;
        let outcome = if self.mode != ExecCapture::Enforce {
            Err("the policy only records".to_owned())
        } else if let Some(why) = self.spares(seen) {
            Err(format!("never ended: {why}"))
        } else if self.permitted(seen) {
            Err("a permission was used by the process above it".to_owned())
        } else {
            match kill(exec.pid, exec.start_ns, exec.file) {
                Ok(()) => Ok(()),
                Err(KillError::Gone) => Err("it had ended before it could be".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        };
        let after = process::now_ns().saturating_sub(exec.time_ns) / 1_000;
        let kind = match &outcome {
            Ok(()) => {
                self.killed = self.killed.saturating_add(1);
                EventType::CommandBlocked
            }
            Err(_) => EventType::PolicyViolation,
        };
        let unit = Unit {
            anchor: seen.anchor.clone(),
            head: (exec.pid, exec.start_ns),
            line: seen.line.clone(),
            first: exec.clone(),
            process: seen.process.clone(),
            last_ns: exec.time_ns,
            count: 1,
            part: 0,
            programs: std::collections::BTreeMap::from([(seen.process.name().to_owned(), 1)]),
            others: 0,
            judged: judged.cloned(),
            worst: None,
            variables: None,
            cadence: 0,
        };
        let join = self.join(&unit);
        let mut draft = self.draft(&unit, kind, join.as_ref(), unit.judged.as_ref());
        draft.payload.execution = Some(Execution {
            allowed: outcome.is_err(),
            ..Execution::default()
        });
        let detail = &mut draft.payload.detail;
        detail.insert("layer".to_owned(), "kernel".to_owned());
        match outcome {
            Ok(()) => {
                detail.insert("ended".to_owned(), "yes".to_owned());
                detail.insert("ended_after_us".to_owned(), after.to_string());
            }
            Err(why) => {
                detail.insert("ended".to_owned(), format!("no: {why}"));
            }
        }
        self.push(draft);
    }

    fn spares(&self, seen: &Seen) -> Option<&'static str> {
        let (own_pids, own_mounts) = self.own_namespaces;
        let here = seen.exec.mnt_ns == 0 || seen.exec.mnt_ns == own_mounts;
        let program = |process: &'_ Process| -> bool { here && of_system(process) };
        let line: Vec<(Program<'_>, u32)> = seen
            .line
            .iter()
            .map(|process| {
                let of_system = program(process);
                let path = process.executable.as_str();
                (Program { path, of_system }, process.uid)
            })
            .collect();
        // The first process of another namespace is that one's own.
        if seen.exec.inner_pid == 1 && seen.exec.pid_ns != own_pids {
            return Some("a container's first process");
        }
        spared(&Candidate {
            pid: seen.exec.pid,
            uid: seen.exec.euid,
            login_uid: seen.exec.login_uid,
            tty: seen.exec.tty,
            program: Program {
                path: &seen.process.executable,
                of_system: program(&seen.process),
            },
            line,
            own: self.own().contains(&seen.exec.pid),
        })
    }

    fn permitted(&self, seen: &Seen) -> bool {
        let now = process::now_ns();
        self.permits.iter().any(|(uid, pid, start, until)| {
            *until > now
                && seen.exec.ancestors.iter().any(|ancestor| {
                    ancestor.pid == *pid
                        && ancestor.uid == *uid
                        && process::same_start(ancestor.start_ns, *start)
                })
        })
    }
}

/// The file belongs to root, nobody else may write it, and it lies where the system's programs do.
fn of_system(process: &Process) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    const FOLDERS: &[&str] = &[
        "/usr/bin/",
        "/usr/sbin/",
        "/usr/lib/",
        "/usr/lib64/",
        "/usr/libexec/",
        "/bin/",
        "/sbin/",
        "/lib/",
        "/lib64/",
        "/usr/local/bin/",
        "/usr/local/sbin/",
        "/opt/",
    ];
    if !FOLDERS
        .iter()
        .any(|folder| process.executable.starts_with(folder))
    {
        return false;
    }
    // Without asking the file system's owner anew: it may be a person, who lets us wait.
    let path = format!("/proc/{}/exe", process.pid);
    let Ok(meta) = statx(CWD, path, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS) else {
        return false;
    };
    process::is_same(process.pid, process.start_ns)
        && meta.stx_uid == 0
        && meta.stx_mode & 0o022 == 0
}
