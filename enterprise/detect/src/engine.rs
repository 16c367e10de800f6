//! The engine: what the rules have seen so far.

use std::collections::{HashMap, VecDeque};

use cmdai_schema::Event;

use crate::duration;
use crate::grammar::Condition;
use crate::rule::{GroupBy, Rule, Rules, Severity};

/// Most keys (machines, sessions, …) that one rule remembers; the stalest goes first.
const MAX_KEYS: usize = 50_000;
/// Most events that a finding names.
const MAX_EVENT_IDS: usize = 25;

/// Something a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Rule.
    pub detection: String,
    /// Its title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// What happened, in a sentence. Holds text from machines: escape it where it is shown.
    pub summary: String,
    /// Machine.
    pub machine_id: Option<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// Person.
    pub user: Option<String>,
    /// Events behind it, oldest first, the newest 25.
    pub event_ids: Vec<String>,
    /// When it happened, RFC 3339.
    pub occurred: String,
    /// The same in milliseconds since 1970.
    pub occurred_ms: u64,
    /// What the cool-down counts together, with `detection`.
    pub key: String,
    /// 1 for a new alert; more where the rule fired again within its cool-down.
    pub count: u64,
    /// Who is told besides the channels.
    pub notify: Vec<String>,
    /// Actions that the organisation allowed the rule.
    pub actions: Vec<String>,
}

/// When a machine was last heard of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineContact {
    /// Machine.
    pub machine_id: String,
    /// Host name.
    pub hostname: String,
    /// Person it belongs to.
    pub person: Option<String>,
    /// Last contact, milliseconds since 1970.
    pub last_seen_ms: u64,
    /// Since when a newer policy is out than the machine's; none where it has the newest.
    pub policy_behind_since_ms: Option<u64>,
}

/// Whom a signal of the server is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Machine.
    pub machine_id: String,
    /// Host name.
    pub hostname: String,
    /// Person.
    pub user: Option<String>,
    /// What is the matter, in words.
    pub detail: String,
}

#[derive(Debug, Default)]
struct Fired {
    first_ms: u64,
    count: u64,
    /// When it last fired, by the server's time.
    touched_ms: u64,
}

/// What one key of one rule has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Times and ids of events that count, oldest first; at most the threshold.
    events: VecDeque<(u64, String, u64)>,
    /// When the last of them was received. A history that is uploaded late is old by its own
    /// times, and still has to be counted together.
    touched_ms: u64,
}

#[derive(Debug)]
struct Watch {
    rule: Rule,
    seen: HashMap<String, Seen>,
    fired: HashMap<String, Fired>,
}

/// Rules with their state.
#[derive(Debug)]
pub struct Engine {
    watches: Vec<Watch>,
}

/// What placeholders stand for.
#[derive(Default)]
struct Words<'a> {
    user: &'a str,
    hostname: &'a str,
    machine: &'a str,
    agent: &'a str,
    text: &'a str,
    detail: String,
    count: u64,
    window_ms: u64,
}

impl Engine {
    /// An engine that has seen nothing. Rules that are switched off are left out.
    pub fn new(rules: Rules) -> Self {
        let watch = |rule| Watch {
            rule,
            seen: HashMap::new(),
            fired: HashMap::new(),
        };
        let rules = rules.into_vec().into_iter().filter(|rule| rule.enabled);
        Self {
            watches: rules.map(watch).collect(),
        }
    }

    /// Takes note of an alert raised before a restart, so that its cool-down goes on.
    pub fn remember(&mut self, detection: &str, key: &str, occurred_ms: u64, count: u64) {
        for watch in self
            .watches
            .iter_mut()
            .filter(|watch| watch.rule.id == detection)
        {
            watch.fired.insert(
                key.to_owned(),
                Fired {
                    first_ms: occurred_ms,
                    count: count.max(1),
                    touched_ms: occurred_ms,
                },
            );
        }
    }

    /// Looks at an event that was received at `received_ms`. Events of one machine come in the
    /// order of their numbers.
    pub fn observe(&mut self, event: &Event, received_ms: u64) -> Vec<Finding> {
        let at = event_ms(event).map_or(received_ms, |ms| ms.min(received_ms));
        self.watches
            .iter_mut()
            .filter_map(|watch| watch.observe(event, at, received_ms))
            .collect()
    }

    /// Something the server itself noticed, such as `upload_refused`.
    pub fn signal(&mut self, name: &str, subject: &Subject, now_ms: u64) -> Vec<Finding> {
        let mut out = Vec::new();
        for watch in &mut self.watches {
            if !matches!(&watch.rule.compiled, Condition::Signal(wanted) if wanted.eq_ignore_ascii_case(name))
            {
                continue;
            }
            let words = Words {
                user: subject.user.as_deref().unwrap_or_default(),
                hostname: &subject.hostname,
                machine: &subject.machine_id,
                detail: subject.detail.clone(),
                ..Words::default()
            };
            out.push(watch.fire(
                subject.machine_id.clone(),
                (now_ms, now_ms),
                Vec::new(),
                &words,
            ));
        }
        out
    }

