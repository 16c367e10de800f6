//! Servers that speak `/v1/chat/completions`: Ollama, vLLM, llama.cpp, LM Studio and others.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::permit::is_here;
use crate::stream::{self, Broken};
use crate::{
    Backend, Candidate, GenerateError, Generator, Outcome, Request, Tier, extract, prompt,
};

/// Takes secrets out of whatever is sent.
pub type Redactor = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Per mille: a model's guess is worth less than a request that was understood word by word.
const CONFIDENCE: u16 = 600;
/// Longest message of a server that is repeated, in characters.
const MESSAGE: usize = 200;

/// A server with a model.
pub struct OpenAi {
    backend: Backend,
    redactor: Redactor,
    agent: ureq::Agent,
}

/// What a health check found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// Models that the server offers.
    pub models: Vec<String>,
    /// The configured model is one of them.
    pub has_model: bool,
}

#[derive(Debug, Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
}

impl OpenAi {
    /// A client of the backend. Nothing is sent before it is asked.
    pub fn new(backend: Backend, redactor: Redactor) -> Self {
        let total = Duration::from_secs(backend.timeout_s);
        let mut builder = ureq::Agent::config_builder()
            .timeout_global(Some(total))
            .timeout_connect(Some(
                Duration::from_secs(backend.connect_timeout_s).min(total),
            ))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("cmdai/", env!("CARGO_PKG_VERSION")))
            .tls_config(
                TlsConfig::builder()
                    .root_certs(RootCerts::PlatformVerifier)
                    .build(),
            );
        if backend.is_local() {
            builder = builder.proxy(None);
        }
        Self {
            agent: builder.build().into(),
            backend,
            redactor,
        }
    }

    /// The same client for a policy that lets nothing leave the machine: it connects to addresses of
    /// the loopback only, whatever a name resolves to at that moment, and through no proxy.
    #[must_use]
    pub fn on_this_machine(mut self) -> Self {
        let config = self.agent.config().clone();
        let direct = ureq::Agent::config_builder()
            .timeout_global(config.timeouts().global)
            .timeout_connect(config.timeouts().connect)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("cmdai/", env!("CARGO_PKG_VERSION")))
            .tls_config(config.tls_config().clone())
            .proxy(None)
            .build();
        self.agent = ureq::Agent::with_parts(direct, DefaultConnector::default(), LoopbackOnly);
        self
    }

    /// Asks the server which models it has.
    ///
    /// # Errors
    /// Where it cannot be reached, refuses or answers something else.
    pub fn health(&self) -> Result<Health, GenerateError> {
        let url = format!("{}/v1/models", self.backend.url);
        let mut call = self
            .agent
            .get(&url)
            .config()
            .timeout_global(Some(Duration::from_secs(self.backend.timeout_s.min(5))))
            .build();
        if let Some(key) = self.key()? {
            call = call.header("authorization", format!("Bearer {key}"));
        }
        let mut response = call.call().map_err(|error| self.failed(&url, error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(stream::LONGEST)
            .read_to_string()
            .map_err(|error| self.failed(&url, error))?;
        if status != 200 {
            return Err(self.refused(status, &body));
        }
        let models: Models =
            serde_json::from_str(&body).map_err(|error| self.garbled(error.to_string()))?;
        let models: Vec<String> = models.data.into_iter().map(|model| model.id).collect();
        let has_model = models.iter().any(|model| {
            *model == self.backend.model
                || model.strip_suffix(":latest") == Some(self.backend.model.as_str())
        });
        Ok(Health { models, has_model })
    }

    fn key(&self) -> Result<Option<String>, GenerateError> {
        let Some(variable) = &self.backend.key_env else {
            return Ok(None);
        };
        match std::env::var(variable) {
            Ok(key) if !key.trim().is_empty() => Ok(Some(key.trim().to_owned())),
            _ => Err(GenerateError::NoKey {
                backend: self.backend.name.clone(),
                variable: variable.clone(),
            }),
        }
    }

    fn messages(&self, request: &Request) -> serde_json::Value {
        let mut messages = vec![json!({ "role": "system", "content": prompt::system(request) })];
        let clean = |text: &str| (self.redactor)(text);
        for turn in &request.earlier {
            messages.push(json!({ "role": "user", "content": clean(&turn.words) }));
            messages.push(json!({ "role": "assistant", "content": clean(&turn.command) }));
        }
        messages.push(json!({ "role": "user", "content": clean(&prompt::user(request)) }));
        serde_json::Value::Array(messages)
    }

    fn ask(&self, request: &Request, sink: &mut dyn FnMut(&str)) -> Result<String, GenerateError> {
        let url = format!("{}/v1/chat/completions", self.backend.url);
        let body = json!({ "model": self.backend.model, "messages": self.messages(request), "stream": self.backend.stream, "temperature": 0, "max_tokens": 512 }).to_string();
        let mut call = self
            .agent
            .post(&url)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream, application/json");
        if let Some(key) = self.key()? {
            call = call.header("authorization", format!("Bearer {key}"));
        }
        let mut response = call
            .send(body.as_bytes())
            .map_err(|error| self.failed(&url, error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let body = response
                .body_mut()
                .with_config()
                .limit(16 * 1024)
                .read_to_string()
                .unwrap_or_default();
            return Err(self.refused(status, &body));
        }
        // Some servers stream only when they like to.
        let streams = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.contains("event-stream"));
        let reader = response.body_mut().as_reader();
        let read = if streams {
            stream::events(reader, sink)
        } else {
            stream::whole(reader, sink)
        };
        read.map_err(|broken| match broken {
            Broken::Garbled(cause) => self.garbled(cause),
            Broken::Read(error) if is_timeout(&error) => self.timed_out(),
            Broken::Read(error) => self.garbled(error.to_string()),
        })
    }

    fn timed_out(&self) -> GenerateError {
        GenerateError::TimedOut {
            backend: self.backend.name.clone(),
            seconds: self.backend.timeout_s,
        }
    }

    fn garbled(&self, cause: String) -> GenerateError {
        GenerateError::Garbled {
            backend: self.backend.name.clone(),
            cause,
        }
    }

    fn failed(&self, url: &str, error: ureq::Error) -> GenerateError {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                GenerateError::Unreachable {
                    backend: self.backend.name.clone(),
                    url: url.to_owned(),
                    cause: "no connection in time".to_owned(),
                }
            }
            ureq::Error::Timeout(_) => self.timed_out(),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => self.garbled(error.to_string()),
            other => GenerateError::Unreachable {
                backend: self.backend.name.clone(),
                url: url.to_owned(),
                cause: other.to_string(),
            },
        }
    }

    fn refused(&self, status: u16, body: &str) -> GenerateError {
        let value: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let said = value
            .as_ref()
            .and_then(|value| value.get("error"))
            .map(|error| {
                error
                    .get("message")
                    .and_then(serde_json::Value::as_str)
                    .map_or_else(|| error.as_str().unwrap_or("").to_owned(), str::to_owned)
            });
        let message = said
            .filter(|said| !said.is_empty())
            .unwrap_or_else(|| body.to_owned());
        let message: String = message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(MESSAGE)
            .collect();
        let cure = match status {
            401 | 403 => "check the key in the variable of `key_env`",
            404 => "check `url` and `model`, and that the server has the model",
            429 => "wait, or use another backend",
            300..=399 => "set `url` to the address that it redirects to",
            500..=599 => "look into the server's log, or use another backend",
            _ => "check `url` and `model`",
        };
        let message = if message.is_empty() {
            "nothing more".to_owned()
        } else {
            (self.redactor)(&message)
        };
        GenerateError::Refused {
            backend: self.backend.name.clone(),
            status,
            message,
            cure,
        }
    }
}

