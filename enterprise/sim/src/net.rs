//! The server's endpoints, as machines call them.

use std::time::Duration;

use anyhow::{Result, anyhow};
use cmdai_api::machine::{
    ApprovalOpen, BatchHeader, Checkin, CheckinReply, EnrolReply, EnrolRequest, IngestReply,
};
use cmdai_schema::Event;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, header};
use rustls::ClientConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 8 << 20;
/// Most events in an upload.
pub(crate) const BATCH: usize = 400;

/// Why a call brought nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server asks for patience.
    Wait(Duration),
    /// Everything else, in words.
    Failed(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wait(time) => write!(f, "the server asks to wait {} s", time.as_secs()),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

/// Answer to an upload.
pub(crate) enum Upload {
    /// Stored up to here.
    Stored(u64),
    /// The chain does not fit; this much is stored.
    Refused(u64, String),
}

/// One machine's connection.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: Client,
    address: String,
}

fn words(error: &reqwest::Error) -> Trouble {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Trouble::Failed(cause.to_string())
}

async fn body(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_ANSWER {
            return Err(Trouble::Failed(format!(
                "an answer is longer than {MAX_ANSWER} bytes"
            )));
        }
    }
    Ok(bytes)
}

async fn refused(response: Response) -> Trouble {
    let status = response.status();
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        let seconds = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        return Trouble::Wait(Duration::from_secs(seconds.unwrap_or(2u64).clamp(1, 300)));
    }
    let text = body(response).await.unwrap_or_default();
    let error: Option<cmdai_api::ApiError> = serde_json::from_slice(&text).ok();
    Trouble::Failed(format!(
        "{status} {}",
        error.map(|error| error.message).unwrap_or_default()
    ))
}

async fn send(request: RequestBuilder) -> Result<Response, Trouble> {
    let response = request.send().await.map_err(|error| words(&error))?;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(refused(response).await)
    }
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, Trouble> {
    serde_json::from_slice(&body(response).await?)
        .map_err(|error| Trouble::Failed(format!("an answer is not understood: {error}")))
}

fn builder(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(15))
}

impl Server {
    /// `idle`: how long an unused connection is kept; short in large fleets, to bound open files.
    pub(crate) fn new(address: &str, tls: ClientConfig, idle: Duration) -> Result<Self> {
        let client = builder(tls)
            .pool_idle_timeout(idle)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self {
            client,
            address: address.trim_end_matches('/').to_owned(),
        })
    }

    fn post(&self, path: &str, value: &impl Serialize) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.address))
            .json(value)
    }

    pub(crate) async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolReply, Trouble> {
        json(send(self.post("/v1/enrol", request)).await?).await
    }

    pub(crate) async fn checkin(&self, checkin: &Checkin) -> Result<CheckinReply, Trouble> {
        json(send(self.post("/v1/checkin?wait=0", checkin)).await?).await
    }

    /// [`Server::checkin`], held open by the server.
    pub(crate) async fn wait(
        &self,
        checkin: &Checkin,
        seconds: u32,
    ) -> Result<CheckinReply, Trouble> {
        json(send(self.post(&format!("/v1/checkin?wait={seconds}"), checkin)).await?).await
    }

    /// The release as one file; nothing where the server knows no such thing.
    pub(crate) async fn bundle(&self, root: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let request = self
            .client
            .get(format!("{}/v1/release?root={root}", self.address));
        let response = request.send().await.map_err(|error| words(&error))?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => body(response).await.map(Some),
            _ => Err(refused(response).await),
        }
    }

    pub(crate) async fn open(&self, request: &ApprovalOpen) -> Result<(), Trouble> {
        send(self.post("/v1/approvals", request)).await.map(|_| ())
    }

    /// A file of the release; nothing where there is none.
    pub(crate) async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let response = self
            .client
            .get(format!("{}/v1/tuf/{path}", self.address))
            .send()
            .await
            .map_err(|error| words(&error))?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => body(response).await.map(Some),
            _ => Err(refused(response).await),
        }
    }

    pub(crate) async fn upload(
        &self,
        machine_id: &str,
        events: &[&Event],
    ) -> Result<Upload, Trouble> {
        let packed =
            pack(machine_id, events).map_err(|error| Trouble::Failed(error.to_string()))?;
        let request = self
            .client
            .post(format!("{}/v1/ingest", self.address))
            .header(header::CONTENT_TYPE, "application/zstd")
            .body(packed);
        let response = request.send().await.map_err(|error| words(&error))?;
        match response.status() {
            StatusCode::CONFLICT => {
                let reply: IngestReply = json(response).await?;
                Ok(Upload::Refused(
                    reply.acked_seq,
                    reply.problem.unwrap_or_default(),
                ))
            }
            status if status.is_success() => Ok(Upload::Stored(
                json::<IngestReply>(response).await?.acked_seq,
            )),
            _ => Err(refused(response).await),
        }
    }
}

fn pack(machine_id: &str, events: &[&Event]) -> Result<Vec<u8>> {
    let first = events.first().ok_or_else(|| anyhow!("an empty upload"))?;
    let count = u32::try_from(events.len())?;
    let mut lines = serde_json::to_vec(&BatchHeader {
        version: 1,
        machine_id: machine_id.to_owned(),
        first_seq: first.envelope.seq,
        count,
        dropped: None,
    })?;
    for event in events {
        lines.push(b'\n');
        serde_json::to_writer(&mut lines, event)?;
    }
    lines.push(b'\n');
    Ok(zstd::encode_all(lines.as_slice(), 3)?)
}
