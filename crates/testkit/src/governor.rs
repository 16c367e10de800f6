//! A governor that answers from a list, on a real socket.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Result;
use cmdai_schema::governor::{Reply, Request};

/// Answers `Approve`, `Exception` and `BreakGlass` with the given replies in order (the last one again and again), takes every
/// `Report` down, and remembers what was asked. Ends when dropped.
#[derive(Debug)]
pub struct FakeGovernor {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeGovernor {
    /// Listens on `socket`.
    ///
    /// # Errors
    /// Where the socket cannot be made.
    pub fn start(socket: &Path, approvals: Vec<Reply>) -> Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let thread = std::thread::spawn(move || {
            let mut approvals = approvals.into_iter().peekable();
            let mut last = Reply::Error {
                message: "no answer was scripted".to_owned(),
            };
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                if converse(stream, &log, &mut || {
                    if let Some(next) = approvals.next() {
                        last = next;
                    }
                    last.clone()
                })
                .is_none()
                {
                    break;
                }
            }
        });
        Ok(Self {
            socket: socket.to_owned(),
            asked,
            thread: Some(thread),
        })
    }

    /// What was asked so far, greetings left out.
    pub fn asked(&self) -> Vec<Request> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Nothing where the stop sign (an empty connection) came.
fn converse(
    mut stream: UnixStream,
    log: &Mutex<Vec<Request>>,
    approve: &mut dyn FnMut() -> Reply,
) -> Option<()> {
    let mut first = true;
    loop {
        let Some(request) = read(&mut stream) else {
            return (!first).then_some(());
        };
        first = false;
        let reply = match &request {
            Request::Hello { .. } => Reply::Hello {
                version: 1,
                organisation: "acme".to_owned(),
                policy_version: "41".to_owned(),
            },
            Request::Status => Reply::Status(Box::default()),
            Request::Report { .. } => Reply::Recorded,
            Request::Request { request_id } => Reply::State {
                request_id: request_id.clone(),
                state: "pending".to_owned(),
                reason: None,
            },
            Request::Approve { .. } | Request::Exception { .. } | Request::BreakGlass { .. } => {
                approve()
            }
        };
        if !matches!(request, Request::Hello { .. }) {
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(request);
        }
        let Ok(json) = serde_json::to_vec(&reply) else {
            return Some(());
        };
        let length = u32::try_from(json.len()).unwrap_or(0).to_be_bytes();
        if stream
            .write_all(&length)
            .and_then(|()| stream.write_all(&json))
            .is_err()
        {
            return Some(());
        }
    }
}

fn read(stream: &mut UnixStream) -> Option<Request> {
    let mut length = [0u8; 4];
    stream.read_exact(&mut length).ok()?;
    let mut json = vec![0u8; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

impl Drop for FakeGovernor {
    fn drop(&mut self) {
        // Where the folder is gone already nobody can connect any more, and the thread is left alone.
        if UnixStream::connect(&self.socket).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.socket);
    }
}
