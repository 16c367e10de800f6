//! What machines do, without a network: judged, sealed, and looked at by detection.

use std::collections::{BTreeMap, BTreeSet};

use cmdai_api::machine::EnrolReply;
use cmdai_detect::{Engine, Rules};
use cmdai_schema::{Event, Hash, verify_chain};
use fastrand::Rng;

use crate::judge::Judge;
use crate::machine::Machine;
use crate::people::person;
use crate::{history, story};

const POLICY: &str = include_str!("../tests/policy.yaml");
const HOUR: u64 = 3_600_000;
/// A Monday, 12:00 UTC.
const NOW: u64 = 1_795_435_200_000;

fn reply(number: u32) -> EnrolReply {
    EnrolReply {
        machine_id: format!("m-{number:016x}"),
        organisation: "acme".to_owned(),
        certificate_pem: String::new(),
        ca_pem: String::new(),
        tuf_root: String::new(),
        labels: BTreeMap::new(),
        teams: Vec::new(),
    }
}

/// The past of the first `count` machines, all events in the order of their times.
fn fleet(count: u32, with_story: bool) -> (Vec<Event>, BTreeMap<String, u64>) {
    let judge = Judge::new(POLICY, "acme", "1").unwrap();
    let mut events = Vec::new();
    let mut decisions = BTreeMap::new();
    for number in 0..count {
        let mut machine = Machine::new(number, person(1, number), 1, &reply(number));
        let mut rng = Rng::with_seed(u64::from(number));
        let mut acts = history::past(&machine.person, &mut rng, NOW - 36 * HOUR, NOW, 60);
        if with_story {
            acts.extend(story::past(number, &machine.person, &mut rng, NOW));
            acts.sort_by_key(|act| act.at_ms);
        }
        for act in &acts {
            assert!(
                machine.perform(act, &judge, false).unwrap().is_none(),
                "the past asks for nothing"
            );
        }
        let chain: Vec<Event> = machine.pending.iter().cloned().collect();
        let head = verify_chain((0, Hash::default()), &chain).unwrap();
        assert_eq!(head.0, machine.tally.events_produced);
        events.extend(chain);
        for (decision, count) in &machine.tally.decisions {
            *decisions.entry(decision.clone()).or_default() += count;
        }
    }
    events.sort_by(|a, b| a.envelope.time.cmp(&b.envelope.time));
    (events, decisions)
}

#[test]
fn the_story_is_found_and_everyday_work_is_not() {
    let found = |with_story| -> BTreeSet<String> {
        let mut engine = Engine::new(Rules::builtin().unwrap());
        let events = fleet(6, with_story).0;
        events
            .iter()
            .flat_map(|event| engine.observe(event, NOW))
            .map(|finding| finding.detection)
            .collect()
    };
    let story = found(true);
    for detection in [
        "blocked-critical",
        "credential-upload",
        "hooks-disabled",
        "many-violations",
        "runaway-agent",
    ] {
        assert!(story.contains(detection), "{detection}: {story:?}");
    }
    let quiet = found(false);
    for detection in [
        "credential-upload",
        "hooks-disabled",
        "many-violations",
        "runaway-agent",
    ] {
        assert!(!quiet.contains(detection), "{detection}: {quiet:?}");
    }
}

#[test]
fn most_commands_are_within_policy_and_every_decision_occurs() {
    let (events, decisions) = fleet(30, false);
    let all: u64 = decisions.values().sum();
    let blocked = events
        .iter()
        .filter(|event| event.envelope.event_type.as_str() == "command_blocked")
        .count() as u64;
    assert!(all > 1_000, "{decisions:?}");
    assert!(
        blocked * 100 < all * 8 && blocked > 0,
        "{blocked} of {all}: {decisions:?}"
    );
    for decision in ["allow", "confirm", "require_approval", "deny"] {
        assert!(
            decisions.contains_key(decision),
            "{decision}: {decisions:?}"
        );
    }
}

#[test]
fn secrets_do_not_leave_the_machine() {
    let text = serde_json::to_string(&fleet(30, true).0).unwrap();
    assert!(text.contains("[redacted:"), "the fleet types secrets");
    assert!(
        !text.contains("ghp_") && !text.contains("PGPASSWORD=hunter") && !text.contains("-pWinter")
    );
}

#[test]
fn the_same_seed_types_the_same() {
    let texts = || -> Vec<String> {
        let events = fleet(3, true).0;
        events
            .into_iter()
            .filter_map(|event| event.payload.command.map(|command| command.text))
            .collect()
    };
    assert_eq!(texts(), texts());
}
