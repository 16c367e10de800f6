//! Files by kind, name, size, age, owner and content: listed, counted, measured, ranked, deleted.

use super::{Draft, count, path, place, quote};
use crate::Request;
use crate::words::Words;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    List,
    Count,
    Lines,
    Delete,
    Total,
    Largest(u32),
    Newest(u32),
    Oldest(u32),
}

/// Filters joined in the order they are rendered.
#[derive(Debug, Default)]
struct Filters {
    names: Vec<String>,
    tests: Vec<String>,
    /// In words, for the explanation.
    said: Vec<String>,
}

impl Filters {
    fn test(&mut self, test: impl Into<String>, said: impl Into<String>) {
        self.tests.push(test.into());
        self.said.push(said.into());
    }
}

pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    let bsd = request.os.is_bsd();
    let mut filters = Filters::default();
    ages(words, &mut filters, bsd);
    sizes(words, &mut filters);
    named(words, &mut filters);
    let content = content(words);
    // Depth before location: `only in this directory` names both.
    let mut depth = String::new();
    if words.eat_any(&[
        "not recursively",
        "non-recursively",
        "without subdirectories|subfolders",
        "no recursion",
    ]) {
        depth = " -maxdepth 1".to_owned();
    } else if let Some(levels) = words.slot(&[
        "at most {num} levels|level deep",
        "up to {num} levels|level deep",
        "max|maximum depth of? {num}",
    ]) {
        depth = format!(" -maxdepth {levels}");
    }
    words.eat_any(&[
        "recursively",
        "including|and subdirectories|subfolders",
        "in all subdirectories|subfolders",
    ]);
    let filtered = !filters.names.is_empty() || !filters.tests.is_empty();
    // `python files larger than 10 MB` asks for a list.
    let action = action(words).or(filtered.then_some(Action::List))?;
    let place = place(words).unwrap_or_else(|| ".".to_owned());
    let kind = kind(words, &mut filters, bsd)?;
    if matches!(action, Action::List) && content.is_none() {
        words.eat("with|and|showing|show? their|details|sizes|size|details?");
    }
    if kind == "d" && matches!(action, Action::Largest(_) | Action::Total | Action::Lines) {
        return None; // disk usage of folders is another intent
    }
    let bare = filters.names.is_empty() && filters.tests.is_empty() && content.is_none();
    if bare && matches!(action, Action::Delete) {
        return None;
    }
    if let Action::List = action
        && bare
        && depth.is_empty()
        && kind == "f"
        && !words.mentions("find|search|locate")
    {
        return None; // a plain listing is `ls`
    }
    let mut base = format!("find {place}{depth} -type {kind}");
    match filters.names.as_slice() {
        [] => {}
        [one] => base.push_str(&format!(" {one}")),
        several => base.push_str(&format!(" \\( {} \\)", several.join(" -o "))),
    }
    for test in &filters.tests {
        base.push(' ');
        base.push_str(test);
    }
    if let Some(text) = &content {
        base.push_str(&format!(" -exec grep -q -- {} {{}} \\;", quote(text)));
        filters.said.push(format!("containing `{text}`"));
    }
    let (command, verb) = render(&base, action, bsd, content.is_some(), content.as_deref());
    let things = if kind == "d" { "directories" } else { "files" };
    let said = if filters.said.is_empty() {
        String::new()
    } else {
        format!(" {}", filters.said.join(", "))
    };
    Some(
        Draft::new(command, format!("{verb} {things} under {place}{said}")).sure(if bare {
            900
        } else {
            940
        }),
    )
}

