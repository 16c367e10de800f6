//! What runs beside the requests: contacts, detection, checkpoints, expiry, freshness.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cmdai_api::console::Delivery;
use cmdai_detect::{Engine, Finding, MachineContact, Rules, Subject};
use cmdai_schema::{Event, EventType};
use cmdai_store::{AlertRow, Contact};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::app::App;
use crate::clock;
use crate::feed::News;
use crate::people::{alert_wire, expire, late, quarantine, tell_approval};
use crate::trail::{self, Entry};

/// Events read at once by the detection.
const PAGE: u32 = 1_000;
/// History that the detection looks at again after a start.
const WARM_UP_MS: i64 = 2 * 60 * 60 * 1_000;
/// Alerts whose cool-down goes on after a start.
const REMEMBERED: u32 = 1_000;
/// How far the detection has come.
const CURSOR: &str = "detection-row";
/// Quarantines by rules within [`BUDGET_MS`].
const BUDGET: usize = 5;
const BUDGET_MS: i64 = 60 * 60 * 1_000;

/// Starts all jobs; they end when the server stops.
pub(crate) fn start(
    app: &Arc<App>,
    rules: Rules,
    refused: mpsc::Receiver<(&'static str, Subject)>,
) -> tokio::task::JoinSet<()> {
    let mut jobs = tokio::task::JoinSet::new();
    jobs.spawn(every(
        Arc::clone(app),
        Duration::from_millis(500),
        "contacts",
        contacts,
    ));
    jobs.spawn(every(
        Arc::clone(app),
        Duration::from_secs(2),
        "checkpoint",
        checkpoint,
    ));
    jobs.spawn(every(
        Arc::clone(app),
        Duration::from_secs(2),
        "expiry",
        expiry,
    ));
    jobs.spawn(every(
        Arc::clone(app),
        Duration::from_secs(6 * 60 * 60),
        "freshness",
        freshness,
    ));
    jobs.spawn(every(
        Arc::clone(app),
        Duration::from_secs(2),
        "rollout",
        crate::rollout::look,
    ));
    jobs.spawn(detection(Arc::clone(app), rules, refused));
    jobs
}

/// Runs a job again and again until the server stops, and once more then.
async fn every<F, R>(app: Arc<App>, period: Duration, name: &'static str, job: F)
where
    F: Fn(Arc<App>) -> R + Send,
    R: Future<Output = anyhow::Result<()>> + Send,
{
    let mut stopping = app.stopping.clone();
    loop {
        let last = *stopping.borrow();
        if let Err(error) = job(Arc::clone(&app)).await {
            tracing::error!("{name}: {error:#}");
        }
        if last {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = stopping.changed() => {}
        }
    }
}

/// Writes down signs of life, all at once: ten thousand machines must not mean as many commits.
async fn contacts(app: Arc<App>) -> anyhow::Result<()> {
    let contacts =
        std::mem::take(&mut *app.contacts.lock().unwrap_or_else(PoisonError::into_inner));
    let list: Vec<Contact> = contacts.into_values().collect();
    if !list.is_empty() {
        app.store.contacts(&list).await?;
    }
    Ok(())
}

async fn checkpoint(app: Arc<App>) -> anyhow::Result<()> {
    app.ledger.advance(&*app.store).await.map(|_| ())
}

async fn expiry(app: Arc<App>) -> anyhow::Result<()> {
    let now_ms = clock::now_ms();
    for approval in app.store.lapsed_approvals(now_ms).await? {
        expire(&app, &approval)
            .await
            .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    }
    late(&app)
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    app.store.delete_lapsed(now_ms).await?;
    Ok(())
}

async fn freshness(app: Arc<App>) -> anyhow::Result<()> {
    let _alone = app.publishing.lock().await;
    app.publisher.refresh().await?;
    crate::rollout::announce(&app).map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

async fn detection(
    app: Arc<App>,
    rules: Rules,
    mut refused: mpsc::Receiver<(&'static str, Subject)>,
) {
    let mut stopping = app.stopping.clone();
    let mut pause = Duration::from_secs(1);
    // A server that detects nothing would look as if all were well: it goes on trying, each time with an
    // engine that remembers nothing of the try before.
    let (mut engine, mut row) = loop {
        let mut engine = Engine::new(rules.clone());
        match warm_up(&app, &mut engine).await {
            Ok(row) => break (engine, row),
            Err(error) => {
                tracing::error!(
                    "detection cannot start, next try in {} s: {error:#}",
                    pause.as_secs()
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.changed() => return,
        }
        pause = (pause * 2).min(Duration::from_secs(60));
    };
    let mut rows = app.feed.rows();
    let mut ticks = tokio::time::interval(Duration::from_secs(2));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut spent: Vec<i64> = Vec::new();
    loop {
        rows.mark_unchanged();
        if let Err(error) = observe(&app, &mut engine, &mut row, &mut spent).await {
            tracing::error!("detection: {error:#}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if *stopping.borrow() {
            return;
        }
        let findings = tokio::select! {
        _ = rows.changed() => continue,
        _ = stopping.changed() => continue,
        Some((signal, subject)) = refused.recv() => engine.signal(signal, &subject, now()),
        _ = ticks.tick() => match roster(&app).await {
            Ok(machines) => engine.tick(now(), &machines),
            Err(error) => {
                tracing::error!("detection: {error:#}");
                Vec::new()
            }
        }};
        if let Err(error) = raise_all(&app, findings, &mut spent).await {
            tracing::error!("alerts: {error:#}");
        }
    }
}

fn now() -> u64 {
    u64::try_from(clock::now_ms()).unwrap_or(0)
}

/// Fills the engine with what it knew before the start. Returns the row it had come to.
async fn warm_up(app: &App, engine: &mut Engine) -> anyhow::Result<u64> {
    let cursor: u64 = match app.store.setting(CURSOR).await? {
        Some(text) => text.parse()?,
        None => 0,
    };
    for alert in app.store.alerts(None, REMEMBERED).await? {
        engine.remember(
            &alert.detection,
            &alert.key,
            u64::try_from(alert.occurred_ms).unwrap_or(0),
            alert.count,
        );
    }
    let since_ms = clock::now_ms().saturating_sub(WARM_UP_MS);
    let Some((first, _)) = app.store.row_range(Some(since_ms), None).await? else {
        return Ok(cursor);
    };
    let mut row = first;
    while row <= cursor {
        let wanted = u32::try_from((cursor - row + 1).min(u64::from(PAGE))).unwrap_or(PAGE);
        let page = app.store.read_from(row, wanted).await?;
        let Some((last, _, _)) = page.last() else {
            break;
        };
        row = last + 1;
        for (_, _, json) in &page {
            let event: Event = serde_json::from_str(json)?;
            drop(engine.observe(&event, now()));
        }
    }
    Ok(cursor)
}

/// Looks at everything that was stored since.
async fn observe(
    app: &App,
    engine: &mut Engine,
    row: &mut u64,
    spent: &mut Vec<i64>,
) -> anyhow::Result<()> {
    loop {
        let page = app.store.read_from(*row + 1, PAGE).await?;
        let Some((last, _, _)) = page.last() else {
            return Ok(());
        };
        let last = *last;
        let mut findings = Vec::new();
        for (_, _, json) in &page {
            let event: Event = serde_json::from_str(json)?;
            used(app, &event).await?;
            findings.extend(engine.observe(&event, now()));
        }
        raise_all(app, findings, spent).await?;
        *row = last;
        app.store.set_setting(CURSOR, &last.to_string()).await?;
    }
}

/// A grant that a machine has used up is used up here too.
async fn used(app: &App, event: &Event) -> anyhow::Result<()> {
    let approval = event.payload.approval.as_ref();
    if let (EventType::GrantConsumed, Some(approval)) = (event.envelope.event_type, approval) {
        let id = &approval.request_id;
        app.store
            .consume_approval(&event.envelope.machine_id, id)
            .await?;
        tell_approval(app, id)
            .await
            .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    }
    Ok(())
}

/// Machines that should be there, with when they were last heard of.
async fn roster(app: &App) -> anyhow::Result<Vec<MachineContact>> {
    let published = app.bells.published();
    let since = app.store.releases().await?.first().map_or(0, |release| {
        u64::try_from(release.published_ms).unwrap_or(0)
    });
    let rows = app.store.machines().await?;
    let contact = |row: cmdai_store::MachineRow| MachineContact {
        policy_behind_since_ms: (row.policy_version
            != published
                .expected(
                    &row.machine_id,
                    &row.labels,
                    row.policy_version.parse().unwrap_or(0),
                )
                .to_string())
        .then(|| since.max(u64::try_from(row.enrolled_ms).unwrap_or(0))),
        last_seen_ms: u64::try_from(row.last_seen_ms.unwrap_or(row.enrolled_ms)).unwrap_or(0),
        person: Some(row.person).filter(|person| !person.is_empty()),
        hostname: row.manifest.hostname,
        machine_id: row.machine_id,
    };
    Ok(rows
        .into_iter()
        .filter(|row| !row.retired)
        .map(contact)
        .collect())
}

async fn raise_all(app: &App, findings: Vec<Finding>, spent: &mut Vec<i64>) -> anyhow::Result<()> {
    for finding in findings {
        raise(app, finding, spent).await?;
    }
    Ok(())
}

/// A finding becomes an alert, or joins the one that is there.
async fn raise(app: &App, finding: Finding, spent: &mut Vec<i64>) -> anyhow::Result<()> {
    let now_ms = clock::now_ms();
    if finding.count > 1
        && let Some(mut alert) = app
            .store
            .recent_alert(&finding.detection, &finding.key, 0)
            .await?
    {
        alert.count = finding.count;
        alert.event_ids.extend(finding.event_ids);
        let surplus = alert.event_ids.len().saturating_sub(25);
        alert.event_ids.drain(..surplus);
        alert.summary = finding.summary;
        app.store.save_alert(&alert).await?;
        app.feed.tell(News::Alert(Arc::new(alert_wire(alert))));
        return Ok(());
    }
    let alert = AlertRow {
        id: Uuid::now_v7().to_string(),
        detection: finding.detection.clone(),
        key: finding.key,
        status: "open".to_owned(),
        severity: finding.severity.as_str().to_owned(),
        title: finding.title,
        summary: finding.summary,
        machine_id: finding.machine_id,
        hostname: finding.hostname,
        user: finding.user,
        event_ids: finding.event_ids,
        count: finding.count,
        occurred_ms: i64::try_from(finding.occurred_ms).unwrap_or(now_ms),
        created_ms: now_ms,
        notified_ms: None,
        assignee: None,
        disposition: None,
        notes: Vec::new(),
    };
    app.store.add_alert(&alert).await?;
    if let (true, Some(machine)) = (
        finding.actions.iter().any(|action| action == "quarantine"),
        &alert.machine_id,
    ) {
        act(app, machine, &alert, now_ms, spent).await?;
    }
    let told = alert_wire(alert);
    app.feed.tell(News::Alert(Arc::new(told.clone())));
    tell(app, told).await
}

/// Quarantine by a rule that was allowed to: within a budget, so that a wrong rule cannot stop the fleet.
async fn act(
    app: &App,
    machine: &str,
    alert: &AlertRow,
    now_ms: i64,
    spent: &mut Vec<i64>,
) -> anyhow::Result<()> {
    let Some(row) = app.store.machine(machine).await? else {
        return Ok(());
    };
    if row.quarantine.is_some() {
        return Ok(());
    }
    spent.retain(|at| *at > now_ms.saturating_sub(BUDGET_MS));
    let entry = if spent.len() >= BUDGET {
        let text = format!(
            "the rule {} may not quarantine {}: {BUDGET} machines within an hour is the most",
            alert.detection, row.manifest.hostname
        );
        Entry::action("machine.quarantine-refused", text)
    } else {
        spent.push(now_ms);
        let reason = format!("{} ({})", alert.title, alert.detection);
        quarantine(app, machine, true, &reason, trail::SERVER)
            .await
            .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
        Entry::action(
            "machine.quarantine",
            format!(
                "the rule {} put {} into quarantine",
                alert.detection, row.manifest.hostname
            ),
        )
    };
    trail::record_own(app, entry.with("machine", machine).with("alert", &alert.id))
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

/// Something that the server finds out by itself and people must know.
pub(crate) struct Alarm {
    pub(crate) detection: &'static str,
    pub(crate) key: String,
    pub(crate) title: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) summary: String,
    pub(crate) machine_id: String,
    pub(crate) hostname: String,
    pub(crate) user: String,
}

/// Makes an alert of it, and tells.
pub(crate) async fn alarm(app: &App, alarm: Alarm) -> anyhow::Result<()> {
    let Alarm {
        detection,
        key,
        title,
        severity,
        summary,
        ..
    } = alarm;
    let alert = AlertRow {
        machine_id: Some(alarm.machine_id),
        hostname: Some(alarm.hostname),
        user: Some(alarm.user),
        ..own_alert(detection, key, severity, title.to_owned(), summary)
    };
    announce(app, alert).await
}

/// A new alert that comes from no detection over events, about no machine.
pub(crate) fn own_alert(
    detection: &str,
    key: String,
    severity: &str,
    title: String,
    summary: String,
) -> AlertRow {
    let now_ms = clock::now_ms();
    AlertRow {
        id: Uuid::now_v7().to_string(),
        detection: detection.to_owned(),
        key,
        status: "open".to_owned(),
        severity: severity.to_owned(),
        title,
        summary,
        machine_id: None,
        hostname: None,
        user: None,
        event_ids: Vec::new(),
        count: 1,
        occurred_ms: now_ms,
        created_ms: now_ms,
        notified_ms: None,
        assignee: None,
        disposition: None,
        notes: Vec::new(),
    }
}

/// Keeps an alert of the server's own and tells it.
pub(crate) async fn announce(app: &App, alert: AlertRow) -> anyhow::Result<()> {
    app.store.add_alert(&alert).await?;
    let told = alert_wire(alert);
    app.feed.tell(News::Alert(Arc::new(told.clone())));
    tell(app, told).await
}

/// Tells the channels of a new request, beside everything else.
pub(crate) async fn tell_request(
    app: &App,
    approval: cmdai_api::console::Approval,
) -> anyhow::Result<()> {
    let channels = app.store.channels().await?;
    if !channels.iter().any(|channel| channel.enabled) {
        return Ok(());
    }
    let (log, mut logged) = mpsc::unbounded_channel::<Delivery>();
    let store = Arc::clone(&app.store);
    tokio::spawn(async move {
        while let Some(delivery) = logged.recv().await {
            if let Err(error) = store.add_delivery(&delivery).await {
                tracing::error!("delivery log: {error}");
            }
        }
    });
    let notifier = app.notifier.clone();
    tokio::spawn(async move {
        let send = move |delivery| drop(log.send(delivery));
        notifier.notify_request(&channels, &approval, send).await;
    });
    Ok(())
}

/// Tells the channels, beside everything else: a slow receiver holds nothing up.
async fn tell(app: &App, alert: cmdai_api::console::Alert) -> anyhow::Result<()> {
    let channels = app.store.channels().await?;
    if !channels.iter().any(|channel| channel.enabled) {
        return Ok(());
    }
    let (log, mut logged) = mpsc::unbounded_channel::<Delivery>();
    let store = Arc::clone(&app.store);
    let id = alert.id.clone();
    tokio::spawn(async move {
        while let Some(delivery) = logged.recv().await {
            let taken = delivery.error.is_none();
            let mut done = store.add_delivery(&delivery).await;
            if taken && done.is_ok() {
                done = store.alert_notified(&id, clock::now_ms()).await;
            }
            if let Err(error) = done {
                tracing::error!("delivery log: {error}");
            }
        }
    });
    let notifier = app.notifier.clone();
    tokio::spawn(async move {
        let send = move |delivery| drop(log.send(delivery));
        notifier.notify(&channels, &alert, send).await;
    });
    Ok(())
}
