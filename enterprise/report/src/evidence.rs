//! Populations, their hash and their sample.

use std::collections::{BTreeMap, BinaryHeap};

use cmdai_api::console::EventRow;
use cmdai_schema::Hash;
use sha2::{Digest as _, Sha256};

/// Rows in a sample; all rows where there are fewer.
pub const SAMPLE: usize = 25;
/// Most host names counted for sentences.
const MAX_PLACES: usize = 10_000;

/// A query to run over the report's period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceQuery {
    /// Evidence, such as `E6.1`.
    pub id: String,
    /// Query in the server's query language.
    pub query: String,
    /// Seed of the sample, hex: bound to organisation, framework, evidence and period, so that
    /// nobody can choose one that suits them.
    pub seed: String,
}

impl EvidenceQuery {
    /// Takes the rows of this query, oldest first.
    pub fn population(&self) -> Population {
        Population {
            id: self.id.clone(),
            seed: self.seed.clone(),
            rows: 0,
            running: Sha256::new(),
            sample: BinaryHeap::new(),
            places: BTreeMap::new(),
        }
    }
}

/// A row in the sample, ordered by its draw.
#[derive(Debug, Clone)]
struct Drawn {
    draw: Hash,
    number: u64,
    row: Box<EventRow>,
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Drawn {}
impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.draw, self.number).cmp(&(other.draw, other.number))
    }
}

/// The rows of one query, streamed: memory does not grow with their number.
#[derive(Debug, Clone)]
pub struct Population {
    id: String,
    seed: String,
    rows: u64,
    running: Sha256,
    sample: BinaryHeap<Drawn>,
    places: BTreeMap<String, u64>,
}

/// What a population came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceResult {
    /// Evidence.
    pub id: String,
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 over the rows' event hashes (32 bytes each), one after the other.
    pub sha256: Hash,
    /// The sample in the order of the rows.
    pub sample: Vec<EventRow>,
    /// Host names and how many rows each, most first.
    pub places: Vec<(String, u64)>,
}

impl Population {
    /// Adds a row. `row` is only made where it enters the sample.
    pub fn add(&mut self, event_hash: &Hash, hostname: &str, row: impl FnOnce() -> EventRow) {
        self.rows += 1;
        self.running.update(event_hash.0);
        if let Some(count) = self.places.get_mut(hostname) {
            *count += 1;
        } else if self.places.len() < MAX_PLACES {
            self.places.insert(hostname.to_owned(), 1);
        }
        let draw = Hash::of(&[self.seed.as_bytes(), &event_hash.0]);
        let full = self.sample.len() >= SAMPLE;
        if full && self.sample.peek().is_some_and(|most| most.draw <= draw) {
            return;
        }
        self.sample.push(Drawn {
            draw,
            number: self.rows,
            row: Box::new(row()),
        });
        if full {
            self.sample.pop();
        }
    }

    /// Closes the population.
    pub fn finish(self) -> EvidenceResult {
        let mut sample = self.sample.into_vec();
        sample.sort_by_key(|drawn| drawn.number);
        let mut places: Vec<_> = self.places.into_iter().collect();
        places.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        EvidenceResult {
            id: self.id,
            rows: self.rows,
            sha256: Hash(self.running.finalize().into()),
            sample: sample.into_iter().map(|drawn| *drawn.row).collect(),
            places,
        }
    }
}
