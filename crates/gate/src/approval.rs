//! Asking another person: what a command is bound to, and the governor's word on it.

use std::time::Duration;

use cmdai_schema::governor::{Binding, ExceptionRequest, Reply};
use cmdai_schema::record::Start;
use cmdai_schema::{ApprovalInfo, CodeSource, Decision, EffectKind, Mode};

use crate::gate::{Gate, Outcome, Request};
use crate::governor::{Governor, GovernorError};
use crate::redaction::{self, Redacted};

/// How long a prompt waits for the governor before it gives up.
const PATIENCE: Duration = Duration::from_millis(3000);
/// How long a report of a block may take.
const REPORT_PATIENCE: Duration = Duration::from_millis(100);

/// Status of an approval that a person gave themselves, in an emergency.
pub(crate) const BREAK_GLASS: &str = "break_glass";

/// What came of asking.
#[derive(Debug)]
pub enum Approval {
    /// A grant fitted and is used up: run it now.
    Granted(ApprovalInfo),
    /// A request is open; the same command goes through once it was approved.
    Pending(ApprovalInfo),
    /// Somebody said no, or it cannot be approved.
    Refused(ApprovalInfo),
    /// No governor, no grant.
    Unreachable(GovernorError),
}

impl Approval {
    /// The part that records keep.
    pub fn info(&self) -> Option<&ApprovalInfo> {
        match self {
            Self::Granted(info) | Self::Pending(info) | Self::Refused(info) => Some(info),
            Self::Unreachable(_) => None,
        }
    }
}

/// What a grant for this command is bound to.
pub fn binding(request: &Request<'_>, outcome: &Outcome) -> Binding {
    let redacted = Redacted::of(request.text, &outcome.analysis, &request.context());
    let judgement = &outcome.judgement;
    let mut files: Vec<String> = outcome
        .analysis
        .effects
        .iter()
        .filter_map(|effect| match &effect.kind {
            EffectKind::RunCode {
                source: CodeSource::File(path),
                ..
            } => Some(path.clone()),
            _ => None,
        })
        .collect();
    files.sort();
    files.dedup();
    Binding {
        text: redacted.text,
        digest: redacted.digest,
        exact: request.text.to_owned(),
        shell: request.dialect.as_str().to_owned(),
        cwd: request.cwd.to_owned(),
        rules: judgement
            .rules
            .iter()
            .filter(|hit| hit.mode == Mode::Enforce && hit.decision >= Decision::RequireApproval)
            .map(|hit| hit.id.clone())
            .collect(),
        reason: judgement
            .deciding_rule()
            .map_or_else(String::new, |hit| redaction::clean(&hit.reason)),
        risk: judgement.risk.as_str().to_owned(),
        contexts: contexts(outcome),
        origin: request.who.origin.kind.as_str().to_owned(),
        agent: request.who.agent.as_ref().map(|agent| agent.name.clone()),
        files,
        ..Binding::from_analysis(&outcome.analysis, judgement.decision)
    }
}

