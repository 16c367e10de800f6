//! One segment file: header, frames, and what is known of it in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use cmdai_schema::{Event, Hash};
use serde::{Deserialize, Serialize};

use crate::{SpoolError, SpoolKey};

const MAGIC: &[u8; 8] = b"CMDAISPL";
const VERSION: u32 = 1;
/// Length of the header: its open part, a nonce and a tag.
pub(crate) const HEADER: usize = OPEN + NONCE + TAG;
const OPEN: usize = 8 + 4 + 16 + 8 + 32;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Length of a frame's open part.
const FRAME: usize = 4 + 8 + 4;
/// Longest sealed part, in bytes.
pub(crate) const MAX_FRAME: usize = 8 * 1024 * 1024;

/// What a frame holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// Where a frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) offset: u64,
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) length: u32,
}

impl Frame {
    pub(crate) fn end(self) -> u64 {
        self.offset + (FRAME + NONCE) as u64 + u64::from(self.length)
    }

    /// Sequence number after its last event.
    pub(crate) fn next(self) -> u64 {
        self.first + u64::from(self.count)
    }
}

/// Seals and opens.
pub(crate) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(crate) fn new(key: &SpoolKey) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key.0)))
    }

    fn seal(&self, text: &[u8], bound: &[u8]) -> Result<([u8; NONCE], Vec<u8>), SpoolError> {
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SpoolError::Random)?;
        let sealed = self
            .0
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: text,
                    aad: bound,
                },
            )
            .map_err(|_| SpoolError::Content("too long to seal".to_owned()))?;
        Ok((nonce, sealed))
    }

    fn open(&self, nonce: [u8; NONCE], sealed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        self.0
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: bound,
                },
            )
            .ok()
    }
}

/// A segment that is known to begin with a good header.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) id: [u8; 16],
    pub(crate) first: u64,
    /// Hash of the event before `first`.
    pub(crate) before: Hash,
    pub(crate) frames: Vec<Frame>,
    /// Bytes up to the end of the last good frame.
    pub(crate) length: u64,
}

impl Segment {
    /// Sequence number after its last event.
    pub(crate) fn next(&self) -> u64 {
        self.frames.last().map_or(self.first, |frame| frame.next())
    }

    pub(crate) fn name(first: u64) -> String {
        format!("{first:016x}.seg")
    }

