//! Inclusion and consistency proofs (RFC 6962, section 2.1; checked as in RFC 9162).

use cmdai_schema::Hash;

use crate::frontier::{Frontier, empty_root, leaf_hash, node_hash};

/// A proof that does not prove it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Leaf or size beyond the tree.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    Range {
        /// Asked for.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The proof has the wrong number of hashes.
    #[error("the proof has the wrong length: it is not a proof for this leaf and tree size")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root: the log was changed, or the proof is of another log")]
    Root,
}

/// Root over event hashes in the order of the log.
pub fn root_of(events: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for event in events {
        frontier.push(*event);
    }
    frontier.root()
}

/// Largest power of two below `n`; for `n` of 2 and more.
fn split(n: usize) -> usize {
    (n.next_power_of_two() >> 1).max(1)
}

/// Proof that the event at `index` is in the log of `events`, lowest sibling first.
///
/// # Errors
/// Where the index is beyond the log.
pub fn inclusion_proof(events: &[Hash], index: u64) -> Result<Vec<Hash>, ProofError> {
    let size = events.len() as u64;
    let range = ProofError::Range { index, size };
    let Ok(at) = usize::try_from(index) else {
        return Err(range);
    };
    if at >= events.len() {
        return Err(range);
    }
    let mut path = Vec::new();
    let (mut rest, mut at) = (events, at);
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        if at < left.len() {
            path.push(root_of(right));
            rest = left;
        } else {
            path.push(root_of(left));
            at -= left.len();
            rest = right;
        }
    }
    path.reverse();
    Ok(path)
}

/// Checks that an event is leaf `index` of the log with `size` leaves and this root.
///
/// # Errors
/// Where it is not, or the proof is not one for this place.
pub fn verify_inclusion(
    event_hash: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf_hash(event_hash);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Proof that the log of the first `old` events grew into the log of `events`.
///
/// # Errors
/// Where `old` is more than there is.
pub fn consistency_proof(events: &[Hash], old: u64) -> Result<Vec<Hash>, ProofError> {
    let size = events.len() as u64;
    let range = ProofError::Range { index: old, size };
    let Ok(old) = usize::try_from(old) else {
        return Err(range);
    };
    if old > events.len() {
        return Err(range);
    }
    if old == 0 || old == events.len() {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let (mut rest, mut old, mut whole) = (events, old, true);
    while old < rest.len() {
        let (left, right) = rest.split_at(split(rest.len()));
        if old <= left.len() {
            path.push(root_of(right));
            rest = left;
        } else {
            path.push(root_of(left));
            old -= left.len();
            rest = right;
            whole = false;
        }
    }
    if !whole {
        path.push(root_of(rest));
    }
    path.reverse();
    Ok(path)
}

/// Checks that the log with `old_size` and `old_root` is a beginning of the one with `size` and
/// `root`.
///
/// # Errors
/// Where it is not, or the proof is not one for these sizes.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError::Range {
            index: old_size,
            size,
        });
    }
    if old_size == 0 || old_size == size {
        let expected = if old_size == 0 { empty_root() } else { *root };
        return match proof {
            [] if *old_root == expected => Ok(()),
            [] => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        };
    }
    let mut proof = proof.iter();
    let (mut node, mut last) = (old_size - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // Where the old tree is one complete subtree of the new one, its root is the start.
    let start = if node == 0 {
        *old_root
    } else {
        *proof.next().ok_or(ProofError::Length)?
    };
    let (mut old, mut new) = (start, start);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old == *old_root && new == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
