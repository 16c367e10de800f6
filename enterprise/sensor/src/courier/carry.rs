//! The courier's three errands: events up, requests up, news down.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use cmdai_api::machine::Checkin;
use tokio::sync::watch;

use super::server::{CallError, Opened, Server, Upload};
use super::{Keeper, Renewed, release};
use crate::options::Pace;
use crate::wire::{Answer, Ask, Carry, Road, Work};

/// Most events of one upload.
const MAX_EVENTS: u32 = 500;

/// Carries until the keeper is gone.
pub(crate) async fn run(keeper: Keeper, carry: Carry) -> Result<()> {
    let server = Server::new(&carry)?;
    let (told, news) = watch::channel(None::<Work>);
    tokio::try_join!(
        look(keeper.clone(), carry.pace, told),
        upload(keeper.clone(), server.clone(), carry.pace, news.clone()),
        requests(keeper.clone(), server.clone(), carry.pace, news.clone()),
        renewal(
            keeper.clone(),
            server.clone(),
            carry.pace,
            news.clone(),
            carry.certificate_pem.clone()
        ),
        contact(keeper.clone(), server, carry.pace, news),
        super::roads::run(keeper, carry.roads.clone(), carry.pace),
    )?;
    Ok(())
}

/// Growing waits with full jitter.
struct Backoff {
    pace: Pace,
    failures: u32,
}

impl Backoff {
    fn new(pace: Pace) -> Self {
        Self { pace, failures: 0 }
    }

    fn good(&mut self) {
        self.failures = 0;
    }

    /// At least half of the doubled wait, at most all of it.
    fn next(&mut self) -> Duration {
        let wait = self
            .pace
            .backoff_min_ms
            .saturating_mul(1 << self.failures.min(16))
            .min(self.pace.backoff_max_ms);
        self.failures = self.failures.saturating_add(1);
        let mut random = [0u8; 2];
        let _ = getrandom::fill(&mut random);
        let half = wait / 2;
        Duration::from_millis(
            half + half * u64::from(u16::from_le_bytes(random)) / u64::from(u16::MAX),
        )
    }

    async fn wait(&mut self, error: &CallError) {
        let own = self.next();
        match error {
            // Not all machines at once when the time is over.
            CallError::Wait(asked) => tokio::time::sleep(*asked + own / 4).await,
            _ => tokio::time::sleep(own).await,
        }
    }
}

/// Asks the keeper what is new and lets the errands know.
async fn look(keeper: Keeper, pace: Pace, told: watch::Sender<Option<Work>>) -> Result<()> {
    loop {
        let Answer::Work(work) = keeper.ask(&Ask::Work).await? else {
            bail!("the keeper's answer is not understood")
        };
        told.send_replace(Some(*work));
        tokio::time::sleep(Duration::from_millis(pace.poll_ms)).await;
    }
}

/// Waits for news that `wanted` likes.
async fn wait_for(
    news: &mut watch::Receiver<Option<Work>>,
    wanted: impl Fn(&Work) -> bool,
) -> Result<Work> {
    let found = news
        .wait_for(|work| work.as_ref().is_some_and(&wanted))
        .await?;
    match found.as_ref() {
        Some(work) => Ok(work.clone()),
        None => bail!("no news"),
    }
}

async fn upload(
    keeper: Keeper,
    server: Server,
    pace: Pace,
    mut news: watch::Receiver<Option<Work>>,
) -> Result<()> {
    let mut backoff = Backoff::new(pace);
    let mut stored = 0;
    let mut max = MAX_EVENTS;
    loop {
        let work = wait_for(&mut news, |work| work.sealed > work.acked.max(stored)).await?;
        let from = work.acked.max(stored) + 1;
        let Answer::Batch { events, dropped } = keeper.ask(&Ask::Batch { from, max }).await? else {
            bail!("the keeper's answer is not understood")
        };
        if events.is_empty() {
            tokio::time::sleep(Duration::from_millis(pace.poll_ms)).await;
            continue;
        }
        match server.upload(&events, dropped).await {
            Ok(Upload::Stored(seq)) => {
                // The server cannot have more than it was given.
                let last = events.last().map_or(0, |event| event.envelope.seq);
                let seq = seq.min(last.max(work.acked));
                if seq >= from {
                    backoff.good();
                    max = MAX_EVENTS;
                }
                stored = stored.max(seq);
                keeper.tell(&Ask::Stored { seq, problem: None }).await?;
                if seq < from {
                    tokio::time::sleep(backoff.next()).await;
                }
            }
            Ok(Upload::Mismatch(seq, problem)) => {
                // Goes on after what the server has, where it has more than we thought.
                let ahead = seq >= from && seq <= work.sealed;
                stored = if ahead { seq } else { 0 };
                let problem = (!ahead).then(|| {
                    format!(
                        "the server finds that the chain does not fit after event {seq}: {problem}"
                    )
                });
                keeper
                    .tell(&Ask::Stored {
                        seq: if ahead { seq } else { 0 },
                        problem,
                    })
                    .await?;
                if !ahead {
                    tokio::time::sleep(backoff.next()).await;
                }
            }
            Err(CallError::TooLarge) if max > 1 => {
                max = (u32::try_from(events.len()).unwrap_or(max) / 2).max(1)
            }
            Err(error) => {
                keeper
                    .tell(&Ask::Trouble {
                        problem: Some(format!("upload: {error}")),
                    })
                    .await?;
                backoff.wait(&error).await;
            }
        }
    }
}

