//! The JSON Schema of the document (draft 2020-12), for editors and pipelines.
//!
//! The types of [`crate::document`] give its shape; here it is brought to what the reader takes: a
//! word where a list of words may stand, `null` where a key is absent, keys that are needed, words
//! that are not free. What no schema can say (whether a pattern can be read, whether a rule that is
//! excepted exists) is left to `cmdai policy lint`.

use serde_json::{Map, Value, json};

use crate::document::{Document, EFFECTS};
use crate::{moment, packs, templates};

/// Keys that must be there, by type; the first is the document itself.
const NEEDED: &[(&str, &[&str])] = &[
    ("", &["version"]),
    ("Rule", &["id"]),
    ("Tool", &["name"]),
    ("Exception", &["rule", "until"]),
    ("Trial", &["command", "expect"]),
];

/// The schema.
pub(crate) fn schema() -> Value {
    let mut whole = serde_json::to_value(schemars::schema_for!(Document)).unwrap_or_default();
    shape("", &mut whole);
    if let Some(Value::Object(types)) = whole.get_mut("$defs") {
        for (name, of_type) in types.iter_mut() {
            shape(name, of_type);
        }
    }
    words(&mut whole);
    whole
}

/// Brings the properties of one type to what is read.
fn shape(name: &str, of_type: &mut Value) {
    let needed = NEEDED
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(&[][..], |(_, needed)| *needed);
    let Some(Value::Object(properties)) = of_type.get_mut("properties") else {
        return;
    };
    for (key, property) in properties.iter_mut() {
        let read = read_as(property, needed.contains(&key.as_str()));
        *property = read;
    }
    if !needed.is_empty() {
        set(of_type, "required", json!(needed));
    }
}

/// What is read where the type says this.
fn read_as(property: &Value, needed: bool) -> Value {
    let mut read = property.clone();
    let items = property.get("items");
    let of_mappings = items
        .and_then(|items| items.get("$ref"))
        .and_then(Value::as_str)
        .is_some_and(|name| {
            ["Rule", "Tool", "Exception", "Trial", "BlockedPattern"]
                .iter()
                .any(|known| name.ends_with(known))
        });
    let mut choices: Vec<Value> = Vec::new();
    match (property.get("type"), items) {
        (_, Some(items)) if !of_mappings => {
            // A word alone is a list of one.
            let item = text(items);
            choices.push(item.clone());
            choices.push(json!({ "type": "array", "items": item }));
        }
        (_, Some(items)) => choices.push(json!({ "type": "array", "items": items })),
        (Some(kind), None) => choices.push(text(&one_kind(kind, property))),
        (None, None) => {
            let inner = property.get("$ref").cloned().or_else(|| {
                let any = property.get("anyOf")?.as_array()?;
                any.iter().find_map(|choice| choice.get("$ref").cloned())
            });
            choices.extend(inner.map(|inner| json!({ "$ref": inner })));
        }
    }
    if !needed {
        choices.push(json!({ "type": "null" }));
    }
    if let Value::Object(fields) = &mut read {
        for key in [
            "type",
            "items",
            "$ref",
            "anyOf",
            "format",
            "minimum",
            "maximum",
            "default",
            "additionalProperties",
        ] {
            fields.remove(key);
        }
        fields.insert("anyOf".to_owned(), Value::Array(choices));
    }
    read
}

/// The property without `null`, which is added again where the key may be absent.
fn one_kind(kind: &Value, property: &Value) -> Value {
    let kind = match kind {
        Value::Array(kinds) => kinds
            .iter()
            .find(|kind| kind.as_str() != Some("null"))
            .cloned()
            .unwrap_or_default(),
        kind => kind.clone(),
    };
    let mut out = json!({ "type": kind });
    if kind == "integer" {
        set(&mut out, "minimum", json!(0));
        set(&mut out, "maximum", json!(u32::MAX));
    }
    if let Some(inner) = property.get("additionalProperties") {
        set(&mut out, "additionalProperties", text(inner));
    }
    out
}

