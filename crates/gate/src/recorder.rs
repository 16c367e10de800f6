//! Appends records: to the person's spool on a governed machine, and always to the local history
//! that `cmdai log` and `cmdai why` read.
//!
//! Each record is one `write(2)` to a file opened for appending, so that halves of several
//! processes never mix. Everything written went through redaction before. A recorder never fails:
//! what goes wrong is told by [`Recorder::problem`], so that a full disk does not stop a person.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cmdai_schema::record::{Half, Record, ScriptRun, Start};
use cmdai_schema::{
    ApprovalInfo, CommandSource, Dialect, ENGINE_VERSION, Layer, OriginKind, PolicyEvaluation,
    ProcessInfo,
};

use crate::gate::{Outcome, Request};
use crate::origin::{self, Attribution};
use crate::private::Private;
use crate::redaction::{self, Redacted};
use crate::{Installation, Moment, Person, files, ids};

/// A history that has grown past this is put aside once, as `history.1.c1`.
const HISTORY_LIMIT: u64 = 16 * 1024 * 1024;

/// The session that records belong to.
#[derive(Debug, Clone, Default)]
pub struct SessionInfo {
    /// Identifier: letters, digits, `-` and `_`; anything else is replaced.
    pub id: String,
    /// The layer that sees the commands.
    pub layer: Layer,
    /// Who acts, unless a record says otherwise.
    pub who: Attribution,
    /// Several processes write to this session, one after the other or at once: the counter is
    /// kept in a file under a lock instead of in this process.
    pub shared: bool,
}

/// What became of a judged command.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// It was let run.
    pub allowed: bool,
    /// The approval that took part.
    pub approval: Option<ApprovalInfo>,
    /// Typed, generated, script or agent; by who acts where nothing is said.
    pub source: Option<CommandSource>,
    /// Identifier to use; a fresh one where nothing is said.
    pub command_id: Option<String>,
    /// Leave the text out: programs, effects and the decision are enough.
    pub without_text: bool,
    /// What started it, nearest first; the ancestors of this process where nothing is said.
    pub parents: Option<Vec<ProcessInfo>>,
    /// It stands for so many starts.
    pub times: Option<u64>,
    /// In private mode: nothing of the command itself is written.
    pub private: bool,
    /// The text for the record, where it is known already; else it is redacted.
    pub clean: Option<Redacted>,
    /// Time of the judgement in microseconds, where that is not what the outcome says.
    pub micros: Option<u64>,
}

/// Writes the records of one session.
#[derive(Debug)]
pub struct Recorder {
    session: SessionInfo,
    spool: Option<File>,
    history: Option<File>,
    counter: u64,
    shared: Option<PathBuf>,
    pid: u32,
    login: String,
    tty: Option<String>,
    parents: Vec<ProcessInfo>,
    problem: Option<String>,
    /// Somebody governs, so there has to be a spool.
    governed: bool,
    /// The last record did not reach the spool.
    lost: bool,
    /// The spool and the history end within a line.
    torn: (bool, bool),
    script: Option<ScriptRun>,
    /// The last working directory, and how records name it.
    place: (String, String),
    /// The first half that was written last, and whether its parents are those of this process.
    last: (Box<Start>, bool),
}

/// Longest name of a script in a record, in bytes.
const SCRIPT_NAME: usize = 256;

