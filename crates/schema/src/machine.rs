//! The manifest of a machine: what it says of itself when it enrols and at each contact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Description of a machine. See `docs/formats/machine.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineManifest {
    /// Given by the server at enrolment; empty before.
    pub machine_id: String,
    /// Organisation it belongs to.
    pub organisation: String,
    /// Person it is assigned to, by login or mail address.
    pub person: String,
    /// Host name.
    pub hostname: String,
    /// `linux-x86_64` and the like.
    pub platform: String,
    /// Versions of the sensor, the engine and the shells, by name.
    pub versions: BTreeMap<String, String>,
    /// Labels for targeting: `team`, `env`, `zone`, …
    pub labels: BTreeMap<String, String>,
    /// Version of the installed policy; empty where there is none.
    pub policy_version: String,
    /// Road by which the installed policy came: `server`, `git`, `directory` or `file`.
    pub policy_source: String,
    /// When the installed policy was last proven fresh, RFC 3339; empty where never.
    pub policy_verified: String,
    /// When that proof lapses, RFC 3339; the policy stays in force.
    pub policy_expires: String,
    /// SHA-256 of the machine's certificate (DER), lower-case hex.
    pub certificate_fingerprint: String,
    /// What it can do: `bash-native`, `exec-capture`, …
    pub capabilities: Vec<String>,
}
