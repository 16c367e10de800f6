//! Short ways to compile a document and to judge a command.

use cmdai_policy::{Layers, Snapshot, SnapshotMeta, compile, decide, parse};
use cmdai_schema::{Analysis, Dialect, Facts, Judgement, OriginKind, Subject};

/// The analysis in the working directory of batch mode.
pub(crate) fn analyse(text: &str) -> Analysis {
    let context = cmdai_effects::Context {
        dialect: Dialect::Bash,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &cmdai_effects::NoSession,
        languages: &cmdai_languages::Grammars,
    };
    cmdai_effects::analyse(text, &context)
}

/// A snapshot of a document; panics with the complaints.
pub(crate) fn snapshot(source: &str) -> Snapshot {
    named(
        source,
        &SnapshotMeta {
            policy_id: "acme".to_owned(),
            version: "7".to_owned(),
            ..SnapshotMeta::default()
        },
    )
}

pub(crate) fn named(source: &str, meta: &SnapshotMeta) -> Snapshot {
    let set = parse(source, "policy.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    Snapshot::open(&compile(&set, meta)).unwrap()
}

/// Facts of batch mode.
pub(crate) fn facts() -> Facts {
    Facts {
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        ..Facts::default()
    }
}

pub(crate) fn subject() -> Subject {
    Subject {
        user: "user".to_owned(),
        ..Subject::default()
    }
}

pub(crate) fn agent() -> Subject {
    Subject {
        origin: OriginKind::Agent,
        agent: Some("helper".to_owned()),
        ..subject()
    }
}

/// Judges with the built-in packs alone.
pub(crate) fn plain(command: &str) -> Judgement {
    decide(
        &analyse(command),
        command,
        &Layers::default(),
        &facts(),
        &subject(),
    )
}

/// Judges under an organisation's document.
pub(crate) fn under(organisation: &Snapshot, command: &str) -> Judgement {
    with(organisation, command, &facts(), &subject())
}

pub(crate) fn with(
    organisation: &Snapshot,
    command: &str,
    facts: &Facts,
    subject: &Subject,
) -> Judgement {
    let layers = Layers {
        organisation: Some(organisation),
        user: None,
    };
    decide(&analyse(command), command, &layers, facts, subject)
}

pub(crate) fn ids(judgement: &Judgement) -> Vec<&str> {
    judgement.rules.iter().map(|hit| hit.id.as_str()).collect()
}
