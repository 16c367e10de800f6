//! What the policy says of approvals, and whether a grant bears it out.

use std::collections::BTreeMap;
use std::time::Duration;

use cmdai_api::machine::Grant;
use cmdai_policy::Factor;
use cmdai_schema::governor::MAX_EXCEPTION_S;
use jiff::Timestamp;

use super::Entry;
use crate::keeper::consent;

/// Longest exception where the policy says nothing, in days.
const LONGEST_DAYS: u32 = 90;
/// Group of managers where the policy names none.
const MANAGERS: &str = "managers";

/// Who asks, by the kernel's word.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) uid: u32,
    pub(crate) login: String,
}

/// What the installed policy says of approvals; a grant that it does not bear out is not believed.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Weakest factor where a rule says nothing else.
    pub(crate) factor: Factor,
    /// Weakest factor of single rules.
    pub(crate) factors: BTreeMap<String, Factor>,
    /// Groups of those who may answer; empty: accounts whose role may.
    pub(crate) approvers: Vec<String>,
    /// Groups of managers.
    pub(crate) managers: Vec<String>,
    /// Most uses.
    pub(crate) uses: u32,
    /// Least number of people.
    pub(crate) people: u32,
    /// Longest exception, in seconds.
    pub(crate) exception_s: u64,
    /// Longest time that a request waits.
    pub(crate) waits: Option<Duration>,
}

impl Limits {
    pub(crate) fn of(document: &cmdai_policy::Document) -> Self {
        let approvals = &document.approvals;
        let days = u64::from(approvals.exception_days.unwrap_or(LONGEST_DAYS));
        Self {
            factor: document.needed_factor(),
            factors: (document.rules.iter())
                .filter(|rule| rule.approval.is_some())
                .map(|rule| {
                    let ids = std::slice::from_ref(&rule.id);
                    (rule.id.clone(), document.factor_for(ids))
                })
                .collect(),
            approvers: approvals.approvers.clone(),
            managers: if approvals.managers.is_empty() {
                vec![MANAGERS.to_owned()]
            } else {
                approvals.managers.clone()
            },
            uses: approvals.max_uses.unwrap_or(1).max(1),
            people: approvals.quorum.unwrap_or(1).max(1),
            exception_s: days.saturating_mul(86_400).min(MAX_EXCEPTION_S),
            waits: approvals
                .timeout_minutes
                .map(|minutes| Duration::from_secs(u64::from(minutes).saturating_mul(60))),
        }
    }
}

impl Limits {
    /// The weakest factor for a request of these rules: the strictest word of any of them.
    pub(crate) fn factor_for(&self, rules: &[String]) -> Factor {
        let of = |rule: &String| self.factors.get(rule).copied().unwrap_or(self.factor);
        rules.iter().map(of).max().unwrap_or(self.factor)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&cmdai_policy::Document::default())
    }
}

/// Why this machine does not believe a grant; nothing where it does.
pub(super) fn mismatch(
    entry: &Entry,
    grant: &Grant,
    machine_id: &str,
    now: Timestamp,
    limits: &Limits,
) -> Option<String> {
    let said = |text: &str| Some(text.to_owned());
    if grant.version != 1 || grant.uses == 0 {
        return said("it is of an unknown kind; update the sensor");
    }
    if grant.machine_id != machine_id {
        return said("it is for another machine");
    }
    if grant.user != entry.open.request.user {
        return said("it is for another person");
    }
    if grant.binding_hash != entry.open.binding_hash {
        return said("it is for another command");
    }
    if !grant
        .expires
        .parse::<Timestamp>()
        .is_ok_and(|expires| expires > now)
    {
        return said("its time is over, or this machine's clock is wrong");
    }
    if !grant.granted {
        return None;
    }
    let most = if entry.is_exception() { 1 } else { limits.uses };
    if grant.uses > most {
        return Some(format!(
            "it may be used {} times, the policy permits {most}",
            grant.uses
        ));
    }
    let factors =
        std::iter::once(&grant.factor).chain(grant.approvers.iter().map(|assent| &assent.factor));
    let needed = limits.factor_for(consent::rules_of(entry));
    for factor in factors {
        if Factor::of(factor).is_none_or(|factor| factor < needed) {
            return Some(format!(
                "it was approved by {factor}, the policy takes {} at least",
                needed.as_str()
            ));
        }
    }
    let mut people: Vec<String> = grant
        .approvers
        .iter()
        .map(|assent| assent.person.to_lowercase())
        .filter(|person| !person.is_empty())
        .collect();
    people.sort();
    people.dedup();
    if people.contains(&entry.open.request.user.to_lowercase()) {
        return said("whoever asked is among those who approved");
    }
    // One approver may be named by `approver` alone, as older servers do.
    let given = people.len().max(usize::from(!grant.approver.is_empty()));
    if u32::try_from(given).unwrap_or(u32::MAX) < limits.people {
        return Some(format!(
            "{given} approved, the policy takes {} different people",
            limits.people
        ));
    }
    too_long(entry, grant, limits)
}

/// Of an exception: not longer than was asked for and the policy permits.
fn too_long(entry: &Entry, grant: &Grant, limits: &Limits) -> Option<String> {
    let asked = entry.open.request.exception.as_ref()?;
    let longest = asked.duration_s.min(limits.exception_s);
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let ends = grant.until.as_deref().and_then(moment);
    let (Some(begins), Some(ends)) = (moment(&grant.issued), ends) else {
        return Some("it says not when it ends".to_owned());
    };
    let lasts = u64::try_from(ends.saturating_sub(begins)).unwrap_or(0);
    (lasts > longest.saturating_add(1))
        .then(|| format!("it lasts {lasts} seconds, {longest} were asked for and are permitted"))
}
