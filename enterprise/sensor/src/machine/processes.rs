//! The processes that programs were seen to start in, with what their ancestors are.

use std::collections::HashMap;
use std::rc::Rc;

use cmdai_exec_capture::{Device, Exec, process};

/// Processes of each of two generations: what is used stays.
const GENERATION: usize = 4_096;
/// Longest path and longest word that is kept.
const MAX_PATH: usize = 512;
const MAX_WORD: usize = 256;
const MAX_WORDS: usize = 8;

/// How a process reads commands, where it is a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    /// From a person at a terminal.
    Interactive,
    /// From its arguments (`-c`).
    Command,
    /// From a file or a pipe.
    Script,
}

/// A process as it was at its last exec.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) start_ns: u64,
    pub(crate) uid: u32,
    /// Of the program's file, in the process's own root.
    pub(crate) executable: String,
    /// Inode of that file, where the kernel said it.
    pub(crate) inode: Option<u64>,
    pub(crate) tty: Option<Device>,
    pub(crate) shell: Option<Shell>,
    pub(crate) agent: Option<&'static str>,
    /// The script that a runtime runs, where that is what the agent is.
    pub(crate) script: Option<String>,
    /// Began before this sensor looked.
    pub(crate) before: bool,
    /// When it began to run this program; 0 where that was not seen.
    pub(crate) exec_ns: u64,
}

impl Process {
    /// Base name of the program.
    pub(crate) fn name(&self) -> &str {
        base(&self.executable)
    }
}

pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Lossy and bounded.
pub(crate) fn text(bytes: &[u8], limit: usize) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if text.len() > limit {
        let end = text.floor_char_boundary(limit);
        text.truncate(end);
    }
    text
}

/// The books.
#[derive(Default)]
pub(crate) struct Processes {
    young: HashMap<u32, Rc<Process>>,
    old: HashMap<u32, Rc<Process>>,
    /// When processes were forgotten last.
    pub(crate) forgot_ns: u64,
}

impl Processes {
    /// A program that started.
    pub(crate) fn started(&mut self, exec: &Exec) -> Rc<Process> {
        let words: Vec<String> = exec
            .argv
            .iter()
            .take(MAX_WORDS)
            .map(|word| text(word, MAX_WORD))
            .collect();
        // The file itself, where the process still runs it; else the path as it was called.
        let executable = process::executable(exec.pid)
            .filter(|_| process::is_same(exec.pid, exec.start_ns))
            .unwrap_or_else(|| {
                exec.interpreter
                    .clone()
                    .unwrap_or_else(|| exec.filename.clone())
            });
        let terminal = exec.tty.is_some() && exec.input.is_some_and(Device::is_terminal);
        let process = Rc::new(describe(
            exec.pid,
            exec.start_ns,
            exec.uid,
            &text(&executable, MAX_PATH),
            exec.file.map(|(inode, _)| inode),
            &words,
            exec.tty,
            terminal,
            exec.time_ns,
        ));
        self.insert(process.clone());
        process
    }

