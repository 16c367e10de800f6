//! Other names of the same place.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("rm -rf ///", "delete / recursive force"),
    ("rm -rf /.", "delete / recursive force"),
    ("rm -rf /./.", "delete / recursive force"),
    ("rm -rf /usr/..", "delete / recursive force"),
    ("rm -rf /tmp/../", "delete / recursive force"),
    ("rm -rf /etc/../../", "delete / recursive force"),
    ("rm -rf /proc/self/root/", "delete / recursive force"),
    ("rm -rf /proc/self/cwd/../../..", "delete / recursive force"),
    ("rm -rf ~/../../", "delete / recursive force"),
    ("cd / ; rm -rf ./", "delete / recursive force"),
    ("cd /tmp && cd .. && rm -rf .", "delete / recursive force"),
    (r#"rm -rf "$HOME"/../.."#, "delete / recursive force"),
    ("rm -rf ~root/..", "delete / recursive force"),
    ("pushd / && rm -rf .", "delete / recursive force"),
    ("rm -rf ../../..", "delete / recursive force"),
];

const CALM: &[&str] = &[
    "rm -rf /tmp/../tmp/x",
    "rm -rf ./build/../dist",
    "rm -rf //tmp/x",
    "ls ///",
    "cat ./a/../b",
    "cd /; ls",
    "rm -rf /tmp/./x",
    "realpath /",
    "echo /../..",
    "find ./ -name x",
    "du -sh //",
    "stat /proc/self/root",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
