//! Records, as tests look at them.

use cmdai_schema::record::{Half, Record, Start};

/// The first halves.
pub fn starts(records: &[Record]) -> Vec<&Start> {
    records
        .iter()
        .filter_map(|record| match &record.half {
            Half::Start(start) => Some(&**start),
            _ => None,
        })
        .collect()
}

/// Text of each first half, and whether it is private.
pub fn texts(records: &[Record]) -> Vec<(&str, bool)> {
    starts(records)
        .into_iter()
        .map(|start| (start.text.as_str(), start.private))
        .collect()
}
