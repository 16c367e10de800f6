//! The machine and the session: system, memory, time, environment.

use super::{Draft, quote};
use crate::words::Words;
use crate::{Os, Request};

fn verb(words: &mut Words) {
    words.eat("show|list|display|see|print|get|view|check|find|what|tell|which");
}

/// Dates and times.
pub(super) fn dates(words: &mut Words, request: &Request) -> Option<Draft> {
    let bsd = request.os.is_bsd();
    if let Some(stamp) = words.slot(&["convert unix|epoch? timestamp|epoch|time? {stamp} to date|readable|human|time date|readable|time?", "what|which date|time|day is? unix|epoch? timestamp|epoch? {stamp}", "timestamp {stamp} to|as date"]) {
        words.eat("date|time|format");
        return Some(Draft::new(if bsd { format!("date -r {stamp}") } else { format!("date -d @{stamp}") }, "Shows the time stamp as a date"));
    }
    if words.eat_any(&[
        "current? unix|epoch timestamp|time",
        "seconds since epoch",
        "current timestamp",
    ]) {
        verb(words);
        return Some(Draft::new("date +%s", "Prints the seconds since 1970"));
    }
    if let Some(days) = words.slot(&[
        "date {num} days|day ago",
        "date from? {num} days|day ago|before",
    ]) {
        verb(words);
        return Some(Draft::new(
            if bsd {
                format!("date -v-{days}d +%Y-%m-%d")
            } else {
                format!("date -d '{days} days ago' +%Y-%m-%d")
            },
            format!("Prints the date {days} days ago"),
        ));
    }
    if let Some(days) = words.slot(&[
        "date in {num} days|day",
        "date {num} days|day from now|today",
    ]) {
        verb(words);
        return Some(Draft::new(
            if bsd {
                format!("date -v+{days}d +%Y-%m-%d")
            } else {
                format!("date -d '{days} days' +%Y-%m-%d")
            },
            format!("Prints the date in {days} days"),
        ));
    }
    if words.eat_any(&["yesterday's date", "date of? yesterday"]) {
        verb(words);
        return Some(Draft::new(
            if bsd {
                "date -v-1d +%Y-%m-%d"
            } else {
                "date -d yesterday +%Y-%m-%d"
            },
            "Prints yesterday's date",
        ));
    }
    if words.eat_any(&["current? week number", "number of week"]) {
        verb(words);
        return Some(Draft::new("date +%V", "Prints the ISO week"));
    }
    if words.eat_any(&["calendar of|for? this? month?"]) {
        verb(words);
        return Some(Draft::new("cal", "Prints this month"));
    }
    let asked = words.eat_any(&[
        "current|today's date and? time?",
        "current time and? date?",
        "date and time",
        "what|which time|date|day is? it|today?",
        "today's date",
        "time|date now",
        "show|print|display|get|tell date|time",
    ]);
    if !asked {
        return None;
    }
    verb(words);
    words.eat("is|today|now");
    if words.eat("in|as iso|iso8601|yyyy-mm-dd format?") {
        return Some(Draft::new("date +%Y-%m-%d", "Prints the date"));
    }
    if words.eat("in|as utc|gmt time?") {
        return Some(Draft::new("date -u", "Prints date and time in UTC"));
    }
    Some(Draft::new("date", "Prints date and time"))
}

/// Hardware, system, users.
pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    let bsd = request.os.is_bsd();
    let by = |linux: &'static str, other: &'static str| if bsd { other } else { linux };
    let mac = request.os == Os::Macos;
    let table: [(&[&str], &str, &str); 12] = [
        (
            &["kernel version", "version of kernel"],
            "uname -r",
            "Prints the kernel's version",
        ),
        (
            &[
                "os|system|distro|linux|ubuntu|debian|macos version|release|name",
                "operating system version|name?",
                "version of os|operating|distro|linux|macos system?",
                "distro|distribution is|am using|running?",
                "what|which os|distro|distribution am|is running|using|this|it?",
            ],
            if mac {
                "sw_vers"
            } else {
                "cat /etc/os-release"
            },
            "Tells the system and its version",
        ),
        (
            &[
                "memory|ram usage|use|info|status",
                "free|available memory|ram",
                "how much memory|ram is? free|left|available|used|have|do?",
                "used|total memory|ram",
            ],
            if mac {
                "vm_stat"
            } else {
                by("free -h", "vmstat -h")
            },
            "Shows how much memory is used and free",
        ),
        (
            &[
                "number of cpu|processor? cores|cpus|processors",
                "how many cpu|processor? cores|cpus|processors do|does? have|this?",
                "cpu|processor count|cores",
            ],
            by("nproc", "sysctl -n hw.ncpu"),
            "Prints the number of processors",
        ),
        (
            &["cpu|processor info|information|details|model|type"],
            if mac {
                "sysctl -n machdep.cpu.brand_string"
            } else {
                by("lscpu", "sysctl -n hw.model")
            },
            "Describes the processor",
        ),
        (
            &["cpu|system load average?", "load average"],
            "uptime",
            "Prints the load of the last 1, 5 and 15 minutes",
        ),
        (
            &[
                "system|machine|server|computer? uptime of? system|machine|server?",
                "how long has? machine|system|computer|server been up|running",
                "when was|did system|machine last? booted|boot|restarted|rebooted",
                "last reboot|boot time?",
            ],
            "uptime",
            "Prints how long the system runs",
        ),
        (
            &[
                "hostname",
                "name of this? computer|machine|host",
                "host|computer|machine name",
            ],
            "hostname",
            "Prints the machine's name",
        ),
        (
            &[
                "who is logged in|on",
                "logged in users",
                "users logged in|on",
            ],
            "who",
            "Lists who is logged in",
        ),
        (
            &["current|my user|username name?", "who am i?", "whoami"],
            "whoami",
            "Prints your user name",
        ),
        (
            &["cpu|system|machine architecture", "architecture"],
            "uname -m",
            "Prints the architecture",
        ),
        (
            &[
                "block devices",
                "disks and partitions",
                "partitions",
                "attached|connected? disks|drives",
            ],
            if mac {
                "diskutil list"
            } else {
                by("lsblk", "gpart show")
            },
            "Lists disks and partitions",
        ),
    ];
    for (patterns, command, explanation) in table {
        if words.eat_any(patterns) {
            verb(words);
            words.eat_any(&[
                "on|of|for this|my? computer|machine|system|server|box",
                "in use",
                "left",
                "used",
                "have",
            ]);
            return Some(Draft::new(command, explanation));
        }
    }
    if words.eat_any(&["groups am in", "my groups", "groups of? user?"]) {
        verb(words);
        return Some(Draft::new("groups", "Lists your groups"));
    }
    if let Some(mounts) = words
        .eat_any(&["mounted file? systems|filesystems|volumes|drives", "mounts"])
        .then_some("mount")
    {
        verb(words);
        return Some(Draft::new(mounts, "Lists what is mounted"));
    }
    None
}

