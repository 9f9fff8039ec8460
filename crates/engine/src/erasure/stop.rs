//! The emergency stop: every worker on every machine stops before its next destructive step, until somebody starts again.

use jiff::Timestamp;
use model::erasure::ErasureState;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::{Tx, erasures, settings};

use super::job::{self, Run, Step};
use crate::Engine;

/// The setting that says so, to every process on this store.
const SETTING: &str = "erasure.stop";
/// How many requests go on in one operation.
const BATCH: usize = 500;

/// An emergency stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Since when.
    pub since: Timestamp,
    /// Why, in the words of whoever pressed it.
    pub why: String,
}

/// Stops everything: what is not yet erased when this returns is not erased before [`start`], but for a transaction that has
/// begun. Stopping twice keeps the first.
///
/// # Errors
/// Only those of the store.
pub async fn stop(engine: &Engine, why: &str) -> Result<Stop> {
    let stop = Stop { since: engine.ambient.now(), why: why.to_owned() };
    engine
        .store
        .write("erasure.stop", move |tx| {
            Box::pin(async move {
                if let Some(stop) = read(tx).await? {
                    return Ok(stop);
                }
                settings::set(tx, SETTING, &store::value::json(&stop)?).await?;
                Ok(stop)
            })
        })
        .await
}

/// Lets everything go on and returns how many requests had been stopped.
///
/// # Errors
/// Only those of the store.
pub async fn start(engine: &Engine) -> Result<u64> {
    engine.store.write("erasure.start", |tx| Box::pin(async move { settings::remove(tx, SETTING).await })).await?;
    let mut total = 0;
    loop {
        let started = engine.store.write("erasure.start", |tx| Box::pin(go_on(tx))).await?;
        total += started;
        if started < BATCH as u64 {
            return Ok(total);
        }
    }
}

/// Lets some of the requests go on that were stopped.
async fn go_on(tx: &mut Tx<'_>) -> Result<u64> {
    let stopped = erasures::waiting_for(tx, &codes::erasure::STOPPED, BATCH).await?;
    for request in &stopped {
        erasures::set_state(tx, &request.id, ErasureState::Received, None).await?;
        job::enqueue(tx, &request.app, &request.id, None).await?;
    }
    Ok(stopped.len() as u64)
}

/// Tells whether everything is stopped.
///
/// # Errors
/// Only those of the store.
pub async fn stopped(engine: &Engine) -> Result<Option<Stop>> {
    engine.store.read("erasure.stopped", |tx| Box::pin(read(tx))).await
}

async fn read(tx: &mut Tx<'_>) -> Result<Option<Stop>> {
    // A setting that cannot be read stops too: somebody wrote it.
    let unreadable = || Stop { since: Timestamp::UNIX_EPOCH, why: String::new() };
    let text = settings::get(tx, SETTING).await?;
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_else(|_| unreadable())))
}

/// Called before each destructive step.
///
/// # Errors
/// `MO-2040` if everything is stopped.
pub(super) async fn ensure_going(engine: &Engine) -> Result<()> {
    match stopped(engine).await? {
        Some(stop) => Err(Problem::new(&codes::erasure::STOPPED, format!("since {}", stop.since))),
        None => Ok(()),
    }
}

/// Lets a request wait until everything goes on; if it does by now, the request goes on too.
pub(super) async fn rest(run: &Run<'_>, stopped: &Problem) -> Result<Step> {
    let (id, reason) = (run.job.subject.clone(), stopped.reason());
    run.write("erasure.rest", move |tx| {
        Box::pin(async move {
            // Read in the same transaction: whoever starts afterwards finds the request waiting.
            if read(tx).await?.is_none() {
                return Ok(Step::More);
            }
            erasures::set_state(tx, &id, ErasureState::Waiting, Some(&reason)).await?;
            Ok(Step::Rest)
        })
    })
    .await
}
