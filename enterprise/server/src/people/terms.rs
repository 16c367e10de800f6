//! What a request takes to be granted: thresholds, who counts, and who never does.

use std::sync::{Arc, PoisonError};

use cmdai_api::console::Role;
use cmdai_policy::{Document, Factor};
use cmdai_store::{Account, ApprovalRow, Terms, Vote};

use crate::app::App;
use crate::failure::{Answer, Failure};

/// Group of managers where the policy names none.
const MANAGERS: &str = "managers";
/// Rules that ask for a manager begin so.
const MANAGER_RULE: &str = "approval.manager.";
/// Most people that a policy may ask for.
const MOST_PEOPLE: u32 = 20;
/// Most uses of one grant.
const MOST_USES: u32 = 1_000;

/// The policy in force; an empty one before the first.
pub(crate) async fn policy(app: &App) -> Answer<Arc<Document>> {
    let version = app.bells.policy_version();
    {
        let known = app.policy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, document)) = known.as_ref().filter(|(known, _)| *known == version) {
            return Ok(Arc::clone(document));
        }
    }
    let releases = app.store.releases().await?;
    let document = match releases.first() {
        None => Arc::new(Document::default()),
        Some(release) => {
            let set = cmdai_policy::parse(&release.source, "policy.yaml")
                .map_err(|error| Failure::internal(&error))?;
            Arc::new(set.document().clone())
        }
    };
    // By what was read, not by what was asked: a release may have come in between.
    let version = releases.first().map_or(version, |release| release.version);
    *app.policy.lock().unwrap_or_else(PoisonError::into_inner) =
        Some((version, Arc::clone(&document)));
    Ok(document)
}

/// What a request with these rules takes now.
pub(crate) fn terms(document: &Document, version: u64, rules: &[String]) -> Terms {
    let approvals = &document.approvals;
    let managers = if rules.iter().any(|rule| rule.starts_with(MANAGER_RULE)) {
        if approvals.managers.is_empty() {
            vec![MANAGERS.to_owned()]
        } else {
            approvals.managers.clone()
        }
    } else {
        Vec::new()
    };
    Terms {
        needed: approvals.quorum.unwrap_or(1).clamp(1, MOST_PEOPLE),
        groups: approvals.approvers.clone(),
        managers,
        factor: document.factor_for(rules).as_str().to_owned(),
        uses: approvals.max_uses.unwrap_or(1).clamp(1, MOST_USES),
        policy_version: version,
    }
}

/// True where the first factor proves at least as much as the second; a word that is not known
/// proves nothing.
pub(crate) fn proves(factor: &str, needed: &str) -> bool {
    match (Factor::of(factor), Factor::of(needed)) {
        (Some(factor), Some(needed)) => factor >= needed,
        _ => false,
    }
}

/// A name in its one spelling: from a mail address or with a domain before it too.
pub(crate) fn short(name: &str) -> String {
    let name = name.rsplit('\\').next().unwrap_or(name);
    name.split('@').next().unwrap_or(name).trim().to_lowercase()
}

/// True where a name says who somebody is.
pub(crate) fn is_known(person: &str) -> bool {
    let person = short(person);
    !person.is_empty()
        && !person.bytes().all(|byte| byte.is_ascii_digit())
        && !["unknown", "nobody", "none", "null", "-", "?", "root"].contains(&person.as_str())
}

/// Everybody who may be the one that asks: the login, and the person whose machine it is, who may
/// have other accounts on it.
///
/// # Errors
/// Where nobody knows who asks: then nobody can be told apart from them.
pub(crate) async fn askers(app: &App, approval: &ApprovalRow) -> Answer<Vec<String>> {
    let machine = app.store.machine(&approval.machine_id).await?;
    let login = approval.request.user.as_str();
    let found: Vec<String> = std::iter::once(login.to_owned())
        .chain(machine.map(|machine| machine.person))
        .filter(|name| is_known(name))
        .map(|name| short(&name))
        .collect();
    if found.is_empty() {
        return Err(Failure::forbidden(
            "nobody knows who asks, so nobody can decide; enrol the machine for a person",
        ));
    }
    Ok(found)
}

/// Somebody who may decide about a request that is not their own.
///
/// # Errors
/// Where the account names no person, or the person is among those who may have asked.
pub(crate) fn must_be_other(login: &str, person: &str, askers: &[String]) -> Answer<()> {
    if !is_known(person) {
        return Err(Failure::forbidden(
            "your account does not say who you are on machines; an administrator has to make one that does",
        ));
    }
    if askers.contains(&short(person)) || askers.contains(&short(login)) {
        return Err(Failure::forbidden(
            "nobody decides about their own request; ask somebody else",
        ));
    }
    Ok(())
}

fn in_any(groups: &[String], of: &[String]) -> bool {
    of.iter().any(|group| groups.contains(group))
}

fn is_manager(terms: &Terms, account: &Account) -> bool {
    in_any(&account.groups, &terms.managers)
}

fn is_approver(terms: &Terms, account: &Account) -> bool {
    if terms.groups.is_empty() {
        account.role.may(Role::Security)
    } else {
        in_any(&account.groups, &terms.groups)
    }
}

/// True where the account may answer.
pub(crate) fn is_entitled(terms: &Terms, account: &Account) -> bool {
    is_approver(terms, account) || is_manager(terms, account)
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// People who said yes and count.
    pub(crate) given: u32,
    /// A manager is among them, where one is needed.
    pub(crate) manager: bool,
    /// Votes that count.
    pub(crate) counted: Vec<Vote>,
}

impl Tally {
    pub(crate) fn is_enough(&self, terms: &Terms) -> bool {
        self.given >= terms.needed.max(1) && (self.manager || terms.managers.is_empty())
    }
}

