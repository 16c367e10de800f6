//! Exceptions in force on this machine: each was asked for here, approved by other people and signed.
//!
//! An exception that nobody here asked for is never believed: it comes in as the decision about an
//! open request of this machine. It ends by its own time; an order ends it sooner.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cmdai_api::machine::Grant;
use cmdai_policy::Lift;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approvals::Entry;
use crate::{clock, files};

/// Most exceptions in force at once.
const MOST: usize = 200;

/// An exception in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lifted {
    /// The request it came from.
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) rules: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<String>,
    /// Last moment, RFC 3339.
    pub(crate) until: String,
    pub(crate) reason: String,
    pub(crate) approver: String,
}

impl Lifted {
    fn over(&self, now: Timestamp) -> bool {
        self.until
            .parse::<Timestamp>()
            .map_or(true, |until| until <= now)
    }

    /// For the snapshot.
    pub(crate) fn lift(&self) -> Lift {
        // Whole seconds, as documents write moments.
        let until = self.until.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        Lift {
            rules: self.rules.clone(),
            user: self.user.clone(),
            pattern: self.pattern.clone(),
            directory: self.directory.clone(),
            until: until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            reason: format!("{} ({})", self.reason, self.id),
            owner: self.approver.clone(),
        }
    }
}

/// All of them.
pub(crate) struct Exceptions {
    path: PathBuf,
    list: Vec<Lifted>,
}

impl Exceptions {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let list = match files::read_json(&path) {
            Ok(list) => list.unwrap_or_default(),
            // Without them the rules stand; the sensor must not stay dead for it.
            Err(error) => {
                tracing::error!("the exceptions cannot be read and are dropped: {error}");
                let aside = path.with_extension("damaged");
                std::fs::rename(&path, aside).context("the exceptions cannot be read")?;
                Vec::new()
            }
        };
        Ok(Self { path, list })
    }

    /// In force now, but for those that an order has ended.
    pub(crate) fn in_force(&self, revoked: &[String]) -> Vec<Lifted> {
        let now = clock::now();
        self.list
            .iter()
            .filter(|lifted| !lifted.over(now) && !revoked.contains(&lifted.id))
            .cloned()
            .collect()
    }

    /// Takes an approved one in. The same one again changes nothing.
    pub(crate) fn take(&mut self, entry: &Entry, grant: &Grant) -> Result<()> {
        let (Some(asked), Some(until)) = (&entry.open.request.exception, &grant.until) else {
            return Ok(());
        };
        if self.list.iter().any(|lifted| lifted.id == entry.id()) {
            return Ok(());
        }
        let now = clock::now();
        let before = self.list.clone();
        self.list.retain(|lifted| !lifted.over(now));
        let surplus = (self.list.len() + 1).saturating_sub(MOST);
        self.list.drain(..surplus);
        self.list.push(Lifted {
            id: entry.id().to_owned(),
            user: entry.open.request.user.clone(),
            rules: asked.rules.clone(),
            pattern: asked.pattern.clone(),
            directory: asked.directory.clone(),
            until: until.clone(),
            reason: asked.reason.clone(),
            approver: grant.approver.clone(),
        });
        files::replace_json(&self.path, &self.list)
            .context("the exceptions cannot be written")
            .inspect_err(|_| self.list = before)
    }
}
