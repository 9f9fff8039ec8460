//! What stops or slows a run as a whole: a person, a problem that concerns every item, a destination that asks to wait.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Problem, codes};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many failures to reach the destination, without a success between them, stop a run.
const UNREACHABLE_LIMIT: u32 = 12;
/// The longest wait that a destination can ask for within a run; a longer one ends the run, and the job waits.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The brake of one run, shared by everything in flight.
#[derive(Default)]
pub(super) struct Brake {
    stopped: CancellationToken,
    why: Mutex<Option<Problem>>,
    unreachable: AtomicU32,
    not_before: Mutex<Option<Instant>>,
}

impl Brake {
    /// Stops the run; the first problem is the one that is told. `None` where a person asked for it.
    pub(super) fn stop(&self, why: Option<Problem>) {
        let mut first = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.stopped.is_cancelled() {
            *first = why;
        }
        self.stopped.cancel();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// Returns the problem that stopped the run, if one did.
    pub(super) fn take_problem(&self) -> Option<Problem> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Hears that the destination answered sensibly.
    pub(super) fn reached(&self) {
        self.unreachable.store(0, Ordering::Relaxed);
    }

    /// Hears of a failure that may pass; stops the run when the destination seems to be gone.
    pub(super) fn hear(&self, problem: &Problem) {
        if let Some(wait) = problem.retry_after.map(Duration::from_secs) {
            if wait > LONGEST_WAIT {
                self.stop(Some(Problem::new(problem.code, problem.detail.clone()).after(problem.retry_after)));
            } else {
                let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
                *not_before = (*not_before).max(Some(Instant::now() + wait));
            }
        }
        if is_unreachable(problem) {
            let failures = self.unreachable.fetch_add(1, Ordering::Relaxed) + 1;
            if failures >= UNREACHABLE_LIMIT {
                let detail = format!("{failures} attempts in a row failed; the last: {}", problem.detail);
                self.stop(Some(Problem::new(&codes::transfer::DESTINATION_UNREACHABLE, detail)));
            }
        } else {
            // It answered, if only to refuse.
            self.reached();
        }
    }

    /// Waits as long as the destination asked for. Returns false if the run is stopped.
    pub(super) async fn wait(&self) -> bool {
        loop {
            let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match not_before {
                Some(instant) if instant > Instant::now() => {
                    if !self.sleep(instant - Instant::now()).await {
                        return false;
                    }
                }
                _ => return !self.is_stopped(),
            }
        }
    }

    /// Sleeps. Returns false, at once, if the run is stopped.
    pub(super) async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.stopped.cancelled() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

/// Tells whether a failure says that the destination could not be reached, rather than what it answered.
fn is_unreachable(problem: &Problem) -> bool {
    use codes::net::{BROKEN_OFF, TIMED_OUT, UNREACHABLE};
    [&codes::transfer::DESTINATION_UNREACHABLE, &UNREACHABLE, &TIMED_OUT, &BROKEN_OFF]
        .into_iter()
        .any(|code| problem.is(code))
}

/// Tells whether the item may have arrived although the attempt failed.
pub(super) fn may_have_arrived(problem: &Problem) -> bool {
    problem.is(&codes::net::TIMED_OUT) || problem.is(&codes::net::BROKEN_OFF)
}