    fn insert(&mut self, process: Rc<Process>) {
        if self.young.len() >= GENERATION {
            if !self.old.is_empty() {
                self.forgot_ns = process::now_ns();
            }
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(process.pid, process);
    }

    /// A process of which only number and beginning are known; looked up where it is not in the
    /// books. The beginning may be 0: then whatever has the number now.
    pub(crate) fn find(&mut self, pid: u32, start_ns: u64, uid: u32) -> Option<Rc<Process>> {
        let fits =
            |known: &&Rc<Process>| start_ns == 0 || process::same_start(known.start_ns, start_ns);
        if let Some(known) = self.young.get(&pid).filter(fits) {
            return Some(known.clone());
        }
        if let Some(known) = self.old.get(&pid).filter(fits).cloned() {
            self.insert(known.clone());
            return Some(known);
        }
        let stat = process::stat(pid)?;
        let began = stat.start_ticks.saturating_mul(10_000_000);
        if start_ns != 0 && !process::same_start(began, start_ns) {
            return None;
        }
        let words: Vec<String> = process::arguments(pid)
            .unwrap_or_default()
            .iter()
            .take(MAX_WORDS)
            .map(|word| text(word, MAX_WORD))
            .collect();
        // Processes of the kernel have no file.
        let executable = process::executable(pid).map_or(stat.name, |path| text(&path, MAX_PATH));
        let process = Rc::new(describe(
            pid,
            if start_ns == 0 { began } else { start_ns },
            if uid == u32::MAX {
                process::uid(pid).unwrap_or(uid)
            } else {
                uid
            },
            &executable,
            None,
            &words,
            stat.tty,
            stat.tty.is_some(),
            0,
        ));
        self.insert(process.clone());
        Some(process)
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "what two sources know of a process"
)]
fn describe(
    pid: u32,
    start_ns: u64,
    uid: u32,
    executable: &str,
    inode: Option<u64>,
    words: &[String],
    tty: Option<Device>,
    terminal: bool,
    exec_ns: u64,
) -> Process {
    let script = words
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .map(String::as_str);
    let agent = cmdai_gate::origin::recognise(executable, script);
    let by_file = cmdai_gate::origin::recognise(executable, None);
    Process {
        pid,
        start_ns,
        uid,
        executable: executable.to_owned(),
        inode,
        tty,
        shell: shell(base(executable), words, terminal),
        agent,
        script: script
            .filter(|_| agent.is_some() && by_file.is_none())
            .map(str::to_owned),
        before: exec_ns == 0,
        exec_ns,
    }
}

/// How a shell with these words reads commands; nothing where it is none.
fn shell(name: &str, words: &[String], terminal: bool) -> Option<Shell> {
    let called = words.first().map_or(name, |word| base(word));
    let called = called.strip_prefix('-').unwrap_or(called);
    let busy = matches!(name, "busybox" | "toybox");
    let program = if busy { called } else { name };
    if !matches!(
        program,
        "bash"
            | "rbash"
            | "zsh"
            | "fish"
            | "sh"
            | "dash"
            | "ash"
            | "ksh"
            | "ksh93"
            | "mksh"
            | "tcsh"
            | "csh"
            | "pwsh"
            | "nu"
            | "elvish"
            | "xonsh"
    ) {
        return None;
    }
    let mut asked = false;
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" => {
                return Some(if words.next().is_some() {
                    Shell::Script
                } else {
                    at(terminal)
                });
            }
            "--command" | "-Command" | "-EncodedCommand" => return Some(Shell::Command),
            // They take a word of their own.
            "--rcfile" | "--init-file" | "-o" | "-O" | "+O" | "+o" | "-C" | "--init-command" => {
                words.next();
            }
            long if long.starts_with("--") => {}
            short if short.starts_with('-') && short.len() > 1 => {
                let letters = short.trim_start_matches('-');
                if letters.contains('c') {
                    return Some(Shell::Command);
                }
                asked |= letters.contains('i');
                // `-s`: from standard input, whatever words follow.
                if letters.contains('s') {
                    return Some(at(terminal));
                }
            }
            _ => {
                return Some(if asked && terminal {
                    Shell::Interactive
                } else {
                    Shell::Script
                });
            }
        }
    }
    Some(at(terminal))
}

fn at(terminal: bool) -> Shell {
    if terminal {
        Shell::Interactive
    } else {
        Shell::Script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, terminal: bool) -> Option<Shell> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let name = base(&words[0]).trim_start_matches('-').to_owned();
        shell(&name, &words, terminal)
    }

    #[test]
    fn shells_are_told_by_how_they_read() {
        for line in [
            "bash",
            "-bash",
            "/bin/bash -l",
            "bash --norc -i",
            "zsh -il",
            "bash --rcfile x",
            "sh",
            "bash -o vi",
        ] {
            assert_eq!(of(line, true), Some(Shell::Interactive), "{line}");
        }
        for line in [
            "bash -c ls",
            "bash -lc ls",
            "zsh -ic ls",
            "sh -ec x",
            "fish --command ls",
        ] {
            assert_eq!(of(line, true), Some(Shell::Command), "{line}");
        }
        for line in [
            "bash x.sh",
            "sh -e x.sh",
            "bash --norc x.sh",
            "bash -- x.sh",
        ] {
            assert_eq!(of(line, true), Some(Shell::Script), "{line}");
        }
        assert_eq!(of("bash", false), Some(Shell::Script), "from a pipe");
        assert_eq!(of("vim -c ls", true), None);
        let words = ["ash".to_owned()];
        assert_eq!(shell("busybox", &words, true), Some(Shell::Interactive));
        // The name that a process gives itself does not hide its program.
        let words = ["sshd: ann".to_owned()];
        assert_eq!(shell("bash", &words, true), Some(Shell::Interactive));
    }

    #[test]
    fn books_stay_small_and_numbers_may_come_again() {
        let mut processes = Processes::default();
        for number in 0..20_000u32 {
            let exec = Exec {
                pid: 5_000_000 + number,
                start_ns: 1,
                filename: b"/bin/ls".to_vec(),
                argv: vec![b"ls".to_vec()],
                ..Exec::default()
            };
            processes.started(&exec);
        }
        assert!(processes.young.len() + processes.old.len() <= 2 * GENERATION + 2);
        let known = processes.find(5_019_999, 1, 0).unwrap();
        assert_eq!(known.name(), "ls");
        assert!(processes.find(5_019_999, 90_000_000_000, 0).is_none());
    }
}
