//! RFC 5424. The structured data are elements of the standard itself (`origin`, `meta`, `timeQuality`), as
//! others need a number of their own at IANA; the message is the ECS document, in UTF-8 after its mark.

use cmdai_schema::{Event, Risk};

use super::{VERSION, risk};

/// Log audit.
const FACILITY: u8 = 13;

/// As in section 6.2.1.
fn severity(event: &Event) -> u8 {
    match risk(event) {
        None | Some(Risk::Safe) => 6,
        Some(Risk::Moderate) => 4,
        Some(Risk::High) => 3,
        Some(Risk::Critical) => 2,
    }
}

/// A header field: printable ASCII without blanks, at most so long; `-` where nothing is left.
fn field(text: &str, most: usize) -> String {
    let mut out: String = text
        .chars()
        .map(|character| {
            if character.is_ascii_graphic() {
                character
            } else {
                '_'
            }
        })
        .take(most)
        .collect();
    if out.is_empty() {
        out.push('-');
    }
    out
}

pub(super) fn event(event: &Event, message: &str) -> String {
    let priority = FACILITY * 8 + severity(event);
    // At most 2^31 - 1, then from 1 again: section 7.3.1.
    let sequence = event.envelope.seq.saturating_sub(1) % 2_147_483_647 + 1;
    format!(
        "<{priority}>1 {} {} cmdai - {} [timeQuality tzKnown=\"1\"][origin software=\"cmdai\" swVersion=\"{VERSION}\"][meta sequenceId=\"{sequence}\"] \u{feff}{message}",
        event.envelope.time,
        field(&event.payload.machine.hostname, 255),
        field(event.envelope.event_type.as_str(), 32),
    )
}
