//! `cmdai record`: what a session shows, without its secrets, for replaying.
//!
//! Only what is shown is recorded, never what is typed: a password at a prompt is not in it. Governed, the
//! organisation's policy permits it or does not, and the machine's events tell of each recording with its
//! length and SHA-256. The file stays with the person.

mod cast;
pub(crate) mod proxy;
pub(crate) mod replay;
mod sequences;
mod shield;

use std::path::{Path, PathBuf};
use std::time::Instant;

use cmdai_gate::{Recorder, SessionInfo, fresh_id};
use cmdai_schema::Layer;
use cmdai_schema::record::Half;

use crate::arguments::Record;
use crate::failure::Failure;
use crate::scene::Scene;

use cast::{Cast, Part, Size};

/// In the environment of a recorded session.
pub(crate) const INSIDE: &str = "CMDAI_RECORDING";
/// Most bytes of recordings that are kept; the oldest go first.
const KEPT: u64 = 1024 * 1024 * 1024;
/// Shells that bring their own hooks, where nothing but their way of starting is said.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Records a session until its program ends.
pub(crate) fn record(arguments: &Record) -> Result<u8, Failure> {
    let scene = Scene::here()?;
    permitted(&scene)?;
    let words = words(&arguments.program)?;
    let folder = folder(&scene);
    make(&folder)?;
    prune(&folder);
    let now = jiff::Zoned::now();
    let epoch = u64::try_from(now.timestamp().as_second()).unwrap_or(0);
    let stem = folder.join(format!(
        "{}-{}",
        now.strftime("%Y%m%d-%H%M%S"),
        cmdai_gate::short_id(&fresh_id())
    ));
    let cast = Cast::begin(&stem, proxy::size(), epoch)
        .map_err(|error| Failure::file("write", &stem, &error))?;
    anstream::eprintln!(
        "cmdai: this session is recorded: what is shown, with secrets covered; what you type only where it is shown. It ends with its program.\n  to {}",
        cast.path().display()
    );
    let session = SessionInfo {
        id: format!("rec-{}", fresh_id()),
        layer: Layer::Shell,
        who: scene.who.clone(),
        shared: false,
    };
    let mut listener = Listening {
        recorder: Recorder::open(scene.gate.installation(), scene.gate.person(), session),
        cast: Some(cast),
        begun: Instant::now(),
        problem: None,
    };
    listener.tell("began", None);
    let ended = proxy::run(&words, &mut listener);
    let last = listener.finish();
    let status = ended.map_err(|error| {
        Failure::failed(
            format!(
                "`{}` cannot be run in a terminal of its own: {error}",
                arguments
                    .program
                    .first()
                    .map_or("the shell", String::as_str)
            ),
            "is it installed, and are there pseudo-terminals (/dev/ptmx)?",
        )
    })?;
    match last {
        Ok(part) => anstream::eprintln!(
            "cmdai: recorded, {} KiB, sha256:{}\n  cmdai replay {}",
            part.bytes.div_ceil(1024),
            part.sha256,
            crate::scene::quote(&part.path.display().to_string())
        ),
        Err(problem) => anstream::eprintln!("cmdai: the recording ended early: {problem}"),
    }
    Ok(proxy::code(status))
}

/// Hands the program over inside of its terminal.
pub(crate) fn inside(program: &[String]) -> Result<u8, Failure> {
    let name = program.first().map_or("", String::as_str);
    let error = proxy::inside(program);
    Err(Failure::failed(
        format!("`{name}` cannot be started: {error}"),
        "is it installed and on the PATH?",
    ))
}

/// Recordings of this person.
pub(crate) fn folder(scene: &Scene) -> PathBuf {
    scene.gate.person().state.join("recordings")
}

fn permitted(scene: &Scene) -> Result<(), Failure> {
    if std::env::var_os(INSIDE).is_some() {
        return Err(Failure::failed(
            "this session is recorded already",
            "it ends with its program; exit leaves a shell",
        ));
    }
    if crate::private::holding(scene.gate.person(), scene.gate.private_mode()).is_some() {
        return Err(Failure::failed(
            "private mode is on in this shell, and a recording would show what it keeps out",
            "cmdai private off",
        ));
    }
    let organisation = scene.gate.policies().organisation();
    let said = organisation.and_then(|snapshot| snapshot.settings().privacy.record_sessions);
    if scene.governed() && said != Some(true) {
        let governed = scene.gate.installation().governed();
        let name = governed.map_or("", |governed| governed.mark.organisation.as_str());
        return Err(Failure::failed(
            format!("the policy of {name} does not permit recordings of sessions"),
            "a policy permits them by `privacy.record_sessions: true`",
        ));
    }
    Ok(())
}

