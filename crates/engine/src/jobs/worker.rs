//! The worker of a server: claims what is due, runs several jobs at once, and stops without losing any.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Result, codes};
use store::jobs::{self, Class, Places};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::handler::{Handler, handlers};
use super::name::{Gone, Name};
use super::retention;
use super::run::Crew;
use crate::Engine;

/// How many jobs run at once.
pub(super) const CONCURRENCY: usize = 20;
/// How many of them may be bulk work, so that a person's erasure never waits for others' transfers.
const BULK: usize = 12;
/// How many of these may go to one destination, so that another's never waits for hours either.
const BULK_PER_LANE: usize = 8;
/// How many may tell others what happened: a receiver that hangs holds up its own notices only.
const NOTICES: usize = 4;
/// How often an idle worker looks for work on average.
const POLL: Duration = Duration::from_secs(1);
/// How long running jobs may go on after a stop; then they are cut off and taken up again later.
const GRACE: Duration = Duration::from_secs(10);

/// Runs jobs until it is stopped.
pub struct Worker {
    crew: Crew,
    busy: Busy,
    next_look: tokio::time::Instant,
}

impl Worker {
    /// Creates a worker for every kind of job.
    pub fn new(engine: Engine) -> Self {
        Self::with_handlers(engine, handlers())
    }

    /// Creates a worker for some kinds of job.
    pub(super) fn with_handlers(engine: Engine, handlers: Vec<Box<dyn Handler>>) -> Self {
        let next_look = tokio::time::Instant::now();
        Self { crew: Crew::new(engine, handlers), busy: Busy::default(), next_look }
    }

    /// Works until `stop` is cancelled, then lets running jobs end for a few seconds and gives the others back.
    ///
    /// # Errors
    /// `MO-7005` if the data folder cannot be written, `MO-5022` if large bodies would go to a place that others on this store
    /// do not see. A store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<()> {
        self.claim_blobs().await?;
        let (name, gone) = Name::take(&self.crew.engine)?;
        self.crew.owner.clone_from(&name.owner);
        self.take_over(gone).await;
        self.schedule().await;
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            self.look_for_the_gone(&name).await;
            let found = self.start_jobs(&mut running).await;
            if found > 0 && running.len() < CONCURRENCY {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = running.join_next(), if !running.is_empty() => log_end(ended),
                () = self.crew.engine.store.job_enqueued(), if running.len() < CONCURRENCY => {}
                () = tokio::time::sleep(self.pause()), if running.len() < CONCURRENCY => {}
            }
            // Take all that have ended, so that the next claim asks for many at once.
            while let Some(ended) = running.try_join_next() {
                log_end(ended);
            }
        }
        let rest = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            running.shutdown().await;
        }
        if let Err(problem) = self.crew.release(std::slice::from_ref(&name.owner)).await {
            tracing::warn!(%problem, "leases are not given back; they run out by themselves");
        }
        Ok(())
    }

    /// Claims as many jobs as there are free places and starts them.
    async fn start_jobs(&self, running: &mut JoinSet<Result<()>>) -> usize {
        let free = CONCURRENCY.saturating_sub(running.len());
        let claimed = self.crew.claim(free, self.busy.counts(), places).await.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "no jobs can be claimed");
            vec![]
        });
        let started = claimed.len();
        for job in claimed {
            let (crew, place) = (self.crew.clone(), self.busy.take(&job.lane));
            running.spawn(async move {
                let ended = crew.run(job).await;
                drop(place);
                ended
            });
        }
        started
    }

    /// Refuses to work where large bodies would be lost to others. A bucket that is away is not a reason: callbacks go on.
    async fn claim_blobs(&self) -> Result<()> {
        match self.crew.engine.store.claim_blobs().await {
            Err(problem) if problem.is(&codes::store::BLOBS_ELSEWHERE) => Err(problem),
            Err(problem) => {
                tracing::warn!(%problem, "the place of large bodies cannot be reached");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Sees to it that the regular work is in the queue; from then on it asks for itself.
    async fn schedule(&self) {
        let scheduled = self
            .crew
            .engine
            .store
            .write("jobs.schedule", |tx| {
                Box::pin(async move { jobs::enqueue(tx, retention::KIND, retention::SUBJECT, None).await })
            })
            .await;
        if let Err(problem) = scheduled {
            tracing::warn!(%problem, "retention is not scheduled; the next start will");
        }
    }

    /// Looks, about as often as for work, whether a neighbour died.
    async fn look_for_the_gone(&mut self, name: &Name) {
        let now = tokio::time::Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + POLL;
        match name.gone() {
            Ok(gone) => self.take_over(gone).await,
            Err(problem) => tracing::warn!(%problem, "whether a neighbour died cannot be seen"),
        }
    }

    /// Gives back the leases of processes that are gone.
    async fn take_over(&self, gone: Gone) {
        match self.crew.release(&gone.owners).await {
            Ok(()) => gone.forget(),
            Err(problem) => tracing::warn!(%problem, "leases are not given back; they run out by themselves"),
        }
    }

    /// Half to one and a half of the usual pause, so that several workers do not look at the same moments.
    fn pause(&self) -> Duration {
        let [byte] = self.crew.engine.ambient.random::<1>();
        POLL / 2 + POLL * u32::from(byte) / 256
    }
}

/// Returns how many jobs of a class run at once at most.
fn places(class: Class) -> Places {
    match class {
        Class::Urgent => Places::ANY,
        Class::Notice => Places { in_all: NOTICES, per_lane: 1 },
        Class::Bulk => Places { in_all: BULK, per_lane: BULK_PER_LANE },
    }
}

/// How many jobs of each lane run.
#[derive(Clone, Default)]
struct Busy(Arc<Mutex<HashMap<String, usize>>>);

/// A place that is free again when this is dropped.
struct Place(Busy, String);

impl Busy {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> HashMap<String, usize> {
        self.lock().clone()
    }

    fn take(&self, lane: &str) -> Place {
        *self.lock().entry(lane.to_owned()).or_default() += 1;
        Place(self.clone(), lane.to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lanes = self.0.lock();
        if let Some(count) = lanes.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                lanes.remove(&self.1);
            }
        }
    }
}

fn log_end(ended: Result<Result<()>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => tracing::warn!(%problem, "the end of a job is not recorded; its lease runs out by itself"),
        Err(error) => tracing::error!(%error, "a job panicked; its lease runs out by itself"),
    }
}
