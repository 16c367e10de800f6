//! How layers join: maximum, modes, the floor, exceptions, approvals, quarantine, nobody there.

use cmdai_policy::{Layers, Snapshot, SnapshotMeta, decide, effective, verify_instead};
use cmdai_schema::{Decision, Facts, Judgement, Mode, Risk, Subject};

use super::support::{agent, analyse, facts, ids, named, plain, snapshot, subject, under, with};

fn both(organisation: Option<&Snapshot>, user: Option<&Snapshot>, command: &str) -> Judgement {
    decide(
        &analyse(command),
        command,
        &Layers { organisation, user },
        &facts(),
        &subject(),
    )
}

#[test]
fn tolerance_maps_risk_to_decision() {
    let of = |word: &str| {
        snapshot(&format!(
            "version: \"1.0\"\nsafety: {{risk_tolerance: {word}}}\n"
        ))
    };
    let (low, medium, high) = (of("low"), of("medium"), of("high"));
    for (command, risk, decisions) in [
        (
            "ls",
            Risk::Safe,
            [Decision::Allow, Decision::Allow, Decision::Allow],
        ),
        (
            "rm *.txt",
            Risk::Moderate,
            [Decision::Confirm, Decision::Warn, Decision::Warn],
        ),
        (
            "rm -rf .",
            Risk::High,
            [Decision::Confirm, Decision::Confirm, Decision::Warn],
        ),
        (
            "rm -rf ~",
            Risk::Critical,
            [Decision::Deny, Decision::Deny, Decision::Confirm],
        ),
        (
            "rm -rf /",
            Risk::Critical,
            [Decision::Deny, Decision::Deny, Decision::Deny],
        ),
    ] {
        for (policy, decision) in [&low, &medium, &high].into_iter().zip(decisions) {
            let judgement = under(policy, command);
            assert_eq!(
                (judgement.risk, judgement.decision),
                (risk, decision),
                "{command}"
            );
        }
    }
}

#[test]
fn the_organisation_sets_modes_except_of_the_floor() {
    let policy = snapshot(
        "version: \"1.0\"\nrules:\n  - {id: fs.delete-recursive, mode: monitor}\n  - {id: fs.delete-home, mode: off}\n  - {id: fs.delete-system, mode: warn}\n  - {id: fs.delete-root, decision: allow, risk: safe}\n",
    );
    let watched = under(&policy, "rm -rf .");
    assert_eq!(
        (watched.decision, watched.risk),
        (Decision::Allow, Risk::Safe)
    );
    assert_eq!(watched.rules[0].mode, Mode::Monitor);
    assert_eq!(watched.rules[0].decision, Decision::Confirm);
    assert!(under(&policy, "rm -rf ~").rules.is_empty());
    assert_eq!(under(&policy, "rm -rf /etc/nginx").decision, Decision::Warn);
    let floor = under(&policy, "rm -rf /");
    assert_eq!(
        (floor.decision, floor.risk),
        (Decision::Deny, Risk::Critical)
    );
}

#[test]
fn a_user_can_only_tighten() {
    let user = snapshot(
        "version: \"1.0\"\nsafety: {risk_tolerance: high}\nrules:\n  - {id: fs.delete-home, decision: allow, mode: off}\n  - {id: fs.delete-recursive, decision: deny}\n  - {id: mine, when: {program: ls}, decision: deny, reason: r}\n",
    );
    let organisation = snapshot("version: \"1.0\"\nsafety: {risk_tolerance: medium}\n");
    assert_eq!(
        both(Some(&organisation), Some(&user), "rm -rf ~").decision,
        Decision::Deny
    );
    assert_eq!(
        both(Some(&organisation), Some(&user), "rm -rf src").decision,
        Decision::Deny
    );
    let own = both(Some(&organisation), Some(&user), "ls");
    assert_eq!(own.decision, Decision::Deny);
    assert_eq!(own.rules[0].pack, "user");
    assert_eq!(own.policy.id, "acme");
    // On an ungoverned machine the person's own tolerance counts, his modes still do not.
    assert_eq!(
        both(None, Some(&user), "rm -rf ~").decision,
        Decision::Confirm
    );
    assert_eq!(both(None, Some(&user), "ls").policy.id, "community");
}

