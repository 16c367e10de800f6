//! Project tasks. `cargo xtask demo` shows the product; `cargo xtask test` runs everything.

mod agents;
mod bench;
mod bpf;
mod companions;
mod crash;
mod demo;
mod direction;
mod eval;
mod fuzz;
mod setup;
mod step;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project tasks of cmdai")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up, build and run the whole product: server, console, a living fleet, a governed shell
    Demo(demo::Options),
    /// Set up and run everything: format, lints, dependency direction, all tests, the demo
    Test(test::Options),
    /// Score labelled commands: what is interrupted, by suite and category
    Eval(eval::Options),
    /// Measure time and memory, with other programs beside it
    Bench(bench::Options),
    /// Compile the kernel's part of the exec capture anew (needs clang)
    Bpf,
    /// Install real AI agents from npm, outside the repository, and run their tests
    Agents {
        /// All of them (1.3 GB), not the first alone
        #[arg(long)]
        all: bool,
    },
    /// Install real starship and atuin from crates.io, outside the repository, and run the shells' tests beside them
    Companions,
    /// Kill hook, sensor and server at random points, and check that nothing is lost or doubled
    Crash(crash::Options),
    /// Check that Community does not depend on Enterprise and that pure crates stay pure
    Direction,
    /// Feed hostile input to what reads commands, policies and secrets
    Fuzz(fuzz::Options),
    /// Build both workspaces and the console
    Build {
        /// Release profile
        #[arg(long)]
        release: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Eval(options) => eval::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Bpf => bpf::run(),
        Task::Agents { all } => {
            for skipped in agents::run(all)? {
                println!("skipped: {skipped}");
            }
            Ok(())
        }
        Task::Companions => companions::run(),
        Task::Crash(options) => crash::run(&options),
        Task::Direction => direction::check(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Build { release } => demo::build(release),
    }
}
