//! git.

use super::{Draft, name, path, quote};
use crate::Request;
use crate::words::Words;

/// Requests without slots: patterns, command, explanation.
const FIXED: &[(&[&str], &str, &str)] = &[
    (
        &[
            "undo|revert last|latest|previous commit and|but? keep|keeping|preserve|preserving changes|change|work|files staged?",
            "undo last commit without losing changes|work",
        ],
        "git reset --soft HEAD~1",
        "Takes the last commit back and keeps its changes staged",
    ),
    (
        &[
            "undo|drop|remove last|latest|previous commit and discard|throw|lose|drop away? changes",
            "discard last|latest commit",
        ],
        "git reset --hard HEAD~1",
        "Throws the last commit away with its changes, and every uncommitted change",
    ),
    (
        &[
            "current|this branch name?",
            "what|which branch am on?",
            "name of current branch",
        ],
        "git branch --show-current",
        "Prints the branch that is checked out",
    ),
    (
        &[
            "all branches local|including and? remote|remotes? ones?",
            "remote and local branches",
            "branches including remote|remotes",
        ],
        "git branch -a",
        "Lists local and remote branches",
    ),
    (
        &["remote branches"],
        "git branch -r",
        "Lists remote branches",
    ),
    (
        &["merged branches", "branches already? merged"],
        "git branch --merged",
        "Lists the branches that are merged into this one",
    ),
    (
        &["git? branches git?", "git branch list"],
        "git branch",
        "Lists the local branches",
    ),
    (
        &[
            "git status",
            "status of repo|repository|git|working tree|directory?",
            "changed|modified files in|of git|repo|repository",
            "uncommitted changes|files",
            "what changed in git|repo",
        ],
        "git status",
        "Shows what is changed and staged",
    ),
    (
        &["git? diff of? staged changes?", "staged changes|diff"],
        "git diff --staged",
        "Shows what is staged",
    ),
    (
        &["git diff", "unstaged changes"],
        "git diff",
        "Shows what is changed and not staged",
    ),
    (
        &[
            "stash my|all|current|uncommitted|local? changes|work|everything",
            "git stash",
            "save changes for later",
        ],
        "git stash push",
        "Puts the changes away",
    ),
    (
        &[
            "pop|apply|restore|reapply last|latest? stash|stashed|stashes changes?",
            "unstash changes?",
        ],
        "git stash pop",
        "Brings the last stash back",
    ),
    (
        &["stashes|stash list", "list stashes"],
        "git stash list",
        "Lists what is put away",
    ),
    (
        &[
            "git remotes",
            "remotes|remote urls|url? of? repo|repository?",
        ],
        "git remote -v",
        "Lists the remotes with their addresses",
    ),
    (
        &["git tags", "tags of? repo|repository?"],
        "git tag",
        "Lists the tags",
    ),
    (
        &["latest|last tag"],
        "git describe --tags --abbrev=0",
        "Prints the newest tag that leads here",
    ),
    (
        &[
            "git log",
            "commit history|log",
            "git history",
            "log of commits",
        ],
        "git log --oneline",
        "Lists the commits",
    ),
    (
        &[
            "files changed in last|latest commit",
            "what|which? files changed|did in? last|latest commit change?",
        ],
        "git show --stat --oneline HEAD",
        "Lists the files that the last commit changed",
    ),
    (
        &["last|latest|most recent? commit"],
        "git show --stat HEAD",
        "Shows the last commit",
    ),
    (
        &[
            "git? commit|log graph",
            "graph of git? commits|branches|history",
        ],
        "git log --oneline --graph --all",
        "Draws the commits of all branches",
    ),
    (
        &["pull latest|new? changes from? remote|origin?", "git pull"],
        "git pull",
        "Fetches and merges the remote's commits",
    ),
    (
        &["push commits|changes|branch to? remote|origin?", "git push"],
        "git push",
        "Sends the commits to the remote",
    ),
    (
        &["fetch all? remotes|remote branches|changes?", "git fetch"],
        "git fetch --all",
        "Fetches from every remote",
    ),
    (
        &[
            "stage|add all changes|files to? git|commit?",
            "git add everything|all",
        ],
        "git add -A",
        "Stages every change",
    ),
    (
        &["unstage all|everything files|changes?"],
        "git restore --staged .",
        "Unstages everything under this folder",
    ),
    (
        &["root|top directory|folder of git|repo|repository"],
        "git rev-parse --show-toplevel",
        "Prints the folder that the repository starts at",
    ),
    (
        &[
            "hash|sha|id of current|last|latest commit",
            "current commit hash|sha|id",
        ],
        "git rev-parse HEAD",
        "Prints the hash of the last commit",
    ),
    (
        &[
            "git? contributors by|with number|count? of? commits?",
            "who contributed most? commits?",
            "commits per|by author",
            "contributors of|to? repo|repository?",
        ],
        "git shortlog -sn HEAD",
        "Counts the commits of each author",
    ),
    (
        &[
            "amend last|latest commit without changing|editing message?",
            "add staged changes to last|latest commit",
        ],
        "git commit --amend --no-edit",
        "Adds what is staged to the last commit",
    ),
    (
        &["abort|cancel merge"],
        "git merge --abort",
        "Gives the merge up",
    ),
    (
        &["abort|cancel rebase"],
        "git rebase --abort",
        "Gives the rebase up",
    ),
    (
        &["untracked files"],
        "git ls-files --others --exclude-standard",
        "Lists the files that git does not track",
    ),
    (
        &[
            "initialize|initialise|init|create|start new? git repo|repository",
            "git init",
        ],
        "git init",
        "Makes a repository here",
    ),
    (
        &[
            "conflicted files",
            "files with|in merge? conflicts|conflict",
        ],
        "git diff --name-only --diff-filter=U",
        "Lists the files with conflicts",
    ),
];

