//! Starting and stopping.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use cmdai_api::console::Role;
use cmdai_bundle::{PublishError, Publisher, keys};
use cmdai_collector::{Collector, Quota};
use cmdai_detect::Rules;
use cmdai_respond::{Notifier, Settings};
use cmdai_store::sqlite::Sqlite;
use cmdai_store::{Account, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::app::{App, Bells};
use crate::approver_keys;
use crate::authority::Authority;
use crate::challenges::Challenges;
use crate::config::Config;
use crate::feed::Feed;
use crate::ledger::Ledger;
use crate::limiter::Limiter;
use crate::rollout::{self, Published};
use crate::site::Site;
use crate::vault::Vault;
use crate::{clock, jobs, machines, patience, people, secrets, tls, trail};

/// Time that requests in flight get when the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// File in the data folder with detection rules of the organisation's own.
const RULES_FILE: &str = "detections.yaml";
/// Tries to sign in or confirm within a minute, for each account.
const TRIES: usize = 5;
/// Wider bound within a minute, see [`App::floods`].
const FLOOD: usize = 100;
/// Passwords that are hashed at a time at sign-in.
const HASHING: usize = 4;
const MINUTE_MS: i64 = 60_000;

/// A server that runs.
pub struct Running {
    console_url: String,
    machine_url: String,
    first_password: Option<String>,
    stop: watch::Sender<bool>,
    handles: Vec<Handle<SocketAddr>>,
    servers: tokio::sync::Mutex<JoinSet<std::io::Result<()>>>,
    jobs: JoinSet<()>,
    store: Sqlite,
}

impl Running {
    /// Address of console and API, such as `http://127.0.0.1:8440`.
    pub fn console_url(&self) -> &str {
        &self.console_url
    }

    /// Address for machines, such as `https://127.0.0.1:8441`.
    pub fn machine_url(&self) -> &str {
        &self.machine_url
    }

    /// Password of the first administrator, where this start made one.
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// Waits until a listener fails.
    ///
    /// # Errors
    /// With what failed.
    pub async fn failed(&self) -> anyhow::Result<()> {
        match self.servers.lock().await.join_next().await {
            Some(Ok(Err(error))) => Err(error).context("a listener failed"),
            Some(Err(error)) => Err(error).context("a listener failed"),
            Some(Ok(Ok(()))) | None => bail!("a listener ended"),
        }
    }

    /// Stops: requests in flight end, jobs finish, the database is closed.
    ///
    /// # Errors
    /// Never at present.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        for handle in &self.handles {
            handle.graceful_shutdown(Some(GRACE));
        }
        let servers = self.servers.get_mut();
        while servers.join_next().await.is_some() {}
        let ended = tokio::time::timeout(GRACE, async {
            while self.jobs.join_next().await.is_some() {}
        })
        .await;
        if ended.is_err() {
            self.jobs.shutdown().await;
        }
        self.store.close().await;
        Ok(())
    }
}

/// Runs a server until `shutdown` is done or a listener fails.
///
/// # Errors
/// Where it cannot start, with what to do, or a listener fails.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let running = start(config).await?;
    let result = tokio::select! {
    () = shutdown => Ok(()),
    result = running.failed() => result};
    running.stop().await?;
    result
}

