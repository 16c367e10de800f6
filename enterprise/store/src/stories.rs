//! The suite that every engine must pass, written against the traits alone.
//!
//! Each story starts with an empty store. It says what went wrong in words.

use std::collections::BTreeMap;

use cmdai_api::console::{Channel, Role};
use cmdai_api::machine::{BoundRequest, Checkin, Signed};
use cmdai_schema::governor::Binding;
use cmdai_schema::{
    CommandInfo, Decision, Event, EventType, Hash, MachineManifest, MachineRef, Payload,
    PolicyEvaluation, UserRef,
};

use crate::{
    Account, AlertRow, Append, ApprovalRow, Contact, Credential, Decided, Dimension,
    EnrolmentTokenRow, FactorRow, Head, MachineRow, ReleaseRow, Search, Store, StoreError,
    StoredCheckpoint, Terms, Vote, query,
};

/// What went wrong.
pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

macro_rules! ensure {
    ($condition:expr, $($said:tt)+) => {
        if !$condition {
            return Err(format!($($said)+).into());
        }
    };
}

macro_rules! same {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) => ensure!(
                left == right,
                "{}: {left:?} is not {right:?}",
                stringify!($left)
            ),
        }
    };
}

/// A story's start: milliseconds since 1970, on a whole hour.
pub const START_MS: i64 = 1_700_000_400_000 / 3_600_000 * 3_600_000;

/// Makes the next events of a machine's chain: text, decision, milliseconds after [`START_MS`].
///
/// # Errors
/// Never in practice.
pub fn chain(
    machine_id: &str,
    after: Head,
    commands: &[(&str, Decision, i64)],
) -> Result<Append, Box<dyn std::error::Error + Send + Sync>> {
    let mut head = after;
    let mut events = Vec::new();
    for (text, decision, at) in commands {
        let time = jiff::Timestamp::from_millisecond(START_MS + at)?
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string();
        let event_type = if *decision == Decision::Deny {
            EventType::CommandBlocked
        } else {
            EventType::CommandExecuted
        };
        let rules = if *decision == Decision::Allow {
            Vec::new()
        } else {
            vec!["fs.delete-root".to_owned()]
        };
        let payload = Payload {
            machine: MachineRef {
                hostname: format!("host-of-{machine_id}"),
                ..MachineRef::default()
            },
            user: UserRef {
                user_id: "alice".to_owned(),
                team: Some("platform".to_owned()),
                ..UserRef::default()
            },
            command: Some(CommandInfo {
                text: (*text).to_owned(),
                programs: text
                    .split_whitespace()
                    .next()
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                ..CommandInfo::default()
            }),
            policy_evaluation: Some(PolicyEvaluation {
                decision: *decision,
                violated_rules: rules,
                ..PolicyEvaluation::default()
            }),
            ..Payload::default()
        };
        let seq = head.seq + 1;
        let id = format!("{machine_id}-{seq}");
        let event = Event::seal(
            id,
            seq,
            head.hash,
            time,
            event_type,
            machine_id.to_owned(),
            [1; 16],
            payload,
        )?;
        head = Head {
            seq,
            hash: event.hash()?,
        };
        events.push((event, head.hash));
    }
    Ok(Append {
        machine_id: machine_id.to_owned(),
        after,
        events,
        received_ms: START_MS + 3_600_000,
        open: Vec::new(),
        explained: Vec::new(),
    })
}

fn search(text: &str) -> Search {
    Search {
        query: query::parse(text),
        ..Search::default()
    }
}

