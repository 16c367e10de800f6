//! cmdai's own files and processes. A floor: no document switches it off.

use cmdai_schema::Risk::{Critical, High, Moderate, Safe};
use cmdai_schema::{Certainty, Effect, EffectKind};

use super::Judge;
use crate::glob::is_below;
use crate::reach::paths;

/// Places of a governed installation.
const SYSTEM: &[&str] = &[
    "/etc/cmdai",
    "/var/lib/cmdai",
    "/run/cmdai",
    "/var/log/cmdai",
    "/usr/bin/cmdai",
    "/usr/bin/cmdai-enterprise",
    "/usr/local/bin/cmdai",
    "/usr/local/bin/cmdai-enterprise",
    "/usr/lib/cmdai",
    "/usr/libexec/cmdai",
    "/opt/cmdai",
    "/etc/profile.d/cmdai.sh",
    "/etc/systemd/system/cmdai-sensor.service",
    "/usr/lib/systemd/system/cmdai-sensor.service",
    "/lib/systemd/system/cmdai-sensor.service",
];
/// Places of one person's installation, below the home.
const OWN: &[&str] = &[
    ".config/cmdai",
    ".local/share/cmdai",
    ".local/state/cmdai",
    ".cmdai",
    ".local/bin/cmdai",
    ".cargo/bin/cmdai",
];
const CHANGES: &[&str] = &[
    "delete",
    "overwrite",
    "write",
    "move",
    "change-mode",
    "change-owner",
    "mount",
];
const PROGRAMS: &[&str] = &["cmdai", "cmdai-enterprise", "cmdai-sensor", "cmdai-worker"];

fn names_us(word: &str) -> bool {
    let word = word
        .trim_end_matches(".service")
        .trim_end_matches(".socket");
    PROGRAMS.contains(&word) || word.starts_with("cmdai-") || word.starts_with("cmdai.")
}

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let kind = &effect.kind;
    match kind {
        EffectKind::ProcessKill { target, .. } if names_us(target) => {
            judge.hit(
                "self.protect",
                Critical,
                effect,
                format!("ends {target}, which watches this machine"),
                Some("cmdai status".to_owned()),
            );
        }
        EffectKind::ServiceControl { service, action }
            if names_us(service)
                && !matches!(
                    action.as_str(),
                    "start" | "restart" | "status" | "reload" | "enable"
                ) =>
        {
            judge.hit(
                "self.protect",
                Critical,
                effect,
                format!("stops {service}, which watches this machine"),
                Some("cmdai status".to_owned()),
            );
        }
        EffectKind::DisableSecurity { what } if what.contains("cmdai") => {
            judge.hit(
                "self.protect",
                Critical,
                effect,
                "switches cmdai off",
                Some("cmdai status".to_owned()),
            );
        }
        _ if CHANGES.contains(&kind.name()) => {
            let home = judge.places.home.unwrap_or("/home/*");
            for (path, recursive) in paths(kind) {
                // The whole machine is forbidden for its own sake.
                if matches!(path, "/" | "/*") {
                    continue;
                }
                let reaches = |root: &str| {
                    is_below(path, root)
                        || (recursive
                            && !matches!(path, "/" | "/*")
                            && is_below(root, path.trim_end_matches("/*")))
                        || (crate::glob::is_pattern(path)
                            && crate::glob::path(path, root, false, None))
                };
                if let Some(root) = SYSTEM.iter().find(|root| reaches(root)) {
                    // What deletes /etc or /usr is already forbidden for its own sake.
                    let reason = format!("changes {root}, which belongs to cmdai");
                    judge.hit(
                        "self.protect",
                        Critical,
                        effect,
                        reason,
                        Some("cmdai status".to_owned()),
                    );
                    return;
                }
                let own = OWN.iter().any(|part| {
                    is_below(path, &format!("{home}/{part}"))
                        || path.contains(&format!("/{part}/"))
                        || path.ends_with(&format!("/{part}"))
                });
                if own {
                    let risk = if judge.is_agent() {
                        Critical
                    } else if kind.name() == "delete" {
                        High
                    } else {
                        Moderate
                    };
                    own_file(judge, effect, path, risk);
                    return;
                }
            }
        }
        _ => {}
    }
}

/// One person's own settings: an agent may not touch them, the person may.
fn own_file(judge: &mut Judge<'_>, effect: &Effect, path: &str, risk: cmdai_schema::Risk) {
    judge.hit(
        "self.protect",
        risk,
        effect,
        format!("changes {path}, which belongs to cmdai"),
        None,
    );
}

/// Variables and commands that take the hooks out of a shell.
pub(super) fn judge_calls(judge: &mut Judge<'_>) {
    for call in &judge.request.analysis.invocations {
        let agent = judge.is_agent();
        let any = |wanted: &[&str]| call.args.iter().any(|arg| wanted.contains(&arg.text()));
        let reason = match call.program.as_str() {
            "unset"
                if any(&[
                    "PROMPT_COMMAND",
                    "PS0",
                    "precmd_functions",
                    "preexec_functions",
                ]) =>
            {
                "takes the hooks out of this shell"
            }
            "unset" | "unalias" | "unfunction" | "disable"
                if call.args.iter().any(|arg| arg.text().contains("cmdai")) =>
            {
                "takes the hooks out of this shell"
            }
            "enable"
                if any(&["-d", "-n"])
                    && call.args.iter().any(|arg| arg.text().contains("cmdai")) =>
            {
                "takes the hooks out of this shell"
            }
            // zsh: its module, a function that it calls, the trap while a line runs.
            "zmodload" | "add-zsh-hook"
                if call.args.iter().any(|arg| arg.text().contains("cmdai"))
                    && call.args.iter().any(|arg| {
                        arg.text().starts_with('-') && arg.text().contains(['u', 'd', 'D', 'F'])
                    }) =>
            {
                "takes the hooks out of this shell"
            }
            "unfunction" | "unset" | "disable" if any(&["TRAPDEBUG"]) => {
                "takes the hooks out of this shell"
            }
            // Another trap in the hook's place: a person's own affair, never an agent's.
            "trap" if any(&["DEBUG"]) && (any(&["-", ""]) || agent && call.args.len() > 1) => {
                "takes the hooks out of this shell"
            }
            "cmdai" if agent && any(&["disable", "uninstall", "off"]) => "switches cmdai off",
            "apt" | "apt-get" | "dnf" | "yum" | "dpkg" | "rpm" | "brew" | "cargo"
                if any(&["remove", "purge", "uninstall", "-r", "-e", "-P", "erase"])
                    && call.args.iter().any(|arg| names_us(arg.text())) =>
            {
                "removes cmdai"
            }
            _ => continue,
        };
        let risk = if agent { Critical } else { High };
        let risk = if risk == Safe { Moderate } else { risk };
        judge.hit_at(
            "self.protect",
            risk,
            call.span,
            Certainty::Proven,
            reason,
            Some("cmdai status".to_owned()),
        );
    }
}