    /// Looks at the machines, and forgets what is too old to matter. Call it every few seconds
    /// with every machine that should be there.
    pub fn tick(&mut self, now_ms: u64, machines: &[MachineContact]) -> Vec<Finding> {
        let mut out = Vec::new();
        for watch in &mut self.watches {
            watch.forget(now_ms);
            for machine in machines {
                out.extend(watch.contact(machine, now_ms));
            }
            watch.forget_contacts(machines);
        }
        out
    }
}

impl Watch {
    fn observe(&mut self, event: &Event, at: u64, received_ms: u64) -> Option<Finding> {
        let key = || key_of(self.rule.by, event);
        if self.seen.len() > MAX_KEYS {
            drop_stalest(&mut self.seen, |seen| seen.touched_ms);
        }
        let id = &event.envelope.event_id;
        let (ids, window_ms, count) = match &self.rule.compiled {
            Condition::Each(expr) => {
                if !expr.fits(event) {
                    return None;
                }
                (vec![id.clone()], 0, 1)
            }
            Condition::Count {
                what,
                at_least,
                window_ms,
            } => {
                if !what.fits(event) {
                    return None;
                }
                let seen = self.seen.entry(key()).or_default();
                seen.events.push_back((at, id.clone(), what.weight(event)));
                seen.touched_ms = received_ms;
                let since = at.saturating_sub(*window_ms);
                while seen.events.front().is_some_and(|(time, ..)| *time <= since) {
                    seen.events.pop_front();
                }
                let weights = seen.events.iter().map(|(.., weight)| *weight);
                let count = weights.fold(0, u64::saturating_add);
                if count < *at_least {
                    return None;
                }
                // Counted anew from here, so that a flood is a few findings and not one for each event.
                (
                    seen.events.drain(..).map(|(_, id, _)| id).collect(),
                    *window_ms,
                    count,
                )
            }
            Condition::Sequence {
                first,
                second,
                within_ms,
            } => {
                let seen = self.seen.entry(key());
                let starts = first.fits(event);
                let ends = second.fits(event);
                if starts {
                    let events = VecDeque::from([(at, id.clone(), 1)]);
                    *seen.or_default() = Seen {
                        events,
                        touched_ms: received_ms,
                    };
                    if !ends {
                        return None;
                    }
                    (vec![id.clone()], *within_ms, 1)
                } else if ends {
                    let std::collections::hash_map::Entry::Occupied(seen) = seen else {
                        return None;
                    };
                    let (start, first_id, _) = seen.get().events.front()?;
                    if at.saturating_sub(*start) > *within_ms {
                        return None;
                    }
                    (vec![first_id.clone(), id.clone()], *within_ms, 2)
                } else {
                    return None;
                }
            }
            Condition::Silent { .. } | Condition::PolicyBehind { .. } | Condition::Signal(_) => {
                return None;
            }
        };
        let key = key_of(self.rule.by, event);
        let payload = &event.payload;
        let detail = &payload.detail;
        // The server's own chain may speak of a machine.
        let machine = match event.envelope.machine_id.as_str() {
            "server" => detail.get("machine_id").map_or("server", String::as_str),
            own => own,
        };
        let words = Words {
            user: &payload.user.user_id,
            hostname: if payload.machine.hostname.is_empty() {
                machine
            } else {
                &payload.machine.hostname
            },
            machine,
            agent: payload
                .context
                .agent
                .as_ref()
                .map_or("an agent", |agent| agent.name.as_str()),
            text: payload
                .command
                .as_ref()
                .map_or("", |command| command.text.as_str()),
            // An event that says in a sentence what it is about is quoted.
            detail: detail.get("summary").cloned().unwrap_or_else(|| {
                detail
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            }),
            count,
            window_ms,
        };
        Some(self.fire(key, (at, received_ms), ids, &words))
    }

    fn contact(&mut self, machine: &MachineContact, now_ms: u64) -> Option<Finding> {
        let (since, limit) = match self.rule.compiled {
            Condition::Silent { for_ms } => (machine.last_seen_ms, for_ms),
            Condition::PolicyBehind { for_ms } => (machine.policy_behind_since_ms?, for_ms),
            _ => return None,
        };
        let lasted = now_ms.saturating_sub(since);
        if lasted <= limit {
            return None;
        }
        // One silence is one alert, however long it lasts: its beginning is part of the key.
        let key = format!("{}@{since}", machine.machine_id);
        if self.fired.contains_key(&key) {
            return None;
        }
        let words = Words {
            user: machine.person.as_deref().unwrap_or_default(),
            hostname: &machine.hostname,
            machine: &machine.machine_id,
            window_ms: lasted,
            ..Words::default()
        };
        Some(self.fire(key, (since, now_ms), Vec::new(), &words))
    }

