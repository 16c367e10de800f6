//! Requests that are asked back rather than guessed.

use crate::Outcome;
use crate::words::Words;

/// A question, where the request could mean several things or names nothing to destroy.
pub(crate) fn find(words: &Words) -> Option<Outcome> {
    let has = |list: &str| words.mentions(list);
    let remove = has("delete|remove|erase|wipe|clean|purge|clear|nuke|rm");
    let vague = has(
        "old|stuff|everything|things|junk|garbage|unneeded|unused|useless|unnecessary|crap|trash",
    );
    let mut fitted = words.clone();
    let dated = fitted.eat("older than {span}")
        || fitted.eat("{span} old|ago")
        || fitted.eat("not? modified|changed in|for last? {span}");
    let managed = has(
        "docker|container|containers|images|image|git|branch|branches|kubectl|pod|pods|npm|pip|brew|apt|package|packages|volumes",
    );
    if remove && vague && !dated && !managed {
        return Some(ask(
            "Which files, in which folder, and how old?",
            &[
                "delete files older than 30 days in /tmp",
                "list files older than 30 days in this directory",
                "delete empty directories in this directory",
            ],
        ));
    }
    let mut fitted = words.clone();
    if remove
        && (fitted.eat("files|everything|all|directory|folder|disk")
            && fitted.eat("delete|remove|erase|wipe|clean|purge|clear|nuke up?")
            && fitted.done())
    {
        return Some(ask(
            "Which files? Name a folder, a name or an age.",
            &[
                "delete log files older than 7 days in /var/log",
                "delete empty files in this directory",
            ],
        ));
    }
    let mut fitted = words.clone();
    if fitted.eat("undo|revert|uncommit my? last|latest|previous|my commit") && fitted.done() {
        return Some(ask(
            "Keep the changes of the commit, or throw them away?",
            &[
                "undo last commit and keep changes",
                "undo last commit and discard changes",
            ],
        ));
    }
    let mut fitted = words.clone();
    if fitted.eat("free|clean|make up? some? disk? space|room up?") && fitted.done() {
        return Some(ask(
            "What may go? See first what uses the space.",
            &[
                "top 10 largest directories in this directory",
                "find files larger than 100 MB in my home directory",
                "show free disk space",
            ],
        ));
    }
    let mut fitted = words.clone();
    if fitted.eat("kill|stop|terminate process|processes|it|them|server") && fitted.done() {
        return Some(ask(
            "Which process? Name a port, a process id or a program.",
            &["kill process on port 8080", "list processes by cpu"],
        ));
    }
    let mut fitted = words.clone();
    if fitted.eat("show|view|see|check logs|log") && fitted.done() {
        return Some(ask(
            "Logs of what?",
            &[
                "logs of service nginx",
                "docker logs of web",
                "logs of pod web",
                "show git log",
            ],
        ));
    }
    None
}

fn ask(question: &str, options: &[&str]) -> Outcome {
    Outcome::Ambiguous {
        question: question.to_owned(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    }
}
