//! One system within an erasure: its plan, whom it is about there, and how far it has come.

use model::erasure::{Kept, SystemState, TableResult};
use model::plan::{Frozen, Plan};
use model::problem::Reason;
use model::{Identity, Result};
use zeroize::Zeroizing;

use super::{broken, remember_learned, seal_identities};
use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};
use crate::vault::columns::ERASURE_SYSTEM_FROZEN;

/// A system within an erasure, without the person.
#[derive(Clone, Debug)]
pub struct SystemRow {
    /// The declared name.
    pub name: String,
    /// Its place in the declaration.
    pub position: u64,
    /// What the status page calls it.
    pub label: String,
    /// Its state.
    pub state: SystemState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// What is done there; `None` until the request was planned.
    pub plan: Option<Plan>,
    /// Its tables.
    pub tables: Vec<TableResult>,
    /// What is kept there on a ground.
    pub kept: Vec<Kept>,
}

/// Returns the systems of a request, in the order of the declaration.
pub async fn systems(tx: &mut Tx<'_>, erasure: &str) -> Result<Vec<SystemRow>> {
    let select = "SELECT name, position, label, state, reason, plan, tables, kept FROM erasure_system WHERE erasure = $1 ORDER BY position, name";
    let rows = tx.query(select, params![erasure]).await?;
    rows.iter().map(system).collect()
}

/// Writes how far a system has come; its frozen keys stay as they are.
pub async fn put_system(tx: &mut Tx<'_>, erasure: &str, system: &SystemRow) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO erasure_system (erasure, name, position, label, state, reason, plan, tables, kept, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (erasure, name) DO UPDATE SET position = excluded.position, label = excluded.label, state = excluded.state, \
         reason = excluded.reason, plan = excluded.plan, tables = excluded.tables, kept = excluded.kept, updated_at = excluded.updated_at",
        params![
            erasure,
            &system.name,
            system.position,
            &system.label,
            system.state.name(),
            system.reason.as_ref().map(json).transpose()?,
            system.plan.as_ref().map(json).transpose()?,
            json(&system.tables)?,
            json(&system.kept)?,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Forgets a system that no longer takes part.
pub async fn remove_system(tx: &mut Tx<'_>, erasure: &str, name: &str) -> Result<()> {
    tx.exec("DELETE FROM erasure_system WHERE erasure = $1 AND name = $2", params![erasure, name]).await?;
    Ok(())
}

/// Freezes a request: the closed set of identities, and for each system (which must be stored) the keys of the person's rows.
pub async fn freeze(tx: &mut Tx<'_>, erasure: &str, identities: &[Identity], keys: &[(String, Frozen)]) -> Result<()> {
    for (system, frozen) in keys {
        freeze_keys(tx, erasure, system, frozen).await?;
    }
    let sealed = seal_identities(tx, erasure, identities)?;
    tx.exec("UPDATE erasure SET identities = $2, frozen = 1 WHERE id = $1", params![erasure, sealed]).await?;
    remember_learned(tx, erasure, identities).await
}

/// Freezes the keys of the person's rows in one system.
pub async fn freeze_keys(tx: &mut Tx<'_>, erasure: &str, system: &str, frozen: &Frozen) -> Result<()> {
    let text = Zeroizing::new(json(frozen)?);
    let sealed = tx.vault().seal(&ERASURE_SYSTEM_FROZEN, &sealed_row(erasure, system), text.as_bytes());
    tx.exec("UPDATE erasure_system SET frozen = $3 WHERE erasure = $1 AND name = $2", params![erasure, system, sealed])
        .await?;
    Ok(())
}

/// Returns the frozen keys of a person in one system, if there are any.
pub async fn system_frozen(tx: &mut Tx<'_>, erasure: &str, system: &str) -> Result<Option<Frozen>> {
    let select = "SELECT frozen FROM erasure_system WHERE erasure = $1 AND name = $2";
    let Some(row) = tx.query_opt(select, params![erasure, system]).await? else { return Ok(None) };
    let Some(sealed) = row.get::<Option<Vec<u8>>>("frozen")? else { return Ok(None) };
    let text = Zeroizing::new(tx.vault().open(&ERASURE_SYSTEM_FROZEN, &sealed_row(erasure, system), &sealed)?);
    serde_json::from_slice(&text).map(Some).map_err(|cause| broken("erasure_system.frozen").caused_by(cause))
}

pub(super) fn sealed_row(erasure: &str, system: &str) -> String {
    format!("{erasure}/{system}")
}

fn system(row: &Row) -> Result<SystemRow> {
    Ok(SystemRow {
        name: row.get("name")?,
        position: row.get("position")?,
        label: row.get("label")?,
        state: row.parse("state")?,
        reason: row.json_opt("reason")?,
        plan: row.json_opt("plan")?,
        tables: row.json("tables")?,
        kept: row.json("kept")?,
    })
}
