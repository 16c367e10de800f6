//! Looking where nobody should: keys as they are typed, the memory of what keeps secrets, keys by
//! their shape across a home; and machines put to work for somebody else.

use cmdai_schema::Certainty;
use cmdai_schema::Invocation;
use cmdai_schema::Risk::{self, High, Moderate};

use super::Judge;
use crate::place::Place;

/// Beginnings and words by which keys are found in files.
const SHAPES: &[&str] = &[
    "AKIA",
    "ASIA[",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xox[",
    "xoxb-",
    "xoxp-",
    "sk-ant-",
    "sk_live_",
    "AIza",
    "PRIVATE KEY",
    "aws_secret_access_key",
    "eyJhbGci",
    "SG\\.",
    "npm_[",
    "dckr_pat_",
    "hvs\\.",
];
/// What keeps secrets in its memory.
const KEEPERS: &[&str] = &[
    "ssh-agent",
    "gpg-agent",
    "gnome-keyring",
    "keyring",
    "kwalletd",
    "keepass",
    "keepassxc",
    "1password",
    "bitwarden",
    "vault",
    "sssd",
    "lsass",
    "sshd",
    "firefox",
    "chrome",
    "chromium",
    "brave",
    "slack",
    "secretd",
    "securityd",
    "pcscd",
    "krb5",
];
/// Names and words that only programs that mine coins use.
const MINERS: &[&str] = &[
    "stratum+tcp",
    "stratum+ssl",
    "stratum2+tcp",
    "stratum://",
    "xmrig",
    "xmr-stak",
    "cpuminer",
    "minerd",
    "ethminer",
    "nbminer",
    "lolminer",
    "phoenixminer",
    "claymore",
    "nicehash",
    "minexmr",
    "supportxmr",
    "nanopool",
    "2miners",
    "monerohash",
    "moneroocean",
    "cryptonight",
    "randomx",
];
/// Ports at which pools take miners.
const POOL_PORTS: &[&str] = &[
    "3333", "4444", "5555", "7777", "9999", "14433", "14444", "45560",
];

/// Calls that look where nobody should.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    // One look at the whole line saves a look at every word of it.
    let lower = judge.request.text.to_ascii_lowercase();
    let may_mine = lower.contains("pool") || MINERS.iter().any(|miner| lower.contains(miner));
    for call in &judge.request.analysis.invocations {
        if let Some((id, risk, reason)) = listens(call)
            .or_else(|| memory(call, judge.request.text))
            .or_else(|| may_mine.then(|| mines(call)).flatten())
            .or_else(|| scans(call))
        {
            judge.hit_at(id, risk, call.span, Certainty::Proven, reason, None);
        }
        if let Some(reason) = picks_secrets(judge, call) {
            judge.hit_at(
                "secret.read",
                High,
                call.span,
                Certainty::Likely,
                reason,
                None,
            );
        }
        if let Some(reason) = shapes(judge, call) {
            judge.hit_at(
                "secret.read",
                High,
                call.span,
                Certainty::Likely,
                reason,
                None,
            );
        }
    }
}

