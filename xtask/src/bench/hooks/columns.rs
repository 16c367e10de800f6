//! What is compared: start-up files of each shell, and the lines that are typed.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Shell;

/// Crates that build native modules for shells, by folder.
pub(super) const MODULES: [&str; 2] = ["bash-native", "zsh-native"];

/// The package in a folder of `crates`.
pub(super) fn package(folder: &str) -> &'static str {
    match folder {
        "zsh-native" => "cmdai-zsh-native",
        _ => "cmdai-bash-native",
    }
}

/// One way to start a shell.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Part of the start-up file that differs.
    pub(super) start_up: String,
    pub(super) lines: Lines,
    /// Every line has to be in the local history afterwards.
    pub(super) records: bool,
    /// Judged against the bar; true where lines were judged before.
    pub(super) bar: Option<bool>,
}

impl Column {
    pub(super) fn slug(&self) -> String {
        self.name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect()
    }
}

/// Which lines a column types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// A few, again and again.
    Again,
    /// None of them twice.
    Fresh,
}

/// Lines of a working day. None starts a process, so that the shell's own time is what is measured:
/// what stands behind `||` is read and judged like any command and does not run.
const DAY: &[&str] = &[
    "cd .",
    ": || git status --short topic-#",
    ": || ls -la src/part-#",
    "x#=build/out-#",
    ": || cargo test -p part-# -- --nocapture",
    "[ -e notes-#.txt ] || :",
    ": || grep -rn 'TODO #' src tests",
    ": || git commit -am 'step #: say what it is for'",
    "echo done-# >/dev/null",
    ": || kubectl get pods -n team-# -o wide",
    ": || curl -fsSL https://example.com/v#/status.json -o status.json",
    ": || find . -name '*.rs' -newer stamp-# -print",
    "printf '%s\\n' one two part-# >/dev/null",
    ": || docker run --rm -v \"$PWD\":/src image:# make -j4",
    ": || tar -czf out-#.tar.gz src docs",
    ": || ssh host-# uptime",
    "export STEP_#=yes",
    ": || sed -n '1,20p' src/part-#.rs | sort | uniq -c",
    ": || npm run build -- --mode part-#",
    ": || python3 -m pytest tests/test_part_#.py -q",
];

/// The same for fish, whose words differ in places.
fn for_fish(line: &str) -> String {
    match line.split_once('=') {
        Some((name, value)) if !name.contains(' ') => format!("set -g {name} {value}"),
        _ => line
            .replace(": || ", "true || ")
            .replace("|| :", "|| true")
            .replace("export STEP_#=yes", "set -gx STEP_# yes"),
    }
}

impl Lines {
    /// The line with this number.
    pub(super) fn text(self, shell: Shell, number: usize) -> String {
        let line = DAY.get(number % DAY.len()).copied().unwrap_or(":");
        let line = if shell == Shell::Fish {
            for_fish(line)
        } else {
            line.to_owned()
        };
        let part = match self {
            Self::Again => 7,
            Self::Fresh => number + 1_000,
        };
        line.replace('#', &part.to_string())
    }
}

/// A POSIX shell's word.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The columns of a shell.
pub(super) fn of(shell: Shell, installed: &Path, recorder: &Path) -> Result<Vec<Column>> {
    let program = installed.join("cmdai");
    let texts = match shell {
        Shell::Bash => bash(&program, recorder),
        Shell::Zsh => zsh(&program, recorder),
        Shell::Fish => fish(&program, recorder),
    };
    let column = |name, start_up: &str, lines| Column {
        name,
        start_up: start_up.to_owned(),
        lines,
        records: false,
        bar: None,
    };
    let mut columns = vec![
        column("bare", "", Lines::Fresh),
        column(EMPTY, texts.empty, Lines::Fresh),
    ];
    if hooked(shell, &program) {
        for (name, lines) in [
            ("cmdai, judged before", Lines::Again),
            ("cmdai, fresh lines", Lines::Fresh),
        ] {
            columns.push(Column {
                records: true,
                bar: Some(lines == Lines::Again),
                ..column(name, &texts.cmdai, lines)
            });
        }
    } else {
        eprintln!("left out: this cmdai has no hooks for {}", shell.name());
    }
    columns.push(column(
        "a recorder's process per line",
        &texts.recorder,
        Lines::Fresh,
    ));
    columns.push(column(
        "a guard's process per line",
        &texts.guard,
        Lines::Fresh,
    ));
    Ok(columns)
}

