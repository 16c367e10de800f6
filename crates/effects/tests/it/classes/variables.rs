//! Names that stand for something else.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("d=/; rm -rf $d", "delete / recursive force"),
    (r#"d=/; rm -rf "$d""#, "delete / recursive force"),
    ("rm -rf ${d:-/}", "delete / recursive force"),
    (r#"rm -rf "${UNSET:-/}""#, "delete / recursive force"),
    (r#"a=(/); rm -rf "${a[0]}""#, "delete / recursive force"),
    (r#"a=(rm -rf /); "${a[@]}""#, "delete / recursive force"),
    ("c=rm; $c -rf /", "delete / recursive force"),
    ("c='rm -rf'; $c /", "delete / recursive force"),
    ("export D=/; rm -rf $D", "delete / recursive force"),
    ("read d <<< /; rm -rf $d", "delete / recursive force"),
    ("printf -v d /; rm -rf $d", "delete / recursive force"),
    (r#"set -- /; rm -rf "$1""#, "delete / recursive force"),
    (r#"x=d; d=/; rm -rf "${!x}""#, "delete / recursive force"),
    ("d=/tmp; d=/; rm -rf $d", "delete / recursive force"),
    (r#"d=/x; rm -rf "${d%x}""#, "delete / recursive force"),
    ("declare d=/; rm -rf $d", "delete / recursive force"),
];

const CALM: &[&str] = &[
    "d=/; echo $d",
    "d=/tmp/x; rm -rf $d",
    r#"x='rm -rf /'; echo "$x""#,
    "d=/; ls $d",
    r#"rm -rf "${TMPDIR:-/tmp}/x""#,
    r#"a=(rm -rf /); echo "${a[@]}""#,
    "d=build; rm -rf ./$d",
    "c=ls; $c",
    "export RM='rm -rf'",
    "echo ${d:-/}",
    "read x <<< rm",
    "set -- a b; echo $1",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