/// Starts a server.
///
/// # Errors
/// Where it cannot start, with what to do.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    // Somebody else in the process may have chosen already; theirs is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    prepare(&config.data_dir)?;
    let console = listen(config.console_listen, "console")?;
    let machine = listen(config.machine_listen, "machines")?;
    let (console_address, machine_address) = (console.local_addr()?, machine.local_addr()?);
    let sqlite = Sqlite::open(&config.data_dir.join("cmdai.db"))
        .await
        .with_context(|| format!("cannot open the database in {}", config.data_dir.display()))?;
    let store: Arc<dyn Store> = Arc::new(sqlite.clone());
    same_organisation(&*store, &config.organisation).await?;

    let folder = config.data_dir.join("keys");
    let master_key = config.master_key.clone();
    let vault = Vault::open_or_init(
        &*store,
        &master_key.unwrap_or_else(|| folder.join("master.key")),
    )
    .await?;
    let authority = Authority::open_or_init(&folder, &config.organisation)?;
    let ledger_key = keys::load_or_create(&folder.join("ledger.der"))?;
    let ledger = Ledger::open(&*store, &config.organisation, ledger_key.as_bytes()).await?;
    let releases = config.data_dir.join("releases");
    let publisher = match Publisher::open(&releases) {
        Err(PublishError::Missing(_)) if config.people_sign => Publisher::await_root(&releases)?,
        Err(PublishError::Missing(_)) => Publisher::init(&releases, &config.organisation).await?,
        other => other?,
    };
    let rules = rules(&config)?;
    let first_password = first_administrator(&*store, &config).await?;

    let site = Site::of(&config, console_address)?;
    let plain = console_address.ip().is_loopback();
    let console_url = format!(
        "{}://{}",
        if plain { "http" } else { "https" },
        host(console_address, &config.names)
    );
    let machine_url = format!("https://{}", host(machine_address, &config.names));
    let machine_tls = tls::for_machines(&authority, &config.names)?;
    let console_tls = if plain {
        None
    } else {
        Some(tls::for_people(&authority, &config.names)?)
    };
    let (stop, stopping) = watch::channel(false);
    let (refused, refusals) = mpsc::channel(1_024);
    let published = Published::read(&publisher)?;
    let app = Arc::new(App {
        collector: Collector::new(
            Arc::clone(&store),
            Quota::new(config.machine_rate, config.machine_burst),
        ),
        authority,
        publisher,
        publishing: tokio::sync::Mutex::default(),
        grant_key: keys::load_or_create(&folder.join("grant.der"))?,
        order_key: keys::load_or_create(&folder.join("order.der"))?,
        ledger,
        notifier: Notifier::new(Settings {
            console: Some(
                config
                    .console_url
                    .clone()
                    .unwrap_or_else(|| console_url.clone()),
            ),
            ..Settings::default()
        })?,
        feed: Feed::new(store.size().await?),
        site,
        vault,
        challenges: Challenges::default(),
        sign_ins: Limiter::new(TRIES, MINUTE_MS),
        floods: Limiter::new(FLOOD, MINUTE_MS),
        hashing: tokio::sync::Semaphore::new(HASHING),
        reads: Limiter::new(1, MINUTE_MS),
        once: Limiter::new(1, 60 * MINUTE_MS),
        policy: std::sync::Mutex::default(),
        bells: Bells::new(published),
        contacts: std::sync::Mutex::default(),
        detections: rules.list().to_vec(),
        refused,
        people: crate::roster::People::default(),
        machine_url: machine_url.clone(),
        stopping,
        store,
        config,
    });
    rollout::mend(&app).await?;
    people::policy::publish_first(&app).await?;
    approver_keys::follow_quietly(&app, trail::SERVER, "as the server started").await;
    let jobs = jobs::start(&app, rules, refusals);

    let patience = app.config.patience;
    let mut servers = JoinSet::new();
    let (console_handle, machine_handle) = (Handle::new(), Handle::new());
    let service =
        people::router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    match console_tls {
        None => {
            let server = axum_server::from_tcp(console)?.handle(console_handle.clone());
            servers.spawn(patience::bounded(server, patience).serve(service));
        }
        Some(tls) => {
            let server = axum_server::from_tcp_rustls(console, RustlsConfig::from_config(tls))?
                .map(|acceptor| acceptor.handshake_timeout(patience.handshake))
                .handle(console_handle.clone());
            servers.spawn(patience::bounded(server, patience).serve(service));
        }
    }
    let server = axum_server::from_tcp_rustls(machine, RustlsConfig::from_config(machine_tls))?
        .map(|acceptor| acceptor.handshake_timeout(patience.handshake))
        .handle(machine_handle.clone());
    servers.spawn(
        patience::bounded(server, patience).serve(machines::router(app).into_make_service()),
    );
    tracing::info!(
        console = console_url,
        machines = machine_url,
        "the server runs"
    );
    Ok(Running {
        console_url,
        machine_url,
        first_password,
        stop,
        handles: vec![console_handle, machine_handle],
        servers: servers.into(),
        jobs,
        store: sqlite,
    })
}

