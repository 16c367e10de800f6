//! The console as browsers know it: what security keys are bound to.

use std::net::SocketAddr;

use anyhow::Context as _;
use url::{Host, Url};

use crate::config::Config;

/// Address and, where it is a name, the id that keys are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Such as `https://console.example.com`: no path, no closing slash.
    pub(crate) origin: String,
    /// Host name; nothing where the console has only an address, to which no key can be bound.
    pub(crate) rp_id: Option<String>,
}

impl Site {
    /// # Errors
    /// Where the configured address is none that browsers let keys be used on.
    pub(crate) fn of(config: &Config, console: SocketAddr) -> anyhow::Result<Self> {
        let url = match &config.console_url {
            Some(url) => url.clone(),
            // Browsers take loopback for safe by this name only.
            None if console.ip().is_loopback() => format!("http://localhost:{}", console.port()),
            None => match config.names.first() {
                Some(name) => format!("https://{name}:{}", console.port()),
                None => format!("https://{console}"),
            },
        };
        let url = Url::parse(&url).with_context(|| format!("{url:?} is not an address"))?;
        let host = url.host().context("the console's address names no host")?;
        let local = matches!(&host, Host::Domain("localhost"))
            || matches!(&host, Host::Ipv4(ip) if ip.is_loopback());
        anyhow::ensure!(
            url.scheme() == "https" || (url.scheme() == "http" && local),
            "the console's address begins with https:// (http:// on localhost only)"
        );
        let rp_id = match host {
            Host::Domain(name) => Some(name.to_owned()),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        };
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            rp_id,
        })
    }

    /// Addresses that browsers may name.
    pub(crate) fn origins(&self) -> Vec<String> {
        vec![self.origin.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bound_to_names() {
        let site = |change: fn(&mut Config), listen: &str| {
            let mut config = Config::new("/nowhere");
            change(&mut config);
            Site::of(&config, listen.parse().unwrap())
        };
        let local = site(|_| {}, "127.0.0.1:8440").unwrap();
        assert_eq!(local.origin, "http://localhost:8440");
        assert_eq!(local.rp_id.as_deref(), Some("localhost"));
        let named = site(
            |config| config.names = vec!["cmdai.corp".to_owned()],
            "0.0.0.0:443",
        )
        .unwrap();
        assert_eq!(named.origin, "https://cmdai.corp");
        let given = site(
            |config| config.console_url = Some("https://Console.Example.com/x".to_owned()),
            "127.0.0.1:8440",
        )
        .unwrap();
        assert_eq!(given.origin, "https://console.example.com");
        assert_eq!(given.rp_id.as_deref(), Some("console.example.com"));
        let bare = site(|_| {}, "10.0.0.1:8440").unwrap();
        assert_eq!(bare.rp_id, None);
        for bad in ["http://console.example.com", "console", "ftp://x.org"] {
            let mut config = Config::new("/nowhere");
            config.console_url = Some(bad.to_owned());
            assert!(Site::of(&config, "127.0.0.1:1".parse().unwrap()).is_err());
        }
    }
}
