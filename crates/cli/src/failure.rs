//! What can go wrong at the edge, each with what to do about it.

use cmdai_schema::exit_code;

/// An error for the person at the terminal.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        #[help]
        help: Option<String>,
    },
    /// Something could not be done.
    #[error("{message}")]
    Failed {
        /// What is wrong.
        message: String,
        #[help]
        help: Option<String>,
    },
    /// A policy document has errors.
    #[error("{file} has {count} error{}; nothing of it was applied", if *count == 1 { "" } else { "s" })]
    Policy {
        /// Which document.
        file: String,
        /// How many.
        count: usize,
        /// Each with its place.
        #[help]
        list: String,
    },
}

impl Failure {
    /// Bad usage.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// Something that could not be done.
    pub(crate) fn failed(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Failed {
            message: format!("cannot {what} {}: {error}", path.display()),
            help: None,
        }
    }

    /// A document with errors.
    pub(crate) fn policy(file: &str, errors: &cmdai_policy::PolicyErrors) -> Self {
        Self::Policy {
            file: file.to_owned(),
            count: errors.0.len(),
            list: errors.to_string(),
        }
    }

    /// Exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::Policy { .. } => exit_code::USAGE,
            Self::Failed { .. } => 1,
        }
    }

    /// Prints it to standard error: one line, then the cure.
    pub(crate) fn show(&self) {
        anstream::eprintln!("cmdai: {self}");
        if let Some(help) = miette::Diagnostic::help(self) {
            for line in help.to_string().lines() {
                anstream::eprintln!("  {line}");
            }
        }
    }
}

/// Printing to a pipe that was closed is no error; everything else is.
pub(crate) fn closed(error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Failure::failed(format!("cannot write: {error}"), "is the disk full?")
}
