//! The one writer: whole operations, those that wait together committed together, each in its own savepoint.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::{Problem, Result, codes};
use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot};

use super::drive;
use crate::{error, tx::Tx, vault::Vault};

/// How many operations may wait; a full queue makes callers wait in turn.
const QUEUE: usize = 4096;
/// How many operations share one commit.
const GROUP: usize = 512;

/// Sends an operation's answer to its caller once the commit has succeeded or failed.
type Answer = Box<dyn FnOnce(Result<(), &Problem>) + Send>;
/// Runs an operation and tells whether to keep its effect, or why not; without a connection it only makes the answer.
type Work = Box<dyn FnOnce(Option<(&mut Connection, &Vault)>) -> (Result<()>, Answer) + Send>;

/// The way to the writer thread.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
    wake: Arc<Notify>,
}

impl Writer {
    /// Starts the writer thread; it ends when the last handle is dropped.
    pub(super) fn start(connection: Connection, vault: Arc<Vault>, wake: Arc<Notify>) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(connection, &vault, waiting))
            .map_err(|cause| {
                Problem::new(&codes::store::UNAVAILABLE, "the writer thread cannot start").caused_by(cause)
            })?;
        Ok(Self { queue, wake })
    }

    /// Runs one operation and returns when it is on disk.
    pub(super) async fn run<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let wake = self.wake.clone();
        let work: Work = Box::new(move |place| {
            let (result, enqueued) = match place {
                Some((connection, vault)) => {
                    let mut tx = Tx::sqlite(name, connection, vault);
                    (drive(&mut tx, operation), tx.enqueued)
                }
                None => (Err(error::gone(name)), false),
            };
            let outcome = result.as_ref().map(drop).map_err(error::again);
            let answer: Answer = Box::new(move |committed| {
                if enqueued && result.is_ok() && committed.is_ok() {
                    wake.notify_one();
                }
                // A caller that has gone away no longer wants the answer.
                let _ = sender.send(committed.map_err(error::again).and(result));
            });
            (outcome, answer)
        });
        self.queue.send(work).await.map_err(|_| error::gone(name))?;
        receiver.await.map_err(|_| error::gone(name))?
    }
}

fn write_all(mut connection: Connection, vault: &Vault, mut waiting: mpsc::Receiver<Work>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let (committed, answers) = commit_group(&mut connection, vault, group.drain(..));
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
}

/// Runs a group in one transaction. An operation that fails is rolled back alone; a failed commit fails them all.
fn commit_group(
    connection: &mut Connection,
    vault: &Vault,
    group: impl Iterator<Item = Work>,
) -> (Result<()>, Vec<Answer>) {
    let mut committed = run(connection, "BEGIN IMMEDIATE");
    let mut answers = Vec::with_capacity(group.size_hint().0);
    for work in group {
        if committed.is_ok() {
            let (result, answer) = in_savepoint(connection, vault, work);
            committed = result;
            answers.push(answer);
        } else {
            answers.push(work(None).1);
        }
    }
    committed = committed.and_then(|()| run(connection, "COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        // Nothing to roll back is no harm: the next BEGIN starts afresh.
        let _ = connection.execute_batch("ROLLBACK");
    }
    (committed, answers)
}

/// Runs one operation. What ends the group is an error of the savepoint itself, or one of the operation for which SQLite threw the
/// whole transaction away, as it does when the disk is full.
fn in_savepoint(connection: &mut Connection, vault: &Vault, work: Work) -> (Result<()>, Answer) {
    if let Err(problem) = run(connection, "SAVEPOINT operation") {
        return (Err(problem), work(None).1);
    }
    let (outcome, answer) = work(Some((connection, vault)));
    let ended = match outcome {
        Ok(()) => run(connection, "RELEASE operation"),
        Err(problem) if connection.is_autocommit() => Err(problem),
        Err(_) => run(connection, "ROLLBACK TO operation; RELEASE operation"),
    };
    (ended, answer)
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|cause| error::sqlite("group commit", cause))
}
