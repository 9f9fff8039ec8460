//! What requests left behind on a ground, and when the ground is over.

use jiff::Timestamp;
use model::erasure::ErasureState;
use model::plan::Keys;
use model::problem::Reason;
use model::{Identity, Result};
use zeroize::Zeroizing;

use super::{announce_changes, broken, one, person_digests, sealed_row};
use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};
use crate::vault::columns::ERASURE_KEPT_KEYS;

/// What a request left in one system. Personal data: `keys` lead to the person's rows.
#[derive(Clone)]
pub struct KeptRow {
    /// The request.
    pub erasure: String,
    /// The declared name of the system.
    pub system: String,
    /// What finds the rows.
    pub keys: Keys,
    /// When the ground of the first of them is over, or erasing it is tried again; `None` if no rule says an end.
    pub next_at: Option<Timestamp>,
    /// Where the intent to erase them stands in the ledger.
    pub intent: Option<u64>,
}

/// Writes what a request left in a system; nothing, if there are no keys.
pub async fn put_kept(tx: &mut Tx<'_>, row: &KeptRow) -> Result<()> {
    if row.keys.values().all(|values| values.is_empty()) {
        let sql = "DELETE FROM erasure_kept WHERE erasure = $1 AND system = $2";
        tx.exec(sql, params![&row.erasure, &row.system]).await?;
        return Ok(());
    }
    let text = Zeroizing::new(json(&row.keys)?);
    let sealed = tx.vault().seal(&ERASURE_KEPT_KEYS, &sealed_row(&row.erasure, &row.system), text.as_bytes());
    tx.exec(
        "INSERT INTO erasure_kept (erasure, system, keys, next_at, intent_index) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (erasure, system) DO UPDATE SET keys = excluded.keys, next_at = excluded.next_at, intent_index = excluded.intent_index",
        params![&row.erasure, &row.system, sealed, row.next_at, row.intent],
    )
    .await?;
    Ok(())
}

/// Returns what a request left behind, system by system.
pub async fn kept(tx: &mut Tx<'_>, erasure: &str) -> Result<Vec<KeptRow>> {
    let sql = "SELECT * FROM erasure_kept WHERE erasure = $1 ORDER BY system";
    let rows = tx.query(sql, params![erasure]).await?;
    rows.iter().map(|row| kept_row(tx, row)).collect()
}

/// Returns the ids of ended requests of an app that are about a person of any of these identities and left something behind.
pub async fn keeping(tx: &mut Tx<'_>, app: &str, identities: &[Identity]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for digest in person_digests(tx, app, identities) {
        let sql = "SELECT p.erasure FROM erasure_person p JOIN erasure e ON e.id = p.erasure \
             WHERE p.digest = $1 AND e.finished_at IS NOT NULL AND EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = p.erasure)";
        for row in tx.query(sql, params![digest]).await? {
            ids.push(row.get("erasure")?);
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Returns the ended requests of which something is over before `now`, the longest overdue first.
pub async fn kept_due(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<Vec<String>> {
    let sql = "SELECT k.erasure, MIN(k.next_at) AS next FROM erasure_kept k JOIN erasure e ON e.id = k.erasure \
         WHERE k.next_at < $1 AND e.finished_at IS NOT NULL GROUP BY k.erasure ORDER BY next LIMIT $2";
    tx.query(sql, params![now, limit]).await?.iter().map(|row| row.get("erasure")).collect()
}

/// Returns when something is due next, from this instant on.
pub async fn kept_next(tx: &mut Tx<'_>, after: Timestamp) -> Result<Option<Timestamp>> {
    tx.query_one("SELECT MIN(next_at) AS next FROM erasure_kept WHERE next_at >= $1", params![after]).await?.get("next")
}

/// Ends a request for the second time: what it had kept is erased, all of it or for now. The first receipt stays.
///
/// # Errors
/// `MO-2018` if it has not ended before.
pub async fn end_kept(
    tx: &mut Tx<'_>,
    id: &str,
    state: ErasureState,
    reason: Option<&Reason>,
    receipt: &serde_json::Value,
) -> Result<()> {
    let now = tx.ambient.now();
    let changed = tx
        .query(
            "UPDATE erasure SET state_before = state, state = $2, reason = $3, kept_receipt = $4, kept_erased_at = $5, updated_at = $5,
                 changes = changes + CASE WHEN state = $2 THEN 0 ELSE 1 END
             WHERE id = $1 AND finished_at IS NOT NULL
             RETURNING *",
            params![id, state.name(), reason.map(json).transpose()?, json(receipt)?, now],
        )
        .await?;
    one(changed.len() as u64)?;
    announce_changes(tx, &changed).await
}

/// Says why what a request kept is still there although its time is over.
///
/// # Errors
/// `MO-2018` if the request has not ended.
pub async fn set_kept_reason(tx: &mut Tx<'_>, id: &str, reason: &Reason) -> Result<()> {
    let sql = "UPDATE erasure SET reason = $2 WHERE id = $1 AND finished_at IS NOT NULL";
    one(tx.exec(sql, params![id, json(reason)?]).await?)
}

fn kept_row(tx: &Tx<'_>, row: &Row) -> Result<KeptRow> {
    let (erasure, system): (String, String) = (row.get("erasure")?, row.get("system")?);
    let sealed: Vec<u8> = row.get("keys")?;
    let text = Zeroizing::new(tx.vault().open(&ERASURE_KEPT_KEYS, &sealed_row(&erasure, &system), &sealed)?);
    let keys = serde_json::from_slice(&text).map_err(|cause| broken("erasure_kept.keys").caused_by(cause))?;
    Ok(KeptRow { erasure, system, keys, next_at: row.get("next_at")?, intent: row.get("intent_index")? })
}
