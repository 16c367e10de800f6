//! Private mode: one shell of a person's whose commands are judged as always and recorded without what
//! they are.
//!
//! `cmdai private on` leaves a file named after the shell's process in the person's own folder of state.
//! The shell's hook reads it after the line that named `cmdai`, so that no other command costs anything;
//! whatever is started in that shell (scripts with hooks, `cmdai run`) finds it through its ancestors when
//! it has its first command to record. Whether it counts is the policy's word, asked anew for each command:
//! the file alone permits nothing, and an AI agent is never private.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Gate, Person, Recorder, files, ids};

/// Longest file that is read.
const LIMIT: u64 = 256;
/// How far the clock may have been set back since, in milliseconds.
const SLACK_MS: u64 = 300_000;
/// Longest time at once where an organisation permits private mode and names none.
const USUAL: Duration = Duration::from_secs(3_600);

/// What the policy says of private mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateMode {
    /// There is none here.
    Forbidden,
    /// For at most so long at once; as long as the shell lives where nothing is said.
    Permitted(Option<Duration>),
}

impl PrivateMode {
    /// What these settings say: without a word no organisation permits it, and nobody forbids it to a
    /// person whom no organisation governs.
    pub(crate) fn of(word: Option<bool>, minutes: Option<u32>, governed: bool) -> Self {
        let longest = minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60));
        match (word.unwrap_or(!governed), governed) {
            (false, _) => Self::Forbidden,
            (true, true) => Self::Permitted(Some(longest.unwrap_or(USUAL))),
            (true, false) => Self::Permitted(longest),
        }
    }
}

/// A shell in private mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Private {
    /// The shell's process.
    pub shell: u32,
    /// Milliseconds since 1970 at which it began.
    pub since_ms: u64,
    /// And at which it ends; with the shell where there is none.
    pub until_ms: Option<u64>,
}

impl Private {
    /// Whether it holds now by this word of the policy: one that was to last longer than is permitted ends
    /// when that time is over, and one that begins in the future has not begun.
    pub fn holds(&self, now_ms: u64, mode: PrivateMode) -> bool {
        let PrivateMode::Permitted(longest) = mode else {
            return false;
        };
        let most = longest.map(|longest| {
            let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
            self.since_ms.saturating_add(longest)
        });
        let end = [self.until_ms, most].into_iter().flatten().min();
        self.since_ms <= now_ms.saturating_add(SLACK_MS) && end.is_none_or(|end| now_ms < end)
    }

    fn read(text: &str, shell: u32) -> Option<(Self, u64)> {
        let mut words = text.split_ascii_whitespace();
        let begun = words.next()?.parse().ok()?;
        let since_ms = words.next()?.parse().ok()?;
        let until_ms = match words.next()? {
            "shell" => None,
            word => Some(word.parse().ok()?),
        };
        let private = Self {
            shell,
            since_ms,
            until_ms,
        };
        words.next().is_none().then_some((private, begun))
    }
}

fn folder(person: &Person) -> PathBuf {
    person.state.join("private")
}

fn file(person: &Person, shell: u32) -> PathBuf {
    folder(person).join(shell.to_string())
}

/// When a process began, in the kernel's own count; another process may have come by the same number.
fn begun(pid: u32) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return Some(0);
    }
    let path = format!("/proc/{pid}/stat");
    let bytes = files::read_bounded(Path::new(&path), 4_096).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // The name before it may hold anything, blanks and brackets too.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// What is written of this shell; nothing where it is not in private mode. One system call where it is not.
pub fn of_shell(person: &Person, shell: u32) -> Option<Private> {
    let bytes = files::read_bounded(&file(person, shell), LIMIT).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (private, noted) = Private::read(&text, shell)?;
    (begun(shell) == Some(noted)).then_some(private)
}

/// The nearest of these processes that is in private mode. One system call where no shell of the person's is.
pub fn of_ancestors(person: &Person, parents: &[u32]) -> Option<Private> {
    if !folder(person).exists() {
        return None;
    }
    parents.iter().find_map(|pid| of_shell(person, *pid))
}

/// Puts a shell into private mode, for this long or as long as it lives.
///
/// # Errors
/// Where it cannot be written down, or there is no such process.
pub fn enter(person: &Person, shell: u32, time: Option<Duration>) -> std::io::Result<Private> {
    let noted = begun(shell).ok_or_else(|| std::io::Error::other("there is no such shell"))?;
    let since_ms = ids::wall_ms();
    let until_ms = time.map(|time| {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        since_ms.saturating_add(millis)
    });
    let end = until_ms.map_or_else(|| "shell".to_owned(), |until| until.to_string());
    files::make_private_folder(&folder(person))?;
    files::replace_private(
        &file(person, shell),
        format!("{noted} {since_ms} {end}\n").as_bytes(),
    )?;
    Ok(Private {
        shell,
        since_ms,
        until_ms,
    })
}

