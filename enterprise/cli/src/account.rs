//! Signing in, and the token that the other commands use.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use cmdai_api::console::{
    Confirmation, FactorList, Me, NewTotp, PasswordChange, RecoveryCodes, TokenList, TotpCode,
    TotpMade,
};

use crate::arguments::{Account, AccountTask, At, Login};
use crate::client::Client;

/// What `login` keeps, readable by the person only.
#[derive(Serialize, Deserialize)]
struct Kept {
    server: String,
    token: String,
}

fn file() -> PathBuf {
    cmdai_gate::Person::current().config.join("enterprise.json")
}

/// Signs in and keeps a token.
pub(crate) async fn login(arguments: Login) -> Result<()> {
    let password = secret(
        "CMDAI_PASSWORD",
        &format!("password of {}: ", arguments.login),
    )?;
    let name = format!("cmdai-enterprise on {}", hostname());
    let (client, expires) = Client::sign_in(
        &arguments.server,
        &arguments.login,
        &password,
        &name,
        arguments.days,
    )
    .await?;
    let kept = Kept {
        server: arguments.server.clone(),
        token: client.token().to_owned(),
    };
    let path = file();
    let folder = path.parent().context("no place for settings")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut written = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    written.write_all(&serde_json::to_vec_pretty(&kept)?)?;
    anstream::println!(
        "signed in to {} as {}; the token holds until {expires}",
        arguments.server,
        arguments.login
    );
    Ok(())
}

/// What only a person may do, by their password and not by a token.
pub(crate) async fn account(arguments: Account) -> Result<()> {
    let kept = kept();
    let server = match (&arguments.at.server, &kept) {
        (Some(server), _) => server.clone(),
        (None, Ok(kept)) => kept.server.clone(),
        (None, Err(_)) => "http://127.0.0.1:8440".to_owned(),
    };
    let login = match &arguments.login {
        Some(login) => login.clone(),
        None => {
            let me: Me = client(&arguments.at)?.get("session", &[]).await?;
            me.login
        }
    };
    let password = secret("CMDAI_PASSWORD", &format!("password of {login}: "))?;
    let session = Client::session(&server, &login, &password).await?;
    match arguments.task {
        AccountTask::Password => {
            let new_password = secret("CMDAI_NEW_PASSWORD", "new password: ")?;
            let body = PasswordChange {
                password,
                new_password,
            };
            session.post_nothing("password", &body).await?;
            anstream::println!(
                "the password of {login} is changed; every other session and token ended: run `cmdai-enterprise login` again"
            );
        }
        AccountTask::Totp { name } => {
            let body = NewTotp { name, password };
            let made: TotpMade = session.post("factors/totp", &body).await?;
            anstream::println!("secret  {}\naddress {}", made.secret, made.uri);
            let code = secret("CMDAI_CODE", "first code of the app: ")?;
            let path = format!("factors/totp/{}", made.id);
            let code = TotpCode {
                code: code.trim().to_owned(),
            };
            let codes: RecoveryCodes = session.post(&path, &code).await?;
            anstream::println!("recovery codes, each good once:");
            for code in codes.codes {
                anstream::println!("  {code}");
            }
        }
        AccountTask::Factors => {
            let list: FactorList = session.get("factors", &[]).await?;
            for factor in &list.factors {
                let state = if factor.confirmed {
                    ""
                } else {
                    "  (not confirmed)"
                };
                anstream::println!(
                    "{}  {:<9} {}{state}",
                    factor.id,
                    factor.kind,
                    cmdai_gate::escape(&factor.name)
                );
            }
            anstream::println!("recovery codes left: {}", list.recovery_codes);
        }
        AccountTask::RemoveFactor { id } => {
            let body = Confirmation { password };
            session
                .post_nothing(&format!("factors/{id}/remove"), &body)
                .await?;
            anstream::println!("removed");
        }
        AccountTask::Tokens => {
            let list: TokenList = session.get("tokens", &[]).await?;
            for token in &list.tokens {
                anstream::println!(
                    "{}  {:<12} until {}  {}",
                    token.id,
                    token.login,
                    token.expires,
                    cmdai_gate::escape(&token.name)
                );
            }
        }
        AccountTask::EndToken { id } => {
            session.delete(&format!("tokens/{id}")).await?;
            anstream::println!("ended");
        }
    }
    Ok(())
}

fn kept() -> Result<Kept> {
    let path = file();
    let bytes = std::fs::read(&path).context("not signed in")?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// The client of the last `login`, or of `CMDAI_TOKEN` at the named server.
pub(crate) fn client(at: &At) -> Result<Client> {
    if let Ok(token) = std::env::var("CMDAI_TOKEN") {
        let server = at
            .server
            .clone()
            .unwrap_or_else(|| "http://127.0.0.1:8440".to_owned());
        return Client::new(&server, token);
    }
    let path = file();
    let Ok(bytes) = std::fs::read(&path) else {
        bail!(
            "not signed in: run `cmdai-enterprise login --server ADDRESS` first, or set CMDAI_TOKEN"
        );
    };
    let kept: Kept = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} is damaged: run `cmdai-enterprise login` again",
            path.display()
        )
    })?;
    match &at.server {
        Some(server) if *server != kept.server => {
            bail!(
                "signed in to {}, not to {server}: run `cmdai-enterprise login --server {server}` first",
                kept.server
            )
        }
        _ => Client::new(&kept.server, kept.token),
    }
}

/// A secret from a variable, or typed where there is a terminal.
pub(crate) fn secret(variable: &str, question: &str) -> Result<String> {
    if let Ok(value) = std::env::var(variable) {
        return Ok(value);
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("nobody can be asked here: set {variable}");
    }
    anstream::eprint!("{question}");
    std::io::stderr().flush()?;
    let before = rustix::termios::tcgetattr(&stdin).context("the terminal cannot be read")?;
    let mut silent = before.clone();
    silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &silent)?;
    let mut typed = String::new();
    let read = stdin.lock().read_line(&mut typed);
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &before)?;
    anstream::eprintln!();
    read?;
    Ok(typed.trim_end_matches('\n').to_owned())
}

/// This machine's name.
pub(crate) fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
