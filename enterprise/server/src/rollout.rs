//! Releases on their way: what is published, how far its rings are open, and what the gate says.
//!
//! The rules are [`cmdai_bundle::rollout`]; here is what they need: the state written down, figures
//! out of the store, and the world made to fit. The order is always state first, then what is
//! published, so that a server that stopped in between goes on at the next look.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cmdai_bundle::rings::{Progress, Rings};
use cmdai_bundle::rollout::{Event, Figures, Phase, RingSeen, State};
use cmdai_bundle::{Draft, Publisher, Release};
use cmdai_store::{Dimension, MachineRow, ReleaseRow};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::trail::{self, Entry};

/// Setting with [`Standing`].
const STANDING: &str = "policy-rollout";
/// Setting with the draft that waits for signatures.
const DRAFT: &str = "policy-draft";
/// Setting with the standing plan, YAML.
pub(crate) const PLAN: &str = "policy-rollout-plan";
/// Setting with the place that the policy comes from.
pub(crate) const MANAGED: &str = "policy-managed-by";
const HOUR_MS: i64 = 3_600_000;
/// Hours before a release that its figures are compared with.
const BEFORE_HOURS: i64 = 24;

/// What is published, for whoever answers machines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Published {
    /// Newest version; 0 where there is none.
    pub(crate) version: u64,
    /// Identifies the state of everything.
    pub(crate) stamp: String,
    rings: Option<Rings>,
    progress: Option<Progress>,
    previous: u64,
}

impl Published {
    /// Reads it from the repository.
    pub(crate) fn read(publisher: &Publisher) -> anyhow::Result<Self> {
        Ok(Self {
            version: publisher.newest()?.map_or(0, |release| release.version),
            stamp: publisher.stamp()?,
            rings: publisher.rings()?,
            progress: publisher.progress()?,
            previous: publisher.previous()?.map_or(0, |release| release.version),
        })
    }

    /// The version that a machine should have. It decides by itself; this is for waking and counting.
    pub(crate) fn expected(
        &self,
        machine_id: &str,
        labels: &BTreeMap<String, String>,
        installed: u64,
    ) -> u64 {
        match &self.rings {
            Some(rings)
                if installed != self.version
                    && !rings.open_for(self.progress.as_ref(), machine_id, labels) =>
            {
                installed.max(self.previous)
            }
            _ => self.version,
        }
    }

    /// The name of a machine's ring.
    pub(crate) fn ring_of(
        &self,
        machine_id: &str,
        labels: &BTreeMap<String, String>,
    ) -> Option<String> {
        let rings = self.rings.as_ref()?;
        let seat = rings.seat(machine_id, labels);
        rings.rings.get(seat.ring).map(|ring| ring.name.clone())
    }
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The newest release.
    pub(crate) state: State,
    /// The last release that was done.
    pub(crate) stable: u64,
    /// The one that was done before it.
    pub(crate) before: u64,
}

impl Standing {
    /// What a rollback brings back; 0 where there is nothing.
    pub(crate) fn rollback_to(&self) -> u64 {
        if self.stable == self.state.release {
            self.before
        } else {
            self.stable
        }
    }

    fn stepped(&self, event: &Event<'_>, rings: Option<&Rings>) -> Answer<Self> {
        let state = self
            .state
            .after(event, rings)
            .map_err(|error| Failure::conflict(error.to_string()))?;
        let mut next = Self {
            state,
            ..self.clone()
        };
        if next.state.phase == Phase::Done && self.state.phase != Phase::Done {
            next.before = self.stable;
            next.stable = next.state.release;
        }
        Ok(next)
    }
}

/// What is kept; nothing before the first release.
pub(crate) async fn standing(app: &App) -> Answer<Option<Standing>> {
    let text = app.store.setting(STANDING).await?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Failure::internal(&error))
}

async fn keep(app: &App, standing: &Standing) -> Answer<()> {
    let text = serde_json::to_string(standing).map_err(|error| Failure::internal(&error))?;
    Ok(app.store.set_setting(STANDING, &text).await?)
}

/// The draft that waits for signatures.
pub(crate) async fn draft(app: &App) -> Answer<Option<Draft>> {
    let text = app
        .store
        .setting(DRAFT)
        .await?
        .filter(|text| !text.is_empty());
    text.map(|text| Draft::parse(text.as_bytes()))
        .transpose()
        .map_err(|error| Failure::internal(&error))
}

