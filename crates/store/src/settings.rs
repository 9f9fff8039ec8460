//! Settings of the store itself, by name.

use model::Result;

use crate::{Tx, params};

/// Returns a setting.
///
/// # Errors
/// A problem of the store.
pub async fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT value FROM setting WHERE name = $1", params![name]).await?;
    row.map(|row| row.get("value")).transpose()
}

/// Removes a setting.
///
/// # Errors
/// A problem of the store.
pub async fn remove(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.exec("DELETE FROM setting WHERE name = $1", params![name]).await?;
    Ok(())
}

/// Sets a setting.
///
/// # Errors
/// A problem of the store.
pub async fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    let sql =
        "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.exec(sql, params![name, value]).await?;
    Ok(())
}
