//! One claimed job: run it under heartbeats, then write down how it ended.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use model::{Ambient, Problem, Result, Verdict, codes};
use store::jobs::{self, Claim, Class, Job, Places};
use tokio_util::task::AbortOnDropHandle;

use super::ends::Ends;
use super::handler::{Handler, Outcome};
use super::lease::Leases;
use crate::Engine;

/// The longest wait before the first retry; it doubles with each failure.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// The longest wait before any retry.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// Who works: an engine, the kinds it can run, and the name its leases bear.
#[derive(Clone)]
pub(super) struct Crew {
    pub(super) engine: Engine,
    pub(super) handlers: Arc<[Box<dyn Handler>]>,
    pub(super) owner: String,
    leases: Leases,
    ends: Ends,
    _helpers: Arc<[AbortOnDropHandle<()>; 2]>,
}

impl Crew {
    /// Creates a crew under a fresh name.
    pub(super) fn new(engine: Engine, handlers: Vec<Box<dyn Handler>>) -> Self {
        let owner = engine.ambient.id();
        let leases = Leases::default();
        let (ends, writer) = Ends::new(engine.store.clone());
        let helpers =
            [tokio::spawn(leases.clone().beat(engine.store.clone())), tokio::spawn(writer)].map(AbortOnDropHandle::new);
        Self { engine, handlers: handlers.into(), owner, leases, ends, _helpers: Arc::new(helpers) }
    }

    /// Returns the kinds it can run.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.iter().map(|handler| handler.kind())
    }

    /// Claims up to `limit` jobs that are due, when so many of each lane run already, and as many of each class as have places.
    pub(super) async fn claim(
        &self,
        limit: usize,
        busy: HashMap<String, usize>,
        most: fn(Class) -> Places,
    ) -> Result<Vec<Job>> {
        if limit == 0 {
            return Ok(vec![]);
        }
        let claim = Claim { owner: self.owner.clone(), kinds: self.kinds().collect(), limit, busy, most };
        self.engine
            .store
            .write_guarded("jobs.claim", move |tx| Box::pin(async move { jobs::claim(tx, &claim).await }))
            .await
    }

    /// Claims the job of one subject, if it is due.
    pub(super) async fn claim_one(&self, kind: &'static str, subject: &str) -> Result<Option<Job>> {
        let (owner, subject) = (self.owner.clone(), subject.to_owned());
        self.engine
            .store
            .write_guarded("jobs.claim-one", move |tx| {
                Box::pin(async move { jobs::claim_one(tx, &owner, kind, &subject).await })
            })
            .await
    }

    /// Gives back whatever the workers of these names still hold.
    pub(super) async fn release(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let names = names.to_vec();
        self.engine
            .store
            .write_guarded("jobs.release", move |tx| {
                Box::pin(async move {
                    for name in &names {
                        jobs::release(tx, name).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Runs a claimed job and records its end. A lost lease is no failure: another worker goes on.
    pub(super) async fn run(&self, job: Job) -> Result<()> {
        let Some(handler) = self.handlers.iter().find(|handler| handler.kind() == job.kind) else { return Ok(()) };
        let lease = self.leases.keep(&job);
        let result = if job.times_leased > jobs::MOST_LEASES {
            let times = job.times_leased - 1;
            Err(Problem::new(&codes::store::JOB_POISONED, format!("{times} workers ended while they ran it")))
        } else {
            tokio::select! {
                result = handler.run(&self.engine, &job) => result,
                lost = lease.lost() => Err(lost),
            }
        };
        match self.record(handler.as_ref(), job, result).await {
            Err(problem) if problem.is(&codes::store::LEASE_LOST) => {
                tracing::info!(%problem, "job taken over");
                Ok(())
            }
            recorded => recorded,
        }
    }

    async fn record(&self, handler: &dyn Handler, job: Job, result: Result<Outcome>) -> Result<()> {
        let store = &self.engine.store;
        match result {
            Ok(Outcome::Done) => self.ends.done(job).await,
            Ok(Outcome::Again(after)) => {
                store
                    .write_guarded("jobs.again", move |tx| Box::pin(async move { jobs::again(tx, &job, after).await }))
                    .await
            }
            Err(problem) if problem.is(&codes::store::LEASE_LOST) => Err(problem),
            Err(problem) if problem.verdict() == Verdict::Retry => {
                let after = backoff(&self.engine.ambient, job.times_failed, problem.retry_after);
                tracing::warn!(%problem, job.kind, job.id, "job failed, will be tried again");
                store
                    .write_guarded("jobs.fail", move |tx| Box::pin(async move { jobs::fail(tx, &job, after).await }))
                    .await
            }
            Err(problem) => {
                let reason = problem.reason();
                tracing::error!(%problem, job.kind, job.id, "job put aside");
                handler.parked(&self.engine, &job, &reason).await?;
                store
                    .write_guarded("jobs.park", move |tx| Box::pin(async move { jobs::park(tx, &job, &reason).await }))
                    .await
            }
        }
    }
}

/// Returns how long to wait before the next try: exponential with full jitter, and never less than the other side asked for.
pub(super) fn backoff(ambient: &Ambient, times_failed: u32, retry_after: Option<u64>) -> SignedDuration {
    let most = 2_i32.checked_pow(times_failed).and_then(|factor| FIRST_WAIT.checked_mul(factor));
    let most = most.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT).as_millis();
    let jitter = u128::from(u64::from_le_bytes(ambient.random())) % most.unsigned_abs();
    let asked = SignedDuration::from_secs(retry_after.unwrap_or(0).try_into().unwrap_or(0));
    asked.saturating_add(SignedDuration::from_millis(jitter.try_into().unwrap_or(0)))
}
