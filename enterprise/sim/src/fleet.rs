//! The fleet: machines arrive, bring their past, and live until they are told to stop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use cmdai_api::machine::{EnrolReply, EnrolRequest};
use cmdai_schema::{Event, EventType};
use fastrand::Rng;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::CryptoProvider;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::actor::{Act, Deed, Session};
use crate::judge::Judge;
use crate::machine::{Machine, now_ms};
use crate::net::{BATCH, Server, Trouble, Upload};
use crate::people::person;
use crate::release::Release;
use crate::{Options, Summary, history, story, tls};

/// Time that a stopped fleet has for its last uploads.
const LAST: Duration = Duration::from_secs(30);
/// Fleets up to this size keep their connections open.
const KEEP: u32 = 300;

/// What all machines share.
struct Shared {
    options: Options,
    provider: Arc<CryptoProvider>,
    door: Server,
    release: OnceCell<Release>,
    network: Semaphore,
    /// Heavy work, such as the past, on few threads only.
    work: Semaphore,
    begun_ms: u64,
}

/// Runs a fleet until `stop` becomes true, then uploads what is left.
///
/// # Errors
/// Where the options make no sense, the first machine cannot enrol or get a policy, or a machine
/// cannot seal its events. Troubles of single machines with the network are in the summary.
pub async fn run(options: Options, stop: watch::Receiver<bool>) -> Result<Summary> {
    ensure!(
        options.rate.is_finite() && options.rate >= 0.0,
        "the rate must be a number of commands a second"
    );
    ensure!(
        options.parallel > 0,
        "at least one request at a time is needed"
    );
    let provider = tls::provider();
    let idle = Duration::from_secs(if options.machines <= KEEP { 90 } else { 2 });
    let door = Server::new(
        &options.server,
        tls::pinned(&provider, &options.token)?,
        idle,
    )?;
    let shared = Arc::new(Shared {
        network: Semaphore::new(options.parallel),
        work: Semaphore::new(2),
        options,
        provider,
        door,
        release: OnceCell::new(),
        begun_ms: now_ms(),
    });
    let mut machines = JoinSet::new();
    for number in 0..shared.options.machines {
        machines.spawn(live(Arc::clone(&shared), number, idle, stop.clone()));
    }
    let mut summary = Summary::default();
    while let Some(done) = machines.join_next().await {
        summary.add(&done.context("a machine fell over")??);
    }
    Ok(summary)
}

/// True once the fleet should stop; also where nobody can tell it any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn seed(shared: &Shared, number: u32, salt: u64) -> Rng {
    Rng::with_seed(
        shared.options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(number) << 8) ^ salt,
    )
}

/// Somewhere around a time: three to five quarters of it.
fn about(rng: &mut Rng, time: Duration) -> Duration {
    time.mul_f64(0.75 + rng.f64() / 2.0)
}

async fn live(
    shared: Arc<Shared>,
    number: u32,
    idle: Duration,
    mut stop: watch::Receiver<bool>,
) -> Result<Summary> {
    let mut rng = seed(&shared, number, 1);
    // The first machine comes at once and brings the policy for all.
    let wait = if number == 0 {
        Duration::ZERO
    } else {
        shared.options.arrive.mul_f64(rng.f64())
    };
    tokio::select! {
        () = sleep(wait) => {}
        () = stopped(&mut stop) => return Ok(Summary::default()),
    }
    let Some((mut machine, server)) = arrive(&shared, number, idle, &mut stop).await? else {
        return Ok(Summary::default());
    };
    let mut member = Member {
        shared: &shared,
        server,
        rng,
        judge: None,
        acts: VecDeque::new(),
    };
    let result = member.live(&mut machine, &mut stop).await;
    result.map(|()| machine.tally)
}

/// Enrols a machine. Nothing where the fleet was stopped before.
async fn arrive(
    shared: &Shared,
    number: u32,
    idle: Duration,
    stop: &mut watch::Receiver<bool>,
) -> Result<Option<(Machine, Server)>> {
    let person = person(shared.options.seed, number);
    let key = KeyPair::generate().context("cannot make a key")?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, person.hostname.clone());
    let csr_pem = params
        .serialize_request(&key)
        .and_then(|csr| csr.pem())
        .context("cannot make the certificate request")?;
    let request = EnrolRequest {
        token: shared.options.token.trim().to_owned(),
        csr_pem,
        manifest: Machine::manifest(&person),
    };
    let mut tries = 0;
    let reply: EnrolReply = loop {
        let answer = {
            let _place = shared.network.acquire().await?;
            shared.door.enrol(&request).await
        };
        tries += 1;
        let wait = match answer {
            Ok(reply) => break reply,
            Err(Trouble::Wait(time)) => time,
            // An enrolment whose answer was lost cannot be repeated safely more than a few times.
            Err(trouble) if tries >= 3 => {
                return Err(anyhow!("machine {number} cannot enrol: {trouble}"));
            }
            Err(_) => Duration::from_secs(1),
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = stopped(stop) => return Ok(None),
        }
    };
    let tls = tls::mutual(
        &shared.provider,
        &reply.ca_pem,
        &reply.certificate_pem,
        &key.serialize_pem(),
    )?;
    let server = Server::new(&shared.options.server, tls, idle)?;
    let first = async || {
        Release::first(
            &server,
            &reply.tuf_root,
            &reply.organisation,
            &shared.options.policy,
        )
        .await
    };
    shared.release.get_or_try_init(first).await?;
    Ok(Some((
        Machine::new(number, person, shared.options.seed, &reply),
        server,
    )))
}

