//! `cmdai "WORDS"`: words to a command that was parsed, judged and explained, run after a yes.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_gate::escape;
use cmdai_generate::{
    Answer, Attempt, Chain, Checks, Config, Forbidden, Generator, OpenAi, Os, Parsed, Permit,
    Request, Suggestion, Verdict, pipeline,
};
use cmdai_languages::Grammars;
use cmdai_schema::{CommandSource, Decision, Dialect, Judgement};

use crate::arguments::{Ask, Format};
use crate::failure::Failure;
use crate::run::{Order, answer, carry_out};
use crate::scene::Scene;
use crate::{explain, inference, screen};

/// Most names of the working directory that a model gets to see.
const LISTING: usize = 60;

/// Asks the chain, shows the best command, and runs it after the person said yes.
pub(crate) fn ask(arguments: &Ask) -> Result<u8, Failure> {
    let words = arguments.words.join(" ");
    if words.trim().is_empty() {
        return Err(Failure::usage(
            "there are no words",
            "say what you want to do: cmdai \"files larger than 10 MB\"",
        ));
    }
    let mut scene = Scene::here()?;
    let shell = arguments.shell.unwrap_or_else(login_shell);
    let found = suggest(&mut scene, &words, shell, arguments)?;

    if arguments.format == Format::Json {
        anstream::println!("{:#}", serde_json::json!(found));
        return Ok(u8::from(!matches!(found, Answer::Suggestions { .. })));
    }
    let suggestions = match found {
        Answer::Suggestions {
            suggestions,
            attempts,
            dropped,
        } => {
            for skipped in attempts.iter().filter(|attempt| attempt.refused()) {
                anstream::eprintln!("cmdai: {}", escape(&told(skipped)));
            }
            for forbidden in dropped.iter().filter(|one| one.forbidden) {
                anstream::eprintln!("cmdai: not offered: {}", escape(&forbidden.why));
            }
            suggestions
        }
        Answer::Ambiguous { question, options } => {
            anstream::eprintln!("cmdai: {question}");
            for option in options {
                anstream::eprintln!("  cmdai {}", crate::scene::quote(&option));
            }
            return Ok(1);
        }
        Answer::Abstained { why, attempts, .. } => {
            let asked: Vec<String> = attempts
                .iter()
                .map(|attempt| escape(&told(attempt)))
                .collect();
            return Err(Failure::failed(
                format!("no command for this: {}", escape(&why)),
                asked.join("\n"),
            ));
        }
    };
    let Some(best) = suggestions.first() else {
        return Err(Failure::failed(
            "no command for this",
            "say it in other words",
        ));
    };
    if arguments.print {
        anstream::println!("{}", best.candidate.command);
        return Ok(0);
    }
    show(best, &suggestions, &scene, shell);
    if !scene.terminal {
        anstream::eprintln!("cmdai: nobody can be asked here, so nothing was run");
        return Ok(0);
    }
    let Some(command) = decide(&best.candidate.command) else {
        return Ok(0);
    };
    carry_out(
        &mut scene,
        &Order {
            text: &command,
            dialect: shell,
            program: None,
            unsupervised: false,
            source: Some(CommandSource::Cmdai),
            confirmed: command == best.candidate.command,
            insist: false,
            break_glass: false,
            reason: None,
        },
    )
}

