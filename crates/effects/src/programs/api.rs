//! Web interfaces: what a request does to somebody's resources, by the shapes in the knowledge.

use cmdai_schema::{Certainty, EffectKind, Span};

use crate::{
    analyser::Analyser,
    call::Call,
    knowledge::{APIS, Api, ApiRule, Kind},
    options::Parsed,
    value::Stream,
};

/// Most segments of a path that are looked at.
const MAX_SEGMENTS: usize = 24;

/// An address taken apart.
struct Address<'a> {
    /// With its port.
    host: &'a str,
    segments: Vec<&'a str>,
}

impl<'a> Address<'a> {
    fn of(text: &'a str) -> Self {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        Self {
            host: place.rsplit_once('@').map_or(place, |(_, host)| host),
            segments: path
                .split('/')
                .filter(|segment| !segment.is_empty())
                .take(MAX_SEGMENTS)
                .collect(),
        }
    }

    /// A server that somebody writes on this machine: its paths may look like any other's.
    fn is_being_written(&self) -> bool {
        let (host, port) = self.host.split_once(':').unwrap_or((self.host, ""));
        matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0")
            && (port.is_empty()
                || port.starts_with('3')
                || matches!(
                    port,
                    "4000" | "4200" | "5000" | "5173" | "8000" | "8080" | "8888"
                ))
    }

    /// Segments behind the part that the pattern speaks of, where it matches.
    fn behind(&self, pattern: &str) -> Option<&[&'a str]> {
        if let Some(prefix) = pattern.strip_prefix('/') {
            if self.is_being_written() {
                return None;
            }
            let mut at = 0;
            for word in prefix.split('/') {
                if !self
                    .segments
                    .get(at)
                    .is_some_and(|segment| word == "*" || *segment == word)
                {
                    return None;
                }
                at += 1;
            }
            return self.segments.get(at..);
        }
        let all = self.segments.as_slice();
        if pattern.starts_with(':') {
            return self.host.ends_with(pattern).then_some(all);
        }
        let host = self.host.split(':').next().unwrap_or(self.host);
        match pattern.strip_prefix('*') {
            Some(end) => (host.len() > end.len() && host.ends_with(end)).then_some(all),
            None => (host == pattern).then_some(all),
        }
    }
}

/// The parts of a path that its shape leaves open, joined; nothing where it does not fit.
fn fits(rule: &ApiRule, segments: &[&str]) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    for choices in rule.path {
        if choices.has("**") {
            open.extend(segments.get(at..).unwrap_or_default());
            return Some(open.join("/"));
        }
        let segment = segments.get(at)?;
        at += 1;
        if choices.has(segment) {
            continue;
        }
        if !choices.has("*") {
            return None;
        }
        open.push(segment);
    }
    (at == segments.len()).then(|| open.join("/"))
}

/// `volumes/v1` is a volume named `v1`; `volumes` alone is all of them.
fn collection(segments: &[&str]) -> (String, String) {
    let plain = |word: &str| {
        word.len() > 2
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
    };
    let singular = |word: &str| match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word
            .strip_suffix('s')
            .filter(|stem| !stem.ends_with('s'))
            .unwrap_or(word)
            .to_owned(),
    };
    match segments {
        [.., kind, name] if plain(kind) => (singular(kind), (*name).to_owned()),
        [.., name] => (
            segments
                .iter()
                .rev()
                .skip(1)
                .find(|word| plain(word))
                .map_or_else(|| "resource".to_owned(), |word| singular(word)),
            (*name).to_owned(),
        ),
        [] => ("resource".to_owned(), String::new()),
    }
}

