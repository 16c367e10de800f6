//! Tier 0: requests and the exact command, and requests that must not be guessed.

use cmdai_generate::{Os, Outcome, Request, Turn, answer};
use cmdai_schema::Dialect;
use proptest::prelude::*;

pub(crate) fn ask(words: &str, os: Os) -> Outcome {
    answer(&Request::new(
        words,
        os,
        if os == Os::Macos {
            Dialect::Zsh
        } else {
            Dialect::Bash
        },
    ))
}

pub(crate) fn command(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Candidates { candidates } => candidates
            .first()
            .map(|candidate| candidate.command.as_str()),
        _ => None,
    }
}

pub(crate) const LINUX: &[(&str, &str)] = &[
    // files
    (
        "find python files larger than 10 MB modified in the last week in src",
        "find src -type f -name '*.py' -mtime -7 -size +10M",
    ),
    (
        "python files larger than 10 MB",
        "find . -type f -name '*.py' -size +10M",
    ),
    (
        "find all files larger than 100MB",
        "find . -type f -size +100M",
    ),
    (
        "find files bigger than 1 gigabyte in /var",
        "find /var -type f -size +1G",
    ),
    (
        "list files smaller than 5 kb in docs",
        "find docs -type f -size -5120c",
    ),
    (
        "find log files older than 30 days in /var/log",
        "find /var/log -type f -name '*.log' -mtime +30",
    ),
    (
        "delete log files older than 30 days in /var/log",
        "find /var/log -type f -name '*.log' -mtime +30 -delete",
    ),
    ("find empty directories", "find . -type d -empty"),
    (
        "delete empty files in this directory",
        "find . -type f -empty -delete",
    ),
    (
        "find files named config.yaml",
        "find . -type f -name 'config.yaml'",
    ),
    (
        "find files modified today",
        "find . -type f -daystart -mtime 0",
    ),
    (
        "find files modified in the last 2 hours",
        "find . -type f -mmin -120",
    ),
    (
        "find files with backup in the name",
        "find . -type f -name '*backup*'",
    ),
    (
        "find images larger than 2 MB in ~/Pictures",
        "find ~/Pictures -type f \\( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' -o -iname '*.gif' -o -iname '*.webp' \\) -size +2M",
    ),
    (
        "find *.tmp files in /tmp",
        "find /tmp -type f -name '*.tmp'",
    ),
    (
        "find files between 1 MB and 5 MB",
        "find . -type f -size +1M -size -5242880c",
    ),
    (
        "how many python files are in src",
        "find src -type f -name '*.py' | wc -l",
    ),
    ("count files in this directory", "find . -type f | wc -l"),
    (
        "count lines of code in python files",
        "find . -type f -name '*.py' -exec cat {} + | wc -l",
    ),
    (
        "show the 5 largest files in /home",
        "find /home -type f -printf '%s %p\\n' | sort -rn | head -n 5",
    ),
    (
        "find the 10 most recently modified files",
        "find . -type f -printf '%T@ %p\\n' | sort -rn | head -n 10",
    ),
    (
        "total size of log files in /var/log",
        "find /var/log -type f -name '*.log' -exec du -ch {} + | tail -n 1",
    ),
    ("find broken symlinks", "find . -type l -xtype l"),
    ("list files", "ls"),
    ("list all files including hidden ones", "ls -al"),
    ("list files sorted by size", "ls -lhS"),
    ("list files in src by date", "ls -lt src"),
    (
        "rename all .txt files to .md",
        "for f in *.txt; do mv -n -- \"$f\" \"${f%.txt}.md\"; done",
    ),
    ("create a directory called build/out", "mkdir -p build/out"),
    ("copy a.txt to b.txt", "cp -i a.txt b.txt"),
    ("move report.pdf to archive", "mv -i report.pdf archive"),
    ("delete the file old.txt", "rm old.txt"),
    ("remove directory build", "rm -r build"),
    ("compare a.txt and b.txt", "diff -u a.txt b.txt"),
    ("show contents of notes.txt", "cat notes.txt"),
    ("sha256 of image.iso", "sha256sum image.iso"),
    // disk
    ("show disk usage of /var", "du -sh /var"),
    ("how big is the node_modules folder", "du -sh node_modules"),
    (
        "top 5 largest directories in /home",
        "du -h --max-depth=1 /home | sort -rh | head -n 5",
    ),
    ("show free disk space", "df -h"),
    ("how much disk space is left", "df -h"),
    // text
    ("count lines in data.csv", "wc -l data.csv"),
    ("how many words are in essay.txt", "wc -w essay.txt"),
    ("search for TODO in src", "grep -rn -- TODO src"),
    (
        "search for \"connection refused\" in /var/log/syslog",
        "grep -rn -- 'connection refused' /var/log/syslog",
    ),
    (
        "find lines containing error in app.log ignoring case",
        "grep -i -- error app.log",
    ),
    (
        "count occurrences of error in app.log",
        "grep -o -- error app.log | wc -l",
    ),
    (
        "how many lines contain ERROR in app.log",
        "grep -c -- ERROR app.log",
    ),
    (
        "which files contain password in config",
        "grep -rl -- password config",
    ),
    (
        "find python files containing requests",
        "find . -type f -name '*.py' -exec grep -l -- requests {} +",
    ),
    (
        "search for main in all rust files",
        "grep -rn --include='*.rs' -- main .",
    ),
    (
        "replace foo with bar in notes.txt",
        "sed -i 's/foo/bar/g' notes.txt",
    ),
    (
        "replace http://a with https://b in all html files",
        "find . -type f -name '*.html' -exec sed -i 's/http:\\/\\/a/https:\\/\\/b/g' {} +",
    ),
    ("sort names.txt", "sort names.txt"),
    (
        "sort numbers.txt numerically in reverse",
        "sort -nr numbers.txt",
    ),
    ("show unique lines in a.txt", "sort -u a.txt"),
    (
        "top 10 most common lines in access.log",
        "sort access.log | uniq -c | sort -rn | head -n 10",
    ),
    (
        "top 20 ip addresses in access.log",
        "awk '{print $1}' access.log | sort | uniq -c | sort -rn | head -n 20",
    ),
    ("show the first 20 lines of app.log", "head -n 20 app.log"),
    ("show the last 50 lines of app.log", "tail -n 50 app.log"),
    ("follow app.log", "tail -f app.log"),
    ("show column 2 of data.csv", "awk -F, '{print $2}' data.csv"),
    ("remove duplicate lines from list.txt", "sort -u list.txt"),
    (
        "sort data.csv by column 3 numerically",
        "sort -n -t, -k 3,3 data.csv",
    ),
    (
        "print the 3rd column of data.csv",
        "awk -F, '{print $3}' data.csv",
    ),
    ("what's using port 3000", "ss -ltnp 'sport = :3000'"),
    ("list all processes owned by bob", "ps -f -u bob"),
    ("extract archive.zip here", "unzip archive.zip"),
    (
        "show the git log for the last 3 days",
        "git log --oneline --since='3 days ago'",
    ),
    (
        "download a file from https://x.example/f.tgz",
        "curl -fLO https://x.example/f.tgz",
    ),
    ("remove the build directory", "rm -r build"),
    (
        "create a symlink from current.txt to v2.txt",
        "ln -s v2.txt current.txt",
    ),
    (
        "create a symlink to v2.txt called current.txt",
        "ln -s v2.txt current.txt",
    ),
    // archives
    ("create a tar.gz of src", "tar -czf src.tar.gz src"),
    (
        "compress the logs folder into logs.zip",
        "zip -r logs.zip logs",
    ),
    ("extract backup.tar.gz", "tar -xf backup.tar.gz"),
    (
        "extract backup.tar.gz to /tmp/restore",
        "mkdir -p /tmp/restore && tar -xf backup.tar.gz -C /tmp/restore",
    ),
    ("unzip photos.zip into pics", "unzip photos.zip -d pics"),
    (
        "list the contents of backup.tar.gz",
        "tar -tf backup.tar.gz",
    ),
    // processes and ports
    ("list all processes", "ps aux"),
    (
        "top 5 processes by memory",
        "ps aux --sort=-%mem | head -n 6",
    ),
    (
        "show processes using the most cpu",
        "ps aux --sort=-%cpu | head -n 11",
    ),
    (
        "kill the process on port 3000",
        "kill $(lsof -t -iTCP:3000 -sTCP:LISTEN)",
    ),
    ("force kill process 1234", "kill -9 1234"),
    ("kill all processes named node", "pkill -x node"),
    ("what is listening on port 8080", "ss -ltnp 'sport = :8080'"),
    (
        "which process is using port 5432",
        "ss -ltnp 'sport = :5432'",
    ),
    ("show open ports", "ss -ltnp"),
    ("find process named nginx", "pgrep -af nginx"),
    // git
    (
        "undo the last commit but keep the changes",
        "git reset --soft HEAD~1",
    ),
    (
        "undo last commit and discard changes",
        "git reset --hard HEAD~1",
    ),
    ("show git branches", "git branch"),
    ("what branch am i on", "git branch --show-current"),
    ("show the last 5 commits", "git log --oneline -n 5"),
    (
        "show commits by alice in the last week",
        "git log --oneline --author=alice --since='1 week ago'",
    ),
    ("git status", "git status"),
    ("show staged changes", "git diff --staged"),
    ("stash my changes", "git stash push"),
    ("pop the stash", "git stash pop"),
    (
        "who changed line 42 of src/main.rs",
        "git blame -L 42,42 -- src/main.rs",
    ),
    (
        "create a new branch called feature/login",
        "git switch -c feature/login",
    ),
    ("switch to branch main", "git switch main"),
    (
        "which files changed in the last commit",
        "git show --stat --oneline HEAD",
    ),
    ("unstage README.md", "git restore --staged -- README.md"),
    ("diff between main and develop", "git diff main develop"),
    (
        "git history of file src/lib.rs",
        "git log --follow --oneline -- src/lib.rs",
    ),
    // containers
    ("list running docker containers", "docker ps"),
    ("show all docker containers", "docker ps -a"),
    ("docker logs of web", "docker logs web"),
    (
        "show the last 100 lines of docker logs for api",
        "docker logs --tail 100 api",
    ),
    ("list docker images", "docker images"),
    (
        "get pods in namespace staging",
        "kubectl get pods -n staging",
    ),
    ("list pods in all namespaces", "kubectl get pods -A"),
    ("show logs of pod api-7d9", "kubectl logs api-7d9"),
    (
        "follow the logs of pod web in namespace prod",
        "kubectl logs -n prod -f web",
    ),
    (
        "restart deployment web in namespace prod",
        "kubectl rollout restart -n prod deployment/web",
    ),
    (
        "scale deployment web to 3 replicas",
        "kubectl scale deployment/web --replicas=3",
    ),
    // permissions, dates, system
    ("make deploy.sh executable", "chmod +x deploy.sh"),
    (
        "change the owner of /srv/app to www-data recursively",
        "sudo chown -R www-data /srv/app",
    ),
    ("show permissions of /etc/passwd", "ls -ld /etc/passwd"),
    ("what time is it", "date"),
    ("current unix timestamp", "date +%s"),
    (
        "convert timestamp 1700000000 to date",
        "date -d @1700000000",
    ),
    ("date 7 days ago", "date -d '7 days ago' +%Y-%m-%d"),
    ("kernel version", "uname -r"),
    ("how much memory is free", "free -h"),
    ("how many cpu cores do I have", "nproc"),
    ("system uptime", "uptime"),
    // network
    ("what is my ip", "hostname -I"),
    ("what is my public ip", "curl -s https://ifconfig.me"),
    ("ping example.com 5 times", "ping -c 5 example.com"),
    (
        "download https://example.com/a.zip",
        "curl -fLO https://example.com/a.zip",
    ),
    (
        "download https://example.com/a.zip to b.zip",
        "curl -fL -o b.zip https://example.com/a.zip",
    ),
    ("is port 443 open on example.com", "nc -zv example.com 443"),
    ("dns lookup for example.com", "dig +short example.com"),
    // packages, services, environment
    ("install htop", "sudo apt install htop"),
    ("search for package nginx", "apt search nginx"),
    ("install requests with pip", "pip install requests"),
    ("status of service nginx", "systemctl status nginx"),
    ("restart the nginx service", "sudo systemctl restart nginx"),
    (
        "show logs of service sshd from today",
        "journalctl -u sshd --since today",
    ),
    ("show environment variables", "env"),
    ("what is the value of HOME", "printenv HOME"),
    (
        "show path one entry per line",
        "echo \"$PATH\" | tr ':' '\\n'",
    ),
    ("where is python3 installed", "command -v python3"),
    ("current directory", "pwd"),
];

