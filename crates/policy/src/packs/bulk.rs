//! Many at once: machines of a cloud, a person's processes, packages, files that are emptied.

use cmdai_schema::Risk::High;
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation, Risk};

use super::Judge;
use super::exposing::value_of;
use crate::place::Place;

/// From here on nobody orders machines by hand.
const MANY: u32 = 50;
/// From here on for the largest.
const SOME: u32 = 8;

/// Calls by what their words say.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        if let Some((id, reason)) = machines(call)
            .or_else(|| shares(call))
            .or_else(|| fills(judge, call))
        {
            judge.hit_at(id, High, call.span, Certainty::Proven, reason, None);
        }
    }
}

/// A fleet of machines in one call.
fn machines(call: &Invocation) -> Option<(&'static str, String)> {
    let cloud = matches!(
        call.program.as_str(),
        "aws"
            | "gcloud"
            | "az"
            | "eksctl"
            | "doctl"
            | "linode-cli"
            | "hcloud"
            | "oci"
            | "vultr"
            | "scw"
            | "ibmcloud"
            | "openstack"
            | "kops"
            | "runpodctl"
    );
    if !cloud {
        return None;
    }
    let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
    let makes = words.iter().any(|word| {
        word.starts_with("run-")
            || word.contains("create")
            || word.starts_with("update")
            || word.starts_with("modify")
            || matches!(
                *word,
                "scale"
                    | "resize"
                    | "set-desired-capacity"
                    | "request-spot-instances"
                    | "nodegroup"
                    | "apply"
            )
    });
    let count = value_of(
        &words,
        &[
            "--count",
            "--min-count",
            "--max-count",
            "--num-nodes",
            "--node-count",
            "--nodes",
            "--instance-count",
            "--size",
            "--desired-capacity",
            "--nodes-max",
            "--nodes-min",
            "--target-size",
            "--new-capacity",
            "--num-instances",
            "--max-nodes",
            "--number",
            "--max-size",
            "--worker-count",
        ],
    )
    .and_then(|text| text.rsplit([':', '=']).next()?.parse::<u32>().ok())?;
    let large = words.iter().any(|word| {
        [
            "p3",
            "p4",
            "p5",
            "g5",
            "g6",
            "x1",
            "x2",
            "u-",
            "trn1",
            "inf2",
            "a2-",
            "a3-",
            "m3-ultramem",
            "Standard_ND",
            "Standard_NC",
            "Standard_M",
        ]
        .iter()
        .any(|kind| word.starts_with(kind))
            && (word.contains('.') || word.contains('-') || word.contains('_'))
            || word.ends_with(".metal")
            || word.contains("24xlarge")
            || word.contains("48xlarge")
    });
    (makes && (count >= MANY || large && count >= SOME))
        .then(|| ("cloud.change", format!("orders {count} machines at once")))
}

/// A copy of a disk, machine or database is handed to another account.
fn shares(call: &Invocation) -> Option<(&'static str, String)> {
    const VERBS: &[&str] = &[
        "modify-snapshot-attribute",
        "modify-image-attribute",
        "modify-db-snapshot-attribute",
        "modify-db-cluster-snapshot-attribute",
        "create-resource-share",
        "associate-resource-share",
    ];
    let verb = call
        .args
        .iter()
        .map(|arg| arg.text())
        .find(|text| VERBS.contains(text))?;
    let gives = call.args.iter().any(|arg| {
        let text = arg.text();
        matches!(text, "add" | "--values-to-add" | "--principals" | "all") || text.contains("Add=")
    });
    (call.program == "aws" && gives).then(|| {
        (
            "cloud.change",
            format!("hands a copy to another account: {verb}"),
        )
    })
}

