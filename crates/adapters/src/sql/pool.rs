//! Sessions with a server that are kept for the next transaction, and how many there may be: it is somebody's live database.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How many transactions we have open on one server at once.
const MOST: usize = 4;
/// How long a session is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(30);

/// The sessions of one database.
pub(crate) struct Pool<S> {
    places: Arc<Semaphore>,
    idle: Mutex<Idle<S>>,
}

struct Idle<S> {
    sessions: Vec<(Instant, S)>,
    /// Whether a task waits to close what nobody uses.
    watched: bool,
}

impl<S: Send + 'static> Pool<S> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(MOST)),
            idle: Mutex::new(Idle { sessions: Vec::new(), watched: false }),
        })
    }

    /// Waits for a place, and returns the session that was used last, if one is kept.
    pub(crate) async fn take(&self) -> (Option<OwnedSemaphorePermit>, Option<S>) {
        // It is never closed, so there is always a permit to be had.
        let place = self.places.clone().acquire_owned().await.ok();
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).sessions.pop();
        (place, kept.map(|(_, session)| session))
    }

    /// Keeps a session for the next transaction.
    pub(crate) fn keep(self: &Arc<Self>, session: S) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.sessions.push((Instant::now(), session));
        if !idle.watched {
            idle.watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }
}

/// Closes sessions that nobody has used for a while, until none is left.
async fn watch<S: Send + 'static>(pool: Weak<Pool<S>>) {
    loop {
        tokio::time::sleep(KEPT).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.sessions.retain(|(used, _)| used.elapsed() < KEPT);
        if idle.sessions.is_empty() {
            idle.watched = false;
            return;
        }
    }
}
