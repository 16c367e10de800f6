//! `cmdai why` and `cmdai policy show` as a person sees them.

use super::home::Home;

const POLICY: &str = r#"version: "1.0"
rules:
  - id: no.prod
    when: {program: kubectl, context: "prod-*"}
    decision: deny
    unknown: confirm
    reason: "production is changed by the pipeline"
"#;

const CLUSTER: &str =
    "contexts:\n- context:\n    namespace: shop\n  name: dev-eu\ncurrent-context: dev-eu\n";

fn home() -> Home {
    let home = Home::new();
    home.write(".config/cmdai/policy.yaml", POLICY);
    home.write(".kube/config", CLUSTER);
    home
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn of_any_command() {
    let home = home();
    let fired = home.cmdai(&["why", "--", "kubectl --context prod-eu get pods"]);
    has(
        &fired.stdout,
        &[
            "deny",
            "fired",
            "no.prod",
            "from user: rules, line 3",
            "prod-eu  the command itself",
        ],
    );
    let nearly = home.cmdai(&["why", "--", "kubectl get pods"]);
    has(
        &nearly.stdout,
        &[
            "nearly fired",
            "`context` does not fit: it is dev-eu",
            ".kube/config",
            "shop",
        ],
    );
    let unknown = home.cmdai(&["why", "--", "sudo kubectl get pods"]);
    has(&unknown.stdout, &["confirm", "the context is not known"]);
    let json = home.cmdai(&["why", "--format", "json", "--", "kubectl", "get", "pods"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["rules"][0]["verdict"], "nearly");
    assert_eq!(json["facts"][0]["value"], "dev-eu");
    assert_eq!(home.cmdai(&["why"]).code, 2);
}

#[test]
fn of_a_recorded_command() {
    let home = home();
    home.cmdai(&["run", "-c", "kubectl --context prod-eu get pods"]);
    let log = home.cmdai(&["log", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(log.stdout.lines().last().unwrap()).unwrap();
    let why = home.cmdai(&["why", row["id"].as_str().unwrap()]);
    has(
        &why.stdout,
        &[
            "decision",
            "no.prod",
            "as it would be judged now",
            "from user: rules, line 3",
        ],
    );
}

#[test]
fn show_says_where_each_rule_stands() {
    let home = home();
    let shown = home.cmdai(&["policy", "show", "--effective"]);
    has(
        &shown.stdout,
        &[
            "policy.yaml",
            "no.prod",
            "from rules, line 3",
            "from built-in pack core",
        ],
    );
    let json = home.cmdai(&["policy", "show", "--format", "json"]);
    let rules: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let all = rules.as_array().unwrap();
    assert!(
        all.iter()
            .all(|rule| !rule["from"].as_str().unwrap().is_empty())
    );
}
