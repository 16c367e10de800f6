//! Exceptions that people ask for, and emergencies.

use std::collections::BTreeMap;

use cmdai_policy::{EffectiveRule, Layers, Lift, Snapshot};
use cmdai_schema::Decision;
use cmdai_schema::governor::{
    Binding, ExceptionRequest, MAX_EXCEPTION_RULES, MIN_EXCEPTION_S, Reply,
};

use super::approvals::{Asker, Entry, State};
use super::turn::Keeper;
use crate::accounts;

/// Longest pattern, folder, text and reason of an exception, in bytes.
const MAX_TEXT: usize = 4_096;
/// Hours until the review of an emergency where the policy says nothing.
const REVIEW_HOURS: u32 = 24;
/// Rules of settings of the policy have ids of their own.
const OF_SETTINGS: [&str; 4] = ["approval.", "pattern.", "path.", "tool."];

pub(super) fn refused(reason: impl Into<String>) -> Reply {
    Reply::Refused {
        request_id: None,
        reason: reason.into(),
    }
}

fn answered(outcome: anyhow::Result<Reply>) -> Reply {
    outcome.unwrap_or_else(|error| Reply::Error {
        message: format!("{error:#}"),
    })
}

impl Keeper {
    /// Every rule that holds here, by the snapshot in force.
    fn rules(&self) -> Vec<EffectiveRule> {
        let snapshot = self
            .guard
            .bytes()
            .and_then(|bytes| Snapshot::open(bytes).ok());
        let layers = Layers {
            organisation: snapshot.as_ref(),
            ..Layers::default()
        };
        cmdai_policy::effective(&layers)
    }

    /// What has become of a request, for whoever opened it and for root.
    pub(super) fn state_of(&self, request_id: &str, uid: u32) -> Reply {
        let own = |entry: &&Entry| {
            entry.id() == request_id && (uid == 0 || entry.open.request.uid == uid)
        };
        let Some(entry) = self.approvals.entries().iter().find(own) else {
            return refused("there is no request of yours with this id");
        };
        let info = entry.info();
        let lapsed = entry.state != State::Consumed && entry.lapsed(crate::clock::now());
        Reply::State {
            request_id: info.request_id,
            state: if lapsed {
                "expired".to_owned()
            } else {
                info.status
            },
            reason: entry.grant.as_ref().map(|grant| grant.reason.clone()),
        }
    }

    /// Opens or finds the request for an exception.
    pub(super) fn exception(
        &mut self,
        asked: ExceptionRequest,
        session_id: String,
        uid: u32,
    ) -> Reply {
        let asker = Asker {
            uid,
            login: accounts::login(uid),
        };
        if let Err(reason) = self.check_exception(&asked, &asker.login) {
            return refused(reason);
        }
        let binding = Binding {
            text: asked.text.clone().unwrap_or_else(|| asked.rules.join(" ")),
            cwd: asked.directory.clone().unwrap_or_default(),
            rules: asked.rules.clone(),
            reason: format!("an exception from {}", asked.rules.join(", ")),
            risk: self.risk_of(&asked.rules),
            origin: asked.origin.clone(),
            agent: asked.agent.clone(),
            ..Binding::default()
        };
        let reason = Some(asked.reason.clone());
        let waits = self.limits().waits;
        let outcome = self
            .approvals
            .bind(binding, &asker, BTreeMap::new(), Some(asked))
            .and_then(|(bound, hash)| self.approvals.ask(bound, hash, reason, session_id, waits));
        self.reconcile();
        answered(outcome)
    }

    fn risk_of(&self, rules: &[String]) -> String {
        let known = self.rules();
        let worst = known
            .iter()
            .filter(|rule| rules.contains(&rule.id))
            .map(|rule| rule.risk)
            .max();
        worst.unwrap_or_default().as_str().to_owned()
    }

