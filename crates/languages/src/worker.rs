//! The thread that parses, and what happens when a grammar does not come back.
//!
//! Grammars are C. A scanner that loops asks nobody for progress, so no callback can stop it: a
//! here-document without its end did that to one. The parser therefore runs in a thread of its own,
//! with a stack of its own, and is waited for; one that is late is left behind, and its language is
//! not read again in this process, so that no more than one thread for each language can be lost.

use std::cell::RefCell;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use cmdai_effects::script::{Language, Script};

/// How long one piece of code is waited for. Far more than the parser's own clock: a machine may be
/// busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lowering goes as deep as `lower` permits, in debug builds with large frames.
const STACK: usize = 8 * 1024 * 1024;

/// A piece of code and where its tree goes.
type Piece = (Language, String, mpsc::SyncSender<Option<Script>>);

/// What is not read any more in this process.
static GIVEN_UP: Mutex<Vec<Language>> = Mutex::new(Vec::new());

thread_local! {
    /// The thread that parses for this one, so that nobody waits for another's code.
    static WORKER: RefCell<Option<mpsc::Sender<Piece>>> = const { RefCell::new(None) };
}

/// Reads a piece of code; `None` where it cannot be read, or its language not any more.
pub(crate) fn read(language: Language, code: &str) -> Option<Script> {
    if GIVEN_UP.lock().ok()?.contains(&language) {
        return None;
    }
    let (answer, tree) = mpsc::sync_channel(1);
    let piece = (language, code.to_owned(), answer);
    WORKER.with_borrow_mut(|worker| hand_over(worker, piece))?;
    match tree.recv_timeout(PATIENCE) {
        Ok(tree) => tree,
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            WORKER.set(None);
            GIVEN_UP.lock().ok()?.push(language);
            None
        }
    }
}

fn hand_over(worker: &mut Option<mpsc::Sender<Piece>>, piece: Piece) -> Option<()> {
    let unsent = match worker {
        Some(pieces) => pieces.send(piece).err().map(|error| error.0),
        None => Some(piece),
    };
    // There is no thread yet, or it has ended in a panic.
    if let Some(piece) = unsent {
        let pieces = start()?;
        pieces.send(piece).ok()?;
        *worker = Some(pieces);
    }
    Some(())
}

fn start() -> Option<mpsc::Sender<Piece>> {
    let (pieces, inbox) = mpsc::channel::<Piece>();
    std::thread::Builder::new()
        .name("code reader".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            for (language, code, answer) in inbox {
                // Nobody waits any more where it was late.
                let _ = answer.send(crate::parse(language, &code));
            }
        })
        .ok()?;
    Some(pieces)
}
