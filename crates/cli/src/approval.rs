//! `cmdai approval wait`: for scripts and agents that have asked and want to go on.

use std::time::{Duration, Instant};

use cmdai_gate::escape;
use cmdai_schema::exit_code;

use crate::arguments::{Approval, ApprovalTask};
use crate::failure::Failure;
use crate::scene::Scene;

/// How often the governor is asked.
const PACE: Duration = Duration::from_millis(500);
/// How long one answer of the governor may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Waits for an answer. The command itself still has to be repeated: only that uses a grant up.
pub(crate) fn approval(arguments: &Approval) -> Result<u8, Failure> {
    let ApprovalTask::Wait { id, seconds } = &arguments.task;
    let scene = Scene::here()?;
    if !scene.governed() {
        return Err(Failure::usage(
            "this machine is not governed, so nobody answers requests",
            "`cmdai status` says who governs",
        ));
    }
    let until = Instant::now() + Duration::from_secs(*seconds);
    let id = id.to_ascii_uppercase();
    loop {
        let (state, reason) = scene
            .gate
            .governor(PATIENCE)
            .and_then(|mut governor| governor.request(&id))
            .map_err(|error| {
                Failure::failed(
                    format!("the request {} cannot be looked at: {error}", escape(&id)),
                    "`cmdai status` says how the sensor is",
                )
            })?;
        let said = reason
            .filter(|reason| !reason.is_empty())
            .map(|reason| format!(": {}", escape(&reason)))
            .unwrap_or_default();
        match state.as_str() {
            "pending" if Instant::now() < until => {
                std::thread::sleep(PACE.min(until.saturating_duration_since(Instant::now())));
            }
            "pending" => {
                anstream::println!("{} waits for an answer", escape(&id));
                return Ok(exit_code::WAITING);
            }
            "granted" => {
                anstream::println!("{} is granted{said}: repeat the command", escape(&id));
                return Ok(0);
            }
            other => {
                anstream::println!("{} is {}{said}", escape(&id), escape(other));
                // An exception is used up by coming into force.
                return Ok(u8::from(other != "consumed"));
            }
        }
    }
}
