//! Text in files.

use super::{Draft, path, place, quote};
use crate::Request;
use crate::words::Words;

/// `grep` in its usual forms.
pub(super) fn find(words: &mut Words, _request: &Request) -> Option<Draft> {
    let case = words.eat_any(&[
        "case insensitive|insensitively",
        "case-insensitive|case-insensitively",
        "ignoring|ignore case",
        "regardless of case",
    ]);
    let numbers = words.eat_any(&[
        "with|and|show|showing line numbers|number",
        "including line numbers",
    ]);
    let context = words.slot(&[
        "with {num} lines of? context",
        "with {num} lines around|before|after",
    ]);
    let whole = words.eat_any(&["as? whole words|word only?", "exact word"]);
    let (mut count, mut inverse, mut occurrences, mut names) = (false, false, false, false);
    let text = if let Some(text) = words.slot(&[
        "count occurrences|appearances|matches of word|text|string? {any}",
        "how many times does? word|text|string? {any} appear|appears|occur|occurs",
        "number of occurrences|matches of {any}",
        "count how many times {any} appears|occurs",
    ]) {
        occurrences = true;
        text
    } else if let Some(text) = words.slot(&[
        "count|number of? lines|line containing|with|that? matching|contain|mention {any}",
        "how many lines contain|contains|mention|match|have {any}",
        "count lines that? contain|match|mention {any}",
    ]) {
        count = true;
        text
    } else if let Some(text) = words.slot(&[
        "lines not containing|matching|with {any}",
        "lines without word|text? {any}",
        "lines that? do|don't not? contain|match|have {any}",
        "exclude lines with|containing {any}",
    ]) {
        inverse = true;
        words.eat("find|show|list|print|display|get");
        text
    } else if let Some(text) = words.slot(&[
        "which files contain|contains|mention|use {any}",
        "names? of files containing|mentioning|with {any}",
    ]) {
        names = true;
        words.eat("find|show|list|print|display|get");
        text
    } else {
        words.slot(&[
            "grep for? {any}", "search|look for text|string|word|pattern|phrase? {any}", "find|show|list|print|display|get all? lines|line that? containing|with|matching|contain|mention|mentioning|match {any}", "find|search|show occurrences|uses|usages|mentions of|for {any}",
            "find|search text|string|word|pattern|phrase for? {any}", "find|search for? {quoted}", "where is {any} used|mentioned|defined", "find|search|list|show all? {any} comments",
        ])?
    };
    // `search for files …` is about files, not text.
    if ["files", "file", "directories", "folders"].contains(&text.as_str()) {
        return None;
    }
    let kinds = words.slot(&["in|across|inside|within all? {ext} files|file|code|sources|scripts"]);
    if kinds.is_none() {
        words.eat_any(&[
            "in all? files",
            "in|across all? code|codebase|project|repo|repository|source files?",
            "recursively in? files?",
        ]);
    }
    words.eat("recursively");
    let target = place(words);
    let file = target
        .as_deref()
        .filter(|target| kinds.is_none() && looks_like_file(target))
        .map(str::to_owned);
    let mut flags = String::new();
    if file.is_none() {
        flags.push('r');
    }
    for (set, flag) in [
        (names, 'l'),
        (count, 'c'),
        (inverse, 'v'),
        (case, 'i'),
        (whole, 'w'),
        (occurrences, 'o'),
    ] {
        if set {
            flags.push(flag);
        }
    }
    if (numbers || file.is_none()) && !names && !count && !occurrences {
        flags.push('n');
    }
    let mut command = "grep".to_owned();
    if !flags.is_empty() {
        command.push_str(&format!(" -{flags}"));
    }
    if let Some(lines) = context {
        command.push_str(&format!(" -C {lines}"));
    }
    if let Some(ext) = &kinds {
        command.push_str(&format!(" --include='*.{ext}'"));
    }
    let place = file.or(target).unwrap_or_else(|| ".".to_owned());
    command.push_str(&format!(" -- {} {}", quote(&text), path_again(&place)));
    if occurrences {
        command.push_str(" | wc -l");
    }
    let verb = if occurrences || count {
        "Counts"
    } else if names {
        "Lists the files with"
    } else {
        "Finds"
    };
    let what = if inverse {
        "lines without"
    } else if names {
        ""
    } else if occurrences {
        "occurrences of"
    } else {
        "lines with"
    };
    Some(Draft::new(
        command,
        format!("{verb} {what} `{text}` in {place}").replace("  ", " "),
    ))
}

/// The last part has a dot inside: a file rather than a folder.
fn looks_like_file(target: &str) -> bool {
    let last = target
        .rsplit('/')
        .next()
        .unwrap_or(target)
        .trim_matches('\'');
    let dotted = last
        .rfind('.')
        .is_some_and(|at| at > 0 && at + 1 < last.len());
    dotted
        || ["Makefile", "Dockerfile", "README", "LICENSE"].contains(&last)
        || target.starts_with("/etc/") && !last.ends_with(".d")
}

/// Already quoted by `place`.
fn path_again(place: &str) -> String {
    if place.contains('\'') || place.starts_with('~') {
        place.to_owned()
    } else {
        path(place)
    }
}
