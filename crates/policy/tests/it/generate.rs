//! Makes shell lines by a grammar: programs and examples of the command knowledge, options, paths,
//! spellings, wrappers. Every line follows from its seed.

use std::path::Path;

/// Numbers that follow from a seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// One of these.
    pub(crate) fn of<'a, T: ?Sized>(&mut self, choices: &'a [&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }
}

const PROGRAMS: &[&str] = &[
    "rm",
    "rm",
    "mv",
    "cp",
    "chmod",
    "chown",
    "dd",
    "ln",
    "tar",
    "find",
    "git",
    "docker",
    "kubectl",
    "curl",
    "wget",
    "ssh",
    "scp",
    "rsync",
    "psql",
    "mysql",
    "systemctl",
    "kill",
    "pkill",
    "crontab",
    "npm",
    "pip",
    "cargo",
    "make",
    "terraform",
    "aws",
    "ls",
    "cat",
    "grep",
    "sed",
    "awk",
    "tee",
    "truncate",
    "shred",
    "mkfs.ext4",
    "mount",
    "useradd",
    "passwd",
    "iptables",
    "unknown-tool",
    "./run",
    "/bin/rm",
    "python3",
    "bash",
    "node",
    "touch",
    "mkdir",
    "echo",
    "printf",
    "test",
    "head",
    "du",
];
const WORDS: &[&str] = &[
    "-r",
    "-f",
    "-rf",
    "-R",
    "--force",
    "--recursive",
    "-x",
    "-n",
    "--dry-run",
    "-v",
    "-c",
    "-e",
    "-i",
    "-o",
    "777",
    "644",
    "root",
    "install",
    "delete",
    "push",
    "reset",
    "--hard",
    "origin",
    "main",
    "run",
    "exec",
    "apply",
    "destroy",
    "status",
    "log",
    "clean",
    "-9",
    "all",
    "namespace",
    "prod",
    "user:x",
];
const PATHS: &[&str] = &[
    "/",
    "/etc",
    "/etc/passwd",
    "/home/user",
    "/home/user/.ssh/id_ed25519",
    "/usr/bin/env",
    "/tmp/a",
    "/var/log/syslog",
    "build",
    "./src",
    "../other",
    "target/debug",
    ".git",
    ".env",
    "a.txt",
    "/dev/sda",
    "/home/user/.bashrc",
    "node_modules",
    "-",
    "/boot",
    "/srv/data",
    "https://example.com/x.sh",
    "..",
    ".",
];

/// A call without anything special in its words, so that it can be spelled in many ways.
pub(crate) fn plain_words(random: &mut Random) -> Vec<String> {
    let mut words = vec![random.of(PROGRAMS).to_owned()];
    for _ in 0..random.below(5) {
        let choices = if random.one_in(2) { WORDS } else { PATHS };
        words.push(random.of(choices).to_owned());
    }
    words
}

/// A word in one of the ways it may be written.
pub(crate) fn spelled(random: &mut Random, word: &str) -> String {
    match random.below(6) {
        0 | 1 => word.to_owned(),
        2 => format!("'{word}'"),
        3 => format!("\"{word}\""),
        4 => word.chars().map(|next| format!("\\{next}")).collect(),
        _ => {
            let (a, b) = word.split_at(word.len() / 2);
            format!("{a}''\"{b}\"")
        }
    }
}

/// Words with blanks, escaped line ends and quotes of other kinds.
pub(crate) fn respelled(random: &mut Random, words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        out.push_str(random.of(&["", " ", "  "]));
        if !out.is_empty() {
            out.push_str(random.of(&[" ", "   ", "\t", " \\\n"]));
        }
        out.push_str(&spelled(random, word));
    }
    out.push_str(random.of(&["", " ", "\n", " # note"]));
    out
}

/// The text as one word.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The commands of the knowledge's examples that are lines of a POSIX shell: those of Windows are lines
/// of PowerShell and cannot be wrapped as these are.
pub(crate) fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../effects/knowledge");
    let mut out = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .filter(|path| !path.ends_with("powershell.toml") && !path.ends_with("windows.toml"))
    {
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let programs = table.get("program").and_then(toml::Value::as_array);
        for program in programs.into_iter().flatten() {
            let examples = program.get("examples").and_then(toml::Value::as_array);
            for example in examples.into_iter().flatten() {
                out.extend(
                    example
                        .get("run")
                        .and_then(toml::Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
    }
    out
}

/// A line: a plain call, an example, or several of them joined.
pub(crate) fn line(random: &mut Random, examples: &[String]) -> String {
    let mut text = if random.one_in(2) {
        plain_words(random).join(" ")
    } else {
        examples[random.below(examples.len())].clone()
    };
    if random.one_in(4) && !text.contains('\n') {
        let other = plain_words(random).join(" ");
        text = match random.below(7) {
            0 => format!("{text} && {other}"),
            1 => format!("{text}; {other}"),
            2 => format!("{text} | {other}"),
            3 => format!("{other} || {text}"),
            4 => format!("for f in a b; do {text}; done"),
            5 => format!("while read -r line; do {text}; done < list"),
            _ => format!("x=$({text}); echo \"$x\""),
        };
    }
    text
}
