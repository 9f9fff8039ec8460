//! Transfers as the command line, the API and the pages show them.

use std::time::Duration;

use futures_util::stream::{self, Stream};
use model::transfer::{TransferState, TransferView};
use model::{Result, Verdict};
use store::Tx;
use store::transfers::{self, TransferRow};

use crate::Engine;

/// How often a progress stream looks.
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn show(engine: &Engine, id: &str) -> Result<TransferView> {
    let id = id.to_owned();
    engine
        .store
        .read("transfer.show", move |tx| {
            Box::pin(async move {
                let row = transfers::get(tx, &id).await?;
                view(tx, row).await
            })
        })
        .await
}

pub(super) async fn list(engine: &Engine, limit: u32) -> Result<Vec<TransferView>> {
    engine
        .store
        .read("transfer.list", move |tx| {
            Box::pin(async move {
                let mut views = Vec::new();
                for row in transfers::newest(tx, limit).await? {
                    views.push(view(tx, row).await?);
                }
                Ok(views)
            })
        })
        .await
}

async fn view(tx: &mut Tx<'_>, row: TransferRow) -> Result<TransferView> {
    let types = transfers::tallies(tx, &row.id).await?;
    let problems = transfers::problems(tx, &row.id).await?;
    Ok(TransferView {
        difference: types.values().map(model::transfer::Tally::difference).sum(),
        transfer: row.id,
        state: row.state,
        reason: row.reason,
        from: row.shown_from,
        to: row.shown_to,
        types,
        problems,
        created_at: row.created_at,
        finished_at: row.finished_at,
    })
}

/// Follows a transfer: yields what it looks like now and after every change, until it has ended or waits for a person.
pub fn progress(engine: &Engine, id: &str) -> impl Stream<Item = Result<TransferView>> + Send + use<> {
    let start = (engine.clone(), id.to_owned(), None::<TransferView>);
    stream::unfold(Some(start), |state| async move {
        let (engine, id, seen) = state?;
        loop {
            match show(&engine, &id).await {
                Err(problem) => return Some((Err(problem), None)),
                Ok(view) if seen.as_ref() == Some(&view) => tokio::time::sleep(LOOK).await,
                Ok(view) if rests(&view) => return Some((Ok(view), None)),
                Ok(view) => return Some((Ok(view.clone()), Some((engine, id, Some(view))))),
            }
        }
    })
}

/// Tells whether nothing will change by itself.
fn rests(view: &TransferView) -> bool {
    match view.state {
        TransferState::Queued | TransferState::Running => false,
        // What is to be tried again is tried again by its job.
        TransferState::Waiting => view.reason.as_ref().is_none_or(|reason| reason.verdict != Verdict::Retry),
        TransferState::Paused
        | TransferState::Done
        | TransferState::DoneWithFailures
        | TransferState::Cancelled
        | TransferState::Failed => true,
    }
}
