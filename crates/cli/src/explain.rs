//! `cmdai explain`: what a command would do, as a person would say it.

use cmdai_gate::escape;
use cmdai_schema::{Analysis, Certainty, CodeSource, Effect, EffectKind};

use crate::arguments::Explain;
use crate::failure::Failure;
use crate::scene::{Scene, line};
use crate::screen;

/// Analyses, judges and says it.
pub(crate) fn explain(arguments: &Explain) -> Result<u8, Failure> {
    let mut scene = Scene::here()?;
    scene.terminal = true;
    let text = line(&arguments.command);
    let outcome = scene.judge(&text, arguments.shell);
    if arguments.json {
        let json =
            serde_json::json!({ "analysis": outcome.analysis, "judgement": outcome.judgement });
        anstream::println!("{json:#}");
        return Ok(0);
    }
    if arguments.tree {
        tree(&outcome.analysis);
        return Ok(0);
    }
    anstream::println!("{}", screen::bold(&escape(&text)));
    for diagnostic in &outcome.analysis.diagnostics {
        anstream::println!(
            "  the shell would complain: {}",
            escape(&diagnostic.message)
        );
    }
    let said = sentences(&outcome.analysis);
    for sentence in &said {
        anstream::println!("  · {}", escape(sentence));
    }
    if said.is_empty() {
        let programs = outcome.judgement.programs.join(", ");
        let what = if programs.is_empty() {
            "it runs no program".to_owned()
        } else {
            format!("it runs {programs}")
        };
        anstream::println!(
            "  · {what}, and nothing is changed, sent or deleted as far as can be told"
        );
    }
    if outcome.analysis.unknown {
        anstream::println!(
            "  · part of it cannot be told from the text, and that part could run something"
        );
    }
    anstream::println!(
        "  {} {}, {} risk",
        screen::dim("verdict"),
        screen::decision(outcome.judgement.decision),
        screen::risk(outcome.judgement.risk)
    );
    for hit in &outcome.judgement.rules {
        anstream::println!(
            "  {} {}: {}",
            screen::dim("rule   "),
            hit.id,
            escape(&hit.reason)
        );
        if let Some(instead) = &hit.instead {
            anstream::println!("  {} {}", screen::dim("instead"), escape(instead));
        }
    }
    Ok(0)
}