fn suggest(
    scene: &mut Scene,
    words: &str,
    shell: Dialect,
    arguments: &Ask,
) -> Result<Answer<Judgement>, Failure> {
    let mut config = configuration()?;
    if let Some(name) = &arguments.backend {
        if name != Config::INTENTS && !config.backends.iter().any(|backend| backend.name == *name) {
            let known: Vec<&str> = config
                .backends
                .iter()
                .map(|backend| backend.name.as_str())
                .chain([Config::INTENTS])
                .collect();
            return Err(Failure::usage(
                format!("there is no backend `{name}`"),
                format!("backends: {}", known.join(", ")),
            ));
        }
        config.order = vec![name.clone()];
    }
    let permits = inference::permits(scene.gate.policies(), scene.governed());
    let chain = Chain::from_config(
        &config,
        &(Arc::new(|text: &str| cmdai_redact::redact(text).into_owned()) as _),
        &permits,
    );
    let request = Request {
        cwd: scene.cwd.clone(),
        listing: listing(),
        ..Request::new(words, Os::current(), shell)
    };
    let (cwd, home, user) = (scene.cwd.clone(), scene.home.clone(), scene.user.clone());
    let parse = |text: &str| {
        let analysis = analyse(
            text,
            &Context {
                dialect: shell,
                cwd: &cwd,
                home: &home,
                user: &user,
                session: &NoSession,
                languages: &Grammars,
            },
        );
        Parsed {
            complete: analysis.complete,
            problems: analysis
                .diagnostics
                .iter()
                .map(|found| found.message.clone())
                .collect(),
            programs: analysis.programs(),
        }
    };
    let path = std::env::var("PATH").unwrap_or_default();
    let exists = |program: &str| {
        cmdai_shell::is_builtin(program, shell)
            || cmdai_shell::is_reserved(program, shell)
            || cmdai_gate::find_program(program, &path).is_some()
    };
    // The question is what may be offered to a person; what may run is judged when it would.
    let terminal = std::mem::replace(&mut scene.terminal, scene.who.agent.is_none());
    let cell = std::cell::RefCell::new(&mut *scene);
    let judge = |text: &str| verdict(&mut cell.borrow_mut(), text, shell);
    let before = |words: &mut String, generator: &dyn Generator| {
        let model = generator.model().unwrap_or_default();
        let scene = cell.borrow();
        let contributors = scene.gate.extensions();
        contributors
            .before_generation(words, generator.name(), model)
            .map_err(|refusal| refusal.to_string())
    };
    let live =
        arguments.format == Format::Human && !arguments.print && std::io::stderr().is_terminal();
    let mut streamed = false;
    let mut sink = |piece: &str| {
        if live {
            streamed = true;
            anstream::eprint!("{}", screen::dim(&escape(piece)));
        }
    };
    let answer = pipeline(
        &request,
        &chain,
        &Checks {
            parse: &parse,
            exists: Some(&exists),
            before: Some(&before),
        },
        &judge,
        &mut sink,
    );
    scene.terminal = terminal;
    if streamed {
        anstream::eprintln!();
    }
    answer.map_err(|error| Failure::failed(error.to_string(), "see `cmdai doctor`"))
}

/// Judges a candidate under the policies that would judge it when it runs. What they forbid is not
/// offered.
fn verdict(scene: &mut Scene, text: &str, shell: Dialect) -> Verdict<Judgement> {
    let outcome = scene.judge(text, shell);
    let contributors = scene.gate.extensions();
    if let Err(refusal) = contributors.after_generation(text, &outcome.analysis) {
        return Verdict {
            judgement: outcome.judgement,
            forbidden: Some(Forbidden {
                why: refusal.to_string(),
                instead: None,
            }),
        };
    }
    let judgement = outcome.judgement;
    let forbidden = (judgement.decision == Decision::Deny).then(|| {
        let rule = judgement.deciding_rule();
        Forbidden {
            why: rule.map_or_else(
                || "it is denied".to_owned(),
                |hit| format!("{} (rule {})", hit.reason, hit.id),
            ),
            instead: rule.and_then(|hit| hit.instead.clone()),
        }
    });
    Verdict {
        judgement,
        forbidden,
    }
}

/// One generator that gave nothing, in words.
fn told(attempt: &Attempt) -> String {
    format!("{}: {}", attempt.generator, attempt.problem)
}

