//! Lines of text: count, sort, rank, head and tail, replace.

use super::{Draft, count, path, quoted};
use crate::Request;
use crate::words::Words;

/// Replace in files.
pub(super) fn replace(words: &mut Words, request: &Request) -> Option<Draft> {
    let found = words
        .take(
            "replace|substitute|change all? occurrences|instances? of? {any} with|by|to|for {any}",
        )
        .or_else(|| words.take("find and replace {any} with|by {any}"))?;
    let [from, to] = found.as_slice() else {
        return None;
    };
    // Said in words, these are characters rather than themselves.
    const SAID: &[&str] = &[
        "tab",
        "tabs",
        "space",
        "spaces",
        "newline",
        "newlines",
        "comma",
        "commas",
        "quotes",
        "nothing",
        "blanks",
        "lines",
        "line",
        "everything",
    ];
    if [from, to]
        .iter()
        .any(|text| SAID.contains(&text.to_lowercase().as_str()))
    {
        return None;
    }
    let in_place = if request.os.is_bsd() { "-i ''" } else { "-i" };
    let script = quoted(&format!("s/{}/{}/g", pattern(from), replacement(to)));
    let edit = format!("sed {in_place} {script}");
    if let Some(found) = words.take(
        "in|across all|every? {ext} files|file|scripts in|under|inside {path} directory|folder?",
    ) {
        let [ext, dir] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!(
                "find {} -type f -name '*.{ext}' -exec {edit} {{}} +",
                path(dir)
            ),
            format!("Replaces `{from}` with `{to}` in every .{ext} file under {dir}"),
        ));
    }
    if let Some(ext) = words.slot(&["in|across all|every? {ext} files|file|scripts"]) {
        words.eat_any(&[
            "recursively",
            "in|under current|this directory|folder",
            "here",
        ]);
        return Some(Draft::new(
            format!("find . -type f -name '*.{ext}' -exec {edit} {{}} +"),
            format!("Replaces `{from}` with `{to}` in every .{ext} file here"),
        ));
    }
    let file = words.slot(&["in file|all? {path}", "in {path} file"])?;
    Some(Draft::new(
        format!("{edit} {}", path(&file)),
        format!("Replaces `{from}` with `{to}` in {file}"),
    ))
}

/// Text as a basic regular expression that means itself, between slashes.
fn pattern(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            if matches!(char, '/' | '.' | '*' | '[' | ']' | '^' | '$' | '\\') {
                vec!['\\', char]
            } else {
                vec![char]
            }
        })
        .collect()
}

fn replacement(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            if matches!(char, '/' | '&' | '\\') {
                vec!['\\', char]
            } else {
                vec![char]
            }
        })
        .collect()
}

const OF: &[&str] = &[
    "in|of|from|inside file? {path}",
    "in|of|from|inside {path} file",
    "file? {file}",
];

/// Rank and count lines, words and addresses.
pub(super) fn tally(words: &mut Words, _request: &Request) -> Option<Draft> {
    let verb = |words: &mut Words| words.eat("find|list|show|display|get|print|count|give|what");
    let top = words.take("top|first? {num}? most common|frequent|frequently|repeated|popular occurring|used? lines|words|ips|values|line|word|entries").or_else(|| words.take("top|first {num} lines|words|ips|ip|line|word|entries addresses? by count|frequency"));
    if let Some(top) = top {
        verb(words);
        let by_word = words.mentions("words|word");
        let by_ip = words.mentions("ips|ip");
        let file = path(&words.slot(OF)?);
        let top = count(top.into_iter().next());
        let (feed, things) = if by_word {
            (format!("tr -s '[:space:]' '\\n' < {file} | sort"), "words")
        } else if by_ip {
            (
                format!("awk '{{print $1}}' {file} | sort"),
                "addresses of the first column",
            )
        } else {
            (format!("sort {file}"), "lines")
        };
        return Some(Draft::new(
            format!("{feed} | uniq -c | sort -rn | head -n {top}"),
            format!("Ranks the {top} most frequent {things} of {file}"),
        ));
    }
    if let Some(found) = words.take("top|first {num} ip|ips addresses|address? in|of|from {path}") {
        let [top, file] = found.as_slice() else {
            return None;
        };
        verb(words);
        return Some(Draft::new(
            format!(
                "awk '{{print $1}}' {} | sort | uniq -c | sort -rn | head -n {top}",
                path(file)
            ),
            "Ranks the addresses of the first column",
        ));
    }
    if words.eat_any(&[
        "count unique|distinct|different lines|entries|values",
        "how many unique|distinct|different lines|entries|values",
        "number of unique|distinct lines|entries|values",
    ]) {
        words.eat("are|there|does");
        let file = path(&words.slot(OF)?);
        return Some(Draft::new(
            format!("sort -u {file} | wc -l"),
            format!("Counts the different lines of {file}"),
        ));
    }
    let measure = [
        ("-l", "lines|line|rows", "lines"),
        ("-w", "words|word", "words"),
        ("-m", "characters|chars|letters", "characters"),
        ("-c", "bytes", "bytes"),
    ];
    for (flag, nouns, said) in measure {
        let patterns = [
            format!("count number? of? {nouns}"),
            format!("how many {nouns} are|does|do?"),
            format!("number of {nouns}"),
            format!("{nouns} count"),
        ];
        if patterns.iter().any(|pattern| words.eat(pattern)) {
            let code = words.mentions("code") || words.mentions("files");
            if code {
                return None; // over many files: another intent
            }
            let file = words
                .slot(OF)
                .or_else(|| words.slot(&["does {path} have|contain", "{path} have|contain"]))?;
            words.eat("have|contain");
            let file = path(&file);
            return Some(Draft::new(
                format!("wc {flag} {file}"),
                format!("Counts the {said} of {file}"),
            ));
        }
    }
    None
}

