//! A home with a policy, and ways to run a tree in it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cmdai_schema::Layer;
use cmdai_schema::record::{Half, Start};
use cmdai_testkit::Home;

pub(crate) const POLICY: &str = r#"
version: "1.0"
safety:
  blocked_patterns:
    - { id: test.forbidden, pattern: "touch *forbidden*", reason: forbidden here }
    - { id: test.question, pattern: "touch *question*", decision: confirm, reason: is it wanted }
"#;

/// A home with the policy above; nothing where trees cannot be supervised on this machine.
pub(crate) fn home() -> Option<Home> {
    if let Some(why) = cmdai_supervise::obstacle() {
        eprintln!("skipped: {why}");
        return None;
    }
    let home = Home::new().unwrap();
    home.policy(POLICY).unwrap();
    Some(home)
}

/// How a run ended, and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) output: Output,
    pub(crate) said: String,
    pub(crate) printed: String,
}

/// `cmdai` with these arguments, ready to be started.
pub(crate) fn cmdai(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(cmdai_testkit::program().unwrap());
    command
        .args(arguments)
        .env_clear()
        .envs(home.environment())
        .current_dir(home.work())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// `cmdai run -- PROGRAM…`.
pub(crate) fn run(home: &Home, program: &[&str]) -> Ran {
    run_with(home, program, "")
}

/// The same with something on standard input.
pub(crate) fn run_with(home: &Home, program: &[&str], input: &str) -> Ran {
    let arguments: Vec<&str> = ["run", "--"].iter().chain(program).copied().collect();
    let mut child = cmdai(home, &arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        said: text(&output.stderr),
        printed: text(&output.stdout),
        output,
    }
}

/// Writes a program into the folder where the tree works.
pub(crate) fn script(home: &Home, name: &str, text: &str) {
    let path = home.work().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file lies there.
pub(crate) fn there(home: &Home, name: &str) -> bool {
    home.work().join(name).exists()
}

/// Waits until a file lies there.
pub(crate) fn wait_for(home: &Home, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !there(home, name) {
        assert!(Instant::now() < deadline, "{name} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What the supervisor recorded, without the tree's own program.
pub(crate) fn starts(home: &Home) -> Vec<Start> {
    let records = home.records().unwrap_or_default();
    records
        .into_iter()
        .filter(|record| record.session_id.starts_with("tree-"))
        .filter_map(|record| match record.half {
            Half::Start(start) => Some(*start),
            _ => None,
        })
        .inspect(|start| assert_eq!(start.layer, Layer::Supervised))
        .collect()
}

/// The records of one command.
pub(crate) fn of<'a>(starts: &'a [Start], text: &str) -> Vec<&'a Start> {
    starts.iter().filter(|start| start.text == text).collect()
}
