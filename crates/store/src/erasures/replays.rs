//! Requests that repeat an earlier one, because a restored backup has brought back what it had erased.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Result;

use super::by_id;
use crate::value::json;
use crate::{Tx, params};

/// What a replay repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The request that it repeats, which is no replay itself.
    pub first: String,
    /// The moment that the backup is of.
    pub since: Timestamp,
    /// The systems that were restored; empty means all.
    pub systems: Vec<String>,
}

/// A request that a backup of some moment knows nothing of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The request, which is no replay itself.
    pub first: String,
    /// The app it came for.
    pub app: String,
    /// When it ended, or the last replay of it did.
    pub finished_at: Timestamp,
    /// Whether only what a ground had kept was erased since then: it no longer bears the person's identities.
    pub only_kept: bool,
    /// The newest of the request and its replays that still knows whom it is about.
    pub source: Option<String>,
}

/// Returns the requests that were carried out since then, themselves or by a replay, the oldest first.
///
/// Those that found nothing count: the backup may be of before the data went in another way.
///
/// # Errors
/// A problem of the store.
pub async fn ended_since(tx: &mut Tx<'_>, since: Timestamp, app: Option<&str>) -> Result<Vec<Ended>> {
    let rows = tx
        .query(
            "SELECT e.id, e.app, e.finished_at, e.kept_erased_at, r.first
             FROM erasure e LEFT JOIN erasure_replay r ON r.erasure = e.id
             WHERE (e.finished_at >= $1 OR e.kept_erased_at >= $1) AND e.state IN ('complete', 'partly_refused', 'no_data')
                 AND (CAST($2 AS TEXT) IS NULL OR e.app = $2)
             ORDER BY e.finished_at, e.id",
            params![since, app],
        )
        .await?;
    let mut ended: BTreeMap<String, Ended> = BTreeMap::new();
    for row in &rows {
        let id: String = row.get("id")?;
        let first = row.get::<Option<String>>("first")?.unwrap_or(id);
        let finished_at: Timestamp = row.get("finished_at")?;
        let known = ended.entry(first.clone()).or_insert(Ended {
            first,
            app: row.get("app")?,
            finished_at,
            only_kept: true,
            source: None,
        });
        known.only_kept &= finished_at < since;
        known.finished_at =
            known.finished_at.max(row.get::<Option<Timestamp>>("kept_erased_at")?.unwrap_or(finished_at));
    }
    for ended in ended.values_mut() {
        ended.source = source(tx, &ended.first).await?;
    }
    let mut ended: Vec<_> = ended.into_values().collect();
    ended.sort_by(|one, other| (one.finished_at, &one.first).cmp(&(other.finished_at, &other.first)));
    Ok(ended)
}

async fn source(tx: &mut Tx<'_>, first: &str) -> Result<Option<String>> {
    let rows = tx
        .query(
            "SELECT e.id FROM erasure e LEFT JOIN erasure_replay r ON r.erasure = e.id
             WHERE (e.id = $1 OR r.first = $1) AND e.identities IS NOT NULL ORDER BY e.received_at DESC, e.id DESC LIMIT 1",
            params![first],
        )
        .await?;
    rows.first().map(|row| row.get("id")).transpose()
}

/// Notes what a request repeats.
///
/// # Errors
/// A problem of the store.
pub async fn put_replay(tx: &mut Tx<'_>, erasure: &str, replay: &Replay) -> Result<()> {
    tx.exec(
        "INSERT INTO erasure_replay (erasure, first, since, systems) VALUES ($1, $2, $3, $4)",
        params![erasure, &replay.first, replay.since, json(&replay.systems)?],
    )
    .await?;
    Ok(())
}

/// Returns what a request repeats, if it is a replay.
///
/// # Errors
/// A problem of the store.
pub async fn replay(tx: &mut Tx<'_>, erasure: &str) -> Result<Option<Replay>> {
    let sql = "SELECT first, since, systems FROM erasure_replay WHERE erasure = $1";
    let row = tx.query_opt(sql, params![erasure]).await?;
    row.map(|row| Ok(Replay { first: row.get("first")?, since: row.get("since")?, systems: row.json("systems")? }))
        .transpose()
}

/// Returns the newest request that repeats another one for the same backup and systems.
///
/// # Errors
/// A problem of the store.
pub async fn replayed(tx: &mut Tx<'_>, replay: &Replay) -> Result<Option<super::Request>> {
    let sql = "SELECT r.erasure FROM erasure_replay r JOIN erasure e ON e.id = r.erasure
         WHERE r.first = $1 AND r.since = $2 AND r.systems = $3 ORDER BY e.received_at DESC, e.id DESC LIMIT 1";
    let rows = tx.query(sql, params![&replay.first, replay.since, json(&replay.systems)?]).await?;
    match rows.first() {
        Some(row) => by_id(tx, &row.get::<String>("erasure")?).await,
        None => Ok(None),
    }
}