/// The data folder exists, is ours alone and can be written.
fn prepare(folder: &Path) -> anyhow::Result<()> {
    let make = |folder: &Path| {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    };
    make(folder)
        .and_then(|()| make(&folder.join("keys")))
        .and_then(|()| {
            let probe = folder.join(".writable");
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(probe)
        })
        .with_context(|| format!("cannot write in the data folder {}; choose another with --data or change its owner", folder.display()))
}

fn listen(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} of {} is in use (for {what}); stop what uses it or choose another",
            address.port(),
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("may not listen on {address} (for {what}); choose a port above 1023")
        }
        _ => anyhow::anyhow!("cannot listen on {address} (for {what}): {error}"),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The name by which others reach a listener.
fn host(address: SocketAddr, names: &[String]) -> String {
    match names.first() {
        Some(name) if !address.ip().is_loopback() => format!("{name}:{}", address.port()),
        _ if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

async fn same_organisation(store: &dyn Store, organisation: &str) -> anyhow::Result<()> {
    match store.setting("organisation").await? {
        Some(there) if there != organisation => {
            bail!(
                "the data folder belongs to the organisation {there:?}, not {organisation:?}; start with --organisation {there:?} or another folder"
            )
        }
        Some(_) => Ok(()),
        None => Ok(store.set_setting("organisation", organisation).await?),
    }
}

/// Built-in rules with the configured time of silence, and the organisation's own where the data
/// folder has a file of them.
fn rules(config: &Config) -> anyhow::Result<Rules> {
    let silent = format!(
        "alerts:\n  - id: sensor-silent\n    name: \"Sensor silent\"\n    condition: \"silent_for > {} seconds\"\n    severity: high\n    \
         by: machine\n    cooldown: 1h\n    summary: \"nothing was heard from {{hostname}} for {{window}}\"\n",
        config.silent_after.as_secs().max(1)
    );
    let builtin = Rules::builtin()?.with(Rules::parse(&silent)?);
    let path = config.data_dir.join(RULES_FILE);
    if !path.exists() {
        return Ok(builtin);
    }
    let text =
        secrets::read_small(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(builtin
        .with(Rules::parse(&text).with_context(|| format!("{} cannot be used", path.display()))?))
}

/// The first account of a new server. Returns the password where it was made here.
async fn first_administrator(store: &dyn Store, config: &Config) -> anyhow::Result<Option<String>> {
    if !store.accounts().await?.is_empty() {
        return Ok(None);
    }
    let (password, made) = match &config.admin_password {
        Some(password) => (password.clone(), false),
        None => (secrets::password()?, true),
    };
    anyhow::ensure!(
        password.chars().count() >= 12,
        "the administrator's password must have at least 12 characters"
    );
    if made {
        let path = config.data_dir.join("first-login.txt");
        if path.exists() {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot replace {}", path.display()))?;
        }
        secrets::write_private(
            &path,
            format!("login: admin\npassword: {password}\n").as_bytes(),
        )
        .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let hashed = password.clone();
    let account = Account {
        login: "admin".to_owned(),
        role: Role::Administrator,
        person: "admin".to_owned(),
        password_hash: tokio::task::spawn_blocking(move || secrets::hash_password(&hashed))
            .await??,
        initial: made,
        created_ms: clock::now_ms(),
        last_seen_ms: None,
        groups: Vec::new(),
        chat: None,
    };
    store.add_account(&account).await?;
    Ok(made.then_some(password))
}
