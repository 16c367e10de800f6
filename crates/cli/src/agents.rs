//! Hooks for shells and AI agents: `init`, `hook`, `integrate`.

use cmdai_hooks::Paths;
use cmdai_hooks::agents::{self, Agent};
use cmdai_hooks::integrate::IntegrateError;
use cmdai_hooks::integrate::claude_code::{self, Scope};
use cmdai_hooks::shell::ShellCommand;

use crate::arguments::{Hook, Init, Integrate};
use crate::failure::Failure;
use crate::scene::line;

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
        "zsh" | "fish" | "powershell" | "pwsh" => {
            return Err(Failure::failed(
                format!("hooks for {} are not there yet", arguments.shell),
                "use `cmdai check` or `cmdai run` there, or work in bash",
            ));
        }
        other => {
            return Err(Failure::usage(
                format!("`{other}` is not a shell cmdai knows"),
                "shells with hooks: bash",
            ));
        }
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

/// Puts the hook into an agent's settings, or takes it out.
pub(crate) fn integrate(arguments: &Integrate) -> Result<u8, Failure> {
    match Agent::from_name(&arguments.agent) {
        Some(Agent::ClaudeCode) => {}
        Some(agent) => {
            return Err(Failure::failed(
                format!("the settings of {} cannot be edited yet", agent.as_str()),
                format!("add `cmdai hook {}` to its hooks by hand", agent.as_str()),
            ));
        }
        None => {
            return Err(Failure::usage(
                format!("`{}` is not an agent cmdai knows", arguments.agent),
                "agents: claude-code",
            ));
        }
    }
    let scope = match &arguments.managed {
        Some(folder) => Scope::Managed(folder.clone()),
        None => Scope::Person(cmdai_gate::Person::current().home),
    };
    let edit = if arguments.remove {
        claude_code::remove(&scope)
    } else {
        claude_code::install(&scope, &installed()?)
    };
    let refused = |error: IntegrateError| Failure::failed(error.to_string(), "nothing was changed");
    let edit = edit.map_err(refused)?;
    if edit.is_empty() {
        anstream::println!("{}: nothing to change", edit.file.display());
        return Ok(0);
    }
    anstream::print!("{}", edit.diff());
    if arguments.dry_run {
        anstream::println!("(dry run: nothing was changed)");
        return Ok(0);
    }
    edit.back_up()
        .and_then(|()| edit.apply())
        .map_err(refused)?;
    anstream::println!("wrote {}", edit.file.display());
    Ok(0)
}
