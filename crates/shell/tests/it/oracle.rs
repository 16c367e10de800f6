//! What is a syntax error, against bash itself: `bash -n` reads and runs nothing.
//!
//! What bash takes is read here without a complaint; what bash refuses is complained of here. Lines
//! are the commands of the evaluation and made ones: sentences of a small grammar, the same with one
//! thing changed, and tokens in any order. `CMDAI_ORACLE_LINES` makes more of them.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cmdai_schema::Dialect;
use cmdai_shell::parse;

/// Made lines of each kind, unless told otherwise.
const LINES: usize = 120;

/// What bash says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Taken,
    Refused,
}

/// Differences that stay, each with its reason. `None` where there is none for this line.
fn accepted(line: &str, bash: Verdict, said: &str, ours: &[&str]) -> Option<&'static str> {
    let has = |texts: &[&str]| texts.iter().any(|text| line.contains(text));
    match bash {
        Verdict::Taken if said.contains("delimited by end-of-file") => {
            Some("an interactive shell waits for the rest of a here-document")
        }
        Verdict::Taken if has(&["for (("]) => {
            Some("bash passes over a `for ((` that is not closed, and runs nothing of it")
        }
        Verdict::Taken if has(&["`"]) => Some("bash reads between back quotes when it runs them"),
        Verdict::Taken if has(&["${ ", "${\n", "${\t", "${|"]) => {
            Some("a command substitution for bash 5.3, a bad name for older ones when they run it")
        }
        Verdict::Taken if ours == ["a loop needs a name"] => {
            Some("bash refuses the name of a loop when it runs it")
        }
        Verdict::Taken
            if has(&["@(", "!(", "+(", "?(", "*("]) && has(&["$(", "$?(", "$!(", "$@(", "$*("]) =>
        {
            Some(
                "bash reads what is substituted in a pattern when it runs it; `$?(` is a pattern to it",
            )
        }
        _ if subscript(line) => {
            Some("bash reads a subscript over blanks and lines; here it ends with the line")
        }
        Verdict::Refused if said.contains("matching `''") && has(&["\"${"]) => {
            Some("a single quote inside `\"${x:-'}\"` is text here, as POSIX has it")
        }
        Verdict::Refused if said.contains("syntax error near `") => {
            Some("two subshells that bash takes for arithmetic first")
        }
        _ => None,
    }
}

/// A name or `(` with `[` and a blank after it.
fn subscript(line: &str) -> bool {
    line.as_bytes().windows(3).any(|three| {
        (three[0].is_ascii_alphanumeric() || matches!(three[0], b'_' | b'('))
            && three[1] == b'['
            && matches!(three[2], b' ' | b'\n' | b'\t' | b'(')
    })
}

/// bash without anybody's settings. An interactive shell has patterns such as `!(a)` on where
/// completion is loaded, so they are on here.
fn bash() -> Command {
    let mut command = Command::new("bash");
    command
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["--norc", "--noprofile", "-O", "extglob", "-n"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn asked(line: &str) -> (Verdict, String) {
    let output = bash()
        .args(["-c", "--", line])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let warned = |line: &str| line.contains(": warning: ");
    let refused = !output.status.success() || !said.lines().all(warned);
    (
        if refused {
            Verdict::Refused
        } else {
            Verdict::Taken
        },
        said,
    )
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "a", "b/c", "-x", "'q r'", "\"d $v\"", "\\;", "$v", "${v}", "${v:-d}", "${v#o}", "${v%%/*}",
    "${v/n/N}", "${v^^}", "${#v}", "${v:1:2}", "${!v}", "${a[@]}", "${a[1]}", "$'\\t'", "$\"x\"",
    "{a,b}", "{1..3}", "*", "?.c", "[ab]", "~", "~u/x", "$((1+2))", "$(b c)", "`b c`", "<(b)",
    ">(b)", "$@", "\"$@\"", "$?", "$#", "$$", "$!", "''", "=", "x=y", "if", "then", "do", "done",
    "}", "{", "!", "in", "case", "esac", "function", "time", "[[", "]]", "a#b", "--", "@(a|b)",
    "!(a)", "+(x)", "\"$(b \"c\")\"", "${v:-$(b)}", "$[1+2]", "é", "1", "a=", "%", "^", "@", "+",
    "\"${v:-\"x\"}\"", "\"a`b`c\"", "${v@Q}", "${v,}", "a\\\nb", "$", "\"$\"", "a$", "${v:?m m}",
];
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "a", "echo", "x1", "_", "./run", "'a'", "$v", "\\ls", "[", "test", "b-c", ":",
];
#[rustfmt::skip]
const REDIRECTIONS: &[&str] = &[
    ">f", "> f", ">>f", "2>&1", "<f", "<<<w", "&>f", "&>>f", "<>f", ">|f", "2>/dev/null", "{fd}>f",
    ">&2", "<&-", "3<&0", ">&-", "<<< \"$v\"", ">& f",
];
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "in", "esac",
    "select", "function", "{", "}", "(", ")", "((", "))", "[[", "]]", "!", "time", "coproc", "a",
    "b", "x=1", "x=(", "$(", "`", "\"", "'", ";", ";;", ";&", ";;&", "&", "&&", "||", "|", "|&",
    ">", "<", ">>", "<<<", "&>", ">&", "<(", "\n", "f()", "f ()", "$((", "${", "2>", "#", "\\",
    "<<E\nx\nE\n", "==", "=~", "-f", "-a", "+=", "1", "*", "@(", "$'", "[", "]",
];

