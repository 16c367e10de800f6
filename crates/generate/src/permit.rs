//! What policies say about who may be asked for a command.
//!
//! Each layer is a [`Permit`]; a backend is asked only where every layer lets it. Built-in
//! generators ask nobody, so only a layer that blocks them by name takes them out.
//!
//! A name in a configuration is the person's own word, so a policy's entry is compared with more
//! than the name:
//!
//! | entry | fits |
//! |---|---|
//! | `local`, `ollama`, … | the name of the backend in the configuration |
//! | `openai` | its protocol |
//! | `external-api` | every backend that is not on this machine |
//! | `https://models.example` | its base address |
//!
//! *On this machine* is a matter of addresses: a host's name is resolved, and every address it has
//! must be of the loopback. What is asked later goes to such addresses only (see `openai.rs`), so
//! that a name which resolves to something else the second time gains nothing.

use std::net::ToSocketAddrs as _;

use crate::chain::Generator;

/// The word for every backend that is not on this machine.
const EXTERNAL: &str = "external-api";

/// One layer's word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permit {
    /// Whose word, for messages: `the organisation's policy`.
    pub layer: String,
    /// Backends that may be used; all when empty.
    pub allowed_backends: Vec<String>,
    /// Backends that may not be used.
    pub blocked_backends: Vec<String>,
    /// Models that may be used; all when empty. `*` stands for any text.
    pub models: Vec<String>,
    /// Nothing may leave the machine.
    pub require_local: bool,
}

impl Permit {
    /// Why this generator may not be asked; nothing where it may.
    pub fn refusal(&self, generator: &dyn Generator) -> Option<String> {
        let name = generator.name();
        let place = generator.endpoint().map(Place::of);
        let fits = |entry: &String| entry_fits(entry, generator, place.as_ref());
        let layer = &self.layer;
        if let Some(entry) = self.blocked_backends.iter().find(|entry| fits(entry)) {
            return Some(format!("{layer} blocks `{entry}`"));
        }
        // What asks nobody needs no permission: nothing is sent and no model takes part.
        let place = place.as_ref()?;
        if !self.allowed_backends.is_empty() && !self.allowed_backends.iter().any(fits) {
            return Some(format!(
                "{layer} allows {} only",
                self.allowed_backends.join(", ")
            ));
        }
        if self.require_local
            && let Place::Elsewhere(address) = place
        {
            return Some(format!(
                "{layer} lets nothing leave this machine, and {name} is at {address}"
            ));
        }
        let model = generator.model().unwrap_or_default();
        if !self.models.is_empty() && !self.models.iter().any(|listed| model_fits(listed, model)) {
            return Some(format!(
                "{layer} allows the models {} only, not {model}",
                self.models.join(", ")
            ));
        }
        None
    }
}

/// Where a backend is.
enum Place {
    Here,
    /// The address that is not of the loopback, or the name that could not be resolved.
    Elsewhere(String),
}

impl Place {
    fn of(url: &str) -> Self {
        let secure = url.starts_with("https://");
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        // A port of its own, or the scheme's.
        let bare = authority
            .rsplit_once(']')
            .map_or(authority, |(_, tail)| tail);
        let with_port = if bare.contains(':') {
            authority.to_owned()
        } else {
            format!("{authority}:{}", if secure { 443 } else { 80 })
        };
        match with_port.to_socket_addrs() {
            Ok(addresses) => {
                let mut any = false;
                for address in addresses {
                    if !is_here(address.ip()) {
                        return Self::Elsewhere(address.ip().to_string());
                    }
                    any = true;
                }
                if any {
                    Self::Here
                } else {
                    Self::Elsewhere(format!("{authority}, which has no address"))
                }
            }
            Err(_) => Self::Elsewhere(format!("{authority}, which cannot be resolved")),
        }
    }
}

/// An address of the loopback, also where IPv6 wraps an IPv4 one.
pub(crate) fn is_here(address: std::net::IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn entry_fits(entry: &str, generator: &dyn Generator, place: Option<&Place>) -> bool {
    if entry == EXTERNAL {
        return matches!(place, Some(Place::Elsewhere(_)));
    }
    if entry.contains("://") {
        let base = entry.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        return generator
            .endpoint()
            .is_some_and(|url| url.eq_ignore_ascii_case(base));
    }
    entry.eq_ignore_ascii_case(generator.name())
        || generator
            .protocol()
            .is_some_and(|protocol| entry.eq_ignore_ascii_case(protocol))
}

/// Model names are compared without case; servers write `llama3:latest` for `llama3`.
fn model_fits(listed: &str, model: &str) -> bool {
    let plain = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.strip_suffix(":latest")
            .map_or(name.clone(), str::to_owned)
    };
    let (listed, model) = (plain(listed), plain(model));
    match listed.split_once('*') {
        None => listed == model,
        Some((head, tail)) => {
            model.len() >= head.len() + tail.len()
                && model.starts_with(head)
                && model.ends_with(tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_decide_and_not_names() {
        let here = |url: &str| matches!(Place::of(url), Place::Here);
        for url in [
            "http://127.0.0.1:11434",
            "http://127.8.8.8",
            "https://[::1]:8443/x",
            "http://localhost:1/",
            "http://[::ffff:127.0.0.1]:80",
        ] {
            assert!(here(url), "{url}");
        }
        for url in [
            "http://192.0.2.7:80",
            "https://[2001:db8::1]",
            "http://0.0.0.0:80",
            "http://localhost.invalid:80",
            "http://127.0.0.1.invalid",
            "http://",
        ] {
            assert!(!here(url), "{url}");
        }
    }

    #[test]
    fn models_are_compared_as_people_write_them() {
        assert!(model_fits("llama3", "LLaMA3:latest"));
        assert!(model_fits("qwen2.5-coder:*", "qwen2.5-coder:1.5b"));
        assert!(!model_fits("llama3", "llama3:70b"));
        assert!(!model_fits("a*a", "a"));
    }
}