/// Events are stored once, in order, or not at all.
///
/// # Errors
/// With what went wrong.
pub async fn events_are_stored_once_and_in_order(store: &dyn Store) -> Outcome {
    same!(store.head("m-1").await?, Head::default());
    same!(store.size().await?, 0);
    let first = chain(
        "m-1",
        Head::default(),
        &[("ls", Decision::Allow, 0), ("pwd", Decision::Allow, 10)],
    )?;
    let rows = store.append(first.clone()).await?;
    same!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 2]);
    let head = store.head("m-1").await?;
    same!(head.seq, 2);
    ensure!(
        matches!(
            store.append(first.clone()).await,
            Err(StoreError::Conflict(_))
        ),
        "stored twice"
    );
    // Another machine with an event id that is taken: nothing of the batch stays.
    let mut stolen = chain(
        "m-2",
        Head::default(),
        &[("id", Decision::Allow, 5), ("whoami", Decision::Allow, 6)],
    )?;
    if let (Some((event, _)), Some((taken, _))) = (stolen.events.last_mut(), first.events.first()) {
        event.envelope.event_id.clone_from(&taken.envelope.event_id);
    }
    ensure!(
        matches!(store.append(stolen).await, Err(StoreError::Conflict(_))),
        "an event id stands twice"
    );
    same!(
        (store.size().await?, store.head("m-2").await?),
        (2, Head::default())
    );
    same!(store.count(&search("id"), 10).await?.total, 0);
    store
        .append(chain(
            "m-2",
            Head::default(),
            &[("id", Decision::Allow, 5)],
        )?)
        .await?;
    store
        .append(chain("m-1", head, &[("date", Decision::Allow, 20)])?)
        .await?;
    let after: Vec<(u64, String)> = store
        .rows_after(1, 10)
        .await?
        .into_iter()
        .map(|row| (row.row, row.text))
        .collect();
    same!(
        after,
        [
            (2, "pwd".to_owned()),
            (3, "id".to_owned()),
            (4, "date".to_owned())
        ]
    );
    let (_, _, json) = store
        .read_from(3, 1)
        .await?
        .pop()
        .ok_or("row 3 is missing")?;
    same!(
        serde_json::from_str::<Event>(&json)?.envelope.machine_id,
        "m-2"
    );
    let hashes = store.hashes_from(1, 100).await?;
    same!((hashes.len(), hashes.get(1).copied()), (4, Some(head.hash)));
    same!(
        store.heads_before(3).await?,
        BTreeMap::from([("m-1".to_owned(), head)])
    );
    same!(store.chains().await?.len(), 2);
    same!(
        store
            .row_range(Some(START_MS + 5), Some(START_MS + 20))
            .await?,
        Some((2, 3))
    );
    same!(store.row_range(Some(START_MS + 5_000), None).await?, None);
    Ok(())
}