/// A file as large as the disk has room, or one that never ends.
fn fills(judge: &Judge<'_>, call: &Invocation) -> Option<(&'static str, String)> {
    let line = judge.request.text;
    let reason = || "fills the disk".to_owned();
    match call.program.as_str() {
        "fallocate" | "truncate" | "mkfile" | "xfs_mkfile" => {
            let text = call.span.of(line);
            let asks = text.contains("df ")
                || text.contains("$(df")
                || text.contains("stat -f")
                || text.contains("Avail");
            asks.then(|| ("res.exhaustion", reason()))
        }
        // `yes > file` ends when nothing is left.
        "yes" | "cat" => {
            let endless = call.program == "yes"
                || call
                    .args
                    .iter()
                    .any(|arg| matches!(arg.text(), "/dev/zero" | "/dev/urandom" | "/dev/random"));
            if !endless {
                return None;
            }
            let cut = judge
                .request
                .analysis
                .invocations
                .iter()
                .any(|other| other.pipeline == call.pipeline && other.stage > call.stage);
            let timed = call.chain.iter().any(|program| program == "timeout");
            let rest = line
                .get(call.span.end as usize..)
                .unwrap_or("")
                .trim_start();
            let inner = call.span.of(line);
            let target = rest
                .strip_prefix(">>")
                .or_else(|| rest.strip_prefix('>'))
                .or_else(|| inner.rsplit_once('>').map(|(_, target)| target))
                .map(str::trim_start);
            let file = target.is_some_and(|target| {
                !target.starts_with("/dev/") && !target.starts_with('&') && !target.is_empty()
            });
            (file && !cut && !timed).then(|| ("res.exhaustion", reason()))
        }
        _ => None,
    }
}

/// All processes that a listing without a choice names.
pub(super) fn kills_listed(judge: &Judge<'_>, effect: &Effect, target: &str) -> bool {
    let lists = |text: &str| {
        text.contains("ps -u")
            || text.contains("ps -e")
            || text.contains("ps aux")
            || text.contains("ps ax")
            || text.contains("ps -A")
            || text.contains("ps -U")
            || text.contains("pgrep -u")
            || text.contains("pgrep -U")
            || text.contains("pgrep .")
            || text.contains("ps -o pid")
            || text.contains("ps h -o")
            || text.contains("ps x")
            || text.contains("ps --user")
    };
    // What picks some out of them; `-v` only leaves some.
    let picks = |text: &str| {
        text.split('|').skip(1).any(|stage| {
            let stage = stage.trim_start();
            (stage.starts_with("grep") || stage.starts_with("egrep") || stage.starts_with("rg "))
                && !stage.contains(" -v")
                && !stage.contains("-vE")
                && !stage.contains(" -qv")
                || stage.starts_with("awk") && stage.contains('/')
                || stage.starts_with("head")
                || stage.starts_with("tail")
                || stage.starts_with("sed -n")
        })
    };
    if target.starts_with("$(") || target.starts_with('`') {
        return lists(target)
            && !picks(target)
            && !target.contains(" -C ")
            && !target.contains("pgrep -f")
            && !named_by_pgrep(target);
    }
    let Some(own) = judge.call(effect) else {
        return false;
    };
    let stages: Vec<&Invocation> = judge
        .request
        .analysis
        .invocations
        .iter()
        .filter(|call| call.pipeline == own.pipeline && call.stage < own.stage)
        .collect();
    let Some(first) = stages.first() else {
        return false;
    };
    let text: String = stages
        .iter()
        .map(|call| call.span.of(judge.request.text))
        .collect::<Vec<_>>()
        .join(" | ");
    effect.chain.iter().any(|program| program == "xargs")
        && matches!(first.program.as_str(), "ps" | "pgrep")
        && lists(&text)
        && !picks(&text)
        && !named_by_pgrep(&text)
}

/// `pgrep -u me node` names one program.
fn named_by_pgrep(text: &str) -> bool {
    text.split_once("pgrep").is_some_and(|(_, rest)| {
        let own = rest.split(['|', ')', '`']).next().unwrap_or("");
        own.split_whitespace()
            .filter(|word| !word.starts_with('-'))
            .count()
            > 1
    })
}

/// A program that leaves a file empty, or full of noise.
pub(super) fn empties(judge: &Judge<'_>, effect: &Effect, path: &str) -> bool {
    if redirected_noise(judge, effect, path) {
        return true;
    }
    let Some(call) = judge.call(effect) else {
        return false;
    };
    // Editing a file in place leaves something of it, unless every line goes.
    if matches!(call.program.as_str(), "sed" | "gsed" | "perl" | "ruby")
        && call.args.iter().any(|arg| {
            let text = arg.text();
            text.starts_with("--in-place")
                || text.starts_with('-') && !text.starts_with("--") && text.contains('i')
        })
    {
        return matches!(effect.kind, EffectKind::Overwrite { .. });
    }
    let blank = call.program.eq_ignore_ascii_case("Clear-Content")
        || call.program.eq_ignore_ascii_case("Set-Content")
            && call.args.iter().any(|arg| arg.value.as_deref() == Some(""));
    let from_nothing = matches!(
        call.program.as_str(),
        "cp" | "install" | "dd" | "tee" | "cat"
    ) && call.args.iter().any(|arg| {
        matches!(
            arg.text().trim_start_matches("if="),
            "/dev/null" | "/dev/zero" | "/dev/urandom" | "/dev/random"
        )
    });
    let name = path.rsplit('/').next().unwrap_or(path);
    (from_nothing || blank) && !noise(name)
}

