//! Walks over every leaf, a few hundred at a time: memory does not grow with the log.

use model::Result;
use model::merkle::{Hash, empty_root, leaf_hash, node_hash};

use super::{broken, node, root, size};
use crate::{Tx, params};

/// How many leaves are read at once.
const BATCH: u64 = 512;

/// A walk over the leaves of one log, from the first on.
pub struct Leaves {
    past: Option<String>,
    next: u64,
}

/// Begins a walk over the log of this name if it is one of before a restore, or over the present one.
pub fn leaves(past: Option<String>) -> Leaves {
    Leaves { past, next: 0 }
}

impl Leaves {
    /// Returns how many leaves were returned so far.
    pub fn walked(&self) -> u64 {
        self.next
    }

    /// Returns the next leaves; none at the end.
    ///
    /// # Errors
    /// `MO-5012` if a leaf is missing before others.
    pub async fn next(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Vec<u8>>> {
        let rows = match &self.past {
            None => {
                let sql = "SELECT position, leaf FROM ledger_leaf WHERE position >= $1 ORDER BY position LIMIT $2";
                tx.query(sql, params![self.next, BATCH]).await?
            }
            Some(origin) => {
                let sql = "SELECT position, leaf FROM ledger_past_leaf WHERE origin = $3 AND position >= $1
                     ORDER BY position LIMIT $2";
                tx.query(sql, params![self.next, BATCH, origin]).await?
            }
        };
        let mut leaves = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.get::<u64>("position")? != self.next {
                return Err(broken(format!("leaf {} is missing", self.next)));
            }
            leaves.push(row.get("leaf")?);
            self.next += 1;
        }
        Ok(leaves)
    }
}

/// Walks the whole log, computes every hash anew and compares; returns size and root.
///
/// A row that was changed, added or taken away by hand is found. A log rewritten with all its hashes is found by comparing
/// with an earlier checkpoint.
///
/// # Errors
/// `MO-5012` naming the first place that does not hold.
pub async fn verify(tx: &mut Tx<'_>) -> Result<(u64, Hash)> {
    let size = size(tx).await?;
    let mut walk = leaves(None);
    let mut peaks = Peaks::default();
    loop {
        let batch = walk.next(tx).await?;
        if batch.is_empty() {
            break;
        }
        for leaf in &batch {
            let index = peaks.size;
            for (level, hash) in peaks.push(leaf_hash(leaf)) {
                if node(tx, level, index >> level).await? != hash {
                    return Err(broken(format!("leaf {index} does not fit its hash at level {level}")));
                }
            }
        }
    }
    if walk.walked() != size {
        return Err(broken(format!("there are {} leaves where {size} were appended", walk.walked())));
    }
    Ok((size, root(tx, size).await?))
}

/// The complete subtrees of the leaves so far, the largest first.
#[derive(Default)]
pub(super) struct Peaks {
    size: u64,
    peaks: Vec<(u32, Hash)>,
}

impl Peaks {
    /// Adds a leaf and returns every complete subtree that comes to be with it, as (level, hash).
    pub(super) fn push(&mut self, leaf: Hash) -> Vec<(u32, Hash)> {
        let mut complete = vec![(0, leaf)];
        let (mut level, mut hash) = (0, leaf);
        while let Some((_, left)) = self.peaks.pop_if(|(top, _)| *top == level) {
            (level, hash) = (level + 1, node_hash(&left, &hash));
            complete.push((level, hash));
        }
        self.peaks.push((level, hash));
        self.size += 1;
        complete
    }

    /// Returns how many leaves were added.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root over all leaves so far.
    pub(super) fn root(&self) -> Hash {
        let hashes = self.peaks.iter().rev().map(|(_, hash)| *hash);
        hashes.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}
