//! The server's endpoints, as the courier calls them. No answer is read without a bound.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cmdai_api::ApiError;
use cmdai_api::machine::{
    ApprovalOpen, BatchHeader, Checkin, CheckinReply, EnrolReply, EnrolRequest, IngestReply,
    RenewReply, RenewRequest,
};
use cmdai_bundle::RepositoryFile;
use cmdai_schema::{Absent, Event};
use reqwest::{Client, Response, StatusCode, header};
use serde::de::DeserializeOwned;

use super::tls;
use crate::wire::Carry;

const MAX_ANSWER: u64 = 4 << 20;

/// Why a call brought nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The server asks for patience.
    Wait(Duration),
    /// The batch is too large for it.
    TooLarge,
    /// Everything else, in words.
    Failed(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wait(time) => write!(
                f,
                "the server is busy and asks to wait {} s",
                time.as_secs()
            ),
            Self::TooLarge => f.write_str("the server finds the batch too large"),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> CallError {
    CallError::Failed(format!("{error:#}"))
}

/// reqwest tells the cause in its sources only.
fn network(error: &reqwest::Error) -> CallError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    CallError::Failed(text)
}

async fn body(mut response: Response, limit: u64) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| network(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            return Err(CallError::Failed(format!(
                "the server's answer is longer than {limit} bytes"
            )));
        }
    }
    Ok(bytes)
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, CallError> {
    serde_json::from_slice(&body(response, MAX_ANSWER).await?)
        .map_err(|error| failed(format!("the server's answer is not understood: {error}")))
}

/// Turns a refusal into words.
async fn refused(response: Response) -> CallError {
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        return CallError::Wait(Duration::from_secs(seconds.unwrap_or(5u64).min(3600)));
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return CallError::TooLarge;
    }
    let message = json::<ApiError>(response)
        .await
        .map(|error| error.message)
        .unwrap_or_default();
    CallError::Failed(format!("the server answered {status} {message}"))
}

/// First contact.
pub(crate) async fn enrol(server: &str, pin: &str, request: &EnrolRequest) -> Result<EnrolReply> {
    let client = Client::builder()
        .tls_backend_preconfigured(tls::pinned(pin)?)
        .https_only(true)
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .context("cannot prepare the connection")?;
    let response = client
        .post(format!("{server}/v1/enrol"))
        .json(request)
        .send()
        .await;
    let response = response.map_err(|error| anyhow::anyhow!("{}", network(&error)))?;
    if !response.status().is_success() {
        bail!("{}", refused(response).await);
    }
    json(response)
        .await
        .map_err(|error| anyhow::anyhow!("{error}"))
}

/// Calls with the machine's certificate.
#[derive(Clone)]
pub(crate) struct Server {
    client: Client,
    address: String,
    machine_id: String,
}

/// Answer to an upload.
pub(crate) enum Upload {
    /// Stored up to here.
    Stored(u64),
    /// The chain does not fit; the server has this much.
    Mismatch(u64, String),
}

/// Answer to a request for approval.
pub(crate) enum Opened {
    /// The server knows it.
    Known,
    /// The server knows another machine's request by this id.
    Taken,
}

impl Server {
    pub(crate) fn new(carry: &Carry) -> Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::mutual(carry)?)
            .https_only(true)
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            // One connection for everything: one that answers no more is given up before the
            // requests on it are.
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(15))
            .build()
            .context("cannot prepare the connection")?;
        Ok(Self {
            client,
            address: carry.server.clone(),
            machine_id: carry.machine_id.clone(),
        })
    }

    pub(crate) async fn checkin(
        &self,
        checkin: &Checkin,
        hold: Duration,
    ) -> Result<CheckinReply, CallError> {
        let url = format!("{}/v1/checkin?wait={}", self.address, hold.as_secs());
        let response = self
            .client
            .post(url)
            .timeout(hold + Duration::from_secs(15))
            .json(checkin)
            .send()
            .await
            .map_err(|error| network(&error))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        json(response).await
    }

    pub(crate) async fn open(&self, request: &ApprovalOpen) -> Result<Opened, CallError> {
        let url = format!("{}/v1/approvals", self.address);
        let response = self
            .client
            .post(url)
            .json(request)
            .send()
            .await
            .map_err(|error| network(&error))?;
        // The same request sent again is no conflict.
        if response.status() == StatusCode::CONFLICT {
            return Ok(Opened::Taken);
        }
        if response.status().is_success() {
            return Ok(Opened::Known);
        }
        Err(refused(response).await)
    }

    /// The next certificate, for the key of this request.
    pub(crate) async fn renew(&self, csr_pem: &str) -> Result<String, CallError> {
        let request = RenewRequest {
            csr_pem: csr_pem.to_owned(),
        };
        let response = self
            .client
            .post(format!("{}/v1/renew", self.address))
            .json(&request)
            .send()
            .await
            .map_err(|error| network(&error))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        Ok(json::<RenewReply>(response).await?.certificate_pem)
    }

    /// Events, and what was dropped in front of them.
    pub(crate) async fn upload(
        &self,
        events: &[Event],
        dropped: Option<Absent>,
    ) -> Result<Upload, CallError> {
        let Some(first) = events.first() else {
            return Err(failed("an empty batch"));
        };
        let count = u32::try_from(events.len()).map_err(failed)?;
        let header = BatchHeader {
            version: 1,
            machine_id: self.machine_id.clone(),
            first_seq: first.envelope.seq,
            count,
            dropped,
        };
        let mut lines = serde_json::to_vec(&header).map_err(failed)?;
        for event in events {
            lines.push(b'\n');
            serde_json::to_writer(&mut lines, event).map_err(failed)?;
        }
        lines.push(b'\n');
        let packed = zstd::encode_all(lines.as_slice(), 3).map_err(failed)?;
        let url = format!("{}/v1/ingest", self.address);
        let response = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/zstd")
            .body(packed)
            .send()
            .await
            .map_err(|error| network(&error))?;
        match response.status() {
            status if status.is_success() => Ok(Upload::Stored(
                json::<IngestReply>(response).await?.acked_seq,
            )),
            StatusCode::CONFLICT => {
                let reply: IngestReply = json(response).await?;
                Ok(Upload::Mismatch(
                    reply.acked_seq,
                    reply.problem.unwrap_or_default(),
                ))
            }
            _ => Err(refused(response).await),
        }
    }

    /// The release as one file; nothing where the server knows no such thing.
    pub(crate) async fn bundle(&self, root: u64) -> Result<Option<Vec<u8>>, CallError> {
        let url = format!("{}/v1/release?root={root}", self.address);
        self.get(url, cmdai_bundle::MAX_BUNDLE).await
    }

    /// A file of the release; nothing where the server has none of this name.
    pub(crate) async fn file(&self, file: &RepositoryFile) -> Result<Option<Vec<u8>>, CallError> {
        let url = format!("{}/v1/tuf/{}", self.address, file.path());
        self.get(url, file.limit).await
    }

    /// What lies there, up to so many bytes; nothing where the server knows no such thing.
    async fn get(&self, url: String, limit: u64) -> Result<Option<Vec<u8>>, CallError> {
        let response = self
            .client
            .get(url)
            .send()
            .await
            .map_err(|error| network(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        body(response, limit).await.map(Some)
    }
}
