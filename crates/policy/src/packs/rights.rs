//! Rights that are opened wide: shells of root, the host from within, secrets that others may read.

use cmdai_schema::Risk::{Critical, High};
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation};

use super::Judge;
use super::secrets::looks_secret;

const SHELLS: &[&str] = &[
    "sh", "bash", "zsh", "dash", "ksh", "fish", "ash", "pwsh", "csh", "tcsh",
];

/// Calls that open rights by what their words say.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        let found = match call.program.as_str() {
            "nsenter" if enters_the_machine(call) => Some((
                "priv.escalate",
                "enters the machine's own namespaces, outside of every container".to_owned(),
            )),
            "mount" => remount(call).map(|what| ("disk.mount", what)),
            _ => root_shell(call, judge.request.text)
                .map(|who| ("priv.escalate", format!("opens a shell with the rights of {who}: what is typed there is seen by nobody"))),
        };
        if let Some((id, reason)) = found {
            judge.hit_at(id, High, call.span, Certainty::Proven, reason, None);
        }
    }
}

/// A shell of root that waits for what is typed, not one that runs a given command.
fn root_shell(call: &Invocation, line: &str) -> Option<&'static str> {
    // What is fed to it is looked at by itself.
    let fed = call.stage > 0
        || line
            .get(call.span.end as usize..)
            .is_some_and(|rest| rest.trim_start().starts_with('<'));
    if fed {
        return None;
    }
    let flags = |text: &str| text.starts_with('-');
    match call.program.as_str() {
        "sudo" | "doas" => {
            let opens = call
                .args
                .iter()
                .any(|arg| matches!(arg.text(), "-i" | "-s" | "--login" | "--shell"));
            (opens && call.args.iter().all(|arg| flags(arg.text()))).then_some("root")
        }
        "su" => {
            let mut words = call
                .args
                .iter()
                .map(|arg| arg.text())
                .filter(|text| !flags(text));
            let who = words.next().unwrap_or("root");
            let runs = call.args.iter().any(|arg| {
                let text = arg.text();
                matches!(text, "--command" | "--help" | "--version")
                    || text.starts_with("--command=")
                    || flags(text) && !text.starts_with("--") && text.contains('c')
            });
            (!runs && who == "root" && words.next().is_none()).then_some("root")
        }
        name if SHELLS.contains(&name) => {
            let raised = call
                .chain
                .iter()
                .any(|program| matches!(program.as_str(), "sudo" | "doas" | "pkexec" | "run0"));
            // `sudo -u deploy bash` is somebody else's shell, not root's.
            let bare = call.args.iter().all(|arg| {
                flags(arg.text()) && !arg.text().contains(['c', 'n', 's'])
                    || arg.text() == "--login"
            });
            let other = line.get(..call.span.end as usize).is_some_and(|before| {
                before
                    .rsplit(['\n', ';', '|', '&'])
                    .next()
                    .is_some_and(|own| own.contains(" -u ") && !own.contains(" -u root"))
            });
            (raised && bare && !other).then_some("root")
        }
        _ => None,
    }
}

/// `nsenter -t 1`: the first process is the machine.
fn enters_the_machine(call: &Invocation) -> bool {
    let mut args = call.args.iter().map(|arg| arg.text());
    while let Some(text) = args.next() {
        match text {
            "-t" | "--target" => return args.next() == Some("1"),
            "-t1" | "--target=1" => return true,
            _ => {}
        }
    }
    false
}

/// A mounted folder from which programs may take other rights again.
fn remount(call: &Invocation) -> Option<String> {
    let mut options = "";
    let mut args = call.args.iter().map(|arg| arg.text()).peekable();
    while let Some(text) = args.next() {
        match text {
            "-o" | "--options" => options = args.next().unwrap_or(""),
            _ => {
                if let Some(rest) = text
                    .strip_prefix("-o")
                    .or_else(|| text.strip_prefix("--options="))
                {
                    options = rest;
                }
            }
        }
    }
    let has = |wanted: &str| options.split(',').any(|word| word == wanted);
    (has("remount") && (has("suid") || has("dev") || has("exec")))
        .then(|| format!("mounts anew with {options}: what was closed there is open"))
}

/// True where others than the owner may read.
pub(super) fn for_others(mode: &str) -> bool {
    if !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_digit()) {
        let digit = |back: usize| {
            mode.len()
                .checked_sub(back)
                .and_then(|at| mode.as_bytes().get(at))
                .map_or(0, |byte| byte.wrapping_sub(b'0'))
        };
        return digit(1) & 4 != 0;
    }
    mode.split(',').any(|part| {
        part.find(['+', '=']).is_some_and(|at| {
            let (who, what) = part.split_at(at);
            (who.is_empty() || who.contains(['o', 'a'])) && what.contains('r')
        })
    })
}

/// A secret that everybody on the machine may read from now on.
pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let EffectKind::ChangeMode {
        path,
        mode,
        recursive,
    } = &effect.kind
    else {
        return;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let open = name.ends_with(".pub")
        || matches!(
            name,
            "config" | "known_hosts" | "authorized_keys" | "passwd"
        ) && !path.contains("/.kube/")
            && !path.contains("/.aws/")
        || path.ends_with("/.ssh") && !recursive
        || [".crt", ".cer"].iter().any(|end| name.ends_with(end));
    let store = matches!(
        path.as_str(),
        "/etc/shadow" | "/etc/gshadow" | "/etc/sudoers" | "/etc/shadow-" | "/etc/gshadow-"
    ) || path.starts_with("/etc/ssl/private")
        || path.starts_with("/etc/ssh/ssh_host_");
    let own = [
        ".ssh/",
        ".aws/",
        ".gnupg/",
        ".kube/",
        ".password-store/",
        ".config/gcloud/",
    ]
    .iter()
    .any(|part| path.contains(&format!("/{part}")))
        || [
            ".netrc",
            ".pgpass",
            ".git-credentials",
            ".my.cnf",
            ".vault-token",
        ]
        .contains(&name);
    // A store with everything in it.
    let whole = *recursive
        && [".ssh", ".aws", ".gnupg", ".kube", ".password-store"]
            .contains(&path.trim_end_matches("/*").rsplit('/').next().unwrap_or(""));
    if open
        || !for_others(mode)
        || !(store
            || whole
            || own && looks_secret(path)
            || own && !path.contains("/.ssh/")
            || name.starts_with("id_"))
    {
        return;
    }
    judge.hit(
        "fs.permissions",
        if store { Critical } else { High },
        effect,
        format!("lets everybody on the machine read the secret {path}"),
        Some(format!("chmod 600 {}", super::files::quoted(path))),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_for_others() {
        for mode in ["644", "0644", "o+r", "a+r", "+r", "755", "a=rw"] {
            assert!(for_others(mode), "{mode}");
        }
        for mode in ["600", "0600", "640", "u+r", "g+r", "o-r", "700", "go-rwx"] {
            assert!(!for_others(mode), "{mode}");
        }
    }
}
