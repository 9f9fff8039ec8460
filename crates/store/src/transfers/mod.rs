//! Transfers: what moves from where to where, how far it came, and the journal of its pages and items.
//!
//! A running transfer is written only by its latest *run* (one taking-up by a worker): every operation of a run says
//! which it is, and one that was overtaken is told so with `MO-5007`.

mod items;
mod pages;
mod sums;

use jiff::Timestamp;
use model::problem::Reason;
use model::transfer::TransferState;
use model::{DataType, Problem, Result, codes};

use crate::value::{Row, json};
use crate::{Tx, outbox, params};

pub use items::{Outcome, Retry, mark_sent, reclaim, record, release, retry};
pub use pages::{Journaled, NewItem, NewPage, PageRow, append_page, last_page, open_pages, undecided};
pub use sums::{problems, tallies};

/// A transfer to be carried out.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// Its id.
    pub id: String,
    /// Where it reads, without secrets.
    pub shown_from: String,
    /// Where it writes, without secrets.
    pub shown_to: String,
    /// The specs and the token, sealed for `transfer.ends` of this id.
    pub ends: Vec<u8>,
    /// The types to move; empty means all.
    pub types: Vec<DataType>,
    /// The earliest creation time to move.
    pub since: Option<Timestamp>,
    /// The first creation time not to move.
    pub until: Option<Timestamp>,
}

/// A transfer as it is stored.
#[derive(Clone, Debug)]
pub struct TransferRow {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: TransferState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// Where it reads, without secrets.
    pub shown_from: String,
    /// Where it writes, without secrets.
    pub shown_to: String,
    /// The specs and the token, sealed.
    pub ends: Vec<u8>,
    /// The types to move; empty means all.
    pub types: Vec<DataType>,
    /// The earliest creation time to move.
    pub since: Option<Timestamp>,
    /// The first creation time not to move.
    pub until: Option<Timestamp>,
    /// The fingerprint of the source when it was first read.
    pub fingerprint: Option<String>,
    /// The latest run.
    pub run: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl TransferRow {
    fn read(row: &Row) -> Result<Self> {
        let reason: Option<String> = row.get("reason")?;
        Ok(Self {
            id: row.get("id")?,
            state: row.parse("state")?,
            reason: reason.map(|_| row.json("reason")).transpose()?,
            shown_from: row.get("shown_from")?,
            shown_to: row.get("shown_to")?,
            ends: row.get("ends")?,
            types: row.json("types")?,
            since: row.get("since")?,
            until: row.get("until")?,
            fingerprint: row.get("fingerprint")?,
            run: row.get("run")?,
            created_at: row.get("created_at")?,
            finished_at: row.get("finished_at")?,
        })
    }
}

/// Records a transfer in state `queued`.
pub async fn insert(tx: &mut Tx<'_>, new: &NewTransfer) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO transfer (id, state, shown_from, shown_to, ends, types, since, until, run, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
        params![
            &new.id,
            TransferState::Queued.name(),
            &new.shown_from,
            &new.shown_to,
            new.ends.as_slice(),
            json(&new.types)?,
            new.since,
            new.until,
            now
        ],
    )
    .await?;
    announce(tx, &new.id, TransferState::Queued, 1, None).await
}

/// Tells whoever wants to hear of it in which state a transfer is now.
async fn announce(
    tx: &mut Tx<'_>,
    id: &str,
    state: TransferState,
    sequence: u64,
    reason: Option<&Reason>,
) -> Result<()> {
    let data = serde_json::json!({ "id": id, "sequence": sequence, "state": state.name(), "reason": reason });
    outbox::announce(tx, &outbox::Event { topic: format!("transfer.{}", state.name()), data }).await
}

/// Returns a transfer.
///
/// # Errors
/// `MO-3015` if there is none with this id.
pub async fn get(tx: &mut Tx<'_>, id: &str) -> Result<TransferRow> {
    let row = tx.query_opt("SELECT * FROM transfer WHERE id = $1", params![id]).await?;
    row.as_ref().map_or_else(|| Err(Problem::new(&codes::transfer::TRANSFER_UNKNOWN, "")), TransferRow::read)
}

