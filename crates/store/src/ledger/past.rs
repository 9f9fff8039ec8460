//! Logs of before a restore. A restored store begins a new log, because outsiders may hold checkpoints of the old one that are
//! newer than the backup: two histories under one name would look like forgery.

use std::collections::{BTreeMap, BTreeSet};

use model::Result;
use model::merkle::{Hash, leaf_hash};

use super::walk::Peaks;
use super::{broken, leaves, named, new_name, origin, size};
use crate::{Tx, params};

/// A log of before a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its name in checkpoints.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
}

/// Closes the present log and begins another one, without leaves; returns the new name.
///
/// # Errors
/// A problem of the store.
pub async fn begin_anew(tx: &mut Tx<'_>) -> Result<String> {
    if let Some(closed) = named(tx).await? {
        let number = past(tx).await?.len() + 1;
        let sql = "INSERT INTO ledger_past (origin, number, size) VALUES ($1, $2, $3)";
        let size = size(tx).await?;
        tx.exec(sql, params![&closed, number, size]).await?;
        tx.exec(
            "INSERT INTO ledger_past_leaf (origin, position, leaf, appended_at)
             SELECT CAST($1 AS TEXT), position, leaf, appended_at FROM ledger_leaf",
            params![&closed],
        )
        .await?;
        tx.exec("DELETE FROM ledger_leaf", params![]).await?;
        tx.exec("DELETE FROM ledger_node", params![]).await?;
        let sql = "UPDATE ledger_head SET origin = $1, size = 0 WHERE id = 1";
        tx.exec(sql, params![new_name(tx)]).await?;
    }
    origin(tx).await
}

/// Returns the logs of before a restore, the oldest first.
///
/// # Errors
/// A problem of the store.
pub async fn past(tx: &mut Tx<'_>) -> Result<Vec<Past>> {
    let rows = tx.query("SELECT origin, size FROM ledger_past ORDER BY number", params![]).await?;
    rows.iter().map(|row| Ok(Past { origin: row.get("origin")?, size: row.get("size")? })).collect()
}

/// Computes the roots that a past log had at these sizes, and at its end, from its leaves.
///
/// # Errors
/// `MO-5012` if it does not have as many leaves as it had when it was closed.
pub async fn past_roots(tx: &mut Tx<'_>, past: &Past, sizes: &BTreeSet<u64>) -> Result<BTreeMap<u64, Hash>> {
    let mut walk = leaves(Some(past.origin.clone()));
    let mut peaks = Peaks::default();
    let mut roots = BTreeMap::from([(0, peaks.root())]);
    loop {
        let batch = walk.next(tx).await?;
        if batch.is_empty() {
            break;
        }
        for leaf in &batch {
            peaks.push(leaf_hash(leaf));
            if sizes.contains(&peaks.size()) {
                roots.insert(peaks.size(), peaks.root());
            }
        }
    }
    if peaks.size() != past.size {
        return Err(broken(format!(
            "the log {} has {} leaves where {} were appended",
            past.origin,
            peaks.size(),
            past.size
        )));
    }
    roots.insert(past.size, peaks.root());
    Ok(roots)
}