fn render(
    base: &str,
    action: Action,
    bsd: bool,
    exec: bool,
    content: Option<&str>,
) -> (String, String) {
    match action {
        Action::List => {
            // `grep -l` names the files itself: one process for many files.
            if let (true, Some(text)) = (exec, content) {
                let single = format!(" -exec grep -q -- {} {{}} \\;", quote(text));
                return (
                    base.replace(
                        &single,
                        &format!(" -exec grep -l -- {} {{}} +", quote(text)),
                    ),
                    "Lists".to_owned(),
                );
            }
            (base.to_owned(), "Lists".to_owned())
        }
        Action::Count => (
            format!("{base}{} | wc -l", if exec { " -print" } else { "" }),
            "Counts".to_owned(),
        ),
        Action::Lines => (
            format!("{base} -exec cat {{}} + | wc -l"),
            "Counts the lines of all".to_owned(),
        ),
        Action::Delete => (format!("{base} -delete"), "Deletes".to_owned()),
        Action::Total => (
            format!("{base} -exec du -ch {{}} + | tail -n 1"),
            "Adds up the size of".to_owned(),
        ),
        Action::Largest(top) => {
            let print = if bsd {
                "-exec stat -f '%z %N' {} +"
            } else {
                "-printf '%s %p\\n'"
            };
            (
                format!("{base} {print} | sort -rn | head -n {top}"),
                format!("Lists the {top} largest"),
            )
        }
        Action::Newest(top) | Action::Oldest(top) => {
            let print = if bsd {
                "-exec stat -f '%m %N' {} +"
            } else {
                "-printf '%T@ %p\\n'"
            };
            let newest = matches!(action, Action::Newest(_));
            let order = if newest { "-rn" } else { "-n" };
            let verb = format!(
                "Lists the {top} {}",
                if newest {
                    "most recently changed"
                } else {
                    "longest unchanged"
                }
            );
            (
                format!("{base} {print} | sort {order} | head -n {top}"),
                verb,
            )
        }
    }
}

fn ages(words: &mut Words, filters: &mut Filters, bsd: bool) {
    let test = |minutes: &str, newer: bool, access: bool| {
        let minutes: u32 = minutes.parse().unwrap_or(1440);
        let sign = if newer { '-' } else { '+' };
        let letter = if access { 'a' } else { 'm' };
        if minutes.is_multiple_of(1440) {
            format!("-{letter}time {sign}{}", minutes / 1440)
        } else {
            format!("-{letter}min {sign}{minutes}")
        }
    };
    if let Some(span) = words.slot(&[
        "not|never accessed|used|opened|read in|for|within last|past? {span}",
        "unused for {span}",
    ]) {
        filters.test(test(&span, false, true), "not read for that long");
    } else if let Some(span) = words.slot(&["accessed|opened|read in|within last|past {span}"]) {
        filters.test(test(&span, true, true), "read within that time");
    }
    if let Some(span) = words.slot(&[
        "not modified|changed|touched|updated in|for|within last|past? {span}",
        "older than {span}",
        "{span} old or older",
        "more than {span} old",
        "modified|changed more than {span} ago",
        "unchanged for {span}",
    ]) {
        filters.test(test(&span, false, false), "older than that");
    }
    if let Some(span) = words.slot(&["modified|changed|edited|updated|touched|created|added? in|within|during last|past|this {span}", "modified|changed|edited|updated less than {span} ago", "newer|younger than {span}", "from|in|of last|past {span}", "less than {span} old", "last|past {span}"]) {
        filters.test(test(&span, true, false), "changed within that time");
    }
    let today = words.eat_any(&[
        "modified|changed|edited|updated|created|touched today",
        "from today",
        "today",
    ]);
    if today {
        filters.test(
            if bsd {
                "-mtime -1"
            } else {
                "-daystart -mtime 0"
            },
            "changed today",
        );
    }
    if !today
        && words.eat_any(&[
            "modified|changed|edited|updated|created since? yesterday",
            "since yesterday",
        ])
    {
        filters.test(
            if bsd {
                "-mtime -2"
            } else {
                "-daystart -mtime -2"
            },
            "changed since yesterday",
        );
    }
    if let Some(file) = words.slot(&["newer than {file}", "modified|changed after {file}"]) {
        filters.test(
            format!("-newer {}", path(&file)),
            format!("newer than {file}"),
        );
    }
}

