//! One file or folder at a time: list, size, permissions, make, copy, move, remove, compare.

use super::{Draft, count, name, path, place, quote};
use crate::Request;
use crate::words::Words;

/// Disk usage and free space.
pub(super) fn usage(words: &mut Words, request: &Request) -> Option<Draft> {
    if words.eat_any(&[
        "free|available|remaining disk|storage|hard? drive? space|room left?",
        "how much disk|free|storage space|disk? is? left|free|available|remaining",
        "disk|storage space left|free|available|remaining",
        "disk free|space",
        "show|check|how? how? full disk|disks|drive",
    ]) {
        words.eat("show|check|list|display|get|see");
        words.eat("left|on|of disk|drive|machine|system|this?");
        return Some(Draft::new(
            "df -h",
            "Shows free and used space of each file system",
        ));
    }
    let verb = |words: &mut Words| words.eat("find|list|show|display|get|print|what|which");
    verb(words);
    let top = words.take("top|first? {num} largest|biggest|heaviest directories|folders|subdirectories|dirs|directory|folder").or_else(|| words.take("largest|biggest|heaviest directories|folders|subdirectories|dirs|directory|folder"));
    let ranked = top.is_some() || words.eat_any(&["using|taking|eating|uses|takes|eats up? most? disk? space", "disk usage by|per|for|of each? directory|folder|subdirectory|directories|folders|subdirectories", "size|sizes of each|all directory|folder|subdirectory|directories|folders|subdirectories", "folder|directory sizes"]);
    if ranked {
        words.eat("sorted by size");
        words.eat("by size");
        let place = place(words).unwrap_or_else(|| ".".to_owned());
        let top = count(top.and_then(|found| found.into_iter().next()));
        let depth = if request.os.is_bsd() {
            "-d 1"
        } else {
            "--max-depth=1"
        };
        return Some(Draft::new(
            format!("du -h {depth} {place} | sort -rh | head -n {top}"),
            format!("Lists the {top} largest folders in {place}"),
        ));
    }
    let sized = words.eat_any(&[
        "disk usage",
        "how big|large is",
        "how much space|disk does|is?",
        "total? size|sizes",
    ]);
    if sized {
        words.eat("used|taken|occupied by");
        let target = place(words).or_else(|| {
            words
                .slot(&[
                    "of|by|does|is directory|folder|file {path}",
                    "of|by|does|is|for current|this directory|folder",
                    "of|by|does|is|for? {path} directory|folder?",
                    "{path}",
                ])
                .map(|found| path(&found))
        });
        words.eat("use|take|occupy up?");
        words.eat_any(&["directory|folder|file", "current|this"]);
        return Some(Draft::new(
            format!("du -sh {}", target.unwrap_or_else(|| ".".to_owned())),
            "Adds up the disk usage",
        ));
    }
    None
}

/// Modes and owners.
pub(super) fn permissions(words: &mut Words, _request: &Request) -> Option<Draft> {
    if let Some(file) = words.slot(&[
        "make|mark|set file|script? {path} executable|runnable",
        "make|mark|set {path} as? executable|runnable",
        "chmod +x|executable {path}",
        "add|give? execute|executable permission|permissions to|for {path}",
    ]) {
        return Some(Draft::new(
            format!("chmod +x {}", path(&file)),
            format!("Lets everyone run {file}"),
        ));
    }
    if let Some(file) = words.slot(&[
        "make|mark|set file? {path} read-only|readonly|unwritable",
        "make|mark|set file? {path} read only",
    ]) {
        return Some(Draft::new(
            format!("chmod a-w {}", path(&file)),
            format!("Takes the right to write {file} from everyone"),
        ));
    }
    if let Some(found) = words.take(
        "set|change permissions|mode|permission of|on|for file|directory|folder? {path} to {mode}",
    ) {
        let [file, mode] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("chmod {mode} {}", path(file)),
            format!("Sets the permissions of {file}"),
        ));
    }
    if let Some(found) = words
        .take("change|set owner|ownership of|on|for file|directory|folder? {path} to user? {name}")
    {
        let [file, user] = found.as_slice() else {
            return None;
        };
        let recursive = if words.eat("recursively") { "-R " } else { "" };
        return Some(Draft::new(
            format!("sudo chown {recursive}{} {}", quote(user), path(file)),
            format!("Gives {file} to {user}"),
        ));
    }
    let file = words.slot(&["show|list|check|display|get|what? permissions|permission|owner|mode of|on|for file|directory|folder? {path}", "who owns file|directory? {path}", "what permissions does {path}"])?;
    Some(Draft::new(
        format!("ls -ld {}", path(&file)),
        format!("Shows owner and permissions of {file}"),
    ))
}

