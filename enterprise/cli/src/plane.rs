//! Running the server, and what its operators do: approvals, policy, machines.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use cmdai_api::console::{
    Approval, ApprovalDecision, EnrolmentToken, Machine, MachineEnd, MachineList,
    NewEnrolmentToken, PolicyCheck, PolicyPublish, PolicySource, PolicyView, QuarantineChange,
};

use crate::account::{client, secret};
use crate::arguments::{Api, Decision, Fleet, FleetTask, Format, Policy, PolicyTask, Server};
use crate::release;

/// Runs the server until it is told to stop.
pub(crate) async fn server(arguments: Server) -> Result<()> {
    let admin_password = match &arguments.admin_password_file {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Some(text.trim_end().to_owned())
        }
    };
    let config = cmdai_server::Config {
        organisation: arguments.organisation,
        console_listen: arguments.listen,
        machine_listen: arguments.machines,
        names: arguments.names,
        console_url: arguments.console_url,
        master_key: arguments.master_key,
        admin_password,
        people_sign: arguments.people_sign,
        silent_after: std::time::Duration::from_secs(arguments.silent_after),
        ..cmdai_server::Config::new(arguments.data.clone())
    };
    let running = cmdai_server::start(config).await?;
    let state = serde_json::json!({
        "console_url": running.console_url(),
        "machine_url": running.machine_url(),
        "pid": std::process::id(),
    });
    let note = arguments.data.join("running.json");
    std::fs::write(&note, serde_json::to_vec_pretty(&state)?)
        .with_context(|| format!("cannot write {}", note.display()))?;
    anstream::println!(
        "console   {}\nmachines  {}\ndata      {}",
        running.console_url(),
        running.machine_url(),
        arguments.data.display()
    );
    if running.first_password().is_some() {
        anstream::println!(
            "sign in   admin, password in {}",
            arguments.data.join("first-login.txt").display()
        );
    }
    let stopped = tokio::select! {
        result = crate::machine::told_to_stop() => result,
        result = running.failed() => result,
    };
    let _ = std::fs::remove_file(&note);
    running.stop().await?;
    stopped
}

/// Approves or denies a request; the password is asked again.
pub(crate) async fn decide(arguments: Decision, approve: bool) -> Result<()> {
    let client = client(&arguments.at)?;
    let path = format!("approvals/{}", arguments.id);
    let shown: Approval = client.get(&path, &[]).await?;
    anstream::eprintln!(
        "{} on {} in {}: {}",
        cmdai_gate::escape(&shown.user),
        cmdai_gate::escape(&shown.hostname),
        cmdai_gate::escape(&shown.cwd),
        cmdai_gate::escape(&shown.text)
    );
    if let Some(asked) = &shown.exception {
        anstream::eprintln!(
            "lifts {} for {} hours",
            cmdai_gate::escape(&asked.rules.join(", ")),
            asked.duration_s.div_ceil(3_600)
        );
    }
    let body = ApprovalDecision {
        approve,
        reason: arguments.reason,
        password: password()?,
        binding_hash: Some(shown.binding_hash),
    };
    let approval: Approval = client.post(&path, &body).await?;
    anstream::println!(
        "{}  {}  {} of {}  {}",
        approval.id,
        approval.status,
        approval.given,
        approval.needed,
        cmdai_gate::escape(&approval.text)
    );
    Ok(())
}

pub(crate) fn password() -> Result<String> {
    secret("CMDAI_PASSWORD", "your password again: ")
}

