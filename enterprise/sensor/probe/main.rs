//! Keeper and courier as processes of their own, for tests.

use std::time::Duration;

use cmdai_schema::paths::Places;
use cmdai_sensor::{BufferLimits, Options, Pace};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["courier"] => cmdai_sensor::courier_main(),
        ["judge"] => cmdai_sensor::judge_main(),
        ["keeper", state, watched @ ..] => {
            let places = Places::below(std::path::absolute(state)?);
            let options = Options {
                courier: (std::env::current_exe()?, vec!["courier".to_owned()]),
                judge: (std::env::current_exe()?, vec!["judge".to_owned()]),
                buffer: buffer(),
                settles: settles(),
                watch: watched.iter().map(Into::into).collect(),
                pace: Pace {
                    poll_ms: 50,
                    backoff_min_ms: 50,
                    backoff_max_ms: 500,
                    hold_ms: 2_000,
                    fetch_ms: 1_500,
                    directory_ms: 50,
                    git_ms: 300,
                },
                ..Options::new(places)
            };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            runtime.block_on(cmdai_sensor::run(options, async {
                let terminate =
                    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
                match terminate {
                    Ok(mut terminate) => {
                        terminate.recv().await;
                    }
                    Err(_) => std::future::pending().await,
                }
            }))
        }
        _ => anyhow::bail!("courier, judge, or keeper STATE-DIR [WATCHED-FILE…]"),
    }
}

/// How long events must have been too old: so many seconds.
fn settles() -> Duration {
    let seconds = std::env::var("CMDAI_PROBE_SETTLES");
    Duration::from_secs(
        seconds
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(600),
    )
}

/// Bounds of the sealed spool: so many bytes, in sixteen segments.
fn buffer() -> BufferLimits {
    let total: Option<u64> = std::env::var("CMDAI_PROBE_BUFFER")
        .ok()
        .and_then(|text| text.parse().ok());
    total.map_or_else(BufferLimits::default, |total| BufferLimits {
        segment: total / 16,
        total,
    })
}
