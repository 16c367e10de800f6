//! The demo's own webhook receiver: when did which alert arrive?

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longest request that is taken.
const LIMIT: usize = 1024 * 1024;

/// Listens on loopback and remembers each alert's first arrival.
pub(crate) struct Telephone {
    port: u16,
    calls: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl Telephone {
    /// Starts listening on a free port.
    pub(crate) async fn answer() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port for the demo's webhook")?;
        let port = listener.local_addr()?.port();
        let calls: Arc<Mutex<HashMap<String, Timestamp>>> = Arc::default();
        let heard = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heard = Arc::clone(&heard);
                tokio::spawn(async move {
                    if let Ok(Some(id)) = listen(stream).await
                        && let Ok(mut heard) = heard.lock()
                    {
                        heard.entry(id).or_insert_with(Timestamp::now);
                    }
                });
            }
        });
        Ok(Self { port, calls })
    }

    /// Where to call.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/alerts", self.port)
    }

    /// When an alert first arrived.
    pub(crate) fn heard(&self, alert: &str) -> Option<Timestamp> {
        self.calls.lock().ok()?.get(alert).copied()
    }
}

/// Reads one request and answers it; the alert's id where the body names one.
async fn listen(mut stream: TcpStream) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; 8192];
    let body = loop {
        let read = stream.read(&mut piece).await?;
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        if let Some(body) = body(&bytes) {
            break body.to_vec();
        }
        if read == 0 || bytes.len() > LIMIT {
            return Ok(None);
        }
    };
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        .await?;
    let value: Value = serde_json::from_slice(&body)?;
    Ok(alert_id(&value))
}

/// The id of the alert in a notification.
fn alert_id(value: &Value) -> Option<String> {
    let alert = value
        .get("alert")
        .or_else(|| value.get("data"))
        .unwrap_or(value);
    alert.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// The body, once it is whole.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())?;
    bytes.get(end + 4..end + 4 + length)
}