/// Sort, filter, first and last lines, columns.
pub(super) fn find(words: &mut Words, _request: &Request) -> Option<Draft> {
    if let Some(found) = words.take("first {num} lines of|from|in file? {path}") {
        words.eat("show|print|display|get|list|see");
        let [number, file] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("head -n {number} {}", path(file)),
            format!("Prints the first {number} lines of {file}"),
        ));
    }
    if let Some(found) = words.take("last {num} lines of|from|in file? {path}") {
        let follow = words.eat_any(&[
            "and follow|keep following|watching? it?",
            "and keep following",
        ]);
        words.eat("show|print|display|get|list|see|follow|watch|tail");
        let [number, file] = found.as_slice() else {
            return None;
        };
        let flag = if follow { "-f " } else { "" };
        return Some(Draft::new(
            format!("tail {flag}-n {number} {}", path(file)),
            format!("Prints the last {number} lines of {file}"),
        ));
    }
    if let Some(found) = words.take("line|lines {num} to|through|- {num} of|from|in file? {path}") {
        words.eat("show|print|display|get|list|see");
        let [from, to, file] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("sed -n '{from},{to}p' {}", path(file)),
            format!("Prints lines {from} to {to} of {file}"),
        ));
    }
    if let Some(found) = words.take("line {num} of|from|in file? {path}") {
        words.eat("show|print|display|get|see");
        let [line, file] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("sed -n '{line}p' {}", path(file)),
            format!("Prints line {line} of {file}"),
        ));
    }
    if let Some(file) = words.slot(&[
        "follow|tail|watch log? file? {file} as? it? grows?",
        "follow log|file {path}",
    ]) {
        words.eat_any(&["in real time", "live"]);
        return Some(Draft::new(
            format!("tail -f {}", path(&file)),
            format!("Prints what is added to {file}"),
        ));
    }
    let column = words.take("column|field {num} of|from|in file? {path}");
    if let Some(found) = column.or_else(|| words.take("{nth} column|field of|from|in file? {path}"))
    {
        words.eat("show|print|display|get|extract|list|see");
        let [column, file] = found.as_slice() else {
            return None;
        };
        let comma = words.eat_any(&["separated by comma|commas", "comma separated"])
            || file.ends_with(".csv");
        let separator = if comma { "-F, " } else { "" };
        return Some(Draft::new(
            format!("awk {separator}'{{print ${column}}}' {}", path(file)),
            format!("Prints column {column} of {file}"),
        ));
    }
    if words.eat_any(&[
        "remove|delete|drop|strip duplicate|duplicated|repeated lines",
        "deduplicate lines?",
        "dedupe lines?",
    ]) {
        let file = path(&words.slot(OF).or_else(|| words.slot(&["{file}"]))?);
        return Some(
            if words.eat_any(&["keeping|preserving|keep|preserve order", "without sorting"]) {
                Draft::new(
                    format!("awk '!seen[$0]++' {file}"),
                    format!("Prints each line of {file} once, in its order"),
                )
            } else {
                Draft::new(
                    format!("sort -u {file}"),
                    format!("Prints each line of {file} once, sorted"),
                )
            },
        );
    }
    if words.eat("unique|distinct|different lines|values|entries?") {
        words.eat("show|print|display|get|list|find|see");
        let file = path(&words.slot(OF)?);
        return Some(Draft::new(
            format!("sort -u {file}"),
            format!("Prints each line of {file} once, sorted"),
        ));
    }
    if words.eat("duplicate|duplicated|repeated lines") {
        words.eat("show|print|display|get|list|find|see");
        let file = path(&words.slot(OF)?);
        return Some(Draft::new(
            format!("sort {file} | uniq -d"),
            format!("Prints the lines that {file} holds more than once"),
        ));
    }
    if words.eat("blank|empty lines") && words.eat("remove|delete|drop|strip") {
        let file = path(&words.slot(OF)?);
        return Some(Draft::new(
            format!("grep -v '^[[:space:]]*$' {file}"),
            format!("Prints {file} without its blank lines"),
        ));
    }
    let file = words.slot(&[
        "sort lines? of|in? file? {file}",
        "sort file {path}",
        "sort lines of|in {path}",
    ])?;
    let mut flags = String::new();
    if words.eat_any(&[
        "numerically",
        "by number",
        "as numbers",
        "in numeric order",
        "numeric",
    ]) {
        flags.push('n');
    }
    if words.eat_any(&["in? reverse|reversed|descending order?", "descending"]) {
        flags.push('r');
    }
    if words.eat_any(&[
        "and? remove|without|dropping duplicates",
        "uniquely",
        "unique",
    ]) {
        flags.push('u');
    }
    if let Some(column) = words.slot(&["by column|field {num}", "by {nth} column|field"]) {
        let separator = if file.ends_with(".csv") { " -t," } else { "" };
        flags.push_str(&format!("{separator} -k {column},{column}"));
    }
    let flags = match flags.as_str() {
        "" => String::new(),
        keyed if keyed.starts_with(' ') => keyed.to_owned(),
        flags => format!(" -{flags}"),
    };
    Some(Draft::new(
        format!("sort{flags} {}", path(&file)),
        format!("Sorts the lines of {file}"),
    ))
}
