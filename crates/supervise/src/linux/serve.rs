//! The supervisor's loop: takes a call that waits, asks the warden, answers, and looks again once the
//! program has begun.
//!
//! Letting the kernel go on with a call whose arguments lie in the caller's memory is not enough:
//! another thread can change them after they were judged. So each start that was let through stays
//! *open* until the program's first moments (`filter::Asked::Begins`), where what it really began
//! with is compared with what was judged. It has not run a line of its own then. A program that
//! leaves that call out is compared a few milliseconds later.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::filter::Asked;
use super::kernel::{self, Notice};
use super::memory::Memory;
use super::procfs::{self, Stat, Target};
use crate::exec::{Answer, Exec, Swapped, Variables, Warden};
use crate::tree::{Lineage, Mark, Tree};

/// When a start that is still open is looked at again.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
/// A call that has not begun a program after so many looks, a minute, was refused by the kernel.
const MOST_TRIES: usize = 32;
/// Most starts that are open at the same time before the dead are forgotten.
const MAX_OPEN: usize = 4_096;
/// No directory can be told.
const NO_DIRECTORY: &str = "/";

/// A start that was let through.
struct Open {
    /// What was judged; nothing where it could not be read, or the kernel was to refuse it.
    judged: Option<Judged>,
    /// The process before: another program has another stack or name.
    before: Stat,
    lineage: Rc<Lineage>,
    due: Instant,
    tries: usize,
}

struct Judged {
    /// All words, each with its zero byte.
    line: Vec<u8>,
    /// Where the second word begins.
    second: usize,
    called: Vec<u8>,
    target: Target,
    directory: String,
    mark: Rc<Mark>,
}

/// What a look at an open start found.
enum Look {
    /// It has begun with what was judged.
    Right(Rc<Mark>, String),
    /// It has begun with something else.
    Wrong(Swapped),
    /// It has begun, and nothing was judged.
    Unjudged,
    /// The old program still runs.
    NotYet,
    /// The process is gone.
    Gone,
}

/// One tree's supervisor.
pub(crate) struct Server<'w> {
    listener: OwnedFd,
    tree: Tree,
    open: HashMap<u32, Open>,
    warden: &'w mut (dyn Warden + 'w),
    root: u32,
    /// The root's own program has begun.
    begun: bool,
    /// Where the tree was started.
    directory: String,
}

