//! A rule of the command knowledge in words.

/// `=> delete $*` as `deletes each operand`; with conditions and words in front.
pub(super) fn rule(text: &str) -> String {
    let Some((left, right)) = text.split_once("=>") else {
        return text.to_owned();
    };
    let (on, conditions) = left.split_once('[').unwrap_or((left, ""));
    let on: Vec<String> = on
        .split_whitespace()
        .map(|word| match word {
            "*" => "anything".to_owned(),
            word => word.replace('|', " or "),
        })
        .collect();
    let conditions: Vec<String> = conditions
        .trim()
        .trim_end_matches(']')
        .split_whitespace()
        .map(condition)
        .collect();
    let effects: Vec<String> = right.split(';').map(effect).collect();
    let mut lead = String::new();
    if !on.is_empty() {
        lead.push_str(&format!("`{}` ", on.join(" ")));
    }
    if !conditions.is_empty() {
        lead.push_str(&conditions.join(" and "));
        lead.push(' ');
    }
    let lead = lead.trim_end();
    let effects = effects.join(", and ");
    if lead.is_empty() {
        effects
    } else {
        format!("{lead}: {effects}")
    }
}

fn condition(text: &str) -> String {
    let count = |number: &str| match number {
        "1" => "one operand".to_owned(),
        number => format!("{number} operands"),
    };
    if let Some((subject, patterns)) = text.split_once('=') {
        let (subject, negated) = match subject.strip_suffix('!') {
            Some(subject) => (subject, " not"),
            None => (subject, ""),
        };
        let what = if subject.starts_with('$') {
            argument(subject)
        } else {
            format!("--{subject}")
        };
        return format!("where {what} is{negated} {}", patterns.replace('|', " or "));
    }
    if let Some(number) = text.strip_prefix("!#") {
        return format!("with fewer than {}", count(number));
    }
    if let Some(number) = text.strip_prefix('#') {
        return format!("with at least {}", count(number));
    }
    match text.strip_prefix('!') {
        Some(flag) => format!("without `{flag}`"),
        None => format!("with `{text}`"),
    }
}

fn argument(text: &str) -> String {
    const NUMBERS: &[&str] = &["", "first", "second", "third", "fourth", "fifth"];
    match text {
        "$*" => return "each operand".to_owned(),
        "$-" => return "the last operand".to_owned(),
        "$^" => return "each operand but the last".to_owned(),
        "$@" => return "all operands together".to_owned(),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix('$') {
        let (rest, default) = rest.split_once('|').unwrap_or((rest, ""));
        let (digits, more) = match rest.strip_suffix('+') {
            Some(digits) => (digits, true),
            None => (rest, false),
        };
        let number = digits
            .parse::<usize>()
            .ok()
            .and_then(|number| NUMBERS.get(number))
            .map_or_else(
                || format!("operand {digits}"),
                |word| format!("{word} operand"),
            );
        let what = if more {
            format!(
                "each operand from the {}",
                number.trim_end_matches(" operand")
            )
        } else {
            format!("the {number}")
        };
        return if default.is_empty() {
            what
        } else {
            format!("{what}, or else {default}")
        };
    }
    if let Some(rest) = text.strip_prefix('%') {
        return match rest.split_once('|') {
            Some((name, default)) => format!("what `{name}` says, or else {default}"),
            None => format!("what `{rest}` says"),
        };
    }
    text.to_owned()
}

fn effect(text: &str) -> String {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or("");
    let args: Vec<String> = words.map(argument).collect();
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    let two = |verb: &str, between: &str| {
        if args.len() < 2 {
            format!("{verb} {}", arg(0))
        } else {
            format!("{verb} {} {between} {}", arg(0), arg(1))
        }
    };
    let all = args.join(", ");
    match kind {
        "delete" => format!("deletes {all}"),
        "delete-tree" => format!("deletes {all} and everything below"),
        "overwrite" => format!("overwrites {all}"),
        "write" => format!("writes to {all}"),
        "copy-to" => format!("copies to {all}"),
        "move" => two("moves", "to"),
        "read" => format!("reads {all}"),
        "read-secret" => format!("reads the secret {all}"),
        "chmod" => format!("sets the permissions of {} to {}", arg(1), arg(0)),
        "chown" => format!("hands {} to {}", arg(1), arg(0)),
        "device" => format!("writes to the device {all}"),
        "format" => format!("makes a new file system on {all}"),
        "mount" => format!("mounts or unmounts {all}"),
        "run-file" => format!("runs the file {}", arg(0)),
        "run-remote" => format!("runs code from {}", arg(0)),
        "run-unknown" => "runs code that cannot be seen".to_owned(),
        "shell" => format!("runs {all} as shell code"),
        "code" => format!(
            "runs {} as {} code",
            args.get(1..).unwrap_or_default().join(" "),
            arg(0)
        ),
        "download" => two("downloads", "to"),
        "upload" => two("sends", "to"),
        "listen" => format!("listens at {all}"),
        "connect" => format!("connects to {all}"),
        "escalate" => format!("becomes {all}"),
        "add-user" => format!("adds the account {all}"),
        "credential" => format!("changes the credentials of {all}"),
        "persist" => format!("makes something run later ({})", args.join(" ")),
        "disable" => format!("switches off {}", args.join(" ")),
        "tamper" => format!("erases or silences {all}"),
        "kernel-module" => format!("loads or removes the kernel module {all}"),
        "history-loss" => format!("loses {}", args.join(" ")),
        "force-push" => format!("overwrites the branch {} on {}", arg(1), arg(0)),
        "branch-delete" => format!("deletes the branch {}", arg(0)),
        "destroy" => format!("destroys the {} {}", arg(0), arg(1))
            .trim_end()
            .to_owned(),
        "change" => format!("changes the {} {}", arg(0), arg(1))
            .trim_end()
            .to_owned(),
        "install" => format!("installs {}", arg(0)),
        "service" => format!("does {} to the service {}", arg(1), arg(0)),
        "kill" => format!("ends {all}"),
        "kill-all" => format!("ends everything that is {all}"),
        "power" => format!("stops or restarts the machine ({all})"),
        "exhaust" => format!("uses up the machine ({all})"),
        "unknown" => "does something that cannot be told".to_owned(),
        "calm" => "does nothing that matters".to_owned(),
        other => format!("{other} {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn rules_read_as_sentences() {
        for (text, said) in [
            ("=> delete $*", "deletes each operand"),
            (
                "[!target #2] => read $^; copy-to $-",
                "without `target` and with at least 2 operands: reads each operand but the last, and copies to the last operand",
            ),
            (
                "remote add|set-url => change remote $1",
                "`remote add or set-url`: changes the remote the first operand",
            ),
            (
                "[mode=*4755|u+s] => chmod %mode $-",
                "where --mode is *4755 or u+s: sets the permissions of the last operand to what `mode` says",
            ),
            (
                "=> escalate %user|root",
                "becomes what `user` says, or else root",
            ),
            (
                "[$1!=list] => move $2+ ~/x",
                "where the first operand is not list: moves each operand from the second to ~/x",
            ),
        ] {
            assert_eq!(rule(text), said);
        }
    }
}
