//! Golden files. A change here breaks machines in the field: make a new version instead.
//! `UPDATE_GOLDEN=1` writes missing or changed files for review.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cmdai_schema::governor::{Binding, ExceptionRequest, Reply, Request, Status};
use cmdai_schema::record::{Half, Record, Start};
use cmdai_schema::{
    AgentInfo, AssertedBy, Certainty, CommandInfo, CommandSource, Context, Decision, Event,
    EventType, Execution, Hash, Layer, MachineManifest, MachineRef, Origin, OriginKind, Payload,
    PolicyEvaluation, ProcessInfo, Risk, UserRef, canonical_bytes,
};
use serde::Serialize;

fn compare(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        expected, found,
        "{name} changed: durable formats keep their bytes within a version"
    );
}

fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

fn policy() -> PolicyEvaluation {
    PolicyEvaluation {
        decision: Decision::Deny,
        reason: "deletes /".into(),
        violated_rules: vec!["fs.delete-root".into()],
        risk_level: Risk::Critical,
        certainty: Certainty::Proven,
        policy_id: "acme".into(),
        policy_version: "41".into(),
        snapshot_digest: Some("sha256:00".into()),
        engine_version: "0.1.0".into(),
        micros: 21,
        monitored: None,
    }
}

pub(crate) fn event(seq: u64, prev_hash: Hash) -> Event {
    let payload = Payload {
        asserted_by: AssertedBy::UserHook,
        monotonic_ns: Some(12),
        machine: MachineRef {
            hostname: "dev-1".into(),
            platform: "linux-x86_64".into(),
            ip_address: None,
        },
        user: UserRef {
            user_id: "ana".into(),
            uid: Some(1000),
            team: Some("platform".into()),
            ..UserRef::default()
        },
        command: Some(CommandInfo {
            command_id: "0198f000-0000-7000-8000-000000000001".into(),
            text: "sudo rm -rf /".into(),
            digest: "v1:sha256:00".into(),
            source: CommandSource::Manual,
            working_directory: "/home/ana".into(),
            shell: "bash".into(),
            programs: vec!["sudo".into(), "rm".into()],
            effects: vec!["delete".into(), "escalate".into()],
            times: None,
            private: false,
        }),
        policy_evaluation: Some(policy()),
        approval: None,
        execution: Some(Execution {
            allowed: false,
            exit_code: Some(126),
            duration_ms: None,
        }),
        context: Context {
            session_id: "s1".into(),
            counter: 1,
            layer: Layer::Shell,
            tty: Some("/dev/pts/0".into()),
            parent_process: vec![ProcessInfo {
                pid: 7,
                name: "bash".into(),
                exe: None,
            }],
            origin: Origin {
                kind: OriginKind::Human,
                confidence: 900,
                evidence: vec!["tty".into()],
            },
            agent: None,
            versions: BTreeMap::from([("bash".into(), "5.2.15".into())]),
        },
        detail: BTreeMap::new(),
    };
    Event::seal(
        format!("0198f000-0000-7000-8000-{seq:012}"),
        seq,
        prev_hash,
        "2026-01-01T00:00:00.000Z".into(),
        EventType::CommandBlocked,
        "m-1".into(),
        [7; 16],
        payload,
    )
    .unwrap()
}

#[test]
fn event_and_its_canonical_envelope() {
    let event = event(1, Hash::default());
    compare("event-1.json", &pretty(&event));
    let envelope = String::from_utf8(canonical_bytes(&event.envelope).unwrap()).unwrap();
    compare(
        "event-1.envelope.txt",
        &format!("{envelope}\n{}\n", event.hash().unwrap()),
    );
}

#[test]
fn spool_records() {
    let start = Record {
        session_id: "s1".into(),
        counter: 1,
        time_ms: 1_767_225_600_000,
        mono_ns: 5,
        pid: 42,
        user: "ana".into(),
        script: None,
        half: Half::Start(Box::new(Start {
            command_id: "c1".into(),
            text: "ls -la".into(),
            digest: "v1:sha256:00".into(),
            shell: "bash".into(),
            cwd: "/home/ana".into(),
            programs: vec!["ls".into()],
            allowed: true,
            policy: policy(),
            agent: Some(AgentInfo {
                name: "claude-code".into(),
                ..AgentInfo::default()
            }),
            ..Start::default()
        })),
    };
    let end = Record {
        counter: 2,
        half: Half::End {
            command_id: "c1".into(),
            exit_code: 0,
            duration_us: 1500,
        },
        ..start.clone()
    };
    compare(
        "spool-1.c1",
        &(start.to_line().unwrap() + &end.to_line().unwrap()),
    );
}

#[test]
fn governor_frames() {
    let frames = (
        vec![
            Request::Hello {
                version: 1,
                client: "cmdai 0.1.0".into(),
            },
            Request::Status,
            Request::Approve {
                binding: Box::new(Binding {
                    text: "kubectl delete ns production".into(),
                    ..Binding::default()
                }),
                reason: Some("cleanup".into()),
                session_id: "s1".into(),
            },
            Request::Exception {
                exception: Box::new(ExceptionRequest {
                    rules: vec!["acme.no-prod-delete".into()],
                    pattern: Some("kubectl delete ns staging-*".into()),
                    duration_s: 604_800,
                    reason: "migration".into(),
                    origin: "human".into(),
                    ..ExceptionRequest::default()
                }),
                session_id: "s1".into(),
            },
            Request::BreakGlass {
                binding: Box::new(Binding {
                    text: "kubectl delete pod stuck".into(),
                    ..Binding::default()
                }),
                reason: "incident 4711".into(),
                session_id: "s1".into(),
            },
        ],
        vec![
            Reply::Hello {
                version: 1,
                organisation: "acme".into(),
                policy_version: "41".into(),
            },
            Reply::Status(Box::new(Status {
                machine_id: "m-1".into(),
                ..Status::default()
            })),
            Reply::Recorded,
            Reply::Granted {
                request_id: "7F3K".into(),
                grant_id: "g-1".into(),
                approver: "raj".into(),
            },
            Reply::Pending {
                request_id: "7F3K".into(),
            },
            Reply::Refused {
                request_id: None,
                reason: "no".into(),
            },
            Reply::Permitted {
                request_id: "9QX2".into(),
                grant_id: "g-2".into(),
                review_within_s: Some(86_400),
            },
        ],
    );
    compare("governor-1.json", &pretty(&frames));
}

#[test]
fn machine_manifest() {
    let manifest = MachineManifest {
        machine_id: "m-1".into(),
        organisation: "acme".into(),
        person: "ana".into(),
        hostname: "dev-1".into(),
        platform: "linux-x86_64".into(),
        versions: BTreeMap::from([("sensor".into(), "0.1.0".into())]),
        labels: BTreeMap::from([("env".into(), "development".into())]),
        policy_version: "41".into(),
        policy_source: "server".into(),
        policy_verified: "2026-01-01T00:00:00Z".into(),
        policy_expires: "2026-01-08T00:00:00Z".into(),
        certificate_fingerprint: "00".into(),
        capabilities: vec!["bash-native".into()],
    };
    compare("machine-1.json", &pretty(&manifest));
}
