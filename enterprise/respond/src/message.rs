//! What is said.

use cmdai_api::console::{Alert, Approval};
use serde_json::{Value, json};

/// Longest sentence, in characters.
const MOST: usize = 1_000;

/// Something to tell a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for every try, so that a receiver can drop doubles.
    pub id: String,
    /// Alert it is about, or `test`.
    pub alert: String,
    /// Severity; compared with the channel's.
    pub severity: String,
    /// JSON to send.
    pub body: Value,
    /// The same for Slack.
    pub slack: Value,
}

impl Message {
    /// The message for an alert. `console` is the console's address, for a link. `time` is now,
    /// RFC 3339.
    pub fn alert(alert: &Alert, console: Option<&str>, time: &str) -> Self {
        let link =
            console.map(|base| format!("{}/alerts/{}", base.trim_end_matches('/'), alert.id));
        let mut text = format!("[{}] {}: {}", alert.severity, alert.title, alert.summary);
        if alert.count > 1 {
            text.push_str(&format!(" ({} times)", alert.count));
        }
        let mut text = escaped(&text);
        if let Some(link) = &link {
            text.push('\n');
            text.push_str(&escaped(link));
        }
        let data = json!({
            "id": alert.id,
            "detection": alert.detection,
            "title": alert.title,
            "severity": alert.severity,
            "status": alert.status,
            "summary": alert.summary,
            "machine_id": alert.machine_id,
            "hostname": alert.hostname,
            "user": alert.user,
            "event_ids": alert.event_ids,
            "count": alert.count,
            "occurred": alert.occurred,
            "created": alert.created,
            "link": link,
        });
        Self {
            id: format!("alert.{}.{}", alert.id, alert.count),
            alert: alert.id.clone(),
            severity: alert.severity.clone(),
            slack: json!({ "text": text }),
            body: json!({ "type": "alert", "timestamp": time, "text": text, "data": data }),
        }
    }

    /// The message for a request for approval. Chat shows it, denies it and leads to the console.
    pub fn request(approval: &Approval, console: Option<&str>, time: &str) -> Self {
        let link = console.map(|base| {
            format!(
                "{}/approvals?id={}",
                base.trim_end_matches('/'),
                approval.id
            )
        });
        let what = match approval.kind.as_str() {
            "exception" => "asks for an exception",
            _ => "asks for an approval",
        };
        let text = escaped(&format!(
            "[{}] {} on {} {what}: {} ({})",
            approval.risk, approval.user, approval.hostname, approval.text, approval.policy_reason
        ));
        let data = json!({
            "id": approval.id,
            "kind": approval.kind,
            "text": approval.text,
            "cwd": approval.cwd,
            "machine_id": approval.machine_id,
            "hostname": approval.hostname,
            "user": approval.user,
            "origin": approval.origin,
            "rules": approval.rules,
            "risk": approval.risk,
            "reason": approval.reason,
            "needed": approval.needed,
            "groups": approval.groups,
            "created": approval.created,
            "expires": approval.expires,
            "link": link,
        });
        let severity = match approval.risk.as_str() {
            "moderate" => "medium",
            "safe" => "low",
            other => other,
        };
        Self {
            id: format!("request.{}", approval.id),
            alert: format!("request {}", approval.id),
            severity: severity.to_owned(),
            slack: crate::slack::request(approval, &text, link.as_deref()),
            body: json!({ "type": "approval", "timestamp": time, "text": text, "data": data }),
        }
    }

    /// The message of the test button.
    pub fn test(organisation: &str, time: &str) -> Self {
        let text = escaped(&format!(
            "Test message of cmdai for {organisation}. Nothing happened."
        ));
        Self {
            id: format!("test.{}", uuid::Uuid::now_v7()),
            alert: "test".to_owned(),
            severity: "low".to_owned(),
            slack: json!({ "text": text }),
            body: json!({ "type": "test", "timestamp": time, "text": text, "data": { "organisation": organisation } }),
        }
    }
}

/// True where an alert of this severity reaches a channel with this least severity. A word that
/// is not known reaches every channel: better one message too many.
pub fn severity_reaches(severity: &str, least: &str) -> bool {
    let rank = |word: &str| {
        ["low", "medium", "high", "critical"]
            .iter()
            .position(|known| *known == word)
    };
    match (rank(severity), rank(least)) {
        (Some(severity), Some(least)) => severity >= least,
        _ => true,
    }
}

/// One line in which nothing is markup, a mention or a control character for chat services.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(MOST) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A backtick, an at sign, brackets: kept apart from what would make them mean something.
            '@' | '`' | '*' | '[' => {
                out.push(c);
                out.push('\u{200b}');
            }
            // Direction marks can turn a sentence round.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    if text.chars().nth(MOST).is_some() {
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_command_becomes_markup() {
        let out = escaped("<!here> @channel `x` *b* [a](http://x)\n\u{1b}[31m\u{202e}& done");
        assert!(
            !out.contains('<')
                && !out.contains('>')
                && !out.contains('\n')
                && !out.contains('\u{1b}')
        );
        assert!(!out.contains("@channel") && !out.contains("[a]") && !out.contains('\u{202e}'));
        assert!(out.starts_with("&lt;!here&gt;") && out.ends_with("&amp; done"));
        assert_eq!(escaped(&"x".repeat(5_000)).chars().count(), MOST + 1);
    }

    #[test]
    fn severities_have_an_order() {
        assert!(severity_reaches("critical", "high"));
        assert!(severity_reaches("high", "high"));
        assert!(!severity_reaches("medium", "high"));
        assert!(severity_reaches("high", ""));
        assert!(severity_reaches("odd", "critical"));
    }
}
