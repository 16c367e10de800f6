//! Packages and services, by platform.

use super::{Draft, name};
use crate::words::Words;
use crate::{Os, Request};

#[derive(Debug, Clone, Copy)]
struct Manager {
    program: &'static str,
    install: &'static str,
    remove: &'static str,
    search: &'static str,
    update: &'static str,
    list: &'static str,
    info: &'static str,
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt",
        install: "sudo apt install",
        remove: "sudo apt remove",
        search: "apt search",
        update: "sudo apt update && sudo apt upgrade",
        list: "apt list --installed",
        info: "apt show",
    },
    Manager {
        program: "dnf",
        install: "sudo dnf install",
        remove: "sudo dnf remove",
        search: "dnf search",
        update: "sudo dnf upgrade",
        list: "dnf list --installed",
        info: "dnf info",
    },
    Manager {
        program: "pacman",
        install: "sudo pacman -S",
        remove: "sudo pacman -R",
        search: "pacman -Ss",
        update: "sudo pacman -Syu",
        list: "pacman -Q",
        info: "pacman -Si",
    },
    Manager {
        program: "apk",
        install: "sudo apk add",
        remove: "sudo apk del",
        search: "apk search",
        update: "sudo apk upgrade --update-cache",
        list: "apk list --installed",
        info: "apk info",
    },
    Manager {
        program: "zypper",
        install: "sudo zypper install",
        remove: "sudo zypper remove",
        search: "zypper search",
        update: "sudo zypper update",
        list: "zypper search --installed-only",
        info: "zypper info",
    },
    Manager {
        program: "brew",
        install: "brew install",
        remove: "brew uninstall",
        search: "brew search",
        update: "brew update && brew upgrade",
        list: "brew list",
        info: "brew info",
    },
    Manager {
        program: "pkg",
        install: "sudo pkg install",
        remove: "sudo pkg delete",
        search: "pkg search",
        update: "sudo pkg upgrade",
        list: "pkg info",
        info: "pkg info",
    },
    Manager {
        program: "pip",
        install: "pip install",
        remove: "pip uninstall",
        search: "",
        update: "",
        list: "pip list",
        info: "pip show",
    },
    Manager {
        program: "npm",
        install: "npm install",
        remove: "npm uninstall",
        search: "npm search",
        update: "npm update",
        list: "npm ls --depth=0",
        info: "npm view",
    },
    Manager {
        program: "cargo",
        install: "cargo install",
        remove: "cargo uninstall",
        search: "cargo search",
        update: "cargo update",
        list: "cargo install --list",
        info: "cargo info",
    },
];

fn by_program(program: &str) -> Option<(Manager, u16)> {
    let program = match program {
        "apt-get" => "apt",
        "homebrew" => "brew",
        "pip3" => "pip",
        other => other,
    };
    MANAGERS
        .iter()
        .find(|manager| manager.program == program)
        .map(|manager| (*manager, 950))
}

/// The manager that is named, else the one this machine has, else the usual one.
fn manager(words: &mut Words, request: &Request) -> Option<(Manager, u16)> {
    let named = words.slot(&["with|using|via|through|from {name}"]);
    if let Some(program) = named {
        return by_program(&program.to_lowercase());
    }
    for program in ["pip", "npm", "cargo", "apt", "brew", "dnf", "pacman"] {
        if words.eat(program) {
            return by_program(program);
        }
    }
    let system = MANAGERS.iter().take(7);
    if request.os == Os::Macos {
        return by_program("brew").map(|(manager, _)| (manager, 900));
    }
    if request.os == Os::Bsd {
        return by_program("pkg").map(|(manager, _)| (manager, 900));
    }
    if request.tools.is_empty() {
        return by_program("apt").map(|(manager, _)| (manager, 700));
    }
    system
        .into_iter()
        .find(|manager| request.tools.iter().any(|tool| tool == manager.program))
        .map(|manager| (*manager, 930))
}