/// Variables, path, programs, history.
pub(super) fn environment(words: &mut Words, request: &Request) -> Option<Draft> {
    let fish = request.shell == cmdai_schema::Dialect::Fish;
    if words.eat_any(&[
        "path one entry|directory|folder per|each line|row",
        "each|all directory|directories|entries|folders in|on|of path",
        "path variable? line by line",
        "path split by|into lines?",
    ]) {
        verb(words);
        return Some(if fish {
            Draft::new("printf '%s\\n' $PATH", "Prints each folder of the path")
        } else {
            Draft::new(
                "echo \"$PATH\" | tr ':' '\\n'",
                "Prints each folder of the path",
            )
        });
    }
    if let Some(found) = words.take("set|export environment|env? variable? {var} to|= {any}") {
        let [variable, value] = found.as_slice() else {
            return None;
        };
        let command = if fish {
            format!("set -gx {variable} {}", quote(value))
        } else {
            format!("export {variable}={}", quote(value))
        };
        return Some(Draft::new(
            command,
            format!("Sets {variable} for this session"),
        ));
    }
    if let Some(variable) = words.slot(&["unset|remove environment|env? variable? {var}"]) {
        return Some(Draft::new(
            if fish {
                format!("set -e {variable}")
            } else {
                format!("unset {variable}")
            },
            format!("Removes {variable} from this session"),
        ));
    }
    if let Some(variable) = words.slot(&[
        "value of environment|env? variable? {var} variable?",
        "environment|env variable {var}",
        "show|print|echo|display|get|is {var} variable?",
    ]) {
        verb(words);
        return Some(Draft::new(
            format!("printenv {variable}"),
            format!("Prints the value of {variable}"),
        ));
    }
    if let Some(text) =
        words.slot(&["environment|env variables containing|matching|with|starting with? {name}"])
    {
        verb(words);
        return Some(Draft::new(
            format!("env | grep -i -- {}", quote(&text)),
            format!("Lists the variables that hold `{text}`"),
        ));
    }
    if words.eat_any(&["environment|env variables|vars|variable", "environment"]) {
        verb(words);
        return Some(Draft::new("env", "Lists the environment variables"));
    }
    if words.eat_any(&[
        "current|working|present working? directory|folder|path",
        "which|what directory|folder am in?",
        "where am i?",
        "pwd",
    ]) {
        verb(words);
        return (!words.mentions("files|file|size|list|disk"))
            .then(|| Draft::new("pwd", "Prints the working directory").neutral());
    }
    if let Some(program) = words
        .slot(&[
            "where is program|command|executable|binary? {name} installed|located?",
            "where {name} is installed|located",
            "path|location of program|command|executable|binary {name}",
            "which {name} am|is using|used",
            "is program|command? {name} installed",
        ])
        .filter(|name| !name.starts_with('-'))
    {
        return Some(Draft::new(
            format!("command -v {}", quote(&program)),
            format!("Prints which {program} would run"),
        ));
    }
    if let Some(text) = words.slot(&[
        "search|grep my? shell|command|bash? history for {any}",
        "commands in|from history containing|with {any}",
        "find {quoted} in my? shell|command|bash? history",
    ]) {
        words.eat("show|find");
        return Some(Draft::new(
            format!("history | grep -- {}", quote(&text)),
            format!("Lists the past commands with `{text}`"),
        ));
    }
    if let Some(number) = words.slot(&["last {num} commands of|from|in? history?"]) {
        verb(words);
        return Some(Draft::new(
            if fish {
                format!("history -n {number}")
            } else {
                format!("history {number}")
            },
            format!("Lists the last {number} commands"),
        ));
    }
    None
}
