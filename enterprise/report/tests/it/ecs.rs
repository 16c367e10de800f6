//! Against the field reference of ECS 8.11. <https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html>

use cmdai_report::Foreign;
use serde_json::Value;

use crate::events::documents;

/// Fields and their types: `k`eyword and text, `l`ong, `d`ate, `i`p; `+` where it is an array.
const FIELDS: &[(&str, &str)] = &[
    ("@timestamp", "d"),
    ("message", "k"),
    ("ecs.version", "k"),
    ("event.kind", "k"),
    ("event.category", "k+"),
    ("event.type", "k+"),
    ("event.action", "k"),
    ("event.outcome", "k"),
    ("event.id", "k"),
    ("event.sequence", "l"),
    ("event.module", "k"),
    ("event.dataset", "k"),
    ("event.provider", "k"),
    ("event.severity", "l"),
    ("event.reason", "k"),
    ("event.duration", "l"),
    ("host.hostname", "k"),
    ("host.name", "k"),
    ("host.id", "k"),
    ("host.os.type", "k"),
    ("host.architecture", "k"),
    ("host.ip", "i+"),
    ("observer.vendor", "k"),
    ("observer.product", "k"),
    ("observer.type", "k"),
    ("observer.version", "k"),
    ("user.name", "k"),
    ("user.id", "k"),
    ("user.email", "k"),
    ("process.entity_id", "k"),
    ("process.command_line", "k"),
    ("process.working_directory", "k"),
    ("process.name", "k"),
    ("process.exit_code", "l"),
    ("process.parent.pid", "l"),
    ("process.parent.name", "k"),
    ("process.parent.executable", "k"),
    ("rule.id", "k"),
    ("rule.description", "k"),
    ("rule.ruleset", "k"),
    ("rule.version", "k"),
];

/// Values of `event.category` that are used, with the values of `event.type` that are expected with each.
const EXPECTED: &[(&str, &[&str])] = &[
    ("process", &["access", "change", "end", "info", "start"]),
    (
        "configuration",
        &["access", "change", "creation", "deletion", "info"],
    ),
    (
        "package",
        &[
            "access",
            "change",
            "deletion",
            "info",
            "installation",
            "start",
        ],
    ),
    ("host", &["access", "change", "end", "info", "start"]),
];

fn check(value: &Value, name: &str) {
    // Names of our own product are free.
    if name == "cmdai" {
        return;
    }
    if let Value::Object(fields) = value {
        for (part, value) in fields {
            let name = if name.is_empty() {
                part.clone()
            } else {
                format!("{name}.{part}")
            };
            check(value, &name);
        }
        return;
    }
    let kind = FIELDS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("{name} is no field"))
        .1;
    let one = |value: &Value| match &kind[..1] {
        "l" => value.is_i64() || value.is_u64(),
        "d" => value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
        "i" => value.as_str().unwrap().parse::<std::net::IpAddr>().is_ok(),
        _ => value.is_string(),
    };
    let fits = match kind.ends_with('+') {
        true => value.as_array().unwrap().iter().all(one),
        false => one(value),
    };
    assert!(fits, "{name} is {value}");
}

#[test]
fn documents_have_fields_and_values_of_the_reference() {
    for (_, document) in documents(Foreign::Ecs) {
        check(&document, "");
        let event = &document["event"];
        assert!(["event", "alert", "state"].contains(&event["kind"].as_str().unwrap()));
        assert!(["success", "failure", "unknown"].contains(&event["outcome"].as_str().unwrap()));
        let category = event["category"][0].as_str().unwrap();
        let types = EXPECTED
            .iter()
            .find(|(known, _)| *known == category)
            .unwrap()
            .1;
        assert!(
            types.contains(&event["type"][0].as_str().unwrap()),
            "{event}"
        );
        assert_eq!(document["ecs"]["version"], "8.11.0");
        if let Some(system) = document["host"]["os"]["type"].as_str() {
            assert!(["linux", "macos", "unix", "windows"].contains(&system));
        }
    }
}