impl Analyser<'_> {
    /// Says what a request does, where its interface is known; true where it is.
    pub(crate) fn api(&mut self, method: &str, address: &str, body: &str, span: Span) -> bool {
        if method == "GET" && body.is_empty() {
            // The commonest request: few interfaces do anything on it.
            let telling = ["secret", "/v1/", "credentials", "/token"];
            if !telling.iter().any(|word| address.contains(word)) {
                return false;
            }
        }
        let place = Address::of(address);
        let mut known: Option<(&'static Api, Vec<&str>)> = None;
        for api in &APIS {
            for pattern in api.hosts {
                let Some(segments) = place.behind(pattern) else {
                    continue;
                };
                for rule in api.rules {
                    if !rule.methods.has(method) && !rule.methods.has("ANY") {
                        continue;
                    }
                    if !rule.body.is_empty()
                        && !rule.body.iter().any(|word| body.contains(word.text()))
                    {
                        continue;
                    }
                    if let Some(name) = fits(rule, segments) {
                        self.api_effect(&api.name, rule.kind, &rule.resource, name, span);
                        return true;
                    }
                }
                if known.is_none() {
                    known = Some((api, segments.to_vec()));
                }
            }
        }
        if (place
            .segments
            .last()
            .is_some_and(|word| word.contains("graphql"))
            || body.trim_start().starts_with("{\"query\""))
            && self.mutation(
                known.as_ref().map_or("graphql", |(api, _)| api.name.text()),
                body,
                span,
            )
        {
            return true;
        }
        let Some((api, segments)) = known else {
            return false;
        };
        if method == "DELETE" {
            let (resource, name) = collection(&segments);
            self.api_effect(&api.name, Kind::Destroy, &resource, name, span);
            return true;
        }
        false
    }

    /// `gh api`, `glab api`: a request in a client's clothes.
    pub(crate) fn github(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.sub() != "api" {
            return if parsed.settled {
                Stream::UNKNOWN
            } else {
                self.cloud(call, parsed)
            };
        }
        let Some(path) = parsed.nth(2).map(|path| path.text.clone()) else {
            return Stream::UNKNOWN;
        };
        let body = parsed
            .values("field")
            .map(|field| field.text.as_str())
            .collect::<Vec<_>>()
            .join("&");
        let method = match parsed.value("method") {
            Some(method) => method.text.to_ascii_uppercase(),
            None if body.is_empty() && !parsed.has("input") => "GET".to_owned(),
            None => "POST".to_owned(),
        };
        let host = match call.name {
            "glab" => "gitlab.com/api/v4",
            _ => "api.github.com",
        };
        let address = match path.split_once("://") {
            Some((_, address)) => address.to_owned(),
            None => format!("{host}/{}", path.trim_start_matches('/')),
        };
        if !self.api(&method, &address, &body, call.span)
            && matches!(method.as_str(), "PUT" | "POST" | "PATCH")
        {
            self.api_effect(call.name, Kind::Change, "api", path, call.span);
        }
        Stream::UNKNOWN
    }

    fn api_effect(&mut self, api: &str, kind: Kind, resource: &str, name: String, span: Span) {
        let (resource, provider) = (resource.to_owned(), api.to_owned());
        let kind = match kind {
            Kind::Destroy => EffectKind::ResourceDestroy {
                resource,
                name,
                provider,
                context: None,
            },
            Kind::Change => EffectKind::ResourceChange {
                resource,
                name,
                provider,
                context: None,
            },
            Kind::ReadSecret => EffectKind::ReadSecret {
                path: format!("{provider}:{resource} {name}")
                    .trim_end()
                    .to_owned(),
            },
            Kind::Disable => EffectKind::DisableSecurity {
                what: format!("{provider} {resource}"),
            },
            Kind::Credential => EffectKind::ChangeCredential {
                subject: format!("{provider}:{resource} {name}")
                    .trim_end()
                    .to_owned(),
            },
            _ => return,
        };
        self.emit(kind, span, Certainty::Likely);
    }

    /// A GraphQL mutation: each field is a verb and a noun in one name, `deleteVolume` or
    /// `volumeDelete`.
    fn mutation(&mut self, provider: &str, body: &str, span: Span) -> bool {
        let Some((_, rest)) = body.split_once("mutation") else {
            return false;
        };
        let mut hit = false;
        let words = rest
            .split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'))
            .filter(|word| word.len() > 4 && word.len() < 80)
            .take(64);
        for word in words {
            let lower = word.to_ascii_lowercase();
            let verb = |verbs: &[&str]| {
                verbs.iter().find_map(|verb| {
                    let noun = lower
                        .strip_prefix(verb)
                        .or_else(|| lower.strip_suffix(verb))?;
                    // The verb is a word of its own: `volumeDelete`, `delete_volume`.
                    let at_start = lower.starts_with(verb);
                    let edge = if at_start {
                        word.get(verb.len()..)
                            .and_then(|rest| rest.chars().next())
                            .is_none_or(|next| next.is_ascii_uppercase() || next == '_')
                    } else {
                        word.get(noun.len()..)
                            .and_then(|rest| rest.chars().next())
                            .is_some_and(|next| next.is_ascii_uppercase())
                            || noun.ends_with('_')
                    };
                    (edge && !noun.is_empty()).then(|| noun.trim_matches('_').to_owned())
                })
            };
            if let Some(noun) = verb(&["delete", "destroy", "remove", "terminate", "purge"])
                && !noun.ends_with("payload")
            {
                self.api_effect(provider, Kind::Destroy, &noun, String::new(), span);
                hit = true;
            } else if let Some(noun) = verb(&[
                "restore", "disable", "revoke", "transfer", "archive", "rollback", "stop",
                "suspend", "update",
            ]) && !noun.ends_with("payload")
                && !noun.is_empty()
            {
                let update = lower.contains("update");
                let kind = if update {
                    noun
                } else {
                    format!("{noun}-availability")
                };
                self.api_effect(provider, Kind::Change, &kind, String::new(), span);
                hit = true;
            }
        }
        hit
    }
}
