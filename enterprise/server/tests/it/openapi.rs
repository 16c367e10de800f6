//! The committed OpenAPI document is the one of this code.

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    let made = cmdai_server::openapi::document().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == made,
        "run `cargo run -p cmdai-server --example openapi > api/openapi.json` in enterprise/"
    );
}

#[test]
fn every_reference_is_defined() {
    let document: serde_json::Value =
        serde_json::from_str(&cmdai_server::openapi::document().to_json().unwrap()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(name) = value.get("$ref").and_then(|reference| reference.as_str()) {
            references += 1;
            assert!(
                schemas.contains_key(name.trim_start_matches("#/components/schemas/")),
                "{name}"
            );
        }
        open.extend(value.as_object().into_iter().flat_map(|map| map.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 50);
}