pub(crate) const MACOS: &[(&str, &str)] = &[
    ("find files modified today", "find . -type f -mtime -1"),
    (
        "show the 5 largest files in src",
        "find src -type f -exec stat -f '%z %N' {} + | sort -rn | head -n 5",
    ),
    (
        "top 5 largest directories in src",
        "du -h -d 1 src | sort -rh | head -n 5",
    ),
    (
        "replace foo with bar in notes.txt",
        "sed -i '' 's/foo/bar/g' notes.txt",
    ),
    ("top 5 processes by memory", "ps aux -m | head -n 6"),
    (
        "what is listening on port 8080",
        "lsof -nP -iTCP:8080 -sTCP:LISTEN",
    ),
    ("convert timestamp 1700000000 to date", "date -r 1700000000"),
    ("install htop", "brew install htop"),
    ("how many cpu cores", "sysctl -n hw.ncpu"),
    ("what is my ip", "ipconfig getifaddr en0"),
    ("sha256 of image.iso", "shasum -a 256 image.iso"),
    ("restart the nginx service", "brew services restart nginx"),
];

#[test]
fn requests_and_their_commands() {
    let mut wrong = Vec::new();
    for (os, table) in [(Os::Linux, LINUX), (Os::Macos, MACOS)] {
        for (words, wanted) in table {
            let outcome = ask(words, os);
            if command(&outcome) != Some(*wanted) {
                wrong.push(format!("{words}\n    want {wanted}\n    have {outcome:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        LINUX.len() + MACOS.len(),
        wrong.join("\n")
    );
}

const NOT_GUESSED: &[&str] = &[
    "",
    "   ",
    "hello",
    "make me a sandwich",
    "write a poem about tar",
    "fix it",
    "do the thing",
    "find",
    "delete",
    "list",
    "find python files that frobnicate",
    "list files sorted by mood",
    "find files larger than love",
    "kill it gently with port 3000 later",
    "delete old stuff",
    "delete everything",
    "clean up",
    "undo the last commit",
    "free up some disk space",
    "kill the process",
    "show logs",
    "remove all files",
    "install",
    "search for",
    "replace foo",
    "compress",
    "find files not owned by bob but shared with alice",
    "git make everything good again",
    "deploy to production",
    "find files larger than 10 MB and email them to bob",
    "list processes except mine",
    "list files but not python files",
    "count lines in all files except tests",
    "train a neural network",
    "resize all images to 800x600",
    "convert video.mp4 to gif",
    "show disk usage over time",
    "kill all processes except nginx",
    "delete files older than 30 days except logs",
    "find files modified before christmas",
    "download the internet",
    "replace tabs with spaces in file.txt",
    "remove all directories",
    "create a symlink a b",
    "undo my last commit",
];

#[test]
fn what_is_not_understood_is_not_guessed() {
    let guessed: Vec<String> = NOT_GUESSED
        .iter()
        .filter_map(|words| {
            command(&ask(words, Os::Linux)).map(|command| format!("{words}  =>  {command}"))
        })
        .collect();
    assert!(guessed.is_empty(), "{}", guessed.join("\n"));
}

#[test]
fn vague_destruction_is_asked_back_with_answerable_options() {
    for words in [
        "delete old stuff",
        "undo the last commit",
        "free up some disk space",
        "kill the process",
        "show logs",
        "delete everything",
    ] {
        let outcome = ask(words, Os::Linux);
        let Outcome::Ambiguous { question, options } = &outcome else {
            panic!("{words}: {outcome:?}")
        };
        assert!(
            question.ends_with('?') || question.contains('.'),
            "{question}"
        );
        assert!(options.len() >= 2);
        for option in options {
            assert!(
                command(&ask(option, Os::Linux)).is_some(),
                "{words}: the option `{option}` is not understood: {:?}",
                ask(option, Os::Linux)
            );
        }
    }
}

#[test]
fn a_follow_up_adds_to_the_request() {
    let mut request = Request::new("only larger than 10 MB", Os::Linux, Dialect::Bash);
    request.earlier = vec![Turn {
        words: "find python files in src".to_owned(),
        command: "find src -type f -name '*.py'".to_owned(),
    }];
    assert_eq!(
        command(&answer(&request)),
        Some("find src -type f -name '*.py' -size +10M")
    );
}

#[test]
fn the_machine_decides_the_form() {
    let mut request = Request::new("install htop", Os::Linux, Dialect::Bash);
    request.tools = vec!["dnf".to_owned()];
    assert_eq!(command(&answer(&request)), Some("sudo dnf install htop"));
    let mut request = Request::new("what is listening on port 80", Os::Linux, Dialect::Bash);
    request.tools = vec!["lsof".to_owned()];
    assert_eq!(
        command(&answer(&request)),
        Some("lsof -nP -iTCP:80 -sTCP:LISTEN")
    );
    let request = Request::new("set EDITOR to vim", Os::Linux, Dialect::Fish);
    assert_eq!(command(&answer(&request)), Some("set -gx EDITOR vim"));
    let request = Request::new("show the last 5 commits", Os::Windows, Dialect::Powershell);
    assert_eq!(command(&answer(&request)), Some("git log --oneline -n 5"));
    let request = Request::new(
        "find files larger than 5 MB",
        Os::Windows,
        Dialect::Powershell,
    );
    assert!(command(&answer(&request)).is_none());
}

#[test]
fn values_are_quoted() {
    for (words, wanted) in [
        (
            "search for \"a'b $(rm -rf x)\" in notes.txt",
            "grep -- 'a'\\''b $(rm -rf x)' notes.txt",
        ),
        (
            "make \"my script.sh\" executable",
            "chmod +x 'my script.sh'",
        ),
        ("show contents of \"-n\"", "cat ./-n"),
        ("find files named \"a'b\"", "find . -type f -name 'a'\\''b'"),
        (
            "replace a/b with c&d in f.txt",
            "sed -i 's/a\\/b/c\\&d/g' f.txt",
        ),
    ] {
        assert_eq!(
            command(&ask(words, Os::Linux)),
            Some(wanted),
            "{words}: {:?}",
            ask(words, Os::Linux)
        );
    }
}

fn words() -> impl Strategy<Value = String> {
    let table = LINUX
        .iter()
        .chain(MACOS)
        .map(|(words, _)| *words)
        .chain(NOT_GUESSED.iter().copied())
        .collect::<Vec<_>>();
    let word = prop::sample::select(
        table
            .iter()
            .flat_map(|words| words.split(' '))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        prop::collection::vec(word, 1..12).prop_map(|words| words.join(" ")),
        (prop::sample::select(table), "\\PC{0,8}").prop_map(|(words, extra)| format!("{words} {extra}")),
        (prop::sample::select(vec!["find files named {}", "search for {} in x", "make {} executable", "install {}", "kill process named {}", "docker logs of {}"]), "\\PC{1,10}").prop_map(|(words, value): (&str, String)| words.replace("{}", &format!("\"{value}\""))),
        ".{0,80}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_one_line_or_says_why(words in words(), mac in any::<bool>()) {
        match ask(&words, if mac { Os::Macos } else { Os::Linux }) {
            Outcome::Candidates { candidates } => {
                prop_assert!(!candidates.is_empty());
                for candidate in candidates {
                    prop_assert!(!candidate.command.trim().is_empty());
                    prop_assert!(!candidate.command.chars().any(char::is_control), "{:?}", candidate.command);
                    prop_assert!(candidate.confidence <= 1000 && !candidate.explanation.is_empty());
                    prop_assert!(candidate.command.matches('\'').count() % 2 == 0 || candidate.command.contains("\\'"), "{}", candidate.command);
                }
            }
            Outcome::Ambiguous { question, options } => prop_assert!(!question.is_empty() && !options.is_empty()),
            Outcome::Abstained { why } => prop_assert!(!why.is_empty()),
        }
    }
}

#[test]
fn the_engine_is_fast() {
    let start = std::time::Instant::now();
    for (words, _) in LINUX {
        let _ = ask(words, Os::Linux);
    }
    // Loose: an unoptimised build on a busy machine. Benchmarks give the figures.
    let each = start.elapsed() / u32::try_from(LINUX.len()).unwrap();
    assert!(
        each < std::time::Duration::from_millis(20),
        "{each:?} for one request"
    );
}
