//! What is captured, by both sources.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cmdai_exec_capture::{Audit, Choice, Exec, MAX_ARGV, Role, Source, open, process};
use rustix::fs::{FlockOperation, flock};

/// The audit subsystem has one consumer, and each test may run in a process of its own.
fn alone() -> File {
    let path = std::env::temp_dir().join("cmdai-exec-capture-test.lock");
    let file = File::create(path).unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();
    file
}

pub(crate) fn source(choice: Choice) -> Option<(Option<File>, Box<dyn Source>)> {
    let guard = (choice == Choice::Audit).then(alone);
    match open(choice) {
        // Dropped from the last to the first: the lock goes last.
        Ok(source) => Some((guard, source)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// Reads until `enough`, at most half a minute.
pub(crate) fn read(
    source: &mut dyn Source,
    wanted: impl Fn(&Exec) -> bool,
    enough: impl Fn(&[Exec]) -> bool,
) -> Vec<Exec> {
    let until = Instant::now() + Duration::from_secs(30);
    let mut found = Vec::new();
    while !enough(&found) && Instant::now() < until {
        source
            .read(Duration::from_millis(20), 4096, &mut |exec| {
                if wanted(&exec) {
                    found.push(exec);
                }
            })
            .unwrap();
    }
    found
}

fn mark(name: &str) -> String {
    format!("cmdai-mark-{name}-{}", std::process::id())
}

fn has(exec: &Exec, mark: &str) -> bool {
    exec.argv
        .iter()
        .any(|word| word.windows(mark.len()).any(|part| part == mark.as_bytes()))
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn counted(choice: Choice) {
    let Some((_guard, mut source)) = source(choice) else {
        return;
    };
    const COUNT: usize = 400;
    let mark = mark(source.name());
    let before = source.counters().unwrap();
    std::thread::scope(|scope| {
        let mark = &mark;
        scope.spawn(move || {
            for number in 0..COUNT {
                let status = quiet("/bin/true").arg(format!("{mark}-{number}")).status();
                assert!(status.unwrap().success());
            }
        });
        let found = read(
            source.as_mut(),
            |exec| has(exec, mark),
            |found| found.len() >= COUNT,
        );
        let lost = source.counters().unwrap().lost - before.lost;
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        for exec in &found {
            *numbers.entry(exec.argv[1].clone()).or_default() += 1;
        }
        assert!(numbers.values().all(|count| *count == 1), "told once each");
        assert!(
            numbers.len() == COUNT || (lost > 0 && numbers.len() + lost as usize >= COUNT),
            "{} of {COUNT} seen, {lost} lost",
            numbers.len()
        );
        println!(
            "{}: {} of {COUNT}, {lost} lost",
            source.name(),
            numbers.len()
        );
    });
}

#[test]
fn ebpf_sees_each_start_once_and_counts_what_it_lost() {
    counted(Choice::Ebpf);
}

#[test]
fn audit_sees_each_start_once_and_counts_what_it_lost() {
    counted(Choice::Audit);
}

#[test]
fn an_exec_says_who_where_and_what() {
    let Some((_guard, mut source)) = source(Choice::Ebpf) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let mark = mark("whole");
    let mut child = Command::new("sleep")
        .args(["30", "--", &mark])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // `sleep` refuses the word; it was started all the same.
    let pid = child.as_ref().unwrap().id();
    let found = read(
        source.as_mut(),
        |exec| has(exec, &mark),
        |found| !found.is_empty(),
    );
    let exec = &found[0];
    assert_eq!(exec.pid, pid);
    assert_eq!(exec.parent(), std::process::id());
    assert!(process::same_start(
        exec.ancestors[0].start_ns,
        process::start_ns(std::process::id()).unwrap()
    ));
    assert_eq!(exec.ancestors.last().map(|last| last.pid), Some(1));
    assert_eq!(exec.uid, 0);
    assert_eq!(exec.cwd.as_deref(), Some(folder.as_os_str().as_bytes()));
    assert!(exec.filename.ends_with(b"/sleep"));
    assert_eq!(exec.interpreter, None);
    assert_eq!(exec.argv[0], b"sleep");
    assert_eq!(exec.argc, 4);
    assert!(!exec.cut);
    assert!(exec.time_ns <= process::now_ns() && exec.start_ns <= exec.time_ns);
    let _ = child.as_mut().unwrap().kill();
    let _ = child.as_mut().unwrap().wait();
}

#[test]
fn long_and_unusual_arguments_are_bounded_and_exact() {
    let Some((_guard, mut source)) = source(Choice::Ebpf) else {
        return;
    };
    let mark = mark("long");
    let long = "x".repeat(100_000);
    assert!(
        quiet("/bin/true")
            .args([&mark, &long])
            .status()
            .unwrap()
            .success()
    );
    let odd = OsStr::from_bytes(b"\xff\xfe \x1b[31m\n$(id)");
    assert!(
        quiet("/bin/true")
            .arg(&mark)
            .arg(odd)
            .arg("")
            .status()
            .unwrap()
            .success()
    );
    // The name that a process gives itself need not be its program's.
    assert!(
        quiet("/bin/true")
            .arg0("sshd: ann")
            .arg(&mark)
            .status()
            .unwrap()
            .success()
    );
    // No argument at all but the mark in its name.
    let found = read(
        source.as_mut(),
        |exec| has(exec, &mark),
        |found| found.len() >= 3,
    );
    assert!(found[0].cut);
    let kept: usize = found[0].argv.iter().map(|word| word.len() + 1).sum();
    assert!(kept <= MAX_ARGV + 1, "{kept}");
    assert_eq!(found[1].argv[2], odd.as_bytes());
    assert_eq!(found[1].argv[3], b"");
    assert_eq!(found[2].argv[0], b"sshd: ann");
    assert!(found[2].filename.ends_with(b"/true"));
}

#[test]
fn a_script_and_a_name_that_is_no_text() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some((_guard, mut source)) = source(Choice::Ebpf) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join(OsStr::from_bytes(b"scr\xffipt"));
    std::fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mark = mark("script");
    assert!(Command::new(&script).arg(&mark).status().unwrap().success());
    let found = read(
        source.as_mut(),
        |exec| has(exec, &mark),
        |found| !found.is_empty(),
    );
    assert_eq!(found[0].filename, script.as_os_str().as_bytes());
    assert_eq!(found[0].interpreter.as_deref(), Some(b"/bin/sh".as_slice()));
}

#[test]
fn another_process_namespace_hides_nothing() {
    let Some((_guard, mut source)) = source(Choice::Ebpf) else {
        return;
    };
    let mark = mark("inside");
    let status = quiet("unshare")
        .args(["--pid", "--mount", "--fork", "/bin/sh", "-c"])
        .arg(format!("/bin/true {mark}; :"))
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("skipped: no namespaces here");
        return;
    }
    let found = read(
        source.as_mut(),
        |exec| exec.filename.ends_with(b"/true") && has(exec, &mark),
        |found| !found.is_empty(),
    );
    let exec = &found[0];
    let own = std::fs::read_link("/proc/self/ns/pid").unwrap();
    assert_ne!(own.to_str().unwrap(), format!("pid:[{}]", exec.pid_ns));
    assert!(exec.inner_pid < 10, "{}", exec.inner_pid);
    assert!(exec.pid > exec.inner_pid);
    assert!(
        exec.ancestors
            .iter()
            .any(|parent| parent.pid == std::process::id()),
        "the line goes on outside"
    );
}

#[test]
fn a_terminal_is_named() {
    let Some((_guard, mut source)) = source(Choice::Ebpf) else {
        return;
    };
    let mark = mark("terminal");
    let pair = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .unwrap();
    let name = pair.master.tty_name().unwrap();
    let mut command = portable_pty::CommandBuilder::new("/bin/true");
    command.arg(&mark);
    let mut child = pair.slave.spawn_command(command).unwrap();
    assert!(child.wait().unwrap().success());
    let found = read(
        source.as_mut(),
        |exec| has(exec, &mark),
        |found| !found.is_empty(),
    );
    assert_eq!(found[0].tty.unwrap().path(), name.to_str().unwrap());
    assert!(found[0].input.unwrap().is_terminal());
}

#[test]
fn audit_takes_its_rule_back_and_never_takes_anothers_place() {
    let Some((_guard, first)) = source(Choice::Audit) else {
        return;
    };
    // While somebody consumes, a second one only listens to what the first one's rules ask for.
    let mut second = Audit::open().unwrap();
    assert_eq!(second.role(), Role::Listener(std::process::id()));
    let mark = mark("listener");
    assert!(quiet("/bin/true").arg(&mark).status().unwrap().success());
    let found = read(
        &mut second,
        |exec| has(exec, &mark),
        |found| !found.is_empty(),
    );
    assert_eq!(found.len(), 1);
    drop(second);
    drop(first);
    let again = Audit::open().unwrap();
    assert_eq!(again.role(), Role::Consumer);
}