pub(super) fn find(words: &mut Words, request: &Request) -> Option<Draft> {
    if words.eat_any(&[
        "update|upgrade all? my? packages|software|system|everything",
        "update|upgrade all installed? packages|software",
    ]) {
        let (manager, sure) = manager(words, request)?;
        words.eat_any(&["on this? system|machine", "installed"]);
        return (!manager.update.is_empty()).then(|| {
            Draft::new(manager.update, "Brings the installed packages up to date").sure(sure)
        });
    }
    if words.eat_any(&[
        "installed packages|software|programs",
        "packages that? are? installed",
        "npm|pip|cargo|brew|apt packages",
    ]) {
        words.eat("list|show|display|see|get|which|what|find");
        let (manager, sure) = if words.mentions("npm") {
            by_program("npm")?
        } else if words.mentions("pip") {
            by_program("pip")?
        } else if words.mentions("cargo") {
            by_program("cargo")?
        } else {
            manager(words, request)?
        };
        words.eat("installed");
        return Some(Draft::new(manager.list, "Lists the installed packages").sure(sure));
    }
    if let Some(package) = name(
        words,
        &[
            "search|look for package|packages {name}",
            "search|look for package|packages? named|called|for {name} package|packages",
            "search|look package|packages for? {name}",
            "find package|packages named|called|for? {name}",
        ],
    ) {
        let (manager, sure) = manager(words, request)?;
        return (!manager.search.is_empty()).then(|| {
            Draft::new(
                format!("{} {package}", manager.search),
                format!("Searches packages for {package}"),
            )
            .sure(sure)
        });
    }
    if let Some(package) = name(
        words,
        &["info|information|details|version about|of|on|for package {name}"],
    ) {
        words.eat("show|get|display");
        let (manager, sure) = manager(words, request)?;
        return Some(
            Draft::new(
                format!("{} {package}", manager.info),
                format!("Describes the package {package}"),
            )
            .sure(sure),
        );
    }
    if let Some(package) = name(
        words,
        &["uninstall package|program? {name}", "remove package {name}"],
    ) {
        words.eat("package");
        let (manager, sure) = manager(words, request)?;
        return Some(
            Draft::new(
                format!("{} {package}", manager.remove),
                format!("Removes the package {package}"),
            )
            .sure(sure),
        );
    }
    let package = name(
        words,
        &["install package|program|latest|python|node? package|module? {name}"],
    )?;
    words.eat("package|library|module");
    let (manager, sure) = manager(words, request)?;
    let global = if manager.program == "npm" && words.eat("globally|global") {
        " -g"
    } else {
        ""
    };
    Some(
        Draft::new(
            format!("{}{global} {package}", manager.install),
            format!("Installs {package} with {}", manager.program),
        )
        .sure(sure),
    )
}

/// Services of the machine.
pub(super) fn services(words: &mut Words, request: &Request) -> Option<Draft> {
    if words.mentions("docker") && words.mentions("container|containers")
        || words.mentions("pod|pods|deployment|kubernetes|kubectl")
    {
        return None;
    }
    let mac = request.os == Os::Macos;
    if words.eat_any(&["failed services|units"]) {
        words.eat("list|show|display|see|get|which|what");
        return (!mac).then(|| Draft::new("systemctl --failed", "Lists the services that failed"));
    }
    if words.eat_any(&["running|active services"]) {
        words.eat("list|show|display|see|get|which|what");
        return Some(Draft::new(
            if mac {
                "launchctl list"
            } else {
                "systemctl list-units --type=service --state=running"
            },
            "Lists the running services",
        ));
    }
    if let Some(service) = name(
        words,
        &[
            "logs|log|journal of|for|from service|unit {name}",
            "logs|log|journal of|for|from {name} service|unit",
        ],
    ) {
        let mut flags = String::new();
        if let Some(lines) = words.slot(&["last {num} lines of?"]) {
            flags.push_str(&format!(" -n {lines}"));
        }
        if words.eat("follow|following|live|tail|watch") {
            flags.push_str(" -f");
        } else if words.eat("from|since? today") {
            flags.push_str(" --since today");
        }
        words.eat("show|see|get|view|display|check|print");
        return (!mac).then(|| {
            Draft::new(
                format!("journalctl -u {service}{flags}"),
                format!("Prints what {service} logged"),
            )
        });
    }
    for (verbs, action, said) in [
        ("restart", "restart", "Restarts"),
        ("stop", "stop", "Stops"),
        ("start", "start", "Starts"),
        ("reload", "reload", "Makes reload its configuration:"),
        ("enable", "enable", "Starts at boot:"),
        ("disable", "disable", "No longer starts at boot:"),
    ] {
        let patterns = [
            format!("{verbs} service|daemon {{name}}"),
            format!("{verbs} {{name}} service|daemon|server"),
            format!("{verbs} {{name}} at|on boot|startup"),
        ];
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        if let Some(service) = name(words, &patterns) {
            words.eat("at|on boot|startup");
            if mac {
                return matches!(action, "restart" | "stop" | "start").then(|| {
                    Draft::new(
                        format!("brew services {action} {service}"),
                        format!("{said} {service}"),
                    )
                    .sure(800)
                });
            }
            return Some(Draft::new(
                format!("sudo systemctl {action} {service}"),
                format!("{said} {service}"),
            ));
        }
    }
    let service = name(
        words,
        &[
            "status|state of|for service|daemon {name}",
            "status|state of|for {name} service|daemon",
            "is service {name} running|active|up",
            "is {name} service running|active|up",
            "{name} service status",
        ],
    )?;
    words.eat("show|see|get|check|display|what");
    Some(Draft::new(
        if mac {
            format!("brew services info {service}")
        } else {
            format!("systemctl status {service}")
        },
        format!("Shows whether {service} runs"),
    ))
}
