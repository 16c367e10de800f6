//! The machine layer, with the kernel that the test runs on. Where that permits nothing the tests say
//! so and end.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cmdai_schema::record::{Half, Record, Start};
use cmdai_schema::{AssertedBy, Event, EventType, Layer, Origin, OriginKind};

use crate::world::{World, eventually, started, uid};

const FORBIDDEN: &str = "forbidden-tool";

fn policy(exec: &str) -> String {
    format!(
        "version: \"1.0\"\norganization: acme-corp\ncapture: {{exec: {exec}}}\nsafety:\n  blocked_patterns:\n    - pattern: \"{FORBIDDEN} .*\"\n      reason: \"Not here\"\n"
    )
}

/// A machine whose policy wants to know what starts; nothing where the kernel does not tell.
fn world(exec: &str) -> Option<World> {
    let mut world = World::new();
    world.publish(1, &policy(exec));
    world.start();
    let status = world.until("the layer is there or is not", |status| {
        status.policy_version == "1"
            && status
                .layers
                .iter()
                .any(|layer| layer.on || layer.state.starts_with("off:"))
    });
    let layer = &status.layers[0];
    if !layer.on {
        println!("skipped: {}", layer.state);
        return None;
    }
    until_judged(&world);
    Some(world)
}

/// What starts has its text from here on: on a machine with much to do the judging process takes longer
/// to begin than it is waited for, and what starts meanwhile is recorded without.
fn until_judged(world: &World) {
    let mark = mark("first");
    let mut next = Instant::now();
    eventually("what starts is judged", || {
        if Instant::now() >= next {
            let status = Command::new("setsid").args(["/bin/true", &mark]).status();
            assert!(status.unwrap().success());
            next = Instant::now() + Duration::from_secs(4);
        }
        world
            .known(|known| known.events.iter().any(|event| says(event, &mark)))
            .then_some(())
    });
}

fn mark(name: &str) -> String {
    format!("cmdaimark{name}{}", std::process::id())
}

fn says(event: &Event, text: &str) -> bool {
    event
        .payload
        .command
        .as_ref()
        .is_some_and(|command| command.text.contains(text))
}

fn finding(event: &Event) -> Option<&str> {
    event.payload.detail.get("finding").map(String::as_str)
}

fn is_of(event: &Event, pid: u32) -> bool {
    event.payload.detail.get("pid") == Some(&pid.to_string())
}

fn boottime() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// A record of a process, as its hook would write it.
fn record(session: &str, counter: u64, pid: u32, half: Half) -> String {
    Record {
        session_id: session.into(),
        counter,
        time_ms: std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis() as u64,
        mono_ns: boottime(),
        pid,
        user: "root".into(),
        script: None,
        half,
    }
    .to_line()
    .unwrap()
}

/// A program of another name.
fn copy_of(program: &str, to: PathBuf) -> PathBuf {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(program, &to).unwrap();
    to
}

struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    input: Box<dyn std::io::Write + Send>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn open(program: &str, arguments: &[&str]) -> Self {
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .unwrap();
        let mut command = portable_pty::CommandBuilder::new(program);
        command.args(arguments);
        command.env("HOME", "/nonexistent");
        command.cwd("/");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while output.read(&mut buffer).is_ok_and(|count| count > 0) {}
        });
        let input = pair.master.take_writer().unwrap();
        Self {
            child,
            input,
            _master: pair.master,
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_one_command_starts_is_one_event_with_a_count() {
    let Some(world) = world("record") else { return };
    let mark = mark("rolled");
    let script = format!("for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true {mark}; /bin/echo; done");
    let status = Command::new("setsid")
        .args(["/bin/sh", "-c", &script])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let events = world.events("the roll-up", |event| {
        event.payload.context.layer == Layer::Exec
            && event.payload.detail["programs"].contains("true 10")
            && says(event, &mark)
    });
    let whole = |event: &&Event| event.payload.detail["programs"].contains("true 10");
    let events: Vec<&Event> = events.iter().filter(whole).collect();
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = events[0];
    assert_eq!(event.envelope.event_type, EventType::ExecObserved);
    assert_eq!(event.payload.asserted_by, AssertedBy::Kernel);
    assert_eq!(event.payload.user.uid, Some(uid()));
    let detail = &event.payload.detail;
    let count: u64 = detail["execs"].parse().unwrap();
    assert!((21..=22).contains(&count), "{detail:?}");
    assert!(detail["programs"].contains("true 10"), "{detail:?}");
    assert!(
        detail["ancestry"].contains(&format!("{} ", std::process::id())),
        "{detail:?}"
    );
    assert!(detail["ancestry"].contains("sha256:"), "{detail:?}");
    assert_eq!(event.payload.context.origin.kind, OriginKind::Script);
    let evidence = &event.payload.context.origin.evidence;
    assert!(
        evidence
            .iter()
            .any(|one| one.starts_with("no-terminal") || one == "terminal"),
        "{evidence:?}"
    );
}

#[test]
fn an_exec_is_joined_to_the_record_of_its_shell() {
    let Some(world) = world("record") else { return };
    let mark = mark("joined");
    let mut session = world.session("joined-session");
    // A process of its own: what other tests start is not below it.
    let mut shell = Command::new("sh").stdin(Stdio::piped()).spawn().unwrap();
    let own = shell.id();
    session.raw(&record(
        "joined-session",
        1,
        own,
        Half::SessionStart {
            shell: "bash 5.2".into(),
            origin: Origin::default(),
        },
    ));
    session.raw(&record(
        "joined-session",
        2,
        own,
        Half::Start(Box::new(started("the-command"))),
    ));
    let mut line = shell.stdin.take().unwrap();
    writeln!(line, "setsid /bin/true {mark}").unwrap();
    drop(line);
    assert!(shell.wait().unwrap().success());
    session.raw(&record(
        "joined-session",
        3,
        own,
        Half::End {
            command_id: "the-command".into(),
            exit_code: 0,
            duration_us: 1,
        },
    ));
    let events = world.events("the exec", |event| {
        event.payload.context.layer == Layer::Exec
            && says(event, &format!("true {mark}"))
            && event.payload.detail["executable"].ends_with("/true")
    });
    let event = &events[0];
    assert_eq!(event.envelope.event_type, EventType::ExecObserved);
    assert_eq!(event.payload.detail["joined"], "command");
    assert_eq!(event.payload.context.session_id, "joined-session");
    assert_eq!(
        event.payload.command.as_ref().unwrap().command_id,
        "the-command"
    );
}

#[test]
fn a_shell_without_hooks_is_found_within_ten_seconds_and_one_with_hooks_is_not() {
    let Some(world) = world("record") else { return };
    let hooked = Terminal::open("/bin/bash", &["--norc", "--noprofile", "-i"]);
    let mut session = world.session("hooked");
    session.raw(&record(
        "hooked",
        1,
        hooked.pid(),
        Half::SessionStart {
            shell: "bash 5.2".into(),
            origin: Origin::default(),
        },
    ));
    let begun = Instant::now();
    let mut bare = Terminal::open("/bin/bash", &["--norc", "--noprofile", "-i"]);
    let mark = mark("typed");
    bare.input
        .write_all(format!("/bin/true {mark}\n").as_bytes())
        .unwrap();
    let pid = bare.pid();
    let events = world.events("the finding", |event| {
        finding(event) == Some("shell-without-hooks") && is_of(event, pid)
    });
    println!("found after {:?}", begun.elapsed());
    assert_eq!(events[0].envelope.event_type, EventType::Gap);
    assert!(events[0].payload.context.tty.is_some());
    // What was typed there is seen as what it started, and counts as a command.
    let typed = world.events("what was typed", |event| {
        event.payload.context.layer == Layer::Exec && says(event, &mark)
    });
    assert_eq!(typed[0].envelope.event_type, EventType::CommandExecuted);
    assert_eq!(typed[0].payload.context.origin.kind, OriginKind::Human);
    let wrong = world.known(|known| {
        known
            .events
            .iter()
            .filter(|event| finding(event) == Some("shell-without-hooks"))
            .any(|event| is_of(event, hooked.pid()))
    });
    assert!(!wrong, "the hooked one reports");
}

#[test]
fn an_agents_command_without_its_hook_is_found() {
    let Some(world) = world("record") else { return };
    let folder = tempfile::tempdir().unwrap();
    let agent = copy_of(
        "/bin/bash",
        folder
            .path()
            .join("node_modules/@anthropic-ai/claude-code/claude"),
    );
    let mark = mark("agent");
    let mut child = Command::new(&agent)
        .args(["-c", &format!("/bin/sh -c '/bin/true {mark}'; read x; :")])
        .env("CLAUDECODE", "1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let events = world.events("the finding", |event| {
        finding(event) == Some("agent-without-hook") && is_of(event, pid)
    });
    assert_eq!(events[0].payload.detail["agent"], "claude-code");
    assert_eq!(events[0].payload.detail["hook"], "never spoke");
    let ran = world.events("the command", |event| {
        event.payload.context.layer == Layer::Exec
            && says(event, &format!("true {mark}"))
            && !event.payload.detail["executable"].ends_with("/claude")
    });
    let context = &ran[0].payload.context;
    assert_eq!(context.origin.kind, OriginKind::Agent);
    assert_eq!(context.origin.confidence, 950, "{:?}", context.origin);
    assert_eq!(context.agent.as_ref().unwrap().name, "claude-code");
    drop(child.stdin.take());
    let _ = child.wait();
}

