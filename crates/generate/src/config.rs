//! The parts of `~/.config/cmdai/config.toml` that generation reads.
//!
//! ```toml
//! [generate]
//! backends = ["intents", "local"]
//!
//! [[backend]]
//! name = "local"
//! kind = "openai"
//! url = "http://127.0.0.1:11434"
//! model = "qwen2.5-coder:1.5b"
//! timeout_s = 30
//! ```

use serde::Deserialize;
use toml::Spanned;

/// A mistake in the file, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.toml:{line}:{column}: {message}")]
pub struct ConfigError {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Protocol of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// `/v1/chat/completions`: Ollama, vLLM, llama.cpp, LM Studio, OpenAI.
    Openai,
}

impl BackendKind {
    /// The word in configurations and policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
        }
    }
}

/// A server with a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Name used in `generate.backends`.
    pub name: String,
    /// Protocol.
    pub kind: BackendKind,
    /// Base address without `/v1`.
    pub url: String,
    /// Model to ask for.
    pub model: String,
    /// Environment variable that holds the key.
    pub key_env: Option<String>,
    /// Seconds for the whole answer.
    pub timeout_s: u64,
    /// Seconds to connect.
    pub connect_timeout_s: u64,
    /// Ask for the answer piece by piece.
    pub stream: bool,
}

impl Backend {
    /// The address is written as one of this machine. Policies look at what it resolves to.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// What is configured about generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Names in the order in which they are asked.
    pub order: Vec<String>,
    /// The servers.
    pub backends: Vec<Backend>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            order: vec![Self::INTENTS.to_owned()],
            backends: Vec::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    generate: Section,
    #[serde(default)]
    backend: Vec<Spanned<Entry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    backends: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    kind: BackendKind,
    url: Spanned<String>,
    model: Spanned<String>,
    key_env: Option<Spanned<String>>,
    #[serde(default)]
    timeout_s: Option<Spanned<u64>>,
    #[serde(default)]
    connect_timeout_s: Option<Spanned<u64>>,
    #[serde(default)]
    stream: Option<bool>,
}

impl Config {
    /// Name of the built-in engine in `generate.backends`.
    pub const INTENTS: &'static str = "intents";

    /// Reads the text of the file. Other tables are left to others.
    ///
    /// # Errors
    /// The first mistake with its place.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fault(text, at, error.message().trim().to_owned())
        })?;
        let mut backends: Vec<Backend> = Vec::new();
        for entry in file.backend {
            let backend = backend(text, entry.into_inner(), &backends)?;
            backends.push(backend);
        }
        let order = match file.generate.backends {
            None => std::iter::once(Self::INTENTS.to_owned())
                .chain(backends.iter().map(|backend| backend.name.clone()))
                .collect(),
            Some(names) => {
                let mut order: Vec<String> = Vec::new();
                for name in names {
                    let at = name.span().start;
                    let name = name.into_inner();
                    if name != Self::INTENTS && !backends.iter().any(|backend| backend.name == name)
                    {
                        let known: Vec<&str> = std::iter::once(Self::INTENTS)
                            .chain(backends.iter().map(|backend| backend.name.as_str()))
                            .collect();
                        return Err(fault(
                            text,
                            at,
                            format!(
                                "no backend is named `{name}`; known are {}",
                                known.join(", ")
                            ),
                        ));
                    }
                    if order.contains(&name) {
                        return Err(fault(
                            text,
                            at,
                            format!("`{name}` stands twice; remove one"),
                        ));
                    }
                    order.push(name);
                }
                order
            }
        };
        Ok(Self { order, backends })
    }
}

fn backend(text: &str, entry: Entry, before: &[Backend]) -> Result<Backend, ConfigError> {
    let name = entry.name.get_ref().clone();
    if name.is_empty()
        || name == Config::INTENTS
        || before.iter().any(|backend| backend.name == name)
    {
        return Err(fault(
            text,
            entry.name.span().start,
            format!("`{name}` cannot name this backend; choose a name that is not taken"),
        ));
    }
    let at = entry.url.span().start;
    let url = entry.url.get_ref().trim_end_matches('/');
    let url = url
        .strip_suffix("/v1")
        .unwrap_or(url)
        .trim_end_matches('/')
        .to_owned();
    let host = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .unwrap_or("");
    if host.is_empty()
        || host.starts_with(['/', ':'])
        || url.contains(char::is_whitespace)
        || url.contains(['?', '#'])
    {
        return Err(fault(
            text,
            at,
            "`url` must be the base address, such as http://127.0.0.1:11434".to_owned(),
        ));
    }
    if host.split('/').next().unwrap_or("").contains('@') {
        return Err(fault(
            text,
            at,
            "`url` must not hold a password; give the key through `key_env`".to_owned(),
        ));
    }
    if let Some(key) = &entry.key_env {
        let fits = !key.get_ref().is_empty()
            && key
                .get_ref()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !fits {
            return Err(fault(
                text,
                key.span().start,
                "`key_env` is the name of a variable, never the key itself".to_owned(),
            ));
        }
        if url.starts_with("http://") && !is_loopback(&url) {
            return Err(fault(
                text,
                at,
                "a key would cross the network unencrypted; use https".to_owned(),
            ));
        }
    }
    if entry.model.get_ref().is_empty() {
        return Err(fault(
            text,
            entry.model.span().start,
            "`model` is empty; name the model to ask".to_owned(),
        ));
    }
    let seconds = |value: Option<Spanned<u64>>, default: u64, key: &str| match value {
        None => Ok(default),
        Some(value) if (1..=3600).contains(value.get_ref()) => Ok(*value.get_ref()),
        Some(value) => Err(fault(
            text,
            value.span().start,
            format!("`{key}` must be between 1 and 3600 seconds"),
        )),
    };
    Ok(Backend {
        name,
        kind: entry.kind,
        url,
        model: entry.model.into_inner(),
        key_env: entry.key_env.map(Spanned::into_inner),
        timeout_s: seconds(entry.timeout_s, 60, "timeout_s")?,
        connect_timeout_s: seconds(entry.connect_timeout_s, 3, "connect_timeout_s")?,
        stream: entry.stream.unwrap_or(true),
    })
}

/// The host of an address is this machine.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or("");
    let host = if let Some(inner) = authority.strip_prefix('[') {
        inner.split(']').next().unwrap_or("")
    } else {
        authority.split(':').next().unwrap_or("")
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn fault(text: &str, at: usize, message: String) -> ConfigError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
        + 1;
    ConfigError {
        line,
        column,
        message,
    }
}
