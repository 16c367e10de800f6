//! Control maps: data, with source and edition.

use cmdai_api::console::Framework;
use serde::Deserialize;

const MAPS: [&str; 4] = [
    include_str!("../maps/soc2.yaml"),
    include_str!("../maps/iso27001.yaml"),
    include_str!("../maps/hipaa.yaml"),
    include_str!("../maps/pcidss.yaml"),
];
const LIBRARY: &str = include_str!("../maps/evidence.yaml");

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such framework.
    #[error("there is no control map for {name:?}; known: {known}")]
    Framework {
        /// Asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A map of this build is broken.
    #[error("a control map cannot be read: {0}")]
    Map(String),
    /// The results do not belong to the plan.
    #[error("the result of evidence {0} is missing: run every query of the plan")]
    Missing(String),
}

/// A framework with its controls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) edition: String,
    pub(crate) controls: Vec<Control>,
}

/// One control.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) asks: String,
    /// Families such as `E6`: all of `E6.1`, `E6.2`, …
    pub(crate) evidence: Vec<String>,
    /// Least days that records must be kept for it.
    pub(crate) retention_days: Option<u32>,
}

/// Where evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// A query over events.
    #[default]
    Query,
    /// A query, and the alerts of the period.
    Alerts,
    /// The ledger.
    Ledger,
    /// The server's retention.
    Retention,
    /// Not collected.
    Elsewhere,
}

/// One entry of the evidence library.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) source: Source,
    pub(crate) exception: Option<String>,
}

impl Entry {
    /// `E6.1` belongs to `E6`.
    pub(crate) fn is_of(&self, family: &str) -> bool {
        self.id.split('.').next() == Some(family)
    }
}

impl Map {
    pub(crate) fn framework(&self) -> Framework {
        Framework {
            id: self.id.clone(),
            title: self.title.clone(),
            edition: self.edition.clone(),
            controls: self.controls.len() as u64,
        }
    }
}

pub(crate) fn maps() -> Result<Vec<Map>, ReportError> {
    MAPS.iter()
        .map(|text| {
            serde_saphyr::from_str(text).map_err(|error| ReportError::Map(error.to_string()))
        })
        .collect()
}

pub(crate) fn library() -> Result<Vec<Entry>, ReportError> {
    serde_saphyr::from_str(LIBRARY).map_err(|error| ReportError::Map(error.to_string()))
}

/// Finds a map by its id; case, spaces, dashes and dots do not matter (`soc 2`, `PCI_DSS`).
pub(crate) fn map(name: &str) -> Result<Map, ReportError> {
    let plain = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let maps = maps()?;
    let known = maps
        .iter()
        .map(|map| map.id.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    maps.into_iter()
        .find(|map| plain(&map.id) == plain(name))
        .ok_or_else(|| ReportError::Framework {
            name: name.to_owned(),
            known,
        })
}

/// Frameworks that reports exist for.
///
/// # Errors
/// Never in a build that passed its tests.
pub fn frameworks() -> Result<Vec<Framework>, ReportError> {
    Ok(maps()?.iter().map(Map::framework).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_is_whole() {
        let library = library().unwrap();
        for map in maps().unwrap() {
            for control in &map.controls {
                assert!(!control.evidence.is_empty(), "{}", control.id);
                for family in &control.evidence {
                    assert!(
                        library.iter().any(|entry| entry.is_of(family)),
                        "{}: {family}",
                        control.id
                    );
                }
            }
            let mut ids: Vec<_> = map.controls.iter().map(|control| &control.id).collect();
            ids.dedup();
            assert_eq!(ids.len(), map.controls.len());
        }
        for number in 1..=16 {
            let family = format!("E{number}");
            assert!(library.iter().any(|entry| entry.is_of(&family)), "{family}");
        }
    }

    #[test]
    fn names_are_forgiving() {
        for name in [
            "SOC2", "soc 2", "soc-2", "iso27001", "PCI_DSS", "pcidss", "hipaa",
        ] {
            map(name).unwrap();
        }
        let error = map("SOX").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no control map for \"SOX\"; known: SOC2, ISO27001, HIPAA, PCI-DSS"
        );
    }
}
