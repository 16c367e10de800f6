//! The governor's socket: frames in, calls to the keeper, frames out.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmdai_schema::governor::{MAX_FRAME, Reply, Request};

use super::Input;
use super::hashing::{MAX_BYTES, as_person, hash_file};
use crate::frames;

/// Most connections at once, of all and of one person.
const MAX_CONNECTIONS: usize = 128;
const MAX_OF_ONE: usize = 32;
/// Most files that are hashed for one request.
const MAX_FILES: usize = 64;
/// A connection that says nothing for this long is closed.
const IDLE: Duration = Duration::from_secs(300);

/// A question from a person's process.
pub(crate) struct Call {
    /// By the kernel's word.
    pub(crate) uid: u32,
    /// The same.
    pub(crate) pid: u32,
    pub(crate) request: Request,
    /// SHA-256 of the files that an approval names, by path.
    pub(crate) hashes: Result<BTreeMap<String, String>, String>,
    pub(crate) reply: SyncSender<Reply>,
}

/// Listens until the process ends. Everybody may connect where the keeper is root; else only the
/// same person.
pub(crate) fn listen(socket: &Path, root: bool, input: Sender<Input>) -> Result<()> {
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    // The lock on the sealed spool says that no other keeper lives: what lies there is left over.
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("the old socket cannot be removed");
        }
        _ => {}
    }
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("cannot listen at {}", socket.display()))?;
    std::fs::set_permissions(
        socket,
        std::fs::Permissions::from_mode(if root { 0o666 } else { 0o600 }),
    )?;
    let counts: Arc<Mutex<HashMap<u32, usize>>> = Arc::default();
    std::thread::Builder::new()
        .name("governor".to_owned())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(peer) = rustix::net::sockopt::socket_peercred(&stream) else {
                    continue;
                };
                let (uid, gid) = (peer.uid.as_raw(), peer.gid.as_raw());
                let pid = peer.pid.as_raw_nonzero().get().cast_unsigned();
                let Some(place) = Place::take(&counts, uid) else {
                    continue;
                };
                let input = input.clone();
                let _ = std::thread::Builder::new()
                    .name("governed".to_owned())
                    .spawn(move || {
                        let _place = place;
                        converse(stream, uid, gid, pid, &input);
                    });
            }
        })?;
    Ok(())
}

/// One of the allowed connections.
struct Place(Arc<Mutex<HashMap<u32, usize>>>, u32);

impl Place {
    fn take(counts: &Arc<Mutex<HashMap<u32, usize>>>, uid: u32) -> Option<Self> {
        let mut map = counts.lock().ok()?;
        if map.values().sum::<usize>() >= MAX_CONNECTIONS
            || map.get(&uid).is_some_and(|count| *count >= MAX_OF_ONE)
        {
            return None;
        }
        *map.entry(uid).or_default() += 1;
        Some(Self(counts.clone(), uid))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(mut map) = self.0.lock()
            && let Some(count) = map.get_mut(&self.1)
        {
            *count = count.saturating_sub(1);
        }
    }
}

fn converse(mut stream: UnixStream, uid: u32, gid: u32, pid: u32, input: &Sender<Input>) {
    let _ = stream.set_read_timeout(Some(IDLE));
    let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
    let mut greeted = false;
    while let Ok(Some(request)) = frames::read::<Request>(&mut stream, MAX_FRAME) {
        match &request {
            Request::Hello { version: 0, .. } => return,
            Request::Hello { .. } => greeted = true,
            _ if !greeted => return,
            _ => {}
        }
        let wanted = match &request {
            Request::Approve { binding, .. } | Request::BreakGlass { binding, .. } => {
                Some((binding.files.clone(), binding.cwd.clone()))
            }
            _ => None,
        };
        let look = || match &wanted {
            Some((files, cwd)) => as_person(uid, gid, || hash_all(files, cwd, uid))
                .unwrap_or_else(|error| Err(format!("nothing can be looked at for you: {error}"))),
            None => Ok(BTreeMap::new()),
        };
        let hashes = look();
        let (reply, answer) = sync_channel(1);
        if input
            .send(Input::Governor(Call {
                uid,
                pid,
                request,
                hashes: hashes.clone(),
                reply,
            }))
            .is_err()
        {
            return;
        }
        let Ok(mut reply) = answer.recv() else { return };
        // Writing the use down takes a while: what would run is looked at once more, as late as can
        // be. Between this and the start of the program lies the time of one answer on a socket.
        if let Reply::Granted { request_id, .. } | Reply::Permitted { request_id, .. } = &reply
            && look() != hashes
        {
            reply = Reply::Refused {
                request_id: Some(request_id.clone()),
                reason: "a file that would run changed at the last moment; the approval is used up"
                    .to_owned(),
            };
        }
        if frames::write(&mut stream, &reply, MAX_FRAME).is_err() {
            return;
        }
    }
}

fn hash_all(paths: &[String], cwd: &str, uid: u32) -> Result<BTreeMap<String, String>, String> {
    if paths.len() > MAX_FILES {
        return Err(format!("more than {MAX_FILES} files would run"));
    }
    let mut left = MAX_BYTES;
    let mut hashes = BTreeMap::new();
    for path in paths {
        let full = if path.starts_with('/') {
            PathBuf::from(path)
        } else {
            Path::new(cwd).join(path)
        };
        if !full.is_absolute() {
            return Err(format!(
                "{path} cannot be found without a working directory"
            ));
        }
        let hash = hash_file(&full, uid, &mut left)
            .map_err(|error| format!("{path} would run and cannot be looked at: {error}"))?;
        hashes.insert(path.clone(), hash);
    }
    Ok(hashes)
}