/// A text is never empty.
fn text(of_type: &Value) -> Value {
    let mut out = of_type.clone();
    if out.get("type").and_then(Value::as_str) == Some("string") && out.get("enum").is_none() {
        set(&mut out, "pattern", json!("\\S"));
    }
    out
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Value::Object(fields) = value {
        fields.insert(key.to_owned(), to);
    }
}

/// Words and forms that only the reader knows.
fn words(whole: &mut Value) {
    let list = |item: Value| json!([item, { "type": "array", "items": item }, { "type": "null" }]);
    let form = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let names: Vec<&str> = templates::all()
        .iter()
        .map(|template| template.name)
        .collect();
    let built_in: Vec<&str> = packs::catalogue().iter().map(|rule| rule.id).collect();
    let day = "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])";
    replace(
        whole,
        &["properties", "version"],
        json!([{ "const": "1.0" }, { "const": "1" }, { "const": 1 }]),
    );
    replace(
        whole,
        &["properties", "effective_date"],
        json!([form(&format!("{day}(T.*)?$")), { "type": "null" }]),
    );
    replace(
        whole,
        &["properties", "include"],
        list(json!({ "enum": names })),
    );
    let place = "^(project|tmp|~|~?/[^*?\\[]*)$";
    let types: [(&[&str], Value); 11] = [
        (&["Supervise", "write"], list(form(place))),
        (&["Supervise", "read_only"], list(form(place))),
        (
            &["Exception", "until"],
            json!([form(&format!("{day}(T.*)?$"))]),
        ),
        (&["When", "effect"], list(json!({ "enum": EFFECTS }))),
        (
            &["TimeWindow", "days"],
            list(json!({ "enum": moment::day_names() })),
        ),
        (&["Rule", "id"], json!([form("^[A-Za-z0-9._-]+$")])),
        (&["Tool", "required_flags"], list(form("^-."))),
        (
            &["Safety", "additional_dangerous_paths"],
            list(form("^(/|~|\\*\\*/)")),
        ),
        (
            &["TimeWindow", "between"],
            json!([form("^\\d{1,2}:\\d{2}-\\d{1,2}:\\d{2}$"), { "type": "null" }]),
        ),
        (
            &["Tool", "versions"],
            list(form("^\\s*(>=|<=|==|!=|>|<|=|~|\\^)?\\s*v?\\d")),
        ),
        (
            &["Approvals", "quorum"],
            json!([{ "type": "integer", "minimum": 1, "maximum": u32::MAX }, { "type": "null" }]),
        ),
    ];
    for (path, choices) in types {
        if let [of_type, key] = path {
            replace(whole, &["$defs", of_type, "properties", key], choices);
        }
    }
    let given = |key: &str| json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } });
    // An own rule says when and what; another one sets a built-in rule by its id.
    if let Some(rule) = whole.pointer_mut("/$defs/Rule") {
        set(rule, "if", given("when"));
        set(
            rule,
            "then",
            json!({
                "anyOf": [given("decision"), given("risk")],
                "properties": { "id": { "not": { "enum": built_in } } },
            }),
        );
        set(
            rule,
            "else",
            json!({
                "properties": { "id": { "enum": built_in }, "unknown": { "type": "null" } },
            }),
        );
    }
    if let Some(pattern) = whole.pointer_mut("/$defs/BlockedPattern") {
        set(pattern, "oneOf", json!([given("pattern"), given("regex")]));
    }
    if let Some(when) = whole.pointer_mut("/$defs/When") {
        set(when, "minProperties", json!(1));
    }
}

/// Puts other choices in place of a property's.
fn replace(whole: &mut Value, path: &[&str], choices: Value) {
    let property = path
        .iter()
        .try_fold(whole, |value, key| value.get_mut(*key));
    if let Some(Value::Object(fields)) = property {
        let kept: Option<Value> = fields.remove("description");
        let mut fresh = Map::new();
        fresh.extend(kept.map(|text| ("description".to_owned(), text)));
        fresh.insert("anyOf".to_owned(), choices);
        *fields = fresh;
    }
}
