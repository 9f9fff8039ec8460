//! A bound on the inbox: more than can be promoted in a while is not taken, and told to come again.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::{Problem, Result, codes};

use crate::Engine;

/// How many arrivals may wait. They are promoted by the thousand each second.
const MOST_WAITING: u64 = 20_000;
/// How often they are counted, in microseconds.
const COUNT_EVERY: i64 = 1_000_000;
/// After how many seconds a refused callback may come again.
const COME_AGAIN: u64 = 15;

/// How many arrivals waited when this process last counted them.
#[derive(Default)]
pub(crate) struct Overload {
    counted_at: AtomicI64,
    waiting: AtomicU64,
}

/// Called before an arrival is taken.
///
/// # Errors
/// `MO-1009` while too many wait.
pub(super) async fn ensure_room(engine: &Engine) -> Result<()> {
    let overload = &engine.overload;
    let now = engine.ambient.now().as_microsecond();
    let before = overload.counted_at.load(Ordering::Relaxed);
    let mine = now.saturating_sub(before) >= COUNT_EVERY
        && overload.counted_at.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if mine {
        let count = engine.store.read("inbox.waiting", |tx| Box::pin(store::inbox::waiting(tx, MOST_WAITING)));
        overload.waiting.store(count.await?, Ordering::Relaxed);
    }
    if overload.waiting.load(Ordering::Relaxed) >= MOST_WAITING {
        let detail = format!("{MOST_WAITING} arrivals wait to be looked at");
        return Err(Problem::new(&codes::door::TOO_MANY_REQUESTS, detail).after(Some(COME_AGAIN)));
    }
    Ok(())
}