/// The organisation's policy.
pub(crate) async fn policy(arguments: Policy) -> Result<()> {
    let at = &arguments.at;
    let task = match arguments.task {
        PolicyTask::Keys { task } => return release::keys(at, task).await,
        PolicyTask::Rollout { task } => return release::rollout(at, task).await,
        PolicyTask::Draft { output } => return release::draft(at, &output).await,
        PolicyTask::Sign {
            draft,
            key,
            root,
            submit,
        } => return release::sign(at, draft, &key, root.as_deref(), submit).await,
        PolicyTask::Submit { draft } => return release::submit(at, &draft).await,
        PolicyTask::Simulate {
            file,
            format,
            fail_on_change,
        } => return release::simulate(at, &file, format, fail_on_change).await,
        PolicyTask::Review {
            agree,
            send_back,
            note,
        } => {
            let said = match (agree, send_back) {
                (Some(digest), _) => Some((true, digest)),
                (None, Some(digest)) => Some((false, digest)),
                (None, None) => None,
            };
            return release::review(at, said, note.unwrap_or_default()).await;
        }
        PolicyTask::Approvers { publish } => return release::approvers(at, publish).await,
        PolicyTask::Drop => return release::drop_draft(at).await,
        PolicyTask::Export { file, root } => return release::export(at, &file, root).await,
        PolicyTask::Plan { repo } => return release::plan(at, &repo).await,
        PolicyTask::Apply { repo, note, yes } => {
            return release::apply(at, &repo, note, yes).await;
        }
        other => other,
    };
    let client = client(at)?;
    match task {
        PolicyTask::Show => {
            let view: PolicyView = client.get("policy", &[]).await?;
            anstream::eprintln!(
                "version {} by {} at {}",
                view.version,
                view.published_by,
                view.published
            );
            anstream::print!("{}", view.source);
        }
        PolicyTask::Check { file } => {
            let source = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let check: PolicyCheck = client
                .post("policy/check", &PolicySource { source })
                .await?;
            for found in &check.diagnostics {
                let help = found
                    .help
                    .as_ref()
                    .map(|help| format!(" ({help})"))
                    .unwrap_or_default();
                anstream::println!(
                    "{}:{}:{} {}  {}{help}",
                    file.display(),
                    found.line,
                    found.column,
                    found.severity,
                    found.message
                );
            }
            for test in check.tests.iter().filter(|test| !test.passed) {
                anstream::println!(
                    "test failed: {}: expected {}, found {}",
                    cmdai_gate::escape(&test.command),
                    test.expected,
                    test.found
                );
            }
            anyhow::ensure!(check.valid, "{} cannot be published", file.display());
            anstream::println!("{} can be published", file.display());
        }
        PolicyTask::Publish {
            file,
            note,
            rollout,
            at_once,
        } => {
            let rollout = match rollout {
                Some(plan) => Some(
                    std::fs::read_to_string(&plan)
                        .with_context(|| format!("cannot read {}", plan.display()))?,
                ),
                None => at_once.then(String::new),
            };
            let source = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let now: PolicyView = client.get("policy", &[]).await?;
            let body = PolicyPublish {
                source,
                base_version: now.version,
                note,
                password: password()?,
                rollout,
                managed_by: None,
            };
            let view: PolicyView = client.post("policy", &body).await?;
            match &view.draft {
                Some(draft) if draft.awaits_review => {
                    anstream::println!("{}", release::awaits_review(draft));
                }
                Some(draft) => anstream::println!(
                    "version {} waits for {} signatures: `cmdai-enterprise policy sign --key NAME.key`",
                    draft.release,
                    draft.needed
                ),
                None => anstream::println!(
                    "version {} is signed and published; machines: {}",
                    view.version,
                    view.machines
                ),
            }
        }
        // All others have returned.
        _ => {}
    }
    Ok(())
}

/// One answer of the API as it is.
pub(crate) async fn api(arguments: Api) -> Result<()> {
    let client = client(&arguments.at)?;
    let answer: serde_json::Value = match arguments.post {
        None => client.get(&arguments.path, &[]).await?,
        Some(body) => {
            let body: serde_json::Value =
                serde_json::from_str(&body).context("the body is not JSON")?;
            client.post(&arguments.path, &body).await?
        }
    };
    anstream::println!("{answer}");
    Ok(())
}

/// Machines.
pub(crate) async fn fleet(arguments: Fleet) -> Result<()> {
    let client = client(&arguments.at)?;
    match arguments.task {
        FleetTask::List { format } => {
            let list: MachineList = client.get("machines", &[]).await?;
            for machine in &list.machines {
                match format {
                    Format::Json => anstream::println!("{}", serde_json::to_string(machine)?),
                    Format::Human => anstream::println!(
                        "{:<20} {:<18} {:<12} policy {:<5} {:<12} {}",
                        machine.machine_id,
                        cmdai_gate::escape(&machine.hostname),
                        machine.state,
                        machine.policy_version,
                        cmdai_gate::escape(&machine.person),
                        machine.last_seen.as_deref().unwrap_or("never seen")
                    ),
                }
            }
        }
        FleetTask::Token {
            person,
            teams,
            uses,
        } => {
            let body = NewEnrolmentToken {
                person,
                teams,
                labels: BTreeMap::new(),
                hours: 72,
                uses,
                password: Some(password()?),
            };
            let token: EnrolmentToken = client.post("enrolment-tokens", &body).await?;
            anstream::println!("{}\nholds until {}", token.command, token.expires);
        }
        FleetTask::Quarantine { machine, reason } => {
            quarantine(&client, &machine, true, reason).await?
        }
        FleetTask::Release { machine, reason } => {
            quarantine(&client, &machine, false, reason).await?
        }
        FleetTask::Revoke { machine, reason } => end(&client, &machine, "revoke", reason).await?,
        FleetTask::Retire { machine, reason } => end(&client, &machine, "retire", reason).await?,
    }
    Ok(())
}

async fn end(
    client: &crate::client::Client,
    machine: &str,
    how: &str,
    reason: String,
) -> Result<()> {
    let body = MachineEnd {
        reason,
        password: password()?,
    };
    let machine: Machine = client
        .post(&format!("machines/{machine}/{how}"), &body)
        .await?;
    anstream::println!("{}  {}", machine.machine_id, machine.state);
    Ok(())
}

async fn quarantine(
    client: &crate::client::Client,
    machine: &str,
    on: bool,
    reason: String,
) -> Result<()> {
    let body = QuarantineChange {
        on,
        reason,
        password: password()?,
    };
    let machine: Machine = client
        .post(&format!("machines/{machine}/quarantine"), &body)
        .await?;
    anstream::println!("{}  {}", machine.machine_id, machine.state);
    Ok(())
}
