//! `cmdai policy …`: the person's own policy.

mod diff;
mod simulate;

use std::path::{Path, PathBuf};

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_gate::{Gate, Person, escape};
use cmdai_languages::Grammars;
use cmdai_policy::{PolicySet, SnapshotMeta};
use cmdai_schema::{Dialect, ENGINE_VERSION, Mode};

use crate::arguments::{Format, Policy, PolicyTask};
use crate::failure::Failure;
use crate::screen;

/// The document that `cmdai policy init` writes.
const FIRST: &str = include_str!("../first-policy.yaml");

/// One of the tasks.
pub(crate) fn policy(arguments: &Policy) -> Result<u8, Failure> {
    match &arguments.task {
        PolicyTask::Lint { file, format } => lint(file.as_deref(), *format),
        PolicyTask::Test { file, format } => test(file.as_deref(), *format),
        PolicyTask::Show { format, .. } => show(*format),
        PolicyTask::Schema => {
            anstream::println!("{:#}", cmdai_policy::json_schema());
            Ok(0)
        }
        PolicyTask::Compile { file, output } => compile(file, output),
        PolicyTask::Diff {
            old,
            new,
            format,
            fail_on_looser,
        } => diff::diff(old, new, *format, *fail_on_looser),
        PolicyTask::Simulate(arguments) => simulate::simulate(arguments),
        PolicyTask::Templates { name } => templates(name.as_deref()),
        PolicyTask::Init => init(),
    }
}

fn document(file: Option<&Path>) -> Result<(PathBuf, String), Failure> {
    let path = file.map_or_else(|| Person::current().policy_file(), Path::to_path_buf);
    match std::fs::read_to_string(&path) {
        Ok(source) => Ok((path, source)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let help = if file.is_none() {
                "write a first one with: cmdai policy init"
            } else {
                "check the path"
            };
            Err(Failure::failed(
                format!("{} is not there", path.display()),
                help,
            ))
        }
        Err(error) => Err(Failure::file("read", &path, &error)),
    }
}

fn parsed(file: Option<&Path>) -> Result<(String, PolicySet), Failure> {
    let (path, source) = document(file)?;
    let name = path.display().to_string();
    let set =
        cmdai_policy::parse(&source, &name).map_err(|errors| Failure::policy(&name, &errors))?;
    Ok((name, set))
}

fn lint(file: Option<&Path>, format: Format) -> Result<u8, Failure> {
    let (path, source) = document(file)?;
    let name = path.display().to_string();
    let (complaints, fatal) = match cmdai_policy::parse(&source, &name) {
        Ok(set) => (
            cmdai_policy::lint(&set, Some(&jiff::Timestamp::now().to_string())),
            false,
        ),
        Err(errors) => (errors.0, true),
    };
    for complaint in &complaints {
        match format {
            Format::Json => anstream::println!("{}", serde_json::json!(complaint)),
            Format::Human => anstream::println!("{complaint}"),
        }
    }
    if format == Format::Human {
        match (fatal, complaints.len()) {
            (false, 0) => anstream::println!("{name}: nothing to complain about"),
            (false, count) => {
                anstream::println!("{name}: {count} to look at; it can be used as it is")
            }
            (true, count) => anstream::println!("{name}: {count} to mend before it can be used"),
        }
    }
    Ok(u8::from(fatal))
}

fn test(file: Option<&Path>, format: Format) -> Result<u8, Failure> {
    let (name, set) = parsed(file)?;
    let results = cmdai_policy::run_tests(&set, &|text| {
        analyse(
            text,
            &Context {
                dialect: Dialect::Bash,
                cwd: "/home/user/project",
                home: "/home/user",
                user: "user",
                session: &NoSession,
                languages: &Grammars,
            },
        )
    });
    let failed = results.iter().filter(|result| !result.passed).count();
    for result in &results {
        match format {
            Format::Json => anstream::println!("{}", serde_json::json!(result)),
            Format::Human if result.passed => {
                anstream::println!("ok      {}", escape(&result.command))
            }
            Format::Human => {
                anstream::println!(
                    "FAILED  {}\n        line {}: {}",
                    escape(&result.command),
                    result.line,
                    escape(result.why.as_deref().unwrap_or("it went otherwise"))
                );
            }
        }
    }
    if format == Format::Human {
        let hint = if results.is_empty() {
            ": add them under `tests:`"
        } else {
            ""
        };
        anstream::println!("{name}: {} tests, {failed} failed{hint}", results.len());
    }
    Ok(u8::from(failed > 0))
}

