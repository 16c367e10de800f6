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
struct Filter {
    held: String,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    Parameters,
    Words,
    WordsEscape,
    Charset,
}

impl Filter {
    fn pass(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match (self.state, c) {
                (State::Text, '\u{1b}') => self.state = State::Escape,
                // The same in one character.
                (State::Text, '\u{80}'..='\u{9f}' | '\u{5}' | '\u{7}') => {}
                (State::Text, c) => out.push(c),
                (State::Escape, '[') => {
                    self.held.clear();
                    self.state = State::Parameters;
                }
                (State::Escape, ']' | 'P' | '_' | '^' | 'X') => self.state = State::Words,
                (State::Escape, '(' | ')' | '#') => {
                    self.held = format!("\u{1b}{c}");
                    self.state = State::Charset;
                }
                (State::Escape, '7' | '8' | 'D' | 'E' | 'M' | '=' | '>') => {
                    out.push('\u{1b}');
                    out.push(c);
                    self.state = State::Text;
                }
                (State::Escape, '\u{1b}') => {}
                (State::Escape, _) => self.state = State::Text,
                (State::Charset, c) => {
                    out.push_str(&self.held);
                    out.push(c);
                    self.state = State::Text;
                }
                (State::Parameters, '\u{40}'..='\u{7e}') => {
                    // Questions (c, n), the window (t), tests (x, y), printing (i), keys (q, u).
                    let asks = matches!(c, 'c' | 'n' | 't' | 'x' | 'y' | 'i' | 'q' | 'u' | 'p');
                    if !asks {
                        out.push_str("\u{1b}[");
                        out.push_str(&self.held);
                        out.push(c);
                    }
                    self.state = State::Text;
                }
                (State::Parameters, '\u{1b}') => self.state = State::Escape,
                (State::Parameters, '\u{20}'..='\u{3f}') if self.held.len() < 256 => {
                    self.held.push(c)
                }
                (State::Parameters, _) => self.state = State::Text,
                (State::Words, '\u{7}' | '\u{9c}') => self.state = State::Text,
                (State::Words, '\u{1b}') => self.state = State::WordsEscape,
                (State::Words, _) => {}
                (State::WordsEscape, '\\') => self.state = State::Text,
                (State::WordsEscape, _) => self.state = State::Words,
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
