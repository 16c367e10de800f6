//! Programs that start others in their own ways.

use crate::support::{home, run, script, starts, there};

/// This test program, so that a test can be a program in a tree.
fn own() -> String {
    std::env::current_exe().unwrap().display().to_string()
}

#[test]
fn node_starts_programs() {
    let Some(home) = home() else { return };
    let ran = run(&home, &["node", "--version"]);
    if ran.code != Some(0) {
        eprintln!("skipped: node is not installed");
        return;
    }
    let code = "const {spawnSync, execFile} = require('child_process');\n\
        for (let i = 0; i < 50; i++) if (spawnSync('true').status !== 0) process.exit(1);\n\
        console.log(spawnSync('touch', ['forbidden']).error.code, spawnSync('nothing-there').error.code);\n\
        execFile('touch', ['fine'], error => process.exit(error ? 2 : 0));\n";
    std::fs::write(home.work().join("work.js"), code).unwrap();
    let ran = run(&home, &["node", "work.js"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(ran.printed, "EPERM ENOENT\n");
    assert!(there(&home, "fine") && !there(&home, "forbidden"));
}

#[test]
fn a_runtime_that_interrupts_itself_all_the_time_starts_programs() {
    let Some(home) = home() else { return };
    let role = [
        "runtimes::role_interrupted",
        "--exact",
        "--ignored",
        "--nocapture",
    ];
    let program = own();
    let words: Vec<&str> = ["env", "TEST_ROLE=1", &program]
        .into_iter()
        .chain(role)
        .collect();
    let ran = run(&home, &words);
    assert_eq!(ran.code, Some(0), "{} {}", ran.printed, ran.said);
    assert!(ran.printed.contains("all started"), "{}", ran.printed);
    let times = starts(&home)
        .iter()
        .filter(|start| start.text.ends_with("true"))
        .map(|start| start.times.unwrap_or(1))
        .sum::<u64>();
    assert_eq!(times, 400);
}

/// As Go's scheduler does: a signal for each thread every few microseconds, while four threads start
/// programs.
#[test]
#[ignore = "a program for another test"]
#[allow(unsafe_code, reason = "a signal handler and signals to threads are C")]
fn role_interrupted() {
    if std::env::var_os("TEST_ROLE").is_none() {
        return;
    }
    extern "C" fn handler(_: libc::c_int) {}
    // SAFETY: the handler does nothing; the structure is whole.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGURG, &raw const action, std::ptr::null_mut());
    }
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let nagger = {
        let over = over.clone();
        std::thread::spawn(move || {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                // SAFETY: takes numbers alone.
                unsafe { libc::kill(libc::getpid(), libc::SIGURG) };
                std::thread::sleep(std::time::Duration::from_micros(20));
            }
        })
    };
    let starters: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..100 {
                    let status = std::process::Command::new("/bin/true").status().unwrap();
                    assert!(status.success());
                }
            })
        })
        .collect();
    for starter in starters {
        starter.join().unwrap();
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    nagger.join().unwrap();
    println!("all started");
}

#[test]
fn scripts_begin_by_their_interpreters() {
    let Some(home) = home() else { return };
    script(&home, "inner", "#!/bin/sh -e\ntouch \"fine$1\"\n");
    script(&home, "outer", "#!/usr/bin/env sh\n./inner \"$@\"\n");
    script(&home, "work.sh", "./outer 1\nexec ./inner 2\n");
    let ran = run(&home, &["bash", "work.sh"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(
        there(&home, "fine1") && there(&home, "fine2"),
        "{}",
        ran.said
    );
}
