//! Hooks for shells and AI agents: `init`, `hook`, `integrate`.

use std::path::PathBuf;

use cmdai_hooks::Paths;
use cmdai_hooks::agents::{self, Agent, Basis};
use cmdai_hooks::integrate::{self, Edit, IntegrateError, Scope, Status};
use cmdai_hooks::serve;
use cmdai_hooks::shell::ShellCommand;
use serde_json::json;

use crate::arguments::{Format, Hook, Init, Integrate, ServeShell};
use crate::failure::Failure;
use crate::scene::line;
use crate::screen;

/// This program and the native modules beside it.
pub(crate) fn installed() -> Result<Paths, Failure> {
    Paths::current().map_err(|error| {
        Failure::failed(
            format!("this program's own path cannot be read: {error}"),
            "call it by its full path",
        )
    })
}

/// Prints a shell's hooks.
pub(crate) fn init(arguments: &Init) -> Result<u8, Failure> {
    let paths = installed()?;
    match arguments.shell.as_str() {
        "bash" if arguments.scripts => {
            anstream::print!("{}", cmdai_hooks::bash::env_script(&paths))
        }
        "bash" => anstream::print!("{}", cmdai_hooks::bash::init_script(&paths)),
        "zsh" if arguments.scripts => {
            anstream::print!("{}", cmdai_hooks::zsh::env_script(&paths))
        }
        "zsh" => anstream::print!("{}", cmdai_hooks::zsh::init_script(&paths)),
        "fish" | "powershell" | "pwsh" if arguments.scripts => {
            return Err(Failure::usage(
                format!("{} has no hook for scripts", arguments.shell),
                "run scripts through `cmdai run`",
            ));
        }
        "fish" => anstream::print!("{}", cmdai_hooks::fish::init_script(&paths)),
        "powershell" | "pwsh" => {
            anstream::print!("{}", cmdai_hooks::powershell::init_script(&paths));
        }
        other => {
            return Err(Failure::usage(
                format!("`{other}` is not a shell cmdai knows"),
                "shells with hooks: bash, zsh, fish, powershell",
            ));
        }
    }
    Ok(0)
}

/// Stands beside a shell that cannot load the native module, and judges its lines.
pub(crate) fn serve_shell(arguments: &ServeShell) -> Result<u8, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(
            format!("nothing stands beside the shell: {error}"),
            "open a new shell; `cmdai doctor` looks for what is wrong",
        )
    };
    if arguments.beside {
        serve::beside().map_err(failed)?;
        return Ok(0);
    }
    let start = serve::Start {
        dialect: arguments.dialect.as_str().to_owned(),
        version: arguments.shell_version.clone(),
        shell: arguments.shell,
        failed: arguments.failed,
    };
    if arguments.stdio {
        serve::stdio(start);
    } else {
        anstream::print!("{}", serve::start(start).map_err(failed)?);
    }
    Ok(0)
}

/// Answers an agent's hook, or a shell that cannot load the native module. Anything that goes
/// wrong is a denial.
pub(crate) fn hook(arguments: &Hook) -> Result<u8, Failure> {
    if arguments.agent == "shell" {
        let text = line(&arguments.command);
        let command = ShellCommand {
            text: &text,
            dialect: arguments.dialect,
            interactive: arguments.interactive,
        };
        return Ok(cmdai_hooks::shell::judge(&command));
    }
    let Some(agent) = Agent::from_name(&arguments.agent) else {
        anstream::eprintln!(
            "cmdai: `{}` is not an agent cmdai has a hook for; agents: {}",
            arguments.agent,
            names()
        );
        return Ok(cmdai_schema::exit_code::HOOK_DENY);
    };
    Ok(agents::serve(agent, arguments.event.as_deref()))
}

fn names() -> String {
    Agent::ALL.map(Agent::as_str).join(", ")
}

/// Puts the hook into an agent's settings, or takes it out, or says how things stand.
pub(crate) fn integrate(arguments: &Integrate) -> Result<u8, Failure> {
    match arguments.agent.as_str() {
        "status" => return status(arguments.format),
        "list" => return list(arguments.format),
        _ => {}
    }
    let Some(agent) = Agent::from_name(&arguments.agent) else {
        return Err(Failure::usage(
            format!("`{}` is not an agent cmdai knows", arguments.agent),
            format!("agents: {}; or `status`, or `list`", names()),
        ));
    };
    let paths = installed()?;
    let refused = |error: IntegrateError| Failure::failed(error.to_string(), "nothing was changed");
    let scope = match (&arguments.root, arguments.managed) {
        (Some(root), _) => Scope::Managed(root.clone()),
        (None, true) => return print_managed(agent, &paths),
        (None, false) => Scope::Person(cmdai_gate::Person::current().home),
    };
    let edits = if arguments.remove {
        integrate::remove(agent, &scope, &paths)
    } else {
        integrate::install(agent, &scope, &paths)
    }
    .map_err(refused)?;
    if edits.is_empty() {
        return Err(nowhere(agent));
    }
    for edit in &edits {
        if edit.is_empty() {
            anstream::println!("{}: nothing to change", edit.file.display());
        } else {
            anstream::print!("{}", edit.diff());
        }
    }
    let changes: Vec<&Edit> = edits.iter().filter(|edit| !edit.is_empty()).collect();
    if changes.is_empty() {
        return Ok(0);
    }
    if arguments.dry_run {
        anstream::println!("(dry run: nothing was changed)");
        return Ok(0);
    }
    for edit in changes {
        edit.apply().map_err(refused)?;
        let verb = match edit.after {
            Some(_) if edit.restores => "restored",
            Some(_) => "wrote",
            None => "removed",
        };
        anstream::println!("{verb} {}", edit.file.display());
    }
    if !arguments.remove {
        for note in integrate::notes(agent) {
            anstream::println!("{} {note}", screen::dim("note:"));
        }
    }
    Ok(0)
}