#[test]
fn marks_of_an_agent_that_no_ancestor_confirms_are_found() {
    let Some(world) = world("record") else { return };
    let mark = mark("forged");
    let mut child = Command::new("setsid")
        .args(["/bin/sh", "-c", &format!("read x; : {mark}")])
        .env("CODEX_CI", "1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let events = world.events("the event", |event| {
        event.payload.context.layer == Layer::Exec && says(event, &mark)
    });
    let origin = &events[0].payload.context.origin;
    assert_eq!((origin.kind, origin.confidence), (OriginKind::Agent, 600));
    world.events("the finding", |event| {
        finding(event) == Some("attribution-disagrees")
            && event.payload.detail["evidence"].contains("env:CODEX_CI")
    });
    drop(child.stdin.take());
    let _ = child.wait();
}

fn ended(mut child: Child) -> std::process::ExitStatus {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            panic!("it was not ended: {:?}", child.wait());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_denied_is_ended_and_recorded() {
    let Some(world) = world("enforce") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tool = copy_of("/bin/sleep", folder.path().join(FORBIDDEN));
    let child = eventually("the worker has the policy", || {
        let mut child = Command::new(&tool).arg("300").spawn().unwrap();
        // The first ones may run before the judge has the policy.
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if child.try_wait().unwrap().is_some() {
                return Some(child);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    });
    let pid = child.id();
    assert_eq!(ended(child).signal(), Some(9));
    let events = world.events("the block", |event| {
        event.envelope.event_type == EventType::CommandBlocked && is_of(event, pid)
    });
    let event = &events[0];
    assert_eq!(event.payload.context.layer, Layer::Exec);
    assert_eq!(event.payload.asserted_by, AssertedBy::Kernel);
    assert_eq!(event.payload.detail["layer"], "kernel");
    assert!(!event.payload.execution.as_ref().unwrap().allowed);
    let policy = event.payload.policy_evaluation.as_ref().unwrap();
    assert!(policy.reason.contains("Not here"), "{policy:?}");
    println!("ended after {} us", event.payload.detail["ended_after_us"]);
    // A command that the policy does not deny goes on.
    let mut calm = Command::new("/bin/sleep").arg("1").spawn().unwrap();
    assert!(calm.wait().unwrap().success());
}

#[test]
fn a_policy_that_only_records_ends_nothing() {
    let Some(world) = world("record") else { return };
    let folder = tempfile::tempdir().unwrap();
    let tool = copy_of("/bin/sleep", folder.path().join(FORBIDDEN));
    let mark = format!("0.{}", 100_000_000 + std::process::id());
    let status = eventually("the worker has the policy", || {
        let mut child = Command::new(&tool).arg(&mark).spawn().unwrap();
        let pid = child.id();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}");
        std::thread::sleep(Duration::from_millis(300));
        world.known(|known| {
            known
                .events
                .iter()
                .find(|event| {
                    event.envelope.event_type == EventType::PolicyViolation && is_of(event, pid)
                })
                .cloned()
        })
    });
    assert!(status.payload.detail["ended"].contains("only records"));
}

fn forged<'a>(event: &'a Event, key: &str) -> Option<&'a str> {
    let detail = &event.payload.detail;
    (finding(event) == Some("forged-record"))
        .then(|| detail.get(key).map(String::as_str))
        .flatten()
}