impl Recorder {
    /// Opens the session's files.
    pub fn open(installation: &Installation, person: &Person, session: SessionInfo) -> Self {
        let mut session = session;
        session.id = session
            .id
            .chars()
            .take(80)
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        if session.id.is_empty() {
            session.id = ids::fresh_id();
        }
        let mut problem = None;
        let mut note = |what: &Path, error: &io::Error| {
            problem.get_or_insert_with(|| {
                format!("records cannot be written to {}: {error}", what.display())
            });
        };
        let spool = installation.governed().and_then(|governed| {
            let folder = governed.places.user_spool(person.uid);
            let file = folder.join(format!("{}.c1", session.id));
            let opened = open_spool(&file)
                .or_else(|_| files::make_private_folder(&folder).and_then(|()| open_spool(&file)));
            opened.map_err(|error| note(&file, &error)).ok()
        });
        let history = open_history(&person.history_file())
            .map_err(|error| note(&person.history_file(), &error))
            .ok();
        let shared = session.shared.then(|| {
            person
                .state
                .join("sessions")
                .join(format!("{}.counter", session.id))
        });
        Self {
            spool,
            history,
            counter: 0,
            shared,
            pid: std::process::id(),
            login: person.login.clone(),
            tty: origin::terminal(),
            parents: origin::ancestors(),
            problem,
            governed: installation.is_governed(),
            lost: false,
            torn: (false, false),
            script: None,
            place: (String::new(), String::new()),
            last: (Box::default(), false),
            session,
        }
    }

    /// Names these as the terminal and the ancestors, where this process does not stand where the
    /// shell does.
    #[must_use]
    pub fn placed(mut self, parents: Vec<ProcessInfo>, tty: Option<String>) -> Self {
        self.parents = parents;
        self.last.1 = false;
        self.tty = tty;
        self
    }

    /// Its shell runs this script.
    #[must_use]
    pub fn of_script(mut self, name: &str) -> Self {
        let mut name = redaction::clean(name);
        name.truncate(name.floor_char_boundary(SCRIPT_NAME));
        self.script = Some(ScriptRun { name, seen: 0 });
        self
    }

    /// The same with so many simple commands of the script begun.
    #[must_use]
    pub fn counting(mut self, seen: u64) -> Self {
        self.count(seen);
        self
    }

    /// So many simple commands of the script have begun.
    pub fn count(&mut self, seen: u64) {
        if let Some(script) = &mut self.script {
            script.seen = seen;
        }
    }

    /// True where somebody governs and the last record did not reach the spool: it is missing from
    /// what they see, and the session's counter says so.
    pub fn lost(&self) -> bool {
        self.lost
    }

    /// The session's identifier.
    pub fn session_id(&self) -> &str {
        &self.session.id
    }

    /// False in a process forked after the session was opened: it must not spend the session's
    /// numbers and needs a recorder of its own.
    pub fn is_of_this_process(&self) -> bool {
        self.pid == std::process::id()
    }

    /// Ancestors of this process, nearest first, as records name them.
    pub fn parents(&self) -> &[ProcessInfo] {
        &self.parents
    }

    /// What is wrong with writing, with what to do; nothing where all is well.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// A session began with hooks in place. `shell` is name and version.
    pub fn session_start(&mut self, shell: &str) {
        let origin = self.session.who.origin.clone();
        self.append(Half::SessionStart {
            shell: shell.to_owned(),
            origin,
        });
    }

    /// A session ended in good order.
    pub fn session_end(&mut self) {
        self.append(Half::SessionEnd);
    }

    /// Private mode began, or ended for this reason.
    pub fn private_mode(&mut self, on: bool, private: &Private, why: &str) {
        self.append(Half::Private {
            on,
            shell_pid: private.shell,
            until_ms: private.until_ms,
            why: why.to_owned(),
        });
    }

    /// Writes what became of a recording: a [`Half::Recording`].
    pub fn recording(&mut self, half: Half) {
        self.append(half);
    }

    /// Writes the first half of a command and gives it back as it was written.
    pub fn start(&mut self, request: &Request<'_>, outcome: &Outcome, verdict: Verdict) -> &Start {
        let own_parents = verdict.parents.is_none();
        let start = Box::new(self.first_half(request, outcome, verdict));
        if let Half::Start(start) = self.append(Half::Start(start)) {
            self.last = (start, own_parents);
        }
        &self.last.0
    }

    /// The first half that was written last.
    pub(crate) fn last(&self) -> &Start {
        &self.last.0
    }