/// Everything it would do, each said once.
pub(crate) fn sentences(analysis: &Analysis) -> Vec<String> {
    let mut said = Vec::new();
    for sentence in analysis.effects.iter().map(sentence) {
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said
}

/// Program calls, indented by how deep they are wrapped.
fn tree(analysis: &Analysis) {
    for call in &analysis.invocations {
        let depth = call.chain.len().saturating_sub(1);
        let arguments: Vec<&str> = call
            .args
            .iter()
            .map(|arg| arg.value.as_deref().unwrap_or("<unknown>"))
            .collect();
        let name = if call.program.is_empty() {
            "<unknown program>"
        } else {
            &call.program
        };
        let place = format!("pipeline {} stage {}", call.pipeline, call.stage);
        anstream::println!(
            "{}{} {}  {}",
            "  ".repeat(depth),
            screen::bold(name),
            escape(&arguments.join(" ")),
            screen::dim(&place)
        );
        for effect in analysis.effects.iter().filter(|effect| {
            effect.chain == call.chain
                && effect.span.start >= call.span.start
                && effect.span.end <= call.span.end
        }) {
            anstream::println!("{}  → {}", "  ".repeat(depth), escape(&sentence(effect)));
        }
    }
}

/// One effect in words.
fn sentence(effect: &Effect) -> String {
    let what = match &effect.kind {
        EffectKind::Delete {
            path,
            recursive: true,
            force,
        } => format!(
            "deletes {path} and everything below it{}",
            if *force { ", without asking" } else { "" }
        ),
        EffectKind::Delete { path, .. } => format!("deletes {path}"),
        EffectKind::Overwrite { path } => format!("replaces what is in {path}"),
        EffectKind::Write { path } => format!("writes to {path}"),
        EffectKind::Move { from, to } => format!("moves {from} to {to}"),
        EffectKind::Read { path } => format!("reads {path}"),
        EffectKind::ReadSecret { path } => format!("reads credentials from {path}"),
        EffectKind::ChangeMode {
            path,
            mode,
            recursive,
        } => format!(
            "sets the permissions of {path} to {mode}{}",
            below(*recursive)
        ),
        EffectKind::ChangeOwner {
            path,
            owner,
            recursive,
        } => format!("gives {path} to {owner}{}", below(*recursive)),
        EffectKind::DeviceWrite { path } => format!("writes straight to the device {path}"),
        EffectKind::Format { path } => {
            format!("makes a new file system on {path}; what is there is lost")
        }
        EffectKind::Mount { path } => format!("mounts or unmounts {path}"),
        EffectKind::RunCode {
            source: CodeSource::Literal,
            language,
        } => format!("runs {language} code given in the line"),
        EffectKind::RunCode {
            source: CodeSource::File(path),
            language,
        } => format!("runs the {language} code in {path}"),
        EffectKind::RunCode {
            source: CodeSource::Remote(url),
            language,
        } => format!("runs {language} code straight from {url}"),
        EffectKind::RunCode {
            source: CodeSource::Unknown,
            language,
        } => format!("runs {language} code that cannot be told from the text"),
        EffectKind::Download { url, to: Some(to) } => format!("downloads {url} to {to}"),
        EffectKind::Download { url, to: None } => format!("downloads {url}"),
        EffectKind::Upload {
            source,
            destination,
        } => format!("sends {source} to {destination}"),
        EffectKind::Listen { address } => format!("listens on {address}"),
        EffectKind::Connect { address } => format!("connects to {address}"),
        EffectKind::Escalate { to } => format!("acts with the rights of {to}"),
        EffectKind::AddUser { name } => format!("adds the account {name}"),
        EffectKind::ChangeCredential { subject } => format!("changes the credentials of {subject}"),
        EffectKind::Persistence { mechanism, path } => {
            format!(
                "arranges for something to run later ({mechanism}{})",
                path.as_ref()
                    .map(|path| format!(", {path}"))
                    .unwrap_or_default()
            )
        }
        EffectKind::DisableSecurity { what } => format!("switches a protection off: {what}"),
        EffectKind::TamperLog { path } => format!("erases or silences the log {path}"),
        EffectKind::KernelModule { name } => format!("loads or removes the kernel module {name}"),
        EffectKind::HistoryLoss { what } => format!("loses work in version control: {what}"),
        EffectKind::ForcePush { remote, branch } => {
            format!("overwrites the branch {branch} on {remote}")
        }
        EffectKind::BranchDelete { branch, remote } => {
            format!(
                "removes the branch {branch}{}",
                remote
                    .as_ref()
                    .map(|remote| format!(" on {remote}"))
                    .unwrap_or_default()
            )
        }
        EffectKind::ResourceDestroy {
            resource,
            name,
            provider,
            context,
        } => format!(
            "destroys the {provider} {resource} {name}{}",
            within(context)
        ),
        EffectKind::ResourceChange {
            resource,
            name,
            provider,
            context,
        } => format!(
            "changes the {provider} {resource} {name}{}",
            within(context)
        ),
        EffectKind::PackageInstall { manager, name, .. } => {
            format!("installs {name} with {manager}")
        }
        EffectKind::ServiceControl { service, action } => {
            format!("{action}s the service {service}")
        }
        EffectKind::ProcessKill { target, all: true } => format!("ends all processes ({target})"),
        EffectKind::ProcessKill { target, all: false } => format!("ends the process {target}"),
        EffectKind::Power { action } => format!("{action}s the machine"),
        EffectKind::ResourceExhaustion { how } => format!("uses the machine up: {how}"),
        EffectKind::Unknown { why } => format!("could do something that cannot be told: {why}"),
    };
    let through = match effect.chain.as_slice() {
        [] | [_] => String::new(),
        [wrappers @ .., last] => format!(" ({last}, run by {})", wrappers.join(" inside ")),
    };
    let sure = match effect.certainty {
        Certainty::Proven => "",
        Certainty::Likely => ", most likely",
        Certainty::Unknown => ", perhaps",
    };
    format!("{what}{through}{sure}")
}

fn below(recursive: bool) -> &'static str {
    if recursive {
        ", and of everything below it"
    } else {
        ""
    }
}

fn within(context: &Option<String>) -> String {
    context
        .as_ref()
        .map(|context| format!(" in {context}"))
        .unwrap_or_default()
}