/// Keeps a draft, or drops the one that is there.
pub(crate) async fn keep_draft(app: &App, draft: Option<&Draft>) -> Answer<()> {
    let text = match draft {
        Some(draft) => serde_json::to_string(draft).map_err(|error| Failure::internal(&error))?,
        None => String::new(),
    };
    Ok(app.store.set_setting(DRAFT, &text).await?)
}

/// Publishes a draft that carries enough signatures. The caller holds `app.publishing`.
pub(crate) async fn go_out(app: &App, draft: Draft) -> Answer<u64> {
    let internal = |error: &dyn std::fmt::Display| Failure::internal(error);
    if (app.publisher.only_approvers(&draft)).map_err(|error| internal(&error))? {
        let release = app
            .publisher
            .release(draft)
            .await
            .map_err(|error| Failure::conflict(error.to_string()))?;
        keep_draft(app, None).await?;
        announce(app)?;
        return Ok(release.version);
    }
    let (rollback, row) = (
        draft.rollback,
        ReleaseRow {
            version: draft.release,
            sha256: String::new(),
            source: draft
                .documents
                .get("policy.yaml")
                .cloned()
                .unwrap_or_default(),
            published_by: draft.by.clone(),
            published_ms: clock::now_ms(),
            note: draft.note.clone(),
            impact: draft.impact().map(str::to_owned),
            reviewed_by: crate::people::review::reviewer(app, &draft).await?,
        },
    );
    let release = app
        .publisher
        .release(draft)
        .await
        .map_err(|error| Failure::conflict(error.to_string()))?;
    let row = ReleaseRow {
        sha256: release.sha256.clone(),
        published_ms: clock::parse(&release.published).unwrap_or(row.published_ms),
        ..row
    };
    app.store.add_release(&row).await?;
    begin(app, &release, rollback).await?;
    keep_draft(app, None).await?;
    Ok(release.version)
}

/// Begins the way of a release that is published.
async fn begin(app: &App, release: &Release, rollback: bool) -> Answer<()> {
    let rings = app
        .publisher
        .rings()
        .map_err(|error| Failure::internal(&error))?;
    let old = standing(app).await?;
    let (stable, before) = match &old {
        Some(old) => {
            let overtaken = Event::Overtaken {
                by: release.version,
                rollback,
            };
            let past = old.stepped(&overtaken, None)?;
            (past.stable, past.before)
        }
        None => (0, 0),
    };
    let fresh = Standing {
        state: State::draft(release.version),
        stable,
        before,
    };
    let at_ms = now();
    let mut next = fresh.stepped(&Event::Signed { at_ms }, rings.as_ref())?;
    // The first look opens the first ring: nobody has to wait for the job.
    if rings.is_some() {
        let figures = figures(app, &next, rings.as_ref()).await?;
        let look = Event::Look {
            at_ms,
            figures: &figures.0,
        };
        next = next.stepped(&look, rings.as_ref())?;
    }
    keep(app, &next).await?;
    fit(app, &next, rings.as_ref()).await
}

fn now() -> u64 {
    u64::try_from(clock::now_ms()).unwrap_or(0)
}

/// Makes what is published fit the state, and wakes machines.
async fn fit(app: &App, standing: &Standing, rings: Option<&Rings>) -> Answer<()> {
    let internal = |error: &dyn std::fmt::Display| Failure::internal(error);
    let wanted = standing.state.progress();
    if rings.is_some()
        && app.publisher.progress().map_err(|error| internal(&error))? != Some(wanted.clone())
    {
        app.publisher
            .set_progress(&wanted)
            .await
            .map_err(|error| internal(&error))?;
    }
    announce(app)
}

/// Tells whoever answers machines what is published now.
pub(crate) fn announce(app: &App) -> Answer<()> {
    let published = Published::read(&app.publisher).map_err(|error| Failure::internal(&error))?;
    app.bells.ring_all(published);
    Ok(())
}

