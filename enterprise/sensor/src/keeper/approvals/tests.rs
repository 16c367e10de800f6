//! The table across crashes, copies, damage and grants that do not fit.

use cmdai_api::machine::Approvers;
use cmdai_bundle::{SigningKey, keys, sign_statement};
use cmdai_policy::Factor;

use super::*;

fn table(dir: &Path) -> Approvals {
    opened(dir, 0).0
}

fn opened(dir: &Path, floor: u64) -> (Approvals, Option<String>) {
    Approvals::open(
        dir.join("approvals.json"),
        dir.join("approvals.serial"),
        &dir.join("salt"),
        Duration::from_secs(600),
        floor,
    )
    .unwrap()
}

fn ask(table: &mut Approvals, text: &str) -> Reply {
    let asker = Asker {
        uid: 1000,
        login: "ann".into(),
    };
    let binding = Binding {
        text: text.into(),
        exact: text.into(),
        ..Binding::default()
    };
    let (bound, hash) = table
        .bind(binding, &asker, Default::default(), None)
        .unwrap();
    table.ask(bound, hash, None, "s".into(), None).unwrap()
}

fn grant(table: &Approvals, granted: bool) -> Grant {
    let entry = table.entries.last().unwrap();
    Grant {
        version: 1,
        grant_id: "g-1".into(),
        request_id: entry.id().into(),
        granted,
        machine_id: "m-1".into(),
        user: "ann".into(),
        binding_hash: entry.open.binding_hash.clone(),
        approver: "maya".into(),
        factor: "password".into(),
        reason: "go".into(),
        issued: "2026-01-01T00:00:00Z".into(),
        expires: "2999-01-01T00:00:00Z".into(),
        uses: 1,
        approvers: Vec::new(),
        until: None,
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[6; 32])
}

fn decide(table: &mut Approvals, grant: &Grant) -> Vec<String> {
    decide_under(table, grant, &Limits::default())
}

fn decide_under(table: &mut Approvals, grant: &Grant, limits: &Limits) -> Vec<String> {
    let keys = [keys::public_base64(&key())];
    let trust = Trust {
        grant_keys: &keys,
        approvers: &Approvers::default(),
        organisation: "acme",
        machine_id: "m-1",
    };
    let grants = [sign_statement(&key(), grant).unwrap()];
    table.decide(&grants, &trust, limits).unwrap()
}

#[test]
fn a_grant_is_used_once_also_across_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = table(dir.path());
    let Reply::Pending { request_id } = ask(&mut one, "rm -rf build") else {
        panic!()
    };
    assert_eq!(
        ask(&mut one, "rm -rf build"),
        Reply::Pending {
            request_id: request_id.clone()
        }
    );
    assert!(
        one.entries[0].open.request.binding.exact.len() == 64,
        "the text itself is not kept"
    );
    let grant = grant(&one, true);
    assert!(decide(&mut one, &grant).is_empty());
    // A crash here: the table is read anew.
    let mut two = table(dir.path());
    assert!(
        matches!(ask(&mut two, "rm -rf build"), Reply::Granted { request_id: id, .. } if id == request_id)
    );
    // A crash before the answer arrived: it stays used up, and replaying the grant changes nothing.
    let mut three = table(dir.path());
    decide(&mut three, &grant);
    assert!(
        matches!(ask(&mut three, "rm -rf build"), Reply::Pending { request_id: id } if id != request_id)
    );
}

#[test]
fn one_person_cannot_make_the_table_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    assert!(
        matches!(ask(&mut table, &"x".repeat(500_000)), Reply::Refused { reason, .. } if reason.contains("too long"))
    );
    // Lapsed requests are kept for a day; new ones push the oldest of the same person out.
    for turn in 0..100 {
        let text = format!("echo {turn} {}", "x".repeat(40_000));
        assert!(matches!(ask(&mut table, &text), Reply::Pending { .. }));
        for entry in &mut table.entries {
            entry.open.expires = "2001-01-01T00:00:00Z".into();
        }
    }
    let total: usize = table.entries.iter().map(Entry::size).sum();
    assert!(total <= MAX_OF_ONE, "{total}");
    // Nothing that can still be granted is pushed out.
    for entry in &mut table.entries {
        entry.open.expires = "2999-01-01T00:00:00Z".into();
        entry.state = State::Denied;
    }
    let before = table.entries.len();
    let text = format!("echo {}", "x".repeat(40_000));
    assert!(
        matches!(ask(&mut table, &text), Reply::Refused { reason, .. } if reason.contains("too many"))
    );
    assert_eq!(table.entries.len(), before);
}

#[test]
fn a_damaged_table_permits_nothing_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = table(dir.path());
    ask(&mut one, "rm -rf build");
    let grant = grant(&one, true);
    std::fs::write(dir.path().join("approvals.json"), "[{").unwrap();
    let mut two = table(dir.path());
    assert!(decide(&mut two, &grant).is_empty());
    assert!(matches!(
        ask(&mut two, "rm -rf build"),
        Reply::Pending { .. }
    ));
    assert!(dir.path().join("approvals.damaged").exists());
}

