//! Settings of `git` that say whom it speaks to and whom it believes: proxies, certificates, what is
//! sent along, what is written down, and the checks that hold strangers off.
//!
//! They are noted as changes of `transport`, `protection` and `trace`, named `SETTING=VALUE`. How bad
//! one is depends on place and host, which is the packs' business. A value that may hold a password
//! (a header) is left out.

use cmdai_schema::{Certainty, EffectKind, Span};

use crate::{analyser::Analyser, value::Text};

use super::git_settings::no;

/// The variables that stand for a setting of the same meaning.
const VARIABLES: &[(&str, &str)] = &[
    ("GIT_HTTP_PROXY", "http.proxy"),
    ("GIT_HTTP_PROXY_AUTHMETHOD", "http.proxyauthmethod"),
    ("GIT_PROXY_SSL_CAINFO", "http.proxysslcainfo"),
    ("GIT_SSL_CAINFO", "http.sslcainfo"),
    ("GIT_SSL_CAPATH", "http.sslcapath"),
    ("GIT_SSL_CIPHER_LIST", "http.sslcipherlist"),
    ("GIT_SSL_VERSION", "http.sslversion"),
    ("GIT_TRACE", "trace.target"),
    ("GIT_TRACE2", "trace2.normaltarget"),
    ("GIT_TRACE2_CONFIG_PARAMS", "trace2.configparams"),
    ("GIT_TRACE2_ENV_VARS", "trace2.envvars"),
    ("GIT_TRACE2_EVENT", "trace2.eventtarget"),
    ("GIT_TRACE2_PERF", "trace2.perftarget"),
    ("GIT_TRACE_CURL", "trace.target"),
    ("GIT_TRACE_PACKET", "trace.target"),
    ("GIT_TRACE_PACKFILE", "trace.target"),
    ("GIT_TRACE_REDACT", "trace.redact"),
    ("GIT_TRACE_SETUP", "trace.target"),
];

/// Most settings that variables hand over.
pub(super) const MOST: usize = 32;

impl Analyser<'_> {
    /// A variable in front of a command, or exported, that is a setting of git.
    pub(crate) fn git_variable(&mut self, name: &str, value: &Text, span: Span) {
        if let Ok(at) = VARIABLES.binary_search_by(|(known, _)| (*known).cmp(name))
            && let Some((_, setting)) = VARIABLES.get(at)
        {
            self.git_setting(setting, value);
            return;
        }
        match name {
            "GIT_ALLOW_PROTOCOL" if value.text.split(':').any(|word| word == "file") => {
                self.git_note("protection", "protocol.file.allow=always", value, span);
            }
            "GIT_CONFIG_PARAMETERS" if !(value.known && value.text.trim().is_empty()) => {
                let mut any = false;
                for (name, value) in parameters(value) {
                    any = true;
                    self.git_setting(&name, &value);
                }
                if !any {
                    self.git_note("protection", name, value, span);
                }
            }
            _ => {}
        }
    }

    /// Notes what a setting changes of transport, protections and traces.
    pub(super) fn git_reach(&mut self, name: &str, value: &Text) {
        if value.known && value.text.is_empty() {
            return;
        }
        let (section, key) = match (name.split_once('.'), name.rsplit_once('.')) {
            (Some((section, _)), Some((_, key))) => (section, key),
            _ => return,
        };
        let word = value.text.to_ascii_lowercase();
        let off = !value.known || no(&word);
        let resource = match (section, key) {
            ("http" | "remote", "proxy" | "proxyauthmethod") => "transport",
            ("url", "insteadof" | "pushinsteadof") => "transport",
            (
                "http",
                "sslcainfo" | "sslcapath" | "proxysslcainfo" | "sslbackend" | "sslcipherlist"
                | "pinnedpubkey" | "cookiefile" | "savecookies",
            ) if !no(&word) => "transport",
            ("http", "extraheader") => {
                self.git_note("transport", name, value, value.span);
                return;
            }
            ("http", "delegation") if word != "none" => "transport",
            ("http", "schannelcheckrevoke" | "proxysslverify") if off => "protection",
            ("protocol", "allow") => {
                // What git does by itself anyway.
                let usual = [
                    "protocol.https",
                    "protocol.http",
                    "protocol.ssh",
                    "protocol.git",
                ]
                .iter()
                .any(|start| name.strip_prefix(start) == Some(".allow"));
                if usual || value.known && word != "always" {
                    return;
                }
                "protection"
            }
            ("safe", "barerepository") if !value.known || word == "all" => "protection",
            ("safe", "directory") | ("core", "worktree") => {
                let shown = if value.known && word != "*" {
                    format!("{name}={}", self.absolute(&value.text))
                } else {
                    format!("{name}={}", value.text)
                };
                self.git_note("protection", &shown, value, value.span);
                return;
            }
            ("core", "protecthfs" | "protectntfs")
            | ("transfer" | "fetch" | "receive", "fsckobjects")
            | ("receive", "denynonfastforwards" | "denydeletes")
                if off =>
            {
                "protection"
            }
            ("trace2", "envvars" | "configparams") => "trace",
            ("trace", "redact") if off => "trace",
            ("trace", "target") | ("trace2", "normaltarget" | "perftarget" | "eventtarget") => {
                let file = value.text.starts_with('/');
                if !file && !word.starts_with("af_unix:") {
                    return;
                }
                if file {
                    self.write_path(value, true, value.span);
                }
                "trace"
            }
            _ => return,
        };
        let shown = format!("{name}={}", value.text);
        self.git_note(resource, &shown, value, value.span);
    }

    fn git_note(&mut self, resource: &str, name: &str, value: &Text, span: Span) {
        self.emit(
            EffectKind::ResourceChange {
                resource: resource.to_owned(),
                name: name.to_owned(),
                provider: "git".to_owned(),
                context: None,
            },
            span,
            if value.known {
                Certainty::Proven
            } else {
                Certainty::Likely
            },
        );
    }
}

/// `'http.proxy=http://x' 'core.pager'='less'`, as git hands its settings to what it starts.
fn parameters(value: &Text) -> Vec<(String, Text)> {
    let mut found = Vec::new();
    if !value.known {
        return found;
    }
    for piece in value.text.split("' '").take(MOST) {
        let plain = piece.replace('\'', "");
        if let Some((name, held)) = plain.split_once('=')
            && name.contains('.')
        {
            found.push((
                name.trim().to_ascii_lowercase(),
                Text::known(held, value.span),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_sorted() {
        assert!(VARIABLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
