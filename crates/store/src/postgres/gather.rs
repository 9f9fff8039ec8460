//! What many callers write at the same moment becomes one operation.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::{Result, Verdict};
use tokio::sync::{mpsc, oneshot};

use crate::error;

/// How many callers may wait; a full queue makes callers wait in turn.
const QUEUE: usize = 4096;
/// How many callers share one operation.
const GROUP: usize = 512;

type Caller<T> = (T, oneshot::Sender<Result<()>>);

/// The way to whoever writes for all. One operation is under way at a time; who comes meanwhile goes with the next.
#[derive(Clone)]
pub(crate) struct Gather<T> {
    queue: mpsc::Sender<Caller<T>>,
}

impl<T: Clone + Send + Sync + 'static> Gather<T> {
    /// Starts to gather for an operation. It ends with the last handle.
    pub(crate) fn start(write: impl Fn(Arc<[T]>) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static) -> Self {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP);
            while waiting.recv_many(&mut group, GROUP).await > 0 {
                write_group(&write, group.drain(..).unzip()).await;
            }
        });
        Self { queue }
    }

    /// Writes one thing and returns when it is on disk.
    pub(crate) async fn write(&self, name: &str, item: T) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.queue.send((item, answer)).await.map_err(|_| error::gone(name))?;
        answered.await.map_err(|_| error::gone(name))?
    }
}

/// Writes a group; if it cannot be written together, each alone, so that who is to blame fails alone.
async fn write_group<T: Clone>(
    write: &impl Fn(Arc<[T]>) -> BoxFuture<'static, Result<()>>,
    (items, answers): (Vec<T>, Vec<oneshot::Sender<Result<()>>>),
) {
    let together = write(items.clone().into()).await;
    for (item, answer) in items.into_iter().zip(answers) {
        let alone = match &together {
            Ok(()) => Ok(()),
            // The store is away or full: that concerns them all.
            Err(problem) if problem.verdict() != Verdict::Permanent => Err(error::again(problem)),
            Err(_) => write([item].into()).await,
        };
        // A caller that has gone away no longer wants the answer.
        let _ = answer.send(alone);
    }
}