#[test]
fn nobody_there_means_deny_with_the_way_to_ask() {
    let alone = Facts {
        terminal: Some(false),
        ..facts()
    };
    let layers = Layers::default();
    let text = "rm -rf .";
    assert_eq!(plain(text).decision, Decision::Confirm);
    for judgement in [
        decide(&analyse(text), text, &layers, &alone, &subject()),
        decide(&analyse(text), text, &layers, &facts(), &agent()),
    ] {
        assert_eq!(judgement.decision, Decision::Deny);
        let rule = judgement.deciding_rule().unwrap();
        assert!(
            rule.reason.contains("a person has to run it in a terminal"),
            "{}",
            rule.reason
        );
    }
    let approving = snapshot(
        "version: \"1.0\"\nrules: [{id: fs.delete-recursive, decision: require_approval}]\n",
    );
    assert_eq!(
        with(&approving, text, &alone, &agent()).decision,
        Decision::RequireApproval
    );
}

#[test]
fn exceptions_satisfy_what_they_list_until_they_end() {
    let policy = snapshot(
        r#"version: "1.0"
rules:
  - {id: no-touch, when: {program: touch}, decision: deny, reason: r}
  - {id: no-ls, when: {program: ls}, decision: deny, reason: r}
exceptions:
  - {rule: no-touch, scope: {teams: [release]}, until: "2026-12-31", reason: ticket 7}
  - {rule: no-ls, pattern: "ls -l", until: "2026-12-31", reason: ticket 8}
"#,
    );
    let at = |now: &str| Facts {
        now: Some(now.to_owned()),
        ..facts()
    };
    let release = Subject {
        teams: vec!["release".to_owned()],
        ..subject()
    };
    let excepted = with(&policy, "touch x", &at("2026-12-31T20:00:00Z"), &release);
    assert_eq!(excepted.decision, Decision::Allow);
    assert_eq!(excepted.rules[0].mode, Mode::Monitor);
    assert!(excepted.rules[0].reason.contains("ticket 7"));
    assert_eq!(
        with(&policy, "touch x", &at("2027-01-01T00:00:00Z"), &release).decision,
        Decision::Deny
    );
    assert_eq!(
        with(&policy, "touch x", &at("2026-12-31T20:00:00Z"), &subject()).decision,
        Decision::Deny
    );
    assert_eq!(
        with(&policy, "touch x", &facts(), &release).decision,
        Decision::Deny,
        "no moment, no exception"
    );
    assert_eq!(
        with(
            &policy,
            "touch x; ls",
            &at("2026-12-01T00:00:00Z"),
            &release
        )
        .decision,
        Decision::Deny,
        "nothing else"
    );
    assert_eq!(
        with(&policy, "ls -l", &at("2026-12-01T00:00:00Z"), &subject()).decision,
        Decision::Allow
    );
    assert_eq!(
        with(&policy, "ls", &at("2026-12-01T00:00:00Z"), &subject()).decision,
        Decision::Deny
    );
    // A person's own document cannot except.
    let layers = Layers {
        organisation: None,
        user: Some(&policy),
    };
    let text = "touch x";
    assert_eq!(
        decide(
            &analyse(text),
            text,
            &layers,
            &at("2026-12-01T00:00:00Z"),
            &release
        )
        .decision,
        Decision::Deny
    );
}

#[test]
fn approvals_by_category_and_answers() {
    let policy = snapshot(
        "version: \"1.0\"\nsafety: {require_approval_for: [destructive_commands, privilege_escalation, network_operations]}\napprovals: {require_manager_approval: [high_risk_commands], auto_approve: [read_only_operations]}\n",
    );
    for (command, decision, rule) in [
        (
            "rm -rf .",
            Decision::RequireApproval,
            "approval.destructive_commands",
        ),
        (
            "rm -rf .",
            Decision::RequireApproval,
            "approval.manager.high_risk_commands",
        ),
        (
            "sudo true",
            Decision::RequireApproval,
            "approval.privilege_escalation",
        ),
        (
            "curl -o f https://x.example",
            Decision::RequireApproval,
            "approval.network_operations",
        ),
        ("rm -rf /", Decision::Deny, "approval.destructive_commands"),
    ] {
        let judgement = under(&policy, command);
        assert_eq!(
            judgement.decision,
            decision,
            "{command} {:?}",
            ids(&judgement)
        );
        assert!(
            ids(&judgement).contains(&rule),
            "{command} {:?}",
            ids(&judgement)
        );
    }
    let read = under(&policy, "curl https://x.example");
    assert_eq!(read.decision, Decision::Allow, "{:?}", read.rules);
    assert!(
        read.rules
            .iter()
            .any(|hit| hit.mode == Mode::Monitor && hit.reason.contains("approved automatically"))
    );
    assert_eq!(under(&policy, "rm -rf target").decision, Decision::Allow);
}

