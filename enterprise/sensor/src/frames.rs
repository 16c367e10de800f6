//! Frames: 32-bit big-endian length, then JSON. The same between keeper and courier and at the
//! governor's socket, with other bounds.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Longest frame, in bytes: a batch, or a release in base64.
pub(crate) const MAX_FRAME: usize = 24 * 1024 * 1024;

fn encode<T: Serialize>(value: &T, limit: usize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(value)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|_| json.len() <= limit);
    let length = length
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the frame is too long"))?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend(json);
    Ok(frame)
}

fn checked(length: [u8; 4], limit: usize) -> io::Result<usize> {
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the frame is too long",
        ));
    }
    Ok(length)
}

/// Writes one frame of at most `limit` bytes.
pub(crate) fn write<T: Serialize>(
    stream: &mut impl Write,
    value: &T,
    limit: usize,
) -> io::Result<()> {
    stream.write_all(&encode(value, limit)?)
}

/// Reads one frame of at most `limit` bytes; nothing at the end of the stream.
pub(crate) fn read<T: DeserializeOwned>(
    stream: &mut impl Read,
    limit: usize,
) -> io::Result<Option<T>> {
    let mut length = [0u8; 4];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = checked(length, limit)?;
    let mut json = Vec::new();
    stream.take(length as u64).read_to_end(&mut json)?;
    if json.len() < length {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&json)?))
}

/// [`write`] without blocking the thread.
pub(crate) async fn send<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &T,
) -> io::Result<()> {
    stream.write_all(&encode(value, MAX_FRAME)?).await
}

/// [`read`] without blocking the thread; the end of the stream is an error.
pub(crate) async fn receive<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let mut length = [0u8; 4];
    stream.read_exact(&mut length).await?;
    let mut json = vec![0; checked(length, MAX_FRAME)?];
    stream.read_exact(&mut json).await?;
    Ok(serde_json::from_slice(&json)?)
}
