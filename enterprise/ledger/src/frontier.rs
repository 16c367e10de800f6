//! The growing edge of the tree.

use cmdai_schema::Hash;
use serde::{Deserialize, Serialize};

/// Hash of a leaf over an event's hash.
pub fn leaf_hash(event_hash: &Hash) -> Hash {
    leaf_of_bytes(&event_hash.0)
}

pub(crate) fn leaf_of_bytes(bytes: &[u8]) -> Hash {
    Hash::of(&[&[0], bytes])
}

/// Hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], &left.0, &right.0])
}

/// Root of the tree without leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// Peaks that do not belong to the size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tree of {size} leaves has {expected} left subtrees, not {found}: the edge is incomplete or of another size"
)]
pub struct FrontierError {
    /// Number of leaves.
    pub size: u64,
    /// Subtrees that such a tree has.
    pub expected: u32,
    /// Subtrees that were given.
    pub found: usize,
}

/// The complete subtrees of the tree so far: all that is needed to add leaves and to know the root.
///
/// The same as a header's `left_edge`: the subtrees to the left of the next leaf, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Takes up a tree of `size` leaves again.
    ///
    /// # Errors
    /// Where the number of peaks does not belong to the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = size.count_ones();
        if usize::try_from(expected).ok() != Some(peaks.len()) {
            return Err(FrontierError {
                size,
                expected,
                found: peaks.len(),
            });
        }
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds an event as the next leaf and returns the leaf's index.
    pub fn push(&mut self, event_hash: Hash) -> u64 {
        self.push_leaf(leaf_hash(&event_hash))
    }

    pub(crate) fn push_leaf(&mut self, leaf: Hash) -> u64 {
        let index = self.size;
        let mut node = leaf;
        // Each low bit that is set is a subtree as large as the one just made: they join.
        let mut rest = self.size;
        while rest & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
            rest >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
        index
    }

    /// Root of the tree so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl<'de> Deserialize<'de> for Frontier {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            size: u64,
            peaks: Vec<Hash>,
        }
        let Parts { size, peaks } = Parts::deserialize(deserializer)?;
        Self::from_parts(size, peaks).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The well-known vectors of certificate transparency: eight inputs and the roots over the
    // first 1 to 8 of them.
    const INPUTS: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let mut frontier = Frontier::default();
        assert_eq!(
            frontier.root().to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (input, root) in INPUTS.iter().zip(ROOTS) {
            frontier.push_leaf(leaf_of_bytes(input));
            assert_eq!(frontier.root().to_hex(), root);
        }
    }

    #[test]
    fn survives_json_and_refuses_a_wrong_edge() {
        let mut frontier = Frontier::default();
        for n in 0..13u8 {
            frontier.push(Hash([n; 32]));
        }
        let text = serde_json::to_string(&frontier).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&text).unwrap(), frontier);
        let wrong = text.replace("\"size\":13", "\"size\":12");
        assert!(serde_json::from_str::<Frontier>(&wrong).is_err());
        assert!(Frontier::from_parts(3, vec![Hash::default()]).is_err());
    }
}