impl<'w> Server<'w> {
    pub(crate) fn new(
        listener: OwnedFd,
        root: Rc<Lineage>,
        directory: String,
        warden: &'w mut (dyn Warden + 'w),
    ) -> Self {
        Self {
            listener,
            root: root.pid,
            tree: Tree::new(root),
            open: HashMap::new(),
            warden,
            begun: false,
            directory,
        }
    }

    pub(crate) fn listener(&self) -> std::os::fd::BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Who decides.
    pub(crate) fn warden(&mut self) -> &mut (dyn Warden + 'w) {
        self.warden
    }

    /// Takes one waiting call and answers it.
    pub(crate) fn serve(&mut self) {
        // Where the thread died meanwhile there is nothing to answer.
        let Ok(notice) = kernel::receive(self.listener.as_fd()) else {
            return;
        };
        let error = match super::filter::asked(notice.arch, notice.number) {
            Some(Asked::Execve { narrow }) => {
                let [path, words, variables, ..] = notice.arguments;
                self.exec(&notice, narrow, None, [path, words, variables])
            }
            Some(Asked::Execveat { narrow }) => {
                let [folder, path, words, variables, ..] = notice.arguments;
                // The kernel takes the low 32 bits for a descriptor.
                let folder = (folder & 0xffff_ffff) as u32;
                let folder = folder.cast_signed();
                let folder = (folder != libc::AT_FDCWD).then_some(folder);
                self.exec(&notice, narrow, folder, [path, words, variables])
            }
            Some(Asked::Begins) => self.begins(notice.thread),
            None => Some(libc::EPERM),
        };
        // The thread may be gone: an error here has nobody to be told to.
        let _ = kernel::send(self.listener.as_fd(), notice.id, error);
    }

    /// A call that would begin a program. Gives the error to answer with, if any.
    fn exec(
        &mut self,
        notice: &Notice,
        narrow: bool,
        folder: Option<i32>,
        [path, words, variables]: [u64; 3],
    ) -> Option<i32> {
        let thread = notice.thread;
        let Some(process) = procfs::process_of(thread) else {
            return Some(libc::EPERM);
        };
        let before = procfs::stat(process).unwrap_or_default();
        let lineage = self.tree.of(process, &look);
        let mut open = Open {
            judged: None,
            before,
            lineage: lineage.clone(),
            due: Instant::now() + first(&AGAIN),
            tries: 0,
        };
        let mut memory = Memory::of(thread, narrow);
        let read = memory.text(path).zip(memory.texts(words));
        let Some((called, words)) = read else {
            // A bad address, which the kernel answers, or a process whose memory is closed to us
            // although it is the same person's: then it is judged in its first moments.
            self.keep(process, open);
            return None;
        };
        let called_text = String::from_utf8_lossy(&called);
        let Some(target) = Target::find(thread, process, folder, &called_text) else {
            // Nothing there that could be run, as with most candidates of a search path.
            self.keep(process, open);
            return None;
        };
        let directory = self.directory_of(process, &lineage);
        let variables = memory.texts(variables).unwrap_or_default();
        if !kernel::waits(self.listener.as_fd(), notice.id) {
            return None;
        }
        let texts: Vec<String> = texts_of(&words);
        let variables = Variables::read(variables.iter().map(Vec::as_slice));
        let file = target.path.to_string_lossy().into_owned();
        let answer = self.warden.exec(&Exec {
            process,
            lineage: &lineage,
            called: &called_text,
            file: &file,
            words: &texts,
            variables: &variables,
            directory: &directory,
            gives_rights: target.gives_rights,
            root: !self.begun && process == self.root,
        });
        match answer {
            Answer::Refuse => Some(libc::EPERM),
            Answer::Run(mark) => {
                let mut line = Vec::new();
                let mut second = 0;
                for (number, word) in words.iter().enumerate() {
                    line.extend_from_slice(word);
                    line.push(0);
                    if number == 0 {
                        second = line.len();
                    }
                }
                if words.is_empty() {
                    // The kernel puts an empty name in.
                    line.push(0);
                    second = 1;
                }
                open.judged = Some(Judged {
                    line,
                    second,
                    called,
                    target,
                    directory,
                    mark,
                });
                open.due = Instant::now() + first(&AGAIN);
                self.keep(process, open);
                None
            }
        }
    }

    fn keep(&mut self, process: u32, open: Open) {
        if self.open.len() >= MAX_OPEN {
            self.open.retain(|pid, open| {
                look(*pid).is_some_and(|(start, _)| start == open.before.start)
            });
        }
        self.open.insert(process, open);
    }

    fn directory_of(&self, process: u32, lineage: &Lineage) -> String {
        let found = procfs::directory(process).or_else(|| procfs::directory(lineage.pid));
        match found {
            Some(path) => path.to_string_lossy().into_owned(),
            None if self.directory.is_empty() => NO_DIRECTORY.to_owned(),
            None => self.directory.clone(),
        }
    }

    /// A thread sets itself up, which a new program does first.
    fn begins(&mut self, thread: u32) -> Option<i32> {
        let process = procfs::process_of(thread)?;
        let open = self.open.remove(&process)?;
        match self.look(process, &open, true) {
            Look::NotYet => {
                self.open.insert(process, open);
                None
            }
            found => self.close(process, open, found),
        }
    }

    /// Compares what runs with what was judged. `begins` where a thread of it sets itself up.
    ///
    /// The kernel changes a process step by step, and this may look in between: the file first, then
    /// the words, the place of the stack last. So what tells that another program is there is looked
    /// at first, then whether it is whole, and its words after that.
    fn look(&self, process: u32, open: &Open, begins: bool) -> Look {
        let current = |process| procfs::stat(process).filter(|now| now.start == open.before.start);
        let Some(seen) = current(process) else {
            return Look::Gone;
        };
        let executable = procfs::executable(process);
        let target = open.judged.as_ref().map(|judged| &judged.target);
        let is_target = target.is_some_and(|target| {
            executable.as_deref() == Some(target.path.as_path())
                || procfs::executable_identity(process) == Some(target.identity)
        });
        // Without a stack that moves, the file tells that another program runs.
        let other_file = is_target
            && target.is_some_and(|it| open.lineage.executable != it.path.to_string_lossy());
        let stack_is_known = open.before.stack != 0;
        let changed = match stack_is_known {
            true => seen.stack != open.before.stack,
            false => seen.name != open.before.name,
        };
        let Some(whole) = current(process) else {
            return Look::Gone;
        };
        let Some(line) = procfs::command_line(process) else {
            return Look::Gone;
        };
        // A whole program always has a word, if an empty one.
        if line.is_empty() || (stack_is_known && whole.stack == 0) {
            return Look::NotYet;
        }
        let Some(judged) = &open.judged else {
            return if changed {
                Look::Unjudged
            } else {
                Look::NotYet
            };
        };
        let is_script = !is_target && executable.is_some() && !judged.target.is_machine_code();
        let same = if is_script {
            began_by_interpreter(&line, judged)
        } else {
            line == judged.line
        };
        if !changed && !other_file {
            // No thread sets itself up this way but a program's first. Where even the stack's place is
            // the same, somebody has switched off that it moves.
            return match begins && !same {
                true => Look::Wrong(Swapped::Words),
                false => Look::NotYet,
            };
        }
        if executable.is_some() && !is_target && !is_script {
            return Look::Wrong(Swapped::File);
        }
        if !same {
            return Look::Wrong(Swapped::Words);
        }
        let directory = procfs::directory(process);
        if directory.is_some_and(|now| now.to_string_lossy() != judged.directory) {
            return Look::Wrong(Swapped::Directory);
        }
        let file = executable.unwrap_or_else(|| judged.target.path.clone());
        Look::Right(judged.mark.clone(), file.to_string_lossy().into_owned())
    }

    /// Carries out what a look found. Gives the error for a call that waits.
    fn close(&mut self, process: u32, open: Open, found: Look) -> Option<i32> {
        match found {
            Look::Right(mark, file) => {
                self.runs(process, &open, file, mark);
                None
            }
            Look::Unjudged => {
                let answer =
                    self.as_it_runs(process, &open, false, |warden, exec| warden.exec(exec));
                match answer {
                    (Answer::Run(mark), file) => {
                        self.runs(process, &open, file, mark);
                        None
                    }
                    (Answer::Refuse, _) => self.kill(process),
                }
            }
            Look::Wrong(what) => {
                self.as_it_runs(process, &open, true, |warden, exec| {
                    warden.swapped(exec, what)
                });
                Some(libc::EPERM)
            }
            Look::NotYet | Look::Gone => None,
        }
    }

    fn kill(&self, process: u32) -> Option<i32> {
        if let Ok(pid) = i32::try_from(process) {
            kernel::signal(pid, libc::SIGKILL);
        }
        Some(libc::EPERM)
    }

    fn runs(&mut self, process: u32, open: &Open, file: String, mark: Rc<Mark>) {
        self.begun |= process == self.root;
        let alive = |pid| look(pid).is_some();
        self.tree.runs(
            process,
            open.before.start,
            file,
            mark,
            &open.lineage,
            &alive,
        );
    }

    /// Tells the warden of a program as it stands in the process now, which is killed before that
    /// where `kill` says so, because telling takes time. Gives its file besides.
    fn as_it_runs<T>(
        &mut self,
        process: u32,
        open: &Open,
        kill: bool,
        tell: impl FnOnce(&mut dyn Warden, &Exec<'_>) -> T,
    ) -> (T, String) {
        let split = |bytes: Option<Vec<u8>>| -> Vec<Vec<u8>> {
            let bytes = bytes.unwrap_or_default();
            let whole = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
            whole.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
        };
        let words = texts_of(&split(procfs::command_line(process)));
        let variables = split(procfs::environment(process));
        let variables = Variables::read(variables.iter().map(Vec::as_slice));
        let name = words.first().cloned().unwrap_or_default();
        let file = procfs::executable(process)
            .map_or_else(|| name.clone(), |path| path.to_string_lossy().into_owned());
        let directory = self.directory_of(process, &open.lineage);
        if kill {
            self.kill(process);
        }
        let told = tell(
            self.warden,
            &Exec {
                process,
                lineage: &open.lineage,
                called: &file,
                file: &file,
                words: &words,
                variables: &variables,
                directory: &directory,
                gives_rights: false,
                root: !self.begun && process == self.root,
            },
        );
        (told, file)
    }

    /// Looks again at starts that are still open: programs that leave their first call out, and calls
    /// that the kernel refused.
    pub(crate) fn look_again(&mut self) {
        let now = Instant::now();
        let due: Vec<u32> = self
            .open
            .iter()
            .filter(|(_, open)| open.due <= now)
            .map(|(process, _)| *process)
            .collect();
        for process in due {
            let Some(mut open) = self.open.remove(&process) else {
                continue;
            };
            match self.look(process, &open, false) {
                Look::NotYet => {
                    open.tries += 1;
                    if open.tries < MOST_TRIES {
                        let wait = AGAIN.get(open.tries).or(AGAIN.last());
                        open.due = now + wait.copied().unwrap_or_default();
                        self.open.insert(process, open);
                    }
                }
                found => {
                    self.close(process, open, found);
                }
            }
        }
    }

    /// How long until something is to be looked at again.
    pub(crate) fn until_next(&self) -> Option<Duration> {
        let due = self.open.values().map(|open| open.due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }
}

/// What an interpreter is started with: itself, an argument of the script's first line, the script,
/// and the words after the first.
fn began_by_interpreter(line: &[u8], judged: &Judged) -> bool {
    let rest = judged.line.get(judged.second..).unwrap_or_default();
    let Some(head) = line.strip_suffix(rest) else {
        return false;
    };
    let Some(head) = head.strip_suffix(&[0]) else {
        return false;
    };
    let script = head.rsplit(|byte| *byte == 0).next().unwrap_or_default();
    script == judged.called || script.starts_with(b"/dev/fd/")
}

fn first(times: &[Duration]) -> Duration {
    times.first().copied().unwrap_or_default()
}

fn look(pid: u32) -> Option<(u64, u32)> {
    procfs::stat(pid).map(|stat| (stat.start, stat.parent))
}

fn texts_of(words: &[Vec<u8>]) -> Vec<String> {
    words
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}
