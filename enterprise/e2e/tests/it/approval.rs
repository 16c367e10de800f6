//! Approval: asked on the machine, granted at the console, honoured once.

use std::time::Duration;

use cmdai_e2e::{Machine, PASSWORD, Run, Server, Shell, eventually};

const POLICY: &str = r#"
version: "1.0"
organization: "acme"
rules:
  - id: acme.deploy
    when:
      pattern: "./deploy .*"
    decision: require_approval
    risk: high
    reason: "Deploys need a second person"
"#;

#[test]
fn asked_granted_and_honoured_once() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let script = machine.home().join("project/deploy");
    std::fs::write(&script, "#!/bin/sh\necho deployed-$1\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut shell = Shell::open(&machine).unwrap();

    shell.line("./deploy blue").unwrap();
    shell.wait_for("needs approval").unwrap();
    shell.line("echo status-$?").unwrap();
    shell.wait_for("status-75").unwrap();

    let request = server.waiting().unwrap();
    assert_eq!(request["text"], "./deploy blue");
    let id = request["id"].as_str().unwrap().to_owned();

    // A wrong password is no step-up.
    let refused = Run::of(
        server
            .operator("admin")
            .env("CMDAI_PASSWORD", "wrong")
            .args(["approve", &id, "--reason", "x"]),
    )
    .unwrap();
    assert_ne!(refused.code, 0);
    server
        .admin(&["approve", &id, "--reason", "CHG-7"])
        .unwrap();

    eventually("the grant on the machine", Duration::from_secs(10), || {
        shell.line("./deploy blue")?;
        shell
            .wait_for_any(&["deployed-blue", "needs approval"], Duration::from_secs(5))
            .and_then(|seen| {
                if seen.contains("deployed-blue") {
                    Ok(())
                } else {
                    anyhow::bail!("not yet: {seen}")
                }
            })
    })
    .unwrap();

    // Once means once.
    shell.line("./deploy blue").unwrap();
    shell.wait_for("needs approval").unwrap();
    eventually(
        "the server knows that it was used",
        Duration::from_secs(5),
        || {
            let list = server.get("approvals?status=consumed")?;
            anyhow::ensure!(
                list["approvals"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|one| one["id"] == id.as_str())),
                "{list}"
            );
            Ok(())
        },
    )
    .unwrap();
}

#[test]
fn a_swapped_script_is_refused_after_the_grant() {
    let server = Server::start().unwrap();
    server
        .publish(&POLICY.replace("./deploy .*", "bash deploy.sh"))
        .unwrap();
    let machine = Machine::join(&server).unwrap();
    let script = machine.home().join("project/deploy.sh");
    std::fs::write(&script, "echo good-script\n").unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("bash deploy.sh").unwrap();
    shell.wait_for("needs approval").unwrap();
    let request = server.waiting().unwrap();
    assert!(
        request["files"]
            .as_object()
            .is_some_and(|files| !files.is_empty()),
        "{request}"
    );
    server
        .admin(&["approve", request["id"].as_str().unwrap(), "--reason", "ok"])
        .unwrap();
    std::fs::write(&script, "echo swapped-script\n").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    shell.line("bash deploy.sh").unwrap();
    let seen = shell
        .wait_for_any(
            &["needs approval", "swapped-script"],
            Duration::from_secs(5),
        )
        .unwrap();
    assert!(!seen.contains("\nswapped-script"), "{seen}");
}

#[test]
fn nobody_approves_for_themselves() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    std::fs::write(machine.home().join("project/deploy"), "#!/bin/sh\n").unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("./deploy red").unwrap();
    shell.wait_for("needs approval").unwrap();
    let request = server.waiting().unwrap();
    let person = request["user"].as_str().unwrap().to_owned();
    let body = format!(
        r#"{{"login":"self","role":"administrator","person":"{person}","password":"{PASSWORD}","your_password":"{PASSWORD}"}}"#
    );
    server.admin(&["api", "users", "--post", &body]).unwrap();
    Run::of(server.operator("self").args([
        "login",
        "--server",
        &server.console,
        "--login",
        "self",
    ]))
    .unwrap()
    .good()
    .unwrap();
    let id = request["id"].as_str().unwrap();
    let refused = Run::of(
        server
            .operator("self")
            .args(["approve", id, "--reason", "mine"]),
    )
    .unwrap();
    assert_ne!(
        refused.code, 0,
        "{person} approved their own request: {}",
        refused.stdout
    );
}