/// Contexts that matter to the command, sorted.
fn contexts(outcome: &Outcome) -> Vec<String> {
    let facts = &outcome.facts;
    let mut found: Vec<String> = [
        ("aws_account", &facts.aws_account),
        ("aws_profile", &facts.aws_profile),
        ("aws_region", &facts.aws_region),
        ("azure_subscription", &facts.azure_subscription_id),
        ("environment", &facts.environment),
        ("gcp_account", &facts.gcp_account),
        ("gcp_project", &facts.gcp_project),
        ("git_branch", &facts.git_branch),
        ("kube_context", &facts.kube_context),
        ("kube_namespace", &facts.kube_namespace),
        ("terraform_workspace", &facts.terraform_workspace),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")))
    .collect();
    found.sort();
    found
}

/// Why a command cannot be approved whose text, without its secrets, does not show what it does.
const CONCEALED: &str = "nobody could see what would run: part of it stands where a secret stands. Give the \
                         secret in a file or a variable that is set before, and ask again";

/// The text that an approver would read shows what the command does.
fn readable(request: &Request<'_>, outcome: &Outcome) -> bool {
    !Redacted::of(request.text, &outcome.analysis, &request.context()).conceals
}

impl Gate {
    /// Asks the governor whether a command that needs approval may run. Consumes a grant where one
    /// fits, else opens (or finds) a request.
    pub fn approve(
        &self,
        request: &Request<'_>,
        outcome: &Outcome,
        session_id: &str,
        reason: Option<String>,
    ) -> Approval {
        if !readable(request, outcome) {
            return Approval::Refused(ApprovalInfo {
                status: "denied".to_owned(),
                reason: Some(CONCEALED.to_owned()),
                ..ApprovalInfo::default()
            });
        }
        let asked = self.governor(PATIENCE).and_then(|mut governor| {
            governor.approve(binding(request, outcome), reason, session_id)
        });
        let info = |request_id: String, status: &str| ApprovalInfo {
            request_id,
            status: status.to_owned(),
            ..ApprovalInfo::default()
        };
        match asked {
            Ok(Reply::Granted {
                request_id,
                grant_id,
                approver,
            }) => Approval::Granted(ApprovalInfo {
                grant_id: Some(grant_id),
                approver: Some(approver),
                ..info(request_id, "consumed")
            }),
            Ok(Reply::Pending { request_id }) => Approval::Pending(info(request_id, "pending")),
            Ok(Reply::Refused { request_id, reason }) => Approval::Refused(ApprovalInfo {
                reason: Some(reason),
                ..info(request_id.unwrap_or_default(), "denied")
            }),
            Ok(other) => Approval::Unreachable(GovernorError::Answer(format!("{other:?}"))),
            Err(error) => Approval::Unreachable(error),
        }
    }

    /// Asks the governor for permission to run this once and now, in an emergency.
    pub fn break_glass(
        &self,
        request: &Request<'_>,
        outcome: &Outcome,
        session_id: &str,
        reason: &str,
    ) -> Approval {
        let asked = self.governor(PATIENCE).and_then(|mut governor| {
            governor.break_glass(binding(request, outcome), reason.to_owned(), session_id)
        });
        match asked {
            Ok(Reply::Permitted {
                request_id,
                grant_id,
                ..
            }) => Approval::Granted(ApprovalInfo {
                request_id,
                grant_id: Some(grant_id),
                status: BREAK_GLASS.to_owned(),
                reason: Some(redaction::clean(reason)),
                ..ApprovalInfo::default()
            }),
            Ok(Reply::Refused { request_id, reason }) => Approval::Refused(ApprovalInfo {
                request_id: request_id.unwrap_or_default(),
                status: "denied".to_owned(),
                reason: Some(reason),
                ..ApprovalInfo::default()
            }),
            Ok(other) => Approval::Unreachable(GovernorError::Answer(format!("{other:?}"))),
            Err(error) => Approval::Unreachable(error),
        }
    }

    /// Asks the governor to have rules lifted for a time. `Pending` and `Refused` are its answers.
    ///
    /// # Errors
    /// Where this machine is not governed, nobody answers, or the governor cannot handle it.
    pub fn request_exception(
        &self,
        exception: ExceptionRequest,
        session_id: &str,
    ) -> Result<Reply, GovernorError> {
        self.governor(PATIENCE)?.exception(exception, session_id)
    }

    /// Tells the governor of a block or an approval, beside the spool. Best effort and quick: the
    /// record in the spool says the same.
    pub fn report(&self, start: Start, session_id: &str) {
        if let Ok(mut governor) = self.governor(REPORT_PATIENCE) {
            let _ = governor.report(start, session_id);
        }
    }

    /// A connection to the governor.
    ///
    /// # Errors
    /// Where this machine is not governed or nobody answers.
    pub fn governor(&self, patience: Duration) -> Result<Governor, GovernorError> {
        let Some(governed) = self.installation().governed() else {
            return Err(GovernorError::Refused(
                "this machine is not governed".to_owned(),
            ));
        };
        Governor::connect(
            &governed.places.socket,
            concat!("cmdai ", env!("CARGO_PKG_VERSION")),
            patience,
        )
    }
}
