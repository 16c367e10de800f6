//! What every handler and job shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cmdai_bundle::{Publisher, SigningKey};
use cmdai_collector::Collector;
use cmdai_policy::Document;
use cmdai_respond::Notifier;
use cmdai_store::{Contact, Store};
use tokio::sync::{Notify, watch};

use crate::authority::Authority;
use crate::config::Config;
use crate::feed::Feed;
use crate::ledger::Ledger;
use crate::limiter::Limiter;

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
    /// Something for the detection job: uploads that were refused.
    pub(crate) refused: tokio::sync::mpsc::Sender<cmdai_detect::Subject>,
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

/// Wakes machines that wait for news.
#[derive(Debug)]
pub(crate) struct Bells {
    policy: watch::Sender<u64>,
    machines: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Bells {
    pub(crate) fn new(policy_version: u64) -> Self {
        Self {
            policy: watch::Sender::new(policy_version),
            machines: Mutex::default(),
        }
    }

    /// Newest policy version.
    pub(crate) fn policy_version(&self) -> u64 {
        *self.policy.borrow()
    }

    /// A new policy is out: everybody wakes.
    pub(crate) fn ring_all(&self, policy_version: u64) {
        self.policy.send_replace(policy_version);
    }

    /// Something is there for one machine.
    pub(crate) fn ring(&self, machine_id: &str) {
        let machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = machines.get(machine_id) {
            bell.notify_waiters();
        }
    }

    /// What to wait for.
    pub(crate) fn listen(&self, machine_id: &str) -> (Arc<Notify>, watch::Receiver<u64>) {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        (
            Arc::clone(machines.entry(machine_id.to_owned()).or_default()),
            self.policy.subscribe(),
        )
    }
}
