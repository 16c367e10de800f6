//! Saying something to the person at the terminal, and asking them.

#![allow(
    unsafe_code,
    reason = "asking needs poll, read and tcflush on the shell's own descriptors"
)]

use std::io::Write as _;

/// Writes to standard error, whatever becomes of it.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// True where standard input and standard error are terminals.
pub(crate) fn is_terminal() -> bool {
    use std::io::IsTerminal as _;
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks `run it? [y/N]` and waits for the answer. What was typed before the question does not
/// count as one. In readline's mode one key answers; else a line does. A signal is a no.
pub(crate) fn ask(raw: bool) -> bool {
    // SAFETY: throws typed bytes away on a descriptor of this process; no memory is involved.
    unsafe { libc::tcflush(libc::STDIN_FILENO, libc::TCIFLUSH) };
    say("run it? [y/N] ");
    let mut first = None;
    loop {
        let mut waiting = libc::pollfd {
            fd: libc::STDIN_FILENO,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid entry that outlives the call.
        if unsafe { libc::poll(&raw mut waiting, 1, -1) } != 1 {
            break;
        }
        let mut byte = 0u8;
        // SAFETY: room for the one byte that is asked for.
        if unsafe { libc::read(libc::STDIN_FILENO, (&raw mut byte).cast(), 1) } != 1 {
            break;
        }
        first.get_or_insert(byte);
        if raw || byte == b'\n' {
            break;
        }
    }
    let yes = matches!(first, Some(b'y' | b'Y'));
    if raw {
        say(if yes { "y" } else { "n" });
    }
    yes
}

/// Interrupts this shell as the person's own Ctrl-C would.
pub(crate) fn interrupt() {
    // SAFETY: sends a signal to this very process; bash has a handler for it.
    unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
}
