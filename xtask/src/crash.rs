//! `cargo xtask crash`: kills hook, sensor, spool and server with SIGKILL at random points, as often as asked, and
//! checks that what was acknowledged is stored, once, that a grant is used once, that a policy is whole, and that
//! nothing is missing in silence.

use anyhow::Result;
use clap::Args;

use crate::step;

#[derive(Args)]
pub(crate) struct Options {
    /// Kills of each layer; without it a number that takes a minute or two together
    #[arg(long)]
    rounds: Option<u64>,
    /// Only these layers
    #[arg(long, value_enum)]
    layer: Vec<Layer>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Layer {
    /// The writer of a sealed spool
    Spool,
    /// The sensor, while records come in and go out
    Records,
    /// The sensor, while it installs policies
    Policy,
    /// The sensor, while several ask for one grant
    Grants,
    /// Hook, sensor and server of the whole product
    Product,
}

/// How one layer is killed.
struct Way {
    layer: Layer,
    what: &'static str,
    package: &'static str,
    test: &'static str,
    /// Says how often.
    variable: &'static str,
    usual: u64,
}

const WAYS: &[Way] = &[
    Way {
        layer: Layer::Spool,
        what: "writer of a sealed spool",
        package: "cmdai-spool",
        test: "crash::kills_lose_and_double_nothing",
        variable: "CMDAI_CRASH_ROUNDS",
        usual: 500,
    },
    Way {
        layer: Layer::Records,
        what: "sensor while records come in",
        package: "cmdai-sensor",
        test: "crash::kills_lose_and_double_nothing",
        variable: "CMDAI_CRASH_ROUNDS",
        usual: 50,
    },
    Way {
        layer: Layer::Policy,
        what: "sensor while it installs policies",
        package: "cmdai-sensor",
        test: "crash::kills_in_the_middle_of_updates_leave_the_old_or_the_new_policy_whole",
        variable: "CMDAI_CRASH_POINTS",
        usual: 50,
    },
    Way {
        layer: Layer::Grants,
        what: "sensor while several ask for one grant",
        package: "cmdai-sensor",
        test: "special::a_grant_is_used_at_most_once_whenever_the_keeper_dies",
        variable: "CMDAI_GRANT_ROUNDS",
        usual: 50,
    },
    Way {
        layer: Layer::Product,
        what: "hook, sensor and server of the whole product",
        package: "cmdai-e2e",
        test: "crash::nothing_recorded_is_lost_or_doubled",
        variable: "CMDAI_CRASH_ROUNDS",
        usual: 6,
    },
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut done = Vec::new();
    for way in WAYS {
        if !options.layer.is_empty() && !options.layer.contains(&way.layer) {
            continue;
        }
        let rounds = options.rounds.unwrap_or(way.usual);
        let arguments = [
            "test",
            "--locked",
            "--package",
            way.package,
            "--test",
            "it",
            "--",
            "--exact",
            way.test,
            "--nocapture",
        ];
        let mut command = step::command("enterprise", "cargo", &arguments);
        command.env(way.variable, rounds.to_string());
        step::run(&format!("crash: {}, {rounds} rounds", way.what), command)?;
        done.push(format!("{}: {rounds}", way.what));
    }
    println!("killed, and found whole each time:");
    for line in done {
        println!("  {line}");
    }
    Ok(())
}
