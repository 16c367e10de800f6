//! Signing in, and the token that the other commands use.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::arguments::{At, Login};
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
