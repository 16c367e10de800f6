//! Loops, branches and several lines.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("if [ -d x ]; then rm -rf /; fi", "delete / recursive force"),
    ("[ -d x ] && rm -rf /", "delete / recursive force"),
    ("false || rm -rf /", "delete / recursive force"),
    (
        "for d in / ; do rm -rf $d; done",
        "delete / recursive force",
    ),
    (
        r#"while read -r d; do rm -rf "$d"; done <<< /"#,
        "delete / recursive force",
    ),
    (
        "until true; do :; done; rm -rf /",
        "delete / recursive force",
    ),
    ("case $x in a) rm -rf / ;; esac", "delete / recursive force"),
    (
        "{ echo a; rm -rf /; } 2>/dev/null",
        "delete / recursive force",
    ),
    ("(rm -rf /) &", "delete / recursive force"),
    ("echo a;\n\nrm -rf /\n", "delete / recursive force"),
    (
        "if a; then b; elif c; then rm -rf /; fi",
        "delete / recursive force",
    ),
    (
        "for ((i=0;i<1;i++)); do rm -rf /; done",
        "delete / recursive force",
    ),
    ("! rm -rf /", "delete / recursive force"),
    ("echo $(rm -rf /)", "delete / recursive force"),
    ("cat <<E\n$(rm -rf /)\nE", "delete / recursive force"),
    ("set -e\ncd /tmp\nrm -rf /", "delete / recursive force"),
];

const CALM: &[&str] = &[
    "if [ -d x ]; then echo rm -rf /; fi",
    r#"for f in *.txt; do echo "$f"; done"#,
    r#"while read -r l; do echo "$l"; done < a"#,
    "case $x in rm) echo 1;; esac",
    "cat <<'E'\n$(rm -rf /)\nE",
    "cat <<E > README.md\nrm -rf /\nE",
    "# rm -rf /\nls",
    "echo 'a; rm -rf /'",
    r#"[ "$x" = 'rm -rf /' ]"#,
    "test -f rm && echo y",
    r#"echo "a && rm -rf /""#,
    "true; false; :",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