    /// Writes the second half.
    pub fn end(&mut self, command_id: &str, exit_code: i32, duration_us: u64) {
        self.ended(command_id, exit_code, duration_us, Moment::now());
    }

    /// The same for a command that ended at a moment before this one.
    pub fn ended(&mut self, command_id: &str, exit_code: i32, duration_us: u64, at: Moment) {
        let half = Half::End {
            command_id: command_id.to_owned(),
            exit_code,
            duration_us,
        };
        self.append_at(half, at);
    }

    fn first_half(&mut self, request: &Request<'_>, outcome: &Outcome, verdict: Verdict) -> Start {
        let judgement = &outcome.judgement;
        let parents = match (verdict.parents, std::mem::take(&mut self.last)) {
            (Some(parents), _) => parents,
            // The same for each record: moved from one to the next, not copied.
            (None, (last, true)) => last.parents,
            (None, (_, false)) => self.parents.clone(),
        };
        if self.place.0 != request.cwd {
            self.place = (request.cwd.to_owned(), redaction::clean(request.cwd));
        }
        let redacted = if verdict.private {
            Redacted::default()
        } else {
            verdict.clean.unwrap_or_else(|| {
                Redacted::of(request.text, &outcome.analysis, &request.context())
            })
        };
        let function = match redacted.programs.as_slice() {
            [only] if matches!(request.dialect, Dialect::Bash | Dialect::Zsh) => {
                request.session.function(only).is_some()
            }
            _ => false,
        };
        let mut effects: Vec<String> = outcome
            .analysis
            .effects
            .iter()
            .map(|effect| effect.kind.name().to_owned())
            .collect();
        effects.sort_unstable();
        effects.dedup();
        let by_origin = match request.who.origin.kind {
            OriginKind::Human => CommandSource::Manual,
            OriginKind::Script => CommandSource::Script,
            OriginKind::Agent => CommandSource::Agent,
        };
        let start = Start {
            command_id: verdict.command_id.unwrap_or_else(ids::fresh_id),
            text: if verdict.without_text {
                String::new()
            } else {
                redacted.text
            },
            digest: redacted.digest,
            shell: request.dialect.as_str().to_owned(),
            cwd: self.place.1.clone(),
            programs: redacted.programs,
            effects,
            source: verdict.source.unwrap_or(by_origin),
            layer: self.session.layer,
            policy: PolicyEvaluation {
                decision: judgement.decision,
                reason: judgement
                    .deciding_rule()
                    .map_or_else(String::new, |hit| redaction::clean(&hit.reason)),
                violated_rules: judgement.rules.iter().map(|hit| hit.id.clone()).collect(),
                risk_level: judgement.risk,
                certainty: judgement.certainty,
                policy_id: judgement.policy.id.clone(),
                policy_version: judgement.policy.version.clone(),
                snapshot_digest: judgement.policy.digest.clone(),
                engine_version: ENGINE_VERSION.to_owned(),
                micros: verdict.micros.unwrap_or(judgement.micros),
                monitored: judgement.monitored(),
            },
            allowed: verdict.allowed,
            approval: verdict.approval,
            origin: request.who.origin.clone(),
            agent: request.who.agent.clone(),
            tty: self.tty.clone(),
            parents,
            times: verdict.times,
            private: false,
            function,
        };
        if verdict.private {
            start.made_private()
        } else {
            start
        }
    }

    /// Writes a record and gives its half back.
    fn append(&mut self, half: Half) -> Half {
        self.append_at(half, Moment::now())
    }

