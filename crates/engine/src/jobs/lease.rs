//! The leases that a process holds, prolonged together: one statement a beat, and none while it works on nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Problem, codes};
use store::Store;
use store::jobs::{self, Job};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often leases are prolonged: they survive two lost beats.
const BEAT: Duration = Duration::from_millis(2500);

/// The leases of one process on one store.
#[derive(Clone, Default)]
pub(super) struct Leases(Arc<Held>);

#[derive(Default)]
struct Held {
    jobs: Mutex<HashMap<String, (Job, CancellationToken)>>,
    taken: Notify,
}

/// A lease that is prolonged until this is dropped.
pub(super) struct Lease {
    held: Arc<Held>,
    job: String,
    lost: CancellationToken,
}

impl Leases {
    /// Begins to prolong the lease of a claimed job.
    pub(super) fn keep(&self, job: &Job) -> Lease {
        let lost = CancellationToken::new();
        self.0.lock().insert(job.id.clone(), (job.clone(), lost.clone()));
        self.0.taken.notify_one();
        Lease { held: self.0.clone(), job: job.id.clone(), lost }
    }

    /// Sends beats for ever.
    pub(super) async fn beat(self, store: Store) {
        loop {
            let jobs = self.0.jobs();
            if jobs.is_empty() {
                self.0.taken.notified().await;
                tokio::time::sleep(BEAT).await;
                continue;
            }
            let claimed = jobs.clone();
            let beaten = store
                .write_guarded("jobs.heartbeat", move |tx| Box::pin(async move { jobs::heartbeat(tx, &claimed).await }))
                .await;
            match beaten {
                Ok(ours) => self.0.drop_others(&jobs, &ours),
                // A store that is away for a moment does not end the runs: the fence decides when it is back.
                Err(problem) => tracing::warn!(%problem, "no heartbeat"),
            }
            tokio::time::sleep(BEAT).await;
        }
    }
}

impl Held {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Job, CancellationToken)>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> Vec<Job> {
        self.lock().values().map(|(job, _)| job.clone()).collect()
    }

    /// Tells the runs of those jobs that the store no longer has as ours.
    fn drop_others(&self, beaten: &[Job], ours: &[String]) {
        let held = self.lock();
        for job in beaten.iter().filter(|job| !ours.contains(&job.id)) {
            // It may have ended meanwhile and been claimed anew, which is another lease.
            if let Some((_, lost)) = held.get(&job.id).filter(|(now, _)| now.token == job.token) {
                lost.cancel();
            }
        }
    }
}

impl Lease {
    /// Returns when the lease is lost.
    pub(super) async fn lost(&self) -> Problem {
        self.lost.cancelled().await;
        Problem::new(&codes::store::LEASE_LOST, "no beat came in time, and another worker went on")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.lock().remove(&self.job);
    }
}