/// A command of the small grammar.
fn sentence(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return simple(random);
    }
    let list = |random: &mut Random| list(random, depth - 1);
    let gap = |random: &mut Random| {
        random
            .one(&[" ", "\n", "  ", " # c\n", "\t", " \\\n "])
            .to_owned()
    };
    let end = |random: &mut Random| random.one(&["; ", "\n", " ;", ";\n", "& "]).to_owned();
    match random.below(19) {
        0 => format!(
            "if {}{}then{}{}{}fi",
            list(random),
            end(random),
            gap(random),
            list(random),
            end(random)
        ),
        1 => format!(
            "if {}{}then {}{}elif {}{}then {}{}else {}{}fi",
            list(random),
            end(random),
            list(random),
            end(random),
            list(random),
            end(random),
            list(random),
            end(random),
            list(random),
            end(random)
        ),
        2 => format!(
            "for x in {}{}do{}{}{}done",
            words(random, 3),
            random.one(&["; ", "\n"]),
            gap(random),
            list(random),
            end(random)
        ),
        3 => format!(
            "for x{}do {}{}done",
            random.one(&["; ", "\n", " ", " in; "]),
            list(random),
            end(random)
        ),
        4 => format!(
            "for ((i=0; i<3; i++)){}do {}{}done",
            random.one(&["; ", " ", "\n", ""]),
            list(random),
            end(random)
        ),
        5 => format!(
            "{} {}{}do {}{}done",
            random.one(&["while", "until"]),
            list(random),
            end(random),
            list(random),
            end(random)
        ),
        6 => format!(
            "case {} in{}{}{}) {} ;;{}*) {}{}esac",
            word(random),
            gap(random),
            random.one(&["", "("]),
            random.one(&[
                "a", "a|b", "a | b", "[a-z]*", "'x y'", "\"$v\"", "@(a|b)", "if", "in"
            ]),
            list(random),
            gap(random),
            list(random),
            random.one(&[" ;;", " ;& ", " ;;& ", "; ", "\n", ";;\n"])
        ),
        7 => format!("({})", list(random)),
        8 => format!(
            "{{{}{}{}}}",
            random.one(&[" ", "\n"]),
            list(random),
            end(random)
        ),
        9 => format!(
            "{}(){}{{ {}{}}}",
            random.one(&["f", "f-g", "f "]),
            random.one(&[" ", "\n", ""]),
            list(random),
            end(random)
        ),
        10 => format!(
            "function {}{} {{ {}{}}}",
            random.one(&["f", "f-g"]),
            random.one(&["", "()", " ()"]),
            list(random),
            end(random)
        ),
        11 => format!(
            "[[ {} ]]",
            random.one(&[
                "-f a",
                "$x == a*",
                "$x =~ ^a(b|c)+$",
                "! -d $x",
                "a < b",
                "( -n $x )",
                "$x -eq 1 && -z $y",
                "-f a || -f b",
                "$x",
                "a = b",
                "$x != @(a|b)",
                "$x =~ \"a b\"",
                "-v x",
                "a > b",
                "! ( -f a && -f b )",
                "$x =~ [[:space:]]",
                "-f a &&\n-f b",
                "$(a b) == c",
                "a -nt b",
                "$x =~ a\\ b",
                "$x == (a)",
            ])
        ),
        12 => format!(
            "(({}))",
            random.one(&[
                "x++",
                " x = 1 + 2 ",
                "x>1",
                "x<<2",
                "a[1]=3",
                "x ? 1 : 2",
                "(1+2)*3",
                "x, y",
                "x & y",
                "!x",
                "x#y",
                "\"1\"+1"
            ])
        ),
        13 => format!("! {}", sentence(random, depth - 1)),
        14 => format!("time {}", sentence(random, depth - 1)),
        15 => format!(
            "{} {}",
            sentence(random, depth - 1),
            random.one(REDIRECTIONS)
        ),
        16 => format!(
            "coproc {}{}",
            random.one(&["", "C "]),
            format_args!("{{ {}{}}}", list(random), end(random))
        ),
        17 => format!(
            "select x in {}; do {}{}done",
            words(random, 2),
            list(random),
            end(random)
        ),
        _ => simple(random),
    }
}

