//! The thread that parses, and what happens when a grammar does not come back.
//!
//! Grammars are C. A scanner that loops asks nobody for progress, so no callback can stop it: a
//! here-document without its end did that to one. The parser therefore runs in a thread of its own,
//! with a stack of its own, and is waited for; one that is late is left behind, and its language is
//! not read again in this process, so that no more than one thread for each language can be lost.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use cmdai_effects::script::{Language, Script};

/// How long one piece of code is waited for. More than the parser's own clock.
const PATIENCE: Duration = Duration::from_secs(3);
/// Lowering goes as deep as `lower` permits, in debug builds with large frames.
const STACK: usize = 8 * 1024 * 1024;

/// A piece of code and where its tree goes.
type Piece = (Language, String, mpsc::SyncSender<Option<Script>>);

/// The thread, and what is not read any more.
struct State {
    pieces: Option<mpsc::Sender<Piece>>,
    given_up: Vec<Language>,
}

static STATE: Mutex<State> = Mutex::new(State {
    pieces: None,
    given_up: Vec::new(),
});

/// Reads a piece of code; `None` where it cannot be read, or its language not any more.
pub(crate) fn read(language: Language, code: &str) -> Option<Script> {
    let (answer, tree) = mpsc::sync_channel(1);
    let piece = (language, code.to_owned(), answer);
    {
        let mut state = STATE.lock().ok()?;
        if state.given_up.contains(&language) {
            return None;
        }
        let unsent = match &state.pieces {
            Some(pieces) => pieces.send(piece).err().map(|error| error.0),
            None => Some(piece),
        };
        // There is no thread yet, or it has ended in a panic.
        if let Some(piece) = unsent {
            let pieces = start()?;
            pieces.send(piece).ok()?;
            state.pieces = Some(pieces);
        }
    }
    match tree.recv_timeout(PATIENCE) {
        Ok(tree) => tree,
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            if let Ok(mut state) = STATE.lock() {
                state.pieces = None;
                state.given_up.push(language);
            }
            None
        }
    }
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