/// At the start: whatever was cut off is brought to its end.
pub(crate) async fn mend(app: &App) -> anyhow::Result<()> {
    let _alone = app.publishing.lock().await;
    let words = |failure: Failure| anyhow::anyhow!("{failure:?}");
    if let Some(release) = app.publisher.newest()? {
        let rows = app.store.releases().await?;
        if !rows.iter().any(|row| row.version == release.version) {
            let waiting = draft(app).await.map_err(words)?;
            let waiting = waiting.filter(|draft| draft.release == release.version);
            app.store
                .add_release(&ReleaseRow {
                    version: release.version,
                    sha256: release.sha256.clone(),
                    source: app.publisher.policy()?.unwrap_or_default(),
                    published_by: waiting
                        .as_ref()
                        .map_or_else(|| trail::SERVER.to_owned(), |draft| draft.by.clone()),
                    published_ms: clock::parse(&release.published).unwrap_or_else(clock::now_ms),
                    note: waiting.as_ref().map_or_else(
                        || "published just before the server stopped".to_owned(),
                        |draft| draft.note.clone(),
                    ),
                    impact: app.publisher.impact()?,
                    reviewed_by: match &waiting {
                        Some(draft) => crate::people::review::reviewer(app, draft)
                            .await
                            .map_err(words)?,
                        None => String::new(),
                    },
                })
                .await?;
        }
        let now = standing(app).await.map_err(words)?;
        match now.filter(|now| now.state.release == release.version) {
            None => begin(app, &release, false).await.map_err(words)?,
            Some(now) => {
                let rings = app.publisher.rings()?;
                fit(app, &now, rings.as_ref()).await.map_err(words)?;
            }
        }
        let waiting = draft(app).await.map_err(words)?;
        let overtaken = waiting.as_ref().map(|draft| app.publisher.overtaken(draft));
        if overtaken.transpose()?.unwrap_or(false) {
            keep_draft(app, None).await.map_err(words)?;
        }
    }
    announce(app).map_err(words)
}

/// A look at the fleet: rings open further, or the gate halts.
pub(crate) async fn look(app: Arc<App>) -> anyhow::Result<()> {
    let _alone = app.publishing.lock().await;
    let words = |failure: Failure| anyhow::anyhow!("{failure:?}");
    let Some(now) = standing(&app).await.map_err(words)? else {
        return Ok(());
    };
    if now.state.phase != Phase::Spreading && !now.state.untold {
        return Ok(());
    }
    let rings = app.publisher.rings()?;
    let mut next = now.clone();
    if now.state.phase == Phase::Spreading {
        let (figures, _) = figures(&app, &now, rings.as_ref()).await.map_err(words)?;
        let event = Event::Look {
            at_ms: self::now(),
            figures: &figures,
        };
        next = now.stepped(&event, rings.as_ref()).map_err(words)?;
    }
    if next != now {
        keep(&app, &next).await.map_err(words)?;
        fit(&app, &next, rings.as_ref()).await.map_err(words)?;
        record(&app, &now.state, &next.state, rings.as_ref()).await?;
    }
    if next.state.untold {
        alert(&app, &next.state).await?;
        next.state.untold = false;
        keep(&app, &next).await.map_err(words)?;
    }
    Ok(())
}