/// Everything else about one file.
pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    if let Some(dir) = words.slot(&[
        "create|make|new|mkdir new? nested? directory|folder|directories|dir named|called? {path}",
    ]) {
        return Some(Draft::new(
            format!("mkdir -p {}", path(&dir)),
            format!("Makes the folder {dir}"),
        ));
    }
    if let Some(file) = words.slot(&["create|make|touch new? empty? file named|called? {path}"]) {
        return Some(Draft::new(
            format!("touch {}", path(&file)),
            format!("Makes an empty {file}, or renews its time"),
        ));
    }
    if let Some(found) = words.take("rename all? {ext} files to {ext}") {
        let [from, to] = found.as_slice() else {
            return None;
        };
        if request.shell == cmdai_schema::Dialect::Fish {
            return None;
        }
        return Some(Draft::new(
            format!("for f in *.{from}; do mv -n -- \"$f\" \"${{f%.{from}}}.{to}\"; done"),
            format!("Renames every .{from} file here to .{to}, without overwriting"),
        ));
    }
    if let Some(found) = words.take("copy|duplicate|cp directory|folder {path} to|into|as {path}") {
        let [from, to] = found.as_slice() else {
            return None;
        };
        return Some(Draft::new(
            format!("cp -R {} {}", path(from), path(to)),
            format!("Copies {from} with all it holds"),
        ));
    }
    if let Some(found) = words.take("copy|duplicate|cp file? {path} to|into|as {path}") {
        let [from, to] = found.as_slice() else {
            return None;
        };
        words.eat("directory|folder");
        return Some(Draft::new(
            format!("cp -i {} {}", path(from), path(to)),
            format!("Copies {from}, asking before it overwrites"),
        ));
    }
    if let Some(found) =
        words.take("move|rename|mv file|directory|folder? {path} to|into|as {path}")
    {
        let [from, to] = found.as_slice() else {
            return None;
        };
        words.eat("directory|folder");
        return Some(Draft::new(
            format!("mv -i {} {}", path(from), path(to)),
            format!("Moves {from}, asking before it overwrites"),
        ));
    }
    if let Some(dir) = words.slot(&[
        "delete|remove|rm directory|folder|dir {path}",
        "delete|remove|rm {dirpath} directory|folder|dir",
        "delete|remove|rm {name} directory|folder",
    ]) {
        return Some(Draft::new(
            format!("rm -r {}", path(&dir)),
            format!("Removes {dir} and all it holds"),
        ));
    }
    if let Some(file) = words
        .slot(&["delete|remove|rm file {path}", "delete|remove|rm {file}"])
        .filter(|file| !file.contains('*'))
    {
        return Some(Draft::new(
            format!("rm {}", path(&file)),
            format!("Removes {file}"),
        ));
    }
    // `a link from A to B` and `a link A pointing to B` name the link first.
    let link_first = words
        .take("create|make symlink|link|symbolic link? from {path} to {path}")
        .or_else(|| {
            words.take(
                "create|make symlink|link|symbolic link? named|called? {path} pointing to {path}",
            )
        })
        .or_else(|| {
            words.take("create|make symlink|link|symbolic link? named|called {path} to {path}")
        });
    let target_first = words
        .take("create|make symlink|link|symbolic link? to|of|for {path} named|called|at {path}");
    let pair = link_first
        .map(|found| (found, true))
        .or(target_first.map(|found| (found, false)));
    if let Some((found, link_first)) = pair {
        let [first, second] = found.as_slice() else {
            return None;
        };
        let (link, target) = if link_first {
            (first, second)
        } else {
            (second, first)
        };
        return Some(Draft::new(
            format!("ln -s {} {}", path(target), path(link)),
            format!("Makes {link} point to {target}"),
        ));
    }
    if let Some(found) = words
        .take("compare|diff|difference|differences between|files|of? {path} and|with|to {path}")
    {
        let [from, to] = found.as_slice() else {
            return None;
        };
        let recursive = if words.eat("directories|folders") {
            "-ru"
        } else {
            "-u"
        };
        words.eat("show|find|list");
        return Some(Draft::new(
            format!("diff {recursive} {} {}", path(from), path(to)),
            "Shows the differing lines",
        ));
    }
    if let Some(file) = words.slot(&["show|get|compute|calculate|print sha256|sha-256|checksum|hash sum|hash|checksum? of|for file? {path}", "sha256|checksum of {path}"]) {
        let program = if request.os.is_bsd() { "shasum -a 256" } else { "sha256sum" };
        return Some(Draft::new(format!("{program} {}", path(&file)), format!("Computes the SHA-256 of {file}")));
    }
    if let Some(file) = words.slot(&[
        "what type|kind of file is {path}",
        "what file type is {path}",
        "file type of {path}",
    ]) {
        return Some(Draft::new(
            format!("file {}", path(&file)),
            format!("Tells what {file} is"),
        ));
    }
    if let Some(file) = words.slot(&[
        "show|print|display|view|read|cat contents|content of file? {path}",
        "print|display|read|cat file {path}",
        "print|show|display|view|read|cat {file}",
    ]) {
        return Some(Draft::new(
            format!("cat {}", path(&file)),
            format!("Prints {file}"),
        ));
    }
    listing(words)
}