fn sizes(words: &mut Words, filters: &mut Filters) {
    if let Some(between) = words.take("between {size} and {size}") {
        if let [low, high] = between.as_slice() {
            filters.test(
                format!("-size +{low} -size -{}", bytes(high)),
                format!("between {low} and {high}"),
            );
        }
        return;
    }
    if let Some(size) = words.slot(&[
        "larger|bigger|greater|more|heavier|over|above|exceeding than? {size} in size",
        "larger|bigger|greater|more|heavier|over|above|exceeding than? {size}",
        "at least {size}",
        "with? size over|above|greater than? {size}",
    ]) {
        filters.test(format!("-size +{size}"), format!("larger than {size}"));
    }
    if let Some(size) = words.slot(&[
        "smaller|less|lighter than {size} in size",
        "smaller|less|lighter than {size}",
        "under|below {size}",
        "at most {size}",
    ]) {
        filters.test(
            format!("-size -{}", bytes(&size)),
            format!("smaller than {size}"),
        );
    }
    if words.eat_any(&["empty|zero-byte", "of size zero"]) {
        filters.test("-empty", "empty");
    }
}

/// `find -size -10M` rounds up, so that it leaves out files just below: exact bytes do not.
fn bytes(size: &str) -> String {
    let (digits, unit) = size.split_at(size.len().saturating_sub(1));
    let factor: u64 = match unit {
        "k" => 1024,
        "M" => 1024 * 1024,
        "G" => 1024 * 1024 * 1024,
        _ => 1,
    };
    digits.parse::<u64>().map_or_else(
        |_| size.to_owned(),
        |number| format!("{}c", number.saturating_mul(factor)),
    )
}

fn named(words: &mut Words, filters: &mut Filters) {
    let insensitive = words.eat_any(&[
        "case insensitive|insensitively",
        "case-insensitive|case-insensitively",
        "ignoring|ignore case",
    ]);
    let test = if insensitive { "-iname" } else { "-name" };
    let mut add = |pattern: String, said: String| {
        filters
            .names
            .push(format!("{test} '{}'", pattern.replace('\'', "'\\''")));
        filters.said.push(said);
    };
    if let Some(part) = words.slot(&[
        "with|containing|contains|having {any} in name|names|filename",
        "with? whose? name|names|filename|filenames contains|contain|containing|including {any}",
        "whose name has {any}",
    ]) {
        add(format!("*{part}*"), format!("with `{part}` in the name"));
    }
    if let Some(part) =
        words.slot(&["whose? name? starting|starts|beginning|begins|start with {any}"])
    {
        add(format!("{part}*"), format!("starting with `{part}`"));
    }
    if let Some(part) = words.slot(&[
        "whose? name? ending|ends|end with|in {any}",
        "with|having extension {any}",
    ]) {
        let part = part.trim_start_matches('*');
        let part = if words.mentions("extension") && !part.starts_with('.') {
            format!(".{part}")
        } else {
            part.to_owned()
        };
        add(format!("*{part}"), format!("ending with `{part}`"));
    }
    if let Some(name) = words.slot(&[
        "named|called|matching {any}",
        "with name {any}",
        "whose name is {any}",
    ]) {
        add(name.clone(), format!("named `{name}`"));
    }
}

fn content(words: &mut Words) -> Option<String> {
    words.slot(&["containing|contain|contains|mentioning|mention|mentions|including string|text|word|phrase {any}", "with text|string|word|phrase|content {any}", "containing|contain|contains|mentioning|mention|mentions {quoted}", "containing|contain|contains|mentioning|mention|mentions {name}"])
}