    fn fire(
        &mut self,
        key: String,
        (at, now_ms): (u64, u64),
        mut ids: Vec<String>,
        words: &Words<'_>,
    ) -> Finding {
        if self.fired.len() > MAX_KEYS {
            drop_stalest(&mut self.fired, |fired| fired.touched_ms);
        }
        let fired = self.fired.entry(key.clone()).or_default();
        if fired.count > 0 && at < fired.first_ms.saturating_add(self.rule.cooldown_ms) {
            fired.count += 1;
            fired.touched_ms = now_ms;
        } else {
            *fired = Fired {
                first_ms: at,
                count: 1,
                touched_ms: now_ms,
            };
        }
        if ids.len() > MAX_EVENT_IDS {
            ids.drain(..ids.len() - MAX_EVENT_IDS);
        }
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Finding {
            detection: self.rule.id.clone(),
            title: self.rule.title.clone(),
            severity: self.rule.severity,
            summary: words.fill(&self.rule.summary),
            machine_id: filled(words.machine),
            hostname: filled(words.hostname),
            user: filled(words.user),
            event_ids: ids,
            occurred: rfc3339(at),
            occurred_ms: at,
            key,
            count: fired.count,
            notify: self.rule.notify.clone(),
            actions: self.rule.actions.clone(),
        }
    }

    /// Drops windows that ended and cool-downs that are over.
    fn forget(&mut self, now_ms: u64) {
        let window = match self.rule.compiled {
            Condition::Count { window_ms, .. } => window_ms,
            Condition::Sequence { within_ms, .. } => within_ms,
            Condition::Silent { .. } | Condition::PolicyBehind { .. } => return,
            Condition::Each(_) | Condition::Signal(_) => 0,
        };
        self.seen
            .retain(|_, seen| seen.touched_ms.saturating_add(window) > now_ms);
        let cooldown = self.rule.cooldown_ms;
        self.fired
            .retain(|_, fired| fired.touched_ms.saturating_add(cooldown) > now_ms);
    }

    /// Drops silences and delays that ended.
    fn forget_contacts(&mut self, machines: &[MachineContact]) {
        let since = |machine: &MachineContact| match self.rule.compiled {
            Condition::Silent { .. } => Some(machine.last_seen_ms),
            Condition::PolicyBehind { .. } => machine.policy_behind_since_ms,
            _ => None,
        };
        if !matches!(
            self.rule.compiled,
            Condition::Silent { .. } | Condition::PolicyBehind { .. }
        ) {
            return;
        }
        let now: HashMap<&str, Option<u64>> = machines
            .iter()
            .map(|machine| (machine.machine_id.as_str(), since(machine)))
            .collect();
        self.fired.retain(|key, _| {
            let Some((machine, begun)) = key.rsplit_once('@') else {
                return false;
            };
            now.get(machine)
                .is_none_or(|since| since.is_some_and(|since| since.to_string() == begun))
        });
    }
}

/// Keeps memory bounded where somebody invents keys: drops the older half.
fn drop_stalest<V>(map: &mut HashMap<String, V>, touched: impl Fn(&V) -> u64) {
    let mut times: Vec<u64> = map.values().map(&touched).collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    map.retain(|_, value| touched(value) > median);
}

impl Words<'_> {
    /// Replaces placeholders once, from left to right, so that a command's text cannot smuggle
    /// more of them in.
    fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            out.push_str(rest.get(..start).unwrap_or_default());
            let after = rest.get(start + 1..).unwrap_or_default();
            let Some(end) = after.find('}') else {
                rest = rest.get(start..).unwrap_or_default();
                break;
            };
            match after.get(..end).unwrap_or_default() {
                "user" => out.push_str(if self.user.is_empty() {
                    "somebody"
                } else {
                    self.user
                }),
                "hostname" => out.push_str(self.hostname),
                "machine" => out.push_str(self.machine),
                "agent" => out.push_str(self.agent),
                "text" => out.push_str(&shortened(self.text)),
                "detail" => out.push_str(&shortened(&self.detail)),
                "count" => out.push_str(&self.count.to_string()),
                "window" => out.push_str(&duration::words(self.window_ms)),
                other => {
                    out.push('{');
                    out.push_str(other);
                    out.push('}');
                }
            }
            rest = after.get(end + 1..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

/// One line, at most 300 characters.
fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    let mut out: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect();
    if text.chars().nth(MOST).is_some() {
        out.push('\u{2026}');
    }
    out
}

fn key_of(by: GroupBy, event: &Event) -> String {
    let machine = &event.envelope.machine_id;
    let machine = match event.payload.detail.get("machine_id") {
        Some(about) if machine == "server" => about,
        _ => machine,
    };
    let context = &event.payload.context;
    match by {
        GroupBy::Machine => machine.clone(),
        GroupBy::User => event.payload.user.user_id.clone(),
        GroupBy::Session => format!("{machine}/{}", context.session_id),
        GroupBy::Agent => format!(
            "{machine}/{}",
            context
                .agent
                .as_ref()
                .map_or("", |agent| agent.name.as_str())
        ),
        GroupBy::All => String::new(),
    }
}

fn event_ms(event: &Event) -> Option<u64> {
    let time: jiff::Timestamp = event.envelope.time.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or_default())
}
