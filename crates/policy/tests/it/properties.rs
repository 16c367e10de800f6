//! What must hold for every command.

use cmdai_policy::{Layers, Snapshot, decide};
use cmdai_schema::{
    Analysis, Arg, Certainty, Decision, Effect, EffectKind, Facts, Invocation, Span,
};
use proptest::prelude::*;

use super::support::{facts, snapshot, subject};

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "/",
        "/etc",
        "/etc/passwd",
        "/home/user",
        "/home/user/.ssh",
        "/home/user/project/src",
        "/home/user/project/target",
        "/tmp/x",
        "/srv/a",
        "$X",
    ])
    .prop_map(str::to_owned)
}

fn kind() -> impl Strategy<Value = EffectKind> {
    prop_oneof![
        (path(), any::<bool>(), any::<bool>()).prop_map(|(path, recursive, force)| {
            EffectKind::Delete {
                path,
                recursive,
                force,
            }
        }),
        path().prop_map(|path| EffectKind::Overwrite { path }),
        path().prop_map(|path| EffectKind::Read { path }),
        path().prop_map(|path| EffectKind::ReadSecret { path }),
        (path(), prop::sample::select(vec!["777", "644", "4755"])).prop_map(|(path, mode)| {
            EffectKind::ChangeMode {
                path,
                mode: mode.to_owned(),
                recursive: true,
            }
        }),
        Just(EffectKind::Escalate {
            to: "root".to_owned()
        }),
        Just(EffectKind::Download {
            url: "https://x.example".to_owned(),
            to: None
        }),
        Just(EffectKind::ForcePush {
            remote: "origin".to_owned(),
            branch: "main".to_owned()
        }),
        Just(EffectKind::Unknown {
            why: "x".to_owned()
        }),
        Just(EffectKind::ResourceDestroy {
            resource: "namespace".to_owned(),
            name: "x".to_owned(),
            provider: "kubernetes".to_owned(),
            context: Some("prod".to_owned())
        }),
    ]
}

fn call(program: &str, at: u32) -> Invocation {
    Invocation {
        program: program.to_owned(),
        word: program.to_owned(),
        args: vec![Arg {
            value: Some("x".to_owned()),
            span: Span {
                start: at,
                end: at + 1,
            },
        }],
        chain: vec![program.to_owned()],
        pipeline: at,
        span: Span {
            start: at,
            end: at + 4,
        },
        known: true,
        ..Invocation::default()
    }
}

fn analysis() -> impl Strategy<Value = Analysis> {
    let program = prop::sample::select(vec!["rm", "curl", "git", "kubectl", "ls", "touch"]);
    (
        prop::collection::vec((program, prop::option::of(kind())), 1..5),
        any::<bool>(),
    )
        .prop_map(|(calls, unknown)| {
            let mut analysis = Analysis {
                complete: true,
                unknown,
                ..Analysis::default()
            };
            for (number, (program, kind)) in calls.into_iter().enumerate() {
                let at = u32::try_from(number).unwrap() * 8;
                analysis.invocations.push(call(program, at));
                if let Some(kind) = kind {
                    analysis.effects.push(Effect {
                        kind,
                        span: Span {
                            start: at,
                            end: at + 4,
                        },
                        chain: vec![program.to_owned()],
                        certainty: Certainty::Proven,
                    });
                }
            }
            analysis
        })
}

fn judged(
    analysis: &Analysis,
    organisation: Option<&Snapshot>,
    user: Option<&Snapshot>,
    facts: &Facts,
) -> Decision {
    decide(
        analysis,
        &" ".repeat(64),
        &Layers { organisation, user },
        facts,
        &subject(),
    )
    .decision
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_harmless_call_more_never_lowers(analysis in analysis()) {
        let policy = snapshot("version: \"1.0\"\nsafety:\n  risk_tolerance: low\n  require_approval_for: [destructive_commands]\nrules: [{id: a, when: {program: touch}, decision: deny, reason: r}]\n");
        for organisation in [None, Some(&policy)] {
            let before = judged(&analysis, organisation, None, &facts());
            let mut more = analysis.clone();
            more.invocations.push(call("true", 60));
            prop_assert!(judged(&more, organisation, None, &facts()) >= before);
            more.effects.push(Effect { kind: EffectKind::Read { path: "/home/user/project/a".to_owned() }, span: Span { start: 60, end: 64 }, chain: vec!["cat".to_owned()], certainty: Certainty::Proven });
            prop_assert!(judged(&more, organisation, None, &facts()) >= before);
        }
    }

    #[test]
    fn a_user_layer_never_loosens(analysis in analysis(), tolerance in prop::sample::select(vec!["low", "medium", "high"]), mode in prop::sample::select(vec!["off", "monitor", "warn", "enforce"]), decision in prop::sample::select(vec!["allow", "warn", "deny"])) {
        let organisation = snapshot("version: \"1.0\"\nsafety: {risk_tolerance: medium, require_approval_for: [privilege_escalation]}\n");
        let user = snapshot(&format!("version: \"1.0\"\nsafety: {{risk_tolerance: {tolerance}}}\napprovals: {{auto_approve: [safe_commands, read_only_operations]}}\nrules:\n  - {{id: fs.delete-home, mode: {mode}, decision: {decision}, risk: safe}}\n  - {{id: git.force-push, mode: {mode}, decision: {decision}}}\n  - {{id: own, when: {{program: rm}}, mode: {mode}, decision: {decision}, reason: r}}\nexceptions: [{{rule: fs.delete-system, until: \"2099-01-01\", reason: r}}]\n"));
        let now = Facts { now: Some("2026-11-23T10:00:00Z".to_owned()), ..facts() };
        prop_assert!(judged(&analysis, Some(&organisation), Some(&user), &now) >= judged(&analysis, Some(&organisation), None, &now));
        if tolerance != "high" {
            prop_assert!(judged(&analysis, None, Some(&user), &now) >= judged(&analysis, None, None, &now));
        }
    }

    #[test]
    fn no_document_makes_the_reader_panic(source in "[ -~\n]{0,200}") {
        let _ = cmdai_policy::parse(&source, "p.yaml");
        let _ = cmdai_policy::parse(&format!("version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: |-\n        {}\n", source.replace('\n', " ")), "p.yaml");
    }
}