/// Steps between rings are events; each machine more that is offered a release is none.
async fn record(
    app: &App,
    before: &State,
    after: &State,
    rings: Option<&Rings>,
) -> anyhow::Result<()> {
    if before.phase == after.phase && before.ring == after.ring {
        return Ok(());
    }
    let release = after.release;
    let text = match after.phase {
        Phase::Halted => format!("the rollout of policy {release} halted: {}", after.reason),
        Phase::Done => format!("policy {release} is open for every machine"),
        _ => {
            let ring = rings
                .and_then(|rings| rings.rings.get(after.ring))
                .map_or("", |ring| ring.name.as_str());
            format!("policy {release} opens for the ring {ring}")
        }
    };
    let entry = Entry::action("policy.rollout", text)
        .with("version", release.to_string())
        .with("phase", after.phase.as_str());
    trail::record_own(app, entry)
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

async fn alert(app: &App, state: &State) -> anyhow::Result<()> {
    let alert = crate::jobs::own_alert(
        "policy-rollout-halted",
        format!("policy {}", state.release),
        "high",
        format!("The rollout of policy {} halted", state.release),
        format!(
            "{}. Machines that have it keep it; go on, or bring back what was before, on the policy page",
            state.reason
        ),
    );
    crate::jobs::announce(app, alert).await
}

/// What a person does with the rollout. The caller holds `app.publishing`.
pub(crate) async fn steer(app: &App, go_on: bool, reason: &str) -> Answer<State> {
    let now = standing(app)
        .await?
        .ok_or_else(|| Failure::conflict("nothing is published yet"))?;
    let rings = app
        .publisher
        .rings()
        .map_err(|error| Failure::internal(&error))?;
    let next = if go_on {
        let (figures, _) = figures(app, &now, rings.as_ref()).await?;
        let event = Event::Continue {
            at_ms: self::now(),
            figures: &figures,
        };
        now.stepped(&event, rings.as_ref())?
    } else {
        now.stepped(&Event::Halt { reason }, rings.as_ref())?
    };
    keep(app, &next).await?;
    fit(app, &next, rings.as_ref()).await?;
    Ok(next.state)
}

/// Seen machines of each ring, and how many are not heard of.
pub(crate) async fn figures(
    app: &App,
    standing: &Standing,
    rings: Option<&Rings>,
) -> Answer<(Figures, u64)> {
    let Some(rings) = rings else {
        return Ok((Figures::default(), 0));
    };
    let state = &standing.state;
    let silent_ms = u64::try_from(app.config.silent_after.as_millis()).unwrap_or(u64::MAX);
    let now_ms = now();
    let progress = state.progress();
    let mut seen = vec![RingSeen::default(); rings.rings.len()];
    let mut away = 0;
    let mut with_release: HashMap<String, ()> = HashMap::new();
    for row in app.store.machines().await? {
        if row.retired {
            continue;
        }
        let last_ms = app
            .last_heard(&row.machine_id)
            .or(row.last_seen_ms)
            .and_then(|seen| u64::try_from(seen).ok())
            .unwrap_or(0);
        let quiet = now_ms.saturating_sub(last_ms) > silent_ms;
        // Not heard of since the release went out: it was away before, and joins late.
        if quiet && last_ms < state.begun_ms {
            away += 1;
            continue;
        }
        let seat = rings.seat(&row.machine_id, &row.labels);
        let Some(ring) = seen.get_mut(seat.ring) else {
            continue;
        };
        ring.places.push(seat.place);
        let has = has_release(app, &row, state.release);
        if has {
            with_release.insert(row.machine_id.clone(), ());
        }
        if !progress.reaches(seat) && !has {
            continue;
        }
        if quiet {
            ring.silent += 1;
        } else if has {
            ring.current += 1;
        } else if app.checkin_problem(&row).is_some() {
            ring.problems += 1;
        }
    }
    seen.iter_mut().for_each(|ring| ring.places.sort_unstable());
    let (change_per_mille, commands) = change(app, state, &with_release).await?;
    Ok((
        Figures {
            rings: seen,
            change_per_mille,
            commands,
        },
        away,
    ))
}

fn has_release(app: &App, row: &MachineRow, release: u64) -> bool {
    app.reported_version(row)
        .parse::<u64>()
        .is_ok_and(|version| version >= release)
}

/// Interruptions per thousand commands of machines with the release, against the same machines in
/// the day before it: how far apart, and over how many commands since. Hours are the finest
/// measure: the hour in which the release went out counts as after it.
async fn change(app: &App, state: &State, machines: &HashMap<String, ()>) -> Answer<(u64, u64)> {
    if machines.is_empty() {
        return Ok((0, 0));
    }
    let begun = i64::try_from(state.begun_ms).unwrap_or(0) / HOUR_MS;
    let until = clock::now_ms() / HOUR_MS + 1;
    let rolled = app
        .store
        .rolled(Dimension::Machine, begun - BEFORE_HOURS, until)
        .await?;
    let (mut before, mut after) = ((0u64, 0u64), (0u64, 0u64));
    for rolled in rolled
        .iter()
        .filter(|rolled| machines.contains_key(&rolled.key))
    {
        let side = if rolled.hour < begun {
            &mut before
        } else {
            &mut after
        };
        side.0 += rolled.count;
        if matches!(
            rolled.decision,
            Some("confirm" | "require_approval" | "deny")
        ) {
            side.1 += rolled.count;
        }
    }
    let rate = |side: (u64, u64)| (side.1 * 1_000).checked_div(side.0);
    Ok(match (rate(before), rate(after)) {
        (Some(was), Some(is)) => (was.abs_diff(is), after.0),
        _ => (0, 0),
    })
}
