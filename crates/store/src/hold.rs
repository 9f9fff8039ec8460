//! After a restore nothing leaves the house until an operator has looked: the store may have forgotten what was already done.

use model::Result;

use crate::{Tx, params, settings};

/// The setting that holds outgoing work; its value says why, as JSON.
const HELD: &str = "restore.held";

/// Holds outgoing work.
///
/// # Errors
/// A problem of the store.
pub async fn hold(tx: &mut Tx<'_>, why: &str) -> Result<()> {
    settings::set(tx, HELD, why).await
}

/// Returns why outgoing work is held, if it is.
///
/// # Errors
/// A problem of the store.
pub async fn held(tx: &mut Tx<'_>) -> Result<Option<String>> {
    settings::get(tx, HELD).await
}

/// Lets outgoing work go; tells whether it was held.
///
/// # Errors
/// A problem of the store.
pub async fn release(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.exec("DELETE FROM setting WHERE name = $1", params![HELD]).await? > 0)
}

/// Tells whether work of this kind stays within the house, so that it goes on while outgoing work is held.
pub(crate) fn stays_inside(kind: &str) -> bool {
    matches!(kind, "inbox" | "retention")
}