/// `cat /dev/null > FILE`, `head -c "$(stat -c %s FILE)" /dev/urandom > FILE`: what stood there is
/// written over with nothing, or with noise of the same length.
fn redirected_noise(judge: &Judge<'_>, effect: &Effect, path: &str) -> bool {
    let line = judge.request.text;
    let start = effect.span.start as usize;
    if !effect
        .span
        .of(line)
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with('>')
    {
        return false;
    }
    let before = line.get(..start).unwrap_or("");
    let own = before.rsplit(['\n', ';', '&']).next().unwrap_or(before);
    let name = path.rsplit('/').next().unwrap_or(path);
    if noise(name) {
        return false;
    }
    let measured = own.contains(name) && own.contains("stat ");
    let wide = path.rsplit('/').next().is_some_and(crate::glob::is_pattern);
    let nothing = own.trim().trim_start_matches("do ").trim();
    own.contains("cat /dev/null")
        || wide && matches!(nothing, "" | ":" | "true" | "echo -n" | "printf ''")
        || measured
            && ["/dev/urandom", "/dev/zero", "/dev/random"]
                .iter()
                .any(|source| own.contains(source))
}

/// Files that are made to hold nothing of weight.
fn noise(name: &str) -> bool {
    [
        ".bin", ".img", ".raw", ".iso", ".tmp", ".dat", ".test", ".swap", ".log",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || [
            "test", "swap", "zero", "random", "dummy", "empty", "fill", "bench", "sample",
        ]
        .iter()
        .any(|word| name.contains(word))
}

/// How bad it is that a file of this place is emptied.
pub(super) fn emptied(judge: &Judge<'_>, effect: &Effect, path: &str) -> Option<Risk> {
    let wide = path.rsplit('/').next().is_some_and(crate::glob::is_pattern);
    match judge.places.of(path) {
        Place::HomeFile | Place::MachineData | Place::HomeStore if empties(judge, effect, path) => {
            Some(High)
        }
        Place::Project
            if path.rsplit('/').next().is_some_and(|name| {
                name == ".env" || name.starts_with(".env.") && !name.ends_with("example")
            }) && empties(judge, effect, path) =>
        {
            Some(High)
        }
        Place::Project | Place::ProjectRoot if wide && empties(judge, effect, path) => Some(High),
        _ => None,
    }
}

/// Packages by a list that nobody chose: all there are.
pub(super) fn removes_listed(judge: &Judge<'_>, effect: &Effect, name: &str) -> bool {
    let EffectKind::ResourceDestroy { resource, .. } = &effect.kind else {
        return false;
    };
    if resource != "package" || !(name.starts_with('$') || name == "-") {
        return false;
    }
    let lists = |text: &str| {
        [
            "freeze",
            " list",
            "-qa",
            "-Qq",
            "-l",
            "ls ",
            "leaves",
            "get-selections",
            "info",
            "-W",
            "query",
            "ls -g",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    let picks = |text: &str| {
        text.split('|').skip(1).any(|stage| {
            let stage = stage.trim_start();
            (stage.starts_with("grep") || stage.starts_with("egrep"))
                && !stage.contains(" -v")
                && !stage.contains("'^ii'")
                && !stage.contains("^install")
                || stage.starts_with("awk") && stage.contains('/') && !stage.contains("/^ii/")
        }) || text.contains("--outdated")
            || text.contains("--not-required")
            || text.contains("-Qdt")
            || text.contains("autoremov")
            || text.contains("--user")
            || text.contains("-r ")
            || text.contains("linux-image")
    };
    let wide = Judge::is_privileged(effect)
        || effect.chain.last().is_some_and(|program| {
            !matches!(
                program.as_str(),
                "pip" | "pip3" | "uv" | "poetry" | "yarn" | "pnpm" | "conda"
            )
        })
        || judge.has_flag(effect, &["--break-system-packages", "-g", "--global"]);
    let text = if name.starts_with("$(") {
        name.to_owned()
    } else {
        let Some(own) = judge.call(effect) else {
            return false;
        };
        judge
            .request
            .analysis
            .invocations
            .iter()
            .filter(|call| call.pipeline == own.pipeline && call.stage < own.stage)
            .map(|call| call.span.of(judge.request.text))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    wide && lists(&text) && !picks(&text)
}
