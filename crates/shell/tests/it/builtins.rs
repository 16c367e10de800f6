//! The table of builtins against the shells themselves, where they are installed.

use std::process::{Command, Stdio};

use cmdai_schema::Dialect;
use cmdai_shell::{is_builtin, is_of_a_shell, is_reserved};

/// What a shell prints about itself; nothing where it is not installed.
fn told(shell: &str, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(shell)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn bash_names_its_own() {
    for name in told("bash", &["--norc", "-c", "compgen -b"]) {
        assert!(is_builtin(&name, Dialect::Bash), "{name}");
    }
    for name in told("bash", &["--norc", "-c", "compgen -k"]) {
        assert!(is_reserved(&name, Dialect::Bash), "{name}");
    }
}

#[test]
fn zsh_and_fish_name_their_own() {
    for name in told("zsh", &["-fc", "print -l ${(k)builtins}"]) {
        assert!(is_builtin(&name, Dialect::Zsh), "{name}");
    }
    for name in told("fish", &["--no-config", "-c", "builtin --names"]) {
        let one = |name| is_builtin(name, Dialect::Fish) || is_reserved(name, Dialect::Fish);
        assert!(one(&name), "{name}");
    }
}

/// dash has no list; it says of each name what it is.
#[test]
fn nothing_that_sh_starts_is_called_a_builtin() {
    if told("dash", &["-c", "echo a"]).is_empty() {
        return;
    }
    for name in told("bash", &["--norc", "-c", "compgen -b"]) {
        let said = told("dash", &["-c", &format!("type {name} 2>&1; :")]).join(" ");
        assert_eq!(
            is_builtin(&name, Dialect::Sh),
            said.contains("shell builtin"),
            "{said}"
        );
    }
}

#[test]
fn a_name_belongs_to_its_shell_alone() {
    for (name, dialect) in [
        ("setopt", Dialect::Zsh),
        ("math", Dialect::Fish),
        ("shopt", Dialect::Bash),
        ("write-output", Dialect::Powershell),
    ] {
        assert!(is_builtin(name, dialect), "{name}");
        assert!(is_of_a_shell(name), "{name}");
        for other in [
            Dialect::Bash,
            Dialect::Zsh,
            Dialect::Sh,
            Dialect::Fish,
            Dialect::Powershell,
        ] {
            assert!(
                other == dialect || !is_builtin(name, other),
                "{name} of {other:?}"
            );
        }
    }
    assert!(!is_of_a_shell("rm") && !is_of_a_shell(""));
}
