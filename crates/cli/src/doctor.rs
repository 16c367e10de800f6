//! `cmdai doctor`: looks for what is wrong, and says what to do about each.

use cmdai_gate::Gate;
use serde::Serialize;

use crate::arguments::{Doctor, Format};
use crate::failure::Failure;
use crate::screen;

/// One look at one thing.
#[derive(Serialize)]
struct Finding {
    /// What was looked at.
    what: &'static str,
    /// It is as it should be.
    fine: bool,
    /// What was seen, or what to do.
    note: String,
}

/// Looks at everything; exit status 1 where something is wrong.
pub(crate) fn doctor(arguments: &Doctor) -> Result<u8, Failure> {
    let findings = vec![
        native_module(),
        bash(),
        zsh(),
        policy(),
        state(),
        governor(),
        backend(),
    ];
    let sick = findings.iter().any(|finding| !finding.fine);
    for finding in &findings {
        match arguments.format {
            Format::Json => anstream::println!("{}", serde_json::json!(finding)),
            Format::Human => {
                let mark = if finding.fine { "ok  " } else { "look" };
                anstream::println!(
                    "{mark}  {}  {}",
                    screen::dim(&format!("{:<14}", finding.what)),
                    finding.note
                );
            }
        }
    }
    Ok(u8::from(sick))
}

fn native_module() -> Finding {
    let found = crate::agents::installed()
        .ok()
        .and_then(|paths| paths.bash_module);
    let note = match &found {
        Some(path) => path.display().to_string(),
        None => "libcmdai_bash.so is not beside the program; bash falls back to a slower hook. Install it with the program".to_owned(),
    };
    Finding {
        what: "native module",
        fine: found.is_some(),
        note,
    }
}

fn bash() -> Finding {
    let output = std::process::Command::new("bash")
        .args(["--norc", "--noprofile", "-c", "echo $BASH_VERSION"])
        .output();
    match output {
        Ok(output) => {
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let numbers: Vec<u32> = version
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|part| part.parse().ok())
                .collect();
            let fine = numbers.iter().take(2).copied().ge([4, 4]);
            let note = if fine {
                version
            } else {
                format!("{version} is too old for the native hook: 4.4 or newer is needed")
            };
            Finding {
                what: "bash",
                fine,
                note,
            }
        }
        Err(error) => Finding {
            what: "bash",
            fine: false,
            note: format!("cannot be started: {error}"),
        },
    }
}

/// Only where there is a zsh: nobody has to have one.
fn zsh() -> Finding {
    let output = std::process::Command::new("zsh")
        .args(["-f", "-c", "echo $ZSH_VERSION"])
        .output();
    let module = crate::agents::installed()
        .ok()
        .and_then(|paths| paths.zsh_module);
    let (fine, note) = match (output, module) {
        (Err(error), _) if error.kind() == std::io::ErrorKind::NotFound => {
            (true, "not installed".to_owned())
        }
        (Err(error), _) => (false, format!("cannot be started: {error}")),
        (Ok(_), None) => (
            false,
            "libcmdai_zsh.so is not beside the program; zsh falls back to a slower hook. Install it with the program".to_owned(),
        ),
        (Ok(output), Some(module)) => {
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let why = cmdai_hooks::zsh::check_script(&module);
            let said = std::process::Command::new("zsh")
                .args(["-f", "-c", &why])
                .output()
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            match said {
                Ok(why) if why.is_empty() => (true, version),
                Ok(why) => (false, format!("{version}: {why}; each line is judged by a process of its own, which is slow")),
                Err(error) => (false, format!("cannot be started: {error}")),
            }
        }
    };
    Finding {
        what: "zsh",
        fine,
        note,
    }
}

fn policy() -> Finding {
    let gate = Gate::open();
    let problems = gate.problems();
    let fine = problems.is_empty();
    let reference = gate.policies().reference();
    let note = if fine {
        format!("{} {}", reference.id, reference.version)
    } else {
        problems.join("; ")
    };
    Finding {
        what: "policy",
        fine,
        note,
    }
}

fn state() -> Finding {
    let person = cmdai_gate::Person::current();
    let made = std::fs::create_dir_all(&person.state).and_then(|()| {
        let probe = person.state.join(".doctor");
        std::fs::write(&probe, b"probe")?;
        std::fs::remove_file(&probe)
    });
    match made {
        Ok(()) => Finding {
            what: "records",
            fine: true,
            note: person.state.display().to_string(),
        },
        Err(error) => Finding {
            what: "records",
            fine: false,
            note: format!(
                "{} cannot be written: {error}; nothing is recorded until it can",
                person.state.display()
            ),
        },
    }
}

fn governor() -> Finding {
    let gate = Gate::open();
    if !gate.installation().is_governed() {
        return Finding {
            what: "governor",
            fine: true,
            note: "this machine is not governed".to_owned(),
        };
    }
    match gate
        .governor(std::time::Duration::from_secs(2))
        .and_then(|mut governor| governor.status())
    {
        Ok(status) => Finding {
            what: "governor",
            fine: true,
            note: format!("{} answers for {}", status.machine_id, status.organisation),
        },
        Err(error) => Finding {
            what: "governor",
            fine: false,
            note: format!(
                "does not answer ({error}): start the sensor; rules still hold, approvals are not available"
            ),
        },
    }
}

fn backend() -> Finding {
    let (fine, note) = crate::ask::backend_health();
    Finding {
        what: "generation",
        fine,
        note,
    }
}
