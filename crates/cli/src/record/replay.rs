//! `cmdai replay`: plays a recording in the terminal.
//!
//! A recording comes from elsewhere: what would make a terminal answer, write to the clipboard, or take in
//! texts is left out; what draws is shown.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use serde_json::Value;

use crate::arguments::Replay;
use crate::failure::{Failure, closed};

use super::sequences::{Piece, Sequences};

/// Longest line of a recording, in bytes.
const LINE: u64 = 16 * 1024 * 1024;
/// First bytes of a zstd file.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Plays it.
pub(crate) fn replay(arguments: &Replay) -> Result<u8, Failure> {
    let path = &arguments.file;
    let unread = |error: &io::Error| Failure::file("read", path, error);
    let mut file = BufReader::new(File::open(path).map_err(|error| unread(&error))?);
    let packed = file
        .fill_buf()
        .map_err(|error| unread(&error))?
        .starts_with(&ZSTD);
    let lines: Box<dyn BufRead> = if packed {
        let decoder = zstd::Decoder::with_buffer(file).and_then(|mut decoder| {
            decoder.window_log_max(27)?;
            Ok(decoder)
        });
        Box::new(BufReader::new(decoder.map_err(|error| unread(&error))?))
    } else {
        Box::new(file)
    };
    if arguments.speed.is_nan() || arguments.speed <= 0.0 {
        return Err(Failure::usage(
            "--speed is greater than 0",
            "2 is twice as fast",
        ));
    }
    play(lines, arguments)
}

fn play(mut lines: Box<dyn BufRead>, arguments: &Replay) -> Result<u8, Failure> {
    let broken = |what: &str| {
        Failure::failed(
            format!("{} is no recording: {what}", arguments.file.display()),
            "cmdai replay plays asciicast v2, plain or compressed with zstd",
        )
    };
    let header = next(&mut lines)
        .map_err(|error| broken(&error.to_string()))?
        .ok_or_else(|| broken("it is empty"))?;
    let number = |key: &str| header.get(key).and_then(Value::as_u64);
    if number("version") != Some(2) {
        return Err(broken("its first line is no header of version 2"));
    }
    let waits = io::stdout().is_terminal();
    if waits {
        let (columns, rows) = super::proxy::size();
        let (width, height) = (number("width").unwrap_or(0), number("height").unwrap_or(0));
        if width > columns.into() || height > rows.into() {
            anstream::eprintln!("cmdai: recorded in {width}x{height}; this terminal is smaller");
        }
    }
    let mut filter = Filter::default();
    let mut out = io::stdout().lock();
    let mut last = 0.0;
    let mut outcome = Ok(0);
    loop {
        let event = match next(&mut lines) {
            Ok(Some(event)) => event,
            Ok(None) => break,
            // The end of a recording that was cut off: what there is was played.
            Err(error) => {
                outcome = Err(broken(&error.to_string()));
                break;
            }
        };
        let (Some(time), Some("o"), Some(text)) = (
            event.get(0).and_then(Value::as_f64),
            event.get(1).and_then(Value::as_str),
            event.get(2).and_then(Value::as_str),
        ) else {
            continue;
        };
        let pause = ((time - last).max(0.0) / arguments.speed).min(arguments.idle.max(0.0));
        last = time;
        if waits && pause > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(pause));
        }
        out.write_all(filter.pass(text).as_bytes())
            .map_err(|error| closed(&error))?;
        out.flush().map_err(|error| closed(&error))?;
    }
    if waits {
        // Colours, the other screen and a hidden cursor go with the recording.
        let _ = out.write_all(b"\x1b[0m\x1b[?1049l\x1b[?25h\r\n");
    }
    outcome
}

fn next(lines: &mut dyn BufRead) -> io::Result<Option<Value>> {
    let mut line = Vec::new();
    let mut bounded = lines.take(LINE);
    if bounded.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(io::Error::from)
}

/// Lets through what draws.
#[derive(Debug, Default)]
struct Filter(Sequences);

impl Filter {
    fn pass(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match self.0.step(c) {
                // Questions and the bell; a control character of the second set is a sequence too.
                Piece::Plain('\u{80}'..='\u{9f}' | '\u{5}' | '\u{7}') => {}
                Piece::Plain(c) => out.push(c),
                Piece::Escape(c @ ('7' | '8' | 'D' | 'E' | 'M' | '=' | '>')) => {
                    out.extend(['\u{1b}', c]);
                }
                Piece::Escapes(kind @ ('(' | ')' | '#'), c) => out.extend(['\u{1b}', kind, c]),
                // Questions (c, n), the window (t), tests (x, y), printing (i), keys (q, u).
                Piece::Control(_, 'c' | 'n' | 't' | 'x' | 'y' | 'i' | 'q' | 'u' | 'p') => {}
                Piece::Control(parameters, c) => {
                    out.push_str("\u{1b}[");
                    out.push_str(parameters);
                    out.push(c);
                }
                // Titles, clipboards and the like reach out of the terminal.
                Piece::Word(_) | Piece::WordsEnd => {}
                Piece::Nothing | Piece::Escape(_) | Piece::Escapes(..) => {}
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_draws_passes_and_what_asks_or_reaches_out_does_not() {
        let draws =
            "\x1b[1;31mred\x1b[0m \x1b[?1049h\x1b[5;10H\x1b[2K\x1b(B\x1b7\u{e9}\r\n\x1b[?25l";
        let mut filter = Filter::default();
        assert_eq!(filter.pass(draws), draws);
        for reaches in [
            "\x1b]52;c;aGVsbG8=\x07",
            "\x1b]0;title\x1b\\",
            "\x1bP$q\"p\x1b\\",
            "\x1b[6n",
            "\x1b[c",
            "\x1b[21t",
            "\x05",
            "\u{9d}52;c;x\u{9c}",
            "\x1b_G...\x1b\\",
        ] {
            let mut filter = Filter::default();
            let split: String = reaches
                .chars()
                .map(|c| filter.pass(&c.to_string()))
                .collect();
            assert!(
                !split.contains('\u{1b}') && !split.contains('\u{5}'),
                "{reaches:?} => {split:?}"
            );
            assert!(!split.contains('\u{9d}'));
        }
    }
}
