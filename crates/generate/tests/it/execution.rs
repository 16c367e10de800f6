//! Commands of tier 0 in a real shell, inside a folder of their own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use cmdai_generate::Os;

use crate::intents::{LINUX, MACOS, ask, command};

fn bash(folder: &Path, line: &str) -> (bool, String) {
    let output = Command::new("bash")
        .args(["--norc", "-c", line])
        .current_dir(folder)
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn every_command_of_the_table_parses() {
    for (_, line) in LINUX.iter().chain(MACOS) {
        let status = Command::new("bash")
            .args(["--norc", "-n", "-c", line])
            .status()
            .unwrap();
        assert!(status.success(), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn commands_do_what_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("src/deep")).unwrap();
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::write(root.join("src/a.py"), "import os\n# TODO one\n").unwrap();
    fs::write(root.join("src/deep/b.py"), vec![b'x'; 3 * 1024 * 1024]).unwrap();
    fs::write(root.join("src/c.rs"), "fn main() {}\n").unwrap();
    fs::write(root.join("log.txt"), "error a\nok\nError b\nerror a\n").unwrap();
    fs::write(root.join("zero"), "").unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    for (words, wanted) in [
        (
            "find python files larger than 2 MB modified in the last week in src",
            "src/deep/b.py",
        ),
        ("find python files smaller than 1 MB", "./src/a.py"),
        ("how many python files are in src", "2"),
        ("find empty directories", "./empty"),
        ("find python files containing TODO", "./src/a.py"),
        (
            "find files modified today in src",
            "src/a.py\nsrc/c.rs\nsrc/deep/b.py",
        ),
        ("count lines in log.txt", "4 log.txt"),
        ("count occurrences of error in log.txt", "2"),
        ("how many lines contain error in log.txt ignoring case", "3"),
        ("top 1 most common lines in log.txt", "2 error a"),
        ("show unique lines in log.txt", "Error b\nerror a\nok"),
        ("search for TODO in src", "src/a.py:2:# TODO one"),
        ("show line 2 of log.txt", "ok"),
        ("replace ok with fine/good in log.txt", ""),
        ("show line 2 of log.txt", "fine/good"),
        ("create a tar.gz of src", ""),
        ("extract src.tar.gz to out", ""),
        ("compare src/a.py and out/src/a.py", ""),
        ("rename all .txt files to .md", ""),
        ("show the first 1 lines of log.md", "error a"),
        ("delete empty files in this directory", ""),
        ("find files named zero", ""),
        ("show the 1 largest files in src", "3145728 src/deep/b.py"),
        ("make src/a.py executable", ""),
        ("find executable files in src", "src/a.py"),
    ] {
        let outcome = ask(words, Os::Linux);
        let line = command(&outcome).unwrap_or_else(|| panic!("{words}: {outcome:?}"));
        let (fine, out) = bash(root, line);
        assert!(fine, "{words}: {line}: {out}");
        assert_eq!(sorted(&out), sorted(wanted), "{words}: {line}");
    }
}
