//! Ending a process that was seen.

use std::process::Command;

use cmdai_exec_capture::{KillError, kill, process};

use crate::capture::{read, source};

#[test]
fn the_process_that_was_seen_and_no_other() {
    let Some((_guard, mut source)) = source(cmdai_exec_capture::Choice::Ebpf) else {
        return;
    };
    let mut child = Command::new("/bin/sleep").arg("300").spawn().unwrap();
    let pid = child.id();
    let found = read(
        source.as_mut(),
        |exec| exec.pid == pid,
        |found| !found.is_empty(),
    );
    let exec = &found[0];
    assert_eq!(
        kill(pid, exec.start_ns + 1_000_000_000, exec.file),
        Err(KillError::Another(pid)),
        "another beginning"
    );
    assert_eq!(kill(pid, 0, exec.file), Err(KillError::Another(pid)));
    let (inode, device) = exec.file.unwrap();
    assert_eq!(
        kill(pid, exec.start_ns, Some((inode + 1, device))),
        Err(KillError::Changed(pid)),
        "another program"
    );
    assert!(process::is_same(pid, exec.start_ns));
    assert_eq!(kill(pid, exec.start_ns, exec.file), Ok(()));
    let status = child.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9)
    );
    assert_eq!(kill(pid, exec.start_ns, exec.file), Err(KillError::Gone));
    assert_eq!(kill(1, 1, None), Err(KillError::Another(1)));
    assert_eq!(kill(0, 1, None), Err(KillError::Another(0)));
}
