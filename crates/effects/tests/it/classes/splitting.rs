//! Words put together from pieces.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("r'm' -rf /", "delete / recursive force"),
    ("'r'm -rf /", "delete / recursive force"),
    (r#""r"m -"r"f /"#, "delete / recursive force"),
    (r#"r\m -rf \/"#, "delete / recursive force"),
    (r#"$'\162\155' -rf /"#, "delete / recursive force"),
    ("$'rm' $'-rf' $'/'", "delete / recursive force"),
    ("rm -r'f' /", "delete / recursive force"),
    (r#"rm '-r' "-f" /"#, "delete / recursive force"),
    ("{rm,-rf,/}", "delete / recursive force"),
    ("rm$IFS-rf$IFS/", "delete / recursive force"),
    ("rm${IFS}-rf${IFS}/", "delete / recursive force"),
    ("a=r; b=m; $a$b -rf /", "delete / recursive force"),
    ("x=-rf; rm $x /", "delete / recursive force"),
    (r#"rm -\r\f /"#, "delete / recursive force"),
    ("/b''in/rm -rf /", "delete / recursive force"),
    (r#"e\val rm -rf /"#, "delete / recursive force"),
];

const CALM: &[&str] = &[
    "echo r'm' -rf /",
    "echo {rm,-rf,/}",
    "echo $'rm -rf /'",
    "grep 'r''m' a",
    r#"echo "rm" "-rf" "/""#,
    r#"printf '%s\n' rm -rf /"#,
    r#"git commit -m "rm"' -rf /'"#,
    r#"echo r\m"#,
    "x='rm -rf /'",
    "a=r; b=m; echo $a$b",
    r#"echo "'rm' -rf /""#,
    "ls 'rm -rf'",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
