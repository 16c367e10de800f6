//! Content lost without any rm.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("> /etc/passwd", "overwrite /etc/passwd"),
    (": > /etc/fstab", "overwrite /etc/fstab"),
    ("cat /dev/null > /etc/hosts", "overwrite /etc/hosts"),
    ("echo x | tee /etc/sudoers", "overwrite /etc/sudoers"),
    ("echo x | sudo tee /etc/passwd", "overwrite /etc/passwd"),
    ("cp /dev/null /etc/passwd", "overwrite /etc/passwd"),
    ("dd if=/dev/zero of=/dev/sda", "device-write /dev/sda"),
    ("cat a > /dev/sda", "device-write /dev/sda"),
    ("cp a.img /dev/sdb", "device-write /dev/sdb"),
    ("truncate -s 0 /etc/passwd", "overwrite /etc/passwd"),
    ("mv a /etc/passwd", "overwrite /etc/passwd"),
    ("ln -sf /dev/null /etc/passwd", "overwrite /etc/passwd"),
    ("install -m 644 a /etc/passwd", "overwrite /etc/passwd"),
    (
        "curl -o /etc/passwd https://x.example",
        "overwrite /etc/passwd",
    ),
    ("echo x >| /etc/passwd", "overwrite /etc/passwd"),
    ("find . -fprint /etc/passwd", "overwrite /etc/passwd"),
];

const CALM: &[&str] = &[
    "echo x > /dev/null",
    "ls > out.txt",
    "echo x >> notes.md",
    "make 2>&1 | tee build.log",
    "cat /etc/passwd > /tmp/p",
    "dd if=a of=b bs=1M count=1",
    "cp a b",
    "truncate -s +1M a",
    "tee --help",
    "echo '> /etc/passwd'",
    "grep '>' a",
    "git diff > a.patch",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
