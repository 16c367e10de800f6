//! Client of whoever governs this machine, over the local socket. Blocking, with short time-outs:
//! a dead governor costs a fraction of a second where a grant is asked for, and nothing elsewhere.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use cmdai_schema::governor::{
    Binding, ExceptionRequest, MAX_FRAME, Reply, Request, Status, VERSION,
};
use cmdai_schema::record::Start;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Why the governor did not help.
#[derive(Debug, thiserror::Error)]
pub enum GovernorError {
    /// Nobody answers.
    #[error("nobody answers at the governor's socket ({0}); is the sensor running?")]
    Unreachable(#[source] io::Error),
    /// The process behind the socket is not the one it has to be.
    #[error("the governor's socket belongs to user {0}, which is not trusted")]
    Stranger(u32),
    /// The conversation broke off.
    #[error("the conversation with the governor broke off: {0}")]
    Broken(#[from] io::Error),
    /// It answered with something else.
    #[error("the governor's answer is not understood: {0}")]
    Answer(String),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

/// A connection after its greeting.
#[derive(Debug)]
pub struct Governor {
    stream: UnixStream,
    /// Organisation that governs.
    pub organisation: String,
    /// Installed policy version.
    pub policy_version: String,
}

impl Governor {
    /// Connects and greets. `client` names program and version.
    ///
    /// # Errors
    /// Where nobody answers in time, or somebody who is neither root nor the person does.
    pub fn connect(socket: &Path, client: &str, patience: Duration) -> Result<Self, GovernorError> {
        let stream = open(socket).map_err(|error| GovernorError::Unreachable(error.into()))?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let peer = owner(&stream, socket)?;
        if peer != 0 && peer != rustix::process::getuid().as_raw() {
            return Err(GovernorError::Stranger(peer));
        }
        let mut governor = Self {
            stream,
            organisation: String::new(),
            policy_version: String::new(),
        };
        match governor.ask(&Request::Hello {
            version: VERSION,
            client: client.to_owned(),
        })? {
            Reply::Hello {
                version,
                organisation,
                policy_version,
            } if version == VERSION => {
                governor.organisation = organisation;
                governor.policy_version = policy_version;
                Ok(governor)
            }
            other => Err(GovernorError::Answer(format!("greeting {other:?}"))),
        }
    }

    /// State of the sensor.
    ///
    /// # Errors
    /// Where the conversation breaks off or the governor refuses.
    pub fn status(&mut self) -> Result<Status, GovernorError> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(*status),
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// Tells of a block or an approval, beside the spool that the person could forge.
    ///
    /// # Errors
    /// Where the conversation breaks off or the governor refuses.
    pub fn report(&mut self, start: Start, session_id: &str) -> Result<(), GovernorError> {
        match self.ask(&Request::Report {
            start: Box::new(start),
            session_id: session_id.to_owned(),
        })? {
            Reply::Recorded => Ok(()),
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// Asks whether a command may run: consumes a grant that fits, or opens a request.
    /// The reply is one of `Granted`, `Pending` and `Refused`.
    ///
    /// # Errors
    /// Where the conversation breaks off or the governor cannot handle it.
    pub fn approve(
        &mut self,
        binding: Binding,
        reason: Option<String>,
        session_id: &str,
    ) -> Result<Reply, GovernorError> {
        let request = Request::Approve {
            binding: Box::new(binding),
            reason,
            session_id: session_id.to_owned(),
        };
        match self.ask(&request)? {
            reply @ (Reply::Granted { .. } | Reply::Pending { .. } | Reply::Refused { .. }) => {
                Ok(reply)
            }
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// Asks for an exception. The reply is one of `Pending` and `Refused`.
    ///
    /// # Errors
    /// Where the conversation breaks off or the governor cannot handle it.
    pub fn exception(
        &mut self,
        exception: ExceptionRequest,
        session_id: &str,
    ) -> Result<Reply, GovernorError> {
        let request = Request::Exception {
            exception: Box::new(exception),
            session_id: session_id.to_owned(),
        };
        match self.ask_newer(&request)? {
            reply @ (Reply::Pending { .. } | Reply::Refused { .. }) => Ok(reply),
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// Breaks the glass: permission to run this once and now. The reply is one of `Permitted` and
    /// `Refused`.
    ///
    /// # Errors
    /// Where the conversation breaks off or the governor cannot handle it.
    pub fn break_glass(
        &mut self,
        binding: Binding,
        reason: String,
        session_id: &str,
    ) -> Result<Reply, GovernorError> {
        let request = Request::BreakGlass {
            binding: Box::new(binding),
            reason,
            session_id: session_id.to_owned(),
        };
        match self.ask_newer(&request)? {
            reply @ (Reply::Permitted { .. } | Reply::Refused { .. }) => Ok(reply),
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// What has become of a request of one's own: its state and what was said. Uses nothing up.
    ///
    /// # Errors
    /// Where there is no such request, or the governor cannot say.
    pub fn request(&mut self, request_id: &str) -> Result<(String, Option<String>), GovernorError> {
        let request = Request::Request {
            request_id: request_id.to_owned(),
        };
        match self.ask_newer(&request)? {
            Reply::State { state, reason, .. } => Ok((state, reason)),
            Reply::Refused { reason, .. } => Err(GovernorError::Refused(reason)),
            other => Err(GovernorError::Answer(format!("{other:?}"))),
        }
    }

    /// Asks what a governor of before it was known hangs up on.
    fn ask_newer(&mut self, request: &Request) -> Result<Reply, GovernorError> {
        self.ask(request).map_err(|error| match error {
            GovernorError::Broken(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                GovernorError::Refused(
                    "the governor hung up; its sensor may be older than this program: update it"
                        .to_owned(),
                )
            }
            other => other,
        })
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, GovernorError> {
        write_frame(&mut self.stream, request)?;
        match read_frame(&mut self.stream)? {
            Reply::Error { message } => Err(GovernorError::Refused(message)),
            reply => Ok(reply),
        }
    }
}

/// Whose process answers. Where it lives in another process namespace the kernel has no number for
/// it and the credentials cannot be read: then the owner of the socket's file speaks for it.
fn owner(stream: &UnixStream, socket: &Path) -> io::Result<u32> {
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(credentials) => Ok(credentials.uid.as_raw()),
        Err(_) => Ok(std::os::unix::fs::MetadataExt::uid(
            &std::fs::symlink_metadata(socket)?,
        )),
    }
}

/// A connection without waiting: a listener that does not accept must not hold a prompt.
fn open(path: &Path) -> rustix::io::Result<UnixStream> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// Writes one frame: length in four big-endian bytes, then JSON.
///
/// # Errors
/// Where the value is too long for a frame or the stream breaks.
pub fn write_frame<T: serde::Serialize>(stream: &mut impl io::Write, value: &T) -> io::Result<()> {
    let json = serde_json::to_vec(value)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|_| json.len() <= MAX_FRAME);
    let length = length.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the command is too long for the governor",
        )
    })?;
    let mut frame = Vec::with_capacity(json.len() + 4);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&json);
    stream.write_all(&frame)
}

/// Reads one frame.
///
/// # Errors
/// Where the stream ends or breaks, the frame is too long, or it is not what was expected.
pub fn read_frame<T: serde::de::DeserializeOwned>(stream: &mut impl io::Read) -> io::Result<T> {
    let mut length = [0u8; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes is too long"),
        ));
    }
    let mut json = Vec::with_capacity(length);
    stream.take(length as u64).read_to_end(&mut json)?;
    if json.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&json)?)
}