    fn append_at(&mut self, half: Half, at: Moment) -> Half {
        // A forked child shares the files but must not spend the parent's numbers.
        let pid = std::process::id();
        if self.shared.is_none() && pid != self.pid {
            return half;
        }
        let lock = self.shared.clone().map(|path| SharedCounter::take(&path));
        let counter = match &lock {
            Some(Ok(counter)) => counter.next,
            Some(Err(error)) => {
                self.problem = Some(format!("the session's counter cannot be kept: {error}"));
                self.counter + 1
            }
            None => self.counter + 1,
        };
        let record = Record {
            session_id: self.session.id.clone(),
            counter,
            time_ms: at.wall_ms,
            mono_ns: at.mono_ns,
            pid,
            user: self.login.clone(),
            script: self.script.clone(),
            half,
        };
        let Ok(line) = record.to_line() else {
            return record.half;
        };
        let mut written = Ok(());
        let spooled = match &mut self.spool {
            Some(file) => write_once(file, &line, &mut self.torn.0),
            None if self.governed => Err(io::Error::other("there is no spool to write to")),
            None => Ok(()),
        };
        self.lost = spooled.is_err();
        written = written.and(spooled);
        if let Some(file) = &mut self.history {
            written = written.and(write_once(file, &line, &mut self.torn.1));
        }
        if let Err(error) = written {
            self.problem = Some(format!(
                "a record was not written: {error}; free some space"
            ));
        }
        self.counter = counter;
        if let Some(Ok(lock)) = lock {
            lock.spend();
        }
        record.half
    }
}

/// Descriptors from here on are not what a script names: `exec 3>&1` in the shell that we live in would
/// otherwise turn its own output into the place of our records.
const ASIDE: [i32; 3] = [512, 64, 10];

fn aside(file: File) -> File {
    let moved = ASIDE
        .iter()
        .find_map(|&from| rustix::io::fcntl_dupfd_cloexec(&file, from).ok());
    moved.map_or(file, File::from)
}

fn append_to(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .map(aside)
}

/// Opens a session's spool and says by a shared lock that somebody may still write to it: a governor
/// takes a file away, once it has read it, only where it gets the lock alone. The lock goes with the last
/// process that holds the file.
fn open_spool(path: &Path) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    use std::os::unix::fs::MetadataExt as _;
    for _ in 0..8 {
        let file = append_to(path)?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) if file.metadata()?.nlink() > 0 => return Ok(file),
            // It is being taken away just now: the next one is another file.
            Ok(()) | Err(rustix::io::Errno::WOULDBLOCK) => {
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
            // A file system without locks.
            Err(_) => return Ok(file),
        }
    }
    append_to(path)
}

fn open_history(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        files::make_private_folder(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|meta| meta.len() > HISTORY_LIMIT) {
        let _ = std::fs::rename(path, path.with_extension("1.c1"));
    }
    append_to(path)
}

/// One `write(2)`. A short write (disk full) leaves a line without its end; a newline closes it, at the
/// latest with the next record, so that the damage stays in one line and shows as such.
fn write_once(file: &mut File, line: &str, torn: &mut bool) -> io::Result<()> {
    let closed = torn.then(|| format!("\n{line}"));
    let bytes = closed.as_deref().unwrap_or(line).as_bytes();
    let written = file.write(bytes)?;
    if written > 0 {
        *torn = false;
    }
    if written < bytes.len() {
        *torn = !file.write(b"\n").is_ok_and(|written| written == 1);
        return Err(io::Error::new(
            io::ErrorKind::WriteZero,
            "the record was cut",
        ));
    }
    Ok(())
}

/// The counter of a session that several processes write to.
struct SharedCounter {
    file: File,
    next: u64,
}

impl SharedCounter {
    /// Waits for the lock and reads the last number spent.
    fn take(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            files::make_private_folder(folder)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        let mut text = String::new();
        Read::by_ref(&mut file).take(32).read_to_string(&mut text)?;
        let last: u64 = text.trim().parse().unwrap_or(0);
        Ok(Self {
            file,
            next: last.saturating_add(1),
        })
    }

    fn spend(mut self) {
        let _ = self.file.rewind().and_then(|()| {
            self.file
                .write_all(format!("{:<20}\n", self.next).as_bytes())
        });
    }
}