/// Resolves names and gives nothing where an address is not of this machine.
#[derive(Debug)]
struct LoopbackOnly;

impl Resolver for LoopbackOnly {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        match found.iter().find(|address| !is_here(address.ip())) {
            None => Ok(found),
            Some(address) => Err(ureq::Error::Io(std::io::Error::new(
                std::io::ErrorKind::PermissionDenied,
                format!(
                    "policy lets nothing leave this machine, and this is {}",
                    address.ip()
                ),
            ))),
        }
    }
}

/// A time-out that came while the body was read.
fn is_timeout(error: &std::io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ureq::Error>());
    matches!(inner, Some(ureq::Error::Timeout(_)))
        || matches!(
            error.kind(),
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock
        )
}

impl Generator for OpenAi {
    fn name(&self) -> &str {
        &self.backend.name
    }

    fn tier(&self) -> Tier {
        Tier::Server
    }

    fn endpoint(&self) -> Option<&str> {
        Some(&self.backend.url)
    }

    fn model(&self) -> Option<&str> {
        Some(&self.backend.model)
    }

    fn protocol(&self) -> Option<&str> {
        Some(self.backend.kind.as_str())
    }

    fn generate(
        &self,
        request: &Request,
        sink: &mut dyn FnMut(&str),
    ) -> Result<Outcome, GenerateError> {
        let text = self.ask(request, sink)?;
        Ok(match extract(&text) {
            Ok(found) => Outcome::Candidates {
                candidates: vec![Candidate {
                    command: found.command,
                    tier: Tier::Server,
                    confidence: CONFIDENCE,
                    explanation: found.explanation,
                    citations: vec![format!("{}: {}", self.backend.name, self.backend.model)],
                }],
            },
            Err(why) => Outcome::Abstained { why },
        })
    }
}