pub(super) fn find(words: &mut Words, _request: &Request) -> Option<Draft> {
    slots(words).or_else(|| {
        for (patterns, command, explanation) in FIXED {
            if words.eat_any(patterns) {
                finish(words);
                return Some(Draft::new(*command, *explanation).neutral());
            }
        }
        None
    })
}

fn finish(words: &mut Words) {
    words.eat("show|list|display|see|print|get|view|check|find|what");
    words.eat_any(&[
        "in|of|for|from git",
        "in|of|for this? git? repo|repository|project",
        "using|with|via git",
        "git",
    ]);
}

fn slots(words: &mut Words) -> Option<Draft> {
    let draft = if let Some(found) = words.take("who changed|wrote|edited|modified|touched line {num} of|in file? {path}") {
        let [line, file] = found.as_slice() else { return None };
        Draft::new(format!("git blame -L {line},{line} -- {}", path(file)), format!("Shows who changed line {line} of {file} last"))
    } else if let Some(file) = words.slot(&["who last? changed|wrote|edited|modified|touched each? line|lines? of|in? file? {path}", "blame file? {path}"]) {
        words.eat("last");
        Draft::new(format!("git blame -- {}", path(&file)), format!("Shows who changed each line of {file} last"))
    } else if let Some(file) = words.slot(&["git? history|log|commits of|for|to|touching|that changed|touched? file {path}", "git? history|log of {file}", "commits that? changed|touched|modified|touching file? {file}"]) {
        Draft::new(format!("git log --follow --oneline -- {}", path(&file)), format!("Lists the commits that changed {file}"))
    } else if let Some(author) = words.slot(&["commits|commit by|from|of author|user? {name}", "what did {name} commit"]) {
        let author = quote(&author);
        if let Some(span) = since(words) {
            Draft::new(format!("git log --oneline --author={author} --since='{span}'"), "Lists the author's commits of that time")
        } else {
            Draft::new(format!("git log --oneline --author={author}"), "Lists the author's commits")
        }
    } else if let Some(text) = words.slot(&["commits|commit that? mentioning|mention|containing|contain|about|with message? {any}", "commits with {any} in message"]) {
        Draft::new(format!("git log --oneline --grep={}", quote(&text)), format!("Lists the commits whose message holds `{text}`"))
    } else if let Some(number) = words.slot(&["last|latest|recent {num} git? commits|commit", "{num} last|latest|most recent? commits", "log of last {num} commits?"]) {
        words.eat("git? log of?");
        Draft::new(format!("git log --oneline -n {number}"), format!("Lists the last {number} commits"))
    } else if words.mentions("commits|commit|log") && words.clone().eat("last|past|since|today|yesterday") {
        let span = since(words)?;
        words.eat("git? commits|commit|log");
        Draft::new(format!("git log --oneline --since='{span}'"), "Lists the commits of that time")
    } else if let Some(found) = words.take("files changed between {name} and {name}") {
        let [from, to] = found.as_slice() else { return None };
        Draft::new(format!("git diff --name-only {} {}", quote(from), quote(to)), format!("Lists the files that differ between {from} and {to}"))
    } else if let Some(found) = words.take("diff|difference|differences|changes between branch|branches|commit|commits? {name} and {name} branch|branches?") {
        let [from, to] = found.as_slice() else { return None };
        if from.contains('.') || from.contains('/') && to.contains('.') {
            return None; // two files
        }
        Draft::new(format!("git diff {} {}", quote(from), quote(to)), format!("Shows what differs between {from} and {to}"))
    } else if let Some(branch) = words.slot(&["git diff with|against|to|from branch? {name}", "diff with|against branch {name}", "changes compared to branch? {name}"]) {
        Draft::new(format!("git diff {}", quote(&branch)), format!("Shows what differs from {branch}"))
    } else if let Some(branch) = name(words, &["create|make|start and switch|checkout to? new? git? branch named|called? {name}", "create|make|start new? git? branch named|called? {name}"]) {
        words.eat("and switch|checkout to? it");
        Draft::new(format!("git switch -c {branch}"), format!("Makes the branch {branch} and switches to it"))
    } else if let Some(branch) = name(words, &["switch|change|checkout|go to? git? branch {name}", "switch|checkout to? {name} branch", "git checkout|switch {name}"]) {
        Draft::new(format!("git switch {branch}"), format!("Switches to {branch}"))
    } else if let Some(branch) = name(words, &["delete|remove remote git? branch {name}"]) {
        Draft::new(format!("git push origin --delete {branch}"), format!("Deletes {branch} on the remote"))
    } else if let Some(branch) = name(words, &["delete|remove local? git? branch named|called? {name}"]) {
        Draft::new(format!("git branch -d {branch}"), format!("Deletes the branch {branch} where it is merged"))
    } else if let Some(branch) = name(words, &["rename current|this? branch to {name}"]) {
        Draft::new(format!("git branch -m {branch}"), format!("Renames the branch to {branch}"))
    } else if let Some(branch) = name(words, &["merge branch {name} into? current|this? branch?", "merge {name} branch into? current|this? branch?", "git merge {name}"]) {
        Draft::new(format!("git merge {branch}"), format!("Merges {branch} into this branch"))
    } else if let Some(branch) = name(words, &["rebase onto|on|to branch? {name}"]) {
        Draft::new(format!("git rebase {branch}"), format!("Replays this branch on {branch}"))
    } else if let Some(file) = words.slot(&["unstage file? {path}"]) {
        Draft::new(format!("git restore --staged -- {}", path(&file)), format!("Unstages {file}"))
    } else if let Some(file) = words.slot(&["discard|undo|revert|throw local|uncommitted|my? changes in|to|of file? {path}"]) {
        Draft::new(format!("git restore -- {}", path(&file)), format!("Throws the uncommitted changes of {file} away"))
    } else if let Some(url) = words.slot(&["clone repo|repository? {url}", "clone repo|repository? {file}"]) {
        Draft::new(format!("git clone {}", quote(&url)), "Copies the repository here")
    } else if let Some(message) = words.slot(&["commit all? staged? changes? with message {any}"]) {
        Draft::new(format!("git commit -m {}", quote(&message)), "Commits what is staged")
    } else if let Some(tag) = name(words, &["create|add|make git? tag named|called? {name}"]) {
        Draft::new(format!("git tag {tag}"), format!("Tags this commit as {tag}"))
    } else {
        return None;
    };
    finish(words);
    Some(draft.neutral())
}

/// A time that git reads.
fn since(words: &mut Words) -> Option<String> {
    if words.eat("since? yesterday") {
        return Some("yesterday".to_owned());
    }
    if words.eat("from? today") {
        return Some("midnight".to_owned());
    }
    let minutes: u32 = words
        .slot(&[
            "since|in|from|of|within|for last|past? {span}",
            "last|past {span}",
        ])?
        .parse()
        .ok()?;
    let (number, unit) = if minutes.is_multiple_of(10_080) {
        (minutes / 10_080, "week")
    } else if minutes.is_multiple_of(1440) {
        (minutes / 1440, "day")
    } else {
        (minutes, "minute")
    };
    Some(format!(
        "{number} {unit}{} ago",
        if number == 1 { "" } else { "s" }
    ))
}
