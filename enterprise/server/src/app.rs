//! What every handler and job shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cmdai_bundle::{Publisher, SigningKey};
use cmdai_collector::Collector;
use cmdai_policy::Document;
use cmdai_respond::Notifier;
use cmdai_store::{Contact, MachineRow, Store};
use tokio::sync::{Notify, watch};

use crate::authority::Authority;
use crate::challenges::Challenges;
use crate::config::Config;
use crate::feed::Feed;
use crate::ledger::Ledger;
use crate::limiter::Limiter;
use crate::rollout::Published;
use crate::site::Site;
use crate::vault::Vault;

/// The running server's parts.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) collector: Collector<dyn Store>,
    pub(crate) authority: Authority,
    pub(crate) publisher: Publisher,
    pub(crate) publishing: tokio::sync::Mutex<()>,
    pub(crate) grant_key: SigningKey,
    pub(crate) order_key: SigningKey,
    pub(crate) ledger: Ledger,
    pub(crate) notifier: Notifier,
    pub(crate) feed: Feed,
    /// The console as browsers know it.
    pub(crate) site: Site,
    /// Secrets at rest.
    pub(crate) vault: Vault,
    /// What security keys were asked.
    pub(crate) challenges: Challenges,
    pub(crate) sign_ins: Limiter,
    /// Wider bounds: tries of one login from everywhere, refused sign-ins that are recorded.
    pub(crate) floods: Limiter,
    /// Passwords of strangers that are hashed at a time: each takes 19 MiB.
    pub(crate) hashing: tokio::sync::Semaphore,
    pub(crate) reads: Limiter,
    /// What happened lately and must not again: signed answers of the chat service, alarms.
    pub(crate) once: Limiter,
    /// The policy in force, read once for each version.
    pub(crate) policy: Mutex<Option<(u64, Arc<Document>)>>,
    pub(crate) bells: Bells,
    pub(crate) contacts: Mutex<HashMap<String, Contact>>,
    pub(crate) detections: Vec<cmdai_detect::Rule>,
    /// Something for the detection job that the server noticed itself, by the signal's name.
    pub(crate) refused: tokio::sync::mpsc::Sender<(&'static str, cmdai_detect::Subject)>,
    /// Who is who on machines.
    pub(crate) people: crate::roster::People,
    /// Address that machines use.
    pub(crate) machine_url: String,
    /// True when the server is stopping: answers that wait come at once.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    /// Notes a sign of life; a job writes it down within a second.
    pub(crate) fn heard(&self, contact: Contact) {
        let mut contacts = self.contacts.lock().unwrap_or_else(PoisonError::into_inner);
        match contacts.get_mut(&contact.machine_id) {
            Some(there) => {
                there.seen_ms = contact.seen_ms;
                if contact.checkin.is_some() {
                    there.checkin = contact.checkin;
                }
            }
            None => {
                contacts.insert(contact.machine_id.clone(), contact);
            }
        }
    }
}

impl App {
    fn fresh<T>(&self, machine_id: &str, look: impl FnOnce(&Contact) -> T) -> Option<T> {
        let contacts = self.contacts.lock().unwrap_or_else(PoisonError::into_inner);
        contacts.get(machine_id).map(look)
    }

    /// When a machine was heard of, where it is not written down yet.
    pub(crate) fn last_heard(&self, machine_id: &str) -> Option<i64> {
        self.fresh(machine_id, |contact| contact.seen_ms)
    }

    /// The version that a machine said it has.
    pub(crate) fn reported_version(&self, row: &MachineRow) -> String {
        let fresh = self.fresh(&row.machine_id, |contact| {
            let checkin = contact.checkin.as_ref()?;
            Some(checkin.policy_version.clone())
        });
        fresh
            .flatten()
            .unwrap_or_else(|| row.policy_version.clone())
    }

    /// Why a machine refused a release, where it did.
    pub(crate) fn checkin_problem(&self, row: &MachineRow) -> Option<String> {
        let fresh = self.fresh(&row.machine_id, |contact| {
            let checkin = contact.checkin.as_ref()?;
            Some(checkin.policy_problem.clone())
        });
        fresh
            .flatten()
            .unwrap_or_else(|| row.policy_problem.clone())
    }
}

/// Wakes machines that wait for news.
#[derive(Debug)]
pub(crate) struct Bells {
    policy: watch::Sender<Arc<Published>>,
    machines: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Bells {
    pub(crate) fn new(published: Published) -> Self {
        Self {
            policy: watch::Sender::new(Arc::new(published)),
            machines: Mutex::default(),
        }
    }

    /// What is published.
    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.policy.borrow())
    }

    /// Newest policy version.
    pub(crate) fn policy_version(&self) -> u64 {
        self.policy.borrow().version
    }

    /// Something else is published: everybody wakes.
    pub(crate) fn ring_all(&self, published: Published) {
        self.policy.send_replace(Arc::new(published));
    }

    /// Something is there for one machine.
    pub(crate) fn ring(&self, machine_id: &str) {
        let machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = machines.get(machine_id) {
            bell.notify_waiters();
        }
    }

    /// What to wait for.
    pub(crate) fn listen(
        &self,
        machine_id: &str,
    ) -> (Arc<Notify>, watch::Receiver<Arc<Published>>) {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        (
            Arc::clone(machines.entry(machine_id.to_owned()).or_default()),
            self.policy.subscribe(),
        )
    }
}
