//! Lines in which nothing is expanded: what stands there is what runs.

/// The first words of all simple commands of a line; nothing where a word of it could become another one
/// before it runs, or where it is not certain which words are commands.
pub fn calls(line: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut word_begins = true;
    let mut quote = None;
    let mut bytes = line.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        let first = std::mem::replace(&mut word_begins, false);
        match (quote, byte) {
            (Some(open), close) if open == close => quote = None,
            (Some(b'\''), _) => {}
            (Some(_), b'$' | b'`' | b'!' | b'\\') => return None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'=' | b'#') if first => return None,
            // The command of this name: a blank ends what would be a pattern.
            (None, b'[') if first && matches!(bytes.peek(), Some((_, b' '))) => {}
            (None, b']') if first => {}
            (
                None,
                b'$' | b'`' | b'*' | b'?' | b'[' | b'{' | b'}' | b'~' | b'!' | b'^' | b'<' | b'('
                | b')' | b'\\',
            ) => return None,
            (None, b';' | b'|' | b'&' | b'\n') => {
                // `>&` and `&>` are no ends of commands, and what comes behind them is looked at as if
                // it were one.
                push(&mut found, line.get(begin..at)?)?;
                begin = at + 1;
                word_begins = true;
            }
            (None, b' ' | b'\t') => word_begins = true,
            (None, byte) if byte.is_ascii_control() => return None,
            (None, _) => {}
        }
    }
    push(&mut found, line.get(begin..)?)?;
    quote.is_none().then_some(found)
}

/// The first word of a simple command behind its assignments. Nothing where it is quoted, or a
/// redirection: both may hide a name.
fn push<'a>(found: &mut Vec<&'a str>, command: &'a str) -> Option<()> {
    let assignment = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .trim_end_matches('+')
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        })
    };
    let word = command
        .split_ascii_whitespace()
        .find(|word| !assignment(word));
    match word {
        None => Some(()),
        Some(word) if word.contains(['\'', '"', '>']) => None,
        Some(word) => {
            found.push(word);
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_stand_as_they_run_have_calls() {
        for (line, words) in [
            ("ls -l", &["ls"][..]),
            (": || git commit -m 'step 7: $x *'", &[":", "git"]),
            ("A=1 B=x make -j4; B=2", &["make"]),
            ("[ -e notes.txt ] || :", &["[", ":"]),
            ("echo \"a; b\" >/dev/null 2>&1 &", &["echo", "1"]),
            (
                "sed -n '1,20p' x | sort | uniq -c",
                &["sed", "sort", "uniq"],
            ),
            ("if true; then rm x; fi", &["if", "then", "fi"]),
            ("", &[]),
        ] {
            assert_eq!(calls(line).as_deref(), Some(words), "{line}");
        }
        for line in [
            "echo $HOME",
            "echo \"$HOME\"",
            "echo `id`",
            "ls *.rs",
            "ls [ab]",
            "ls a[b]",
            "=ls",
            "ls =ls",
            "!!",
            "^a^b",
            "(ls)",
            "f() ls",
            "cat <(ls)",
            "'ls' -l",
            "l\\s",
            ">x ls",
            "ls ~",
            "ls # remark",
            "echo 'open",
            "X='a b' ls",
            "ls \u{1}",
        ] {
            assert_eq!(calls(line), None, "{line}");
        }
    }
}
