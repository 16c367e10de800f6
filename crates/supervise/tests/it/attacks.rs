//! Words that are swapped after they were judged.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::{home, run, starts, there};

/// One attempt: another thread changes the word so many microseconds after the call began.
const STEP: u64 = 40;
const ATTEMPTS: u64 = 150;

#[test]
fn words_that_are_swapped_after_the_judgement_kill_the_program() {
    let Some(home) = home() else { return };
    let program = std::env::current_exe().unwrap().display().to_string();
    let words = [
        "env",
        "TEST_ROLE=1",
        &program,
        "attacks::role_attempts",
        "--exact",
        "--ignored",
        "--nocapture",
    ];
    let ran = run(&home, &words);
    assert_eq!(ran.code, Some(0), "{} {}", ran.printed, ran.said);
    assert!(!there(&home, "forbidden"), "{}", ran.said);
    let starts = starts(&home);
    let killed = starts
        .iter()
        .filter(|start| {
            start
                .policy
                .violated_rules
                .first()
                .is_some_and(|id| id == "supervise.swapped")
        })
        .collect::<Vec<_>>();
    // It is a race: what matters is that the attacker never wins it. Most attempts are too early
    // (refused) or too late (harmless); the rest have to be seen.
    eprintln!("{} of {ATTEMPTS} attempts came between", killed.len());
    if killed.is_empty() {
        return;
    }
    // The kernel may have copied the word while it was being written.
    assert!(
        killed
            .iter()
            .all(|start| !start.allowed && start.text.starts_with("touch f"))
    );
    assert!(ran.said.contains("killed as it began"), "{}", ran.said);
}

/// Starts attackers, one after the other.
#[test]
#[ignore = "a program for another test"]
fn role_attempts() {
    if std::env::var_os("TEST_ROLE").is_none() {
        return;
    }
    let mut ends = std::collections::BTreeMap::new();
    for attempt in 0..ATTEMPTS {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["attacks::role_attacker", "--exact", "--ignored"])
            .env("TEST_DELAY", (attempt * STEP).to_string())
            .output()
            .unwrap()
            .status;
        *ends.entry(status.to_string()).or_insert(0) += 1;
    }
    println!("{ends:?}");
}

/// Calls `execve` while another thread swaps a word for one of the same length.
#[test]
#[ignore = "a program for another test"]
#[allow(
    unsafe_code,
    reason = "the attack is about memory that two threads share"
)]
fn role_attacker() {
    let Some(delay) = std::env::var("TEST_DELAY").ok() else {
        return;
    };
    let delay = Duration::from_micros(delay.parse().unwrap());
    let word = CString::new("harmless1").unwrap().into_raw();
    let address = word as usize;
    static BEGUN: AtomicU32 = AtomicU32::new(0);
    std::thread::spawn(move || {
        while BEGUN.load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
        let begun = Instant::now();
        while begun.elapsed() < delay {
            std::hint::spin_loop();
        }
        let target: *mut u8 = std::ptr::with_exposed_provenance_mut(address);
        for (offset, byte) in b"forbidden".iter().enumerate() {
            // SAFETY: the text has ten bytes and is never freed; that another thread (the kernel, for
            // it) reads it meanwhile is the point of the attack.
            unsafe { target.add(offset).write_volatile(*byte) };
        }
        std::thread::sleep(Duration::from_secs(5));
    });
    let program = c"/usr/bin/touch".as_ptr();
    let words = [c"touch".as_ptr(), word.cast_const(), std::ptr::null()];
    let variables = [std::ptr::null()];
    BEGUN.store(1, Ordering::Release);
    // SAFETY: both lists end in null and hold terminated texts.
    unsafe { libc::execve(program, words.as_ptr(), variables.as_ptr()) };
    std::process::exit(3);
}
