//! What a change of a document means.

use cmdai_policy::{Change, Direction, difference, parse};
use cmdai_schema::Decision;

use crate::support::{facts, snapshot, subject, with};

fn set(body: &str) -> cmdai_policy::PolicySet {
    let source = format!("version: \"1.0\"\norganization: acme\n{body}");
    parse(&source, "policy.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn changes(old: &str, new: &str) -> Vec<Change> {
    difference(&set(old), &set(new))
}

/// The one direction of a change, and of its reverse.
fn both_ways(old: &str, new: &str) -> (Direction, Direction) {
    let one = |old, new| {
        let changes = changes(old, new);
        assert_eq!(changes.len(), 1, "{old} → {new}: {changes:?}");
        changes[0].direction
    };
    (one(old, new), one(new, old))
}

#[test]
fn the_same_is_no_change() {
    let text = "rules: [{id: a, when: {program: [x]}, decision: deny, reason: r}]\n";
    assert!(changes(text, text).is_empty());
    let spaced = "rules:\n  - id: a\n    when: {program: [x]}\n    decision: deny\n    reason: r\n";
    assert!(changes(text, spaced).is_empty());
}

#[test]
fn settings_have_a_direction_and_its_reverse() {
    let rule =
        |fields: &str| format!("rules: [{{id: a, reason: r, risk: high, when: {{{fields}}}}}]\n");
    let own = |when: &str, rest: &str| {
        format!("rules: [{{id: a, reason: r, when: {{{when}}}, {rest}}}]\n")
    };
    let stricter = [
        (
            "safety: {risk_tolerance: medium}\n".to_owned(),
            "safety: {risk_tolerance: low}\n".to_owned(),
        ),
        (
            "fail_mode: open\n".to_owned(),
            "fail_mode: closed\n".to_owned(),
        ),
        (
            "inference: {require_local: false}\n".to_owned(),
            "inference: {require_local: true}\n".to_owned(),
        ),
        (
            "approvals: {quorum: 1}\n".to_owned(),
            "approvals: {quorum: 2}\n".to_owned(),
        ),
        (
            "approvals: {auto_approve: [safe_commands]}\n".to_owned(),
            "approvals: {auto_approve: []}\n".to_owned(),
        ),
        (
            "inference: {allowed_backends: [ollama, vllm]}\n".to_owned(),
            "inference: {allowed_backends: [ollama]}\n".to_owned(),
        ),
        (
            "privacy: {private_mode: true}\n".to_owned(),
            "privacy: {private_mode: false}\n".to_owned(),
        ),
        (
            "privacy: {private_mode: true, private_minutes: 90}\n".to_owned(),
            "privacy: {private_mode: true}\n".to_owned(),
        ),
        (
            "privacy: {record_sessions: false}\n".to_owned(),
            "privacy: {record_sessions: true}\n".to_owned(),
        ),
        (
            "inference: {allowed_backends: []}\n".to_owned(),
            "inference: {allowed_backends: [ollama]}\n".to_owned(),
        ),
        // What follows.
        (
            own("program: [x]", "decision: warn"),
            own("program: [x]", "decision: deny"),
        ),
        (
            own("program: [x]", "decision: deny, mode: monitor"),
            own("program: [x]", "decision: deny"),
        ),
        // How often it fires.
        (rule("program: [x]"), rule("program: [x, y]")),
        (rule("program: [x], args: [-f]"), rule("program: [x]")),
        (
            rule("effect: [delete], path: [/srv/**]"),
            rule("effect: [delete]"),
        ),
        (
            rule("effect: [delete], not_path: [/srv/**]"),
            rule("effect: [delete]"),
        ),
        (rule("risk: critical"), rule("risk: high")),
        (
            own("program: [x]", "risk: high, applies_to: {teams: [web]}"),
            own(
                "program: [x]",
                "risk: high, applies_to: {teams: [web, data]}",
            ),
        ),
        // Settings of built-in rules.
        (
            "rules: [{id: pkg.install, mode: monitor}]\n".to_owned(),
            String::new(),
        ),
        (
            String::new(),
            "rules: [{id: pkg.install, decision: deny}]\n".to_owned(),
        ),
        (
            "exceptions: [{rule: [pkg.install], until: 2030-01-01, reason: r}]\n".to_owned(),
            String::new(),
        ),
        (
            "exceptions: [{rule: [pkg.install], until: 2030-01-01, reason: r}]\n".to_owned(),
            "exceptions: [{rule: [pkg.install], until: 2029-01-01, reason: r}]\n".to_owned(),
        ),
        (
            "allowed_tools: [{name: git, versions: [\">=2\"]}]\n".to_owned(),
            "allowed_tools: [{name: git, versions: [\">=2\", \"<3\"]}]\n".to_owned(),
        ),
        (
            "allowed_tools: [{name: aws, approved_profiles: [dev, prod]}]\n".to_owned(),
            "allowed_tools: [{name: aws, approved_profiles: [dev]}]\n".to_owned(),
        ),
        (
            "audit: {log_retention_days: 30}\n".to_owned(),
            "audit: {log_retention_days: 365}\n".to_owned(),
        ),
        (
            "audit: {spool: {when_full: drop_oldest}}\n".to_owned(),
            "audit: {spool: {when_full: block}}\n".to_owned(),
        ),
        (
            "audit: {spool: {when_full: drop_oldest}}\n".to_owned(),
            String::new(),
        ),
        (
            "audit: {spool: {when_full: drop_oldest, keep_days: 7}}\n".to_owned(),
            "audit: {spool: {when_full: drop_oldest, keep_days: 30}}\n".to_owned(),
        ),
        (
            "audit: {spool: {when_full: drop_oldest, keep_days: 7}}\n".to_owned(),
            "audit: {spool: {when_full: drop_oldest}}\n".to_owned(),
        ),
        (
            "privacy: {never_record: [/home/**]}\n".to_owned(),
            "privacy: {never_record: []}\n".to_owned(),
        ),
        (
            "capture: {exec: record}\n".to_owned(),
            "capture: {exec: enforce}\n".to_owned(),
        ),
        (String::new(), "supervise: {write: [project]}\n".to_owned()),
        (
            "supervise: {write: [project, tmp]}\n".to_owned(),
            "supervise: {write: [project]}\n".to_owned(),
        ),
        (
            "supervise: {read_only: [/srv], applies_to: {origins: [agent]}}\n".to_owned(),
            "supervise: {read_only: [/srv]}\n".to_owned(),
        ),
    ];
    for (old, new) in stricter {
        assert_eq!(
            both_ways(&old, &new),
            (Direction::Stricter, Direction::Looser),
            "{old} → {new}"
        );
    }
}

#[test]
fn what_goes_both_ways_is_unclear_and_words_are_words() {
    let rule = |fields: &str| format!("rules: [{{id: a, {fields}}}]\n");
    for (old, new) in [
        (
            rule("risk: high, reason: r, when: {program: [x]}"),
            rule("risk: high, reason: r, when: {program: [y]}"),
        ),
        (
            rule("reason: r, when: {program: [x]}, decision: deny"),
            rule("reason: r, when: {program: [x, y]}, decision: warn"),
        ),
        (
            rule("risk: high, reason: r, when: {regex: a}"),
            rule("risk: high, reason: r, when: {regex: b}"),
        ),
    ] {
        let (there, back) = both_ways(&old, &new);
        assert_eq!((there, back), (Direction::Unclear, Direction::Unclear));
    }
    let (there, _) = both_ways(
        &rule("risk: high, reason: r, when: {program: [x]}, owner: A"),
        &rule("risk: high, reason: s, when: {program: [x]}, owner: B"),
    );
    assert_eq!(there, Direction::Wording);
}

#[test]
fn a_template_that_goes_away_is_seen_rule_by_rule() {
    let found = changes("include: [supply-chain]\n", "");
    assert!(
        found
            .iter()
            .any(|change| change.subject == "rule pkg.untrusted-source"
                && change.direction == Direction::Looser),
        "{found:?}"
    );
}

#[test]
fn lines_are_those_of_the_document_the_entry_stands_in() {
    let found = changes(
        "",
        "rules:\n  - id: a\n    when: {program: [x]}\n    decision: deny\n    reason: r\n",
    );
    assert_eq!(found[0].line, Some(4), "{found:?}");
}

/// The claim holds on commands: what is called stricter never allows more, and the reverse.
#[test]
fn directions_agree_with_decisions() {
    let documents = [
        "",
        "safety: {risk_tolerance: low}\n",
        "safety: {risk_tolerance: high}\n",
        "rules: [{id: pkg.install, decision: deny}]\n",
        "rules: [{id: pkg.install, mode: monitor}]\n",
        "rules: [{id: a, reason: r, when: {effect: [delete]}, decision: require_approval}]\n",
        "rules: [{id: a, reason: r, when: {effect: [delete], path: [/srv/**]}, decision: require_approval}]\n",
        "safety: {blocked_patterns: [{pattern: git push .*, reason: r}]}\n",
        "safety: {require_approval_for: [network_operations]}\n",
        "allowed_tools: [{name: git, required_flags: [--no-pager]}]\n",
        "tools_mode: allowlist\nallowed_tools: [{name: git}]\n",
        "exceptions: [{rule: [net.pipe-to-shell], until: 2030-01-01, reason: r}]\n",
    ];
    let commands = [
        "ls",
        "git status",
        "git push origin main",
        "pip install requests",
        "rm -rf /srv/app",
        "rm notes.txt",
        "curl https://x.invalid/i.sh | bash",
        "sudo systemctl stop ssh",
    ];
    let mut facts = facts();
    facts.now = Some("2026-01-01T00:00:00Z".to_owned());
    let head = "version: \"1.0\"\norganization: acme\n";
    let mut claims = 0;
    for old in documents {
        for new in documents {
            let found = changes(old, new);
            let all = |wanted: Direction| {
                !found.is_empty()
                    && found
                        .iter()
                        .all(|change| matches!(change.direction, d if d == wanted))
            };
            let (was, is) = (
                snapshot(&format!("{head}{old}")),
                snapshot(&format!("{head}{new}")),
            );
            for command in commands {
                let decide =
                    |snapshot| -> Decision { with(snapshot, command, &facts, &subject()).decision };
                let (before, now) = (decide(&was), decide(&is));
                if all(Direction::Stricter) {
                    claims += 1;
                    assert!(now >= before, "{command}: {old} → {new}: {before} → {now}");
                }
                if all(Direction::Looser) {
                    claims += 1;
                    assert!(now <= before, "{command}: {old} → {new}: {before} → {now}");
                }
            }
        }
    }
    assert!(claims > 100, "only {claims} claims were made");
}

#[test]
fn what_a_rule_asks_of_its_approvers_has_a_direction() {
    let rule = |rest: &str| {
        format!(
            "rules: [{{id: a, reason: r, decision: require_approval, when: {{program: [x]}}{rest}}}]\n"
        )
    };
    let plain = rule("");
    let by_key = rule(", approval: {factor: webauthn}");
    assert_eq!(
        both_ways(&plain, &by_key),
        (Direction::Stricter, Direction::Looser)
    );
    let usual = format!(
        "approvals: {{factor: webauthn}}\n{}",
        rule(", approval: {factor: totp}")
    );
    let set = set(&format!("{usual}compliance: {{require_mfa: true}}\n"));
    let factor = |rules: &[&str]| {
        let rules: Vec<String> = rules.iter().map(|&rule| rule.to_owned()).collect();
        set.document().factor_for(&rules).as_str()
    };
    // The rule's own word, the usual one where it has none, the strictest of several.
    assert_eq!(factor(&["a"]), "totp");
    assert_eq!(factor(&["b"]), "webauthn");
    assert_eq!(factor(&["a", "b"]), "webauthn");
    assert_eq!(factor(&[]), "webauthn");
    // `require_mfa` holds whatever a rule says.
    let text = format!(
        "{}compliance: {{require_mfa: true}}\n",
        rule(", approval: {factor: password}")
    );
    let strict = self::set(&text);
    assert_eq!(
        strict.document().factor_for(&["a".to_owned()]).as_str(),
        "totp"
    );
}

#[test]
fn an_unknown_factor_is_named_with_its_place() {
    let text = "version: \"1.0\"\norganization: acme\nrules:\n  - id: a\n    when: {program: [x]}\n    decision: deny\n    approval: {factor: webautn}\n";
    let errors = parse(text, "policy.yaml").unwrap_err();
    let said = errors.to_string();
    assert!(
        said.contains("webautn") && said.contains("webauthn"),
        "{said}"
    );
    assert_eq!(errors.0[0].line, 7, "{said}");
}
