//! Rows of the store as wire types.

use cmdai_api::console::{Alert, Approval, ApprovalVote, EventRow, ExceptionAsked};
use cmdai_schema::governor::ExceptionRequest;
use cmdai_store::{AlertRow, ApprovalRow, EventRecord, Vote};

use crate::clock::{rfc3339, rfc3339_of};

pub(crate) fn event_row(record: EventRecord) -> EventRow {
    EventRow {
        event_id: record.event_id,
        row: record.row,
        time: rfc3339(record.time_ms),
        received: rfc3339(record.received_ms),
        event_type: record.event_type,
        machine_id: record.machine_id,
        hostname: record.hostname,
        user: record.user,
        team: record.team,
        origin: record.origin,
        agent: record.agent,
        text: record.text,
        decision: record.decision.map(str::to_owned),
        risk: record.risk.map(str::to_owned),
        rule: record.rule,
        reason: record.reason,
        exit_code: record.exit_code,
        session_id: record.session_id,
        seq: record.seq,
    }
}

pub(crate) fn alert_wire(row: AlertRow) -> Alert {
    Alert {
        id: row.id,
        detection: row.detection,
        title: row.title,
        severity: row.severity,
        status: row.status,
        summary: row.summary,
        machine_id: row.machine_id,
        hostname: row.hostname,
        user: row.user,
        event_ids: row.event_ids,
        count: row.count,
        occurred: rfc3339(row.occurred_ms),
        created: rfc3339(row.created_ms),
        notified: rfc3339_of(row.notified_ms),
        assignee: row.assignee,
        disposition: row.disposition,
        notes: row.notes,
    }
}

pub(super) fn exception_wire(asked: ExceptionRequest) -> ExceptionAsked {
    ExceptionAsked {
        rules: asked.rules,
        pattern: asked.pattern,
        directory: asked.directory,
        duration_s: asked.duration_s,
        text: asked.text,
    }
}

fn vote_wire(vote: Vote) -> ApprovalVote {
    ApprovalVote {
        login: vote.login,
        person: vote.person,
        approve: vote.approve,
        factor: vote.factor,
        reason: vote.reason,
        time: rfc3339(vote.time_ms),
    }
}

pub(super) fn approval_wire(row: ApprovalRow, votes: Vec<Vote>, given: u32) -> Approval {
    let binding = row.request.binding;
    Approval {
        id: row.id,
        status: row.status,
        text: binding.text,
        cwd: binding.cwd,
        shell: binding.shell,
        machine_id: row.machine_id,
        hostname: row.hostname,
        user: row.request.user,
        origin: binding.origin,
        agent: binding.agent,
        rules: binding.rules,
        policy_reason: binding.reason,
        risk: binding.risk,
        effects: binding.effects,
        contexts: binding.contexts,
        files: row.request.files,
        reason: row.reason,
        created: rfc3339(row.created_ms),
        expires: rfc3339(row.expires_ms),
        approver: row.approver,
        decision_reason: row.decision_reason,
        decided: rfc3339_of(row.decided_ms),
        kind: row.kind,
        binding_hash: row.binding_hash,
        needed: row.terms.needed,
        given,
        groups: row.terms.groups,
        managers: row.terms.managers,
        factor: row.terms.factor,
        uses: row.terms.uses,
        votes: votes.into_iter().map(vote_wire).collect(),
        exception: row.request.exception.map(exception_wire),
    }
}
