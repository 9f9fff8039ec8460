//! Transfers: read, write, reconcile.
//!
//! A transfer is a durable job. `read` turns pages of the source into journaled batches, `write` keeps as many items in
//! flight as the destination takes, `deliver` carries one item to its end, `reconcile` adds up. Everything that is known
//! is in the journal, so any step may be the last one before a crash.

mod brake;
mod deliver;
mod job;
mod plan;
mod read;
mod reconcile;
mod run;
mod view;
mod write;

use adapters::Spec;
use adapters::open::Token;
use jiff::Timestamp;
use model::transfer::{TransferState, TransferView};
use model::{DataType, Problem, Result, codes};
use store::transfers;

use crate::Engine;

pub use job::JobHandler;
pub use plan::{DateRange, Found, ProblemCount, Selection, Survey, plan, survey};
pub use run::carry_out;
pub use store::transfers::Retry;
pub use view::progress;

/// The kind of job that carries out a transfer; its subject is the transfer's id.
pub const JOB: &str = "transfer";

/// What is to be transferred.
#[derive(Clone, Debug)]
pub struct Start {
    /// Where to read.
    pub from: Spec,
    /// Where to write.
    pub to: Spec,
    /// The token that the destination asks for.
    pub token: Option<Token>,
    /// Which items.
    pub selection: Selection,
}

/// Reads a source or destination as people write it: a spec, or the name of a declared system.
///
/// # Errors
/// `MO-3013` if it is neither.
pub async fn resolve(engine: &Engine, text: &str) -> Result<Spec> {
    if !text.contains(':') {
        let systems = crate::world::systems(engine).await?;
        if let Some(system) = systems.into_iter().find(|system| system.declared.name == text) {
            return system.url.parse();
        }
    }
    text.parse()
}

/// Records a transfer and its job; when this returns, both are on disk. Returns its id.
///
/// # Errors
/// `MO-3013` if both ends are the same place, which would feed on itself; a problem of the store.
pub async fn start(engine: &Engine, start: &Start) -> Result<String> {
    if start.from == start.to {
        return Err(Problem::new(
            &codes::transfer::SPEC_MALFORMED,
            "the source and the destination are the same place",
        ));
    }
    let id = engine.ambient.id();
    let new = transfers::NewTransfer {
        id: id.clone(),
        shown_from: start.from.to_string(),
        shown_to: start.to.to_string(),
        ends: job::seal_ends(engine, &id, start)?,
        types: start.selection.types.clone(),
        since: start.selection.since,
        until: start.selection.until,
    };
    engine
        .store
        .write("transfer.start", move |tx| {
            Box::pin(async move {
                transfers::insert(tx, &new).await?;
                job::enqueue(tx, &new.id, &new.shown_to).await
            })
        })
        .await?;
    Ok(id)
}

/// Shows a transfer: its state and its sum.
///
/// # Errors
/// `MO-3015` if there is none with this id.
pub async fn show(engine: &Engine, id: &str) -> Result<TransferView> {
    view::show(engine, id).await
}

/// Shows the newest transfers, newest first.
///
/// # Errors
/// A problem of the store.
pub async fn list(engine: &Engine, limit: u32) -> Result<Vec<TransferView>> {
    view::list(engine, limit).await
}

/// Pauses a transfer: nothing leaves any more, what is in flight is waited for and journaled.
///
/// # Errors
/// `MO-3015` if there is none, `MO-3021` if it is not under way.
pub async fn pause(engine: &Engine, id: &str) -> Result<()> {
    use TransferState::{Queued, Running, Waiting};
    change(engine, id, &[Queued, Running, Waiting], TransferState::Paused, "be paused").await
}

/// Cancels a transfer for good; what was written stays where it is.
///
/// # Errors
/// `MO-3015` if there is none, `MO-3021` if it has ended.
pub async fn cancel(engine: &Engine, id: &str) -> Result<()> {
    use TransferState::{Paused, Queued, Running, Waiting};
    change(engine, id, &[Queued, Running, Waiting, Paused], TransferState::Cancelled, "be cancelled").await
}

/// Goes on with a paused or waiting transfer, or with one whose worker died.
///
/// # Errors
/// `MO-3015` if there is none, `MO-3021` if it has ended.
pub async fn resume(engine: &Engine, id: &str) -> Result<()> {
    use TransferState::{Paused, Queued, Running, Waiting};
    let id = id.to_owned();
    engine
        .store
        .write("transfer.resume", move |tx| {
            Box::pin(async move {
                let row = transfers::get(tx, &id).await?;
                if row.state != Running {
                    transfers::change(tx, &id, &[Paused, Queued, Waiting], Queued, "be resumed").await?;
                }
                // While a worker is at it, this only makes sure that it is looked at once more.
                job::enqueue(tx, &id, &row.shown_to).await
            })
        })
        .await
}

/// Puts items that were not written back to `pending` and lets the transfer run again. Returns how many there are.
///
/// # Errors
/// `MO-3015` if there is none, `MO-3021` if it is under way or was cancelled.
pub async fn retry(engine: &Engine, id: &str, which: Retry) -> Result<u64> {
    use TransferState::{Done, DoneWithFailures, Failed, Paused, Queued, Waiting};
    let id = id.to_owned();
    engine
        .store
        .write("transfer.retry", move |tx| {
            Box::pin(async move {
                let from = [Done, DoneWithFailures, Failed, Paused, Waiting];
                let row = transfers::change(tx, &id, &from, Queued, "be tried again").await?;
                let items = transfers::retry(tx, &id, &which).await?;
                if items == 0 && row.state != Failed {
                    // Nothing matched: saying so is better than a run that changes nothing.
                    return Err(Problem::new(&codes::transfer::ITEM_UNKNOWN, ""));
                }
                job::enqueue(tx, &id, &row.shown_to).await?;
                Ok(items)
            })
        })
        .await
}

async fn change(
    engine: &Engine,
    id: &str,
    from: &'static [TransferState],
    to: TransferState,
    verb: &'static str,
) -> Result<()> {
    let id = id.to_owned();
    engine
        .store
        .write("transfer.change", move |tx| {
            Box::pin(async move { transfers::change(tx, &id, from, to, verb).await.map(drop) })
        })
        .await
}

impl Selection {
    fn of(row: &transfers::TransferRow) -> Self {
        Self { types: row.types.clone(), since: row.since, until: row.until }
    }
}

/// Tells whether `created` lies in a range; what has no date is moved rather than left behind.
fn in_range(created: Option<Timestamp>, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    let after = |limit: Timestamp| created.is_none_or(|created| created >= limit);
    let before = |limit: Timestamp| created.is_none_or(|created| created < limit);
    since.is_none_or(after) && until.is_none_or(before)
}

/// Tells whether the type is among those asked for; an empty list asks for all.
fn type_wanted(types: &[DataType], data_type: DataType) -> bool {
    types.is_empty() || types.contains(&data_type)
}
