//! Against OCSF 1.3.0: classes Process Activity and Base Event, with the profiles host and security_control.
//! <https://schema.ocsf.io/1.3.0/classes/process_activity>

use cmdai_report::Foreign;
use serde_json::Value;

use crate::events::documents;

/// Attributes of an object that are used, each with the kind of its value: `s`tring, `i`nteger, `b`oolean,
/// `o`bject, or the name of the object. `!` is required.
type Shape = &'static [(&'static str, &'static str)];

const EVENT: Shape = &[
    ("activity_id!", "i"),
    ("activity_name", "s"),
    ("category_uid!", "i"),
    ("category_name", "s"),
    ("class_uid!", "i"),
    ("class_name", "s"),
    ("type_uid!", "i"),
    ("type_name", "s"),
    ("time!", "i"),
    ("severity_id!", "i"),
    ("severity", "s"),
    ("metadata!", "metadata"),
    ("device", "device"),
    ("actor", "actor"),
    ("process", "process"),
    ("action_id", "i"),
    ("action", "s"),
    ("disposition_id", "i"),
    ("disposition", "s"),
    ("status_id", "i"),
    ("status", "s"),
    ("exit_code", "i"),
    ("duration", "i"),
    ("message", "s"),
    ("policy", "policy"),
    ("unmapped", "o"),
];
const METADATA: Shape = &[
    ("version!", "s"),
    ("product!", "product"),
    ("profiles", "texts"),
    ("uid", "s"),
    ("event_code", "s"),
    ("sequence", "i"),
    ("original_time", "s"),
    ("log_name", "s"),
];
const PRODUCT: Shape = &[("name", "s"), ("vendor_name!", "s"), ("version", "s")];
const DEVICE: Shape = &[
    ("type_id!", "i"),
    ("type", "s"),
    ("uid", "s"),
    ("hostname", "s"),
    ("ip", "s"),
    ("os", "os"),
];
const OS: Shape = &[("name!", "s"), ("type_id!", "i")];
const ACTOR: Shape = &[("user", "user"), ("session", "session"), ("app_name", "s")];
const USER: Shape = &[
    ("name", "s"),
    ("uid", "s"),
    ("email_addr", "s"),
    ("type_id", "i"),
];
const SESSION: Shape = &[("uid", "s")];
const PROCESS: Shape = &[
    ("uid", "s"),
    ("pid", "i"),
    ("cmd_line", "s"),
    ("name", "s"),
    ("parent_process", "process"),
    ("user", "user"),
    ("file", "file"),
];
const FILE: Shape = &[("name!", "s"), ("path", "s"), ("type_id!", "i")];
const POLICY: Shape = &[
    ("name", "s"),
    ("version", "s"),
    ("is_applied", "b"),
    ("uid", "s"),
];

fn shape(name: &str) -> Shape {
    match name {
        "metadata" => METADATA,
        "product" => PRODUCT,
        "device" => DEVICE,
        "os" => OS,
        "actor" => ACTOR,
        "user" => USER,
        "session" => SESSION,
        "process" => PROCESS,
        "file" => FILE,
        "policy" => POLICY,
        other => panic!("{other}"),
    }
}

fn check(object: &Value, shape_of: Shape, place: &str) {
    let fields = object.as_object().unwrap();
    for (name, value) in fields {
        let kind = shape_of
            .iter()
            .find(|(known, _)| known.trim_end_matches('!') == name)
            .unwrap_or_else(|| panic!("{place}.{name} is no attribute"))
            .1;
        match kind {
            "s" => assert!(value.is_string(), "{place}.{name}"),
            "i" => assert!(value.is_i64() || value.is_u64(), "{place}.{name}"),
            "b" => assert!(value.is_boolean(), "{place}.{name}"),
            "o" => assert!(value.is_object(), "{place}.{name}"),
            "texts" => assert!(value.as_array().unwrap().iter().all(Value::is_string)),
            object => check(value, shape(object), &format!("{place}.{name}")),
        }
    }
    for (name, _) in shape_of.iter().filter(|(name, _)| name.ends_with('!')) {
        let name = name.trim_end_matches('!');
        assert!(fields.contains_key(name), "{place}.{name} is required");
    }
    // Constraints of the objects.
    let any = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    match place.rsplit('.').next().unwrap() {
        "process" | "parent_process" => assert!(any(&["pid", "uid"]), "{place}"),
        "actor" => assert!(any(&["user", "session", "app_name", "process"]), "{place}"),
        "user" => assert!(any(&["name", "uid", "account"]), "{place}"),
        "device" => assert!(any(&["ip", "uid", "name", "hostname"]), "{place}"),
        _ => {}
    }
}

#[test]
fn events_have_the_attributes_and_values_of_their_class() {
    for (event, document) in documents(Foreign::Ocsf) {
        check(&document, EVENT, "event");
        let number = |name: &str| document[name].as_u64();
        let (class, activity) = (number("class_uid").unwrap(), number("activity_id").unwrap());
        assert_eq!(number("type_uid"), Some(class * 100 + activity));
        let about_a_command = event.payload.command.is_some();
        if about_a_command {
            assert_eq!((class, number("category_uid")), (1007, Some(1)));
            assert!([1, 2].contains(&activity));
            for required in ["process", "device", "actor"] {
                assert!(document[required].is_object(), "{required}");
            }
        } else {
            assert_eq!((class, number("category_uid"), activity), (0, Some(0), 99));
            assert!(document.get("process").is_none());
        }
        assert!((0..=6).contains(&number("severity_id").unwrap()));
        for (id, name, words) in [
            ("action_id", "action", &["Unknown", "Allowed", "Denied"][..]),
            (
                "disposition_id",
                "disposition",
                &["Unknown", "Allowed", "Blocked"],
            ),
            ("status_id", "status", &["Unknown", "Success", "Failure"]),
            (
                "severity_id",
                "severity",
                &[
                    "Unknown",
                    "Informational",
                    "Low",
                    "Medium",
                    "High",
                    "Critical",
                ],
            ),
        ] {
            if let Some(id) = number(id) {
                assert_eq!(document[name], words[usize::try_from(id).unwrap()]);
            }
        }
        assert_eq!(document["time"], 1_767_225_600_250u64);
        assert_eq!(document["metadata"]["version"], "1.3.0");
    }
}
