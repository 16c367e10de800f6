//! How the sensor is.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cmdai_schema::governor::{MAX_FRAME, Reply, Request, Status, VERSION};
use cmdai_schema::paths::Places;

use crate::identity::Home;
use crate::{files, frames};

/// Asks the running sensor.
pub(crate) fn ask(places: &Places) -> io::Result<Status> {
    let mut stream = UnixStream::connect(&places.socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    let client = concat!("cmdai-enterprise ", env!("CARGO_PKG_VERSION")).to_owned();
    frames::write(
        &mut stream,
        &Request::Hello {
            version: VERSION,
            client,
        },
        MAX_FRAME,
    )?;
    frames::read::<Reply>(&mut stream, MAX_FRAME)?;
    frames::write(&mut stream, &Request::Status, MAX_FRAME)?;
    match frames::read(&mut stream, MAX_FRAME)? {
        Some(Reply::Status(status)) => Ok(*status),
        _ => Err(io::Error::other("its answer is not understood")),
    }
}

/// The sensor's state: from the sensor itself, or, where it does not run, what it last wrote down,
/// with a problem that says so.
///
/// # Errors
/// Where the machine is not enrolled, or neither sensor nor files can be read.
pub fn status(places: &Places) -> Result<Status> {
    let error = match ask(places) {
        Ok(status) => return Ok(status),
        Err(error) => error,
    };
    if !places.mark.exists() {
        bail!("this machine is not enrolled: `cmdai-enterprise enrol` first");
    }
    let home = Home::of(places);
    let known: Option<Status> = files::read_json(&home.last_status()).with_context(|| {
        format!("{error}; its last state cannot be read either (it belongs to root)")
    })?;
    let mut status = match (known, home.read_identity()) {
        (Some(known), _) => known,
        (None, Ok(Some(identity))) => Status {
            machine_id: identity.machine_id,
            organisation: identity.organisation,
            server: identity.server,
            ..Status::default()
        },
        (None, _) => bail!("{error}, and it has left no state"),
    };
    status.problems.insert(0, format!("the sensor is not running: {error}; what follows is its last known state. Start it with `cmdai-enterprise sensor`"));
    Ok(status)
}
