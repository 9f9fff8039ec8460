//! Working without a server: everything that is due, or one subject's job to its end.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use model::Result;
use model::problem::Reason;
use store::jobs::{Places, Standing, standing};

use super::handler::{Handler, handlers};
use super::name::Name;
use super::run::Crew;
use super::worker::CONCURRENCY;
use crate::{Engine, backup};

/// How often to look whether a job that waits, or that another process runs, goes on.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Runs everything that is due until nothing is; returns how many runs that took.
///
/// # Errors
/// A problem of the store. Failures of jobs are recorded with them.
pub async fn drain(engine: &Engine) -> Result<usize> {
    drain_with(engine, handlers()).await
}

pub(super) async fn drain_with(engine: &Engine, handlers: Vec<Box<dyn Handler>>) -> Result<usize> {
    let (crew, _name) = take_up(engine, handlers).await?;
    let mut runs = 0;
    loop {
        let jobs = crew.claim(CONCURRENCY, HashMap::new(), |_| Places::ANY).await?;
        if jobs.is_empty() {
            return Ok(runs);
        }
        runs += jobs.len();
        stream::iter(jobs).map(|job| crew.run(job)).buffer_unordered(CONCURRENCY).try_collect::<()>().await?;
    }
}

/// Drives the job of one subject to its end, with or without a server on the same store; returns why it was put aside, if it was.
///
/// # Errors
/// A problem of the store, or `MO-5034` while outgoing work is held.
pub async fn drain_one(engine: &Engine, kind: &'static str, subject: &str) -> Result<Option<Reason>> {
    backup::released(engine).await?;
    drain_one_with(engine, handlers(), kind, subject).await
}

pub(super) async fn drain_one_with(
    engine: &Engine,
    handlers: Vec<Box<dyn Handler>>,
    kind: &'static str,
    subject: &str,
) -> Result<Option<Reason>> {
    let (crew, _name) = take_up(engine, handlers).await?;
    loop {
        if let Some(job) = crew.claim_one(kind, subject).await? {
            crew.run(job).await?;
            continue;
        }
        let wanted = subject.to_owned();
        let stands = engine
            .store
            .read("jobs.standing", move |tx| Box::pin(async move { standing(tx, kind, &wanted).await }))
            .await?;
        match stands {
            Standing::Ended => return Ok(None),
            Standing::Parked(reason) => return Ok(Some(reason)),
            Standing::Open => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Makes a crew of this process, after giving back the leases of processes that are gone.
async fn take_up(engine: &Engine, handlers: Vec<Box<dyn Handler>>) -> Result<(Crew, Name)> {
    let (name, gone) = Name::take(engine)?;
    let mut crew = Crew::new(engine.clone(), handlers);
    crew.owner.clone_from(&name.owner);
    crew.release(&gone.owners).await?;
    gone.forget();
    Ok((crew, name))
}
