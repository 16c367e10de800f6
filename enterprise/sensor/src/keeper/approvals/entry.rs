//! A request and what became of it.

use cmdai_api::machine::{ApprovalOpen, Grant};
use cmdai_schema::ApprovalInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::EMERGENCY;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Pending,
    Granted,
    Denied,
    Consumed,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) open: ApprovalOpen,
    pub(crate) state: State,
    /// The server knows it.
    pub(crate) sent: bool,
    /// How often the grant was used.
    #[serde(default)]
    pub(crate) used: u32,
    /// Of an emergency: the permission that was used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<Grant>,
}

impl Entry {
    pub(crate) fn id(&self) -> &str {
        &self.open.request_id
    }

    pub(crate) fn is_emergency(&self) -> bool {
        self.open.kind == EMERGENCY
    }

    pub(crate) fn is_exception(&self) -> bool {
        self.open.request.exception.is_some()
    }

    /// Bytes in the table.
    pub(super) fn size(&self) -> usize {
        serde_json::to_vec_pretty(self).map_or(usize::MAX / 4, |json| json.len())
    }

    /// For events.
    pub(crate) fn info(&self) -> ApprovalInfo {
        let status = match self.state {
            State::Consumed if self.is_emergency() => "break_glass",
            State::Pending => "pending",
            State::Granted => "granted",
            State::Denied => "denied",
            State::Consumed => "consumed",
        };
        ApprovalInfo {
            request_id: self.open.request_id.clone(),
            grant_id: (self.grant.as_ref())
                .map(|grant| grant.grant_id.clone())
                .or_else(|| self.permit.clone()),
            status: status.to_owned(),
            approver: self.grant.as_ref().map(|grant| grant.approver.clone()),
            reason: self
                .grant
                .as_ref()
                .map(|grant| grant.reason.clone())
                .or_else(|| self.open.reason.clone()),
        }
    }

    pub(crate) fn lapsed(&self, now: Timestamp) -> bool {
        // What happened is kept until it is told.
        if self.is_emergency() && !self.sent {
            return false;
        }
        let end = match (&self.grant, self.state) {
            (Some(grant), State::Granted | State::Denied) => &grant.expires,
            _ => &self.open.expires,
        };
        end.parse::<Timestamp>().is_ok_and(|end| end <= now)
    }
}
