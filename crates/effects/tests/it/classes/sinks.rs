//! find, xargs and others of that kind.

use super::{Case, check};

const SEEN: &[Case] = &[
    (r#"find / -exec rm -rf {} \;"#, "delete / recursive force"),
    ("find / -exec rm -rf {} +", "delete / recursive force"),
    (
        r#"find / -maxdepth 0 -exec rm -rf {} \;"#,
        "delete / recursive force",
    ),
    (r#"find . -execdir rm -rf / \;"#, "delete / recursive force"),
    (r#"find . -ok rm -rf / \;"#, "delete / recursive force"),
    (
        r#"find x -exec bash -c 'rm -rf /' \;"#,
        "delete / recursive force",
    ),
    (
        r#"find x -exec sudo rm -rf / \;"#,
        "delete / recursive force",
    ),
    ("echo / | xargs rm -rf", "delete / recursive force"),
    ("echo / | xargs -I@ rm -rf @", "delete / recursive force"),
    (
        r#"echo / | xargs -d '\n' rm -rf"#,
        "delete / recursive force",
    ),
    ("xargs rm -rf <<< /", "delete / recursive force"),
    (
        "xargs -a /dev/null sh -c 'rm -rf /'",
        "delete / recursive force",
    ),
    ("parallel rm -rf ::: /", "delete / recursive force"),
    ("parallel ::: 'rm -rf /'", "delete / recursive force"),
    ("echo / | parallel rm -rf", "delete / recursive force"),
    ("fd -x sh -c 'rm -rf /'", "delete / recursive force"),
];

const CALM: &[&str] = &[
    "find . -name rm",
    "find / -name '*.conf' -print",
    "find . -type f -exec grep -l rm {} +",
    "find . -name '*.rs' | xargs wc -l",
    "ls | xargs -n1 echo",
    "echo 'rm -rf /' | xargs echo",
    "parallel echo ::: rm",
    "fd rm",
    "find . -newer a -ls",
    r#"find . -exec echo rm {} \;"#,
    "xargs --help",
    "find . -path ./rm -prune -o -print",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
