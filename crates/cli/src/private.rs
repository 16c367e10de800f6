//! `cmdai private on | off | status`: private mode for the shell that this was typed in.

use std::time::Duration;

use cmdai_gate::private::{self, Private};
use cmdai_gate::{Person, PrivateMode, Recorder, SessionInfo, fresh_id, origin};
use cmdai_schema::{Layer, OriginKind};
use serde_json::json;

use crate::arguments::{Format, PrivateArguments, PrivateTask};
use crate::failure::Failure;
use crate::history;
use crate::scene::Scene;
use crate::screen;

/// Does it.
pub(crate) fn private(arguments: &PrivateArguments) -> Result<u8, Failure> {
    match &arguments.task {
        PrivateTask::On { time } => on(*time),
        PrivateTask::Off => off(),
        PrivateTask::Status { format } => status(*format),
    }
}

/// Processes above this one, the shell first.
fn above() -> Vec<u32> {
    let parents = origin::ancestors();
    parents.iter().map(|parent| parent.pid).collect()
}

fn on(time: Option<Duration>) -> Result<u8, Failure> {
    let scene = Scene::here()?;
    if scene.who.agent.is_some() || scene.who.origin.kind == OriginKind::Agent {
        return Err(Failure::failed(
            "private mode is for people, not for AI agents",
            "type it yourself, in a shell of your own",
        ));
    }
    if std::env::var_os(crate::record::INSIDE).is_some() {
        return Err(Failure::failed(
            "this session is recorded, and a recording shows what private mode would keep out",
            "exit leaves the recorded session",
        ));
    }
    let PrivateMode::Permitted(longest) = scene.gate.private_mode() else {
        return Err(forbidden(&scene));
    };
    if let (Some(time), Some(longest)) = (time, longest)
        && time > longest
    {
        return Err(Failure::usage(
            format!(
                "the policy permits private mode for at most {} at once",
                span(longest)
            ),
            format!("cmdai private on --for {}m", longest.as_secs() / 60),
        ));
    }
    let Some(shell) = above().first().copied() else {
        return Err(Failure::failed(
            "it cannot be told which shell this is",
            "type it at the prompt of the shell that it is for",
        ));
    };
    let person = scene.gate.person();
    let entered = private::enter(person, shell, time.or(longest)).map_err(|error| {
        Failure::failed(
            format!("private mode cannot be switched on: {error}"),
            "is the disk full?",
        )
    })?;
    record(&scene, true, &entered);
    anstream::println!(
        "private mode is on in this shell and in what it starts, {}",
        end(&entered)
    );
    let row = |name: &str, value: &str| {
        anstream::println!("  {}  {value}", screen::dim(&format!("{name:<8}")));
    };
    row(
        "recorded",
        "that something ran, when, its exit status and the decision; of what is interrupted also which rules",
    );
    row("not", "text, folder, programs, effects");
    row(
        "rules",
        "hold as always; who is asked for an approval sees the command",
    );
    if scene.governed() {
        row(
            "seen",
            "where the policy captures programs that start, the machine's sensor goes on seeing them (cmdai status)",
        );
    }
    row("this", "is recorded, and so is leaving: cmdai private off");
    Ok(0)
}

fn off() -> Result<u8, Failure> {
    let scene = Scene::here()?;
    let person = scene.gate.person();
    match private::of_ancestors(person, &above()) {
        Some(entered) if private::leave(person, entered.shell) => {
            record(&scene, false, &entered);
            anstream::println!("private mode is off");
        }
        _ => anstream::println!("private mode was not on in this shell"),
    }
    Ok(0)
}

fn status(format: Format) -> Result<u8, Failure> {
    let scene = Scene::here()?;
    let mode = scene.gate.private_mode();
    let now = holding(scene.gate.person(), mode);
    if format == Format::Json {
        let longest = match mode {
            PrivateMode::Permitted(Some(longest)) => Some(longest.as_secs() / 60),
            _ => None,
        };
        let state = json!({
            "on": now.is_some(),
            "until_ms": now.and_then(|private| private.until_ms),
            "permitted": mode != PrivateMode::Forbidden,
            "longest_minutes": longest,
        });
        anstream::println!("{state:#}");
        return Ok(0);
    }
    match now {
        Some(private) => anstream::println!("private mode is on in this shell, {}", end(&private)),
        None => anstream::println!("private mode is off; {}", permission(mode)),
    }
    Ok(0)
}

/// What holds for the shell that this process was started in.
pub(crate) fn holding(person: &Person, mode: PrivateMode) -> Option<Private> {
    let now = jiff::Timestamp::now().as_millisecond();
    private::of_ancestors(person, &above())
        .filter(|private| private.holds(u64::try_from(now).unwrap_or(0), mode))
}

/// What the policy says, in a few words.
pub(crate) fn permission(mode: PrivateMode) -> String {
    match mode {
        PrivateMode::Forbidden => "the policy does not permit it".to_owned(),
        PrivateMode::Permitted(None) => "cmdai private on switches it on".to_owned(),
        PrivateMode::Permitted(Some(longest)) => format!(
            "cmdai private on switches it on, for at most {} at once",
            span(longest)
        ),
    }
}

fn forbidden(scene: &Scene) -> Failure {
    let whose = match scene.gate.installation().governed() {
        Some(governed) => format!("the policy of {}", governed.mark.organisation),
        None => "your policy".to_owned(),
    };
    let organisation = scene.gate.policies().organisation();
    if scene.governed() && organisation.is_none() {
        return Failure::failed(
            format!("{whose} cannot be read, and without it private mode is not permitted"),
            "cmdai status says what is wrong",
        );
    }
    Failure::failed(
        format!("{whose} does not permit private mode; everything is recorded as before"),
        "a policy permits it by `privacy.private_mode: true`; cmdai privacy says what is collected",
    )
}

fn end(private: &Private) -> String {
    match private.until_ms {
        Some(until) => format!("until {}", history::time(until)),
        None => "until it ends".to_owned(),
    }
}

fn span(time: Duration) -> String {
    match time.as_secs() / 60 {
        1 => "a minute".to_owned(),
        minutes if minutes % 60 == 0 && minutes > 60 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

/// Entering and leaving are records of their own, whatever hooks the shell has.
fn record(scene: &Scene, on: bool, private: &Private) {
    let session = SessionInfo {
        id: fresh_id(),
        layer: Layer::Shell,
        who: scene.who.clone(),
        shared: false,
    };
    let mut recorder = Recorder::open(scene.gate.installation(), scene.gate.person(), session);
    recorder.private_mode(on, private, "asked for");
    recorder.session_end();
    if let Some(problem) = recorder.problem() {
        anstream::eprintln!("cmdai: {problem}");
    }
}
