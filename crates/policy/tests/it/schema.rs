//! The JSON Schema and the reader say the same about a document.

use cmdai_policy::{json_schema, parse, templates};
use serde_json::{Map, Value, json};

const EVERY_KEY: &str = include_str!("every_key.yaml");

/// Complaints about what a text means, which no schema can make.
const MEANING: &[&str] = &[
    "bad-pattern",
    "bad-regex",
    "bad-time",
    "bad-date",
    "bad-version",
    "bad-engine",
    "duplicate-rule",
    "empty-when",
    "floor",
    "unknown-rule",
];

fn value(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn it_is_a_schema() {
    let schema = json_schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    if let Err(error) = jsonschema::meta::validate(&schema) {
        panic!("{error}");
    }
}

#[test]
fn every_key_stands_in_the_example() {
    let schema = json_schema();
    let mut seen: Vec<String> = Vec::new();
    collect(&value(EVERY_KEY), &mut seen);
    let mut types: Vec<&Value> = vec![&schema];
    types.extend(schema["$defs"].as_object().unwrap().values());
    for of_type in types {
        let Some(properties) = of_type.get("properties").and_then(Value::as_object) else {
            continue;
        };
        for (key, property) in properties {
            assert!(seen.contains(key), "`{key}` is not in every_key.yaml");
            let described = property.get("description").and_then(Value::as_str);
            assert!(
                described.is_some_and(|text| !text.is_empty()),
                "`{key}` is not described"
            );
        }
    }
}

fn collect(value: &Value, seen: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                seen.push(key.clone());
                collect(inner, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        _ => {}
    }
}

#[test]
fn it_takes_every_template_and_document() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let mut sources = vec![("every key", EVERY_KEY)];
    sources.extend(
        templates()
            .iter()
            .map(|template| (template.name, template.source)),
    );
    for (name, source) in sources {
        let errors: Vec<String> = validator
            .iter_errors(&value(source))
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        parse(source, name).unwrap_or_else(|errors| panic!("{name}: {errors}"));
    }
}

/// Every place in a document, as the keys that lead there.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                places(inner, &format!("{at}/{}", key.replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                places(inner, &format!("{at}/{number}"), out);
            }
        }
        _ => {}
    }
}

/// Mistakes that people and programs make, at every place.
fn mistakes(whole: &Value) -> Vec<(String, Value)> {
    let mut at = Vec::new();
    places(whole, "", &mut at);
    let mut out = Vec::new();
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(4_294_967_296_i64),
        json!(""),
        json!("  "),
        json!("word"),
        json!("2026-13-45"),
        json!("low"),
        json!("deny"),
        json!([]),
        json!(["word"]),
        json!([""]),
        json!([1]),
        json!([null]),
        json!([[]]),
        json!({}),
        json!({ "word": 1 }),
        json!([{}]),
    ];
    for (number, place) in at.iter().enumerate() {
        // Each place gets some of them, and each of them comes to many places.
        for (_, other) in others
            .iter()
            .enumerate()
            .filter(|(at, _)| (number * 5 + at) % 7 == 0)
        {
            let mut wrong = whole.clone();
            *wrong.pointer_mut(place).unwrap() = other.clone();
            out.push((format!("{place} is {other}"), wrong));
        }
        if let Some(Value::Object(fields)) = whole.pointer(place) {
            let mut more = whole.clone();
            let target: &mut Map<String, Value> =
                more.pointer_mut(place).unwrap().as_object_mut().unwrap();
            target.insert("unheard".to_owned(), json!("of"));
            out.push((format!("{place} has an unknown key"), more));
            for key in fields.keys() {
                let mut less = whole.clone();
                let target = less.pointer_mut(place).unwrap().as_object_mut().unwrap();
                let inner = target.remove(key).unwrap();
                out.push((format!("{place} without {key}"), less.clone()));
                let target = less.pointer_mut(place).unwrap().as_object_mut().unwrap();
                target.insert(format!("{key}s"), inner);
                out.push((format!("{place} with {key} misspelt"), less));
            }
        }
    }
    out
}

#[test]
fn it_rejects_what_the_reader_rejects_and_nothing_else() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let all = mistakes(&value(EVERY_KEY));
    let (mut wrong, mut rejected, mut meaning) = (Vec::new(), 0, 0);
    for (what, document) in &all {
        let schema = validator.is_valid(document);
        // JSON is YAML.
        match parse(&document.to_string(), "p.yaml") {
            Ok(_) if schema => {}
            Ok(_) => wrong.push(format!("read, but not valid: {what}")),
            Err(_) if !schema => rejected += 1,
            Err(errors) if errors.0.iter().all(|error| MEANING.contains(&error.code)) => {
                meaning += 1;
            }
            Err(errors) => wrong.push(format!("valid, but not read: {what}: {}", errors.0[0])),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        all.len(),
        wrong
            .iter()
            .take(40)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(
        rejected > 700 && meaning < rejected / 5,
        "{rejected} {meaning}"
    );
}

#[test]
fn a_newer_document_is_refused_with_one_cure_and_not_partly_applied() {
    for version in ["\"1.1\"", "\"2.0\"", "3", "1.2"] {
        let source =
            format!("version: {version}\nbrand_new: {{key: 1}}\nsafety: {{also_new: 1}}\n");
        let errors = parse(&source, "p.yaml").unwrap_err();
        assert_eq!(errors.0.len(), 1, "{errors}");
        let text = errors.to_string();
        assert!(text.contains("knows 1.0"), "{text}");
        assert!(text.contains("update cmdai"), "{text}");
        assert!(text.contains("nothing of it is applied"), "{text}");
    }
}
