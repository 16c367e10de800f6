//! `cmdai run -- PROGRAM…`: the program with its whole process tree.

use std::path::{Path, PathBuf};

use cmdai_gate::{Failing, origin};
use cmdai_hooks::Paths;
use cmdai_languages::Grammars;
use cmdai_schema::{Judgement, OriginKind};
use cmdai_supervise::{
    Accepted, Caller, Ended, Failed, FileRules, GateWarden, Launch, Mark, Ruleset,
};

use crate::failure::Failure;
use crate::scene::Scene;

/// In the environment of a tree: a second supervisor inside is neither possible nor needed.
const INSIDE: &str = "CMDAI_TREE";

/// How a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// With its tree under supervision.
    Tree,
    /// By itself.
    Plain,
}

impl Way {
    /// A tree where one can be supervised. Where none can, a person goes on without one and is told;
    /// an agent, and everybody where policy says fail closed, does not.
    pub(crate) fn find(scene: &Scene, program: &[String]) -> Result<Self, Failure> {
        match cmdai_supervise::obstacle() {
            None => Ok(Self::Tree),
            Some(why) => without(scene, program, &why).map(|()| Self::Plain),
        }
    }
}

/// Whether it may run without supervision.
fn without(scene: &Scene, program: &[String], why: &str) -> Result<(), Failure> {
    let name = program.first().map_or("", String::as_str);
    let agent = scene.who.agent.is_some()
        || scene.who.origin.kind == OriginKind::Agent
        || origin::recognise(name, program.get(1).map(String::as_str)).is_some();
    if agent || scene.gate.policies().failing() == Failing::Closed {
        return Err(Failure::failed(
            format!("`{name}` is not run, because what it starts cannot be supervised: {why}"),
            "with --unsupervised only the program itself is judged and recorded",
        ));
    }
    anstream::eprintln!(
        "cmdai: only the program itself is judged and recorded, not what it starts: {why}"
    );
    Ok(())
}

/// Runs the tree and waits until its program has ended.
pub(crate) fn execute(
    scene: &mut Scene,
    program: &[String],
    judgement: &Judgement,
) -> Result<Ended, Failure> {
    let mark = Mark {
        who: scene.who.clone(),
        accepted: Accepted::all(judgement),
    };
    let name = program.first().map_or("", String::as_str);
    let mut environment: Vec<_> = std::env::vars_os().collect();
    let inside = environment.iter().any(|(known, _)| known == INSIDE);
    environment.retain(|(known, _)| known != INSIDE);
    environment.push((INSIDE.into(), std::process::id().to_string().into()));
    let files = file_rules(scene, program)?;
    let person =
        scene.terminal && scene.who.agent.is_none() && scene.who.origin.kind == OriginKind::Human;
    // The hook in a bash script cannot ask, and knows nothing of what a person has said yes to in
    // the tree: it is put in where nobody is asked.
    if !person
        && mark.accepted.is_empty()
        && !environment.iter().any(|(known, _)| known == "BASH_ENV")
        && let Some(file) = script_hook(scene)
    {
        environment.push(("BASH_ENV".into(), file.into()));
    }
    let launched = {
        let (home, user) = (scene.home.clone(), scene.user.clone());
        let gate = &mut scene.gate;
        let for_warden = mark.clone();
        let caller = Caller {
            home: &home,
            user: &user,
            person,
            languages: &Grammars,
            program: name,
        };
        let launch = Launch {
            program,
            environment,
            files,
            mark,
        };
        cmdai_supervise::launch(launch, || {
            Box::new(GateWarden::open(gate, caller, &for_warden))
        })
    };
    match launched {
        Ok(ended) => {
            if let Ended::Unsupervised(_) = ended {
                anstream::eprintln!(
                    "cmdai: the supervisor of this tree was killed; nothing more could be started in it"
                );
            }
            Ok(ended)
        }
        Err(Failed::Program(number)) => {
            let error = std::io::Error::from_raw_os_error(number);
            Err(Failure::failed(
                format!("`{name}` cannot be started: {error}"),
                "is it installed and on the PATH?",
            ))
        }
        Err(error) if error.is_supervised_already() && inside => plainly(program),
        Err(error) if error.is_supervised_already() => {
            without(
                scene,
                program,
                "another program supervises this one already",
            )?;
            plainly(program)
        }
        Err(error) => {
            without(scene, program, &error.to_string())?;
            plainly(program)
        }
    }
}

/// The hook for bash scripts as a file: they do much without starting a program. Nothing where the
/// native module is not installed, because without it each command costs a process.
fn script_hook(scene: &Scene) -> Option<PathBuf> {
    let paths = Paths::current().ok()?;
    paths.bash_module.as_ref()?;
    let text = cmdai_hooks::bash::env_script(&paths);
    let folder = scene.gate.person().state.join("hooks");
    let file = folder.join("bash-env.sh");
    if std::fs::read_to_string(&file).is_ok_and(|there| there == text) {
        return Some(file);
    }
    std::fs::create_dir_all(&folder).ok()?;
    // Several trees may begin at once: each sees a whole file.
    let fresh = folder.join(format!("bash-env.{}", std::process::id()));
    std::fs::write(&fresh, text).ok()?;
    std::fs::rename(&fresh, &file).ok()?;
    Some(file)
}

/// The file rules that policy has for this tree, ready to be taken on.
fn file_rules(scene: &mut Scene, program: &[String]) -> Result<Vec<Ruleset>, Failure> {
    let name = program.first().map_or("", String::as_str);
    let path = std::env::var("PATH").unwrap_or_default();
    let file = cmdai_gate::find_program(name, &path).unwrap_or_else(|| name.into());
    let file = file.canonicalize().unwrap_or(file);
    let file = file.to_string_lossy();
    let agent = origin::recognise(&file, program.get(1).map(String::as_str));
    let who = origin::supervised(&scene.who, agent.map(|agent| (agent, &*file)), &|_| None);
    let (cwd, home) = (scene.cwd.clone(), scene.home.clone());
    let rules = scene.gate.file_rules(&who, &cwd, &home);
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let person = scene.gate.person();
    let mut own = vec![person.state.clone()];
    let governed = scene.gate.installation().governed();
    own.extend(governed.map(|governed| governed.places.user_spool(person.uid)));
    // What is not there yet could not be permitted.
    let _ = std::fs::create_dir_all(&person.state);
    let mut ready = Vec::new();
    for rule in &rules {
        let rules = FileRules {
            write: &rule.write,
            read_only: &rule.read_only,
            cwd: Path::new(&cwd),
            home: Path::new(&home),
            own: &own,
        };
        match rules.ready() {
            Ok(rules) => ready.push(rules),
            Err(why)
                if who.agent.is_some() || scene.gate.policies().failing() == Failing::Closed =>
            {
                return Err(Failure::failed(
                    format!("`{name}` is not run, because policy has file rules for it: {why}"),
                    "run it on Linux 5.13 or newer with Landlock, or ask whoever wrote the policy",
                ));
            }
            Err(why) => {
                anstream::eprintln!(
                    "cmdai: the policy's file rules do not hold in this tree: {why}"
                );
            }
        }
    }
    Ok(ready)
}

/// Runs it as a child.
fn plainly(program: &[String]) -> Result<Ended, Failure> {
    let code = crate::run::start(program)?;
    Ok(Ended::Exited(code))
}
