//! A shell within a shell, and on another machine.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("bash -c 'rm -rf /'", "delete / recursive force"),
    (r#"sh -c "sh -c 'rm -rf /'""#, "delete / recursive force"),
    ("bash -lc 'cd /; rm -rf .'", "delete / recursive force"),
    ("zsh -c 'rm -rf /'", "delete / recursive force"),
    ("su -c 'rm -rf /'", "delete / recursive force"),
    ("su - root -c 'rm -rf /'", "delete / recursive force"),
    ("su root -- -c 'rm -rf /'", "delete / recursive force"),
    (
        "runuser -u x -- sh -c 'rm -rf /'",
        "delete / recursive force",
    ),
    ("ssh h 'rm -rf /'", "delete / recursive force"),
    ("ssh -t h sudo rm -rf /", "delete / recursive force"),
    (r#"ssh h "bash -c 'rm -rf /'""#, "delete / recursive force"),
    ("ssh h <<E\nrm -rf /\nE", "delete / recursive force"),
    ("ssh a ssh b rm -rf /", "delete / recursive force"),
    ("sshpass -p x ssh h 'rm -rf /'", "delete / recursive force"),
    (r#"bash -c 'rm -rf "$1"' _ /"#, "delete / recursive force"),
    (
        "machinectl shell root@x /bin/sh -c 'rm -rf /'",
        "delete / recursive force",
    ),
];

const CALM: &[&str] = &[
    "bash -c 'echo rm -rf /'",
    "sh -c 'ls'",
    "ssh h uptime",
    "ssh h 'ls -la'",
    "bash --version",
    "ssh-add -l",
    "bash -c 'true'",
    r#"ssh h 'echo "rm -rf /"'"#,
    "zsh -c 'print hi'",
    "sh -n a.sh",
    "ssh -V",
    r#"bash -c "grep -r 'rm -rf /' src""#,
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
