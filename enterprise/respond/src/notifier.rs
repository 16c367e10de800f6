//! Sending, with time-outs and further tries.

use std::time::Duration;

use cmdai_api::console::{Alert, Approval, Channel, Delivery};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use url::{Host, Url};

use crate::message::{Message, severity_reaches};
use crate::sign::sign;

/// How hard to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// For one try, connection included.
    pub timeout: Duration,
    /// Most tries, the first included.
    pub attempts: u32,
    /// Wait before the second try; doubles with each.
    pub first_delay: Duration,
    /// Longest wait between two tries, whatever the receiver asks for.
    pub longest_delay: Duration,
    /// Address of the console, for links.
    pub console: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempts: 6,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(60),
            console: None,
        }
    }
}

/// A channel that cannot be used, or a notifier that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// No such kind of channel.
    #[error("channels of kind {0:?} do not exist; use `webhook` or `slack`")]
    Kind(String),
    /// Not an address.
    #[error("the channel's address is wrong: {0}")]
    Url(String),
    /// No such severity.
    #[error("{0:?} is not a severity; use low, medium, high or critical")]
    Severity(String),
    /// No HTTP client.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Checks a channel before it is stored.
///
/// # Errors
/// Where its kind, address or severity is not one that works. Plain HTTP is for this machine only.
pub fn check_channel(channel: &Channel) -> Result<(), NotifyError> {
    if !["webhook", "slack"].contains(&channel.kind.as_str()) {
        return Err(NotifyError::Kind(channel.kind.clone()));
    }
    if !["low", "medium", "high", "critical"].contains(&channel.min_severity.as_str()) {
        return Err(NotifyError::Severity(channel.min_severity.clone()));
    }
    address(&channel.url).map(|_| ())
}

fn address(text: &str) -> Result<Url, NotifyError> {
    let url = Url::parse(text).map_err(|error| NotifyError::Url(error.to_string()))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        other => Err(NotifyError::Url(format!(
            "{other}:// is not allowed; use https://"
        ))),
    }
}

/// Tells channels.
#[derive(Debug, Clone)]
pub struct Notifier {
    client: Client,
    settings: Settings,
}

/// What came of one try.
struct Try {
    status: Option<u16>,
    error: Option<String>,
    again: bool,
    wait: Option<Duration>,
}

impl Notifier {
    /// A notifier with its own connections. Redirects are not followed: a signed body goes to the
    /// address that was written down, or nowhere.
    ///
    /// # Errors
    /// Where the HTTP client cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, NotifyError> {
        // Somebody else in the process may have chosen already; theirs is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder()
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("cmdai/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, settings })
    }

    /// Tells every channel that is used and that the alert's severity reaches; `log` gets a record
    /// for each try. True where at least one channel took it. Tells them at the same time, so
    /// that a slow one delays nobody.
    pub async fn notify(
        &self,
        channels: &[Channel],
        alert: &Alert,
        log: impl Fn(Delivery) + Clone + Send + 'static,
    ) -> bool {
        let message = Message::alert(alert, self.settings.console.as_deref(), &now());
        self.tell(channels, message, log).await
    }

    /// Tells the same channels of a request for approval; its risk is the severity.
    pub async fn notify_request(
        &self,
        channels: &[Channel],
        approval: &Approval,
        log: impl Fn(Delivery) + Clone + Send + 'static,
    ) -> bool {
        let message = Message::request(approval, self.settings.console.as_deref(), &now());
        self.tell(channels, message, log).await
    }

    async fn tell(
        &self,
        channels: &[Channel],
        message: Message,
        log: impl Fn(Delivery) + Clone + Send + 'static,
    ) -> bool {
        let mut tasks = tokio::task::JoinSet::new();
        for channel in channels {
            if !channel.enabled || !severity_reaches(&message.severity, &channel.min_severity) {
                continue;
            }
            let (this, channel, message, log) =
                (self.clone(), channel.clone(), message.clone(), log.clone());
            tasks.spawn(async move { this.send(&channel, &message, log).await });
        }
        let mut taken = false;
        while let Some(result) = tasks.join_next().await {
            taken |= result.unwrap_or(false);
        }
        taken
    }

    /// The test button: one try, whatever the severity and even where the channel is not used.
    pub async fn test(&self, channel: &Channel, organisation: &str) -> Delivery {
        let message = Message::test(organisation, &now());
        let outcome = self.once(channel, &message).await;
        delivery(channel, &message, 1, &outcome)
    }

    /// Tells one channel, with further tries where that helps. True where it took the message.
    pub async fn send(&self, channel: &Channel, message: &Message, log: impl Fn(Delivery)) -> bool {
        let mut delay = self.settings.first_delay;
        for attempt in 1..=self.settings.attempts.max(1) {
            let outcome = self.once(channel, message).await;
            log(delivery(channel, message, attempt, &outcome));
            if outcome.error.is_none() {
                return true;
            }
            tracing::warn!(
                channel = channel.id,
                alert = message.alert,
                attempt,
                status = outcome.status,
                error = outcome.error,
                "notification failed"
            );
            if !outcome.again || attempt >= self.settings.attempts {
                return false;
            }
            let wait = outcome
                .wait
                .unwrap_or(delay)
                .max(delay)
                .min(self.settings.longest_delay);
            tokio::time::sleep(wait).await;
            delay = delay.saturating_mul(2);
        }
        false
    }

    async fn once(&self, channel: &Channel, message: &Message) -> Try {
        let failed = |error: String, again| Try {
            status: None,
            error: Some(error),
            again,
            wait: None,
        };
        let url = match check_channel(channel).and_then(|()| address(&channel.url)) {
            Ok(url) => url,
            Err(error) => return failed(error.to_string(), false),
        };
        let slack = channel.kind == "slack";
        let body = if slack {
            message.slack.to_string()
        } else {
            message.body.to_string()
        };
        let timestamp = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp);
        if let Some(secret) = channel
            .secret
            .as_deref()
            // Slack's secret signs what comes from there, nothing else.
            .filter(|secret| !secret.is_empty() && !slack)
        {
            request = request.header(
                "webhook-signature",
                sign(secret, &message.id, timestamp, body.as_bytes()),
            );
        }
        let reply = match request.body(body).send().await {
            Ok(reply) => reply,
            // Addresses may hold secrets: never part of a message.
            Err(error) if error.is_timeout() => {
                return failed(
                    format!("no answer within {} ms", self.settings.timeout.as_millis()),
                    true,
                );
            }
            Err(error) => return failed(cause(&error.without_url()), true),
        };
        let status = reply.status();
        let wait = reply
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        if status.is_success() {
            return Try {
                status: Some(status.as_u16()),
                error: None,
                again: false,
                wait,
            };
        }
        let again = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY
            );
        let error = if status.is_redirection() {
            "the receiver answers with a redirect; write down the address it leads to".to_owned()
        } else {
            format!("the receiver answered {status}")
        };
        Try {
            status: Some(status.as_u16()),
            error: Some(error),
            again,
            wait,
        }
    }
}

/// The innermost cause says most.
fn cause(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(inner) = next {
        text = inner.to_string();
        next = inner.source();
    }
    text
}

fn delivery(channel: &Channel, message: &Message, attempt: u32, outcome: &Try) -> Delivery {
    Delivery {
        time: now(),
        channel: channel.id.clone(),
        alert: message.alert.clone(),
        attempt,
        status: outcome.status,
        error: outcome.error.clone(),
    }
}

fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
