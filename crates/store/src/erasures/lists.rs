//! Bulk lists of ids: how far an import has come, and which requests came with it.

use model::erasure::{ErasureState, ListCounts};
use model::{Identity, Result};

use super::person_digests;
use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};

/// An import of one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its id.
    pub id: String,
    /// The app whose people are on it.
    pub app: String,
    /// The kind of its ids.
    pub kind: String,
    /// What tells one file from another.
    pub fingerprint: String,
    /// What became of its lines so far.
    pub counts: ListCounts,
}

/// Returns the import of this list that broke off, or begins a new one.
pub async fn open_list(tx: &mut Tx<'_>, app: &str, kind: &str, fingerprint: &str) -> Result<List> {
    let sql = "SELECT id, app, kind, fingerprint, counts FROM erasure_list \
         WHERE app = $1 AND kind = $2 AND fingerprint = $3 AND finished_at IS NULL";
    if let Some(row) = tx.query_opt(sql, params![app, kind, fingerprint]).await? {
        return list(&row);
    }
    let list = List {
        id: tx.ambient.id(),
        app: app.to_owned(),
        kind: kind.to_owned(),
        fingerprint: fingerprint.to_owned(),
        counts: ListCounts::default(),
    };
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO erasure_list (id, app, kind, fingerprint, counts, started_at) VALUES ($1, $2, $3, $4, $5, $6)",
        params![&list.id, app, kind, fingerprint, json(&list.counts)?, now],
    )
    .await?;
    Ok(list)
}

/// Records how far an import has come, and whether it is at its end.
pub async fn put_list(tx: &mut Tx<'_>, id: &str, counts: &ListCounts, finished: bool) -> Result<()> {
    let finished = finished.then(|| tx.ambient.now());
    let sql = "UPDATE erasure_list SET counts = $2, finished_at = $3 WHERE id = $1";
    tx.exec(sql, params![id, json(counts)?, finished]).await?;
    Ok(())
}

/// Remembers an id of a list; tells whether it is there for the first time.
pub async fn first_on_list(tx: &mut Tx<'_>, list: &List, identity: &Identity) -> Result<bool> {
    let mut first = false;
    for digest in person_digests(tx, &list.app, std::slice::from_ref(identity)) {
        let sql = "INSERT INTO erasure_list_id (list, digest) VALUES ($1, $2) ON CONFLICT (list, digest) DO NOTHING";
        first |= tx.exec(sql, params![&list.id, digest]).await? > 0;
    }
    Ok(first)
}

/// Forgets some ids of a list that is at its end; returns how many, 0 when there are none left.
pub async fn forget_list_ids(tx: &mut Tx<'_>, list: &str) -> Result<u64> {
    let sql = "DELETE FROM erasure_list_id WHERE list = $1 AND digest IN \
         (SELECT digest FROM erasure_list_id WHERE list = $1 LIMIT 10000)";
    tx.exec(sql, params![list]).await
}

/// Says that a request came with a list.
pub async fn set_list(tx: &mut Tx<'_>, erasure: &str, list: &str) -> Result<()> {
    tx.exec("UPDATE erasure SET list = $2 WHERE id = $1", params![erasure, list]).await?;
    Ok(())
}

/// Counts the requests of a list whose person nobody knew.
pub async fn count_unknown(tx: &mut Tx<'_>, list: &str) -> Result<u64> {
    let sql = "SELECT COUNT(*) AS unknown FROM erasure WHERE list = $1 AND state = $2";
    tx.query_one(sql, params![list, ErasureState::NoData.name()]).await?.get("unknown")
}

fn list(row: &Row) -> Result<List> {
    Ok(List {
        id: row.get("id")?,
        app: row.get("app")?,
        kind: row.get("kind")?,
        fingerprint: row.get("fingerprint")?,
        counts: row.json("counts")?,
    })
}
