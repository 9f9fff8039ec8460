//! The worker of a server: claims what is due, runs several jobs at once, and stops without losing any.

use std::sync::Arc;
use std::time::Duration;

use model::Result;
use store::jobs::{self, Job};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::handler::{Handler, handlers};
use super::name::{Gone, Name};
use super::retention;
use super::run::Crew;
use crate::Engine;

/// How many jobs run at once.
pub(super) const CONCURRENCY: usize = 16;
/// How many of them may be bulk work, so that a person's erasure never waits for others' transfers.
const BULK: usize = 12;
/// How often an idle worker looks for work on average.
const POLL: Duration = Duration::from_secs(1);
/// How long running jobs may go on after a stop; then they are cut off and taken up again later.
const GRACE: Duration = Duration::from_secs(10);

/// Runs jobs until it is stopped.
pub struct Worker {
    crew: Crew,
    bulk: Arc<Semaphore>,
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
        Self { crew: Crew::new(engine, handlers), bulk: Arc::new(Semaphore::new(BULK)), next_look }
    }

    /// Works until `stop` is cancelled, then lets running jobs end for a few seconds and gives the others back.
    ///
    /// # Errors
    /// `MO-7005` if the data folder cannot be written. A store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<()> {
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

    /// Claims as many jobs as there are free places and starts them: first what people wait for, then bulk work.
    async fn start_jobs(&self, running: &mut JoinSet<Result<()>>) -> usize {
        let (bulk, urgent): (Vec<_>, Vec<_>) = self.crew.kinds().partition(|kind| jobs::is_bulk(kind));
        let places = CONCURRENCY.saturating_sub(running.len());
        let mut claimed = self.claim(places, urgent).await;
        let places = (places - claimed.len()).min(self.bulk.available_permits());
        claimed.extend(self.claim(places, bulk).await);
        for job in &claimed {
            let (crew, job) = (self.crew.clone(), job.clone());
            // Only this task takes permits, so there is one for each bulk job just claimed.
            let place = jobs::is_bulk(&job.kind).then(|| self.bulk.clone().try_acquire_owned());
            running.spawn(async move {
                let ended = crew.run(job).await;
                drop(place);
                ended
            });
        }
        claimed.len()
    }

    async fn claim(&self, places: usize, kinds: Vec<&'static str>) -> Vec<Job> {
        self.crew.claim(places, kinds, None).await.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "no jobs can be claimed");
            vec![]
        })
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

fn log_end(ended: Result<Result<()>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => tracing::warn!(%problem, "the end of a job is not recorded; its lease runs out by itself"),
        Err(error) => tracing::error!(%error, "a job panicked; its lease runs out by itself"),
    }
}
