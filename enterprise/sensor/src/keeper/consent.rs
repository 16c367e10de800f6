//! An approver's own signature under a grant: what the keeper believes of it.
//!
//! The server's grant key says who approved; a [`Proof`] shows it. Its statement must be about this
//! very request, its key must be in the signed list of those who may approve, and its holder must
//! be somebody whom the policy lets answer. Where the policy asks for `webauthn`, every approver of
//! a grant shows a proof, so that whoever has the server's keys alone can approve nothing.

use cmdai_api::machine::{ApproverKey, Approvers, Assent, Consent, Grant};
use cmdai_bundle::assertion::verify_consent;
use cmdai_policy::Factor;
use jiff::Timestamp;

use super::approvals::{Entry, Limits};

/// Rules that ask for a manager begin so.
const MANAGER_RULE: &str = "approval.manager.";

/// What the machine holds grants against, beside its own request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust<'a> {
    /// Keys that may sign grants: raw, base64.
    pub(crate) grant_keys: &'a [String],
    /// Security keys of those who may approve.
    pub(crate) approvers: &'a Approvers,
    /// Organisation.
    pub(crate) organisation: &'a str,
    /// This machine.
    pub(crate) machine_id: &'a str,
}

/// A proof that was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Id of the credential.
    pub(crate) credential_id: String,
    /// The key's own count of signatures.
    pub(crate) counter: u32,
}

/// Holds every proof of a grant against the request.
///
/// # Errors
/// In words, what is not believed.
pub(super) fn verify(
    entry: &Entry,
    grant: &Grant,
    trust: &Trust<'_>,
    limits: &Limits,
) -> Result<Vec<Shown>, String> {
    let webauthn = Factor::Webauthn.as_str();
    let needed = limits.factor_for(rules_of(entry)) == Factor::Webauthn;
    let mut shown: Vec<Shown> = Vec::new();
    let mut people: Vec<String> = Vec::new();
    let mut managers = 0;
    let mut only_managers = 0;
    for assent in &grant.approvers {
        let Some(proof) = &assent.proof else {
            if assent.factor == webauthn || needed {
                return Err(format!(
                    "{} is said to have approved by a security key, and its signature is missing",
                    assent.login
                ));
            }
            continue;
        };
        let who = &assent.login;
        let (consent, key, said) = verify_consent(proof, trust.approvers)
            .map_err(|error| format!("the signature of {who}'s security key: {error}"))?;
        fits(entry, grant, assent, &consent, key, trust)
            .map_err(|what| format!("what {who}'s security key signed {what}"))?;
        let (approver, manager) = entitled(key, limits);
        let manager = manager && asks_manager(entry);
        if !approver && !manager {
            return Err(format!("{who} is not among those who may approve this"));
        }
        managers += u32::from(manager);
        only_managers += u32::from(manager && !approver);
        let person = key.person.to_lowercase();
        if people.contains(&person) {
            return Err(format!("{person} is named twice"));
        }
        people.push(person);
        shown.push(Shown {
            credential_id: key.credential_id.clone(),
            counter: said.counter,
        });
    }
    if !needed {
        return Ok(shown);
    }
    // A manager who is no approver besides has the manager's share and no other.
    let given = u32::try_from(people.len()).unwrap_or(u32::MAX);
    let counted = given.saturating_sub(u32::saturating_sub(only_managers, 1));
    if counted == 0 || counted < limits.people {
        return Err(format!(
            "{counted} approved by a security key, the policy takes {} different people",
            limits.people.max(1)
        ));
    }
    if asks_manager(entry) && managers == 0 {
        return Err("no manager is among those who approved".to_owned());
    }
    Ok(shown)
}

/// Rules that a request asks about.
pub(super) fn rules_of(entry: &Entry) -> &[String] {
    match &entry.open.request.exception {
        Some(asked) => &asked.rules,
        None => &entry.open.request.binding.rules,
    }
}

fn asks_manager(entry: &Entry) -> bool {
    rules_of(entry)
        .iter()
        .any(|rule| rule.starts_with(MANAGER_RULE))
}

/// As an approver, as a manager.
fn entitled(key: &ApproverKey, limits: &Limits) -> (bool, bool) {
    let in_any = |groups: &[String]| groups.iter().any(|group| key.groups.contains(group));
    let approver = if limits.approvers.is_empty() {
        key.security
    } else {
        in_any(&limits.approvers)
    };
    (approver, in_any(&limits.managers))
}

/// Everything that was signed must be what is to be used.
fn fits(
    entry: &Entry,
    grant: &Grant,
    assent: &Assent,
    consent: &Consent,
    key: &ApproverKey,
    trust: &Trust<'_>,
) -> Result<(), &'static str> {
    let open = &entry.open;
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let not_after = |what: &str, most: &str| match (moment(what), moment(most)) {
        (Some(what), Some(most)) => what <= most,
        _ => false,
    };
    let checks = [
        (
            consent.organisation == trust.organisation,
            "is for another organisation",
        ),
        (
            consent.machine_id == trust.machine_id,
            "is for another machine",
        ),
        (
            consent.request_id == open.request_id,
            "is for another request",
        ),
        (consent.user == open.request.user, "is for another person"),
        (
            consent.binding_hash == open.binding_hash,
            "is for another command",
        ),
        (
            consent.rules == rules_of(entry),
            "is an answer to other rules",
        ),
        (
            consent.login == key.login
                && consent.person == key.person
                && assent.login == key.login
                && assent.person.eq_ignore_ascii_case(&key.person),
            "is in somebody else's name",
        ),
        (grant.uses <= consent.uses, "permits fewer uses"),
        (
            not_after(&grant.expires, &consent.expires),
            "ends before the grant does",
        ),
        (
            match (&grant.until, &consent.until) {
                (None, None) => true,
                (Some(until), Some(most)) => not_after(until, most),
                _ => false,
            },
            "ends the exception at another time",
        ),
    ];
    checks
        .into_iter()
        .find(|(holds, _)| !holds)
        .map_or(Ok(()), |(_, what)| Err(what))
}

#[cfg(test)]
mod tests;
