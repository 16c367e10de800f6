//! Against `opentelemetry/proto/collector/logs/v1/logs_service.proto` 1.3 and its JSON encoding.

use cmdai_report::Foreign;
use serde_json::Value;

use crate::events::documents;

fn keys(value: &Value, known: &[&str]) {
    for key in value.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "{key}");
    }
}

/// An `AnyValue`: exactly one of its kinds.
fn any(value: &Value) {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "stringValue" => assert!(value.is_string()),
        "boolValue" => assert!(value.is_boolean()),
        "intValue" => assert!(value.as_str().unwrap().parse::<i64>().is_ok()),
        "arrayValue" => {
            keys(value, &["values"]);
            value["values"].as_array().unwrap().iter().for_each(any);
        }
        other => panic!("{other}"),
    }
}

fn attributes(of: &Value) {
    let mut names = std::collections::BTreeSet::new();
    for attribute in of["attributes"].as_array().unwrap() {
        keys(attribute, &["key", "value"]);
        let name = attribute["key"].as_str().unwrap();
        assert!(!name.is_empty() && names.insert(name), "{name} twice");
        assert_eq!(attribute["value"].as_object().unwrap().len(), 1);
        any(&attribute["value"]);
    }
}

#[test]
fn requests_have_the_fields_of_the_protocol() {
    for (_, request) in documents(Foreign::Otlp) {
        keys(&request, &["resourceLogs"]);
        let resource = &request["resourceLogs"][0];
        keys(resource, &["resource", "scopeLogs", "schemaUrl"]);
        keys(
            &resource["resource"],
            &["attributes", "droppedAttributesCount"],
        );
        attributes(&resource["resource"]);
        let scope = &resource["scopeLogs"][0];
        keys(scope, &["scope", "logRecords", "schemaUrl"]);
        keys(&scope["scope"], &["name", "version", "attributes"]);
        let record = &scope["logRecords"][0];
        keys(
            record,
            &[
                "timeUnixNano",
                "observedTimeUnixNano",
                "severityNumber",
                "severityText",
                "body",
                "attributes",
                "droppedAttributesCount",
                "flags",
                "traceId",
                "spanId",
            ],
        );
        for time in ["timeUnixNano", "observedTimeUnixNano"] {
            assert_eq!(record[time], "1767225600250000000", "64 bits are a string");
        }
        assert!((1..=24).contains(&record["severityNumber"].as_u64().unwrap()));
        any(&record["body"]);
        attributes(record);
    }
}