#[test]
fn an_id_that_another_machine_has_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    let Reply::Pending { request_id } = ask(&mut table, "make release") else {
        panic!()
    };
    table.taken(&request_id).unwrap();
    let again = ask(&mut table, "make release");
    assert!(matches!(&again, Reply::Pending { request_id: id } if *id != request_id));
    // Once the server knows it, nobody takes it away.
    let Reply::Pending { request_id } = again else {
        panic!()
    };
    table.sent(&request_id).unwrap();
    table.taken(&request_id).unwrap();
    assert_eq!(table.entries[0].id(), request_id);
}

#[test]
fn what_differs_is_not_granted() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    ask(&mut table, "rm -rf build");
    let good = grant(&table, true);
    let wrong = [
        Grant {
            machine_id: "m-2".into(),
            ..good.clone()
        },
        Grant {
            user: "bob".into(),
            ..good.clone()
        },
        Grant {
            binding_hash: "00".into(),
            ..good.clone()
        },
        Grant {
            expires: "2001-01-01T00:00:00Z".into(),
            ..good.clone()
        },
        Grant {
            uses: 100,
            ..good.clone()
        },
    ];
    for grant in &wrong {
        assert_eq!(decide(&mut table, grant).len(), 1, "{grant:?}");
    }
    let stranger = sign_statement(&SigningKey::from_bytes(&[9; 32]), &good).unwrap();
    let keys = [keys::public_base64(&key())];
    let trust = Trust {
        grant_keys: &keys,
        approvers: &Approvers::default(),
        organisation: "acme",
        machine_id: "m-1",
    };
    let problems = table
        .decide(&[stranger], &trust, &Limits::default())
        .unwrap();
    assert_eq!(problems.len(), 1);
    assert!(matches!(
        ask(&mut table, "rm -rf build"),
        Reply::Pending { .. }
    ));
    assert!(decide(&mut table, &good).is_empty());
    assert!(
        matches!(ask(&mut table, "rm -rf  build"), Reply::Pending { .. }),
        "another text, another request"
    );
}

#[test]
fn no_is_an_answer_and_unknown_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    ask(&mut table, "terraform destroy");
    let no = grant(&table, false);
    decide(&mut table, &no);
    assert!(
        matches!(ask(&mut table, "terraform destroy"), Reply::Refused { reason, .. } if reason.contains("maya said no: go"))
    );
    let asker = Asker {
        uid: 1000,
        login: "ann".into(),
    };
    let (bound, hash) = table
        .bind(
            Binding {
                unknown: true,
                ..Binding::default()
            },
            &asker,
            Default::default(),
            None,
        )
        .unwrap();
    assert!(matches!(
        table.ask(bound, hash, None, "s".into(), None).unwrap(),
        Reply::Refused {
            request_id: None,
            ..
        }
    ));
    for turn in 0..MAX_PENDING {
        assert!(matches!(
            ask(&mut table, &format!("command {turn}")),
            Reply::Pending { .. }
        ));
    }
    assert!(matches!(ask(&mut table, "one more"), Reply::Refused { .. }));
}

#[test]
fn a_grant_of_several_uses_is_used_so_often_and_not_more_than_the_policy_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = table(dir.path());
    ask(&mut one, "make deploy");
    let thrice = Grant {
        uses: 3,
        ..grant(&one, true)
    };
    let problem = decide(&mut one, &thrice);
    assert!(problem[0].contains("permits 1"), "{problem:?}");
    let limits = Limits {
        uses: 3,
        ..Limits::default()
    };
    assert!(decide_under(&mut one, &thrice, &limits).is_empty());
    for turn in 0..3 {
        let mut again = table(dir.path());
        let reply = ask(&mut again, "make deploy");
        assert!(matches!(reply, Reply::Granted { .. }), "use {turn}");
    }
    let mut last = table(dir.path());
    assert!(matches!(
        ask(&mut last, "make deploy"),
        Reply::Pending { .. }
    ));
}

