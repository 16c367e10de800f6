//! `allowed_tools`.

use cmdai_schema::{Decision, Facts};

use super::support::{facts, ids, snapshot, subject, with};

const TOOLS: &str = r#"version: "1.0"
allowed_tools:
  - {name: git, versions: [">=2.30.0"]}
  - {name: kubectl, versions: [">=1.25.0", "<1.30.0"], approved_contexts: ["dev-*", "staging-*"], blocked_contexts: ["prod-*"]}
  - {name: terraform, versions: ["~1.6.0"], required_flags: ["--lock=true"]}
  - {name: aws, approved_profiles: [dev, staging]}
"#;

fn known() -> Facts {
    let mut facts = facts();
    for (name, version) in [
        ("git", "2.47.3"),
        ("kubectl", "1.28.4"),
        ("terraform", "1.6.6"),
    ] {
        facts.versions.insert(name.to_owned(), version.to_owned());
    }
    facts.kube_context = Some("dev-eu".to_owned());
    facts.aws_profile = Some("dev".to_owned());
    facts
}

#[test]
fn conditions_are_kept() {
    let policy = snapshot(TOOLS);
    let mut old = known();
    old.versions.insert("git".to_owned(), "2.17.1".to_owned());
    let mut unknown = known();
    unknown.versions.clear();
    unknown.kube_context = None;
    let mut production = known();
    production.kube_context = Some("prod-eu".to_owned());
    for (command, facts, decision, rule) in [
        ("git status", &known(), Decision::Allow, None),
        ("git status", &old, Decision::Deny, Some("tool.version")),
        ("git --version", &old, Decision::Allow, None),
        ("git status", &unknown, Decision::Warn, Some("tool.version")),
        ("kubectl get pods", &known(), Decision::Allow, None),
        (
            "kubectl get pods",
            &production,
            Decision::Deny,
            Some("tool.context"),
        ),
        (
            "kubectl --context=staging-eu get pods",
            &production,
            Decision::Allow,
            None,
        ),
        (
            "kubectl get pods --context prod-us",
            &known(),
            Decision::Deny,
            Some("tool.context"),
        ),
        (
            "kubectl --context qa get pods",
            &known(),
            Decision::Deny,
            Some("tool.context"),
        ),
        (
            "kubectl get pods",
            &unknown,
            Decision::Warn,
            Some("tool.context"),
        ),
        (
            "KUBECONFIG=/tmp/other kubectl get pods",
            &known(),
            Decision::Warn,
            Some("tool.context"),
        ),
        (
            "terraform plan --lock=true",
            &known(),
            Decision::Allow,
            None,
        ),
        ("terraform plan -lock=true", &known(), Decision::Allow, None),
        (
            "terraform plan",
            &known(),
            Decision::Deny,
            Some("tool.flags"),
        ),
        (
            "terraform plan -lock=false",
            &known(),
            Decision::Deny,
            Some("tool.flags"),
        ),
        ("terraform fmt", &known(), Decision::Allow, None),
        ("terraform version", &known(), Decision::Allow, None),
        ("aws s3 ls", &known(), Decision::Allow, None),
        (
            "aws s3 ls --profile production",
            &known(),
            Decision::Deny,
            Some("tool.profile"),
        ),
        (
            "AWS_PROFILE=production aws s3 ls",
            &known(),
            Decision::Deny,
            Some("tool.profile"),
        ),
        (
            "sudo git status",
            &old,
            Decision::Deny,
            Some("tool.version"),
        ),
        ("echo git kubectl aws", &old, Decision::Allow, None),
    ] {
        let judgement = with(&policy, command, facts, &subject());
        let tools: Vec<&str> = ids(&judgement)
            .into_iter()
            .filter(|id| id.starts_with("tool."))
            .collect();
        match rule {
            Some(rule) => {
                assert!(tools.contains(&rule), "{command}: {tools:?}");
                assert!(
                    judgement.decision >= decision,
                    "{command}: {}",
                    judgement.decision
                );
                let own = judgement.rules.iter().find(|hit| hit.id == rule).unwrap();
                assert_eq!(own.decision, decision, "{command}: {own:?}");
            }
            None => assert!(tools.is_empty(), "{command}: {tools:?}"),
        }
    }
}

#[test]
fn an_allowlist_denies_what_is_not_listed() {
    let policy = snapshot(
        "version: \"1.0\"\ntools_mode: allowlist\nallowed_tools: [{name: git}, {name: ls}]\n",
    );
    for (command, decision) in [
        ("git status", Decision::Allow),
        ("cd /tmp && ls", Decision::Allow),
        ("export A=1", Decision::Allow),
        // A program that lies about its name is one; what zsh runs itself is a program for bash.
        ("./cd /tmp", Decision::Deny),
        ("setopt a", Decision::Deny),
        ("nmap 10.0.0.1", Decision::Deny),
        ("git log | nmap -", Decision::Deny),
    ] {
        assert_eq!(
            with(&policy, command, &known(), &subject()).decision,
            decision,
            "{command}"
        );
    }
}