type Found = (&'static str, Risk, String);

/// Programs that write down what is typed, shown or said.
fn listens(call: &Invocation) -> Option<Found> {
    let any = |wanted: &[&str]| call.args.iter().any(|arg| wanted.contains(&arg.text()));
    let found = match call.program.as_str() {
        "logkeys" | "lkl" | "keysniffer" | "pykeylogger" | "xspy" | "xkey" => true,
        "xinput" => any(&["test-xi2", "--test-xi2", "test", "--test"]),
        "evtest" | "libinput" => {
            call.program == "evtest"
                && call
                    .args
                    .iter()
                    .any(|arg| arg.text().starts_with("/dev/input/"))
                || any(&["--show-keycodes"])
        }
        "cat" | "dd" | "od" | "xxd" | "hexdump" | "tail" => call.args.iter().any(|arg| {
            arg.text()
                .trim_start_matches("if=")
                .starts_with("/dev/input/event")
        }),
        _ => false,
    };
    found.then(|| {
        (
            "sec.attack-tool",
            High,
            "writes down every key that is pressed".to_owned(),
        )
    })
}

/// The memory of a program that keeps secrets is written out.
fn memory(call: &Invocation, line: &str) -> Option<Found> {
    let words = || call.args.iter().map(|arg| arg.text());
    let dumps = match call.program.as_str() {
        "gcore" | "procdump" | "procdump64" | "mimipenguin" => true,
        "gdb" | "lldb" => {
            call.span.of(line).contains("generate-core-file")
                || call.span.of(line).contains("gcore")
                || call.span.of(line).contains("dump memory")
                || call.span.of(line).contains("save-core")
        }
        "strace" | "ltrace" | "ptrace" | "sysdig" | "bpftrace" => words().any(|text| text == "-p"),
        _ => false,
    };
    if !dumps {
        return None;
    }
    let text = call.span.of(line).to_ascii_lowercase();
    let keeper = KEEPERS
        .iter()
        .find(|keeper| text.contains(**keeper) && text.len() < 4096)?;
    Some((
        "secret.read",
        High,
        format!("reads the memory of {keeper}, which keeps secrets"),
    ))
}

/// Coins are mined, whatever the program is called.
fn mines(call: &Invocation) -> Option<Found> {
    // To search for the words, or to say them, mines nothing.
    if matches!(
        call.program.as_str(),
        "grep"
            | "rg"
            | "ag"
            | "ack"
            | "echo"
            | "printf"
            | "git"
            | "pgrep"
            | "pkill"
            | "killall"
            | "ps"
            | "cat"
            | "less"
            | "find"
            | "fd"
            | "awk"
            | "sed"
            | "man"
            | "apt-cache"
            | "which"
            | "curl"
            | "wget"
            | "rm"
            | "ls"
            | "locate"
            | "clamscan"
            | "kill"
            | "systemctl"
            | "test"
            | "["
            | "head"
            | "tail"
            | "gh"
            | "whois"
            | "dig"
            | "nslookup"
            | "host"
            | "ping"
            | "cd"
            | "mkdir"
            | "iptables"
            | "ufw"
            | "nft"
            | "journalctl"
            | "lsof"
            | "ss"
            | "netstat"
            | "export"
            | "jq"
    ) {
        return None;
    }
    let named = |text: &str| {
        let lower = text.to_ascii_lowercase();
        MINERS.iter().any(|miner| lower.contains(miner))
    };
    let mut args = call.args.iter().map(|arg| arg.text()).peekable();
    let mut found = named(&call.program);
    while let Some(text) = args.next() {
        found |= text.len() < 512
            && !text.contains('\n')
            && (text.contains("stratum") || !text.contains(' '))
            && named(text);
        // `-o pool.example.net:3333`
        if matches!(text, "-o" | "--url" | "--pool" | "-P") {
            found |= args.peek().is_some_and(|next| {
                next.rsplit_once(':').is_some_and(|(host, port)| {
                    POOL_PORTS.contains(&port)
                        && (host.contains("pool") || host.contains("mine") || host.contains("xmr"))
                })
            });
        }
    }
    found.then(|| {
        (
            "sec.attack-tool",
            High,
            "puts the machine to work for somebody else: it mines coins".to_owned(),
        )
    })
}

/// A scan of networks that no person could own.
fn scans(call: &Invocation) -> Option<Found> {
    let scanner = matches!(
        call.program.as_str(),
        "nmap"
            | "masscan"
            | "zmap"
            | "rustscan"
            | "unicornscan"
            | "fping"
            | "zgrab"
            | "zgrab2"
            | "naabu"
    );
    if !scanner {
        return None;
    }
    let wide = call.args.iter().map(|arg| arg.text()).find(|text| {
        text.split_once('/').is_some_and(|(net, bits)| {
            net.contains(['.', ':'])
                && !net.contains(|c: char| c.is_ascii_alphabetic())
                && bits.parse::<u8>().is_ok_and(|bits| bits < 16)
        }) || *text == "-iR"
            || text.starts_with("0.0.0.0-")
    })?;
    Some((
        "sec.attack-tool",
        High,
        format!("scans a whole range of other machines: {wide}"),
    ))
}

/// Passwords are picked out of what passes by, or of what was once typed.
fn picks_secrets(judge: &Judge<'_>, call: &Invocation) -> Option<String> {
    if !matches!(
        call.program.as_str(),
        "grep" | "egrep" | "rg" | "ugrep" | "awk"
    ) {
        return None;
    }
    let wanted = call.args.iter().any(|arg| {
        let lower = arg.text().to_ascii_lowercase();
        [
            "password",
            "passwd",
            "secret",
            "token",
            "api_key",
            "apikey",
            "authorization",
            "pass\\|",
            "pass|",
        ]
        .iter()
        .any(|word| lower.contains(word))
            || lower == "pass"
    });
    if !wanted {
        return None;
    }
    let source = judge.request.analysis.invocations.iter().find(|other| {
        other.pipeline == call.pipeline
            && other.stage < call.stage
            && (matches!(
                other.program.as_str(),
                "tcpdump" | "tshark" | "ngrep" | "history" | "dsniff"
            ) || other.program == "cat"
                && other
                    .args
                    .iter()
                    .any(|arg| arg.text().ends_with("_history")))
    });
    let history = call.args.iter().any(|arg| arg.text().ends_with("_history"));
    match source {
        Some(source) => Some(format!(
            "picks passwords out of what {} shows",
            source.program
        )),
        None if history => Some("picks passwords out of what was once typed".to_owned()),
        None => None,
    }
}

/// Keys are looked for by their shape, through a home or the whole machine.
fn shapes(judge: &Judge<'_>, call: &Invocation) -> Option<String> {
    let searches = matches!(
        call.program.as_str(),
        "grep"
            | "egrep"
            | "fgrep"
            | "rg"
            | "ag"
            | "ack"
            | "ugrep"
            | "ripgrep"
            | "zgrep"
            | "Select-String"
            | "findstr"
    );
    if !searches
        || !call
            .args
            .iter()
            .any(|arg| SHAPES.iter().any(|shape| arg.text().contains(shape)))
    {
        return None;
    }
    let recursive = matches!(call.program.as_str(), "rg" | "ag" | "ack")
        || call.args.iter().any(|arg| {
            let text = arg.text();
            matches!(text, "--recursive" | "--dereference-recursive")
                || text.starts_with('-') && !text.starts_with("--") && text.contains(['r', 'R'])
        });
    let home = judge.places.home.unwrap_or("/home/*");
    let place = call.args.iter().map(|arg| arg.text()).find(|text| {
        let bare = text.trim_end_matches(['/', '*']);
        (text.starts_with('/') || text.starts_with('~'))
            && (bare == home
                || matches!(
                    judge.places.of(text),
                    Place::Home | Place::Root | Place::HomeStore
                )
                || matches!(
                    bare,
                    "~" | "/home" | "/root" | "/etc" | "/var" | "/opt" | "/srv"
                ))
    })?;
    recursive.then(|| format!("looks for keys by their shape through {place}"))
}

/// Machines worn out on purpose: load tools that nothing ends.
pub(super) fn judge_load(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        if !matches!(
            call.program.as_str(),
            "stress" | "stress-ng" | "memtester" | "cpuburn" | "burnP6" | "sysbench"
        ) {
            continue;
        }
        let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
        let value = |names: &[&str]| super::exposing::value_of(&words, names);
        let ends = value(&["-t", "--timeout", "--time"]).is_some_and(|value| value != "0")
            || call.chain.iter().any(|program| program == "timeout");
        let many = value(&["--vm", "-m", "--fork", "--hdd", "-d"])
            .and_then(|count| count.parse::<u32>().ok())
            .is_some_and(|count| count >= 16);
        let most = value(&["--vm-bytes"]).is_some_and(|size| {
            size.strip_suffix('%')
                .and_then(|share| share.parse::<u32>().ok())
                .is_some_and(|share| share >= 90)
        });
        let loads = words.iter().any(|word| word.starts_with('-'));
        let risk = if loads && call.program != "sysbench" && !ends && (many || most) || many && most
        {
            High
        } else if loads && !ends && call.program.starts_with("stress") {
            Moderate
        } else {
            continue;
        };
        judge.hit_at(
            "res.exhaustion",
            risk,
            call.span,
            Certainty::Proven,
            "loads the machine, and nothing ends it",
            None,
        );
    }
}
