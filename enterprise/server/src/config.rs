//! What the server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of a server. [`Config::new`] has sensible ones for all but the folder.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder with everything the server keeps; made where it is missing.
    pub data_dir: PathBuf,
    /// Organisation; fixed at the first start.
    pub organisation: String,
    /// Address of console and API. Plain HTTP on loopback only, TLS elsewhere. Port 0: any.
    pub console_listen: SocketAddr,
    /// Address for machines, mutual TLS. Port 0: any.
    pub machine_listen: SocketAddr,
    /// Names and addresses that machines know the server by, beside `localhost` and `127.0.0.1`.
    pub names: Vec<String>,
    /// Address under which browsers show the console, such as `https://console.example.com`; made
    /// from the first name and the port where it is missing. Security keys are bound to its host.
    pub console_url: Option<String>,
    /// File with the master key that secrets at rest are sealed with; `keys/master.key` in the data
    /// folder where it is missing. Keep it away from the data folder's copies.
    pub master_key: Option<PathBuf>,
    /// Password of the first administrator; made at random where it is missing.
    pub admin_password: Option<String>,
    /// Folder with a built console to serve instead of the embedded one.
    pub console_dist: Option<PathBuf>,
    /// Time without contact after which a machine counts as silent.
    pub silent_after: Duration,
    /// At the first start: the server makes no key that can sign a policy; people make the root.
    pub people_sign: bool,
    /// Days that a machine's certificate holds. It is renewed in the last third.
    pub machine_days: u16,
    /// How long clients may take.
    pub patience: Patience,
    /// Events a second that one machine may send on the long run.
    pub machine_rate: u32,
    /// Events that one machine may send at once.
    pub machine_burst: u32,
}

/// How long a client may take before its connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, the first and every later one; also how long a connection may wait
    /// between two requests, and a client may leave a sign of life unanswered.
    pub head: Duration,
    /// For all of a request, body included, until its answer begins. A contact is held for 30 s of it.
    pub request: Duration,
}

impl Default for Patience {
    /// 10 s, 30 s and 120 s.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            request: Duration::from_secs(120),
        }
    }
}

impl Config {
    /// Settings for a folder: loopback, ports 8440 (console) and 8441 (machines).
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            organisation: "acme".to_owned(),
            console_listen: SocketAddr::from(([127, 0, 0, 1], 8440)),
            machine_listen: SocketAddr::from(([127, 0, 0, 1], 8441)),
            names: Vec::new(),
            console_url: None,
            master_key: None,
            admin_password: None,
            console_dist: None,
            silent_after: Duration::from_secs(300),
            people_sign: false,
            machine_days: 365,
            patience: Patience::default(),
            machine_rate: 2_000,
            machine_burst: 50_000,
        }
    }
}
