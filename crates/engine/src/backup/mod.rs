//! Backups of the store, and what a restore has to make sure of: that it is the right backup, that nothing newer is lost by
//! accident, that outsiders who hold checkpoints are told the truth, and that nothing is sent twice.

mod restore;
mod take;

use jiff::Timestamp;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::{Tx, hold};

pub use restore::{Checked, Restored, check, restore};
pub use store::backup::Counts;
pub use take::{Taken, take};

use crate::Engine;
use crate::ledger::Intent;

/// Why outgoing work is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When the store was restored.
    pub restored_at: Timestamp,
    /// When the backup was taken.
    pub taken_at: Timestamp,
    /// How many requests the mirror knows of and the restored store does not.
    pub forgotten_requests: u64,
    /// The first of them.
    pub forgotten: Vec<Intent>,
    /// How many leaves of the ledger are forgotten, as far as the mirror knows.
    pub forgotten_leaves: u64,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "outgoing work is held since a backup of {} was restored at {}; `moveout restore --confirm` lets it go",
            self.taken_at, self.restored_at
        )
    }
}

/// Returns why outgoing work is held, if it is.
///
/// # Errors
/// What the store says.
pub async fn held(engine: &Engine) -> Result<Option<Held>> {
    engine.store.read("backup.held", |tx| Box::pin(held_in(tx))).await
}

async fn held_in(tx: &mut Tx<'_>) -> Result<Option<Held>> {
    let why = hold::held(tx).await?;
    why.map(|why| {
        serde_json::from_str(&why).map_err(|cause| {
            Problem::new(&codes::store::QUERY_FAILED, "the reason of the hold cannot be read").caused_by(cause)
        })
    })
    .transpose()
}

/// Lets outgoing work go that is held since a restore; returns why it was held, if it was.
///
/// # Errors
/// What the store says.
pub async fn confirm(engine: &Engine) -> Result<Option<Held>> {
    engine
        .store
        .write("backup.confirm", |tx| {
            Box::pin(async move {
                let held = held_in(tx).await?;
                hold::release(tx).await?;
                Ok(held)
            })
        })
        .await
}

/// Fails while outgoing work is held: for commands that would wait for it.
///
/// # Errors
/// `MO-5034` if it is held.
pub async fn released(engine: &Engine) -> Result<()> {
    match held(engine).await? {
        None => Ok(()),
        Some(held) => Err(Problem::new(&codes::store::RESTORE_UNCONFIRMED, held.to_string())),
    }
}
