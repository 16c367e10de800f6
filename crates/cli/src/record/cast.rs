//! The file of a recording: asciicast v2, compressed with zstd.
//!
//! A line with the header, then one line for each event: `[seconds, "o", text]` for what was shown and
//! `[seconds, "r", "COLUMNSxROWS"]` for another size. What was typed is not in it. A recording that
//! grows past a bound goes on in another file, with a header of its own; times begin anew there.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::shield::{Output, Shield};

/// Uncompressed bytes after which another file begins.
const PART: u64 = 64 * 1024 * 1024;
/// Uncompressed bytes after which what is compressed so far goes to disk.
const FLUSH: u64 = 64 * 1024;

/// Size of a terminal: columns and rows.
pub(crate) type Size = (u16, u16);

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// Writes one recording.
pub(crate) struct Cast {
    /// Path without number and ending.
    stem: PathBuf,
    shield: Shield,
    size: Size,
    resizes: VecDeque<(f64, Size)>,
    file: Option<zstd::Encoder<'static, File>>,
    path: PathBuf,
    number: u32,
    /// Moment at which this part began, in seconds of the recording, and since 1970.
    begun: f64,
    epoch: u64,
    written: u64,
    unflushed: u64,
    /// Moment of the last event.
    last: f64,
    part: u64,
}

impl Cast {
    /// Begins a recording. `epoch` is the moment in seconds since 1970.
    pub(crate) fn begin(stem: &Path, size: Size, epoch: u64) -> io::Result<Self> {
        let mut cast = Self {
            stem: stem.to_owned(),
            shield: Shield::new(size.0),
            size,
            resizes: VecDeque::new(),
            file: None,
            path: PathBuf::new(),
            number: 0,
            begun: 0.0,
            epoch,
            written: 0,
            unflushed: 0,
            last: 0.0,
            part: PART,
        };
        cast.open(0.0)?;
        Ok(cast)
    }

    /// The file that is written now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn open(&mut self, time: f64) -> io::Result<()> {
        self.number += 1;
        let number = match self.number {
            1 => String::new(),
            number => format!("-{number}"),
        };
        self.path = PathBuf::from(format!("{}{number}.cast.zst", self.stem.display()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)?;
        self.file = Some(zstd::Encoder::new(file, 3)?);
        (self.begun, self.written, self.unflushed) = (time, 0, 0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds of a session, never negative"
        )]
        let since = time as u64;
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let header = json!({
            "version": 2,
            "width": self.size.0,
            "height": self.size.1,
            "timestamp": self.epoch + since,
            "env": {"SHELL": cmdai_redact::redact(&variable("SHELL")), "TERM": cmdai_redact::redact(&variable("TERM"))},
        });
        self.line(&header.to_string())
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
            self.written += line.len() as u64 + 1;
            self.unflushed += line.len() as u64 + 1;
            if self.unflushed > FLUSH {
                file.flush()?;
                self.unflushed = 0;
            }
        }
        Ok(())
    }

    /// What the program showed at this moment, in seconds since the recording began. Gives the part that
    /// is full now.
    pub(crate) fn shown(&mut self, time: f64, bytes: &[u8]) -> io::Result<Option<Part>> {
        let outputs = self.shield.take(time, bytes);
        self.write(outputs)
    }

    /// Time goes by.
    pub(crate) fn idle(&mut self, time: f64) -> io::Result<Option<Part>> {
        let outputs = self.shield.give(time);
        self.write(outputs)
    }

    /// The terminal has another size.
    pub(crate) fn resized(&mut self, time: f64, size: Size) {
        self.resizes.push_back((time, size));
        self.shield.resize(size.0);
    }

    fn write(&mut self, outputs: Vec<Output>) -> io::Result<Option<Part>> {
        self.events(outputs)?;
        if self.written <= self.part {
            return Ok(None);
        }
        let full = self.close()?;
        self.open(self.last)?;
        Ok(Some(full))
    }

    fn events(&mut self, outputs: Vec<Output>) -> io::Result<()> {
        for output in outputs {
            self.resizes_until(output.time)?;
            self.last = output.time;
            let time = (output.time - self.begun).max(0.0);
            let event = serde_json::to_string(&(time, "o", output.text))?;
            self.line(&event)?;
        }
        Ok(())
    }

    fn resizes_until(&mut self, time: f64) -> io::Result<()> {
        while let Some((at, size)) = self
            .resizes
            .front()
            .copied()
            .filter(|resize| resize.0 <= time)
        {
            self.resizes.pop_front();
            self.size = size;
            let at = (at - self.begun).max(0.0);
            let event = serde_json::to_string(&(at, "r", format!("{}x{}", size.0, size.1)))?;
            self.line(&event)?;
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<Part> {
        if let Some(file) = self.file.take() {
            file.finish()?.sync_all()?;
        }
        let bytes = std::fs::read(&self.path)?;
        Ok(Part {
            path: self.path.clone(),
            sha256: cmdai_schema::Hash::of(&[&bytes]).to_hex(),
            bytes: bytes.len() as u64,
        })
    }

    /// The program has ended.
    pub(crate) fn finish(mut self) -> io::Result<Part> {
        let outputs = self.shield.finish();
        self.events(outputs)?;
        self.resizes_until(f64::INFINITY)?;
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let bytes = zstd::decode_all(File::open(path).unwrap()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn header_output_and_sizes_are_in_order_and_the_sum_is_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut cast = Cast::begin(&dir.path().join("one"), (80, 24), 1_700_000_000).unwrap();
        cast.shown(0.5, b"hello ").unwrap();
        cast.resized(1.0, (100, 30));
        cast.shown(1.5, b"there\r\n").unwrap();
        cast.resized(2.0, (90, 20));
        let part = cast.finish().unwrap();
        let lines = lines(&part.path);
        assert_eq!(
            (&lines[0]["version"], &lines[0]["width"]),
            (&json!(2), &json!(80))
        );
        assert_eq!(lines[0]["timestamp"], 1_700_000_000);
        assert_eq!(
            lines[1..],
            [
                json!([0.5, "o", "hello "]),
                json!([1.0, "r", "100x30"]),
                json!([1.5, "o", "there\r\n"]),
                json!([2.0, "r", "90x20"]),
            ]
        );
        let bytes = std::fs::read(&part.path).unwrap();
        assert_eq!(part.sha256, cmdai_schema::Hash::of(&[&bytes]).to_hex());
        assert_eq!(part.bytes, bytes.len() as u64);
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&part.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_grows_too_large_goes_on_in_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut cast = Cast::begin(&dir.path().join("long"), (80, 24), 1_700_000_000).unwrap();
        cast.part = 5_000;
        let mut parts = Vec::new();
        let mut all = String::new();
        for number in 0..1_000u32 {
            let line = format!("line {number}\r\n");
            all.push_str(&line);
            parts.extend(cast.shown(f64::from(number), line.as_bytes()).unwrap());
        }
        parts.push(cast.finish().unwrap());
        assert!(parts.len() > 3);
        let mut text = String::new();
        for part in &parts {
            let lines = lines(&part.path);
            assert_eq!(lines[0]["version"], 2);
            for event in &lines[1..] {
                assert!(event[0].as_f64().unwrap() >= 0.0);
                text.push_str(event[2].as_str().unwrap());
            }
        }
        assert_eq!(text, all);
    }
}
