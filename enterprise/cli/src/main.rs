//! The command line of the Enterprise edition: the server, the sensor, and the tools of those who
//! run them.

#![forbid(unsafe_code)]

mod account;
mod arguments;
mod client;
mod demo;
mod evidence;
mod machine;
mod people;
mod plane;
mod release;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Task};

fn main() -> ExitCode {
    // A hidden role: the sensor starts this program again as its unprivileged half.
    if std::env::args().nth(1).as_deref() == Some(machine::JUDGE) {
        return finish(cmdai_sensor::judge_main());
    }
    if std::env::args().nth(1).as_deref() == Some(machine::COURIER) {
        return finish(cmdai_sensor::courier_main());
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let level = std::env::var("CMDAI_LOG").unwrap_or_else(|_| "warn".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return finish(Err(error.into())),
    };
    finish(runtime.block_on(dispatch(arguments.task)))
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("cmdai-enterprise: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Server(server) => plane::server(server).await,
        Task::Enrol(enrol) => machine::enrol(enrol).await,
        Task::Sensor(sensor) => machine::sensor(sensor).await,
        Task::Status(status) => machine::status(&status),
        Task::Uninstall(place) => machine::uninstall(&place),
        Task::Login(login) => account::login(login).await,
        Task::Query(query) => evidence::query(query).await,
        Task::AuditExport(export) => evidence::audit_export(export).await,
        Task::Export(export) => evidence::export(export).await,
        Task::Verify(verify) => evidence::verify(&verify),
        Task::Approve(decision) => plane::decide(decision, true).await,
        Task::Deny(decision) => plane::decide(decision, false).await,
        Task::Exceptions(task) => people::exceptions(task).await,
        Task::Emergencies(task) => people::emergencies(task).await,
        Task::Account(task) => account::account(task).await,
        Task::Users(task) => people::users(task).await,
        Task::Policy(policy) => plane::policy(policy).await,
        Task::Fleet(fleet) => plane::fleet(fleet).await,
        Task::Api(api) => plane::api(api).await,
        Task::Demo(demo) => demo::run(demo).await,
    }
}