#[test]
fn factor_people_and_askers_are_checked_here_too() {
    let assent = |person: &str, factor: &str| cmdai_api::machine::Assent {
        login: person.into(),
        person: person.into(),
        factor: factor.into(),
        time: "2026-01-01T00:00:00Z".into(),
        proof: None,
    };
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    ask(&mut table, "make deploy");
    let limits = Limits {
        factor: Factor::Totp,
        people: 2,
        ..Limits::default()
    };
    let with = |factor: &str, approvers: &[(&str, &str)]| Grant {
        factor: factor.into(),
        approvers: approvers
            .iter()
            .map(|(person, factor)| assent(person, factor))
            .collect(),
        ..grant(&table, true)
    };
    let wrong = [
        with("password", &[("maya", "password"), ("sami", "totp")]),
        with("totp", &[("maya", "password"), ("sami", "totp")]),
        with("totp", &[("maya", "totp")]),
        with("totp", &[("maya", "totp"), ("Maya", "totp")]),
        with("totp", &[("maya", "totp"), ("Ann", "totp")]),
        with("hope", &[("maya", "totp"), ("sami", "totp")]),
    ];
    let good = with("totp", &[("maya", "totp"), ("sami", "totp")]);
    for grant in &wrong {
        let problems = decide_under(&mut table, grant, &limits);
        assert_eq!(problems.len(), 1, "{grant:?}");
    }
    assert!(decide_under(&mut table, &good, &limits).is_empty());
}

#[test]
fn a_table_that_was_put_back_permits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("approvals.json");
    let mut one = table(dir.path());
    ask(&mut one, "make deploy");
    let pending = std::fs::read(&file).unwrap();
    let grant = grant(&one, true);
    decide(&mut one, &grant);
    let granted = std::fs::read(&file).unwrap();
    assert!(matches!(
        ask(&mut one, "make deploy"),
        Reply::Granted { .. }
    ));
    let floor = one.serial();
    for copy in [&pending, &granted] {
        // Within one start of the machine, by the number beside the socket.
        std::fs::write(&file, copy).unwrap();
        let (mut two, told) = opened(dir.path(), 0);
        assert!(told.unwrap().contains("put back"));
        decide(&mut two, &grant);
        assert!(matches!(
            ask(&mut two, "make deploy"),
            Reply::Pending { .. }
        ));
        // After a start of the machine, by the number in the sealed spool.
        std::fs::write(&file, copy).unwrap();
        std::fs::remove_file(dir.path().join("approvals.serial")).unwrap();
        let (mut three, told) = opened(dir.path(), floor);
        assert!(told.is_some());
        decide(&mut three, &grant);
        assert!(matches!(
            ask(&mut three, "make deploy"),
            Reply::Pending { .. }
        ));
        assert!(three.serial() > floor);
    }
    std::fs::remove_file(&file).unwrap();
    assert!(opened(dir.path(), 0).1.is_some(), "taken away");
    assert!(opened(dir.path(), 0).1.is_none(), "told once");
}

#[test]
fn an_older_table_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("approvals.json"), "[]").unwrap();
    let (table, told) = opened(dir.path(), 0);
    assert!(told.is_none() && table.entries.is_empty());
}

#[test]
fn an_exception_lasts_no_longer_than_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    let asker = Asker {
        uid: 1000,
        login: "ann".into(),
    };
    let asked = ExceptionRequest {
        rules: vec!["acme.deploy".into()],
        duration_s: 3_600,
        reason: "migration".into(),
        ..ExceptionRequest::default()
    };
    let (bound, hash) = table
        .bind(Binding::default(), &asker, Default::default(), Some(asked))
        .unwrap();
    let reply = table.ask(bound, hash, None, "s".into(), None).unwrap();
    assert!(matches!(reply, Reply::Pending { .. }));
    assert_eq!(table.entries[0].open.kind, EXCEPTION);
    let until = |text: &str| Grant {
        issued: "2026-01-01T00:00:00Z".into(),
        until: Some(text.into()),
        ..grant(&table, true)
    };
    let (good, long, never) = (
        until("2026-01-01T01:00:00Z"),
        until("2026-01-01T02:00:00Z"),
        Grant {
            until: None,
            ..grant(&table, true)
        },
    );
    assert_eq!(decide(&mut table, &long).len(), 1);
    assert_eq!(decide(&mut table, &never).len(), 1);
    let none = Limits {
        exception_s: 0,
        ..Limits::default()
    };
    assert_eq!(decide_under(&mut table, &good, &none).len(), 1);
    assert!(decide(&mut table, &good).is_empty());
}

#[test]
fn an_emergency_is_used_up_by_being_taken_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = table(dir.path());
    let asker = Asker {
        uid: 1000,
        login: "ann".into(),
    };
    let bind = |table: &Approvals| {
        let binding = Binding {
            text: "make rescue".into(),
            exact: "make rescue".into(),
            ..Binding::default()
        };
        table
            .bind(binding, &asker, Default::default(), None)
            .unwrap()
    };
    for turn in 0..=MAX_EMERGENCIES {
        let (bound, hash) = bind(&table);
        let reply = table
            .emergency(bound, hash, "fire".into(), "s".into())
            .unwrap();
        assert_eq!(
            matches!(reply, Reply::Permitted { .. }),
            turn < MAX_EMERGENCIES,
            "{turn}"
        );
    }
    assert_eq!(table.untold().count(), MAX_EMERGENCIES);
    // It is no grant: the same command asks anew.
    assert!(matches!(
        ask(&mut table, "make rescue"),
        Reply::Pending { .. }
    ));
}