fn action(words: &mut Words) -> Option<Action> {
    let after = |words: &mut Words, pattern: &str| -> Option<u32> {
        let with = format!("find|list|show|display|get|print? top|first? {{num}} {pattern}");
        if let Some(found) = words.take(&with) {
            return Some(count(found.into_iter().next()));
        }
        let without = format!("find|list|show|display|get|print|what? {pattern}");
        words.take(&without).map(|_| 10)
    };
    if let Some(top) = after(words, "largest|biggest|heaviest") {
        return Some(Action::Largest(top));
    }
    if let Some(top) = after(
        words,
        "newest|latest|most recent|recently|modified? modified|changed|edited?",
    )
    .or_else(|| after(words, "newest|latest"))
    .or_else(|| after(words, "recently|recent modified|changed|edited?"))
    {
        return Some(Action::Newest(top));
    }
    if let Some(top) = after(words, "oldest") {
        return Some(Action::Oldest(top));
    }
    if words.eat_any(&[
        "count|number lines of? code? in|of",
        "how many lines of? code? in|are|do?",
        "total? lines of code in",
    ]) {
        return Some(Action::Lines);
    }
    if words.eat_any(&["count of?", "how many", "number of"]) {
        return Some(Action::Count);
    }
    if words.eat_any(&[
        "total|combined|overall disk? size|space|usage used? of|by",
        "how much space|disk do? use?",
        "sum size|sizes of",
    ]) {
        words.eat("take|use|occupy up?");
        return Some(Action::Total);
    }
    if words.eat_any(&["find and delete|remove", "delete|remove|erase|rm|clean up?"]) {
        return Some(Action::Delete);
    }
    words
        .eat_any(&[
            "find|list|show|display|get|print|locate|see|give",
            "search|look for",
        ])
        .then_some(Action::List)
}

/// What is looked for; the letter of `-type`.
fn kind(words: &mut Words, filters: &mut Filters, bsd: bool) -> Option<&'static str> {
    if words.eat("hidden") {
        filters.test("-name '.*'", "hidden");
    }
    if words.eat("executable|executables") {
        filters.test(if bsd { "-perm +111" } else { "-executable" }, "executable");
    }
    if let Some(user) = words.slot(&["owned by user? {name}", "belonging to user? {name}"]) {
        filters.test(
            format!("-user {}", quote(&user)),
            format!("owned by {user}"),
        );
    }
    if words.eat_any(&[
        "world-writable",
        "world writable",
        "writable by everyone|anyone",
    ]) {
        filters.test("-perm -0002", "writable by everyone");
    }
    if words.eat_any(&[
        "broken symlinks|links",
        "broken symbolic links",
        "dangling symlinks|links",
    ]) {
        if bsd {
            filters
                .tests
                .push("! -exec test -e {} \\; -print".to_owned());
        } else {
            filters.tests.push("-xtype l".to_owned());
        }
        return Some("l");
    }
    if words.eat_any(&["symlinks|symlink", "symbolic links|link"]) {
        return Some("l");
    }
    if words.eat("directories|directory|folders|folder|dirs|subdirectories|subfolders") {
        return Some("d");
    }
    let mut group = |extensions: &[&str], said: &str| {
        for ext in extensions {
            filters.names.push(format!("-iname '*.{ext}'"));
        }
        filters.said.push(said.to_owned());
    };
    if words.eat("images|pictures|photos|image|picture files|file?") {
        group(&["jpg", "jpeg", "png", "gif", "webp"], "that are images");
        return Some("f");
    }
    if words.eat("videos|movies|video files|file?") {
        group(&["mp4", "mkv", "mov", "avi", "webm"], "that are videos");
        return Some("f");
    }
    if words.eat("logs") {
        filters.names.push("-name '*.log'".to_owned());
        filters.said.push("that are logs".to_owned());
        return Some("f");
    }
    if let Some(pair) = words.take("{ext} and|or {ext} files|file|scripts|sources") {
        for ext in &pair {
            filters.names.push(format!("-name '*.{ext}'"));
        }
        filters.said.push("of these kinds".to_owned());
        return Some("f");
    }
    if let Some(ext) = words.slot(&[
        "{ext} files|file|scripts|script|documents|sources|source code|files?",
        "files with extension {ext}",
        "files of type {ext}",
    ]) {
        filters.names.push(format!(
            "-name '*.{}'",
            if ext == "dockerfile" {
                return None;
            } else {
                ext.clone()
            }
        ));
        filters.said.push(format!("of kind .{ext}"));
        return Some("f");
    }
    if let Some(glob) = words.slot(&["files? {glob} files?"]) {
        filters
            .names
            .push(format!("-name '{}'", glob.replace('\'', "'\\''")));
        filters.said.push(format!("matching {glob}"));
        words.eat("files");
        return Some("f");
    }
    if words.eat("pdfs") {
        filters.names.push("-name '*.pdf'".to_owned());
        return Some("f");
    }
    words.eat("files|file").then_some("f")
}
