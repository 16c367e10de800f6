//! Messages and questions on the terminal of the run, beside a program that uses it too.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, QueueSelector, SpecialCodeIndex, tcflush, tcgetattr,
    tcgetpgrp, tcsetattr, tcsetpgrp,
};

/// How long a question waits. Nobody there is no.
const PATIENCE: Duration = Duration::from_secs(300);
/// Ends a line like Enter, and is no answer: what Ctrl-C sends.
const INTERRUPT: u8 = 3;

fn open() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}

/// There is a terminal, and no program has taken it over for drawing or for reading key by key.
pub(crate) fn is_free() -> bool {
    open()
        .and_then(|terminal| tcgetattr(&terminal).ok())
        .is_some_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
}

/// Writes whole lines to standard error, also where a program has switched off that a line feed
/// returns the carriage.
pub(crate) fn say(message: &str) {
    let error = std::io::stderr();
    let raw = tcgetattr(&error).is_ok_and(|modes| !modes.output_modes.contains(OutputModes::OPOST));
    let text = match raw {
        true => message.replace('\n', "\r\n"),
        false => message.to_owned(),
    };
    let _ = error.lock().write_all(text.as_bytes());
}

/// Asks and waits for a line. The terminal is ours meanwhile: what was typed before the question is
/// no answer to it, and the program that had the terminal has it back afterwards.
pub(crate) fn confirm(question: &str) -> bool {
    let Some(mut terminal) = open() else {
        return false;
    };
    let (Ok(modes), Ok(group)) = (tcgetattr(&terminal), tcgetpgrp(&terminal)) else {
        return false;
    };
    // Signals by which the kernel keeps the background off a terminal are blocked in this process.
    if tcsetpgrp(&terminal, rustix::process::getpgrp()).is_err() {
        return false;
    }
    let mut ours = modes.clone();
    ours.local_modes
        .insert(LocalModes::ICANON | LocalModes::ECHO);
    ours.local_modes.remove(LocalModes::ISIG);
    ours.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    let asked = tcsetattr(&terminal, OptionalActions::Now, &ours)
        .and_then(|()| tcflush(&terminal, QueueSelector::IFlush))
        .is_ok();
    let answer = if asked {
        let _ = terminal.write_all(question.as_bytes());
        line(&mut terminal)
    } else {
        None
    };
    let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
    let _ = tcsetpgrp(&terminal, group);
    // Who tried to read meanwhile was stopped by the kernel.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::CONT);
    answer.is_some_and(|text| matches!(text.trim(), "y" | "Y" | "yes"))
}

fn line(terminal: &mut File) -> Option<String> {
    let mut waiting = [PollFd::new(terminal, PollFlags::IN)];
    let patience = Timespec::try_from(PATIENCE).ok()?;
    if poll(&mut waiting, Some(&patience)).ok()? == 0 {
        return None;
    }
    let mut bytes = [0; 256];
    let count = terminal.read(&mut bytes).ok()?;
    String::from_utf8(bytes.get(..count)?.to_vec()).ok()
}
