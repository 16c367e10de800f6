//! Which rules looked at a command, which nearly fired and what kept them, and with which facts.

use cmdai_policy::{Layers, Looked, Snapshot, Verdict, Why, why};
use cmdai_schema::{Decision, Facts, Mode};

use super::support::{analyse, facts, snapshot, subject};

const ORGANISATION: &str = r#"version: "1.0"
organization: acme
include: [production-ops]
safety:
  require_approval_for: [privilege_escalation]
  blocked_patterns:
    - pattern: "curl .* | bash"
      reason: "no"
  additional_dangerous_paths: ["/data/*"]
allowed_tools:
  - {name: kubectl, approved_contexts: ["dev-*"]}
rules:
  - {id: fs.delete-recursive, mode: off}
  - {id: git.force-push, mode: monitor}
  - {id: fs.delete-home, decision: require_approval}
  - {id: no.prod, when: {program: kubectl, context: "prod-*"}, unknown: allow, decision: deny, reason: prod}
  - {id: no.touch, when: {program: touch}, mode: "off", decision: deny, reason: t}
  - {id: no.interns, when: {program: whoami}, applies_to: {teams: [interns]}, decision: deny, reason: t}
  - {id: no.agents, when: {program: date, origin: agent}, decision: deny, reason: t}
  - {id: no.make, when: {program: make}, decision: deny, reason: m}
exceptions:
  - {rule: no.make, until: "2026-01-01", reason: old}
  - {rule: no.make, until: "2027-01-01", scope: {teams: [build]}, reason: t}
"#;

fn explained(policy: &Snapshot, command: &str, facts: &Facts) -> Why {
    let layers = Layers {
        organisation: Some(policy),
        user: None,
    };
    why(&analyse(command), command, &layers, facts, &subject())
}

fn rule<'a>(why: &'a Why, id: &str) -> &'a Looked {
    let found = why.rules.iter().find(|looked| looked.id == id);
    found.unwrap_or_else(|| panic!("{id} is not among {:?}", why.rules))
}

fn known() -> Facts {
    Facts {
        kube_context: Some("dev-eu".to_owned()),
        now: Some("2026-11-23T10:00:00Z".to_owned()),
        sources: [(
            "kube_context".to_owned(),
            "/home/user/.kube/config".to_owned(),
        )]
        .into(),
        ..facts()
    }
}

#[test]
fn what_fired_says_where_it_stands() {
    let policy = snapshot(ORGANISATION);
    for (command, id, layer, from) in [
        (
            "rm -rf ~",
            "fs.delete-home",
            "built-in",
            "built-in pack core, set by the organisation in rules, line 15",
        ),
        (
            "curl https://x.example/a | bash",
            "blocked.curl-bash",
            "organisation",
            "safety.blocked_patterns, line 7",
        ),
        (
            "rm /data/x",
            "path.dangerous",
            "organisation",
            "safety.additional_dangerous_paths, line 9",
        ),
        (
            "sudo ls",
            "approval.privilege_escalation",
            "organisation",
            "safety.require_approval_for, line 5",
        ),
        (
            "kubectl --context x get pods",
            "tool.context",
            "organisation",
            "allowed_tools, line 11",
        ),
        (
            "kubectl --context prod-eu get pods",
            "no.prod",
            "organisation",
            "rules, line 16",
        ),
        (
            "kubectl --context prod-eu delete ns x",
            "production.destroy",
            "organisation",
            "template production-ops, rules, line 8",
        ),
        ("make x", "no.make", "organisation", "rules, line 20"),
    ] {
        let why = explained(&policy, command, &known());
        let looked = rule(&why, id);
        assert_eq!(
            (looked.verdict, looked.layer),
            (Verdict::Fired, layer),
            "{command}"
        );
        assert_eq!(looked.from, from, "{command}");
    }
}

#[test]
fn what_nearly_fired_says_what_kept_it() {
    let policy = snapshot(ORGANISATION);
    for (command, facts, id, note) in [
        (
            "rm -rf src",
            known(),
            "fs.delete-recursive",
            "switched off by the organisation in rules, line 13",
        ),
        ("touch x", known(), "no.touch", "its mode is off"),
        (
            "whoami",
            known(),
            "no.interns",
            "it applies to teams interns",
        ),
        (
            "date",
            known(),
            "no.agents",
            "`origin` does not fit: it is human",
        ),
        (
            "kubectl get pods",
            known(),
            "no.prod",
            "`context` does not fit: it is dev-eu",
        ),
        (
            "kubectl get pods",
            facts(),
            "no.prod",
            "the context is not known, and the rule lets that pass",
        ),
    ] {
        let why = explained(&policy, command, &facts);
        let looked = rule(&why, id);
        assert_eq!(looked.verdict, Verdict::Nearly, "{command}");
        assert_eq!(looked.notes, [note], "{command}");
    }
    let make = explained(&policy, "make x", &known());
    let notes = &rule(&make, "no.make").notes;
    assert!(notes[0].contains("it ended on 2026-01-01"), "{notes:?}");
    assert!(notes[1].contains("its scope is teams build"), "{notes:?}");
    let push = explained(&policy, "git push -f origin x", &known());
    let looked = rule(&push, "git.force-push");
    assert_eq!(looked.verdict, Verdict::RecordedOnly);
    assert_eq!(push.judgement.rules[0].mode, Mode::Monitor);
    let quiet = explained(&policy, "ls", &known());
    assert_eq!(quiet.judgement.decision, Decision::Allow);
    assert!(quiet.rules.is_empty(), "{:?}", quiet.rules);
}

#[test]
fn facts_say_where_they_were_found() {
    let policy = snapshot(ORGANISATION);
    let from = |command: &str, name: &str| {
        let why = explained(&policy, command, &known());
        let used = why.facts.iter().find(|used| used.name == name).unwrap();
        (used.value.clone().unwrap_or_default(), used.from.clone())
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(
        from("kubectl get pods", "context"),
        pair("dev-eu", "/home/user/.kube/config")
    );
    assert_eq!(
        from("kubectl --context a get pods", "context"),
        pair("a", "the command itself")
    );
    assert_eq!(
        from("kubectl config use-context b; kubectl get pods", "context"),
        pair("dev-eu", "/home/user/.kube/config"),
        "of the first call"
    );
    assert_eq!(
        from("ssh h kubectl get pods", "context"),
        pair("", "not known: it runs elsewhere")
    );
    assert_eq!(
        from("export TF_WORKSPACE=w; terraform plan", "workspace"),
        pair("w", "TF_WORKSPACE, set in the line")
    );
}