fn nowhere(agent: Agent) -> Failure {
    Failure::failed(
        format!(
            "{} has no place for hooks that a person cannot change",
            agent.harness().title
        ),
        format!("deploy `cmdai integrate {}` per person", agent.as_str()),
    )
}

/// The files for a device management system: path, then content.
fn print_managed(agent: Agent, paths: &Paths) -> Result<u8, Failure> {
    let files = integrate::managed_files(agent, paths)
        .map_err(|error| Failure::failed(error.to_string(), "please report this"))?;
    if files.is_empty() {
        return Err(nowhere(agent));
    }
    for (file, text) in files {
        anstream::println!("==> {} <==", file.display());
        anstream::print!("{text}");
    }
    anstream::eprintln!(
        "owner root, mode 0644. On macOS and Windows the paths differ: see the agent's documents"
    );
    Ok(0)
}

/// One agent and how things stand with it.
struct State {
    agent: Agent,
    found: bool,
    state: Result<Status, IntegrateError>,
    managed: Option<Status>,
    files: Vec<PathBuf>,
}

fn states() -> Result<Vec<State>, Failure> {
    let paths = installed()?;
    let home = cmdai_gate::Person::current().home;
    let machine = Scope::Managed("/".into());
    Ok(Agent::ALL
        .into_iter()
        .map(|agent| {
            let scope = Scope::Person(home.clone());
            let on_path = agent.harness().programs.iter().any(|program| {
                std::env::var_os("PATH").is_some_and(|path| {
                    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
                })
            });
            let files = integrate::install(agent, &scope, &paths)
                .map(|edits| edits.into_iter().map(|edit| edit.file).collect())
                .unwrap_or_default();
            State {
                agent,
                found: on_path
                    || integrate::traces(agent)
                        .iter()
                        .any(|trace| home.join(trace).exists()),
                state: integrate::status(agent, &scope, &paths),
                managed: integrate::status(agent, &machine, &paths)
                    .ok()
                    .filter(|status| *status != Status::Missing),
                files,
            }
        })
        .collect())
}

/// How things stand with each agent; exit status 1 where one that is used has no hook, or an old one.
fn status(format: Format) -> Result<u8, Failure> {
    let mut open = false;
    for State {
        agent,
        found,
        state,
        managed,
        files,
    } in states()?
    {
        let word = match (&state, managed) {
            (_, Some(Status::Installed)) => "managed".to_owned(),
            (_, Some(_)) => "managed, outdated".to_owned(),
            (Ok(status), None) => status.as_str().to_owned(),
            (Err(error), None) => error.to_string(),
        };
        let fine = matches!(managed, Some(Status::Installed))
            || matches!(state, Ok(Status::Installed))
            || !found;
        open |= !fine;
        match format {
            Format::Json => anstream::println!(
                "{}",
                json!({"agent": agent.as_str(), "found": found, "state": word, "fine": fine, "files": files, "notes": integrate::notes(agent)})
            ),
            Format::Human => {
                let cure = match (found, fine) {
                    (false, _) => "not used here".to_owned(),
                    (true, true) => String::new(),
                    (true, false) => format!("cmdai integrate {}", agent.as_str()),
                };
                anstream::println!("{:<12} {word:<10} {}", agent.as_str(), screen::dim(&cure));
            }
        }
    }
    Ok(u8::from(open))
}

/// The agents that there are hooks for.
fn list(format: Format) -> Result<u8, Failure> {
    for State { agent, files, .. } in states()? {
        let harness = agent.harness();
        let basis = match harness.basis {
            Basis::Measured => "run against",
            Basis::Documented => "from the documents of",
        };
        match format {
            Format::Json => anstream::println!(
                "{}",
                json!({"agent": harness.name, "title": harness.title, "tested": harness.tested,
                       "measured": harness.basis == Basis::Measured, "files": files})
            ),
            Format::Human => anstream::println!(
                "{:<12} {}",
                harness.name,
                screen::dim(&format!(
                    "{basis} {} {}; {}",
                    harness.title,
                    harness.tested,
                    files
                        .iter()
                        .map(|file| file.display().to_string())
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
            ),
        }
    }
    Ok(0)
}
