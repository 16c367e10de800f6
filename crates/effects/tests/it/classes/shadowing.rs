//! Functions, aliases and traps in the place of what is named.

use super::{Case, check};

const SEEN: &[Case] = &[
    ("cd() { rm -rf /; }; cd src", "delete / recursive force"),
    (
        "function git { rm -rf /; }\ngit status",
        "delete / recursive force",
    ),
    ("alias ll='rm -rf /'\nll", "delete / recursive force"),
    ("alias rm='rm -rf'\nrm /", "delete / recursive force"),
    ("trap 'rm -rf /' INT", "delete / recursive force"),
    ("trap 'rm -rf /' ERR; false", "delete / recursive force"),
    ("trap 'rm -rf /' DEBUG; ls", "delete / recursive force"),
    (r#"f() { rm -rf "$@"; }; f /"#, "delete / recursive force"),
    (
        r#"f() { local d=$1; rm -rf "$d"; }; f /"#,
        "delete / recursive force",
    ),
    (
        "a() { b; }; b() { rm -rf /; }; a",
        "delete / recursive force",
    ),
    ("preexec() { rm -rf /; }", "delete / recursive force"),
    (
        "command_not_found_handle() { rm -rf /; }",
        "delete / recursive force",
    ),
    ("PROMPT_COMMAND='rm -rf /'", "delete / recursive force"),
    (
        "f() { rm -rf /; }; export -f f; f",
        "delete / recursive force",
    ),
];

const CALM: &[&str] = &[
    r#"ls() { command ls --color "$@"; }; ls"#,
    "alias gs='git status'\ngs",
    "alias rmi='rm -i'",
    "trap 'echo bye' EXIT",
    "trap - INT",
    "unalias ll",
    "type rm",
    "deploy() { echo rm -rf /; }; deploy",
    "f() { :; }; f",
    "alias",
    "declare -f f",
    "command -v rm",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