/// Counts the votes that stand today: of accounts that are there, of the same person as then, still
/// entitled, with a factor that is enough, not of whoever asks. Each person counts once. Of managers
/// who are no approvers besides, one counts: they have the manager's share and no other.
pub(crate) fn tally(
    terms: &Terms,
    votes: &[Vote],
    accounts: &[Account],
    askers: &[String],
) -> Tally {
    let mut tally = Tally::default();
    let mut people: Vec<&str> = Vec::new();
    let mut only_managers = 0;
    for vote in votes.iter().filter(|vote| vote.approve) {
        let Some(account) = accounts.iter().find(|account| account.login == vote.login) else {
            continue;
        };
        let stands = short(&account.person) == vote.person
            && must_be_other(&account.login, &account.person, askers).is_ok()
            && proves(&vote.factor, &terms.factor)
            && !people.contains(&vote.person.as_str());
        if !stands {
            continue;
        }
        let (approver, manager) = (is_approver(terms, account), is_manager(terms, account));
        if !approver && !manager {
            continue;
        }
        if !approver {
            only_managers += 1;
            if only_managers > 1 {
                continue;
            }
        }
        tally.manager |= manager;
        people.push(&vote.person);
        tally.counted.push(vote.clone());
    }
    tally.given = u32::try_from(people.len()).unwrap_or(u32::MAX);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(login: &str, person: &str, role: Role, groups: &[&str]) -> Account {
        Account {
            login: login.to_owned(),
            role,
            person: person.to_owned(),
            password_hash: String::new(),
            initial: false,
            created_ms: 0,
            last_seen_ms: None,
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            chat: None,
        }
    }

    fn vote(login: &str, person: &str, factor: &str) -> Vote {
        Vote {
            request_id: "R".to_owned(),
            person: short(person),
            login: login.to_owned(),
            approve: true,
            factor: factor.to_owned(),
            reason: String::new(),
            time_ms: 0,
            proof: None,
        }
    }

    fn enough(terms: &Terms, votes: &[Vote], accounts: &[Account]) -> bool {
        tally(terms, votes, accounts, &["alice".to_owned()]).is_enough(terms)
    }

    #[test]
    fn people_count_and_not_accounts_or_groups() {
        let terms = Terms {
            needed: 2,
            groups: vec!["sec".to_owned(), "sre".to_owned()],
            ..Terms::default()
        };
        let accounts = [
            account("bob", "bob", Role::Viewer, &["sec", "sre"]),
            account("bob2", "Bob@example.org", Role::Administrator, &["sec"]),
            account("cleo", "cleo", Role::Viewer, &["sre"]),
            account("dan", "dan", Role::Administrator, &[]),
            account("alice", "alice", Role::Administrator, &["sec", "sre"]),
            account("ghost", "unknown", Role::Administrator, &["sec"]),
        ];
        let bob = vote("bob", "bob", "password");
        let counts = |more: Vote| enough(&terms, &[bob.clone(), more], &accounts);
        assert!(
            !enough(&terms, std::slice::from_ref(&bob), &accounts),
            "one of two groups"
        );
        assert!(
            !counts(vote("bob2", "bob", "password")),
            "the same person again"
        );
        assert!(
            !counts(vote("dan", "dan", "password")),
            "no group, whatever the role"
        );
        assert!(!counts(vote("alice", "alice", "password")), "whoever asks");
        assert!(
            !counts(vote("ghost", "unknown", "password")),
            "nobody knows who"
        );
        assert!(
            !counts(vote("gone", "gone", "password")),
            "the account is gone"
        );
        assert!(
            !counts(vote("cleo", "carl", "password")),
            "the account is another person's now"
        );
        assert!(counts(vote("cleo", "cleo", "password")));
    }

    #[test]
    fn a_manager_is_one_of_them_and_has_one_share() {
        let terms = Terms {
            needed: 2,
            groups: vec!["sre".to_owned()],
            managers: vec!["managers".to_owned()],
            ..Terms::default()
        };
        let accounts = [
            account("s1", "s1", Role::Viewer, &["sre"]),
            account("s2", "s2", Role::Viewer, &["sre"]),
            account("m1", "m1", Role::Viewer, &["managers"]),
            account("m2", "m2", Role::Viewer, &["managers"]),
            account("both", "both", Role::Viewer, &["sre", "managers"]),
        ];
        let said = |logins: &[&str]| {
            let votes: Vec<Vote> = logins
                .iter()
                .map(|&login| vote(login, login, "totp"))
                .collect();
            enough(&terms, &votes, &accounts)
        };
        assert!(!said(&["s1", "s2"]), "no manager");
        assert!(!said(&["both"]), "one person in two groups is one person");
        assert!(!said(&["m1", "m2"]), "the manager's share is one");
        assert!(said(&["s1", "m1"]));
        assert!(said(&["both", "m1"]));
        assert!(said(&["both", "s1"]));
    }

    #[test]
    fn a_weaker_factor_or_a_word_that_is_not_known_counts_for_nothing() {
        let terms = Terms {
            factor: "totp".to_owned(),
            ..Terms::default()
        };
        let accounts = [account("bob", "bob", Role::Security, &[])];
        let with = |factor: &str| enough(&terms, &[vote("bob", "bob", factor)], &accounts);
        assert!(!with("password") && !with("telepathy"));
        assert!(with("totp"));
        assert!(!proves("totp", "new-kind"));
    }

    #[test]
    fn names_in_every_spelling() {
        assert_eq!(short("ACME\\Alice"), "alice");
        assert_eq!(short("Alice@example.org"), "alice");
        for unknown in ["", " ", "unknown", "0", "10234", "root", "-"] {
            assert!(!is_known(unknown), "{unknown:?}");
        }
        assert!(is_known("alice"));
    }
}
