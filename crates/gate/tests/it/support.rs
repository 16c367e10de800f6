//! Throw-away people and installations.

use cmdai_effects::NoSession;
use cmdai_gate::{Attribution, Gate, Installation, Person, Request};
use cmdai_schema::paths::{GovernedMark, Places};
use cmdai_schema::{Dialect, Origin, OriginKind};
use std::path::Path;

/// A person whose home and state lie in `dir`.
pub(crate) fn person(dir: &Path) -> Person {
    let base = dir.to_str().unwrap().to_owned();
    Person::from_environment(
        rustix::process::getuid().as_raw(),
        &move |name| match name {
            "HOME" => Some(format!("{base}/home")),
            "CMDAI_STATE_DIR" => Some(format!("{base}/state")),
            _ => None,
        },
    )
}

/// Makes the person's state folder a governed installation.
pub(crate) fn govern(person: &Person) -> Places {
    let places = Places::below(&person.state);
    std::fs::create_dir_all(&person.state).unwrap();
    let mark = GovernedMark {
        version: 1,
        organisation: "acme".to_owned(),
        machine_id: "m-1".to_owned(),
        ..GovernedMark::default()
    };
    std::fs::write(&places.mark, serde_json::to_vec(&mark).unwrap()).unwrap();
    places
}

/// Compiles a document into the organisation's snapshot.
pub(crate) fn publish(places: &Places, source: &str) {
    let set =
        cmdai_policy::parse(source, "policy.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let meta = cmdai_policy::SnapshotMeta {
        policy_id: "acme".to_owned(),
        version: "41".to_owned(),
        ..cmdai_policy::SnapshotMeta::default()
    };
    let fresh = places.snapshot.with_extension("new");
    std::fs::write(&fresh, cmdai_policy::compile(&set, &meta)).unwrap();
    std::fs::rename(&fresh, &places.snapshot).unwrap();
}

pub(crate) fn gate(person: &Person) -> Gate {
    Gate::with(
        Installation::detect_with(Path::new("/does/not/exist"), person),
        person.clone(),
    )
}

pub(crate) fn human() -> Attribution {
    Attribution {
        origin: Origin {
            kind: OriginKind::Human,
            confidence: 800,
            evidence: vec!["terminal".to_owned()],
        },
        agent: None,
        host_asks: false,
    }
}

pub(crate) fn request<'a>(text: &'a str, who: &'a Attribution) -> Request<'a> {
    Request {
        text,
        dialect: Dialect::Bash,
        cwd: "/tmp",
        home: "/home/u",
        user: "u",
        session: &NoSession,
        languages: &cmdai_effects::script::NoLanguages,
        who,
        terminal: true,
        facts: None,
    }
}

/// A policy that blocks one made-up program.
pub(crate) const BLOCKING: &str = "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: \"frobnicate *\"\n      reason: \"Frobnicating is not done here\"\n";
