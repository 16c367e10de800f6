//! The unprivileged half: every connection, no decision.

mod carry;
mod release;
mod roads;
mod server;
mod tls;

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::frames;
use crate::wire::{Answer, Ask};

/// The keeper ended, so the courier does.
#[derive(Debug, thiserror::Error)]
#[error("the keeper is gone: {0}")]
struct KeeperGone(std::io::Error);

/// There is another certificate: a courier that uses it has to begin.
#[derive(Debug, thiserror::Error)]
#[error("the certificate was renewed")]
struct Renewed;

/// The courier's side of the socket pair. One question at a time.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Mutex<UnixStream>>);

impl Keeper {
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Answer> {
        let mut stream = self.0.lock().await;
        frames::send(&mut *stream, ask).await.map_err(KeeperGone)?;
        Ok(frames::receive(&mut *stream).await.map_err(KeeperGone)?)
    }

    /// Asks where nothing but a note is expected back.
    pub(crate) async fn tell(&self, ask: &Ask) -> Result<()> {
        self.ask(ask).await.map(|_| ())
    }
}

/// Entry of the courier process: its end of the socket pair is standard input. Ends when the
/// keeper does.
///
/// # Errors
/// Where it was not started by a keeper, still has root's rights beside one, or the keeper is gone.
pub fn courier_main() -> Result<()> {
    let stream = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .context("standard input is closed")?;
    let stream = StdStream::from(stream);
    ensure!(
        stream.peer_addr().is_ok(),
        "this is started by the sensor, not by hand"
    );
    // The keeper gave up its rights for us before this program began; make sure, and give up the
    // way back.
    rustix::thread::set_no_new_privs(true).context("cannot give up new rights")?;
    if std::env::var_os("CMDAI_COURIER_UNPRIVILEGED").is_some() {
        ensure!(
            !rustix::process::getuid().is_root() && !rustix::process::geteuid().is_root(),
            "the courier must not run as root"
        );
    }
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let keeper = Keeper(Arc::new(Mutex::new(UnixStream::from_std(stream)?)));
        match keeper.ask(&Ask::Task).await? {
            Answer::Carry(carry) => carry::run(keeper, *carry).await,
            Answer::Enrol {
                server,
                pin,
                request,
            } => enrol(&keeper, &server, &pin, &request).await,
            _ => bail!("the keeper gave no task"),
        }
    });
    match ended {
        Err(error) if error.is::<KeeperGone>() || error.is::<Renewed>() => Ok(()),
        other => other,
    }
}

async fn enrol(
    keeper: &Keeper,
    server: &str,
    pin: &str,
    request: &cmdai_api::machine::EnrolRequest,
) -> Result<()> {
    match server::enrol(server, pin, request).await {
        Ok(reply) => keeper
            .tell(&Ask::Enrolled {
                reply: Box::new(reply),
            })
            .await
            .or(Ok(())),
        Err(error) => {
            keeper
                .tell(&Ask::Trouble {
                    problem: Some(format!("{error:#}")),
                })
                .await
        }
    }
}
