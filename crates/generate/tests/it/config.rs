//! The configuration file.

use std::sync::Arc;

use cmdai_generate::{Chain, Config};

const GOOD: &str = r#"
colour = "auto"

[generate]
backends = ["intents", "local"]

[[backend]]
name = "cloud"
kind = "openai"
url = "https://models.example/v1/"
model = "big"
key_env = "MODELS_KEY"

[[backend]]
name = "local"
kind = "openai"
url = "http://127.0.0.1:11434"
model = "small"
timeout_s = 7
stream = false
"#;

#[test]
fn a_good_file() {
    let config = Config::parse(GOOD).unwrap();
    assert_eq!(config.order, ["intents", "local"]);
    assert_eq!(config.backends[0].url, "https://models.example");
    assert_eq!(
        (
            config.backends[1].timeout_s,
            config.backends[1].stream,
            config.backends[1].is_local()
        ),
        (7, false, true)
    );
    assert!(!config.backends[0].is_local());
    let chain = Chain::from_config(
        &config,
        &(Arc::new(str::to_owned) as cmdai_generate::Redactor),
        &[],
    );
    let names: Vec<(&str, Option<&str>)> =
        chain.iter().map(|one| (one.name(), one.model())).collect();
    assert_eq!(names, [("intents", None), ("local", Some("small"))]);
}

#[test]
fn an_empty_file_has_the_built_in_engine() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    let without_order = GOOD.replace("backends = [\"intents\", \"local\"]", "");
    assert_eq!(
        Config::parse(&without_order).unwrap().order,
        ["intents", "cloud", "local"]
    );
}

#[test]
fn mistakes_have_a_place() {
    let edit = |from: &str, to: &str| GOOD.replacen(from, to, 1);
    for (text, line, part) in [
        (
            edit("\"local\"]", "\"lokal\"]"),
            5,
            "no backend is named `lokal`",
        ),
        (edit("\"local\"]", "\"intents\"]"), 5, "twice"),
        (edit("kind = \"openai\"", "kind = \"magic\""), 9, "magic"),
        (edit("model = \"big\"", "modle = \"big\""), 11, "modle"),
        (
            edit("https://models.example/v1/", "models.example"),
            10,
            "base address",
        ),
        (
            edit("https://models.example", "http://models.example"),
            10,
            "unencrypted",
        ),
        (
            edit("https://models.example", "https://a:b@models.example"),
            10,
            "key_env",
        ),
        (edit("MODELS_KEY", "sk-abc"), 12, "never the key"),
        (
            edit("timeout_s = 7", "timeout_s = 0"),
            19,
            "between 1 and 3600",
        ),
        (
            edit("timeout_s = 7", "timeout_s = \"7\""),
            19,
            "invalid type",
        ),
        (
            edit("name = \"local\"", "name = \"cloud\""),
            15,
            "not taken",
        ),
        (
            edit("name = \"local\"", "name = \"intents\""),
            15,
            "not taken",
        ),
        (
            edit("model = \"small\"", "model = \"\""),
            18,
            "`model` is empty",
        ),
        ("[generate\n".to_owned(), 1, ""),
    ] {
        let error = Config::parse(&text).expect_err(part);
        assert!(error.to_string().contains(part), "{error} | {part}");
        assert_eq!(error.line, line, "{error}");
        assert!(error.column >= 1);
    }
}