/// `ls` with an order and a place.
fn listing(words: &mut Words) -> Option<Draft> {
    let hidden = words.eat_any(&[
        "including|with|and hidden|dot files|ones?",
        "hidden files? too|included",
    ]) || words.eat("hidden");
    let size = words.eat_any(&[
        "sorted|ordered|sort|order? by size",
        "by size",
        "largest|biggest first",
    ]);
    let time = words.eat_any(&[
        "sorted|ordered|sort|order? by modification|modified|last? time|date|modified|recent",
        "by date|time|age",
        "newest|latest first",
    ]);
    let long = words.eat_any(&[
        "with details|sizes|permissions|dates",
        "in long|detailed format|form",
        "in detail",
    ]);
    words
        .eat_any(&["list|show|display|ls|see|print|get", "what"])
        .then_some(())?;
    let directories = words.eat("directories|folders");
    if !directories && !words.eat("files|file|contents|content|everything of?") {
        return None;
    }
    words.eat("and directories|folders|files");
    let place = place(words)
        .or_else(|| {
            words
                .eat("current|this directory|folder")
                .then(|| ".".to_owned())
        })
        .or_else(|| name(words, &["of {dirpath}"]));
    let at = place
        .filter(|place| place != ".")
        .map_or(String::new(), |place| format!(" {place}"));
    if directories {
        let from = if at.is_empty() { "." } else { at.trim_start() };
        return Some(Draft::new(
            format!("find {from} -maxdepth 1 -mindepth 1 -type d"),
            "Lists the folders",
        ));
    }
    let mut flags = String::new();
    if hidden {
        flags.push('a');
    }
    if long || size || time || hidden {
        flags.push('l');
    }
    if size {
        flags.push_str("hS");
    } else if long {
        flags.push('h');
    }
    if time {
        flags.push('t');
    }
    let flags = if flags.is_empty() {
        String::new()
    } else {
        format!(" -{flags}")
    };
    Some(Draft::new(format!("ls{flags}{at}"), "Lists files"))
}
