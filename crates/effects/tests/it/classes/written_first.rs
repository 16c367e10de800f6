//! Written first, run later.

use super::{Case, check};

const SEEN: &[Case] = &[
    (
        "echo 'rm -rf /' > a.sh; sh a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' > a.sh && bash ./a.sh",
        "delete / recursive force",
    ),
    (
        "printf 'rm -rf /' > a; chmod +x a; ./a",
        "delete / recursive force",
    ),
    (
        "cat > a.sh <<E\nrm -rf /\nE\nbash a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' | tee a.sh; sh a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' > a.sh; source a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' > a.sh; . ./a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' >> a.sh; sh a.sh",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' > /tmp/a; cp /tmp/a /tmp/b; sh /tmp/b",
        "delete / recursive force",
    ),
    ("echo 'rm -rf /' | at now", "delete / recursive force"),
    (
        "echo '* * * * * rm -rf /' | crontab -",
        "delete / recursive force",
    ),
    (
        "echo 'rm -rf /' > a.sh; sudo sh a.sh",
        "delete / recursive force",
    ),
    (
        "cd /tmp; echo 'rm -rf /' > a; cd ..; sh tmp/a",
        "delete / recursive force",
    ),
    (
        "echo '/' > list; xargs -a list rm -rf",
        "delete / recursive force",
    ),
];

const CALM: &[&str] = &[
    "echo 'rm -rf /' > notes.md",
    "cat > README.md <<'E'\nrm -rf /\nE",
    "echo 'echo hi' > a.sh; sh a.sh",
    "echo 'rm -rf /' > a.sh; cat a.sh",
    "echo 'x' > a; cp a b",
    "tee notes.txt <<< 'rm -rf /'",
    "echo 'rm -rf /' > a.sh; shellcheck a.sh",
    "printf 'rm -rf /' > a; wc a",
    "crontab -l",
    "atq",
    "echo hi > a.sh; chmod +x a.sh",
    "cat a.sh",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
