//! Exceptions, emergencies and accounts.

use anyhow::Result;
use cmdai_api::console::{
    Emergency, EmergencyList, ExceptionList, ExceptionView, NewUser, Review, Revocation, Role,
    User, UserChange, UserList,
};

use crate::account::{client, secret};
use crate::arguments::{
    Emergencies, EmergenciesTask, Exceptions, ExceptionsTask, Format, RoleWord, Users, UsersTask,
};
use crate::plane::password;

/// Exceptions.
pub(crate) async fn exceptions(arguments: Exceptions) -> Result<()> {
    let client = client(&arguments.at)?;
    match arguments.task {
        ExceptionsTask::List { format } => {
            let list: ExceptionList = client.get("exceptions", &[]).await?;
            for one in &list.exceptions {
                match format {
                    Format::Json => anstream::println!("{}", serde_json::to_string(one)?),
                    Format::Human => print_exception(one),
                }
            }
        }
        ExceptionsTask::Revoke { id, reason } => {
            let body = Revocation {
                reason,
                password: password()?,
            };
            let one: ExceptionView = client
                .post(&format!("exceptions/{id}/revoke"), &body)
                .await?;
            print_exception(&one);
        }
    }
    Ok(())
}

fn print_exception(one: &ExceptionView) {
    anstream::println!(
        "{}  {:<8} {:<12} {:<16} until {}  last used {}  {}",
        one.id,
        one.status,
        cmdai_gate::escape(&one.user),
        cmdai_gate::escape(&one.hostname),
        one.until,
        one.last_used.as_deref().unwrap_or("never"),
        cmdai_gate::escape(&one.lifts.rules.join(", "))
    );
}

/// Emergencies.
pub(crate) async fn emergencies(arguments: Emergencies) -> Result<()> {
    let client = client(&arguments.at)?;
    match arguments.task {
        EmergenciesTask::List { format } => {
            let list: EmergencyList = client.get("emergencies", &[]).await?;
            for one in &list.emergencies {
                match format {
                    Format::Json => anstream::println!("{}", serde_json::to_string(one)?),
                    Format::Human => print_emergency(one),
                }
            }
        }
        EmergenciesTask::Review { id, verdict, note } => {
            let body = Review {
                verdict,
                note,
                password: password()?,
            };
            let one: Emergency = client
                .post(&format!("emergencies/{id}/review"), &body)
                .await?;
            print_emergency(&one);
        }
    }
    Ok(())
}

fn print_emergency(one: &Emergency) {
    anstream::println!(
        "{}  {:<8} {:<12} {:<16} review by {}  {}  ({})",
        one.id,
        one.status,
        cmdai_gate::escape(&one.user),
        cmdai_gate::escape(&one.hostname),
        one.due,
        cmdai_gate::escape(&one.text),
        cmdai_gate::escape(one.reason.as_deref().unwrap_or("no reason"))
    );
}

const fn role(word: RoleWord) -> Role {
    match word {
        RoleWord::Viewer => Role::Viewer,
        RoleWord::Auditor => Role::Auditor,
        RoleWord::Security => Role::Security,
        RoleWord::Administrator => Role::Administrator,
    }
}

/// Accounts.
pub(crate) async fn users(arguments: Users) -> Result<()> {
    let client = client(&arguments.at)?;
    match arguments.task {
        UsersTask::List { format } => {
            let list: UserList = client.get("users", &[]).await?;
            for user in &list.users {
                match format {
                    Format::Json => anstream::println!("{}", serde_json::to_string(user)?),
                    Format::Human => print_user(user),
                }
            }
        }
        UsersTask::Add {
            login,
            person,
            role: word,
            groups,
        } => {
            let body = NewUser {
                password: secret("CMDAI_NEW_PASSWORD", &format!("password for {login}: "))?,
                login,
                role: role(word),
                person,
                groups: Some(groups),
                your_password: Some(password()?),
            };
            let user: User = client.post("users", &body).await?;
            print_user(&user);
        }
        UsersTask::Change {
            login,
            role: word,
            groups,
            no_groups,
            chat,
            reset_factors,
        } => {
            let body = UserChange {
                role: word.map(role),
                groups: (no_groups || !groups.is_empty()).then_some(groups),
                chat,
                reset_factors: reset_factors.then_some(true),
                password: password()?,
            };
            let user: User = client.post(&format!("users/{login}"), &body).await?;
            print_user(&user);
        }
    }
    Ok(())
}

fn print_user(user: &User) {
    anstream::println!(
        "{:<16} {:<14} {:<16} {:<10} {}",
        cmdai_gate::escape(&user.login),
        user.role.as_str(),
        cmdai_gate::escape(&user.person),
        if user.second_factor {
            "2 factors"
        } else {
            "password"
        },
        cmdai_gate::escape(&user.groups.join(", "))
    );
}