/// A search finds exactly what fits, in the order of time, page by page.
///
/// # Errors
/// With what went wrong.
pub async fn searches_find_what_fits(store: &dyn Store) -> Outcome {
    let commands = [
        ("git status", Decision::Allow, 0),
        ("terraform apply -auto-approve", Decision::Allow, 1_000),
        ("rm -rf / --no-preserve-root", Decision::Deny, 2_000),
        ("echo 100% of_it", Decision::Allow, 3_000),
        ("echo 100 percent", Decision::Warn, 4_000),
        ("curl https://example.com/x", Decision::Confirm, 5_000),
    ];
    store
        .append(chain("m-1", Head::default(), &commands)?)
        .await?;
    store
        .append(chain(
            "m-2",
            Head::default(),
            &[("git push --force", Decision::Deny, 500)],
        )?)
        .await?;
    for (text, expected) in [
        ("", 7),
        ("git", 2),
        ("GIT", 2),
        ("git -push", 1),
        ("rm", 2),
        ("100%", 1),
        ("of_it", 1),
        ("ofXit", 0),
        ("\"rm -rf\"", 1),
        ("https://example.com", 1),
        ("user:alice", 7),
        ("user:bob", 0),
        ("-user:alice", 0),
        ("machine:m-2", 1),
        ("machine:host-of-m-2", 1),
        ("-machine:m-2", 6),
        ("program:git", 2),
        ("program:git,rm", 3),
        ("-program:git", 5),
        ("decision:deny", 2),
        ("decision:deny,warn", 3),
        ("-decision:allow", 4),
        ("rule:fs.delete-root", 4),
        ("type:command_blocked", 2),
        ("team:platform risk:safe origin:human", 7),
        ("agent:codex", 0),
        ("-agent:codex", 7),
        ("program:git decision:deny push", 1),
    ] {
        let found = store.count(&search(text), 100).await?.total;
        ensure!(
            found == expected,
            "{text:?}: {found} rows instead of {expected}"
        );
        let page = store.search(&search(text), None, 100).await?;
        ensure!(
            page.rows.len() as u64 == expected && page.next.is_none(),
            "{text:?}: the page does not agree with the count"
        );
        ensure!(
            page.rows.is_sorted_by(|a, b| a.time_ms >= b.time_ms),
            "{text:?}: not newest first"
        );
        let scan = store.scan(&search(text), None, 100).await?;
        ensure!(
            scan.len() as u64 == expected && scan.is_sorted_by(|a, b| a.0.time_ms <= b.0.time_ms),
            "{text:?}: the scan does not agree"
        );
    }
    let mut seen = Vec::new();
    let mut at = None;
    loop {
        let page = store.search(&search("user:alice"), at, 3).await?;
        seen.extend(page.rows.into_iter().map(|row| row.event_id));
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    same!(seen.len(), 7);
    seen.dedup();
    same!(seen.len(), 7);
    let bounded = store.count(&search(""), 5).await?;
    same!((bounded.total, bounded.bounded), (5, true));
    let span = Search {
        from_ms: Some(START_MS + 1_000),
        to_ms: Some(START_MS + 3_000),
        ..Search::default()
    };
    same!(store.count(&span, 100).await?.total, 2);
    Ok(())
}

/// Roll-ups and histograms count what is stored, once.
///
/// # Errors
/// With what went wrong.
pub async fn counts_agree_with_events(store: &dyn Store) -> Outcome {
    const HOUR: i64 = 3_600_000;
    let commands = [
        ("ls", Decision::Allow, 0),
        ("rm -rf /", Decision::Deny, 1_000),
        ("ls", Decision::Allow, HOUR + 1),
    ];
    store
        .append(chain("m-1", Head::default(), &commands)?)
        .await?;
    let head = store.head("m-1").await?;
    store
        .append(chain("m-1", head, &[("ls -l", Decision::Allow, HOUR + 2)])?)
        .await?;
    let hour = START_MS / HOUR;
    let sum = |rolled: Vec<crate::Rolled>| rolled.iter().map(|rolled| rolled.count).sum::<u64>();
    same!(sum(store.rolled(Dimension::All, hour, hour + 2).await?), 4);
    same!(
        sum(store.rolled(Dimension::All, hour + 1, hour + 2).await?),
        2
    );
    same!(
        sum(store
            .rolled(Dimension::MachineViolation, hour, hour + 2)
            .await?),
        1
    );
    let rule = store.rolled(Dimension::Rule, hour, hour + 2).await?;
    same!(
        rule.first()
            .map(|rolled| (rolled.key.as_str(), rolled.decision, rolled.count)),
        Some(("fs.delete-root", Some("deny"), 1))
    );
    // From the roll-ups and from the events: the same.
    let rolled = store
        .histogram(&search(""), START_MS, START_MS + 2 * HOUR, HOUR)
        .await?;
    let counted = store
        .histogram(&search("user:alice"), START_MS, START_MS + 2 * HOUR, HOUR)
        .await?;
    let sorted = |mut list: Vec<(u32, Option<&'static str>, u64)>| {
        list.sort();
        list
    };
    let (rolled, counted) = (sorted(rolled), sorted(counted));
    same!(rolled, counted);
    same!(
        rolled,
        [
            (0, Some("allow"), 1),
            (0, Some("deny"), 1),
            (1, Some("allow"), 2)
        ]
    );
    let checkpoint = StoredCheckpoint {
        tree_size: 4,
        root: Hash::of(&[b"root"]),
        note: "note".to_owned(),
        time_ms: START_MS,
    };
    store.add_checkpoint(checkpoint.clone(), "{}").await?;
    same!(store.checkpoint().await?, Some(checkpoint));
    same!(store.setting("ledger-edge").await?.as_deref(), Some("{}"));
    Ok(())
}

/// Accounts, sessions and tokens.
///
/// # Errors
/// With what went wrong.
pub async fn accounts_come_and_go(store: &dyn Store) -> Outcome {
    let account = Account {
        login: "sami".to_owned(),
        role: Role::Security,
        person: "sami".to_owned(),
        password_hash: "$argon2id$".to_owned(),
        initial: false,
        created_ms: START_MS,
        last_seen_ms: None,
        groups: vec!["sre".to_owned()],
        chat: None,
    };
    ensure!(
        store.add_account(&account).await?,
        "a new login was refused"
    );
    ensure!(
        !store.add_account(&account).await?,
        "a login was given twice"
    );
    let credential = Credential {
        hash: [7; 32],
        kind: "session".to_owned(),
        name: "browser".to_owned(),
        login: "sami".to_owned(),
        created_ms: START_MS,
        expires_ms: START_MS + 1_000,
    };
    store.add_credential(&credential).await?;
    same!(
        store.credential([7; 32], START_MS).await?,
        Some((credential, account))
    );
    same!(store.credential([7; 32], START_MS + 1_000).await?, None);
    same!(store.credential([8; 32], START_MS).await?, None);
    let token = Credential {
        hash: [9; 32],
        kind: "token".to_owned(),
        name: "ci".to_owned(),
        login: "sami".to_owned(),
        created_ms: START_MS,
        expires_ms: START_MS + 1_000,
    };
    store.add_credential(&token).await?;
    same!(store.tokens(Some("sami")).await?.first(), Some(&token));
    same!(store.tokens(Some("vera")).await?.len(), 0);
    same!(store.tokens(None).await?.len(), 1);
    let groups = ["managers".to_owned()];
    ensure!(
        store
            .change_account("sami", Role::Viewer, &groups, Some("U1"))
            .await?,
        "the account was not changed"
    );
    store.set_password("sami", "$other$", [7; 32]).await?;
    let changed = store.account("sami").await?.ok_or("the account is gone")?;
    same!(
        (
            changed.role,
            changed.groups,
            changed.chat.as_deref(),
            changed.password_hash.as_str()
        ),
        (Role::Viewer, groups.to_vec(), Some("U1"), "$other$")
    );
    ensure!(
        store.credential([7; 32], START_MS).await?.is_some(),
        "the session that changed the password ended"
    );
    ensure!(
        store.credential([9; 32], START_MS).await?.is_none(),
        "a token outlived the password"
    );
    ensure!(store.delete_account("sami").await?, "the account stayed");
    same!(store.credential([7; 32], START_MS).await?, None);
    ensure!(
        !store.delete_account("sami").await?,
        "an account was removed twice"
    );
    Ok(())
}

fn signed(payload: &str) -> Signed {
    Signed {
        payload: payload.to_owned(),
        key_id: "k".to_owned(),
        signature: "s".to_owned(),
    }
}

fn machine(id: &str) -> MachineRow {
    MachineRow {
        machine_id: id.to_owned(),
        manifest: MachineManifest {
            hostname: "dev-1".to_owned(),
            ..MachineManifest::default()
        },
        person: "mallory".to_owned(),
        teams: Vec::new(),
        labels: BTreeMap::new(),
        fingerprint: "f".to_owned(),
        fingerprint_next: String::new(),
        revoked: None,
        enrolled_ms: START_MS,
        last_seen_ms: None,
        retired: false,
        quarantine: None,
        order_done: 0,
        order_last: 0,
        policy_version: String::new(),
        policy_digest: String::new(),
        policy_problem: None,
        head_seq: 0,
        queued: 0,
    }
}

/// A certificate is renewed, revoked, and its machine retired.
///
/// # Errors
/// With what went wrong.
pub async fn machines_renew_and_end(store: &dyn Store) -> Outcome {
    let token = EnrolmentTokenRow {
        id: "renewing".to_owned(),
        secret_hash: [1; 32],
        person: "alice".to_owned(),
        teams: Vec::new(),
        labels: BTreeMap::new(),
        uses_left: 1,
        expires_ms: START_MS + 1_000,
        made_by: "admin".to_owned(),
    };
    store.add_enrolment_token(&token).await?;
    let made = store
        .enrol("renewing", [1; 32], START_MS, machine("m-renewing"))
        .await?;
    same!(made.is_some(), true);
    let prints = || async {
        let row = store
            .machine("m-renewing")
            .await?
            .ok_or(StoreError::Conflict("the machine is gone"))?;
        Ok::<_, StoreError>((row.fingerprint, row.fingerprint_next))
    };
    store.offer_certificate("m-renewing", "g").await?;
    same!(prints().await?, ("f".to_owned(), "g".to_owned()));
    // Another one than the offered one changes nothing.
    store.use_certificate("m-renewing", "h").await?;
    same!(prints().await?, ("f".to_owned(), "g".to_owned()));
    store.use_certificate("m-renewing", "g").await?;
    store.use_certificate("m-renewing", "g").await?;
    same!(prints().await?, ("g".to_owned(), String::new()));
    store.revoke_machine("m-renewing", "stolen").await?;
    store.revoke_machine("m-renewing", "again").await?;
    store.retire_machine("m-renewing").await?;
    let row = store
        .machine("m-renewing")
        .await?
        .ok_or("the machine is gone")?;
    same!(
        (row.revoked.as_deref(), row.retired),
        (Some("stolen"), true)
    );
    Ok(())
}

/// Machines enrol with a token, report, and get orders.
///
/// # Errors
/// With what went wrong.
pub async fn machines_enrol_and_obey(store: &dyn Store) -> Outcome {
    let token = EnrolmentTokenRow {
        id: "t".to_owned(),
        secret_hash: [1; 32],
        person: "alice".to_owned(),
        teams: vec!["platform".to_owned()],
        labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        uses_left: 1,
        expires_ms: START_MS + 1_000,
        made_by: "admin".to_owned(),
    };
    store.add_enrolment_token(&token).await?;
    same!(
        store.enrol("t", [2; 32], START_MS, machine("m-1")).await?,
        None
    );
    same!(
        store
            .enrol("t", [1; 32], START_MS + 1_000, machine("m-1"))
            .await?,
        None
    );
    let enrolled = store
        .enrol("t", [1; 32], START_MS, machine("m-1"))
        .await?
        .ok_or("the right token was refused")?;
    same!(
        (
            enrolled.person.as_str(),
            enrolled.teams.len(),
            enrolled.labels.len()
        ),
        ("alice", 1, 1)
    );
    same!(
        store.enrol("t", [1; 32], START_MS, machine("m-2")).await?,
        None
    );
    same!(store.machine("m-1").await?, Some(enrolled));
    let checkin = Checkin {
        policy_version: "4".to_owned(),
        order_serial: 0,
        head_seq: 9,
        ..Checkin::default()
    };
    let contact = Contact {
        machine_id: "m-1".to_owned(),
        seen_ms: START_MS + 5,
        checkin: Some(checkin),
    };
    store
        .contacts(&[
            contact,
            Contact {
                machine_id: "m-1".to_owned(),
                seen_ms: START_MS + 9,
                checkin: None,
            },
        ])
        .await?;
    let seen = store.machine("m-1").await?.ok_or("the machine is gone")?;
    same!(
        (
            seen.last_seen_ms,
            seen.policy_version.as_str(),
            seen.head_seq
        ),
        (Some(START_MS + 9), "4", 9)
    );
    store
        .order("m-1", Some("stolen"), 1, &signed("one"))
        .await?;
    ensure!(
        matches!(
            store.order("m-1", None, 1, &signed("again")).await,
            Err(StoreError::Conflict(_))
        ),
        "an order's number was used twice"
    );
    store.order("m-1", None, 2, &signed("two")).await?;
    same!(store.orders_after("m-1", 1).await?, [signed("two")]);
    let machines = store.machines().await?;
    same!(
        machines
            .iter()
            .map(|row| (row.order_last, row.quarantine.clone()))
            .collect::<Vec<_>>(),
        [(2, None)]
    );
    Ok(())
}

/// A request is decided once, lapses, and is used up once.
///
/// # Errors
/// With what went wrong.
pub async fn requests_are_decided_once(store: &dyn Store) -> Outcome {
    let request = BoundRequest {
        binding: Binding::default(),
        user: "alice".to_owned(),
        uid: 1000,
        files: BTreeMap::new(),
        exception: None,
    };
    let row = |id: &str| ApprovalRow {
        id: id.to_owned(),
        kind: "command".to_owned(),
        terms: Terms::default(),
        machine_id: "m-1".to_owned(),
        hostname: "dev-1".to_owned(),
        request: request.clone(),
        binding_hash: "h".to_owned(),
        reason: None,
        session_id: "s".to_owned(),
        status: "pending".to_owned(),
        created_ms: START_MS,
        expires_ms: START_MS + 1_000,
        approver: None,
        decision_reason: None,
        decided_ms: None,
        signed: None,
    };
    ensure!(
        store.open_approval(&row("A")).await?,
        "a new request was refused"
    );
    ensure!(
        !store.open_approval(&row("A")).await?,
        "a request was opened twice"
    );
    store.open_approval(&row("B")).await?;
    same!(store.pending_approvals("m-1", "alice", START_MS).await?, 2);
    same!(
        store
            .pending_approvals("m-1", "alice", START_MS + 1)
            .await?,
        0
    );
    same!(store.pending_approvals("m-1", "root", START_MS).await?, 0);
    same!(store.pending_of_session("m-1", "s", START_MS).await?, 2);
    same!(store.asked_since("m-1", "alice", START_MS).await?, 2);
    let vote = |person: &str, login: &str| Vote {
        request_id: "A".to_owned(),
        person: person.to_owned(),
        login: login.to_owned(),
        approve: true,
        factor: "totp".to_owned(),
        reason: "fine".to_owned(),
        time_ms: START_MS + 5,
        proof: Some(format!("{{\"by\":\"{login}\"}}")),
    };
    ensure!(
        store.add_vote(&vote("sami", "sami")).await?,
        "a first vote was refused"
    );
    ensure!(
        !store.add_vote(&vote("sami", "sami-admin")).await?,
        "a person voted twice, under two accounts"
    );
    ensure!(
        store.add_vote(&vote("maya", "maya")).await?,
        "a second person's vote was refused"
    );
    same!(store.votes("A").await?.len(), 2);
    same!(store.votes("B").await?.len(), 0);
    same!(store.votes_since(START_MS).await?.len(), 2);
    let decided = Decided {
        status: "granted".to_owned(),
        approver: "sami".to_owned(),
        reason: "fine".to_owned(),
        decided_ms: START_MS + 10,
        exception_until_ms: Some(START_MS + 500),
        signed: signed("grant"),
    };
    ensure!(
        store.decide_approval("A", &decided).await?,
        "a pending request could not be decided"
    );
    ensure!(
        !store.decide_approval("A", &decided).await?,
        "a request was decided twice"
    );
    same!(store.lapsed_approvals(START_MS + 999).await?.len(), 0);
    same!(
        store
            .lapsed_approvals(START_MS + 1_000)
            .await?
            .iter()
            .map(|row| row.id.clone())
            .collect::<Vec<_>>(),
        ["B"]
    );
    store.consume_approval("m-2", "A").await?;
    same!(
        store.approval("A").await?.map(|row| row.status),
        Some("granted".to_owned())
    );
    store.consume_approval("m-1", "A").await?;
    store.consume_approval("m-1", "B").await?;
    same!(store.approvals(Some("consumed"), 10).await?.len(), 1);
    same!(store.approvals(None, 10).await?.len(), 2);

    let order = signed("revoke");
    ensure!(
        store
            .revoke_exception("A", "maya", "over", START_MS + 1, ("m-1", 1, &order))
            .await?,
        "an exception could not be taken back"
    );
    ensure!(
        !store
            .revoke_exception("A", "maya", "over", START_MS + 1, ("m-1", 2, &order))
            .await?,
        "an exception was taken back twice"
    );
    same!(store.orders_after("m-1", 0).await?, [order]);
    same!(
        store
            .exceptions(10)
            .await?
            .iter()
            .map(|row| row.revoked_by.clone())
            .collect::<Vec<_>>(),
        [Some("maya".to_owned())]
    );
    store.add_emergency("B", START_MS + 100).await?;
    same!(store.late_emergencies(START_MS + 99).await?.len(), 0);
    same!(store.late_emergencies(START_MS + 100).await?.len(), 1);
    store.late_told("B").await?;
    same!(store.late_emergencies(START_MS + 100).await?.len(), 0);
    ensure!(
        store
            .review_emergency("B", "maya", "justified", "n", START_MS + 2)
            .await?,
        "an emergency could not be reviewed"
    );
    ensure!(
        !store
            .review_emergency("B", "sami", "unjustified", "n", START_MS + 3)
            .await?,
        "an emergency was reviewed twice"
    );
    same!(
        store.emergency("B").await?.and_then(|row| row.verdict),
        Some("justified".to_owned())
    );
    same!(store.emergencies(10).await?.len(), 1);
    Ok(())
}

/// A code counts once; a factor goes with its account.
///
/// # Errors
/// With what went wrong.
pub async fn second_factors_count_once(store: &dyn Store) -> Outcome {
    let account = Account {
        login: "sami".to_owned(),
        role: Role::Security,
        person: "sami".to_owned(),
        password_hash: "$argon2id$".to_owned(),
        initial: false,
        created_ms: START_MS,
        last_seen_ms: None,
        groups: Vec::new(),
        chat: None,
    };
    store.add_account(&account).await?;
    let factor = FactorRow {
        id: "f-1".to_owned(),
        login: "sami".to_owned(),
        kind: "totp".to_owned(),
        name: "telephone".to_owned(),
        secret: "00".to_owned(),
        confirmed: false,
        counter: 0,
        created_ms: START_MS,
        last_used_ms: None,
    };
    store.add_factor(&factor).await?;
    same!(store.factors_of_kind("totp").await?.len(), 0);
    ensure!(store.use_factor("f-1", 7, START_MS).await?, "a first code");
    ensure!(!store.use_factor("f-1", 7, START_MS).await?, "a code twice");
    ensure!(!store.use_factor("f-1", 6, START_MS).await?, "an old code");
    same!(store.factors_of_kind("totp").await?.len(), 1);
    store
        .set_recovery_codes("sami", &[[1; 32], [2; 32]])
        .await?;
    ensure!(
        store.use_recovery_code("sami", [1; 32]).await?,
        "a recovery code"
    );
    ensure!(
        !store.use_recovery_code("sami", [1; 32]).await?,
        "a recovery code twice"
    );
    same!(store.recovery_codes("sami").await?, 1);
    ensure!(
        !store.delete_factor("vera", "f-1").await?,
        "somebody else's factor was removed"
    );
    ensure!(
        store.delete_factor("sami", "f-1").await?,
        "a factor could not be removed"
    );
    same!(store.factors("sami").await?, []);
    Ok(())
}

/// Alerts, channels, releases.
///
/// # Errors
/// With what went wrong.
pub async fn alerts_channels_and_releases(store: &dyn Store) -> Outcome {
    let mut alert = AlertRow {
        id: "a".to_owned(),
        detection: "tamper".to_owned(),
        key: "m-1".to_owned(),
        status: "open".to_owned(),
        severity: "high".to_owned(),
        title: "t".to_owned(),
        summary: "s".to_owned(),
        machine_id: None,
        hostname: None,
        user: None,
        event_ids: vec!["e".to_owned()],
        count: 1,
        occurred_ms: START_MS,
        created_ms: START_MS,
        notified_ms: None,
        assignee: None,
        disposition: None,
        notes: Vec::new(),
    };
    store.add_alert(&alert).await?;
    same!(
        store.recent_alert("tamper", "m-1", START_MS).await?,
        Some(alert.clone())
    );
    same!(
        store.recent_alert("tamper", "m-1", START_MS + 1).await?,
        None
    );
    store.alert_notified("a", START_MS + 2).await?;
    store.alert_notified("a", START_MS + 3).await?;
    alert.status = "closed".to_owned();
    store.save_alert(&alert).await?;
    same!(
        store.alert("a").await?.and_then(|alert| alert.notified_ms),
        Some(START_MS + 2)
    );
    same!(
        (
            store.open_alerts().await?,
            store.alerts(Some("closed"), 9).await?.len()
        ),
        (0, 1)
    );

    let mut channel = Channel {
        id: "chat".to_owned(),
        kind: "webhook".to_owned(),
        url: "https://example.com".to_owned(),
        min_severity: "low".to_owned(),
        secret: Some("secret".to_owned()),
        enabled: true,
    };
    store.put_channel(&channel).await?;
    channel.secret = None;
    channel.enabled = false;
    store.put_channel(&channel).await?;
    let kept = store.channels().await?.pop().ok_or("the channel is gone")?;
    same!(
        (kept.secret.as_deref(), kept.enabled),
        (Some("secret"), false)
    );
    ensure!(
        store.delete_channel("chat").await? && !store.delete_channel("chat").await?,
        "the channel did not go once"
    );

    let release = ReleaseRow {
        version: 1,
        source: "x".to_owned(),
        sha256: "y".to_owned(),
        published_by: "admin".to_owned(),
        published_ms: START_MS,
        note: "first".to_owned(),
        impact: Some("{}".to_owned()),
        reviewed_by: "sami".to_owned(),
    };
    store.add_release(&release).await?;
    ensure!(
        matches!(
            store.add_release(&release).await,
            Err(StoreError::Conflict(_))
        ),
        "a version was published twice"
    );
    store
        .add_release(&ReleaseRow {
            version: 2,
            ..release
        })
        .await?;
    same!(
        store
            .releases()
            .await?
            .iter()
            .map(|release| release.version)
            .collect::<Vec<_>>(),
        [2, 1]
    );
    store.set_setting("k", "v").await?;
    store.set_setting("k", "w").await?;
    same!(store.setting("k").await?.as_deref(), Some("w"));
    Ok(())
}
