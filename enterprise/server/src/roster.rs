//! Whom a machine may speak for: the person it was enrolled for.
//!
//! An event names a login of its machine. Local accounts (`root`, `postgres`) are nobody else; a login
//! that is the name of another person whom the organisation knows, by an account here or by a machine of
//! their own, is: somebody puts words into another's mouth, or a machine is used by others than it was
//! given to. The events are stored all the same, and the finding stands beside them: in the server's own
//! chain and as an alert. A machine that several people share says so by the label `people`: their names
//! with commas, or `*`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cmdai_schema::Event;
use cmdai_store::{EventRecord, MachineRow, StoreError};

use crate::app::App;
use crate::clock;
use crate::trail::{self, Entry};

/// How long the names are remembered.
const FRESH: Duration = Duration::from_secs(15);
/// Label of a machine that several people share.
const LABEL: &str = "people";

/// Names of people whom the organisation knows.
#[derive(Debug, Default)]
pub(crate) struct People(Mutex<Option<(Instant, Arc<BTreeSet<String>>)>>);

impl People {
    async fn known(&self, app: &App) -> Result<Arc<BTreeSet<String>>, StoreError> {
        let kept = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((at, names)) = kept
            && at.elapsed() < FRESH
        {
            return Ok(names);
        }
        let mut names = BTreeSet::new();
        for machine in app.store.machines().await? {
            names.insert(machine.person);
        }
        for account in app.store.accounts().await? {
            names.insert(account.person);
            names.insert(account.login);
        }
        names.remove("");
        let names = Arc::new(names);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&names)));
        Ok(names)
    }
}

/// True where the machine was given to this person.
fn assigned(machine: &MachineRow, login: &str) -> bool {
    let shared = machine
        .labels
        .get(LABEL)
        .map_or("", String::as_str)
        .split(',')
        .map(str::trim);
    machine.person == login || shared.into_iter().any(|name| name == "*" || name == login)
}

/// Looks whom fresh events speak for. Trouble of the store is logged: the events are stored already.
pub(crate) async fn look(app: &App, machine: &MachineRow, stored: &[(Event, EventRecord)]) {
    let others: BTreeSet<&str> = stored
        .iter()
        .map(|(event, _)| event.payload.user.user_id.as_str())
        .filter(|login| !login.is_empty() && !assigned(machine, login))
        .collect();
    if others.is_empty() {
        return;
    }
    let result = async {
        let known = app
            .people
            .known(app)
            .await
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        for login in others.into_iter().filter(|login| known.contains(*login)) {
            tell(app, machine, login).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    if let Err(error) = result.await {
        tracing::error!(machine = machine.machine_id, "roster: {error:#}");
    }
}

async fn tell(app: &App, machine: &MachineRow, login: &str) -> anyhow::Result<()> {
    let subject = cmdai_detect::Subject {
        machine_id: machine.machine_id.clone(),
        hostname: machine.manifest.hostname.clone(),
        user: Some(login.to_owned()),
        detail: format!(
            "events of {login}, on a machine that was enrolled for {}",
            machine.person
        ),
    };
    let _ = app.refused.try_send(("other_person", subject));
    // One entry an hour for each: the chain is for findings, not for every upload.
    let key = format!("other-person\u{1f}{}\u{1f}{login}", machine.machine_id);
    if !app.once.take(&key, clock::now_ms()) {
        return Ok(());
    }
    let text = format!(
        "machine {} ({}), enrolled for {}, sent events of {login}",
        machine.machine_id, machine.manifest.hostname, machine.person
    );
    let entry = Entry::action("machine.other-person", text)
        .with("machine", &machine.machine_id)
        .with("login", login)
        .with("enrolled_for", &machine.person);
    trail::record_own(app, entry)
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))
}