/// All processes are in one namespace of process numbers; in another one the same numbers mean others.
fn is_one_world() -> bool {
    let namespaces: std::collections::HashSet<PathBuf> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path().join("ns/pid")).ok())
        .collect();
    namespaces.len() == 1
}

#[test]
fn a_record_of_a_program_that_never_started_is_found() {
    let Some(world) = world("record") else { return };
    let layers = world.until("a state", |status| !status.layers.is_empty());
    if !layers.layers[0].state.starts_with("ebpf") {
        println!("skipped: {}", layers.layers[0].state);
        return;
    }
    let name = "forged-session";
    let mut shell = Terminal::open("/bin/bash", &["--norc", "--noprofile", "-i"]);
    let own = shell.pid();
    let mut session = world.session(name);
    let begun = Half::SessionStart {
        shell: "bash 5.2".into(),
        origin: Origin::default(),
    };
    session.raw(&record(name, 1, own, begun));
    let mut counter = 1;
    let mut line = |id: &str, text: &str, typed: &str, mark: &str| {
        let start = Start {
            text: text.into(),
            programs: vec!["ls".into()],
            ..started(id)
        };
        session.raw(&record(
            name,
            counter + 1,
            own,
            Half::Start(Box::new(start)),
        ));
        shell.input.write_all(typed.as_bytes()).unwrap();
        world.events("what was typed", |event| {
            event.payload.context.layer == Layer::Exec && says(event, mark)
        });
        let end = Half::End {
            command_id: id.into(),
            exit_code: 0,
            duration_us: 1,
        };
        session.raw(&record(name, counter + 2, own, end));
        counter += 2;
    };
    let honest = mark("honest");
    line(
        "honest",
        &format!("ls -d / {honest}"),
        &format!("ls -d / {honest}\n"),
        &honest,
    );
    // What really ran was something else.
    let hidden = mark("hidden");
    line(
        "innocent",
        "ls -d /",
        &format!("/bin/true {hidden}\n"),
        &hidden,
    );
    let events = world.events("the finding", |event| forged(event, "command_id").is_some());
    let event = &events[0];
    assert_eq!(event.envelope.event_type, EventType::Gap);
    assert_eq!(event.payload.asserted_by, AssertedBy::Kernel);
    assert_eq!(event.payload.user.uid, Some(uid()));
    assert_eq!(forged(event, "command_id"), Some("innocent"), "{event:#?}");
    assert_eq!(forged(event, "why"), Some("never-started"));
    assert_eq!(forged(event, "program"), Some("ls"));
    assert_eq!(forged(event, "started"), Some("true"));
    assert_eq!(forged(event, "session_id"), Some(name));
    assert_eq!(forged(event, "pid"), Some(own.to_string().as_str()));
}

#[test]
fn a_record_of_a_process_that_is_no_shell_is_found() {
    let Some(world) = world("record") else { return };
    let layers = world.until("a state", |status| !status.layers.is_empty());
    if !layers.layers[0].state.starts_with("ebpf") || !is_one_world() {
        println!(
            "skipped: {}, or there are containers",
            layers.layers[0].state
        );
        return;
    }
    let start = |parent| {
        let parents = vec![cmdai_schema::ProcessInfo {
            pid: parent,
            name: "bash".into(),
            exe: None,
        }];
        Half::Start(Box::new(Start {
            parents,
            ..started("forged")
        }))
    };
    let own = std::process::id();
    // A number that no process has had.
    let never = 4_194_000;
    for (session, pid, parent, why) in [
        ("by-a-program", own, 1, "no-shell"),
        ("by-nobody", never, never - 1, "no-such-process"),
    ] {
        world
            .session(session)
            .raw(&record(session, 1, pid, start(parent)));
        let events = world.events("the finding", |event| {
            forged(event, "session_id") == Some(session)
        });
        assert_eq!(forged(&events[0], "why"), Some(why), "{events:#?}");
        assert_eq!(forged(&events[0], "pid"), Some(pid.to_string().as_str()));
    }
}