fn list(random: &mut Random, depth: usize) -> String {
    let mut out = sentence(random, depth);
    for _ in 0..random.below(3) {
        out.push_str(random.one(&[
            " && ", " || ", " | ", "; ", "\n", " & ", "|", "&&\n", " |& ", "||", " |\n ",
        ]));
        out.push_str(&sentence(random, depth.saturating_sub(1)));
    }
    out
}

fn word(random: &mut Random) -> String {
    let mut out = random.one(WORDS).to_owned();
    if random.below(4) == 0 {
        out.push_str(random.one(WORDS));
    }
    out
}

fn words(random: &mut Random, most: usize) -> String {
    let count = random.below(most + 1);
    (0..count)
        .map(|_| word(random))
        .collect::<Vec<_>>()
        .join(" ")
}

fn simple(random: &mut Random) -> String {
    let mut out = String::new();
    if random.below(6) == 0 {
        out.push_str(random.one(&[
            "x=1 ",
            "x= ",
            "x=(a b) ",
            "x+=y ",
            "a[1]=b ",
            "x=$(b) ",
            "x=([k]=v) ",
            "x='a b' ",
            ">f ",
            "x+=(a) ",
            "x=(\na # c\n)\n",
        ]));
    }
    out.push_str(random.one(NAMES));
    for _ in 0..random.below(4) {
        out.push(' ');
        out.push_str(&if random.below(5) == 0 {
            random.one(REDIRECTIONS).to_owned()
        } else {
            word(random)
        });
    }
    if random.below(12) == 0 {
        out.push_str(random.one(&[
            " <<E\nx $v\nE\n",
            " <<'E'\n$(\nE\n",
            " <<-E\n\tx\n\tE\n",
            " <<E | b\nx\nE\n",
            " <<A <<B\na\nA\nb\nB\n",
        ]));
    }
    out
}

/// The text with one thing changed.
fn changed(random: &mut Random, text: &str) -> String {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let at = places[random.below(places.len())];
    let next = at + text[at..].chars().next().unwrap().len_utf8();
    match random.below(4) {
        0 => format!("{}{}", &text[..at], &text[next..]),
        1 => format!(
            "{}{}{}",
            &text[..at],
            random.one(&[
                ";", "&", "|", "(", ")", "{", "}", "\"", "'", "`", "$", "\\", "\n", " ", "<", ">",
                "#", "!", "[", "]", "="
            ]),
            &text[at..]
        ),
        2 => format!("{} {} {}", &text[..at], random.one(TOKENS), &text[at..]),
        _ => text[..at].to_owned(),
    }
}

fn soup(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..1 + random.below(8) {
        out.push_str(random.one(TOKENS));
        out.push_str(random.one(&[" ", " ", " ", "", "; "]));
    }
    out
}

fn evaluated() -> Vec<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/evaluation/commands.jsonl"
    );
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
        .map(|row| row["command"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn complaints_agree_with_bash() {
    let there = bash().args(["-c", ":"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("no bash here");
        return;
    }
    let count = std::env::var("CMDAI_ORACLE_LINES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(LINES);
    let seed = std::env::var("CMDAI_ORACLE_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0x5eed_u64);
    let mut random = Random(seed);
    let mut lines = evaluated();
    let known = lines.clone();
    for _ in 0..count {
        let made = list(&mut random, 2);
        let from = random.below(known.len());
        lines.push(changed(&mut random, &known[from]));
        lines.push(changed(&mut random, &made));
        lines.push(made);
        lines.push(soup(&mut random));
    }
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // No shell gets a text with such a byte.
                    if !line.contains('\0')
                        && let Some(difference) = difference(line)
                    {
                        wrong.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort_by_key(String::len);
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        lines.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
}

fn difference(line: &str) -> Option<String> {
    let (verdict, said) = asked(line);
    let tree = parse(line, Dialect::Bash);
    let complaints = !tree.diagnostics.is_empty() || !tree.unknown.is_empty();
    let agrees = match verdict {
        Verdict::Taken => !complaints,
        Verdict::Refused => complaints || !tree.complete,
    };
    let ours: Vec<&str> = tree
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    if agrees || accepted(line, verdict, &said, &ours).is_some() {
        return None;
    }
    let said = said.lines().next().unwrap_or_default();
    Some(format!(
        "bash {verdict:?} {said:?}, here {ours:?}: {line:?}"
    ))
}
