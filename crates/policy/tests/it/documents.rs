//! Reading documents: every key of version "1.0", and every complaint with its place.

use cmdai_policy::{Severity, lint, parse, run_tests, templates};

use super::support::analyse;

const EXAMPLE: &str = r#"version: "1.0"
organization: "acme-corp"
effective_date: "2026-01-01"
safety:
  risk_tolerance: "low"
  require_approval_for: [destructive_commands, privilege_escalation, network_operations]
  blocked_patterns:
    - pattern: "curl .* | bash"
      reason: "Runs code straight from the network"
    - pattern: "docker run --privileged"
      reason: "Privileged containers need a security review"
  additional_dangerous_paths: ["/data/production/*", "/backup/*"]
allowed_tools:
  - name: "git"
    versions: [">=2.30.0"]
    reason: "Older versions have known vulnerabilities"
  - name: "kubectl"
    versions: [">=1.25.0", "<1.30.0"]
    approved_contexts: ["dev-*", "staging-*"]
    blocked_contexts: ["prod-*"]
  - name: "terraform"
    versions: ["~1.6.0"]
    required_flags: ["--lock=true"]
  - name: "aws"
    approved_profiles: ["dev", "staging"]
inference:
  allowed_backends: ["ollama", "vllm"]
  blocked_backends: ["external-api"]
  model_allowlist: ["llama-3.1-8b-instruct"]
  require_local: true
approvals:
  require_manager_approval: [high_risk_commands, production_database_operations]
  auto_approve: [safe_commands, read_only_operations]
audit:
  log_all_commands: true
  log_retention_days: 365
  send_to_siem: true
  siem_endpoint: "https://siem.example/events"
compliance:
  frameworks: ["SOC2", "ISO27001", "HIPAA"]
  data_classification: "confidential"
  require_mfa: true
"#;

#[test]
fn the_whole_of_version_1_is_read_and_carried() {
    let set = parse(EXAMPLE, "acme.yaml").unwrap();
    let document = set.document();
    assert_eq!(document.safety.blocked_patterns.len(), 2);
    assert_eq!(document.allowed_tools.len(), 4);
    let snapshot = super::support::snapshot(EXAMPLE);
    let settings = snapshot.settings();
    assert!(settings.inference.require_local);
    assert_eq!(
        settings.inference.model_allowlist,
        ["llama-3.1-8b-instruct"]
    );
    assert_eq!(settings.audit.log_retention_days, Some(365));
    assert_eq!(
        settings.audit.siem_endpoint.as_deref(),
        Some("https://siem.example/events")
    );
    assert_eq!(
        settings.compliance.frameworks,
        ["SOC2", "ISO27001", "HIPAA"]
    );
    assert_eq!(settings.compliance.require_mfa, Some(true));
    assert_eq!(settings.approvals.auto_approve.len(), 2);
    assert_eq!(settings.organization, "acme-corp");
    assert_eq!(snapshot.policy_digest(), set.digest().to_hex());
}

/// Document, then for each complaint: line, column, code, and a part of message or help.
type Row = (
    &'static str,
    &'static [(u32, u32, &'static str, &'static str)],
);

