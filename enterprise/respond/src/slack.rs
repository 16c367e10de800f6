//! Slack: a request with its buttons, and whether what comes back is Slack's.

use cmdai_api::console::Approval;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::message::escaped;
use crate::sign::SignatureError;

/// Name of the button that denies.
pub const DENY: &str = "cmdai-deny";
/// Name of the button that leads to the console.
pub const OPEN: &str = "cmdai-open";
/// Seconds that a signature holds.
const TOLERANCE: u64 = 300;

/// A request with its buttons. `text` is escaped.
pub(crate) fn request(approval: &Approval, text: &str, link: Option<&str>) -> Value {
    let said = approval.reason.as_deref().unwrap_or("no reason was given");
    let mut buttons = vec![json!({
        "type": "button",
        "action_id": DENY,
        "style": "danger",
        "value": approval.id,
        "text": { "type": "plain_text", "text": "Deny" },
    })];
    if let Some(link) = link {
        buttons.push(json!({
            "type": "button",
            "action_id": OPEN,
            "url": link,
            "text": { "type": "plain_text", "text": "Open in the console" },
        }));
    }
    json!({
        "text": text,
        "blocks": [
            { "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } },
            { "type": "context", "elements": [
                { "type": "plain_text", "text": escaped(said), "emoji": false },
            ] },
            { "type": "actions", "block_id": format!("cmdai-{}", approval.id), "elements": buttons },
        ],
    })
}

/// Checks `x-slack-signature` of a body that came at `now` with `x-slack-request-timestamp`. Compares
/// in constant time.
///
/// # Errors
/// Where the time is more than five minutes away, or the signature is of another secret or body.
pub fn verify(
    secret: &str,
    timestamp: u64,
    body: &[u8],
    signature: &str,
    now: u64,
) -> Result<(), SignatureError> {
    if now.abs_diff(timestamp) > TOLERANCE {
        return Err(SignatureError::Time(TOLERANCE));
    }
    let given = signature
        .strip_prefix("v0=")
        .filter(|text| text.len() == 64)
        .and_then(unhex)
        .ok_or(SignatureError::Signature)?;
    if secret.is_empty() {
        return Err(SignatureError::Signature);
    }
    // HMAC takes a key of any length.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::Signature)?;
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    mac.verify_slice(&given)
        .map_err(|_| SignatureError::Signature)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_slack_s_documentation() {
        let secret = "8f742231b10e8888abcd99yyyzzz85a5";
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        let time = 1_531_420_618;
        assert_eq!(verify(secret, time, body, signature, time + 10), Ok(()));
        assert_eq!(
            verify(secret, time, body, signature, time + 301),
            Err(SignatureError::Time(300))
        );
        let wrong = Err(SignatureError::Signature);
        assert_eq!(verify("other", time, body, signature, time), wrong);
        assert_eq!(verify("", time, body, signature, time), wrong);
        assert_eq!(verify(secret, time, b"token=1", signature, time), wrong);
        assert_eq!(verify(secret, time + 1, body, signature, time), wrong);
        for garbled in [
            "",
            "v0=",
            "v0=zz",
            "a2114d57",
            "v0=ä2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ] {
            assert_eq!(verify(secret, time, body, garbled, time), wrong);
        }
    }
}
