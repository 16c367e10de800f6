//! Wrappers, one within another.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("sudo rm -rf /", "delete / recursive force"),
    (
        "sudo -u root -g root -E -- rm -rf /",
        "delete / recursive force",
    ),
    ("sudo env A=1 rm -rf /", "delete / recursive force"),
    ("sudo nice -n 5 rm -rf /", "delete / recursive force"),
    ("env -i PATH=/bin rm -rf /", "delete / recursive force"),
    ("env -S 'rm -rf /'", "delete / recursive force"),
    ("nohup setsid rm -rf /", "delete / recursive force"),
    ("timeout -k 5 -s 9 10 rm -rf /", "delete / recursive force"),
    (
        "nice -n 19 ionice -c 3 rm -rf /",
        "delete / recursive force",
    ),
    ("stdbuf -oL rm -rf /", "delete / recursive force"),
    ("time -p rm -rf /", "delete / recursive force"),
    ("chroot /mnt rm -rf /", "delete / recursive force"),
    ("taskset -c 0 rm -rf /", "delete / recursive force"),
    ("flock /tmp/l rm -rf /", "delete / recursive force"),
    ("strace -f -o t rm -rf /", "delete / recursive force"),
    ("watch -n 1 rm -rf /", "delete / recursive force"),
    (
        "script -qc 'rm -rf /' /dev/null",
        "delete / recursive force",
    ),
    (
        "systemd-run --user --scope rm -rf /",
        "delete / recursive force",
    ),
    ("doas rm -rf /", "delete / recursive force"),
    ("exec -a x rm -rf /", "delete / recursive force"),
    ("command -p rm -rf /", "delete / recursive force"),
    ("busybox rm -rf /", "delete / recursive force"),
    ("bwrap --dev-bind / / rm -rf /", "delete / recursive force"),
    ("nsenter -t 1 -m -- rm -rf /", "delete / recursive force"),
    ("uv run -- rm -rf /", "delete / recursive force"),
    ("npx -c 'rm -rf /'", "delete / recursive force"),
    ("bundle exec rm -rf /", "delete / recursive force"),
    ("tmux new -d 'rm -rf /'", "delete / recursive force"),
    (
        "/lib64/ld-linux-x86-64.so.2 /bin/rm -rf /",
        "delete / recursive force",
    ),
];

const CALM: &[&str] = &[
    "env A=1 ls",
    "nice -n 5 make",
    "timeout 5 ls",
    "time ls",
    "watch ls",
    "strace -p 1",
    "nohup ./server &",
    "uv run pytest",
    "npx eslint .",
    "flock /tmp/l true",
    "stdbuf -oL cat a",
    "command -v sudo",
    "docker run --help",
    "tmux ls",
    "xvfb-run -a true",
    "sudo -l",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
