//! How runs end that went well: those that end while the store is busy with others are written down together.

use model::{Problem, Result, codes};
use store::Store;
use store::jobs::{self, Job};
use tokio::sync::{mpsc, oneshot};

/// How many ends are written down at once.
const GROUP: usize = 64;

type End = (Job, oneshot::Sender<Result<()>>);

/// The way to whoever writes down ends.
#[derive(Clone)]
pub(super) struct Ends(mpsc::Sender<End>);

impl Ends {
    /// Returns the way, and what must run at its other end.
    pub(super) fn new(store: Store) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(GROUP);
        (Self(sender), write_down(store, receiver))
    }

    /// Ends a job, and returns when that is on disk.
    pub(super) async fn done(&self, job: Job) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let stopping = || Problem::new(&codes::store::UNAVAILABLE, "the worker is stopping");
        self.0.send((job, answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }
}

async fn write_down(store: Store, mut waiting: mpsc::Receiver<End>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let jobs: Vec<Job> = group.iter().map(|(job, _)| job.clone()).collect();
        let ended = store
            .write_guarded("jobs.complete", move |tx| Box::pin(async move { jobs::complete_all(tx, &jobs).await }))
            .await;
        for (job, answer) in group.drain(..) {
            let result = match &ended {
                Ok(ours) if ours.contains(&job.id) => Ok(()),
                Ok(_) => Err(Problem::new(&codes::store::LEASE_LOST, "another worker went on meanwhile")),
                Err(problem) => Err(Problem::new(problem.code, problem.detail.clone())),
            };
            // Whoever has gone away no longer wants the answer.
            let _ = answer.send(result);
        }
    }
}
