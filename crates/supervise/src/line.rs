//! The words of a program start as shell lines to judge.
//!
//! One start may need several: the name it was called by can differ from the file's (`busybox` called
//! `rm`, a link `ls` to `/bin/rm`), and each counts where the command knowledge knows it. A line too
//! long for one look is cut: each piece has the program and its first words again, because that is
//! where options stand.

use crate::exec::Exec;
use crate::tree::base;

/// Longest piece, in bytes and in words.
const MAX_BYTES: usize = 24 * 1024;
const MAX_WORDS: usize = 256;
/// First words that each piece has.
const HEAD: usize = 8;
/// Most pieces that are judged; what is left is judged as one that is too long, which is unknown.
const MAX_PIECES: usize = 64;
/// Programs that are many: the name they are called by says which.
const MANY: &[&str] = &["busybox", "toybox", "coreutils"];

/// All lines to judge, the plainest first.
pub(crate) fn lines(exec: &Exec<'_>) -> Vec<String> {
    let arguments = exec.words.get(1..).unwrap_or_default();
    let mut out = Vec::new();
    for name in names(exec) {
        for piece in pieces(arguments) {
            out.push(line(&name, &piece));
        }
    }
    out
}

/// The program by the names that count.
fn names(exec: &Exec<'_>) -> Vec<String> {
    let given = exec.words.first().map_or("", String::as_str);
    let given = given.strip_prefix('-').unwrap_or(given);
    let plain = !given.is_empty() && !given.contains('/') && given == base(exec.called);
    let first = if plain {
        given
    } else if exec.called.is_empty() {
        exec.file
    } else {
        exec.called
    };
    let mut out = vec![first.to_owned()];
    let mut also = |name: &str| {
        if cmdai_effects::knows(name) && out.iter().all(|known| base(known) != name) {
            out.push(name.to_owned());
        }
    };
    let file = base(exec.file);
    if !MANY.contains(&file) {
        also(file);
    }
    also(base(given));
    out
}

fn pieces(arguments: &[String]) -> Vec<Vec<&str>> {
    let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let size = |words: &[&str]| words.iter().map(|word| word.len() + 3).sum::<usize>();
    if all.len() <= MAX_WORDS && size(&all) <= MAX_BYTES {
        return vec![all];
    }
    let (head, mut rest) = all.split_at(HEAD.min(all.len()));
    let mut out = Vec::new();
    loop {
        let mut piece = head.to_vec();
        let mut bytes = size(head);
        let mut taken = 0;
        for word in rest {
            bytes += word.len() + 3;
            let full = piece.len() >= MAX_WORDS || bytes > MAX_BYTES;
            if full && taken > 0 && out.len() < MAX_PIECES {
                break;
            }
            piece.push(word);
            taken += 1;
        }
        out.push(piece);
        rest = rest.get(taken..).unwrap_or_default();
        if rest.is_empty() {
            return out;
        }
    }
}

fn line(name: &str, arguments: &[&str]) -> String {
    let mut out = quoted(name);
    for word in arguments {
        out.push(' ');
        out.push_str(&quoted(word));
    }
    out
}

/// A text as one word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    // An assignment in front would be none of the program's words.
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Variables;
    use crate::tree::{Lineage, Mark};

    fn of(called: &str, file: &str, words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        lines(&Exec {
            process: 2,
            lineage: &Lineage::root(1, 1, "/bin/a".to_owned(), Mark::default()),
            called,
            file,
            words: &words,
            variables: &Variables::default(),
            directory: "/",
            gives_rights: false,
            root: false,
        })
    }

    #[test]
    fn names_that_count() {
        assert_eq!(
            of("/usr/bin/git", "/usr/bin/git", &["git", "a b"]),
            ["git 'a b'"]
        );
        assert_eq!(
            of("./ls", "/usr/bin/rm", &["ls", "-r", "x"]),
            ["ls -r x", "rm -r x"]
        );
        assert_eq!(of("/bin/busybox", "/bin/busybox", &["rm", "x"])[1], "rm x");
        assert_eq!(of("/bin/rm", "/bin/rm", &["innocent", "x"]), ["/bin/rm x"]);
        assert_eq!(of("/bin/bash", "/usr/bin/bash", &["-bash"]), ["bash"]);
        assert_eq!(of("", "/usr/bin/rm", &[]), ["/usr/bin/rm"]);
    }

    #[test]
    fn long_lines_are_judged_in_pieces_with_their_options() {
        let files: Vec<String> = (0..5_000).map(|n| format!("file{n}")).collect();
        let mut words = vec!["rm", "-rf"];
        words.extend(files.iter().map(String::as_str));
        words.push("/home");
        let lines = of("/bin/rm", "/bin/rm", &words);
        assert!(lines.len() > 10 && lines.len() <= MAX_PIECES + 1);
        assert!(lines.iter().all(|line| line.starts_with("rm -rf ")));
        assert!(lines.last().unwrap().ends_with(" /home"));
        let one = "x".repeat(100_000);
        assert_eq!(of("/bin/sh", "/bin/sh", &["sh", "-c", &one]).len(), 1);
    }
}