/// The column that others are compared with.
pub(super) const EMPTY: &str = "empty hook";

fn hooked(shell: Shell, program: &Path) -> bool {
    Command::new(program)
        .args(["init", shell.name()])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Name and version as the shell says them.
pub(super) fn version(shell: Shell) -> String {
    let output = Command::new(shell.name()).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let first = text.unwrap_or_default();
    first.lines().next().unwrap_or(shell.name()).to_owned()
}

struct Texts {
    empty: &'static str,
    cmdai: String,
    recorder: String,
    guard: String,
}

/// Hooks that start a process do so once a line, and not for the key that reads the clock. An empty hook hooks the same two moments with functions that do nothing.
fn bash(program: &Path, recorder: &Path) -> Texts {
    let (program, recorder) = (quoted(program), quoted(recorder));
    Texts {
        empty: r#"__before() { :; }; __after() { :; }
trap '__before "$BASH_COMMAND"' DEBUG; PROMPT_COMMAND='__after "$?"'
"#,
        cmdai: format!("eval \"$({program} init bash)\"\n"),
        recorder: format!(
            r#"__before() {{ [[ -n $__at_prompt && $1 != __begun=* ]] || return 0; __at_prompt=; __id=$({recorder} start -- "$1"); }}
__after() {{ local status=$?; ({recorder} end --exit "$status" -- "$__id" &) >/dev/null 2>&1; __at_prompt=1; }}
trap '__before "$BASH_COMMAND"' DEBUG; PROMPT_COMMAND=__after
"#
        ),
        guard: format!(
            r#"__before() {{ [[ -n $__at_prompt && $1 != __begun=* ]] || return 0; __at_prompt=; {program} check --format json -- "$1" >/dev/null; }}
shopt -s extdebug; __after() {{ __at_prompt=1; }}
trap '__before "$BASH_COMMAND"' DEBUG; PROMPT_COMMAND=__after
"#
        ),
    }
}

fn zsh(program: &Path, recorder: &Path) -> Texts {
    let (program, recorder) = (quoted(program), quoted(recorder));
    Texts {
        empty: r"__before() { :; }; __after() { :; }
preexec_functions+=(__before); precmd_functions+=(__after)
",
        cmdai: format!("eval \"$({program} init zsh)\"\n"),
        recorder: format!(
            r#"__before() {{ __id=$({recorder} start -- "$1"); }}
__after() {{ local exit=$?; ({recorder} end --exit "$exit" -- "$__id" &) >/dev/null 2>&1; }}
preexec_functions+=(__before); precmd_functions+=(__after)
"#
        ),
        guard: format!(
            r#"__accept() {{ {program} check --shell zsh --format json -- "$BUFFER" >/dev/null && zle .accept-line; }}
zle -N accept-line __accept
"#
        ),
    }
}

fn fish(program: &Path, recorder: &Path) -> Texts {
    let (program, recorder) = (quoted(program), quoted(recorder));
    Texts {
        empty: "function __before --on-event fish_preexec; end
function __after --on-event fish_postexec; end
",
        cmdai: format!("{program} init fish | source\n"),
        recorder: format!(
            r#"function __before --on-event fish_preexec; set -g __id ({recorder} start -- "$argv[1]"); end
function __after --on-event fish_postexec; {recorder} end --exit $status -- "$__id" &>/dev/null & disown; end
"#
        ),
        guard: format!(
            r#"function __accept; if {program} check --shell fish --format json -- (commandline -b | string collect) >/dev/null; commandline -f execute; end; end
bind \r __accept; bind \n __accept
"#
        ),
    }
}
