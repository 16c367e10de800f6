//! What can go wrong in a store.

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space left: nothing of the call was stored.
    #[error("the disk of the data folder is full; free space, nothing was stored")]
    Full,
    /// Another change came first; read again and repeat.
    #[error("{0} changed in the meantime; read it again")]
    Conflict(&'static str),
    /// Something stored cannot be read back.
    #[error("stored {what} cannot be read: {cause}")]
    Damaged {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        cause: String,
    },
    /// The data were written by a newer version.
    #[error(
        "the data folder was written by a newer version (schema {found}, this one knows {known}); start that version"
    )]
    TooNew {
        /// Schema version found.
        found: i64,
        /// Newest schema version known.
        known: i64,
    },
    /// The engine refused.
    #[error("database: {0}")]
    Engine(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // Extended codes keep the primary one in the low byte; 13 is SQLITE_FULL.
        let primary = error
            .as_database_error()
            .and_then(|error| error.code()?.parse::<u32>().ok())
            .map(|code| code & 255);
        match primary {
            Some(13) => Self::Full,
            _ => Self::Engine(error.to_string()),
        }
    }
}

pub(crate) fn damaged(what: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| StoreError::Damaged {
        what,
        cause: error.to_string(),
    }
}
