//! Asking whoever governs: exceptions, break-glass, and insisting.

use cmdai_schema::governor::{Reply, Request};
use cmdai_testkit::FakeGovernor;

use crate::world::World;

const POLICY: &str = r#"version: "1.0"
organization: "acme"
approvals: { break_glass: true }
rules:
  - id: test.frobnicate
    when: { program: frobnicate }
    decision: deny
    reason: "Frobnicating is not done here"
    owner: "Platform"
  - id: test.deploy
    when: { program: deploy }
    decision: require_approval
    reason: "Deploying needs a second person"
"#;

fn governor(world: &World, replies: Vec<Reply>) -> FakeGovernor {
    FakeGovernor::start(&world.home.state().join("governor.sock"), replies).unwrap()
}

fn pending() -> Reply {
    Reply::Pending {
        request_id: "X7F3".to_owned(),
    }
}

#[test]
fn an_exception_is_asked_for_with_rule_time_and_reason() {
    let world = World::governed(POLICY);
    let governor = governor(&world, vec![pending()]);
    let said = world.cmdai(&[
        "request",
        "--rule",
        "test.frobnicate",
        "--for",
        "7d",
        "--reason",
        "migration, password=Hunter2Hunter2",
        "--only",
        "frobnicate --dry*",
        "--here",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout
            .contains("request X7F3 is open: test.frobnicate for 7 d"),
        "{}",
        said.stdout
    );
    let asked = governor.asked();
    let [Request::Exception { exception, .. }] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(exception.rules, ["test.frobnicate"]);
    assert_eq!(exception.duration_s, 7 * 86_400);
    assert_eq!(exception.pattern.as_deref(), Some("frobnicate --dry*"));
    assert_eq!(
        exception.directory.as_deref(),
        world.home.work().to_str(),
        "only here"
    );
    assert!(
        !exception.reason.contains("Hunter2"),
        "{}",
        exception.reason
    );
    assert_eq!(exception.origin, "script");
}

#[test]
fn an_interrupted_command_names_the_way_and_the_way_works() {
    let world = World::governed(POLICY);
    let said = world.cmdai(&["run", "-c", "frobnicate --all"]);
    assert_eq!(said.code, 126);
    assert!(
        said.stderr
            .contains("cmdai request --rule test.frobnicate --for 7d --reason"),
        "{}",
        said.stderr
    );
    let id = said.stderr.rsplit("cmdai why ").next().unwrap().trim();
    let governor = governor(&world, vec![pending()]);
    let said = world.cmdai(&[
        "request",
        "--command",
        id,
        "--for",
        "12h",
        "--reason",
        "once",
        "--format",
        "json",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        (answer["state"].as_str(), answer["request_id"].as_str()),
        (Some("pending"), Some("X7F3"))
    );
    let asked = governor.asked();
    let [Request::Exception { exception, .. }] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(exception.rules, ["test.frobnicate"]);
    assert_eq!(exception.text.as_deref(), Some("frobnicate --all"));
}

#[test]
fn what_cannot_be_asked_is_said_with_the_cure() {
    let ask = |world: &World, rule: &str, time: &str, reason: &str| {
        let said = world.cmdai(&["request", "--rule", rule, "--for", time, "--reason", reason]);
        (said.code, said.stderr)
    };
    let (code, words) = ask(&World::new(), "test.frobnicate", "7d", "x");
    assert_eq!(code, 2);
    assert!(words.contains("this machine is not governed"), "{words}");

    let world = World::governed(POLICY);
    for (rule, time, reason, code, said) in [
        (
            "test.frobnicat",
            "7d",
            "x",
            2,
            "did you mean test.frobnicate?",
        ),
        (
            "git.force-psh",
            "7d",
            "x",
            2,
            "did you mean git.force-push?",
        ),
        (
            "utter.nonsense",
            "7d",
            "x",
            2,
            "`cmdai policy show` lists all",
        ),
        ("fs.delete-root", "7d", "x", 2, "cannot be lifted"),
        ("self.protect", "7d", "x", 2, "cannot be lifted"),
        ("gate.no-policy", "7d", "x", 2, "cannot be lifted"),
        ("test.frobnicate", "7d", "  ", 2, "the reason is empty"),
        (
            "test.frobnicate",
            "91d",
            "x",
            2,
            "between one minute and 90 days",
        ),
        (
            "test.frobnicate",
            "5s",
            "x",
            2,
            "between one minute and 90 days",
        ),
        ("test.frobnicate", "soon", "x", 2, "length of time"),
        ("test.frobnicate", "7d", "x", 1, "is the sensor running?"),
    ] {
        let (found, words) = ask(&world, rule, time, reason);
        assert!(
            found == code && words.contains(said),
            "{rule} {time}: {found} {words}"
        );
    }
    let refused = Reply::Refused {
        request_id: None,
        reason: "at most 3 days here".to_owned(),
    };
    let _governor = governor(&world, vec![refused]);
    let (code, words) = ask(&world, "test.frobnicate", "7d", "x");
    assert_eq!(code, 1);
    assert!(words.contains("at most 3 days here"), "{words}");
}

#[test]
fn an_agent_may_ask_and_is_named() {
    let world = World::governed(POLICY).with("CLAUDECODE", "1");
    let governor = governor(&world, vec![pending()]);
    let said = world.cmdai(&[
        "request",
        "--rule",
        "test.frobnicate",
        "--for",
        "1h",
        "--reason",
        "x",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let asked = governor.asked();
    assert!(
        matches!(asked.as_slice(), [Request::Exception { exception, .. }] if exception.origin == "agent" && exception.agent.as_deref() == Some("claude-code")),
        "{asked:?}"
    );
}

#[test]
fn break_glass_runs_once_where_the_governor_permits_it_and_is_on_record() {
    let world = World::governed(POLICY);
    let permitted = Reply::Permitted {
        request_id: "E911".to_owned(),
        grant_id: "g-1".to_owned(),
        review_within_s: Some(86_400),
    };
    let refused = Reply::Refused {
        request_id: None,
        reason: "this organisation has no break-glass".to_owned(),
    };
    let governor = governor(&world, vec![permitted, refused]);
    let run = |line: &str| {
        world.cmdai(&[
            "run",
            "--break-glass",
            "--reason",
            "shop is down",
            "-c",
            line,
        ])
    };
    let said = run("deploy --now");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(world.ran("deploy"));
    assert!(
        said.stderr.contains("break-glass") && said.stderr.contains("E911"),
        "{}",
        said.stderr
    );
    let start = world.starts().pop().unwrap();
    let approval = start.approval.unwrap();
    assert_eq!(
        (approval.status.as_str(), approval.grant_id.as_deref()),
        ("break_glass", Some("g-1"))
    );
    assert_eq!(approval.reason.as_deref(), Some("shop is down"));
    // The governor says no.
    let said = run("deploy --again");
    assert_eq!(said.code, 126);
    assert!(
        said.stderr.contains("has no break-glass"),
        "{}",
        said.stderr
    );
    assert!(!world.ran("deploy"));
    // It never stands in for a denial, and nobody is asked.
    let before = governor.asked().len();
    let said = run("frobnicate");
    assert_eq!(said.code, 126);
    assert!(
        said.stderr.contains("never for a denial"),
        "{}",
        said.stderr
    );
    assert!(!world.ran("frobnicate"));
    let after = governor.asked();
    assert!(
        !after[before..]
            .iter()
            .any(|request| matches!(request, Request::BreakGlass { .. })),
        "{after:?}"
    );
    // It binds what an approval binds.
    let bound: Vec<_> = after
        .iter()
        .filter_map(|request| match request {
            Request::BreakGlass {
                binding, reason, ..
            } => Some((binding, reason)),
            _ => None,
        })
        .collect();
    assert_eq!(bound.len(), 2);
    assert_eq!(bound[0].0.exact, "deploy --now");
    assert_eq!(bound[0].0.rules, ["test.deploy"]);
    assert_eq!(bound[0].1, "shop is down");
}

#[test]
fn break_glass_needs_a_reason_a_governor_and_a_person() {
    let line = ["-c", "deploy"];
    let run = |world: &World, more: &[&str]| {
        let mut arguments = vec!["run"];
        arguments.extend(more);
        arguments.extend(line);
        let said = world.cmdai(&arguments);
        (said.code, said.stderr)
    };
    let world = World::governed(POLICY);
    let (code, words) = run(&world, &["--break-glass"]);
    assert!(code == 2 && words.contains("--reason"), "{words}");
    let (code, words) = run(&world, &["--break-glass", "--reason", " "]);
    assert!(code == 2 && words.contains("needs a reason"), "{words}");
    let (code, words) = run(&World::new(), &["--break-glass", "--reason", "x"]);
    assert!(code == 2 && words.contains("not governed"), "{words}");
    let (code, words) = run(&world, &["--break-glass", "--reason", "x"]);
    assert!(
        code == 126 && words.contains("is the sensor running?"),
        "{words}"
    );

    let agent = World::governed(POLICY).with("CLAUDECODE", "1");
    let governor = governor(&agent, vec![pending()]);
    let (code, words) = run(&agent, &["--break-glass", "--reason", "x"]);
    assert_eq!(code, 75, "an agent's request waits like any other: {words}");
    assert!(
        governor
            .asked()
            .iter()
            .all(|request| !matches!(request, Request::BreakGlass { .. }))
    );
    assert!(!agent.ran("deploy") && !world.ran("deploy"));
}

#[test]
fn insisting_is_refused_on_a_governed_machine_through_both_doors() {
    let world = World::governed(POLICY);
    let mut terminal = world.terminal(&["run", "--allow-dangerous", "-c", "frobnicate"]);
    terminal
        .wait_for("--allow-dangerous is refused on a governed machine")
        .unwrap();
    terminal.wait_for("blocked").unwrap();
    assert_eq!(terminal.wait().unwrap(), 126);
    assert!(!world.ran("frobnicate"));

    let mut shell = world.bash();
    let program = env!("CARGO_BIN_EXE_cmdai");
    let shown = shell
        .run(&format!(
            "{program} run --allow-dangerous -c 'frobnicate x'"
        ))
        .unwrap();
    assert!(
        shown.contains("refused on a governed machine") || shown.contains("blocked"),
        "{shown}"
    );
    assert!(!world.ran("frobnicate"));
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}

#[test]
fn insisting_is_for_people_who_type_it_out() {
    let world = World::new();
    world.home.policy(POLICY).unwrap();
    let line = ["run", "--allow-dangerous", "-c", "frobnicate"];
    let said = world.cmdai(&line);
    assert!(
        said.code == 126 && said.stderr.contains("needs a person at a terminal"),
        "{}",
        said.stderr
    );
    let mut terminal = world.terminal(&line);
    terminal.wait_for("type the whole command again").unwrap();
    terminal.send_line("yes").unwrap();
    assert_eq!(terminal.wait().unwrap(), 126);
    assert!(!world.ran("frobnicate"));
    let mut terminal = world.terminal(&line);
    terminal.wait_for("type the whole command again").unwrap();
    terminal.send_line("frobnicate").unwrap();
    assert_eq!(terminal.wait().unwrap(), 0);
    assert!(world.ran("frobnicate"));

    let agent = World::new().with("CLAUDECODE", "1");
    agent.home.policy(POLICY).unwrap();
    let mut terminal = agent.terminal(&line);
    terminal.wait_for("refused for AI agents").unwrap();
    assert_eq!(terminal.wait().unwrap(), 126);
    assert!(!agent.ran("frobnicate"));
}