#[test]
fn dangerous_paths_count_from_above_and_below() {
    let policy = snapshot(
        "version: \"1.0\"\nsafety: {additional_dangerous_paths: [\"/data/production/*\", \"/backup/*\"]}\n",
    );
    for (command, decision) in [
        ("rm /data/production/a.db", Decision::Deny),
        ("rm -r /data", Decision::Deny),
        ("rm -rf /data/*", Decision::Deny),
        ("echo x > /backup/2026/a", Decision::Deny),
        ("echo x >> /backup/log", Decision::Confirm),
        ("chmod 600 /backup/a", Decision::Deny),
        ("cat /data/production/a.db", Decision::Allow),
        ("rm -f /data/staging/a", Decision::Warn),
    ] {
        assert_eq!(
            under(&policy, command).decision,
            decision,
            "{command} {:?}",
            under(&policy, command).rules
        );
    }
}

#[test]
fn own_rules_look_at_what_they_name() {
    let policy = snapshot(
        r#"version: "1.0"
rules:
  - {id: by-effect, when: {effect: delete, path: "/srv/*", not_path: "/srv/scratch/*"}, decision: deny, reason: r}
  - {id: by-agent, when: {origin: agent, program: touch}, decision: deny, reason: r}
  - {id: by-args, when: {program: make, args: ["deploy", "-j"]}, decision: confirm, reason: r}
  - {id: by-branch, when: {program: touch, branch: "release/*"}, decision: deny, reason: r}
  - {id: by-directory, when: {program: touch, directory: "/home/user/project/secret"}, decision: deny, reason: r}
  - {id: by-time, when: {program: date, time: {days: [sat, sun]}}, decision: deny, reason: r}
  - {id: by-risk, when: {risk: critical}, risk: critical, reason: r}
  - {id: by-environment, when: {program: uptime, environment: "prod*"}, decision: deny, reason: r}
  - {id: by-team, when: {program: whoami}, applies_to: {teams: [interns]}, decision: deny, reason: r}
"#,
    );
    let fires = |id: &str, command: &str, facts: &Facts, subject: &Subject| {
        ids(&with(&policy, command, facts, subject)).contains(&id)
    };
    assert!(fires("by-effect", "rm /srv/a", &facts(), &subject()));
    assert!(!fires(
        "by-effect",
        "rm /srv/scratch/a",
        &facts(),
        &subject()
    ));
    assert!(!fires("by-effect", "cat /srv/a", &facts(), &subject()));
    assert!(fires("by-agent", "touch x", &facts(), &agent()));
    assert!(!fires("by-agent", "touch x", &facts(), &subject()));
    assert!(fires("by-args", "make deploy -j8", &facts(), &subject()));
    assert!(!fires("by-args", "make deploy", &facts(), &subject()));
    let branch = Facts {
        git_branch: Some("release/7".to_owned()),
        ..facts()
    };
    assert!(fires("by-branch", "touch x", &branch, &subject()));
    let outside = Facts {
        absent: vec!["git_branch".to_owned()],
        ..facts()
    };
    assert!(!fires("by-branch", "touch x", &outside, &subject()));
    let secret = Facts {
        cwd: Some("/home/user/project/secret/x".to_owned()),
        ..facts()
    };
    assert!(fires("by-directory", "touch x", &secret, &subject()));
    assert!(!fires("by-directory", "touch x", &facts(), &subject()));
    let at = |now: &str| Facts {
        now: Some(now.to_owned()),
        ..facts()
    };
    assert!(fires(
        "by-time",
        "date",
        &at("2026-11-22T10:00:00Z"),
        &subject()
    ));
    assert!(!fires(
        "by-time",
        "date",
        &at("2026-11-23T10:00:00Z"),
        &subject()
    ));
    assert!(
        fires("by-time", "date", &facts(), &subject()),
        "an unknown moment is not free"
    );
    assert!(fires("by-risk", "rm -rf ~", &facts(), &subject()));
    assert!(!fires("by-risk", "rm -rf target", &facts(), &subject()));
    let mut labelled = subject();
    labelled
        .labels
        .insert("env".to_owned(), "prod-eu".to_owned());
    assert!(fires("by-environment", "uptime", &facts(), &labelled));
    assert!(!fires("by-environment", "uptime", &facts(), &subject()));
    assert!(fires(
        "by-team",
        "whoami",
        &facts(),
        &Subject {
            teams: vec!["interns".to_owned()],
            ..subject()
        }
    ));
    assert!(!fires("by-team", "whoami", &facts(), &subject()));
}