/// A machine's life.
struct Member<'a> {
    shared: &'a Shared,
    server: Server,
    rng: Rng,
    /// The policy in force on this machine.
    judge: Option<Arc<Judge>>,
    /// What the story has in store, in order.
    acts: VecDeque<Act>,
}

impl Member<'_> {
    fn release(&self) -> Result<&Release> {
        self.shared.release.get().context("there is no policy")
    }

    async fn live(
        &mut self,
        machine: &mut Machine,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<()> {
        let options = &self.shared.options;
        self.bring_the_past(machine, stop).await?;
        // Even where the fleet stops now, the past is uploaded: what was sealed is to be stored.
        self.contact(machine).await?;
        self.upload(machine, stop).await;
        if options.story {
            self.acts =
                story::live(machine.number, &machine.person, &mut self.rng, now_ms()).into();
        }
        let silent = story::silent_after(machine.number)
            .filter(|_| options.story)
            .map(|after| Instant::now() + after);
        let mean = if options.rate > 0.0 {
            f64::from(options.machines) / options.rate
        } else {
            f64::INFINITY
        };
        let pause = |rng: &mut Rng| {
            Duration::from_secs_f64((-(1.0 - rng.f64()).ln() * mean).clamp(0.05, 86_400.0))
        };
        let mut session = Session::next(&mut self.rng, &machine.person);
        let mut next_command = Instant::now() + pause(&mut self.rng);
        let mut next_contact = Instant::now() + about(&mut self.rng, options.checkin);
        loop {
            let act = self.acts.front().map(|act| {
                Instant::now() + Duration::from_millis(act.at_ms.saturating_sub(now_ms()))
            });
            let due = act
                .map_or(next_command, |act| act.min(next_command))
                .min(next_contact);
            tokio::select! {
                () = sleep_until(due) => {}
                () = stopped(stop) => break,
            }
            if silent.is_some_and(|silent| Instant::now() >= silent) {
                // Powered off: nothing more is done or said until the end.
                stopped(stop).await;
                break;
            }
            let now = Instant::now();
            let mut urgent = false;
            while self.acts.front().is_some_and(|act| act.at_ms <= now_ms()) {
                let Some(act) = self.acts.pop_front() else {
                    break;
                };
                self.perform(machine, &act).await?;
                urgent = true;
            }
            if now >= next_command {
                if session.len() >= if session.agent.is_some() { 25 } else { 9 } {
                    session = Session::next(&mut self.rng, &machine.person);
                }
                let typed = session.command(&mut self.rng, &machine.person);
                self.perform(
                    machine,
                    &Act {
                        at_ms: now_ms(),
                        deed: Deed::Command(typed),
                    },
                )
                .await?;
                next_command = now + pause(&mut self.rng);
                urgent = true;
            }
            if urgent {
                self.upload(machine, stop).await;
            }
            if now >= next_contact {
                self.contact(machine).await?;
                if !machine.pending.is_empty() {
                    self.upload(machine, stop).await;
                }
                next_contact = Instant::now() + about(&mut self.rng, options.checkin);
            }
        }
        let last = tokio::time::timeout(LAST, self.upload_all(machine)).await;
        if last.is_err() || !machine.pending.is_empty() {
            machine.trouble("events were left when the fleet stopped");
        }
        Ok(())
    }

    /// The days before the machine arrived.
    async fn bring_the_past(
        &mut self,
        machine: &mut Machine,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        let _turn = self.shared.work.acquire().await?;
        if *stop.borrow() {
            return Ok(());
        }
        let options = &self.shared.options;
        let judge = self
            .release()?
            .choose(&machine.machine_id, &machine.labels, None)
            .context("there is no policy for this machine")?;
        self.judge = Some(Arc::clone(&judge));
        let to = self.shared.begun_ms;
        let from = to.saturating_sub(u64::try_from(options.history.as_millis()).unwrap_or(0));
        let mut acts = vec![Act {
            at_ms: from,
            deed: Deed::Sensor {
                kind: EventType::SensorStarted,
                detail: vec![("cause", "start".to_owned())],
            },
        }];
        acts.extend(history::past(
            &machine.person,
            &mut self.rng,
            from,
            to,
            options.commands_per_day,
        ));
        if options.story {
            acts.extend(
                story::past(machine.number, &machine.person, &mut self.rng, to)
                    .into_iter()
                    .filter(|act| act.at_ms >= from),
            );
            acts.sort_by_key(|act| act.at_ms);
        }
        machine.install(&judge, from)?;
        for (done, act) in acts.iter().enumerate() {
            machine.perform(act, &judge, false)?;
            // Others get the thread now and then.
            if done % 16 == 15 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn perform(&mut self, machine: &mut Machine, act: &Act) -> Result<()> {
        let judge = self.judge.clone().context("there is no policy")?;
        if let Some(request) = machine.perform(act, &judge, true)? {
            let _place = self.shared.network.acquire().await?;
            if let Err(trouble) = self.server.open(&request).await {
                machine.trouble(&format!("approval: {trouble}"));
            }
        }
        Ok(())
    }

    /// Regular contact: policy, orders, decisions.
    async fn contact(&mut self, machine: &mut Machine) -> Result<()> {
        machine.lapse(now_ms());
        let answer = {
            let _place = self.shared.network.acquire().await?;
            self.server.checkin(&machine.checkin()).await
        };
        let reply = match answer {
            Ok(reply) => reply,
            Err(Trouble::Wait(_)) => return Ok(()),
            Err(trouble) => {
                machine.trouble(&format!("contact: {trouble}"));
                return Ok(());
            }
        };
        machine.tally.checkins += 1;
        machine.acked(reply.acked_seq);
        let stamp = if reply.release.is_empty() {
            &reply.policy_version
        } else {
            &reply.release
        };
        if !stamp.is_empty() && *stamp != machine.release {
            let release = self.release()?;
            match release.follow(&self.server, &reply.release).await {
                Ok(()) => {
                    machine.release.clone_from(stamp);
                    let installed = machine.policy_version().parse().ok();
                    let chosen = release.choose(&machine.machine_id, &machine.labels, installed);
                    if let Some(judge) =
                        chosen.filter(|judge| judge.version != machine.policy_version())
                    {
                        machine.install(&judge, now_ms())?;
                        self.judge = Some(judge);
                    }
                }
                Err(error) => machine.trouble(&format!("policy: {error:#}")),
            }
        }
        for order in &reply.orders {
            match serde_json::from_str(&order.payload) {
                Ok(order) => machine.obey(&order, now_ms())?,
                Err(error) => machine.trouble(&format!("order: {error}")),
            }
        }
        for grant in &reply.grants {
            match serde_json::from_str(&grant.payload) {
                Ok(grant) => machine.decided(&grant, now_ms())?,
                Err(error) => machine.trouble(&format!("grant: {error}")),
            }
        }
        Ok(())
    }

    /// Uploads what is pending; gives up for now when the fleet stops.
    async fn upload(&mut self, machine: &mut Machine, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = self.upload_all(machine) => {}
            () = stopped(stop) => {}
        }
    }

    async fn upload_all(&mut self, machine: &mut Machine) {
        let mut patience = 0u32;
        while !machine.pending.is_empty() {
            let before = machine.pending.len();
            let Ok(_place) = self.shared.network.acquire().await else {
                return;
            };
            let result = self.upload_one(machine).await;
            drop(_place);
            match result {
                Ok(()) if machine.pending.len() < before => patience = 0,
                Ok(()) => sleep(Duration::from_secs(1)).await,
                Err(Trouble::Wait(time)) => sleep(about(&mut self.rng, time)).await,
                Err(trouble) => {
                    machine.trouble(&format!("upload: {trouble}"));
                    patience += 1;
                    sleep(about(
                        &mut self.rng,
                        Duration::from_secs(1 << patience.min(5)),
                    ))
                    .await;
                }
            }
        }
    }

    async fn upload_one(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        let batch: Vec<&Event> = machine.pending.iter().take(BATCH).collect();
        let faults = self.shared.options.faults;
        if faults.reorder && batch.len() > 1 {
            let mut wrong = batch.clone();
            wrong.swap(0, 1);
            match self.server.upload(&machine.machine_id, &wrong).await? {
                Upload::Refused(..) => machine.tally.refused += 1,
                Upload::Stored(_) => {
                    machine.trouble("the server stored events in the wrong order");
                    return Ok(());
                }
            }
            return Box::pin(self.send(machine)).await;
        }
        drop(batch);
        self.send(machine).await
    }

    async fn send(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        let times = if self.shared.options.faults.duplicate {
            2
        } else {
            1
        };
        let mut stored = 0;
        for _ in 0..times {
            let batch: Vec<&Event> = machine.pending.iter().take(BATCH).collect();
            match self.server.upload(&machine.machine_id, &batch).await? {
                Upload::Stored(acked) => stored = acked,
                Upload::Refused(acked, problem) => {
                    machine.acked(acked);
                    machine.trouble(&format!("the server refused an upload: {problem}"));
                    return Ok(());
                }
            }
        }
        machine.acked(stored);
        machine.tally.uploads += 1;
        Ok(())
    }
}
