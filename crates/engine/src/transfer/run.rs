//! One run of a transfer: from the moment a worker takes it up until it ends, waits or is stopped.

use std::sync::Arc;

use adapters::{Destination, Source};
use futures_util::future::BoxFuture;
use model::transfer::TransferState;
use model::{Problem, Result, Verdict, codes};
use store::transfers::{self, TransferRow};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::deliver::Line;
use super::plan::Selection;
use super::read::Reader;
use super::reconcile;
use super::write::Writer;
use crate::Engine;

/// How many batches the reader may be ahead of the writer.
const AHEAD: usize = 1;

/// The two ends, open.
pub(super) type Opened = (Arc<dyn Source>, Arc<dyn Destination>);

/// Carries a transfer on until it ends, waits for somebody or is stopped, and returns the state it is in then.
///
/// `open` opens its two ends; what it cannot open decides about the transfer like any other failure.
///
/// # Errors
/// `MO-3021` if it is paused or has ended; what is to be tried again later (the transfer is `waiting` until then); a problem
/// of the store.
pub async fn carry_out<F>(engine: &Engine, id: &str, open: F) -> Result<TransferState>
where
    F: FnOnce(TransferRow) -> BoxFuture<'static, Result<Opened>>,
{
    let subject = id.to_owned();
    let row = engine
        .store
        .write("transfer.begin", move |tx| Box::pin(async move { transfers::begin(tx, &subject).await }))
        .await?;
    let run = Run { engine, id, number: row.run };
    let result = match open(row.clone()).await {
        Ok((source, destination)) => run.transfer(&row, source, destination).await,
        Err(problem) => Err(problem),
    };
    run.conclude(result).await
}

/// One run.
struct Run<'a> {
    engine: &'a Engine,
    id: &'a str,
    number: u64,
}

impl Run<'_> {
    /// Reads and writes until nothing is left or the run is stopped.
    async fn transfer(
        &self,
        row: &TransferRow,
        source: Arc<dyn Source>,
        destination: Arc<dyn Destination>,
    ) -> Result<()> {
        self.check_fingerprint(row, &*source).await?;
        if !destination.capabilities().recognises_repeats {
            self.reclaim().await?;
        }
        let line = Arc::new(Line::new(self.id, self.engine.ambient.clone(), source.clone(), destination.clone()));
        let reader = Reader {
            store: self.engine.store.clone(),
            transfer: self.id.to_owned(),
            run: self.number,
            selection: Selection::of(row),
            source,
            destination: destination.clone(),
        };
        let (sender, batches) = mpsc::channel(AHEAD);
        let reading = AbortOnDropHandle::new(tokio::spawn(reader.run(sender)));
        Writer::new(self.engine.store.clone(), self.number, line.clone()).run(batches).await?;
        if line.brake.is_stopped() {
            // The reader may be ahead: what it journals last is taken back too.
            reading.abort();
            let _ = reading.await;
            self.release().await?;
            return line.brake.take_problem().map_or(Ok(()), Err);
        }
        reading.await.map_err(|cause| {
            Problem::new(&codes::store::UNAVAILABLE, "the reader ended early: the process is stopping").caused_by(cause)
        })??;
        destination.finish().await
    }

    async fn check_fingerprint(&self, row: &TransferRow, source: &dyn Source) -> Result<()> {
        let fingerprint = source.fingerprint().await?;
        match &row.fingerprint {
            Some(known) if *known == fingerprint => Ok(()),
            Some(_) => Err(Problem::new(&codes::transfer::SOURCE_CHANGED, "")),
            None => {
                let (id, number) = (self.id.to_owned(), self.number);
                self.engine
                    .store
                    .write("transfer.fingerprint", move |tx| {
                        Box::pin(async move { transfers::set_fingerprint(tx, &id, number, &fingerprint).await })
                    })
                    .await
            }
        }
    }

    async fn reclaim(&self) -> Result<()> {
        let (id, number) = (self.id.to_owned(), self.number);
        self.engine
            .store
            .write("transfer.reclaim", move |tx| {
                Box::pin(async move { transfers::reclaim(tx, &id, number).await.map(drop) })
            })
            .await
    }

    async fn release(&self) -> Result<()> {
        let (id, number) = (self.id.to_owned(), self.number);
        self.engine
            .store
            .write("transfer.release", move |tx| {
                Box::pin(async move { transfers::release(tx, &id, number).await.map(drop) })
            })
            .await
    }

    /// Turns what came of the run into the state of the transfer.
    async fn conclude(&self, result: Result<()>) -> Result<TransferState> {
        let (id, number) = (self.id.to_owned(), self.number);
        let problem = result.err();
        let again = problem.as_ref().is_some_and(|problem| problem.verdict() == Verdict::Retry);
        let known = problem.as_ref().map(|problem| (ending(problem.verdict()), problem.reason()));
        let state = self
            .engine
            .store
            .write("transfer.end", move |tx| {
                Box::pin(async move {
                    if let Some((state, reason)) = known {
                        return transfers::end(tx, &id, number, state, Some(&reason)).await;
                    }
                    match reconcile::verdict(tx, &id).await {
                        Ok(state) => transfers::end(tx, &id, number, state, None).await,
                        Err(problem) => {
                            transfers::end(tx, &id, number, TransferState::Failed, Some(&problem.reason())).await
                        }
                    }
                })
            })
            .await?;
        match problem {
            // The job tries again by itself, unless somebody paused or cancelled the transfer meanwhile.
            Some(problem) if again && state == TransferState::Waiting => Err(problem),
            _ => Ok(state),
        }
    }
}

/// Returns the state in which a failure of that kind leaves a transfer.
fn ending(verdict: Verdict) -> TransferState {
    match verdict {
        Verdict::Permanent => TransferState::Failed,
        Verdict::Retry | Verdict::NeedsUser | Verdict::NeedsPartner | Verdict::Blocked => TransferState::Waiting,
    }
}