#[test]
fn a_document_that_does_not_apply_changes_nothing() {
    let policy = snapshot(
        "version: \"1.0\"\napplies_to: {environments: [production]}\nrules: [{id: a, when: {program: ls}, decision: deny, reason: r}]\n",
    );
    assert_eq!(under(&policy, "ls").decision, Decision::Allow);
    let production = Facts {
        environment: Some("production".to_owned()),
        ..facts()
    };
    assert_eq!(
        with(&policy, "ls", &production, &subject()).decision,
        Decision::Deny
    );
}

#[test]
fn quarantine_leaves_only_what_one_needs_to_look_around() {
    let meta = SnapshotMeta {
        policy_id: "acme".to_owned(),
        quarantine: Some("ransomware drill".to_owned()),
        ..SnapshotMeta::default()
    };
    let policy = named("version: \"1.0\"\n", &meta);
    for command in [
        "ls -la",
        "cd /tmp",
        "pwd",
        "exit",
        "cmdai status",
        "cmdai-enterprise enrol x",
        "logout",
        "echo hi",
    ] {
        assert_eq!(
            under(&policy, command).decision,
            Decision::Allow,
            "{command} {:?}",
            under(&policy, command).rules
        );
    }
    for command in [
        "git push",
        "curl https://x.example",
        "ls; python3 x.py",
        "echo x > f",
        "sudo ls",
        "$X",
        "ls $(nc x 1)",
        "cargo build",
    ] {
        let judgement = under(&policy, command);
        assert_eq!(judgement.decision, Decision::Deny, "{command}");
        assert!(
            judgement
                .rules
                .iter()
                .any(|hit| hit.id == "org.quarantine" && hit.reason.contains("ransomware drill"))
        );
    }
}

#[test]
fn effective_says_where_each_rule_came_from() {
    let organisation = snapshot(
        "version: \"1.0\"\nrules:\n  - {id: git.force-push, mode: monitor, owner: Platform}\n  - {id: own, when: {program: x}, decision: deny, reason: r}\n",
    );
    let user = snapshot("version: \"1.0\"\nrules: [{id: git.history-loss, decision: deny}]\n");
    let rules = effective(&Layers {
        organisation: Some(&organisation),
        user: Some(&user),
    });
    let of = |id: &str| rules.iter().find(|rule| rule.id == id).unwrap();
    assert_eq!(
        (of("git.force-push").mode, of("git.force-push").set_by),
        (Mode::Monitor, "organisation")
    );
    assert_eq!(of("git.force-push").owner.as_deref(), Some("Platform"));
    assert_eq!(
        (
            of("git.history-loss").decision,
            of("git.history-loss").set_by
        ),
        (Decision::Deny, "user")
    );
    assert_eq!(
        (of("own").decision, of("own").set_by),
        (Decision::Deny, "organisation")
    );
    assert_eq!(
        (of("fs.delete-root").decision, of("fs.delete-root").floor),
        (Decision::Deny, true)
    );
    assert!(rules.len() > 60);
}

#[test]
fn a_safer_command_that_is_not_safer_is_not_offered() {
    let mut judgement = plain("rm -rf /");
    assert_eq!(
        judgement.rules[0].instead.as_deref(),
        Some("rm -rf ./build")
    );
    verify_instead(&mut judgement, &|command| plain(command).decision);
    assert!(judgement.rules[0].instead.is_some());
    verify_instead(&mut judgement, &|_| Decision::Deny);
    assert!(judgement.rules[0].instead.is_none());
}
