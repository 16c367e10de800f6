//! Text that is read as code.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("eval 'rm -rf /'", "delete / recursive force"),
    (r#"eval "rm" "-rf" /"#, "delete / recursive force"),
    ("eval $'rm -rf /'", "delete / recursive force"),
    ("x='rm -rf /'; eval $x", "delete / recursive force"),
    ("x='rm -rf /'; $x", "delete / recursive force"),
    ("echo 'rm -rf /' | sh", "delete / recursive force"),
    ("bash <<< 'rm -rf /'", "delete / recursive force"),
    ("sh <<E\nrm -rf /\nE", "delete / recursive force"),
    (
        "source /dev/stdin <<< 'rm -rf /'",
        "delete / recursive force",
    ),
    ("source <(echo 'rm -rf /')", "delete / recursive force"),
    ("bash <(printf 'rm -rf /')", "delete / recursive force"),
    (
        "echo cm0gLXJmIC8= | base64 -d | sh",
        "delete / recursive force",
    ),
    (
        r#"sh -c "$(echo cm0gLXJmIC8= | base64 -d)""#,
        "delete / recursive force",
    ),
    (r#"eval "$(printf 'rm -rf /')""#, "delete / recursive force"),
    ("cat <<E | bash -s\nrm -rf /\nE", "delete / recursive force"),
    ("echo 'rm -rf /' | sudo bash -x", "delete / recursive force"),
];

const CALM: &[&str] = &[
    "echo 'eval rm -rf /'",
    "eval echo hi",
    "echo 'rm -rf /' | cat",
    "echo 'rm -rf /' | grep rm",
    "cat <<E\nrm -rf /\nE",
    "echo cm0gLXJmIC8= | base64 -d",
    "bash -n a.sh",
    "echo 'echo hi' | sh",
    "source <(echo 'x=1')",
    "diff <(echo a) <(echo b)",
    "grep -r 'curl | sh' docs",
    r#"eval "$(echo true)""#,
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