/// A shell brings its hooks along. Everything else goes through `cmdai run`.
fn words(program: &[String]) -> Result<Vec<String>, Failure> {
    let shell = || {
        std::env::var("SHELL")
            .ok()
            .filter(|shell| !shell.is_empty())
    };
    let Some((name, arguments)) = program.split_first() else {
        return Ok(vec![shell().unwrap_or_else(|| "/bin/sh".to_owned())]);
    };
    let base = name.rsplit('/').next().unwrap_or(name);
    let plain = arguments
        .iter()
        .all(|word| matches!(word.as_str(), "-i" | "-l" | "--login"));
    if SHELLS.contains(&base) && plain {
        return Ok(program.to_vec());
    }
    let own = std::env::current_exe()
        .map_err(|error| Failure::file("find", Path::new("cmdai"), &error))?;
    let own = own.to_string_lossy().into_owned();
    let before = [own, "run".to_owned(), "--".to_owned()];
    Ok(before.into_iter().chain(program.iter().cloned()).collect())
}

fn make(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Failure::file("make", folder, &error))
}

/// Makes room: the oldest recordings go, and that is said.
fn prune(folder: &Path) {
    let mut all: Vec<(std::time::SystemTime, PathBuf, u64)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().to_string_lossy().ends_with(".cast.zst"))
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            Some((meta.modified().ok()?, entry.path(), meta.len()))
        })
        .collect();
    all.sort();
    let mut bytes: u64 = all.iter().map(|(_, _, bytes)| bytes).sum();
    for (_, path, length) in all {
        if bytes <= KEPT {
            return;
        }
        if std::fs::remove_file(&path).is_ok() {
            bytes = bytes.saturating_sub(length);
            anstream::eprintln!(
                "cmdai: the oldest recording was removed to make room: {}",
                path.display()
            );
        }
    }
}

/// The recording and the records of it.
struct Listening {
    recorder: Recorder,
    cast: Option<Cast>,
    begun: Instant,
    problem: Option<String>,
}

impl Listening {
    /// A record that the recording began, that a part of it is whole, or that it ended.
    fn tell(&mut self, state: &str, part: Option<&Part>) {
        let path = part.map(|part| part.path.as_path());
        let path = path.or_else(|| self.cast.as_ref().map(Cast::path));
        let file = path.and_then(Path::file_name);
        self.recorder.recording(Half::Recording {
            state: state.to_owned(),
            file: file.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256: part.map(|part| part.sha256.clone()),
            bytes: part.map(|part| part.bytes),
            duration_ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn done(&mut self, written: std::io::Result<Option<Part>>) {
        match written {
            Ok(None) => {}
            Ok(Some(part)) => self.tell("part", Some(&part)),
            Err(error) => {
                // The session goes on; that it is not recorded any more is on record.
                self.problem = Some(error.to_string());
                self.tell("failed", None);
                self.cast = None;
            }
        }
    }

    fn finish(&mut self) -> Result<Part, String> {
        let ended = match (self.cast.take(), self.problem.take()) {
            (Some(cast), _) => cast.finish().map_err(|error| error.to_string()),
            (None, problem) => Err(problem.unwrap_or_default()),
        };
        if let Ok(part) = &ended {
            self.tell("ended", Some(part));
        }
        self.recorder.session_end();
        ended
    }
}

impl proxy::Listener for Listening {
    fn shown(&mut self, time: f64, bytes: &[u8]) {
        if let Some(cast) = &mut self.cast {
            let written = cast.shown(time, bytes);
            self.done(written);
        }
    }

    fn resized(&mut self, time: f64, size: Size) {
        if let Some(cast) = &mut self.cast {
            cast.resized(time, size);
        }
    }

    fn idle(&mut self, time: f64) {
        if let Some(cast) = &mut self.cast {
            let written = cast.idle(time);
            self.done(written);
        }
    }
}
