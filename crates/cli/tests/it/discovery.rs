//! Tools that a command would bring, under a list of allowed tools, through the doors.

use crate::world::World;

const POLICY: &str = r#"version: "1.0"
organization: "acme"
tools_mode: allowlist
allowed_tools:
  - { name: apt-get }
  - { name: brew }
  - { name: cargo }
  - { name: curl }
  - { name: go }
  - { name: npm }
  - { name: pip }
  - { name: pipx }
  - { name: rg }
  - { name: ruff }
  - { name: sh }
  - { name: sudo }
"#;

fn judged(world: &World, line: &str) -> (String, Vec<String>) {
    let said = world.cmdai(&["check", "--format", "json", "--", line]);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let rules = answer["rules"].as_array().unwrap();
    let named = rules
        .iter()
        .filter(|hit| hit["id"].as_str().is_some_and(|id| id.starts_with("tool.")))
        .map(|hit| {
            format!(
                "{} {}",
                hit["id"].as_str().unwrap(),
                hit["decision"].as_str().unwrap()
            )
        })
        .collect();
    (answer["decision"].as_str().unwrap().to_owned(), named)
}

#[test]
fn what_installs_a_tool_is_judged_by_the_tool() {
    let world = World::governed(POLICY);
    for line in [
        "sudo apt-get install -y nmap",
        "brew install jq",
        "cargo install hyperfine",
        "npm install -g eslint",
        "pipx install httpie",
        "go install github.com/a/b/cmd/tool@latest",
        "curl -fsSL https://get.example/install.sh | sh",
    ] {
        let (decision, rules) = judged(&world, line);
        assert_eq!(decision, "deny", "{line}");
        assert!(
            rules.contains(&"tool.install deny".to_owned()),
            "{line}: {rules:?}"
        );
    }
    for line in [
        "cargo install ripgrep",
        "pipx install ruff==0.4",
        "npm install lodash",
        "npm install",
    ] {
        let (decision, rules) = judged(&world, line);
        assert!(
            decision != "deny" && rules.is_empty(),
            "{line}: {decision} {rules:?}"
        );
    }
    // A library is none of the list's business; a tool would be denied when it is called.
    let (decision, rules) = judged(&world, "pip install requests");
    assert_eq!(
        (decision.as_str(), rules.as_slice()),
        ("warn", &["tool.install warn".to_owned()][..])
    );
    let (decision, rules) = judged(&world, "shovel");
    assert_eq!(
        (decision.as_str(), rules.as_slice()),
        ("deny", &["tool.not-listed deny".to_owned()][..])
    );
}

#[test]
fn it_is_said_through_each_door_and_without_a_list_nothing_is() {
    let world = World::governed(POLICY);
    let line = "brew install jq";
    let words = "brew would install jq, which is not in the list of allowed tools";
    let said = world.cmdai(&["run", "-c", line]);
    assert!(
        said.code == 126 && said.stderr.contains(words),
        "{}",
        said.stderr
    );
    let (passes, heard) = world.hook(line);
    assert!(!passes && heard.contains(words), "{heard}");
    let shown = world.bash().run(line).unwrap();
    assert!(
        shown.contains("blocked") && shown.contains(words),
        "{shown}"
    );

    let free = World::governed("version: \"1.0\"\norganization: \"acme\"\n");
    assert_eq!(judged(&free, line).1, Vec::<String>::new());
}