#[test]
fn an_agent_is_told_the_request_and_passes_when_it_repeats_the_command() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let folder = machine.home().join("project");
    std::fs::write(folder.join("deploy"), "#!/bin/sh\necho deployed-$1\n").unwrap();
    let call = serde_json::json!({
        "session_id": "agent-1", "cwd": folder, "hook_event_name": "PreToolUse",
        "tool_name": "Bash", "tool_input": { "command": "./deploy blue" },
        "tool_use_id": "t1", "permission_mode": "default", "transcript_path": "/tmp/t",
    })
    .to_string();
    let hook = || {
        let mut child = machine
            .cmdai()
            .args(["hook", "claude-code"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), call.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        format!(
            "{} {} {}",
            done.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        )
    };
    let first = hook();
    let request = server.waiting().unwrap();
    let id = request["id"].as_str().unwrap().to_owned();
    assert!(first.contains("deny") && first.contains(&id), "{first}");
    assert_eq!(request["origin"], "agent");
    assert!(hook().contains(&id), "the same command is the same request");
    server
        .admin(&["approve", &id, "--reason", "CHG-8"])
        .unwrap();
    eventually(
        "the repeated command passes",
        Duration::from_secs(10),
        || {
            let seen = hook();
            anyhow::ensure!(!seen.contains("deny"), "{seen}");
            Ok(())
        },
    )
    .unwrap();
    let again = hook();
    assert!(
        again.contains("deny") && !again.contains(&id),
        "once is once: {again}"
    );
}

#[test]
fn a_changed_cluster_is_not_what_was_approved() {
    let server = Server::start().unwrap();
    let policy = POLICY.replace("./deploy .*", "kubectl rollout restart .*");
    server.publish(&policy).unwrap();
    let machine = Machine::join(&server).unwrap();
    let tools = machine.home().join("bin");
    std::fs::create_dir_all(&tools).unwrap();
    let kubectl = tools.join("kubectl");
    std::fs::write(&kubectl, "#!/bin/sh\necho restarted\n").unwrap();
    std::fs::set_permissions(
        &kubectl,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let config = machine.home().join("kubeconfig");
    let cluster = |name: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {name}\ncontexts:\n- name: {name}\n  context: {{cluster: {name}, user: me}}\n"
        );
        std::fs::write(&config, text).unwrap();
    };
    let path = format!(
        "{}:{}:{}",
        tools.display(),
        machine.programs().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = || {
        Run::of(
            machine
                .cmdai()
                .env("PATH", &path)
                .env("KUBECONFIG", &config)
                .args(["run", "-c", "kubectl rollout restart deployment web"]),
        )
        .unwrap()
    };
    cluster("dev-1");
    assert_eq!(run().code, 75);
    let request = server.waiting().unwrap();
    assert!(
        request["contexts"]
            .to_string()
            .contains("kube_context=dev-1"),
        "{request}"
    );
    let id = request["id"].as_str().unwrap();
    server.admin(&["approve", id, "--reason", "ok"]).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    cluster("dev-2");
    assert_eq!(run().code, 75, "another cluster");
    cluster("dev-1");
    let done = run();
    assert_eq!((done.code, done.stdout.trim()), (0, "restarted"));
}

#[test]
fn an_exception_is_asked_for_approved_used_and_taken_back() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let script = machine.home().join("project/deploy");
    std::fs::write(&script, "#!/bin/sh\necho deployed-$1\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = || Run::of(machine.cmdai().args(["run", "-c", "./deploy blue"])).unwrap();
    let places = cmdai_schema::paths::Places::below(machine.state());
    let mut governor =
        cmdai_gate::governor::Governor::connect(&places.socket, "test", Duration::from_secs(5))
            .unwrap();
    let asked = cmdai_schema::governor::ExceptionRequest {
        rules: vec!["acme.deploy".to_owned()],
        duration_s: 3_600,
        reason: "migration".to_owned(),
        origin: "human".to_owned(),
        ..Default::default()
    };
    let pending = governor.exception(asked, "s").unwrap();
    assert!(
        matches!(pending, cmdai_schema::governor::Reply::Pending { .. }),
        "{pending:?}"
    );
    let request = server.waiting().unwrap();
    assert_eq!(request["kind"], "exception", "{request}");
    let id = request["id"].as_str().unwrap().to_owned();
    server
        .admin(&["approve", &id, "--reason", "agreed"])
        .unwrap();
    eventually("the rule is lifted", Duration::from_secs(10), || {
        let done = run();
        anyhow::ensure!(done.stdout.contains("deployed-blue"), "{}", done.stderr);
        Ok(())
    })
    .unwrap();
    eventually("its use is known", Duration::from_secs(10), || {
        let list = server.admin(&["exceptions", "list", "--format", "json"])?;
        let one: serde_json::Value = serde_json::from_str(list.lines().next().unwrap_or(""))?;
        anyhow::ensure!(
            one["last_used"].is_string() && one["status"] == "active",
            "{one}"
        );
        Ok(())
    })
    .unwrap();
    server
        .admin(&["exceptions", "revoke", &id, "--reason", "over"])
        .unwrap();
    eventually("the rule stands again", Duration::from_secs(10), || {
        anyhow::ensure!(run().code == 75, "still lifted");
        Ok(())
    })
    .unwrap();
}