/// Takes a shell out of it; whether it was in it: of several who try, one is told so. Files of shells that
/// are gone go too, and the folder with the last of them, so that nobody has to look into it.
pub fn leave(person: &Person, shell: u32) -> bool {
    let was = fs::remove_file(file(person, shell)).is_ok();
    for entry in fs::read_dir(folder(person))
        .into_iter()
        .flatten()
        .flatten()
        .take(1_024)
    {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        if pid.is_none_or(|pid| of_shell(person, pid).is_none()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder(person));
    was
}

impl Gate {
    /// Whether private mode is to be looked for anew before the next command: somebody may have switched
    /// it on.
    pub fn look_for_private_mode(&mut self) {
        self.private = Looked::default();
    }

    /// What the policy in force says of private mode.
    pub fn private_mode(&self) -> PrivateMode {
        self.policies()
            .private_mode(self.installation().is_governed())
    }

    /// Whether what is recorded now is recorded in private mode. Where its time is over, that is recorded
    /// first.
    pub fn is_private(&mut self, recorder: &mut Recorder) -> bool {
        if !self.private.looked {
            let own = std::iter::once(std::process::id());
            let above = recorder.parents().iter().map(|parent| parent.pid);
            let processes: Vec<u32> = own.chain(above).collect();
            self.private = Looked {
                looked: true,
                found: of_ancestors(self.person(), &processes),
            };
        } else if let Some(known) = self.private.found {
            // It may have been left in another shell.
            self.private.found = of_shell(self.person(), known.shell);
        }
        let Some(private) = self.private.found else {
            return false;
        };
        if private.holds(ids::wall_ms(), self.private_mode()) {
            return true;
        }
        self.private.found = None;
        if leave(self.person(), private.shell) {
            let why = match self.private_mode() {
                PrivateMode::Forbidden => "the policy does not permit it",
                PrivateMode::Permitted(_) => "its time is over",
            };
            recorder.private_mode(false, &private, why);
        }
        false
    }

    /// The shell leaves, and private mode with it.
    pub fn leave_private_mode(&mut self, shell: u32, recorder: &mut Recorder) {
        let own = self.private.found.filter(|private| private.shell == shell);
        if let Some(private) = own
            && leave(self.person(), shell)
        {
            recorder.private_mode(false, &private, "the shell ended");
        }
    }
}

/// What was found when it was looked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Looked {
    looked: bool,
    found: Option<Private>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(state: &Path) -> Person {
        let state = state.display().to_string();
        Person::from_environment(
            rustix::process::getuid().as_raw(),
            &move |name| match name {
                "HOME" => Some("/home/u".to_owned()),
                "CMDAI_STATE_DIR" => Some(state.clone()),
                _ => None,
            },
        )
    }

    #[test]
    fn it_is_found_by_its_shell_and_by_what_the_shell_started_and_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let person = person(dir.path());
        let own = std::process::id();
        assert_eq!(of_ancestors(&person, &[own]), None);
        let entered = enter(&person, own, Some(Duration::from_secs(60))).unwrap();
        assert_eq!(of_shell(&person, own), Some(entered));
        assert_eq!(of_ancestors(&person, &[1, own]), Some(entered));
        assert_eq!(of_shell(&person, 1), None);
        // A file of a process that is gone, or whose number another one has now.
        let text = fs::read_to_string(file(&person, own)).unwrap();
        let (_, rest) = text.split_once(' ').unwrap();
        fs::write(file(&person, own), format!("1 {rest}")).unwrap();
        assert_eq!(of_shell(&person, own), None);
        fs::write(file(&person, 999_999_999), &text).unwrap();
        assert!(!leave(&person, 1));
        assert!(!folder(&person).exists(), "what is left over is swept away");
    }

    #[test]
    fn only_the_policys_word_makes_it_count() {
        let begun = 1_000_000;
        let private = Private {
            shell: 1,
            since_ms: begun,
            until_ms: Some(begun + 99_000),
        };
        let most = |seconds| PrivateMode::Permitted(Some(Duration::from_secs(seconds)));
        let any = PrivateMode::Permitted(None);
        assert!(private.holds(begun + 98_999, any) && !private.holds(begun + 99_000, any));
        assert!(
            private.holds(begun - SLACK_MS, any),
            "the clock was set back"
        );
        assert!(!private.holds(begun - SLACK_MS - 1, any), "not begun");
        assert!(!private.holds(begun + 1, PrivateMode::Forbidden));
        assert!(private.holds(begun + 9_999, most(10)) && !private.holds(begun + 10_000, most(10)));
        let open = Private {
            until_ms: None,
            ..private
        };
        assert!(open.holds(u64::MAX, PrivateMode::Permitted(None)));
        assert!(!open.holds(begun + 10_000, most(10)));
        assert_eq!(PrivateMode::of(None, None, true), PrivateMode::Forbidden);
        assert_eq!(PrivateMode::of(Some(true), None, true), most(3_600));
        assert_eq!(
            PrivateMode::of(None, None, false),
            PrivateMode::Permitted(None)
        );
        assert_eq!(
            PrivateMode::of(Some(false), Some(5), false),
            PrivateMode::Forbidden
        );
        assert_eq!(PrivateMode::of(Some(true), Some(1), true), most(60));
    }

    #[test]
    fn damage_is_no_private_mode() {
        for text in ["", "x", "1 2", "1 2 3 4", "1 2 never", "1 -2 3"] {
            assert!(Private::read(text, 1).is_none(), "{text}");
        }
        assert!(Private::read("1 2 shell\n", 1).is_some());
    }
}