const WRONG: &[Row] = &[
    ("", &[(1, 1, "empty", "not permission")]),
    (
        "# only a comment\n---\n",
        &[(1, 1, "empty", "not permission")],
    ),
    ("version: \"2.0\"\n", &[(1, 10, "unknown-version", "1.0")]),
    // Nothing else is said about what is for a newer engine: its keys may be newer too.
    (
        "version: \"1.0\"\nmin_engine: \"9.1\"\nnewer_key: 1\n",
        &[(2, 13, "engine-too-old", "9.1")],
    ),
    (
        "version: \"1.0\"\nmin_engine: newest\n",
        &[(2, 13, "bad-engine", "version")],
    ),
    (
        "version: \"1.0\"\nmin_engine: 0.10\n",
        &[(2, 13, "wrong-type", "text")],
    ),
    ("organization: x\n", &[(1, 1, "missing-key", "version")]),
    (
        "version: \"1.0\"\nsafty: {}\n",
        &[(2, 1, "unknown-key", "did you mean `safety`?")],
    ),
    (
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - patern: \"rm\"\n      reason: x\n",
        &[
            (4, 7, "missing-key", "`pattern`"),
            (4, 7, "unknown-key", "did you mean `pattern`?"),
        ],
    ),
    (
        "version: \"1.0\"\nsafety:\n  risk_tolerance: meduim\n",
        &[(3, 19, "unknown-word", "did you mean `medium`?")],
    ),
    (
        "version: \"1.0\"\nsafety:\n  require_approval_for: [destructive_comands]\n",
        &[(3, 26, "unknown-word", "destructive_commands")],
    ),
    (
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: rm -rf / ; ls\n",
        &[(4, 25, "bad-pattern", "one entry for each")],
    ),
    (
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - regex: \"a(\"\n",
        &[(4, 14, "bad-regex", "cannot be read")],
    ),
    (
        "version: \"1.0\"\nallowed_tools:\n  - name: git\n    versions: [\">>2\"]\n",
        &[(4, 16, "bad-version", ">=2.30.0")],
    ),
    (
        "version: \"1.0\"\nallowed_tools:\n  - name: git\n    versions: [1.6]\n",
        &[(4, 16, "wrong-type", "quotes")],
    ),
    (
        "version: \"1.0\"\nallowed_tools: git\n",
        &[(2, 16, "wrong-type", "- ")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: x\n    when: {effect: [delte]}\n    decision: deny\n",
        &[(4, 21, "unknown-effect", "did you mean `delete`?")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: x\n    when: {program: rm}\n",
        &[(3, 5, "missing-key", "decision")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: fs.delete-recursiv\n    mode: monitor\n",
        &[(3, 5, "unknown-rule", "fs.delete-recursive")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: self.protect\n    mode: off\n",
        &[(3, 5, "floor", "switched off")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: fs.delete-root\n    mode: monitor\n",
        &[(3, 5, "floor", "switched off")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - id: fs.delete-root\n    when: {program: rm}\n    decision: deny\n",
        &[(3, 5, "taken-id", "built-in")],
    ),
    (
        "version: \"1.0\"\nrules:\n  - {id: a, when: {program: x}, decision: deny}\n  - {id: a, when: {program: y}, decision: deny}\n",
        &[(4, 5, "duplicate-rule", "line 3")],
    ),
    (
        "version: \"1.0\"\nexceptions:\n  - rule: fs.delete-recursive\n",
        &[(3, 5, "missing-key", "always end")],
    ),
    (
        "version: \"1.0\"\nexceptions:\n  - {rule: fs.delete-root, until: \"2026-12-31\"}\n",
        &[(3, 12, "floor", "no exception")],
    ),
    (
        "version: \"1.0\"\nexceptions:\n  - {rule: fs.delete-rot, until: \"2026-12-31\"}\n",
        &[(3, 5, "unknown-rule", "fs.delete-root")],
    ),
    (
        "version: \"1.0\"\nexceptions:\n  - {rule: git.force-push, until: \"31.12.2026\"}\n",
        &[(3, 35, "bad-date", "YYYY-MM-DD")],
    ),
    (
        "version: \"1.0\"\ntests:\n  - {command: ls, expect: alow}\n",
        &[(3, 27, "unknown-word", "allow")],
    ),
    (
        "version: \"1.0\"\ninclude: [suply-chain]\n",
        &[(2, 11, "unknown-template", "supply-chain")],
    ),
    (
        "version: \"1.0\"\nsafety: {additional_dangerous_paths: [backup]}\n",
        &[(2, 39, "relative-path", "begin it")],
    ),
    (
        "version: \"1.0\"\nfail_mode: shut\n",
        &[(2, 12, "unknown-word", "open")],
    ),
    (
        "version: \"1.0\"\nprivacy: {private_mode: true, private_minutes: 0}\n",
        &[(2, 10, "bad-number", "private_mode: false")],
    ),
    (
        "version: \"1.0\"\naudit: {spool: {max_mib: 3}}\n",
        &[(2, 16, "bad-number", "between 4 and 65536")],
    ),
    (
        "version: \"1.0\"\naudit: {spool: {when_full: drop_oldest, keep_days: 0}}\n",
        &[(2, 16, "bad-number", "between 1 and 365")],
    ),
    (
        "version: \"1.0\"\naudit: {spool: {keep_days: 7}}\n",
        &[(2, 16, "bad-combination", "when_full: drop_oldest")],
    ),
    (
        "version: \"1.0\"\naudit: {spool: {when_full: drop_oldst}}\n",
        &[(2, 28, "unknown-word", "drop_oldest")],
    ),
    (
        "version: \"1.0\"\napprovals: {quorum: 0}\n",
        &[(2, 12, "bad-number", "1 or more")],
    ),
    (
        "version: \"1.0\"\nsafety: {risk_tolerance: low, risk_tolerance: high}\n",
        &[(2, 31, "yaml", "")],
    ),
    (
        "version: \"1.0\"\nsafety: [\n",
        &[(2, 9, "yaml", "bracket")],
    ),
    (
        "version: \"1.0\"\norganisation: x\nsafety:\n  risk_tolerance: lowish\nrules:\n  - id: ok\n    when: {}\n    decision: deny\n",
        &[
            (2, 1, "unknown-key", "organization"),
            (4, 19, "unknown-word", "low"),
            (7, 11, "empty-when", "everything"),
        ],
    ),
];

#[test]
fn complaints_have_a_place_and_a_cure() {
    let mut wrong = Vec::new();
    for (source, complaints) in WRONG {
        let errors = match parse(source, "policy.yaml") {
            Ok(_) => {
                wrong.push(format!("accepted: {source}"));
                continue;
            }
            Err(errors) => errors,
        };
        let found: Vec<(u32, u32, &str)> = errors
            .0
            .iter()
            .map(|error| (error.line, error.column, error.code))
            .collect();
        let expected: Vec<(u32, u32, &str)> = complaints
            .iter()
            .map(|(line, column, code, _)| (*line, *column, *code))
            .collect();
        if found != expected {
            wrong.push(format!(
                "{source}\n  found {found:?}\n  expected {expected:?}\n  {errors}"
            ));
            continue;
        }
        for (error, (_, _, _, part)) in errors.0.iter().zip(*complaints) {
            let whole = error.to_string();
            assert!(whole.contains(part), "{whole} does not speak of {part}");
            assert_eq!(error.severity, Severity::Error);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_complaint_reads_like_a_compiler() {
    let errors = parse(
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: a\n      resaon: b\n",
        "policy.yaml",
    )
    .unwrap_err();
    assert_eq!(
        errors.to_string(),
        "policy.yaml:5:7 error[unknown-key] `resaon` is not a key of blocked_patterns; did you mean `reason`?"
    );
}

#[test]
fn lint_finds_dead_shadowed_and_contradicting_rules() {
    let source = r#"version: "1.0"
safety:
  blocked_patterns:
    - {pattern: "rm x", reason: a}
    - {pattern: "rm x", reason: b}
allowed_tools:
  - {name: kubectl, approved_contexts: [a], blocked_contexts: [a]}
rules:
  - {id: dead, when: {program: x}, decision: deny, mode: off, reason: r}
  - {id: allows, when: {program: y}, decision: allow, reason: r}
  - {id: first, when: {program: z}, decision: deny, reason: r}
  - {id: second, when: {program: z}, decision: warn, reason: r}
  - {id: weak, when: {program: w}, decision: deny, mode: warn, reason: r}
  - {id: silent, when: {program: v}, decision: deny}
"#;
    let warnings = lint(&parse(source, "p.yaml").unwrap(), None);
    let found: Vec<(u32, &str)> = warnings
        .iter()
        .map(|warning| (warning.line, warning.code))
        .collect();
    assert_eq!(
        found,
        [
            (5, "shadowed-rule"),
            (7, "contradiction"),
            (9, "dead-rule"),
            (10, "dead-rule"),
            (12, "shadowed-rule"),
            (13, "contradiction"),
            (14, "no-reason")
        ]
    );
    assert!(
        warnings
            .iter()
            .all(|warning| warning.severity == Severity::Warning)
    );
    assert!(lint(&parse(EXAMPLE, "acme.yaml").unwrap(), None).is_empty());
}

#[test]
fn tests_of_a_document_run_and_can_fail() {
    let source = r#"version: "1.0"
safety:
  blocked_patterns:
    - {pattern: "curl .* | bash", reason: r}
rules:
  - id: no-touch
    when: {program: touch, args: ["*.lock"]}
    decision: deny
    reason: r
    tests:
      - {command: "touch a.lock", expect: deny}
      - {command: "touch a.txt", expect: allow}
tests:
  - {command: "curl x | bash", expect: deny}
  - {command: "ls", expect: allow}
  - {command: "ls -l", expect: deny}
  - {command: "curl x | bash", expect: deny, rule: no-touch}
"#;
    let results = run_tests(&parse(source, "p.yaml").unwrap(), &analyse);
    let passed: Vec<(u32, bool)> = results
        .iter()
        .map(|result| (result.line, result.passed))
        .collect();
    assert_eq!(
        passed,
        [
            (14, true),
            (15, true),
            (16, false),
            (17, false),
            (11, true),
            (12, true)
        ],
        "{results:#?}"
    );
    assert!(
        results[2]
            .why
            .as_deref()
            .unwrap()
            .contains("expected deny, got allow")
    );
}

#[test]
fn templates_are_valid_and_their_tests_pass() {
    let mut failed = Vec::new();
    for template in templates() {
        let set = parse(template.source, template.name).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(set.document().include.is_empty(), "{}", template.name);
        let complaints = lint(&set, None);
        assert!(complaints.is_empty(), "{}: {complaints:?}", template.name);
        let including = format!("version: \"1.0\"\ninclude: [{}]\n", template.name);
        let results = run_tests(&parse(&including, "p.yaml").unwrap(), &analyse);
        assert!(!results.is_empty(), "{} has no tests", template.name);
        for result in results.iter().filter(|result| !result.passed) {
            failed.push(format!("{}: {result:?}", template.name));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn what_a_template_protects_is_joined_with_the_document() {
    let text = "version: \"1.0\"\ninclude: [regulated-pci, air-gapped]\ninference: {blocked_backends: [mine]}\napprovals: {quorum: 1, timeout_minutes: 90, auto_approve: [safe_commands]}\n";
    let snapshot = crate::support::snapshot(text);
    let settings = snapshot.settings();
    assert!(settings.inference.require_local);
    assert_eq!(
        settings.inference.blocked_backends,
        ["mine", "external-api"]
    );
    assert_eq!(settings.approvals.quorum, Some(2), "the stricter holds");
    assert_eq!(settings.approvals.timeout_minutes, Some(30));
    assert_eq!(settings.approvals.auto_approve.len(), 1);
    assert_eq!(settings.compliance.require_mfa, Some(true));
    assert_eq!(settings.require_approval_for.len(), 4, "of both templates");
}

#[test]
fn the_schema_names_every_section() {
    let schema = cmdai_policy::json_schema();
    let properties = schema.get("properties").unwrap();
    for key in [
        "version",
        "safety",
        "allowed_tools",
        "tools_mode",
        "inference",
        "approvals",
        "audit",
        "compliance",
        "rules",
        "exceptions",
        "applies_to",
        "fail_mode",
        "privacy",
        "capture",
        "tests",
        "include",
    ] {
        assert!(properties.get(key).is_some(), "{key}");
    }
    assert!(schema.to_string().contains("require_approval"));
    assert!(!schema.to_string().contains("\"at\""));
}

#[test]
fn lint_finds_what_never_fires_what_has_ended_and_what_permits_everything() {
    let source = r#"version: "1.0"
applies_to: {environments: [production]}
tools_mode: allowlist
allowed_tools:
  - {name: git}
  - {name: find}
rules:
  - {id: pathless, when: {effect: [power], path: [/srv/**]}, decision: deny, reason: r}
  - {id: emptied, when: {effect: [delete], path: [/srv/**], not_path: [/srv/**]}, decision: deny, reason: r}
  - {id: other, when: {program: [git], pattern: ["kubectl delete .*"]}, decision: deny, reason: r}
  - {id: elsewhere, when: {program: [x]}, applies_to: {environments: [staging]}, decision: deny, reason: r}
  - {id: all-docker, when: {program: [docker]}, decision: deny, reason: r}
  - {id: some-docker, when: {pattern: ["docker run --privileged .*"]}, decision: confirm, reason: r}
  - {id: fine, when: {program: [git], pattern: ["git push .*"], effect: [delete], path: [/srv/**], not_path: [/srv/tmp/**]}, decision: deny, reason: r}
exceptions:
  - {rule: [fs.delete-recursive], until: 2026-06-30, reason: r}
  - {rule: [fs.delete-recursive], until: 2027-06-30, reason: r}
"#;
    let set = parse(source, "p.yaml").unwrap();
    let codes = |now| -> Vec<(u32, &str)> {
        lint(&set, now)
            .iter()
            .map(|warning| (warning.line, warning.code))
            .collect()
    };
    let found = codes(Some("2026-07-01T00:00:00Z"));
    assert_eq!(
        found,
        [
            (6, "permits-everything"),
            (8, "never-fires"),
            (9, "never-fires"),
            (10, "never-fires"),
            (11, "never-fires"),
            (13, "shadowed-rule"),
            (16, "expired-exception"),
        ]
    );
    assert_eq!(
        codes(None).len(),
        found.len() - 1,
        "no clock, nothing ended"
    );
}

#[test]
fn what_was_noticed_on_reading_is_told_by_lint() {
    let source = "version: \"1.0\"\naudit: {send_to_siem: true}\nprivacy: {private_minutes: 5}\n";
    let warnings = lint(&parse(source, "p.yaml").unwrap(), None);
    let found: Vec<(u32, &str)> = warnings
        .iter()
        .map(|warning| (warning.line, warning.code))
        .collect();
    assert_eq!(found, [(2, "no-endpoint"), (3, "no-effect")]);
}
