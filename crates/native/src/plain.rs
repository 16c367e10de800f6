//! Lines in which nothing is expanded but parameters by their names: what stands there is what runs.

/// What a plain line is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plain<'a> {
    /// The first words of all its simple commands.
    pub calls: Vec<&'a str>,
    /// Names of the parameters whose values it uses, in arguments alone.
    pub parameters: Vec<&'a str>,
    /// It assigns to parameters.
    pub assigns: bool,
}

/// Takes a line to pieces; nothing where a word of it could run something or become more than a value, or
/// where it is not certain which words are commands.
pub fn read(line: &str) -> Option<Plain<'_>> {
    let mut found = Plain::default();
    let mut begin = 0;
    let mut word_begins = true;
    let mut quote = None;
    let mut bytes = line.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        let first = std::mem::replace(&mut word_begins, false);
        match (quote, byte) {
            (Some(open), close) if open == close => quote = None,
            (Some(b'\''), _) => {}
            (None | Some(b'"'), b'$') => {
                let name = parameter(line.get(at + 1..)?)?;
                found.parameters.push(name);
            }
            (Some(_), b'`' | b'!' | b'\\') => return None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'=' | b'#') if first => return None,
            // The command of this name: a blank ends what would be a pattern.
            (None, b'[') if first && matches!(bytes.peek(), Some((_, b' '))) => {}
            (None, b']') if first => {}
            (
                None,
                b'`' | b'*' | b'?' | b'[' | b'{' | b'}' | b'~' | b'!' | b'^' | b'<' | b'(' | b')'
                | b'\\',
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

/// The name behind a `$`, where nothing else is done with it.
fn parameter(rest: &str) -> Option<&str> {
    let end = rest
        .bytes()
        .position(|byte| byte != b'_' && !byte.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let name = rest.get(..end)?;
    let named = name
        .bytes()
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic());
    // Elements and modifiers come right behind the name.
    let more = rest
        .get(end..)?
        .starts_with(['[', ':', '(', '#', '-', '+', '=', '?', '%', '^']);
    let folder = rest.get(end..)?.starts_with(":/");
    (named && (folder || !more)).then_some(name)
}

/// The first word of a simple command behind its assignments. Nothing where it is quoted, or a
/// redirection: both may hide a name.
fn push<'a>(found: &mut Plain<'a>, command: &'a str) -> Option<()> {
    let assignment = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .trim_end_matches('+')
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        })
    };
    let mut words = command.split_ascii_whitespace().peekable();
    while words.next_if(|word| assignment(word)).is_some() {
        found.assigns = true;
    }
    match words.next() {
        None => Some(()),
        Some(word) if word.contains(['\'', '"', '>', '$']) => None,
        Some(word) => {
            found.calls.push(word);
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
            let found = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(found.calls, words, "{line}");
            assert!(found.parameters.is_empty(), "{line}");
            assert_eq!(found.assigns, line.starts_with("A="), "{line}");
        }
        for (line, names) in [
            ("ls \"$PWD\":/src $HOME/x", &["PWD", "HOME"][..]),
            ("ls $A$B 'x $C'", &["A", "B"]),
            ("ls $PATH:/x", &["PATH"]),
        ] {
            let found = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (found.calls, found.parameters),
                (vec!["ls"], names.to_vec()),
                "{line}"
            );
        }
        for line in [
            "$HOME",
            "$EDITOR x",
            "echo ${HOME}",
            "echo ${HOME:-x}",
            "echo $(id)",
            "echo \"$(id)\"",
            "echo $((1))",
            "echo $?",
            "echo $1",
            "echo $$",
            "echo $x[1]",
            "echo \"$x[1]\"",
            "echo $x:h",
            "echo $#x",
            "echo $'x'",
            "echo $",
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
            assert_eq!(read(line), None, "{line}");
        }
    }
}
