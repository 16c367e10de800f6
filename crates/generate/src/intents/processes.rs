//! Processes and the ports they listen on.

use super::{Draft, count, name, quote};
use crate::Request;
use crate::words::Words;

pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    let force = words.eat("force|forcefully|forcibly") || words.eat("-9");
    let strong = if force { "-9 " } else { "" };
    if let Some(port) = words.slot(&["kill|stop|terminate|end process|processes|program|whatever|server|what|app is|that? running|using|listening|listens|is? on|at? port {port}", "kill|stop|terminate|free port {port}", "kill|stop|terminate process|whatever that? uses port {port}"]) {
        return Some(Draft::new(format!("kill {strong}$(lsof -t -iTCP:{port} -sTCP:LISTEN)"), format!("Ends the process that listens on port {port}")));
    }
    if let Some(pid) = words.slot(&[
        "kill|stop|terminate|end process with? id|pid|number? {num}",
        "kill|stop|terminate pid {num}",
    ]) {
        return Some(Draft::new(
            format!("kill {strong}{pid}"),
            format!("Ends process {pid}"),
        ));
    }
    if let Some(process) = name(
        words,
        &[
            "kill|stop|terminate|end all? process|processes|program|app|application named|called|matching {name}",
            "kill|stop|terminate|end all? {name} process|processes|program",
            "kill all {name}",
        ],
    ) {
        let strong = strong.trim_end();
        let flag = if strong.is_empty() {
            String::new()
        } else {
            format!("{strong} ")
        };
        return Some(Draft::new(
            format!("pkill {flag}-x {process}"),
            format!("Ends every process named {process}"),
        ));
    }
    let linux = !request.os.is_bsd();
    let ss = linux && request.may_have("ss");
    if let Some(port) = words.slot(&[
        "what|which|who process|program|app|service? is|are? listening|listens|using|uses|running|runs|on|occupying|holds|holding on|at? port {port}", "process|program using|listening|on on? port {port}", "check|see|find|show what|who|which|if is? process|anything? is? using|on|listening|uses on? port {port}", "find process id|pid of|for|on port {port}", "pid of|on port {port}", "who uses port {port}", "is port {port} in use|used|taken|busy|free",
    ]) {
        words.eat("find|show|list|get");
        let command = if ss { format!("ss -ltnp 'sport = :{port}'") } else { format!("lsof -nP -iTCP:{port} -sTCP:LISTEN") };
        return Some(Draft::new(command, format!("Shows what listens on port {port}")));
    }
    if words.eat_any(&[
        "open|listening|used ports",
        "ports that? are? open|listening|used|in use?",
        "which|what ports are? open|listening|used|in? use?",
        "what is listening",
        "listening sockets|processes|services",
    ]) {
        words.eat("find|show|list|get|see|display");
        words.eat_any(&["on this? machine|system|computer|host", "locally", "in use"]);
        let command = if ss {
            "ss -ltnp"
        } else {
            "lsof -nP -iTCP -sTCP:LISTEN"
        };
        return Some(Draft::new(command, "Lists what listens on TCP ports"));
    }
    if words.eat_any(&["active|established|open|current network? connections"]) {
        words.eat("find|show|list|get|see|display");
        let command = if ss {
            "ss -tnp"
        } else {
            "lsof -nP -iTCP -sTCP:ESTABLISHED"
        };
        return Some(Draft::new(command, "Lists the open TCP connections"));
    }
    if let Some(file) = words.slot(&[
        "what|which process|program is|has? using|opened|open|uses file {path}",
        "who has file? {file} open",
    ]) {
        return Some(Draft::new(
            format!("lsof -- {}", super::path(&file)),
            format!("Shows who has {file} open"),
        ));
    }
    if words.eat_any(&["zombie|defunct processes"]) {
        words.eat("find|show|list|get|see|display");
        return Some(Draft::new(
            "ps -eo pid,ppid,stat,comm | awk '$3 ~ /^Z/'",
            "Lists processes that ended and wait to be collected",
        ));
    }
    if words.eat_any(&["process tree", "tree of processes"]) {
        words.eat("show|list|get|see|display");
        return Some(Draft::new(
            if linux { "ps -ef --forest" } else { "pstree" },
            "Draws the tree of processes",
        ));
    }
    None
}

/// All processes, or those that use most.
pub(super) fn ranked(words: &mut Words, request: &Request) -> Option<Draft> {
    let linux = !request.os.is_bsd();
    const PROCESSES: &str = "processes|process|programs|apps|applications";
    let top = words.take(&format!("top|first {{num}} {PROCESSES}")).or_else(|| words.take(&format!("top? {{num}} most? memory|cpu|ram hungry|intensive|heavy|consuming|using {PROCESSES}")));
    let plain = top.is_none()
        && words.eat(&format!(
            "all? running|top|active|current? {PROCESSES} running?"
        ));
    let eats = words.eat_any(&[
        "what|who is? using|eating|hogging|consuming all|most|much? of?",
        "that? using|use|uses|eating|consuming|hogging|with most|much|highest",
        "that? use|using|consume|consuming most",
    ]);
    if top.is_none() && !plain && !eats {
        return None;
    }
    let memory = words.mentions("memory|ram|mem");
    let cpu = words.mentions("cpu|processor") || (!memory && words.mentions("top"));
    if memory == cpu && (memory || eats) {
        return None;
    }
    words.eat_any(&[
        "sorted|ordered|ranked? by memory|ram|mem|cpu|processor usage|use|consumption?",
        "by memory|ram|mem|cpu|processor usage|use|consumption?",
        "most|highest? memory|ram|cpu|mem|processor usage|time?",
    ]);
    words.eat("list|show|display|see|print|get|view|find|what");
    words.eat("by|descending");
    if !memory && !cpu {
        words.eat_any(&["on this? machine|system|computer", "running"]);
        return Some(match top {
            Some(_) => return None,
            None => Draft::new("ps aux", "Lists all processes"),
        });
    }
    let number = top.and_then(|found| found.into_iter().next());
    let command = match (linux, memory) {
        (true, true) => "ps aux --sort=-%mem",
        (true, false) => "ps aux --sort=-%cpu",
        (false, true) => "ps aux -m",
        (false, false) => "ps aux -r",
    };
    let top = count(number);
    let said = if memory { "memory" } else { "processor time" };
    Some(Draft::new(
        format!("{command} | head -n {}", top + 1),
        format!("Lists the {top} processes that use most {said}"),
    ))
}

/// Processes by owner and by name.
pub(super) fn named(words: &mut Words, request: &Request) -> Option<Draft> {
    let linux = !request.os.is_bsd();
    if let Some(user) = super::name(
        words,
        &[
            "processes of|owned|run|started|by|from by? user? {name}",
            "{name} 's processes",
        ],
    ) {
        words.eat("list|show|display|see|get|find");
        return Some(Draft::new(
            format!("ps -f -u {user}"),
            format!("Lists the processes of {user}"),
        ));
    }
    let process = words.slot(&["find|show|list|get|see processes|process|pid|pids named|called|of|matching|for|containing {name}", "find|show|list|get|see|check if? all? {name} process|processes is|are? running?", "is process? {name} running", "pid of process? {name}", "process id of {name}"]).filter(|process| !process.starts_with('-'))?;
    let flags = if linux { "-af" } else { "-fl" };
    Some(Draft::new(
        format!("pgrep {flags} {}", quote(&process)),
        format!("Lists the processes that match {process}"),
    ))
}
