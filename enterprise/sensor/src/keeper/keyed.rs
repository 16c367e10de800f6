//! Fields that policy wants hashed (`privacy.hash`): replaced just before an event is sealed, so that neither the
//! sealed spool nor the wire nor the server ever holds them.
//!
//! `hash:` and the first 16 bytes, in hex, of an HMAC under this machine's key and the field's name. Whoever
//! has the key (root here) finds events of a value they know: `cmdai-enterprise sensor hash FIELD VALUE`.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use cmdai_policy::HashedField;
use cmdai_schema::Payload;
use cmdai_schema::paths::Places;
use cmdai_spool::SpoolKey;

use crate::identity::Home;

/// Begins a hashed field.
const MARK: &str = "hash:";
/// Details of the sensor's own events that quote a command.
const QUOTES: [&str; 2] = ["text", "strictest"];

/// What is hashed, and with which key.
pub(crate) struct Keyed {
    key: SpoolKey,
    fields: Vec<HashedField>,
}

impl Keyed {
    pub(crate) fn new(key: SpoolKey) -> Self {
        Self {
            key,
            fields: Vec::new(),
        }
    }

    /// From now on.
    pub(crate) fn set(&mut self, fields: &[HashedField]) {
        fields.clone_into(&mut self.fields);
    }

    /// Replaces what is to be hashed.
    pub(crate) fn apply(&self, payload: &mut Payload) {
        for field in &self.fields {
            let replace = |value: &mut String| {
                if !value.is_empty() {
                    *value = mark(&self.key, *field, value);
                }
            };
            match field {
                HashedField::Text => {
                    if let Some(command) = &mut payload.command {
                        replace(&mut command.text);
                        // It is a hash without a key: whoever guesses the text could prove the guess.
                        replace(&mut command.digest);
                    }
                    for (name, value) in &mut payload.detail {
                        if QUOTES.contains(&name.as_str()) {
                            replace(value);
                        }
                    }
                }
                HashedField::WorkingDirectory => {
                    if let Some(command) = &mut payload.command {
                        replace(&mut command.working_directory);
                    }
                }
                HashedField::Tty => {
                    if let Some(tty) = &mut payload.context.tty {
                        replace(tty);
                    }
                }
            }
        }
    }
}

/// A value as events of this machine hold it where policy has its field hashed.
///
/// # Errors
/// Where there is no such field, or the machine's key cannot be read (it is root's).
pub fn hashed(places: &Places, field: &str, value: &str) -> Result<String> {
    let known = HashedField::WORDS;
    let Some((_, field)) = known.iter().find(|(name, _)| *name == field) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        bail!(
            "`{field}` is not a field that can be hashed: {}",
            names.join(", ")
        );
    };
    let path = Home::of(places).spool_key();
    if !path.exists() {
        bail!("this machine has no key yet: enrol it and start the sensor once");
    }
    Ok(mark(&SpoolKey::load_or_create(&path)?, *field, value))
}

fn mark(key: &SpoolKey, field: HashedField, value: &str) -> String {
    let mut text = String::from(MARK);
    for byte in key.keyed_hash(field.as_str(), value).iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use cmdai_schema::{CommandInfo, Context};

    use super::*;

    fn payload() -> Payload {
        Payload {
            command: Some(CommandInfo {
                text: "ls /srv".to_owned(),
                digest: "d".to_owned(),
                working_directory: "/home/ann".to_owned(),
                programs: vec!["ls".to_owned()],
                ..CommandInfo::default()
            }),
            context: Context {
                tty: Some("pts/3".to_owned()),
                ..Context::default()
            },
            detail: [("text", "ls /srv"), ("pid", "7")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Payload::default()
        }
    }

    #[test]
    fn only_what_is_named_is_hashed_by_field_and_machine() {
        let mut keyed = Keyed::new(SpoolKey::from_bytes([7; 32]));
        let mut untouched = payload();
        keyed.apply(&mut untouched);
        assert_eq!(untouched, payload());

        keyed.set(&[
            HashedField::Text,
            HashedField::WorkingDirectory,
            HashedField::Tty,
        ]);
        let mut all = payload();
        keyed.apply(&mut all);
        let command = all.command.clone().unwrap();
        let whole = format!("{all:?}");
        for value in ["/srv", "/home/ann", "pts/3"] {
            assert!(!whole.contains(value), "{value} in {whole}");
        }
        assert_eq!(command.programs, ["ls"]);
        assert_eq!(all.detail["pid"], "7");
        assert_eq!(
            command.text, all.detail["text"],
            "the same value, found again"
        );
        assert_ne!(command.text, command.digest);
        assert_eq!(command.text.len(), "hash:".len() + 32);

        let other = SpoolKey::from_bytes([8; 32]);
        assert_ne!(mark(&other, HashedField::Text, "ls /srv"), command.text);
        assert_ne!(
            mark(&other, HashedField::Tty, "x"),
            mark(&other, HashedField::Text, "x")
        );
    }
}
