//! Who this machine is, and where the sensor keeps its own things.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cmdai_schema::paths::Places;
use serde::{Deserialize, Serialize};

use crate::files;

/// What enrolment left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) version: u32,
    pub(crate) machine_id: String,
    pub(crate) organisation: String,
    pub(crate) server: String,
    pub(crate) hostname: String,
    pub(crate) person: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) teams: Vec<String>,
    pub(crate) key_pem: String,
    pub(crate) certificate_pem: String,
    pub(crate) certificate_fingerprint: String,
    pub(crate) ca_pem: String,
    pub(crate) tuf_root: String,
}

/// The sensor's own folder.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn of(places: &Places) -> Self {
        Self(places.state.clone())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.0.join("identity.json")
    }

    pub(crate) fn read_identity(&self) -> io::Result<Option<Identity>> {
        files::read_json(&self.identity())
    }

    /// The installed release.
    pub(crate) fn release(&self) -> PathBuf {
        self.0.join("release.json")
    }

    pub(crate) fn orders(&self) -> PathBuf {
        self.0.join("orders.json")
    }

    pub(crate) fn approvals(&self) -> PathBuf {
        self.0.join("approvals.json")
    }

    pub(crate) fn exceptions(&self) -> PathBuf {
        self.0.join("exceptions.json")
    }

    pub(crate) fn watched(&self) -> PathBuf {
        self.0.join("watched.json")
    }

    /// Last known state, for `status` when nobody answers.
    pub(crate) fn last_status(&self) -> PathBuf {
        self.0.join("status.json")
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.0.join("staging")
    }

    /// Roads of releases beside the server.
    pub(crate) fn roads(&self) -> PathBuf {
        self.0.join("roads.json")
    }

    /// A release that was carried here by hand, until the keeper has looked at it.
    pub(crate) fn import(&self) -> PathBuf {
        self.0.join("import.cmdai")
    }

    pub(crate) fn seen(&self) -> PathBuf {
        self.0.join("seen")
    }

    pub(crate) fn sealed(&self) -> PathBuf {
        self.0.join("sealed")
    }

    pub(crate) fn spool_key(&self) -> PathBuf {
        self.0.join("spool.key")
    }

    pub(crate) fn salt(&self) -> PathBuf {
        self.0.join("salt")
    }
}

/// `linux-x86_64` and the like.
pub(crate) fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}