fn show(
    best: &Suggestion<Judgement>,
    all: &[Suggestion<Judgement>],
    scene: &Scene,
    shell: Dialect,
) {
    anstream::eprintln!("\n  {}\n", screen::bold(&escape(&best.candidate.command)));
    if !best.candidate.explanation.is_empty() {
        anstream::eprintln!("  {}", escape(&best.candidate.explanation));
    }
    let context = Context {
        dialect: shell,
        cwd: &scene.cwd,
        home: &scene.home,
        user: &scene.user,
        session: &NoSession,
        languages: &Grammars,
    };
    for sentence in explain::sentences(
        &best.candidate.command,
        &analyse(&best.candidate.command, &context),
        context.dialect,
        context.home,
    ) {
        anstream::eprintln!("  · {}", escape(&sentence));
    }
    anstream::eprintln!(
        "  {} {}, {} risk",
        screen::dim("verdict"),
        screen::decision(best.judgement.decision),
        screen::risk(best.judgement.risk)
    );
    for hit in &best.judgement.rules {
        anstream::eprintln!(
            "  {} {}: {}",
            screen::dim("rule   "),
            hit.id,
            escape(&hit.reason)
        );
    }
    if !best.missing.is_empty() {
        anstream::eprintln!(
            "  {} {}",
            screen::dim("missing"),
            escape(&best.missing.join(", "))
        );
    }
    for other in all.iter().skip(1).take(2) {
        anstream::eprintln!(
            "  {} {}",
            screen::dim("or     "),
            escape(&other.candidate.command)
        );
    }
}

/// The command to run: as it is, edited, or none.
fn decide(command: &str) -> Option<String> {
    match answer("\nrun it? [y]es, [e]dit, [N]o ")?
        .to_ascii_lowercase()
        .as_str()
    {
        "y" | "yes" => Some(command.to_owned()),
        "e" | "edit" => edit(command),
        _ => None,
    }
}

/// Lets the person change the command, in a line editor where bash is there.
fn edit(command: &str) -> Option<String> {
    let script = "IFS= read -r -e -i \"$1\" -p '> ' line && printf '%s' \"$line\"";
    let edited = std::process::Command::new("bash")
        .args(["--norc", "--noprofile", "-c", script, "edit", command])
        .stdin(std::process::Stdio::inherit())
        .stderr(std::process::Stdio::inherit())
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    edited.filter(|line| !line.is_empty())
}

/// State of the configured backends, for `doctor`.
pub(crate) fn backend_health() -> (bool, String) {
    let config = match configuration() {
        Ok(config) => config,
        Err(failure) => return (false, failure.to_string()),
    };
    let mut notes = vec!["intents ready".to_owned()];
    let mut fine = true;
    let gate = cmdai_gate::Gate::open();
    let permits = inference::permits(gate.policies(), gate.installation().is_governed());
    let local = permits.iter().any(|permit| permit.require_local);
    for backend in &config.backends {
        let name = backend.name.clone();
        let mut client = OpenAi::new(backend.clone(), Arc::new(str::to_owned));
        if local {
            client = client.on_this_machine();
        }
        // What policy refuses is not spoken to, not even to see whether it lives.
        let refusal = permits
            .iter()
            .find_map(|permit: &Permit| permit.refusal(&client));
        if let Some(why) = refusal {
            notes.push(format!("{name} not asked: {why}"));
            continue;
        }
        match client.health() {
            Ok(health) if health.has_model => notes.push(format!("{name} ready")),
            Ok(_) => {
                fine = false;
                notes.push(format!(
                    "{name} answers but does not have the model {}",
                    backend.model
                ));
            }
            Err(error) => {
                fine = false;
                notes.push(error.to_string());
            }
        }
    }
    (fine, notes.join("; "))
}

fn configuration() -> Result<Config, Failure> {
    let path: PathBuf = cmdai_gate::Person::current().config.join("config.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => Config::parse(&text).map_err(|error| {
            Failure::usage(
                format!(
                    "{}:{}:{}: {}",
                    path.display(),
                    error.line,
                    error.column,
                    error.message
                ),
                "mend it, or move it away",
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(Failure::file("read", &path, &error)),
    }
}

fn login_shell() -> Dialect {
    std::env::var("SHELL")
        .ok()
        .and_then(|path| Dialect::from_name(&path))
        .unwrap_or_default()
}

/// Names in the working directory that are not hidden, within bounds.
fn listing() -> Vec<String> {
    let entries = std::fs::read_dir(".").into_iter().flatten().flatten();
    let names = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'));
    let mut names: Vec<String> = names.take(LISTING).collect();
    names.sort();
    names
}
