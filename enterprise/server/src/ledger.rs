//! The server's ledger: a Merkle tree over all events in the order of storing.
//!
//! The leaves are the hashes in the store; the edge is kept here and with each checkpoint. An edge
//! is also kept every [`STEP`] leaves, so that an export need not read the log from its beginning.

use anyhow::Context as _;
use cmdai_api::console::Checkpoint;
use cmdai_ledger::{Frontier, Signer, origin_of};
use cmdai_store::{Store, StoreError, StoredCheckpoint};
use tokio::sync::Mutex;

use crate::clock;

/// Leaves between kept edges.
const STEP: u64 = 8_192;
/// Hashes read at once.
const PAGE: u32 = 8_192;

/// Signs states of the log.
pub(crate) struct Ledger {
    signer: Signer,
    edge: Mutex<Frontier>,
}

fn key_of(size: u64) -> String {
    format!("ledger-edge-{size}")
}

async fn kept_edge(store: &dyn Store, key: &str) -> anyhow::Result<Option<Frontier>> {
    let Some(text) = store.setting(key).await? else {
        return Ok(None);
    };
    Ok(Some(serde_json::from_str(&text).with_context(|| {
        format!("the setting {key} cannot be read")
    })?))
}

impl Ledger {
    /// Takes the log up where it was left.
    ///
    /// # Errors
    /// Where the kept edge does not fit the newest checkpoint: the data were changed.
    pub(crate) async fn open(
        store: &dyn Store,
        organisation: &str,
        secret: &[u8; 32],
    ) -> anyhow::Result<Self> {
        let signer = Signer::new(origin_of(organisation), secret);
        let edge = kept_edge(store, "ledger-edge").await?.unwrap_or_default();
        if let Some(checkpoint) = store.checkpoint().await? {
            anyhow::ensure!(
                checkpoint.tree_size == edge.size() && checkpoint.root == edge.root(),
                "the ledger does not fit its newest checkpoint: the data folder was changed from outside; restore it from a backup"
            );
        }
        Ok(Self {
            signer,
            edge: Mutex::new(edge),
        })
    }

    /// Public key, base64.
    pub(crate) fn public_key(&self) -> String {
        self.signer.public_key()
    }

    /// Takes up what was stored since and signs the new state; nothing where nothing is new.
    pub(crate) async fn advance(&self, store: &dyn Store) -> anyhow::Result<Option<Checkpoint>> {
        let mut edge = self.edge.lock().await;
        let mut next = edge.clone();
        loop {
            let hashes = store.hashes_from(next.size() + 1, PAGE).await?;
            if hashes.is_empty() {
                break;
            }
            for hash in hashes {
                next.push(hash);
                if next.size() % STEP == 0 {
                    store
                        .set_setting(&key_of(next.size()), &serde_json::to_string(&next)?)
                        .await?;
                }
            }
        }
        if next.size() == edge.size() {
            return Ok(None);
        }
        let now_ms = clock::now_ms();
        let checkpoint = self.signer.checkpoint(&next, &clock::rfc3339(now_ms));
        let stored = StoredCheckpoint {
            tree_size: next.size(),
            root: next.root(),
            note: checkpoint.note.clone(),
            time_ms: now_ms,
        };
        store
            .add_checkpoint(stored, &serde_json::to_string(&next)?)
            .await?;
        *edge = next;
        Ok(Some(checkpoint))
    }

    /// Signs the state of a tree.
    pub(crate) fn sign(&self, edge: &Frontier) -> Checkpoint {
        self.signer
            .checkpoint(edge, &clock::rfc3339(clock::now_ms()))
    }

    /// The edge of the tree of the first `size` leaves.
    pub(crate) async fn edge_at(&self, store: &dyn Store, size: u64) -> anyhow::Result<Frontier> {
        let mut edge = kept_edge(store, &key_of(size / STEP * STEP))
            .await?
            .unwrap_or_default();
        while edge.size() < size {
            let wanted = u32::try_from((size - edge.size()).min(u64::from(PAGE))).unwrap_or(PAGE);
            let hashes = store.hashes_from(edge.size() + 1, wanted).await?;
            if hashes.is_empty() {
                return Err(StoreError::Damaged {
                    what: "ledger",
                    cause: "rows are missing".to_owned(),
                }
                .into());
            }
            for hash in hashes {
                edge.push(hash);
            }
        }
        Ok(edge)
    }
}

/// The wire form of a stored checkpoint.
pub(crate) fn wire(checkpoint: &StoredCheckpoint, organisation: &str) -> Checkpoint {
    Checkpoint {
        origin: origin_of(organisation),
        tree_size: checkpoint.tree_size,
        root: checkpoint.root.to_hex(),
        time: clock::rfc3339(checkpoint.time_ms),
        note: checkpoint.note.clone(),
    }
}
