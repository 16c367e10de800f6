//! `cmdai "WORDS"`.

use cmdai_testkit::{ModelServer, Turn};

use crate::home::Home;

#[test]
fn everyday_words_become_commands_and_unknown_ones_do_not() {
    let home = Home::new();
    let said = home.cmdai(&["--print", "count lines in rust files"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("wc -l"), "{}", said.stdout);

    let said = home.cmdai(&["--print", "make me a sandwich"]);
    assert_eq!(said.code, 1);
    assert!(said.stdout.is_empty());
    assert!(
        said.stderr.contains("no command for this"),
        "{}",
        said.stderr
    );

    let said = home.cmdai(&["delete old stuff"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains('?'), "it asks: {}", said.stderr);
}

#[test]
fn json_carries_the_judgement_and_runs_nothing() {
    let said = Home::new().cmdai(&["--format", "json", "count lines in rust files"]);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["answer"], "suggestions");
    assert_eq!(answer["suggestions"][0]["judgement"]["decision"], "allow");
}

#[test]
fn without_a_terminal_nothing_is_run() {
    let home = Home::new();
    let said = home.cmdai(&["count lines in rust files"]);
    assert_eq!(said.code, 0);
    assert!(said.stderr.contains("nothing was run"), "{}", said.stderr);
}

#[test]
fn a_model_behind_a_server_answers_what_the_intents_cannot() {
    let server =
        ModelServer::start(vec![Turn::Text("printf 'from-the-model'".to_owned())]).unwrap();
    let home = Home::new();
    home.write(
        ".config/cmdai/config.toml",
        &format!("[generate]\nbackends = [\"intents\", \"local\"]\n[[backend]]\nname = \"local\"\nkind = \"openai\"\nurl = \"{}\"\nmodel = \"test\"\n", server.url()),
    );
    let said = home.cmdai(&["--print", "greet my grandmother in morse"]);
    assert_eq!(
        said.stdout.trim(),
        "printf 'from-the-model'",
        "{}",
        said.stderr
    );
}

#[test]
fn a_broken_configuration_is_named_with_its_place() {
    let home = Home::new();
    home.write(".config/cmdai/config.toml", "[generate]\nbackend = 3\n");
    let said = home.cmdai(&["--print", "list files"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("config.toml:2"), "{}", said.stderr);
}

#[test]
fn what_policy_forbids_is_not_offered() {
    let home = Home::new();
    home.write(
        ".config/cmdai/policy.yaml",
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: \"find .*\"\n      reason: \"Not here\"\n",
    );
    let said = home.cmdai(&["--print", "python files larger than 10 MB"]);
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    assert!(said.stderr.contains("Not here"), "{}", said.stderr);
    let said = home.cmdai(&["--format", "json", "python files larger than 10 MB"]);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["answer"], "abstained");
    assert_eq!(answer["dropped"][0]["forbidden"], true);
}

#[test]
fn a_yes_does_not_silence_a_block() {
    let home = Home::new();
    home.write(
        ".config/cmdai/policy.yaml",
        "version: \"1.0\"\nrules:\n  - { id: own.wc, when: { program: wc, args: [\"-m\"] }, decision: deny, reason: \"Not here\" }\n",
    );
    let mut terminal = home.terminal(&["count lines in rust files"]);
    terminal.wait_for("[N]o").unwrap();
    terminal.send_line("e").unwrap();
    terminal.wait_for("> ").unwrap();
    // What the person makes of it is judged as itself.
    terminal.send_line("; echo x | wc -m").unwrap();
    terminal.wait_for("blocked").unwrap();
    assert_eq!(terminal.wait().unwrap(), 126);
}
