//! Notification channels.
//!
//! A [`Notifier`] tells a [`Channel`] about an [`Alert`] by a signed webhook, tries again where that
//! helps, and hands out a [`Delivery`] for every try, so that the log shows what really happened.
//!
//! The body is `{"type", "timestamp", "text", "data"}`; `text` is one escaped sentence that chat
//! services show as it is. Headers follow Standard Webhooks: `webhook-id` (the same for every try),
//! `webhook-timestamp` (seconds) and `webhook-signature`, which is
//! `v1,base64(HMAC-SHA-256(secret, "ID.TIMESTAMP.BODY"))`. [`verify`] is the receiver's half.
//!
//! A channel of the kind `slack` takes the body of an incoming webhook. A request for approval comes
//! with two buttons there: one denies, one leads to the console. None approves. [`verify_slack`]
//! checks what Slack sends back.
//!
//! [`Channel`]: cmdai_api::console::Channel
//! [`Alert`]: cmdai_api::console::Alert
//! [`Delivery`]: cmdai_api::console::Delivery

#![forbid(unsafe_code)]

mod message;
mod notifier;
mod sign;
mod slack;

pub use message::{Message, severity_reaches};
pub use notifier::{Notifier, NotifyError, Settings, check_channel};
pub use sign::{SignatureError, sign, verify};
pub use slack::{DENY, OPEN, verify as verify_slack};
