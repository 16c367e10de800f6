//! The machine's side: enrol, run the sensor, look at it, take it off.

use anyhow::{Context, Result};
use cmdai_schema::paths::Places;

use crate::account::hostname;
use crate::arguments::{Enrol, Format, Place, Sensor, SensorTask, Status};

/// Hidden first argument of the sensor's unprivileged half.
pub(crate) const COURIER: &str = "sensor-courier";
/// Hidden first argument of the process that judges what the kernel saw.
pub(crate) const JUDGE: &str = "sensor-judge";

/// The places of a system installation, or below the given folder.
fn places(place: &Place) -> Result<Places> {
    match &place.state_dir {
        Some(folder) => Ok(Places::below(std::path::absolute(folder)?)),
        None if rustix::process::geteuid().is_root() => Ok(Places::system()),
        None => anyhow::bail!(
            "the system's places belong to root: use sudo, or --state-dir FOLDER for an unprivileged installation"
        ),
    }
}

/// Enrols this machine.
pub(crate) async fn enrol(arguments: Enrol) -> Result<()> {
    let enrolled = cmdai_sensor::enrol(cmdai_sensor::EnrolOptions {
        server: arguments.server,
        token: arguments.token,
        places: places(&arguments.place)?,
        hostname: hostname(),
    })
    .await?;
    anstream::println!(
        "enrolled as {} of {}\nnext: cmdai-enterprise sensor",
        enrolled.machine_id,
        enrolled.organisation
    );
    Ok(())
}

/// Runs the sensor until it is told to stop, or changes how releases come to it.
pub(crate) async fn sensor(arguments: Sensor) -> Result<()> {
    match arguments.task {
        None => {}
        Some(SensorTask::Status { explain, format }) => {
            return status(&Status {
                place: arguments.place,
                format,
                explain,
            });
        }
        Some(SensorTask::Import { file }) => {
            return import(&places(&arguments.place)?, &file).await;
        }
        Some(SensorTask::Hash { field, value }) => {
            anstream::println!(
                "{}",
                cmdai_sensor::hashed(&places(&arguments.place)?, &field, &value)?
            );
            return Ok(());
        }
        Some(SensorTask::Road {
            git,
            reference,
            directory,
            none,
        }) => {
            let places = places(&arguments.place)?;
            if none || git.is_some() || directory.is_some() {
                let roads = cmdai_sensor::Roads {
                    git: git.map(|url| cmdai_sensor::Git { url, reference }),
                    directory: directory.map(std::path::absolute).transpose()?,
                };
                cmdai_sensor::set_roads(&places, &roads)?;
                anstream::println!("the sensor takes it up when it starts");
            }
            let roads = cmdai_sensor::roads(&places)?;
            anstream::println!("server     always");
            if let Some(git) = roads.git {
                anstream::println!("git        {} {}", git.url, git.reference);
            }
            if let Some(folder) = roads.directory {
                anstream::println!("directory  {}", folder.display());
            }
            return Ok(());
        }
    }
    let program = std::env::current_exe().context("this program's own path cannot be read")?;
    let options = cmdai_sensor::Options {
        courier: (program.clone(), vec![COURIER.to_owned()]),
        judge: (program, vec![JUDGE.to_owned()]),
        buffer: cmdai_sensor::BufferLimits {
            total: arguments.buffer * 1024 * 1024,
            ..cmdai_sensor::BufferLimits::default()
        },
        ..cmdai_sensor::Options::new(places(&arguments.place)?)
    };
    cmdai_sensor::run(options, async {
        let _ = told_to_stop().await;
    })
    .await
}

/// Hands a carried release over and says what became of it.
async fn import(places: &Places, file: &std::path::Path) -> Result<()> {
    let before = cmdai_sensor::status(places)?;
    cmdai_sensor::import(places, file)?;
    let pending = places.state.join("import.cmdai");
    for _ in 0..100 {
        if !pending.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    anyhow::ensure!(
        !pending.exists(),
        "the sensor has not looked at it yet; it will when it runs"
    );
    let after = cmdai_sensor::status(places)?;
    let known = |problem: &&String| !before.problems.contains(problem);
    for problem in after.problems.iter().filter(known) {
        anstream::println!("problem     {}", cmdai_gate::escape(problem));
    }
    anstream::println!(
        "policy      {} before, {} now",
        before.policy_version,
        after.policy_version
    );
    Ok(())
}

/// How the sensor is, on one screen.
pub(crate) fn status(arguments: &Status) -> Result<()> {
    let status = cmdai_sensor::status(&places(&arguments.place)?)?;
    if arguments.format == Format::Json {
        anstream::println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    let age = |seconds: Option<u64>| {
        seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds} s ago"))
    };
    anstream::println!(
        "machine     {}  of {}",
        status.machine_id,
        status.organisation
    );
    anstream::println!(
        "server      {}  last contact {}",
        status.server,
        age(status.contact_age_s)
    );
    anstream::println!(
        "policy      {}  proven fresh {}",
        status.policy_version,
        age(status.policy_age_s)
    );
    anstream::println!(
        "road        {}  the proof holds until {}",
        status.policy_source,
        status.policy_expires
    );
    if !status.policy_ring.is_empty() {
        anstream::println!("ring        {}", cmdai_gate::escape(&status.policy_ring));
    }
    anstream::println!("snapshot    {}", status.policy_digest);
    anstream::println!(
        "sealed      {}  acknowledged {}  waiting {}",
        status.head_seq,
        status.acked_seq,
        status.queued
    );
    if let Some(reason) = &status.quarantine {
        anstream::println!("quarantine  {}", cmdai_gate::escape(reason));
    }
    for problem in &status.problems {
        anstream::println!("problem     {}", cmdai_gate::escape(problem));
    }
    if let Some(dropped) = &status.dropped {
        anstream::println!(
            "dropped     {} events in all, the server knows of all but {}",
            dropped.events,
            dropped.unread
        );
        if arguments.explain {
            anstream::println!("            {}", cmdai_gate::escape(&dropped.last));
        }
    }
    if arguments.explain {
        layers(&status.layers);
    }
    Ok(())
}

/// What sees commands, what it saw and what it missed.
fn layers(layers: &[cmdai_schema::governor::LayerStatus]) {
    for layer in layers {
        let last = layer
            .last_s
            .map_or_else(|| "never".to_owned(), |seconds| format!("{seconds} s ago"));
        anstream::println!(
            "layer       {}  {}  {}",
            cmdai_gate::escape(&layer.name),
            if layer.on { "on" } else { "off" },
            cmdai_gate::escape(&layer.state)
        );
        anstream::println!(
            "            seen {}  lost {}  last {last}",
            layer.seen,
            layer.lost
        );
        for note in &layer.notes {
            anstream::println!("            {}", cmdai_gate::escape(note));
        }
    }
}

/// Takes the sensor's state off this machine.
pub(crate) fn uninstall(place: &Place) -> Result<()> {
    cmdai_sensor::uninstall(&places(place)?)?;
    anstream::println!(
        "this machine is not governed any more; take the hooks out of the shells' start files"
    );
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}
