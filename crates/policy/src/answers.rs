//! Approvals that a document asks for, and what answers them: exceptions and automatic approval.

use std::borrow::Cow;

use cmdai_schema::{Certainty, Decision, Mode, Risk};

use crate::category::{self, Category};
use crate::condition::Request;
use crate::decide::Layer;
use crate::hit::Hit;
use crate::moment;
use crate::snapshot::Snapshot;

/// `require_approval_for` and `require_manager_approval`.
pub(crate) fn approvals<'a>(
    snapshot: &'a Snapshot,
    layer: Layer,
    request: &Request<'_>,
    hits: &mut Vec<Hit<'a>>,
) {
    let settings = snapshot.settings();
    let asked = settings
        .require_approval_for
        .iter()
        .map(|category| (category, false));
    let managers = settings
        .approvals
        .require_manager_approval
        .iter()
        .map(|category| (category, true));
    let mut found = Vec::new();
    for (category, manager) in asked.chain(managers) {
        let Some(span) = category::matches(
            *category,
            request.analysis,
            request.text,
            request.facts,
            hits,
        ) else {
            continue;
        };
        let who = if manager {
            "a manager"
        } else {
            "somebody else"
        };
        found.push(Hit {
            id: Cow::Owned(format!(
                "{}.{}",
                if manager {
                    "approval.manager"
                } else {
                    "approval"
                },
                category.as_str()
            )),
            pack: layer.as_str(),
            decision: Decision::RequireApproval,
            risk: Risk::Moderate,
            mode: Mode::Enforce,
            reason: Cow::Owned(format!(
                "{}, which {who} must approve",
                category.description()
            )),
            span,
            certainty: Certainty::Proven,
            instead: None,
            owner: None,
            controls: Vec::new(),
            floor: false,
            loses: false,
        });
    }
    hits.extend(found);
}

/// Exceptions of the organisation: the rules they list are recorded and change nothing.
pub(crate) fn except(organisation: &Snapshot, request: &Request<'_>, hits: &mut [Hit<'_>]) {
    let Some(now) = request.facts.now.as_deref() else {
        return;
    };
    for exception in &organisation.head().exceptions {
        let applies = moment::not_after(now, &exception.until)
            && exception.scope.covers(request.facts, request.subject)
            && exception
                .shape
                .as_ref()
                .is_none_or(|shape| shape.find(request.analysis, request.home()).is_some());
        if !applies {
            continue;
        }
        for hit in hits
            .iter_mut()
            .filter(|hit| !hit.floor && exception.rules.iter().any(|id| *id == hit.id))
        {
            hit.mode = Mode::Monitor;
            hit.reason = Cow::Owned(format!(
                "{} (excepted until {}: {})",
                hit.reason, exception.until, exception.reason
            ));
        }
    }
}

/// `auto_approve` answers requests for approval; it silences nothing else.
pub(crate) fn answer_automatically(
    organisation: &Snapshot,
    request: &Request<'_>,
    hits: &mut [Hit<'_>],
) {
    let categories = &organisation.settings().approvals.auto_approve;
    let answered = categories.iter().find(|category| {
        // What asks for approval must not count against being safe.
        let others: Vec<Hit<'_>> = hits
            .iter()
            .filter(|hit| hit.decision != Decision::RequireApproval)
            .cloned()
            .collect();
        category::matches(
            **category,
            request.analysis,
            request.text,
            request.facts,
            &others,
        )
        .is_some()
    });
    let Some(category) = answered.copied().map(Category::as_str) else {
        return;
    };
    for hit in hits
        .iter_mut()
        .filter(|hit| hit.decision == Decision::RequireApproval && !hit.floor)
    {
        hit.mode = Mode::Monitor;
        hit.reason = Cow::Owned(format!(
            "{} (approved automatically: {category})",
            hit.reason
        ));
    }
}
