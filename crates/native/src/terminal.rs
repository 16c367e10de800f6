//! Saying something to the person at the terminal, and asking them.

#![allow(
    unsafe_code,
    reason = "asking needs poll, read and termios on the shell's own descriptors"
)]

use std::ffi::c_int;
use std::io::{IsTerminal as _, Write as _};

/// How the terminal hands out what is typed when a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// In lines, and the first letter of one is the answer.
    Line,
    /// In lines, but one key shall be enough: the terminal is switched for the question.
    Key,
    /// In keys already: the shell's line editor stands with its cursor at the end of the typed line,
    /// and will itself end the last line of a message.
    InEditor,
}

/// Writes to standard error, whatever becomes of it.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// True where the keyboard and standard error are terminals.
pub fn is_terminal(keyboard: c_int) -> bool {
    // SAFETY: asks about a descriptor by its number; no memory is involved.
    (unsafe { libc::isatty(keyboard) } == 1) && std::io::stderr().is_terminal()
}

/// Asks `run it? [y/N]` and waits for the answer. What was typed before the question does not
/// count as one. A signal is a no.
pub fn ask(keyboard: c_int, asking: Asking) -> bool {
    // SAFETY: throws typed bytes away on a descriptor of this process; no memory is involved.
    unsafe { libc::tcflush(keyboard, libc::TCIFLUSH) };
    let before = (asking == Asking::Key)
        .then(|| keys_at_once(keyboard))
        .flatten();
    say("run it? [y/N] ");
    let one_key = asking == Asking::InEditor || before.is_some();
    let mut first = None;
    loop {
        let mut waiting = libc::pollfd {
            fd: keyboard,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid entry that outlives the call.
        if unsafe { libc::poll(&raw mut waiting, 1, -1) } != 1 {
            break;
        }
        let mut byte = 0u8;
        // SAFETY: room for the one byte that is asked for.
        if unsafe { libc::read(keyboard, (&raw mut byte).cast(), 1) } != 1 {
            break;
        }
        first.get_or_insert(byte);
        if one_key || byte == b'\n' {
            break;
        }
    }
    let yes = matches!(first, Some(b'y' | b'Y'));
    if one_key {
        say(if yes { "y" } else { "n" });
    }
    if let Some(before) = before {
        say("\n");
        // SAFETY: the settings that the same call gave.
        unsafe { libc::tcsetattr(keyboard, libc::TCSADRAIN, &raw const before) };
    }
    yes
}

/// Lets the terminal hand out each key at once and unseen. Gives the settings from before.
fn keys_at_once(keyboard: c_int) -> Option<libc::termios> {
    let mut before = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: a place for the answer.
    if unsafe { libc::tcgetattr(keyboard, before.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: filled in by the call above.
    let before = unsafe { before.assume_init() };
    let mut keys = before;
    keys.c_lflag &= !(libc::ICANON | libc::ECHO);
    if let Some(least) = keys.c_cc.get_mut(libc::VMIN) {
        *least = 1;
    }
    if let Some(time) = keys.c_cc.get_mut(libc::VTIME) {
        *time = 0;
    }
    // SAFETY: the settings from above with a few changed.
    (unsafe { libc::tcsetattr(keyboard, libc::TCSADRAIN, &raw const keys) } == 0).then_some(before)
}

/// Interrupts this shell as the person's own Ctrl-C would.
pub fn interrupt() {
    // SAFETY: sends a signal to this very process; the shell has a handler for it.
    unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
}