/// Returns the newest transfers, newest first.
pub async fn newest(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<TransferRow>> {
    let rows = tx.query("SELECT * FROM transfer ORDER BY created_at DESC, id DESC LIMIT $1", params![limit]).await?;
    rows.iter().map(TransferRow::read).collect()
}

/// Starts a run: the transfer is `running`, and runs before this one may no longer write.
///
/// # Errors
/// `MO-3021` if somebody paused it or it has ended.
pub async fn begin(tx: &mut Tx<'_>, id: &str) -> Result<TransferRow> {
    let row = get(tx, id).await?;
    if row.state == TransferState::Paused || row.state.is_final() {
        return Err(conflict(row.state, "be carried out"));
    }
    tx.exec("UPDATE transfer SET run = run + 1 WHERE id = $1", params![id]).await?;
    set_state(tx, id, TransferState::Running, None, None).await?;
    get(tx, id).await
}

/// Remembers what the source looked like when it was first read.
pub async fn set_fingerprint(tx: &mut Tx<'_>, id: &str, run: u64, fingerprint: &str) -> Result<()> {
    fence(tx, id, run).await?;
    tx.exec("UPDATE transfer SET fingerprint = $2 WHERE id = $1", params![id, fingerprint]).await?;
    Ok(())
}

/// Ends a run in the given state, unless somebody paused or cancelled the transfer meanwhile; returns the state it is in.
pub async fn end(
    tx: &mut Tx<'_>,
    id: &str,
    run: u64,
    state: TransferState,
    reason: Option<&Reason>,
) -> Result<TransferState> {
    let now = tx.ambient.now();
    let current = fence(tx, id, run).await?;
    if current != TransferState::Running {
        return Ok(current);
    }
    set_state(tx, id, state, reason, state.is_final().then_some(now)).await?;
    Ok(state)
}

/// Lets a transfer that was under way wait for somebody, because its job was put aside.
pub async fn park(tx: &mut Tx<'_>, id: &str, reason: &Reason) -> Result<()> {
    let state = get(tx, id).await?.state;
    if state == TransferState::Paused || state.is_final() {
        return Ok(());
    }
    set_state(tx, id, TransferState::Waiting, Some(reason), None).await
}

/// Moves a transfer to another state because a person asked for it.
///
/// # Errors
/// `MO-3015` if there is none, `MO-3021` if its state is none of `from`; `verb` says what was asked for.
pub async fn change(
    tx: &mut Tx<'_>,
    id: &str,
    from: &[TransferState],
    to: TransferState,
    verb: &str,
) -> Result<TransferRow> {
    let now = tx.ambient.now();
    let row = get(tx, id).await?;
    if !from.contains(&row.state) {
        return Err(conflict(row.state, verb));
    }
    set_state(tx, id, to, None, to.is_final().then_some(now)).await?;
    Ok(row)
}

async fn set_state(
    tx: &mut Tx<'_>,
    id: &str,
    state: TransferState,
    reason: Option<&Reason>,
    finished_at: Option<Timestamp>,
) -> Result<()> {
    let changed = tx
        .query_opt(
            "UPDATE transfer SET state_before = state, state = $2, reason = $3, finished_at = $4,
                 changes = changes + CASE WHEN state = $2 THEN 0 ELSE 1 END
             WHERE id = $1 RETURNING state_before, changes",
            params![id, state.name(), reason.map(json).transpose()?, finished_at],
        )
        .await?;
    match changed {
        Some(row) if row.get::<Option<String>>("state_before")?.as_deref() != Some(state.name()) => {
            announce(tx, id, state, row.get("changes")?, reason).await
        }
        _ => Ok(()),
    }
}

/// Makes sure that `run` is the latest, and returns the state that the transfer is in.
pub async fn fence(tx: &mut Tx<'_>, id: &str, run: u64) -> Result<TransferState> {
    let row = tx.query_opt("SELECT state, run FROM transfer WHERE id = $1", params![id]).await?;
    match row {
        Some(row) if row.get::<u64>("run")? == run => row.parse("state"),
        _ => Err(Problem::new(&codes::store::LEASE_LOST, "the transfer was taken up by a later run")),
    }
}

fn conflict(state: TransferState, verb: &str) -> Problem {
    Problem::new(&codes::transfer::TRANSFER_STATE_CONFLICT, format!("it is {state} and cannot {verb}"))
}
