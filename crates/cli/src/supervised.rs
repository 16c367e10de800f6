//! `cmdai run -- PROGRAM…`: the program with its whole process tree.

use cmdai_gate::{Failing, origin};
use cmdai_languages::Grammars;
use cmdai_schema::{Judgement, OriginKind};
use cmdai_supervise::{Accepted, Caller, Ended, Failed, GateWarden, Launch, Mark};

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
    let launched = {
        let (home, user) = (scene.home.clone(), scene.user.clone());
        let person = scene.terminal
            && scene.who.agent.is_none()
            && scene.who.origin.kind == OriginKind::Human;
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
            files: Vec::new(),
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

/// Runs it as a child.
fn plainly(program: &[String]) -> Result<Ended, Failure> {
    let code = crate::run::start(program)?;
    Ok(Ended::Exited(code))
}
