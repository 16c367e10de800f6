//! `cmdai check`: one decision, as text or JSON, with a fixed exit status.

use cmdai_gate::escape;
use cmdai_schema::{Judgement, Mode, exit_code};

use crate::arguments::{Check, Format};
use crate::failure::Failure;
use crate::scene::{Scene, line};
use crate::{batch, screen};

/// Judges and prints; the exit status tells the decision.
pub(crate) fn check(arguments: &Check) -> Result<u8, Failure> {
    if arguments.batch {
        return batch::check(arguments.policy.as_deref());
    }
    let mut scene = Scene::here()?;
    if let Some(file) = &arguments.policy {
        let source =
            std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
        let name = file.display().to_string();
        scene
            .gate
            .use_policy(&source, &name)
            .map_err(|errors| Failure::policy(&name, &errors))?;
    }
    scene.place(arguments.cwd.as_deref(), arguments.home.as_deref())?;
    if let Some(user) = &arguments.user {
        scene.user.clone_from(user);
    }
    scene.terminal = true; // the question is what a person would be told, not who asks it
    let text = line(&arguments.command);
    let judgement = scene.judge(&text, arguments.shell).judgement;
    match arguments.format {
        Format::Json => anstream::println!("{}", json(&judgement)?),
        Format::Human => human(&text, &judgement),
    }
    Ok(exit_code::check(judgement.decision))
}

/// The contract's JSON.
pub(crate) fn json(judgement: &Judgement) -> Result<String, Failure> {
    serde_json::to_string(judgement).map_err(|error| {
        Failure::failed(format!("cannot write JSON: {error}"), "please report this")
    })
}

fn human(text: &str, judgement: &Judgement) {
    anstream::println!(
        "{}  {} risk{}",
        screen::decision(judgement.decision),
        screen::risk(judgement.risk),
        unknown(judgement)
    );
    for hit in &judgement.rules {
        let mode = match hit.mode {
            Mode::Monitor => screen::dim(" (monitored only)"),
            Mode::Warn => screen::dim(" (warns only)"),
            Mode::Off | Mode::Enforce => String::new(),
        };
        anstream::println!("  {}  {}{mode}", screen::bold(&hit.id), escape(&hit.reason));
        let token = hit.span.of(text);
        if !token.is_empty() && token != text {
            anstream::println!("    {} {}", screen::dim("at"), escape(token));
        }
        if let Some(instead) = &hit.instead {
            anstream::println!("    {} {}", screen::dim("instead"), escape(instead));
        }
    }
}

fn unknown(judgement: &Judgement) -> &'static str {
    if judgement.unknown {
        ", partly unknown"
    } else {
        ""
    }
}
