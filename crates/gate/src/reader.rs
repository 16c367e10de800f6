//! Code of other languages, read by a process of the installed program.
//!
//! A grammar is C code that works on text from outside. In a person's shell a mistake in it would
//! take the shell along, so the shell's module asks a process for the tree: bounded in what goes in,
//! in what comes out and in time, ended afterwards. It is started for lines with such code alone, and
//! what it does not answer is unread, which the analysis never takes for harmless.

use std::cell::{Cell, RefCell};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cmdai_effects::script::{Language, Languages, Script};
use rustix::net::{SendFlags, Shutdown};

/// Longest time for all pieces of code within [`WINDOW`]: a line may hold many, and each part of it is
/// judged again when it runs.
const TIME: Duration = Duration::from_secs(1);
/// When time that was spent is forgotten.
const WINDOW: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const MAX_ANSWER: u64 = 8 * 1024 * 1024;
/// Longest code that is sent.
const MAX_CODE: usize = 64 * 1024;
/// Answers that are kept: a line is judged again, in part, when it runs.
const KEPT: usize = 8;

/// Reads code by a process of the program.
#[derive(Debug)]
pub struct CodeReader {
    program: Option<PathBuf>,
    kept: RefCell<Vec<(Language, String, Script)>>,
    /// When the window began, and what was waited since.
    spent: Cell<Option<(Instant, Duration)>>,
}

impl CodeReader {
    /// By this program.
    pub fn by(program: &Path) -> Self {
        Self {
            program: Some(program.to_owned()),
            kept: RefCell::new(Vec::new()),
            spent: Cell::new(None),
        }
    }

    /// By the program that a module was installed with: beside it, or in `bin` where the module lies
    /// in `lib/cmdai`. The search path of the person takes no part.
    pub fn beside(module: &Path) -> Self {
        let folder = module.parent().unwrap_or(Path::new("/"));
        let program = [folder.join("cmdai"), folder.join("../../bin/cmdai")]
            .into_iter()
            .find_map(|candidate| {
                let path = candidate.canonicalize().ok()?;
                path.is_file().then_some(path)
            });
        Self {
            program,
            kept: RefCell::new(Vec::new()),
            spent: Cell::new(None),
        }
    }

    fn ask(&self, language: Language, code: &str) -> Option<Script> {
        let now = Instant::now();
        let recent = |(begun, _): &(Instant, Duration)| now.duration_since(*begun) < WINDOW;
        let (begun, spent) = self
            .spent
            .get()
            .filter(recent)
            .unwrap_or((now, Duration::ZERO));
        let left = TIME.checked_sub(spent).filter(|left| !left.is_zero())?;
        let script = self.ask_until(language, code, now + left);
        self.spent.set(Some((begun, spent + now.elapsed())));
        script
    }

    fn ask_until(&self, language: Language, code: &str, deadline: Instant) -> Option<Script> {
        let program = self.program.as_deref()?;
        let (ours, theirs) = UnixStream::pair().ok()?;
        let out = OwnedFd::from(theirs.try_clone().ok()?);
        let child = Command::new(program)
            .args(["read-code", language.name()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(out))
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let answer = converse(&ours, code, deadline);
        end(child);
        serde_json::from_slice(&answer?).ok()
    }
}

/// Sends the code and takes the answer. A peer that is gone must not raise a signal here.
fn converse(stream: &UnixStream, code: &str, deadline: Instant) -> Option<Vec<u8>> {
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    };
    let mut rest = code.as_bytes();
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left()?)).ok()?;
        match rustix::net::send(stream, rest, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = rest.get(sent..)?,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    rustix::net::shutdown(stream, Shutdown::Write).ok()?;
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        stream.set_read_timeout(Some(left()?)).ok()?;
        match (&mut &*stream).read(&mut part) {
            Ok(0) => return Some(answer),
            Ok(count) => answer.extend_from_slice(part.get(..count)?),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if answer.len() as u64 > MAX_ANSWER {
            return None;
        }
    }
}

fn end(mut child: Child) {
    // It has answered or had its time; the shell may have noticed its end already.
    let _ = child.kill();
    let _ = child.wait();
}

impl Languages for CodeReader {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        if code.len() > MAX_CODE {
            return None;
        }
        let known = self.kept.borrow().iter().find_map(|(of, text, script)| {
            (*of == language && text == code).then(|| script.clone())
        });
        if known.is_some() {
            return known;
        }
        let script = self.ask(language, code)?;
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((language, code.to_owned(), script.clone()));
        Some(script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, text: &str) -> CodeReader {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("reader");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        CodeReader::by(&path)
    }

    #[test]
    fn what_does_not_answer_reads_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for text in [
            "#!/bin/sh\nexit 1\n",
            "#!/bin/sh\necho '{'\n",
            "#!/bin/sh\nsleep 60\n",
            "#!/bin/sh\nexec <&-; sleep 60\n",
            "#!/bin/sh\nyes\n",
        ] {
            let reader = program(dir.path(), text);
            let code = "x".repeat(MAX_CODE);
            assert_eq!(reader.read(Language::Python, &code), None, "{text}");
        }
        let nobody = CodeReader::by(Path::new("/does/not/exist"));
        assert_eq!(nobody.read(Language::Python, "1"), None);
        assert_eq!(
            CodeReader::beside(&dir.path().join("libcmdai_bash.so")).program,
            None
        );
    }

    #[test]
    fn pieces_of_code_share_the_time() {
        let dir = tempfile::tempdir().unwrap();
        let reader = program(dir.path(), "#!/bin/sh\nexec sleep 60\n");
        assert_eq!(reader.read(Language::Lua, "1"), None);
        // Nobody is asked any more: a program that would answer is not started.
        let _ = program(
            dir.path(),
            "#!/bin/sh\n/bin/cat >/dev/null\necho '{\"nodes\":[\"Nothing\"]}'\n",
        );
        assert_eq!(reader.read(Language::Lua, "2"), None);
        reader.spent.set(None);
        assert!(reader.read(Language::Lua, "2").is_some());
    }

    #[test]
    fn an_answer_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let reader = program(
            dir.path(),
            "#!/bin/sh\n/bin/cat >/dev/null\necho '{\"nodes\":[\"Nothing\"]}'\n",
        );
        let first = reader.read(Language::Lua, "1");
        assert!(first.is_some());
        std::fs::remove_file(dir.path().join("reader")).unwrap();
        assert_eq!(reader.read(Language::Lua, "1"), first);
        assert_eq!(reader.read(Language::Lua, "2"), None);
    }
}