    /// Makes a new segment; its header is synced before anybody relies on it.
    pub(crate) fn create(
        folder: &Path,
        first: u64,
        before: Hash,
        cipher: &Cipher,
    ) -> Result<Self, SpoolError> {
        let path = folder.join(Self::name(first));
        let mut id = [0u8; 16];
        getrandom::fill(&mut id).map_err(|_| SpoolError::Random)?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&id);
        header.extend_from_slice(&first.to_le_bytes());
        header.extend_from_slice(&before.0);
        let (nonce, tag) = cipher.seal(&[], &header)?;
        header.extend_from_slice(&nonce);
        header.extend_from_slice(&tag);
        let fresh = path.with_extension("new");
        let write = || -> io::Result<File> {
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&fresh)?;
            file.write_all_at(&header, 0)?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)?;
            File::open(folder)?.sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|source| {
            // Neither may stay: the next events may go into the segment before.
            let _ = std::fs::remove_file(&fresh);
            let _ = std::fs::remove_file(&path);
            SpoolError::Write {
                path: path.clone(),
                source,
            }
        })?;
        Ok(Self {
            path,
            file,
            id,
            first,
            before,
            frames: Vec::new(),
            length: HEADER as u64,
        })
    }

    /// Opens a segment and finds its frames. `last` says that its tail may be torn: it is cut.
    pub(crate) fn open(path: &Path, last: bool, cipher: &Cipher) -> Result<Self, SpoolError> {
        let read = |source| SpoolError::Read {
            path: path.to_owned(),
            source,
        };
        let damaged = |offset| SpoolError::Damaged {
            path: path.to_owned(),
            offset,
        };
        let file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(read)?;
        let size = file.metadata().map_err(read)?.len();
        let mut header = [0u8; HEADER];
        file.read_exact_at(&mut header, 0).map_err(|_| damaged(0))?;
        let mut fields = Fields(&header);
        let magic: [u8; 8] = fields.take().ok_or_else(|| damaged(0))?;
        let version = fields
            .take()
            .map(u32::from_le_bytes)
            .ok_or_else(|| damaged(0))?;
        let id = fields.take().ok_or_else(|| damaged(0))?;
        let first = fields
            .take()
            .map(u64::from_le_bytes)
            .ok_or_else(|| damaged(0))?;
        let before = Hash(fields.take().ok_or_else(|| damaged(0))?);
        let nonce = fields.take().ok_or_else(|| damaged(0))?;
        if &magic != MAGIC || version != VERSION {
            return Err(damaged(0));
        }
        let open = header.get(..OPEN).unwrap_or_default();
        cipher
            .open(nonce, fields.0, open)
            .ok_or_else(|| SpoolError::WrongKey {
                path: path.to_owned(),
            })?;
        let mut this = Self {
            path: path.to_owned(),
            file,
            id,
            first,
            before,
            frames: Vec::new(),
            length: HEADER as u64,
        };
        while this.length < size {
            match this.frame_at(this.length, size) {
                // Frames of older segments were checked when they were written; the last segment's
                // are opened, because a torn write may have left anything.
                Some(frame)
                    if frame.first == this.next()
                        && (!last || this.read(frame, cipher).is_ok()) =>
                {
                    this.length = frame.end();
                    this.frames.push(frame);
                }
                Some(frame) if frame.end() < size => return Err(damaged(this.length)),
                _ if !last => return Err(damaged(this.length)),
                _ => {
                    this.file
                        .set_len(this.length)
                        .and_then(|()| this.file.sync_all())
                        .map_err(|source| SpoolError::Write {
                            path: path.to_owned(),
                            source,
                        })?;
                    break;
                }
            }
        }
        Ok(this)
    }

    /// The frame that begins at `offset`, where it lies whole within `size`.
    fn frame_at(&self, offset: u64, size: u64) -> Option<Frame> {
        let mut open = [0u8; FRAME];
        self.file.read_exact_at(&mut open, offset).ok()?;
        let mut fields = Fields(&open);
        let length = u32::from_le_bytes(fields.take()?);
        let first = u64::from_le_bytes(fields.take()?);
        let count = u32::from_le_bytes(fields.take()?);
        let frame = Frame {
            offset,
            first,
            count,
            length,
        };
        (length as usize <= MAX_FRAME
            && length as usize >= TAG
            && first.checked_add(u64::from(count)).is_some()
            && frame.end() <= size)
            .then_some(frame)
    }

    fn bound(&self, frame: Frame) -> Vec<u8> {
        let mut bound = self.id.to_vec();
        bound.extend_from_slice(&open_part(frame));
        bound
    }

    /// Reads and opens a frame.
    pub(crate) fn read(&self, frame: Frame, cipher: &Cipher) -> Result<Content, SpoolError> {
        let damaged = || SpoolError::Damaged {
            path: self.path.clone(),
            offset: frame.offset,
        };
        let mut nonce = [0u8; NONCE];
        let start = frame.offset + FRAME as u64;
        let read = |source| SpoolError::Read {
            path: self.path.clone(),
            source,
        };
        self.file.read_exact_at(&mut nonce, start).map_err(read)?;
        let mut sealed = vec![0u8; frame.length as usize];
        self.file
            .read_exact_at(&mut sealed, start + NONCE as u64)
            .map_err(read)?;
        let text = cipher
            .open(nonce, &sealed, &self.bound(frame))
            .ok_or_else(damaged)?;
        let content: Content = serde_json::from_slice(&text).map_err(|_| damaged())?;
        if content.events.len() != frame.count as usize {
            return Err(damaged());
        }
        Ok(content)
    }

    /// The bytes of a frame that would be appended now.
    pub(crate) fn encode(
        &self,
        content: &Content,
        cipher: &Cipher,
    ) -> Result<(Frame, Vec<u8>), SpoolError> {
        let text =
            serde_json::to_vec(content).map_err(|error| SpoolError::Content(error.to_string()))?;
        let too_long = SpoolError::Oversize {
            length: text.len(),
            limit: MAX_FRAME - TAG,
        };
        if text.len() > MAX_FRAME - TAG {
            return Err(too_long);
        }
        let (Ok(length), Ok(count)) = (
            u32::try_from(text.len() + TAG),
            u32::try_from(content.events.len()),
        ) else {
            return Err(too_long);
        };
        let frame = Frame {
            offset: self.length,
            first: self.next(),
            count,
            length,
        };
        let (nonce, sealed) = cipher.seal(&text, &self.bound(frame))?;
        let mut bytes = open_part(frame).to_vec();
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok((frame, bytes))
    }
}

fn open_part(frame: Frame) -> [u8; FRAME] {
    let mut open = [0u8; FRAME];
    let bytes = frame
        .length
        .to_le_bytes()
        .into_iter()
        .chain(frame.first.to_le_bytes())
        .chain(frame.count.to_le_bytes());
    for (slot, byte) in open.iter_mut().zip(bytes) {
        *slot = byte;
    }
    open
}

/// Takes fixed-size fields off the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}
