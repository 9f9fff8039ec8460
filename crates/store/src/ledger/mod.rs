//! The ledger: an append-only log whose every state has one Merkle root (RFC 9162 §2.1).
//!
//! Hashes of complete subtrees are stored as they come to be, so appending, a root and a proof each touch O(log n) rows.

mod past;
mod walk;

use model::merkle::{Hash, empty_root, leaf_hash, node_hash};
use model::{Problem, Result, codes};

use crate::{Row, Tx, params};

pub use past::{Past, begin_anew, past, past_roots};
pub use walk::{Leaves, leaves, verify};

/// Returns the log's name in checkpoints; a new log is given one.
///
/// # Errors
/// A problem of the store.
pub async fn origin(tx: &mut Tx<'_>) -> Result<String> {
    let name = new_name(tx);
    let sql = "INSERT INTO ledger_head (id, origin, size) VALUES (1, $1, 0) ON CONFLICT (id) DO NOTHING";
    tx.exec(sql, params![name]).await?;
    tx.query_one("SELECT origin FROM ledger_head WHERE id = 1", params![]).await?.get("origin")
}

/// Returns the log's name, if there is a log yet.
///
/// # Errors
/// A problem of the store.
pub async fn named(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let head = tx.query_opt("SELECT origin FROM ledger_head WHERE id = 1", params![]).await?;
    head.map(|row| row.get("origin")).transpose()
}

fn new_name(tx: &Tx<'_>) -> String {
    format!("moveout/{}", data_encoding::HEXLOWER.encode(&tx.ambient.random::<8>()))
}

/// Appends a leaf and returns its index.
///
/// # Errors
/// A problem of the store.
pub async fn append(tx: &mut Tx<'_>, leaf: &[u8]) -> Result<u64> {
    origin(tx).await?;
    // Taking the number locks the head, so side by side appends queue up here.
    let head = tx.query_one("UPDATE ledger_head SET size = size + 1 WHERE id = 1 RETURNING size", params![]).await?;
    let index = head.get::<u64>("size")? - 1;
    tx.exec(
        "INSERT INTO ledger_leaf (position, leaf, appended_at) VALUES ($1, $2, $3)",
        params![index, leaf, tx.ambient.now()],
    )
    .await?;
    let (mut level, mut position, mut hash) = (0_u32, index, leaf_hash(leaf));
    put(tx, level, position, &hash).await?;
    while position % 2 == 1 {
        hash = node_hash(&node(tx, level, position - 1).await?, &hash);
        (level, position) = (level + 1, position / 2);
        put(tx, level, position, &hash).await?;
    }
    Ok(index)
}

/// Returns how many leaves there are.
///
/// # Errors
/// A problem of the store.
pub async fn size(tx: &mut Tx<'_>) -> Result<u64> {
    let head = tx.query_opt("SELECT size FROM ledger_head WHERE id = 1", params![]).await?;
    head.map_or(Ok(0), |row| row.get("size"))
}

/// Returns the root of the log when it had `size` leaves.
///
/// # Errors
/// `MO-5012` if it never had so many, or its hashes have holes.
pub async fn root(tx: &mut Tx<'_>, size: u64) -> Result<Hash> {
    match size {
        0 => Ok(empty_root()),
        size => range_hash(tx, 0, size).await,
    }
}

/// Proves that leaf `index` is in the log of `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// `MO-5012` if there is no such leaf in it.
pub async fn inclusion_proof(tx: &mut Tx<'_>, index: u64, size: u64) -> Result<Vec<Hash>> {
    if index >= size || size > self::size(tx).await? {
        return Err(broken(format!("there is no leaf {index} among {size}")));
    }
    let (mut begin, mut end) = (0, size);
    let mut siblings = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            siblings.push((middle, end));
            end = middle;
        } else {
            siblings.push((begin, middle));
            begin = middle;
        }
    }
    hashes(tx, siblings).await
}

/// Proves that the log of `new` leaves begins with the log of `old` leaves (RFC 9162 §2.1.4.1).
///
/// # Errors
/// `MO-5012` if `old` is 0 or greater than `new`.
pub async fn consistency_proof(tx: &mut Tx<'_>, old: u64, new: u64) -> Result<Vec<Hash>> {
    if old == 0 || old > new || new > size(tx).await? {
        return Err(broken(format!("there is no proof from {old} to {new} leaves")));
    }
    let (mut begin, mut end) = (0, new);
    let mut parts = Vec::new();
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            parts.push((middle, end));
            end = middle;
        } else {
            parts.push((begin, middle));
            begin = middle;
        }
    }
    // Whoever has the old root already knows the hash of the whole old log.
    if begin != 0 {
        parts.push((begin, end));
    }
    hashes(tx, parts).await
}

/// Returns the leaf at `index`.
///
/// # Errors
/// `MO-5012` if there is none.
pub async fn leaf(tx: &mut Tx<'_>, index: u64) -> Result<Vec<u8>> {
    let row = tx.query_opt("SELECT leaf FROM ledger_leaf WHERE position = $1", params![index]).await?;
    row.ok_or_else(|| broken(format!("leaf {index} is missing")))?.get("leaf")
}

/// Returns the largest power of two below `size`, which must be at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Returns the hashes of ranges of leaves, the last range first: proofs run from the leaf up.
async fn hashes(tx: &mut Tx<'_>, ranges: Vec<(u64, u64)>) -> Result<Vec<Hash>> {
    let mut hashes = Vec::with_capacity(ranges.len());
    for (begin, end) in ranges.into_iter().rev() {
        hashes.push(range_hash(tx, begin, end).await?);
    }
    Ok(hashes)
}

/// Returns the hash over leaves `begin..end`, where `begin` is a multiple of the largest power of two in the range's length.
async fn range_hash(tx: &mut Tx<'_>, begin: u64, end: u64) -> Result<Hash> {
    // From the right: the smallest complete subtree ends at `end`, each larger one before it.
    let mut end = end;
    let mut hash: Option<Hash> = None;
    while end > begin {
        let level = (end - begin).trailing_zeros();
        let left = node(tx, level, (end >> level) - 1).await?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
        end -= 1 << level;
    }
    hash.ok_or_else(|| broken("a range without leaves".to_owned()))
}

async fn put(tx: &mut Tx<'_>, level: u32, position: u64, hash: &Hash) -> Result<()> {
    let sql = "INSERT INTO ledger_node (level, position, hash) VALUES ($1, $2, $3)";
    tx.exec(sql, params![level, position, &hash[..]]).await?;
    Ok(())
}

async fn node(tx: &mut Tx<'_>, level: u32, position: u64) -> Result<Hash> {
    let sql = "SELECT hash FROM ledger_node WHERE level = $1 AND position = $2";
    let row = tx.query_opt(sql, params![level, position]).await?;
    let hash = row.as_ref().map(|row: &Row| row.get::<Vec<u8>>("hash")).transpose()?;
    hash.and_then(|hash| hash.try_into().ok())
        .ok_or_else(|| broken(format!("hash {position} of level {level} is missing")))
}

fn broken(detail: String) -> Problem {
    Problem::new(&codes::store::LEDGER_BROKEN, detail)
}