fn show(format: Format) -> Result<u8, Failure> {
    let gate = Gate::open();
    let rules = cmdai_policy::effective(&gate.policies().layers());
    if format == Format::Json {
        anstream::println!("{}", serde_json::json!(rules));
        return Ok(0);
    }
    let reference = gate.policies().reference();
    anstream::println!(
        "policy {} {}",
        screen::bold(&reference.id),
        reference.version
    );
    for (layer, snapshot, file) in [
        (
            "organisation",
            gate.policies().organisation(),
            gate.installation()
                .governed()
                .map(|governed| governed.places.snapshot.clone()),
        ),
        (
            "user",
            gate.policies().user(),
            Some(gate.person().policy_file()),
        ),
    ] {
        if let (Some(snapshot), Some(file)) = (snapshot, file) {
            let name = match snapshot.settings().organization.as_str() {
                "" => String::new(),
                name => format!(" of {}", escape(name)),
            };
            anstream::println!("{:<14}{name} {}", screen::dim(layer), file.display());
        }
    }
    for problem in gate.problems() {
        anstream::println!("{} {}", screen::bold("degraded:"), escape(&problem));
    }
    for rule in &rules {
        let mode = match rule.mode {
            Mode::Enforce => String::new(),
            Mode::Warn => " (mode warn)".to_owned(),
            Mode::Monitor => " (mode monitor)".to_owned(),
            Mode::Off => " (mode off)".to_owned(),
        };
        anstream::println!(
            "{:<14} {:<34} {:<26} {}{mode}",
            screen::dim(rule.set_by),
            rule.id,
            screen::decision(rule.decision),
            escape(&rule.reason)
        );
        anstream::println!("{:<6} {} {}", "", screen::dim("from"), escape(&rule.from));
    }
    Ok(0)
}

fn compile(file: &Path, output: &Path) -> Result<u8, Failure> {
    let (name, set) = parsed(Some(file))?;
    let meta = SnapshotMeta {
        policy_id: name,
        version: ENGINE_VERSION.to_owned(),
        ..SnapshotMeta::default()
    };
    let bytes = cmdai_policy::compile(&set, &meta);
    std::fs::write(output, &bytes).map_err(|error| Failure::file("write", output, &error))?;
    anstream::println!("{}: {} bytes", output.display(), bytes.len());
    Ok(0)
}

/// Lists the templates, or prints one to start from.
fn templates(name: Option<&str>) -> Result<u8, Failure> {
    let Some(name) = name else {
        for template in cmdai_policy::templates() {
            anstream::println!(
                "{:<18} {}",
                screen::bold(template.name),
                template.description
            );
        }
        anstream::println!(
            "\nread one: cmdai policy templates NAME; use one: `include: [NAME]` in a document"
        );
        return Ok(0);
    };
    let found = cmdai_policy::templates()
        .iter()
        .find(|template| template.name == name)
        .ok_or_else(|| {
            Failure::usage(
                format!("there is no template `{name}`"),
                "see `cmdai policy templates`",
            )
        })?;
    anstream::print!("{}", found.source);
    Ok(0)
}

fn init() -> Result<u8, Failure> {
    let path = Person::current().policy_file();
    if path.exists() {
        return Err(Failure::failed(
            format!("{} is there already", path.display()),
            "edit it, or look at it with: cmdai policy lint",
        ));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
    }
    std::fs::write(&path, FIRST).map_err(|error| Failure::file("write", &path, &error))?;
    anstream::println!("wrote {}\nnext: cmdai policy test", path.display());
    Ok(0)
}