/// Fetches the next certificate when the keeper has a key for it, then ends: the keeper starts a courier
/// that uses it.
async fn renewal(
    keeper: Keeper,
    server: Server,
    pace: Pace,
    mut news: watch::Receiver<Option<Work>>,
    present: String,
) -> Result<()> {
    let mut backoff = Backoff::new(pace);
    // The keeper makes another key after a certificate that it would not take.
    let mut refused: Option<String> = None;
    loop {
        let fresh = |work: &Work| work.renewal.is_some() && work.renewal != refused;
        let work = wait_for(&mut news, fresh).await?;
        let Some(csr_pem) = work.renewal else {
            continue;
        };
        match server.renew(&csr_pem).await {
            Ok(certificate_pem) => {
                keeper.tell(&Ask::Renewed { certificate_pem }).await?;
                // The keeper may have found it wrong: only another one is a reason to begin anew.
                if let Answer::Carry(carry) = keeper.ask(&Ask::Task).await?
                    && carry.certificate_pem != present
                {
                    return Err(Renewed.into());
                }
                refused = Some(csr_pem);
                tokio::time::sleep(backoff.next()).await;
            }
            Err(error) => {
                keeper
                    .tell(&Ask::Trouble {
                        problem: Some(format!("renewing the certificate: {error}")),
                    })
                    .await?;
                backoff.wait(&error).await;
            }
        }
    }
}

async fn requests(
    keeper: Keeper,
    server: Server,
    pace: Pace,
    mut news: watch::Receiver<Option<Work>>,
) -> Result<()> {
    let mut backoff = Backoff::new(pace);
    loop {
        let work = wait_for(&mut news, |work| !work.requests.is_empty()).await?;
        for request in &work.requests {
            match server.open(request).await {
                Ok(opened) => {
                    backoff.good();
                    let request_id = request.request_id.clone();
                    let ask = match opened {
                        Opened::Known => Ask::Opened { request_id },
                        Opened::Taken => Ask::Taken { request_id },
                    };
                    keeper.tell(&ask).await?;
                }
                Err(error) => {
                    keeper
                        .tell(&Ask::Trouble {
                            problem: Some(format!("approval request: {error}")),
                        })
                        .await?;
                    backoff.wait(&error).await;
                }
            }
        }
        // The next look shows what is left.
        news.mark_unchanged();
        news.changed().await?;
    }
}

/// What makes a held contact stale.
fn urgent(checkin: &Checkin) -> (String, String, Option<String>, u64, Vec<String>) {
    let parts = checkin.clone();
    (
        parts.policy_version,
        parts.policy_digest,
        parts.policy_problem,
        parts.order_serial,
        parts.pending_requests,
    )
}

async fn contact(
    keeper: Keeper,
    server: Server,
    pace: Pace,
    mut news: watch::Receiver<Option<Work>>,
) -> Result<()> {
    let mut backoff = Backoff::new(pace);
    let mut delivered: Option<(String, Instant)> = None;
    let mut first = true;
    loop {
        let work = wait_for(&mut news, |_| true).await?;
        // The first contact is not held: it finds out how things are.
        let hold = if first {
            Duration::ZERO
        } else {
            Duration::from_millis(pace.hold_ms)
        };
        let begun = Instant::now();
        let mine = urgent(&work.checkin);
        let mut later = news.clone();
        let answer = tokio::select! {
            answer = server.checkin(&work.checkin, hold) => answer,
            changed = wait_for(&mut later, |now| urgent(&now.checkin) != mine) => {
                changed?;
                continue;
            }
        };
        let round = async {
            let reply = answer?;
            let something = !reply.orders.is_empty()
                || !reply.grants.is_empty()
                || reply.acked_seq > work.acked;
            // What was refused may have been spoilt on its way only: it is fetched again, now and then.
            let stale = |(_, at): &(String, Instant)| {
                work.checkin.policy_problem.is_some()
                    && at.elapsed() >= Duration::from_millis(pace.backoff_max_ms)
            };
            let known = delivered
                .as_ref()
                .filter(|delivered| !stale(delivered))
                .map(|(stamp, _)| stamp);
            // An older server says nothing of the state; its timestamp does.
            let stamp = if reply.release.is_empty() {
                release::stamp(&server).await?
            } else {
                reply.release.clone()
            };
            let fetched = if stamp.is_empty() || known == Some(&stamp) {
                None
            } else {
                let limit = Duration::from_millis(pace.fetch_ms);
                let fetch = release::fetch(&server, work.root_version);
                let files = tokio::time::timeout(limit, fetch).await.map_err(|_| {
                    CallError::Failed(format!(
                        "the release did not arrive within {} s",
                        limit.as_secs_f32()
                    ))
                })??;
                Some((files, stamp))
            };
            Ok::<_, CallError>((reply, something, fetched))
        };
        match round.await {
            Ok((reply, mut something, fetched)) => {
                keeper.tell(&Ask::Contact { reply }).await?;
                if let Some((files, stamp)) = fetched {
                    let road = Road::Server;
                    keeper.tell(&Ask::Release { files, road }).await?;
                    delivered = Some((stamp, Instant::now()));
                    something = true;
                }
                first = false;
                if something || begun.elapsed() > Duration::from_secs(1) {
                    backoff.good();
                } else {
                    // An answer at once that brings nothing new: the server sees a difference that
                    // we cannot remove. It must not become a storm.
                    let pause = backoff.next();
                    let mine = urgent(&work.checkin);
                    let _ = tokio::time::timeout(
                        pause,
                        wait_for(&mut news, |now| urgent(&now.checkin) != mine),
                    )
                    .await;
                }
            }
            Err(error) => {
                keeper
                    .tell(&Ask::Trouble {
                        problem: Some(format!("contact: {error}")),
                    })
                    .await?;
                backoff.wait(&error).await;
            }
        }
    }
}