    fn check_exception(&self, asked: &ExceptionRequest, login: &str) -> Result<(), String> {
        if self.installed.is_none() {
            return Err("no policy is installed here that knows exceptions".to_owned());
        }
        let longest = self.limits().exception_s;
        if longest == 0 {
            return Err("the policy permits no exceptions".to_owned());
        }
        if asked.duration_s > longest {
            return Err(format!(
                "the policy permits exceptions of at most {} days",
                longest / 86_400
            ));
        }
        if asked.duration_s < MIN_EXCEPTION_S {
            return Err("an exception lasts a minute at least".to_owned());
        }
        if asked.reason.trim().is_empty() {
            return Err("say why".to_owned());
        }
        if asked.rules.is_empty() || asked.rules.len() > MAX_EXCEPTION_RULES {
            return Err(format!("name 1 to {MAX_EXCEPTION_RULES} rules"));
        }
        let texts = [
            Some(&asked.reason),
            asked.pattern.as_ref(),
            asked.directory.as_ref(),
            asked.text.as_ref(),
            Some(&asked.origin),
            asked.agent.as_ref(),
        ];
        let long = |text: &String| text.len() > MAX_TEXT;
        if texts.into_iter().flatten().any(long) || asked.rules.iter().any(|id| id.len() > 200) {
            return Err("that is too long to be read by anybody".to_owned());
        }
        let known = self.rules();
        for id in &asked.rules {
            match known.iter().find(|rule| rule.id == *id) {
                Some(rule) if rule.floor => return Err(format!("`{id}` knows no exception")),
                Some(_) => {}
                None if OF_SETTINGS.iter().any(|kind| id.starts_with(kind)) => {}
                None => return Err(format!("there is no rule `{id}` here")),
            }
        }
        Lift {
            rules: asked.rules.clone(),
            user: login.to_owned(),
            pattern: asked.pattern.clone(),
            directory: asked.directory.clone(),
            ..Lift::default()
        }
        .check()
    }

    /// An emergency: durable and sealed before it is answered, used up by the answer.
    pub(super) fn break_glass(
        &mut self,
        binding: Binding,
        reason: String,
        session_id: String,
        uid: u32,
        hashes: BTreeMap<String, String>,
    ) -> Reply {
        let document = self
            .installed
            .as_ref()
            .and_then(|installed| installed.read().ok());
        let Some(approvals) = document.map(|set| set.document().approvals.clone()) else {
            return refused("no policy is installed here that permits break-glass");
        };
        if approvals.break_glass != Some(true) {
            return refused("the policy does not permit break-glass; ask for an approval");
        }
        if binding.origin != "human" || binding.agent.is_some() {
            return refused("break-glass is for a person at a terminal, not for agents or scripts");
        }
        if self.ordered.quarantine.is_some() {
            return refused("this machine is in quarantine");
        }
        if reason.trim().is_empty() {
            return refused("say why it cannot wait");
        }
        let known = self.rules();
        let denied = known
            .iter()
            .find(|rule| binding.rules.contains(&rule.id) && rule.decision == Decision::Deny);
        if let Some(rule) = denied {
            return refused(format!(
                "`{}` denies; break-glass stands in for an approval, never for a denial",
                rule.id
            ));
        }
        let asker = Asker {
            uid,
            login: accounts::login(uid),
        };
        let outcome = self
            .approvals
            .bind(binding, &asker, hashes, None)
            .and_then(|(bound, hash)| self.approvals.emergency(bound, hash, reason, session_id));
        if !self.reconcile() {
            return refused("it cannot be put on record at the moment; see `cmdai status`");
        }
        match answered(outcome) {
            Reply::Permitted {
                request_id,
                grant_id,
                ..
            } => Reply::Permitted {
                request_id,
                grant_id,
                review_within_s: Some(
                    u64::from(approvals.review_hours.unwrap_or(REVIEW_HOURS)) * 3_600,
                ),
            },
            other => other,
        }
    }
}
