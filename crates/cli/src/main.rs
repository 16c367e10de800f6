//! The command line of the Community edition: natural language to a safe command, a real
//! understanding of what any command would do, and the hooks for shells and agents.
//!
//! Exit statuses are in `docs/formats/exit-codes.md`.

#![forbid(unsafe_code)]

mod agents;
mod approval;
mod arguments;
mod ask;
mod batch;
mod check;
mod completion;
mod doctor;
mod explain;
mod failure;
mod history;
mod inference;
mod knowledge;
mod mcp;
mod policy;
mod privacy;
mod private;
mod read_code;
mod record;
mod request;
mod run;
mod scene;
mod screen;
mod status;
mod supervised;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Task};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                cmdai_schema::exit_code::USAGE
            } else {
                0
            });
        }
    };
    match dispatch(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.show();
            ExitCode::from(failure.status())
        }
    }
}

/// One line for each thing cmdai does.
fn dispatch(arguments: Arguments) -> Result<u8, Failure> {
    let Some(task) = arguments.task else {
        return ask::ask(&arguments.ask);
    };
    match task {
        Task::Ask(ask) => ask::ask(&ask),
        Task::Check(check) => check::check(&check),
        Task::Explain(explain) => explain::explain(&explain),
        Task::Run(run) => run::run(&run),
        Task::Request(request) => request::request(&request),
        Task::Knowledge(knowledge) => knowledge::knowledge(&knowledge),
        Task::Policy(policy) => policy::policy(&policy),
        Task::Log(log) => history::log(&log),
        Task::Why(arguments) => why::why(&arguments),
        Task::Init(init) => agents::init(&init),
        Task::Hook(hook) => agents::hook(&hook),
        Task::Integrate(integrate) => agents::integrate(&integrate),
        Task::Mcp => mcp::mcp(),
        Task::Approval(approval) => approval::approval(&approval),
        Task::Status(status) => status::status(&status),
        Task::Privacy(arguments) => privacy::privacy(&arguments),
        Task::Private(arguments) => private::private(&arguments),
        Task::Record(arguments) => record::record(&arguments),
        Task::Replay(arguments) => record::replay::replay(&arguments),
        Task::RecordInside { program } => record::inside(&program),
        Task::Doctor(doctor) => doctor::doctor(&doctor),
        Task::ServeShell(serve) => agents::serve_shell(&serve),
        Task::ReadCode { language } => read_code::read_code(&language),
        Task::Completions { shell } => completion::completions(shell),
    }
}
