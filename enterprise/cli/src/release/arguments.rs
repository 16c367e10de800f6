//! What can be typed about releases.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// A role that people hold.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ring {
    /// Names all keys
    Root,
    /// Says what the policy is
    Publisher,
}

/// Where a change of the root begins and where it goes.
#[derive(Args)]
pub(crate) struct RootChange {
    /// The root to change; without it the server's newest is fetched
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Where to write the next version
    #[arg(long, short, default_value = "root-next.json")]
    pub(crate) output: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum KeysTask {
    /// Make a key of your own: NAME.key (encrypted with a passphrase) and NAME.pub, to be handed out
    New {
        /// Your name
        name: String,
        /// Folder to write into, best on a medium of your own
        #[arg(long, default_value = ".")]
        folder: PathBuf,
    },
    /// Make the root of trust that names people's keys, to be signed by them
    Init {
        /// Public keys of root holders
        #[arg(long = "root", required = true, value_name = "FILE")]
        root: Vec<PathBuf>,
        /// How many root holders must sign a change of keys
        #[arg(long)]
        root_threshold: u64,
        /// Public keys of publishers
        #[arg(long = "publisher", required = true, value_name = "FILE")]
        publisher: Vec<PathBuf>,
        /// How many publishers must sign a release
        #[arg(long)]
        publisher_threshold: u64,
        /// Organisation; without it the server is asked
        #[arg(long)]
        organisation: Option<String>,
        /// Where to write
        #[arg(long, short, default_value = "root-next.json")]
        output: PathBuf,
    },
    /// Add a holder
    Add {
        /// Which role
        #[arg(value_enum)]
        role: Ring,
        /// Public key
        key: PathBuf,
        #[command(flatten)]
        change: RootChange,
    },
    /// Replace a holder's key, or with `server` the server's own keys
    Rotate {
        /// Name or id of the old key, or `server`
        old: String,
        /// New public key
        key: Option<PathBuf>,
        #[command(flatten)]
        change: RootChange,
    },
    /// A key counts no more
    Revoke {
        /// Name or id
        key: String,
        #[command(flatten)]
        change: RootChange,
    },
    /// Change how many must sign
    Threshold {
        /// Which role
        #[arg(value_enum)]
        role: Ring,
        /// How many
        number: u64,
        #[command(flatten)]
        change: RootChange,
    },
    /// The same root with a later end
    Renew {
        #[command(flatten)]
        change: RootChange,
    },
    /// Sign a root with a root holder's key
    Sign {
        /// The root
        file: PathBuf,
        /// Your key
        #[arg(long)]
        key: PathBuf,
        /// The version before it, where only that one names your key
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
    },
    /// Join signatures that were made on copies of the same root
    Join {
        /// The root to add to
        file: PathBuf,
        /// Copies
        copies: Vec<PathBuf>,
    },
    /// Who holds which key
    Show {
        /// A root; without it the server's
        file: Option<PathBuf>,
    },
    /// Hand a signed root to the server
    Install {
        /// The root
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum RolloutTask {
    /// Rings, figures, what may be done
    Show,
    /// Nobody takes the release any more who has it not
    Halt {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Go on with a halted release
    Continue {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Publish the content from before as a new release for everybody
    Rollback {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// The policy is edited in the console again, not in a repository
    Unmanage {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Play a script of a rollout on paper, without any machine
    Simulate {
        /// The script
        script: PathBuf,
    },
}
